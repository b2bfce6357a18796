//! Pieces of the library on their own: transport, the weighted Laplacian, whitening, least squares.

use std::path::PathBuf;
use std::sync::Arc;

use numpy::{PyArray1, PyArrayDyn};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use toml::{Table, Value};
use wngd::adjoint::{Linearization, ModelError, ProbeKind, Probes, Sketch, State};
use wngd::linalg::faer::{Mat, MatRef};
use wngd::linalg::{
    FaceMean, LaplacianPlan, LeastSquares, LinearOp, Lsmr, NormalEquations, PivotedQr, Svd, face_densities,
};
use wngd::opt::Point;
use wngd::prelude::Grid;
use wngd::transport::{Options, half_squared_wasserstein};
use wngd_experiment::models::{Jacobian, Model, Parameter};
use wngd_experiment::{Ground, Method, Section, Source};

use crate::arrays::{Numbers, array};
use crate::{error, problem, values};

/// Lower and upper corner.
type Corners = (Vec<f64>, Vec<f64>);

/// The grid of a box with the cells of the argument `name`.
fn grid(name: &str, (lower, upper): &Corners, cells: &[usize]) -> PyResult<Grid> {
    if [lower.len(), upper.len()] != [cells.len(); 2] {
        let (lower, upper) = (lower.len(), upper.len());
        let text = format!("shape {cells:?}; lower and upper have {lower} and {upper} entries, one per axis is needed");
        return Err(error::argument(name, text));
    }
    if cells.contains(&0) {
        return Err(error::argument(name, format!("shape {cells:?} has no entries")));
    }
    Grid::new(lower, upper, cells).map_err(error::value)
}

/// Columns of an argument over a grid: shape of the grid, or with one more axis, the last, of p columns.
fn columns(name: &'static str, z: &Bound<'_, PyAny>, cells: &[usize]) -> PyResult<(Mat<f64>, bool)> {
    let z = Numbers::of(name, z)?.finite()?;
    let axes = cells.len();
    let (p, alone) = match z.shape() {
        shape if shape == cells => (1, true),
        shape if shape.len() == axes + 1 && &shape[..axes] == cells => (shape[axes], false),
        shape => {
            let text = format!("shape {shape:?}; {cells:?} is needed, or one more axis for columns");
            return Err(error::argument(name, text));
        }
    };
    let values = z.values()?;
    Ok((Mat::from_fn(cells.iter().product(), p, |i, j| values[i * p + j]), alone))
}

/// Columns as an array: a shape for rows, and an axis for columns unless there is one alone.
fn rows<'py>(
    py: Python<'py>,
    found: MatRef<'_, f64>,
    shape: &[usize],
    alone: bool,
) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
    let p = found.ncols();
    let values = (0..found.nrows() * p).map(|i| found[(i / p.max(1), i % p.max(1))]).collect();
    let shape = if alone { shape.to_vec() } else { [shape, &[p]].concat() };
    array(py, &shape, values)
}

/// ½W₂² between masses on the cells of a grid.
#[pyfunction]
pub(crate) fn transport<'py>(
    py: Python<'py>,
    source: &Bound<'py, PyAny>,
    target: &Bound<'py, PyAny>,
    corners: Corners,
) -> PyResult<Bound<'py, PyDict>> {
    let source = Numbers::of("source", source)?.finite()?;
    let target = Numbers::of("target", target)?.finite()?;
    if source.shape() != target.shape() {
        let text = format!("shape {:?}; that of source, {:?}, is needed", target.shape(), source.shape());
        return Err(error::argument("target", text));
    }
    let cells = source.shape().to_vec();
    let grid = grid("source", &corners, &cells)?;
    let (a, b) = (source.values()?, target.values()?);
    let found = py.detach(|| half_squared_wasserstein(&cells, grid.spacing(), a, b, &Options::default()));
    let found = found.map_err(error::value)?;
    let told = PyDict::new(py);
    told.set_item("half_squared_distance", found.half_squared_distance)?;
    told.set_item("potential", array(py, &cells, found.potential)?)?;
    told.set_item("dual_value", found.dual_value)?;
    told.set_item("relative_gap", found.relative_gap)?;
    told.set_item("dropped_mass", found.dropped_mass)?;
    Ok(told)
}

