use thiserror::Error;
use wngd_linalg::Grid;

use crate::smoothing::{GaussianSmoothing, WidthError};

/// How samples become a density on a grid.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Estimate {
    /// Share of the samples in each cell, divided by the cell volume.
    Histogram,
    /// The histogram smoothed by a Gaussian of the given standard deviation per
    /// axis; `None` chooses σᵢ N^{−1/(d+4)} (Scott's rule).
    Kernel {
        /// Standard deviation of the kernel per axis, in the units of the axis.
        bandwidth: Option<Vec<f64>>,
    },
}

/// A density observed from samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// Density at the cell centres (k), of total mass 1 inside the box.
    pub density: Vec<f64>,
    /// Samples inside the box.
    pub inside: usize,
    /// Samples outside the box, not counted in the density.
    pub outside: usize,
    /// Equally weighted samples that scatter as much as those inside: (Σw)²/Σw².
    pub effective: f64,
    /// Kernel standard deviations used, empty for a histogram.
    pub bandwidth: Vec<f64>,
}

/// What can be wrong with samples.
#[derive(Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum ObserveError {
    /// There is no sample.
    #[error("there are no samples; give at least one row")]
    Empty,
    /// A sample has the wrong number of coordinates.
    #[error("sample {row} has {found} coordinates, the grid has {expected} axes; name as many columns as axes")]
    Dimension {
        /// Row number, from 0.
        row: usize,
        /// Grid axes.
        expected: usize,
        /// Coordinates found.
        found: usize,
    },
    /// A coordinate is NaN or infinite.
    #[error("sample {row}, coordinate {axis} is {value}; remove the row or repair it")]
    NotFinite {
        /// Row number, from 0.
        row: usize,
        /// Axis.
        axis: usize,
        /// The value.
        value: f64,
    },
    /// A weight is negative or not finite.
    #[error(
        "the weight of sample {row} is {value}; weights are finite and >= 0: remove the row, or bin signed weights into a histogram"
    )]
    Weight {
        /// Row number, from 0.
        row: usize,
        /// The weight.
        value: f64,
    },
    /// There is another number of weights than of samples.
    #[error("{weights} weights for {samples} samples; give one weight per sample")]
    Weights {
        /// Number of weights.
        weights: usize,
        /// Number of samples.
        samples: usize,
    },
    /// No sample lies in the box.
    #[error("none of the {total} samples lies in the grid's box; widen the box or check the columns")]
    AllOutside {
        /// Number of samples.
        total: usize,
    },
    /// A bandwidth is not usable.
    #[error("bandwidth {value} for axis {axis}: a positive finite number is needed")]
    Bandwidth {
        /// Axis.
        axis: usize,
        /// Bandwidth given or chosen.
        value: f64,
    },
}

/// The density of samples on a grid.
///
/// # Shapes
/// `samples`: N rows of d coordinates; result: k cells in row-major order.
///
/// # Errors
/// No samples, wrong number of coordinates, NaN, no sample inside the box, unusable bandwidth.
///
/// # Example
/// ```
/// use wngd_linalg::Grid;
/// use wngd_models::{Estimate, density_of_samples};
/// let grid = Grid::new(&[0.0], &[1.0], &[2])?;
/// let seen = density_of_samples(&grid, &[vec![0.1], vec![0.2], vec![0.9], vec![7.0]], &Estimate::Histogram)?;
/// assert_eq!(seen.outside, 1);
/// assert!((seen.density[0] - 4.0 / 3.0).abs() < 1e-15);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn density_of_samples(grid: &Grid, samples: &[Vec<f64>], estimate: &Estimate) -> Result<Observation, ObserveError> {
    density_of_weighted_samples(grid, samples, None, estimate)
}

/// The density of samples of unequal weights on a grid.
///
/// # Shapes
/// `samples`: N rows of d coordinates; `weights`: N, all 1 if absent; result: k cells in row-major order.
///
/// # Errors
/// As [`density_of_samples`], weights that are negative or not finite, or not as many as samples.
///
/// # Example
/// ```
/// use wngd_linalg::Grid;
/// use wngd_models::{Estimate, density_of_weighted_samples};
/// let grid = Grid::new(&[0.0], &[1.0], &[2])?;
/// let seen = density_of_weighted_samples(&grid, &[vec![0.1], vec![0.9]], Some(&[3.0, 1.0]), &Estimate::Histogram)?;
/// assert!((seen.density[0] - 1.5).abs() < 1e-15 && (seen.effective - 1.6).abs() < 1e-15);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn density_of_weighted_samples(
    grid: &Grid,
    samples: &[Vec<f64>],
    weights: Option<&[f64]>,
    estimate: &Estimate,
) -> Result<Observation, ObserveError> {
    if samples.is_empty() {
        return Err(ObserveError::Empty);
    }
    if let Some(weights) = weights {
        if weights.len() != samples.len() {
            return Err(ObserveError::Weights { weights: weights.len(), samples: samples.len() });
        }
        if let Some(row) = weights.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
            return Err(ObserveError::Weight { row, value: weights[row] });
        }
    }
    // Relative to the largest, so that no square underflows.
    let top = weights.map_or(1.0, |weights| weights.iter().fold(0.0f64, |m, w| m.max(*w)));
    let weight = |row: usize| weights.map_or(1.0, |weights| weights[row] / top);
    let dim = grid.dim();
    let mut density = vec![0.0; grid.len()];
    let (mut inside, mut outside) = (0, 0);
    let (mut sum, mut squares) = (0.0, 0.0);
    for (row, sample) in samples.iter().enumerate() {
        if sample.len() != dim {
            return Err(ObserveError::Dimension { row, expected: dim, found: sample.len() });
        }
        if let Some(axis) = sample.iter().position(|v| !v.is_finite()) {
            return Err(ObserveError::NotFinite { row, axis, value: sample[axis] });
        }
        match grid.locate(sample) {
            Some(cell) => {
                density[cell] += weight(row);
                sum += weight(row);
                squares += weight(row) * weight(row);
                inside += 1;
            }
            None => outside += 1,
        }
    }
    if !(sum > 0.0) {
        return Err(ObserveError::AllOutside { total: samples.len() });
    }
    let mut bandwidth = Vec::new();
    if let Estimate::Kernel { bandwidth: given } = estimate {
        bandwidth = match given {
            Some(given) => given.clone(),
            None => scott_bandwidth(samples, weight, dim),
        };
        if let Some(axis) = bandwidth.iter().position(|b| !(b.is_finite() && *b > 0.0)) {
            return Err(ObserveError::Bandwidth { axis, value: bandwidth[axis] });
        }
        GaussianSmoothing::new(grid, &bandwidth)
            .map_err(|WidthError { axis, value }| ObserveError::Bandwidth { axis, value })?
            .apply(&mut density);
    }
    let total: f64 = density.iter().sum();
    let scale = 1.0 / (total * grid.cell_volume());
    density.iter_mut().for_each(|v| *v *= scale);
    Ok(Observation { density, inside, outside, effective: sum * sum / squares, bandwidth })
}

