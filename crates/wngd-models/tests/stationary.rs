//! Laws that every discretisation of a stationary density obeys.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use proptest::prelude::*;
use wngd_adjoint::{
    Factorization, ForwardModel, Implicit, ImplicitConstraint, LinearOp, ModelError, dot_test, taylor_test,
};
use wngd_linalg::dense::gram;
use wngd_linalg::faer::Mat;
use wngd_linalg::operator::{apply_transpose_vec, apply_vec};
use wngd_linalg::{FaceMean, Grid, LaplacianPlan, WeightedLaplacian, face_densities};
use wngd_models::flow::{
    Discretisation, DoubleWell, HatPerturbation, Lorenz63, Solver, SolverUsed, StationaryDensity, VanDerPol,
    VelocityField, system,
};

const LORENZ: [f64; 3] = [10.0, 28.0, 8.0 / 3.0];
const UPWIND: Discretisation = Discretisation::Upwind { diffusion: 4.0, restart: 2e-3 };
const SMOOTH: Discretisation = Discretisation::ScharfetterGummel { diffusion: 10.0, restart: 2e-3 };
const CARRIED: Discretisation = Discretisation::SemiLagrangian { time: 0.1, step: 0.01, points: 2, restart: 1e-4 };

fn lorenz(cells: [usize; 3], scheme: Discretisation) -> StationaryDensity {
    let grid = Grid::new(&[-25.0, -30.0, 0.0], &[25.0, 30.0, 50.0], &cells).unwrap();
    StationaryDensity::new(Arc::new(Lorenz63), grid, scheme, None, LORENZ.to_vec()).unwrap()
}

fn relative_gap(a: &[f64], b: &[f64]) -> f64 {
    let scale = b.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    a.iter().zip(b).fold(0.0f64, |m, (a, b)| m.max((a - b).abs())) / scale
}

#[test]
fn derivatives_are_exact_for_all_three_discretisations() {
    // Small steps for the two schemes with kinks: faces that change sign, images that pass a cell centre.
    for (scheme, size) in [(UPWIND, 0.4), (SMOOTH, 2.0), (CARRIED, 5e-3)] {
        let model = lorenz([6, 7, 8], scheme);
        for direction in [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.6, -1.0, 0.3]] {
            let delta = direction.map(|v| v * size);
            let test = taylor_test(&model, &LORENZ, &delta).unwrap();
            eprintln!("{scheme:?} {direction:?}: {:.3}", test.rate);
            assert!(test.rate >= 1.9, "{scheme:?} {direction:?}: {test:?}");
        }
    }
}

#[test]
fn tangents_and_adjoints_are_transposes() {
    for scheme in [UPWIND, SMOOTH, CARRIED] {
        for solver in [Solver::Direct, Solver::Krylov] {
            let model = lorenz([9, 8, 10], scheme).with_solver(solver);
            let at = model.linearize(&LORENZ).unwrap();
            for seed in 0..3 {
                let gap = dot_test(&at.jacobian, seed);
                assert!(gap <= 1e-12, "{scheme:?} {solver:?}: {gap:e}");
                assert!(dot_test(at.jacobian.param_jacobian(), seed) <= 1e-14);
            }
        }
    }
}

#[test]
fn both_solvers_agree() {
    for scheme in [UPWIND, SMOOTH, CARRIED] {
        let [direct, krylov] = [Solver::Direct, Solver::Krylov].map(|solver| {
            let at = lorenz([12, 11, 13], scheme).with_solver(solver).linearize(&LORENZ).unwrap();
            let h: Vec<f64> = (0..at.state.values.len()).map(|i| (0.7 * i as f64).sin()).collect();
            let (z, zt) = (apply_vec(&at.jacobian, &[1.0, -0.4, 0.7]), apply_transpose_vec(&at.jacobian, &h));
            (at.state.values, z, zt, at.jacobian.factor().report())
        });
        for (a, b) in [(&direct.0, &krylov.0), (&direct.1, &krylov.1), (&direct.2, &krylov.2)] {
            let gap = relative_gap(a, b);
            assert!(gap < 1e-9, "{scheme:?}: {gap:e}");
        }
        assert!(matches!(direct.3.solver, SolverUsed::DominantLu | SolverUsed::ColamdLu));
        assert!(direct.3.fill.is_some_and(|fill| fill > direct.3.cells));
        let stats = krylov.3.krylov.unwrap();
        assert!(stats.missed == 0 && stats.iterations > 0 && stats.solves == 3, "{stats:?}");
    }
}

