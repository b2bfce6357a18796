//! From a start to a stationary point: EM steps, then steps of Newton's method, turned towards EM's where the Hessian is
//! not definite; every step is held to the likelihood.

use crate::component::{Component, Parameters};
use crate::dense;
use crate::em::{above, maximise};
use crate::layout::{Layout, Slot, congruence, pulled};
use crate::likelihood::{Curvature, Likelihood, pairs};
use crate::options::Family;

/// gᵀA⁻¹g below which the end is stationary: the next step is 1e-5 of every standard error at most.
const STATIONARY: f64 = 1e-10;
/// Longest step in the Fisher–Rao metric of the model, per observation.
const RADIAN: f64 = 1.0;
/// Share of a component that keeps less than one observation.
const LOST: f64 = 0.5;
/// How often covariances at the floor are looked at again.
const ROUNDS: usize = 10;

/// Most steps with the information of a part.
const CHORDS: usize = 12;

/// One row of a trace.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub log_likelihood: f64,
    pub gradient: Vec<f64>,
    pub slope: f64,
    pub step: f64,
    pub parameters: Parameters,
}

/// A point on the way.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    pub parameters: Parameters,
    pub log_likelihood: f64,
    pub at_floor: Vec<bool>,
    /// Whether the last EM step changed the likelihood by less than its tolerance.
    pub settled: bool,
}

/// How the last phase ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Stationary,
    Limit,
    Stalled,
}

/// An end with what is known there.
#[derive(Debug, Clone)]
pub(crate) struct Polished {
    pub point: Point,
    pub end: End,
    pub iterations: usize,
    pub curvature: Option<Curvature>,
    pub trace: Vec<Row>,
}

/// EM steps until the likelihood gains less than `tolerance` per observation; none where a component is lost.
pub(crate) fn em(
    likelihood: &dyn Likelihood,
    start: &Parameters,
    family: Family,
    floor: &[f64],
    most: usize,
    tolerance: f64,
    trace: &mut Option<&mut Vec<Row>>,
) -> Option<Point> {
    let total = likelihood.total();
    let layout = Layout::new(family, start.components(), start.dim);
    let pairs = pairs(start.dim, family.is_diagonal());
    let mut parameters = start.clone();
    let mut at_floor = vec![false; start.components()];
    let mut last = f64::NEG_INFINITY;
    let mut settled = false;
    for iteration in 0..=most {
        if likelihood.stopped() {
            return None;
        }
        let components = parameters.prepare()?;
        let moments = likelihood.moments(&components, family.is_diagonal());
        if !moments.log_likelihood.is_finite() || moments.count.iter().any(|n| !(*n > LOST)) {
            return None;
        }
        settled = moments.log_likelihood - last < tolerance * total;
        last = moments.log_likelihood;
        let next = maximise(&moments, &components, family, floor);
        if let Some(rows) = trace {
            let gradient =
                pulled(&layout.jacobian(&components), &moments.gradient(start.dim, &pairs), layout.slots.len());
            let (from, to) = (layout.theta(&parameters), layout.theta(&next.parameters));
            let slope = gradient.iter().zip(from.iter().zip(&to)).map(|(g, (a, b))| g * (b - a)).sum();
            let row = Row { log_likelihood: last, gradient, slope, step: 1.0, parameters: parameters.clone() };
            rows.push(row);
        }
        if settled || iteration == most {
            break;
        }
        (parameters, at_floor) = (next.parameters, next.at_floor);
    }
    Some(Point { parameters, log_likelihood: last, at_floor, settled })
}

/// Steps with the information of a part of the data and the gradient of all of them, which a pass for moments gives:
/// each leaves a share of about 1/√(size of the part) of the error. Ends where that does not help.
pub(crate) fn chord(likelihood: &dyn Likelihood, part: &Polished, family: Family, floor: &[f64], share: f64) -> Point {
    let mut point = part.point.clone();
    point.log_likelihood = f64::NEG_INFINITY;
    let everything = Layout::new(family, point.parameters.components(), point.parameters.dim);
    let layout = everything.holding(&point.at_floor);
    let p = layout.slots.len();
    let pairs = pairs(point.parameters.dim, family.is_diagonal());
    let (Some(curvature), Some(there)) = (&part.curvature, point.parameters.prepare()) else { return point };
    let n = curvature.gradient.len();
    let information = congruence(&layout.whitened(&there), &curvature.observed, n, p);
    let Some(factor) = dense::cholesky(&information, p) else { return point };
    let outward = layout.outward(&there);
    let mut next = point.parameters.clone();
    for _ in 0..CHORDS {
        if likelihood.stopped() {
            break;
        }
        let inside = next.covariances.iter().zip(&point.at_floor).all(|(c, held)| *held || above(c, floor));
        let Some(components) = next.prepare().filter(|_| inside) else { break };
        let moments = likelihood.moments(&components, family.is_diagonal());
        if !(moments.log_likelihood > point.log_likelihood) {
            break;
        }
        (point.parameters, point.log_likelihood) = (next, moments.log_likelihood);
        let gradient = pulled(&layout.whitened(&components), &moments.gradient(point.parameters.dim, &pairs), p);
        let mut step = gradient.clone();
        dense::solve(&factor, p, &mut step);
        step.iter_mut().for_each(|s| *s *= share);
        let slope: f64 = step.iter().zip(&gradient).map(|(s, g)| s * g).sum();
        if slope < 0.1 * STATIONARY {
            break;
        }
        next = layout.moved(&point.parameters, &times(&outward, &step), 1.0);
    }
    point
}

