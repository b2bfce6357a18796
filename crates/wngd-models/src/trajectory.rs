use thiserror::Error;
use wngd_linalg::Grid;

/// Fewer points say nothing about a stationary density.
const FEWEST_POINTS: usize = 1000;

/// A range whose middle is this close to 0, relative to its length, counts as symmetric.
const NEARLY: f64 = 0.05;

/// How a point of a trajectory becomes mass on cells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Binning {
    /// All of it on the cell that holds the point.
    Nearest,
    /// Multilinear weights on the 2ᵈ cells around it, as the semi-Lagrangian scheme deposits mass, so
    /// that data and model are smoothed alike.
    #[default]
    Multilinear,
}

/// The density that a trajectory leaves on a grid.
#[derive(Debug, Clone, PartialEq)]
pub struct TrajectoryDensity {
    /// Density at the cell centres (k), of total mass 1 inside the box.
    pub density: Vec<f64>,
    /// Points inside the box.
    pub inside: usize,
    /// Points outside the box, not counted in the density.
    pub outside: usize,
}

/// What can be wrong with a trajectory.
#[derive(Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum TrajectoryError {
    /// The numbers do not make whole points.
    #[error("{values} numbers make no whole points of {dim} coordinates; give one column per axis")]
    Shape {
        /// Numbers given.
        values: usize,
        /// Grid axes.
        dim: usize,
    },
    /// Too few points are left.
    #[error("{points} points are left after burn-in and stride; at least {FEWEST_POINTS} are needed")]
    TooShort {
        /// Points left.
        points: usize,
    },
    /// The stride is zero.
    #[error("stride 0 takes no points; give 1 to take all of them")]
    Stride,
    /// A coordinate is NaN or infinite.
    #[error("point {row}, coordinate {axis} is {value}; remove the row or repair it")]
    NotFinite {
        /// Row number, from 0.
        row: usize,
        /// Axis.
        axis: usize,
        /// The value.
        value: f64,
    },
    /// A coordinate never changes.
    #[error("coordinate {axis} is {value} in every point; a resting or unobserved coordinate has no density")]
    Constant {
        /// Axis.
        axis: usize,
        /// The value.
        value: f64,
    },
    /// No point lies in the box.
    #[error("none of the {total} points lies in the grid's box; widen the box or check the columns")]
    AllOutside {
        /// Number of points.
        total: usize,
    },
    /// The blocks of an error estimate are too few or too many.
    #[error("{blocks} blocks for {points} points inside the box; give at least 2, with points in each")]
    Blocks {
        /// Blocks asked for.
        blocks: usize,
        /// Points inside.
        points: usize,
    },
    /// A box cannot be widened by this margin.
    #[error("margin {0}: a finite number of at least 0 is needed")]
    Margin(f64),
}

/// The density of a trajectory on a grid, without its first `burn_in` points and with every
/// `stride`-th of the rest.
///
/// # Shapes
/// `points`: N rows of d coordinates, row-major; result: k cells in row-major order.
///
/// # Cost
/// 2ᵈ additions per point, no copies.
///
/// # Errors
/// Fewer than 1000 points, NaN, a constant coordinate, no point inside the box.
///
/// # Example
/// ```
/// use wngd_linalg::Grid;
/// use wngd_models::{Binning, bin_trajectory};
/// let circle: Vec<f64> = (0..4000).flat_map(|i| [(0.1 * i as f64).cos(), (0.1 * i as f64).sin()]).collect();
/// let grid = Grid::new(&[-2.0, -2.0], &[2.0, 2.0], &[16, 16])?;
/// let seen = bin_trajectory(&grid, &circle, Binning::Multilinear, 100, 1)?;
/// assert_eq!((seen.inside, seen.outside), (3900, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn bin_trajectory(
    grid: &Grid,
    points: &[f64],
    binning: Binning,
    burn_in: usize,
    stride: usize,
) -> Result<TrajectoryDensity, TrajectoryError> {
    let dim = grid.dim();
    if stride == 0 {
        return Err(TrajectoryError::Stride);
    }
    let points = points.get(burn_in.saturating_mul(dim)..).unwrap_or(&[]);
    check(points, dim, stride)?;
    let mut density = vec![0.0; grid.len()];
    let (mut inside, mut outside) = (0usize, 0usize);
    for point in points.chunks_exact(dim).step_by(stride) {
        match corners(grid, point, binning) {
            Some(corners) => {
                corners.for_each(|(cell, weight)| density[cell] += weight);
                inside += 1;
            }
            None => outside += 1,
        }
    }
    if inside == 0 {
        return Err(TrajectoryError::AllOutside { total: outside });
    }
    let scale = 1.0 / (inside as f64 * grid.cell_volume());
    density.iter_mut().for_each(|v| *v *= scale);
    Ok(TrajectoryDensity { density, inside, outside })
}

