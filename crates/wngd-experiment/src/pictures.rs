//! From results to figures.

use std::path::Path;

use rayon::prelude::*;
use wngd::opt::Outcome;
use wngd::prelude::*;

use crate::data::Noise;
use crate::error::ExperimentError;
use crate::experiment::Experiment;
use crate::fitted::{Fitted, draw_covariance};
use crate::models::PartShape;
use crate::results::{BasinFile, ResultFile};
use wngd_figures::{
    Axis, BasinMap, BasinPanel, Convergence, Densities, Figure, Landscape, LocalModel, MeanPaths, Paths, Profile,
    QuadraticModels, QuadraticPanel, Series, Trace,
};

/// Lattice points per axis of a landscape, if the objective is cheap enough.
pub const LATTICE: usize = 61;
/// Operations that a landscape may take; some seconds.
const BUDGET: f64 = 2e10;
/// How far beyond start, best end and truth a map goes, in units of how far they are apart.
const FAR: f64 = 4.0;
/// Most minima of a landscape that are marked.
const MINIMA: usize = 12;
/// What work is counted in where a model solves equations.
pub const SOLVES: &str = "solves of the state equation";

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
    // Files of their own: drawn side by side.
    let drawn = || -> Result<(), ExperimentError> {
        let landscape = landscape_of(experiment, result, outcomes)?;
        let (own, models) = rayon::join(
            || landscape.as_ref().map_or(Ok(()), |landscape| landscape.save(folder)),
            || quadratic(experiment, result, outcomes, landscape.clone(), folder),
        );
        own?;
        models
    };
    let (landscapes, others) = rayon::join(drawn, || of_descents(experiment, result, outcomes, folder));
    landscapes.and(others)
}

/// Densities, data with their fits, ways of means, and convergence.
fn of_descents(
    experiment: &Experiment,
    result: &ResultFile,
    outcomes: &[Outcome],
    folder: &Path,
) -> Result<(), ExperimentError> {
    if let Some(grid) = experiment.ground.maybe_grid().filter(|grid| grid.len() == experiment.model.dim_state()) {
        result.methods.par_iter().zip(outcomes).try_for_each(|(method, outcome)| {
            let densities = Densities {
                axes: axes(grid, &experiment.axes()),
                data: experiment.data.values.values.clone(),
                label: method.label.clone(),
                fit: outcome.state.values.clone(),
                // Named columns have units of their own; unnamed axes share one.
                equal_scale: !experiment.has_units(),
                title: String::new(),
            };
            densities.save(folder)
        })?;
    }
    fitted(experiment, result, outcomes, folder)?;
    if let Some(paths) = paths(experiment, result, outcomes) {
        paths.save(folder)?;
    }
    let solves = outcomes.iter().any(|outcome| outcome.last().solves.total() > 0);
    let series = result.methods.iter().zip(outcomes).map(|(method, outcome)| Series {
        label: method.label.clone(),
        objective: outcome.trace.iter().map(|row| row.objective).collect(),
        work: if solves {
            outcome.trace.iter().map(|row| row.solves.total() as f64).collect()
        } else {
            evaluations(outcome)
        },
    });
    let convergence = Convergence {
        objective_name: format!("objective ({})", result.objective),
        work_name: if solves { SOLVES } else { "evaluations of the model" }.into(),
        series: series.collect(),
        title: String::new(),
    };
    Ok(convergence.save(folder)?)
}

/// Evaluations of the model until each iterate: those that were taken and those that were not.
fn evaluations(outcome: &Outcome) -> Vec<f64> {
    let mut sum = 0.0;
    let rows = outcome.trace.iter().map(|row| {
        sum += 1.0 + row.rejected as f64;
        sum
    });
    rows.collect()
}

/// The ways of the means of a mixture in two or more dimensions, if they are free.
fn paths(experiment: &Experiment, result: &ResultFile, outcomes: &[Outcome]) -> Option<Paths> {
    let grid = experiment.ground.maybe_grid()?;
    let data = &experiment.data.values.values;
    let free = result.names.iter().any(|name| name.starts_with("means"));
    if grid.dim() < 2 || grid.len() != data.len() || !free {
        return None;
    }
    let means = |theta: &[f64]| -> Vec<[f64; 2]> {
        let parts = experiment.model.parts(theta).into_iter();
        parts
            .filter_map(|part| match part.shape {
                PartShape::Gaussian { mean, .. } => Some([mean[0], mean[1]]),
                PartShape::Curve(_) => None,
            })
            .collect()
    };
    let start = means(&experiment.theta0);
    if start.is_empty() {
        return None;
    }
    let way = |outcome: &Outcome| -> Vec<Vec<[f64; 2]>> {
        let rows: Vec<Vec<[f64; 2]>> = outcome.trace.iter().map(|row| means(&row.theta)).collect();
        (0..start.len()).map(|k| rows.iter().filter_map(|row| row.get(k).copied()).collect()).collect()
    };
    let methods = result.methods.iter().zip(outcomes);
    let methods = methods.map(|(method, outcome)| MeanPaths { label: method.label.clone(), means: way(outcome) });
    Some(Paths {
        axes: axes(grid, &experiment.axes()),
        data: data.clone(),
        methods: methods.collect(),
        truth: result
            .truth
            .as_ref()
            .filter(|truth| attained(experiment, result, truth))
            .map(|t| means(t))
            .unwrap_or_default(),
        equal_scale: !experiment.has_units(),
        title: String::new(),
    })
}