#[test]
fn the_state_solves_its_equation_with_mass_one() {
    for scheme in [UPWIND, SMOOTH, CARRIED] {
        let model = lorenz([10, 9, 8], scheme);
        let (state, report) = model.state_with_report(&LORENZ).unwrap();
        let ones = vec![1.0; state.values.len()];
        assert!((model.expectation(&state.values, &ones) - 1.0).abs() < 1e-13);
        assert!(state.values.iter().all(|r| *r > 0.0));
        assert!(report.state_residual < 1e-13, "{report:?}");
        // The columns of A sum to the restart.
        let a = model.generator(&LORENZ).unwrap();
        let sums = apply_transpose_vec(&a, &ones);
        assert!(sums.iter().all(|s| (s - sums[0]).abs() < 1e-12));
        let z = model.linearize(&LORENZ).unwrap().jacobian.to_dense();
        for j in 0..3 {
            let (total, size) = (0..z.nrows()).fold((0.0, 0.0), |(t, s), i| (t + z[(i, j)], s + z[(i, j)].abs()));
            assert!(total.abs() < 1e-13 * size);
        }
    }
}

#[test]
fn a_gradient_flow_has_the_boltzmann_density() {
    let well = DoubleWell::line();
    let (theta, diffusion) = ([1.0, 1.0, 0.1], 0.25);
    let scheme = Discretisation::ScharfetterGummel { diffusion, restart: 1e-9 };
    let mut errors = Vec::new();
    for n in [50, 100, 200] {
        let grid = Grid::new(&[-2.5], &[2.5], &[n]).unwrap();
        let model = StationaryDensity::new(Arc::new(well), grid.clone(), scheme, None, theta.to_vec()).unwrap();
        let rho = model.state(&theta).unwrap().values;
        let energy = |x: f64| theta[1] * x.powi(4) / 4.0 - theta[0] * x * x / 2.0 + theta[2] * x;
        let exact: Vec<f64> = grid.centers(0).iter().map(|&x| (-energy(x) / diffusion).exp()).collect();
        let mass: f64 = exact.iter().sum::<f64>() * grid.cell_volume();
        errors.push(relative_gap(&rho, &exact.iter().map(|e| e / mass).collect::<Vec<_>>()));
    }
    // Second order.
    assert!(errors[0] < 5e-3 && errors[1] < 0.3 * errors[0] && errors[2] < 0.3 * errors[1], "{errors:?}");
}

#[test]
fn free_parameters_are_a_subset() {
    let grid = || Grid::new(&[-25.0, -30.0, 0.0], &[25.0, 30.0, 50.0], &[6, 7, 8]).unwrap();
    for scheme in [UPWIND, CARRIED] {
        let make = |free| StationaryDensity::new(Arc::new(Lorenz63), grid(), scheme, free, LORENZ.to_vec()).unwrap();
        let (all, some) = (make(None), make(Some(vec![2, 0])));
        assert_eq!(some.parameter_names(), ["beta", "sigma"]);
        assert_eq!(some.theta_full(&[2.0, 9.0]).unwrap(), [9.0, 28.0, 2.0]);
        let theta = [9.0, 28.0, 2.0];
        let z = all.linearize(&theta).unwrap().jacobian.to_dense();
        let part = some.linearize(&[2.0, 9.0]).unwrap().jacobian.to_dense();
        for (j, full) in [2, 0].into_iter().enumerate() {
            let gap = (0..z.nrows()).fold(0.0f64, |m, i| m.max((part[(i, j)] - z[(i, full)]).abs()));
            assert!(gap <= 1e-12 * z.norm_max());
        }
    }
}

#[test]
fn perturbed_fields_have_exact_derivatives() {
    let grid = Grid::new(&[-3.0, -4.0], &[3.0, 4.0], &[14, 15]).unwrap();
    for scheme in [
        Discretisation::ScharfetterGummel { diffusion: 0.3, restart: 1e-3 },
        Discretisation::SemiLagrangian { time: 0.3, step: 0.05, points: 2, restart: 1e-4 },
    ] {
        let field = HatPerturbation::new(Arc::new(VanDerPol), vec![1.0], 0.5, 4, &grid).unwrap();
        let p = field.dim_param();
        let model = StationaryDensity::new(Arc::new(field), grid.clone(), scheme, None, vec![0.0; p]).unwrap();
        let size = if matches!(scheme, Discretisation::SemiLagrangian { .. }) { 2e-4 } else { 1.0 };
        let delta: Vec<f64> = (0..p).map(|i| size * (1.3 * i as f64).cos()).collect();
        let test = taylor_test(&model, &vec![0.05; p], &delta).unwrap();
        assert!(test.rate >= 1.9, "{scheme:?}: {test:?}");
    }
}

