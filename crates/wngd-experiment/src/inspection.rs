//! `wngd inspect`: gradient, information matrices and directions at a point.

use std::collections::BTreeMap;

use serde::Serialize;
use wngd::linalg::dense::{as_column, as_column_mut, multiply_transpose};
use wngd::linalg::faer::Mat;
use wngd::linalg::{ACTIVE_DENSITY, LinearOp, valley_depth};
use wngd::opt::{Direction, DirectionSolver, Natural, Point, PriorTerms, Route};
use wngd::prelude::Grid;

use crate::error::ExperimentError;
use crate::experiment::Experiment;
use crate::method::Method;
use crate::metrics;
use crate::numbers::finite;

/// What `--json` prints.
#[derive(Debug, Serialize)]
pub struct Inspection {
    /// Names of the free parameters.
    pub names: Vec<String>,
    /// Their values.
    pub theta: Vec<f64>,
    /// f there.
    pub objective: Option<f64>,
    /// |c| Zᵀu.
    pub gradient: Vec<f64>,
    /// The state.
    pub state: StateSummary,
    /// Every metric that the data have a use for.
    pub metrics: BTreeMap<String, MetricSummary>,
}

/// A density in numbers.
#[derive(Debug, Serialize)]
pub struct StateSummary {
    /// Cells of the grid.
    pub cells: usize,
    /// Its mass.
    pub mass: f64,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Cells where it underflows.
    pub inactive_cells: usize,
    /// Deepest valley between modes that hold 1 % of the mass; 1 for one mode.
    pub valley_depth: f64,
    /// Mean of each coordinate.
    pub mean: Vec<f64>,
    /// E xᵢxⱼ.
    pub second_moment: Vec<Vec<f64>>,
}

/// A metric at a point.
#[derive(Debug, Serialize)]
pub struct MetricSummary {
    /// |c| YᵀY.
    pub information: Vec<Vec<f64>>,
    /// Rank of the whitened Jacobian.
    pub rank: usize,
    /// Of the whitened Jacobian; null where the rank is deficient.
    pub condition: Option<f64>,
    /// Mass leak removed, per parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mass_leak: Option<Vec<f64>>,
    /// How the Laplacian was eliminated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elimination: Option<String>,
    /// Why so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elimination_choice: Option<String>,
    /// Voids of the density, across which mass is moved apart from the transport within basins; left out where there
    /// are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voids: Option<usize>,
    /// Damping of the directions.
    pub damping: f64,
    /// The directions.
    pub direction: Directions,
}

/// A direction by two routes.
#[derive(Debug, Serialize)]
pub struct Directions {
    /// By QR.
    pub least_squares: Vec<f64>,
    /// By the information matrix.
    pub information: Vec<f64>,
}

/// Inspects an experiment at θ: every metric, with the options of the first method that names it, else the usual ones.
///
/// # Errors
/// What cannot be computed there.
pub fn inspect(experiment: &Experiment, theta: Vec<f64>) -> Result<Inspection, ExperimentError> {
    let linear = experiment.model.linearize(&theta)?;
    // One dense Z serves every metric; for a flow that is one tangent solve per parameter.
    let jacobian = linear.jacobian.into_dense();
    let (objective, u) = experiment.objective.derivative(&linear.state)?;
    let weight = experiment.objective.cell_volume();
    let mut gradient = vec![0.0; theta.len()];
    multiply_transpose(as_column_mut(&mut gradient), jacobian.as_ref(), as_column(&u));
    gradient.iter_mut().for_each(|g| *g *= weight);
    let priors = PriorTerms::at(&experiment.model, &theta);
    priors.add_gradient(&mut gradient);
    let rounding = experiment.model.column_rounding(&theta);
    let point = Point { theta: &theta, state: &linear.state, iteration: 0, rounding: &rounding };
    let mut found = BTreeMap::new();
    for entry in metrics::FAMILY.entries {
        let own = experiment.methods.iter().find(|m| m.metric == entry.name);
        let usual = Method::of(entry.name)?;
        let damping = own.and_then(|m| m.damping).unwrap_or(0.0);
        let metric = match own {
            Some(method) => method.build_metric(&experiment.ground, experiment.model.as_ref())?,
            // A metric that the data have no use for is not inspected.
            None => usual.build_metric(&experiment.ground, experiment.model.as_ref()).ok().flatten(),
        };
        if let Some(metric) = metric {
            found.insert(entry.name.to_string(), summary(metric, damping, &point, &jacobian, (&u, &priors), weight)?);
        }
    }
    let state = state_summary(experiment.ground.maybe_grid(), &linear.state.values);
    Ok(Inspection {
        names: experiment.names(),
        theta,
        objective: finite(objective + priors.value()),
        gradient,
        state,
        metrics: found,
    })
}

fn summary(
    metric: Box<dyn wngd::opt::Metric>,
    damping: f64,
    point: &Point<'_>,
    jacobian: &Mat<f64>,
    (u, priors): (&[f64], &PriorTerms),
    weight: f64,
) -> Result<MetricSummary, ExperimentError> {
    let mut rule = Natural { metric, route: Route::Information, damping };
    let mut prepared = rule.prepare(point, jacobian.clone(), u, weight)?;
    prepared.take_up(priors, weight)?;
    let information = prepared.direction(damping)?;
    drop(prepared);
    rule.route = Route::Qr;
    let mut prepared = rule.prepare(point, jacobian.clone(), u, weight)?;
    prepared.take_up(priors, weight)?;
    let least_squares: Direction = prepared.direction(damping)?;
    let g = prepared.information().ok_or_else(|| ExperimentError::Internal("no information matrix".into()))?;
    Ok(MetricSummary {
        information: (0..g.nrows()).map(|i| (0..g.ncols()).map(|j| g[(i, j)]).collect()).collect(),
        rank: least_squares.rank,
        condition: finite(least_squares.condition),
        mass_leak: prepared.mass_leak().map(|leak| leak.relative.clone()),
        elimination: prepared.laplacian().map(|report| report.elimination.to_string()),
        elimination_choice: prepared.laplacian().map(|report| report.choice.to_string()),
        voids: prepared.laplacian().map(|report| report.voids).filter(|voids| *voids > 0),
        damping,
        direction: Directions { least_squares: least_squares.eta, information: information.eta },
    })
}

/// Mass, extremes and moments of a density.
///
/// Without a grid of its size it is a plain vector: no moments, weight 1.
pub fn state_summary(grid: Option<&Grid>, density: &[f64]) -> StateSummary {
    let extremes = |start: f64, pick: fn(f64, f64) -> f64| density.iter().copied().fold(start, pick);
    let Some(grid) = grid.filter(|grid| grid.len() == density.len()) else {
        return StateSummary {
            cells: density.len(),
            mass: density.iter().sum(),
            min: extremes(f64::INFINITY, f64::min),
            max: extremes(f64::NEG_INFINITY, f64::max),
            inactive_cells: 0,
            valley_depth: 1.0,
            mean: Vec::new(),
            second_moment: Vec::new(),
        };
    };
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
        min: extremes(f64::INFINITY, f64::min),
        max: extremes(0.0, f64::max),
        inactive_cells: density.iter().filter(|r| **r <= ACTIVE_DENSITY).count(),
        valley_depth: valley_depth(grid, density, 0.01),
        mean,
        second_moment: second,
    }
}
