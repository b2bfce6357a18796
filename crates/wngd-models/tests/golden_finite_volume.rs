//! Stationary densities of the Lorenz flow against values of an independent implementation.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::{Worst, load, number, numbers, sizes};
use serde_json::Value;
use wngd_adjoint::{Factorization, ForwardModel, LinearOp};
use wngd_linalg::dense::{as_column_mut, dot, gram, norm};
use wngd_linalg::faer::Mat;
use wngd_linalg::operator::{apply_transpose_vec, apply_vec};
use wngd_linalg::{FaceMean, Grid, LaplacianPlan, face_densities, floor_density, solve_information};
use wngd_models::flow::{Discretisation, HatPerturbation, Lorenz63, Solver, StationaryDensity};

const LOWER: [f64; 3] = [-25.0, -30.0, 0.0];
const UPPER: [f64; 3] = [25.0, 30.0, 50.0];
const BOX_VOLUME: f64 = 150_000.0;

fn scheme(case: &Value) -> Discretisation {
    let (diffusion, restart) = (number(&case["D"]), number(&case["kappa"]));
    match case["flux"].as_str().unwrap() {
        "upwind" => Discretisation::Upwind { diffusion, restart },
        _ => Discretisation::ScharfetterGummel { diffusion, restart },
    }
}

fn flat(m: &Mat<f64>) -> Vec<f64> {
    (0..m.nrows()).flat_map(|i| (0..m.ncols()).map(move |j| (i, j))).map(|at| m[at]).collect()
}

