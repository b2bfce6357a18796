//! Models whose mass depends on their parameters, under a metric that moves mass and makes none.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use wngd_adjoint::{FnModel, ForwardModel, Normalised};
use wngd_linalg::faer::Mat;
use wngd_linalg::{Grid, LaplacianPlan};
use wngd_opt::{Descent, L2, LeastSquaresMisfit, Outcome, Status, Wasserstein2};

const CELLS: usize = 80;

fn grid() -> Grid {
    Grid::new(&[-6.0], &[6.0], &[CELLS]).unwrap()
}

fn from(mean: f64, i: usize) -> f64 {
    0.15 * (i as f64 - 39.5) - mean
}

/// a e^{−(x − m)²/2}: a is the mass.
fn scaled() -> impl ForwardModel {
    let value = |t: &[f64], i: usize| t[0] * (-0.5 * from(t[1], i).powi(2)).exp();
    FnModel::new(
        ["amplitude", "mean"],
        CELLS,
        move |t| (0..CELLS).map(|i| value(t, i)).collect(),
        move |t| Mat::from_fn(CELLS, 2, |i, j| value(t, i) * [1.0 / t[0], from(t[1], i)][j]),
    )
}

/// e^{−(x − m)²/2s}: wider is heavier.
fn widened() -> impl ForwardModel {
    let value = |t: &[f64], i: usize| (-0.5 * from(t[1], i).powi(2) / t[0]).exp();
    FnModel::new(
        ["variance", "mean"],
        CELLS,
        move |t| (0..CELLS).map(|i| value(t, i)).collect(),
        move |t| {
            Mat::from_fn(CELLS, 2, |i, j| {
                let x = from(t[1], i);
                value(t, i) * [0.5 * x * x / (t[0] * t[0]), x / t[0]][j]
            })
        },
    )
}

/// A fit to a density of variance 0.8 around 0.4.
fn fitted(model: &impl ForwardModel, start: &[f64]) -> Outcome {
    let data = Normalised::new(widened(), grid().cell_volume()).unwrap().state(&[0.8, 0.4]).unwrap().values;
    let objective = LeastSquaresMisfit::new(&grid(), data).unwrap();
    let metric = Wasserstein2::new(Arc::new(LaplacianPlan::new(&grid()).unwrap()));
    Descent::new(model, &objective).metric(metric).run(start).unwrap()
}

#[test]
fn a_stall_by_a_mass_that_depends_on_the_parameters_names_the_leak_and_the_adapter() {
    for plain in [fitted(&scaled(), &[1.7, -0.5]), fitted(&widened(), &[1.7, -0.5])] {
        let reason = plain.reason().unwrap();
        assert!(matches!(plain.status, Status::Stalled(_)), "{reason}");
        let leak = plain.mass_leak.unwrap();
        assert!(leak > 0.5 && leak < 1.0 + 1e-12, "{leak}");
        assert!(reason.contains("`Normalised`") && reason.ends_with(&format!("mass leak is {leak:.2e}")), "{reason}");
    }
}

#[test]
fn the_adapter_helps_and_hears_no_complaint() {
    let helped = fitted(&Normalised::new(widened(), grid().cell_volume()).unwrap(), &[1.7, -0.5]);
    assert!(matches!(helped.status, Status::Converged(_)) && helped.mass_leak.is_none(), "{:?}", helped.reason());
    for (found, truth) in helped.last().theta.iter().zip([0.8, 0.4]) {
        assert!((found - truth).abs() < 1e-4, "{:?}", helped.last().theta);
    }
}

#[test]
fn a_metric_that_makes_mass_does_not_complain() {
    let objective = LeastSquaresMisfit::new(&grid(), scaled().state(&[0.7, 0.4]).unwrap().values).unwrap();
    let found = Descent::new(&scaled(), &objective).metric(L2).run(&[1.7, -0.5]).unwrap();
    assert!(matches!(found.status, Status::Converged(_)) && found.mass_leak.is_none());
}
