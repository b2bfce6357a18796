//! `[identify]`: parameters of a dynamical system from a trajectory.

use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;
use wngd::identify::{Event, Identification, IdentifyError, Problem, Settings, identify as find, simulate, time_scale};
use wngd::opt::Status;
use wngd::prelude::Grid;
use wngd_figures::{Convergence, Densities, Figure, ParameterTrace, Series, Spectrum, Stretch, Trajectories};

use crate::checkpoint::{Header, Journal, Work, checksum};
use crate::data::counts;
use crate::error::ExperimentError;
use crate::experiment::{Described, usual_axes};
use crate::facts::{Fact, NAMES, listed};
use crate::models::flow::NamedFlow;
use crate::numbers::finite;
use crate::record::Record;
use crate::results::{IdentifyFile, MethodResult, ResultFile};
use crate::source::Source;
use crate::{files, pictures, report};

/// Label of the one method, in file names too.
const LABEL: &str = "homogeneous-h-1";
/// Its objective.
const OBJECTIVE: &str = "homogeneous-h-1";

/// Time scales of the trajectory drawn on a pair of axes, and against time.
const LONG: f64 = 250.0;
const SHORT: f64 = 80.0;
/// Points closer than this many time scales are joined by lines.
const JOINED: f64 = 0.5;
/// Time scales between drawn points of a simulation.
const FINE: f64 = 0.1;

/// Options of an identification.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct IdentifySection {
    /// simulated trajectories per correction; 0 for none
    pub replicates: usize,
    /// most corrections
    pub corrections: usize,
    /// time between points; the column `t`, or estimated, if absent
    pub dt: Option<f64>,
    /// noise of the data: a share of each coordinate's scatter, or a standard deviation per coordinate
    pub noise: Option<Noise>,
    /// seed of the simulations
    pub seed: u64,
}

impl Default for IdentifySection {
    fn default() -> Self {
        let Settings { replicates, corrections, dt, seed, .. } = Settings::default();
        Self { replicates, corrections, dt, noise: None, seed }
    }
}

/// A share, or standard deviations.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a number or a list of numbers is needed")]
pub enum Noise {
    /// A share of each coordinate's scatter.
    Share(f64),
    /// One standard deviation per coordinate.
    Each(Vec<f64>),
}

/// One identification, read and checked, with its data.
pub struct Job {
    /// Name of the experiment.
    pub name: String,
    problem: Problem,
    points: Vec<f64>,
    grid: Grid,
    settings: Settings,
    /// Names of the axes.
    axes: Vec<String>,
    /// What the model is.
    model: String,
    /// What the data are.
    data: Fact,
}

impl Job {
    /// Reads an experiment with a section `[identify]`, its data included.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(source: &Source) -> Result<Self, ExperimentError> {
        let described = Described::read(source)?;
        let place = source.section("identify")?;
        let section: IdentifySection = place.read()?;
        let (model, model_section) = &described.model;
        let Some(NamedFlow { name: system, field, theta, free }) = model.flow(model_section)? else {
            return Err(source.error("identify", "only a stationary-density can be simulated; remove the section"));
        };
        if model_section.has("perturbation") {
            let problem = "hats cannot be simulated; remove it, or remove [identify]";
            return Err(model_section.error("perturbation", problem));
        }
        for field in ["method", "objective"] {
            if source.has(field) {
                return Err(source.error(field, "identification has its own; remove it, or remove [identify]"));
            }
        }
        let (data, data_section) = &described.data;
        let Some((_, view)) = data.recording(data_section)? else {
            return Err(source.error("data.trajectory", "identification needs a trajectory"));
        };
        let dim = field.dim();
        let noise = match &section.noise {
            None => Vec::new(),
            Some(Noise::Share(share)) => vec![*share],
            Some(Noise::Each(each)) => each.clone(),
        };
        let IdentifySection { replicates, corrections, dt, seed, .. } = section;
        let mut settings = Settings { view, scheme: None, noise, replicates, corrections, dt, seed };
        settings.check(dim).map_err(|error| place.error(error.field(), error.to_string()))?;
        let Some(points) = data.points(data_section, dim)? else {
            return Err(ExperimentError::Internal("a trajectory without points".into()));
        };
        let grid = described.grid.build(&source.section("grid")?, dim, Some(&points.values))?;
        if grid.dim() != dim {
            return Err(source.error("grid.cells", format!("{} axes for the {dim} of {system}", grid.dim())));
        }
        settings.dt = settings.dt.or(points.dt);
        let scale = time_scale(field.as_ref(), &theta, &points.values);
        settings.scheme = model.scheme(model_section, Some(scale))?;
        let axes = columns(data_section)?.filter(|names| names.len() == dim).unwrap_or_else(|| usual_axes(dim));
        Ok(Self {
            name: described.name.clone(),
            problem: Problem::new(field, theta, Some(free))?,
            points: points.values,
            grid,
            settings,
            axes,
            model: model.in_words(),
            data: data.fact(),
        })
    }

    /// What to keep of it, as command `identify`.
    pub fn header(&self, source: &Source, figures: bool) -> Header {
        let mut record = Record::new("identify", figures);
        record.describe(source, &self.model, self.data.clone());
        let dt = self.settings.dt;
        let data = checksum(&[&self.points, dt.as_slice(), self.grid.lower(), self.grid.upper()]);
        Header::new(record, source.folder.as_deref(), data)
    }
}

