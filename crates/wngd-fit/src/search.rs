//! The best mixture of a number of components: many starts on few samples, the better ones on more, the best on all.

use rayon::prelude::*;

use crate::component::Parameters;
use crate::descent::{Point, Polished, Row, chord, em, polish};
use crate::layout::Layout;
use crate::likelihood::Likelihood;
use crate::options::{Family, Options};
use crate::points::Points;
use crate::start::{Seeds, split, with_atom};

/// Samples of the first stage, where all starts run.
pub(crate) const SMALL: usize = 2048;
/// Samples of the second stage.
pub(crate) const MEDIUM: usize = 16_384;
/// Starts that go on after the first stage.
const GO_ON: usize = 6;
/// Candidates that go on to the last phase.
const LAST: usize = 3;
/// EM steps of the stages, with the gain per observation that ends them.
const STAGES: [(usize, f64); 2] = [(60, 1e-4), (200, 1e-6)];
/// Parameters up to which second derivatives are used.
pub(crate) const PARAMETERS: usize = 600;

/// The data of a fit in its coordinates.
pub(crate) struct Data<'a> {
    /// All of them.
    pub all: &'a dyn Likelihood,
    /// A part for the first stage, where that is smaller.
    pub small: Option<Points>,
    /// A part for the second stage, where that is smaller.
    pub medium: Option<Points>,
    /// What starts are made from.
    pub seeds: Seeds<'a>,
    /// Least variances.
    pub floor: Vec<f64>,
    /// The most frequent sample with its share, where samples that are not rounded repeat.
    pub atom: Option<(Vec<f64>, f64)>,
    /// Axes whose floor is that of rounding.
    pub rounded: bool,
    /// Whether the data are bins, whose likelihood has a bound.
    pub binned: bool,
}

/// A mixture found, with its way.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub start: Parameters,
    pub polished: Polished,
    /// Whether a component has collapsed onto too few samples to be one.
    pub degenerate: bool,
    /// Rows from the start on.
    pub trace: Vec<Row>,
}

/// A start on its way.
struct Candidate {
    start: Parameters,
    point: Point,
    degenerate: bool,
    /// The end on a part of the data.
    part: Option<Polished>,
}

