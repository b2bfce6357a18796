//! Laws of the models at random parameters and of densities made from random data, hostile ones among them.
#![allow(clippy::unwrap_used)]

#[path = "../../../tests/common/cases.rs"]
mod cases;

use std::sync::Arc;

use cases::config;
use proptest::prelude::*;
use wngd_adjoint::{ForwardModel, ImplicitConstraint, ModelError, dot_test};
use wngd_linalg::Grid;
use wngd_linalg::dense::{dot, norm, sum};
use wngd_linalg::operator::apply_vec;
use wngd_models::flow::{Discretisation, Polynomial, StationaryDensity, system};
use wngd_models::{
    Binning, Covariances, Estimate, GaussianMixture, GaussianSmoothing, MixtureParameters, bin_trajectory, box_of,
    density_of_samples, long_run_covariance,
};

/// Σ w over the box.
fn mass(grid: &Grid, density: &[f64]) -> f64 {
    grid.cell_volume() * sum(density.iter().copied())
}

/// ‖(ρ(θ + hδ) − ρ(θ − hδ))/2h − Zδ‖ relative to ‖Zδ‖ and ‖ρ‖.
fn derivative_error<M: ForwardModel>(model: &M, theta: &[f64], delta: &[f64]) -> Result<f64, ModelError> {
    const H: f64 = 1e-5;
    let at = model.linearize(theta)?;
    let tangent = apply_vec(&at.jacobian, delta);
    let moved = |h: f64| -> Result<Vec<f64>, ModelError> {
        let theta: Vec<f64> = theta.iter().zip(delta).map(|(t, d)| t + h * d).collect();
        Ok(model.state(&theta)?.values)
    };
    let (ahead, behind) = (moved(H)?, moved(-H)?);
    let gap: Vec<f64> = (0..tangent.len()).map(|i| (ahead[i] - behind[i]) / (2.0 * H) - tangent[i]).collect();
    Ok(norm(&gap) / (norm(&tangent) + norm(&at.state.values)))
}

/// Now and then something else.
fn rarely<T: Clone + std::fmt::Debug>(other: impl Strategy<Value = T> + 'static) -> impl Strategy<Value = Option<T>> {
    prop_oneof![3 => Just(None), 1 => other.prop_map(Some)]
}

