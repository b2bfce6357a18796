//! Gauss–Newton on path and parameters, with the variances found on the way.

use wngd_linalg::dense::symmetric_eigen;
use wngd_linalg::faer::Mat;

use super::backward::{Backward, backward};
use super::forward::{Forward, Variances, forward};
use super::links::{CHEAP, Link, flow, links};
use super::observed::Observed;
use crate::dynamics::Dynamics;

/// A step of less than this many standard errors ends the iteration.
const STILL: f64 = 0.02;
/// Relative change of a variance that ends it, too.
const SETTLED: f64 = 0.02;
/// The same for motion that is less than this share of the noise of a point: what it does to path and parameters is nothing.
const CREEPS: f64 = 0.1;
const FAINT: f64 = 1e-5;
/// Shortest part of a step that is tried.
const SHORTEST: f64 = 0.1;
/// Rise of the squares per observation that a step may bring: variances change with it.
const SLACK: f64 = 0.05;
/// Most that a parameter changes in one step, in its unit.
const FARTHEST: f64 = 0.3;
/// Information on a combination of parameters below which it does not move: a standard error of its unit.
const LEAST_SEEN: f64 = 1.0;
/// The same for one that may be what a path out of place says of itself: a tenth of its unit.
const BARELY_SEEN: f64 = 100.0;
/// Information below this share of the largest is rounding.
const ROUNDING: f64 = 1e-13;
/// Least variance of noise and of motion, in squares of the scales.
const LEAST_NOISE: f64 = 1e-14;
const LEAST_MOTION: f64 = 1e-16;
/// Least variance of motion as a share of the noise: that of a search, and that of a path which follows the flow as strictly.
pub(super) const SEARCHED: f64 = 1e-7;
const FOLLOWED: f64 = 1e-9;
/// Error of the flow as a share of the least motion: it does not average out from step to step, as motion does.
const FINE: f64 = 0.01;
/// Power of the ratio of scores that the motion falls and rises by: what it begins with, its least, and how it grows and shrinks.
const FASTER: f64 = 3.0;
const SLOWEST: f64 = 0.5;
const HURRY: f64 = 1.3;
const PATIENCE: f64 = 0.5;
/// Most that a variance changes in one step.
const FALL: f64 = 0.01;
const RISE: f64 = 10.0;

/// What is held fixed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Held {
    /// Noise of the observations was declared.
    pub(super) observation: bool,
    /// What drives the motion was declared.
    pub(super) motion: bool,
}

/// The iteration under way.
#[derive(Clone)]
pub(super) struct Iteration<'a> {
    pub(super) dynamics: &'a Dynamics,
    pub(super) observed: Observed,
    pub(super) path: Vec<f64>,
    pub(super) theta: Vec<f64>,
    /// Unit of each parameter.
    pub(super) units: Vec<f64>,
    pub(super) variances: Variances,
    pub(super) held: Held,
    /// Least variance of motion as a share of the noise.
    pub(super) strict: f64,
}

/// Where an iteration ended.
pub(super) struct End {
    pub(super) forward: Forward,
    pub(super) backward: Backward,
    /// Whether path, parameters and variances stood still.
    pub(super) converged: bool,
    pub(super) steps: usize,
    /// Mean square of the innovations in units of their variances at the start.
    pub(super) first: f64,
}

