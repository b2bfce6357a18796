//! Three parameters or more: a row per method, a column per iteration, each
//! with its own vertical axis (the scales differ by orders of magnitude).

use super::value::{DASHES, FIRST, Profile, QuadraticModels};
use crate::axes::{ABOVE, BELOW_TICKS, Decor, Panel, Range, extent, left_margin};
use crate::canvas::{BLACK, GREY, Marker, Point, Rect, Stroke, TITLE, WHITE, fit};
use crate::drawing::Drawing;
use crate::looks;
use crate::sheet::{Entry, Sample, Sheet, WIDE};

/// Room for the names of rows.
const NAMES: f64 = 26.0;

pub(super) fn draw(data: &QuadraticModels) -> Drawing {
    let styles = looks::styles(data.panels.iter().map(|p| p.label.as_str()));
    let columns = data.panels.iter().map(|p| p.profile.len().min(FIRST)).max().unwrap_or(1).max(1);
    let h = 104.0;
    let range = |q: &Profile| {
        let (fl, fh) = extent(q.f.iter().copied()).unwrap_or((0.0, 1.0));
        let span = if fh > fl { fh - fl } else { fl.abs().max(1e-12) };
        let (ml, mh) = extent(q.model.iter().copied()).unwrap_or((fl, fh));
        Range::around([fl.min(ml).max(fl - span), fh.max(mh).min(fh + span)], 0.08)
    };
    let mut margins = vec![0.0f64; columns];
    for panel in &data.panels {
        for (c, q) in panel.profile.iter().take(FIRST).enumerate() {
            margins[c] = margins[c].max(left_margin(&range(q), h, true) + 4.0);
        }
    }
    let total = if columns == 1 { 460.0 } else { WIDE };
    let gap = 12.0;
    let w = (total - NAMES - margins.iter().sum::<f64>() - gap * columns as f64) / columns as f64;
    let mut sheet = Sheet::new(total, &data.title);
    let top = sheet.top + ABOVE;
    let pitch = h + BELOW_TICKS + 14.0;
    for (r, (content, style)) in data.panels.iter().zip(&styles).enumerate() {
        let canvas = &mut sheet.canvas;
        let y0 = top + pitch * r as f64;
        let name = fit(&style.name, TITLE, h + 24.0);
        canvas.text_up((NAMES - 8.0, y0 + h / 2.0), &name, TITLE, BLACK);
        let mut x0 = NAMES;
        for (c, margin) in margins.iter().enumerate() {
            x0 += margin;
            if let Some(q) = content.profile.get(c).filter(|q| !q.t.is_empty()) {
                let x = Range::around(q.t.iter().copied(), 0.03);
                let panel = Panel { rect: Rect::new(x0, y0, w, h), x, y: range(q) };
                let lists = |v: &[f64]| -> Vec<Point> { q.t.iter().copied().zip(v.iter().copied()).collect() };
                let f = lists(&q.f);
                panel.grid(canvas);
                panel.curve(canvas, &f, &Stroke::solid(GREY, 3.0));
                let pen = Stroke { color: style.color, width: 1.7, dash: DASHES[1] };
                panel.curve(canvas, &lists(&q.model), &pen);
                for (t, marker) in [(0.0, Marker::Circle), (1.0, Marker::Diamond)] {
                    if let Some(v) = interpolate(&f, t) {
                        let at = panel.at(t, v);
                        if panel.rect.contains(at, 0.5) {
                            canvas.marker(marker, at, 3.9, BLACK, Some(&Stroke::solid(WHITE, 0.9)));
                        }
                    }
                }
                let heading = format!("iteration {c}");
                panel.frame(
                    canvas,
                    &Decor {
                        title: if r == 0 { &heading } else { "" },
                        x_label: if r + 1 == data.panels.len() { "fraction t of the step" } else { "" },
                        y_label: "f",
                        x_ticks: true,
                        y_ticks: true,
                        ..Decor::default()
                    },
                );
            }
            x0 += w + gap;
        }
    }
    sheet.panels_end(top + pitch * (data.panels.len() - 1) as f64 + h);
    sheet.legend(vec![
        Entry::new("f along the step", Sample::Line(Stroke::solid(GREY, 3.0), None)),
        Entry::new("model", Sample::Line(Stroke { color: BLACK, width: 1.7, dash: DASHES[1] }, None)),
        Entry::new("iterate", Sample::Marker(Marker::Circle, BLACK, 4.0)),
        Entry::new("full step", Sample::Marker(Marker::Diamond, BLACK, 4.0)),
    ]);
    sheet.finish()
}

/// The value at `t` of a curve sorted by its first coordinate.
fn interpolate(curve: &[Point], t: f64) -> Option<f64> {
    curve.windows(2).find_map(|w| {
        let (a, b) = (w[0], w[1]);
        if a.0 <= t && t <= b.0 && b.0 > a.0 { Some(a.1 + (t - a.0) / (b.0 - a.0) * (b.1 - a.1)) } else { None }
    })
}
