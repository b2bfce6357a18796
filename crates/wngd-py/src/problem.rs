//! What a descent of the caller's own stands on: start, model and bounds, read and checked.

use std::sync::Arc;

use pyo3::prelude::*;
use wngd::adjoint::Bound as Limit;
use wngd_experiment::models::{Model, Parameter};

use crate::arrays::Numbers;
use crate::callables::Callables;
use crate::error;
use crate::model::PythonModel;

/// Bounds as SciPy has them: a pair per parameter, none for no bound.
pub(crate) type Bounds = Vec<(Option<f64>, Option<f64>)>;

/// A start point.
///
/// # Errors
/// What is no list of finite numbers.
pub(crate) fn start(x0: &Bound<'_, PyAny>) -> PyResult<Vec<f64>> {
    let x0 = Numbers::of("x0", x0)?.axes(1, "(parameters,)")?.finite()?;
    match x0.values()? {
        [] => Err(error::argument("x0", "there are no parameters")),
        values => Ok(values.to_vec()),
    }
}

/// A model at a start.
///
/// # Errors
/// Names or bounds that do not fit; what the model raises at the start.
pub(crate) fn model(
    python: &Bound<'_, PyAny>,
    x0: &[f64],
    names: Option<Vec<String>>,
    bounds: Option<Bounds>,
) -> PyResult<(Arc<Callables>, Box<dyn Model>)> {
    let p = x0.len();
    let names = names.unwrap_or_else(|| (0..p).map(|i| format!("x[{i}]")).collect());
    if names.len() != p {
        return Err(error::argument("names", format!("{} for {p} parameters; one each is needed", names.len())));
    }
    let bounds = bounds.map_or_else(|| Ok(Vec::new()), |bounds| limits(&names, x0, &bounds))?;
    let callables = Arc::new(Callables::of(python, x0)?);
    let parameters = names.into_iter().zip(x0).map(|(name, start)| Parameter::around(name, *start)).collect();
    let model = PythonModel { callables: callables.clone(), parameters, bounds };
    Ok((callables, Box::new(model)))
}

fn limits(names: &[String], x0: &[f64], bounds: &Bounds) -> PyResult<Vec<Limit>> {
    let p = names.len();
    if bounds.len() != p {
        return Err(error::argument(
            "bounds",
            format!("{} pairs for {p} parameters; one each is needed", bounds.len()),
        ));
    }
    let mut limits = Vec::new();
    for (j, (lower, upper)) in bounds.iter().enumerate() {
        for (bound, sign) in [(lower, 1.0), (upper, -1.0)] {
            let Some(bound) = bound.filter(|b| b.is_finite()) else { continue };
            let limit = Limit { name: names[j].clone(), terms: vec![(j, sign)], lower: sign * bound };
            if limit.slack(x0) < 0.0 {
                return Err(error::argument("x0", format!("{} = {} is outside of its bounds", names[j], x0[j])));
            }
            limits.push(limit);
        }
    }
    Ok(limits)
}
