//! Starts that are narrower or wider than the data: directions stay right, and no end is called what it is not.
#![allow(clippy::unwrap_used)]
// References keep the digits they were computed with.
#![allow(clippy::excessive_precision)]

use std::ops::ControlFlow;
use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use wngd::adjoint::State;
use wngd::linalg::dense::norm;
use wngd::linalg::faer::Mat;
use wngd::opt::{
    Direction, DirectionError, Estimator, Iteration, MatrixFree, Metric, Point, PreparedDirection, Stationarity,
    StepRule,
};
use wngd::prelude::*;

const ROUTES: [Route; 4] = [Route::Qr, Route::Svd, Route::Lsmr, Route::Information];

fn mixture(grid: &Grid, weight: f64, means: [f64; 2], variance: f64, free: &[&str]) -> GaussianMixture {
    let parameters = MixtureParameters {
        weights: vec![weight, 1.0 - weight],
        means: means.iter().map(|m| vec![*m]).collect(),
        covariances: Covariances::Diagonal(vec![vec![variance]; 2]),
    };
    GaussianMixture::new(grid.clone(), parameters, free).unwrap()
}

fn state(model: &GaussianMixture) -> State {
    model.state(&model.theta()).unwrap()
}

fn metrics(grid: &Grid) -> Vec<Box<dyn Metric>> {
    vec![
        Box::new(L2),
        Box::new(FisherRao),
        Box::new(Sobolev::new(grid, SobolevOrder::One)),
        Box::new(Sobolev::new(grid, SobolevOrder::MinusOne)),
        Box::new(Wasserstein2::new(Arc::new(LaplacianPlan::new(grid).unwrap()))),
    ]
}

/// The direction of every route, and of the matrix-free solvers that have no error of their own.
fn directions(model: &GaussianMixture, objective: &dyn Objective, metric: &dyn Metric) -> Vec<(String, Direction)> {
    let theta = model.theta();
    let linear = model.linearize(&theta).unwrap();
    let (_, u) = objective.derivative(&linear.state).unwrap();
    let point = Point { theta: &theta, state: &linear.state, iteration: 0, rounding: &[] };
    let c = objective.cell_volume();
    let mut found = Vec::new();
    for route in ROUTES {
        let rule = Natural { metric, route, damping: 0.0 };
        let direction = rule.prepare(&point, linear.jacobian.clone(), &u, c).unwrap().direction(0.0).unwrap();
        found.push((format!("{route:?}"), direction));
    }
    for estimator in [Estimator::Exact, Estimator::Krylov, Estimator::Nystrom, Estimator::Preconditioned] {
        let rule = MatrixFree { estimator, damping: 0.0, tolerance: 1e-14, ..MatrixFree::new(metric) };
        let direction = rule.prepare(&point, linear.jacobian.clone(), &u, c).unwrap().direction(0.0).unwrap();
        found.push((estimator.name().to_string(), direction));
    }
    found
}

fn gap(a: &[f64], b: &[f64]) -> f64 {
    norm(&a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<_>>()) / norm(b)
}

type NamedRule<'a> = (String, Box<dyn DirectionSolver<Mat<f64>> + 'a>);

/// Directions in sixty decimal digits, from the formulas of the mixture and of the three metrics.
#[test]
fn directions_at_a_narrow_start_are_those_of_sixty_digits() {
    let grid = Grid::new(&[-12.0], &[14.0], &[60]).unwrap();
    let model = mixture(&grid, 0.3, [0.0, 3.0], 0.25, &["weights", "means"]);
    let data = mixture(&grid, 0.4, [0.5, 2.5], 2.0, &["means"]);
    let objective = KullbackLeibler::with_logarithms(&grid, state(&data)).unwrap();
    let expected: [(&str, [f64; 3]); 3] = [
        ("l2", [0.561115163273511348, 2.02320526665133928, -0.378846927981430153]),
        ("fisher-rao", [0.133920019155734679, 0.176331376383983518, -0.0730562220705665462]),
        ("wasserstein", [0.0233861722713318568, 0.762714849789443881, -0.252548983686638497]),
    ];
    let all = metrics(&grid);
    for (name, eta) in expected {
        let metric = all.iter().find(|m| m.name() == name).unwrap();
        for (route, direction) in directions(&model, &objective, metric.as_ref()) {
            let error = gap(&direction.eta, &eta);
            assert!(error < 1e-11, "{name} {route}: {error:e}");
            assert!(direction.inconsistency < 1e-9, "{name} {route}: {:e}", direction.inconsistency);
        }
    }
}

