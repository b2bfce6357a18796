//! `wngd inspect`

use clap::Args;
use wngd_experiment::inspection::{Inspection, inspect as look};
use wngd_experiment::numbers::short;
use wngd_experiment::source::builtin;
use wngd_experiment::{Experiment, Source};

use crate::args::suggesting;
use crate::error::CliError;
use crate::output::{print, print_raw, screen};

/// Print objective, gradient, information matrices and directions at a point.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  wngd inspect mixture-mu1\n  wngd inspect mixture-mu1 --theta 1.5,3.2\n  wngd inspect my.toml --json > point.json"
)]
pub struct InspectArgs {
    /// Experiment file, or name of a built-in experiment.
    #[arg(value_parser = suggesting(builtin::names))]
    pub experiment: String,
    /// Overrides a key of the experiment, as stop.iterations=5 or method[0].metric=l2 does.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Values of the free parameters, comma-separated, in the order of their names.
    #[arg(long, value_name = "V,V,…", allow_hyphen_values = true, value_delimiter = ',')]
    pub theta: Option<Vec<f64>>,
    /// Print JSON with all digits.
    #[arg(long)]
    pub json: bool,
}

/// Prints objective, gradient, information matrices and directions at one point.
pub fn inspect(args: &InspectArgs) -> Result<u8, CliError> {
    let source = Source::load(&args.experiment, &args.set)?;
    let experiment = Experiment::build(&source)?;
    let names = experiment.names();
    let theta = match &args.theta {
        None => experiment.theta0.clone(),
        Some(theta) if theta.len() == names.len() => theta.clone(),
        Some(theta) => {
            return Err(CliError::usage(
                "--theta",
                format!("{} values given, {} are needed: {}", theta.len(), names.len(), names.join(", ")),
            ));
        }
    };
    let inspection = look(&experiment, theta)?;
    if args.json {
        let text = serde_json::to_string_pretty(&inspection).map_err(|e| CliError::Internal(e.to_string()))?;
        print_raw(&text)?;
    } else {
        print(&human(&inspection))?;
    }
    Ok(0)
}

fn list(values: &[f64]) -> String {
    values.iter().map(|v| short(*v)).collect::<Vec<_>>().join("  ")
}

fn human(inspection: &Inspection) -> String {
    let state = &inspection.state;
    let mut text = format!(
        "parameters  {}\ntheta       {}\nobjective   {}\ngradient    {}\nstate       {} cells, mass {}, density {} to {}, {} inactive",
        inspection.names.join("  "),
        list(&inspection.theta),
        inspection.objective.map_or("–".into(), |f| format!("{f:.8e}")),
        list(&inspection.gradient),
        state.cells,
        short(state.mass),
        short(state.min),
        short(state.max),
        state.inactive_cells,
    );
    if state.valley_depth < 1.0 {
        text.push_str(&format!("\n            valley between modes: {} of the lower one", short(state.valley_depth)));
    }
    let mut table = screen::table();
    table.set_header([
        "metric",
        "rank",
        "condition",
        "direction by least squares",
        "by information matrix",
        "largest leak",
    ]);
    for (name, metric) in &inspection.metrics {
        let leak = metric.mass_leak.as_ref().map(|l| l.iter().copied().fold(0.0, f64::max));
        table.add_row([
            name.clone(),
            format!("{} of {}", metric.rank, inspection.names.len()),
            metric.condition.map_or("infinite".into(), short),
            list(&metric.direction.least_squares),
            list(&metric.direction.information),
            leak.map_or("–".into(), |l| format!("{l:.1e}")),
        ]);
    }
    text.push('\n');
    text.push_str(&screen::fitted(&table));
    if let Some(voids) = inspection.metrics.values().find_map(|metric| metric.voids) {
        let voids = if voids == 1 { "a void parts".into() } else { format!("{voids} voids part") };
        text.push_str(&format!("\n{voids} the density: what moves mass across is far longer in W₂ than all else"));
    }
    text.push_str("\ncondition is that of the whitened Jacobian; --json adds the information matrices and all digits");
    text
}