fn check_case(case: &Value, reference: &[f64], solver: Solver, worst: &mut Worst) {
    let grid = Grid::new(&LOWER, &UPPER, &sizes(&case["n"])).unwrap();
    let (n, volume, theta) = (grid.len(), grid.cell_volume(), numbers(&case["theta"]));
    let model = StationaryDensity::new(Arc::new(Lorenz63), grid.clone(), scheme(case), None, theta.clone())
        .unwrap()
        .with_solver(solver);
    let at = model.linearize(&theta).unwrap();
    let rho = at.state.values.clone();
    let wc: Vec<f64> = (0..n).map(|c| (0.1 * (c + 1) as f64).sin()).collect();

    // K = κI − A
    let (a, kappa) = (model.generator(&theta).unwrap(), number(&case["kappa"]));
    let k_entries: Vec<f64> =
        (0..n).flat_map(|j| a.column(j).map(move |(i, v)| if i == j { kappa - v } else { -v })).collect();
    let k_wc: Vec<f64> = apply_vec(&a, &wc).iter().zip(&wc).map(|(a, w)| kappa * w - a).collect();
    worst.compare("K.nnz", &[k_entries.iter().filter(|v| **v != 0.0).count() as f64], &case["K"]["nnz"]);
    worst.compare("K.abs_sum", &[k_entries.iter().map(|v| v.abs()).sum()], &case["K"]["abs_sum"]);
    worst.compare("K.wc_K_wc", &[dot(&wc, &k_wc)], &case["K"]["wc_K_wc"]);

    let gold = &case["rho"];
    worst.compare("rho.l2", &[norm(&rho)], &gold["l2"]);
    worst.compare("rho.min", &[rho.iter().copied().fold(f64::INFINITY, f64::min)], &gold["min"]);
    worst.compare("rho.max", &[rho.iter().copied().fold(0.0, f64::max)], &gold["max"]);
    worst.compare("rho.wc", &[dot(&rho, &wc)], &gold["wc_dot"]);
    for (index, value) in sizes(&gold["idx"]).into_iter().zip(numbers(&gold["at"])) {
        worst.compare_to("rho.at", &[rho[index]], &[value], value);
    }
    if let Some(all) = gold.get("all") {
        worst.compare("rho.all", &rho, all);
    }
    let points: Vec<[f64; 3]> = (0..n).map(|c| grid.center(c)).collect();
    let mean = |h: &dyn Fn(&[f64; 3]) -> f64| model.expectation(&rho, &points.iter().map(h).collect::<Vec<_>>());
    let first: Vec<f64> = (0..3).map(|i| mean(&|x| x[i])).collect();
    worst.compare("rho.E", &first, &gold["E"]);
    worst.compare("rho.E2", &(0..3).map(|i| mean(&|x| x[i] * x[i])).collect::<Vec<_>>(), &gold["E2"]);
    worst.compare("rho.Exy", &[mean(&|x| x[0] * x[1])], &gold["Exy"]);
    worst.compare("rho.E_z3", &[mean(&|x| x[2].powi(3))], &gold["E_z3"]);

    let z = at.jacobian.to_dense();
    let gold = &case["Z"];
    let g = gram(z.as_ref());
    let g_l2 = Mat::from_fn(3, 3, |i, j| volume * g[(i, j)]);
    worst.compare("Z.G_L2", &flat(&g_l2), &gold["G_L2"]);
    worst.compare("Z.wc", &apply_transpose_vec(&z, &wc), &gold["wc_dot"]);
    let index = sizes(&case["rho"]["idx"]);
    worst.compare("Z.at", &index.iter().flat_map(|&i| [0, 1, 2].map(|j| z[(i, j)])).collect::<Vec<_>>(), &gold["at"]);
    let linf: Vec<f64> = (0..3).map(|j| (0..n).fold(0.0f64, |m, i| m.max(z[(i, j)].abs()))).collect();
    worst.compare("Z.linf", &linf, &gold["linf"]);

    let mut lambda = wc.clone();
    at.jacobian.factor().apply_inverse_transpose(as_column_mut(&mut lambda));
    let gold = &case["adjoint"];
    worst.compare("adjoint.lam_l2", &[norm(&lambda)], &gold["lam_l2"]);
    worst.compare("adjoint.lam_at", &index.iter().map(|&i| lambda[i]).collect::<Vec<_>>(), &gold["lam_at"]);
    worst.compare("adjoint.hTZ", &apply_transpose_vec(&at.jacobian, &wc), &gold["hTZ"]);

    let square: Vec<f64> = rho.iter().zip(reference).map(|(r, s)| r - s).collect();
    let ratio: Vec<f64> = rho.iter().zip(reference).map(|(r, s)| -s / r).collect();
    let divergence = volume * rho.iter().zip(reference).map(|(r, s)| s * (s / r).ln()).sum::<f64>();
    for (name, value, u) in [("f_L2", 0.5 * volume * dot(&square, &square), square), ("f_KL", divergence, ratio)] {
        let gold = &case[name];
        worst.compare(name, &[value], &gold["f"]);
        let grad: Vec<f64> = apply_transpose_vec(&at.jacobian, &u).iter().map(|v| volume * v).collect();
        worst.compare(&format!("{name}.grad"), &grad, &gold["grad"]);
        let descent: Vec<f64> = grad.iter().map(|v| -v).collect();
        let eta = solve_information(g_l2.as_ref(), &descent, None).unwrap().x;
        worst.compare(&format!("{name}.eta_L2"), &eta, &gold["eta_L2"]);
    }

    let floor = 1e-4 / BOX_VOLUME;
    let faces = face_densities(&grid, &rho, FaceMean::Arithmetic, floor).unwrap();
    let laplacian = Arc::new(LaplacianPlan::new(&grid).unwrap()).factor(&floor_density(&rho, floor), &faces).unwrap();
    let (y, _) = laplacian.flux(z).unwrap();
    let gold = &case["W2"];
    let g = gram(y.as_ref());
    worst.compare("W2.G_W2", &flat(&Mat::from_fn(3, 3, |i, j| volume * g[(i, j)])), &gold["G_W2"]);
    let wf: Vec<f64> = (0..y.nrows()).map(|f| (0.07 * (f + 1) as f64).cos()).collect();
    worst.compare("W2.wf_Y", &apply_transpose_vec(&y, &wf), &gold["wf_Y"]);
    let mean = wc.iter().sum::<f64>() / n as f64;
    let (probe, _) = laplacian.flux(Mat::from_fn(n, 1, |i, _| wc[i] - mean)).unwrap();
    worst.compare("W2.Bdag_wc_l2", &[probe.norm_l2()], &gold["Bdag_wc_l2"]);
}

