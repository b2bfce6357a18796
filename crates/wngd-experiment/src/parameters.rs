//! `[parameters]`: bounds, priors, ties and transforms of parameters, by name.

use schemars::JsonSchema;
use serde::Deserialize;
use wngd::adjoint::{Bound, Prior, PriorShape, Transform};

use crate::data::{Data, Noise};
use crate::error::ExperimentError;
use crate::keys::near;
use crate::models::Parameter;
use crate::models::constrained::Constraints;
use crate::numbers::short;
use crate::source::Section;

/// One parameter, `"means[0][1]" = { … }`, or all whose names begin like that, `means = { … }`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParameterSection {
    /// least value; steps end on it and go along it
    pub lower: Option<f64>,
    /// largest value
    pub upper: Option<f64>,
    /// `{ normal = [m, s] }`, `{ lognormal = [m, s] }` (m and s of ln θ) or `{ uniform = [a, b] }`: the fit is then the
    /// maximum a posteriori; for counted data with `kl`
    pub prior: Option<PriorSection>,
    /// the free parameter that it is equal to
    pub tie: Option<String>,
    /// `"log"`: steps go along ln θ, θ > 0; `"logit"`: between `lower` and `upper`, never reaching them
    pub transform: Option<TransformName>,
}

/// A density of a parameter before the data.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum PriorSection {
    /// Mean and standard deviation.
    Normal([f64; 2]),
    /// Mean and standard deviation of the logarithm.
    Lognormal([f64; 2]),
    /// From, to.
    Uniform([f64; 2]),
}

impl PriorSection {
    fn in_words(self) -> String {
        let (name, [a, b]) = match self {
            Self::Normal(v) => ("normal", v),
            Self::Lognormal(v) => ("lognormal", v),
            Self::Uniform(v) => ("uniform", v),
        };
        format!("{name}({a}, {b})")
    }
}

/// A curve along which a parameter moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TransformName {
    /// Straight in the logarithm.
    Log,
    /// Straight in the logarithm of the odds within bounds.
    Logit,
}

/// What `[parameters]` says, for a model.
#[derive(Debug, Default)]
pub struct Stated {
    /// What the model is held to.
    pub constraints: Constraints,
    /// The same for people, a sentence each.
    pub sentences: Vec<String>,
}

/// Reads the section for a model with these free parameters.
///
/// `objective`: its name; a prior belongs to a likelihood, which `kl` is for counted data.
///
/// # Errors
/// The first thing that is wrong, by its line.
pub fn read(
    section: &Section<'_>,
    free: &[Parameter],
    data: &Data,
    objective: &str,
) -> Result<Stated, ExperimentError> {
    let mut given = Vec::new();
    for key in section.keys() {
        let Some(table) = section.table(key)? else { continue };
        let which = named(free, key);
        if which.is_empty() {
            let names: Vec<&str> = free.iter().map(|p| p.name.as_str()).collect();
            let hint = near(key, &names).map_or(String::new(), |near| format!(", did you mean \"{near}\"?"));
            let list = names.join(", ");
            let problem = format!("no free parameter is called so{hint}; free are {list}, by [model] free = […]");
            return Err(section.error(key, problem));
        }
        given.push(One { table: table.clone(), which, said: table.read()?, key });
    }
    let ties = ties(&given, free)?;
    let kept: Vec<usize> = (0..free.len()).filter(|i| ties.iter().all(|tie| tie.0 != *i)).collect();
    let mut stated = Stated::default();
    for (i, j) in &ties {
        stated.sentences.push(format!("{} is tied to {}", free[*i].name, free[*j].name));
    }
    stated.constraints.ties = ties;
    for one in given.iter().filter(|one| one.said.tie.is_none()) {
        for &i in &one.which {
            // A prefix may name some that are tied.
            let Some(place) = kept.iter().position(|k| *k == i) else { continue };
            one.add(place, &free[i], kept.len(), &mut stated)?;
            if let Some(prior) = one.said.prior {
                let number = counted(data, objective).map_err(|why| one.table.error("prior", why))?;
                one.add_prior(prior, place, &free[i], number, &mut stated)?;
            }
        }
    }
    Ok(stated)
}

