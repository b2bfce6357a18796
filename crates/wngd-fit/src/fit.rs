use std::time::Instant;

use crate::binned::Binned;
use crate::cells::Partition;
use crate::component::Parameters;
use crate::descent::End;
use crate::error::FitError;
use crate::frame::Frame;
use crate::goodness::{self, Goodness};
use crate::histogram::Histogram;
use crate::layout::Layout;
use crate::likelihood::Likelihood;
use crate::mixture::Mixture;
use crate::options::{Components, Family, MOST_COMPONENTS, Options};
use crate::points::Points;
use crate::remark::Remark;
use crate::samples::{Samples, Weighting};
use crate::search::{Data, Found, MEDIUM, PARAMETERS, SMALL};
use crate::start::Seeds;
use crate::uncertainty::uncertainty;
use crate::{pool, rounding};

/// Components that are tried first with [`Components::Auto`].
const FIRST: usize = 6;

/// Expected entries outside of the bins from which these are taken to cut the distribution: none were seen there, which
/// has a probability of e⁻¹⁰ if they could have been.
const OUTSIDE: f64 = 10.0;

/// How a fit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// At a stationary point: the next step is below 1e-3 of every standard error.
    Converged,
    /// At the limit of iterations.
    MaxIterations,
    /// Where no step gains anything, and the point is not stationary.
    Stalled,
}

impl Status {
    /// Its name: `converged`, `max-iterations`, `stalled`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Converged => "converged",
            Self::MaxIterations => "max-iterations",
            Self::Stalled => "stalled",
        }
    }
}

/// The best mixture of one number of components, in numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// Components.
    pub components: usize,
    /// ln likelihood.
    pub log_likelihood: f64,
    /// −2 ln L + p ln n.
    pub bic: f64,
    /// −2 ln L + 2p.
    pub aic: f64,
    /// Whether a component has collapsed onto a few samples, where the likelihood has no bound: such a mixture is taken
    /// only where there is no other.
    pub degenerate: bool,
}

/// An iterate of the descent.
#[derive(Debug, Clone)]
pub struct Iterate {
    /// ln likelihood.
    pub log_likelihood: f64,
    /// Length of the gradient of the log-likelihood per observation.
    pub gradient_norm: f64,
    /// Gradient times the next step, per observation.
    pub slope: f64,
    /// Share of the step that was tried first.
    pub step: f64,
    /// Parameters, in the order of [`Fit::names`].
    pub theta: Vec<f64>,
}

/// A fitted mixture with what can be said of it, in the units of the data.
#[derive(Debug, Clone)]
pub struct Fit {
    /// The mixture, components sorted by weight, largest first.
    pub mixture: Mixture,
    /// Where its descent began.
    pub start: Mixture,
    /// Family of the covariances.
    pub family: Family,
    /// Names of the parameters: `weights[i]` (i < K−1), `means[i][a]`, then covariances: `covariances[i][a][b]` (a ≤ b),
    /// `covariance[a][b]` where they are tied, `covariances[i][a]` for diagonal, `covariances[i]` for isotropic ones.
    pub names: Vec<String>,
    /// Their values.
    pub theta: Vec<f64>,
    /// How the descent ended.
    pub status: Status,
    /// Iterates from the start to the end.
    pub trace: Vec<Iterate>,
    /// n, the sum of counts, or what weighted samples are worth.
    pub observations: f64,
    /// ln likelihood: of a density at the samples, or of the counts of bins.
    pub log_likelihood: f64,
    /// −2 ln L + p ln n.
    pub bic: f64,
    /// −2 ln L + 2p.
    pub aic: f64,
    /// Covariance of the parameters, p rows; none for a parameter whose error is not known.
    pub covariance: Vec<Vec<Option<f64>>>,
    /// Rank of the information.
    pub rank: Option<usize>,
    /// Condition number of the square root of the information, scaled to unit diagonal.
    pub condition: Option<f64>,
    /// Goodness of fit, or why there is none.
    pub goodness: Result<Goodness, &'static str>,
    /// All numbers of components that were tried.
    pub scores: Vec<Score>,
    /// What should be known.
    pub remarks: Vec<Remark>,
    /// Whether the likelihood is that of bins.
    pub binned: bool,
    /// Wall seconds.
    pub seconds: f64,
}

impl Fit {
    /// One standard error per parameter; none where it is not determined, at a bound, or the end not stationary.
    pub fn standard_errors(&self) -> Vec<Option<f64>> {
        (0..self.names.len()).map(|i| self.covariance[i][i].map(f64::sqrt)).collect()
    }
}

