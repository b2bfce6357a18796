//! Laws of directions: both routes agree, singular problems, extreme densities, any thread count.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use wngd::adjoint::{Linearization, ModelError, Prior, PriorShape, State};
use wngd::linalg::dense::{column_norms, norm};
use wngd::linalg::faer::{Mat, MatMut, MatRef};
use wngd::linalg::{EliminationKind, FaceMean, LeastSquares, LinearOp, PivotedQr, RowSource, face_densities};
use wngd::opt::{Direction, Metric, Point, PriorTerms};
use wngd::prelude::*;

type Any = Box<dyn std::error::Error>;

fn two(grid: &Grid, free: &[&str]) -> Result<GaussianMixture, Any> {
    let parameters = MixtureParameters {
        weights: vec![0.3, 0.7],
        means: vec![vec![4.2, 4.0], vec![3.0, 2.0]],
        covariances: Covariances::Identity,
    };
    Ok(GaussianMixture::new(grid.clone(), parameters, free)?)
}

fn metrics(grid: &Grid) -> Result<Vec<Box<dyn Metric>>, Any> {
    Ok(vec![
        Box::new(L2),
        Box::new(FisherRao),
        Box::new(Sobolev::new(grid, SobolevOrder::One)),
        Box::new(Sobolev::new(grid, SobolevOrder::MinusOne)),
        Box::new(Sobolev::new(grid, SobolevOrder::HomogeneousMinusOne)),
        Box::new(Wasserstein2::new(Arc::new(LaplacianPlan::new(grid)?))),
    ])
}

fn misfit(grid: &Grid) -> Result<Vec<f64>, Any> {
    let parameters = MixtureParameters {
        weights: vec![0.3, 0.7],
        means: vec![vec![1.0, 3.0], vec![3.0, 2.0]],
        covariances: Covariances::Identity,
    };
    let truth = GaussianMixture::new(grid.clone(), parameters, &["means"])?;
    Ok(truth.state(&truth.theta())?.values)
}

fn all_routes(
    metric: Box<dyn Metric>,
    point: &Point<'_>,
    z: &Mat<f64>,
    u: &[f64],
    c: f64,
    damping: f64,
) -> Result<Vec<Direction>, Any> {
    let mut rule = Natural { metric, route: Route::Qr, damping };
    let mut found = Vec::new();
    for route in [Route::Qr, Route::Svd, Route::Lsmr, Route::Information] {
        rule.route = route;
        found.push(rule.prepare(point, z.clone(), u, c)?.direction(damping)?);
    }
    Ok(found)
}

#[test]
fn every_route_gives_the_same_direction_for_every_metric_with_and_without_damping() -> Result<(), Any> {
    let grid = Grid::new(&[-6.0, -6.0], &[11.0, 11.0], &[60, 50])?;
    let model = two(&grid, &["weights", "means"])?;
    let theta = model.theta();
    let linear = model.linearize(&theta)?;
    let u: Vec<f64> = linear.state.values.iter().zip(misfit(&grid)?).map(|(a, b)| a - b).collect();
    let point = Point { theta: &theta, state: &linear.state, iteration: 0, rounding: &[] };
    for damping in [0.0, 1e-3] {
        for metric in metrics(&grid)? {
            let name = metric.name();
            let found = all_routes(metric, &point, &linear.jacobian, &u, grid.cell_volume(), damping)?;
            assert!(found[0].condition.powi(2) < 1e6, "{name}");
            for other in &found[1..] {
                for (a, b) in found[0].eta.iter().zip(&other.eta) {
                    assert!(
                        (a - b).abs() <= 1e-8 * norm(&found[0].eta),
                        "{name} {damping}: {:?} {:?}",
                        found[0],
                        other
                    );
                }
            }
        }
    }
    Ok(())
}

/// A mixture whose last parameter repeats the first.
struct Twin(GaussianMixture);

