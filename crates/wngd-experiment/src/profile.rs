//! `wngd profile`: profiles of the likelihood, intervals and contours.
//!
//! Its units are the two sides of each parameter and the levels of each contour; each begins at the minimum and knows
//! nothing of the others. One that meets a lower minimum makes all begin anew there.

use std::collections::BTreeMap;
use std::f64::consts::TAU;
use std::path::Path;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use wngd::linalg::faer::Mat;
use wngd::opt::{Crossing, ProfileError, ProfileLikelihood, Sampled, uncertainty};
use wngd_figures::{ContourLine, Figure, LikelihoodContours, LikelihoodProfile};

use crate::best::{best_fit, counts};
use crate::checkpoint::{Bits, Journal, Unit};
use crate::error::ExperimentError;
use crate::experiment::Experiment;
use crate::fitted::draw_covariance;
use crate::labels::labels;
use crate::models::Model;
use crate::numbers::short;
use crate::results::{ContourEntry, ContourLevel, ProfileEntry, ProfileFile};
use crate::{files, limits, report};

/// Most parameters that are profiled if none are named.
const MOST: usize = 16;
/// Points of a profile on either side.
const POINTS: usize = 12;
/// How far a profile goes, in ends of the interval at Δ = 1.
const REACH: f64 = 3.0;
/// Directions of a contour.
const ANGLES: usize = 64;
/// Probabilities of contours.
const PROBABILITIES: [f64; 2] = [0.683, 0.95];
/// Points of an ellipse.
const AROUND: u32 = 72;
/// Lower minima that are followed.
const FOLLOWED: usize = 5;

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Parameters to profile; the first sixteen if empty.
    pub parameters: Vec<String>,
    /// Pairs to draw contours over; the one pair there is if empty.
    pub contours: Vec<[String; 2]>,
    /// Δ(−2 ln L) of the intervals.
    pub level: f64,
}

type Likelihood<'a> = ProfileLikelihood<'a, Box<dyn Model>>;

/// What is to be done, by number.
pub struct Plan {
    profiles: Vec<usize>,
    contours: Vec<[usize; 2]>,
    level: f64,
    /// Counts behind the likelihood.
    number: f64,
    /// Where descents ended.
    best: Vec<f64>,
}

/// What one unit is about.
#[derive(Clone, Copy)]
enum Task {
    /// A parameter, and -1 or 1 for the side below or above.
    Side(usize, f64),
    /// Two parameters and a probability.
    Level([usize; 2], f64),
}

/// What one unit came to.
#[derive(Serialize, Deserialize)]
struct Part {
    /// The minimum that it begins at.
    from: Vec<Bits>,
    number: usize,
    found: Found,
}

impl Unit for Part {
    const KIND: &'static str = "profile";
}

#[derive(Serialize, Deserialize)]
enum Found {
    /// End of the interval, why there is none, and the curve, outwards: all parameters and the rise.
    Side {
        end: Option<Bits>,
        remark: Option<String>,
        points: Vec<(Vec<Bits>, Bits)>,
    },
    Level {
        points: Vec<[Bits; 2]>,
        closed: bool,
    },
    /// A lower minimum, and by how much.
    Lower {
        theta: Vec<Bits>,
        by: Bits,
    },
}

