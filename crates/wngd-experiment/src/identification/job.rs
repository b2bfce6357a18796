//! What an identification is asked, read and checked, with its data.

use schemars::JsonSchema;
use serde::Deserialize;
use wngd::identify::{
    Dynamics, ESTIMATORS, NoiseLevel, PointsError, Problem, Question, Sample, Settings, Stream, side_by_side,
    time_scale,
};
use wngd::models::flow::Discretisation;

use super::density::DensityJob;
use crate::checkpoint::{Header, checksum};
use crate::data::{InParts, Points};
use crate::error::ExperimentError;
use crate::experiment::{Described, usual_axes};
use crate::facts::Fact;
use crate::models::flow::NamedFlow;
use crate::record::Record;
use crate::registry::near;
use crate::source::{Section, Source};

/// The estimator that fits a density on a grid.
pub const DENSITY: &str = "density";

/// The estimator that bears points in parts.
const IN_PARTS: &str = "weak-stationary";

/// Relative difference of time steps that rounding of times explains.
const SAME_STEP: f64 = 1e-3;

/// What is wrong with an option of the estimator `density` where that is not asked for.
pub const UNUSED: &str = "only the estimator density uses it; remove it, or ask for that estimator by name";

/// Options of an identification.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct IdentifySection {
    /// estimators to run, of `"weak-stationary"`, `"weak-in-time"`, `"shooting"`, `"smoother"`, `"simulated-moments"`,
    /// `"density"`; all but the last, as far as they apply, `"simulated-moments"` where no other does, if absent
    pub estimators: Option<Vec<String>>,
    /// simulated trajectories per correction of `density`; 0 for none
    pub replicates: usize,
    /// most corrections of `density`
    pub corrections: usize,
    /// time between points; the column `t`, or none, if absent
    pub dt: Option<f64>,
    /// whether the order of the points means nothing
    pub unordered: bool,
    /// noise of the data: a share of each coordinate's scatter as recorded, a standard deviation per coordinate, or
    /// `"auto"`: estimated where there is an order
    pub noise: Option<Noise>,
    /// names of the variables that were measured, where others were not; columns by these names, or else in this order
    pub observed: Option<Vec<String>>,
    /// seed of test functions and simulations
    pub seed: u64,
}

impl Default for IdentifySection {
    fn default() -> Self {
        let Settings { replicates, corrections, dt, seed, .. } = Settings::default();
        Self { estimators: None, replicates, corrections, dt, unordered: false, noise: None, observed: None, seed }
    }
}

/// A share, standard deviations, or a word.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a number, a list of numbers or \"auto\" is needed")]
pub enum Noise {
    /// A share of each coordinate's scatter.
    Share(f64),
    /// One standard deviation per coordinate.
    Each(Vec<f64>),
    /// `auto`
    Word(String),
}

/// One identification, read and checked, with its data.
pub struct Job {
    /// Name of the experiment.
    pub name: String,
    pub(super) dynamics: Dynamics,
    /// The points, or the first of them where they are read in parts.
    pub(super) sample: Sample,
    /// Points that are too many to be held.
    pub(super) stream: Option<Stream>,
    pub(super) question: Option<Question>,
    pub(super) density: Option<DensityJob>,
    /// What the model is.
    pub(super) model: String,
    /// What the data are.
    pub(super) data: Fact,
    /// What should be told of the data.
    pub(super) remarks: Vec<String>,
}

