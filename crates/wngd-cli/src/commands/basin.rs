//! `wngd basin`

use std::io::IsTerminal;
use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use wngd_experiment::Experiment;
use wngd_experiment::basin::{Lattice, basin as carry_out};
use wngd_experiment::checkpoint::{self, Checkpoint, Header, Journal};
use wngd_experiment::numbers::short;
use wngd_experiment::record::Record;
use wngd_experiment::results::BasinFile;

use super::{close, print};
use crate::args::BasinArgs;
use crate::error::CliError;
use crate::output::screen;

/// Descends from a lattice of starts with every method.
pub fn basin(args: &BasinArgs, resumed: Option<Checkpoint>) -> Result<u8, CliError> {
    let source = checkpoint::source(resumed.as_ref(), &args.experiment, &args.set)?;
    let experiment = Experiment::build(&source)?;
    let (lower, upper, counts) = (args.lower.as_deref(), args.upper.as_deref(), args.counts.as_deref());
    let plan = Lattice::new(&source, &experiment, lower, upper, counts)?;
    let folder = args.out.clone().unwrap_or_else(|| Path::new("runs").join(format!("{}-basin", experiment.name)));
    let record = Record::of("basin", true, &source, &experiment);
    let header = Header::of(record, &source, &experiment);
    let journal = Journal::begin(header, resumed, &folder, &args.keep.keeping())?;
    let bar = ProgressBar::new((plan.len() * experiment.methods.len()) as u64);
    if args.quiet || !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} descents, {eta} left") {
        bar.set_style(style);
    }
    let outcome = carry_out(&experiment, plan, &journal, &folder, &|more| bar.inc(more as u64));
    bar.finish_and_clear();
    if let (Ok(Some(file)), false) = (&outcome, args.quiet) {
        print(&summary(file))?;
        print(&format!("results in {}", folder.display()))?;
    }
    close(journal.end(outcome), |file| u8::from(file.is_none()))
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
