//! A model's callables, and what they raise: the first exception is kept, and nothing is called after it.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use numpy::PyArray1;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use wngd::adjoint::{ModelError, SolveCounts};

use crate::arrays::{Numbers, array};

pyo3::create_exception!(
    _wngd,
    OutOfDomain,
    PyValueError,
    "Raised by a model where it is not defined: a line search then shortens its step."
);

/// The first exception of a computation.
#[derive(Default)]
pub(crate) struct Raised {
    first: Mutex<Option<PyErr>>,
    any: AtomicBool,
}

impl Raised {
    /// Keeps an exception.
    pub(crate) fn keep(&self, error: PyErr) {
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(error);
        self.any.store(true, Ordering::SeqCst);
    }

    /// Whether there is one.
    pub(crate) fn any(&self) -> bool {
        self.any.load(Ordering::SeqCst)
    }

    /// Raises it.
    ///
    /// # Errors
    /// That.
    pub(crate) fn check(&self) -> PyResult<()> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }
}

/// What stands for an exception on its way through Rust.
#[derive(Debug)]
struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("it raised an exception")
    }
}

impl std::error::Error for Interrupted {}

/// The error of a model that raised.
pub(crate) fn interrupted() -> ModelError {
    ModelError::Model(Box::new(Interrupted))
}

/// A model as Python gives it.
pub(crate) struct Callables {
    state: Py<PyAny>,
    jvp: Option<Py<PyAny>>,
    vjp: Option<Py<PyAny>>,
    jacobian: Option<Py<PyAny>>,
    /// Whether products take blocks: (r, p) to (r, …) and back.
    batched: bool,
    /// Number of parameters p.
    pub(crate) parameters: usize,
    /// Shape of the state.
    pub(crate) shape: Vec<usize>,
    /// What was raised.
    pub(crate) raised: Raised,
    calls: [AtomicUsize; 3],
    /// Nanoseconds in the callables, and on the way to them and back.
    spent: [AtomicU64; 2],
}

/// Which count a call belongs to.
#[derive(Clone, Copy)]
enum Call {
    State,
    Tangent,
    Adjoint,
}

impl Callables {
    /// The callables of a `wngd.Model`; its state at `theta` tells the shape.
    ///
    /// # Errors
    /// What is missing, what the state raises, a state that holds no finite numbers.
    pub(crate) fn of(model: &Bound<'_, PyAny>, theta: &[f64]) -> PyResult<Self> {
        let part = |name: &str| -> PyResult<Option<Py<PyAny>>> {
            let part = model.getattr(name)?;
            Ok((!part.is_none()).then(|| part.unbind()))
        };
        let state = model.getattr("state")?.unbind();
        let found = state.call1(model.py(), (PyArray1::from_slice(model.py(), theta),))?;
        let found = Numbers::of("model.state(x0)", found.bind(model.py()))?.finite()?;
        Ok(Self {
            state,
            jvp: part("jvp")?,
            vjp: part("vjp")?,
            jacobian: part("jacobian")?,
            batched: model.getattr("batched")?.extract()?,
            parameters: theta.len(),
            shape: found.shape().to_vec(),
            raised: Raised::default(),
            calls: Default::default(),
            spent: Default::default(),
        })
    }

