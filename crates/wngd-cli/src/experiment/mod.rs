//! From an experiment file to model, data, objective and methods.

mod observed;

use std::sync::Arc;

use wngd::adjoint::State;
use wngd::linalg::LinalgError;
use wngd::models::flow::{self, Discretisation, HatPerturbation, StationaryDensity, VelocityField};
use wngd::models::{MixtureError, MixturePart, box_of};
use wngd::opt::{ArmijoStart, Estimator, MatrixFree, Metric, StepRule};
use wngd::prelude::*;

use crate::config::Source;
use crate::config::schema::{
    Cells, CovarianceSection, CovarianceTable, DiscretisationKind, DiscretisationSection, FaceMeanKind, MethodSection,
    MetricKind, ModelKind, ObjectiveKind, OneOrMany, SolverKind, StepKind, StepSection,
};
use crate::error::CliError;
use crate::model::{Jacobian, Model};
use crate::trajectory::{scheme_at, time_scale};

pub use observed::{Data, Noise, counts, trajectory};

/// The scheme without a trajectory to choose time and step from.
const SEMI_LAGRANGIAN: Discretisation =
    Discretisation::SemiLagrangian { time: 0.2, step: 0.01, points: 2, restart: 1e-6 };
/// Room around a trajectory, as a share of its range, on either side.
pub const MARGIN: f64 = 0.1;
/// Cells per axis for a trajectory, by dimension.
pub const CELLS: [usize; 3] = [256, 64, 24];
/// Memory that a dense Jacobian may take, in bytes.
const MAX_JACOBIAN_BYTES: usize = 8 << 30;

/// Most probes of a sketch.
const MAX_PROBES: usize = 100_000;

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
    pub objective: Box<dyn Objective + Send>,
    /// The methods as they are described, checked and labelled.
    pub sections: Vec<MethodSection>,
    /// The methods, one per section.
    pub methods: Vec<Method>,
    /// When descents end.
    pub stop: Stop,
    /// Symbolic factorisation of the grid's Laplacian.
    pub plan: Arc<LaplacianPlan>,
}

