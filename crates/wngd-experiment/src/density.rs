//! `wngd density`: the stationary density of a system.

use std::path::Path;

use serde::Serialize;
use wngd::adjoint::ModelError;
use wngd::identify::{scheme_at, simulate, time_scale};
use wngd::models::box_of;
use wngd::models::flow::{Discretisation, StationaryDensity, System};
use wngd::prelude::Grid;
use wngd_figures::{Density, Figure};

use crate::data::formats::write_array;
use crate::error::ExperimentError;
use crate::experiment::usual_axes;
use crate::folder::{DENSITY, DENSITY_ARRAY, filled};
use crate::grid::{CELLS, MARGIN};
use crate::inspection::{StateSummary, state_summary};
use crate::numbers::finite;
use crate::source::Source;
use crate::{files, memory, pictures, schemes};

/// Points of the simulation that box and time scale come from.
const POINTS: usize = 20_000;
/// Time between them.
const DT: f64 = 0.05;
/// Time before the first of them.
const BURN_IN: f64 = 50.0;

/// `density.json`.
#[derive(Debug, Serialize)]
pub struct DensityFile {
    /// System.
    pub system: String,
    /// Names.
    pub names: Vec<String>,
    /// Theta.
    pub theta: Vec<f64>,
    /// Lower.
    pub lower: Vec<f64>,
    /// Upper.
    pub upper: Vec<f64>,
    /// Cells.
    pub cells: Vec<usize>,
    /// Discretisation.
    pub discretisation: String,
    /// State.
    pub state: StateSummary,
    /// Solver.
    pub solver: SolverSummary,
    /// Share of the mass in the 8 heaviest cells.
    pub concentration: f64,
    /// Spurious sink.
    pub spurious_sink: bool,
    /// Notes.
    pub notes: Vec<String>,
    /// Density.
    pub density: &'static str,
}

/// How the density was found.
#[derive(Debug, Serialize)]
pub struct SolverSummary {
    /// Name.
    pub name: String,
    /// Nonzeros.
    pub nonzeros: usize,
    /// Fill.
    pub fill: Option<usize>,
    /// Iterations.
    pub iterations: Option<usize>,
    /// Residual.
    pub residual: Option<f64>,
}

/// What is asked.
pub struct Asked {
    /// Name of the system.
    pub name: String,
    /// The system.
    pub system: System,
    /// Its parameters; the usual ones if absent.
    pub theta: Option<Vec<f64>>,
    /// Corners of the box; from a short simulation if absent.
    pub corners: Option<(Vec<f64>, Vec<f64>)>,
    /// Cells, one number or one per axis.
    pub cells: Option<Vec<usize>>,
    /// The scheme as an experiment file describes it.
    pub discretisation: toml::Table,
    /// Whether to draw.
    pub figures: bool,
}

/// Computes, writes and draws a stationary density.
///
/// # Errors
/// What makes no sense, by the option that gave it; what cannot be computed or written.
pub fn density(asked: Asked, folder: &Path) -> Result<DensityFile, ExperimentError> {
    let fail = |option: &str, problem: String| ExperimentError::Option { option: option.into(), problem };
    let Asked { name: system_name, system, theta, corners, cells, discretisation, figures } = asked;
    let System { field, theta: usual, start, .. } = system;
    let dim = field.dim();
    if !(1..=CELLS.len()).contains(&dim) {
        return Err(fail("--system", format!("{system_name} has {dim} variables; densities of 1 to 3 are computed")));
    }
    let names = field.parameter_names();
    let theta = theta.unwrap_or(usual);
    if theta.len() != names.len() || theta.iter().any(|v| !v.is_finite()) {
        let problem = format!("{system_name} takes {} finite numbers: {}", names.len(), names.join(", "));
        return Err(fail("--theta", problem));
    }
    let cells = match cells.as_deref() {
        None => vec![CELLS[dim - 1]; dim],
        Some([n]) => vec![*n; dim],
        Some(each) => each.to_vec(),
    };
    let mut notes = Vec::new();
    let (bounds, scale) = match corners {
        Some(corners) => (corners, None),
        None => {
            let points = simulate(field.as_ref(), &theta, &start, DT, POINTS, BURN_IN)?;
            notes.push(format!("box from a simulation of {POINTS} points"));
            (box_of(&points, dim, MARGIN)?, Some(time_scale(field.as_ref(), &theta, &points)))
        }
    };
    if cells.len() != dim || bounds.0.len() != dim || bounds.1.len() != dim {
        let problem = format!("{system_name} has {dim} axes; give one number per axis");
        return Err(fail("--lower, --upper, --cells", problem));
    }
    let grid = Grid::new(&bounds.0, &bounds.1, &cells).map_err(|e| fail("--cells", e.to_string()))?;
    let mut table = toml::Table::new();
    table.insert("discretisation".into(), toml::Value::Table(discretisation));
    let source = Source::of_options(Path::new("").into(), table, option);
    // A quarter of a turn of Lorenz' system where nothing was simulated.
    let scheme = schemes::read(source.root().table("discretisation")?, scheme_at(scale.unwrap_or(1.0 / 7.0)))?;
    let need = memory::of_stationary(grid.len(), dim, &scheme);
    if let Some(problem) = memory::lacking(need, "use fewer cells") {
        return Err(fail("--cells", problem));
    }
    let model =
        StationaryDensity::new(field, grid.clone(), scheme, None, theta.clone()).map_err(|error| match error {
            ModelError::Invalid { field, problem } => fail(option(&field).unwrap_or(&field), problem),
            other => other.into(),
        })?;
    let (state, report) = model.state_with_report(&theta)?;
    if report.spurious_sink {
        notes.push(format!(
            "{:.0} % of the mass sits in 8 cells, which only the upwinding holds there; add --diffusion or use another --discretisation",
            100.0 * report.concentration
        ));
    }
    let file = DensityFile {
        system: system_name,
        names,
        theta,
        lower: bounds.0,
        upper: bounds.1,
        cells,
        discretisation: described(scheme),
        state: state_summary(Some(&grid), &state.values),
        solver: SolverSummary {
            name: report.solver.to_string(),
            nonzeros: report.nonzeros,
            fill: report.fill,
            iterations: report.krylov.map(|k| k.iterations),
            residual: finite(report.state_residual),
        },
        concentration: report.concentration,
        spurious_sink: report.spurious_sink,
        notes,
        density: DENSITY_ARRAY,
    };
    filled(folder, || {
        write_array(&folder.join(file.density), grid.cells(), &state.values)?;
        if figures {
            let axes = pictures::axes(&grid, &usual_axes(dim));
            let figure = Density { axes, values: state.values, title: String::new() };
            figure.save(folder)?;
        }
        files::write_json(&folder.join(DENSITY), &file)
    })?;
    Ok(file)
}

/// The option that gave a field.
fn option(field: &str) -> Option<&'static str> {
    Some(match field {
        "discretisation.diffusion" => "--diffusion",
        "discretisation.restart" => "--restart",
        "discretisation.time" => "--time",
        "discretisation.step" => "--step",
        "grid.cells" => "--cells",
        _ => "--discretisation",
    })
}

fn described(scheme: Discretisation) -> String {
    format!("{scheme:?}")
}
