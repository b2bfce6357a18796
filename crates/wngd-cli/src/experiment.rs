//! From an experiment file to model, data, objective and methods.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use wngd::adjoint::State;
use wngd::linalg::{LinalgError, check_density};
use wngd::models::flow::{self, Discretisation, StationaryDensity, VelocityField};
use wngd::models::{MixtureError, ObserveError};
use wngd::opt::{ArmijoStart, Metric, StepRule};
use wngd::prelude::*;

use crate::config::schema::{
    CovarianceSection, CovarianceTable, DiscretisationKind, DiscretisationSection, EstimateKind, FaceMeanKind,
    MethodSection, MetricKind, ModelKind, ObjectiveKind, OneOrMany, SolverKind, StepKind, StepSection, TruthSection,
};
use crate::config::{Source, builtin};
use crate::data;
use crate::error::CliError;
use crate::model::{Jacobian, Model};

/// Memory that a dense Jacobian may take, in bytes.
const MAX_JACOBIAN_BYTES: usize = 8 << 30;

/// Everything a command needs to run an experiment.
pub struct Experiment {
    /// Name of the experiment.
    pub name: String,
    /// The grid.
    pub grid: Grid,
    /// The model, its own values being the start.
    pub model: Arc<Model>,
    /// The start point.
    pub theta0: Vec<f64>,
    /// The data.
    pub data: Data,
    /// The objective.
    pub objective: Box<dyn Objective>,
    /// The methods.
    pub methods: Vec<Method>,
    /// When descents end.
    pub stop: Stop,
    /// Symbolic factorisation of the grid's Laplacian.
    pub plan: Arc<LaplacianPlan>,
}

/// The data density with its origin.
pub struct Data {
    /// ρ*, with logarithms where it comes from a model.
    pub density: State,
    /// Values of the free parameters that made the data, where known.
    pub truth: Option<Vec<f64>>,
    /// Number of independent samples, where the data are samples.
    pub samples: Option<usize>,
    /// What should be told about the data: samples outside the box, mass.
    pub notes: Vec<String>,
    /// Names of the axes.
    pub axes: Vec<String>,
}

/// One descent.
pub struct Method {
    /// Name in tables and files.
    pub label: String,
    /// Metric.
    pub metric: MetricKind,
    /// Direction rule.
    pub direction: Box<dyn DirectionSolver<Jacobian>>,
    /// Step rule, fresh for each descent.
    pub step: StepSection,
    /// Iteration limit.
    pub iterations: usize,
}

impl Experiment {
    /// Builds an experiment.
    ///
    /// Everything that can be wrong with it is found here, before anything is written.
    pub fn build(source: &Source) -> Result<Self, CliError> {
        let file = &source.file;
        if file.name.is_empty() || !file.name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
            return Err(source.error("name", "use letters, digits, '-', '_' and '.': it becomes a folder name"));
        }
        let grid = Grid::new(&file.grid.lower, &file.grid.upper, &file.grid.cells).map_err(|error| {
            let field = match &error {
                LinalgError::Grid { reason } if reason.contains("cell") => "grid.cells",
                _ => "grid",
            };
            source.error(field, error.to_string())
        })?;
        if grid.len() < 2 {
            return Err(source.error("grid.cells", "one cell has no shape to fit; give at least 2 cells"));
        }
        let model = build_model(source, &grid)?;
        let theta0 = model.start();
        let bytes = grid.len().saturating_mul(theta0.len()).saturating_mul(8);
        if bytes > MAX_JACOBIAN_BYTES {
            return Err(source.error(
                "grid.cells",
                format!(
                    "{} cells with {} free parameters need {} GiB for the Jacobian; use fewer cells",
                    grid.len(),
                    theta0.len(),
                    bytes >> 30
                ),
            ));
        }
        let mut data = load_data(source, &grid, &model)?;
        if theta0.len() > grid.len() {
            data.notes.push(format!(
                "{} free parameters for {} cells: the data cannot determine them all, directions have minimum norm",
                theta0.len(),
                grid.len()
            ));
        }
        let plan = Arc::new(LaplacianPlan::new(&grid)?);
        let kind = file.objective.kind.unwrap_or(if data.samples.is_some() {
            ObjectiveKind::KullbackLeibler
        } else {
            ObjectiveKind::L2
        });
        let objective = build_objective(kind, &grid, &plan, &data.density)?;
        // A start at which the objective is not defined is the user's to move.
        let state = model.state(&theta0).map_err(|error| source.error("model", error.to_string()))?;
        objective.value(&state).map_err(|error| source.error("model", error.to_string()))?;
        data.notes.extend(model.remarks(&theta0)?);
        let methods = build_methods(source, &grid, &plan, &model, kind)?;
        let stop = build_stop(source)?;
        Ok(Self { name: file.name.clone(), grid, model, theta0, data, objective, methods, stop, plan })
    }

    /// The descent of one method.
    pub fn descent<'a>(&'a self, method: &'a Method, keep_models: usize) -> Descent<'a, Model> {
        Descent {
            model: self.model.as_ref(),
            objective: self.objective.as_ref(),
            direction: method.direction.as_ref(),
            stop: Stop { iterations: method.iterations, ..self.stop },
            keep_models,
        }
    }
}