/// One descent.
pub struct Method {
    /// Name in tables and files.
    pub label: String,
    /// Metric.
    pub metric: MetricKind,
    /// Direction rule.
    pub direction: Box<dyn DirectionSolver<Jacobian> + Send>,
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
        check(source)?;
        let (file, name) = (&source.file, checked_name(source)?);
        let read = match trajectory(source)? {
            None => None,
            Some((recording, view)) => {
                let points = recording.read(dimension(source)?).map_err(|e| source.about("data.trajectory", e))?;
                Some((points.values, view))
            }
        };
        let grid = build_grid(source, read.as_ref().map(|r| &r.0[..]))?;
        if grid.len() < 2 {
            return Err(source.error("grid.cells", "one cell has no shape to fit; give at least 2 cells"));
        }
        let plan = LaplacianPlan::new(&grid).map_err(|error| source.error("grid.cells", error.to_string()))?;
        let plan = Arc::new(plan);
        let model = build_model(source, &grid, read.as_ref().map(|r| &r.0[..]))?;
        let theta0 = model.start();
        let stored = file.method.is_empty() || file.method.iter().any(|m| m.solver.estimator().is_none());
        let bytes = if stored { grid.len().saturating_mul(theta0.len()).saturating_mul(8) } else { 0 };
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
        let mut data = observed::load(source, &grid, &model, read)?;
        if theta0.len() > grid.len() {
            data.notes.push(format!(
                "{} free parameters for {} cells: the data cannot determine them all, directions have minimum norm",
                theta0.len(),
                grid.len()
            ));
        }
        let kind = file.objective.kind.unwrap_or(match data.noise {
            Noise::Independent(_) => ObjectiveKind::KullbackLeibler,
            // The density of a trajectory is rough; a weak norm does not mind.
            Noise::Trajectory { .. } => ObjectiveKind::NegativeSobolev,
            Noise::Unknown => ObjectiveKind::L2,
        });
        let objective = build_objective(kind, &grid, &plan, &data.density)?;
        // A start at which the objective is not defined is the user's to move.
        let state = model.state(&theta0).map_err(|error| source.error("model", error.to_string()))?;
        objective.value(&state).map_err(|error| source.error("model", error.to_string()))?;
        data.notes.extend(model.remarks(&theta0)?);
        let sections = method_sections(source, &model, kind)?;
        let stop = build_stop(source)?;
        let mut experiment =
            Self { name, grid, model, theta0, data, objective, sections, methods: Vec::new(), stop, plan };
        experiment.methods = experiment.sections.iter().map(|section| experiment.method(section)).collect();
        Ok(experiment)
    }

    /// The method that a section describes.
    pub fn method(&self, section: &MethodSection) -> Method {
        Method {
            label: section.label.clone().unwrap_or_else(|| section.metric.name().to_string()),
            metric: section.metric,
            direction: build_direction(section, &self.grid, &self.plan, &self.model),
            step: section.step.clone(),
            iterations: section.iterations.unwrap_or(self.stop.iterations),
        }
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

/// What can be wrong with an experiment before its data are read and its model is solved.
pub fn check(source: &Source) -> Result<(), CliError> {
    checked_name(source)?;
    if source.file.identify.is_some() {
        return Err(source.error("identify", "only `wngd run` identifies; remove the section for this command"));
    }
    trajectory(source)?;
    source.file.method.iter().enumerate().try_for_each(|(i, section)| check_method(source, i, section))?;
    build_stop(source).map(drop)
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
    match error.field() {
        Some(field) if field.part == MixturePart::Covariances => format!("{section}.covariance"),
        Some(field) => format!("{section}.{field}"),
        None => format!("{section}.free"),
    }
}

/// An error of a model whose options are the keys of `section`.
fn model_error(source: &Source, section: &str, error: ModelError) -> CliError {
    let ModelError::Invalid { field, problem } = error else { return source.error(section, error.to_string()) };
    let key = match field.split(['.', '[']).next() {
        Some("grid") => field,
        Some("theta") => format!("model.{field}"),
        _ => format!("{section}.{field}"),
    };
    source.error(&key, problem)
}

/// The experiment's name, which names a folder.
pub fn checked_name(source: &Source) -> Result<String, CliError> {
    let name = &source.file.name;
    if name.is_empty() || name.starts_with('.') || !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    {
        return Err(source.error("name", "use letters, digits, '-', '_' and '.', not first: it becomes a folder name"));
    }
    Ok(name.clone())
}

/// Coordinates of the data: those of the model, or else of the grid.
pub fn dimension(source: &Source) -> Result<usize, CliError> {
    let grid = &source.file.grid;
    if source.file.model.kind == ModelKind::StationaryDensity {
        return Ok(named_flow(source)?.field.dim());
    }
    let (field, dim) =
        match (&grid.lower, &grid.cells, source.file.model.means.as_ref().and_then(|means| means.first())) {
            (Some(lower), _, _) => ("grid.lower", lower.len()),
            (None, Some(Cells::Each(cells)), _) => ("grid.cells", cells.len()),
            (None, _, Some(mean)) => ("model.means", mean.len()),
            (None, _, None) => return Err(source.error("model.means", "a gaussian-mixture needs at least one mean")),
        };
    if !(1..=3).contains(&dim) {
        return Err(source.error(field, format!("{dim} coordinates; 1, 2 or 3 are supported")));
    }
    Ok(dim)
}

/// The grid; what the file leaves open comes from the points of a trajectory.
pub fn build_grid(source: &Source, points: Option<&[f64]>) -> Result<Grid, CliError> {
    let section = &source.file.grid;
    let (lower, upper) = match (&section.lower, &section.upper, points) {
        (Some(lower), Some(upper), _) => (lower.clone(), upper.clone()),
        (None, None, Some(points)) => box_of(points, dimension(source)?, MARGIN)?,
        (Some(_), None, _) => return Err(source.error("grid.upper", "a box needs both corners")),
        (None, Some(_), _) => return Err(source.error("grid.lower", "a box needs both corners")),
        (None, None, None) => {
            let problem = "only a trajectory gives the box by itself; give lower, upper and cells";
            return Err(source.error("grid.lower", problem));
        }
    };
    let cells = match (&section.cells, points) {
        (Some(Cells::Same(n)), _) => vec![*n; lower.len()],
        (Some(Cells::Each(cells)), _) => cells.clone(),
        (None, Some(_)) => vec![CELLS[lower.len().clamp(1, 3) - 1]; lower.len()],
        (None, None) => return Err(source.error("grid.cells", "give the cells per axis")),
    };
    Grid::new(&lower, &upper, &cells).map_err(|error| {
        let field = match &error {
            LinalgError::Grid { reason } if reason.contains("cell") => "grid.cells",
            _ => "grid",
        };
        source.error(field, error.to_string())
    })
}

fn build_model(source: &Source, grid: &Grid, points: Option<&[f64]>) -> Result<Arc<Model>, CliError> {
    let section = &source.file.model;
    let model = match section.kind {
        ModelKind::GaussianMixture => build_mixture(source, grid)?,
        ModelKind::StationaryDensity => build_flow(source, grid, points)?,
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
            ("perturbation", section.perturbation.is_some()),
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

/// A flow as the file describes it.
pub struct NamedFlow {
    /// Its name.
    pub name: String,
    /// The velocity field.
    pub field: Arc<dyn VelocityField>,
    /// All parameters, free ones at their start.
    pub theta: Vec<f64>,
    /// Free parameters, in the order of the field.
    pub free: Vec<usize>,
}

/// The flow of a stationary-density model.
pub fn named_flow(source: &Source) -> Result<NamedFlow, CliError> {
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
        let field = flow::Polynomial::new(dimension, degree).map_err(|e| model_error(source, "model", e))?;
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
        Some(chosen) => free_indices(chosen, &names).map_err(|problem| source.error("model.free", problem))?,
    };
    Ok(NamedFlow { name: name.to_string(), field, theta, free })
}

fn build_flow(source: &Source, grid: &Grid, points: Option<&[f64]>) -> Result<Model, CliError> {
    let NamedFlow { name, field, theta, free } = named_flow(source)?;
    if field.dim() != grid.dim() {
        return Err(source.error(
            "grid.cells",
            format!("{} axes, but {name} has {} dimensions; give one entry per dimension", grid.dim(), field.dim()),
        ));
    }
    let scale = points.map(|points| time_scale(field.as_ref(), &theta, points));
    let discretisation = discretisation(source, scale)?;
    if let Some(hats) = source.file.model.perturbation {
        if source.file.model.free.is_some() {
            return Err(source.error("model.free", "with a perturbation its hats are free and nothing else; remove it"));
        }
        let field = HatPerturbation::new(field, theta, hats.scale, hats.nodes, grid)
            .map_err(|e| model_error(source, "model.perturbation", e))?;
        let start = vec![0.0; field.dim_param()];
        let density = StationaryDensity::new(Arc::new(field), grid.clone(), discretisation, None, start.clone())
            .map_err(|e| model_error(source, "model", e))?;
        return Ok(Model::Flow { density, start });
    }
    let start = free.iter().map(|&i| theta[i]).collect();
    let density = StationaryDensity::new(field, grid.clone(), discretisation, Some(free), theta)
        .map_err(|e| model_error(source, "model", e))?;
    Ok(Model::Flow { density, start })
}

/// The file's semi-Lagrangian scheme, completed by the usual one.
fn semi_lagrangian(usual: Discretisation, section: &DiscretisationSection) -> Discretisation {
    let mut scheme = usual;
    if let Discretisation::SemiLagrangian { time, step, points, restart } = &mut scheme {
        *step = section.step.unwrap_or(*step);
        *time = section.time.unwrap_or(*time);
        *points = section.points.unwrap_or(*points);
        *restart = section.restart.unwrap_or(*restart);
    }
    scheme
}

/// Free parameters in the order of the field, whatever the order in which they are named; else what is wrong.
pub fn free_indices(chosen: &[String], names: &[String]) -> Result<Vec<usize>, String> {
    let mut free = Vec::new();
    for name in chosen {
        let index = names.iter().position(|n| n == name);
        let index = index.ok_or_else(|| format!("there is no \"{name}\"; there are {}", names.join(", ")))?;
        if free.contains(&index) {
            return Err(format!("\"{name}\" is named twice; name it once"));
        }
        free.push(index);
    }
    if free.is_empty() {
        return Err(format!("name at least one of {}", names.join(", ")));
    }
    free.sort_unstable();
    Ok(free)
}

/// The discretisation; the time scale of a trajectory, where there is one, gives time and step by default.
pub fn discretisation(source: &Source, scale: Option<f64>) -> Result<Discretisation, CliError> {
    let usual = scale.map_or(SEMI_LAGRANGIAN, scheme_at);
    let Some(section) = &source.file.model.discretisation else { return Ok(usual) };
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
        DiscretisationKind::SemiLagrangian => semi_lagrangian(usual, section),
    })
}

