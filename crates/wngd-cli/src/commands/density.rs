//! `wngd density`

use serde::Serialize;
use wngd::identify::{scheme_at, simulate, time_scale};
use wngd::models::box_of;
use wngd::models::flow::{Discretisation, StationaryDensity, System};
use wngd::prelude::*;

use super::inspect::{StateSummary, state_summary};
use super::print;
use super::simulate::{COORDINATES, named};
use crate::args::{DensityArgs, SchemeKind};
use crate::error::CliError;
use crate::experiment::{CELLS, MARGIN};
use crate::figures::{self, Density};
use crate::output::table::short;
use crate::output::{files, pictures};

/// Points of the simulation that box and time scale come from.
const POINTS: usize = 20_000;
/// Time between them.
const DT: f64 = 0.05;
/// Time before the first of them.
const BURN_IN: f64 = 50.0;

/// `density.json`.
#[derive(Debug, Serialize)]
struct DensityFile {
    system: String,
    names: Vec<String>,
    theta: Vec<f64>,
    lower: Vec<f64>,
    upper: Vec<f64>,
    cells: Vec<usize>,
    discretisation: String,
    state: StateSummary,
    solver: SolverSummary,
    /// Share of the mass in the 8 heaviest cells.
    concentration: f64,
    spurious_sink: bool,
    notes: Vec<String>,
    density: &'static str,
}

#[derive(Debug, Serialize)]
struct SolverSummary {
    name: String,
    nonzeros: usize,
    fill: Option<usize>,
    iterations: Option<usize>,
    residual: Option<f64>,
}

/// Computes, writes and draws a stationary density.
pub fn density(args: &DensityArgs) -> Result<u8, CliError> {
    let System { field, theta: usual, start, .. } = named(&args.system)?;
    let dim = field.dim();
    let names = field.parameter_names();
    let theta = args.theta.clone().unwrap_or(usual);
    if theta.len() != names.len() || theta.iter().any(|v| !v.is_finite()) {
        let problem = format!("{} takes {} finite numbers: {}", args.system, names.len(), names.join(", "));
        return Err(CliError::usage("--theta", problem));
    }
    let cells = match args.cells.as_deref() {
        None => vec![CELLS[dim - 1]; dim],
        Some([n]) => vec![*n; dim],
        Some(each) => each.to_vec(),
    };
    let mut notes = Vec::new();
    let (bounds, scale) = match (&args.lower, &args.upper) {
        (Some(lower), Some(upper)) => ((lower.clone(), upper.clone()), None),
        (None, None) => {
            let points = simulate(field.as_ref(), &theta, &start, DT, POINTS, BURN_IN)?;
            notes.push(format!("box from a simulation of {POINTS} points"));
            (box_of(&points, dim, MARGIN)?, Some(time_scale(field.as_ref(), &theta, &points)))
        }
        _ => return Err(CliError::usage("--lower, --upper", "give both corners of the box, or neither")),
    };
    if cells.len() != dim || bounds.0.len() != dim || bounds.1.len() != dim {
        let problem = format!("{} has {dim} axes; give one number per axis", args.system);
        return Err(CliError::usage("--lower, --upper, --cells", problem));
    }
    let grid = Grid::new(&bounds.0, &bounds.1, &cells).map_err(|e| CliError::usage("--cells", e.to_string()))?;
    let scheme = scheme(args, scale);
    let model = StationaryDensity::new(field, grid.clone(), scheme, None, theta.clone())?;
    let (state, report) = model.state_with_report(&theta)?;
    if report.spurious_sink {
        notes.push(format!(
            "{:.0} % of the mass sits in 8 cells, which only the upwinding holds there; add --diffusion or use another --discretisation",
            100.0 * report.concentration
        ));
    }
    files::make_folder(&args.out)?;
    let file = DensityFile {
        system: args.system.clone(),
        names,
        theta,
        lower: bounds.0,
        upper: bounds.1,
        cells,
        discretisation: format!("{scheme:?}"),
        state: state_summary(&grid, &state.values),
        solver: SolverSummary {
            name: report.solver.to_string(),
            nonzeros: report.nonzeros,
            fill: report.fill,
            iterations: report.krylov.map(|k| k.iterations),
            residual: files::finite(report.state_residual),
        },
        concentration: report.concentration,
        spurious_sink: report.spurious_sink,
        notes,
        density: "density.npy",
    };
    files::write_density(&args.out.join(file.density), grid.cells(), &state.values)?;
    if !args.no_figures {
        let axes: Vec<String> = COORDINATES[..dim].iter().map(|s| s.to_string()).collect();
        let figure = Density { axes: pictures::axes(&grid, &axes), values: state.values, title: String::new() };
        figures::density(&figure, &args.out.join("density"))?;
    }
    files::write_json(&args.out.join("density.json"), &file)?;
    if !args.quiet {
        for note in &file.notes {
            print(note)?;
        }
        let moments: Vec<String> = file.state.mean.iter().map(|m| short(*m)).collect();
        print(&format!("{} cells, {}; mean ({})", file.state.cells, file.solver.name, moments.join(", ")))?;
        print(&format!("results in {}", args.out.display()))?;
    }
    Ok(0)
}

fn scheme(args: &DensityArgs, scale: Option<f64>) -> Discretisation {
    let (diffusion, restart) = (args.diffusion.unwrap_or(10.0), args.restart.unwrap_or(2e-3));
    match args.discretisation {
        SchemeKind::Upwind => Discretisation::Upwind { diffusion, restart },
        SchemeKind::ScharfetterGummel => Discretisation::ScharfetterGummel { diffusion, restart },
        SchemeKind::SemiLagrangian => {
            // A quarter of a turn of Lorenz' system where nothing was simulated.
            let mut scheme = scheme_at(scale.unwrap_or(1.0 / 7.0));
            if let Discretisation::SemiLagrangian { time, step, restart, .. } = &mut scheme {
                *time = args.time.unwrap_or(*time);
                *step = args.step.unwrap_or(*step);
                *restart = args.restart.unwrap_or(*restart);
            }
            scheme
        }
    }
}
