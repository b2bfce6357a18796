//! Public functions with arguments that no caller should pass: none panics where it can answer with an error, none answers
//! with numbers that are none, and no assertion of a dependency speaks for the library.
//!
//! `CALLS=1000000 cargo test --release -p wngd --test hostile_callers` makes as many calls.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use wngd::adjoint::{Normalised, Probes, Reparameterised, Sketch, State, estimate_trace};
use wngd::fit::{Histogram, Options as FitOptions, Samples, fit, fit_histogram, rounding_step};
use wngd::identify::{Sample, simulate};
use wngd::linalg::dense::{gram, small_svd, symmetric_eigen, tall_qr};
use wngd::linalg::faer::Mat;
use wngd::linalg::{
    BiCgStab, Bidiagonalization, Cholesky, Divergence, DominantLu, GradientProblem, KrylovOptions, LeastSquares, Lsmr,
    LuOrdering, NormalEquations, Ordering, PivotedQr, SparseLu, SparseMatrix, Svd, SymbolicCholesky, face_densities,
    nested_dissection, solve_information, valley_depth,
};
use wngd::models::flow::system;
use wngd::models::{Binning, bin_trajectory, box_of, long_run_covariance};
use wngd::opt::basin::lattice;
use wngd::opt::{Metric, Point, goodness_of_fit, sandwich_covariance};
use wngd::prelude::*;
use wngd::transport::{Options as TransportOptions, half_squared_wasserstein};

thread_local! {
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
    /// Whether an attack is on: other panics are those of this test.
    static CALLED: Cell<bool> = const { Cell::new(false) };
}

/// Arguments, calls and what went wrong.
struct Attack {
    rng: Pcg64,
    calls: usize,
    faults: BTreeMap<String, String>,
}

impl Attack {
    /// A value that a careless caller might pass, or one that is all right.
    fn value(&mut self) -> f64 {
        const ODD: [f64; 14] = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MAX,
            f64::MIN,
            f64::MIN_POSITIVE,
            5e-324,
            1e-300,
            1e300,
            1e16,
        ];
        if self.rng.random_range(0..3) == 0 {
            ODD[self.rng.random_range(0..ODD.len())]
        } else {
            self.rng.random_range(-2.0..2.0)
        }
    }

    fn size(&mut self) -> usize {
        [0, 1, 1, 2, 3, 4, 6, 9][self.rng.random_range(0..8)]
    }

    /// A length that mostly fits.
    fn near(&mut self, length: usize) -> usize {
        match self.rng.random_range(0..6) {
            0 => self.size(),
            1 => length + 1,
            2 => length.saturating_sub(1),
            _ => length,
        }
    }

    fn vector(&mut self, length: usize) -> Vec<f64> {
        let tame = self.rng.random_range(0..2) == 0;
        (0..length).map(|_| if tame { self.rng.random_range(0.0..2.0) } else { self.value() }).collect()
    }

    fn matrix(&mut self, rows: usize, columns: usize) -> Mat<f64> {
        let entries = self.vector(rows * columns);
        Mat::from_fn(rows, columns, |i, j| entries[i * columns + j])
    }

    /// A call that must not panic; `sound` says whether what it answers may be believed.
    fn answers<T>(&mut self, name: &str, call: impl FnOnce() -> T, sound: impl FnOnce(&T) -> bool) -> Option<T> {
        self.calls += 1;
        CALLED.set(true);
        let found = catch_unwind(AssertUnwindSafe(call));
        CALLED.set(false);
        match found {
            Ok(found) => {
                if !sound(&found) {
                    self.faults.entry(name.into()).or_insert_with(|| "answers what is no number".into());
                }
                Some(found)
            }
            Err(_) => {
                let place = PLACE.with_borrow(Clone::clone);
                self.faults.entry(name.into()).or_insert(format!("panics at {place}"));
                None
            }
        }
    }

    /// A call whose documentation has a section of panics: they must be the library's own.
    fn by_contract<T>(&mut self, name: &str, call: impl FnOnce() -> T) -> Option<T> {
        self.calls += 1;
        CALLED.set(true);
        let found = catch_unwind(AssertUnwindSafe(call)).ok();
        CALLED.set(false);
        if found.is_none() {
            let place = PLACE.with_borrow(Clone::clone);
            if !place.contains("wngd-") {
                self.faults.entry(name.into()).or_insert(format!("leaves it to {place}"));
            }
        }
        found
    }
}

