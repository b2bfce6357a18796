//! Hatching.

use crate::canvas::{Canvas, HATCH, Point, Rect, Stroke, clip_segment};

/// Diagonal lines over the part of `r` where `blank` holds.
pub(crate) fn hatch(canvas: &mut Canvas, r: &Rect, blank: impl Fn(Point) -> bool) {
    let spacing = 8.0;
    let mut lines: Vec<Vec<Point>> = Vec::new();
    let mut c = r.x + r.y + spacing / 2.0;
    while c < r.right() + r.bottom() {
        // The line x + y = c inside the rectangle.
        let far = r.w + r.h;
        let (a, b) = ((r.x - far, c - r.x + far), (r.right() + far, c - r.right() - far));
        if let Some((a, b)) = clip_segment(r, a, b) {
            let n = ((b.0 - a.0).abs() / 0.5).ceil().max(1.0) as usize;
            let at = |k: usize| {
                let t = k as f64 / n as f64;
                (a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1))
            };
            let mut from: Option<Point> = None;
            for k in 0..=n {
                // Slightly inward: the border itself may round to outside.
                let p = at(k);
                let probe = (p.0.clamp(r.x + 0.01, r.right() - 0.01), p.1.clamp(r.y + 0.01, r.bottom() - 0.01));
                match (blank(probe), from) {
                    (true, None) => from = Some(at((k + 1).min(n))),
                    (false, Some(f)) => {
                        // Short of the border by the round cap.
                        lines.push(vec![f, at(k.saturating_sub(2))]);
                        from = None;
                    }
                    _ => {}
                }
            }
            if let Some(f) = from {
                lines.push(vec![f, at(n)]);
            }
        }
        c += spacing;
    }
    canvas.segments(&lines, &Stroke::solid(HATCH, 0.8));
}
