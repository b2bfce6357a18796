//! Directions of every route, metric and objective in one to three dimensions against 120 decimal digits, at starts from
//! 0.3 to 3 times as wide as the data.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use common::digits::{Digits, Form, digits, homogeneous, information};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use wngd::adjoint::State;
use wngd::linalg::dense::norm;
use wngd::opt::{Estimator, MatrixFree, Metric, Point};
use wngd::prelude::*;

/// Relative error of a direction.
const ERROR: f64 = 1e-10;
/// Scaled condition number of Y up to which it is promised.
const CONDITION: f64 = 1e6;

const ROUTES: [Route; 4] = [Route::Qr, Route::Svd, Route::Lsmr, Route::Information];
const FORMS: [Form; 6] =
    [Form::L2, Form::FisherRao, Form::Sobolev, Form::SobolevInverse, Form::HomogeneousInverse, Form::Wasserstein];

fn metric(form: Form, grid: &Grid) -> Box<dyn Metric> {
    match form {
        Form::L2 => Box::new(L2),
        Form::FisherRao => Box::new(FisherRao),
        Form::Sobolev => Box::new(Sobolev::new(grid, SobolevOrder::One)),
        Form::SobolevInverse => Box::new(Sobolev::new(grid, SobolevOrder::MinusOne)),
        Form::HomogeneousInverse => Box::new(Sobolev::new(grid, SobolevOrder::HomogeneousMinusOne)),
        Form::Wasserstein => Box::new(Wasserstein2::new(Arc::new(LaplacianPlan::new(grid).unwrap()))),
    }
}

/// A mixture of two with the start's width, and data of width 1.
struct Problem {
    grid: Grid,
    model: GaussianMixture,
    data: State,
}

impl Problem {
    fn new(dim: usize, width: f64, free: &[&str], rng: &mut Pcg64) -> Self {
        let cells = [48, 14, 7][dim - 1];
        let grid = Grid::new(&vec![-4.5; dim], &vec![4.0; dim], &vec![cells; dim]).unwrap();
        let mut mixture = |width: f64, free: &[&str]| {
            let mut mean = |side: f64| (0..dim).map(|_| side + rng.random_range(-0.5..0.5)).collect::<Vec<f64>>();
            let means = vec![mean(-1.0), mean(0.8)];
            let spread = |factor: f64| vec![factor * width * width; dim];
            let parameters = MixtureParameters {
                weights: vec![0.4, 0.6],
                means,
                covariances: Covariances::Diagonal(vec![spread(1.0), spread(0.7)]),
            };
            GaussianMixture::new(grid.clone(), parameters, free).unwrap()
        };
        let (model, data) = (mixture(width, free), mixture(1.0, &["means"]));
        let data = data.state(&data.theta()).unwrap();
        Self { grid, model, data }
    }

    /// Each objective with its derivative, in all digits where it has a formula in one line.
    fn objectives(&self, state: &State) -> Vec<(Box<dyn Objective>, Vec<Digits>)> {
        let all = |values: &[f64]| values.iter().map(|v| digits(*v)).collect::<Vec<_>>();
        let (grid, data) = (&self.grid, &self.data);
        let difference: Vec<Digits> =
            all(&state.values).into_iter().zip(all(&data.values)).map(|(a, b)| a - b).collect();
        let mean = difference.iter().fold(digits(0.0), |sum, d| sum + d) / digits(difference.len() as f64);
        let level: Vec<Digits> = difference.iter().map(|d| d - &mean).collect();
        let logarithms = |state: &State| match &state.log_values {
            Some(logs) => all(logs),
            None => all(&state.values.iter().map(|v| v.ln()).collect::<Vec<f64>>()),
        };
        let ratio = logarithms(data).into_iter().zip(logarithms(state));
        let likelihood: Vec<Digits> = ratio.map(|(data, own)| digits(1.0) - (data - own).exp()).collect();
        let potential = homogeneous(grid, &level);
        let middle = potential.iter().fold(digits(0.0), |sum, d| sum + d) / digits(potential.len() as f64);
        let plan = Arc::new(LaplacianPlan::new(grid).unwrap());
        let linearised = LinearisedWasserstein::new(&plan, data.values.clone()).unwrap();
        let (_, given) = linearised.derivative(state).unwrap();
        vec![
            (Box::new(LeastSquaresMisfit::new(grid, data.values.clone()).unwrap()) as Box<dyn Objective>, difference),
            (Box::new(KullbackLeibler::with_logarithms(grid, data.clone()).unwrap()), likelihood),
            (
                Box::new(NegativeSobolev::new(grid, data.values.clone()).unwrap()),
                potential.iter().map(|u| u - &middle).collect(),
            ),
            (Box::new(linearised), all(&given)),
        ]
    }
}