/// What is given for some parameters.
struct One<'s> {
    table: Section<'s>,
    which: Vec<usize>,
    said: ParameterSection,
    key: &'s str,
}

/// Numbers of the parameters of a name, or of those whose names go on with an index.
fn named(free: &[Parameter], name: &str) -> Vec<usize> {
    let begins = |p: &Parameter| p.name == name || p.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('['));
    (0..free.len()).filter(|i| begins(&free[*i])).collect()
}

/// How many were counted, or why a prior is refused.
fn counted(data: &Data, objective: &str) -> Result<f64, String> {
    let remedy = "take samples or a histogram with objective \"kl\", or give bounds instead";
    match &data.noise {
        _ if objective != "kl" => Err(format!(
            "objective \"{objective}\" is no likelihood, so that a prior has nothing to be weighed with; {remedy}"
        )),
        Noise::Independent(counts) if counts.smoothing.is_none() => Ok(counts.number),
        Noise::Independent(_) => Err(format!("a kernel estimate has no likelihood; {remedy}")),
        Noise::Trajectory { .. } => Err(format!("points of a trajectory are not independent; {remedy}")),
        Noise::Unknown => Err(format!("the data were not counted, so that they have no likelihood; {remedy}")),
    }
}

/// Pairs of parameters that are tied.
fn ties(given: &[One<'_>], free: &[Parameter]) -> Result<Vec<(usize, usize)>, ExperimentError> {
    let mut ties: Vec<(usize, usize)> = Vec::new();
    for one in given {
        let Some(other) = &one.said.tie else { continue };
        let ParameterSection { lower, upper, prior, transform, tie: _ } = &one.said;
        if lower.is_some() || upper.is_some() || prior.is_some() || transform.is_some() {
            let problem = format!("what is tied has nothing of its own; give the rest for {other}");
            return Err(one.table.error("tie", problem));
        }
        let leaders = named(free, other);
        if leaders.is_empty() || leaders.len() != one.which.len() {
            let names: Vec<&str> = free.iter().map(|p| p.name.as_str()).collect();
            let problem = match leaders.len() {
                0 => format!("\"{other}\" is not free; free are {}", names.join(", ")),
                n => format!(
                    "\"{other}\" names {n} parameters and \"{}\" {}; tie equally many",
                    one.key,
                    one.which.len()
                ),
            };
            return Err(one.table.error("tie", problem));
        }
        for pair in one.which.iter().copied().zip(leaders) {
            if pair.0 == pair.1 {
                return Err(one.table.error("tie", "a parameter is equal to itself; name another one"));
            }
            if ties.iter().any(|tie| tie.0 == pair.0) {
                return Err(one.table.error("tie", format!("{} is tied twice; once is enough", free[pair.0].name)));
            }
            ties.push(pair);
        }
    }
    for (i, j) in &ties {
        let also = |tie: &&(usize, usize)| tie.0 == *j;
        if let (Some(tie), Some(one)) = (ties.iter().find(also), given.iter().find(|one| one.which.contains(i))) {
            let (own, leader) = (&free[*j].name, &free[tie.1].name);
            return Err(one.table.error("tie", format!("{own} is tied itself; tie to {leader}")));
        }
    }
    Ok(ties)
}

impl One<'_> {
    /// Bounds and transform of a parameter.
    fn add(
        &self,
        place: usize,
        parameter: &Parameter,
        count: usize,
        stated: &mut Stated,
    ) -> Result<(), ExperimentError> {
        let ParameterSection { lower, upper, transform, prior, .. } = self.said;
        let start = parameter.start;
        for (key, value) in [("lower", lower), ("upper", upper)] {
            if value.is_some_and(|v| !v.is_finite()) {
                return Err(self.table.error(key, "a finite number is needed; leave it out where there is no bound"));
            }
        }
        let ends = match (prior, lower, upper) {
            (Some(PriorSection::Uniform(_)), lower, upper) if lower.or(upper).is_some() => {
                let key = if lower.is_some() { "lower" } else { "upper" };
                return Err(self.table.error(key, "a uniform prior has its own ends; remove it"));
            }
            (Some(PriorSection::Uniform([a, b])), ..) => (Some(a), Some(b), "prior.uniform"),
            (_, lower, upper) => (lower, upper, if lower.is_some() { "lower" } else { "upper" }),
        };
        let (lower, upper, key) = ends;
        if let (Some(a), Some(b)) = (lower, upper)
            && !(a < b && a.is_finite() && b.is_finite())
        {
            return Err(self
                .table
                .error(key, format!("{a} to {b}; two finite numbers, the first one smaller, are needed")));
        }
        if lower.is_some_and(|a| start < a) || upper.is_some_and(|b| start > b) {
            let shown = |end: Option<f64>| end.map_or("…".into(), |end| format!("{end}"));
            let problem = format!(
                "{} starts at {start}, which is not within {} to {}; start inside",
                parameter.name,
                shown(lower),
                shown(upper)
            );
            return Err(self.table.error(key, problem));
        }
        let curve = match transform {
            None => Transform::None,
            Some(TransformName::Log) if lower.or(upper).is_some() => {
                let problem =
                    "\"log\" keeps it above 0 and ends on no bound; remove the bounds, or take \"logit\" for both";
                return Err(self.table.error("transform", problem));
            }
            Some(TransformName::Log) => Transform::Log,
            Some(TransformName::Logit) => match (lower, upper) {
                (Some(lower), Some(upper)) => Transform::Logit { lower, upper },
                _ => {
                    return Err(self
                        .table
                        .error("transform", "\"logit\" goes between two bounds; give lower and upper"));
                }
            },
        };
        if !curve.contains(start) {
            let problem = format!("{} starts at {start}, where this has no value; start further in", parameter.name);
            return Err(self.table.error("transform", problem));
        }
        if curve != Transform::None {
            let transforms = &mut stated.constraints.transforms;
            transforms.resize(count, Transform::None);
            transforms[place] = curve;
        }
        let bound = |c: f64, end: f64| Bound { name: parameter.name.clone(), terms: vec![(place, c)], lower: c * end };
        stated.constraints.bounds.extend(lower.map(|a| bound(1.0, a)));
        stated.constraints.bounds.extend(upper.map(|b| bound(-1.0, b)));
        Ok(())
    }

    /// The prior of a parameter, of data that `number` were counted of.
    fn add_prior(
        &self,
        prior: PriorSection,
        place: usize,
        parameter: &Parameter,
        number: f64,
        stated: &mut Stated,
    ) -> Result<(), ExperimentError> {
        let shape = match prior {
            PriorSection::Normal([m, s]) => Some(("normal", m, s, PriorShape::Normal { mean: m, deviation: s })),
            PriorSection::Lognormal([m, s]) => {
                Some(("lognormal", m, s, PriorShape::LogNormal { location: m, scale: s }))
            }
            PriorSection::Uniform(_) => None,
        };
        if let Some((name, m, s, shape)) = shape {
            if !(m.is_finite() && s > 0.0 && s.is_finite()) {
                let problem = format!("[{m}, {s}]; a finite mean and a standard deviation > 0 are needed");
                return Err(self.table.error(&format!("prior.{name}"), problem));
            }
            if name == "lognormal" && !(parameter.start > 0.0) {
                let problem =
                    format!("{} starts at {}; a lognormal one is positive", parameter.name, short(parameter.start));
                return Err(self.table.error("prior.lognormal", problem));
            }
            stated.constraints.priors.push(Prior { parameter: place, shape, weight: 1.0 / number });
        }
        stated.sentences.push(format!(
            "maximum a posteriori (MAP): the prior of {} is {}; objective and standard errors include it",
            parameter.name,
            prior.in_words()
        ));
        Ok(())
    }
}
