//! `wngd identify`, and `wngd run` for experiments with an `[identify]` section.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget};
use wngd::identify::{
    Event, Identification, IdentifyError, Problem, Settings, View, identify as find, simulate, time_scale,
};
use wngd::models::box_of;
use wngd::prelude::*;

use super::print;
use super::simulate::named;
use crate::args::{IdentifyArgs, KeepArgs, RunArgs};
use crate::checkpoint::{Checkpoint, Header, Journal, Work, checksum};
use crate::config::Source;
use crate::config::schema::{ModelKind, OneOrMany};
use crate::error::CliError;
use crate::experiment::{self, CELLS, MARGIN, NamedFlow, counts};
use crate::figures;
use crate::figures::{Convergence, Densities, ParameterTrace, Series, Spectrum, Stretch, Trajectories};
use crate::output::files::{self, MethodResult, ResultFile, finite};
use crate::output::identification::IdentifyFile;
use crate::output::{pictures, table};
use crate::record::{Fact, Kind, NAMES, Record, listed};
use crate::report;
use crate::trajectory::Recording;

/// Label of the one method, in file names too.
const LABEL: &str = "homogeneous-h-1";

/// Time scales of the trajectory drawn on a pair of axes, and against time.
const LONG: f64 = 250.0;
const SHORT: f64 = 80.0;
/// Points closer than this many time scales are joined by lines.
const JOINED: f64 = 0.5;
/// Time scales between drawn points of a simulation.
const FINE: f64 = 0.1;

/// One identification, wherever it was asked for.
struct Job {
    name: String,
    problem: Problem,
    points: Vec<f64>,
    grid: Grid,
    settings: Settings,
    /// Names of the axes.
    axes: Vec<String>,
    out: PathBuf,
    quiet: bool,
}

/// Identifies parameters from a trajectory file.
pub fn identify(args: &IdentifyArgs, resumed: Option<Checkpoint>) -> Result<u8, CliError> {
    let usage = |option: &str, problem: String| CliError::usage(format!("--{option}"), problem);
    let system = named(&args.system)?;
    let (dim, p) = (system.field.dim(), system.field.dim_param());
    let names = system.field.parameter_names();
    let theta = args.start.clone().unwrap_or(system.theta);
    if theta.len() != p || theta.iter().any(|v| !v.is_finite()) {
        return Err(usage("start", format!("{} takes {p} finite numbers: {}", args.system, names.join(", "))));
    }
    let free = match &args.free {
        None => (0..p).collect(),
        Some(chosen) => experiment::free_indices(chosen, &names).map_err(|problem| usage("free", problem))?,
    };
    let cells = match args.cells.as_deref() {
        None => vec![CELLS[dim - 1]; dim],
        Some([n]) => vec![*n; dim],
        Some(each) => each.to_vec(),
    };
    if cells.len() != dim || cells.iter().any(|n| !(4..=4096).contains(n)) {
        return Err(usage("cells", format!("one number or {dim} are needed, 4 to 4096 cells per axis")));
    }
    if args.stride == 0 {
        return Err(usage("stride", "0 takes no points; give 1 to take all of them".into()));
    }
    if !(args.smoothing >= 0.0 && args.smoothing.is_finite()) {
        return Err(usage("smoothing", "a finite number of cells >= 0 is needed".into()));
    }
    let mut settings = Settings {
        view: View { binning: args.binning.into(), smoothing: args.smoothing },
        scheme: None,
        noise: args.noise.clone().unwrap_or_default(),
        replicates: args.replicates,
        corrections: args.corrections,
        dt: args.dt,
        seed: args.seed,
    };
    check(&settings, dim, &usage)?;
    let recording = Recording {
        paths: args.trajectory.clone(),
        columns: args.columns.clone(),
        burn_in: args.burn_in,
        stride: args.stride,
    };
    let points = recording.read(dim)?;
    settings.dt = settings.dt.or(points.dt);
    let (lower, upper) = box_of(&points.values, dim, MARGIN)?;
    let mut record = Record::new(Kind::Identify, !args.no_figures);
    record.model.push(Fact::new("model", format!("stationary density of {}", args.system)));
    let files: Vec<String> = args.trajectory.iter().map(|path| path.display().to_string()).collect();
    record.data.push(Fact::new("trajectory", files.join(", ")));
    let job = Job {
        name: format!("identify-{}", args.system),
        problem: Problem::new(system.field, theta, Some(free))?,
        grid: Grid::new(&lower, &upper, &cells)?,
        points: points.values,
        settings,
        axes: args.columns.clone().unwrap_or_else(|| usual_axes(dim)),
        out: args.out.clone(),
        quiet: args.quiet,
    };
    begin(job, record, Some(Path::new("")), resumed, &args.keep)
}

