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
