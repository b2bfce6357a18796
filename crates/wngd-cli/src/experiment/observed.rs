//! The data of an experiment: a known truth, samples, a trajectory, or a density.

use std::path::{Path, PathBuf};

use wngd::adjoint::State;
use wngd::identify::View;
use wngd::linalg::check_density;
use wngd::models::ObserveError;
use wngd::models::flow::StationaryDensity;
use wngd::prelude::*;

use super::{covariances, mixture_field, named_flow};
use crate::config::schema::{EstimateKind, Files, TruthSection};
use crate::config::{Source, builtin};
use crate::data;
use crate::error::CliError;
use crate::model::Model;
use crate::trajectory::Recording;

/// The data density with its origin.
pub struct Data {
    /// ρ*, with logarithms where it comes from a model.
    pub density: State,
    /// Values of the free parameters that made the data, where known.
    pub truth: Option<Vec<f64>>,
    /// Where the noise of the data comes from.
    pub noise: Noise,
    /// What should be told about the data: points outside the box, mass.
    pub notes: Vec<String>,
    /// Names of the axes.
    pub axes: Vec<String>,
}

/// Where the noise of a density comes from.
pub enum Noise {
    /// There is none, or it is not known.
    Unknown,
    /// That many independent samples.
    Independent(usize),
    /// Successive points, which are correlated.
    Trajectory {
        /// The points, row-major.
        points: Vec<f64>,
        /// How they are seen.
        view: View,
    },
}

/// Refuses what does not belong together.
fn check(source: &Source) -> Result<(), CliError> {
    let section = &source.file.data;
    let (samples, trajectory) = (section.samples.is_some(), section.trajectory.is_some());
    let given = [section.truth.is_some(), samples, trajectory, section.density.is_some()];
    if given.iter().filter(|g| **g).count() != 1 {
        return Err(source.error("data", "give exactly one of truth, samples, trajectory, density"));
    }
    for (field, present, allowed, owners) in [
        ("columns", section.columns.is_some(), samples || trajectory, "samples and trajectories have it"),
        ("estimate", section.estimate.is_some(), samples, "samples have it"),
        ("bandwidth", section.bandwidth.is_some(), samples, "samples have it"),
        ("binning", section.binning.is_some(), trajectory, "a trajectory has it"),
        ("burn_in", section.burn_in.is_some(), trajectory, "a trajectory has it"),
        ("stride", section.stride.is_some(), trajectory, "a trajectory has it"),
        ("smoothing", section.smoothing.is_some(), trajectory, "a trajectory has it"),
    ] {
        if present && !allowed {
            return Err(source.error(&format!("data.{field}"), format!("only {owners}; remove it")));
        }
    }
    Ok(())
}

/// Where a trajectory's points come from and how they are seen, if the data are one.
pub fn trajectory(source: &Source) -> Result<Option<(Recording, View)>, CliError> {
    check(source)?;
    let section = &source.file.data;
    let Some(files) = &section.trajectory else { return Ok(None) };
    let names = match files {
        Files::One(name) => std::slice::from_ref(name),
        Files::Many(names) => &names[..],
    };
    if names.is_empty() {
        return Err(source.error("data.trajectory", "the list of files is empty; name at least one"));
    }
    let (stride, smoothing) = (section.stride.unwrap_or(1), section.smoothing.unwrap_or(0.0));
    if stride == 0 {
        return Err(source.error("data.stride", "0 takes no points; give 1 to take all of them"));
    }
    if !(smoothing >= 0.0 && smoothing.is_finite()) {
        return Err(source.error("data.smoothing", "a finite number of cells >= 0 is needed"));
    }
    let recording = Recording {
        paths: names.iter().map(|name| resolve(source, name)).collect(),
        columns: section.columns.clone(),
        burn_in: section.burn_in.unwrap_or(0),
        stride,
    };
    Ok(Some((recording, View { binning: section.binning.unwrap_or_default().into(), smoothing })))
}

