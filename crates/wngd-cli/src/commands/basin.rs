//! `wngd basin`

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use wngd::opt::Iteration;
use wngd::opt::basin::{Minimum, group_ends, lattice};
use wngd::prelude::*;

use super::print;
use crate::args::BasinArgs;
use crate::checkpoint::{self, Bits, Checkpoint, Header, Journal, Unit};
use crate::config::Source;
use crate::error::CliError;
use crate::experiment::{Experiment, Method};
use crate::output::files::{self, finite};
use crate::output::pictures;
use crate::output::screen;
use crate::output::table::short;
use crate::record::{Kind, Record};
use crate::report;
use crate::window::Window;

/// Most starts of one map.
const MAX_STARTS: usize = 100_000;
/// Ends this close, relative to the lattice's extent (or the spread of the ends), are one minimum.
const SAME: f64 = 1e-2;

/// Relative step at which a descent counts as arrived.
const SETTLED_STEP: f64 = 1e-6;

/// `basin.json`.
#[derive(Debug, Serialize)]
pub struct BasinFile {
    name: String,
    /// Names of the free parameters.
    pub names: Vec<String>,
    /// Names of the varied ones.
    pub parameters: Vec<String>,
    /// Positions of the varied ones among the free.
    #[serde(skip)]
    pub varied: Vec<usize>,
    /// Full start points.
    pub starts: Vec<Vec<f64>>,
    /// Minima found by any method, best first.
    pub minima: Vec<MinimumEntry>,
    /// One entry per method.
    pub methods: Vec<BasinMethod>,
}

/// One minimum of `basin.json`.
#[derive(Debug, Serialize)]
pub struct MinimumEntry {
    /// Parameters.
    pub theta: Vec<f64>,
    objective: f64,
    count: usize,
}

/// One method of `basin.json`.
#[derive(Debug, Serialize)]
pub struct BasinMethod {
    /// Label.
    pub label: String,
    metric: String,
    /// Share of the starts that end at the best minimum.
    pub fraction_best: f64,
    /// Minimum reached from each start; null if none.
    pub minimum: Vec<Option<usize>>,
    ends: Vec<Option<Vec<f64>>>,
    objectives: Vec<Option<f64>>,
    iterations: Vec<usize>,
    statuses: Vec<String>,
}

/// How a descent ended.
#[derive(Serialize, Deserialize)]
struct End {
    method: usize,
    start: usize,
    theta: Option<Vec<Bits>>,
    objective: Bits,
    iterations: usize,
    status: String,
    settled: bool,
}

impl Unit for End {
    const KIND: &'static str = "descent";
}

/// Descends from a lattice of starts with every method.
pub fn basin(args: &BasinArgs, resumed: Option<Checkpoint>) -> Result<u8, CliError> {
    let source = checkpoint::source(resumed.as_ref(), &args.experiment)?;
    let experiment = Experiment::build(&source)?;
    let plan = Lattice::new(args, &source, &experiment)?;
    let folder = args.out.clone().unwrap_or_else(|| Path::new("runs").join(format!("{}-basin", experiment.name)));
    let record = Record::of(Kind::Basin, true, &source, &experiment);
    let journal = Journal::begin(Header::of(record, &source, &experiment), resumed, &folder, &args.keep)?;
    let code = carry_out(&experiment, plan, &journal, &folder, args.quiet);
    journal.end(code)
}

