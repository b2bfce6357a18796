//! The estimator: what is simulated, stages, and what the end says.

use std::time::Instant;

use super::features::{Features, rows};
use super::jacobian::Local;
use super::moments::{Moments, span};
use super::motion::Motion;
use super::replicates::Replicates;
use super::search::{Search, Stage};
use super::settle::Sampled;
use crate::cloud::cloud;
use crate::dynamics::Dynamics;
use crate::error::IdentifyError;
use crate::estimate::Estimate;
use crate::sample::Sample;
use crate::scale::{deviations, time_scale};
use crate::weak::in_words;

/// Steps between the points of a function, in time scales.
const LAGS: [f64; 2] = [0.7, 2.0];
/// Points further apart than this many time scales are not held against each other.
const SPARSE: f64 = 4.0;
/// Time between simulated points where the data have no order, in time scales.
const APART: f64 = 1.5;
/// Time between the kicks of a diffusion, in time scales.
const KICKS: f64 = 0.04;
/// Time that a simulation runs first, in time scales, and as a share of the record.
const BURN: f64 = 100.0;
const SHARE: f64 = 0.1;
/// Error of the flow in units of the scales.
const TOLERANCE: f64 = 1e-5;
/// Most points of a replicate, and the points of a stretch of it at least.
const POINTS: usize = 20_000;
const STRETCH: usize = 25;
/// Most stretches.
const STRETCHES: usize = 1024;
/// Points that the first stage simulates: a share of all, within bounds.
const FIRST: (usize, usize, usize) = (5, 1_000, 4_000);
/// Scatter of the data that a simulation has at least where it is no rest.
const MOVES: f64 = 0.7;
/// Time between records of a simulation, in time scales.
const FORGET: f64 = 20.0;
/// Noise is one that was found beyond this many standard errors.
const FOUND: f64 = 3.0;

/// Simulated moments, of variables some of which may be hidden, of points in any order.
#[derive(Debug, Clone)]
pub struct SimulatedMoments {
    /// Standard deviation of the noise of each observed column; estimated if absent.
    pub noise: Option<Vec<f64>>,
    /// The coordinate that each column is; all in their order if absent.
    pub observed: Option<Vec<usize>>,
    /// Seed of functions and simulations.
    pub seed: u64,
}

impl Default for SimulatedMoments {
    fn default() -> Self {
        Self { noise: None, observed: None, seed: 1 }
    }
}

/// What simulations need to know of system and data.
struct Setting<'a> {
    motion: Motion<'a>,
    /// Time between simulated points.
    dt: f64,
    parts: usize,
    scale: f64,
    starts: Vec<f64>,
    scales: Vec<f64>,
    which: Vec<usize>,
    /// Where simulations that tell the starts begin, and their time step, where variables are hidden.
    hidden: Option<(Vec<f64>, f64)>,
}

