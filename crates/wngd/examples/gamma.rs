//! A model with a formula: the gamma density on a grid, its tests, and a fit to samples.
//!
//! `cargo run --release -p wngd --example gamma`
#![allow(clippy::print_stdout)]

use std::error::Error;

use wngd::linalg::faer::Mat;
use wngd::opt::{sampling_covariance, standard_errors};
use wngd::prelude::*;

// ANCHOR: state
/// ρ(x) ∝ x^(a−1) e^(−rx) at the cell centres, with mass 1 on the grid.
struct Gamma {
    grid: Grid,
    x: Vec<f64>,
}

impl Gamma {
    fn new(grid: Grid) -> Self {
        Self { x: grid.centers(0), grid }
    }
    /// |c| Σ ρ t(x).
    fn mean(&self, density: &[f64], t: impl Fn(f64) -> f64) -> f64 {
        self.grid.cell_volume() * density.iter().zip(&self.x).map(|(rho, x)| rho * t(*x)).sum::<f64>()
    }
}
// ANCHOR_END: state

// ANCHOR: model
const NAMES: [&str; 2] = ["shape", "rate"];

impl ForwardModel for Gamma {
    type Jacobian = Mat<f64>;
    fn dim_param(&self) -> usize {
        2
    }
    fn dim_state(&self) -> usize {
        self.grid.len()
    }
    fn parameter_names(&self) -> Vec<String> {
        NAMES.map(String::from).to_vec()
    }
    fn state(&self, theta: &[f64]) -> Result<State, ModelError> {
        ModelError::check_theta(theta, 2)?;
        if let Some(i) = theta.iter().position(|t| *t <= 0.0) {
            // Line searches answer this error with a shorter step.
            return Err(ModelError::OutOfDomain {
                parameter: NAMES[i].into(),
                value: theta[i],
                rule: "shape and rate are positive",
            });
        }
        let mut log: Vec<f64> = self.x.iter().map(|x| (theta[0] - 1.0) * x.ln() - theta[1] * x).collect();
        let top = log.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mass = self.grid.cell_volume() * log.iter().map(|l| (l - top).exp()).sum::<f64>();
        log.iter_mut().for_each(|l| *l -= top + mass.ln());
        Ok(State { values: log.iter().map(|l| l.exp()).collect(), log_values: Some(log) })
    }
    fn linearize(&self, theta: &[f64]) -> Result<Linearization<Mat<f64>>, ModelError> {
        let state = self.state(theta)?;
        let rho = &state.values;
        let (mean_log, mean) = (self.mean(rho, f64::ln), self.mean(rho, |x| x));
        // ∂ ln ρ is the statistic less its mean, since the mass stays 1: no column of Z carries mass.
        let jacobian = Mat::from_fn(rho.len(), 2, |i, j| match j {
            0 => rho[i] * (self.x[i].ln() - mean_log),
            _ => rho[i] * (mean - self.x[i]),
        });
        Ok(Linearization { state, jacobian })
    }
}
// ANCHOR_END: model

/// Sums of three exponential variables of mean 1/2: gamma with shape 3 and rate 2.
fn samples(count: usize) -> Vec<Vec<f64>> {
    let mut seed = 1u64;
    let mut uniform = move || {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((seed >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    };
    (0..count).map(|_| vec![-0.5 * (uniform() * uniform() * uniform()).ln()]).collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    // ANCHOR: tests
    let grid = Grid::new(&[0.0], &[8.0], &[200])?;
    let model = Gamma::new(grid.clone());
    let start = [1.5, 1.0];
    let taylor = taylor_test(&model, &start, &[1.0, -0.7])?;
    let dot = dot_test(&model.linearize(&start)?.jacobian, 1);
    println!("Taylor rate {:.3} (2 for an exact derivative), dot test {dot:.0e}", taylor.rate);
    assert!(taylor.rate > 1.9 && dot < 1e-12);
    // ANCHOR_END: tests

    // ANCHOR: fit
    let samples = samples(2000);
    let seen = density_of_samples(&grid, &samples, &Estimate::Histogram)?;
    let objective = KullbackLeibler::new(&grid, seen.density)?;
    let direction = Natural::new(FisherRao);
    let stop = Stop { relative_objective: 0.0, relative_step: 1e-9, ..Stop::default() };
    let fit = Descent::new(&model, &objective).direction(&direction).stop(stop).run_with(
        &start,
        &mut Armijo::new(1.0, 1e-4),
        &mut Silent,
    )?;
    let theta = &fit.last().theta;
    let errors = standard_errors(&sampling_covariance(&model, &objective, theta, seen.inside)?);
    println!("{} after {} iterations", fit.status.name(), fit.last().iteration);
    for ((name, value), error) in NAMES.iter().zip(theta).zip(&errors) {
        println!("{name} {value:.3} ± {error:.3}");
    }
    // ANCHOR_END: fit
    assert!((theta[0] - 3.0).abs() < 3.0 * errors[0] && (theta[1] - 2.0).abs() < 3.0 * errors[1]);
    Ok(())
}
