//! `wngd run`

use std::io::IsTerminal;
use std::path::Path;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use wngd::opt::{Iteration, Outcome};
use wngd_experiment::checkpoint::{self, Checkpoint, Header, Journal};
use wngd_experiment::numbers::short;
use wngd_experiment::record::Record;
use wngd_experiment::results::ResultFile;
use wngd_experiment::run::{Event, Run, run as carry_out};
use wngd_experiment::source::builtin;
use wngd_experiment::{Experiment, Method};

use crate::args::{KeepArgs, suggesting};
use crate::error::CliError;
use crate::output::{close, print, table, tell};

/// Fit the model by every method of an experiment and write results and figures.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  wngd run mixture-mu1\n  wngd run my.toml --out results/first --quiet\n  wngd run faithful --no-figures"
)]
pub struct RunArgs {
    /// Experiment file, or name of a built-in experiment.
    #[arg(value_parser = suggesting(builtin::names))]
    pub experiment: String,
    /// Overrides a key of the experiment, as stop.iterations=5 or method[0].metric=l2 does.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Folder for results; runs/<name> if absent.
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// Print nothing but errors.
    #[arg(long)]
    pub quiet: bool,
    /// Write no figures.
    #[arg(long)]
    pub no_figures: bool,
    /// What is kept for `wngd resume`.
    #[command(flatten)]
    pub keep: KeepArgs,
}

/// Runs every method and writes results and figures.
pub fn run(args: &RunArgs, resumed: Option<Checkpoint>) -> Result<u8, CliError> {
    let source = checkpoint::source(resumed.as_ref(), &args.experiment, &args.set)?;
    if source.has("identify") {
        let out = args.out.as_deref();
        return super::identify::experiment(&source, out, args.quiet, !args.no_figures, resumed, &args.keep);
    }
    let experiment = Experiment::build(&source)?;
    let folder = args.out.clone().unwrap_or_else(|| Path::new("runs").join(&experiment.name));
    let record = Record::of("run", !args.no_figures, &source, &experiment);
    let header = Header::of(record, &source, &experiment);
    let journal = Journal::begin(header, resumed, &folder, &args.keep.keeping())?;
    if !args.quiet {
        print(&heading(&experiment))?;
    }
    let mut display: Option<Display> = None;
    let mut drawing = None;
    let outcome = carry_out(&experiment, &journal, &folder, &mut |event| match event {
        Event::Begin(method, iterations) => display = Some(Display::new(method, iterations, args.quiet)),
        Event::Iterate(row) => display.iter_mut().for_each(|d| d.show(row)),
        Event::End(_, outcome) => display.take().into_iter().for_each(|d| d.finish(outcome)),
        Event::Drawing => drawing = Some(spinner("drawing figures", args.quiet)),
    });
    drawing.iter().for_each(ProgressBar::finish_and_clear);
    if let (Ok(run), false) = (&outcome, args.quiet) {
        conclude(run, &folder)?;
    }
    close(journal.end(outcome), |run| u8::from(!run.ended_well()))
}

fn heading(experiment: &Experiment) -> String {
    let cells: Vec<String> = experiment.shape().iter().map(usize::to_string).collect();
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

fn conclude(run: &Run, folder: &Path) -> Result<(), CliError> {
    let result = &run.result;
    print(&table::run(result))?;
    for line in remarks(result) {
        print(&line)?;
    }
    print(&format!("results in {}", folder.display()))
}

fn remarks(result: &ResultFile) -> Vec<String> {
    let mut lines = Vec::new();
    let best = result.best().map(|best| &best.label);
    let (first, others): (Vec<_>, Vec<_>) = result.methods.iter().partition(|m| Some(&m.label) == best);
    for method in first.into_iter().chain(others) {
        let label = &method.label;
        // What is said of the best fit stands above.
        let told = Some(label) == best;
        let above = |remark: &&String| told && remark.starts_with("the model does not describe the data");
        lines.extend(method.remarks.iter().filter(|r| !above(r)).map(|remark| format!("{label}: {remark}")));
        lines.extend(method.goodness_of_fit.as_ref().filter(|test| !told && test.p_value >= 1e-3).map(|test| {
            format!(
                "{label}: goodness of fit χ² = {} on {} degrees of freedom, p = {}",
                short(test.statistic),
                test.degrees_of_freedom,
                short(test.p_value)
            )
        }));
        lines.extend(method.solver_note.as_ref().map(|note| format!("{label}, last direction by {note}")));
        if method.rank < result.names.len() {
            lines.push(format!(
                "{label}: the last direction has rank {} of {}; some combination of parameters does not change the density",
                method.rank,
                result.names.len()
            ));
        }
        lines.extend(method.capped.map(|steps| {
            format!(
                "{label}: {steps} of {} steps were cut to the length that the metric's picture reaches",
                method.iterations
            )
        }));
        let reason = method.reason.as_ref().filter(|_| method.status == "stalled");
        lines.extend(reason.map(|reason| format!("{label} stalled: {reason}")));
    }
    lines
}

fn spinner(message: &'static str, quiet: bool) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(message);
    if quiet || !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    } else {
        bar.enable_steady_tick(Duration::from_millis(100));
    }
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
    fn new(method: &Method, iterations: usize, quiet: bool) -> Self {
        let bar = ProgressBar::new(iterations as u64);
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
            tell(&format!("{}: iteration {}, f = {:.4e}", self.label, row.iteration, row.objective));
        }
    }

    fn finish(&self, outcome: Option<&Outcome>) {
        self.bar.finish_and_clear();
        if let (true, Some(outcome)) = (self.plain, outcome) {
            let last = outcome.last();
            tell(&format!(
                "{}: {} after {} iterations, f = {:.4e}",
                self.label,
                outcome.status.name(),
                last.iteration,
                last.objective
            ));
        }
    }
}