/// φ with −∇·(ρ∇φ) = z for columns, less the mass that they have; and Y = B†z on the faces.
#[pyfunction]
pub(crate) fn laplacian<'py>(
    py: Python<'py>,
    density: &Bound<'py, PyAny>,
    z: &Bound<'py, PyAny>,
    corners: Corners,
    floor: f64,
) -> PyResult<Bound<'py, PyDict>> {
    let density = Numbers::of("density", density)?.finite()?;
    let cells = density.shape().to_vec();
    let grid = grid("density", &corners, &cells)?;
    let (z, alone) = columns("z", z, &cells)?;
    if !(floor >= 0.0 && floor.is_finite()) {
        return Err(error::argument("floor", format!("{floor}; a finite number >= 0 is needed")));
    }
    let rho = density.values()?;
    let solved = py.detach(|| {
        let faces = face_densities(&grid, rho, FaceMean::Arithmetic, floor)?;
        let factored = Arc::new(LaplacianPlan::new(&grid)?).factor(rho, &faces)?;
        let (phi, leak) = factored.solve(z.clone());
        Ok::<_, wngd::linalg::LinalgError>((phi, factored.flux(z)?.0, leak))
    });
    let (phi, flux, leak) = solved.map_err(|e| error::argument("density", e))?;
    let told = PyDict::new(py);
    told.set_item("potential", rows(py, phi.as_ref(), &cells, alone)?)?;
    told.set_item("flux", rows(py, flux.as_ref(), &[flux.nrows()], alone)?)?;
    told.set_item("mass_leak", PyArray1::from_vec(py, leak.relative))?;
    Ok(told)
}

/// A model that is asked for nothing: metrics stand at a state that is given.
struct Given;

impl Model for Given {
    fn parameters(&self) -> Vec<Parameter> {
        Vec::new()
    }
    fn dim_state(&self) -> usize {
        0
    }
    fn state(&self, _: &[f64]) -> Result<State, ModelError> {
        Err(ModelError::invalid("model", "only its state is known"))
    }
    fn linearize(&self, theta: &[f64]) -> Result<Linearization<Jacobian>, ModelError> {
        let jacobian: Jacobian = Box::new(Mat::<f64>::zeros(0, 0));
        Ok(Linearization { state: self.state(theta)?, jacobian })
    }
}

/// Y = Lz: columns whitened in a metric at a density.
#[pyfunction]
pub(crate) fn whiten<'py>(
    py: Python<'py>,
    z: &Bound<'py, PyAny>,
    density: &Bound<'py, PyAny>,
    method: &Bound<'py, PyAny>,
    corners: Corners,
) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
    let density = Numbers::of("density", density)?.finite()?;
    let cells = density.shape().to_vec();
    let ground = Ground::new(Some(grid("density", &corners, &cells)?), true);
    let (z, alone) = columns("z", z, &cells)?;
    let mut table = Table::new();
    table.insert("method".into(), Value::Table(values::table("", method)?));
    let source = Source::of_options(PathBuf::new(), table, |field| {
        Some(match field.trim_start_matches("method.") {
            "metric" => "metric",
            "floor" => "floor",
            "face_mean" => "face_mean",
            _ => return None,
        })
    });
    let section: Section<'_> = source.section("method").map_err(error::experiment)?;
    let metric = Method::read(&section).and_then(|m| m.build_metric(&ground, &Given)).map_err(error::experiment)?;
    let metric = metric.ok_or_else(|| error::argument("metric", "the plain gradient has none"))?;
    let state = State::new(density.values()?.to_vec());
    let found = py.detach(|| {
        let point = Point { theta: &[], state: &state, iteration: 0, rounding: &[] };
        metric.at(&point).map(|local| local.whiten(z))
    });
    let found = found.map_err(|e| error::argument("density", e))?;
    rows(py, found.y.as_ref(), &[found.y.nrows()], alone)
}

