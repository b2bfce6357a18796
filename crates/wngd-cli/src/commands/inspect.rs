//! `wngd inspect`

use serde::Serialize;
use std::collections::BTreeMap;
use wngd::linalg::dense::multiply_transpose;
use wngd::linalg::faer::{Mat, MatMut, MatRef};
use wngd::linalg::{ACTIVE_DENSITY, valley_depth};
use wngd::opt::{Direction, Point};
use wngd::prelude::*;

use super::{print, print_raw};
use crate::args::InspectArgs;
use crate::config::Source;
use crate::config::schema::MetricKind;
use crate::error::CliError;
use crate::experiment::{Experiment, build_metric};
use crate::output::files::finite;
use crate::output::screen;
use crate::output::table::short;

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Inspection {
    names: Vec<String>,
    theta: Vec<f64>,
    objective: Option<f64>,
    gradient: Vec<f64>,
    state: StateSummary,
    metrics: BTreeMap<String, MetricSummary>,
}

/// A density in numbers.
#[derive(Debug, Serialize)]
pub struct StateSummary {
    /// Cells of the grid.
    pub cells: usize,
    mass: f64,
    min: f64,
    max: f64,
    inactive_cells: usize,
    /// Deepest valley between modes that hold 1 % of the mass; 1 for one mode.
    valley_depth: f64,
    /// Mean of each coordinate.
    pub mean: Vec<f64>,
    second_moment: Vec<Vec<f64>>,
}

#[derive(Debug, Serialize)]
struct MetricSummary {
    information: Vec<Vec<f64>>,
    rank: usize,
    /// Of the whitened Jacobian; null where the rank is deficient.
    condition: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mass_leak: Option<Vec<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    elimination: Option<String>,
    damping: f64,
    direction: Directions,
}

#[derive(Debug, Serialize)]
struct Directions {
    least_squares: Vec<f64>,
    information: Vec<f64>,
}

/// Prints objective, gradient, information matrices and directions at one point.
pub fn inspect(args: &InspectArgs) -> Result<u8, CliError> {
    let source = Source::load(&args.experiment)?;
    let experiment = Experiment::build(&source)?;
    let names = experiment.model.parameter_names();
    let theta = match &args.theta {
        None => experiment.theta0.clone(),
        Some(theta) if theta.len() == names.len() => theta.clone(),
        Some(theta) => {
            return Err(CliError::usage(
                "--theta",
                format!("{} values given, {} are needed: {}", theta.len(), names.len(), names.join(", ")),
            ));
        }
    };
    let inspection = at(&source, &experiment, names, theta)?;
    if args.json {
        let text = serde_json::to_string_pretty(&inspection).map_err(|e| CliError::Internal(e.to_string()))?;
        print_raw(&text)?;
    } else {
        print(&human(&inspection))?;
    }
    Ok(0)
}

fn at(source: &Source, experiment: &Experiment, names: Vec<String>, theta: Vec<f64>) -> Result<Inspection, CliError> {
    let linear = experiment.model.linearize(&theta)?;
    // One dense Z serves every metric; for a flow that is one tangent solve per parameter.
    let jacobian = linear.jacobian.into_dense();
    let (objective, u) = experiment.objective.derivative(&linear.state)?;
    let weight = experiment.objective.cell_volume();
    let mut gradient = vec![0.0; theta.len()];
    multiply_transpose(
        MatMut::from_column_major_slice_mut(&mut gradient, theta.len(), 1),
        jacobian.as_ref(),
        MatRef::from_column_major_slice(&u, u.len(), 1),
    );
    gradient.iter_mut().for_each(|g| *g *= weight);
    let point = Point { theta: &theta, state: &linear.state, iteration: 0 };
    let mut metrics = BTreeMap::new();
    for kind in MetricKind::NATURAL {
        let section = source.file.method.iter().find(|m| m.metric == kind);
        let Some(metric) = build_metric(kind, section, &experiment.grid, &experiment.plan, &experiment.model) else {
            continue;
        };
        let damping = section.and_then(|s| s.damping).unwrap_or(0.0);
        metrics.insert(kind.name().to_string(), summary(metric, damping, &point, &jacobian, &u, weight)?);
    }
    let state = state_summary(&experiment.grid, &linear.state.values);
    Ok(Inspection { names, theta, objective: finite(objective), gradient, state, metrics })
}