fn build_objective(
    kind: ObjectiveKind,
    grid: &Grid,
    plan: &Arc<LaplacianPlan>,
    data: &State,
) -> Result<Box<dyn Objective + Send>, CliError> {
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
) -> Option<Box<dyn Metric + Send>> {
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
                        Model::Flow { .. } => Err(ModelError::invalid(
                            "face_mean",
                            "a stationary density is known in cells only; use another face mean",
                        )),
                    }))
                }
            };
            Box::new(metric)
        }
    })
}

/// The methods as the file describes them, each with a label of its own.
fn method_sections(source: &Source, model: &Model, objective: ObjectiveKind) -> Result<Vec<MethodSection>, CliError> {
    let default = [MethodSection::of(matched_metric(objective))];
    let given = if source.file.method.is_empty() { &default[..] } else { &source.file.method[..] };
    let mut sections: Vec<MethodSection> = Vec::new();
    for (i, section) in given.iter().enumerate() {
        if section.face_mean == Some(FaceMeanKind::Midpoint) && !matches!(model, Model::Mixture(_)) {
            let problem = "a stationary density is known in cells only; use \"arithmetic\"";
            return Err(source.error(&format!("method[{i}].face_mean"), problem));
        }
        let base = section.label.clone().unwrap_or_else(|| section.metric.name().to_string());
        let taken = |label: &str| sections.iter().any(|s| s.label.as_deref() == Some(label));
        if section.label.is_some() && taken(&base) {
            return Err(
                source.error(&format!("method[{i}].label"), format!("\"{base}\" is used twice; labels name files"))
            );
        }
        let label = std::iter::once(base.clone())
            .chain((2..).map(|n| format!("{base}-{n}")))
            .find(|l| !taken(l))
            .unwrap_or(base);
        sections.push(MethodSection { label: Some(label), ..section.clone() });
    }
    Ok(sections)
}

