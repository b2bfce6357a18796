//! A model whose mass depends on its parameters, under a metric that moves mass and makes none.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use wngd_adjoint::{FnModel, ForwardModel, Normalised};
use wngd_linalg::faer::Mat;
use wngd_linalg::{Grid, LaplacianPlan};
use wngd_opt::{Descent, L2, LeastSquaresMisfit, Outcome, Status, Wasserstein2};

const CELLS: usize = 80;

/// a e^{−(x − m)²/2}/√2π on cells of width 0.15.
fn bump() -> impl ForwardModel {
    let x = |i: usize| 0.15 * (i as f64 - 39.5);
    let value =
        move |t: &[f64], i: usize| t[0] * (-0.5 * (x(i) - t[1]).powi(2)).exp() / (2.0 * std::f64::consts::PI).sqrt();
    FnModel::new(
        ["amplitude", "mean"],
        CELLS,
        move |t| (0..CELLS).map(|i| value(t, i)).collect(),
        move |t| Mat::from_fn(CELLS, 2, |i, j| value(t, i) * [1.0 / t[0], x(i) - t[1]][j]),
    )
}

fn fitted(model: &impl ForwardModel, start: &[f64], grid: &Grid) -> Outcome {
    let data = bump().state(&[1.0, 0.4]).unwrap().values;
    let objective = LeastSquaresMisfit::new(grid, data).unwrap();
    let metric = Wasserstein2::new(Arc::new(LaplacianPlan::new(grid).unwrap()));
    Descent::new(model, &objective).metric(metric).run(start).unwrap()
}

#[test]
fn a_stall_by_a_mass_that_depends_on_the_parameters_names_the_leak_and_the_adapter() {
    let grid = Grid::new(&[-6.0], &[6.0], &[CELLS]).unwrap();
    let plain = fitted(&bump(), &[1.7, -0.5], &grid);
    let reason = plain.reason().unwrap();
    assert!(matches!(plain.status, Status::Stalled(_)), "{reason}");
    // A column that is the density itself is nothing but mass.
    assert!((plain.mass_leak.unwrap() - 1.0).abs() < 1e-6, "{:?}", plain.mass_leak);
    assert!(reason.contains("`Normalised`") && reason.ends_with("mass leak is 1.00e0"), "{reason}");

    let normalised = Normalised::new(bump(), grid.cell_volume()).unwrap();
    let helped = fitted(&normalised, &[1.7, -0.5], &grid);
    assert!(matches!(helped.status, Status::Converged(_)) && helped.mass_leak.is_none(), "{:?}", helped.reason());
    assert!((helped.last().theta[1] - 0.4).abs() < 1e-4, "{:?}", helped.last().theta);
}

#[test]
fn a_metric_that_makes_mass_does_not_complain() {
    let grid = Grid::new(&[-6.0], &[6.0], &[CELLS]).unwrap();
    let objective = LeastSquaresMisfit::new(&grid, bump().state(&[1.0, 0.4]).unwrap().values).unwrap();
    let found = Descent::new(&bump(), &objective).metric(L2).run(&[1.7, -0.5]).unwrap();
    assert!(matches!(found.status, Status::Converged(_)) && found.mass_leak.is_none());
}
