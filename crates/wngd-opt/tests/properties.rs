//! Laws of metrics, directions and objectives at random states, hostile ones among them.
#![allow(clippy::unwrap_used)]

#[path = "../../../tests/common/cases.rs"]
mod cases;

use std::sync::Arc;

use cases::config;
use proptest::prelude::*;
use wngd_adjoint::State;
use wngd_linalg::dense::{column, dot, norm, sum};
use wngd_linalg::faer::Mat;
use wngd_linalg::operator::{apply_transpose_vec, apply_vec};
use wngd_linalg::{Divergence, FaceMean, Grid, LaplacianPlan};
use wngd_opt::{
    DirectionSolver, FaceDensity, FisherRao, KullbackLeibler, L2, LeastSquaresMisfit, LinearisedWasserstein, Metric,
    Natural, NegativeSobolev, Objective, Point, PreparedDirection, Route, Sobolev, SobolevOrder, Wasserstein,
    Wasserstein2,
};

/// A state of mass 1 on a grid, a Jacobian of tangents ρ·g, and a derivative u.
#[derive(Debug, Clone)]
struct Problem {
    grid: Grid,
    rho: Vec<f64>,
    z: Mat<f64>,
    u: Vec<f64>,
}

/// Problems with at least `fewest` cells, whose densities are made of the given ones.
fn problems(fewest: usize, cell: BoxedStrategy<f64>) -> impl Strategy<Value = Problem> {
    let grids = (1usize..=3).prop_flat_map(move |dim| {
        let (least, most) = ([fewest, fewest.div_ceil(4), 1 + fewest / 8][dim - 1], [30, 8, 5][dim - 1]);
        (prop::collection::vec(least..=most, dim), prop::collection::vec(-0.5..0.5f64, dim))
    });
    grids.prop_flat_map(move |(cells, sizes)| {
        let upper: Vec<f64> = cells.iter().zip(&sizes).map(|(n, s)| *n as f64 * 10f64.powf(*s)).collect();
        let grid = Grid::new(&vec![0.0; cells.len()], &upper, &cells).unwrap();
        let k = grid.len();
        let numbers = prop::collection::vec(-1.0..1.0f64, 4 * k);
        let raw = prop::collection::vec(cell.clone(), k);
        (Just(grid), raw, numbers, 1usize..=3).prop_map(|(grid, raw, numbers, p)| {
            let (k, total) = (grid.len(), grid.cell_volume() * sum(raw.iter().copied()));
            let rho: Vec<f64> = if total > 0.0 { raw.iter().map(|r| r / total).collect() } else { raw };
            let z = Mat::from_fn(k, p, |i, j| rho[i] * numbers[j * k + i]);
            Problem { grid, rho, z, u: numbers[3 * k..].to_vec() }
        })
    })
}

/// Six decades.
fn tame() -> BoxedStrategy<f64> {
    (-12.0..2.0f64).prop_map(f64::exp).boxed()
}

fn hostile() -> BoxedStrategy<f64> {
    prop_oneof![
        Just(0.0),
        Just(5e-324),
        Just(1e-310),
        Just(1e-300),
        (-650.0..3.0f64).prop_map(f64::exp),
        (-2.0..2.0f64).prop_map(f64::exp),
    ]
    .boxed()
}

fn metrics(grid: &Grid) -> Vec<Box<dyn Metric>> {
    let plan = Arc::new(LaplacianPlan::new(grid).unwrap());
    let mut all: Vec<Box<dyn Metric>> = vec![Box::new(L2), Box::new(FisherRao)];
    for order in [SobolevOrder::One, SobolevOrder::MinusOne, SobolevOrder::HomogeneousMinusOne] {
        all.push(Box::new(Sobolev::new(grid, order)));
    }
    for mean in [FaceMean::Arithmetic, FaceMean::Geometric, FaceMean::Logarithmic, FaceMean::Harmonic] {
        let mut metric = Wasserstein2::new(plan.clone());
        metric.faces = FaceDensity::Mean(mean);
        all.push(Box::new(metric));
    }
    all
}

