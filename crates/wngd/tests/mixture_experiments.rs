//! Descents on the deck's mixtures against independent reference traces.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use serde_json::Value;
use wngd::linalg::faer::Mat;
use wngd::opt::StepRule;
use wngd::prelude::*;

type Any = Box<dyn std::error::Error>;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

const NAMES: [&str; 5] = ["weights[0]", "means[0][0]", "means[0][1]", "means[1][0]", "means[1][1]"];

fn mixture(grid: &Grid, theta: &[f64], variance: f64, free: &[&str]) -> GaussianMixture {
    let parameters = MixtureParameters {
        weights: vec![theta[0], 1.0 - theta[0]],
        means: vec![theta[1..3].to_vec(), theta[3..5].to_vec()],
        covariances: Covariances::Isotropic(vec![variance; 2]),
    };
    GaussianMixture::new(grid.clone(), parameters, free).unwrap()
}

#[test]
fn descents_follow_the_reference_traces() -> Result<(), Any> {
    let all: Value = serde_json::from_str(include_str!("golden/mixture_experiments.json"))?;
    let mut compared = 0;
    for (id, entry) in all.as_object().unwrap() {
        let domain = numbers(&entry["grid"]["domain"]);
        let cells = ["nx", "ny"].map(|n| entry["grid"][n].as_u64().unwrap() as usize);
        let grid = Grid::new(&[domain[0], domain[2]], &[domain[1], domain[3]], &cells)?;
        let variance = entry["var"].as_f64().unwrap_or(1.0);
        let free: Vec<&str> = numbers(&entry["free"]).iter().map(|&i| NAMES[i as usize]).collect();
        let model = mixture(&grid, &numbers(&entry["theta0"]), variance, &free);
        let truth = mixture(&grid, &[0.3, 1.0, 3.0, 3.0, 2.0], variance, &["means"]);
        let objective = LeastSquaresMisfit::new(&grid, truth.state(&truth.theta())?.values)?;
        let plan = Arc::new(LaplacianPlan::new(&grid)?);
        let route = Route::Information;
        let direction: Box<dyn DirectionSolver<Mat<f64>>> = match entry["method"].as_str().unwrap() {
            "std" => Box::new(Standard),
            "L2" => Box::new(Natural { metric: L2, route, damping: 0.0 }),
            "W2" => Box::new(Natural { metric: Wasserstein2::new(plan), route, damping: 0.0 }),
            other => panic!("{other}"),
        };
        let tau = entry["tau"].as_f64().unwrap();
        let mut rule: Box<dyn StepRule> = if entry["armijo"].as_bool() == Some(true) {
            Box::new(Armijo::new(tau, entry["c1"].as_f64().unwrap()))
        } else {
            Box::new(Fixed { length: tau })
        };
        let reaches = entry["hit_1e8"].as_i64().unwrap();
        let relative_objective = if reaches >= 0 { 1e-8 } else { 0.0 };
        let iterations = entry["N"].as_u64().unwrap() as usize;
        let stop = Stop { iterations, relative_objective, ..Stop::default() };
        let outcome = Descent::new(&model, &objective).direction(direction.as_ref()).stop(stop).run_with(
            &model.theta(),
            rule.as_mut(),
            &mut Silent,
        )?;
        if reaches >= 0 {
            assert_eq!(outcome.last().iteration as i64, reaches, "{id}");
            assert_eq!(outcome.status, Status::Converged("relative objective"), "{id}");
        }
        for (iteration, expected) in entry["trace"].as_object().unwrap() {
            let iteration: usize = iteration.parse()?;
            // A descent that has reached rounding stops; the reference goes on in place.
            let row = outcome.trace.get(iteration).unwrap_or(outcome.last());
            let f = entry["f_trace"][&iteration.to_string()].as_f64().unwrap();
            // Close to a minimum, where the line search compares rounding errors, steps may differ.
            let at_minimum = f - entry["f_end"].as_f64().unwrap() < 1e-13 * f;
            let tolerance = if at_minimum { 1e-6 } else { 1e-8 };
            for (found, expected) in row.theta.iter().zip(numbers(expected)) {
                assert!(
                    (found - expected).abs() <= tolerance * expected.abs().max(1.0),
                    "{id} {iteration}: {found} {expected}"
                );
            }
            // f itself is limited by its own rounding, squared differences near zero.
            let slack = 1e-7 * f + 1e-13 * outcome.trace[0].objective;
            assert!((row.objective - f).abs() <= slack, "{id} {iteration}: {} {f}", row.objective);
            compared += 1;
        }
        // The start of every trace row is the reference's definition of its columns.
        assert_eq!((outcome.trace[0].step, outcome.trace[0].iteration), (0.0, 0));
    }
    assert!(compared > 100, "{compared}");
    Ok(())
}

