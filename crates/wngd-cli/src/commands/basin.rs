//! `wngd basin`

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::path::Path;

use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rayon::prelude::*;
use serde::Serialize;
use wngd::opt::Iteration;
use wngd::opt::basin::{Minimum, group_ends, lattice};
use wngd::prelude::*;

use super::print;
use crate::args::BasinArgs;
use crate::config::Source;
use crate::error::CliError;
use crate::experiment::{Experiment, Method};
use crate::interrupt;
use crate::output::files::{self, finite};
use crate::output::pictures;
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

struct End {
    theta: Option<Vec<f64>>,
    objective: f64,
    iterations: usize,
    status: String,
    settled: bool,
}

/// Descends from a lattice of starts with every method.
pub fn basin(args: &BasinArgs) -> Result<u8, CliError> {
    let source = Source::load(&args.experiment)?;
    let experiment = Experiment::build(&source)?;
    let plan = Lattice::new(args, &source, &experiment)?;
    let folder = args.out.clone().unwrap_or_else(|| Path::new("runs").join(format!("{}-basin", experiment.name)));
    files::make_folder(&folder)?;
    Record::of(Kind::Basin, true, &source, &experiment).write(&folder)?;
    interrupt::install();

    let bar = ProgressBar::new((plan.starts.len() * experiment.methods.len()) as u64);
    if args.quiet || !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} descents, {eta} left") {
        bar.set_style(style);
    }
    let ends: Vec<Vec<End>> = experiment
        .methods
        .iter()
        .map(|method| plan.starts.par_iter().map(|start| descend(&experiment, method, start, &bar)).collect())
        .collect();
    bar.finish_and_clear();
    if interrupt::pressed() {
        return Err(CliError::usage("basin", "interrupted; nothing was written"));
    }

    let file = classify(&experiment, plan, ends);
    files::write_json(&folder.join("basin.json"), &file)?;
    pictures::of_basins(&file, &folder)?;
    report::write(&folder)?;
    if !args.quiet {
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

fn descend(experiment: &Experiment, method: &Method, start: &[f64], bar: &ProgressBar) -> End {
    let mut observer =
        |_: &Iteration| if interrupt::pressed() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    let mut descent = experiment.descent(method, 0);
    // Enough to tell minima apart; the last digits would take most of the time.
    descent.stop.relative_step = descent.stop.relative_step.max(SETTLED_STEP);
    let outcome = descent.run(start, method.step_rule().as_mut(), &mut observer);
    bar.inc(1);
    match outcome {
        Ok(outcome) => {
            let (first, last) = (&outcome.trace[0], outcome.last());
            // At its iteration limit a descent counts once its gradient has almost died.
            let settled = match outcome.status {
                Status::Converged(_) => true,
                _ => last.gradient_norm <= 1e-6 * first.gradient_norm,
            };
            End {
                theta: Some(last.theta.clone()),
                objective: last.objective,
                iterations: last.iteration,
                status: outcome.status.name().to_string(),
                settled,
            }
        }
        Err(error) => {
            End { theta: None, objective: f64::NAN, iterations: 0, status: error.to_string(), settled: false }
        }
    }
}

fn classify(experiment: &Experiment, plan: Lattice, ends: Vec<Vec<End>>) -> BasinFile {
    // Minima are found from all methods together, so that their numbers agree.
    let all: Vec<Option<(Vec<f64>, f64)>> = ends
        .iter()
        .flatten()
        .map(|end| end.theta.clone().filter(|_| end.settled && end.objective.is_finite()).map(|t| (t, end.objective)))
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
        .zip(ends)
        .map(|(method, ends)| {
            let minimum: Vec<Option<usize>> = ends.iter().map(|e| e.theta.as_deref().and_then(nearest)).collect();
            let best = minimum.iter().filter(|m| **m == Some(0)).count();
            BasinMethod {
                label: method.label.clone(),
                metric: method.metric.name().to_string(),
                fraction_best: best as f64 / minimum.len() as f64,
                objectives: ends.iter().map(|e| finite(e.objective)).collect(),
                iterations: ends.iter().map(|e| e.iterations).collect(),
                statuses: ends.iter().map(|e| e.status.clone()).collect(),
                ends: ends.into_iter().map(|e| e.theta).collect(),
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
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_header([
        "method",
        "starts",
        "at the best minimum",
        "elsewhere",
        "not converged",
    ]);
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
    let mut text = table.to_string();
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
