//! `wngd profile`: profiles of the likelihood, intervals and contours.

use std::f64::consts::TAU;
use std::path::Path;
use std::time::Instant;

use rayon::prelude::*;
use wngd::linalg::faer::Mat;
use wngd::opt::{Crossing, Outcome, ProfileError, ProfileLikelihood, ProfilePoint, Sampled, uncertainty};
use wngd_figures::{ContourLine, Figure, LikelihoodContours, LikelihoodProfile};

use crate::best::{best_fit, counts};
use crate::error::ExperimentError;
use crate::experiment::Experiment;
use crate::fitted::draw_covariance;
use crate::folder::filled;
use crate::models::Model;
use crate::numbers::short;
use crate::record::Record;
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
struct Plan {
    profiles: Vec<usize>,
    contours: Vec<[usize; 2]>,
    level: f64,
}

impl Plan {
    fn new(experiment: &Experiment, settings: &Settings) -> Result<Self, ExperimentError> {
        let names = experiment.names();
        let option = |option: &str, problem: String| ExperimentError::Option { option: option.into(), problem };
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
        Ok(Self { profiles, contours, level: settings.level })
    }
}

/// Profiles an experiment on counted data with `kl` and writes `profile.json`, figures and the report.
///
/// # Errors
/// Data or objective that are no likelihood, parameters that are not free, no minimum; files that cannot be written.
pub fn profile(
    experiment: &Experiment,
    settings: &Settings,
    record: &Record,
    folder: &Path,
) -> Result<ProfileFile, ExperimentError> {
    let clock = Instant::now();
    let refuse = |problem| ExperimentError::Option { option: "profile".into(), problem };
    let name = experiment.objective.name();
    if name != "kl" {
        return Err(refuse(format!(
            "objective \"{name}\" is no likelihood, so that its rise has no meaning; set objective.kind = \"kl\""
        )));
    }
    let number = counts(experiment).map_err(refuse)?.number;
    let plan = Plan::new(experiment, settings)?;
    let best = best_fit(experiment)?;
    let mut file = computed(experiment, &plan, number, &best)?;
    experiment.intact()?;
    file.seconds = clock.elapsed().as_secs_f64();
    filled(folder, || {
        record.write(folder)?;
        draw(&file, folder, record.figures)?;
        files::write_json(&folder.join("profile.json"), &file)?;
        report::write(folder)
    })?;
    Ok(file)
}