impl ForwardModel for Twin {
    type Jacobian = Mat<f64>;
    fn dim_param(&self) -> usize {
        self.0.dim_param() + 1
    }
    fn dim_state(&self) -> usize {
        self.0.dim_state()
    }
    fn state(&self, theta: &[f64]) -> Result<State, ModelError> {
        self.0.state(&Self::fold(theta))
    }
    fn linearize(&self, theta: &[f64]) -> Result<Linearization<Mat<f64>>, ModelError> {
        let linear = self.0.linearize(&Self::fold(theta))?;
        let p = self.0.dim_param();
        let jacobian = Mat::from_fn(linear.jacobian.nrows(), p + 1, |i, j| linear.jacobian[(i, j % p)]);
        Ok(Linearization { state: linear.state, jacobian })
    }
}

impl Twin {
    /// The first parameter of the mixture is the sum of the twins.
    fn fold(theta: &[f64]) -> Vec<f64> {
        let mut folded = theta[..theta.len() - 1].to_vec();
        folded[0] += theta[theta.len() - 1];
        folded
    }
}

#[test]
fn a_duplicated_parameter_lowers_the_rank_and_the_descent_goes_on() -> Result<(), Any> {
    let grid = Grid::new(&[-6.0, -6.0], &[11.0, 11.0], &[60, 60])?;
    let model = Twin(two(&grid, &["means[0]"])?);
    let objective = LeastSquaresMisfit::new(&grid, misfit(&grid)?)?;
    for metric in metrics(&grid)? {
        let name = metric.name();
        let length = if name == "l2" { 1.0 } else { 0.0 };
        for route in [Route::Qr, Route::Svd, Route::Information] {
            let rule = Natural { metric: L2, route, damping: 0.0 };
            let theta = [2.0, 4.0, 2.2];
            let linear = model.linearize(&theta)?;
            let (_, u) = objective.derivative(&linear.state)?;
            let point = Point { theta: &theta, state: &linear.state, iteration: 0, rounding: &[] };
            let direction = rule.prepare(&point, linear.jacobian, &u, grid.cell_volume())?.direction(0.0)?;
            assert_eq!(direction.rank, 2, "{route:?}");
            assert!(direction.condition.is_infinite());
            // Minimum norm shares the step between the twins.
            assert!((direction.eta[0] - direction.eta[2]).abs() < 1e-10 * norm(&direction.eta));
        }
        if length > 0.0 {
            let rule = Natural { metric, route: Route::Qr, damping: 0.0 };
            let stop = Stop { iterations: 40, ..Stop::default() };
            let outcome = Descent::new(&model, &objective).direction(&rule).stop(stop).run_with(
                &[2.0, 4.0, 2.2],
                &mut Fixed { length },
                &mut Silent,
            )?;
            assert_eq!(outcome.status.name(), "converged");
            assert!(outcome.trace[1..].iter().all(|row| row.rank == 2));
            assert!((outcome.last().theta[0] + outcome.last().theta[2] - 1.0).abs() < 1e-5);
        } else {
            let linear = model.linearize(&[2.0, 4.0, 2.2])?;
            let point = Point { theta: &[2.0, 4.0, 2.2], state: &linear.state, iteration: 0, rounding: &[] };
            let (_, u) = objective.derivative(&linear.state)?;
            let rule = Natural { metric, route: Route::Qr, damping: 0.0 };
            let direction = rule.prepare(&point, linear.jacobian, &u, grid.cell_volume())?.direction(0.0)?;
            assert_eq!(direction.rank, 2, "{name}");
            assert!((direction.eta[0] - direction.eta[2]).abs() < 1e-8 * norm(&direction.eta), "{name}");
        }
    }
    Ok(())
}