fn build_direction(
    section: &MethodSection,
    grid: &Grid,
    plan: &Arc<LaplacianPlan>,
    model: &Arc<Model>,
) -> Box<dyn DirectionSolver<Jacobian> + Send> {
    let Some(metric) = build_metric(section.metric, Some(section), grid, plan, model) else {
        return Box::new(Standard);
    };
    let damping = section.damping.unwrap_or(0.0);
    match section.solver {
        SolverKind::Svd => Box::new(Natural { metric, route: Route::Svd, damping }),
        SolverKind::Lsmr => Box::new(Natural { metric, route: Route::Lsmr, damping }),
        SolverKind::Information => Box::new(Natural { metric, route: Route::Information, damping }),
        _ => match section.solver.estimator() {
            Some(estimator) => Box::new(matrix_free(metric, estimator, section)),
            None => Box::new(Natural { metric, route: Route::Qr, damping }),
        },
    }
}

/// The matrix-free direction rule of a method.
pub fn matrix_free<M>(metric: M, estimator: Estimator, section: &MethodSection) -> MatrixFree<M> {
    let usual = MatrixFree::new(metric);
    MatrixFree {
        estimator,
        damping: section.damping.unwrap_or(usual.damping),
        tolerance: section.tolerance.unwrap_or(usual.tolerance),
        probes: section.probes,
        seed: section.seed.unwrap_or(usual.seed),
        ..usual
    }
}

fn check_method(source: &Source, i: usize, section: &MethodSection) -> Result<(), CliError> {
    let fail = |field: &str, problem: &str| Err(source.error(&format!("method[{i}].{field}"), problem));
    let positive = |v: Option<f64>| v.is_none_or(|v| v.is_finite() && v > 0.0);
    if let Some(label) = &section.label
        && (label.is_empty() || !label.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)))
    {
        return fail("label", "use letters, digits, '-', '_' and '.': it becomes part of file names");
    }
    if !section.damping.is_none_or(|v| v.is_finite() && v >= 0.0) {
        return fail("damping", "a finite number >= 0 is needed");
    }
    if section.solver.estimator().is_none() {
        let stray = [
            ("tolerance", section.tolerance.is_some()),
            ("probes", section.probes.is_some()),
            ("seed", section.seed.is_some()),
        ];
        if let Some((field, _)) = stray.iter().find(|(_, present)| *present) {
            return fail(field, "only the matrix-free solvers use it, solver = \"auto\" among them; see `wngd list`");
        }
    }
    if !section.tolerance.is_none_or(|v| v > 0.0 && v < 1.0) {
        return fail("tolerance", "a number between 0 and 1 is needed, for example 1e-2");
    }
    if section.probes.is_some_and(|m| m == 0 || m > MAX_PROBES) {
        return fail("probes", "between 1 and 100000 are possible");
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
