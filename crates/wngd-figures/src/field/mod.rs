//! A function on a lattice: refinement, colours, contour lines, and hatching
//! where it has no value.

use std::collections::HashMap;

use super::axes::{Panel, Range, extent};
use super::canvas::{Canvas, Point, Rect, Stroke, clip_segment, simplify};
use super::color::Rgb;
use super::error::FigureError;
use super::style::{self, CONTOUR, HATCH, OUTSIDE};

/// The lattice is refined until it has about this many nodes per axis, so that
/// contour lines are smooth.
const FINE: usize = 200;
/// Finer lattices are thinned: no more can be seen.
const FINEST: usize = 400;
/// Steps of the colour map.
const SHADES: usize = 48;

/// A function ready to be drawn; `z` is the value or its decimal logarithm.
pub(super) struct Field {
    x: Vec<f64>,
    y: Vec<f64>,
    z: Vec<f64>,
    z_lo: f64,
    z_hi: f64,
    /// Below this, logarithms are cut off.
    z_floor: f64,
    levels: Vec<f64>,
    log: bool,
    /// Whether some part has no value.
    pub has_gaps: bool,
}

/// A function over a window, as figures draw it.
#[derive(Clone, Debug)]
pub struct Relief {
    /// First and last coordinate of the equidistant columns.
    pub x: [f64; 2],
    /// First and last coordinate of the equidistant rows.
    pub y: [f64; 2],
    /// Number of columns.
    pub columns: usize,
    /// The value at each node, row by row; NaN outside the domain.
    pub z: Vec<f64>,
    /// Values with the first and the last colour.
    pub range: [f64; 2],
    /// Level lines.
    pub levels: Vec<f64>,
    /// Whether all values are decimal logarithms.
    pub log: bool,
}

impl Field {
    /// Checks values `v[iy * x.len() + ix]` on a lattice and prepares them; `prefix` leads the names of fields in errors.
    pub fn new(x: &[f64], y: &[f64], values: &[f64], prefix: &str) -> Result<Self, FigureError> {
        let (nx, ny) = (x.len(), y.len());
        for (name, v) in [("x", x), ("y", y)] {
            if v.len() < 2 {
                return Err(FigureError::shape(
                    format!("{prefix}{name}"),
                    format!("has {} points; a map needs at least 2", v.len()),
                ));
            }
            if !v.windows(2).all(|w| w[0] < w[1] && w[0].is_finite() && w[1].is_finite()) {
                return Err(FigureError::shape(format!("{prefix}{name}"), "is not strictly increasing and finite"));
            }
        }
        if nx.checked_mul(ny) != Some(values.len()) {
            return Err(FigureError::shape(
                format!("{prefix}values"),
                format!("has {} entries for a lattice of {nx} by {ny}", values.len()),
            ));
        }
        let Some((lo, hi)) = extent(values.iter().copied()) else {
            return Err(FigureError::shape(format!("{prefix}values"), "holds no finite number"));
        };
        let least = values.iter().copied().filter(|v| v.is_finite() && *v > 0.0).fold(f64::INFINITY, f64::min);
        // Logarithmic for a non-negative function that spans more than a factor of 30.
        let log = lo >= 0.0 && least.is_finite() && hi / least > 30.0;
        let z: Vec<f64> = values
            .iter()
            .map(|v| match (v.is_finite(), log) {
                (false, _) => f64::NAN,
                (true, false) => *v,
                // A zero of the objective on a node: just below all the others.
                (true, true) => v.max(0.1 * least).max(f64::MIN_POSITIVE).log10(),
            })
            .collect();
        let (mut z_lo, z_hi) = extent(z.iter().copied()).unwrap_or((0.0, 1.0));
        if log {
            // One node that happens to hit the minimum must not use up the map.
            let mut sorted: Vec<f64> = z.iter().copied().filter(|v| v.is_finite()).collect();
            sorted.sort_by(f64::total_cmp);
            let low = sorted.get(sorted.len() / 20).copied().unwrap_or(z_lo);
            z_lo = z_lo.max(low - 1.5);
        }
        // A constant function still gets a map, of one colour.
        let safe = Range::linear(z_lo, z_hi);
        let levels = if z_hi > z_lo { levels(safe.lo, safe.hi, log) } else { Vec::new() };
        let (x, y, z) = resample(x, y, &z);
        let has_gaps = z.iter().any(|v| v.is_nan());
        Ok(Self { x, y, z, z_lo: safe.lo, z_hi: safe.hi, z_floor: safe.lo, levels, log, has_gaps })
    }

