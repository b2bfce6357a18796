//! Covariances of equations and what makes them unit.

use wngd_linalg::LinalgError;
use wngd_linalg::dense::symmetric_eigen;
use wngd_linalg::faer::Mat;

use super::design::Design;

/// Directions of the correlation matrix below this share of the largest are rounding and left out.
const ROUNDING: f64 = 1e-10;

/// X with X Ω Xᵀ = 1 on the equations that count.
#[derive(Debug, Clone)]
pub(super) struct Whitener {
    rows: Mat<f64>,
    /// Draws that Ω comes from.
    pub(super) draws: f64,
}

impl Whitener {
    /// Of the mean over all blocks of the combination A c (the last entry of c belongs to g).
    pub(super) fn of(design: &Design, combination: &[f64]) -> Result<Self, LinalgError> {
        let values = combined(design, combination);
        let (count, q) = (values.len() as f64, design.equations);
        let mut mean = vec![0.0; q];
        values.iter().for_each(|row| mean.iter_mut().zip(row).for_each(|(m, v)| *m += v / count));
        let deviations: Vec<f64> = (0..q)
            .map(|e| (values.iter().map(|row| (row[e] - mean[e]).powi(2)).sum::<f64>() / (count - 1.0)).sqrt())
            .collect();
        // Equations that vanish in every block say nothing.
        let used: Vec<usize> = (0..q).filter(|e| deviations[*e] > 0.0).collect();
        let scores =
            Mat::from_fn(values.len(), used.len(), |b, k| (values[b][used[k]] - mean[used[k]]) / deviations[used[k]]);
        let mut correlation = wngd_linalg::dense::gram(scores.as_ref());
        for k in 0..used.len() {
            for l in 0..used.len() {
                correlation[(k, l)] /= count - 1.0;
            }
        }
        let (eigenvalues, vectors) = symmetric_eigen(correlation.as_ref())?;
        let largest = eigenvalues.last().copied().unwrap_or(0.0);
        let kept: Vec<usize> = (0..eigenvalues.len()).filter(|k| eigenvalues[*k] > ROUNDING * largest).collect();
        let mut rows = Mat::zeros(kept.len(), q);
        for (r, &k) in kept.iter().enumerate() {
            let scale = (count / eigenvalues[k]).sqrt();
            for (l, &e) in used.iter().enumerate() {
                rows[(r, e)] = scale * vectors[(l, k)] / deviations[e];
            }
        }
        Ok(Self { rows, draws: count })
    }

    /// 1/size of each equation: weights before anything is known of their covariance.
    pub(super) fn by_size(design: &Design, scale: &[f64]) -> Self {
        let (q, width) = (design.equations, design.parameters + 1);
        let mut squares = vec![0.0; q];
        for row in design.blocks.iter().flat_map(|block| block.chunks_exact(width).enumerate()) {
            let (equation, values) = row;
            let sizes = values.iter().zip(scale.iter().chain(std::iter::once(&1.0)));
            squares[equation] += sizes.map(|(v, s)| (v * s).powi(2)).sum::<f64>();
        }
        let count = design.blocks.len() as f64;
        let mut rows = Mat::zeros(q, q);
        for e in 0..q {
            rows[(e, e)] = if squares[e] > 0.0 { (count / squares[e]).sqrt() } else { 0.0 };
        }
        Self { rows, draws: count }
    }

    /// Equations that count.
    pub(super) fn rank(&self) -> usize {
        self.rows.nrows()
    }

    /// X times a vector over the equations.
    pub(super) fn apply(&self, vector: impl Fn(usize) -> f64) -> Vec<f64> {
        let values: Vec<f64> = (0..self.rows.ncols()).map(vector).collect();
        (0..self.rows.nrows()).map(|r| values.iter().enumerate().map(|(e, v)| self.rows[(r, e)] * v).sum()).collect()
    }
}

/// A c per block and equation.
pub(super) fn combined(design: &Design, combination: &[f64]) -> Vec<Vec<f64>> {
    let rows = |block: &Vec<f64>| {
        let row = |row: &[f64]| row.iter().zip(combination).map(|(v, c)| v * c).sum();
        block.chunks_exact(design.parameters + 1).map(row).collect()
    };
    design.blocks.iter().map(rows).collect()
}

/// The combination that is g itself.
pub(super) fn residual(parameters: usize) -> Vec<f64> {
    let mut combination = vec![0.0; parameters + 1];
    combination[parameters] = 1.0;
    combination
}
