//! Densities on grids of equal cells.

use crate::axes::{Panel, Range, extent};
use crate::canvas::{Canvas, OUTSIDE, Rgb};
use crate::error::FigureError;

/// At most this many cells per axis are drawn.
const MOST_CELLS: usize = 128;
/// Steps of a colour map; odd, so that a residual of zero is exactly white.
const SHADES: usize = 65;

/// One axis of a grid of equal cells.
#[derive(Clone, Debug, Default)]
pub struct Axis {
    /// The coordinate's name.
    pub name: String,
    /// The lower end of the first cell.
    pub lower: f64,
    /// The upper end of the last cell.
    pub upper: f64,
    /// The number of cells.
    pub cells: usize,
}

/// The integral of a density over all axes but `keep`, those two in order.
pub fn marginal(axes: &[Axis], values: &[f64], keep: [usize; 2]) -> Vec<f64> {
    let cells = [axes[keep[0]].cells, axes[keep[1]].cells];
    let mut out = vec![0.0; cells[0] * cells[1]];
    let volume: f64 = axes
        .iter()
        .enumerate()
        .filter(|(k, _)| !keep.contains(k))
        .map(|(_, a)| (a.upper - a.lower) / a.cells as f64)
        .product();
    let mut strides = vec![1usize; axes.len()];
    for k in (0..axes.len() - 1).rev() {
        strides[k] = strides[k + 1] * axes[k + 1].cells;
    }
    for (n, v) in values.iter().enumerate() {
        let [i, j] = keep.map(|k| n / strides[k] % axes[k].cells);
        out[i * cells[1] + j] += v * volume;
    }
    out
}

/// Whether axes are axes, and every list has a value per cell.
pub(crate) fn check(axes: &[Axis], lists: &[(&str, &[f64])]) -> Result<(), FigureError> {
    if axes.is_empty() {
        return Err(FigureError::shape("axes", "is empty"));
    }
    let mut size = 1usize;
    for (k, a) in axes.iter().enumerate() {
        if a.cells == 0 {
            return Err(FigureError::shape(format!("axes[{k}].cells"), "is zero"));
        }
        if !(a.lower.is_finite() && a.upper.is_finite() && a.lower < a.upper) {
            return Err(FigureError::shape(format!("axes[{k}]"), format!("runs from {} to {}", a.lower, a.upper)));
        }
        size = size.checked_mul(a.cells).ok_or_else(|| FigureError::shape("axes", "has too many cells"))?;
    }
    for (name, values) in lists {
        if values.len() != size {
            return Err(FigureError::shape(*name, format!("has {} entries for {size} cells", values.len())));
        }
    }
    Ok(())
}

/// The integral of a density over all axes but one.
pub(crate) fn marginal_of_one(axes: &[Axis], values: &[f64], keep: usize) -> Vec<f64> {
    let volume: f64 = (0..axes.len())
        .filter(|k| *k != keep)
        .map(|k| (axes[k].upper - axes[k].lower) / axes[k].cells as f64)
        .product();
    let stride: usize = axes[keep + 1..].iter().map(|a| a.cells).product();
    let mut out = vec![0.0; axes[keep].cells];
    for (n, v) in values.iter().enumerate() {
        out[n / stride % axes[keep].cells] += v * volume;
    }
    out
}

/// Cell values with two physical axes, axis 1 fastest.
pub(crate) struct Grid<'a> {
    pub axes: [&'a Axis; 2],
    pub cells: [usize; 2],
    /// Cell boundaries.
    pub edges: [Vec<f64>; 2],
    pub values: Vec<f64>,
}

impl<'a> Grid<'a> {
    /// Averages blocks of cells until at most [`MOST_CELLS`] per axis remain.
    pub fn new(axes: [&'a Axis; 2], values: &[f64]) -> Self {
        let block = axes.map(|a| a.cells.div_ceil(MOST_CELLS));
        let cells = [0, 1].map(|k| axes[k].cells.div_ceil(block[k]));
        let edges = [0, 1].map(|k| {
            let a = axes[k];
            (0..=cells[k])
                .map(|i| {
                    let at = (i * block[k]).min(a.cells) as f64 / a.cells as f64;
                    a.lower + (a.upper - a.lower) * at
                })
                .collect::<Vec<f64>>()
        });
        let mut out = Vec::with_capacity(cells[0] * cells[1]);
        for i in 0..cells[0] {
            for j in 0..cells[1] {
                let (mut sum, mut n) = (0.0, 0u32);
                for a in i * block[0]..((i + 1) * block[0]).min(axes[0].cells) {
                    for b in j * block[1]..((j + 1) * block[1]).min(axes[1].cells) {
                        let v = values[a * axes[1].cells + b];
                        if v.is_finite() {
                            sum += v;
                            n += 1;
                        }
                    }
                }
                out.push(if n > 0 { sum / f64::from(n) } else { f64::NAN });
            }
        }
        Self { axes, cells, edges, values: out }
    }

    pub fn ranges(&self) -> (Range, Range) {
        let r = |a: &Axis| Range::linear(a.lower, a.upper);
        (r(self.axes[0]), r(self.axes[1]))
    }

    /// Fills a panel with the cells.
    pub fn draw(&self, canvas: &mut Canvas, panel: &Panel, scale: &Range, color: &dyn Fn(f64) -> Rgb) {
        // Cells beyond the frame get no width.
        let r = panel.rect;
        let across = |v: &f64| panel.at(*v, panel.y.lo).0.clamp(r.x, r.right());
        let upwards = |v: &f64| panel.at(panel.x.lo, *v).1.clamp(r.y, r.bottom());
        let columns: Vec<f64> = self.edges[0].iter().map(across).collect();
        let rows: Vec<f64> = self.edges[1].iter().map(upwards).collect();
        let mut palette: Vec<Rgb> = (0..SHADES).map(|i| color((i as f64 + 0.5) / SHADES as f64)).collect();
        palette.push(OUTSIDE);
        canvas.cells(&columns, &rows, &palette, |i, j| {
            let v = self.values[i * self.cells[1] + j];
            Some(if v.is_finite() {
                ((scale.unit(v).clamp(0.0, 1.0) * SHADES as f64) as usize).min(SHADES - 1)
            } else {
                SHADES
            })
        });
    }
}

/// The colour range of densities: from zero up to the largest of both.
pub(crate) fn density_scale(grids: &[Grid]) -> Range {
    let (lo, hi) = extent(grids.iter().flat_map(|g| g.values.iter().copied())).unwrap_or((0.0, 1.0));
    Range::linear(lo.min(0.0), hi.max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(cells: usize) -> Axis {
        Axis { name: "x".into(), lower: 0.0, upper: 1.0, cells }
    }

    #[test]
    fn a_marginal_integrates_the_other_axis() {
        let axes = [axis(2), axis(3), axis(4)];
        let values: Vec<f64> = (0..24).map(f64::from).collect();
        let m = marginal(&axes, &values, [0, 2]);
        for i in 0..2 {
            for k in 0..4 {
                let direct: f64 = (0..3).map(|j| values[i * 12 + j * 4 + k] / 3.0).sum();
                assert!((m[i * 4 + k] - direct).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn block_means_keep_the_mean() {
        let a = axis(300);
        let values: Vec<f64> = (0..90_000).map(|k| f64::from(k % 7)).collect();
        let g = Grid::new([&a, &a], &values);
        assert_eq!(g.cells, [100, 100]);
        let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
        assert!((mean(&g.values) - mean(&values)).abs() < 1e-9);
    }
}