/// Fits a Gaussian mixture to samples by maximum likelihood.
///
/// # Cost
/// Starts run on 2048 samples, the best six on 16 384, the best on all: about five passes with O(K²d⁴/8) operations a
/// sample for full covariances.
///
/// # Errors
/// Samples that are too few or constant in a coordinate, options that make no sense, no start that works.
pub fn fit(samples: &Samples, options: &Options) -> Result<Fit, FitError> {
    let clock = Instant::now();
    options.check()?;
    enough(samples)?;
    let (dim, family) = (samples.dim, options.family);
    let frame = Frame::of_samples(samples, family)?;
    let values = frame.inward(&samples.values);
    let weights = samples.weights.as_deref();
    let counts = samples.weighting != Weighting::Importance;
    let all = Points::new(dim, &values, weights, counts).stopping(options.stop);
    let n = samples.len();
    // Every so-many-th sample in an order that does not follow the file's.
    let part = |most: usize| -> Option<(Vec<f64>, Option<Vec<f64>>)> {
        (n > 2 * most).then(|| {
            let stride = coprime((n as f64 * 0.618) as usize, n);
            let index: Vec<usize> = (0..most).map(|i| (i * stride) % n).collect();
            let rows = index.iter().flat_map(|&i| values[i * dim..(i + 1) * dim].to_vec()).collect();
            (rows, weights.map(|w| index.iter().map(|&i| w[i]).collect()))
        })
    };
    let points =
        |p: &(Vec<f64>, Option<Vec<f64>>)| Points::new(dim, &p.0, p.1.as_deref(), counts).stopping(options.stop);
    let (small, medium) = (part(SMALL), part(MEDIUM));
    let (seed_values, seed_weights) = match &small {
        Some((values, weights)) => (&values[..], weights.as_deref()),
        None => (&values[..], weights),
    };
    let seeds = Seeds { dim, values: seed_values, weights: seed_weights };
    let rounded = frame.lattice.iter().all(Option::is_some);
    // Rounded samples repeat by themselves.
    let atom = if rounded || samples.weighting != Weighting::None { None } else { seeds.atom(2.0 * dim as f64 + 3.0) };
    let data = Data {
        all: &all,
        small: small.as_ref().map(points),
        medium: medium.as_ref().map(points),
        seeds,
        floor: frame.floor(family),
        atom,
        rounded,
        binned: false,
    };
    let mut remarks = Vec::new();
    match samples.weighting {
        Weighting::None => {}
        Weighting::Counts => remarks.push(Remark::WeightsAreCounts),
        Weighting::Importance => remarks.push(Remark::WeightsAreImportance { effective: all.total() }),
    }
    let (found, scores) = choose(&data, &frame, options, &mut remarks)?;
    let held = found.polished.point.at_floor.clone();
    let layout = data.layout(held.len(), family).holding(&held);
    let goodness = if !options.goodness {
        Err("it was not asked for")
    } else if samples.weighting == Weighting::Importance {
        Err("weights that are no counts leave no counted data to test")
    } else if found.polished.end != End::Stationary || layout.slots.len() > PARAMETERS {
        Err("the end is not stationary")
    } else {
        let p = &found.polished.point.parameters;
        Partition::new(p, &layout, &frame, all.total(), options.seed)
            .and_then(|cells| goodness::test(&cells.counted(&values, dim, weights)))
            .ok_or("too few samples for cells with five expected in each")
    };
    rounding::coarse(&values, weights, &frame, &found, family, &mut remarks);
    finish(&data, &frame, options, (found, scores, goodness), remarks, false, clock)
}

/// Fits a Gaussian mixture to the counts of bins by maximum likelihood: integrals over the bins, not values at centres,
/// so that variances are right however wide the bins are.
///
/// Where the fit expects more than ten entries outside of the bins, the likelihood becomes that of entries inside.
///
/// # Cost
/// Per pass, 8ᵈ nodes for a bin as wide as a component's deviation; it does not depend on the number of entries.
///
/// # Errors
/// Entries all in one bin, options that make no sense, no start that works.
pub fn fit_histogram(histogram: &Histogram, options: &Options) -> Result<Fit, FitError> {
    let clock = Instant::now();
    options.check()?;
    let (dim, family) = (histogram.dim, options.family);
    let centres = histogram.centres();
    let frame = Frame::of_bins(&centres, &histogram.counts, dim, family)?;
    let inside = frame.inward(&centres);
    let bins = |cut: bool| Binned {
        dim,
        lower: frame.inward(&histogram.lower),
        upper: frame.inward(&histogram.upper),
        counts: histogram.counts.clone(),
        cut,
        stop: options.stop,
    };
    let whole = bins(false);
    let mut remarks = Vec::new();
    let (mut found, mut scores) = choose(&of_bins(&whole, &inside, &histogram.counts), &frame, options, &mut remarks)?;
    let mut used = whole;
    if expected_outside(&used, &found.polished.point.parameters, family) > OUTSIDE {
        used = bins(true);
        remarks.clear();
        (found, scores) = choose(&of_bins(&used, &inside, &histogram.counts), &frame, options, &mut remarks)?;
        remarks.push(Remark::Cut { outside: expected_outside(&used, &found.polished.point.parameters, family) });
    }
    let layout = Layout::new(family, found.start.components(), dim).holding(&found.polished.point.at_floor);
    let goodness = if !options.goodness {
        Err("it was not asked for")
    } else if found.polished.end != End::Stationary {
        Err("the end is not stationary")
    } else {
        pool::cells(&used, &found.polished.point.parameters, &layout)
            .and_then(|cells| goodness::test(&cells))
            .ok_or("too few bins with five expected entries for the number of parameters")
    };
    finish(
        &of_bins(&used, &inside, &histogram.counts),
        &frame,
        options,
        (found, scores, goodness),
        remarks,
        true,
        clock,
    )
}