#[derive(Default)]
struct Seen {
    compared: usize,
    beyond: usize,
    worst: f64,
}

fn study(dim: usize, least: usize) {
    let mut rng = Pcg64::seed_from_u64(41 + dim as u64);
    let mut seen: BTreeMap<String, Seen> = BTreeMap::new();
    let mut bad = Vec::new();
    for width in [0.3, 0.55, 1.0, 1.7, 3.0] {
        for free in [&["weights", "means"][..], &["weights", "means", "covariances"]] {
            let problem = Problem::new(dim, width, free, &mut rng);
            let theta = problem.model.theta();
            let linear = problem.model.linearize(&theta).unwrap();
            let state = &linear.state;
            let columns = (0..linear.jacobian.ncols())
                .map(|j| linear.jacobian.col_as_slice(j).iter().map(|v| digits(*v)).collect())
                .collect::<Vec<Vec<Digits>>>();
            let point = Point { theta: &theta, state, iteration: 0, rounding: &[] };
            let forms: Vec<_> = FORMS
                .map(|form| (form, information(&problem.grid, form, &state.values, &columns)))
                .into_iter()
                .collect();
            for (objective, exact) in problem.objectives(state) {
                let (_, u) = objective.derivative(state).unwrap();
                let c = objective.cell_volume();
                for (form, reference) in &forms {
                    let expected = reference.direction(&exact);
                    let metric = metric(*form, &problem.grid);
                    let mut compare = |route: String, eta: &[f64]| {
                        let apart: Vec<f64> = eta.iter().zip(&expected).map(|(a, b)| a - b).collect();
                        let error = norm(&apart) / norm(&expected);
                        let entry = seen.entry(format!("{form:?}")).or_default();
                        // Of G: the square of that of Y.
                        if reference.scaled_condition >= CONDITION * CONDITION {
                            entry.beyond += 1;
                            return;
                        }
                        entry.compared += 1;
                        entry.worst = entry.worst.max(error);
                        if !(error < ERROR) {
                            bad.push(format!(
                                "{dim}-D, width {width}, {} parameters, {}, {form:?}, {route}: {error:.1e} at {:.1e}",
                                eta.len(),
                                objective.name(),
                                reference.scaled_condition.sqrt()
                            ));
                        }
                    };
                    for route in ROUTES {
                        let rule = Natural { metric: &metric, route, damping: 0.0 };
                        let prepared = rule.prepare(&point, linear.jacobian.clone(), &u, c).unwrap();
                        compare(format!("{route:?}"), &prepared.direction(0.0).unwrap().eta);
                    }
                    for estimator in [Estimator::Exact, Estimator::Krylov, Estimator::Preconditioned] {
                        let rule = MatrixFree { estimator, damping: 0.0, tolerance: 1e-14, ..MatrixFree::new(&metric) };
                        let prepared = rule.prepare(&point, linear.jacobian.clone(), &u, c).unwrap();
                        compare(estimator.name().into(), &prepared.direction(0.0).unwrap().eta);
                    }
                }
            }
        }
    }
    for (form, Seen { compared, beyond, worst }) in &seen {
        println!("{dim}-D {form}: {compared} compared, worst {worst:.1e}, {beyond} beyond the condition");
    }
    assert!(bad.is_empty(), "{} wrong:\n{}", bad.len(), bad.join("\n"));
    assert!(seen.values().all(|seen| seen.compared >= least), "few compared");
}

#[test]
fn on_a_line() {
    study(1, 200);
}

#[test]
fn in_the_plane() {
    study(2, 200);
}

#[test]
fn in_space() {
    study(3, 200);
}