#[test]
fn wasserstein_directions_do_not_feel_tails_and_zeros() -> Result<(), Any> {
    // The same cells, in a box that just holds the mass and in boxes whose corners are at
    // 1e-280 and at exact zero: the direction must stay the same to 1e-9.
    let h = 0.25;
    let eta = |margin: usize, zeroed: bool| -> Result<(Vec<f64>, f64, usize), Any> {
        let lower = -6.0 - h * margin as f64;
        let upper = 12.0 + h * margin as f64;
        let n = 72 + 2 * margin;
        let grid = Grid::new(&[lower, lower], &[upper, upper], &[n, n])?;
        let model = two(&grid, &["weights", "means"])?;
        let theta = model.theta();
        let linear = model.linearize(&theta)?;
        let (mut state, mut z) = (linear.state, linear.jacobian);
        if zeroed {
            // A density that is exactly zero outside a disc, as data often are.
            for i in 0..grid.len() {
                let x = grid.center(i);
                if (x[0] - 3.5).hypot(x[1] - 3.0) > 9.0 {
                    state.values[i] = 0.0;
                    (0..z.ncols()).for_each(|j| z[(i, j)] = 0.0);
                }
            }
        }
        let u: Vec<f64> = state.values.iter().zip(misfit(&grid)?).map(|(a, b)| a - b).collect();
        let metric = Wasserstein2::new(Arc::new(LaplacianPlan::new(&grid)?));
        let point = Point { theta: &theta, state: &state, iteration: 0, rounding: &[] };
        let inactive = metric.laplacian_at(&point)?.report().inactive_cells;
        let smallest = state.values.iter().copied().filter(|r| *r > 0.0).fold(f64::INFINITY, f64::min);
        let directions = all_routes(Box::new(metric), &point, &z, &u, grid.cell_volume(), 0.0)?;
        for other in &directions[1..] {
            let gap = directions[0].eta.iter().zip(&other.eta).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(gap < 1e-9 * norm(&directions[0].eta), "margin {margin}");
        }
        Ok((directions[0].eta.clone(), smallest, inactive))
    };
    let (reference, _, _) = eta(0, false)?;
    let (tail, smallest, inactive) = eta(65, false)?;
    assert!(smallest < 1e-260 && smallest > 1e-290 && inactive == 0, "{smallest:e} {inactive}");
    let (underflow, _, inactive_underflow) = eta(110, false)?;
    assert!(inactive_underflow > 0);
    let (zeroed, _, inactive_zeroed) = eta(20, true)?;
    assert!(inactive_zeroed > 1000);
    for (what, found, tolerance) in [("tail", tail, 1e-9), ("underflow", underflow, 1e-9), ("zeroed", zeroed, 1e-6)] {
        // Cutting off mass changes the problem itself by the mass cut off, hence the last tolerance;
        // the margins of the small box hold about 1e-9 of it.
        for (a, b) in found.iter().zip(&reference) {
            assert!((a - b).abs() <= tolerance * norm(&reference), "{what}: {found:?} {reference:?}");
        }
    }
    Ok(())
}

#[test]
fn results_have_the_same_bits_for_any_number_of_threads() -> Result<(), Any> {
    let grid = Grid::new(&[-6.0, -6.0], &[11.0, 11.0], &[70, 70])?;
    let components = 20;
    let parameters = MixtureParameters {
        weights: vec![1.0 / components as f64; components],
        means: (0..components)
            .map(|i| vec![(1.7 * i as f64).sin() * 4.0 + 2.0, (2.3 * i as f64).cos() * 4.0 + 2.0])
            .collect(),
        covariances: Covariances::Isotropic(vec![0.8; components]),
    };
    let model = GaussianMixture::new(grid.clone(), parameters, &["weights", "means", "covariances"])?;
    let data = misfit(&grid)?;
    let run = |threads: usize| -> Vec<u64> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut bits = Vec::new();
            for metric in metrics(&grid).unwrap() {
                for route in [Route::Qr, Route::Information] {
                    let plan = LeastSquaresMisfit::new(&grid, data.clone()).unwrap();
                    let linear = model.linearize(&model.theta()).unwrap();
                    let (_, u) = plan.derivative(&linear.state).unwrap();
                    let theta = model.theta();
                    let point = Point { theta: &theta, state: &linear.state, iteration: 0, rounding: &[] };
                    let local = metric.at(&point).unwrap();
                    let y = local.whiten(linear.jacobian).y;
                    bits.extend(column_norms(y.as_ref()).iter().map(|v| v.to_bits()));
                    let linear = model.linearize(&theta).unwrap();
                    let rule = Natural { metric: Borrowed(metric.as_ref()), route, damping: 1e-6 };
                    let direction =
                        rule.prepare(&point, linear.jacobian, &u, grid.cell_volume()).unwrap().direction(1e-6).unwrap();
                    bits.extend(direction.eta.iter().map(|v| v.to_bits()));
                }
            }
            bits
        })
    };
    let reference = run(1);
    assert_eq!(reference, run(2));
    assert_eq!(reference, run(8));
    Ok(())
}