impl SimulatedMoments {
    /// Parameters at which simulations look like the points.
    ///
    /// # Shapes
    /// `start`: one value per free parameter, at which simulations stay bounded. `sample`: one column per observed
    /// coordinate.
    ///
    /// # Cost
    /// Some six times 4 + 8p simulations as long as the data, of at most 20 000 points, and two or three times 64 to 256 of them for
    /// the scatter.
    ///
    /// # Errors
    /// Columns that are not those of the system; simulations that leave every bound at the start.
    pub fn estimate(&self, dynamics: &Dynamics, sample: &Sample, start: &[f64]) -> Result<Estimate, IdentifyError> {
        let clock = Instant::now();
        let setting = self.setting(dynamics, sample, start)?;
        let Setting { motion, dt, parts, scale, starts, scales, which, hidden } = setting;
        let ordered = sample.dt.filter(|dt| *dt < SPARSE * scale);
        let mut lags: Vec<usize> = Vec::new();
        for lag in ordered.iter().flat_map(|dt| LAGS.map(|lag| (lag * scale / dt).round().max(1.0) as usize)) {
            lags.push(lag.max(lags.last().map_or(1, |last| last + 1)));
        }
        let features = Features::new(&sample.deviations, &lags, start.len(), self.seed);
        let from = rows(&sample.spans(), features.reach());
        if from.len() < 2 * features.len() {
            return Err(IdentifyError::TooFew {
                points: sample.count(),
                fewest: 2 * features.len() + features.reach(),
            });
        }
        let least = if sample.dt.is_some() { STRETCH.min(from.len() / (2 * features.len() + 16)).max(1) } else { 1 };
        let length = from.len().div_ceil(STRETCHES).max(least);
        let stretches = features.means(&sample.points, &from, length);
        let fewest = 2 * features.len() + 16;
        let joined = if sample.dt.is_some() { span(&stretches, fewest) } else { 1 };
        let data = Moments::of(&stretches, joined);
        let full = sample.count().min(POINTS);
        let burn = (BURN * scale / dt).max(SHARE * full as f64).min(50.0 * POINTS as f64) as usize;
        let replicates = Replicates {
            dynamics,
            motion,
            step: dt / parts as f64,
            parts,
            burn,
            which,
            starts,
            scales,
            seed: self.seed,
        };
        let mut search = Search::new(replicates, features, data, start.to_vec());
        match &self.noise {
            Some(each) => search.noise = each.iter().map(|s| s * s).collect(),
            None => search.noise_units = Some(sample.deviations.iter().map(|d| d * d).collect()),
        }
        let first = (full / FIRST.0).clamp(FIRST.1, FIRST.2).min(full);
        let mut stages = Vec::new();
        if first < full {
            stages.push(Stage { count: first, length: 1, span: 1, centre: 4, sides: 4, steps: 8, still: 4.0 });
        }
        stages.push(Stage { count: full, length: 1, span: 1, centre: 4, sides: 4, steps: 4, still: 1.0 });
        let mut at_start = None;
        let sampled = Sampled::of(sample, full, (FORGET * scale / dt).ceil() as usize, search.features.reach());
        let mut last = None;
        for stage in stages {
            let stage = search.measured(stage, fewest)?;
            let (local, _) = search.run(stage)?;
            at_start.get_or_insert(local.value);
            last = Some(stage);
            // Where simulations at the start went may be where those of the data hardly ever are, as the rest beside a motion that lasts.
            if let Some((centre, step)) = &hidden
                && let Ok(points) = cloud(dynamics, &dynamics.theta_full(&search.theta), centre, *step)
                && moves(&points, dynamics.dim(), &search.replicates.which, sample)
            {
                search.replicates.starts = points;
            }
        }
        let Some(stage) = last else { return Err(IdentifyError::NoEstimator) };
        let (mut local, mut rests) = search.settled(&sampled)?;
        // Noise that may as well be none is none, and the parameters are found again without it.
        if let Some(units) = search.noise_units.clone() {
            let (step, _) = local.step();
            let covariance = local.covariance();
            let (p, k) = (start.len(), step.len());
            let found = |c: usize| {
                let error = covariance[(p + c) * k + p + c].max(0.0).sqrt();
                search.noise[c] / units[c] + step[p + c] > FOUND * error
            };
            if !(0..units.len()).any(found) {
                search.noise_units = None;
                search.noise.fill(0.0);
                search.run(stage)?;
                (local, rests) = search.settled(&sampled)?;
            }
        }
        Ok(concluded(search, &local, rests, (start, at_start.unwrap_or(0.0)), sample.dt.is_some(), clock))
    }

    fn setting<'a>(
        &self,
        dynamics: &'a Dynamics,
        sample: &Sample,
        start: &[f64],
    ) -> Result<Setting<'a>, IdentifyError> {
        let d = dynamics.dim();
        let which = self.observed.clone().unwrap_or_else(|| (0..d).collect());
        let known = which.iter().all(|c| *c < d);
        if which.len() != sample.dim || !known || self.noise.as_ref().is_some_and(|each| each.len() != which.len()) {
            return Err(IdentifyError::Coordinates { dim: which.len(), columns: sample.dim });
        }
        let full = dynamics.theta_full(start);
        let in_order = which.iter().copied().eq(0..d);
        let usual = sample.usual_step();
        let (starts, hidden) = if in_order {
            (sample.points.clone(), None)
        } else {
            let mut centre = vec![0.0; d];
            for (i, &c) in which.iter().enumerate() {
                centre[c] = sample.points.iter().skip(i).step_by(sample.dim).sum::<f64>() / sample.count() as f64;
            }
            let guess = usual.unwrap_or(0.01);
            let points = cloud(dynamics, &full, &centre, guess)?;
            // A step that suits the system where the data tell none.
            let scale = time_scale(dynamics.drift.as_ref(), &full, &points);
            let step = usual.unwrap_or(APART * scale.clamp(1e-3, 1e3));
            let points = if usual.is_some() { points } else { cloud(dynamics, &full, &centre, step)? };
            (points, Some((centre, step)))
        };
        let mut scales = deviations(&starts, d);
        for (i, &c) in which.iter().enumerate() {
            scales[c] = sample.deviations[i];
        }
        scales.iter_mut().filter(|s| !(**s > 1e-9 && s.is_finite())).for_each(|s| *s = 1.0);
        let scale = time_scale(dynamics.drift.as_ref(), &full, &starts);
        let dt = sample.dt.unwrap_or(APART * scale);
        let parts =
            if dynamics.diffusion.is_some() { (dt / (KICKS * scale)).ceil().clamp(1.0, 1e4) as usize } else { 1 };
        let lost = || IdentifyError::FlowLost { dt };
        let around = (&starts[..], &scales[..], scale);
        let motion = Motion::new(dynamics, dt / parts as f64, &full, around, TOLERANCE).ok_or_else(lost)?;
        Ok(Setting { motion, dt, parts, scale, starts, scales, which, hidden })
    }
}