#[test]
fn the_weighted_mixture_traps_the_standard_gradient_but_not_the_natural_ones() -> Result<(), Any> {
    // The deck's claim with its condition: with a fixed step standard descent ends at the
    // local minimum, L² and W₂ at the global one; with a line search all three get there.
    let grid = Grid::new(&[-5.5, -5.5], &[9.5, 9.5], &[85, 85])?;
    let start = [0.01, 1.8, 2.0, 2.5, 1.5];
    let model = mixture(&grid, &start, 0.6, &["weights[0]", "means[0][0]"]);
    let truth = mixture(&grid, &[0.3, 1.0, 3.0, 3.0, 2.0], 0.6, &["means"]);
    let objective = LeastSquaresMisfit::new(&grid, truth.state(&truth.theta())?.values)?;
    let plan = Arc::new(LaplacianPlan::new(&grid)?);
    let run = |direction: &dyn DirectionSolver<Mat<f64>>,
               rule: &mut dyn StepRule,
               iterations: usize|
     -> Result<Vec<f64>, Any> {
        let stop = Stop { iterations, ..Stop::default() };
        let descent = Descent::new(&model, &objective).direction(direction).stop(stop);
        Ok(descent.run_with(&model.theta(), rule, &mut Silent)?.last().theta.clone())
    };
    let near = |theta: &[f64], goal: [f64; 2]| (theta[0] - goal[0]).abs() < 2e-3 && (theta[1] - goal[1]).abs() < 2e-3;
    let (local, global) = ([0.26332, 0.34637], [0.84373, 2.97793]);
    assert!(near(&run(&Standard, &mut Fixed { length: 3.2112 }, 600)?, local));
    assert!(near(&run(&Natural::new(L2), &mut Fixed { length: 0.05 }, 500)?, global));
    assert!(near(&run(&Natural::new(Wasserstein2::new(plan)), &mut Fixed { length: 2.0 }, 400)?, global));
    assert!(near(&run(&Standard, &mut Armijo::new(50.0, 0.1), 400)?, global));
    Ok(())
}

#[test]
fn matched_pairs_are_gauss_newton_methods() -> Result<(), Any> {
    // With its matched metric and unit steps a natural gradient converges in a few iterations.
    let grid = Grid::new(&[-6.0, -6.0], &[9.0, 9.0], &[50, 50])?;
    let model = mixture(&grid, &[0.5, 0.5, 3.4, 3.6, 1.5], 1.0, &NAMES);
    let truth = mixture(&grid, &[0.3, 1.0, 3.0, 3.0, 2.0], 1.0, &["means"]);
    let data = truth.state(&truth.theta())?;
    let plan = Arc::new(LaplacianPlan::new(&grid)?);
    type Pair = (Box<dyn Objective>, Box<dyn DirectionSolver<Mat<f64>>>);
    let pairs: Vec<Pair> = vec![
        (Box::new(LeastSquaresMisfit::new(&grid, data.values.clone())?), Box::new(Natural::new(L2))),
        (Box::new(KullbackLeibler::with_logarithms(&grid, data.clone())?), Box::new(Natural::new(FisherRao))),
        (
            Box::new(NegativeSobolev::new(&grid, data.values.clone())?),
            Box::new(Natural::new(Sobolev::new(&grid, SobolevOrder::HomogeneousMinusOne))),
        ),
        (
            Box::new(LinearisedWasserstein::new(&plan, data.values.clone())?),
            Box::new(Natural::new(Wasserstein2::new(plan.clone()))),
        ),
        (
            Box::new(Wasserstein::new(&plan, data.values.clone())?),
            Box::new(Natural::new(Wasserstein2::new(plan.clone()))),
        ),
    ];
    for (objective, direction) in &pairs {
        let mut rules: Vec<Box<dyn StepRule>> = vec![
            Box::new(Armijo::new(1.0, 1e-4)),
            Box::new(Armijo::expanding(1e-4)),
            Box::new(LevenbergMarquardt::new(1e-2, 1.0)),
        ];
        // The exact W₂ value costs a transport problem each: one rule and few steps are enough.
        let exact = objective.name() == "wasserstein";
        rules.truncate(if exact { 1 } else { 3 });
        let iterations = if exact { 8 } else { 40 };
        for rule in &mut rules {
            let stop = Stop { iterations, relative_objective: 1e-10, ..Stop::default() };
            let descent = Descent::new(&model, objective.as_ref()).direction(direction.as_ref()).stop(stop);
            let outcome = descent.run_with(&model.theta(), rule.as_mut(), &mut Silent)?;
            let last = outcome.last();
            let truth = [0.3, 1.0, 3.0, 3.0, 2.0];
            let error = last.theta.iter().zip(truth).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            // Exact transport on a grid is piecewise smooth: its minimum is found to a fraction of a cell.
            let tolerance = if exact { 5e-3 } else { 1e-4 };
            assert!(error < tolerance, "{} {}: {:?} {last:?}", objective.name(), rule.name(), outcome.status);
            // Every accepted step of these rules lowers f.
            assert!(outcome.trace.windows(2).all(|w| w[1].objective <= w[0].objective), "{}", rule.name());
        }
    }
    Ok(())
}
