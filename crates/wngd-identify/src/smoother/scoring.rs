//! Parameters, D and the noise of the observations of a driven motion where the filter's likelihood is largest: Fisher's
//! scoring, Σ v'v'ᵀ/S + ½ S'S'ᵀ/S², with derivatives by differences of whole filters.
//!
//! Path and parameters at once, as where nothing drives the motion, would be biased here: what stays uncertain of the path has
//! a part in the likelihood that depends on the parameters.

use std::time::Instant;

use rayon::prelude::*;
use wngd_linalg::dense::symmetric_eigen;
use wngd_linalg::faer::Mat;

use super::drive::Drive;
use super::forward::Forward;
use super::misfit::misfit;
use super::observed::Observed;
use super::sigma::{Run, Setting, filter};
use super::solve::inverted;
use crate::dynamics::Dynamics;
use crate::estimate::Estimate;
use crate::flow_map::FlowMap;
use crate::weak::in_words;

/// Points that a search takes at first, how many times as many the next one takes, and most of all.
const SOME: usize = 1000;
const MORE: usize = 5;
const MOST: usize = 40_000;
/// Most steps on them.
const STEPS: usize = 40;
/// Step of the differences, as a share of the unit.
const DIFFERENCE: f64 = 1e-5;
/// A step of less than this many standard errors ends the search.
const STILL: f64 = 0.02;
/// Most that an unknown changes in one step, in its unit.
const FARTHEST: f64 = 0.3;
/// Shortest part of a step that is tried.
const SHORTEST: f64 = 0.01;
/// Noise of the observations below this share of what an innovation has in all is taken for none.
const UNSEEN: f64 = 1e-3;
/// What is taken for none.
const NONE: f64 = 1e-12;
/// Information on the logarithm of a variance that is taken for granted.
const VAGUE: f64 = 0.01;
/// Standard errors by which a known D must be off.
const BEYOND: f64 = 6.0;

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unknown {
    /// A free parameter.
    Parameter(usize),
    /// The logarithm of a variance of the noise.
    Noise(usize),
    /// A factor of a D that is known; looked at in the end, never moved.
    Known(usize),
}

/// A search under way.
pub(super) struct Scoring<'a> {
    pub(super) dynamics: &'a Dynamics,
    pub(super) map: &'a FlowMap<'a>,
    pub(super) drive: &'a Drive,
    pub(super) theta: Vec<f64>,
    /// Unit of each parameter.
    pub(super) units: Vec<f64>,
    /// Variances of the noise, in squares of the scales.
    pub(super) noise: Vec<f64>,
    /// Whether they were declared.
    pub(super) declared: bool,
    pub(super) remarks: Vec<String>,
}

/// The likelihood about some values of the unknowns.
struct Local {
    run: Run,
    /// dv and dS by each unknown.
    slopes: Vec<(Vec<f64>, Vec<f64>)>,
    score: Vec<f64>,
    /// Row-major.
    information: Vec<f64>,
}

