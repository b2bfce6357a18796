//! The way back: the smoothed path, and what it says of the variances.
//!
//! By the adjoint recursion (Bryson and Frazier; de Jong 1989, doi:10.1080/01621459.1989.10478780), which inverts nothing and
//! bears variances of 0: λ_k is the derivative of the log-likelihood by what drives the step to point k, and E[λλᵀ] = Λ_k.

use super::forward::Forward;
use super::links::Link;
use super::matrix::{product, symmetrise, transposed};
use super::observed::Observed;

/// Stretches that a record is cut into, to tell how sure sums over it are.
const STRETCHES: usize = 60;

/// What the way back finds.
#[derive(Debug, Clone)]
pub(super) struct Backward {
    /// Smoothed deviations from the path: points x coordinates.
    pub(super) shift: Vec<f64>,
    /// Σ u² and Σ E[u²] of the observations' scores, per observed column.
    pub(super) observation: Vec<[f64; 2]>,
    /// Σ λ² and Σ Λ of the scores of the motion, per coordinate, weighted by time.
    pub(super) motion: Vec<[f64; 2]>,
    /// Σ (λ² − Λ) over stretches, per coordinate.
    pub(super) stretches: Vec<Vec<f64>>,
}

/// Smooths about a path, with the parameters moved by `step`.
///
/// # Cost
/// As the way forward.
pub(super) fn backward(observed: &Observed, links: &[Link], forward: &Forward, step: &[f64]) -> Backward {
    let (n, d, m) = (observed.count(), observed.dim, observed.which.len());
    let columns = forward.columns;
    let mut out = Backward {
        shift: vec![0.0; n * d],
        observation: vec![[0.0; 2]; m],
        motion: vec![[0.0; 2]; d],
        stretches: vec![vec![0.0; STRETCHES]; d],
    };
    let (mut score, mut spread) = (vec![0.0; d], vec![0.0; d * d]);
    let (mut turned, mut left, mut next) = (vec![0.0; d * d], vec![0.0; d * d], vec![0.0; d]);
    for k in (0..n).rev() {
        if observed.after[k] == 0.0 {
            score.fill(0.0);
            spread.fill(0.0);
        } else {
            let share = observed.after[k] / observed.dt;
            let stretch = k * STRETCHES / n;
            for c in 0..d {
                let (squared, expected) = (share * score[c] * score[c], share * spread[c * d + c]);
                out.motion[c][0] += squared;
                out.motion[c][1] += expected;
                out.stretches[c][stretch] += squared - expected;
            }
            transposed(&links[k].by_x, d, &mut turned);
            product(&turned, &score, d, 1, &mut next);
            std::mem::swap(&mut score, &mut next);
            product(&turned, &spread, d, d, &mut left);
            product(&left, &links[k].by_x, d, d, &mut spread);
            symmetrise(&mut spread, d);
        }
        for i in (0..m).rev() {
            let at = k * m + i;
            let variance = forward.variances[at];
            if variance == 0.0 {
                continue;
            }
            let (c, gain) = (observed.which[i], &forward.gains[at * d..(at + 1) * d]);
            // u = v/S − Kᵀλ, and its expected square.
            product(&spread, gain, d, 1, &mut next);
            let u = forward.innovation(at, step) / variance - gain.iter().zip(&score).map(|(g, s)| g * s).sum::<f64>();
            let expected = 1.0 / variance + gain.iter().zip(&next).map(|(g, s)| g * s).sum::<f64>();
            out.observation[i][0] += u * u;
            out.observation[i][1] += expected;
            score[c] += u;
            // (I − K e_cᵀ)ᵀ Λ (I − K e_cᵀ) + e_c e_cᵀ/S
            for j in 0..d {
                spread[c * d + j] -= next[j];
                spread[j * d + c] -= next[j];
            }
            spread[c * d + c] += expected;
        }
        let (mean, covariance) = (&forward.mean[k * d * columns..], &forward.covariance[k * d * d..(k + 1) * d * d]);
        product(covariance, &score, d, 1, &mut next);
        for c in 0..d {
            let row = &mean[c * columns..(c + 1) * columns];
            let predicted = row[0] + row[1..].iter().zip(step).map(|(a, b)| a * b).sum::<f64>();
            out.shift[k * d + c] = predicted + next[c];
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::forward::{Variances, forward};
    use super::*;

    const N: usize = 7;

    /// A path of two coordinates of which the first is seen, in two records, a value missing, with two parameters.
    fn problem() -> (Observed, Vec<f64>, Vec<Link>, Variances) {
        let wave = |k: f64| (1.7 * k + 0.3).sin();
        let mut after = vec![0.1, 0.1, 0.2, 0.0, 0.1, 0.1, 0.0];
        after.truncate(N);
        let mut values: Vec<f64> = (0..N).map(|k| 2.0 + wave(k as f64)).collect();
        values[2] = f64::NAN;
        let observed =
            Observed { dim: 2, which: vec![0], values, after, dt: 0.1, scales: vec![2.0, 0.5], centre: vec![1.0, 0.2] };
        let path: Vec<f64> = (0..2 * N).map(|i| 1.0 + 0.5 * wave(i as f64 + 9.0)).collect();
        let link = |k: usize| {
            let some = |from: usize, count: usize| (0..count).map(|i| wave((5 * k + from + i) as f64)).collect();
            Link { gap: some(20, 2), by_x: some(30, 4), by_theta: some(40, 4) }
        };
        let links = (0..N).map(|k| if observed.after[k] == 0.0 { Link::default() } else { link(k) }).collect();
        (observed, path, links, Variances { observation: vec![0.3], motion: vec![0.2, 0.05], first: 4.0 })
    }

    /// The same as one dense problem: matrix and right-hand side of the normal equations of 2 N deviations and 2 parameters.
    fn dense(observed: &Observed, path: &[f64], links: &[Link], variances: &Variances) -> (Vec<Vec<f64>>, Vec<f64>) {
        let size = 2 * N + 2;
        let (mut matrix, mut right) = (vec![vec![0.0; size]; size], vec![0.0; size]);
        // A row a·x = b with a variance.
        let mut row = |a: Vec<(usize, f64)>, b: f64, variance: f64| {
            for (i, x) in &a {
                right[*i] += x * b / variance;
                a.iter().for_each(|(j, y)| matrix[*i][*j] += x * y / variance);
            }
        };
        for k in 0..N {
            for c in 0..2 {
                let at = 2 * k + c;
                if observed.begins(k) {
                    row(vec![(at, 1.0)], (observed.centre[c] - path[at]) / observed.scales[c], variances.first);
                }
                if observed.after[k] > 0.0 {
                    let link = &links[k];
                    let mut a = vec![(at + 2, 1.0)];
                    a.extend((0..2).map(|j| (2 * k + j, -link.by_x[2 * c + j])));
                    a.extend((0..2).map(|j| (2 * N + j, -link.by_theta[2 * c + j])));
                    row(a, link.gap[c], variances.motion[c] * observed.after[k] / observed.dt);
                }
            }
            let value = observed.row(k)[0];
            if !value.is_nan() {
                row(vec![(2 * k, 1.0)], (value - path[2 * k]) / observed.scales[0], variances.observation[0]);
            }
        }
        (matrix, right)
    }

    /// Gauss' elimination of the first `many` unknowns; all of them give the solution.
    fn eliminated(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>, many: usize) -> (Vec<Vec<f64>>, Vec<f64>) {
        let n = right.len();
        for k in 0..many {
            let pivot = matrix[k].clone();
            for i in (0..n).filter(|i| *i != k) {
                let factor = matrix[i][k] / pivot[k];
                matrix[i].iter_mut().zip(&pivot).for_each(|(x, p)| *x -= factor * p);
                right[i] -= factor * right[k];
            }
        }
        (matrix, right)
    }

    #[test]
    fn both_ways_together_solve_the_dense_problem() {
        let (observed, path, links, variances) = problem();
        let ahead = forward(&observed, &path, &links, &variances, 2);
        let (matrix, right) = dense(&observed, &path, &links, &variances);
        let size = right.len();
        let (reduced, left) = eliminated(matrix.clone(), right.clone(), 2 * N);
        for i in 0..2 {
            for j in 0..2 {
                let schur = reduced[2 * N + i][2 * N + j];
                assert!((ahead.information[2 * i + j] - schur).abs() < 1e-10, "{i} {j}");
            }
            assert!((ahead.gradient[i] + left[2 * N + i]).abs() < 1e-10, "{i}");
        }
        let (solved, unknown) = eliminated(matrix, right, size);
        let solution: Vec<f64> = (0..size).map(|i| unknown[i] / solved[i][i]).collect();
        let back = backward(&observed, &links, &ahead, &solution[2 * N..]);
        for (i, (found, exact)) in back.shift.iter().zip(&solution).enumerate() {
            assert!((found - exact).abs() < 1e-10, "{i}: {found} {exact}");
        }
    }

    #[test]
    fn scores_are_derivatives_of_the_likelihood() {
        let (observed, path, links, variances) = problem();
        let ahead = forward(&observed, &path, &links, &variances, 2);
        let back = backward(&observed, &links, &ahead, &[0.0, 0.0]);
        let likelihood = |change: &dyn Fn(&mut Variances)| {
            let mut moved = variances.clone();
            change(&mut moved);
            let ahead = forward(&observed, &path, &links, &moved, 2);
            -0.5 * (ahead.squares + ahead.logs)
        };
        let slope = |along: &dyn Fn(&mut Variances, f64)| {
            let side = |h: f64| likelihood(&|moved: &mut Variances| along(moved, h));
            (side(1e-5) - side(-1e-5)) / 2e-5
        };
        for c in 0..2 {
            let exact = 0.5 * (back.motion[c][0] - back.motion[c][1]);
            let found = slope(&|moved, h| moved.motion[c] += h);
            assert!((found - exact).abs() < 1e-5 * (1.0 + exact.abs()), "{c}: {found} {exact}");
            let stretches: f64 = back.stretches[c].iter().sum();
            assert!((0.5 * stretches - exact).abs() < 1e-10);
        }
        let exact = 0.5 * (back.observation[0][0] - back.observation[0][1]);
        let found = slope(&|moved, h| moved.observation[0] += h);
        assert!((found - exact).abs() < 1e-5 * (1.0 + exact.abs()), "{found} {exact}");
    }
}