impl Job {
    /// Reads an experiment with a section `[identify]`, its data included.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(source: &Source) -> Result<Self, ExperimentError> {
        let described = Described::read(source)?;
        let place = source.section("identify")?;
        let section: IdentifySection = place.read()?;
        let (model, model_section) = &described.model;
        let Some(flow) = model.flow(model_section)? else {
            return Err(source.error("identify", "only a stationary-density can be simulated; remove the section"));
        };
        if model_section.has("perturbation") {
            let problem = "hats cannot be simulated; remove it, or remove [identify]";
            return Err(model_section.error("perturbation", problem));
        }
        for field in ["method", "objective", "parameters"] {
            if source.has(field) {
                return Err(source.error(field, "identification has its own; remove it, or remove [identify]"));
            }
        }
        let (data, data_section) = &described.data;
        let Some((recording, view)) = data.recording(data_section)? else {
            return Err(source.error("data.trajectory", "identification needs a trajectory"));
        };
        let dim = flow.field.dim();
        let estimators = chosen(&place, section.estimators.as_deref())?;
        if !estimators.contains(&DENSITY) {
            refuse_unused(source)?;
        }
        let noise = match &section.noise {
            Some(Noise::Word(word)) if word != "auto" => {
                return Err(place.error(
                    "noise",
                    format!("\"{word}\" is not known; give \"auto\", a share, or a standard deviation per variable"),
                ));
            }
            None | Some(Noise::Word(_)) => NoiseLevel::Auto,
            Some(Noise::Share(share)) => NoiseLevel::Share(*share),
            Some(Noise::Each(each)) if each.len() == 1 => NoiseLevel::Share(each[0]),
            Some(Noise::Each(each)) => NoiseLevel::Each(each.clone()),
        };
        if let NoiseLevel::Share(share) = noise
            && share >= 1.0
        {
            return Err(place.error(
                "noise",
                format!("{share} is no share below 1; give a standard deviation per variable, with commas"),
            ));
        }
        let in_numbers = match &noise {
            NoiseLevel::Auto => Vec::new(),
            NoiseLevel::Share(share) => vec![*share],
            NoiseLevel::Each(each) => each.clone(),
        };
        let observed = observed(&place, section.observed.as_deref(), &flow)?;
        let seen = observed.as_ref().map_or(dim, Vec::len);
        if seen < dim && estimators == [DENSITY] {
            return Err(
                place.error("estimators", "density needs every variable; ask for smoother or simulated-moments")
            );
        }
        let IdentifySection { replicates, corrections, dt, seed, unordered, .. } = section;
        let mut settings = Settings { view, scheme: None, noise: in_numbers, replicates, corrections, dt, seed };
        settings.check(seen).map_err(|error| place.error(error.field(), error.to_string()))?;
        let recording = match section.observed.as_ref().or(flow.variables.as_ref()) {
            Some(names) => recording.by_name(names),
            None => recording,
        };
        let columns = recording.columns.clone();
        // One estimator bears points in parts; who asks for another one by name wants them held.
        let bearable = seen == dim && section.estimators.as_ref().is_none_or(|_| estimators == [IN_PARTS]);
        let about = |error| source.about("data.trajectory", error);
        let read = match recording {
            recording if bearable => InParts::of(recording, seen).map_err(about)?,
            recording => Err(recording),
        };
        let read = match read {
            Ok(parts) => Read::in_parts(source, parts, settings.dt, !unordered)?,
            Err(recording) => Read::whole(recording.records(seen).map_err(about)?),
        };
        if let (Some(asked), Some(found)) = (settings.dt, read.step())
            && !((asked - found).abs() <= SAME_STEP * found)
        {
            let problem = format!("{asked:?} given, but the column of times says {found:?}; leave out one of them");
            return Err(place.error("dt", problem));
        }
        settings.dt = settings.dt.or(read.step());
        let scale = (seen == dim).then(|| time_scale(flow.field.as_ref(), &flow.theta, read.some()));
        let scheme = model.scheme(model_section, scale)?;
        let mut remarks = Vec::new();
        if settings.dt.is_none() && !unordered {
            remarks.push(
                "no time between points is known, so that their order is not used: give --dt, or a column t".into(),
            );
        }
        let ordered = settings.dt.filter(|_| !unordered);
        let (sample, stream) = match read {
            Read::Parts(stream) => (stream.head().clone(), Some(*stream)),
            Read::Whole(mut points, records) => {
                let uneven = points.uneven.take().filter(|_| !unordered && dt.is_none());
                let sample = match &uneven {
                    Some(times) => Sample::at_times(points.values, seen, records, times),
                    None => Sample::new(points.values, seen, records, ordered),
                };
                (sample.map_err(|error| source.error("data.trajectory", error.to_string()))?, None)
            }
        };
        let dynamics = dynamics(&flow, scheme, &mut remarks)?;
        let NamedFlow { name: system, field, theta, free, .. } = flow;
        let density = if estimators.contains(&DENSITY) && seen == dim {
            let grid = described.grid.build(&source.section("grid")?, dim, Some(sample.points()))?;
            if grid.dim() != dim {
                return Err(source.error("grid.cells", format!("{} axes for the {dim} of {system}", grid.dim())));
            }
            settings.scheme = scheme;
            // A share of what was recorded, as standard deviations.
            if let NoiseLevel::Share(share) = noise {
                settings.noise = sample.deviations().iter().map(|d| share * d).collect();
            }
            let axes = columns.filter(|names| names.len() == dim).unwrap_or_else(|| usual_axes(dim));
            let problem = Problem::new(field, theta, Some(free))?;
            Some(DensityJob { problem, points: sample.points().to_vec(), grid, settings, axes })
        } else {
            if estimators.contains(&DENSITY) {
                remarks.push("density was not run: it needs every variable".into());
            }
            if !source.section("grid")?.is_empty() {
                remarks.push(
                    "the grid is used by the estimator density alone: ask for it with --estimator density".into(),
                );
            }
            None
        };
        let others: Vec<String> = estimators.iter().filter(|n| **n != DENSITY).map(|n| n.to_string()).collect();
        Ok(Self {
            name: described.name.clone(),
            dynamics,
            sample,
            stream,
            question: (!others.is_empty()).then_some(Question {
                noise,
                estimators: section.estimators.is_some().then_some(others),
                observed,
                seed,
            }),
            density,
            model: model.in_words(),
            data: data.fact(),
            remarks,
        })
    }

    /// Number of points.
    pub(super) fn count(&self) -> usize {
        self.stream.as_ref().map_or(self.sample.count(), Stream::count)
    }

    /// The estimators that several processes can make side by side.
    ///
    /// # Errors
    /// Fewer than two.
    pub fn units(&self) -> Result<Vec<&'static str>, ExperimentError> {
        let refuse = |problem: String| ExperimentError::Option { option: "--shard".into(), problem };
        if self.density.is_some() {
            let problem = "each step of the estimator density follows from the one before, so that nothing can be shared; \
                           leave out --shard, or density";
            return Err(refuse(problem.into()));
        }
        if self.stream.is_some() {
            let problem =
                "points that are read in parts have one estimator, so that nothing can be shared; leave it out";
            return Err(refuse(problem.into()));
        }
        let question = self.question.as_ref();
        let units = question.map_or_else(Vec::new, |q| side_by_side(&self.dynamics, &self.sample, q));
        match units[..] {
            [] => Err(refuse(
                "none of the estimators can be made beside another here, so that nothing can be shared; leave it out"
                    .into(),
            )),
            [one] => Err(refuse(format!(
                "{one} alone can be made beside others, so that nothing can be shared; leave it out"
            ))),
            _ => Ok(units),
        }
    }

    /// What to keep of it, as command `identify`.
    pub fn header(&self, source: &Source, figures: bool) -> Header {
        let mut record = Record::new("identify", figures);
        record.describe(source, &self.model, self.data.clone());
        let dt = self.sample.dt();
        let (lower, upper) = self.density.as_ref().map_or((&[][..], &[][..]), |d| (d.grid.lower(), d.grid.upper()));
        // Of points that are not held the first ones, how many there are, and how they spread.
        let count = [self.count() as f64];
        let (count, spread) = self.stream.as_ref().map_or((&[][..], &[][..]), |s| (&count[..], s.deviations()));
        let data = checksum(&[self.sample.points(), dt.as_slice(), lower, upper, count, spread]);
        Header::new(record, source.folder.as_deref(), data)
    }
}