#[test]
fn spurious_sinks_are_reported() {
    let bare = Discretisation::Upwind { diffusion: 0.0, restart: 2e-3 };
    let (_, report) = lorenz([17, 17, 17], bare).state_with_report(&LORENZ).unwrap();
    assert!(report.spurious_sink && report.concentration > 0.9, "{report:?}");
    // With an even number of cells the flow has a way out; so it depends on the grid alone.
    let (_, report) = lorenz([18, 18, 18], bare).state_with_report(&LORENZ).unwrap();
    assert!(!report.spurious_sink && report.concentration < 0.2, "{report:?}");
    let (_, report) = lorenz([16, 16, 16], SMOOTH).state_with_report(&LORENZ).unwrap();
    assert!(!report.spurious_sink && report.concentration < 0.2, "{report:?}");
}

#[test]
fn a_resting_face_has_no_stencil() {
    /// x' = theta * max(x, 0): at rest, with all derivatives 0, on the left half.
    struct Half;
    impl VelocityField for Half {
        fn name(&self) -> &str {
            "half"
        }
        fn dim(&self) -> usize {
            1
        }
        fn parameter_names(&self) -> Vec<String> {
            vec!["theta".into()]
        }
        fn velocity(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
            out[0] = theta[0] * x[0].max(0.0);
        }
        fn jacobian_x(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
            out[0] = if x[0] > 0.0 { theta[0] } else { 0.0 };
        }
        fn jacobian_theta(&self, x: &[f64], _: &[f64], out: &mut [f64]) {
            out[0] = x[0].max(0.0);
        }
    }
    let grid = Grid::new(&[-1.0], &[1.0], &[10]).unwrap();
    let scheme = Discretisation::Upwind { diffusion: 0.1, restart: 0.1 };
    let model = StationaryDensity::new(Arc::new(Half), grid, scheme, None, vec![1.0]).unwrap();
    let e = model.linearize(&[1.0]).unwrap().jacobian.param_jacobian().to_dense();
    for i in 0..5 {
        assert_eq!(e[(i, 0)], 0.0);
    }
    assert!(e[(6, 0)] != 0.0);
}

#[test]
fn a_flow_that_blows_up_is_out_of_the_domain() {
    let scheme = Discretisation::SemiLagrangian { time: 5.0, step: 0.5, points: 1, restart: 1e-3 };
    let model = lorenz([4, 4, 4], scheme);
    let error = model.linearize(&[10.0, 28.0, 2.5]).unwrap_err();
    assert!(error.is_recoverable());
    assert!(error.to_string().contains("lorenz63 at theta = [10, 28, 2.5]"), "{error}");
    let overflow = lorenz([4, 4, 4], SMOOTH).state(&[1e308, 28.0, 2.0]).unwrap_err();
    assert!(overflow.is_recoverable(), "{overflow}");
}

/// What a refusal that no step can mend is about.
fn field<T>(made: Result<T, ModelError>) -> String {
    match made.map(drop) {
        Err(ModelError::Invalid { field, .. }) => field,
        other => panic!("{other:?} is no such refusal"),
    }
}