/// The last phase.
pub(crate) fn polish(
    likelihood: &dyn Likelihood,
    start: Point,
    family: Family,
    floor: &[f64],
    most: usize,
    traced: bool,
) -> Polished {
    let mut trace = Vec::new();
    let mut state = start;
    let mut used = 0;
    for _ in 0..ROUNDS {
        let before = state.log_likelihood;
        let polished = newton(likelihood, state, family, floor, most - used, traced.then_some(&mut trace));
        used += polished.iterations;
        let done = polished.end != End::Stationary || !polished.point.at_floor.iter().any(|f| *f);
        if done || used >= most {
            return Polished { iterations: used, trace, ..polished };
        }
        // What is held at the floor may have to move: EM steps know the bound.
        let again = em(likelihood, &polished.point.parameters, family, floor, 50, 1e-12, &mut None);
        let gained = |p: &Point| p.log_likelihood - polished.point.log_likelihood.max(before);
        match again {
            Some(point) if gained(&point) > 1e-9 * likelihood.total() => state = point,
            _ => return Polished { iterations: used, trace, ..polished },
        }
    }
    let components = state.parameters.prepare();
    let curvature = components.map(|c| likelihood.curvature(&c, family.is_diagonal()));
    Polished { point: state, end: End::Limit, iterations: used, curvature, trace }
}

/// Newton's method on what is not held at the floor.
fn newton(
    likelihood: &dyn Likelihood,
    start: Point,
    family: Family,
    floor: &[f64],
    most: usize,
    mut trace: Option<&mut Vec<Row>>,
) -> Polished {
    let mut point = start;
    let everything = Layout::new(family, point.parameters.components(), point.parameters.dim);
    let layout = everything.holding(&point.at_floor);
    let total = likelihood.total();
    let mut known: Option<(Vec<Component>, Curvature)> = None;
    let mut end = End::Limit;
    let mut iterations = 0;
    loop {
        if likelihood.stopped() {
            break;
        }
        if known.is_none() {
            known = point.parameters.prepare().map(|components| {
                let curvature = likelihood.curvature(&components, family.is_diagonal());
                (components, curvature)
            });
        }
        let Some((components, curvature)) = &known else {
            end = End::Stalled;
            break;
        };
        point.log_likelihood = curvature.log_likelihood;
        let (step, definite, slope) = direction(&layout, components, curvature, total);
        if let Some(rows) = &mut trace {
            let all = pulled(&everything.jacobian(components), &curvature.gradient, everything.slots.len());
            let (log_likelihood, parameters) = (point.log_likelihood, point.parameters.clone());
            rows.push(Row { log_likelihood, gradient: all, slope, step: 1.0, parameters });
        }
        if definite && slope < STATIONARY {
            end = End::Stationary;
            break;
        }
        if iterations >= most {
            break;
        }
        iterations += 1;
        match advance(likelihood, &layout, &point, &step, slope, floor, family) {
            Some((parameters, components, curvature)) => {
                point.parameters = parameters;
                known = Some((components, curvature));
            }
            None => {
                let before = point.log_likelihood;
                match em(likelihood, &point.parameters, family, floor, 10, 0.0, &mut None) {
                    Some(next) if next.log_likelihood > before + 1e-13 * before.abs() => {
                        let changed = next.at_floor != point.at_floor;
                        point = next;
                        known = None;
                        if changed {
                            let left = most - iterations;
                            let polished = newton(likelihood, point, family, floor, left, trace);
                            return Polished { iterations: iterations + polished.iterations, ..polished };
                        }
                    }
                    _ => {
                        // No step gains anything: the end is stationary as far as numbers can tell, or it is not.
                        end = if definite && slope < 1e-6 { End::Stationary } else { End::Stalled };
                        break;
                    }
                }
            }
        }
    }
    let curvature = known.map(|(_, curvature)| curvature);
    Polished { point, end, iterations, curvature, trace: Vec::new() }
}