/// Points as they were read.
enum Read {
    /// All of them, with the number in each record.
    Whole(Points, Vec<usize>),
    /// In parts.
    Parts(Box<Stream>),
}

impl Read {
    fn whole((points, records): (Points, Vec<usize>)) -> Self {
        Self::Whole(points, records)
    }

    fn in_parts(source: &Source, parts: InParts, dt: Option<f64>, ordered: bool) -> Result<Self, ExperimentError> {
        let told = |error: PointsError| match error {
            PointsError::Read(inner) => match inner.downcast::<ExperimentError>() {
                Ok(own) => source.about("data.trajectory", *own),
                Err(other) => source.error("data.trajectory", other.to_string()),
            },
            other => source.error("data.trajectory", other.to_string()),
        };
        Ok(Self::Parts(Box::new(Stream::new(Box::new(parts), dt, ordered).map_err(told)?)))
    }

    /// The time between points that the files tell.
    fn step(&self) -> Option<f64> {
        match self {
            Self::Whole(points, _) => points.dt,
            Self::Parts(stream) => stream.recorded_step(),
        }
    }

    /// Points that tell how fast they move: all of them, or some.
    fn some(&self) -> &[f64] {
        match self {
            Self::Whole(points, _) => &points.values,
            Self::Parts(stream) => stream.some().points(),
        }
    }
}