impl Method {
    /// A fresh step rule.
    pub fn step_rule(&self) -> Box<dyn StepRule> {
        let step = &self.step;
        match step.rule {
            StepKind::Fixed => Box::new(Fixed { length: step.length.unwrap_or(1.0) }),
            StepKind::Armijo => {
                let c1 = step.c1.unwrap_or(1e-4);
                let mut rule = match step.initial {
                    Some(initial) => Armijo::new(initial, c1),
                    None => Armijo::expanding(c1),
                };
                if step.remember == Some(true) && step.initial.is_some() {
                    rule.start = ArmijoStart::Remember;
                }
                Box::new(rule)
            }
            StepKind::LevenbergMarquardt => {
                Box::new(LevenbergMarquardt::new(step.damping.unwrap_or(1e-3), step.length.unwrap_or(1.0)))
            }
        }
    }
}

fn covariances(section: &CovarianceSection, components: usize) -> Covariances {
    match section {
        CovarianceSection::Named(_) => Covariances::Identity,
        CovarianceSection::Table(CovarianceTable::Isotropic(OneOrMany::One(v))) => {
            Covariances::Isotropic(vec![*v; components])
        }
        CovarianceSection::Table(CovarianceTable::Isotropic(OneOrMany::Many(v))) => Covariances::Isotropic(v.clone()),
        CovarianceSection::Table(CovarianceTable::Diagonal(v)) => Covariances::Diagonal(v.clone()),
        CovarianceSection::Table(CovarianceTable::Full(v)) => Covariances::Full(v.clone()),
    }
}

/// Field of the experiment file that a mixture error is about.
fn mixture_field(error: &MixtureError, section: &str) -> String {
    match error {
        MixtureError::Shape { field, .. } | MixtureError::Value { field, .. } => {
            let field = field.replace("sum of weights", "weights");
            let field = if field.starts_with("covariances") { "covariance".to_string() } else { field };
            format!("{section}.{field}")
        }
        _ => format!("{section}.free"),
    }
}

fn build_model(source: &Source, grid: &Grid) -> Result<Arc<Model>, CliError> {
    let section = &source.file.model;
    let model = match section.kind {
        ModelKind::GaussianMixture => build_mixture(source, grid)?,
        ModelKind::StationaryDensity => build_flow(source, grid)?,
    };
    Ok(Arc::new(model))
}

/// Refuses keys that belong to the other kind of model.
fn refuse_stray(source: &Source, kind: &str, stray: &[(&str, bool)]) -> Result<(), CliError> {
    match stray.iter().find(|(_, present)| *present) {
        Some((field, _)) => Err(source.error(&format!("model.{field}"), format!("a {kind} has none; remove it"))),
        None => Ok(()),
    }
}

fn build_mixture(source: &Source, grid: &Grid) -> Result<Model, CliError> {
    let section = &source.file.model;
    refuse_stray(
        source,
        "gaussian-mixture",
        &[
            ("system", section.system.is_some()),
            ("theta", section.theta.is_some()),
            ("discretisation", section.discretisation.is_some()),
            ("dimension", section.dimension.is_some()),
            ("degree", section.degree.is_some()),
        ],
    )?;
    let needed = |field: &str| {
        source.error(&format!("model.{field}"), "a gaussian-mixture needs it; see docs/experiment-file.md")
    };
    let weights = section.weights.clone().ok_or_else(|| needed("weights"))?;
    let means = section.means.clone().ok_or_else(|| needed("means"))?;
    let covariance = section.covariance.clone().unwrap_or_default();
    let parameters = MixtureParameters { covariances: covariances(&covariance, weights.len()), weights, means };
    let free = section.free.clone().unwrap_or_else(|| {
        let mut names = vec!["means".to_string()];
        if parameters.weights.len() > 1 {
            names.push("weights".to_string());
        }
        names
    });
    GaussianMixture::new(grid.clone(), parameters, &free)
        .map(Model::Mixture)
        .map_err(|e| source.error(&mixture_field(&e, "model"), e.to_string()))
}