/// The density of a trajectory that was read.
fn trajectory_density(source: &Source, grid: &Grid, points: Vec<f64>, view: View) -> Result<Data, CliError> {
    let seen = view.density(grid, &points)?;
    let mut notes = counts(seen.inside, seen.outside);
    if view.smoothing > 0.0 {
        notes.push(format!(
            "smoothed by a Gaussian of {} cells: fitted variances grow by its square; only identification undoes that",
            view.smoothing
        ));
    }
    let axes = axes(source, grid);
    let noise = Noise::Trajectory { points, view };
    Ok(Data { density: State::new(seen.density), truth: None, noise, notes, axes })
}

/// How many points of a trajectory are in the box.
pub fn counts(inside: usize, outside: usize) -> Vec<String> {
    let mut notes = vec![format!("{inside} points of the trajectory in the box")];
    if outside > 0 {
        notes.push(format!("{outside} points outside the box are left out"));
    }
    notes
}

/// Names of the axes: the columns, or x, y, z.
fn axes(source: &Source, grid: &Grid) -> Vec<String> {
    let usual = || ["x", "y", "z"][..grid.dim()].iter().map(|s| s.to_string()).collect();
    source.file.data.columns.clone().unwrap_or_else(usual)
}

/// The data density; `read` holds the points of a trajectory, if the data are one.
pub fn load(source: &Source, grid: &Grid, model: &Model, read: Option<(Vec<f64>, View)>) -> Result<Data, CliError> {
    let section = &source.file.data;
    if let Some((points, view)) = read {
        return trajectory_density(source, grid, points, view);
    }
    if let Some(truth) = &section.truth {
        let (density, theta) = truth_density(source, grid, model, truth)?;
        let axes = axes(source, grid);
        return Ok(Data { density, truth: theta, noise: Noise::Unknown, notes: Vec::new(), axes });
    }
    if let Some(name) = &section.samples {
        return samples_density(source, grid, name);
    }
    let Some(name) = &section.density else {
        return Err(CliError::Internal("a data section without data passed its check".into()));
    };
    let path = resolve(source, name);
    let about = |error| source.about("data.density", error);
    let (reader, size) = data::open(&path).map_err(about)?;
    let (shape, values) = data::npy_array(&path, reader, size).map_err(about)?;
    if shape != grid.cells() {
        return Err(source.error(
            "data.density",
            format!("{} has shape {shape:?}, the grid has {:?} cells; they must agree", path.display(), grid.cells()),
        ));
    }
    check_density(grid, &values)
        .map_err(|error| source.error("data.density", format!("{}: {error}", path.display())))?;
    let mass = grid.cell_volume() * values.iter().sum::<f64>();
    let mut notes = Vec::new();
    if (mass - 1.0).abs() > 1e-3 {
        notes.push(format!("the data's mass is {mass:.6}, not 1; it is compared as it is"));
    }
    Ok(Data { density: State::new(values), truth: None, noise: Noise::Unknown, notes, axes: axes(source, grid) })
}