    /// The window the lattice spans.
    pub fn window(&self) -> (Range, Range) {
        let range = |v: &[f64]| match (v.first(), v.last()) {
            (Some(a), Some(b)) => Range::linear(*a, *b),
            _ => Range::linear(0.0, 1.0),
        };
        (range(&self.x), range(&self.y))
    }

    /// Spreads colours and levels over the values inside a smaller window.
    pub fn focus(&mut self, x: &Range, y: &Range) {
        let nx = self.x.len();
        let inside = |r: &Range, v: f64| v >= r.lo && v <= r.hi;
        let seen = self
            .z
            .iter()
            .enumerate()
            .filter_map(|(n, z)| (inside(x, self.x[n % nx]) && inside(y, self.y[n / nx])).then_some(*z));
        if let Some((lo, hi)) = extent(seen).filter(|(lo, hi)| lo < hi) {
            (self.z_lo, self.z_hi) = (lo.max(self.z_floor).min(hi), hi);
            self.levels = levels(self.z_lo, self.z_hi, self.log);
        }
    }

    /// The range of the colour bar, in values.
    pub fn value_range(&self) -> Range {
        if self.log {
            Range { lo: 10f64.powf(self.z_lo), hi: 10f64.powf(self.z_hi), log: true, whole: false }
        } else {
            Range { lo: self.z_lo, hi: self.z_hi, log: false, whole: false }
        }
    }

    /// The contour levels, in values.
    pub fn value_levels(&self) -> Vec<f64> {
        let f = |z: &f64| if self.log { 10f64.powf(*z) } else { *z };
        self.levels.iter().map(f).collect()
    }

    /// The refined lattice with its colours and levels, for drawing elsewhere.
    pub fn relief(&self) -> Relief {
        let ends = |v: &[f64]| [v[0], v[v.len() - 1]];
        Relief {
            x: ends(&self.x),
            y: ends(&self.y),
            columns: self.x.len(),
            z: self.z.clone(),
            range: [self.z_lo, self.z_hi],
            levels: self.levels.clone(),
            log: self.log,
        }
    }

    /// Draws the map, the hatching and the contour lines.
    pub fn draw(&self, canvas: &mut Canvas, panel: &Panel) {
        let r = panel.rect;
        let (nx, ny) = ((r.w / 2.0).ceil() as usize, (r.h / 2.0).ceil() as usize);
        let columns: Vec<f64> = (0..=nx).map(|i| (r.x + 2.0 * i as f64).min(r.right())).collect();
        let rows: Vec<f64> = (0..=ny).map(|j| (r.y + 2.0 * j as f64).min(r.bottom())).collect();
        let mut palette: Vec<Rgb> = (0..SHADES).map(|i| style::light((i as f64 + 0.5) / SHADES as f64)).collect();
        palette.push(OUTSIDE);
        canvas.cells(&columns, &rows, &palette, |i, j| {
            let p = ((columns[i] + columns[i + 1]) / 2.0, (rows[j] + rows[j + 1]) / 2.0);
            Some(match self.at_pixel(panel, p) {
                Some(z) => {
                    let t = ((z - self.z_lo) / (self.z_hi - self.z_lo)).clamp(0.0, 1.0);
                    ((t * SHADES as f64) as usize).min(SHADES - 1)
                }
                None => SHADES,
            })
        });
        if self.has_gaps {
            hatch(canvas, &r, |p| self.at_pixel(panel, p).is_none());
        }
        let pen = Stroke::solid(CONTOUR, 0.75);
        for level in &self.levels {
            let mut lines = Vec::new();
            for line in contour(&self.x, &self.y, &self.z, *level) {
                let px: Vec<Point> = line.iter().map(|p| panel.at(p.0, p.1)).collect();
                lines.extend(super::canvas::clip_polyline(&r, &simplify(px)));
            }
            canvas.segments(&lines, &pen);
        }
    }

    /// The interpolated value at a pixel.
    fn at_pixel(&self, panel: &Panel, p: Point) -> Option<f64> {
        let x = panel.x.lo + (p.0 - panel.rect.x) / panel.rect.w * (panel.x.hi - panel.x.lo);
        let y = panel.y.lo + (panel.rect.bottom() - p.1) / panel.rect.h * (panel.y.hi - panel.y.lo);
        let (i, s) = locate(&self.x, x)?;
        let (j, t) = locate(&self.y, y)?;
        let nx = self.x.len();
        let v = |i: usize, j: usize| self.z[j * nx + i];
        let z =
            (1.0 - t) * ((1.0 - s) * v(i, j) + s * v(i + 1, j)) + t * ((1.0 - s) * v(i, j + 1) + s * v(i + 1, j + 1));
        z.is_finite().then_some(z)
    }
}

