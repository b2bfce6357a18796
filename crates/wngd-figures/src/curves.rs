//! Curves of many methods on logarithmic axes.

use crate::axes::{Panel, Range};
use crate::canvas::{Canvas, GREY, Point, Stroke, WHITE, clip_polyline, simplify};
use crate::looks::MethodStyle;
use crate::number::short;

/// What replaces values that have no logarithm.
pub(crate) struct Floor {
    least: f64,
    most: f64,
    /// Whether some value needs it.
    used: bool,
}

impl Floor {
    pub fn new(values: impl Iterator<Item = f64>) -> Self {
        let mut f = Self { least: f64::INFINITY, most: 0.0, used: false };
        for v in values.filter(|v| v.is_finite()) {
            if v > 0.0 {
                f.least = f.least.min(v);
                f.most = f.most.max(v);
            } else {
                f.used = true;
            }
        }
        if f.most == 0.0 {
            (f.least, f.most) = (1.0, 1.0);
        }
        f
    }

    fn value(&self) -> f64 {
        (1e-3 * self.least).max(1e-300)
    }

    /// The value to draw; NaN stays NaN and breaks the line.
    pub fn lift(&self, v: f64) -> f64 {
        if v.is_finite() { if v > 0.0 { v } else { self.value() } } else { f64::NAN }
    }

    /// The vertical range, with some room at both ends.
    pub fn range(&self) -> Range {
        let lo = if self.used { self.value() } else { self.least };
        let room = (self.most / lo).powf(0.04).max(1.15);
        Range::logarithmic(lo / room, self.most * room)
    }

    /// The dotted line on which lifted values lie.
    pub fn draw(&self, canvas: &mut Canvas, panel: &Panel) {
        if self.used {
            let v = self.value();
            let pen = Stroke { color: GREY, width: 1.0, dash: &[1.5, 3.5] };
            let (a, b) = (panel.at(panel.x.lo, v), panel.at(panel.x.hi, v));
            canvas.line(a, b, &pen);
        }
    }

    /// The sentence that explains it, if it is needed.
    pub fn note(&self, what: &str) -> Option<String> {
        self.used.then(|| format!("{what} ≤ 0 is drawn on the dotted line at {}", short(self.value())))
    }
}

/// One line per method with markers some 34 pixels apart, shifted from method
/// to method so that they do not sit on one another.
pub(crate) fn draw_lines(canvas: &mut Canvas, panel: &Panel, lists: &[Vec<Point>], styles: &[MethodStyle]) {
    let rim = Stroke::solid(WHITE, 0.7);
    let spacing = 34.0;
    let pixels: Vec<Vec<Point>> = lists.iter().map(|l| l.iter().map(|p| panel.at(p.0, p.1)).collect()).collect();
    for (px, style) in pixels.iter().zip(styles) {
        for piece in clip_polyline(&panel.rect, px) {
            canvas.polyline(&simplify(piece), &style.stroke(1.7));
        }
    }
    for (k, (px, style)) in pixels.iter().zip(styles).enumerate() {
        let seen: Vec<Point> = px.iter().copied().filter(|p| panel.rect.contains(*p, 0.5)).collect();
        let mut wait = spacing * ((k * 3) % 7) as f64 / 7.0;
        for (i, p) in seen.iter().enumerate() {
            if i > 0 {
                wait -= (p.0 - seen[i - 1].0).hypot(p.1 - seen[i - 1].1);
            }
            if wait <= 0.0 || i + 1 == seen.len() {
                canvas.marker(style.marker, *p, 3.9, style.color, Some(&rim));
                wait = spacing;
            }
        }
    }
}
