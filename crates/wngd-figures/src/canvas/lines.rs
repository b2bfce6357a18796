//! Polylines in pixels: written as paths, dashed, clipped, thinned.

use std::fmt::Write as _;

use super::{Point, Rect};

pub(super) fn append_path(d: &mut String, points: &[Point], close: bool) {
    let round = |v: f64| (v * 100.0).round() / 100.0;
    for (i, p) in points.iter().enumerate() {
        let letter = if i == 0 { 'M' } else { 'L' };
        let _ = write!(d, "{letter}{} {}", round(p.0), round(p.1));
    }
    if close {
        d.push('Z');
    }
}

/// Cuts a polyline into its dashes.
pub(super) fn dashes(points: &[Point], pattern: &[f64]) -> Vec<Vec<Point>> {
    let total: f64 = pattern.iter().sum();
    if total.is_nan() || total <= 0.5 {
        return vec![points.to_vec()];
    }
    let mut out = Vec::new();
    let mut current: Vec<Point> = points.first().copied().into_iter().collect();
    let (mut k, mut left) = (0usize, pattern[0]);
    for w in points.windows(2) {
        let (dx, dy) = (w[1].0 - w[0].0, w[1].1 - w[0].1);
        let length = dx.hypot(dy);
        let mut done = 0.0;
        while length - done > left {
            done += left;
            let p = (w[0].0 + dx * done / length, w[0].1 + dy * done / length);
            if k % 2 == 0 {
                current.push(p);
                out.push(std::mem::take(&mut current));
            } else {
                current = vec![p];
            }
            k = (k + 1) % pattern.len();
            left = pattern[k];
        }
        left -= length - done;
        if k % 2 == 0 {
            current.push(w[1]);
        }
    }
    if k % 2 == 0 && current.len() > 1 {
        out.push(current);
    }
    out
}

/// The part of segment `a`–`b` inside `r` (Liang and Barsky).
pub(crate) fn clip_segment(r: &Rect, a: Point, b: Point) -> Option<(Point, Point)> {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let (mut t0, mut t1) = (0.0f64, 1.0f64);
    for (p, q) in [(-dx, a.0 - r.x), (dx, r.right() - a.0), (-dy, a.1 - r.y), (dy, r.bottom() - a.1)] {
        if p == 0.0 {
            if q < 0.0 {
                return None;
            }
        } else if p < 0.0 {
            t0 = t0.max(q / p);
        } else {
            t1 = t1.min(q / p);
        }
    }
    (t0 <= t1).then(|| {
        let at = |t: f64| (a.0 + t * dx, a.1 + t * dy);
        (at(t0), at(t1))
    })
}

/// The pieces of a polyline inside `r`. Non-finite points break it.
pub(crate) fn clip_polyline(r: &Rect, points: &[Point]) -> Vec<Vec<Point>> {
    let mut out: Vec<Vec<Point>> = Vec::new();
    let mut open = false;
    for w in points.windows(2) {
        let finite = w.iter().all(|p| p.0.is_finite() && p.1.is_finite());
        match finite.then(|| clip_segment(r, w[0], w[1])).flatten() {
            Some((a, b)) => {
                match out.last_mut() {
                    Some(piece) if open => piece.push(b),
                    _ => out.push(vec![a, b]),
                }
                open = b == w[1];
            }
            None => open = false,
        }
    }
    out
}

/// Drops vertices closer than 0.8 pixels to the one before.
pub(crate) fn simplify(points: Vec<Point>) -> Vec<Point> {
    let n = points.len();
    let mut out: Vec<Point> = Vec::with_capacity(n);
    for (i, p) in points.into_iter().enumerate() {
        let far = out.last().is_none_or(|q| (p.0 - q.0).hypot(p.1 - q.1) > 0.8);
        if far || i + 1 == n {
            out.push(p);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clipping_splits_a_line_that_leaves_and_returns() {
        let r = Rect::new(0.0, 0.0, 10.0, 10.0);
        let pieces = clip_polyline(&r, &[(5.0, 5.0), (15.0, 5.0), (15.0, 8.0), (5.0, 8.0)]);
        assert_eq!(pieces.len(), 2);
        assert!((pieces[0][1].0 - 10.0).abs() < 1e-12);
        assert!(clip_polyline(&r, &[(f64::NAN, 0.0), (1.0, 1.0)]).is_empty());
    }

    #[test]
    fn dashes_cover_the_right_length() {
        let d = dashes(&[(0.0, 0.0), (10.0, 0.0), (10.0, 10.0)], &[3.0, 2.0]);
        let drawn: f64 = d.iter().flat_map(|p| p.windows(2)).map(|w| (w[1].0 - w[0].0).hypot(w[1].1 - w[0].1)).sum();
        assert!((drawn - 12.0).abs() < 1e-9);
    }
}