impl Plan {
    /// What an experiment on counted data with `kl` is asked, and its best fit.
    ///
    /// # Errors
    /// Data or objective that are no likelihood, parameters that are not free, no minimum.
    pub fn new(experiment: &Experiment, settings: &Settings) -> Result<Self, ExperimentError> {
        let names = experiment.names();
        let option = |option: &str, problem: String| ExperimentError::Option { option: option.into(), problem };
        let name = experiment.objective.name();
        if name != "kl" {
            let problem = format!(
                "objective \"{name}\" is no likelihood, so that its rise has no meaning; set objective.kind = \"kl\""
            );
            return Err(option("profile", problem));
        }
        let number = counts(experiment).map_err(|problem| option("profile", problem))?.number;
        let place = |name: &String, at: &str| {
            let found = names.iter().position(|n| n == name);
            found.ok_or_else(|| option(at, format!("\"{name}\" is not free; free are {}", names.join(", "))))
        };
        if let Some(problem) = limits::level(settings.level) {
            return Err(option("--level", problem));
        }
        let profiles: Vec<usize> = match &settings.parameters[..] {
            [] => (0..names.len().min(MOST)).collect(),
            named => named.iter().map(|name| place(name, "--parameters")).collect::<Result<_, _>>()?,
        };
        let mut contours = Vec::new();
        for [a, b] in &settings.contours {
            let pair = [place(a, "--contour")?, place(b, "--contour")?];
            if pair[0] == pair[1] {
                return Err(option("--contour", format!("{a} twice; two parameters are needed")));
            }
            contours.push(pair);
        }
        if let ([a, b], true) = (&profiles[..], settings.contours.is_empty()) {
            contours.push([*a, *b]);
        }
        let best = best_fit(experiment)?.last().theta.clone();
        Ok(Self { profiles, contours, level: settings.level, number, best })
    }

