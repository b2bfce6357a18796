//! `wngd.minimize`: a descent on a model of the caller.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use numpy::PyArray1;
use pyo3::exceptions::{PyStopIteration, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use toml::{Table, Value};
use wngd::adjoint::{ModelError, State, apply_transpose_vec};
use wngd::opt::{Descent, DescentError, Iteration, Objective, Outcome, Sampled, uncertainty};
use wngd::prelude::Grid;
use wngd_experiment::data::{Cells, Data, Noise};
use wngd_experiment::models::Model;
use wngd_experiment::{ExperimentError, Ground, Method, Source, objectives, stop};

use crate::arrays::{Numbers, array, or_nan};
use crate::callables::{Callables, Raised};
use crate::problem::{Bounds, model, start};
use crate::work::trace;
use crate::{error, interrupt, values};

/// Lower corner, upper corner and cells; those of the state if absent.
type Corners = (Vec<f64>, Vec<f64>, Option<Vec<usize>>);

/// What is asked besides model, data and start.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Asked<'py> {
    /// A method as in an experiment file.
    method: Bound<'py, PyAny>,
    /// Name of the objective.
    objective: String,
    /// When to stop, as in an experiment file.
    stop: Bound<'py, PyAny>,
    grid: Option<Corners>,
    names: Option<Vec<String>>,
    bounds: Option<Bounds>,
    /// How many independent samples the data are made of.
    samples: Option<f64>,
}

/// The argument that gave a field.
fn argument(field: &str) -> Option<&'static str> {
    let name = field.trim_start_matches("method[0].").trim_start_matches("stop.");
    let known = [
        "metric",
        "solver",
        "damping",
        "iterations",
        "relative_objective",
        "relative_step",
        "gradient",
        "face_mean",
        "floor",
        "tolerance",
        "probes",
        "seed",
        "distribution",
    ];
    match name {
        "objective" | "objective.kind" => Some("objective"),
        _ if name.starts_with("step") => Some("step"),
        _ if name.starts_with("grid") => Some("grid"),
        _ => known.into_iter().find(|k| *k == name),
    }
}

/// Minimises the distance of a model's state to data.
#[pyfunction]
pub(crate) fn minimize<'py>(
    py: Python<'py>,
    python: &Bound<'py, PyAny>,
    data: &Bound<'py, PyAny>,
    x0: &Bound<'py, PyAny>,
    asked: Asked<'py>,
    callback: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let source = described(&asked)?;
    let Asked { grid, names, bounds, samples, .. } = asked;
    if samples.is_some_and(|n| !(n > 0.0 && n.is_finite())) {
        return Err(error::argument("samples", "a number above 0 is needed"));
    }
    let x0 = start(x0)?;
    let data = Numbers::of("data", data)?.finite()?;
    let (callables, model) = model(python, &x0, names, bounds)?;
    if !alike(data.shape(), &callables.shape) {
        let text = format!("shape {:?}; the model's state has {:?}", data.shape(), callables.shape);
        return Err(error::argument("data", text));
    }
    let ground = ground(grid, &callables)?;
    let observed = Data {
        values: State::new(data.values()?.to_vec()),
        truth: None,
        noise: Noise::Unknown,
        notes: Vec::new(),
        axes: None,
        cells: Cells::Centres,
    };
    let (objective, method) = read(&source, &ground, &observed).map_err(error::experiment)?;
    let direction = method.build_direction(&ground, model.as_ref()).map_err(error::experiment)?;
    let stop = source.section("stop").and_then(|section| stop::read(&section)).map_err(error::experiment)?;

    let raised = &callables.raised;
    let clock = Instant::now();
    let outcome = py.detach(|| {
        let descent = Descent::new(&model, objective.as_ref()).direction(direction.as_ref()).stop(stop);
        let mut watch = |row: &Iteration| watched(raised, callback.as_ref(), row);
        descent.run_with(&x0, method.step_rule().as_mut(), &mut watch)
    });
    raised.check()?;
    interrupt::check()?;
    let outcome = outcome.map_err(failed)?;
    let told = told(py, &outcome, &method, objective.name(), &callables)?;
    let theta = &outcome.last().theta;
    let jac = py.detach(|| gradient(model.as_ref(), objective.as_ref(), theta));
    raised.check()?;
    told.set_item("jac", PyArray1::from_vec(py, jac.map_err(failed)?))?;
    if let Some(number) = samples {
        let sampled = Sampled { density: &observed.values.values, number, transpose: None, poisson: false };
        let found = py.detach(|| uncertainty(&model, objective.as_ref(), theta, &sampled));
        raised.check()?;
        let found = found.map_err(|e| error::argument("samples", e))?;
        let (errors, p) = (&found.standard_errors, x0.len());
        let entry =
            |i: usize| (errors[i / p].is_some() && errors[i % p].is_some()).then(|| found.covariance[(i / p, i % p)]);
        told.set_item("stderr", PyArray1::from_vec(py, or_nan(errors.iter().copied())))?;
        told.set_item("cov", array(py, &[p, p], or_nan((0..p * p).map(entry)))?)?;
    }
    told.set_item("state", array(py, &callables.shape, outcome.state.values)?)?;
    let seconds = PyDict::new(py);
    let (in_model, on_the_way) = callables.seconds();
    seconds.set_item("total", clock.elapsed().as_secs_f64())?;
    seconds.set_item("model", in_model)?;
    seconds.set_item("binding", on_the_way)?;
    told.set_item("seconds", seconds)?;
    Ok(told)
}