/// Whether f is as low at the truth as anywhere: where the model cannot make the data, it is no minimum.
fn attained(experiment: &Experiment, result: &ResultFile, truth: &[f64]) -> bool {
    result.best().and_then(|best| best.objective).is_none_or(|lowest| value_at(experiment, truth) <= lowest)
}

/// The data with the best fit over them, and the errors of its parameters.
fn fitted(
    experiment: &Experiment,
    result: &ResultFile,
    outcomes: &[Outcome],
    folder: &Path,
) -> Result<(), ExperimentError> {
    let best = result.best.as_ref().and_then(|label| result.methods.iter().position(|m| m.label == *label));
    let Some((method, outcome)) = best.and_then(|i| result.methods.get(i).zip(outcomes.get(i))) else { return Ok(()) };
    if let Some(covariance) = &method.covariance {
        let entries: Vec<Vec<Option<f64>>> =
            covariance.iter().map(|row| row.iter().copied().map(Some).collect()).collect();
        draw_covariance(&result.labels(), &method.theta, &entries, None, folder)?;
    }
    let (Noise::Independent(counts), Some(grid)) = (&experiment.data.noise, experiment.ground.maybe_grid()) else {
        return Ok(());
    };
    if counts.smoothing.is_some() || grid.len() != outcome.state.values.len() {
        return Ok(());
    }
    let fitted = Fitted {
        axes: axes(grid, &experiment.axes()),
        data: &counts.density,
        fit: &outcome.state.values,
        number: counts.number,
        parts: experiment.model.parts(&method.theta),
        cloud: None,
        bins: None,
    };
    fitted.draw(folder)
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
    let range = |values: &[f64]| {
        values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high): (f64, f64), &v| (low.min(v), high.max(v)))
    };
    let window = |i: usize| {
        // A descent that is lost leaves the map instead of stretching it.
        let known: Vec<f64> = result.truth.iter().map(|t| t[i]).chain([experiment.theta0[i], base[i]]).collect();
        let (low, high) = range(&known);
        let far = FAR * (high - low);
        let all = outcomes.iter().flat_map(|o| o.trace.iter().map(|row| row.theta[i]));
        let points: Vec<f64> =
            all.filter(|v| far == 0.0 || (low - far..=high + far).contains(v)).chain(known).collect();
        let (low, high) = range(&points);
        let pad = 0.3 * (high - low).max(1e-3 * high.abs()).max(1e-9);
        let (mut low, mut high) = (low - pad, high + pad);
        if result.names[i].starts_with("weights") {
            (low, high) = (low.max(0.0), high.min(1.0));
        }
        (low, high)
    };
    let ((x0, x1), (y0, y1)) = (window(0), window(1));
    let (x, y, mut values) = lattice(experiment, &base, [0, 1], [x0, y0], [x1, y1], LATTICE);
    let minima = minima(experiment, &base, (&x, &y), &values);
    let lowest = minima.iter().map(|m| m.1).chain(values.iter().copied()).filter(|v| v.is_finite());
    let lowest = lowest.fold(best.last().objective, f64::min);
    values.iter_mut().for_each(|v| *v -= lowest);
    let fixed = if result.names.len() > 2 { ", the other parameters at the best fit" } else { "" };
    let labels = result.labels();
    let truth = result.truth.as_ref().filter(|t| attained(experiment, result, t));
    Ok(Some(Landscape {
        x_name: labels[0].clone(),
        y_name: labels[1].clone(),
        x,
        y,
        values,
        minima: minima.into_iter().map(|m| m.0).collect(),
        value_name: "f − f_min".into(),
        traces: result
            .methods
            .iter()
            .zip(outcomes)
            .map(|(method, outcome)| Trace {
                label: method.label.clone(),
                points: outcome.trace.iter().map(|row| [row.theta[0], row.theta[1]]).collect(),
            })
            .collect(),
        truth: truth.map(|t| [t[0], t[1]]),
        title: format!("{}: level sets of f{fixed}", experiment.name),
    }))
}

