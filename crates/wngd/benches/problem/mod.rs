//! The benchmark problem: one direction for a large Gaussian mixture in the plane, in closed form.

use std::error::Error;
use std::sync::Arc;

use wngd::models::{MixtureByRows, MixtureParameters};
use wngd::prelude::*;

/// A mixture of K = ⌈(p+1)/3⌉ Gaussians on [−4, 14]² with its first p parameters
/// (weights, then means) free, and data from a displaced copy of it.
pub(crate) struct Problem {
    /// The model.
    pub(crate) model: MixtureByRows,
    /// Where the direction is wanted.
    pub(crate) theta: Vec<f64>,
    /// f = ½‖ρ − ρ*‖².
    pub(crate) objective: LeastSquaresMisfit,
    /// The symbolic analysis, made once per grid.
    pub(crate) plan: Arc<LaplacianPlan>,
}

impl Problem {
    /// The problem on n x n cells with p parameters.
    pub(crate) fn new(n: usize, p: usize) -> Result<Self, Box<dyn Error>> {
        let grid = Grid::new(&[-4.0; 2], &[14.0; 2], &[n; 2])?;
        let components = (p + 1).div_ceil(3);
        // Means on the plastic-number lattice, which covers the square evenly.
        let plastic = 1.324_717_957_244_746;
        let sigma = (5.0 / (components as f64).sqrt()).max(3.0 * 18.0 / n as f64);
        let index = |i: usize| (i + 1) as f64;
        let raw: Vec<f64> = (0..components).map(|i| 1.0 + 0.5 * (index(i) + 1.0).sin()).collect();
        let total: f64 = raw.iter().sum();
        let lattice = |i: usize, shift: f64| {
            let k = index(i);
            vec![
                10.0 * (0.5 + k / plastic).fract() + shift * sigma * k.cos(),
                10.0 * (0.5 + k / (plastic * plastic)).fract() + shift * sigma * k.sin(),
            ]
        };
        let mixture = |weights: Vec<f64>, shift: f64| MixtureParameters {
            weights,
            means: (0..components).map(|i| lattice(i, shift)).collect(),
            covariances: Covariances::Isotropic(vec![sigma * sigma; components]),
        };
        let free: Vec<String> = (0..components - 1)
            .map(|i| format!("weights[{i}]"))
            .chain((0..components).flat_map(|i| (0..2).map(move |a| format!("means[{i}][{a}]"))))
            .take(p)
            .collect();
        let truth = mixture(vec![1.0 / components as f64; components], 0.3);
        let truth = GaussianMixture::new(grid.clone(), truth, &["means"])?;
        let data = truth.state(&truth.theta())?.values;
        let model = GaussianMixture::new(grid.clone(), mixture(raw.iter().map(|w| w / total).collect(), 0.0), &free)?;
        let theta = model.theta();
        let objective = LeastSquaresMisfit::new(&grid, data)?;
        Ok(Self { model: model.by_rows(), theta, objective, plan: Arc::new(LaplacianPlan::new(&grid)?) })
    }

    /// η by the W₂ metric.
    pub(crate) fn direction(&self, route: Route) -> Result<Vec<f64>, Box<dyn Error>> {
        let Linearization { state, jacobian } = self.model.linearize(&self.theta)?;
        let (_, u) = self.objective.derivative(&state)?;
        let solver = Natural { metric: Wasserstein2::new(self.plan.clone()), route, damping: 0.0 };
        let point = wngd::opt::Point { theta: &self.theta, state: &state, iteration: 0, rounding: &[] };
        let prepared = solver.prepare(&point, jacobian, &u, self.objective.cell_volume())?;
        Ok(prepared.direction(0.0)?.eta)
    }
}
