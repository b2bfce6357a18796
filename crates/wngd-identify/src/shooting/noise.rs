//! Where the residuals of steps come from.
//!
//! With noise ε of the observations and noise η of the motion, r_i = ε_{i+1} − J_i ε_i + η_i to first order, so that
//! E[r_{i+1} r_iᵀ] = −J_{i+1} S holds S alone, and E[r_i r_iᵀ] = S + J_i S J_iᵀ + Q the rest.

use super::pairs::starts;
use super::residuals::residuals;
use crate::dynamics::Dynamics;
use crate::flow_map::FlowMap;
use crate::sample::Sample;

/// Most runs of three points.
const RUNS: usize = 4000;
/// Error of the flow in standard deviations of the data: less than the least noise that counts.
const TOLERANCE: f64 = 1e-7;
/// Fewest that say anything.
const FEWEST: usize = 40;

/// Where residuals come from, in squares of the data's standard deviations, per coordinate.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    /// S: variance of the noise of the observations.
    pub(crate) observation: Vec<f64>,
    /// Its standard errors.
    pub(crate) observation_errors: Vec<f64>,
    /// Q: variance of what the motion adds per step.
    pub(crate) motion: Vec<f64>,
    /// Its standard errors.
    pub(crate) motion_errors: Vec<f64>,
    /// Mean of 1/(1 + growth²) over the steps: where differences grow much, errors of the parameters look like motion.
    pub(crate) reach: f64,
}

/// Splits the variance of the residuals at `theta`; `None` where the flow cannot be followed over a step.
pub(crate) fn origin(dynamics: &Dynamics, sample: &Sample, theta: &[f64]) -> Option<Origin> {
    let dt = sample.dt?;
    let map = FlowMap::new(dynamics, sample, dt, theta, TOLERANCE)?;
    let full = dynamics.theta_full(theta);
    let firsts = starts(sample, 2, map.worth(RUNS));
    let both: Vec<usize> = firsts.iter().flat_map(|i| [*i, i + 1]).collect();
    let all = residuals(&map, sample, &both, &full);
    let runs: Vec<_> = all
        .windows(2)
        .filter(|pair| pair[1].from == pair[0].from + 1 && firsts.binary_search(&pair[0].from).is_ok())
        .collect();
    if runs.len() < FEWEST {
        return None;
    }
    let d = sample.dim;
    // Far into growth nothing is linear: weights fall with its square.
    let weights: Vec<f64> = runs.iter().map(|pair| (pair[0].weight * pair[1].weight).powi(2)).collect();
    let (mut observation, mut observation_errors) = (vec![0.0; d], vec![0.0; d]);
    for c in 0..d {
        let terms: Vec<(f64, f64)> = runs
            .iter()
            .zip(&weights)
            .map(|(pair, w)| {
                let (mut top, mut bottom) = (0.0, 0.0);
                for a in 0..d {
                    let j = pair[1].by_x[a * d + c];
                    top -= w * j * pair[1].value[a] * pair[0].value[c];
                    bottom += w * j * j;
                }
                (top, bottom)
            })
            .collect();
        let (value, error) = ratio(&terms);
        (observation[c], observation_errors[c]) = (value, error);
    }
    let (mut motion, mut motion_errors) = (vec![0.0; d], vec![0.0; d]);
    for c in 0..d {
        let terms: Vec<(f64, f64)> = runs
            .iter()
            .zip(&weights)
            .map(|(pair, w)| {
                let carried: f64 = (0..d).map(|k| pair[0].by_x[c * d + k].powi(2) * observation[k]).sum();
                (w * (pair[0].value[c].powi(2) - observation[c] - carried), *w)
            })
            .collect();
        (motion[c], motion_errors[c]) = ratio(&terms);
    }
    let reach = runs.iter().map(|pair| pair[0].weight).sum::<f64>() / runs.len() as f64;
    Some(Origin { observation, observation_errors, motion, motion_errors, reach })
}

/// Σ top/Σ bottom with its standard error.
fn ratio(terms: &[(f64, f64)]) -> (f64, f64) {
    let bottom: f64 = terms.iter().map(|t| t.1).sum();
    let value = terms.iter().map(|t| t.0).sum::<f64>() / bottom;
    let squares: f64 = terms.iter().map(|(top, bottom)| (top - value * bottom).powi(2)).sum();
    (value, squares.sqrt() / bottom)
}