impl Iteration<'_> {
    /// At most `most` steps; `None` where the flow cannot be followed.
    ///
    /// A path that is not in its place yet says something of combinations that the data do not determine, along which the
    /// search then creeps: where it has not come to rest it goes on with such a one held, and lets go of it at the end.
    pub(super) fn run(&mut self, most: usize) -> Option<End> {
        let end = self.steps(most, LEAST_SEEN)?;
        let (values, _) = eigen(&end.forward.information, self.theta.len())?;
        let barely = values.iter().any(|v| (LEAST_SEEN..BARELY_SEEN).contains(v));
        if end.converged || !barely {
            return Some(end);
        }
        let held = self.steps(most, BARELY_SEEN)?;
        if held.converged { self.steps(most, LEAST_SEEN) } else { Some(held) }
    }

    /// At most `most` steps along what has at least the information `seen`.
    fn steps(&mut self, most: usize, seen: f64) -> Option<End> {
        let p = self.theta.len();
        let mut found = self.links(&self.path, &self.theta)?;
        let mut cost = self.cost(&self.path, &found);
        let mut steps = 0;
        let mut first = None;
        let mut pace = vec![Pace { power: FASTER, rises: false }; self.observed.dim];
        loop {
            let ahead = forward(&self.observed, &self.path, &found, &self.variances, p);
            let first = *first.get_or_insert(ahead.squares / self.observed.seen() as f64);
            let step = solved(&ahead.information, &ahead.gradient, seen)?;
            let back = backward(&self.observed, &found, &ahead, &step);
            let far = step.iter().fold(0.0, |most: f64, s| most.max(s.abs()));
            let bounded: Vec<f64> = step.iter().map(|s| s * (FARTHEST / far).min(1.0)).collect();
            let next = self.updated(&back, &mut pace);
            let settled = self.settled(&next);
            let small = (0..p).all(|j| step[j].abs() * ahead.information[j * p + j].sqrt() < STILL);
            let converged = small && settled && steps > 0;
            if converged || steps >= most {
                return Some(End { forward: ahead, backward: back, converged, steps, first });
            }
            steps += 1;
            // The path moves with the parameters: a shorter step of them takes its own way back.
            let back = if bounded == step { back } else { backward(&self.observed, &found, &ahead, &bounded) };
            let (path, theta, links) = self.taken(&bounded, &back.shift, cost)?;
            (self.path, self.theta, found) = (path, theta, links);
            self.variances = next;
            cost = self.cost(&self.path, &found);
        }
    }

    /// The longest part of a step after which the path is not much further from the data.
    fn taken(&self, step: &[f64], shift: &[f64], cost: f64) -> Option<(Vec<f64>, Vec<f64>, Vec<Link>)> {
        let (d, scales) = (self.observed.dim, &self.observed.scales);
        let most = cost + SLACK * self.observed.seen() as f64;
        let mut length = 1.0;
        loop {
            let moved = self.path.iter().zip(shift).enumerate();
            let path: Vec<f64> = moved.map(|(i, (x, u))| x + length * scales[i % d] * u).collect();
            let moved = self.theta.iter().zip(step).zip(&self.units);
            let theta: Vec<f64> = moved.map(|((t, s), unit)| t + length * s * unit).collect();
            let links = self.links(&path, &theta);
            if let Some(links) = links.filter(|links| length < SHORTEST || self.cost(&path, links) <= most) {
                return Some((path, theta, links));
            }
            if length < SHORTEST {
                return None;
            }
            length *= 0.4;
        }
    }

    pub(super) fn links(&self, path: &[f64], theta: &[f64]) -> Option<Vec<Link>> {
        let error = (FINE * self.least_motion(&self.variances).sqrt()).min(CHEAP);
        let map = flow(self.dynamics, &self.observed, path, theta, error)?;
        links(&map, &self.observed, path, &self.dynamics.theta_full(theta), &self.units)
    }

    /// Squares of noise and motion along a path, in units of their variances.
    fn cost(&self, path: &[f64], links: &[Link]) -> f64 {
        let (d, observed) = (self.observed.dim, &self.observed);
        let mut sum = 0.0;
        for k in 0..observed.count() {
            for (i, (&c, value)) in
                observed.which.iter().zip(observed.row(k)).enumerate().filter(|(_, (_, v))| !v.is_nan())
            {
                let residual = (value - path[k * d + c]) / observed.scales[c];
                sum += residual * residual / self.variances.observation[i];
            }
            let share = observed.after[k] / observed.dt;
            let gaps = links[k].gap.iter().zip(&self.variances.motion);
            sum += gaps.map(|(g, q)| g * g / (q * share)).sum::<f64>();
        }
        sum
    }

    /// Variances that make the scores as large as they should be (MacKay's fixed point of the evidence).
    fn updated(&self, back: &Backward, pace: &mut [Pace]) -> Variances {
        let ratio =
            |[squared, expected]: [f64; 2]| if expected > 0.0 { (squared / expected).clamp(1e-6, 1e6) } else { 1.0 };
        let mut next = self.variances.clone();
        if !self.held.observation {
            for (r, scores) in next.observation.iter_mut().zip(&back.observation) {
                *r = (*r * ratio(*scores).clamp(FALL, RISE)).max(LEAST_NOISE);
            }
        }
        if !self.held.motion {
            let least = self.least_motion(&next);
            for ((q, scores), pace) in next.motion.iter_mut().zip(&back.motion).zip(pace) {
                let ratio = ratio(*scores);
                *q = (*q * ratio.powf(pace.after(ratio > 1.0)).clamp(FALL, RISE)).max(least);
            }
        }
        next
    }

    /// Whether the path follows the flow as strictly as may be.
    fn follows(&self) -> bool {
        let least = self.least_motion(&self.variances);
        self.variances.motion.iter().all(|q| *q <= 1.5 * least)
    }

    /// The same with a path that follows the flow more strictly, in at most `most` steps, if it comes to rest there.
    ///
    /// What little a path may leave the flow forgets what came before: parameters of a flow that is followed are known much
    /// better. But the search needs it, and so does whoever tells what is not determined at all.
    pub(super) fn sharpened(&self, end: &End, most: usize) -> Option<(Self, End)> {
        let (_, blind) = inverted(&end.forward.information, self.theta.len());
        if !end.converged || !self.follows() || !blind.is_empty() {
            return None;
        }
        let mut sharp = Iteration { strict: FOLLOWED, ..self.clone() };
        let least = sharp.least_motion(&sharp.variances);
        sharp.variances.motion.fill(least);
        let end = sharp.run(most)?;
        (end.converged && sharp.follows()).then_some((sharp, end))
    }

    /// Motion this small leaves the path to the flow.
    pub(super) fn least_motion(&self, variances: &Variances) -> f64 {
        (self.strict * quietest(variances)).max(LEAST_MOTION)
    }

    fn settled(&self, next: &Variances) -> bool {
        let least = self.least_motion(&self.variances);
        let faint = FAINT * quietest(&self.variances);
        let near = |a: f64, b: f64, share: f64| (a - b).abs() <= share * a.max(b);
        let mut noise = self.variances.observation.iter().zip(&next.observation);
        let mut motion = self.variances.motion.iter().zip(&next.motion);
        noise.all(|(a, b)| near(*a, *b, SETTLED) || a.max(*b) <= 1.5 * LEAST_NOISE)
            && motion.all(|(a, b)| {
                let creeps = a.max(*b) < faint && near(*a, *b, CREEPS);
                // At its floor it may stand still.
                creeps || near(*a, *b, SETTLED) || a.max(*b) <= 1.5 * least
            })
    }
}

