//! Colour bars.

use super::{Range, ticks};
use crate::canvas::{Align, BLACK, Canvas, LABEL, Point, Rect, Rgb, SMALL, Stroke, fit};

/// A horizontal colour bar of height 9 at `(x, y)`, with its ticks below and
/// its caption below those ([`BAR_BELOW`] pixels in all). `marks` are level lines that the
/// map has.
pub(crate) fn color_bar_below(
    canvas: &mut Canvas,
    (x, y): Point,
    width: f64,
    range: &Range,
    caption: &str,
    color: impl Fn(f64) -> Rgb,
    marks: &[(f64, Stroke)],
) {
    let n = 96;
    let palette: Vec<Rgb> = (0..n).map(|i| color((i as f64 + 0.5) / n as f64)).collect();
    let edges: Vec<f64> = (0..=n).map(|i| x + width * i as f64 / n as f64).collect();
    canvas.cells(&edges, &[y, y + 9.0], &palette, |i, _| Some(i));
    for (v, stroke) in marks {
        let p = x + range.unit(*v) * width;
        canvas.line((p, y), (p, y + 9.0), stroke);
    }
    let pen = Stroke::solid(BLACK, 0.8);
    canvas.outline(Rect::new(x, y, width, 9.0), &pen);
    let t = ticks(range, width, true);
    for (v, s) in &t.major {
        let p = x + range.unit(*v) * width;
        canvas.line((p, y + 9.0), (p, y + 12.5), &pen);
        canvas.text((p, y + 24.5), s, SMALL, Align::Middle, BLACK);
    }
    let s = fit(&t.caption(caption), SMALL, width + 30.0);
    canvas.text((x + width / 2.0, y + 40.0), &s, SMALL, Align::Middle, BLACK);
}

/// The height of [`color_bar_below`].
pub(crate) const BAR_BELOW: f64 = 42.0;

/// A vertical colour bar of width 11 to the right of a panel, with marks at
/// the contour levels.
pub(crate) fn color_bar_right(
    canvas: &mut Canvas,
    x: f64,
    panel: &Rect,
    range: &Range,
    caption: &str,
    levels: &[f64],
    (color, mark): (impl Fn(f64) -> Rgb, Rgb),
) {
    let n = 96;
    let palette: Vec<Rgb> = (0..n).map(|i| color((i as f64 + 0.5) / n as f64)).collect();
    let edges: Vec<f64> = (0..=n).map(|i| panel.bottom() - panel.h * i as f64 / n as f64).collect();
    canvas.cells(&[x, x + 11.0], &edges, &palette, |_, j| Some(j));
    for l in levels {
        let u = range.unit(*l);
        if (0.0..=1.0).contains(&u) {
            let p = panel.bottom() - u * panel.h;
            canvas.line((x, p), (x + 11.0, p), &Stroke::solid(mark, 0.9));
        }
    }
    let pen = Stroke::solid(BLACK, 0.8);
    canvas.outline(Rect::new(x, panel.y, 11.0, panel.h), &pen);
    let t = ticks(range, panel.h, false);
    for (v, s) in &t.major {
        let p = panel.bottom() - range.unit(*v) * panel.h;
        canvas.line((x + 11.0, p), (x + 14.5, p), &pen);
        canvas.text((x + 18.0, p + 4.3), s, SMALL, Align::Left, BLACK);
    }
    let s = fit(&t.caption(caption), LABEL, panel.h);
    let out = x + 18.0 + t.width() + 16.0;
    canvas.text_up((out, panel.y + panel.h / 2.0), &s, LABEL, BLACK);
}

/// The width of [`color_bar_right`], with the gap before it.
pub(crate) fn bar_right_width(range: &Range, height: f64) -> f64 {
    ticks(range, height, false).width() + 12.0 + 18.0 + 24.0
}
