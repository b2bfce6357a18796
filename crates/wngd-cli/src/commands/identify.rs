//! `wngd identify`

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget};
use serde::Serialize;
use wngd::opt::Iteration;
use wngd::prelude::*;

use super::print;
use super::simulate::{COORDINATES, named};
use crate::args::IdentifyArgs;
use crate::data::{self, Points};
use crate::error::CliError;
use crate::figures::{Axis, Convergence, Densities, Series};
use crate::identify::{Identification, Settings, identify as run};
use crate::output::files::{self, MethodResult, ResultFile, finite};
use crate::output::table;
use crate::{figures, interrupt};

/// Label of the one method, in file names too.
const LABEL: &str = "homogeneous-h-1";
/// Cells per axis by dimension.
const CELLS: [usize; 3] = [256, 64, 24];

/// `result.json`: that of `wngd run` and what only identification knows.
#[derive(Serialize)]
struct IdentifyFile<'a> {
    #[serde(flatten)]
    result: &'a ResultFile,
    identification: &'a Identification,
}

/// Identifies parameters from a trajectory file.
pub fn identify(args: &IdentifyArgs) -> Result<u8, CliError> {
    let clock = Instant::now();
    let system = named(&args.system)?;
    let (dim, p) = (system.field.dim(), system.field.dim_param());
    let names = system.field.parameter_names();
    let start = args.start.clone().unwrap_or_else(|| system.theta.clone());
    if start.len() != p || start.iter().any(|v| !v.is_finite()) {
        let problem = format!("{} takes {p} finite numbers: {}", args.system, names.join(", "));
        return Err(CliError::usage("--start", problem));
    }
    let cells = args.cells.unwrap_or(CELLS[dim - 1]);
    if !(4..=4096).contains(&cells) {
        return Err(CliError::usage("--cells", format!("{cells}: 4 to 4096 cells per axis are possible")));
    }
    if args.replicates == 1 {
        return Err(CliError::usage("--replicates", "one says nothing about noise; give 0 or at least 2"));
    }
    if args.dt.is_some_and(|dt| !(dt > 0.0 && dt.is_finite())) {
        return Err(CliError::usage("--dt", "a positive time is needed"));
    }
    let points = read(args, dim)?;
    files::make_folder(&args.out)?;
    interrupt::install();

    let spinner = ProgressBar::new_spinner();
    let plain = !std::io::stderr().is_terminal();
    if args.quiet || plain {
        spinner.set_draw_target(ProgressDrawTarget::hidden());
    }
    spinner.enable_steady_tick(Duration::from_millis(100));
    let report = |text: &str| {
        spinner.set_message(text.to_string());
        if plain && !args.quiet {
            eprintln!("{:.1} s: {text}", clock.elapsed().as_secs_f64());
        }
    };
    let settings = Settings {
        cells,
        replicates: args.replicates,
        corrections: args.corrections,
        dt: args.dt.or(points.dt),
        seed: args.seed,
    };
    let mut observer = |row: &Iteration| {
        spinner.set_message(format!("fit: iteration {}, f = {:.4e}", row.iteration, row.objective));
        if interrupt::pressed() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let found = run(&system, &points.values, &start, &settings, &report, &mut observer);
    spinner.finish_and_clear();
    let found = found?;

    let result = summarise(args, names, start, &found, clock.elapsed().as_secs_f64());
    let method = &result.methods[0];
    files::write_trace(&args.out.join(&method.trace), &result.names, &found.fit)?;
    files::write_density(&args.out.join(&method.density), found.grid.cells(), &found.fit.state.values)?;
    if !args.no_figures {
        draw(args, &found)?;
    }
    // Last, so that its presence says that the rest is there.
    let file = IdentifyFile { result: &result, identification: &found };
    files::write_json(&args.out.join("result.json"), &file)?;
    if !args.quiet {
        for note in &result.notes {
            print(note)?;
        }
        print(&table::methods(&result))?;
        if let Some(reason) = found.stalled {
            print(&format!("stalled: {reason}"))?;
        }
        print(&format!("results in {}", args.out.display()))?;
    }
    let improved = found.fit.last().objective < found.fit.trace[0].objective;
    let good = match found.fit.status {
        Status::Converged(_) => true,
        Status::MaxIterations => improved,
        Status::Stalled(_) | Status::StoppedByObserver => false,
    };
    Ok(u8::from(!good || found.stalled.is_some() || interrupt::pressed()))
}

/// The points of a CSV or NPY file.
fn read(args: &IdentifyArgs, dim: usize) -> Result<Points, CliError> {
    let path = &args.trajectory;
    let (file, size) = data::open(path)?;
    if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("npy")) {
        if args.columns.is_some() {
            return Err(CliError::usage("--columns", "NPY files have no column names; save the columns needed"));
        }
        let (shape, values) = data::npy_array(path, file, size)?;
        if shape.len() != 2 || shape[1] != dim {
            let problem = format!("shape {shape:?}; points of {} need shape [points, {dim}]", args.system);
            return Err(CliError::Data { path: path.clone(), problem });
        }
        return Ok(Points { values, dt: None });
    }
    data::csv_trajectory(path, std::io::BufReader::with_capacity(1 << 20, file), args.columns.as_deref(), dim)
}

fn summarise(
    args: &IdentifyArgs,
    names: Vec<String>,
    theta0: Vec<f64>,
    found: &Identification,
    seconds: f64,
) -> ResultFile {
    let (first, last) = (&found.fit.trace[0], found.fit.last());
    // An estimate whose bias is not known to be gone has no standard error.
    let raw_errors = found.raw_standard_errors.clone().filter(|_| found.stalled.is_none());
    let errors = found.standard_errors.clone().or(raw_errors);
    let note = match (&found.standard_errors, &errors) {
        (Some(_), _) => "from the scatter of the simulated trajectories",
        (None, Some(_)) => "from the scatter between stretches of the data, without the bias of the discretisation",
        (None, None) => {
            "no standard errors: the corrections did not end, or the density does not determine every parameter"
        }
    };
    let mut notes =
        vec![format!("{} points, {} of them outside the box", found.points[0] + found.points[1], found.points[1])];
    notes.extend(found.notes.iter().cloned());
    ResultFile {
        name: format!("identify-{}", args.system),
        names,
        theta0,
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
            seconds,
            trace: format!("trace-{LABEL}.csv"),
            density: format!("density-{LABEL}.npy"),
        }],
    }
}

fn draw(args: &IdentifyArgs, found: &Identification) -> Result<(), CliError> {
    let grid = &found.grid;
    let axes = (0..grid.dim()).map(|a| Axis {
        name: args.columns.as_ref().map_or(COORDINATES[a].to_string(), |c| c[a].clone()),
        lower: grid.lower()[a],
        upper: grid.upper()[a],
        cells: grid.cells()[a],
    });
    let densities = Densities {
        axes: axes.collect(),
        data: found.data.clone(),
        fits: vec![(LABEL.into(), found.fit.state.values.clone())],
        equal_scale: false,
        title: String::new(),
    };
    figures::densities(&densities, LABEL, &args.out.join(format!("density-{LABEL}")))?;
    let convergence = Convergence {
        objective_name: "objective (h-1)".into(),
        series: vec![Series {
            label: LABEL.into(),
            objective: found.fit.trace.iter().map(|row| row.objective).collect(),
            seconds: found.fit.trace.iter().map(|row| row.seconds).collect(),
        }],
        title: String::new(),
    };
    Ok(figures::convergence(&convergence, &args.out.join("convergence"))?)
}
