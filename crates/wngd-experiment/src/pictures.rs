//! From results to figures.

use std::path::Path;
use std::time::Instant;

use rayon::prelude::*;
use wngd::opt::Outcome;
use wngd::prelude::*;

use crate::error::ExperimentError;
use crate::experiment::Experiment;
use crate::results::{BasinFile, ResultFile};
use wngd_figures::{
    Axis, BasinMap, BasinPanel, Convergence, Densities, Figure, Landscape, LocalModel, Profile, QuadraticModels,
    QuadraticPanel, Series, Trace,
};

/// Lattice points per axis of a landscape, if the objective is cheap enough.
const LATTICE: usize = 61;
/// Seconds that a landscape may take.
const BUDGET: f64 = 5.0;

/// The axes of a grid, as figures want them.
pub fn axes(grid: &Grid, names: &[String]) -> Vec<Axis> {
    let axis = |a: usize| Axis {
        name: names[a].clone(),
        lower: grid.lower()[a],
        upper: grid.upper()[a],
        cells: grid.cells()[a],
    };
    (0..grid.dim()).map(axis).collect()
}

/// All figures of a run.
pub fn of_run(
    experiment: &Experiment,
    result: &ResultFile,
    outcomes: &[Outcome],
    folder: &Path,
) -> Result<(), ExperimentError> {
    let landscape = landscape_of(experiment, result, outcomes)?;
    if let Some(landscape) = &landscape {
        landscape.save(folder)?;
    }
    if let Some(grid) = experiment.ground.maybe_grid().filter(|grid| grid.len() == experiment.model.dim_state()) {
        for (method, outcome) in result.methods.iter().zip(outcomes) {
            let densities = Densities {
                axes: axes(grid, &experiment.axes()),
                data: experiment.data.values.values.clone(),
                label: method.label.clone(),
                fit: outcome.state.values.clone(),
                // Named columns have units of their own; unnamed axes share one.
                equal_scale: !experiment.has_units(),
                title: String::new(),
            };
            densities.save(folder)?;
        }
    }
    let series = result.methods.iter().zip(outcomes).map(|(method, outcome)| Series {
        label: method.label.clone(),
        objective: outcome.trace.iter().map(|row| row.objective).collect(),
        seconds: outcome.trace.iter().map(|row| row.seconds).collect(),
    });
    let convergence = Convergence {
        objective_name: format!("objective ({})", result.objective),
        series: series.collect(),
        title: String::new(),
    };
    convergence.save(folder)?;
    quadratic(experiment, result, outcomes, landscape, folder)
}

/// f on a lattice over the first two free parameters, the others at the best end, around
/// the traces; `None` for one free parameter.
fn landscape_of(
    experiment: &Experiment,
    result: &ResultFile,
    outcomes: &[Outcome],
) -> Result<Option<Landscape>, ExperimentError> {
    if result.names.len() < 2 {
        return Ok(None);
    }
    let Some(best) = outcomes.iter().min_by(|a, b| a.last().objective.total_cmp(&b.last().objective)) else {
        return Ok(None);
    };
    let base = best.last().theta.clone();
    let window = |i: usize| {
        let mut points: Vec<f64> = outcomes.iter().flat_map(|o| o.trace.iter().map(|row| row.theta[i])).collect();
        points.extend(result.truth.iter().map(|t| t[i]));
        let (low, high) = points.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
        let pad = 0.3 * (high - low).max(1e-3 * high.abs()).max(1e-9);
        let (mut low, mut high) = (low - pad, high + pad);
        if result.names[i].starts_with("weights") {
            (low, high) = (low.max(0.0), high.min(1.0));
        }
        (low, high)
    };
    let ((x0, x1), (y0, y1)) = (window(0), window(1));
    let (x, y, values) = lattice(experiment, &base, [0, 1], [x0, y0], [x1, y1]);
    let fixed = if result.names.len() > 2 { ", the other parameters at the best fit" } else { "" };
    Ok(Some(Landscape {
        x_name: result.names[0].clone(),
        y_name: result.names[1].clone(),
        x,
        y,
        values,
        value_name: "f".into(),
        traces: result
            .methods
            .iter()
            .zip(outcomes)
            .map(|(method, outcome)| Trace {
                label: method.label.clone(),
                points: outcome.trace.iter().map(|row| [row.theta[0], row.theta[1]]).collect(),
            })
            .collect(),
        truth: result.truth.as_ref().map(|t| [t[0], t[1]]),
        title: format!("{}: level sets of f{fixed}", experiment.name),
    }))
}