/// The smallest box around a trajectory, its sides moved out by `margin` times the range.
///
/// A range that is nearly symmetric about 0 gets a symmetric side: on a symmetric grid a system with a
/// reflection has symmetric densities and sensitivities, and how evenly the trajectory visited the two
/// halves, its noisiest statistic, does not matter.
///
/// # Errors
/// Fewer than 1000 points, NaN, a constant coordinate, a negative margin.
pub fn box_of(points: &[f64], dim: usize, margin: f64) -> Result<(Vec<f64>, Vec<f64>), TrajectoryError> {
    if !(margin >= 0.0 && margin.is_finite()) {
        return Err(TrajectoryError::Margin(margin));
    }
    let ranges = check(points, dim, 1)?;
    let ranges = ranges.iter().map(|&(low, high)| {
        let size = high.max(-low);
        if (low + high).abs() <= NEARLY * (high - low) { (-size, size) } else { (low, high) }
    });
    Ok(ranges.map(|(low, high)| (low - margin * (high - low), high + margin * (high - low))).unzip())
}

/// Checks points and finds the range of each coordinate.
pub(crate) fn check(points: &[f64], dim: usize, stride: usize) -> Result<Vec<(f64, f64)>, TrajectoryError> {
    if dim == 0 || !points.len().is_multiple_of(dim) {
        return Err(TrajectoryError::Shape { values: points.len(), dim });
    }
    let count = (points.len() / dim).div_ceil(stride);
    if count < FEWEST_POINTS {
        return Err(TrajectoryError::TooShort { points: count });
    }
    let mut ranges = vec![(f64::INFINITY, f64::NEG_INFINITY); dim];
    for (row, point) in points.chunks_exact(dim).enumerate() {
        for (axis, (&value, range)) in point.iter().zip(&mut ranges).enumerate() {
            if !value.is_finite() {
                return Err(TrajectoryError::NotFinite { row, axis, value });
            }
            *range = (range.0.min(value), range.1.max(value));
        }
    }
    match ranges.iter().position(|(low, high)| low == high) {
        Some(axis) => Err(TrajectoryError::Constant { axis, value: ranges[axis].0 }),
        None => Ok(ranges),
    }
}

