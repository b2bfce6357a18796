//! The part of the parameter space that maps look at.

use wngd::prelude::*;

use crate::config::Source;
use crate::error::CliError;
use crate::experiment::Experiment;

/// A box over one or two free parameters; the others stay at the experiment's start.
pub struct Window {
    /// Positions of the varied parameters among the free ones.
    pub varied: Vec<usize>,
    /// Their names.
    pub names: Vec<String>,
    /// Lowest values.
    pub lower: Vec<f64>,
    /// Highest values.
    pub upper: Vec<f64>,
}

impl Window {
    /// The window of the section `[basin]`, or one over the first two free parameters; `lower` and `upper` come first.
    pub fn new(
        source: &Source,
        experiment: &Experiment,
        lower: Option<&[f64]>,
        upper: Option<&[f64]>,
    ) -> Result<Self, CliError> {
        let free = experiment.model.parameter_names();
        let section = source.file.basin.as_ref();
        let names = match section.and_then(|s| s.parameters.clone()) {
            Some(names) => names,
            None => free.iter().take(2).cloned().collect(),
        };
        let varied = names
            .iter()
            .map(|name| {
                free.iter().position(|f| f == name).ok_or_else(|| {
                    source.error("basin.parameters", format!("\"{name}\" is not free; free are {}", free.join(", ")))
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        if varied.is_empty() || varied.len() > 2 {
            return Err(source.error("basin.parameters", "name one or two free parameters"));
        }
        let choose = |option: Option<&[f64]>, given: Option<&Vec<f64>>, low| {
            let chosen = option.or(given.map(Vec::as_slice)).map(<[f64]>::to_vec);
            chosen.unwrap_or_else(|| usual(experiment, &varied, low))
        };
        let given = [lower.is_some(), upper.is_some()];
        let lower = choose(lower, section.map(|s| &s.lower), true);
        let upper = choose(upper, section.map(|s| &s.upper), false);
        let fail = |option: &str, given: bool, problem: String| {
            if given {
                CliError::usage(option, problem)
            } else {
                source.error(&option.replace("--", "basin."), problem)
            }
        };
        for (option, found, given) in [("--lower", lower.len(), given[0]), ("--upper", upper.len(), given[1])] {
            if found != varied.len() {
                let problem = format!("{found} values for {}; give one per parameter", names.join(" and "));
                return Err(fail(option, given, problem));
            }
        }
        for axis in 0..varied.len() {
            if !(lower[axis].is_finite() && upper[axis].is_finite() && lower[axis] < upper[axis]) {
                let problem =
                    format!("{} to {} for {}; lower < upper is needed", lower[axis], upper[axis], names[axis]);
                return Err(fail("--lower", given[0], problem));
            }
        }
        Ok(Self { varied, names, lower, upper })
    }
}

/// Means range over the middle of the box, weights over the simplex, variances over a decade.
fn usual(experiment: &Experiment, varied: &[usize], low: bool) -> Vec<f64> {
    let names = experiment.model.parameter_names();
    varied
        .iter()
        .map(|&i| {
            let name = &names[i];
            if name.starts_with("weights") {
                if low { 0.02 } else { 0.98 }
            } else if let Some(axis) =
                name.strip_prefix("means").and_then(|n| n.rsplit('[').next()?.strip_suffix(']')?.parse::<usize>().ok())
            {
                let (a, b) = (experiment.grid.lower()[axis], experiment.grid.upper()[axis]);
                if low { a + 0.1 * (b - a) } else { b - 0.1 * (b - a) }
            } else {
                experiment.theta0[i] * if low { 0.3 } else { 3.0 }
            }
        })
        .collect()
}