impl Scoring<'_> {
    /// Searches on the first points, then on all that are taken.
    pub(super) fn estimate(mut self, all: &Observed, points: usize, clock: Instant) -> Estimate {
        let start = self.theta.clone();
        let mut ended = None;
        let most = all.count().min(MOST);
        let counts = std::iter::successors(Some(SOME), |count| Some(count * MORE)).take_while(|count| 2 * count < most);
        for count in counts.chain([most]) {
            let observed = all.first(count);
            let Some((local, converged)) = self.search(&observed) else {
                self.remarks.push(format!("the path was lost on the first {count} points; start closer"));
                break;
            };
            if !converged {
                self.remarks.push(format!("the search did not come to rest on the first {count} points; start closer"));
            }
            ended = Some((observed, local, converged));
            if !converged {
                break;
            }
        }
        if let Some((observed, ..)) = &ended
            && observed.count() < points
        {
            self.remarks.push(format!("the first {} of {points} points", observed.count()));
        }
        self.concluded(ended, start, all, clock)
    }

    fn setting(&self) -> Setting {
        let factors = vec![1.0; self.drive.coordinates().len()];
        Setting { full: self.dynamics.theta_full(&self.theta), noise: self.noise.clone(), factors }
    }

    /// What is looked for: noise only where it is neither declared nor gone.
    fn unknowns(&self) -> Vec<Unknown> {
        let parameters = (0..self.theta.len()).map(Unknown::Parameter);
        let noise = (0..self.noise.len()).filter(|i| !self.declared && self.noise[*i] > NONE).map(Unknown::Noise);
        parameters.chain(noise).collect()
    }

    fn search(&mut self, observed: &Observed) -> Option<(Local, bool)> {
        for _ in 0..STEPS {
            let unknowns = self.unknowns();
            let local = self.local(observed, &unknowns)?;
            let step = profiled(&local, self.theta.len()).step;
            let q = unknowns.len();
            let small = (0..q).all(|i| step[i].abs() * local.information[i * q + i].sqrt() < STILL);
            let gone = self.without_unseen(&local);
            if small && !gone {
                return Some((local, true));
            }
            if gone {
                continue;
            }
            if !self.moved(observed, &unknowns, &step, local.run.likelihood()) {
                return Some((local, false));
            }
        }
        let unknowns = self.unknowns();
        Some((self.local(observed, &unknowns)?, false))
    }

    /// Takes noise that is not seen beside the rest of the innovations for none.
    fn without_unseen(&mut self, local: &Local) -> bool {
        let m = self.noise.len();
        let mut gone = false;
        for i in 0..m {
            let seen: Vec<f64> = local.run.variances.iter().skip(i).step_by(m).copied().filter(|s| *s > 0.0).collect();
            let mean = seen.iter().sum::<f64>() / seen.len().max(1) as f64;
            if !self.declared && self.noise[i] > NONE && self.noise[i] < UNSEEN * mean {
                self.noise[i] = NONE;
                gone = true;
            }
        }
        gone
    }

    /// The longest part of a step that makes the likelihood no smaller; whether there is one.
    fn moved(&mut self, observed: &Observed, unknowns: &[Unknown], step: &[f64], before: f64) -> bool {
        let far = step.iter().fold(0.0, |most: f64, s| most.max(s.abs()));
        let mut length = (FARTHEST / far).min(1.0);
        let shortest = SHORTEST * length;
        let (theta, noise) = (self.theta.clone(), self.noise.clone());
        while length >= shortest {
            for (unknown, s) in unknowns.iter().zip(step) {
                match *unknown {
                    Unknown::Parameter(j) => {
                        let next = theta[j] + length * s * self.units[j];
                        // D is positive.
                        self.theta[j] = if self.drive.owns(j) { next.max(0.1 * theta[j]) } else { next };
                    }
                    Unknown::Noise(i) => self.noise[i] = noise[i] * (length * s).exp(),
                    Unknown::Known(_) => {}
                }
            }
            let there = filter(self.map, self.drive, observed, &self.setting());
            if there.is_some_and(|run| run.likelihood() >= before) {
                return true;
            }
            length *= 0.4;
        }
        (self.theta, self.noise) = (theta, noise);
        false
    }

    /// The filter with its derivatives.
    fn local(&self, observed: &Observed, unknowns: &[Unknown]) -> Option<Local> {
        let here = self.setting();
        let moved = |unknown: &Unknown| {
            let mut there = here.clone();
            match *unknown {
                Unknown::Parameter(j) => there.full[self.dynamics.free()[j]] += DIFFERENCE * self.units[j],
                Unknown::Noise(i) => there.noise[i] *= DIFFERENCE.exp(),
                Unknown::Known(c) => there.factors[c] += DIFFERENCE,
            }
            there
        };
        let settings: Vec<Setting> = std::iter::once(here.clone()).chain(unknowns.iter().map(moved)).collect();
        let runs = settings.par_iter().map(|setting| filter(self.map, self.drive, observed, setting));
        let mut runs = runs.collect::<Vec<_>>().into_iter().collect::<Option<Vec<Run>>>()?;
        let run = runs.remove(0);
        let slope = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b) / DIFFERENCE).collect::<Vec<f64>>();
        let slopes: Vec<(Vec<f64>, Vec<f64>)> = runs
            .iter()
            .map(|moved| (slope(&moved.innovations, &run.innovations), slope(&moved.variances, &run.variances)))
            .collect();
        let q = unknowns.len();
        let (mut score, mut information) = (vec![0.0; q], vec![0.0; q * q]);
        for (at, (v, s)) in run.innovations.iter().zip(&run.variances).enumerate().filter(|(_, (_, s))| **s > 0.0) {
            for i in 0..q {
                let (dv, ds) = (slopes[i].0[at], slopes[i].1[at]);
                score[i] += 0.5 * ds / s * (v * v / s - 1.0) - v * dv / s;
                for j in 0..=i {
                    information[i * q + j] += dv * slopes[j].0[at] / s + 0.5 * ds * slopes[j].1[at] / (s * s);
                }
            }
        }
        for i in 0..q {
            (0..i).for_each(|j| information[j * q + i] = information[i * q + j]);
        }
        Some(Local { run, slopes, score, information })
    }

    /// A D that is known and is not what the innovations say.
    fn beyond(&self, observed: &Observed) -> Option<String> {
        let known = (0..self.drive.coordinates().len()).filter(|c| self.drive.owner(*c).is_none());
        known.into_iter().find_map(|c| {
            let mut unknowns = self.unknowns();
            let p = self.theta.len();
            unknowns.insert(p, Unknown::Known(c));
            let found = profiled(&self.local(observed, &unknowns)?, p + 1);
            let (step, error) = (found.step[p], found.inverse[p * (p + 1) + p].max(0.0).sqrt());
            (error > 0.0 && step.abs() > BEYOND * error).then(|| {
                format!(
                    "what drives {} has about {:.2} times the D that [diffusion] says: make it a parameter",
                    self.dynamics.variables()[self.drive.coordinates()[c]],
                    (1.0 + step).max(0.0)
                )
            })
        })
    }

    fn concluded(
        mut self,
        ended: Option<(Observed, Local, bool)>,
        start: Vec<f64>,
        all: &Observed,
        clock: Instant,
    ) -> Estimate {
        let p = self.theta.len();
        let noise = |scoring: &Self| -> Vec<f64> {
            let levels = all.which.iter().zip(&scoring.noise);
            levels.map(|(c, r)| if *r > NONE { r.sqrt() * all.scales[*c] } else { 0.0 }).collect()
        };
        let mut estimate = Estimate {
            estimator: "smoother",
            theta: self.theta.clone(),
            standard_errors: None,
            covariance: None,
            misfit: None,
            undetermined: Vec::new(),
            converged: false,
            noise: noise(&self),
            remarks: Vec::new(),
            objections: Vec::new(),
            trace: vec![(start, 0.0)],
            seconds: 0.0,
        };
        if let Some((observed, local, converged)) = ended {
            let Profiled { inverse, blind, .. } = profiled(&local, p);
            let names = self.dynamics.names();
            estimate.undetermined = blind.iter().map(|v| in_words(v, &self.theta, &self.units, &names, true)).collect();
            let touched = |j: usize| estimate.undetermined.iter().any(|u| u.direction[j] != 0.0);
            let error = |j: usize| inverse[j * p + j].max(0.0).sqrt() * self.units[j];
            estimate.standard_errors = Some((0..p).map(|j| (!touched(j)).then(|| error(j))).collect());
            let entry = |at: usize| inverse[at] * self.units[at / p] * self.units[at % p];
            estimate.covariance = estimate.undetermined.is_empty().then(|| (0..p * p).map(entry).collect());
            estimate.misfit = misfit(&observed, &local.run.predicted, &whitened(&local, &observed, p), &inverse);
            estimate.converged = converged && inverse.iter().all(|v| v.is_finite());
            estimate.objections.extend(self.beyond(&observed));
            let squares = local.run.innovations.iter().zip(&local.run.variances).filter(|(_, s)| **s > 0.0);
            let mean = squares.map(|(v, s)| v * v / s).sum::<f64>() / observed.seen() as f64;
            estimate.trace.push((self.theta.clone(), mean));
            if !self.declared {
                let each = all.which.iter().zip(&estimate.noise);
                let each: Vec<String> =
                    each.map(|(c, s)| format!("{} {s:.4}", self.dynamics.variables()[*c])).collect();
                self.remarks.push(format!("noise of the observations found: {}", each.join(", ")));
            }
        }
        estimate.remarks = self.remarks;
        estimate.seconds = clock.elapsed().as_secs_f64();
        estimate
    }
}