fn build_flow(source: &Source, grid: &Grid) -> Result<Model, CliError> {
    let section = &source.file.model;
    refuse_stray(
        source,
        "stationary-density",
        &[
            ("weights", section.weights.is_some()),
            ("means", section.means.is_some()),
            ("covariance", section.covariance.is_some()),
        ],
    )?;
    let known = || format!("{} or polynomial", flow::SYSTEM_NAMES.join(", "));
    let name = section
        .system
        .as_deref()
        .ok_or_else(|| source.error("model.system", format!("a stationary-density needs one of {}", known())))?;
    let (field, usual): (Arc<dyn VelocityField>, Option<Vec<f64>>) = if name == "polynomial" {
        let (Some(dimension), Some(degree)) = (section.dimension, section.degree) else {
            return Err(source.error("model.system", "a polynomial needs dimension and degree"));
        };
        let field =
            flow::Polynomial::new(dimension, degree).map_err(|e| source.error("model.degree", e.to_string()))?;
        (Arc::new(field), None)
    } else {
        refuse_stray(
            source,
            "named system",
            &[("dimension", section.dimension.is_some()), ("degree", section.degree.is_some())],
        )?;
        let system = flow::system(name)
            .ok_or_else(|| source.error("model.system", format!("there is no \"{name}\"; there are {}", known())))?;
        (system.field, Some(system.theta))
    };
    if field.dim() != grid.dim() {
        return Err(source.error(
            "grid.cells",
            format!("{} axes, but {name} has {} dimensions; give one entry per dimension", grid.dim(), field.dim()),
        ));
    }
    let theta = match (&section.theta, usual) {
        (Some(theta), _) => theta.clone(),
        (None, Some(usual)) => usual,
        (None, None) => return Err(source.error("model.theta", "a polynomial needs its coefficients")),
    };
    let names = field.parameter_names();
    if theta.len() != names.len() {
        let problem = format!("{} values, {} are needed: {}", theta.len(), names.len(), names.join(", "));
        return Err(source.error("model.theta", problem));
    }
    let free = match &section.free {
        None => (0..names.len()).collect(),
        Some(chosen) => free_indices(source, chosen, &names)?,
    };
    let discretisation = discretisation(source, section.discretisation.as_ref())?;
    let start = free.iter().map(|&i| theta[i]).collect();
    let density = StationaryDensity::new(field, grid.clone(), discretisation, Some(free), theta)
        .map_err(|e| source.error("model", e.to_string()))?;
    Ok(Model::Flow { density, start })
}

/// Free parameters in the order of the field, whatever the order in which they are named.
fn free_indices(source: &Source, chosen: &[String], names: &[String]) -> Result<Vec<usize>, CliError> {
    let mut free = Vec::new();
    for name in chosen {
        let Some(index) = names.iter().position(|n| n == name) else {
            return Err(source.error("model.free", format!("there is no \"{name}\"; there are {}", names.join(", "))));
        };
        if free.contains(&index) {
            return Err(source.error("model.free", format!("\"{name}\" is named twice; name it once")));
        }
        free.push(index);
    }
    if free.is_empty() {
        return Err(source.error("model.free", format!("name at least one of {}", names.join(", "))));
    }
    free.sort_unstable();
    Ok(free)
}

