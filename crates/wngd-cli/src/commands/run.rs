//! `wngd run`

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use wngd::opt::{Iteration, Outcome, sampling_covariance, standard_errors};
use wngd::prelude::*;

use super::print;
use crate::args::RunArgs;
use crate::checkpoint::{self, Checkpoint, Header, Journal, Work};
use crate::error::CliError;
use crate::experiment::{Experiment, Method, Noise};
use crate::output::files::{self, MethodResult, ResultFile, finite};
use crate::output::{pictures, table};
use crate::record::{Kind, Record};
use crate::report;

/// First iterations whose local quadratic models are drawn.
const MODELS: usize = 3;

/// Runs every method and writes results and figures.
pub fn run(args: &RunArgs, resumed: Option<Checkpoint>) -> Result<u8, CliError> {
    let source = checkpoint::source(resumed.as_ref(), &args.experiment)?;
    if source.file.identify.is_some() {
        return super::identify::experiment(&source, args, resumed);
    }
    let experiment = Experiment::build(&source)?;
    let folder = args.out.clone().unwrap_or_else(|| Path::new("runs").join(&experiment.name));
    let record = Record::of(Kind::Run, !args.no_figures, &source, &experiment);
    let journal = Journal::begin(Header::of(record, &source, &experiment), resumed, &folder, &args.keep)?;
    let code = carry_out(&experiment, &journal, &folder, args.quiet);
    journal.end(code)
}

fn carry_out(experiment: &Experiment, journal: &Journal, folder: &Path, quiet: bool) -> Result<u8, CliError> {
    journal.record.write(folder)?;
    if !quiet {
        print(&heading(experiment))?;
    }
    let work = Work::of(journal)?;
    let mut outcomes = Vec::new();
    for (index, method) in experiment.methods.iter().enumerate() {
        let mut display = Display::new(method, quiet);
        let (descent, mut rule) = (experiment.descent(method, MODELS), method.step_rule());
        let outcome = descent
            .run_or_resume(index, &experiment.theta0, rule.as_mut(), &work, &mut |row| display.show(row))
            .map_err(|source| CliError::Descent { label: method.label.clone(), source });
        display.finish(&outcome);
        journal.check()?;
        outcomes.push(outcome?);
        if journal.stopped() {
            break;
        }
    }

    let result = summarise(experiment, &outcomes);
    write(experiment, &result, &outcomes, folder)?;
    if journal.record.figures {
        let spinner = spinner("drawing figures", quiet);
        let drawn = pictures::of_run(experiment, &result, &outcomes, folder);
        spinner.finish_and_clear();
        drawn?;
    }
    report::write(folder)?;
    if !quiet {
        print(&table::methods(&result))?;
        for method in &result.methods {
            if let Some(note) = &method.standard_errors_note {
                print(&format!("{}: {note}", method.label))?;
            }
            if let Some(note) = &method.solver_note {
                print(&format!("{}, last direction by {note}", method.label))?;
            }
            if method.rank < result.names.len() {
                print(&format!(
                    "{}: the last direction has rank {} of {}; some combination of parameters does not change the density",
                    method.label,
                    method.rank,
                    result.names.len()
                ))?;
            }
            if let Some(reason) = method.reason.as_ref().filter(|_| method.status == "stalled") {
                print(&format!("{} stalled: {reason}", method.label))?;
            }
        }
        print(&format!("results in {}", folder.display()))?;
    }
    Ok(exit_code(&outcomes, experiment))
}

fn heading(experiment: &Experiment) -> String {
    let grid = &experiment.grid;
    let cells: Vec<String> = grid.cells().iter().map(usize::to_string).collect();
    let mut text = format!(
        "{}: {} free parameter{}, {} cells, objective {}",
        experiment.name,
        experiment.theta0.len(),
        if experiment.theta0.len() == 1 { "" } else { "s" },
        cells.join(" x "),
        experiment.objective.name()
    );
    for note in &experiment.data.notes {
        text.push_str(&format!("\n  {note}"));
    }
    text
}

/// 0 if every method converged or used up its iterations with a lower objective, else 1.
fn exit_code(outcomes: &[Outcome], experiment: &Experiment) -> u8 {
    let improved = |o: &Outcome| o.last().objective < o.trace[0].objective;
    let good = |o: &Outcome| match o.status {
        Status::Converged(_) => true,
        Status::MaxIterations => improved(o),
        Status::Stalled(_) | Status::StoppedByObserver => false,
    };
    u8::from(!(outcomes.len() == experiment.methods.len() && outcomes.iter().all(good)))
}