/// Carries out an experiment file with an `[identify]` section.
pub fn experiment(source: &Source, args: &RunArgs, resumed: Option<Checkpoint>) -> Result<u8, CliError> {
    let file = &source.file;
    let Some(section) = &file.identify else {
        return Err(CliError::Internal("an experiment without an identify section came to be identified".into()));
    };
    if file.model.kind != ModelKind::StationaryDensity {
        return Err(source.error("identify", "only a stationary-density can be simulated; remove the section"));
    }
    for (field, present) in [("method", !file.method.is_empty()), ("objective.kind", file.objective.kind.is_some())] {
        if present {
            return Err(source.error(field, "identification has its own; remove it, or remove [identify]"));
        }
    }
    let Some((recording, view)) = experiment::trajectory(source)? else {
        return Err(source.error("data.trajectory", "identification needs a trajectory"));
    };
    let NamedFlow { field, theta, free, .. } = experiment::named_flow(source)?;
    let dim = field.dim();
    let mut settings = Settings {
        view,
        scheme: None,
        noise: match &section.noise {
            None => Vec::new(),
            Some(OneOrMany::One(share)) => vec![*share],
            Some(OneOrMany::Many(each)) => each.clone(),
        },
        replicates: section.replicates,
        corrections: section.corrections,
        dt: section.dt,
        seed: section.seed,
    };
    check(&settings, dim, &|field, problem| source.error(&format!("identify.{field}"), problem))?;
    let points = recording.read(dim).map_err(|error| source.about("data.trajectory", error))?;
    let grid = experiment::build_grid(source, Some(&points.values))?;
    if grid.dim() != dim {
        return Err(source.error("grid", format!("{} axes for the {dim} of {}", grid.dim(), field.name())));
    }
    settings.dt = settings.dt.or(points.dt);
    let scale = time_scale(field.as_ref(), &theta, &points.values);
    settings.scheme = Some(experiment::discretisation(source, Some(scale))?);
    let mut record = Record::new(Kind::Identify, !args.no_figures);
    record.describe(source);
    let job = Job {
        name: experiment::checked_name(source)?,
        problem: Problem::new(field, theta, Some(free))?,
        points: points.values,
        grid,
        settings,
        axes: file.data.columns.clone().unwrap_or_else(|| usual_axes(dim)),
        out: args.out.clone().unwrap_or_else(|| Path::new("runs").join(&file.name)),
        quiet: args.quiet,
    };
    begin(job, record, source.folder.as_deref(), resumed, &args.keep)
}

/// Refuses settings that cannot work; `refuse` knows what the fields are called where they were given.
fn check(settings: &Settings, dim: usize, refuse: &dyn Fn(&str, String) -> CliError) -> Result<(), CliError> {
    settings.check(dim).map_err(|error| refuse(error.field(), error.to_string()))
}

fn usual_axes(dim: usize) -> Vec<String> {
    super::simulate::COORDINATES[..dim].iter().map(|s| s.to_string()).collect()
}

/// Begins a job, or goes on with it; relative paths refer to `folder`.
fn begin(
    job: Job,
    record: Record,
    folder: Option<&Path>,
    resumed: Option<Checkpoint>,
    keep: &KeepArgs,
) -> Result<u8, CliError> {
    let data = checksum(&[&job.points, job.settings.dt.as_slice(), job.grid.lower(), job.grid.upper()]);
    let journal = Journal::begin(Header::new(record, folder, data), resumed, &job.out, keep)?;
    let code = carry_out(&job, &journal);
    journal.end(code)
}