fn finite(values: &[f64]) -> bool {
    values.iter().all(|v| v.is_finite())
}

/// An answer that is an error, or has only numbers.
fn numbers<E>(values: &Result<Vec<f64>, E>) -> bool {
    values.as_ref().map_or(true, |values| finite(values))
}

fn least_squares(attack: &mut Attack) {
    let (m, p) = (attack.size(), attack.size());
    let a = attack.matrix(m, p);
    let (rows, columns) = (attack.near(m), attack.near(p));
    let (b, gradient, damping) = (attack.vector(rows), attack.vector(columns), attack.vector(columns));
    let damping = (attack.rng.random_range(0..2) == 0).then_some(&damping[..]);
    let rounding: Vec<f64> = vec![1e-16; p];
    let solvers: [(&str, &dyn LeastSquares); 4] = [
        ("PivotedQr", &PivotedQr { tolerance: None }),
        ("Svd", &Svd { tolerance: None }),
        ("Lsmr", &Lsmr { tolerance: 1e-12, max_iterations: None }),
        ("NormalEquations", &NormalEquations { tolerance: None }),
    ];
    for (name, solver) in solvers {
        attack.answers(&format!("{name}::solve"), || solver.solve(&a, &b, damping).map(|s| s.x), numbers);
        let problem = GradientProblem { a: &a, b: &b, gradient: &gradient, damping, rounding: Some(&rounding) };
        attack.answers(&format!("{name}::solve_gradient"), || solver.solve_gradient(&problem).map(|s| s.x), numbers);
    }
    let basis = attack.answers("Bidiagonalization::new", || Bidiagonalization::new(&a, &b, &gradient), |_| true);
    if let Some(Ok(mut basis)) = basis {
        let mu = attack.value().abs();
        attack.answers(
            "Bidiagonalization::solve",
            || {
                basis.extend(&a);
                let _ = (basis.largest_singular_value(), basis.progress(mu));
                basis.solve(mu).map(|s| s.x)
            },
            |x| !mu.is_finite() || numbers(x),
        );
    }
    attack.answers("small_svd", || small_svd(a.as_ref()).map(|s| s.1), numbers);
    attack.by_contract("symmetric_eigen", || symmetric_eigen(a.as_ref()).map(|s| s.0));
    attack.by_contract("tall_qr", || tall_qr(a.as_ref(), &b, damping));
    attack.answers("gram", || gram(a.as_ref()), |_| true);
    let wide = attack.near(p);
    let g = attack.matrix(p, wide);
    attack.answers("solve_information", || solve_information(g.as_ref(), &gradient, None).map(|s| s.x), numbers);
    let noise = attack.matrix(wide, wide);
    attack.answers("sandwich_covariance", || sandwich_covariance(&g, &noise), |_| true);
}

