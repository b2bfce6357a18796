//! A system whose velocity is a function of Python's.

use std::sync::Arc;

use numpy::PyArray1;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use wngd::models::flow::VelocityField;
use wngd_experiment::Given;

use crate::arrays::Numbers;
use crate::callables::{OutOfDomain, Raised};
use crate::error;

/// The callables of a `wngd.System`. Once one of them has raised, all of it is NaN, which ends every computation soon.
pub(crate) struct PythonField {
    name: String,
    variables: Vec<String>,
    parameters: Vec<String>,
    theta: Vec<f64>,
    velocity: Py<PyAny>,
    jac_x: Py<PyAny>,
    jac_theta: Py<PyAny>,
    /// What was raised.
    pub(crate) raised: Raised,
}

impl PythonField {
    /// The field of an argument, if it is a `wngd.System`.
    ///
    /// # Errors
    /// A function without the names of its variables and parameters; parameters that are no finite numbers.
    pub(crate) fn of(system: &Bound<'_, PyAny>) -> PyResult<Option<Arc<Self>>> {
        if !system.hasattr("velocity")? {
            if system.is_callable() {
                return Err(PyTypeError::new_err(
                    "system: a function needs names, start values and derivatives: give wngd.System(function, ...)",
                ));
            }
            return Ok(None);
        }
        let (parameters, theta) = system.getattr("parameters")?.extract::<Vec<(String, f64)>>()?.into_iter().unzip();
        let part = |name: &str| -> PyResult<Py<PyAny>> { Ok(system.getattr(name)?.unbind()) };
        Ok(Some(Arc::new(Self {
            name: system.getattr("name")?.extract()?,
            variables: system.getattr("variables")?.extract()?,
            parameters,
            theta,
            velocity: part("velocity")?,
            jac_x: part("jac_x")?,
            jac_theta: part("jac_theta")?,
            raised: Raised::default(),
        })))
    }

    /// It as the library takes systems.
    pub(crate) fn given(self: &Arc<Self>) -> Given {
        Given {
            name: self.name.clone(),
            field: self.clone(),
            variables: self.variables.clone(),
            theta: self.theta.clone(),
        }
    }

    /// Fills `out` by a callable; NaN where it is out of its domain, and for all time once anything else was raised.
    fn fill(&self, part: &Py<PyAny>, name: &'static str, x: &[f64], theta: &[f64], needed: &[usize], out: &mut [f64]) {
        out.fill(f64::NAN);
        if self.raised.any() {
            return;
        }
        let called = Python::attach(|py| -> PyResult<()> {
            let found = part.call1(py, (PyArray1::from_slice(py, x), PyArray1::from_slice(py, theta)))?;
            let found = Numbers::of(name, found.bind(py))?;
            if found.shape() != needed {
                let text = format!("{name}: shape {:?}; {needed:?} is needed", found.shape());
                return Err(PyValueError::new_err(text));
            }
            out.copy_from_slice(found.values()?);
            Ok(())
        });
        if let Err(error) = called
            && !Python::attach(|py| error.is_instance_of::<OutOfDomain>(py))
        {
            self.raised.keep(error);
        }
    }
}

impl VelocityField for PythonField {
    fn name(&self) -> &str {
        &self.name
    }

    fn dim(&self) -> usize {
        self.variables.len()
    }

    fn dim_param(&self) -> usize {
        self.parameters.len()
    }

    fn parameter_names(&self) -> Vec<String> {
        self.parameters.clone()
    }

    fn velocity(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        self.fill(&self.velocity, "system.velocity", x, theta, &[x.len()], out);
    }

    fn jacobian_x(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        self.fill(&self.jac_x, "system.jac_x", x, theta, &[x.len(), x.len()], out);
    }

    fn jacobian_theta(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        self.fill(&self.jac_theta, "system.jac_theta", x, theta, &[x.len(), theta.len()], out);
    }
}

/// Rates of Taylor's formula for both derivatives of a system at a point: 2 where they are exact.
#[pyfunction]
pub(crate) fn check_field(
    py: Python<'_>,
    system: &Bound<'_, PyAny>,
    x: &Bound<'_, PyAny>,
    theta: Option<&Bound<'_, PyAny>>,
) -> PyResult<(bool, f64, f64)> {
    let Some(field) = PythonField::of(system)? else {
        return Err(PyTypeError::new_err("system: a wngd.System is needed"));
    };
    let numbers = |name: &'static str, value: &Bound<'_, PyAny>, n: usize| -> PyResult<Vec<f64>> {
        let values = Numbers::of(name, value)?.axes(1, "a list of numbers")?.finite()?.values()?.to_vec();
        if values.len() == n {
            Ok(values)
        } else {
            Err(error::argument(name, format!("{} numbers; {n} are needed", values.len())))
        }
    };
    let x = numbers("x", x, field.dim())?;
    let theta = match theta {
        Some(theta) => numbers("theta", theta, field.theta.len())?,
        None => field.theta.clone(),
    };
    let found = py.detach(|| wngd::models::flow::check_field(field.as_ref(), &x, &theta));
    field.raised.check()?;
    Ok((found.is_exact(), found.rate_x, found.rate_theta))
}
