//! A function on a lattice: refinement, colours, contour lines, and hatching
//! where it has no value.

mod contour;
mod hatch;
mod resample;

use crate::axes::{Panel, Range, extent};
use crate::canvas::{CONTOUR, Canvas, OUTSIDE, Point, Rgb, Stroke, clip_polyline, simplify};
use crate::error::FigureError;
use crate::palettes;
pub(crate) use contour::contour;
pub(crate) use hatch::hatch;
use resample::resample;

/// Steps of the colour map.
const SHADES: usize = 48;

/// A function ready to be drawn; `z` is the value or its decimal logarithm.
pub(crate) struct Field {
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
        let mut palette: Vec<Rgb> = (0..SHADES).map(|i| palettes::light((i as f64 + 0.5) / SHADES as f64)).collect();
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
                lines.extend(clip_polyline(&r, &simplify(px)));
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