/// The data of a fit to bins, starts being made from their centres.
fn of_bins<'a>(bins: &'a Binned, centres: &'a [f64], counts: &'a [f64]) -> Data<'a> {
    Data {
        all: bins,
        small: None,
        medium: None,
        seeds: Seeds { dim: bins.dim, values: centres, weights: Some(counts) },
        floor: narrowest(bins),
        atom: None,
        rounded: true,
        binned: true,
    }
}

/// Entries that a fit expects outside of the bins.
fn expected_outside(bins: &Binned, p: &Parameters, family: Family) -> f64 {
    let Some(components) = p.prepare() else { return 0.0 };
    let covered = bins.covered(&bins.bins(&components, family.is_diagonal(), false)).min(1.0);
    bins.total() * (1.0 / covered - 1.0)
}

/// The squared hundredth of the narrowest bin of each axis.
fn narrowest(bins: &Binned) -> Vec<f64> {
    let width = |a: usize| {
        let widths = (a..bins.lower.len()).step_by(bins.dim).map(|i| bins.upper[i] - bins.lower[i]);
        widths.fold(f64::INFINITY, f64::min)
    };
    (0..bins.dim).map(|a| (0.01 * width(a)).powi(2)).collect()
}

/// Refuses what has no covariance.
fn enough(samples: &Samples) -> Result<(), FitError> {
    let needed = samples.dim + 1;
    let mut distinct: Vec<&[f64]> = Vec::new();
    for x in samples.values.chunks_exact(samples.dim) {
        if !distinct.contains(&x) {
            distinct.push(x);
        }
        if distinct.len() >= needed {
            return Ok(());
        }
    }
    // A coordinate that does not vary is told as such.
    if distinct.len() > 1 || samples.len() == 1 {
        return Err(FitError::TooFew { found: distinct.len(), dim: samples.dim, needed });
    }
    Err(FitError::Constant { axis: 0, value: samples.values[0] })
}

/// The number of components with the lowest BIC.
fn choose(
    data: &Data<'_>,
    frame: &Frame,
    options: &Options,
    remarks: &mut Vec<Remark>,
) -> Result<(Found, Vec<Score>), FitError> {
    let (first, last, grows) = match options.components {
        Components::Auto => (1, FIRST, true),
        Components::Exactly(k) => (k, k, false),
        Components::Range(first, last) => (first, last, false),
    };
    let (n, dim) = (data.all.total(), data.all.dim());
    let mut scores: Vec<Score> = Vec::new();
    let mut best: Option<(Found, usize)> = None;
    let mut previous: Option<Parameters> = None;
    let mut components = first;
    let mut tried = first;
    loop {
        let p = options.family.parameters(components, dim) as f64;
        if p >= n && components > first {
            remarks
                .push(Remark::LeftOut { components, reason: "they have more parameters than there are observations" });
            break;
        }
        tried = components;
        let found = data.best(components, previous.as_ref(), options);
        if (options.stop)() {
            return Err(FitError::Stopped);
        }
        let Some(found) = found else {
            if first == last {
                break;
            }
            remarks.push(Remark::LeftOut { components, reason: "from every start a component lost its samples" });
            break;
        };
        let log_likelihood = found.polished.point.log_likelihood - n * volume(frame, data);
        let (bic, aic) = (p * n.ln() - 2.0 * log_likelihood, 2.0 * p - 2.0 * log_likelihood);
        let score = Score { components, log_likelihood, bic, aic, degenerate: found.degenerate };
        previous = Some(found.polished.point.parameters.clone());
        let better = best.as_ref().is_none_or(|(_, i)| {
            let old: &Score = &scores[*i];
            (old.degenerate || !score.degenerate) && (score.degenerate, score.bic) < (old.degenerate, old.bic)
        });
        if better {
            best = Some((found, scores.len()));
        }
        scores.push(score);
        let newest_is_best = best.as_ref().is_some_and(|(_, i)| *i + 1 == scores.len());
        if components == MOST_COMPONENTS || (components >= last && !(grows && newest_is_best)) {
            break;
        }
        components += 1;
    }
    if best.is_none() && first == last && first > 1 {
        // Fewer components than asked for, and said.
        for left in (1..first).rev() {
            let fewer = Options { components: Components::Exactly(left), ..options.clone() };
            if let Ok(found) = choose(data, frame, &fewer, &mut Vec::new()) {
                remarks.push(Remark::Dropped { asked: first, left });
                return Ok(found);
            }
        }
    }
    let Some((found, index)) = best else { return Err(FitError::NoFit { components: first }) };
    if scores.len() > 1 && scores[index].components == tried && !grows {
        remarks.push(Remark::MoreComponents { components: tried });
    }
    Ok((found, scores))
}