fn carry_out(
    experiment: &Experiment,
    plan: Lattice,
    journal: &Journal,
    folder: &Path,
    quiet: bool,
) -> Result<u8, CliError> {
    journal.record.write(folder)?;
    let bar = ProgressBar::new((plan.starts.len() * experiment.methods.len()) as u64);
    if quiet || !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} descents, {eta} left") {
        bar.set_style(style);
    }
    let mut ends: BTreeMap<(usize, usize), End> =
        journal.kept()?.into_iter().map(|end: End| ((end.method, end.start), end)).collect();
    bar.set_position(ends.len() as u64);
    for (m, method) in experiment.methods.iter().enumerate() {
        let left: Vec<usize> = (0..plan.starts.len()).filter(|start| !ends.contains_key(&(m, *start))).collect();
        let found: Vec<Option<End>> = left
            .into_par_iter()
            .map(|start| {
                let end = descend(experiment, (m, method), (start, &plan.starts[start]), journal)?;
                journal.append(&end);
                bar.inc(1);
                Some(end)
            })
            .collect();
        ends.extend(found.into_iter().flatten().map(|end| ((m, end.start), end)));
    }
    bar.finish_and_clear();
    journal.check()?;
    if ends.len() < plan.starts.len() * experiment.methods.len() {
        return Ok(1);
    }

    let file = classify(experiment, plan, ends.into_values().collect());
    files::write_json(&folder.join("basin.json"), &file)?;
    pictures::of_basins(&file, folder)?;
    report::write(folder)?;
    if !quiet {
        print(&summary(&file))?;
        print(&format!("results in {}", folder.display()))?;
    }
    Ok(0)
}

/// The starts: a lattice over one or two free parameters, the others at the experiment's start.
struct Lattice {
    varied: Vec<usize>,
    names: Vec<String>,
    starts: Vec<Vec<f64>>,
    extent: Vec<f64>,
}

impl Lattice {
    fn new(args: &BasinArgs, source: &Source, experiment: &Experiment) -> Result<Self, CliError> {
        let section = source.file.basin.as_ref();
        let Window { varied, names, lower, upper } =
            Window::new(source, experiment, args.lower.as_deref(), args.upper.as_deref())?;
        let counts = args.counts.as_ref().or(section.map(|s| &s.counts)).cloned();
        let counts = counts.unwrap_or_else(|| vec![21; varied.len()]);
        if counts.len() != varied.len() {
            let problem = format!("{} values for the {} parameters {}", counts.len(), varied.len(), names.join(", "));
            return Err(CliError::usage("--counts", problem));
        }
        let total = counts.iter().try_fold(1usize, |t, &n| t.checked_mul(n)).unwrap_or(usize::MAX);
        if total == 0 || total > MAX_STARTS {
            return Err(CliError::usage(
                "--counts",
                format!("{total} starts; between 1 and {MAX_STARTS} are possible"),
            ));
        }
        let extent = (0..experiment.theta0.len())
            .map(|i| match varied.iter().position(|&v| v == i) {
                Some(axis) => upper[axis] - lower[axis],
                None => experiment.theta0[i].abs().max(1.0),
            })
            .collect();
        let starts = lattice(&lower, &upper, &counts)
            .into_iter()
            .map(|point| {
                let mut theta = experiment.theta0.clone();
                varied.iter().zip(point).for_each(|(&i, v)| theta[i] = v);
                theta
            })
            .collect();
        Ok(Self { varied, names, starts, extent })
    }
}

/// One descent; none if it was told to stop.
fn descend(
    experiment: &Experiment,
    (method, by): (usize, &Method),
    (start, from): (usize, &[f64]),
    journal: &Journal,
) -> Option<End> {
    if journal.stopped() {
        return None;
    }
    let mut observer =
        |_: &Iteration| if journal.stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    let mut descent = experiment.descent(by, 0);
    // Enough to tell minima apart; the last digits would take most of the time.
    descent.stop.relative_step = descent.stop.relative_step.max(SETTLED_STEP);
    match descent.run_with(from, by.step_rule().as_mut(), &mut observer) {
        Ok(outcome) if outcome.status == Status::StoppedByObserver => None,
        Ok(outcome) => {
            let (first, last) = (&outcome.trace[0], outcome.last());
            // At its iteration limit a descent counts once its gradient has almost died.
            let settled = match outcome.status {
                Status::Converged(_) => true,
                // A search that failed, or a gradient that vanished on a plateau above the start, found no minimum.
                Status::Stalled(_) => false,
                _ => last.gradient_norm <= 1e-6 * first.gradient_norm,
            };
            Some(End {
                method,
                start,
                theta: Some(Bits::of(&last.theta)),
                objective: Bits(last.objective),
                iterations: last.iteration,
                status: outcome.status.name().to_string(),
                settled,
            })
        }
        Err(error) => {
            let (theta, objective, status) = (None, Bits(f64::NAN), error.to_string());
            Some(End { method, start, theta, objective, iterations: 0, status, settled: false })
        }
    }
}