fn scott_bandwidth(samples: &[Vec<f64>], weight: impl Fn(usize) -> f64, dim: usize) -> Vec<f64> {
    let total = |f: &dyn Fn(usize) -> f64| (0..samples.len()).map(|row| weight(row) * f(row)).sum::<f64>();
    let sum = total(&|_| 1.0);
    let n = sum * sum / total(&weight);
    let shrink = n.powf(-1.0 / (dim as f64 + 4.0));
    (0..dim)
        .map(|axis| {
            let mean = total(&|row| samples[row][axis]) / sum;
            let variance = total(&|row| (samples[row][axis] - mean).powi(2)) / sum * n / (n - 1.0).max(1.0);
            variance.sqrt() * shrink
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_density_has_unit_mass_and_the_kernels_width() {
        let grid = Grid::new(&[-10.0, -10.0], &[10.0, 10.0], &[101, 81]).unwrap();
        let samples = vec![vec![1.0, -2.0]];
        let estimate = Estimate::Kernel { bandwidth: Some(vec![0.8, 1.5]) };
        let seen = density_of_samples(&grid, &samples, &estimate).unwrap();
        let moment = |g: &dyn Fn([f64; 3]) -> f64| -> f64 {
            (0..grid.len()).map(|i| seen.density[i] * g(grid.center(i))).sum::<f64>() * grid.cell_volume()
        };
        assert!((moment(&|_| 1.0) - 1.0).abs() < 1e-13);
        let center = grid.center(grid.locate(&samples[0]).unwrap());
        assert!((moment(&|x| (x[0] - center[0]).powi(2)) - 0.64).abs() < 1e-4);
        assert!((moment(&|x| (x[1] - center[1]).powi(2)) - 2.25).abs() < 1e-4);
    }

    #[test]
    fn a_weight_counts_as_many_equal_samples() {
        let grid = Grid::new(&[0.0], &[4.0], &[8]).unwrap();
        let (a, b) = (vec![0.7], vec![3.1]);
        for estimate in [Estimate::Histogram, Estimate::Kernel { bandwidth: Some(vec![0.5]) }] {
            let repeated = density_of_samples(&grid, &[a.clone(), a.clone(), a.clone(), b.clone()], &estimate).unwrap();
            let rows = [a.clone(), b.clone()];
            let weighted = density_of_weighted_samples(&grid, &rows, Some(&[3.0, 1.0]), &estimate).unwrap();
            for (x, y) in repeated.density.iter().zip(&weighted.density) {
                assert!((x - y).abs() < 1e-14);
            }
        }
    }

    #[test]
    fn bad_samples_are_named() {
        let grid = Grid::new(&[0.0, 0.0], &[1.0, 1.0], &[4, 4]).unwrap();
        let ask = |samples: &[Vec<f64>]| density_of_samples(&grid, samples, &Estimate::Histogram).unwrap_err();
        assert_eq!(ask(&[]), ObserveError::Empty);
        assert!(matches!(ask(&[vec![0.5, 0.5], vec![0.5]]), ObserveError::Dimension { row: 1, .. }));
        assert!(matches!(ask(&[vec![0.5, f64::NAN]]), ObserveError::NotFinite { axis: 1, .. }));
        assert!(matches!(ask(&[vec![2.0, 2.0]]), ObserveError::AllOutside { total: 1 }));
        let weigh = |weights: &[f64]| {
            density_of_weighted_samples(&grid, &[vec![0.5, 0.5]], Some(weights), &Estimate::Histogram).unwrap_err()
        };
        assert!(matches!(weigh(&[-1.0]), ObserveError::Weight { row: 0, .. }));
        assert!(matches!(weigh(&[1.0, 1.0]), ObserveError::Weights { weights: 2, samples: 1 }));
        let constant = vec![vec![0.5, 0.5]; 5];
        let kernel = Estimate::Kernel { bandwidth: None };
        assert!(matches!(density_of_samples(&grid, &constant, &kernel), Err(ObserveError::Bandwidth { axis: 0, .. })));
    }
}