/// Method, objective and stop as an experiment's text, whose errors name arguments.
fn described(asked: &Asked<'_>) -> PyResult<Source> {
    let mut table = Table::new();
    let mut objective = Table::new();
    objective.insert("kind".into(), asked.objective.as_str().into());
    table.insert("objective".into(), Value::Table(objective));
    table.insert("method".into(), Value::Array(vec![Value::Table(values::table("", &asked.method)?)]));
    table.insert("stop".into(), Value::Table(values::table("", &asked.stop)?));
    Ok(Source::of_options(PathBuf::new(), table, argument))
}

/// Whether two shapes are the same, or one of them is flat.
fn alike(a: &[usize], b: &[usize]) -> bool {
    a == b || (a.len().min(b.len()) <= 1 && a.iter().product::<usize>() == b.iter().product::<usize>())
}

/// The grid, or none; states on one are densities.
fn ground(grid: Option<Corners>, callables: &Callables) -> PyResult<Ground> {
    let Some((lower, upper, cells)) = grid else { return Ok(Ground::new(None, false)) };
    let cells = cells.unwrap_or_else(|| callables.shape.clone());
    let grid = Grid::new(&lower, &upper, &cells).map_err(error::value)?;
    if !alike(&cells, &callables.shape) {
        let text = format!("{cells:?} cells; the model's state has {:?} values", callables.shape);
        return Err(error::argument("grid", text));
    }
    Ok(Ground::new(Some(grid), true))
}

/// Objective and method by their names; that of the objective's metric if none is named.
fn read(source: &Source, ground: &Ground, data: &Data) -> Result<(Box<dyn Objective + Send>, Method), ExperimentError> {
    let section = source.section("objective")?;
    let entry = objectives::FAMILY.chosen(&section, "kind", None)?;
    let choice = (entry.read)(&section.without(&["kind"]))?;
    let sections = source.sections("method")?;
    let method = match &sections[..] {
        [named] if named.has("metric") => Method::read(named)?,
        _ => {
            let mut table = sections.first().map_or_else(Table::new, |s| s.as_table().clone());
            table.insert("metric".into(), choice.matched_metric().into());
            Method::read(&wngd_experiment::Section::new(source, "method[0]", table))?
        }
    };
    Ok((choice.build(&section, ground, data)?, method))
}

/// Asks Python after each iterate: for Ctrl-C, and for the caller's own reasons to stop.
fn watched(raised: &Raised, callback: Option<&Py<PyAny>>, row: &Iteration) -> ControlFlow<()> {
    if raised.any() || interrupt::asked() {
        return ControlFlow::Break(());
    }
    let Some(callback) = callback else { return ControlFlow::Continue(()) };
    let called = Python::attach(|py| -> PyResult<bool> {
        let told = PyDict::new(py);
        told.set_item("x", PyArray1::from_slice(py, &row.theta))?;
        told.set_item("fun", row.objective)?;
        told.set_item("nit", row.iteration)?;
        told.set_item("gradient_norm", row.gradient_norm)?;
        told.set_item("step", row.step)?;
        match callback.call1(py, (told,)) {
            Ok(_) => Ok(true),
            Err(stop) if stop.is_instance_of::<PyStopIteration>(py) => Ok(false),
            Err(error) => Err(error),
        }
    });
    match called {
        Ok(true) => ControlFlow::Continue(()),
        Ok(false) => ControlFlow::Break(()),
        Err(error) => {
            raised.keep(error);
            ControlFlow::Break(())
        }
    }
}

/// What a descent could not do.
fn failed(error: DescentError) -> PyErr {
    match error {
        DescentError::Model(ModelError::OutOfDomain { .. }) | DescentError::NotFinite { .. } => {
            error::argument("x0", error)
        }
        _ => PyValueError::new_err(error.to_string()),
    }
}

/// |c| Zᵀu at θ.
fn gradient(model: &dyn Model, objective: &dyn Objective, theta: &[f64]) -> Result<Vec<f64>, DescentError> {
    let linearization = model.linearize(theta)?;
    let (_, u) = objective.derivative(&linearization.state)?;
    let c = objective.cell_volume();
    Ok(apply_transpose_vec(&linearization.jacobian, &u).into_iter().map(|g| c * g).collect())
}

/// An outcome in SciPy's words.
fn told<'py>(
    py: Python<'py>,
    outcome: &Outcome,
    method: &Method,
    objective: &str,
    callables: &Callables,
) -> PyResult<Bound<'py, PyDict>> {
    let last = outcome.last();
    let counts = callables.counts();
    let told = PyDict::new(py);
    told.set_item("x", PyArray1::from_slice(py, &last.theta))?;
    told.set_item("fun", last.objective)?;
    told.set_item("nit", last.iteration)?;
    told.set_item("status", outcome.status.name())?;
    told.set_item("message", outcome.reason().unwrap_or_else(|| outcome.status.name().into()))?;
    told.set_item("improved", last.objective < outcome.trace[0].objective)?;
    told.set_item("metric", method.metric)?;
    told.set_item("objective", objective)?;
    told.set_item("nfev", counts.state)?;
    told.set_item("njev", counts.tangent + counts.adjoint)?;
    told.set_item("njvp", counts.tangent)?;
    told.set_item("nvjp", counts.adjoint)?;
    told.set_item("rank", last.rank)?;
    told.set_item("condition", last.condition)?;
    told.set_item("trace", trace(py, outcome)?)?;
    told.set_item("solver_note", last.estimate.as_ref().map(wngd::opt::EstimateReport::summary))?;
    Ok(told)
}
