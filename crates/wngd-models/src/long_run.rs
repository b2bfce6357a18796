//! Scatter of means over a trajectory, whose successive points are correlated.

use wngd_linalg::Grid;
use wngd_linalg::faer::{Mat, MatRef};

use crate::trajectory::{Binning, TrajectoryError, check, corners};

/// Fewest stretches whose scatter says something.
const FEWEST: usize = 25;

/// Times that they are halved at most.
const HALVINGS: u32 = 5;

/// Points that a stretch has at least.
const SHORTEST: usize = 4;

/// Standard errors from which on a correlation of neighbours, or a variance that differs, is one.
const SIGNIFICANT: f64 = 2.0;

/// Halvings that a variance is compared with.
const COARSER: usize = 3;

/// The covariance of means over a trajectory, and what it was found from.
#[derive(Debug, Clone)]
pub struct LongRun {
    /// Covariance; p x p.
    pub covariance: Mat<f64>,
    /// Stretches between whose means the scatter was taken.
    pub stretches: usize,
    /// Whether these means are uncorrelated from one stretch to the next. If not, the trajectory is too short: its slow
    /// motions make errors that are larger than these.
    pub settled: bool,
}

/// Covariance of the means of p cell functions over a trajectory, in the long run.
///
/// The scatter is taken between the means of equal stretches: 800 of them, or 400, … down to 25, as many as have means
/// that do not follow from the stretch before and as scattered as those of longer stretches say (the method of batch
/// means).
///
/// # Shapes
/// `points`: N rows of d coordinates; `q`: k x p; result: p x p.
///
/// # Cost
/// One pass over the points.
///
/// # Errors
/// As [`bin_trajectory`](crate::bin_trajectory); fewer than 100 points, one of 25 stretches without a point inside the box.
///
/// # References
/// Fishman 1978, Grouping observations in digital simulation, doi:10.1287/mnsc.24.5.510.
pub fn long_run_covariance(
    grid: &Grid,
    points: &[f64],
    binning: Binning,
    q: MatRef<'_, f64>,
) -> Result<LongRun, TrajectoryError> {
    let (dim, p) = (grid.dim(), q.ncols());
    if q.nrows() != grid.len() {
        return Err(TrajectoryError::Shape { values: q.nrows(), dim });
    }
    check(points, dim, 1)?;
    let rows = points.len() / dim;
    let halvings = (0..=HALVINGS).rev().find(|h| (FEWEST << h) * SHORTEST <= rows);
    let Some(halvings) = halvings else { return Err(TrajectoryError::Blocks { blocks: FEWEST, points: rows }) };
    let mut stretches = FEWEST << halvings;
    let (mut sums, mut inside) = (Mat::<f64>::zeros(p, stretches), vec![0usize; stretches]);
    for stretch in 0..stretches {
        let range = dim * (rows * stretch / stretches)..dim * (rows * (stretch + 1) / stretches);
        for corners in points[range].chunks_exact(dim).filter_map(|point| corners(grid, point, binning)) {
            inside[stretch] += 1;
            for (cell, weight) in corners {
                for j in 0..p {
                    sums[(j, stretch)] += weight * q[(cell, j)];
                }
            }
        }
    }
    let mut levels: Vec<Level> = Vec::new();
    loop {
        if inside.iter().all(|n| *n > 0) {
            levels.push(Level::of(&Mat::from_fn(p, stretches, |j, b| sums[(j, b)] / inside[b] as f64)));
        } else if stretches == FEWEST {
            return Err(TrajectoryError::Blocks { blocks: stretches, points: inside.iter().sum() });
        }
        if stretches == FEWEST {
            break;
        }
        stretches /= 2;
        sums = Mat::from_fn(p, stretches, |j, b| sums[(j, 2 * b)] + sums[(j, 2 * b + 1)]);
        inside = inside.chunks_exact(2).map(|pair| pair[0] + pair[1]).collect();
    }
    let stands = |i: usize| levels[i].independent && levels[i + 1..].iter().take(COARSER).all(|l| levels[i].agrees(l));
    let found = (0..levels.len()).find(|&i| stands(i));
    let at = found.unwrap_or(levels.len() - 1);
    let Level { covariance, stretches, .. } = levels.swap_remove(at);
    Ok(LongRun { covariance, stretches, settled: found.is_some() })
}

/// What the means of so many stretches say.
struct Level {
    stretches: usize,
    covariance: Mat<f64>,
    /// Whether no mean is correlated with that of its neighbour.
    independent: bool,
}