/// What ln ρ of an observation loses from the coordinates of the fit to the units of the data; masses of bins nothing.
fn volume(frame: &Frame, data: &Data<'_>) -> f64 {
    if data.all.is_density() { frame.log_volume() } else { 0.0 }
}

/// Everything in the units of the data.
fn finish(
    data: &Data<'_>,
    frame: &Frame,
    options: &Options,
    (found, scores, goodness): (Found, Vec<Score>, Result<Goodness, &'static str>),
    mut remarks: Vec<Remark>,
    binned: bool,
    clock: Instant,
) -> Result<Fit, FitError> {
    let family = options.family;
    let (point, n) = (&found.polished.point, data.all.total());
    let components = point.parameters.components();
    let layout = data.layout(components, family);
    let units = layout.units(&frame.scale);
    let full = layout.slots.len();
    for (component, low) in point.at_floor.iter().enumerate().filter(|(_, low)| **low) {
        let observations = n * point.parameters.weights[component];
        let _ = low;
        remarks.push(Remark::Narrow { component, observations, rounding: data.rounded });
    }
    let mut covariance = vec![vec![None; full]; full];
    let (mut rank, mut condition) = (None, None);
    match (&found.polished.curvature, point.parameters.prepare()) {
        _ if !options.errors => {}
        _ if found.polished.end != End::Stationary => remarks.push(Remark::NotStationary),
        (Some(curvature), Some(prepared)) => {
            let known = uncertainty(curvature, &prepared, &point.parameters, &layout, &point.at_floor, n);
            for i in 0..full {
                for j in 0..full {
                    covariance[i][j] = known.covariance[i * full + j].map(|c| c * units[i] * units[j]);
                }
            }
            (rank, condition) = (Some(known.rank), known.condition);
            remarks.extend(known.remarks);
            for component in 0..components - 1 {
                let error = known.covariance[component * full + component].map_or(0.0, f64::sqrt);
                if error > 0.0 && point.parameters.weights[component] < 2.0 * error {
                    remarks.push(Remark::SmallWeight { component });
                }
            }
        }
        _ => remarks.push(Remark::ManyParameters { parameters: full }),
    }
    let mixture = |p: &Parameters| Mixture::of(&frame.outward(p)).ok_or(FitError::NoFit { components });
    let outward = frame.outward(&point.parameters);
    let log_likelihood = point.log_likelihood - n * volume(frame, data);
    let p = family.parameters(components, frame.centre.len()) as f64;
    let status = match found.polished.end {
        End::Stationary => Status::Converged,
        End::Limit => Status::MaxIterations,
        End::Stalled => Status::Stalled,
    };
    let iterate = |row: &crate::descent::Row| {
        let square = |(g, u): (&f64, &f64)| (g / u / n).powi(2);
        Iterate {
            log_likelihood: row.log_likelihood - n * volume(frame, data),
            gradient_norm: row.gradient.iter().zip(&units).map(square).sum::<f64>().sqrt(),
            slope: row.slope / n,
            step: row.step,
            theta: layout.theta(&frame.outward(&row.parameters)),
        }
    };
    Ok(Fit {
        start: mixture(&found.start)?,
        mixture: mixture(&point.parameters)?,
        family,
        names: layout.names(),
        theta: layout.theta(&outward),
        status,
        trace: found.trace.iter().map(iterate).collect(),
        observations: n,
        log_likelihood,
        bic: p * n.ln() - 2.0 * log_likelihood,
        aic: 2.0 * p - 2.0 * log_likelihood,
        covariance,
        rank,
        condition,
        goodness,
        scores,
        remarks,
        binned,
        seconds: clock.elapsed().as_secs_f64(),
    })
}

/// The first number from `start` on that has no factor in common with n.
fn coprime(start: usize, n: usize) -> usize {
    let gcd = |mut a: usize, mut b: usize| {
        while b > 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    (start.max(1)..).find(|&s| gcd(s, n) == 1).unwrap_or(1)
}