    /// Number of units, lower minima left aside.
    pub fn len(&self) -> usize {
        2 * self.profiles.len() + PROBABILITIES.len() * self.contours.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn tasks(&self) -> Vec<Task> {
        let sides = self.profiles.iter().flat_map(|&j| [-1.0, 1.0].map(|sign| Task::Side(j, sign)));
        let levels = self.contours.iter().flat_map(|&pair| PROBABILITIES.map(|p| Task::Level(pair, p)));
        sides.chain(levels).collect()
    }
}

/// Profiles an experiment and writes `profile.json`, figures and the report; nothing is returned if it was told to stop.
/// `done` is told of finished units, those that a checkpoint had at once.
///
/// # Errors
/// What cannot be computed or written.
pub fn profile(
    experiment: &Experiment,
    plan: &Plan,
    journal: &Journal,
    folder: &Path,
    done: &(dyn Fn(usize) + Sync),
) -> Result<Option<ProfileFile>, ExperimentError> {
    let clock = Instant::now();
    if journal.concludes() {
        journal.record.write(folder)?;
    }
    let Some(mut file) = computed(experiment, plan, journal, done)? else { return Ok(None) };
    file.seconds = clock.elapsed().as_secs_f64();
    draw(&file, folder, journal.record.figures)?;
    files::write_json(&folder.join("profile.json"), &file)?;
    report::write(folder)?;
    Ok(Some(file))
}

/// All of it, from the lowest minimum that was met.
fn computed(
    experiment: &Experiment,
    plan: &Plan,
    journal: &Journal,
    done: &(dyn Fn(usize) + Sync),
) -> Result<Option<ProfileFile>, ExperimentError> {
    let (model, objective) = (&experiment.model, experiment.objective.as_ref());
    let mut theta = plan.best.clone();
    let mut remarks = experiment.constraints.clone();
    let fail = |source| ExperimentError::Descent { label: "profile".into(), source };
    let mut known: Vec<Part> = journal.kept()?;
    done(known.len());
    for _ in 0..FOLLOWED {
        theta = ProfileLikelihood::minimum(model, objective, &theta).map_err(fail)?.unwrap_or(theta);
        let likelihood = ProfileLikelihood::new(model, objective, plan.number, &theta).map_err(fail)?;
        let likelihood = likelihood.stopping(journal.interrupted());
        let at = At::new(experiment, likelihood, plan);
        let same =
            |part: &Part| Bits::numbers(&part.from).iter().map(|v| v.to_bits()).eq(theta.iter().map(|v| v.to_bits()));
        let mut parts: BTreeMap<usize, Found> =
            known.extract_if(.., |part| same(part)).map(|part| (part.number, part.found)).collect();
        let left = (0..plan.len()).filter(|number| !parts.contains_key(number)).collect();
        let found = journal.each(left, done, |number| {
            let found = at.unit(number)?;
            experiment.intact()?;
            Ok(found.map(|found| Part { from: Bits::of(&theta), number, found }))
        })?;
        parts.extend(found.into_iter().map(|part| (part.number, part.found)));
        journal.check()?;
        if !journal.concludes() || (0..plan.len()).any(|number| !parts.contains_key(&number)) {
            return Ok(None);
        }
        match at.put_together(parts.into_values()) {
            Ok((mut file, more)) => {
                remarks.extend(more);
                file.remarks = remarks;
                return Ok(Some(file));
            }
            Err((lower, by)) => {
                let shown: Vec<String> = lower.iter().map(|v| short(*v)).collect();
                remarks.push(format!(
                    "a lower minimum was met on the way, by {} in −2 ln L, near {}; profiles begin there",
                    short(by),
                    shown.join(", ")
                ));
                theta = lower;
            }
        }
    }
    Err(ExperimentError::NoMinimum {
        problem: format!("{FOLLOWED} minima were followed, each lower than the one before"),
    })
}

/// Covariance at the minimum, and standard errors where they are known.
fn errors_at(experiment: &Experiment, theta: &[f64], number: f64) -> (Option<Mat<f64>>, Vec<Option<f64>>) {
    let (model, objective) = (&experiment.model, experiment.objective.as_ref());
    // By the curvature alone, as the profile is: not by the scatter of the data.
    let poisson = experiment.model.unit().is_some();
    let sampled = Sampled { density: &experiment.data.values.values, number, transpose: None, poisson };
    match uncertainty(model, objective, theta, &sampled) {
        Ok(found) => (Some(found.covariance), found.if_right),
        Err(_) => (None, vec![None; theta.len()]),
    }
}

/// A length to begin with where no standard error is known.
fn scale(value: f64, error: Option<f64>) -> f64 {
    error.filter(|e| *e > 0.0).unwrap_or(0.1 * value.abs().max(0.1))
}

/// The covariance of the standard errors, with the correlations of the matrix; what is not known is none.
fn entries(covariance: Option<&Mat<f64>>, errors: &[Option<f64>]) -> Vec<Vec<Option<f64>>> {
    let entry = |i: usize, j: usize| {
        let product = errors[i]? * errors[j]?;
        if i == j {
            return Some(product);
        }
        let c = covariance?;
        let r = c[(i, j)] / (c[(i, i)] * c[(j, j)]).sqrt();
        r.is_finite().then(|| r.clamp(-1.0, 1.0) * product)
    };
    (0..errors.len()).map(|i| (0..errors.len()).map(|j| entry(i, j)).collect()).collect()
}

/// Square root of the covariance of two parameters: rows of a lower triangle.
fn root(pair: [usize; 2], theta: &[f64], errors: &[Option<f64>], covariance: Option<&Mat<f64>>) -> [[f64; 2]; 2] {
    let unit = pair.map(|j| scale(theta[j], errors[j]));
    let correlation = covariance.map_or(0.0, |c| {
        let [a, b] = pair;
        let r = c[(a, b)] / (c[(a, a)] * c[(b, b)]).sqrt();
        if r.is_finite() { r.clamp(-0.999, 0.999) } else { 0.0 }
    });
    [[unit[0], 0.0], [unit[1] * correlation, unit[1] * (1.0 - correlation * correlation).sqrt()]]
}

/// A minimum with what its units need.
struct At<'a> {
    experiment: &'a Experiment,
    plan: &'a Plan,
    likelihood: Likelihood<'a>,
    tasks: Vec<Task>,
    covariance: Option<Mat<f64>>,
    errors: Vec<Option<f64>>,
}