fn carry_out(job: &Job, journal: &Journal) -> Result<u8, CliError> {
    let clock = Instant::now();
    let spinner = ProgressBar::new_spinner();
    let plain = !std::io::stderr().is_terminal();
    if job.quiet || plain {
        spinner.set_draw_target(ProgressDrawTarget::hidden());
    }
    spinner.enable_steady_tick(Duration::from_millis(100));
    let mut watch = |event: &Event<'_>| {
        spinner.set_message(event.to_string());
        if plain && !job.quiet && !matches!(event, Event::Iterate(_)) {
            eprintln!("{:.1} s: {event}", clock.elapsed().as_secs_f64());
        }
    };
    let work = Work::of(journal)?;
    let found = find(&job.problem, &job.points, job.grid.clone(), &job.settings, &work, &mut watch);
    spinner.finish_and_clear();
    journal.check()?;
    let found = match found {
        Err(IdentifyError::Stopped) => return Ok(1),
        found => found?,
    };

    let result = summarise(job, &found, clock.elapsed().as_secs_f64());
    let method = &result.methods[0];
    let mut record = journal.record.clone();
    record.grid(found.grid.lower(), found.grid.upper(), found.grid.cells());
    record.model.push(Fact::new("free parameters", listed(&result.names, NAMES)));
    record.seeds.push(Fact::new("simulations", job.settings.seed.to_string()));
    record.write(&job.out)?;
    files::write_trace(&job.out.join(&method.trace), &result.names, &found.fit)?;
    files::write_density(&job.out.join(&method.density), found.grid.cells(), &found.fit.state.values)?;
    if record.figures {
        draw(job, &found)?;
    }
    // Last, so that its presence says that the rest is there.
    let file = IdentifyFile::of(&result, &found);
    files::write_json(&job.out.join("result.json"), &file)?;
    report::write(&job.out)?;
    if !job.quiet {
        for note in &result.notes {
            print(note)?;
        }
        print(&table::methods(&result))?;
        print(&table::identifiability(&result.names, &found.identifiability))?;
        if let Some(reason) = found.stalled {
            print(&format!("stalled: {reason}"))?;
        }
        print(&format!("results in {}", job.out.display()))?;
    }
    let improved = found.fit.last().objective < found.fit.trace[0].objective;
    let good = match found.fit.status {
        Status::Converged(_) => true,
        Status::MaxIterations => improved,
        Status::Stalled(_) | Status::StoppedByObserver => false,
    };
    Ok(u8::from(!good || found.stalled.is_some()))
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
        objective: "h-1".into(),
        truth: None,
        notes,
        methods: vec![MethodResult {
            label: LABEL.into(),
            metric: LABEL.into(),
            status: if found.stalled.is_some() { "stalled" } else { found.fit.status.name() }.into(),
            reason: found.stalled.or(found.fit.status.reason()).map(str::to_string),
            iterations: last.iteration,
            objective0: first.objective,
            objective: finite(last.objective),
            theta: found.theta.clone(),
            standard_errors: errors,
            standard_errors_note: Some(note.into()),
            error: None,
            rank: last.rank,
            condition: finite(last.condition),
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
fn stretches(job: &Job, found: &Identification) -> Result<Trajectories, CliError> {
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

fn draw(job: &Job, found: &Identification) -> Result<(), CliError> {
    let at = |name: &str| job.out.join(name);
    let densities = Densities {
        axes: pictures::axes(&found.grid, &job.axes),
        data: found.data.clone(),
        fits: vec![(LABEL.into(), found.fit.state.values.clone())],
        equal_scale: false,
        title: String::new(),
    };
    figures::densities(&densities, LABEL, &at(&format!("density-{LABEL}")))?;
    let convergence = Convergence {
        objective_name: "objective (h-1)".into(),
        series: vec![Series {
            label: LABEL.into(),
            objective: found.fit.trace.iter().map(|row| row.objective).collect(),
            seconds: found.fit.trace.iter().map(|row| row.seconds).collect(),
        }],
        title: String::new(),
    };
    figures::convergence(&convergence, &at("convergence"))?;
    let trace = ParameterTrace {
        names: job.problem.names(),
        fit: found.fit.trace.iter().map(|row| row.theta.clone()).collect(),
        corrections: found.corrections.iter().map(|c| c.corrected.clone()).collect(),
        errors: errors(found),
        title: String::new(),
    };
    figures::parameter_trace(&trace, &at("parameters"))?;
    let spectrum = Spectrum {
        names: job.problem.names(),
        values: found.identifiability.eigenvalues.clone(),
        vectors: found.identifiability.eigenvectors.clone(),
        title: String::new(),
    };
    figures::identifiability(&spectrum, &at("identifiability"))?;
    // At parameters that cannot be simulated there is nothing to compare.
    if let Ok(stretches) = stretches(job, found) {
        figures::trajectories(&stretches, &at("trajectories"))?;
    }
    Ok(())
}
