//! The part of the parameter space that maps look at.

use crate::error::ExperimentError;
use crate::experiment::Experiment;
use crate::numbers::short;
use crate::source::Source;
use crate::starts::BasinSection;

/// Squares of larger values are no numbers, nor are those of smaller ranges.
const LARGEST: f64 = 1e150;

/// Starts closer than this, relative to their size, differ in their last digits only.
const CLOSEST: f64 = 1e-12;

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
    /// Starts per parameter, if the file says how many.
    pub counts: Option<Vec<usize>>,
}

impl Window {
    /// The window of the section `[basin]`, or one over the first two free parameters; `lower` and `upper` come first.
    ///
    /// # Errors
    /// Parameters that are not free, a box that is none.
    pub fn new(
        source: &Source,
        experiment: &Experiment,
        lower: Option<&[f64]>,
        upper: Option<&[f64]>,
    ) -> Result<Self, ExperimentError> {
        let free = experiment.model.parameters();
        let place = source.section("basin")?;
        let section = BasinSection::read(source)?;
        let names = match section.parameters {
            Some(names) => names,
            None => free.iter().take(2).map(|p| p.name.clone()).collect(),
        };
        let varied = names
            .iter()
            .map(|name| {
                free.iter().position(|f| f.name == *name).ok_or_else(|| {
                    let free: Vec<&str> = free.iter().map(|p| p.name.as_str()).collect();
                    place.error("parameters", format!("\"{name}\" is not free; free are {}", free.join(", ")))
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        if varied.is_empty() || varied.len() > 2 {
            return Err(place.error("parameters", "name one or two free parameters"));
        }
        let given = [lower.is_some(), upper.is_some()];
        let usual = |side: usize| varied.iter().map(|&i| free[i].range[side]).collect::<Vec<f64>>();
        let lower = lower.map(<[f64]>::to_vec).or(section.lower).unwrap_or_else(|| usual(0));
        let upper = upper.map(<[f64]>::to_vec).or(section.upper).unwrap_or_else(|| usual(1));
        let fail = |key: &str, given: bool, problem: String| match given {
            true => ExperimentError::Option { option: format!("--{key}"), problem },
            false => place.error(key, problem),
        };
        for (key, found, given) in [("lower", lower.len(), given[0]), ("upper", upper.len(), given[1])] {
            if found != varied.len() {
                let problem = format!("{found} values for {}; give one per parameter", names.join(" and "));
                return Err(fail(key, given, problem));
            }
        }
        for axis in 0..varied.len() {
            if !(lower[axis].is_finite() && upper[axis].is_finite() && lower[axis] < upper[axis]) {
                let (low, high) = (short(lower[axis]), short(upper[axis]));
                let problem = format!("{low} to {high} for {}; lower < upper is needed", names[axis]);
                return Err(fail("lower", given[0], problem));
            }
            let size = lower[axis].abs().max(upper[axis].abs());
            if size > LARGEST || upper[axis] - lower[axis] < (CLOSEST * size).max(1.0 / LARGEST) {
                let (low, high) = (short(lower[axis]), short(upper[axis]));
                let problem = format!(
                    "{low} to {high} for {}; numbers of at most {LARGEST:e}, and starts that differ in more than their last digits, are needed",
                    names[axis]
                );
                return Err(fail("upper", given[1], problem));
            }
        }
        Ok(Self { varied, names, lower, upper, counts: section.counts })
    }
}