/// Whether points of a simulation move about as far as the data do in what was measured: the search may be where all comes to rest.
fn moves(points: &[f64], dim: usize, which: &[usize], sample: &Sample) -> bool {
    let own = deviations(points, dim);
    which.iter().zip(&sample.deviations).all(|(c, d)| own[*c] > MOVES * d)
}

/// Errors, misfit and words at the end.
fn concluded(
    mut search: Search<'_>,
    local: &Local,
    rests: bool,
    (start, at_start): (&[f64], f64),
    ordered: bool,
    clock: Instant,
) -> Estimate {
    let (p, mut remarks) = (search.theta.len(), Vec::new());
    let (step, _) = local.step();
    let (covariance, k) = (local.covariance(), step.len());
    // Where they do not rest a whole step may lead anywhere.
    if rests {
        search.take(&step, 1.0);
    }
    let names = search.replicates.dynamics.names();
    let tells = |v: &&Vec<f64>| v[..p].iter().any(|x| x.abs() > 0.1);
    let blind = local.blind.iter().filter(tells);
    let undetermined: Vec<_> =
        blind.map(|v| in_words(&v[..p], &search.theta, &search.units, &names, ordered)).collect();
    let touched = |j: usize| undetermined.iter().any(|u| u.direction[j] != 0.0);
    let in_units = |i: usize, j: usize| covariance[i * k + j] * search.units[i] * search.units[j];
    let errors = (0..p).map(|j| Some(in_units(j, j).max(0.0).sqrt()).filter(|e| e.is_finite() && !touched(j)));
    let standard_errors: Vec<Option<f64>> = errors.collect();
    let whole = standard_errors.iter().all(Option::is_some);
    if !rests {
        remarks.push("parameters of the simulations did not come to rest; start closer".into());
    }
    let misfit = local.misfit();
    Estimate {
        estimator: super::NAME,
        covariance: whole.then(|| (0..p * p).map(|at| in_units(at / p, at % p)).collect()),
        standard_errors: Some(standard_errors),
        misfit,
        undetermined,
        converged: rests,
        noise: search.noise.iter().map(|v| v.max(0.0).sqrt()).collect(),
        remarks,
        objections: Vec::new(),
        trace: vec![(start.to_vec(), at_start), (search.theta.clone(), misfit.map_or(local.value, |m| m.statistic))],
        theta: search.theta,
        seconds: clock.elapsed().as_secs_f64(),
    }
}

impl Search<'_> {
    /// The stage with stretches that suit its simulations.
    fn measured(&self, stage: Stage, fewest: usize) -> Result<Stage, IdentifyError> {
        let points = stage.count.saturating_sub(self.features.reach()).max(1);
        let most = (STRETCHES / stage.centre).max(fewest);
        let length = points.div_ceil(most).max(STRETCH.min(points * stage.sides / fewest).max(1));
        let jobs = [(self.theta.clone(), stage.centre)];
        let found = self.replicates.means(&self.features, &jobs, stage.count, length).remove(0);
        let found = found.ok_or_else(|| IdentifyError::Unbounded { theta: self.theta.clone() })?;
        Ok(Stage { length, span: span(&found, fewest), ..stage })
    }
}