/// The least noise of a column.
fn quietest(variances: &Variances) -> f64 {
    variances.observation.iter().copied().fold(f64::INFINITY, f64::min)
}

/// How fast a variance follows its scores.
#[derive(Debug, Clone, Copy)]
struct Pace {
    power: f64,
    rises: bool,
}

impl Pace {
    /// The power of the next step. Where there is no motion the ratio stays at some value below 1, so that more than the first
    /// power is saved time; but a variance that turns back was too fast.
    fn after(&mut self, rises: bool) -> f64 {
        let turned = rises != std::mem::replace(&mut self.rises, rises);
        self.power = if turned { self.power * PATIENCE } else { self.power * HURRY }.clamp(SLOWEST, FASTER);
        self.power
    }
}

/// −H⁻¹ g in the directions that are seen; along the others parameters stay where they are.
fn solved(information: &[f64], gradient: &[f64], seen: f64) -> Option<Vec<f64>> {
    let p = gradient.len();
    let (values, vectors) = eigen(information, p)?;
    let mut step = vec![0.0; p];
    for l in (0..p).filter(|l| values[*l] > seen && values[*l] > ROUNDING * values[p - 1]) {
        let along: f64 = (0..p).map(|j| vectors[(j, l)] * gradient[j]).sum::<f64>() / values[l];
        (0..p).for_each(|i| step[i] -= vectors[(i, l)] * along);
    }
    step.iter().all(|s| s.is_finite()).then_some(step)
}

/// Eigenvalues of the information, ascending, and its eigenvectors.
fn eigen(information: &[f64], p: usize) -> Option<(Vec<f64>, Mat<f64>)> {
    symmetric_eigen(Mat::from_fn(p, p, |i, j| information[i * p + j]).as_ref()).ok()
}

/// Inverse of the information, and the combinations that it does not determine.
pub(super) fn inverted(information: &[f64], p: usize) -> (Vec<f64>, Vec<Vec<f64>>) {
    let Some((values, vectors)) = eigen(information, p) else { return (vec![f64::NAN; p * p], Vec::new()) };
    let seen = |l: usize| values[l] > LEAST_SEEN && values[l] > ROUNDING * values[p - 1];
    let blind = (0..p).filter(|l| !seen(*l)).map(|l| (0..p).map(|i| vectors[(i, l)]).collect()).collect();
    let mut inverse = vec![0.0; p * p];
    for l in (0..p).filter(|l| seen(*l)) {
        for i in 0..p {
            (0..p).for_each(|j| inverse[i * p + j] += vectors[(i, l)] * vectors[(j, l)] / values[l]);
        }
    }
    (inverse, blind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variance_that_turns_back_slows_down() {
        let mut pace = Pace { power: FASTER, rises: false };
        assert!((pace.after(false) - FASTER).abs() < 1e-15);
        let turned: Vec<f64> = [true, false, true, false].map(|rises| pace.after(rises)).to_vec();
        assert!(turned.windows(2).all(|two| two[1] < two[0] || two[1] == SLOWEST), "{turned:?}");
        assert!((0..20).map(|_| pace.after(false)).last().is_some_and(|power| power == FASTER));
    }
}
