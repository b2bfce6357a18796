//! The estimator `density`: a fit of the stationary density on a grid, its bias taken out by simulations.

use std::path::Path;

use wngd::identify::{Event, Identification, IdentifyError, Problem, Settings, identify as find, simulate};
use wngd::opt::Status;
use wngd::prelude::Grid;
use wngd_figures::{Convergence, Densities, Figure, ParameterTrace, Series, Spectrum, Stretch, Trajectories};

use crate::checkpoint::{Journal, Work};
use crate::data::counts;
use crate::data::formats::write_array;
use crate::error::ExperimentError;
use crate::facts::{Fact, NAMES, listed};
use crate::numbers::finite;
use crate::results::{IdentifyFile, MethodResult, ResultFile};
use crate::{files, pictures};

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

/// A fit on a grid, checked.
pub(super) struct DensityJob {
    pub(super) problem: Problem,
    pub(super) points: Vec<f64>,
    pub(super) grid: Grid,
    pub(super) settings: Settings,
    /// Names of the axes.
    pub(super) axes: Vec<String>,
}

/// Fits, and writes trace, density and figures into a folder; the file of results and whether all ended well, or nothing
/// if it was told to stop.
pub(super) fn fit(
    name: &str,
    job: &DensityJob,
    journal: &Journal,
    folder: &Path,
    watch: &mut dyn FnMut(&Event<'_>),
) -> Result<Option<(IdentifyFile, bool)>, ExperimentError> {
    let clock = std::time::Instant::now();
    let work = Work::of(journal)?;
    let found = find(&job.problem, &job.points, job.grid.clone(), &job.settings, &work, watch);
    journal.check()?;
    let found = match found {
        Err(IdentifyError::Stopped) => return Ok(None),
        found => found?,
    };
    let result = summarise(name, job, &found, clock.elapsed().as_secs_f64());
    let method = &result.methods[0];
    let mut record = journal.record.clone();
    record.grid(found.grid.lower(), found.grid.upper(), found.grid.cells());
    record.model.push(Fact::new("free parameters", listed(&result.names, NAMES)));
    record.seeds.push(Fact::new("simulations", job.settings.seed.to_string()));
    record.write(folder)?;
    files::write_trace(&folder.join(&method.trace), &result.names, &found.fit)?;
    if let Some(density) = &method.density {
        write_array(&folder.join(density), found.grid.cells(), &found.fit.state.values)?;
    }
    if record.figures {
        draw(job, &found, folder)?;
    }
    let improved = found.fit.last().objective < found.fit.trace[0].objective;
    let good = match found.fit.status {
        Status::Converged(_) => true,
        Status::MaxIterations => improved,
        Status::Stalled(_) | Status::StoppedByObserver => false,
    };
    Ok(Some((IdentifyFile::of(result, &found), good && found.stalled.is_none())))
}

fn summarise(name: &str, job: &DensityJob, found: &Identification, seconds: f64) -> ResultFile {
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
        columns: None,
        name: name.to_string(),
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
            density: Some(format!("density-{LABEL}.npy")),
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
fn stretches(job: &DensityJob, found: &Identification) -> Result<Trajectories, ExperimentError> {
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

fn draw(job: &DensityJob, found: &Identification, folder: &Path) -> Result<(), ExperimentError> {
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
            work: found.fit.trace.iter().map(|row| row.solves.total() as f64).collect(),
        }],
        work_name: pictures::SOLVES.into(),
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