/// All of it, from the lowest minimum that was met.
fn computed(experiment: &Experiment, plan: &Plan, number: f64, best: &Outcome) -> Result<ProfileFile, ExperimentError> {
    let (model, objective) = (&experiment.model, experiment.objective.as_ref());
    let mut theta = best.last().theta.clone();
    let mut remarks = experiment.constraints.clone();
    let fail = |source| ExperimentError::Descent { label: "profile".into(), source };
    for _ in 0..FOLLOWED {
        theta = ProfileLikelihood::minimum(model, objective, &theta).map_err(fail)?.unwrap_or(theta);
        let likelihood = ProfileLikelihood::new(model, objective, number, &theta).map_err(fail)?;
        match all(experiment, &likelihood, plan, number) {
            Ok((mut file, more)) => {
                remarks.extend(more);
                file.remarks = remarks;
                return Ok(file);
            }
            Err(ProfileError::Lower { theta: lower, by }) => {
                let shown: Vec<String> = lower.iter().map(|v| short(*v)).collect();
                remarks.push(format!(
                    "a lower minimum was met on the way, by {} in −2 ln L, near {}; profiles begin there",
                    short(by),
                    shown.join(", ")
                ));
                theta = lower;
            }
            Err(ProfileError::Descent(error)) => return Err(fail(error)),
            Err(error) => return Err(ExperimentError::NoMinimum { problem: error.to_string() }),
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

/// Profiles and contours from one minimum.
fn all(
    experiment: &Experiment,
    likelihood: &Likelihood<'_>,
    plan: &Plan,
    number: f64,
) -> Result<(ProfileFile, Vec<String>), ProfileError> {
    let theta = likelihood.theta();
    let names = experiment.names();
    let (covariance, errors) = errors_at(experiment, theta, number);
    let found: Vec<(ProfileEntry, Vec<String>)> = plan
        .profiles
        .par_iter()
        .map(|&j| one(likelihood, j, &names[j], errors[j], plan.level))
        .collect::<Result<_, _>>()?;
    let (profiles, remarks): (Vec<ProfileEntry>, Vec<Vec<String>>) = found.into_iter().unzip();
    let mut remarks: Vec<String> = remarks.into_iter().flatten().collect();
    let found: Vec<(ContourEntry, Option<String>)> = plan
        .contours
        .par_iter()
        .map(|&pair| contour(likelihood, pair, &names, &errors, covariance.as_ref()))
        .collect::<Result<_, _>>()?;
    let (contours, open): (Vec<ContourEntry>, Vec<Option<String>>) = found.into_iter().unzip();
    remarks.extend(open.into_iter().flatten());
    let of = if experiment.model.priors().is_empty() { "likelihood" } else { "posterior" };
    let file = ProfileFile {
        name: experiment.name.clone(),
        names,
        theta: theta.to_vec(),
        covariance: entries(covariance.as_ref(), &errors),
        standard_errors: errors,
        number,
        objective: experiment.value(theta),
        level: plan.level,
        of: of.into(),
        profiles,
        contours,
        remarks: Vec::new(),
        seconds: 0.0,
    };
    Ok((file, remarks))
}

/// A length to begin with where no standard error is known.
fn scale(value: f64, error: Option<f64>) -> f64 {
    error.filter(|e| *e > 0.0).unwrap_or(0.1 * value.abs().max(0.1))
}

/// One parameter: interval and curve.
fn one(
    likelihood: &Likelihood<'_>,
    j: usize,
    name: &str,
    error: Option<f64>,
    level: f64,
) -> Result<(ProfileEntry, Vec<String>), ProfileError> {
    let theta = likelihood.theta();
    let (estimate, unit) = (theta[j], scale(theta[j], error));
    let mut remarks = Vec::new();
    let mut sides: [(Option<f64>, Vec<ProfilePoint>); 2] = [(None, Vec::new()), (None, Vec::new())];
    for (side, sign) in [(0, -1.0), (1, 1.0)] {
        let crossing = |level: f64| likelihood.crossing(&[j], &[sign], level, unit * level.sqrt(), theta);
        let word = ["below", "above"][side];
        // How far the curve is drawn.
        let far = match crossing(REACH * REACH * level)? {
            Crossing::At(point) | Crossing::Bounded(point) => point.theta[j],
            Crossing::Unbounded => estimate + sign * REACH * unit * level.sqrt(),
        };
        let end = match crossing(level)? {
            Crossing::At(point) => Some(point.theta[j]),
            Crossing::Bounded(point) => {
                remarks.push(format!(
                    "{name}: no end of the interval {word}; Δ is {} at {}, where its bound or the end of its domain is",
                    short(point.rise),
                    short(point.theta[j])
                ));
                None
            }
            Crossing::Unbounded => {
                remarks.push(format!("{name}: no end of the interval {word}; the data do not limit it"));
                None
            }
        };
        let values: Vec<f64> = (1..=POINTS).map(|i| estimate + (far - estimate) * i as f64 / POINTS as f64).collect();
        let values = if far == estimate { Vec::new() } else { values };
        sides[side] = (end, likelihood.along(j, &values)?);
    }
    let [(lower, below), (upper, above)] = sides;
    let best = ProfilePoint { theta: theta.to_vec(), rise: 0.0 };
    let points: Vec<ProfilePoint> = below.into_iter().rev().chain([best]).chain(above).collect();
    let entry = ProfileEntry {
        parameter: name.to_string(),
        estimate,
        standard_error: error,
        lower,
        upper,
        lower_error: lower.map(|v| estimate - v),
        upper_error: upper.map(|v| v - estimate),
        values: points.iter().map(|p| p.theta[j]).collect(),
        rises: points.iter().map(|p| p.rise).collect(),
        thetas: points.into_iter().map(|p| p.theta).collect(),
        figure: LikelihoodProfile { name: name.to_string(), ..LikelihoodProfile::default() }.about().stem,
    };
    Ok((entry, remarks))
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

/// Contours over two parameters: where the rise reaches a level along rays that the standard errors make even.
fn contour(
    likelihood: &Likelihood<'_>,
    pair: [usize; 2],
    names: &[String],
    errors: &[Option<f64>],
    covariance: Option<&Mat<f64>>,
) -> Result<(ContourEntry, Option<String>), ProfileError> {
    let theta = likelihood.theta();
    let root = root(pair, theta, errors, covariance);
    let mut levels: Vec<ContourLevel> = Vec::new();
    for probability in PROBABILITIES {
        // χ² of two degrees of freedom.
        let rise = -2.0 * (1.0 - probability).ln();
        let (mut points, mut closed) = (Vec::new(), true);
        let (mut guess, mut near) = (rise.sqrt(), theta.to_vec());
        for k in 0..ANGLES {
            let angle = 2.0 * std::f64::consts::PI * k as f64 / ANGLES as f64;
            let along = root.map(|row| row[0] * angle.cos() + row[1] * angle.sin());
            let point = match likelihood.crossing(&pair, &along, rise, guess, &near)? {
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
            points.push(pair.map(|j| point.theta[j]));
            let t = if along[0].abs() * root[1][1] > along[1].abs() * root[0][0] {
                (point.theta[pair[0]] - theta[pair[0]]) / along[0]
            } else {
                (point.theta[pair[1]] - theta[pair[1]]) / along[1]
            };
            if t.is_finite() && t > 0.0 {
                (guess, near) = (t, point.theta);
            }
        }
        levels.push(ContourLevel { probability, rise, points, closed });
    }
    let [a, b] = pair.map(|j| names[j].clone());
    let open = levels.iter().any(|level| !level.closed);
    let remark =
        open.then(|| format!("the contour of {a} and {b} ends at a bound, or is not closed as far as was looked"));
    let about = LikelihoodContours { x_name: a.clone(), y_name: b.clone(), ..LikelihoodContours::default() }.about();
    Ok((ContourEntry { parameters: [a, b], levels, figure: about.stem }, remark))
}

fn draw(file: &ProfileFile, folder: &Path, figures: bool) -> Result<(), ExperimentError> {
    if !figures {
        return Ok(());
    }
    for entry in file.profiles.iter().filter(|entry| entry.values.len() > 1) {
        let figure = LikelihoodProfile {
            name: entry.parameter.clone(),
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
            x_name: a.clone(),
            y_name: b.clone(),
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
    draw_covariance(&file.names, &file.theta, &file.covariance, Some(&profiles), folder)
}