fn sparse(attack: &mut Attack) {
    let (n, m) = (attack.size(), attack.size());
    let entries: Vec<(usize, usize, f64)> =
        (0..2 * n).map(|_| (attack.near(n) % (n + 1), attack.size(), attack.value())).collect();
    let dominant: Vec<(usize, usize, f64)> = (0..n).map(|i| (i, i, attack.value())).collect();
    attack.answers("SparseMatrix::from_entries", || SparseMatrix::from_entries(n, m, entries.clone()), |_| true);
    let pointers: Vec<usize> = (0..attack.near(m + 1)).map(|_| attack.size()).collect();
    let (indices, values) = ((0..n).map(|_| attack.size()).collect::<Vec<_>>(), attack.vector(n));
    attack.answers(
        "SparseMatrix::new",
        || SparseMatrix::new(n, pointers.clone(), indices.clone(), values.clone()),
        |_| true,
    );
    attack.answers(
        "SymbolicCholesky::new",
        || SymbolicCholesky::new(n, pointers.clone(), indices.clone(), Ordering::Amd),
        |_| true,
    );
    let order: Vec<usize> = (0..attack.near(n)).map(|_| attack.size()).collect();
    let square = SparseMatrix::from_entries(n, if attack.rng.random_range(0..4) == 0 { m } else { n }, dominant);
    let Ok(square) = square else { return };
    attack.answers("SparseMatrix::permuted", || square.permuted(&order), |_| true);
    attack.answers("DominantLu::new, order", || DominantLu::new(&square, Ordering::Custom(order.clone())), |_| true);
    attack.answers("SparseLu::new", || SparseLu::new(&square, LuOrdering::Colamd), |_| true);
    attack.answers("BiCgStab::new", || BiCgStab::new(&square, KrylovOptions::default()), |_| true);
    let labels: Vec<usize> = (0..attack.near(n)).map(|_| attack.size()).collect();
    attack.answers(
        "BiCgStab::with_aggregates",
        || BiCgStab::with_aggregates(&square, KrylovOptions::default(), &labels),
        |_| true,
    );
    if let Some(Ok(factor)) = attack.answers("DominantLu::new", || DominantLu::new(&square, Ordering::Amd), |_| true) {
        let length = attack.near(n);
        let b = attack.vector(length);
        attack.by_contract("operator::solve", || wngd::linalg::operator::solve(&factor, &b));
    }
    let lower = attack.vector(n);
    let symbolic = || SymbolicCholesky::new(n, (0..=n).collect(), (0..n).collect(), Ordering::Amd);
    if let Some(Ok(symbolic)) = attack.answers("SymbolicCholesky::new", symbolic, |_| true) {
        attack.answers("Cholesky::new", || Cholesky::new(Arc::new(symbolic), &lower), |_| true);
    }
    let cut = attack.near(n).min(n);
    for (parts, border) in [
        (vec![order.clone(), order.clone()], order),
        (vec![(0..cut).collect(), Vec::new()], (cut..n).collect()),
        (vec![(0..n).collect(), Vec::new()], Vec::new()),
        (Vec::new(), (0..n).collect()),
    ] {
        let ordering = Ordering::Parted { parts, border };
        let symbolic = || SymbolicCholesky::new(n, (0..=n).collect(), (0..n).collect(), ordering.clone());
        if let Some(Ok(symbolic)) = attack.answers("SymbolicCholesky::new, in parts", symbolic, |_| true) {
            attack.answers("Cholesky::new, in parts", || Cholesky::new(Arc::new(symbolic), &lower), |_| true);
        }
    }
}

fn grids(attack: &mut Attack) -> Option<Grid> {
    let dim = attack.size().min(5);
    let (a, b) = (attack.near(dim), attack.near(dim));
    let (lower, upper) = (attack.vector(a), attack.vector(b));
    let cells: Vec<usize> =
        (0..dim).map(|_| if attack.rng.random_range(0..9) == 0 { usize::MAX / 2 } else { attack.size() }).collect();
    attack.answers("Grid::new", || Grid::new(&lower, &upper, &cells), |_| true);
    let dim = 1 + attack.rng.random_range(0..3);
    let cells: Vec<usize> = (0..dim).map(|_| attack.size()).collect();
    let grid = attack.answers("Grid::new", || Grid::new(&vec![-1.0; dim], &vec![1.5; dim], &cells), |_| true)?.ok()?;
    let axis = attack.size();
    attack.by_contract("Grid::centers", || grid.centers(axis));
    let point = {
        let n = attack.near(dim);
        attack.vector(n)
    };
    attack.answers("Grid::locate", || grid.locate(&point), |_| true);
    attack.answers("Grid::face_blocks", || (grid.face_blocks(), grid.face_midpoints(), grid.cubes()), |_| true);
    let counts: Vec<usize> = (0..attack.near(dim)).map(|_| attack.size()).collect();
    attack.by_contract("lattice", || lattice(&lower, &upper, &counts));
    attack.answers("nested_dissection", || nested_dissection(&cells), |_| true);
    Some(grid)
}