/// Checks all cases that fit `size` cells with one solver.
fn check_cases(size: usize, solver: Solver) -> Worst {
    let golden = load("lorenz.json");
    let target = numbers(&golden["theta_ref"]);
    let mut worst = Worst::default();
    for case in golden["cases"].as_array().unwrap() {
        let cells = sizes(&case["n"]);
        if cells.iter().product::<usize>() > size {
            continue;
        }
        let grid = Grid::new(&LOWER, &UPPER, &cells).unwrap();
        let model = StationaryDensity::new(Arc::new(Lorenz63), grid, scheme(case), None, target.clone())
            .unwrap()
            .with_solver(solver);
        let reference = model.state(&target).unwrap().values;
        check_case(case, &reference, solver, &mut worst);
    }
    worst
}

#[test]
fn lorenz_densities_sensitivities_and_metrics_match_with_a_direct_solver() {
    check_cases(usize::MAX, Solver::Direct).assert_below(1e-8);
}

#[test]
fn lorenz_densities_sensitivities_and_metrics_match_with_a_krylov_solver() {
    check_cases(5_000, Solver::Krylov).assert_below(1e-8);
}

#[test]
fn velocity_perturbations_match() {
    let golden = load("lorenz.json");
    let mut worst = Worst::default();
    for case in golden["hat_cases"].as_array().unwrap() {
        let grid = Grid::new(&LOWER, &UPPER, &sizes(&case["n"])).unwrap();
        let (n, volume) = (grid.len(), grid.cell_volume());
        let nodes = number(&case["q"]) as usize;
        let base = vec![10.0, 28.0, 8.0 / 3.0];
        let field = HatPerturbation::new(Arc::new(Lorenz63), base, 10.0, nodes, &grid).unwrap();
        let p = number(&case["p"]) as usize;
        let model = StationaryDensity::new(Arc::new(field), grid, scheme(case), None, vec![0.0; p]).unwrap();
        let target: Vec<f64> = (0..p).map(|i| (1.0 + 2.399963 * i as f64).sin()).collect();
        let reference = model.state(&target).unwrap().values;
        let wc: Vec<f64> = (0..n).map(|c| (0.1 * (c + 1) as f64).sin()).collect();
        let wp: Vec<f64> = (0..p).map(|i| (0.3 * (i + 1) as f64).sin()).collect();
        worst.compare("rho_theta1_wc", &[dot(&reference, &wc)], &case["rho_theta1_wc"]);
        let at = model.linearize(&vec![0.0; p]).unwrap();
        let u: Vec<f64> = at.state.values.iter().zip(&reference).map(|(r, s)| r - s).collect();
        worst.compare("f_L2", &[0.5 * volume * dot(&u, &u)], &case["f_L2"]);
        let grad: Vec<f64> = apply_transpose_vec(&at.jacobian, &u).iter().map(|v| volume * v).collect();
        worst.compare("grad_norm", &[norm(&grad)], &case["grad_norm"]);
        worst.compare("grad_wp", &[dot(&grad, &wp)], &case["grad_wp"]);
        worst.compare("grad_first", &grad[..5], &case["grad_first"]);
        worst.compare("ZT_wc_wp", &[dot(&apply_transpose_vec(&at.jacobian, &wc), &wp)], &case["ZT_wc_wp"]);
        worst.compare("Z_wp_wc", &[dot(&apply_vec(&at.jacobian, &wp), &wc)], &case["Z_wp_wc"]);
    }
    worst.assert_below(1e-8);
}