fn discretisation(source: &Source, section: Option<&DiscretisationSection>) -> Result<Discretisation, CliError> {
    let Some(section) = section else {
        return Ok(Discretisation::SemiLagrangian { time: 0.2, step: 0.01, points: 2, restart: 1e-6 });
    };
    let finite_volume = section.kind != DiscretisationKind::SemiLagrangian;
    let stray = if finite_volume {
        [("time", section.time.is_some()), ("step", section.step.is_some()), ("points", section.points.is_some())]
    } else {
        [("diffusion", section.diffusion.is_some()), ("", false), ("", false)]
    };
    if let Some((field, _)) = stray.iter().find(|(_, present)| *present) {
        let problem = "this kind of discretisation does not use it; remove it";
        return Err(source.error(&format!("model.discretisation.{field}"), problem));
    }
    Ok(match section.kind {
        DiscretisationKind::Upwind => Discretisation::Upwind {
            diffusion: section.diffusion.unwrap_or(10.0),
            restart: section.restart.unwrap_or(2e-3),
        },
        DiscretisationKind::ScharfetterGummel => Discretisation::ScharfetterGummel {
            diffusion: section.diffusion.unwrap_or(10.0),
            restart: section.restart.unwrap_or(2e-3),
        },
        DiscretisationKind::SemiLagrangian => Discretisation::SemiLagrangian {
            time: section.time.unwrap_or(0.2),
            step: section.step.unwrap_or(0.01),
            points: section.points.unwrap_or(2),
            restart: section.restart.unwrap_or(1e-6),
        },
    })
}

fn load_data(source: &Source, grid: &Grid, model: &Model) -> Result<Data, CliError> {
    let section = &source.file.data;
    let given = [section.truth.is_some(), section.samples.is_some(), section.density.is_some()];
    if given.iter().filter(|g| **g).count() != 1 {
        return Err(source.error("data", "give exactly one of truth, samples, density"));
    }
    if section.samples.is_none() {
        for (field, present) in [
            ("data.columns", section.columns.is_some()),
            ("data.estimate", section.estimate.is_some()),
            ("data.bandwidth", section.bandwidth.is_some()),
        ] {
            if present {
                return Err(source.error(field, "only samples have it; remove it or give data.samples"));
            }
        }
    }
    let axes = || ["x", "y", "z"][..grid.dim()].iter().map(|s| s.to_string()).collect();
    if let Some(truth) = &section.truth {
        let (density, theta) = truth_density(source, grid, model, truth)?;
        return Ok(Data { density, truth: theta, samples: None, notes: Vec::new(), axes: axes() });
    }
    if let Some(name) = &section.samples {
        return samples_density(source, grid, name);
    }
    let Some(name) = &section.density else {
        return Err(CliError::Internal("a data section without data passed its check".into()));
    };
    let path = resolve(source, name);
    let (reader, size) = data::open(&path)?;
    let (shape, values) = data::npy_array(&path, reader, size)?;
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
    Ok(Data { density: State::new(values), truth: None, samples: None, notes, axes: axes() })
}