/// The minima of a map, the lowest first: nodes below their neighbours, moved downhill by ever shorter steps.
fn minima(experiment: &Experiment, base: &[f64], (x, y): (&[f64], &[f64]), values: &[f64]) -> Vec<([f64; 2], f64)> {
    let (nx, ny) = (x.len(), y.len());
    let lowest = |i: usize, j: usize| {
        let own = values[j * nx + i];
        let around = (j - 1..=j + 1).flat_map(|b| (i - 1..=i + 1).map(move |a| (a, b))).filter(|n| *n != (i, j));
        // Where a neighbour has no value there is a border, not a minimum.
        own.is_finite() && around.into_iter().all(|(a, b)| values[b * nx + a] > own)
    };
    let nodes = (1..ny - 1).flat_map(|j| (1..nx - 1).map(move |i| (i, j))).filter(|(i, j)| lowest(*i, *j));
    let mut starts: Vec<(usize, usize)> = nodes.collect();
    starts.sort_by(|a, b| values[a.1 * nx + a.0].total_cmp(&values[b.1 * nx + b.0]));
    starts.truncate(MINIMA);
    let f = |at: [f64; 2]| {
        let mut theta = base.to_vec();
        (theta[0], theta[1]) = (at[0], at[1]);
        value_at(experiment, &theta)
    };
    let spacing = [x[1] - x[0], y[1] - y[0]];
    // A coarse map is one of an expensive f: its nodes have to do.
    let rounds = if nx == LATTICE { 7 } else { 0 };
    let mut found: Vec<([f64; 2], f64)> = starts
        .into_par_iter()
        .map(|(i, j)| {
            let (mut at, mut value) = ([x[i], y[j]], values[j * nx + i]);
            let mut step = spacing;
            for _ in 0..rounds {
                step = step.map(|s| 0.5 * s);
                // Along a narrow valley a minimum may be many steps away.
                for _ in 0..40 {
                    let around = DIRECTIONS.map(|d| [at[0] + d[0] * step[0], at[1] + d[1] * step[1]]);
                    let tried = around.map(|place| (place, f(place)));
                    match tried.into_iter().filter(|t| t.1 < value).min_by(|a, b| a.1.total_cmp(&b.1)) {
                        Some(lower) => (at, value) = lower,
                        None => break,
                    }
                }
            }
            (at, value)
        })
        .collect();
    found.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut kept: Vec<([f64; 2], f64)> = Vec::new();
    for (at, value) in found {
        let near = |other: &([f64; 2], f64)| (0..2).all(|k| (at[k] - other.0[k]).abs() < 2.0 * spacing[k]);
        if !kept.iter().any(near) {
            kept.push((at, value));
        }
    }
    kept
}

/// Where a search looks from a node.
const DIRECTIONS: [[f64; 2]; 8] =
    [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0], [1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]];

/// Nodes per axis of a lattice, by what an evaluation of f costs: operations counted from sizes, not a clock, so that
/// the same experiment has the same figures on every machine.
fn nodes(experiment: &Experiment, base: &[f64]) -> usize {
    let before = experiment.model.solve_counts().total();
    value_at(experiment, base);
    let solves = experiment.model.solve_counts().total() > before;
    let dim = experiment.ground.maybe_grid().map_or(1, Grid::dim);
    let (cells, parameters) = (experiment.model.dim_state() as f64, base.len() as f64);
    let mut cost = cells * (40.0 + 20.0 * parameters);
    if solves {
        // A factorisation: nested dissection in two dimensions, nearly dense separators in three.
        cost += if dim < 3 { 100.0 * cells.powf(1.5) } else { 30.0 * cells.powi(2) };
    }
    if experiment.objective.name() == "wasserstein" {
        cost += 4000.0 * cells.powf(1.5);
    }
    ((BUDGET / cost).sqrt() as usize).clamp(9, LATTICE)
}

/// f over two parameters, the others as in `base`, on a lattice as fine as its size allows: first coordinates,
/// second coordinates, and values with the first coordinate fastest. It has `most` nodes per axis at most.
pub fn lattice(
    experiment: &Experiment,
    base: &[f64],
    varied: [usize; 2],
    lower: [f64; 2],
    upper: [f64; 2],
    most: usize,
) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let n = nodes(experiment, base).min(most);
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
    let parameter_name = result.labels().first().cloned().unwrap_or_default();
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