/// The cell of a sorted axis that holds `v`, and the place inside it.
fn locate(axis: &[f64], v: f64) -> Option<(usize, f64)> {
    let (first, last) = (*axis.first()?, *axis.last()?);
    if !(first..=last).contains(&v) {
        return None;
    }
    let i = axis.partition_point(|a| *a <= v).clamp(1, axis.len() - 1) - 1;
    Some((i, (v - axis[i]) / (axis[i + 1] - axis[i])))
}

/// About a dozen round levels strictly inside the range.
fn levels(lo: f64, hi: f64, log: bool) -> Vec<f64> {
    let raw = (hi - lo) / 13.0;
    let unit = 10f64.powf(raw.log10().floor());
    // In a logarithm, halves and quarters of a decade read better.
    let steps: &[f64] = if log { &[1.0, 2.5, 5.0, 10.0] } else { &[1.0, 2.0, 5.0, 10.0] };
    let step = steps.iter().map(|m| m * unit).find(|s| *s >= raw).unwrap_or(10.0 * unit);
    let first = (lo / step).floor();
    (0..64).map(|k| (first + f64::from(k)) * step).filter(|v| *v > lo + 1e-9 * step && *v < hi - 1e-9 * step).collect()
}

/// The lattice with about [`FINE`] nodes per axis: cubic where the
/// neighbourhood is complete, bilinear near gaps.
fn resample(x: &[f64], y: &[f64], z: &[f64]) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let (fx, fy) = (fractions(x.len()), fractions(y.len()));
    let axis = |a: &[f64], f: &[f64]| -> Vec<f64> {
        f.iter()
            .map(|v| {
                let i = (v.floor() as usize).min(a.len() - 2);
                a[i] + (v - i as f64) * (a[i + 1] - a[i])
            })
            .collect()
    };
    let nx = x.len();
    let (mx, my) = (nx as isize - 1, y.len() as isize - 1);
    // One node beyond the border is continued linearly.
    let node = |i: isize, j: isize| -> f64 {
        let inside = |i: isize, j: isize| z[j as usize * nx + i as usize];
        let row = |j: isize| {
            if i < 0 {
                2.0 * inside(0, j) - inside(1, j)
            } else if i > mx {
                2.0 * inside(mx, j) - inside(mx - 1, j)
            } else {
                inside(i, j)
            }
        };
        if j < 0 {
            2.0 * row(0) - row(1)
        } else if j > my {
            2.0 * row(my) - row(my - 1)
        } else {
            row(j)
        }
    };
    let mut out = Vec::with_capacity(fx.len() * fy.len());
    for v in &fy {
        let j = (v.floor() as isize).min(my - 1);
        let t = v - j as f64;
        for u in &fx {
            let i = (u.floor() as isize).min(mx - 1);
            let s = u - i as f64;
            let (ws, wt) = (catmull_rom(s), catmull_rom(t));
            let mut sum = 0.0;
            for (b, wt) in (-1..3).zip(wt) {
                for (a, ws) in (-1..3).zip(ws) {
                    // A zero weight must not let a gap spread.
                    if ws != 0.0 && wt != 0.0 {
                        sum += ws * wt * node(i + a, j + b);
                    }
                }
            }
            if !sum.is_finite() {
                sum = 0.0;
                for (b, wt) in [(0, 1.0 - t), (1, t)] {
                    for (a, ws) in [(0, 1.0 - s), (1, s)] {
                        if ws != 0.0 && wt != 0.0 {
                            sum += ws * wt * node(i + a, j + b);
                        }
                    }
                }
            }
            out.push(sum);
        }
    }
    (axis(x, &fx), axis(y, &fy), out)
}

/// Node positions of the refined (or thinned) axis, in units of the old nodes.
fn fractions(n: usize) -> Vec<f64> {
    let cells = n - 1;
    let m = if cells > FINEST { FINEST } else { cells * FINE.div_ceil(cells).max(1) };
    (0..=m).map(|k| cells as f64 * k as f64 / m as f64).collect()
}

fn catmull_rom(t: f64) -> [f64; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [0.5 * (-t + 2.0 * t2 - t3), 0.5 * (2.0 - 5.0 * t2 + 3.0 * t3), 0.5 * (t + 4.0 * t2 - 3.0 * t3), 0.5 * (t3 - t2)]
}