impl<'a> At<'a> {
    fn new(experiment: &'a Experiment, likelihood: Likelihood<'a>, plan: &'a Plan) -> Self {
        let (covariance, errors) = errors_at(experiment, likelihood.theta(), plan.number);
        Self { experiment, plan, likelihood, tasks: plan.tasks(), covariance, errors }
    }

    /// One unit; nothing if it was told to stop.
    fn unit(&self, number: usize) -> Result<Option<Found>, ExperimentError> {
        let found = match self.tasks[number] {
            Task::Side(j, sign) => self.side(j, sign),
            Task::Level(pair, probability) => self.level(pair, probability),
        };
        match found {
            Ok(found) => Ok(Some(found)),
            Err(ProfileError::Lower { theta, by }) => Ok(Some(Found::Lower { theta: Bits::of(&theta), by: Bits(by) })),
            Err(ProfileError::Stopped) => Ok(None),
            Err(ProfileError::Descent(source)) => Err(ExperimentError::Descent { label: "profile".into(), source }),
            Err(error) => Err(ExperimentError::NoMinimum { problem: error.to_string() }),
        }
    }

    /// One side of a parameter: end of the interval and curve.
    fn side(&self, j: usize, sign: f64) -> Result<Found, ProfileError> {
        let (theta, level) = (self.likelihood.theta(), self.plan.level);
        let name = &labels(&self.experiment.names(), self.experiment.data.axes.as_deref())[j];
        let (estimate, unit) = (theta[j], scale(theta[j], self.errors[j]));
        let crossing = |level: f64| self.likelihood.crossing(&[j], &[sign], level, unit * level.sqrt(), theta);
        let word = if sign < 0.0 { "below" } else { "above" };
        // How far the curve is drawn.
        let far = match crossing(REACH * REACH * level)? {
            Crossing::At(point) | Crossing::Bounded(point) => point.theta[j],
            Crossing::Unbounded => estimate + sign * REACH * unit * level.sqrt(),
        };
        let (end, remark) = match crossing(level)? {
            Crossing::At(point) => (Some(Bits(point.theta[j])), None),
            Crossing::Bounded(point) => {
                let remark = format!(
                    "{name}: no end of the interval {word}; Δ is {} at {}, where its bound or the end of its domain is",
                    short(point.rise),
                    short(point.theta[j])
                );
                (None, Some(remark))
            }
            Crossing::Unbounded => {
                (None, Some(format!("{name}: no end of the interval {word}; the data do not limit it")))
            }
        };
        let values: Vec<f64> = (1..=POINTS).map(|i| estimate + (far - estimate) * i as f64 / POINTS as f64).collect();
        let values = if far == estimate { Vec::new() } else { values };
        let points = self.likelihood.along(j, &values)?;
        Ok(Found::Side { end, remark, points: points.iter().map(|p| (Bits::of(&p.theta), Bits(p.rise))).collect() })
    }

    /// One contour of two parameters: where the rise reaches a level along rays that the standard errors make even.
    fn level(&self, pair: [usize; 2], probability: f64) -> Result<Found, ProfileError> {
        let theta = self.likelihood.theta();
        let root = root(pair, theta, &self.errors, self.covariance.as_ref());
        let rise = rise(probability);
        let (mut points, mut closed) = (Vec::new(), true);
        let (mut guess, mut near) = (rise.sqrt(), theta.to_vec());
        for k in 0..ANGLES {
            let angle = 2.0 * std::f64::consts::PI * k as f64 / ANGLES as f64;
            let along = root.map(|row| row[0] * angle.cos() + row[1] * angle.sin());
            let point = match self.likelihood.crossing(&pair, &along, rise, guess, &near)? {
                Crossing::At(point) => point,
                Crossing::Bounded(point) => {
                    closed = false;
                    point
                }
                Crossing::Unbounded => {
                    closed = false;
                    continue;
                }
            };
            points.push(pair.map(|j| Bits(point.theta[j])));
            let t = if along[0].abs() * root[1][1] > along[1].abs() * root[0][0] {
                (point.theta[pair[0]] - theta[pair[0]]) / along[0]
            } else {
                (point.theta[pair[1]] - theta[pair[1]]) / along[1]
            };
            if t.is_finite() && t > 0.0 {
                (guess, near) = (t, point.theta);
            }
        }
        Ok(Found::Level { points, closed })
    }

