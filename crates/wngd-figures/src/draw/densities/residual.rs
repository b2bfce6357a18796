//! Residuals of densities: their colours, and lines that show the sign without colour.

use crate::axes::{Panel, Range, extent};
use crate::canvas::{BLACK, Canvas, Rgb, Stroke};
use crate::cells::Grid;
use crate::field::contour;
use crate::palettes;

/// The caption of the residual's colour bar.
pub(super) const RESIDUAL: &str = "residual";
/// More level lines than this are noise.
const MOST_LINES: usize = 12;

/// Fit less data.
pub(super) fn difference(fit: &[f64], data: &[f64]) -> Vec<f64> {
    fit.iter().zip(data).map(|(f, d)| f - d).collect()
}

/// A symmetric colour range for residuals.
pub(super) fn residual_scale(grid: &Grid) -> Range {
    let (lo, hi) = extent(grid.values.iter().copied()).unwrap_or((-1.0, 1.0));
    let m = lo.abs().max(hi.abs());
    if m > 0.0 { Range::linear(-m, m) } else { Range::linear(-1.0, 1.0) }
}

/// [`palettes::diverging`] over `0 ..= 1`.
pub(super) fn diverging(t: f64) -> Rgb {
    palettes::diverging(2.0 * t - 1.0)
}

/// Draws the level lines at half the largest residual, dashed where it is
/// negative, so that the sign can be read without colour; returns them for
/// the colour bar. A noisy residual has none.
pub(super) fn sign_lines(grid: &Grid, canvas: &mut Canvas, panel: &Panel, largest: f64) -> Vec<(f64, Stroke)> {
    let middles = |k: usize| -> Vec<f64> { grid.edges[k].windows(2).map(|w| (w[0] + w[1]) / 2.0).collect() };
    // The contour routine wants the first axis fastest.
    let z: Vec<f64> =
        (0..grid.cells[1]).flat_map(|j| (0..grid.cells[0]).map(move |i| grid.values[i * grid.cells[1] + j])).collect();
    let (x, y) = (middles(0), middles(1));
    let mut marks = Vec::new();
    for (part, dash) in [(0.5, &[][..]), (-0.5, &[3.0, 2.5][..])] {
        let stroke = Stroke { color: BLACK, width: 0.8, dash };
        let lines = contour(&x, &y, &z, part * largest);
        if lines.is_empty() || lines.len() > MOST_LINES {
            continue;
        }
        for line in &lines {
            panel.curve(canvas, line, &stroke);
        }
        marks.push((part * largest, stroke));
    }
    marks
}