fn truth_density(
    source: &Source,
    grid: &Grid,
    model: &Model,
    truth: &TruthSection,
) -> Result<(State, Option<Vec<f64>>), CliError> {
    match (&truth.theta, &truth.weights, &truth.means, model) {
        (Some(theta), None, None, Model::Flow { density, .. })
            if source.file.model.perturbation.is_some() && theta.len() != density.dim_param() =>
        {
            // The system itself at other parameters: hats can only come near it.
            let fail = |e: ModelError| source.error("data.truth.theta", e.to_string());
            let field = named_flow(source)?.field;
            let own = StationaryDensity::new(field, grid.clone(), density.discretisation(), None, theta.clone());
            Ok((own.map_err(fail)?.state(theta).map_err(fail)?, None))
        }
        (Some(theta), None, None, Model::Flow { density, .. }) => {
            // All parameters of the field, or the free ones.
            let names = density.field().parameter_names();
            let free: Vec<usize> =
                density.parameter_names().iter().filter_map(|n| names.iter().position(|m| m == n)).collect();
            let full = if theta.len() == names.len() {
                theta.clone()
            } else {
                density.theta_full(theta).map_err(|e| source.error("data.truth.theta", e.to_string()))?
            };
            let own = StationaryDensity::new(
                density.field().clone(),
                grid.clone(),
                density.discretisation(),
                None,
                full.clone(),
            )
            .map_err(|e| source.error("data.truth.theta", e.to_string()))?;
            let state = own.state(&full).map_err(|e| source.error("data.truth.theta", e.to_string()))?;
            Ok((state, Some(free.iter().map(|&i| full[i]).collect())))
        }
        (None, Some(weights), Some(means), _) => {
            let parameters = MixtureParameters {
                weights: weights.clone(),
                means: means.clone(),
                covariances: covariances(&truth.covariance.clone().unwrap_or_default(), weights.len()),
            };
            let data = GaussianMixture::new(grid.clone(), parameters.clone(), &["means"])
                .map_err(|e| source.error(&mixture_field(&e, "data.truth"), e.to_string()))?;
            let density = data.state(&data.theta())?;
            // The truth has a value for each free parameter only if it has that parameter.
            let theta =
                GaussianMixture::new(grid.clone(), parameters, &model.parameter_names()).ok().map(|m| m.theta());
            Ok((density, theta))
        }
        _ => Err(source.error(
            "data.truth",
            "give { weights, means, covariance } for a mixture, or { theta } for a stationary-density model",
        )),
    }
}

fn samples_density(source: &Source, grid: &Grid, name: &str) -> Result<Data, CliError> {
    let section = &source.file.data;
    let path = resolve(source, name);
    let about = |error| source.about("data.samples", error);
    let embedded = if source.folder.is_none() && !path.exists() { builtin::data(name) } else { None };
    let (reader, size) = match embedded {
        Some(text) => (data::Bytes::Memory(text.as_bytes()), text.len() as u64),
        None => data::open(&path).map_err(about)?,
    };
    let is_npy = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("npy"));
    let samples = if is_npy {
        if section.columns.is_some() {
            return Err(source.error("data.columns", "an NPY file has no named columns; remove it"));
        }
        let (shape, values) = data::npy_array(&path, reader, size).map_err(about)?;
        let dim = grid.dim();
        if !(shape.len() == 2 && shape[1] == dim || dim == 1 && shape.len() == 1) {
            return Err(source
                .error("data.samples", format!("{} has shape {shape:?}; (rows, {dim}) is needed", path.display())));
        }
        values.chunks_exact(dim).map(<[f64]>::to_vec).collect()
    } else {
        data::csv::samples(&path, reader, section.columns.as_deref(), grid.dim()).map_err(about)?
    };
    let estimate = match section.estimate.unwrap_or(EstimateKind::Histogram) {
        EstimateKind::Histogram => {
            if section.bandwidth.is_some() {
                return Err(source.error("data.bandwidth", "a histogram has none; set data.estimate = \"kernel\""));
            }
            Estimate::Histogram
        }
        EstimateKind::Kernel => Estimate::Kernel { bandwidth: section.bandwidth.clone() },
    };
    let seen = density_of_samples(grid, &samples, &estimate).map_err(|error| {
        let field = if matches!(error, ObserveError::Bandwidth { .. }) { "data.bandwidth" } else { "data.samples" };
        source.error(field, error.to_string())
    })?;
    let mut notes = vec![format!("{} samples in the box", seen.inside)];
    if seen.outside > 0 {
        notes.push(format!("{} samples outside the box are left out", seen.outside));
    }
    if !seen.bandwidth.is_empty() {
        notes.push(format!("kernel bandwidth {:?}; it widens the fitted covariances by its square", seen.bandwidth));
    }
    let (noise, axes) = (Noise::Independent(seen.inside), axes(source, grid));
    Ok(Data { density: State::new(seen.density), truth: None, noise, notes, axes })
}

/// Paths in an experiment file are relative to its folder.
fn resolve(source: &Source, name: &str) -> PathBuf {
    match &source.folder {
        Some(folder) => folder.join(name),
        None => Path::new(name).to_path_buf(),
    }
}