fn densities(attack: &mut Attack, grid: &Grid) {
    let k = grid.len();
    let (n, faces) = (attack.near(k), attack.near(grid.face_count()));
    let (rho, weights) = (attack.vector(n), attack.vector(faces));
    attack.answers("face_densities", || face_densities(grid, &rho, FaceMean::Arithmetic, 0.0), |_| true);
    attack.answers("Divergence::from_faces", || Divergence::from_faces(grid, &weights), |_| true);
    attack.answers("Divergence::new", || Divergence::new(grid, &rho, FaceMean::Logarithmic), |_| true);
    attack.by_contract("valley_depth", || valley_depth(grid, &rho, 0.9));
    let plan = Arc::new(LaplacianPlan::new(grid).unwrap());
    attack.answers("LaplacianPlan::factor", || plan.factor(&rho, &weights), |_| true);
    let objectives = |data: &[f64]| -> Vec<(&'static str, Option<Box<dyn Objective>>)> {
        let data = || data.to_vec();
        vec![
            ("LeastSquaresMisfit", LeastSquaresMisfit::new(grid, data()).ok().map(|o| Box::new(o) as _)),
            ("LeastSquaresMisfit, plain", LeastSquaresMisfit::plain(data()).ok().map(|o| Box::new(o) as _)),
            ("KullbackLeibler", KullbackLeibler::new(grid, data()).ok().map(|o| Box::new(o) as _)),
            ("NegativeSobolev", NegativeSobolev::new(grid, data()).ok().map(|o| Box::new(o) as _)),
            ("LinearisedWasserstein", LinearisedWasserstein::new(&plan, data()).ok().map(|o| Box::new(o) as _)),
            ("Wasserstein", Wasserstein::new(&plan, data()).ok().map(|o| Box::new(o) as _)),
        ]
    };
    let fitting = attack.vector(k);
    for data in [rho.clone(), fitting] {
        let Some(made) = attack.answers("an objective", || objectives(&data), |_| true) else { continue };
        for (name, objective) in made {
            let Some(objective) = objective else { continue };
            let length = attack.near(k);
            let mut state = State::new(attack.vector(length));
            if attack.rng.random_range(0..4) == 0 {
                let length = attack.near(length);
                state.log_values = Some(attack.vector(length));
            }
            attack.answers(&format!("{name}::value"), || objective.value(&state), |_| true);
            attack.answers(&format!("{name}::derivative"), || objective.derivative(&state).map(|(_, u)| u), |_| true);
            let z = attack.matrix(length, 2);
            attack.answers(&format!("{name}::curvature"), || objective.curvature(&state, z), |_| true);
        }
    }
    let state = State::new(rho.clone());
    let point = Point { theta: &[], state: &state, iteration: 0, rounding: &[] };
    attack.answers("FisherRao::at", || FisherRao.at(&point).is_ok(), |_| true);
    attack.answers("Wasserstein2::at", || Wasserstein2::new(plan.clone()).at(&point).is_ok(), |_| true);
    for order in [SobolevOrder::One, SobolevOrder::MinusOne, SobolevOrder::HomogeneousMinusOne] {
        attack.answers("Sobolev::at", || Sobolev::new(grid, order).at(&point).is_ok(), |_| true);
    }
    let shape: Vec<usize> = grid.cells().to_vec();
    let spacing = {
        let n = attack.near(grid.dim());
        attack.vector(n)
    };
    let target = {
        let n = attack.near(k);
        attack.vector(n)
    };
    let options = TransportOptions::default();
    attack.answers(
        "half_squared_wasserstein",
        || half_squared_wasserstein(&shape, &spacing, &rho, &target, &options),
        |_| true,
    );
    attack.by_contract("goodness_of_fit", || goodness_of_fit(&rho, &target, &shape, 100.0, 1));
}