/// Cells and weights of a point, `None` outside the box.
pub(crate) fn corners(grid: &Grid, point: &[f64], binning: Binning) -> Option<impl Iterator<Item = (usize, f64)>> {
    let nearest = grid.locate(point)?;
    let (dim, cells) = (grid.dim(), grid.cells());
    let mut all = [(0usize, 1.0); 8];
    let count = match binning {
        Binning::Nearest => {
            all[0].0 = nearest;
            1
        }
        Binning::Multilinear => {
            for axis in 0..dim {
                let u = (point[axis] - grid.lower()[axis]) / grid.spacing()[axis] - 0.5;
                let u = u.clamp(0.0, (cells[axis] - 1) as f64);
                // One cell per axis takes everything: its upper neighbour does not exist.
                let first = (u as usize).min(cells[axis].saturating_sub(2));
                let (above, last) = (u - first as f64, (first + 1).min(cells[axis] - 1));
                for (index, (cell, weight)) in all.iter_mut().enumerate() {
                    let up = index >> axis & 1 == 1;
                    *cell = *cell * cells[axis] + if up { last } else { first };
                    *weight *= if up { above } else { 1.0 - above };
                }
            }
            1 << dim
        }
    };
    Some(all.into_iter().take(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A quasi-periodic path that fills [−1, 1]².
    fn path(n: usize) -> Vec<f64> {
        (0..n).flat_map(|i| [(0.1 * i as f64).sin(), (0.1 * 2f64.sqrt() * i as f64).cos()]).collect()
    }

    #[test]
    fn multilinear_binning_keeps_mass_and_mean() {
        let grid = Grid::new(&[-1.5, -1.5], &[1.5, 1.5], &[30, 24]).unwrap();
        let points = path(5000);
        let seen = bin_trajectory(&grid, &points, Binning::Multilinear, 0, 1).unwrap();
        let moment = |g: &dyn Fn([f64; 3]) -> f64| -> f64 {
            (0..grid.len()).map(|i| seen.density[i] * g(grid.center(i))).sum::<f64>() * grid.cell_volume()
        };
        assert!((moment(&|_| 1.0) - 1.0).abs() < 1e-12);
        for axis in 0..2 {
            let mean = points.chunks_exact(2).map(|p| p[axis]).sum::<f64>() / 5000.0;
            assert!((moment(&|x| x[axis]) - mean).abs() < 1e-12);
        }
        let nearest = bin_trajectory(&grid, &points, Binning::Nearest, 0, 1).unwrap();
        assert!(nearest.density.iter().zip(&seen.density).any(|(a, b)| a != b));
    }

    #[test]
    fn points_outside_are_dropped_and_counted() {
        let grid = Grid::new(&[-1.5, -1.5], &[0.0, 1.5], &[10, 10]).unwrap();
        let seen = bin_trajectory(&grid, &path(4000), Binning::Multilinear, 1000, 3).unwrap();
        assert_eq!(seen.inside + seen.outside, 1000);
        assert!(seen.inside > 300 && seen.outside > 300);
        assert!((seen.density.iter().sum::<f64>() * grid.cell_volume() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_box_holds_every_point() {
        let (lower, upper) = box_of(&path(5000), 2, 0.1).unwrap();
        for axis in 0..2 {
            assert!((lower[axis] + 1.2).abs() < 1e-3 && (upper[axis] - 1.2).abs() < 1e-3);
        }
        // Nearly symmetric ranges become symmetric, others stay.
        let shifted: Vec<f64> = path(5000).iter().enumerate().map(|(i, v)| v + [0.03, 0.5][i % 2]).collect();
        let (lower, upper) = box_of(&shifted, 2, 0.0).unwrap();
        assert!(lower[0] == -upper[0] && (upper[0] - 1.03).abs() < 1e-3);
        assert!((lower[1] + 0.5).abs() < 1e-3 && (upper[1] - 1.5).abs() < 1e-3);
        assert_eq!(box_of(&path(5000), 2, -1.0), Err(TrajectoryError::Margin(-1.0)));
    }

    #[test]
    fn bad_trajectories_are_named() {
        let grid = Grid::new(&[-1.5, -1.5], &[1.5, 1.5], &[4, 4]).unwrap();
        let ask = |points: &[f64]| bin_trajectory(&grid, points, Binning::Nearest, 0, 1).unwrap_err();
        assert_eq!(ask(&path(999)), TrajectoryError::TooShort { points: 999 });
        assert_eq!(ask(&path(2000)[1..]), TrajectoryError::Shape { values: 3999, dim: 2 });
        let mut points = path(2000);
        points[41] = f64::NAN;
        assert!(matches!(ask(&points), TrajectoryError::NotFinite { row: 20, axis: 1, .. }));
        points.chunks_exact_mut(2).for_each(|p| p[1] = 0.5);
        assert_eq!(ask(&points), TrajectoryError::Constant { axis: 1, value: 0.5 });
        let far: Vec<f64> = path(2000).iter().map(|v| v + 10.0).collect();
        assert_eq!(ask(&far), TrajectoryError::AllOutside { total: 2000 });
        assert_eq!(bin_trajectory(&grid, &path(2000), Binning::Nearest, 0, 0), Err(TrajectoryError::Stride));
    }
}
