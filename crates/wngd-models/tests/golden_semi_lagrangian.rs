//! The semi-Lagrangian stationary density of the Lorenz flow against values of an independent implementation.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::{Worst, load, number, numbers, sizes};
use wngd_adjoint::{ForwardModel, LinearOp};
use wngd_linalg::Grid;
use wngd_linalg::dense::{dot, gram, norm};
use wngd_linalg::operator::{apply_transpose_vec, apply_vec};
use wngd_models::flow::{Discretisation, Lorenz63, Solver, StationaryDensity};

#[test]
fn lorenz_densities_and_sensitivities_match_with_both_solvers() {
    let golden = load("lorenz_semilagrangian.json");
    for solver in [Solver::Direct, Solver::Krylov] {
        let mut worst = Worst::default();
        for case in golden["cases"].as_array().unwrap() {
            let grid = Grid::new(&numbers(&case["lo"]), &numbers(&case["hi"]), &sizes(&case["n"])).unwrap();
            let (n, volume, theta) = (grid.len(), grid.cell_volume(), numbers(&case["theta"]));
            let restart = number(&case["eps"]);
            let scheme = Discretisation::SemiLagrangian {
                time: number(&case["T"]),
                step: number(&case["dt"]),
                points: number(&case["sub"]) as usize,
                restart,
            };
            let model = StationaryDensity::new(Arc::new(Lorenz63), grid.clone(), scheme, None, theta.clone())
                .unwrap()
                .with_solver(solver);
            let coordinate = |axis: usize| -> Vec<f64> { (0..n).map(|c| grid.center(c)[axis]).collect() };
            let [xc, yc, zc] = [0, 1, 2].map(coordinate);

            // M = (I − A)/(1 − ε)
            let a = model.generator(&theta).unwrap();
            let entries: Vec<f64> = (0..n)
                .flat_map(|j| a.column(j).map(move |(i, v)| (if i == j { 1.0 - v } else { -v }) / (1.0 - restart)))
                .collect();
            let count = entries.iter().filter(|v| **v > 1e-14).count();
            worst.compare("M.nnz", &[count as f64], &case["M_nnz_gt_1e14"]);
            worst.compare("M.fro", &[norm(&entries)], &case["M_fro"]);
            let moved = (dot(&zc, &zc) - dot(&zc, &apply_vec(&a, &zc))) / (1.0 - restart);
            worst.compare("zc_M_zc", &[moved], &case["zc_M_zc"]);

            let at = model.linearize(&theta).unwrap();
            let rho = at.state.values.clone();
            let mean = |h: &[f64]| model.expectation(&rho, h);
            let product = |a: &[f64], b: &[f64]| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| a * b).collect() };
            worst.compare("E", &[mean(&xc), mean(&yc), mean(&zc)], &case["E"]);
            let squares = [&xc, &yc, &zc].map(|x| mean(&product(x, x)));
            worst.compare("E2", &squares, &case["E2"]);
            worst.compare("Exy", &[mean(&product(&xc, &yc))], &case["Exy"]);
            worst.compare("rho_l2", &[volume.sqrt() * norm(&rho)], &case["rho_l2"]);
            worst.compare("rho_max", &[rho.iter().copied().fold(0.0, f64::max)], &case["rho_max"]);
            worst.compare("rho_min", &[rho.iter().copied().fold(f64::INFINITY, f64::min)], &case["rho_min"]);

            let z = at.jacobian.to_dense();
            let g = gram(z.as_ref());
            let g: Vec<f64> = (0..9).map(|e| volume * g[(e / 3, e % 3)]).collect();
            worst.compare("G_L2", &g, &case["G_L2"]);
            let scaled = |v: Vec<f64>| -> Vec<f64> { v.iter().map(|v| volume * v).collect() };
            worst.compare("zc_Z", &scaled(apply_transpose_vec(&z, &zc)), &case["zc_Z"]);
            worst.compare("zc_Z_adjoint", &scaled(apply_transpose_vec(&at.jacobian, &zc)), &case["zc_Z_by_adjoint"]);
            eprintln!("{:?}", at.jacobian.factor().report());
        }
        worst.assert_below(1e-8);
    }
}