/// A mixture of up to three components, its covariances of any kind, over a box that holds it.
fn mixtures() -> impl Strategy<Value = (usize, MixtureParameters)> {
    let numbers = prop::collection::vec(-1.0..1.0f64, 9 + 27);
    (1usize..=3, prop::collection::vec(0.1..1.0f64, 1..=3), numbers, 0usize..4).prop_map(|(dim, raw, numbers, kind)| {
        let total: f64 = raw.iter().sum();
        let k = raw.len();
        let variance = |at: usize| 1.3 + 0.25 * numbers[9 + at];
        let covariances = match kind {
            0 => Covariances::Identity,
            1 => Covariances::Isotropic((0..k).map(variance).collect()),
            2 => Covariances::Diagonal((0..k).map(|i| (0..dim).map(|a| variance(3 * i + a)).collect()).collect()),
            _ => Covariances::Full(
                (0..k)
                    .map(|i| {
                        let entry = |a: usize, b: usize| match a == b {
                            true => variance(3 * i + a),
                            false => 0.3 * numbers[20 + 3 * i + a + b],
                        };
                        (0..dim).map(|a| (0..dim).map(|b| entry(a, b)).collect()).collect()
                    })
                    .collect(),
            ),
        };
        let means = (0..k).map(|i| (0..dim).map(|a| 2.0 * numbers[3 * i + a]).collect()).collect();
        (dim, MixtureParameters { weights: raw.iter().map(|w| w / total).collect(), means, covariances })
    })
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn mixtures_have_mass_one_and_exact_tangents((dim, parameters) in mixtures(), delta in prop::collection::vec(-1.0..1.0f64, 32)) {
        // 8 standard deviations around every mean, cells of one.
        let cells = vec![[40, 24, 20][dim - 1]; dim];
        let grid = Grid::new(&vec![-11.0; dim], &vec![11.0; dim], &cells).unwrap();
        let free: Vec<&str> = match (&parameters.covariances, parameters.components()) {
            (Covariances::Identity, 1) => vec!["means"],
            (Covariances::Identity, _) => vec!["weights", "means"],
            (_, 1) => vec!["means", "covariances"],
            _ => vec!["weights", "means", "covariances"],
        };
        let model = GaussianMixture::new(grid.clone(), parameters, &free).unwrap();
        let theta = model.theta();
        let state = model.state(&theta).unwrap();
        prop_assert!(state.values.iter().all(|r| *r >= 0.0 && r.is_finite()));
        prop_assert!((mass(&grid, &state.values) - 1.0).abs() < 1e-6, "{}", mass(&grid, &state.values));
        let deep = state.values.iter().any(|r| *r < 1e-290);
        prop_assert!(state.log_values.is_some() || !deep);
        let logs = state.log_values.unwrap_or_default();
        prop_assert!(state.values.iter().zip(&logs).all(|(r, l)| *r < 1e-290 || (r.ln() - l).abs() < 1e-9));
        let error = derivative_error(&model, &theta, &delta[..theta.len()]).unwrap();
        prop_assert!(error < 1e-8, "{error}");
        prop_assert!(dot_test(&model.linearize(&theta).unwrap().jacobian, 1) < 1e-12);
    }

    #[test]
    fn hostile_mixtures_are_refused_or_densities(
        raw in prop::collection::vec(0.0..1.0f64, 1..4), odd_weight in rarely(any::<f64>()), kind in 0usize..4,
        means in prop::collection::vec(prop_oneof![8 => -3.0..3.0f64, 1 => any::<f64>()], 6),
        variances in prop::collection::vec(prop_oneof![6 => 0.1..2.0f64, 1 => 1e-55..1e-45f64, 1 => any::<f64>(), 1 => Just(5e-324)], 12),
        short_mean in rarely(0usize..3), short_row in rarely(0usize..6),
    ) {
        let grid = Grid::new(&[-1.0, -2.0], &[2.0, 1.0], &[4, 3]).unwrap();
        let (k, total) = (raw.len(), raw.iter().sum::<f64>());
        let mut weights: Vec<f64> = raw.iter().map(|w| w / total).collect();
        weights[0] = odd_weight.unwrap_or(weights[0]);
        let cut = |short: Option<usize>, at: usize, row: Vec<f64>| if short == Some(at) { row[..1].to_vec() } else { row };
        let means = (0..k).map(|i| cut(short_mean, i, means[2 * i..2 * i + 2].to_vec())).collect();
        let full = |i: usize, a: usize| {
            let twin = 0.1 * variances[3 * i + 2].min(1.0);
            cut(short_row, 2 * i + a, if a == 0 { vec![variances[3 * i], twin] } else { vec![twin, variances[3 * i + 1]] })
        };
        let covariances = match kind {
            0 => Covariances::Identity,
            1 => Covariances::Isotropic(variances[..k].to_vec()),
            2 => Covariances::Diagonal(variances.chunks(2).take(k).map(<[f64]>::to_vec).collect()),
            _ => Covariances::Full((0..k).map(|i| (0..2).map(|a| full(i, a)).collect()).collect()),
        };
        match GaussianMixture::new(grid, MixtureParameters { weights, means, covariances }, &["means", "covariances"][..if kind == 0 { 1 } else { 2 }]) {
            Err(error) => prop_assert!(!error.to_string().is_empty()),
            Ok(model) => {
                let theta = model.theta();
                if let Ok(state) = model.state(&theta) {
                    prop_assert!(state.values.iter().all(|r| *r >= 0.0), "{:?}", state.values);
                }
                if let Ok(at) = model.linearize(&theta) {
                    let z = at.jacobian;
                    prop_assert!((0..z.ncols()).all(|j| z.col_as_slice(j).iter().all(|v| v.is_finite())), "{z:?}");
                }
                let _ = model.face_midpoint_density(&theta);
                // Parameters that a line search might come to.
                let moved: Vec<f64> = variances.iter().copied().cycle().take(theta.len()).collect();
                let _ = model.state(&moved);
            }
        }
    }

    #[test]
    fn flows_conserve_mass_and_have_exact_sensitivities(
        dim in 1usize..=3, coefficients in prop::collection::vec(-1.0..1.0f64, 30),
        cells in prop::array::uniform3(2usize..7), scheme in 0usize..3, v in prop::collection::vec(-1.0..1.0f64, 216),
    ) {
        let field = Polynomial::new(dim, 2).unwrap();
        let names = wngd_models::flow::VelocityField::dim_param(&field);
        let theta = coefficients[..names].to_vec();
        let grid = Grid::new(&vec![-1.0; dim], &vec![1.5; dim], &cells[..dim]).unwrap();
        let (scheme, restart) = [
            (Discretisation::Upwind { diffusion: 0.05, restart: 0.02 }, 0.02),
            (Discretisation::ScharfetterGummel { diffusion: 0.05, restart: 0.03 }, 0.03),
            (Discretisation::SemiLagrangian { time: 0.2, step: 0.05, points: 2, restart: 0.01 }, 0.01),
        ][scheme];
        let model = StationaryDensity::new(Arc::new(field), grid.clone(), scheme, None, theta.clone()).unwrap();
        let rho = model.state(&theta).unwrap().values;
        prop_assert!(rho.iter().all(|r| *r > 0.0));
        prop_assert!((mass(&grid, &rho) - 1.0).abs() < 1e-12);
        // The columns of A sum to the restart, whatever it is applied to.
        let v = &v[..grid.len()];
        let residual = model.constraint().residual(v, &theta).unwrap();
        let source = restart / grid.cell_volume();
        let gap = sum(residual.iter().copied()) - (restart * sum(v.iter().copied()) - source);
        prop_assert!(gap.abs() < 1e-12 * (norm(&residual) + source) * grid.len() as f64, "{gap}");
        let jacobian = model.linearize(&theta).unwrap().jacobian;
        prop_assert!(dot_test(&jacobian, 2) < 1e-10);
        // Tangents move mass and make none.
        let tangent = apply_vec(&jacobian, &v.iter().copied().cycle().take(names).collect::<Vec<_>>());
        prop_assert!(sum(tangent.iter().copied()).abs() <= 1e-10 * norm(&tangent) * grid.len() as f64);
        // Upwinding and carried points have kinks; exponential fluxes have none.
        if matches!(scheme, Discretisation::ScharfetterGummel { .. }) {
            let delta: Vec<f64> = v.iter().copied().cycle().take(names).collect();
            let error = derivative_error(&model, &theta, &delta).unwrap();
            prop_assert!(error < 1e-6, "{error}");
        }
    }

    #[test]
    fn hostile_flows_are_refused_or_densities(
        name in 0usize..7, theta in prop::collection::vec(prop_oneof![any::<f64>(), Just(1e300), Just(5e-324), -30.0..30.0f64], 8),
        a in any::<f64>(), b in prop_oneof![any::<f64>(), Just(1e-300), 1e-6..1.0f64], points in 0usize..5, scheme in 0usize..3,
    ) {
        let name = wngd_models::flow::SYSTEM_NAMES[name % wngd_models::flow::SYSTEM_NAMES.len()];
        let system = system(name).unwrap();
        let grid = Grid::new(&system.lower, &system.upper, &vec![3; system.field.dim()]).unwrap();
        let scheme = [
            Discretisation::Upwind { diffusion: a, restart: b },
            Discretisation::ScharfetterGummel { diffusion: a, restart: b },
            Discretisation::SemiLagrangian { time: 0.1, step: 0.05, points, restart: b },
        ][scheme];
        let theta: Vec<f64> = theta.into_iter().cycle().take(system.theta.len()).collect();
        let Ok(model) = StationaryDensity::new(system.field, grid.clone(), scheme, None, theta.clone()) else { return Ok(()) };
        if let Ok(state) = model.state(&theta) {
            prop_assert!(state.values.iter().all(|r| *r > 0.0 && r.is_finite()), "{:?}", state.values);
            prop_assert!((mass(&grid, &state.values) - 1.0).abs() < 1e-9);
        }
        let _ = model.linearize(&theta);
    }

    #[test]
    fn data_become_densities_of_mass_one_or_are_refused(
        dim in 1usize..=3, cells in prop::array::uniform3(1usize..6),
        values in prop::collection::vec(prop_oneof![8 => -1.0..1.0f64, 1 => any::<f64>(), 1 => Just(1e-300)], 3..60),
        width in prop_oneof![Just(None), any::<f64>().prop_map(Some), (1e-3..10.0f64).prop_map(Some)],
    ) {
        let grid = Grid::new(&vec![-1.0; dim], &vec![1.0; dim], &cells[..dim]).unwrap();
        let samples: Vec<Vec<f64>> = values.chunks_exact(dim).map(<[f64]>::to_vec).collect();
        for estimate in [Estimate::Histogram, Estimate::Kernel { bandwidth: width.map(|w| vec![w; dim]) }] {
            if let Ok(seen) = density_of_samples(&grid, &samples, &estimate) {
                prop_assert!(seen.density.iter().all(|r| *r >= 0.0), "{:?}", seen.density);
                prop_assert!((mass(&grid, &seen.density) - 1.0).abs() < 1e-12);
                prop_assert_eq!(seen.inside + seen.outside, samples.len());
            }
        }
        let points: Vec<f64> = values[..values.len() / dim * dim].iter().copied().cycle().take(1200 * dim).collect();
        for binning in [Binning::Nearest, Binning::Multilinear] {
            if let Ok(seen) = bin_trajectory(&grid, &points, binning, 7, 1) {
                prop_assert!(seen.density.iter().all(|r| *r >= 0.0));
                prop_assert!((mass(&grid, &seen.density) - 1.0).abs() < 1e-12);
            }
            let q = wngd_linalg::faer::Mat::from_fn(grid.len(), 2, |i, j| (i + j) as f64);
            if let Ok(found) = long_run_covariance(&grid, &points, binning, q.as_ref()) {
                let covariance = found.covariance;
                prop_assert!(covariance[(0, 0)] >= 0.0 && covariance[(0, 1)] == covariance[(1, 0)]);
            }
        }
        if let Ok((lower, upper)) = box_of(&points, dim, 0.1) {
            prop_assert!(lower.iter().zip(&upper).all(|(l, u)| l < u));
        }
    }

    #[test]
    fn smoothing_keeps_mass_and_has_a_transpose(
        dim in 1usize..=3, cells in prop::array::uniform3(1usize..7),
        widths in prop::array::uniform3(prop_oneof![Just(0.0), Just(1e-300), Just(1e300), any::<f64>(), 1e-2..5.0f64]),
        numbers in prop::collection::vec(0.0..1.0f64, 432),
    ) {
        let grid = Grid::new(&vec![-1.0; dim], &vec![1.0; dim], &cells[..dim]).unwrap();
        let Ok(smoothing) = GaussianSmoothing::new(&grid, &widths[..dim]) else {
            prop_assert!(widths[..dim].iter().any(|w| !(*w >= 0.0 && w.is_finite())));
            return Ok(());
        };
        let (a, b) = (&numbers[..grid.len()], &numbers[216..216 + grid.len()]);
        let (mut sa, mut tb) = (a.to_vec(), b.to_vec());
        smoothing.apply(&mut sa);
        smoothing.apply_transpose(&mut tb);
        prop_assert!(sa.iter().all(|v| *v >= 0.0));
        prop_assert!((sum(sa.iter().copied()) - sum(a.iter().copied())).abs() <= 1e-12 * grid.len() as f64);
        prop_assert!((dot(&sa, b) - dot(a, &tb)).abs() <= 1e-12 * grid.len() as f64);
    }
}
