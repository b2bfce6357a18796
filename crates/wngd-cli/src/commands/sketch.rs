//! `wngd sketch`

use std::path::Path;

use super::print;
use crate::args::SketchArgs;
use crate::checkpoint::{self, Checkpoint, Header, Journal};
use crate::error::CliError;
use crate::experiment::Experiment;
use crate::figures::{self, EstimatorCurve, EstimatorPanel, Estimators};
use crate::output::files;
use crate::output::screen;
use crate::output::table::short;
use crate::record::{Fact, Kind, Record};
use crate::report;
use crate::study::{Entry, MetricStudy, Quartiles, Settings, Study, study};

/// Compares the estimators of the direction at the start point.
pub fn sketch(args: &SketchArgs, resumed: Option<Checkpoint>) -> Result<u8, CliError> {
    if args.seeds == 0 || args.seeds > 10_000 {
        return Err(CliError::usage("--seeds", "between 1 and 10000 are possible"));
    }
    if args.probes.is_empty() || args.probes.iter().any(|m| *m == 0 || *m > 100_000) {
        return Err(CliError::usage("--probes", "numbers between 1 and 100000 are needed"));
    }
    if !args.damping.is_none_or(|d| d.is_finite() && d >= 0.0) {
        return Err(CliError::usage("--damping", "a finite number >= 0 is needed"));
    }
    let source = checkpoint::source(resumed.as_ref(), &args.experiment)?;
    let experiment = Experiment::build(&source)?;
    let folder = args.out.clone().unwrap_or_else(|| Path::new("runs").join(format!("{}-sketch", experiment.name)));
    let mut record = Record::of(Kind::Sketch, true, &source, &experiment);
    record.seeds = vec![Fact::new("estimators", format!("0 to {}", args.seeds - 1))];
    let journal = Journal::begin(Header::of(record, &source, &experiment), resumed, &folder, &args.keep)?;
    let code = carry_out(args, &experiment, &journal, &folder);
    journal.end(code)
}

fn carry_out(args: &SketchArgs, experiment: &Experiment, journal: &Journal, folder: &Path) -> Result<u8, CliError> {
    journal.record.write(folder)?;
    let settings = Settings { probes: args.probes.clone(), seeds: args.seeds, damping: args.damping };
    let tell = |metric: &str| {
        if !args.quiet {
            eprintln!("{}: estimators for {metric}", experiment.name);
        }
    };
    let found = study(experiment, &settings, journal, &tell)?;
    journal.check()?;
    let Some(found) = found else { return Ok(1) };
    if found.metrics.is_empty() {
        return Err(CliError::usage(
            "sketch",
            "the experiment has no method with a metric; add one, \"l2\" for example",
        ));
    }
    figures::estimators(&picture(&found), &folder.join("sketch"))?;
    files::write_json(&folder.join("sketch.json"), &found)?;
    report::write(folder)?;
    if !args.quiet {
        print(&format!(
            "{}: {} parameters, {} cells; medians over {} seeds, quartiles in sketch.json",
            found.name, found.parameters, found.cells, found.seeds
        ))?;
        for metric in &found.metrics {
            print(&table(metric))?;
        }
        print(&format!("results in {}", folder.display()))?;
    }
    Ok(0)
}

fn table(study: &MetricStudy) -> String {
    let mut table = screen::table();
    table.set_header(["estimator", "setting", "solves", "angle", "length", "error of η", "decrease of f"]);
    for entry in &study.entries {
        let setting = match (entry.probes, entry.tolerance) {
            (Some(m), _) => format!("m = {m}"),
            (None, Some(_)) if entry.estimator == "exact" => String::new(),
            (None, Some(t)) => format!("to {t:.0e}"),
            (None, None) => String::new(),
        };
        table.add_row([
            entry.estimator.to_string(),
            setting,
            format!("{:.0}", entry.solves.median),
            format!("{}°", short(entry.angle.median)),
            short(entry.length.median),
            format!("{:.1e}", entry.error.median),
            format!("{:.2} %", 100.0 * entry.decrease.median),
        ]);
    }
    let mut text = format!(
        "\n{}, damping {:e} of the largest eigenvalue, step {}\n{table}\nauto: {}",
        study.metric, study.damping, study.step, study.auto
    );
    for left_out in &study.left_out {
        text.push_str(&format!("\nleft out: {left_out}"));
    }
    text
}

fn picture(study: &Study) -> Estimators {
    let panels = study.metrics.iter().map(|metric| {
        let mut curves: Vec<EstimatorCurve> = Vec::new();
        for entry in &metric.entries {
            let point = |q: &Quartiles| [q.lower, q.median, q.upper];
            let Entry { estimator, solves, error, decrease, .. } = entry;
            let at = match curves.iter().position(|c| c.label == *estimator) {
                Some(at) => at,
                None => {
                    curves.push(EstimatorCurve { label: estimator.to_string(), ..EstimatorCurve::default() });
                    curves.len() - 1
                }
            };
            curves[at].solves.push(solves.median);
            curves[at].error.push(point(error));
            curves[at].decrease.push(point(decrease));
        }
        EstimatorPanel { title: metric.metric.clone(), curves }
    });
    Estimators {
        panels: panels.collect(),
        title: format!("{}: {} parameters, {} cells", study.name, study.parameters, study.cells),
    }
}