    /// Number of state values k.
    pub(crate) fn values(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether the Jacobian is given as a matrix.
    pub(crate) fn has_matrix(&self) -> bool {
        self.jacobian.is_some()
    }

    /// Whether transposed products are given.
    pub(crate) fn has_adjoint(&self) -> bool {
        self.vjp.is_some()
    }

    /// Calls so far: states, products and transposed products.
    pub(crate) fn counts(&self) -> SolveCounts {
        let [state, tangent, adjoint] = [0, 1, 2].map(|i| self.calls[i].load(Ordering::Relaxed));
        SolveCounts { state, tangent, adjoint }
    }

    /// Seconds in the callables, and on the way to them and back.
    pub(crate) fn seconds(&self) -> (f64, f64) {
        let [model, way] = [0, 1].map(|i| 1e-9 * self.spent[i].load(Ordering::Relaxed) as f64);
        (model, way)
    }

    /// Calls a part with arrays; what it raises is kept, unless it says that it is out of its domain.
    fn call(
        &self,
        part: Option<&Py<PyAny>>,
        name: &'static str,
        what: (Call, usize),
        arguments: &[(&[usize], &[f64])],
        needed: &[usize],
    ) -> Result<Vec<f64>, ModelError> {
        if self.raised.any() {
            return Err(interrupted());
        }
        self.calls[what.0 as usize].fetch_add(what.1, Ordering::Relaxed);
        let clock = Instant::now();
        let mut called = 0;
        let outcome = Python::attach(|py| -> PyResult<Result<Vec<f64>, ModelError>> {
            let part = part.ok_or_else(|| PyValueError::new_err(format!("{name}: the model has none")))?;
            let arrays = arguments
                .iter()
                .map(|(shape, values)| array(py, shape, values.to_vec()))
                .collect::<PyResult<Vec<_>>>()?;
            let began = Instant::now();
            let found = match &arrays[..] {
                [one] => part.call1(py, (one,)),
                [one, two] => part.call1(py, (one, two)),
                _ => Err(PyValueError::new_err("a model's parts take one or two arrays")),
            };
            called = began.elapsed().as_nanos() as u64;
            let found = match found {
                Err(error) if error.is_instance_of::<OutOfDomain>(py) => {
                    return Ok(Err(ModelError::OutOfDomain {
                        parameter: error.value(py).to_string(),
                        value: f64::NAN,
                        rule: "the model says so",
                    }));
                }
                found => found?,
            };
            let found = Numbers::of(name, found.bind(py))?;
            if found.shape() != needed {
                let text = format!("{name}: shape {:?}; {needed:?} is needed", found.shape());
                return Err(PyValueError::new_err(text));
            }
            Ok(Ok(found.values()?.to_vec()))
        });
        self.spent[0].fetch_add(called, Ordering::Relaxed);
        self.spent[1].fetch_add((clock.elapsed().as_nanos() as u64).saturating_sub(called), Ordering::Relaxed);
        outcome.unwrap_or_else(|error| {
            self.raised.keep(error);
            Err(interrupted())
        })
    }

    /// The state at θ; values that are not finite are out of the domain.
    pub(crate) fn state(&self, theta: &[f64]) -> Result<Vec<f64>, ModelError> {
        let arguments: &[(&[usize], &[f64])] = &[(&[theta.len()], theta)];
        let values = self.call(Some(&self.state), "model.state", (Call::State, 1), arguments, &self.shape)?;
        match values.iter().position(|v| !v.is_finite()) {
            None => Ok(values),
            Some(at) => Err(ModelError::OutOfDomain {
                parameter: format!("state[{at}]"),
                value: values[at],
                rule: "a state is finite",
            }),
        }
    }

    /// The Jacobian at θ, row-major, k rows of p.
    pub(crate) fn matrix(&self, theta: &[f64]) -> Result<Vec<f64>, ModelError> {
        let arguments: &[(&[usize], &[f64])] = &[(&[theta.len()], theta)];
        let needed = [&self.shape[..], &[self.parameters]].concat();
        let what = (Call::Tangent, self.parameters);
        self.call(self.jacobian.as_ref(), "model.jacobian", what, arguments, &needed)
    }

    /// Products with r tangents, p numbers each in a row: r rows of k.
    pub(crate) fn products(&self, theta: &[f64], tangents: &[f64]) -> Result<Vec<f64>, ModelError> {
        let (p, what) = (self.parameters, Call::Tangent);
        self.blocks(self.jvp.as_ref(), "model.jvp", what, theta, (tangents, &[p]), &self.shape)
    }

    /// Transposed products with r cotangents, k numbers each in a row: r rows of p.
    pub(crate) fn transposed(&self, theta: &[f64], cotangents: &[f64]) -> Result<Vec<f64>, ModelError> {
        let (p, what) = (self.parameters, Call::Adjoint);
        self.blocks(self.vjp.as_ref(), "model.vjp", what, theta, (cotangents, &self.shape), &[p])
    }

    /// Products with rows of a shape, in one call or one by one.
    fn blocks(
        &self,
        part: Option<&Py<PyAny>>,
        name: &'static str,
        what: Call,
        theta: &[f64],
        (rows, shape): (&[f64], &[usize]),
        needed: &[usize],
    ) -> Result<Vec<f64>, ModelError> {
        let size: usize = shape.iter().product();
        let count = rows.len() / size.max(1);
        let at = [theta.len()];
        if self.batched {
            let (block, needed) = ([&[count], shape].concat(), [&[count], needed].concat());
            return self.call(part, name, (what, count), &[(&at, theta), (&block, rows)], &needed);
        }
        let one = |row: &[f64]| self.call(part, name, (what, 1), &[(&at, theta), (shape, row)], needed);
        let mut out = Vec::with_capacity(count * needed.iter().product::<usize>());
        for row in rows.chunks_exact(size.max(1)) {
            out.extend(one(row)?);
        }
        Ok(out)
    }
}