#[test]
fn impossible_models_are_refused() {
    let grid = || Grid::new(&[-25.0, -30.0, 0.0], &[25.0, 30.0, 50.0], &[4, 4, 4]).unwrap();
    let make = |scheme, free, theta: &[f64]| {
        StationaryDensity::new(Arc::new(Lorenz63), grid(), scheme, free, theta.to_vec()).map(|_| ())
    };
    assert!(make(SMOOTH, None, &LORENZ).is_ok());
    let option = |scheme| field(make(scheme, None, &LORENZ));
    let carried = |time, step, points, restart| option(Discretisation::SemiLagrangian { time, step, points, restart });
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(option(Discretisation::Upwind { diffusion: bad, restart: 1.0 }), "discretisation.diffusion");
        assert_eq!(option(Discretisation::Upwind { diffusion: 1.0, restart: bad }), "discretisation.restart");
        assert_eq!(carried(bad, 0.1, 1, 0.1), "discretisation.time");
        assert_eq!(carried(1.0, bad, 1, 0.1), "discretisation.step");
        assert_eq!(carried(1.0, 0.1, 1, bad), "discretisation.restart");
    }
    assert_eq!(option(Discretisation::ScharfetterGummel { diffusion: 0.0, restart: 1.0 }), "discretisation.diffusion");
    assert_eq!(option(Discretisation::Upwind { diffusion: 0.0, restart: 0.0 }), "discretisation.restart");
    assert_eq!(carried(0.0, 0.1, 1, 0.1), "discretisation.time");
    assert_eq!(carried(1.0, 0.0, 1, 0.1), "discretisation.step");
    assert_eq!(carried(1.0, 1e-7, 1, 0.1), "discretisation.step");
    assert_eq!(carried(1.0, 0.1, 0, 0.1), "discretisation.points");
    assert_eq!(carried(1.0, 0.1, 1, 1.0), "discretisation.restart");
    assert_eq!(field(make(SMOOTH, Some(vec![3]), &LORENZ)), "free[0]");
    assert_eq!(field(make(SMOOTH, Some(vec![1, 1]), &LORENZ)), "free[1]");
    assert!(matches!(make(SMOOTH, None, &LORENZ[..2]), Err(ModelError::Shape { .. })));
    assert_eq!(field(make(SMOOTH, None, &[10.0, f64::NAN, 1.0])), "theta[1]");
    let plane = StationaryDensity::new(Arc::new(VanDerPol), grid(), SMOOTH, None, vec![1.0]);
    assert_eq!(field(plane), "grid");
    let thin = Grid::new(&[0.0; 3], &[1.0; 3], &[1, 4, 4]).unwrap();
    let flat = StationaryDensity::new(Arc::new(Lorenz63), thin.clone(), CARRIED, None, LORENZ.to_vec());
    assert_eq!(field(flat), "grid.cells");
    // One layer of cells is fine for finite volumes.
    let layer = StationaryDensity::new(Arc::new(Lorenz63), thin, SMOOTH, None, LORENZ.to_vec()).unwrap();
    assert!(layer.state(&LORENZ).is_ok());
    assert!(layer.state(&LORENZ[..2]).is_err());
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    for scheme in [UPWIND, SMOOTH, CARRIED] {
        for solver in [Solver::Direct, Solver::Krylov] {
            let model = lorenz([9, 10, 11], scheme).with_solver(solver);
            let run = |threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| {
                    let at = model.linearize(&LORENZ).unwrap();
                    let h = Mat::from_fn(990, 21, |i, j| ((i * (j + 2)) as f64 * 0.11).sin());
                    let mut zt = Mat::zeros(3, 21);
                    at.jacobian.apply_transpose(zt.as_mut(), h.as_ref());
                    (at.state.values, at.jacobian.to_dense(), zt)
                })
            };
            assert_eq!(run(1), run(5), "{scheme:?} {solver:?}");
        }
    }
}

#[test]
fn the_w2_information_of_lorenz_needs_no_factor() {
    for n in [16, 24] {
        let model = lorenz([n; 3], SMOOTH);
        let at = model.linearize(&LORENZ).unwrap();
        let (rho, z) = (&at.state.values, at.jacobian.to_dense());
        let faces = face_densities(model.grid(), rho, FaceMean::Arithmetic, 0.0).unwrap();
        let [direct, iterative] = [LaplacianPlan::new(model.grid()).unwrap(), LaplacianPlan::iterative(model.grid())]
            .map(|plan| {
                let laplacian = Arc::new(plan).factor(rho, &faces).unwrap();
                let (y, _) = match &laplacian {
                    WeightedLaplacian::Factored(laplacian) => laplacian.whiten(z.clone()),
                    WeightedLaplacian::Iterative(laplacian) => laplacian.whiten(z.clone()),
                };
                assert_eq!(laplacian.report().krylov.unwrap_or_default().missed, 0);
                gram(y.as_ref())
            });
        assert!((&direct - &iterative).norm_max() < 1e-9 * direct.norm_max());
    }
}

