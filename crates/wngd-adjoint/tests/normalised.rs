//! States of mass 1, with a Jacobian that is stored or known by its action alone.
#![allow(clippy::unwrap_used)]

#[path = "../../../tests/common/hidden.rs"]
mod hidden;

use std::sync::Arc;

use hidden::Hidden;
use wngd_adjoint::{ForwardModel, Linearization, ModelError, Normalised, SolveCounts, State, dot_test, taylor_test};
use wngd_linalg::LinearOp;
use wngd_linalg::dense::sum;
use wngd_linalg::faer::Mat;

const THETA: [f64; 3] = [1.7, 0.4, 0.9];

/// ρ_i = a e^{−(x_i − m)²/2s} with its logarithm; the Jacobian is stored, or known by its action alone.
#[derive(Debug)]
struct Bump {
    stored: bool,
}

fn from_center(i: usize, m: f64) -> f64 {
    0.2 * (i as f64 - 14.5) - m
}

impl ForwardModel for Bump {
    type Jacobian = Box<dyn LinearOp>;
    fn dim_param(&self) -> usize {
        3
    }
    fn dim_state(&self) -> usize {
        30
    }
    fn state(&self, t: &[f64]) -> Result<State, ModelError> {
        ModelError::check_theta(t, 3)?;
        let logs: Vec<f64> = (0..30).map(|i| t[0].ln() - from_center(i, t[1]).powi(2) / (2.0 * t[2])).collect();
        Ok(State { values: logs.iter().map(|l| l.exp()).collect(), log_values: Some(logs) })
    }
    fn linearize(&self, t: &[f64]) -> Result<Linearization<Self::Jacobian>, ModelError> {
        let state = self.state(t)?;
        let z = Mat::from_fn(30, 3, |i, j| {
            let x = from_center(i, t[1]);
            state.values[i] * [1.0 / t[0], x / t[2], x * x / (2.0 * t[2] * t[2])][j]
        });
        Ok(Linearization { state, jacobian: if self.stored { Box::new(z) } else { Box::new(Hidden(Arc::new(z))) } })
    }
    fn solve_counts(&self) -> SolveCounts {
        SolveCounts { state: 1, tangent: 2, adjoint: 3 }
    }
}

#[test]
fn states_have_mass_one_and_exact_derivatives() {
    for stored in [true, false] {
        let model = Normalised::new(Bump { stored }, 0.2).unwrap();
        for (axis, delta) in [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, -0.7, 0.5]].iter().enumerate() {
            let test = taylor_test(&model, &THETA, delta).unwrap();
            assert!(test.is_exact(), "{axis}: {test}");
        }
        let at = model.linearize(&THETA).unwrap();
        assert!((0.2 * sum(at.state.values.iter().copied()) - 1.0).abs() < 1e-15);
        for (value, log) in at.state.values.iter().zip(at.state.log_values.unwrap()) {
            assert!((value.ln() - log).abs() < 1e-13);
        }
        assert!(dot_test(&at.jacobian, 4) < 1e-13);
        assert_eq!(at.jacobian.as_dense().is_some(), stored);
        let z = at.jacobian.to_dense();
        for j in 0..3 {
            assert!(sum(z.col_as_slice(j).iter().copied()).abs() < 1e-14, "column {j} carries mass");
        }
        // The amplitude is lost with the mass.
        assert!(z.col(0).norm_max() < 1e-15);
        assert!((Box::new(at.jacobian).into_dense_boxed() - z).norm_max() < 1e-15);
        assert_eq!(model.solve_counts(), SolveCounts { state: 1, tangent: 2, adjoint: 3 });
    }
}

#[test]
fn masses_that_nothing_can_be_divided_by_are_outside_the_domain() {
    let model = Normalised::new(Bump { stored: true }, 0.2).unwrap();
    // Far outside, the bump underflows.
    let error = model.state(&[1.0, 1e3, 1.0]).unwrap_err();
    assert!(error.is_recoverable() && error.to_string().contains("mass of the state = 0"), "{error}");
    for weight in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = Normalised::new(Bump { stored: true }, weight).unwrap_err();
        assert!(matches!(&error, ModelError::Invalid { field, .. } if field == "weight"), "{error}");
    }
}