/// min ‖Ax − b‖² + Σ dᵢ² xᵢ², with rank and condition.
#[pyfunction]
pub(crate) fn lstsq<'py>(
    py: Python<'py>,
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    damping: Option<&Bound<'py, PyAny>>,
    solver: &str,
) -> PyResult<Bound<'py, PyDict>> {
    let a = Numbers::of("a", a)?.axes(2, "(rows, columns)")?.finite()?;
    let b = Numbers::of("b", b)?.axes(1, "(rows,)")?.finite()?;
    let (m, p) = (a.shape()[0], a.shape()[1]);
    if b.shape() != [m] {
        return Err(error::argument("b", format!("shape {:?}; [{m}] is needed", b.shape())));
    }
    let damping = Numbers::maybe("damping", damping)?.map(|d| d.axes(1, "(columns,)")?.finite()).transpose()?;
    if let Some(d) = &damping
        && (d.shape() != [p] || d.values()?.iter().any(|v| *v < 0.0))
    {
        return Err(error::argument("damping", format!("{p} numbers are needed, none negative")));
    }
    let solver: &dyn LeastSquares = match solver {
        "qr" => &PivotedQr { tolerance: None },
        "svd" => &Svd { tolerance: None },
        "lsmr" => &Lsmr { tolerance: 1e-13, max_iterations: None },
        "information" => &NormalEquations { tolerance: None },
        other => return Err(error::argument("solver", format!("\"{other}\" is none of qr, svd, lsmr, information"))),
    };
    let values = a.values()?;
    let matrix = Mat::from_fn(m, p, |i, j| values[i * p + j]);
    let (b, damping) = (b.values()?, damping.as_ref().map(Numbers::values).transpose()?);
    let found = py.detach(|| solver.solve(&matrix, b, damping)).map_err(error::value)?;
    let told = PyDict::new(py);
    told.set_item("x", PyArray1::from_vec(py, found.x))?;
    told.set_item("rank", found.rank)?;
    told.set_item("condition", found.condition)?;
    told.set_item("residual", found.residual)?;
    told.set_item("algorithm", found.algorithm.to_string())?;
    told.set_item("iterations", found.iterations)?;
    Ok(told)
}

/// Probes `first..first + count` of n entries, one per row.
#[pyfunction]
pub(crate) fn probes<'py>(
    py: Python<'py>,
    n: usize,
    count: usize,
    kind: &str,
    seed: u64,
    iteration: u64,
    first: usize,
) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
    let kind = match kind {
        "rademacher" => ProbeKind::Rademacher,
        "gaussian" => ProbeKind::Gaussian,
        "orthogonal" => ProbeKind::Orthogonal,
        other => {
            return Err(error::argument("kind", format!("\"{other}\" is none of rademacher, gaussian, orthogonal")));
        }
    };
    let size = n.checked_mul(count).filter(|numbers| *numbers <= isize::MAX as usize / 8);
    if size.is_none() || first.checked_add(count).is_none() {
        return Err(error::argument("count", format!("{count} probes of {n} numbers do not fit into memory")));
    }
    let found = py.detach(|| Probes { kind, seed, iteration }.block(n, first, count));
    let values = (0..count).flat_map(|j| found.col_as_slice(j).to_vec()).collect();
    array(py, &[count, n], values)
}

/// ZᵀH for probes in rows, and the estimate H(ZᵀH)ᵀ/m of Z: a matrix, or a model's derivative at x.
#[pyfunction]
pub(crate) fn sketch<'py>(
    py: Python<'py>,
    z: &Bound<'py, PyAny>,
    x: Option<&Bound<'py, PyAny>>,
    probes: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyDict>> {
    let probes = Numbers::of("probes", probes)?.axes(2, "(probes, values of the state)")?.finite()?;
    let (m, k) = (probes.shape()[0], probes.shape()[1]);
    let values = probes.values()?;
    let h = Mat::from_fn(k, m, |i, j| values[j * k + i]);
    let needed = |rows: usize| {
        let text = format!("shape {:?}; the derivative has {rows} rows: (probes, {rows}) is needed", probes.shape());
        if rows == k && m > 0 { Ok(()) } else { Err(error::argument("probes", text)) }
    };
    let made = match x {
        Some(x) => {
            let (callables, model) = problem::model(z, &problem::start(x)?, None, None)?;
            needed(callables.values())?;
            let x = problem::start(x)?;
            let made = py.detach(|| model.linearize(&x).map(|at| Sketch::new(&at.jacobian, h)));
            callables.raised.check()?;
            made.map_err(|e| error::argument("x", e))?
        }
        None => {
            let z = Numbers::of("z", z)?.axes(2, "(values of the state, parameters)")?.finite()?;
            if z.values()?.is_empty() {
                return Err(error::argument("z", format!("shape {:?} has no entries", z.shape())));
            }
            needed(z.shape()[0])?;
            let (values, p) = (z.values()?, z.shape()[1]);
            let z = Mat::from_fn(k, p, |i, j| values[i * p + j]);
            py.detach(|| Sketch::new(&z, h))
        }
    };
    let told = PyDict::new(py);
    told.set_item("products", rows(py, made.products().transpose(), &[m], false)?)?;
    told.set_item("estimate", rows(py, py.detach(|| made.to_dense()).as_ref(), &[k], false)?)?;
    Ok(told)
}