/// A step, whether it is Newton's, and gᵀ(step).
///
/// Where the Hessian is not definite, multiples of the Fisher information of the complete data are added to it: the
/// step turns from Newton's to EM's as they grow (Levenberg and Marquardt's way between the two metrics).
fn direction(layout: &Layout, components: &[Component], curvature: &Curvature, total: f64) -> (Vec<f64>, bool, f64) {
    let (p, n) = (layout.slots.len(), curvature.gradient.len());
    let whitened = layout.whitened(components);
    let gradient = pulled(&whitened, &curvature.gradient, p);
    let observed = congruence(&whitened, &curvature.observed, n, p);
    let fisher = congruence(&whitened, &curvature.scores, n, p);
    let complete = complete(layout, components, total);
    // Weights are the only ones with a scale of their own.
    let unit: Vec<f64> = complete.iter().map(|c| 1.0 / c.sqrt()).collect();
    let scaled: Vec<f64> = (0..p * p).map(|i| observed[i] * unit[i / p] * unit[i % p]).collect();
    let mut step: Vec<f64> = gradient.iter().zip(&unit).map(|(g, u)| g * u).collect();
    let mut factor = dense::cholesky(&scaled, p);
    let definite = factor.is_some();
    let mut damping = 1e-3;
    while factor.is_none() && damping < 1e7 {
        let mut damped = scaled.clone();
        (0..p).for_each(|i| damped[i * p + i] += damping);
        factor = dense::cholesky(&damped, p);
        damping *= 4.0;
    }
    let Some(factor) = factor else { return (vec![0.0; p], false, 0.0) };
    dense::solve(&factor, p, &mut step);
    step.iter_mut().zip(&unit).for_each(|(v, u)| *v *= u);
    let length: f64 = (0..p * p).map(|i| step[i / p] * fisher[i] * step[i % p]).sum();
    // Scores sum over observations: the metric of the model is their mean.
    let cap = (RADIAN / (length / total).sqrt()).min(1.0);
    step.iter_mut().for_each(|v| *v *= cap);
    let slope = step.iter().zip(&gradient).map(|(a, b)| a * b).sum();
    (times(&layout.outward(components), &step), definite, slope)
}

/// Diagonal of the Fisher information of the complete data in whitened parameters.
fn complete(layout: &Layout, components: &[Component], total: f64) -> Vec<f64> {
    let last = components[components.len() - 1].weight;
    let dim = components[0].mean.len() as f64;
    let pair = |a: usize, b: usize| if a == b { 0.5 } else { 1.0 };
    let one = |slot: &Slot| match *slot {
        Slot::Weight(k) => 1.0 / components[k].weight + 1.0 / last,
        Slot::Mean(k, _) => components[k].weight,
        Slot::Variance(k) => 0.5 * dim * components[k].weight,
        Slot::Axis(k, _) => 0.5 * components[k].weight,
        Slot::Entry(k, a, b) => components[k].weight * pair(a, b),
        Slot::Tied(a, b) => pair(a, b),
    };
    layout.slots.iter().map(|slot| total * one(slot)).collect()
}

/// A square matrix times a vector.
fn times(matrix: &[f64], v: &[f64]) -> Vec<f64> {
    let p = v.len();
    matrix.chunks(p.max(1)).map(|row| row.iter().zip(v).map(|(a, b)| a * b).sum()).collect()
}

/// Shortens a step until the likelihood grows; none where it never does.
fn advance(
    likelihood: &dyn Likelihood,
    layout: &Layout,
    point: &Point,
    step: &[f64],
    slope: f64,
    floor: &[f64],
    family: Family,
) -> Option<(Parameters, Vec<Component>, Curvature)> {
    if !(slope > 0.0) {
        return None;
    }
    let noise = 1e-14 * point.log_likelihood.abs() + 1e-15 * likelihood.total();
    let mut factor = 1.0;
    for _ in 0..24 {
        let moved = layout.moved(&point.parameters, step, factor);
        let inside =
            moved.covariances.iter().zip(&point.at_floor).all(|(covariance, held)| *held || above(covariance, floor));
        if inside && let Some(components) = moved.prepare() {
            let enough = point.log_likelihood + 1e-4 * factor * slope - noise;
            // Most first steps are taken, and then the derivatives are needed.
            if factor == 1.0 {
                let curvature = likelihood.curvature(&components, family.is_diagonal());
                if curvature.log_likelihood >= enough {
                    return Some((moved, components, curvature));
                }
            } else if likelihood.value(&components) >= enough {
                let curvature = likelihood.curvature(&components, family.is_diagonal());
                return Some((moved, components, curvature));
            }
        }
        factor *= 0.5;
    }
    None
}
