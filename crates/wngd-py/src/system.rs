//! Dynamical systems: what there is of them, their trajectories and stationary densities.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use numpy::{PyArray1, PyArrayDyn};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use toml::Value;
use wngd::identify::{Noise, SimulateError, Trajectory, perturbed};
use wngd::models::flow::{ExpressionField, SYSTEM_NAMES, System, system};
use wngd_experiment::density::{Asked, density};
use wngd_experiment::models::system_file::{is_file, load, written};
use wngd_experiment::{Given, Source, usual_axes};

use crate::arrays::{Numbers, array};
use crate::field::PythonField;
use crate::work::Place;
use crate::{error, interrupt, values};

/// Points between two questions whether to stop.
const ASKED: usize = 1024;

/// A system with its names.
struct Named {
    name: String,
    system: System,
    variables: Vec<String>,
    /// D of dx = v dt + √(2D) dW, where its equations have it.
    diffusion: Option<ExpressionField>,
    /// It, where it is a function of Python's.
    python: Option<Arc<PythonField>>,
}

impl Named {
    /// Raises what the system raised.
    fn check(&self) -> PyResult<()> {
        self.python.as_ref().map_or(Ok(()), |field| field.raised.check())
    }
}

/// The system of an argument.
fn named(argument: &Bound<'_, PyAny>) -> PyResult<Named> {
    let own = |name: String, field: ExpressionField| {
        let (theta, variables) = (field.start().to_vec(), field.variables().to_vec());
        let diffusion = field.diffusion().cloned();
        let (start, field) = (vec![1.0; variables.len()], Arc::new(field));
        let system = System { field, theta, lower: Vec::new(), upper: Vec::new(), start, equations: &[] };
        Named { name, system, variables, diffusion, python: None }
    };
    if let Some(field) = PythonField::of(argument)? {
        let Given { name, field: own, variables, theta } = field.given();
        let start = vec![1.0; variables.len()];
        let system = System { field: own, theta, lower: Vec::new(), upper: Vec::new(), start, equations: &[] };
        return Ok(Named { name, system, variables, diffusion: None, python: Some(field) });
    }
    match values::system(argument)? {
        Value::String(name) if is_file(&name) => {
            let field = load(Path::new(&name)).map_err(error::experiment)?;
            Ok(own(name, field))
        }
        Value::String(name) => {
            let found = system(&name).ok_or_else(|| {
                let all = SYSTEM_NAMES.join(", ");
                error::argument("system", format!("\"{name}\" is not known; choose from {all}, or give equations"))
            })?;
            let variables = usual_axes(found.field.dim());
            Ok(Named { name, system: found, variables, diffusion: None, python: None })
        }
        Value::Table(table) => {
            let source = Source::parse("system".into(), None, table.to_string()).map_err(error::experiment)?;
            let field = written(&source.root(), "system").map_err(error::experiment)?;
            Ok(own("system".into(), field))
        }
        other => Err(error::argument("system", format!("{} is no system", other.type_str()))),
    }
}

/// Names of the built-in systems.
#[pyfunction]
pub(crate) fn system_names() -> Vec<&'static str> {
    SYSTEM_NAMES.to_vec()
}

/// Variables, parameters, their usual values and a start point of a system.
#[pyfunction]
pub(crate) fn describe_system<'py>(py: Python<'py>, system: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    let Named { name, system, variables, .. } = named(system)?;
    let told = PyDict::new(py);
    told.set_item("name", name)?;
    told.set_item("variables", variables)?;
    told.set_item("parameters", system.field.parameter_names())?;
    told.set_item("theta", PyArray1::from_vec(py, system.theta))?;
    told.set_item("start", PyArray1::from_vec(py, system.start))?;
    Ok(told)
}

/// Numbers of an argument, or what stands for them.
fn numbers(name: &'static str, value: Option<&Bound<'_, PyAny>>, usual: &[f64]) -> PyResult<Vec<f64>> {
    match Numbers::maybe(name, value)? {
        Some(given) => Ok(given.axes(1, "a list of numbers")?.finite()?.values()?.to_vec()),
        None => Ok(usual.to_vec()),
    }
}

/// What ends a simulation early.
enum Stopped {
    Simulation(SimulateError),
    Asked,
}