/// A metric by reference.
struct Borrowed<'a>(&'a dyn Metric);

impl Metric for Borrowed<'_> {
    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn at(&self, point: &Point<'_>) -> Result<Box<dyn wngd::opt::LocalMetric + '_>, wngd::opt::MetricError> {
        self.0.at(point)
    }
}

#[test]
fn an_under_determined_model_has_rank_k() -> Result<(), Any> {
    // More parameters than cells: reported, not refused.
    let grid = Grid::new(&[-3.0], &[3.0], &[4])?;
    let parameters = MixtureParameters {
        weights: vec![0.25; 4],
        means: vec![vec![-2.0], vec![-1.0], vec![1.0], vec![2.0]],
        covariances: Covariances::Identity,
    };
    let model = GaussianMixture::new(grid.clone(), parameters, &["weights", "means"])?;
    let theta = model.theta();
    let linear = model.linearize(&theta)?;
    let u = [0.1, -0.2, 0.05, 0.03];
    let point = Point { theta: &theta, state: &linear.state, iteration: 0, rounding: &[] };
    let expected = [("l2", 4), ("fisher-rao", 4), ("wasserstein", 3)];
    for metric in metrics(&grid)? {
        let name = metric.name();
        let rule = Natural { metric, route: Route::Qr, damping: 0.0 };
        let direction = rule.prepare(&point, linear.jacobian.clone(), &u, grid.cell_volume())?.direction(0.0)?;
        if let Some((_, rank)) = expected.iter().find(|e| e.0 == name) {
            assert_eq!(direction.rank, *rank, "{name}");
        }
        assert!(direction.eta.iter().all(|e| e.is_finite()));
    }
    Ok(())
}

#[test]
fn damping_lengths_act_where_they_exceed_the_parameters_own() -> Result<(), Any> {
    let grid = Grid::new(&[-6.0, -6.0], &[11.0, 11.0], &[20, 20])?;
    let model = two(&grid, &["means[0]"])?;
    let objective = LeastSquaresMisfit::new(&grid, misfit(&grid)?)?;
    let at = model.linearize(&[4.2, 4.0])?;
    let (_, u) = objective.derivative(&at.state)?;
    let point = Point { theta: &[4.2, 4.0], state: &at.state, iteration: 0, rounding: &[] };
    let (z, damping) = (at.jacobian.to_dense(), 0.3);
    let own = column_norms(z.as_ref());
    // Half its length for the first parameter does nothing, twice its length for the second does.
    let floor = [0.5 * own[0], 2.0 * own[1]];
    for route in [Route::Qr, Route::Svd, Route::Lsmr, Route::Information] {
        let rule = Natural { metric: L2, route, damping };
        let prepared = rule.prepare(&point, z.clone(), &u, grid.cell_volume())?;
        let eta = prepared.direction_at_least(damping, &floor)?.eta;
        for j in 0..2 {
            let g: f64 = (0..2).map(|l| (z.col(j).transpose() * z.col(l)) * eta[l]).sum();
            let pull: f64 = z.col_as_slice(j).iter().zip(&u).map(|(z, u)| z * u).sum();
            let length = own[j].max(floor[j]);
            let left = g + damping * length * length * eta[j] + pull;
            assert!(left.abs() < 1e-10 * pull.abs(), "{route:?} {j}: {left:e} of {pull:e}");
        }
        assert_eq!(prepared.direction(damping)?.eta, prepared.direction_at_least(damping, &[])?.eta);
        assert_eq!(prepared.lengths(), Some(own.clone()));
    }
    Ok(())
}