/// Refuses options that only a fit on a grid has.
fn refuse_unused(source: &Source) -> Result<(), ExperimentError> {
    const OPTIONS: [(&str, [&str; 2]); 2] =
        [("identify", ["replicates", "corrections"]), ("data", ["binning", "smoothing"])];
    for (table, keys) in OPTIONS {
        let section = source.section(table)?;
        if let Some(key) = keys.iter().find(|key| section.has(key)) {
            return Err(section.error(key, UNUSED));
        }
    }
    Ok(())
}

/// The variables that were measured, counted from 0, where they were named.
fn observed(
    place: &Section<'_>,
    names: Option<&[String]>,
    flow: &NamedFlow,
) -> Result<Option<Vec<usize>>, ExperimentError> {
    let Some(names) = names else { return Ok(None) };
    let variables = flow.variables.clone().unwrap_or_else(|| usual_axes(flow.field.dim()));
    let mut which = Vec::new();
    for name in names {
        let Some(c) = variables.iter().position(|variable| variable == name) else {
            let problem = format!("there is no variable \"{name}\"; there are {}", variables.join(", "));
            return Err(place.error("observed", problem));
        };
        if which.contains(&c) {
            return Err(place.error("observed", format!("\"{name}\" is named twice; name it once")));
        }
        which.push(c);
    }
    if which.is_empty() {
        return Err(place.error("observed", format!("name at least one of {}", variables.join(", "))));
    }
    Ok(Some(which))
}

/// The estimators asked for.
fn chosen(place: &Section<'_>, asked: Option<&[String]>) -> Result<Vec<&'static str>, ExperimentError> {
    let Some(asked) = asked else { return Ok(ESTIMATORS.to_vec()) };
    let all: Vec<&'static str> = ESTIMATORS.into_iter().chain([DENSITY]).collect();
    let find = |name: &String| {
        all.iter().copied().find(|n| n == name).ok_or_else(|| {
            let hint = near(name, &all).map_or(String::new(), |near| format!(", did you mean {near}?"));
            place.error("estimators", format!("there is no \"{name}\"{hint}; there are {}", all.join(", ")))
        })
    };
    let found = asked.iter().map(find).collect::<Result<Vec<_>, _>>()?;
    if found.is_empty() {
        return Err(place.error("estimators", format!("name at least one of {}", all.join(", "))));
    }
    Ok(found)
}

/// The system with the diffusion of its scheme, which is part of the model where it is given.
fn dynamics(
    flow: &NamedFlow,
    scheme: Option<Discretisation>,
    remarks: &mut Vec<String>,
) -> Result<Dynamics, ExperimentError> {
    let (theta, free) = (flow.theta.clone(), Some(flow.free.clone()));
    let Some(written) = &flow.written else {
        let plain = Dynamics::new(flow.field.clone(), theta, free)?;
        return Ok(match &flow.variables {
            Some(names) => plain.naming(names.clone())?,
            None => plain,
        });
    };
    let given = match scheme {
        Some(Discretisation::Upwind { diffusion, .. } | Discretisation::ScharfetterGummel { diffusion, .. }) => {
            diffusion
        }
        _ => 0.0,
    };
    if given > 0.0 && written.diffusion().is_none() {
        remarks.push(format!("the motion has the diffusion of the discretisation, D = {given}"));
        let driven = written.with_diffusion(&vec![given; flow.field.dim()]);
        return Ok(Dynamics::written(&driven, theta, free)?);
    }
    Ok(Dynamics::written(written, theta, free)?)
}