    /// The file that all units make, with remarks; or the lowest of the minima that they met, with how much lower it is.
    fn put_together(&self, parts: impl Iterator<Item = Found>) -> Result<(ProfileFile, Vec<String>), (Vec<f64>, f64)> {
        let (theta, names) = (self.likelihood.theta(), self.experiment.names());
        let mut lowest: Option<(Vec<f64>, f64)> = None;
        let (mut sides, mut levels, mut remarks) = (Vec::new(), Vec::new(), Vec::new());
        for (task, found) in self.tasks.iter().zip(parts) {
            match (task, found) {
                (_, Found::Lower { theta, by }) => {
                    if lowest.as_ref().is_none_or(|(_, least)| by.0 > *least) {
                        lowest = Some((Bits::numbers(&theta), by.0));
                    }
                }
                (_, Found::Side { end, remark, points }) => {
                    remarks.extend(remark);
                    let point = |(theta, rise): (Vec<Bits>, Bits)| (Bits::numbers(&theta), rise.0);
                    sides.push((end.map(|end| end.0), points.into_iter().map(point).collect::<Vec<_>>()));
                }
                (Task::Level(_, probability), Found::Level { points, closed }) => {
                    let (probability, points) = (*probability, points.into_iter().map(|p| p.map(|b| b.0)).collect());
                    levels.push(ContourLevel { probability, rise: rise(probability), points, closed });
                }
                (Task::Side(..), Found::Level { .. }) => {}
            }
        }
        if let Some(lowest) = lowest {
            return Err(lowest);
        }
        let shown = labels(&names, self.experiment.data.axes.as_deref());
        let mut sides = sides.into_iter();
        let profiles = self.plan.profiles.iter().map_while(|&j| {
            let ((lower, below), (upper, above)) = (sides.next()?, sides.next()?);
            let points: Vec<(Vec<f64>, f64)> =
                below.into_iter().rev().chain([(theta.to_vec(), 0.0)]).chain(above).collect();
            let figure = LikelihoodProfile { name: shown[j].clone(), ..LikelihoodProfile::default() };
            Some(ProfileEntry {
                parameter: names[j].clone(),
                estimate: theta[j],
                standard_error: self.errors[j],
                lower,
                upper,
                lower_error: lower.map(|v| theta[j] - v),
                upper_error: upper.map(|v| v - theta[j]),
                values: points.iter().map(|p| p.0[j]).collect(),
                rises: points.iter().map(|p| p.1).collect(),
                thetas: points.into_iter().map(|p| p.0).collect(),
                figure: figure.about().stem,
            })
        });
        let profiles = profiles.collect();
        let mut contours = Vec::new();
        for (pair, levels) in self.plan.contours.iter().zip(levels.chunks(PROBABILITIES.len())) {
            let [a, b] = pair.map(|j| names[j].clone());
            let [x_name, y_name] = pair.map(|j| shown[j].clone());
            if levels.iter().any(|level| !level.closed) {
                remarks.push(format!(
                    "the contour of {x_name} and {y_name} ends at a bound, or is not closed as far as was looked"
                ));
            }
            let figure = LikelihoodContours { x_name, y_name, ..LikelihoodContours::default() }.about().stem;
            contours.push(ContourEntry { parameters: [a, b], levels: levels.to_vec(), figure });
        }
        let of = if self.experiment.model.priors().is_empty() { "likelihood" } else { "posterior" };
        let file = ProfileFile {
            name: self.experiment.name.clone(),
            names,
            columns: self.experiment.data.axes.clone(),
            theta: theta.to_vec(),
            covariance: entries(self.covariance.as_ref(), &self.errors),
            standard_errors: self.errors.clone(),
            number: self.plan.number,
            objective: self.experiment.value(theta),
            level: self.plan.level,
            of: of.into(),
            profiles,
            contours,
            remarks: Vec::new(),
            seconds: 0.0,
        };
        Ok((file, remarks))
    }
}