/// `ends`: one per start, method by method.
fn classify(experiment: &Experiment, plan: Lattice, ends: Vec<End>) -> BasinFile {
    // Minima are found from all methods together, so that their numbers agree.
    let all: Vec<Option<(Vec<f64>, f64)>> = ends
        .iter()
        .map(|end| {
            let theta = end.theta.as_deref().filter(|_| end.settled && end.objective.0.is_finite());
            theta.map(|theta| (Bits::numbers(theta), end.objective.0))
        })
        .collect();
    let (minima, _) = group_ends(&all, &plan.extent, SAME);
    let nearest = |theta: &[f64]| {
        minima.iter().position(|m: &Minimum| {
            m.theta.iter().zip(theta).zip(&plan.extent).all(|((a, b), s)| (a - b).abs() <= 2.0 * SAME * s)
        })
    };
    let methods: Vec<BasinMethod> = experiment
        .methods
        .iter()
        .zip(ends.chunks_exact(plan.starts.len()))
        .map(|(method, ends)| {
            let thetas: Vec<Option<Vec<f64>>> = ends.iter().map(|e| e.theta.as_deref().map(Bits::numbers)).collect();
            let minimum: Vec<Option<usize>> = thetas.iter().map(|t| t.as_deref().and_then(nearest)).collect();
            let best = minimum.iter().filter(|m| **m == Some(0)).count();
            BasinMethod {
                label: method.label.clone(),
                metric: method.metric.name().to_string(),
                fraction_best: best as f64 / minimum.len() as f64,
                objectives: ends.iter().map(|e| finite(e.objective.0)).collect(),
                iterations: ends.iter().map(|e| e.iterations).collect(),
                statuses: ends.iter().map(|e| e.status.clone()).collect(),
                ends: thetas,
                minimum,
            }
        })
        .collect();
    let count = |i: usize| methods.iter().flat_map(|m| &m.minimum).filter(|m| **m == Some(i)).count();
    let minima = minima
        .iter()
        .enumerate()
        .map(|(i, m)| MinimumEntry { theta: m.theta.clone(), objective: m.objective, count: count(i) })
        .collect();
    BasinFile {
        name: experiment.name.clone(),
        names: experiment.model.parameter_names(),
        parameters: plan.names,
        varied: plan.varied,
        starts: plan.starts,
        minima,
        methods,
    }
}

fn summary(file: &BasinFile) -> String {
    let mut table = screen::table();
    table.set_header(["method", "starts", "at the best minimum", "elsewhere", "not converged"]);
    for method in &file.methods {
        let total = method.minimum.len();
        let none = method.minimum.iter().filter(|m| m.is_none()).count();
        let best = method.minimum.iter().filter(|m| **m == Some(0)).count();
        table.add_row([
            method.label.clone(),
            total.to_string(),
            format!("{best} ({:.1} %)", 100.0 * method.fraction_best),
            (total - none - best).to_string(),
            none.to_string(),
        ]);
    }
    let mut text = screen::fitted(&table);
    for (i, minimum) in file.minima.iter().enumerate().take(6) {
        let theta: Vec<String> = minimum.theta.iter().map(|v| short(*v)).collect();
        text.push_str(&format!(
            "\nminimum {}: f = {:.6e} at {}, {} descents",
            i + 1,
            minimum.objective,
            theta.join(", "),
            minimum.count
        ));
    }
    text
}