/// Widths from 0.3 to 3 times the data's.
fn starts(count: usize) -> impl Iterator<Item = (Grid, GaussianMixture, KullbackLeibler)> {
    let mut rng = Pcg64::seed_from_u64(17);
    (0..count).map(move |_| {
        let grid = Grid::new(&[-12.0], &[14.0], &[100]).unwrap();
        let width: f64 = 10f64.powf(rng.random_range(-0.52..0.48));
        let mut draw = |low: f64, high: f64| rng.random_range(low..high);
        let data = mixture(&grid, draw(0.2, 0.8), [draw(-1.5, 0.5), draw(1.5, 4.0)], draw(0.5, 1.5), &["means"]);
        let start = [draw(-2.0, 1.0), draw(1.0, 5.0)];
        let model = mixture(&grid, draw(0.2, 0.8), start, width * width, &["weights", "means", "covariances"]);
        let objective = KullbackLeibler::with_logarithms(&grid, state(&data)).unwrap();
        (grid, model, objective)
    })
}

#[test]
fn routes_agree_at_two_hundred_mismatched_starts() {
    let (mut compared, mut far) = (0, 0);
    for (number, (grid, model, objective)) in starts(200).enumerate() {
        for metric in metrics(&grid) {
            let found = directions(&model, &objective, metric.as_ref());
            let reference = &found[0].1;
            far += usize::from(!(reference.condition < 1e4));
            if !(reference.condition < 1e4) {
                continue;
            }
            compared += 1;
            for (route, direction) in &found[1..] {
                let error = gap(&direction.eta, &reference.eta);
                assert!(error < 1e-8, "start {number}, {} {route}: {error:e}", metric.name());
            }
        }
    }
    assert!(compared > 900, "{compared} of 1000 compared, {far} beyond the condition");
}

#[test]
fn descents_from_mismatched_starts_end_in_minima_or_say_why_not() {
    let mut converged = 0;
    for (number, (_, model, objective)) in starts(200).enumerate() {
        let outcome = Descent::new(&model, &objective).metric(FisherRao).run(&model.theta()).unwrap();
        let last = outcome.last();
        if outcome.status.name() != "converged" {
            assert!(outcome.status.reason().is_some() || last.iteration == 200, "{number}: {:?}", outcome.status);
            continue;
        }
        converged += 1;
        // An independent look: no parameter alone gains anything.
        let value = |j: usize, h: f64| {
            let mut theta = last.theta.clone();
            theta[j] += h * theta[j].abs().max(0.1);
            model.state(&theta).ok().and_then(|s| objective.value(&s).ok()).unwrap_or(f64::INFINITY)
        };
        for j in 0..last.theta.len() {
            for h in [-1e-3, -1e-4, 1e-4, 1e-3] {
                let gain = last.objective - value(j, h);
                assert!(gain <= 1e-12 + 1e-9 * last.objective, "{number}: parameter {j}, {h}: gains {gain:e}");
            }
        }
    }
    // The others lose a component to the edge of the simplex or of the box.
    assert!(converged >= 170, "{converged} of 200 converged");
}

/// A rule whose solve has failed without knowing it.
struct Broken;

struct Zero(usize);

impl DirectionSolver<Mat<f64>> for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }
    fn prepare<'a>(
        &'a self,
        _: &Point<'_>,
        jacobian: Mat<f64>,
        _: &[f64],
        _: f64,
    ) -> Result<Box<dyn PreparedDirection + 'a>, DirectionError>
    where
        Mat<f64>: 'a,
    {
        Ok(Box::new(Zero(jacobian.ncols())))
    }
}

impl PreparedDirection for Zero {
    fn direction(&self, _: f64) -> Result<Direction, DirectionError> {
        let (rank, eta) = (self.0, vec![0.0; self.0]);
        Ok(Direction { eta, rank, condition: 1.0, algorithm: None, inconsistency: 0.0, estimate: None })
    }
    fn information(&self) -> Option<Mat<f64>> {
        None
    }
    fn curvature(&self, _: &[f64]) -> f64 {
        0.0
    }
}

#[test]
fn a_direction_that_promises_nothing_is_no_convergence() {
    let grid = Grid::new(&[-8.0], &[8.0], &[80]).unwrap();
    let model = mixture(&grid, 0.5, [-1.0, 1.0], 0.5, &["means"]);
    let objective = LeastSquaresMisfit::new(&grid, state(&mixture(&grid, 0.5, [-1.5, 1.0], 0.5, &["means"])).values);
    let objective = objective.unwrap();
    let rules: [Box<dyn StepRule>; 2] =
        [Box::new(Armijo::expanding(1e-4)), Box::new(LevenbergMarquardt::new(1e-3, 1.0))];
    for mut rule in rules {
        let descent = Descent::new(&model, &objective).direction(&Broken);
        let outcome = descent.run_with(&model.theta(), rule.as_mut(), &mut Silent).unwrap();
        assert_eq!(outcome.status.name(), "stalled", "{}", rule.name());
        assert!(outcome.stationarity.is_some_and(|s: Stationarity| !s.stationary));
    }
}

