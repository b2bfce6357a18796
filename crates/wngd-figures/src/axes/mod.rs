//! Panels with axes: frames, ticks, labels.

mod bars;
mod range;
mod ticks;

use crate::canvas::{Align, BLACK, Canvas, LABEL, PALE, Point, Rect, SMALL, Stroke, clip_polyline, fit, simplify};
pub(crate) use bars::{BAR_BELOW, bar_right_width, color_bar_below, color_bar_right};
pub(crate) use range::{Range, extent};
use ticks::{Ticks, ticks};

/// What is written around a panel.
#[derive(Clone, Copy, Default)]
pub(crate) struct Decor<'a> {
    pub title: &'a str,
    pub x_label: &'a str,
    pub y_label: &'a str,
    pub x_ticks: bool,
    pub y_ticks: bool,
    /// Whether the vertical axis has no ticks at all: its values say nothing.
    pub no_y: bool,
    /// Whether the horizontal one has none.
    pub no_x: bool,
}

/// Pixels below a panel for tick labels and an axis label.
pub(crate) const BELOW: f64 = 40.0;
/// Pixels below a panel for tick labels only.
pub(crate) const BELOW_TICKS: f64 = 20.0;
/// Pixels above a panel for its title.
pub(crate) const ABOVE: f64 = 22.0;

/// A plot area with its two ranges.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Panel {
    pub rect: Rect,
    pub x: Range,
    pub y: Range,
}

impl Panel {
    /// Pixels of a data point.
    pub fn at(&self, x: f64, y: f64) -> Point {
        (self.rect.x + self.x.unit(x) * self.rect.w, self.rect.bottom() - self.y.unit(y) * self.rect.h)
    }

    /// Draws a data polyline, cut at the frame.
    pub fn curve(&self, canvas: &mut Canvas, points: &[Point], stroke: &Stroke) {
        let px: Vec<Point> = points.iter().map(|p| self.at(p.0, p.1)).collect();
        for piece in clip_polyline(&self.rect, &px) {
            canvas.polyline(&piece, stroke);
        }
    }

    /// [`Panel::curve`] for many points: those too close to be told apart are left out.
    pub fn fine_curve(&self, canvas: &mut Canvas, points: &[Point], stroke: &Stroke) {
        let px: Vec<Point> = points.iter().map(|p| self.at(p.0, p.1)).collect();
        for piece in clip_polyline(&self.rect, &px) {
            canvas.polyline(&simplify(piece), stroke);
        }
    }

    /// Grid lines; drawn before the data.
    pub fn grid(&self, canvas: &mut Canvas) {
        let pen = Stroke::solid(PALE, 0.8);
        let r = self.rect;
        for (v, _) in ticks(&self.x, r.w, true).major {
            let p = self.at(v, self.y.lo).0;
            canvas.line((p, r.y), (p, r.bottom()), &pen);
        }
        for (v, _) in ticks(&self.y, r.h, false).major {
            let p = self.at(self.x.lo, v).1;
            canvas.line((r.x, p), (r.right(), p), &pen);
        }
    }

    /// Frame, ticks, labels and title; drawn after the data.
    pub fn frame(&self, canvas: &mut Canvas, decor: &Decor) {
        let r = self.rect;
        let pen = Stroke::solid(BLACK, 0.9);
        let (mut xt, mut yt) = (ticks(&self.x, r.w, true), ticks(&self.y, r.h, false));
        if decor.no_x {
            xt = Ticks::default();
        }
        if decor.no_y {
            yt = Ticks::default();
        }
        for v in &xt.minor {
            let p = self.at(*v, self.y.lo).0;
            canvas.line((p, r.bottom()), (p, r.bottom() + 2.5), &pen);
        }
        for v in &yt.minor {
            let p = self.at(self.x.lo, *v).1;
            canvas.line((r.x - 2.5, p), (r.x, p), &pen);
        }
        for (v, s) in &xt.major {
            let p = self.at(*v, self.y.lo).0;
            canvas.line((p, r.bottom()), (p, r.bottom() + 4.5), &pen);
            if decor.x_ticks {
                canvas.text((p, r.bottom() + 17.0), s, SMALL, Align::Middle, BLACK);
            }
        }
        for (v, s) in &yt.major {
            let p = self.at(self.x.lo, *v).1;
            canvas.line((r.x - 4.5, p), (r.x, p), &pen);
            if decor.y_ticks {
                canvas.text((r.x - 7.5, p + 4.3), s, SMALL, Align::Right, BLACK);
            }
        }
        canvas.outline(r, &pen);
        if !decor.x_label.is_empty() {
            let s = fit(&xt.caption(decor.x_label), LABEL, r.w + 30.0);
            canvas.text((r.x + r.w / 2.0, r.bottom() + 35.0), &s, LABEL, Align::Middle, BLACK);
        }
        if !decor.y_label.is_empty() {
            let s = fit(&yt.caption(decor.y_label), LABEL, r.h + 30.0);
            let out = if decor.y_ticks { yt.width() + 9.0 } else { 6.0 };
            canvas.text_up((r.x - out - 7.0, r.y + r.h / 2.0), &s, LABEL, BLACK);
        }
        if !decor.title.is_empty() {
            let s = fit(decor.title, LABEL, r.w + 20.0);
            canvas.text((r.x + r.w / 2.0, r.y - 7.0), &s, LABEL, Align::Middle, BLACK);
        }
    }
}

/// Pixels left of a panel of the given height for the ticks and the label of
/// its vertical axis.
pub(crate) fn left_margin(range: &Range, height: f64, label: bool) -> f64 {
    ticks(range, height, false).width() + if label { 30.0 } else { 12.0 }
}
