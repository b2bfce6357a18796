//! Lorenz parameters back from the model's own density: iterates against an independent reference.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use serde_json::Value;
use wngd::models::flow::{Discretisation, StationaryDensity, system};
use wngd::prelude::*;

type Any = Box<dyn std::error::Error>;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

const TRUTH: [f64; 3] = [10.0, 28.0, 8.0 / 3.0];

fn lorenz(cells: usize, flux: &str, diffusion: f64, restart: f64) -> Result<(Grid, StationaryDensity), Any> {
    let lorenz = system("lorenz63").unwrap();
    let grid = Grid::new(&lorenz.lower, &lorenz.upper, &[cells; 3])?;
    let scheme = match flux {
        "upwind" => Discretisation::Upwind { diffusion, restart },
        _ => Discretisation::ScharfetterGummel { diffusion, restart },
    };
    let model = StationaryDensity::new(lorenz.field, grid.clone(), scheme, None, lorenz.theta)?;
    Ok((grid, model))
}

#[test]
fn matched_pairs_follow_the_reference_iterates_to_the_truth() -> Result<(), Any> {
    let golden: Value = serde_json::from_str(include_str!("../../wngd-models/tests/golden/lorenz.json"))?;
    for entry in golden["identification"].as_array().unwrap() {
        let what = format!("{} {} {}", entry["flux"], entry["objective"], entry["start"]);
        let (grid, model) = lorenz(
            entry["n"].as_u64().unwrap() as usize,
            entry["flux"].as_str().unwrap(),
            entry["D"].as_f64().unwrap(),
            entry["kappa"].as_f64().unwrap(),
        )?;
        let data = model.state(&TRUTH)?.values;
        let plan = Arc::new(LaplacianPlan::new(&grid)?);
        let volume = grid.cell_volume() * grid.len() as f64;
        let damping = 1e-3;
        let (objective, direction): (Box<dyn Objective>, Box<dyn DirectionSolver<_>>) =
            match entry["objective"].as_str().unwrap() {
                "L2" => (
                    Box::new(LeastSquaresMisfit::new(&grid, data)?),
                    Box::new(Natural { metric: L2, route: Route::Information, damping }),
                ),
                "KL" => (
                    Box::new(KullbackLeibler::new(&grid, data)?),
                    Box::new(Natural { metric: FisherRao, route: Route::Information, damping }),
                ),
                _ => {
                    let mut metric = Wasserstein2::new(plan.clone());
                    metric.floor = 1e-4 / volume;
                    (
                        Box::new(LinearisedWasserstein::new(&plan, data)?),
                        Box::new(Natural { metric, route: Route::Information, damping }),
                    )
                }
            };
        let stop = Stop { iterations: 10, relative_objective: 0.0, relative_step: 1e-8, gradient: 0.0 };
        let descent = Descent::new(&model, objective.as_ref()).direction(direction.as_ref()).stop(stop);
        let start = numbers(&entry["start"]);
        let outcome = descent.run_with(&start, &mut Armijo::remembering(1.0, 1e-4), &mut Silent)?;
        let iterates = entry["iterates"].as_array().unwrap();
        for (k, expected) in iterates.iter().enumerate().take(5) {
            for (found, expected) in outcome.trace[k].theta.iter().zip(numbers(expected)) {
                assert!((found - expected).abs() <= 1e-7 * expected.abs(), "{what} iterate {k}: {found} {expected}");
            }
        }
        assert!(outcome.last().iteration <= iterates.len(), "{what}: {} iterations", outcome.last().iteration);
        for (found, truth) in outcome.last().theta.iter().zip(TRUTH) {
            assert!((found - truth).abs() < 1e-6, "{what}: {:?}", outcome.last().theta);
        }
        // Exact tangents: p tangent solves per direction, an adjoint solve per gradient.
        let counts = outcome.last().solves;
        assert_eq!(counts.tangent, 3 * outcome.last().iteration, "{what}");
        assert_eq!(counts.adjoint, outcome.trace.len(), "{what}");
    }
    Ok(())
}

#[test]
fn every_metric_runs_from_every_start_and_the_standard_gradient_lags() -> Result<(), Any> {
    let (grid, model) = lorenz(10, "sg", 10.0, 2e-3)?;
    let data = model.state(&TRUTH)?.values;
    let objective = LeastSquaresMisfit::new(&grid, data)?;
    let plan = Arc::new(LaplacianPlan::new(&grid)?);
    for start in [[8.0, 24.0, 2.0], [12.0, 32.0, 3.5], [11.0, 28.0, 8.0 / 3.0]] {
        let run = |direction: &dyn DirectionSolver<_>, iterations: usize| -> Result<(f64, usize), Any> {
            let stop = Stop { iterations, relative_objective: 0.0, relative_step: 1e-9, gradient: 0.0 };
            let descent = Descent::new(&model, &objective).direction(direction).stop(stop);
            let outcome = descent.run_with(&start, &mut Armijo::expanding(1e-4), &mut Silent)?;
            let last = outcome.last();
            let error = last.theta.iter().zip(TRUTH).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            Ok((error, last.iteration))
        };
        let (l2, _) = run(&Natural::new(L2), 40)?;
        let (w2, _) = run(&Natural::new(Wasserstein2::new(plan.clone())), 150)?;
        let (standard, _) = run(&Standard, 40)?;
        assert!(l2 < 1e-6, "{start:?}: {l2:e}");
        assert!(w2 < 1e-5, "{start:?}: {w2:e}");
        assert!(standard > 10.0 * l2, "{start:?}: {standard:e}");
    }
    Ok(())
}