#[test]
fn the_factor_and_the_residual_fit_the_constraint() {
    /// The constraint without the shortcut that shares one factorisation.
    struct Plain(StationaryDensity);
    impl ImplicitConstraint for Plain {
        type StateFactor = wngd_models::flow::FlowFactor;
        type ParamJacobian = wngd_models::flow::FlowSensitivity;
        fn dim_param(&self) -> usize {
            3
        }
        fn dim_state(&self) -> usize {
            self.0.dim_state()
        }
        fn residual(&self, state: &[f64], theta: &[f64]) -> Result<Vec<f64>, ModelError> {
            self.0.constraint().residual(state, theta)
        }
        fn solve_state(&self, theta: &[f64]) -> Result<Vec<f64>, ModelError> {
            self.0.constraint().solve_state(theta)
        }
        fn factor_state_jacobian(&self, state: &[f64], theta: &[f64]) -> Result<Self::StateFactor, ModelError> {
            self.0.constraint().factor_state_jacobian(state, theta)
        }
        fn param_jacobian(&self, state: &[f64], theta: &[f64]) -> Result<Self::ParamJacobian, ModelError> {
            self.0.constraint().param_jacobian(state, theta)
        }
    }
    for scheme in [SMOOTH, CARRIED] {
        let model = lorenz([6, 6, 6], scheme);
        let rho = model.state(&LORENZ).unwrap().values;
        let z = model.linearize(&LORENZ).unwrap().jacobian.to_dense();
        let plain = Implicit::new(Plain(model));
        let residual = plain.constraint.residual(&rho, &LORENZ).unwrap();
        let largest = rho.iter().fold(0.0f64, |m, r| m.max(*r));
        assert!(residual.iter().all(|r| r.abs() < 1e-11 * largest));
        let other = plain.linearize(&LORENZ).unwrap().jacobian.to_dense();
        assert!((&z - &other).norm_max() < 1e-12 * z.norm_max());
        // On right-hand sides without mass the factor is the inverse of A itself.
        let factor = plain.constraint.factor_state_jacobian(&rho, &LORENZ).unwrap();
        let a = plain.constraint.0.generator(&LORENZ).unwrap();
        let b = Mat::from_fn(216, 1, |i, _| if i % 2 == 0 { 1.0 } else { -1.0 });
        let mut x = b.clone();
        factor.apply_inverse(x.as_mut());
        let mut back = Mat::zeros(216, 1);
        a.apply(back.as_mut(), x.as_ref());
        assert!((&back - &b).norm_max() < 1e-10);
    }
}

/// From corners of their boxes trajectories leave every bound within the map time below.
const BLOW_UP: [&str; 3] = ["belousov-zhabotinsky", "yu-wang", "yu-wang2"];

#[test]
fn every_system_has_a_density_in_its_box() {
    for name in wngd_models::flow::SYSTEM_NAMES {
        let system = system(name).unwrap();
        let cells = vec![10; system.field.dim()];
        let grid = Grid::new(&system.lower, &system.upper, &cells).unwrap();
        for scheme in [
            Discretisation::ScharfetterGummel { diffusion: 0.5, restart: 1e-3 },
            Discretisation::SemiLagrangian { time: 0.05, step: 0.005, points: 2, restart: 1e-4 },
        ] {
            let made = StationaryDensity::new(system.field.clone(), grid.clone(), scheme, None, system.theta.clone());
            let gap = made.and_then(|model| Ok(dot_test(&model.linearize(&system.theta)?.jacobian, 5)));
            if BLOW_UP.contains(name) && matches!(scheme, Discretisation::SemiLagrangian { .. }) {
                assert!(gap.unwrap_err().to_string().contains("stay finite"), "{name}");
            } else {
                assert!(gap.unwrap() < 1e-11, "{name} {scheme:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn densities_are_positive_with_mass_one_whatever_the_parameters(
        sigma in 1.0f64..30.0, rayleigh in 0.0f64..60.0, beta in 0.1f64..6.0,
        cells in prop::array::uniform3(2usize..9), which in 0usize..3, krylov in any::<bool>(),
    ) {
        let solver = if krylov { Solver::Krylov } else { Solver::Direct };
        let model = lorenz(cells, [UPWIND, SMOOTH, CARRIED][which]).with_solver(solver);
        let rho = model.state(&[sigma, rayleigh, beta]).unwrap().values;
        prop_assert!(rho.iter().all(|r| *r > 0.0));
        prop_assert!((model.expectation(&rho, &vec![1.0; rho.len()]) - 1.0).abs() < 1e-12);
    }
}