fn truth_density(
    source: &Source,
    grid: &Grid,
    model: &Model,
    truth: &TruthSection,
) -> Result<(State, Option<Vec<f64>>), CliError> {
    match (&truth.theta, &truth.weights, &truth.means, model) {
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
    let embedded = if source.folder.is_none() && !path.exists() { builtin::data(name) } else { None };
    let (reader, size) = match embedded {
        Some(text) => (data::Bytes::Memory(text.as_bytes()), text.len() as u64),
        None => data::open(&path)?,
    };
    let is_npy = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("npy"));
    let samples = if is_npy {
        if section.columns.is_some() {
            return Err(source.error("data.columns", "an NPY file has no named columns; remove it"));
        }
        let (shape, values) = data::npy_array(&path, reader, size)?;
        let dim = grid.dim();
        if !(shape.len() == 2 && shape[1] == dim || dim == 1 && shape.len() == 1) {
            return Err(source
                .error("data.samples", format!("{} has shape {shape:?}; (rows, {dim}) is needed", path.display())));
        }
        values.chunks_exact(dim).map(<[f64]>::to_vec).collect()
    } else {
        data::csv_samples(&path, reader, section.columns.as_deref(), grid.dim())?
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
    let axes = section
        .columns
        .clone()
        .unwrap_or_else(|| ["x", "y", "z"][..grid.dim()].iter().map(|s| s.to_string()).collect());
    Ok(Data { density: State::new(seen.density), truth: None, samples: Some(seen.inside), notes, axes })
}

/// Paths in an experiment file are relative to its folder.
fn resolve(source: &Source, name: &str) -> PathBuf {
    match &source.folder {
        Some(folder) => folder.join(name),
        None => Path::new(name).to_path_buf(),
    }
}

fn build_objective(
    kind: ObjectiveKind,
    grid: &Grid,
    plan: &Arc<LaplacianPlan>,
    data: &State,
) -> Result<Box<dyn Objective>, CliError> {
    let values = data.values.clone();
    Ok(match kind {
        ObjectiveKind::L2 => Box::new(LeastSquaresMisfit::new(grid, values)?),
        ObjectiveKind::KullbackLeibler => Box::new(KullbackLeibler::with_logarithms(grid, data.clone())?),
        ObjectiveKind::NegativeSobolev => Box::new(NegativeSobolev::new(grid, values)?),
        ObjectiveKind::LinearisedWasserstein => Box::new(LinearisedWasserstein::new(plan, values)?),
        ObjectiveKind::Wasserstein => Box::new(Wasserstein::new(plan, values)?),
    })
}

/// The metric whose natural gradient is the Gauss–Newton direction of an objective.
pub fn matched_metric(kind: ObjectiveKind) -> MetricKind {
    match kind {
        ObjectiveKind::L2 => MetricKind::L2,
        ObjectiveKind::KullbackLeibler => MetricKind::FisherRao,
        ObjectiveKind::NegativeSobolev => MetricKind::HomogeneousHMinus1,
        ObjectiveKind::LinearisedWasserstein | ObjectiveKind::Wasserstein => MetricKind::Wasserstein,
    }
}

/// A metric with its options.
pub fn build_metric(
    kind: MetricKind,
    section: Option<&MethodSection>,
    grid: &Grid,
    plan: &Arc<LaplacianPlan>,
    model: &Arc<Model>,
) -> Option<Box<dyn Metric>> {
    Some(match kind {
        MetricKind::None => return None,
        MetricKind::L2 => Box::new(L2),
        MetricKind::FisherRao => Box::new(FisherRao),
        MetricKind::H1 => Box::new(Sobolev::new(grid, SobolevOrder::One)),
        MetricKind::HMinus1 => Box::new(Sobolev::new(grid, SobolevOrder::MinusOne)),
        MetricKind::HomogeneousHMinus1 => Box::new(Sobolev::new(grid, SobolevOrder::HomogeneousMinusOne)),
        MetricKind::Wasserstein => {
            let mut metric = Wasserstein2::new(plan.clone());
            metric.floor = section.and_then(|s| s.floor).unwrap_or(0.0);
            metric.faces = match section.and_then(|s| s.face_mean).unwrap_or(FaceMeanKind::Arithmetic) {
                FaceMeanKind::Arithmetic => FaceDensity::Mean(FaceMean::Arithmetic),
                FaceMeanKind::Geometric => FaceDensity::Mean(FaceMean::Geometric),
                FaceMeanKind::Logarithmic => FaceDensity::Mean(FaceMean::Logarithmic),
                FaceMeanKind::Harmonic => FaceDensity::Mean(FaceMean::Harmonic),
                FaceMeanKind::Midpoint => {
                    let model = model.clone();
                    FaceDensity::Midpoint(Arc::new(move |theta| match model.as_ref() {
                        Model::Mixture(mixture) => mixture.face_midpoint_density(theta),
                        Model::Flow { .. } => Err(ModelError::OutOfDomain {
                            parameter: "face_mean".into(),
                            value: f64::NAN,
                            rule: "a stationary density is known in cells only; use another face mean",
                        }),
                    }))
                }
            };
            Box::new(metric)
        }
    })
}

fn build_methods(
    source: &Source,
    grid: &Grid,
    plan: &Arc<LaplacianPlan>,
    model: &Arc<Model>,
    objective: ObjectiveKind,
) -> Result<Vec<Method>, CliError> {
    let default = [MethodSection {
        metric: matched_metric(objective),
        label: None,
        solver: SolverKind::Qr,
        step: StepSection::default(),
        damping: 0.0,
        face_mean: None,
        floor: None,
        iterations: None,
    }];
    let sections = if source.file.method.is_empty() { &default[..] } else { &source.file.method[..] };
    let mut methods: Vec<Method> = Vec::new();
    for (i, section) in sections.iter().enumerate() {
        check_method(source, i, section)?;
        if section.face_mean == Some(FaceMeanKind::Midpoint) && !matches!(model.as_ref(), Model::Mixture(_)) {
            let problem = "a stationary density is known in cells only; use \"arithmetic\"";
            return Err(source.error(&format!("method[{i}].face_mean"), problem));
        }
        let base = section.label.clone().unwrap_or_else(|| section.metric.name().to_string());
        let taken = |label: &str| methods.iter().any(|m| m.label == label);
        if section.label.is_some() && taken(&base) {
            return Err(
                source.error(&format!("method[{i}].label"), format!("\"{base}\" is used twice; labels name files"))
            );
        }
        let label = std::iter::once(base.clone())
            .chain((2..).map(|n| format!("{base}-{n}")))
            .find(|l| !taken(l))
            .unwrap_or(base);
        let direction: Box<dyn DirectionSolver<Jacobian>> =
            match build_metric(section.metric, Some(section), grid, plan, model) {
                None => Box::new(Standard),
                Some(metric) => {
                    let route = match section.solver {
                        SolverKind::Qr => Route::Qr,
                        SolverKind::Svd => Route::Svd,
                        SolverKind::Lsmr => Route::Lsmr,
                        SolverKind::Information => Route::Information,
                    };
                    Box::new(Natural { metric, route, damping: section.damping })
                }
            };
        methods.push(Method {
            label,
            metric: section.metric,
            direction,
            step: section.step.clone(),
            iterations: section.iterations.unwrap_or(source.file.stop.iterations),
        });
    }
    Ok(methods)
}

fn check_method(source: &Source, i: usize, section: &MethodSection) -> Result<(), CliError> {
    let fail = |field: &str, problem: &str| Err(source.error(&format!("method[{i}].{field}"), problem));
    let positive = |v: Option<f64>| v.is_none_or(|v| v.is_finite() && v > 0.0);
    if let Some(label) = &section.label
        && (label.is_empty() || !label.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)))
    {
        return fail("label", "use letters, digits, '-', '_' and '.': it becomes part of file names");
    }
    if !(section.damping.is_finite() && section.damping >= 0.0) {
        return fail("damping", "a finite number >= 0 is needed");
    }
    if section.metric != MetricKind::Wasserstein {
        if section.face_mean.is_some() {
            return fail("face_mean", "only metric = \"wasserstein\" has face densities; remove it");
        }
        if section.floor.is_some() {
            return fail("floor", "only metric = \"wasserstein\" has a density floor; remove it");
        }
    }
    if !section.floor.is_none_or(|v| v.is_finite() && v >= 0.0) {
        return fail("floor", "a finite number >= 0 is needed");
    }
    let step = &section.step;
    if !positive(step.length) {
        return fail("step.length", "a finite number > 0 is needed");
    }
    if !positive(step.initial) {
        return fail("step.initial", "a finite number > 0 is needed");
    }
    if !step.c1.is_none_or(|c| c > 0.0 && c < 1.0) {
        return fail("step.c1", "a number between 0 and 1 is needed, for example 1e-4");
    }
    if !positive(step.damping) {
        return fail("step.damping", "a finite number > 0 is needed");
    }
    let stray = match step.rule {
        StepKind::Fixed => [
            ("initial", step.initial.is_some()),
            ("c1", step.c1.is_some()),
            ("remember", step.remember.is_some()),
            ("damping", step.damping.is_some()),
        ],
        StepKind::Armijo => {
            [("length", step.length.is_some()), ("damping", step.damping.is_some()), ("", false), ("", false)]
        }
        StepKind::LevenbergMarquardt => [
            ("initial", step.initial.is_some()),
            ("c1", step.c1.is_some()),
            ("remember", step.remember.is_some()),
            ("", false),
        ],
    };
    if let Some((field, _)) = stray.iter().find(|(_, present)| *present) {
        return fail(&format!("step.{field}"), "this step rule does not use it; see `wngd list`");
    }
    if step.rule == StepKind::Fixed && step.length.is_none() {
        return fail("step", "rule = \"fixed\" needs a length, for example { rule = \"fixed\", length = 1.0 }");
    }
    Ok(())
}

fn build_stop(source: &Source) -> Result<Stop, CliError> {
    let stop = &source.file.stop;
    for (field, value) in [
        ("stop.relative_objective", stop.relative_objective),
        ("stop.relative_step", stop.relative_step),
        ("stop.gradient", stop.gradient),
    ] {
        if !(value.is_finite() && value >= 0.0) {
            return Err(source.error(field, "a finite number >= 0 is needed; 0 switches the test off"));
        }
    }
    Ok(Stop {
        iterations: stop.iterations,
        relative_objective: stop.relative_objective,
        relative_step: stop.relative_step,
        gradient: stop.gradient,
    })
}