fn models(attack: &mut Attack, grid: &Grid) {
    let (components, dim) = (attack.size(), grid.dim());
    let parameters = MixtureParameters {
        weights: {
            let n = attack.near(components);
            attack.vector(n)
        },
        means: (0..components)
            .map(|_| {
                let n = attack.near(dim);
                attack.vector(n)
            })
            .collect(),
        covariances: match attack.rng.random_range(0..3) {
            0 => Covariances::Identity,
            1 => Covariances::Isotropic({
                let n = attack.near(components);
                attack.vector(n)
            }),
            _ => Covariances::Diagonal(
                (0..components)
                    .map(|_| {
                        let n = attack.near(dim);
                        attack.vector(n)
                    })
                    .collect(),
            ),
        },
    };
    let free = [["weights"], ["means"], ["means[7]"], [""]][attack.rng.random_range(0..4)];
    let model =
        attack.answers("GaussianMixture::new", || GaussianMixture::new(grid.clone(), parameters, &free), |_| true);
    let mean = attack.vector(dim);
    let plain = MixtureParameters {
        weights: vec![0.4, 0.6],
        means: vec![mean.clone(), mean],
        covariances: Covariances::Identity,
    };
    let other = GaussianMixture::new(grid.clone(), plain, &["weights", "means"]);
    for model in [model.and_then(Result::ok), other.ok()].into_iter().flatten() {
        let theta = {
            let n = attack.near(model.dim_param());
            attack.vector(n)
        };
        attack.answers("GaussianMixture::state", || model.state(&theta), |_| true);
        attack.answers("GaussianMixture::linearize", || model.linearize(&theta).map(|_| ()), |_| true);
        attack.answers("GaussianMixture::face_midpoint_density", || model.face_midpoint_density(&theta), |_| true);
        let weight = attack.value();
        attack.answers(
            "Normalised::new",
            || Normalised::new(&model, weight).map(|m| m.state(&theta).map(|_| ())),
            |_| true,
        );
        let ties = [(attack.size(), attack.size()), (attack.size(), attack.size())];
        attack.answers(
            "Reparameterised::tied",
            || Reparameterised::tied(&model, &ties).map(|m| m.state(&theta).map(|_| ())),
            |_| true,
        );
        let held = [(attack.size(), attack.value())];
        attack.answers(
            "Reparameterised::fixed",
            || Reparameterised::fixed(&model, &held).map(|m| m.state(&theta).map(|_| ())),
            |_| true,
        );
        let delta = {
            let n = attack.near(model.dim_param());
            attack.vector(n)
        };
        attack.answers("taylor_test", || taylor_test(&model, &theta, &delta).map(|_| ()), |_| true);
        let data = attack.vector(grid.len());
        if let Ok(objective) = LeastSquaresMisfit::new(grid, data) {
            attack.answers(
                "Descent::run",
                || Descent::new(&model, &objective).iterations(2).run(&theta).map(|_| ()),
                |_| true,
            );
        }
    }
    let points = {
        let n = attack.size() * dim;
        let n = attack.near(n);
        attack.vector(n)
    };
    let dimension = attack.size();
    let margin = attack.value();
    attack.answers("box_of", || box_of(&points, dimension, margin), |_| true);
    let (burn_in, stride) = (attack.size(), attack.size());
    attack.answers(
        "bin_trajectory",
        || bin_trajectory(grid, &points, Binning::Multilinear, burn_in, stride).map(|_| ()),
        |_| true,
    );
    let q = attack.matrix(grid.len(), 2);
    attack.answers(
        "long_run_covariance",
        || long_run_covariance(grid, &points, Binning::Multilinear, q.as_ref()).map(|_| ()),
        |_| true,
    );
    let samples: Vec<Vec<f64>> = (0..attack.size())
        .map(|_| {
            let n = attack.near(dim);
            attack.vector(n)
        })
        .collect();
    attack.answers(
        "density_of_samples",
        || density_of_samples(grid, &samples, &Estimate::Histogram).map(|_| ()),
        |_| true,
    );
    attack.answers(
        "Samples::new and fit",
        || Samples::new(dimension, points.clone()).and_then(|s| fit(&s, &FitOptions::default())).map(|_| ()),
        |_| true,
    );
    let (a, b) = (attack.size(), attack.size());
    let (lower, upper, counts) = (attack.vector(a), attack.vector(b), attack.vector(a));
    attack.answers(
        "Histogram::new and fit_histogram",
        || {
            Histogram::new(dim, lower, upper, counts)
                .and_then(|h| fit_histogram(&h, &FitOptions::default()))
                .map(|_| ())
        },
        |_| true,
    );
    attack.answers("rounding_step", || rounding_step(&points), |_| true);
    attack.answers(
        "Sample::new",
        || Sample::new(points.clone(), dimension, vec![0, a, b], Some(margin)).map(|_| ()),
        |_| true,
    );
    attack.answers(
        "Sample::at_times",
        || Sample::at_times(points.clone(), dimension, vec![a], &points).map(|_| ()),
        |_| true,
    );
    if let Some(lorenz) = system("lorenz63") {
        let (n, s) = (attack.near(3), attack.near(3));
        let (theta, start, dt) = (attack.vector(n), attack.vector(s), attack.value());
        attack.answers(
            "simulate",
            || simulate(lorenz.field.as_ref(), &theta, &start, dt, 3, 0.1).map(|_| ()),
            |_| true,
        );
    }
}