fn columns(section: &crate::source::Section<'_>) -> Result<Option<Vec<String>>, ExperimentError> {
    #[derive(Deserialize, JsonSchema)]
    struct Columns {
        columns: Option<Vec<String>>,
    }
    Ok(section.filtered(|key| key == "columns").read::<Columns>()?.columns)
}

/// An identification that ended.
pub struct Identified {
    /// What is in `result.json`.
    pub file: IdentifyFile,
    good: bool,
}

impl Identified {
    /// Whether the fit and its corrections ended well.
    pub fn ended_well(&self) -> bool {
        self.good
    }
}

/// Identifies, and writes results, figures and report into a folder; nothing is returned if it was told to stop.
///
/// # Errors
/// What cannot be computed or written.
pub fn identify(
    job: &Job,
    journal: &Journal,
    folder: &Path,
    watch: &mut dyn FnMut(&Event<'_>),
) -> Result<Option<Identified>, ExperimentError> {
    let clock = std::time::Instant::now();
    let work = Work::of(journal)?;
    let found = find(&job.problem, &job.points, job.grid.clone(), &job.settings, &work, watch);
    journal.check()?;
    let found = match found {
        Err(IdentifyError::Stopped) => return Ok(None),
        found => found?,
    };
    let result = summarise(job, &found, clock.elapsed().as_secs_f64());
    let method = &result.methods[0];
    let mut record = journal.record.clone();
    record.grid(found.grid.lower(), found.grid.upper(), found.grid.cells());
    record.model.push(Fact::new("free parameters", listed(&result.names, NAMES)));
    record.seeds.push(Fact::new("simulations", job.settings.seed.to_string()));
    record.write(folder)?;
    files::write_trace(&folder.join(&method.trace), &result.names, &found.fit)?;
    files::write_array(&folder.join(&method.density), found.grid.cells(), &found.fit.state.values)?;
    if record.figures {
        draw(job, &found, folder)?;
    }
    // Last of the numbers, so that its presence says that the rest is there.
    let file = IdentifyFile::of(result, &found);
    files::write_json(&folder.join("result.json"), &file)?;
    report::write(folder)?;
    let improved = found.fit.last().objective < found.fit.trace[0].objective;
    let good = match found.fit.status {
        Status::Converged(_) => true,
        Status::MaxIterations => improved,
        Status::Stalled(_) | Status::StoppedByObserver => false,
    };
    Ok(Some(Identified { file, good: good && found.stalled.is_none() }))
}

fn summarise(job: &Job, found: &Identification, seconds: f64) -> ResultFile {
    let (first, last) = (&found.fit.trace[0], found.fit.last());
    let errors = errors(found);
    let note = match (&found.standard_errors, &errors) {
        (Some(_), _) => "from the scatter of the simulated trajectories",
        (None, Some(_)) => "from the scatter between stretches of the data, without the bias of the discretisation",
        (None, None) => {
            "no standard errors: the corrections did not end well, or the density does not determine every parameter"
        }
    };
    let mut notes = counts(found.points[0], found.points[1]);
    notes.extend(found.notes.iter().cloned());
    ResultFile {
        name: job.name.clone(),
        names: job.problem.names(),
        theta0: job.problem.start(),
        objective: OBJECTIVE.into(),
        truth: None,
        notes,
        best: None,
        methods: vec![MethodResult {
            label: LABEL.into(),
            metric: LABEL.into(),
            status: if found.stalled.is_some() { "stalled" } else { found.fit.status.name() }.into(),
            reason: found.stalled.or(found.fit.status.reason()).map(str::to_string),
            iterations: last.iteration,
            objective0: first.objective,
            objective: finite(last.objective),
            theta: found.theta.clone(),
            standard_errors: errors.map(|errors| errors.into_iter().map(Some).collect()),
            covariance: None,
            goodness_of_fit: None,
            log_likelihood: None,
            aic: None,
            bic: None,
            remarks: Vec::new(),
            standard_errors_note: Some(note.into()),
            error: None,
            rank: last.rank,
            condition: finite(last.condition),
            capped: Some(found.fit.capped()).filter(|steps| *steps > 0),
            solves: last.solves.total(),
            solver_note: None,
            seconds,
            trace: format!("trace-{LABEL}.csv"),
            density: format!("density-{LABEL}.npy"),
        }],
    }
}

/// Standard errors; an estimate whose bias is not known to be gone has none.
fn errors(found: &Identification) -> Option<Vec<f64>> {
    if found.corrections.is_empty() && found.stalled.is_none() {
        return found.raw_standard_errors.clone();
    }
    found.standard_errors.clone()
}

/// The stretch of data that is drawn, and one simulated from its first point.
fn stretches(job: &Job, found: &Identification) -> Result<Trajectories, ExperimentError> {
    let dim = found.grid.dim();
    let shown = [0, dim - 1];
    let pick = |point: &[f64]| shown.map(|axis| point[axis]);
    let (long, short) = (LONG * found.time_scale, SHORT * found.time_scale);
    let count = ((long / found.dt) as usize).clamp(2, job.points.len() / dim);
    let stretch = |points: &[f64], dt: f64| Stretch {
        times: (0..points.len() / dim).map(|i| i as f64 * dt).collect(),
        points: points.chunks_exact(dim).map(pick).collect(),
        joined: dt < JOINED * found.time_scale,
    };
    let fine = found.dt.min(FINE * found.time_scale);
    let start = &job.points[..dim];
    let theta = job.problem.theta_full(&found.theta)?;
    let steps = (count as f64 * found.dt / fine) as usize;
    let mut path = start.to_vec();
    path.extend(simulate(job.problem.field(), &theta, start, fine, steps, 0.0)?);
    Ok(Trajectories {
        names: shown.map(|axis| job.axes[axis].clone()),
        data: stretch(&job.points[..count * dim], found.dt),
        fit: stretch(&path, fine),
        until: short.min(count as f64 * found.dt),
        title: String::new(),
    })
}

fn draw(job: &Job, found: &Identification, folder: &Path) -> Result<(), ExperimentError> {
    let densities = Densities {
        axes: pictures::axes(&found.grid, &job.axes),
        data: found.data.clone(),
        label: LABEL.into(),
        fit: found.fit.state.values.clone(),
        equal_scale: false,
        title: String::new(),
    };
    densities.save(folder)?;
    let convergence = Convergence {
        objective_name: format!("objective ({OBJECTIVE})"),
        series: vec![Series {
            label: LABEL.into(),
            objective: found.fit.trace.iter().map(|row| row.objective).collect(),
            seconds: found.fit.trace.iter().map(|row| row.seconds).collect(),
        }],
        title: String::new(),
    };
    convergence.save(folder)?;
    let trace = ParameterTrace {
        names: job.problem.names(),
        fit: found.fit.trace.iter().map(|row| row.theta.clone()).collect(),
        corrections: found.corrections.iter().map(|c| c.corrected.clone()).collect(),
        errors: errors(found),
        title: String::new(),
    };
    trace.save(folder)?;
    let spectrum = Spectrum {
        names: job.problem.names(),
        values: found.identifiability.eigenvalues.clone(),
        vectors: found.identifiability.eigenvectors.clone(),
        title: String::new(),
    };
    spectrum.save(folder)?;
    // At parameters that cannot be simulated there is nothing to compare.
    if let Ok(stretches) = stretches(job, found) {
        stretches.save(folder)?;
    }
    Ok(())
}