impl From<SimulateError> for Stopped {
    fn from(error: SimulateError) -> Self {
        Self::Simulation(error)
    }
}

/// Points of a trajectory, (n, d).
#[pyfunction]
#[pyo3(signature = (system, n, dt, theta, start, burn_in, seed, noise))]
pub(crate) fn simulate<'py>(
    py: Python<'py>,
    system: &Bound<'py, PyAny>,
    n: usize,
    dt: f64,
    theta: Option<&Bound<'py, PyAny>>,
    start: Option<&Bound<'py, PyAny>>,
    burn_in: f64,
    seed: u64,
    noise: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
    let named = named(system)?;
    let system = &named.system;
    let dim = system.field.dim();
    let theta = numbers("theta", theta, &system.theta)?;
    let start = perturbed(&numbers("start", start, &system.start)?, seed, 0);
    let noise = numbers("noise", noise, &vec![0.0; dim])?;
    if noise.len() != dim || noise.iter().any(|s| !(*s >= 0.0)) {
        return Err(error::argument("noise", format!("{dim} standard deviations are needed, none negative")));
    }
    if !(burn_in >= 0.0 && burn_in.is_finite()) {
        return Err(error::argument("burn_in", format!("{burn_in}; a time of at least 0 is needed")));
    }
    let mut noise = Noise::new(noise, seed, 0);
    let mut trajectory = Trajectory::new(system.field.as_ref(), &theta, &start, dt).map_err(by_argument)?;
    let mut values: Vec<f64> = Vec::new();
    let room = n.checked_mul(dim).map(|numbers| values.try_reserve_exact(numbers));
    if !matches!(room, Some(Ok(()))) {
        return Err(error::argument("n", format!("{n} points do not fit into memory")));
    }
    let outcome = py.detach(|| {
        if let Some(diffusion) = &named.diffusion {
            trajectory = trajectory.driven(diffusion, seed)?;
        }
        trajectory.skip(burn_in)?;
        let mut row = 0usize;
        trajectory.advance(n, |point| {
            row += 1;
            values.extend_from_slice(noise.added(point));
            if row.is_multiple_of(ASKED) && interrupt::asked() { Err(Stopped::Asked) } else { Ok(()) }
        })
    });
    named.check()?;
    interrupt::check()?;
    match outcome {
        Ok(()) => array(py, &[n, dim], values),
        Err(Stopped::Simulation(error)) => Err(by_argument(error)),
        Err(Stopped::Asked) => Err(PyValueError::new_err("the simulation was stopped")),
    }
}

/// The error with the argument that it is about.
fn by_argument(error: SimulateError) -> PyErr {
    let name = match &error {
        SimulateError::Theta { .. } => "theta",
        SimulateError::TimeStep { .. } => "dt",
        SimulateError::Start { .. } => "start",
        SimulateError::Coordinates { .. } => "system",
        _ => return error::value(error),
    };
    error::argument(name, error)
}

/// The stationary density of a system on a grid: `density.json`, and the values.
#[pyfunction]
pub(crate) fn stationary_density<'py>(
    py: Python<'py>,
    system: &Bound<'py, PyAny>,
    theta: Option<&Bound<'py, PyAny>>,
    corners: Option<(Vec<f64>, Vec<f64>)>,
    cells: Option<Vec<usize>>,
    discretisation: &Bound<'py, PyAny>,
    out: Option<PathBuf>,
    figures: bool,
) -> PyResult<Bound<'py, PyDict>> {
    let Named { name, system, python, .. } = named(system)?;
    let theta = theta.map(|theta| numbers("theta", Some(theta), &[])).transpose()?;
    let discretisation = values::table("discretisation", discretisation)?;
    let place = Place::of(out)?;
    let asked = Asked { name, system, theta, corners, cells, discretisation, figures };
    let file = interrupt::watched(py, || density(asked, place.path()))?;
    python.map_or(Ok(()), |field| field.raised.check())?;
    let file = file.map_err(error::experiment)?;
    let told = PyDict::new(py);
    told.set_item("json", serde_json::to_string(&file).map_err(error::value)?)?;
    let path = place.path().join(file.density);
    told.set_item("density", py.import("numpy")?.call_method1("load", (path,))?)?;
    Ok(told)
}