fn probes(attack: &mut Attack) {
    let (k, p, m) = (attack.size(), attack.size(), attack.size());
    let z = attack.matrix(k, p);
    let rows = attack.near(k);
    let h = attack.matrix(rows, m);
    attack.by_contract("Sketch::new", || Sketch::new(&z, h));
    let samples = attack.size();
    attack.by_contract("estimate_trace", || estimate_trace(&z, samples, 1));
    let first = if attack.rng.random_range(0..3) == 0 { usize::MAX - 1 } else { attack.size() };
    attack.answers("Probes::block", || Probes::default().block(k, first, m), |_| true);
}

#[test]
fn hostile_callers_get_errors() {
    let wanted: usize = std::env::var("CALLS").ok().and_then(|n| n.parse().ok()).unwrap_or(20_000);
    std::panic::set_hook(Box::new(|info| {
        PLACE.with_borrow_mut(|place| *place = info.location().map(ToString::to_string).unwrap_or_default());
        if !CALLED.get() && std::thread::current().name().is_some() {
            eprintln!("{info}");
        }
    }));
    let mut attack = Attack { rng: Pcg64::seed_from_u64(3), calls: 0, faults: BTreeMap::new() };
    while attack.calls < wanted {
        least_squares(&mut attack);
        sparse(&mut attack);
        probes(&mut attack);
        if let Some(grid) = grids(&mut attack) {
            densities(&mut attack, &grid);
            models(&mut attack, &grid);
        }
    }
    let _ = std::panic::take_hook();
    let told: Vec<String> = attack.faults.iter().map(|(name, fault)| format!("{name} {fault}")).collect();
    println!("{} calls, {} faults", attack.calls, told.len());
    assert!(told.is_empty(), "{}", told.join("\n"));
}