fn summarise(experiment: &Experiment, outcomes: &[Outcome]) -> ResultFile {
    let methods = experiment.methods.iter().zip(outcomes).map(|(method, outcome)| {
        let last = outcome.last();
        let (errors, note) = match errors(experiment, &last.theta) {
            Ok(errors) => (errors, None),
            Err(error) => (None, Some(format!("no standard errors: {error}"))),
        };
        let error = experiment
            .data
            .truth
            .as_ref()
            .map(|truth| truth.iter().zip(&last.theta).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt());
        MethodResult {
            label: method.label.clone(),
            metric: method.metric.name().to_string(),
            status: outcome.status.name().to_string(),
            reason: outcome.status.reason().map(str::to_string),
            iterations: last.iteration,
            objective0: outcome.trace[0].objective,
            objective: finite(last.objective),
            theta: last.theta.clone(),
            standard_errors: errors,
            standard_errors_note: note,
            error,
            rank: last.rank,
            condition: finite(last.condition),
            solves: last.solves.total(),
            solver_note: last.estimate.as_ref().map(wngd::opt::EstimateReport::summary),
            seconds: last.seconds,
            trace: format!("trace-{}.csv", method.label),
            density: format!("density-{}.npy", method.label),
        }
    });
    ResultFile {
        name: experiment.name.clone(),
        names: experiment.model.parameter_names(),
        theta0: experiment.theta0.clone(),
        objective: experiment.objective.name().to_string(),
        truth: experiment.data.truth.clone(),
        notes: experiment.data.notes.clone(),
        methods: methods.collect(),
    }
}

/// Standard errors where the data tell their noise.
fn errors(experiment: &Experiment, theta: &[f64]) -> Result<Option<Vec<f64>>, CliError> {
    let (model, objective) = (experiment.model.as_ref(), experiment.objective.as_ref());
    Ok(match &experiment.data.noise {
        Noise::Unknown => None,
        Noise::Independent(samples) => Some(standard_errors(&sampling_covariance(model, objective, theta, *samples)?)),
        Noise::Trajectory { points, view } => {
            Some(view.standard_errors_at(&experiment.grid, points, model, objective, theta)?)
        }
    })
}

fn write(experiment: &Experiment, result: &ResultFile, outcomes: &[Outcome], folder: &Path) -> Result<(), CliError> {
    for (method, outcome) in result.methods.iter().zip(outcomes) {
        files::write_trace(&folder.join(&method.trace), &result.names, outcome)?;
        let path: PathBuf = folder.join(&method.density);
        files::write_density(&path, experiment.grid.cells(), &outcome.state.values)?;
    }
    // Last, so that its presence says that the rest is there.
    files::write_json(&folder.join("result.json"), result)
}

fn spinner(message: &'static str, quiet: bool) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(message);
    if quiet || !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// Live progress on a terminal, plain lines otherwise.
struct Display {
    label: String,
    bar: ProgressBar,
    plain: bool,
    last: Instant,
}

impl Display {
    fn new(method: &Method, quiet: bool) -> Self {
        let bar = ProgressBar::new(method.iterations as u64);
        let terminal = std::io::stderr().is_terminal();
        if quiet || !terminal {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        if let Ok(style) = ProgressStyle::with_template("{prefix:<18} {bar:20} {pos:>5}/{len} {msg}") {
            bar.set_style(style);
        }
        bar.set_prefix(method.label.clone());
        Self { label: method.label.clone(), bar, plain: !quiet && !terminal, last: Instant::now() }
    }

    fn show(&mut self, row: &Iteration) {
        self.bar.set_position(row.iteration as u64);
        self.bar.set_message(format!("f = {:.4e}", row.objective));
        if self.plain && self.last.elapsed() > Duration::from_secs(5) {
            self.last = Instant::now();
            eprintln!("{}: iteration {}, f = {:.4e}", self.label, row.iteration, row.objective);
        }
    }

    fn finish(&self, outcome: &Result<Outcome, CliError>) {
        self.bar.finish_and_clear();
        if let (true, Ok(outcome)) = (self.plain, outcome) {
            let last = outcome.last();
            eprintln!(
                "{}: {} after {} iterations, f = {:.4e}",
                self.label,
                outcome.status.name(),
                last.iteration,
                last.objective
            );
        }
    }
}