impl Data<'_> {
    /// A component on its floor with hardly more samples than define a plane is an artefact of the likelihood, which
    /// has no bound there; on many equal samples it is in the data.
    fn degenerate(&self, point: &Point, observations: f64) -> bool {
        let dim = point.parameters.dim as f64;
        let few = |k: usize| point.parameters.weights[k] * observations < 2.0 * dim + 3.0;
        !self.binned && point.at_floor.iter().enumerate().any(|(k, low)| *low && few(k))
    }

    /// The best of all starts with `components` components; none where every start lost one.
    pub(crate) fn best(&self, components: usize, previous: Option<&Parameters>, options: &Options) -> Option<Found> {
        let family = options.family;
        let small: &dyn Likelihood = self.small.as_ref().map_or(self.all, |p| p);
        let medium: &dyn Likelihood = self.medium.as_ref().map_or(self.all, |p| p);
        let count = if components == 1 { 1 } else { options.starts };
        let mut starts: Vec<Parameters> = (0..count as u64)
            .into_par_iter()
            .map(|i| {
                self.seeds.start(
                    components,
                    family,
                    &self.floor,
                    options.seed.wrapping_mul(0x9e37_79b9).wrapping_add(i),
                )
            })
            .collect();
        if let Some(previous) = previous.filter(|p| p.components() + 1 == components) {
            starts.extend((0..previous.components()).map(|k| split(previous, k, family, &self.floor)));
        }
        if let Some(previous) = previous.filter(|p| p.components() + 1 == components) {
            starts.extend(self.atom.iter().map(|(place, share)| with_atom(previous, place, *share, &self.floor)));
        } else if components > 1 {
            let one = self.seeds.start(components - 1, family, &self.floor, options.seed);
            starts.extend(self.atom.iter().map(|(place, share)| with_atom(&one, place, *share, &self.floor)));
        }
        let advance = |likelihood: &dyn Likelihood, candidates: Vec<Candidate>, (most, tolerance): (usize, f64)| {
            let one = |c: Candidate| {
                let point = em(likelihood, &c.point.parameters, family, &self.floor, most, tolerance, &mut None)?;
                let degenerate = self.degenerate(&point, likelihood.total());
                Some(Candidate { start: c.start, point, degenerate, part: None })
            };
            let mut out: Vec<Candidate> = candidates.into_par_iter().filter_map(one).collect();
            out.sort_by(|a, b| {
                let order = b.point.log_likelihood.total_cmp(&a.point.log_likelihood);
                a.degenerate.cmp(&b.degenerate).then(order)
            });
            out
        };
        let fresh = |start: Parameters| {
            let point = Point {
                parameters: start.clone(),
                log_likelihood: f64::NEG_INFINITY,
                at_floor: vec![false; components],
                settled: false,
            };
            Candidate { start, point, degenerate: false, part: None }
        };
        let first = advance(small, starts.into_iter().map(fresh).collect(), STAGES[0]);
        let mut second = advance(medium, distinct(first, small.total(), GO_ON), STAGES[1]);
        second = distinct(second, medium.total(), if self.medium.is_some() { 2 } else { LAST });
        if self.medium.is_some() {
            // On the part the optimum is found to the end, so that few passes over all are needed.
            for candidate in &mut second {
                if self.second_order(components, candidate.point.parameters.dim, family) {
                    let polished = polish(medium, candidate.point.clone(), family, &self.floor, 50, false);
                    candidate.point = polished.point.clone();
                    candidate.part = Some(polished);
                }
            }
            second.sort_by(|a, b| {
                let order = b.point.log_likelihood.total_cmp(&a.point.log_likelihood);
                a.degenerate.cmp(&b.degenerate).then(order)
            });
            second.truncate(1);
            for candidate in &mut second {
                if let Some(part) = candidate.part.take() {
                    candidate.point = chord(self.all, &part, family, &self.floor, medium.total() / self.all.total());
                }
            }
        }
        let mut found: Vec<Found> =
            second.into_par_iter().filter_map(|candidate| self.finish(candidate, options)).collect();
        found.sort_by(|a, b| {
            let order = b.polished.point.log_likelihood.total_cmp(&a.polished.point.log_likelihood);
            a.degenerate.cmp(&b.degenerate).then(order)
        });
        found.into_iter().next()
    }

    /// Whether second derivatives are affordable.
    pub(crate) fn second_order(&self, components: usize, dim: usize, family: Family) -> bool {
        family.parameters(components, dim) <= PARAMETERS
    }

    /// From a candidate to a stationary point of all data.
    fn finish(&self, candidate: Candidate, options: &Options) -> Option<Found> {
        let family = options.family;
        let order = by_weight(&candidate.point.parameters);
        let mut point = candidate.point;
        point.parameters = point.parameters.permuted(&order);
        point.at_floor = order.iter().map(|&k| point.at_floor[k]).collect();
        let start = candidate.start.permuted(&order);
        let components = start.components();
        let mut polished = if self.second_order(components, start.dim, family) {
            polish(self.all, point, family, &self.floor, options.iterations, true)
        } else {
            let point =
                em(self.all, &point.parameters, family, &self.floor, 10 * options.iterations, 1e-10, &mut None)?;
            let end = if point.settled { crate::descent::End::Stationary } else { crate::descent::End::Limit };
            Polished { point, end, iterations: 10 * options.iterations, curvature: None, trace: Vec::new() }
        };
        let again = by_weight(&polished.point.parameters);
        let mut start = start;
        if again.iter().enumerate().any(|(i, k)| i != *k) {
            let point = &mut polished.point;
            point.parameters = point.parameters.permuted(&again);
            point.at_floor = again.iter().map(|&k| point.at_floor[k]).collect();
            start = start.permuted(&again);
            let prepared = point.parameters.prepare();
            if polished.curvature.is_some() {
                polished.curvature = prepared.map(|c| self.all.curvature(&c, family.is_diagonal()));
            }
            for row in &mut polished.trace {
                row.parameters = row.parameters.permuted(&again);
            }
        }
        let degenerate = self.degenerate(&polished.point, self.all.total());
        let trace = self.way(&start, &polished, family);
        Some(Found { start, polished, degenerate, trace })
    }

    /// The rows of a trace: the start on all data, EM steps where all data were used for them, the last phase.
    fn way(&self, start: &Parameters, polished: &Polished, family: Family) -> Vec<Row> {
        let mut rows = Vec::new();
        let most = if self.medium.is_some() { 0 } else { STAGES[1].0 };
        let _ = em(self.all, start, family, &self.floor, most, STAGES[1].1, &mut Some(&mut rows));
        let last = rows.last().map_or(f64::NEG_INFINITY, |r| r.log_likelihood);
        let tail = polished.trace.iter().filter(|row| row.log_likelihood >= last).cloned();
        rows.extend(tail.collect::<Vec<_>>());
        rows
    }

    /// Layout of all parameters.
    pub(crate) fn layout(&self, components: usize, family: Family) -> Layout {
        Layout::new(family, components, self.all.dim())
    }
}

/// The best candidates that differ.
fn distinct(candidates: Vec<Candidate>, total: f64, most: usize) -> Vec<Candidate> {
    let mut out: Vec<Candidate> = Vec::new();
    for candidate in candidates {
        let near = |o: &Candidate| (o.point.log_likelihood - candidate.point.log_likelihood).abs() < 1e-7 * total;
        if !out.iter().any(near) {
            out.push(candidate);
        }
        if out.len() == most {
            break;
        }
    }
    out
}

/// Components by weight, largest first.
fn by_weight(p: &Parameters) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.components()).collect();
    order.sort_by(|&i, &j| p.weights[j].total_cmp(&p.weights[i]).then(p.means[i][0].total_cmp(&p.means[j][0])));
    order
}