/// Rise of −2 ln L at a probability: χ² of two degrees of freedom.
fn rise(probability: f64) -> f64 {
    -2.0 * (1.0 - probability).ln()
}

fn draw(file: &ProfileFile, folder: &Path, figures: bool) -> Result<(), ExperimentError> {
    if !figures {
        return Ok(());
    }
    for entry in file.profiles.iter().filter(|entry| entry.values.len() > 1) {
        let figure = LikelihoodProfile {
            name: file.label(&entry.parameter),
            values: entry.values.clone(),
            rises: entry.rises.clone(),
            estimate: entry.estimate,
            standard_error: entry.standard_error,
            level: file.level,
            interval: [entry.lower, entry.upper],
            rise_name: if file.of == "posterior" { "Δ(−2 ln posterior)".into() } else { String::new() },
            title: String::new(),
        };
        figure.save(folder)?;
    }
    for entry in &file.contours {
        let line = |level: &ContourLevel| ContourLine {
            label: format!("{} %", short(100.0 * level.probability).trim_end_matches('0').trim_end_matches('.')),
            points: level.points.clone(),
            closed: level.closed,
        };
        let place = |name: &String| file.names.iter().position(|n| n == name).map_or(f64::NAN, |j| file.theta[j]);
        let [a, b] = &entry.parameters;
        let figure = LikelihoodContours {
            x_name: file.label(a),
            y_name: file.label(b),
            estimate: [place(a), place(b)],
            contours: entry.levels.iter().map(line).collect(),
            ellipses: entry.levels.iter().filter_map(|level| ellipse(file, &entry.parameters, level)).collect(),
            title: String::new(),
        };
        figure.save(folder)?;
    }
    corner(file, folder)
}

/// Where the rise of a level would be, were the likelihood normal; nothing without a covariance.
fn ellipse(file: &ProfileFile, pair: &[String; 2], level: &ContourLevel) -> Option<ContourLine> {
    let [a, b] = [0, 1].map(|k| file.names.iter().position(|name| *name == pair[k]));
    let (a, b) = a.zip(b)?;
    let entry = |i: usize, j: usize| *file.covariance.get(i)?.get(j)?;
    let first = entry(a, a)?.sqrt();
    let slope = entry(a, b)? / first;
    let second = (entry(b, b)? - slope * slope).max(0.0).sqrt();
    let size = level.rise.sqrt();
    let point = |k: u32| {
        let (sin, cos) = (TAU * f64::from(k) / f64::from(AROUND)).sin_cos();
        [file.theta[a] + size * first * cos, file.theta[b] + size * (slope * cos + second * sin)]
    };
    let points: Vec<[f64; 2]> = (0..AROUND).map(point).collect();
    let finite = points.iter().flatten().all(|v| v.is_finite());
    finite.then(|| ContourLine { label: String::new(), points, closed: true })
}

/// The covariance with the profiles over its normal distributions.
fn corner(file: &ProfileFile, folder: &Path) -> Result<(), ExperimentError> {
    let curve = |name: &String| -> Vec<[f64; 2]> {
        let entry = file.profiles.iter().find(|entry| entry.parameter == *name);
        let points = entry.into_iter().flat_map(|entry| entry.values.iter().zip(&entry.rises));
        points.map(|(value, rise)| [*value, (-0.5 * rise).exp()]).collect()
    };
    let profiles: Vec<Vec<[f64; 2]>> = file.names.iter().map(curve).collect();
    draw_covariance(&file.labels(), &file.theta, &file.covariance, Some(&profiles), folder)
}