/// The level lines of a lattice function (marching squares), joined into
/// polylines. Cells with a gap at a corner are skipped.
pub(super) fn contour(x: &[f64], y: &[f64], z: &[f64], level: f64) -> Vec<Vec<Point>> {
    let nx = x.len();
    // An edge is named by its lower or left node and its direction.
    let key = |i: usize, j: usize, vertical: bool| 2 * (j * nx + i) + usize::from(vertical);
    let mut points: HashMap<usize, Point> = HashMap::new();
    let mut links: HashMap<usize, [Option<usize>; 2]> = HashMap::new();
    let mut order: Vec<usize> = Vec::new();
    for j in 0..y.len().saturating_sub(1) {
        for i in 0..nx - 1 {
            let v = [z[j * nx + i], z[j * nx + i + 1], z[(j + 1) * nx + i + 1], z[(j + 1) * nx + i]];
            if v.iter().any(|v| !v.is_finite()) {
                continue;
            }
            let mut crossed: Vec<usize> = Vec::with_capacity(4);
            let corner = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)];
            for e in 0..4 {
                let (a, b) = (v[e], v[(e + 1) % 4]);
                if (a >= level) == (b >= level) {
                    continue;
                }
                let t = (level - a) / (b - a);
                let (p, q) = (corner[e], corner[(e + 1) % 4]);
                let at = (x[p.0] + t * (x[q.0] - x[p.0]), y[p.1] + t * (y[q.1] - y[p.1]));
                let k = match e {
                    0 => key(i, j, false),
                    1 => key(i + 1, j, true),
                    2 => key(i, j + 1, false),
                    _ => key(i, j, true),
                };
                points.insert(k, at);
                crossed.push(k);
            }
            let pairs: &[(usize, usize)] = match crossed.len() {
                2 => &[(0, 1)],
                // A saddle: the centre decides which corners are joined.
                4 if (v.iter().sum::<f64>() / 4.0 >= level) == (v[0] >= level) => &[(0, 1), (2, 3)],
                4 => &[(3, 0), (1, 2)],
                _ => &[],
            };
            for (a, b) in pairs {
                let (a, b) = (crossed[*a], crossed[*b]);
                for (from, to) in [(a, b), (b, a)] {
                    let slot = links.entry(from).or_insert([None; 2]);
                    if slot[0].is_none() {
                        slot[0] = Some(to);
                    } else {
                        slot[1] = Some(to);
                    }
                    order.push(from);
                }
            }
        }
    }
    // Open lines first, from an end; what is left are loops.
    let ends: Vec<usize> = order.iter().copied().filter(|k| links.get(k).is_some_and(|l| l[1].is_none())).collect();
    let mut used: HashMap<usize, bool> = HashMap::new();
    let mut lines = Vec::new();
    for start in ends.into_iter().chain(order) {
        if used.contains_key(&start) {
            continue;
        }
        let mut line = Vec::new();
        let mut at = Some(start);
        let mut last = start;
        while let Some(k) = at {
            used.insert(k, true);
            last = k;
            line.extend(points.get(&k).copied());
            at = links.get(&k).and_then(|l| l.iter().flatten().copied().find(|n| !used.contains_key(n)));
        }
        let closes = links.get(&last).is_some_and(|l| l.contains(&Some(start)));
        if closes && line.len() > 2 {
            line.push(line[0]);
        }
        lines.push(line);
    }
    lines
}

/// Diagonal lines over the part of `r` where `blank` holds.
pub(super) fn hatch(canvas: &mut Canvas, r: &Rect, blank: impl Fn(Point) -> bool) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_line_of_a_paraboloid_is_one_circle() {
        let n = 41;
        let x: Vec<f64> = (0..n).map(|i| -1.0 + f64::from(i) / 20.0).collect();
        let z: Vec<f64> = x.iter().flat_map(|y| x.iter().map(move |x| x * x + y * y)).collect();
        let lines = contour(&x, &x, &z, 0.5);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].first(), lines[0].last());
        for p in &lines[0] {
            assert!((p.0.hypot(p.1) - 0.5f64.sqrt()).abs() < 2e-3);
        }
        // One that leaves the lattice is cut into four arcs.
        assert_eq!(contour(&x, &x, &z, 1.5).len(), 4);
    }

    #[test]
    fn refinement_keeps_nodes_and_gaps() {
        let x = [0.0, 1.0, 2.0, 3.0];
        let z: Vec<f64> = (0..16).map(|k| if k == 5 { f64::NAN } else { f64::from(k) }).collect();
        let (fx, fy, fz) = resample(&x, &x, &z);
        let step = (fx.len() - 1) / 3;
        for j in 0..4 {
            for i in 0..4 {
                let v = fz[j * step * fx.len() + i * step];
                assert!(if j * 4 + i == 5 { v.is_nan() } else { (v - (j * 4 + i) as f64).abs() < 1e-12 });
            }
        }
        assert_eq!(fz.len(), fx.len() * fy.len());
    }
}