/// f over two parameters, the others as in `base`, on a lattice as fine as a few seconds allow: first coordinates,
/// second coordinates, and values with the first coordinate fastest.
pub fn lattice(
    experiment: &Experiment,
    base: &[f64],
    varied: [usize; 2],
    lower: [f64; 2],
    upper: [f64; 2],
) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let clock = Instant::now();
    value_at(experiment, base);
    let cost = clock.elapsed().as_secs_f64();
    let affordable = (BUDGET / cost.max(1e-9)).sqrt() as usize;
    let n = LATTICE.min(affordable.max(9));
    let axis = |a: usize| -> Vec<f64> {
        (0..n).map(|j| lower[a] + (upper[a] - lower[a]) * j as f64 / (n - 1) as f64).collect()
    };
    let (x, y) = (axis(0), axis(1));
    let values = (0..n * n)
        .into_par_iter()
        .map(|index| {
            let mut theta = base.to_vec();
            (theta[varied[0]], theta[varied[1]]) = (x[index % n], y[index / n]);
            value_at(experiment, &theta)
        })
        .collect();
    (x, y, values)
}

/// f at θ; NaN outside the domain.
fn value_at(experiment: &Experiment, theta: &[f64]) -> f64 {
    experiment.value(theta)
}

fn quadratic(
    experiment: &Experiment,
    result: &ResultFile,
    outcomes: &[Outcome],
    landscape: Option<Landscape>,
    folder: &Path,
) -> Result<(), ExperimentError> {
    let p = result.names.len();
    let panels: Vec<QuadraticPanel> = result
        .methods
        .iter()
        .zip(outcomes)
        .filter(|(_, outcome)| !outcome.models.is_empty())
        .map(|(method, outcome)| QuadraticPanel {
            label: method.label.clone(),
            iterates: outcome.trace.iter().take(outcome.models.len() + 1).map(|row| row.theta.clone()).collect(),
            models: outcome.models.iter().map(|m| figure_model(m, p)).collect(),
            profile: if p == 2 { Vec::new() } else { outcome.models.iter().map(|m| profile(experiment, m)).collect() },
        })
        .collect();
    if panels.is_empty() {
        return Ok(());
    }
    let parameter_name = result.names.first().cloned().unwrap_or_default();
    let title = format!("{}: local quadratic models", experiment.name);
    let figure = QuadraticModels { panels, landscape: landscape.filter(|_| p == 2), parameter_name, title };
    Ok(figure.save(folder)?)
}

fn figure_model(model: &wngd::opt::LocalModel, p: usize) -> LocalModel {
    let matrix = (0..p).flat_map(|i| (0..p).map(move |j| (i, j))).map(|(i, j)| model.information[(i, j)] / model.tau);
    LocalModel {
        theta: model.theta.clone(),
        value: model.value,
        gradient: model.gradient.clone(),
        matrix: matrix.collect(),
        step: model.step.clone(),
    }
}

/// f and the local model along the step, from a quarter step back to one and a half steps on.
fn profile(experiment: &Experiment, model: &wngd::opt::LocalModel) -> Profile {
    let t: Vec<f64> = (0..=70).map(|i| -0.25 + 1.75 * f64::from(i) / 70.0).collect();
    let scaled = |t: f64| -> Vec<f64> { model.step.iter().map(|s| t * s).collect() };
    let f = t.par_iter().map(|&t| {
        let theta: Vec<f64> = model.theta.iter().zip(scaled(t)).map(|(x, h)| x + h).collect();
        value_at(experiment, &theta)
    });
    let f = f.collect();
    let values = t.iter().map(|&t| model.at(&scaled(t))).collect();
    Profile { t, f, model: values }
}

/// The map of a basin run; nothing to draw for one varied parameter but a strip.
pub fn of_basins(file: &BasinFile, folder: &Path) -> Result<(), ExperimentError> {
    let pick = |theta: &[f64]| match file.varied[..] {
        [a, b] => [theta[a], theta[b]],
        [a] => [theta[a], 0.0],
        _ => [f64::NAN, f64::NAN],
    };
    let map = BasinMap {
        x_name: file.parameters.first().cloned().unwrap_or_default(),
        y_name: file.parameters.get(1).cloned().unwrap_or_default(),
        starts: file.starts.iter().map(|s| pick(s)).collect(),
        panels: file
            .methods
            .iter()
            .map(|m| BasinPanel { label: m.label.clone(), ends: m.minimum.clone(), fraction_best: m.fraction_best })
            .collect(),
        minima: file.minima.iter().map(|m| pick(&m.theta)).collect(),
        title: "minimum that each start reaches".into(),
    };
    Ok(map.save(folder)?)
}