fn summary(
    metric: Box<dyn wngd::opt::Metric>,
    damping: f64,
    point: &Point<'_>,
    jacobian: &Mat<f64>,
    u: &[f64],
    weight: f64,
) -> Result<MetricSummary, CliError> {
    let mut rule = Natural { metric, route: Route::Information, damping };
    let information = rule.prepare(point, jacobian.clone(), u, weight)?.direction(damping)?;
    rule.route = Route::Qr;
    let prepared = rule.prepare(point, jacobian.clone(), u, weight)?;
    let least_squares: Direction = prepared.direction(damping)?;
    let g = prepared.information().ok_or_else(|| CliError::Internal("no information matrix".into()))?;
    Ok(MetricSummary {
        information: (0..g.nrows()).map(|i| (0..g.ncols()).map(|j| g[(i, j)]).collect()).collect(),
        rank: least_squares.rank,
        condition: finite(least_squares.condition),
        mass_leak: prepared.mass_leak().map(|leak| leak.relative.clone()),
        elimination: prepared.laplacian().map(|report| report.elimination.to_string()),
        damping,
        direction: Directions { least_squares: least_squares.eta, information: information.eta },
    })
}

/// Mass, extremes and moments of a density.
pub fn state_summary(grid: &Grid, density: &[f64]) -> StateSummary {
    let dim = grid.dim();
    let c = grid.cell_volume();
    let mut mass = 0.0;
    let mut mean = vec![0.0; dim];
    let mut second = vec![vec![0.0; dim]; dim];
    for (i, &rho) in density.iter().enumerate() {
        let x = grid.center(i);
        mass += c * rho;
        for a in 0..dim {
            mean[a] += c * rho * x[a];
            for b in 0..dim {
                second[a][b] += c * rho * x[a] * x[b];
            }
        }
    }
    mean.iter_mut().for_each(|m| *m /= mass);
    second.iter_mut().flatten().for_each(|m| *m /= mass);
    StateSummary {
        cells: grid.len(),
        mass,
        min: density.iter().copied().fold(f64::INFINITY, f64::min),
        max: density.iter().copied().fold(0.0, f64::max),
        inactive_cells: density.iter().filter(|r| **r <= ACTIVE_DENSITY).count(),
        valley_depth: valley_depth(grid, density, 0.01),
        mean,
        second_moment: second,
    }
}

fn list(values: &[f64]) -> String {
    values.iter().map(|v| short(*v)).collect::<Vec<_>>().join("  ")
}

fn human(inspection: &Inspection) -> String {
    let state = &inspection.state;
    let mut text = format!(
        "parameters  {}\ntheta       {}\nobjective   {}\ngradient    {}\nstate       {} cells, mass {}, density {} to {}, {} inactive",
        inspection.names.join("  "),
        list(&inspection.theta),
        inspection.objective.map_or("–".into(), |f| format!("{f:.8e}")),
        list(&inspection.gradient),
        state.cells,
        short(state.mass),
        short(state.min),
        short(state.max),
        state.inactive_cells,
    );
    if state.valley_depth < 1.0 {
        text.push_str(&format!("\n            valley between modes: {} of the lower one", short(state.valley_depth)));
    }
    let mut table = screen::table();
    table.set_header([
        "metric",
        "rank",
        "condition",
        "direction by least squares",
        "by information matrix",
        "largest leak",
    ]);
    for (name, metric) in &inspection.metrics {
        let leak = metric.mass_leak.as_ref().map(|l| l.iter().copied().fold(0.0, f64::max));
        table.add_row([
            name.clone(),
            format!("{} of {}", metric.rank, inspection.names.len()),
            metric.condition.map_or("infinite".into(), short),
            list(&metric.direction.least_squares),
            list(&metric.direction.information),
            leak.map_or("–".into(), |l| format!("{l:.1e}")),
        ]);
    }
    text.push('\n');
    text.push_str(&screen::fitted(&table));
    text.push_str("\ncondition is that of the whitened Jacobian; --json adds the information matrices and all digits");
    text
}