impl Level {
    /// From the means of p functions over each stretch, p x stretches.
    fn of(means: &Mat<f64>) -> Self {
        let (p, stretches) = (means.nrows(), means.ncols());
        let n = stretches as f64;
        let mean: Vec<f64> = (0..p).map(|j| (0..stretches).map(|b| means[(j, b)]).sum::<f64>() / n).collect();
        let off = |j: usize, b: usize| means[(j, b)] - mean[j];
        let lagged =
            |i: usize, j: usize, lag: usize| (lag..stretches).map(|b| off(i, b) * off(j, b - lag)).sum::<f64>();
        let independent = (0..p).all(|j| {
            let (variance, follows) = (lagged(j, j, 0), lagged(j, j, 1));
            !(follows.abs() > SIGNIFICANT / n.sqrt() * variance)
        });
        let covariance = Mat::from_fn(p, p, |i, j| lagged(i.max(j), i.min(j), 0) / ((n - 1.0) * n));
        Self { stretches, covariance, independent }
    }

    /// Whether longer stretches have the same variances, up to the error of theirs.
    fn agrees(&self, longer: &Self) -> bool {
        let error = (2.0 / longer.stretches as f64).sqrt();
        (0..self.covariance.nrows()).all(|j| {
            let (ours, theirs) = (self.covariance[(j, j)], longer.covariance[(j, j)]);
            !((ours / theirs).ln().abs() > SIGNIFICANT * error)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A linear congruential generator: uniform and uncorrelated.
    fn uniform(count: usize) -> Vec<f64> {
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        (0..count).map(|_| next()).collect()
    }

    /// x ← a x + noise, within about ±1.
    fn remembering(count: usize, a: f64) -> Vec<f64> {
        let mut x = 0.0;
        let step = (1.0 - a * a).sqrt();
        uniform(count)
            .iter()
            .map(|u| {
                x = a * x + step * (u - 0.5);
                x
            })
            .collect()
    }

    fn of(points: &[f64]) -> LongRun {
        let grid = Grid::new(&[-2.0], &[2.0], &[400]).unwrap();
        let q = Mat::from_fn(400, 1, |i, _| grid.center(i)[0]);
        long_run_covariance(&grid, points, Binning::Multilinear, q.as_ref()).unwrap()
    }

    #[test]
    fn independent_points_need_no_long_stretches() {
        let n = 100_000;
        let found = of(&uniform(n));
        assert!(found.settled && found.stretches >= 200, "{found:?}");
        let expected = 1.0 / 12.0 / n as f64;
        assert!((found.covariance[(0, 0)] / expected - 1.0).abs() < 0.2, "{found:?}");
    }

    #[test]
    fn stretches_grow_with_memory_until_they_forget() {
        let mut last = 801;
        for memory in [1.0, 100.0, 1000.0] {
            let (n, a) = (400_000, (-1.0f64 / memory).exp());
            let found = of(&remembering(n, a));
            let expected = (1.0 + a) / (1.0 - a) / 12.0 / n as f64;
            assert!(found.settled && found.stretches < last, "{memory}: {found:?}");
            let ratio = found.covariance[(0, 0)] / expected;
            assert!((0.6..1.6).contains(&ratio), "{memory}: {ratio}, {found:?}");
            last = found.stretches.min(last) + usize::from(found.stretches == 800);
        }
    }

    #[test]
    fn motions_that_come_back_need_stretches_that_hold_many_of_them() {
        // A clock with noise: what is left of a turn at the end of a stretch is made up for by the next ones.
        let n = 200_000;
        let points: Vec<f64> =
            uniform(n).iter().enumerate().map(|(i, u)| (0.021 * i as f64).sin() + 0.2 * (u - 0.5)).collect();
        let found = of(&points);
        let independent = 0.5 / n as f64;
        assert!(found.stretches <= 100, "{found:?}");
        assert!(found.covariance[(0, 0)] < independent, "{:e} for {independent:e}", found.covariance[(0, 0)]);
    }

    #[test]
    fn a_record_shorter_than_its_memory_is_not_settled() {
        let drift: Vec<f64> = (0..4000).map(|i| (i as f64 / 1500.0).sin()).collect();
        let found = of(&drift);
        assert!(!found.settled && found.stretches == FEWEST, "{found:?}");
    }

    #[test]
    fn stretches_outside_the_box_are_refused() {
        let grid = Grid::new(&[-2.0], &[2.0], &[4]).unwrap();
        let q = Mat::from_fn(4, 1, |i, _| i as f64);
        let half: Vec<f64> = (0..2000).map(|i| if i < 1000 { 0.5 + 1e-4 * i as f64 } else { 9.0 }).collect();
        let found = long_run_covariance(&grid, &half, Binning::Nearest, q.as_ref());
        assert!(matches!(found, Err(TrajectoryError::Blocks { blocks: FEWEST, points: 1000 })), "{found:?}");
    }
}