impl Problem {
    /// Z without the mass that a metric cannot create.
    fn compatible(&self, metric: &dyn Metric) -> Mat<f64> {
        let balance: Vec<f64> = match metric.name() {
            "wasserstein" => self.rho.clone(),
            "homogeneous-h-1" => vec![1.0; self.grid.len()],
            _ => return self.z.clone(),
        };
        let total = sum(balance.iter().copied());
        let excess: Vec<f64> = (0..self.z.ncols()).map(|j| sum(column(self.z.as_ref(), j)) / total).collect();
        Mat::from_fn(self.grid.len(), self.z.ncols(), |i, j| self.z[(i, j)] - balance[i] * excess[j])
    }

    fn prepare<'a>(&self, solver: &'a Natural<&'a dyn Metric>, z: &Mat<f64>) -> Box<dyn PreparedDirection + 'a> {
        let state = State::new(self.rho.clone());
        let point = Point { theta: &[], state: &state, iteration: 0, rounding: &[] };
        solver.prepare(&point, z.clone(), &self.u, self.grid.cell_volume()).unwrap()
    }
}

fn gap(a: &[f64], b: &[f64]) -> f64 {
    norm(&a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(config(60))]

    #[test]
    fn whitening_has_a_transpose_and_pairs_with_derivatives(problem in problems(2, tame())) {
        let state = State::new(problem.rho.clone());
        let point = Point { theta: &[], state: &state, iteration: 0, rounding: &[] };
        let Problem { z, u, .. } = &problem;
        for metric in metrics(&problem.grid) {
            let local = metric.at(&point).unwrap();
            let (y, b) = (local.whiten(z.clone()).y, local.whiten_derivative(u));
            // bᵀY = uᵀZ for the tangents that the metric knows.
            let known = problem.compatible(metric.as_ref());
            let (left, right) = (apply_transpose_vec(&y, &b), apply_transpose_vec(&known, u));
            let xi: Vec<f64> = (0..y.nrows()).map(|i| (0.7 * i as f64 + 0.3).sin()).collect();
            let h = column(local.whiten_transpose(Mat::from_fn(xi.len(), 1, |i, _| xi[i])).as_ref(), 0);
            let (xi_y, h_z) = (apply_transpose_vec(&y, &xi), apply_transpose_vec(z, &h));
            for j in 0..y.ncols() {
                let (of_y, of_z) = (y.col(j).norm_l2(), z.col(j).norm_l2());
                prop_assert!((left[j] - right[j]).abs() <= 1e-9 * (of_y * norm(&b) + of_z * norm(u)), "{}", metric.name());
                prop_assert!((xi_y[j] - h_z[j]).abs() <= 1e-9 * (of_y * norm(&xi) + of_z * norm(&h)), "{}", metric.name());
            }
        }
    }

    #[test]
    fn sobolev_metrics_are_those_of_the_plain_laplacian(problem in problems(2, tame())) {
        let state = State::new(problem.rho.clone());
        let point = Point { theta: &[], state: &state, iteration: 0, rounding: &[] };
        let grid = &problem.grid;
        let gradient = Divergence::from_faces(grid, &vec![1.0; grid.face_count()]).unwrap();
        // (c − Δ)v with the Laplacian of the faces.
        let shifted = |c: f64, v: &[f64]| -> Vec<f64> {
            apply_vec(&gradient, &apply_transpose_vec(&gradient, v)).iter().zip(v).map(|(d, v)| d + c * v).collect()
        };
        let z = column(problem.z.as_ref(), 0);
        let mean = sum(z.iter().copied()) / grid.len() as f64;
        let stiff: f64 = 1.0 + grid.spacing().iter().map(|h| 4.0 / (h * h)).sum::<f64>();
        for order in [SobolevOrder::One, SobolevOrder::MinusOne, SobolevOrder::HomogeneousMinusOne] {
            let metric = Sobolev::new(grid, order);
            let local = metric.at(&point).unwrap();
            let z1 = Mat::from_fn(z.len(), 1, |i, _| z[i]);
            // LᵀL z, whose inverse or self is a shifted Laplacian.
            let twice = column(local.whiten_transpose(local.whiten(z1).y).as_ref(), 0);
            let (found, wanted) = match order {
                SobolevOrder::One => (twice, shifted(1.0, &z)),
                SobolevOrder::MinusOne => (shifted(1.0, &twice), z.clone()),
                SobolevOrder::HomogeneousMinusOne => {
                    (shifted(0.0, &twice), z.iter().map(|v| v - mean).collect())
                }
            };
            prop_assert!(gap(&found, &wanted) <= 1e-10 * stiff * norm(&z), "{order:?}");
        }
    }

    #[test]
    fn information_is_symmetric_and_no_tangent_has_negative_length(
        problem in problems(2, tame()), eta in prop::collection::vec(-1.0..1.0f64, 3)
    ) {
        for metric in metrics(&problem.grid) {
            let solver = Natural::new(metric.as_ref());
            let prepared = problem.prepare(&solver, &problem.z);
            let g = prepared.information().unwrap();
            let p = g.ncols();
            let eta = &eta[..p];
            prop_assert!((0..p).all(|i| (0..p).all(|j| g[(i, j)] == g[(j, i)])), "{}", metric.name());
            let (length, scale) = (dot(eta, &apply_vec(&g, eta)), g.norm_max() * norm(eta).powi(2));
            prop_assert!(length >= -1e-14 * scale && prepared.curvature(eta) >= 0.0, "{}", metric.name());
            prop_assert!((length - prepared.curvature(eta)).abs() <= 1e-12 * scale, "{}", metric.name());
        }
    }

    #[test]
    fn every_route_gives_the_same_direction_of_descent(
        problem in problems(8, tame()), damping in prop_oneof![Just(0.0), 1e-6..1.0f64]
    ) {
        for metric in metrics(&problem.grid) {
            let by = |route| Natural { metric: metric.as_ref(), route, damping };
            let solver = by(Route::Qr);
            let prepared = problem.prepare(&solver, &problem.z);
            let reference = prepared.direction(damping).unwrap();
            let volume = problem.grid.cell_volume();
            let pairing = apply_transpose_vec(&problem.compatible(metric.as_ref()), &problem.u);
            let slope = volume * dot(&pairing, &reference.eta);
            let steepest = volume * norm(&pairing) * norm(&reference.eta);
            prop_assert!(slope <= 1e-12 * steepest, "{}: {slope}", metric.name());
            if !(reference.condition < 1e4) {
                continue;
            }
            // The normal equations, paired with η: slope = −ηᵀ(G + λ diag G)η.
            let g = prepared.information().unwrap();
            let damped: f64 = (0..g.ncols()).map(|i| damping * g[(i, i)] * reference.eta[i].powi(2)).sum();
            let length = prepared.curvature(&reference.eta) + damped;
            prop_assert!((slope + length).abs() <= 1e-7 * steepest, "{}: {slope} {length}", metric.name());
            for route in [Route::Svd, Route::Lsmr, Route::Information] {
                let solver = by(route);
                let other = problem.prepare(&solver, &problem.z).direction(damping).unwrap();
                let allowed = 1e-13 * reference.condition.powi(2).max(1e4) * norm(&reference.eta);
                prop_assert!(gap(&other.eta, &reference.eta) <= allowed, "{} {route:?}", metric.name());
                prop_assert_eq!(other.rank, reference.rank);
            }
        }
    }

    #[test]
    fn directions_do_not_depend_on_the_parametrisation(
        problem in problems(8, tame()), entries in prop::collection::vec(-0.3..0.3f64, 9),
        exponents in prop::array::uniform3(-30i32..30), mixed in any::<bool>(),
    ) {
        // θ = Aθ', a change of units or of coordinates: η = Aη'.
        let p = problem.z.ncols();
        let a = Mat::from_fn(p, p, |i, j| match (mixed, i == j) {
            (true, _) => entries[3 * i + j] + if i == j { 1.0 } else { 0.0 },
            (false, true) => 2f64.powi(exponents[i]),
            (false, false) => 0.0,
        });
        let moved = &problem.z * &a;
        for metric in metrics(&problem.grid) {
            let solver = Natural::new(metric.as_ref());
            let here = problem.prepare(&solver, &problem.z).direction(0.0).unwrap();
            let there = problem.prepare(&solver, &moved).direction(0.0).unwrap();
            if here.condition < 1e4 {
                prop_assert!(gap(&apply_vec(&a, &there.eta), &here.eta) <= 1e-7 * norm(&here.eta), "{}", metric.name());
            }
        }
    }

    #[test]
    fn hostile_states_are_refused_or_give_finite_directions(problem in problems(1, hostile())) {
        let state = State::new(problem.rho.clone());
        let point = Point { theta: &[], state: &state, iteration: 0, rounding: &[] };
        for metric in metrics(&problem.grid) {
            for route in [Route::Qr, Route::Svd, Route::Information] {
                let solver = Natural { metric: metric.as_ref(), route, damping: 0.0 };
                let prepared = solver.prepare(&point, problem.z.clone(), &problem.u, problem.grid.cell_volume());
                let Ok(prepared) = prepared else {
                    prop_assert!(problem.rho.iter().all(|r| *r < 1e-280), "{}", metric.name());
                    continue;
                };
                let g = prepared.information().unwrap();
                let p = g.ncols();
                prop_assert!((0..p).all(|i| g[(i, i)] >= 0.0 && g[(i, i)].is_finite()), "{} {g:?}", metric.name());
                let direction = prepared.direction(0.0).unwrap();
                prop_assert!(direction.eta.iter().all(|e| e.is_finite()) && direction.rank <= p, "{}", metric.name());
            }
        }
    }

    #[test]
    fn objectives_vanish_at_the_data_and_have_exact_derivatives(
        problem in problems(2, (-2.0..2.0f64).prop_map(f64::exp).boxed())
    ) {
        let Problem { grid, rho: data, z, u: wave } = &problem;
        let plan = Arc::new(LaplacianPlan::new(grid).unwrap());
        let volume = grid.cell_volume();
        let objectives: Vec<Box<dyn Objective>> = vec![
            Box::new(LeastSquaresMisfit::new(grid, data.clone()).unwrap()),
            Box::new(KullbackLeibler::new(grid, data.clone()).unwrap()),
            Box::new(NegativeSobolev::new(grid, data.clone()).unwrap()),
            Box::new(LinearisedWasserstein::new(&plan, data.clone()).unwrap()),
            Box::new(Wasserstein::new(&plan, data.clone()).unwrap()),
        ];
        // Another density of mass 1, and a move that keeps its mass.
        let other: Vec<f64> = data.iter().zip(wave).map(|(r, u)| r * (1.0 + 0.5 * u)).collect();
        let total = volume * sum(other.iter().copied());
        let mut step = column(z.as_ref(), 0);
        let excess = volume * sum(step.iter().copied());
        step.iter_mut().zip(data).for_each(|(s, r)| *s -= r * excess);
        let at = |h: f64| State::new(other.iter().zip(&step).map(|(r, s)| r / total + h * s).collect());
        for objective in objectives {
            let zero = objective.value(&State::new(data.clone())).unwrap();
            let (value, u) = objective.derivative(&at(0.0)).unwrap();
            prop_assert!(zero.abs() <= 1e-12 && value >= -1e-14, "{}: {zero} {value}", objective.name());
            prop_assert!((objective.value(&at(0.0)).unwrap() - value).abs() <= 1e-12 * (1.0 + value));
            let slope = volume * dot(&u, &step);
            if objective.name() == "wasserstein" {
                // Transport costs have kinks; potentials are subgradients of a convex function.
                for h in [1e-3, -1e-3] {
                    let there = objective.value(&at(h)).unwrap();
                    prop_assert!(there >= value + h * slope - 1e-9 * (1.0 + value), "{there} {value} {slope}");
                }
                continue;
            }
            let h = 1e-4;
            let difference = (objective.value(&at(h)).unwrap() - objective.value(&at(-h)).unwrap()) / (2.0 * h);
            let scale = volume * norm(&u) * norm(&step) + value.abs() + 1e-9;
            prop_assert!((difference - slope).abs() <= 1e-6 * scale, "{}: {difference} {slope}", objective.name());
        }
    }
}
