//! `wngd.check`: Taylor and dot tests of a model's derivatives.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use wngd::adjoint::{ModelError, TaylorTest, dot_test, taylor_test};
use wngd::prelude::ForwardModel;

use crate::problem::{model, start};
use crate::{error, interrupt};

/// Most parameters that are tested one by one.
const SINGLY: usize = 50;
/// Length of directions, relative to the parameters.
const LENGTH: f64 = 0.5;

/// What tests found.
struct Found {
    /// Along all parameters at once.
    all: TaylorTest,
    /// Along each, where there are few.
    single: Vec<TaylorTest>,
    /// The gap of the dot test, with its text.
    dot: (bool, f64, String),
}

/// Tests the derivatives of a model at x0.
#[pyfunction]
pub(crate) fn check<'py>(
    py: Python<'py>,
    python: &Bound<'py, PyAny>,
    x0: &Bound<'py, PyAny>,
    names: Option<Vec<String>>,
    seed: u64,
) -> PyResult<Bound<'py, PyDict>> {
    let x0 = start(x0)?;
    let (callables, model) = model(python, &x0, names, None)?;
    let scale = |x: f64| LENGTH * if x == 0.0 { 1.0 } else { x.abs() };
    // Signs of no pattern, so that errors of different parameters do not cancel.
    let sign = |j: usize| {
        if (j as u64).wrapping_add(seed).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 63 == 0 { 1.0 } else { -1.0 }
    };
    let direction: Vec<f64> = x0.iter().enumerate().map(|(j, x)| sign(j) * scale(*x)).collect();
    let found = py.detach(|| -> Result<Found, ModelError> {
        let all = taylor_test(&model, &x0, &direction)?;
        let mut single = Vec::new();
        // Where all is well, and where there are too many, single parameters say nothing more.
        if !all.is_exact() && x0.len() <= SINGLY {
            for j in 0..x0.len() {
                let mut along = vec![0.0; x0.len()];
                along[j] = scale(x0[j]);
                single.push(taylor_test(&model, &x0, &along)?);
                if interrupt::asked() {
                    break;
                }
            }
        }
        let jacobian = ForwardModel::linearize(&model, &x0)?.jacobian;
        let dot = dot_test(&jacobian, seed);
        Ok(Found { all, single, dot: (dot.is_exact(), dot.gap, dot.to_string()) })
    });
    callables.raised.check()?;
    interrupt::check()?;
    let Found { all, single, dot } = found.map_err(|e| error::argument("x0", e))?;
    let told = PyDict::new(py);
    told.set_item("taylor", all.is_exact())?;
    told.set_item("rate", all.rate)?;
    told.set_item("taylor_text", all.to_string())?;
    told.set_item("steps", &all.steps)?;
    told.set_item("remainders", &all.remainders)?;
    told.set_item("dot", dot.0)?;
    told.set_item("gap", dot.1)?;
    told.set_item("dot_text", dot.2)?;
    let wrong = single.iter().enumerate().filter(|(_, test)| !test.is_exact()).map(|(j, _)| j);
    told.set_item("wrong", wrong.collect::<Vec<_>>())?;
    told.set_item("shape", &callables.shape)?;
    told.set_item("has_vjp", callables.has_adjoint() && !callables.has_matrix())?;
    Ok(told)
}