/// As the misfit wants it: innovations with their derivatives by the parameters about the predicted points.
fn whitened(local: &Local, observed: &Observed, p: usize) -> Forward {
    let (n, d, m) = (observed.count(), observed.dim, observed.which.len());
    let mut out = Forward::empty(n, d, m, p);
    out.variances.clone_from(&local.run.variances);
    for (at, row) in out.innovations.chunks_exact_mut(1 + p).enumerate() {
        row[0] = local.run.innovations[at];
        (0..p).for_each(|j| row[1 + j] = local.slopes[j].0[at]);
    }
    out
}

/// The information on the first `p` unknowns with the others (logarithms of variances) taken out, its inverse, combinations of
/// them that it does not determine, and Newton's step of all.
struct Profiled {
    inverse: Vec<f64>,
    blind: Vec<Vec<f64>>,
    step: Vec<f64>,
}

fn profiled(local: &Local, p: usize) -> Profiled {
    let q = local.score.len();
    let entry = |i: usize, j: usize| local.information[i * q + j];
    let r = q - p;
    // A variance may be of any size for all that the data say.
    let others: Vec<f64> =
        (0..r * r).map(|at| entry(p + at / r, p + at % r) + if at / r == at % r { VAGUE } else { 0.0 }).collect();
    let others = inverse(&others, r);
    // I_pr I_rr⁻¹
    let carried: Vec<f64> =
        (0..p * r).map(|at| (0..r).map(|l| entry(at / r, p + l) * others[l * r + at % r]).sum()).collect();
    let along = |i: usize, of: &dyn Fn(usize) -> f64| (0..r).map(|l| carried[i * r + l] * of(l)).sum::<f64>();
    let information: Vec<f64> =
        (0..p * p).map(|at| entry(at / p, at % p) - along(at / p, &|l| entry(p + l, at % p))).collect();
    let (inverse, blind) = inverted(&information, p);
    let score: Vec<f64> = (0..p).map(|i| local.score[i] - along(i, &|l| local.score[p + l])).collect();
    let mut step: Vec<f64> = (0..p).map(|i| (0..p).map(|j| inverse[i * p + j] * score[j]).sum()).collect();
    let left: Vec<f64> =
        (0..r).map(|l| local.score[p + l] - (0..p).map(|j| entry(p + l, j) * step[j]).sum::<f64>()).collect();
    step.extend((0..r).map(|l| (0..r).map(|k| others[l * r + k] * left[k]).sum::<f64>()));
    Profiled { inverse, blind, step }
}

/// Inverse of a positive definite matrix, row-major.
fn inverse(matrix: &[f64], r: usize) -> Vec<f64> {
    let mut out = vec![0.0; r * r];
    if r == 0 {
        return out;
    }
    let Ok((values, vectors)) = symmetric_eigen(Mat::from_fn(r, r, |i, j| matrix[i * r + j]).as_ref()) else {
        return vec![f64::NAN; r * r];
    };
    for (l, value) in values.iter().enumerate() {
        (0..r * r).for_each(|at| out[at] += vectors[(at / r, l)] * vectors[(at % r, l)] / value);
    }
    out
}
