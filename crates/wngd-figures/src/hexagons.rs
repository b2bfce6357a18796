//! Many points as shaded hexagons.

use std::collections::BTreeMap;

use crate::canvas::{Canvas, Point, Rect};
use crate::palettes;

/// Radius of a hexagon in pixels.
const RADIUS: f64 = 5.0;
/// Shades.
const SHADES: usize = 12;

/// Shades the hexagons of a panel by the weight of the points (pixels) in each; the square root of it, so that few
/// points are seen beside many.
pub(crate) fn draw(canvas: &mut Canvas, rect: &Rect, points: impl Iterator<Item = (Point, f64)>) {
    let (dx, dy) = (3f64.sqrt() * RADIUS, 1.5 * RADIUS);
    let mut counts: BTreeMap<(i64, i64), f64> = BTreeMap::new();
    for ((x, y), weight) in points.filter(|(p, w)| rect.contains(*p, 0.0) && *w > 0.0) {
        let row = ((y - rect.y) / dy).floor() as i64;
        // The nearer of the two centres around.
        let near = [row, row + 1].map(|j| {
            let shift = if j % 2 == 0 { 0.0 } else { 0.5 };
            let i = ((x - rect.x) / dx - shift).round();
            let centre = (rect.x + (i + shift) * dx, rect.y + j as f64 * dy);
            ((i as i64, j), (x - centre.0).hypot(y - centre.1))
        });
        let place = if near[0].1 <= near[1].1 { near[0].0 } else { near[1].0 };
        *counts.entry(place).or_default() += weight;
    }
    let most = counts.values().copied().fold(0.0, f64::max);
    let mut shades: Vec<Vec<Vec<Point>>> = vec![Vec::new(); SHADES];
    for ((i, j), count) in counts {
        let shift = if j % 2 == 0 { 0.0 } else { 0.5 };
        let centre = (rect.x + (i as f64 + shift) * dx, rect.y + j as f64 * dy);
        // A corner points upwards. What lies outside the frame is moved onto it.
        let corner = |k: u32| {
            let (s, c) = (f64::from(k) * std::f64::consts::PI / 3.0).sin_cos();
            let (x, y) = (centre.0 + RADIUS * s, centre.1 + RADIUS * c);
            (x.clamp(rect.x, rect.right()), y.clamp(rect.y, rect.bottom()))
        };
        let shade = ((count / most).sqrt() * SHADES as f64) as usize;
        shades[shade.min(SHADES - 1)].push((0..6).map(corner).collect());
    }
    for (k, list) in shades.iter().enumerate() {
        canvas.polygons(list, palettes::density(0.12 + 0.83 * (k as f64 + 0.5) / SHADES as f64));
    }
}