#[test]
fn few_parameters_on_a_large_plane_have_the_direction_of_a_factor() -> Result<(), Any> {
    let grid = Grid::new(&[-6.0, -6.0], &[11.0, 11.0], &[700, 640])?;
    let model = two(&grid, &["means[0]"])?;
    let theta = model.theta();
    let linear = model.linearize(&theta)?;
    let u: Vec<f64> = linear.state.values.iter().zip(misfit(&grid)?).map(|(a, b)| a - b).collect();
    let point = Point { theta: &theta, state: &linear.state, iteration: 0, rounding: &[] };
    let plan = Arc::new(LaplacianPlan::new(&grid)?);
    // What the descent never asks for at this size.
    let faces = face_densities(&grid, &linear.state.values, FaceMean::Arithmetic, 0.0)?;
    let laplacian = plan.factor(&linear.state.values, &faces)?;
    let factored = laplacian.factored().ok_or("no factor")?;
    let (x, b) = (factored.whiten(linear.jacobian.clone()).0, factored.whiten_derivative(&u));
    let expected: Vec<f64> = PivotedQr::default().solve(&x, &b, None)?.x.iter().map(|v| -v).collect();
    for route in [Route::Qr, Route::Information] {
        let rule = Natural { metric: Wasserstein2::new(plan.clone()), route, damping: 0.0 };
        let prepared = rule.prepare(&point, linear.jacobian.clone(), &u, grid.cell_volume())?;
        let report = prepared.laplacian().ok_or("no Laplacian")?;
        assert_eq!(report.elimination, EliminationKind::Multigrid);
        let eta = prepared.direction(0.0)?.eta;
        let apart: Vec<f64> = eta.iter().zip(&expected).map(|(a, b)| a - b).collect();
        assert!(norm(&apart) < 1e-9 * norm(&expected), "{route:?}: {eta:?} for {expected:?}");
    }
    Ok(())
}

/// K components on a lattice, all of their weights, means and variances free.
fn many(grid: &Grid, components: usize) -> Result<GaussianMixture, Any> {
    let spread = |i: usize, step: f64| 1.0 + 6.0 * ((i + 1) as f64 * step).fract();
    let parameters = MixtureParameters {
        weights: (0..components).map(|i| (1.0 + (i % 3) as f64) / (2 * components) as f64).collect(),
        means: (0..components).map(|i| vec![spread(i, 0.7549), spread(i, 0.5698)]).collect(),
        covariances: Covariances::Isotropic((0..components).map(|i| 0.4 + 0.1 * (i % 4) as f64).collect()),
    };
    let total: f64 = parameters.weights.iter().sum();
    let weights = parameters.weights.iter().map(|w| w / total).collect();
    Ok(GaussianMixture::new(
        grid.clone(),
        MixtureParameters { weights, ..parameters },
        &["weights", "means", "covariances"],
    )?)
}

#[test]
fn rows_that_are_not_kept_give_the_direction_of_the_matrix() -> Result<(), Any> {
    [Route::Information, Route::Qr].into_iter().try_for_each(rows_give_the_direction_of_the_matrix)
}

/// Rows and products of a Jacobian that may not be stored.
#[derive(Clone)]
struct NeverStored<J>(J);