#[test]
fn every_solver_ends_in_the_minimum_or_stalls() {
    let grid = Grid::new(&[-8.0], &[8.0], &[160]).unwrap();
    let single = |mean: f64, variance: f64, free: &[&str]| {
        let parameters = MixtureParameters {
            weights: vec![1.0],
            means: vec![vec![mean]],
            covariances: Covariances::Isotropic(vec![variance]),
        };
        GaussianMixture::new(grid.clone(), parameters, free).unwrap()
    };
    let data = state(&single(-0.03, 1.13, &["means"]));
    let objective = KullbackLeibler::new(&grid, data.values).unwrap();
    for start in [(0.3, 0.25), (-2.0, 0.2), (0.0, 6.0), (1.5, 0.4)] {
        let model = single(start.0, start.1, &["means", "covariances"]);
        for metric in metrics(&grid) {
            let metric: &dyn Metric = metric.as_ref();
            let free = |estimator| MatrixFree { estimator, damping: 1e-6, ..MatrixFree::new(metric) };
            let mut rules: Vec<NamedRule<'_>> = Vec::new();
            for route in ROUTES {
                rules.push((format!("{route:?}"), Box::new(Natural { metric, route, damping: 0.0 })));
            }
            for estimator in [Estimator::Krylov, Estimator::Nystrom, Estimator::Preconditioned, Estimator::Sketched] {
                rules.push((estimator.name().into(), Box::new(free(estimator))));
            }
            for (name, rule) in rules {
                let outcome = Descent::new(&model, &objective)
                    .direction(rule.as_ref())
                    .run_with(&model.theta(), &mut Armijo::expanding(1e-4), &mut |_: &Iteration| {
                        ControlFlow::Continue(())
                    })
                    .unwrap();
                let theta = &outcome.last().theta;
                let error = (theta[0] + 0.03).abs().max((theta[1] - 1.13).abs());
                let status = outcome.status;
                let name = format!("{} {name} from {start:?}", metric.name());
                assert!(status.name() != "converged" || error < 1e-4, "{name}: {error:e}, {:?}", status.reason());
                let exact = !matches!(rule.name(), "none") && !name.contains("sketched");
                assert!(!exact || status.name() == "converged", "{name}: {status:?} at {theta:?}");
            }
        }
    }
}

#[test]
fn the_minimum_of_kl_does_not_depend_on_the_mass_of_the_data() {
    let grid = Grid::new(&[-8.0], &[8.0], &[100]).unwrap();
    let truth = mixture(&grid, 0.6, [-1.0, 2.0], 0.4, &["means"]);
    for mass in [0.1, 0.9, 1.0, 2.0] {
        let data: Vec<f64> = state(&truth).values.iter().map(|v| mass * v).collect();
        let objective = KullbackLeibler::new(&grid, data).unwrap();
        let model = mixture(&grid, 0.5, [-2.0, 1.0], 1.0, &["weights", "means", "covariances"]);
        for metric in [Box::new(L2) as Box<dyn Metric>, Box::new(FisherRao)] {
            let outcome = Descent::new(&model, &objective).metric(metric).run(&model.theta()).unwrap();
            assert_eq!(outcome.status.name(), "converged", "{mass}: {:?}", outcome.status);
            assert!(outcome.trace.iter().all(|row| row.objective >= 0.0));
            for (found, right) in outcome.last().theta.iter().zip([0.6, -1.0, 2.0, 0.4, 0.4]) {
                assert!((found - right).abs() < 1e-4, "{mass}: {:?}", outcome.last().theta);
            }
        }
    }
}

#[test]
fn densities_that_do_not_meet_are_not_fitted() {
    let grid = Grid::new(&[-10.0], &[300.0], &[620]).unwrap();
    let data = state(&mixture(&grid, 0.5, [0.0, 1.0], 1.0, &["means"]));
    let objective = LeastSquaresMisfit::new(&grid, data.values).unwrap();
    let model = mixture(&grid, 0.5, [100.0, 200.0], 1.0, &["means"]);
    let outcome = Descent::new(&model, &objective).run(&model.theta()).unwrap();
    assert_eq!(outcome.status.name(), "stalled");
    assert!(outcome.status.reason().is_some_and(|reason| reason.contains("do not overlap")));
}