impl<J: LinearOp> LinearOp for NeverStored<J> {
    fn nrows(&self) -> usize {
        self.0.nrows()
    }
    fn ncols(&self) -> usize {
        self.0.ncols()
    }
    fn apply(&self, out: MatMut<'_, f64>, x: MatRef<'_, f64>) {
        self.0.apply(out, x);
    }
    fn apply_transpose(&self, out: MatMut<'_, f64>, y: MatRef<'_, f64>) {
        self.0.apply_transpose(out, y);
    }
    fn as_rows(&self) -> Option<&dyn RowSource> {
        self.0.as_rows()
    }
    fn to_dense(&self) -> Mat<f64> {
        panic!("it was stored")
    }
}

fn rows_give_the_direction_of_the_matrix(route: Route) -> Result<(), Any> {
    let grid = Grid::new(&[-2.0, -2.0], &[10.0, 10.0], &[250, 210])?;
    let model = many(&grid, 21)?;
    let theta = model.theta();
    let stored = model.linearize(&theta)?;
    let made = model.clone().by_rows().linearize(&theta)?;
    assert!(made.jacobian.as_dense().is_none() && made.state == stored.state);
    assert_eq!(made.jacobian.to_dense(), stored.jacobian);
    let u: Vec<f64> = stored.state.values.iter().zip(misfit(&grid)?).map(|(a, b)| a - b).collect();
    let point = Point { theta: &theta, state: &stored.state, iteration: 0, rounding: &[] };
    let rule = Natural { metric: Wasserstein2::new(Arc::new(LaplacianPlan::new(&grid)?)), route, damping: 0.0 };
    let c = grid.cell_volume();
    let mut matrix = rule.prepare(&point, stored.jacobian, &u, c)?;
    let bits = |threads: usize| -> Vec<u64> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let eta = pool.install(|| {
            let prepared = rule.prepare(&point, NeverStored(made.jacobian.clone()), &u, c).unwrap();
            prepared.direction(0.0).unwrap().eta
        });
        eta.into_iter().map(f64::to_bits).collect()
    };
    let alone = bits(1);
    assert!([2, 3, 5].into_iter().all(|threads| bits(threads) == alone));
    let mut rows = rule.prepare(&point, NeverStored(made.jacobian.clone()), &u, c)?;
    let close = |a: &[f64], b: &[f64], share: f64, what: &str| {
        let apart: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
        assert!(norm(&apart) < share * norm(b), "{what}: {:e}", norm(&apart) / norm(b));
    };
    let shape = |j: usize| PriorShape::Normal { mean: theta[j] - 0.2, deviation: 0.5 };
    let prior = |j: usize| Prior { parameter: j, shape: shape(j), weight: 1e-3 };
    let terms = PriorTerms::of(&[prior(0), prior(40)], &theta);
    for priors in [false, true] {
        if priors {
            matrix.take_up(&terms, c)?;
            rows.take_up(&terms, c)?;
        }
        close(rows.gradient().unwrap(), matrix.gradient().unwrap(), 1e-13, "gradient");
        close(&rows.lengths().unwrap(), &matrix.lengths().unwrap(), 1e-13, "lengths");
        let (g, h) = (rows.information().unwrap(), matrix.information().unwrap());
        assert!((&g - &h).norm_l2() < 1e-13 * h.norm_l2());
        for damping in [0.0, 0.1] {
            let (a, b) = (rows.direction(damping)?, matrix.direction(damping)?);
            close(&a.eta, &b.eta, 1e-10, "direction");
            assert!((a.condition / b.condition - 1.0).abs() < 1e-6 && a.rank == b.rank && a.inconsistency < 1e-11);
            let floor: Vec<f64> = matrix.lengths().unwrap().iter().map(|l| 1.5 * l).collect();
            let eta = rows.direction_at_least(0.1, &floor)?.eta;
            close(&eta, &matrix.direction_at_least(0.1, &floor)?.eta, 1e-10, "direction with floors");
            assert!((rows.curvature(&a.eta) / matrix.curvature(&a.eta) - 1.0).abs() < 1e-10);
        }
    }
    let (ours, theirs) = (rows.mass_leak().unwrap(), matrix.mass_leak().unwrap());
    close(&ours.relative, &theirs.relative, 1e-12, "leak");
    Ok(())
}
