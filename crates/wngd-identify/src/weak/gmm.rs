//! Parameters from the equations: generalised method of moments.

use std::time::Instant;

use wngd_linalg::LinalgError;
use wngd_linalg::dense::{gram, symmetric_eigen};
use wngd_linalg::faer::Mat;

use super::data::Data;
use super::design::{Design, Equations};
use super::directions::{self, Split};
use super::few::Few;
use super::likelihood::Draws;
use super::stretches;
use super::whiten::{Whitener, combined, residual};
use crate::distribution::beyond_hotelling;
use crate::dynamics::Dynamics;
use crate::error::IdentifyError;
use crate::estimate::{Estimate, Misfit};
use crate::sample::Sample;
use crate::stream::Stream;

/// Re-weightings after the first solution.
const STAGES: usize = 3;
/// Most steps after them that take the correlation of A and g into account.
const REFINEMENTS: usize = 4;
/// Points per equation from which on means are normal enough for errors to rely on.
const ENOUGH: f64 = 300.0;
/// Most Gauss–Newton steps per weighting where the field is not affine in θ.
const STEPS: usize = 50;
/// A step this much shorter than the parameters, or than their errors, ends the iteration.
const STILL: f64 = 1e-9;
/// Growth of the variance with the length of the blocks that counts as standing still.
const STANDS: f64 = 1.15;
/// Thirds of one record differ this much once in ten thousand records.
const DRIFT: f64 = 1e-4;

/// Options of the weak stationary estimator.
#[derive(Debug, Clone)]
pub struct WeakStationary {
    /// Standard deviation of the noise of each coordinate, which is undone; empty for none.
    pub noise: Vec<f64>,
    /// Seed of the test functions.
    pub seed: u64,
}

impl Default for WeakStationary {
    fn default() -> Self {
        Self { noise: Vec::new(), seed: 1 }
    }
}

impl WeakStationary {
    /// Parameters of a system from points on its attractor, in any order.
    ///
    /// # Cost
    /// One pass over the points where the field is a polynomial or affine in θ, 20 sines and cosines per point; one pass per
    /// Gauss–Newton step otherwise.
    ///
    /// # Errors
    /// Coordinates that do not belong together, noise that cannot be undone (a field that is no polynomial), a field that is
    /// not finite at the data.
    ///
    /// # Example
    /// ```
    /// use wngd_identify::{Dynamics, Sample, WeakStationary, simulate};
    /// use wngd_models::flow::system;
    ///
    /// let lorenz = system("lorenz63").expect("a known name");
    /// let points = simulate(lorenz.field.as_ref(), &lorenz.theta, &lorenz.start, 0.5, 10_000, 50.0)?;
    /// // Their order is not told, and no start is needed.
    /// let sample = Sample::new(points, 3, vec![10_000], None)?;
    /// let dynamics = Dynamics::written(&lorenz.written()?, vec![1.0; 3], None)?;
    /// let found = WeakStationary::default().estimate(&dynamics, &sample)?;
    /// assert!(found.fits() && (found.theta[1] / 28.0 - 1.0).abs() < 0.01);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn estimate(&self, dynamics: &Dynamics, sample: &Sample) -> Result<Estimate, IdentifyError> {
        self.estimate_of(dynamics, Data::Held(sample))
    }

    /// The same from points that are not held: they are read once more where the field is a polynomial or affine in θ, once per
    /// Gauss–Newton step otherwise, and have the same bits as points in memory.
    ///
    /// # Cost
    /// As [`estimate`](Self::estimate); memory that does not grow with the number of points.
    ///
    /// # Errors
    /// As [`estimate`](Self::estimate), and points that cannot be read again.
    ///
    /// # Example
    /// ```
    /// use wngd_identify::{Dynamics, InMemory, Stream, WeakStationary, simulate};
    /// use wngd_models::flow::system;
    ///
    /// let lorenz = system("lorenz63").expect("a known name");
    /// let points = simulate(lorenz.field.as_ref(), &lorenz.theta, &lorenz.start, 0.05, 10_000, 50.0)?;
    /// // Anything that gives out rows will do in place of memory.
    /// let stream = Stream::new(Box::new(InMemory::new(points, 3, vec![10_000])?), Some(0.05), true)?;
    /// let dynamics = Dynamics::written(&lorenz.written()?, vec![1.0; 3], None)?;
    /// let found = WeakStationary::default().estimate_in_parts(&dynamics, &stream)?;
    /// assert!(found.fits() && (found.theta[1] / 28.0 - 1.0).abs() < 0.01);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn estimate_in_parts(&self, dynamics: &Dynamics, stream: &Stream) -> Result<Estimate, IdentifyError> {
        self.estimate_of(dynamics, Data::Parts(stream))
    }

    fn estimate_of(&self, dynamics: &Dynamics, data: Data<'_>) -> Result<Estimate, IdentifyError> {
        let clock = Instant::now();
        let mut found = Solution::of(dynamics, self.equations(dynamics, data)?)?.estimate;
        found.seconds = clock.elapsed().as_secs_f64();
        Ok(found)
    }

    /// The estimate from points that are not held, and after it the one with the variances of the noise among the unknowns, by one
    /// reading; the latter where `seek` asks for it.
    ///
    /// # Errors
    /// As [`estimate_in_parts`](Self::estimate_in_parts).
    pub(crate) fn both_in_parts(
        &self,
        dynamics: &Dynamics,
        stream: &Stream,
        seek: impl FnOnce(&Estimate) -> bool,
    ) -> Result<(Estimate, Option<WithNoise>), IdentifyError> {
        let clock = Instant::now();
        let equations = self.equations(dynamics, Data::Parts(stream))?;
        let mut plain = Solution::of(dynamics, equations.clone())?.estimate;
        plain.seconds = clock.elapsed().as_secs_f64();
        if !seek(&plain) {
            return Ok((plain, None));
        }
        let mut found = Solution::of(dynamics, equations.seeking_noise()?)?;
        found.estimate.seconds = clock.elapsed().as_secs_f64();
        Ok((plain, Some((found.estimate, found.variances))))
    }

    /// Parameters, with the variances of the noise among the unknowns where they are not known: what the noise does to the
    /// equations differs from what parameters do, so that equations to spare tell it, whatever the order of the points.
    ///
    /// `noise` is where the search begins. Besides the estimate: the variance that was found for each coordinate.
    ///
    /// # Cost
    /// As [`estimate`](Self::estimate), but for some ten solutions of small systems.
    ///
    /// # Errors
    /// As [`estimate`](Self::estimate).
    pub fn estimate_with_noise(
        &self,
        dynamics: &Dynamics,
        sample: &Sample,
    ) -> Result<(Estimate, Vec<NoiseVariance>), IdentifyError> {
        let clock = Instant::now();
        let mut found = Solution::of(dynamics, self.equations(dynamics, Data::Held(sample))?.seeking_noise()?)?;
        found.estimate.seconds = clock.elapsed().as_secs_f64();
        Ok((found.estimate, found.variances))
    }

    fn equations<'a>(&self, dynamics: &'a Dynamics, data: Data<'a>) -> Result<Equations<'a>, IdentifyError> {
        let noise = if self.noise.is_empty() { vec![0.0; data.dim()] } else { self.noise.clone() };
        if data.dim() != dynamics.dim() || noise.len() != data.dim() {
            return Err(IdentifyError::Coordinates { dim: dynamics.dim(), columns: data.dim() });
        }
        Equations::new(dynamics, data, &noise, self.seed)
    }
}

/// An estimate with the variances of the noise of each coordinate that were found beside it.
pub(crate) type WithNoise = (Estimate, Vec<NoiseVariance>);

/// Variance of the noise of one coordinate, as it was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoiseVariance {
    /// Its value; below 0 by chance where there is no noise.
    pub value: f64,
    /// Its standard error; none where the data say nothing of it.
    pub standard_error: Option<f64>,
}

/// Where an iteration ended.
struct Found {
    estimate: Estimate,
    /// Variances of the noise with their standard errors, where they were unknowns.
    variances: Vec<NoiseVariance>,
}

/// The iteration under way.
struct Solution<'a> {
    dynamics: &'a Dynamics,
    equations: Equations<'a>,
    /// Values of the unknowns: the parameters and, where it is sought, the noise.
    theta: Vec<f64>,
    /// At θ, blocks as they come.
    design: Design,
    /// Neighbouring blocks are merged this many times before their scatter is taken.
    merges: usize,
    /// Parameters are measured by it.
    scale: Vec<f64>,
    split: Split,
    /// Where it began, with the equations there.
    start: (Vec<f64>, Design),
    /// Whether A is taken less its regression on g.
    corrected: bool,
    converged: bool,
}

impl<'a> Solution<'a> {
    fn of(dynamics: &'a Dynamics, equations: Equations<'a>) -> Result<Found, IdentifyError> {
        let (theta, scale) = equations.start();
        let design = equations.at(&theta)?;
        let weights = Whitener::by_size(&design, &scale);
        let split = directions::split(&design, &scale, &weights)?;
        let start = (theta.clone(), design.clone());
        let mut it = Self {
            dynamics,
            equations,
            theta,
            design,
            merges: 0,
            scale,
            split,
            start,
            corrected: false,
            converged: true,
        };
        let mut remarks = Vec::new();
        it.descend(&weights)?;
        it.choose_boundary()?;
        it.choose_length(&mut remarks);
        if !it.equations.affine() {
            // What is determined may differ from the start's.
            it.split = directions::split(&it.design, &it.scale, &it.whitener()?)?;
        }
        let mut weights = it.whitener()?;
        for _ in 0..STAGES {
            it.descend(&weights)?;
            weights = it.whitener()?;
        }
        if it.equations.affine() {
            weights = it.refined(weights)?;
        }
        it.concluded(&weights, remarks)
    }

    /// Steps with the regression of A on g taken out, as long as they lower J with the covariance at θ itself.
    fn refined(&mut self, mut weights: Whitener) -> Result<Whitener, IdentifyError> {
        self.corrected = true;
        let mut value = size(&self.design, &weights);
        for _ in 0..REFINEMENTS {
            let before = (self.theta.clone(), self.design.clone());
            self.descend(&weights)?;
            let there = self.whitener()?;
            let lower = size(&self.design, &there);
            if !(lower <= value) {
                (self.theta, self.design) = before;
                break;
            }
            (weights, value) = (there, lower);
        }
        Ok(weights)
    }

    /// The design whose blocks are nearly independent.
    fn merged(&self) -> Design {
        (0..self.merges).fold(self.design.clone(), |design, _| design.merged())
    }

    fn whitener(&self) -> Result<Whitener, LinalgError> {
        Whitener::of(&self.merged(), &residual(self.theta.len()))
    }

    /// Gauss–Newton steps in the determined directions until the parameters stand still.
    fn descend(&mut self, weights: &Whitener) -> Result<(), IdentifyError> {
        let mut value = size(&self.design, weights);
        let affine = self.equations.affine();
        self.converged = affine;
        for _ in 0..if affine { 1 } else { STEPS } {
            let step = self.step(weights)?;
            if affine {
                self.theta.iter_mut().zip(&step).for_each(|(t, s)| *t += s);
                self.design.advance(&step);
                return Ok(());
            }
            let mut length = 1.0;
            let moved = loop {
                let tried: Vec<f64> = self.theta.iter().zip(&step).map(|(t, s)| t + length * s).collect();
                match self.equations.at(&tried) {
                    Ok(design) if size(&design, weights) <= value => break Some((tried, design)),
                    _ if length < 1e-6 => break None,
                    _ => length *= 0.5,
                }
            };
            let Some((theta, design)) = moved else {
                // No shorter step lowers it: the end, if the step itself was short.
                self.converged = self.short(&step, 1e-4);
                return Ok(());
            };
            value = size(&design, weights);
            (self.theta, self.design) = (theta, design);
            if self.short(&step, STILL) {
                self.converged = true;
                return Ok(());
            }
        }
        Ok(())
    }

    fn short(&self, step: &[f64], share: f64) -> bool {
        step.iter().zip(&self.theta).zip(&self.scale).all(|((s, t), unit)| s.abs() <= share * t.abs().max(*unit))
    }

    /// X A on the determined directions, and X g.
    ///
    /// Means of A and g over the same blocks are correlated, which biases few-block estimates with many equations: once
    /// weights come from the covariance, A is taken less its regression on g, as at the minimum of J with the covariance at
    /// θ itself (Donald and Newey 2000, doi:10.1016/S0165-1765(00)00228-7).
    fn whitened(&self, weights: &Whitener) -> (Mat<f64>, Vec<f64>) {
        let p = self.theta.len();
        let mut mean = self.design.mean();
        let g = weights.apply(|e| mean[e * (p + 1) + p]);
        if self.corrected {
            let merged = self.merged();
            let (center, count) = (merged.mean(), merged.blocks.len() as f64);
            let mut regressed = vec![0.0; mean.len()];
            for block in &merged.blocks {
                let own = weights.apply(|e| block[e * (p + 1) + p] - center[e * (p + 1) + p]);
                let along: f64 = own.iter().zip(&g).map(|(a, b)| a * b).sum::<f64>() / (count * (count - 1.0));
                regressed.iter_mut().zip(block).zip(&center).for_each(|((r, v), m)| *r += along * (v - m));
            }
            mean.iter_mut().zip(&regressed).for_each(|(m, r)| *m -= r);
        }
        let basis = &self.split.determined;
        let columns: Vec<Vec<f64>> = (0..basis.ncols())
            .map(|j| weights.apply(|e| (0..p).map(|i| mean[e * (p + 1) + i] * self.scale[i] * basis[(i, j)]).sum()))
            .collect();
        (Mat::from_fn(weights.rank(), columns.len(), |r, j| columns[j][r]), g)
    }

    fn step(&self, weights: &Whitener) -> Result<Vec<f64>, LinalgError> {
        let (a, g) = self.whitened(weights);
        let basis = &self.split.determined;
        let mut step = vec![0.0; self.theta.len()];
        if a.ncols() == 0 || a.nrows() == 0 {
            return Ok(step);
        }
        let (u, values, v) = wngd_linalg::dense::small_svd(a.as_ref())?;
        for (l, value) in values.iter().enumerate().filter(|(_, value)| **value > 1e-13 * values[0]) {
            let along: f64 = g.iter().enumerate().map(|(r, g)| u[(r, l)] * g).sum::<f64>() / value;
            for (i, s) in step.iter_mut().enumerate() {
                let entry: f64 = (0..basis.ncols()).map(|j| basis[(i, j)] * v[(j, l)]).sum();
                *s -= self.scale[i] * entry * along;
            }
        }
        Ok(step)
    }

    /// Boundary terms are kept where they make the scatter smaller: on data much sparser than the system's own time they
    /// only add to it.
    fn choose_boundary(&mut self) -> Result<(), IdentifyError> {
        if !self.equations.has_boundary() {
            return Ok(());
        }
        let with = variances(&self.design);
        self.equations.without_boundary();
        let other = self.equations.at(&self.theta)?;
        let without = variances(&other);
        let ratio = with.iter().zip(&without).map(|(a, b)| (a / b).max(1e-12).ln()).sum::<f64>() / with.len() as f64;
        if ratio < 0.0 {
            self.equations.with_boundary();
        } else {
            self.design = other;
        }
        Ok(())
    }

    /// Merges neighbouring blocks until the variance of the mean no longer grows with their length.
    fn choose_length(&mut self, remarks: &mut Vec<String>) {
        let fewest = 2 * self.design.equations + 16;
        let mut designs = vec![self.design.clone()];
        while let Some(next) = designs.last().map(Design::merged).filter(|next| next.blocks.len() >= fewest) {
            designs.push(next);
        }
        let of_mean = |design: &Design| -> Vec<f64> {
            let count = design.blocks.len() as f64;
            variances(design).iter().map(|v| v / count).collect()
        };
        let all: Vec<Vec<f64>> = designs.iter().map(of_mean).collect();
        let grown = |from: usize, to: usize| {
            let ratios = all[from].iter().zip(&all[to]).filter(|(a, _)| **a > 0.0).map(|(a, b)| b / a);
            ratios.sum::<f64>() / all[from].len() as f64
        };
        // A variance from n draws scatters by √(2/n); some eight of the equations are independent.
        let stands = |from: usize, to: usize| grown(from, to) < STANDS + (1.0 / designs[to].blocks.len() as f64).sqrt();
        let last = designs.len() - 1;
        self.merges = (0..last).find(|&from| (from + 1..=last).all(|to| stands(from, to))).unwrap_or(last);
        if last > 0 && self.merges == last && !stands(last - 1, last) {
            let count = designs[last].blocks.len();
            remarks.push(format!(
                "the scatter between {count} stretches still grows with their length: a longer record is needed for errors to rely on"
            ));
        }
    }

    /// Where points are few for so many equations, what resamples tell.
    fn few(&self, weights: &Whitener, over: usize, remarks: &mut Vec<String>) -> Result<Option<Few>, LinalgError> {
        let points = self.equations.points_per_equation();
        if points >= ENOUGH || over == 0 || self.split.determined.ncols() == 0 {
            return Ok(None);
        }
        let draws = Draws::new(&self.merged(), &self.split.determined, &self.scale, weights);
        let found = Few::of(&draws, self.equations.seed());
        if found.is_none() {
            remarks.push(format!(
                "{points:.0} points per equation are few, and no weights on them make the equations hold: errors may be too small by half"
            ));
        }
        Ok(found)
    }

    fn concluded(mut self, weights: &Whitener, mut remarks: Vec<String>) -> Result<Found, IdentifyError> {
        let (a, g) = self.whitened(weights);
        let (p, k) = (self.theta.len(), a.ncols());
        let over = weights.rank().saturating_sub(k);
        let few = self.few(weights, over, &mut remarks)?;
        let inflation = few.as_ref().map_or(1.0, |few| few.inflation);
        let statistic: f64 = g.iter().map(|g| g * g).sum::<f64>() / inflation;
        let misfit = (over > 0 && weights.draws > over as f64 + 1.0).then(|| Misfit {
            statistic,
            degrees_of_freedom: over as f64,
            p_value: beyond_hotelling(statistic, over as f64, weights.draws),
        });
        let basis = &self.split.determined;
        let inner = match few {
            Some(few) => {
                for (i, t) in self.theta.iter_mut().enumerate() {
                    *t += self.scale[i] * (0..k).map(|j| basis[(i, j)] * few.shift[j]).sum::<f64>();
                }
                Some(few.covariance)
            }
            None => variances_of(&a, weights, over)?,
        };
        let parameters = self.dynamics.free().len();
        let only = |unknowns: &[f64]| unknowns[..parameters].to_vec();
        let trace = vec![(only(&self.start.0), size(&self.start.1, weights)), (only(&self.theta), statistic)];
        let mut objections = Vec::new();
        if let Ok(Some(chance)) = stretches::difference(&self.merged(), &self.split.determined, &self.scale)
            && chance < DRIFT
        {
            objections.push(format!(
                "first, middle and last third of the data give different parameters (p = {chance:.0e}): a transient or a drift; leave the beginning out with --burn-in"
            ));
        }
        let ordered = self.equations.has_times();
        let mut names = self.dynamics.names();
        names.extend(self.dynamics.variables().iter().take(p - parameters).map(|name| format!("the noise of {name}")));
        let undetermined = self.split.free.iter();
        let mut undetermined: Vec<_> =
            undetermined.map(|u| directions::in_words(u, &self.theta, &self.scale, &names, ordered)).collect();
        let blind: Vec<bool> = (0..p).map(|i| undetermined.iter().any(|u| u.direction[i] != 0.0)).collect();
        let spread = inner.map(|inner| {
            let entry = |i: usize, m: usize| {
                let row = |j: usize| (0..k).map(|l| basis[(i, j)] * inner[(j, l)] * basis[(m, l)]).sum::<f64>();
                self.scale[i] * self.scale[m] * (0..k).map(row).sum::<f64>()
            };
            (0..p * p).map(|at| entry(at / p, at % p)).collect::<Vec<f64>>()
        });
        let standard_errors = spread.as_ref().map(|spread| {
            (0..p).map(|i| (!blind[i]).then(|| spread[i * p + i].max(0.0).sqrt())).collect::<Vec<Option<f64>>>()
        });
        // Noise that the data say nothing of is no parameter.
        undetermined.iter_mut().for_each(|u| u.direction.truncate(parameters));
        undetermined.retain(|u| u.direction.iter().any(|d| *d != 0.0));
        let found = self.theta.split_off(parameters);
        let noise = match found.len() {
            0 => self.equations.noise(),
            _ => found.iter().map(|variance| variance.max(0.0).sqrt()).collect(),
        };
        let error = |c: usize| standard_errors.as_ref().and_then(|errors| errors[parameters + c]);
        let variance = |(c, value): (usize, &f64)| NoiseVariance { value: *value, standard_error: error(c) };
        let variances = found.iter().enumerate().map(variance).collect();
        let standard_errors = standard_errors.map(|errors| errors[..parameters].to_vec());
        let square =
            |all: Vec<f64>| all.chunks(p).take(parameters).flat_map(|row| row[..parameters].to_vec()).collect();
        if !self.converged {
            remarks.push("the parameters did not come to rest; start closer".into());
        }
        let estimate = Estimate {
            estimator: "weak-stationary",
            theta: self.theta,
            standard_errors,
            covariance: spread.filter(|_| undetermined.is_empty()).map(square),
            misfit,
            undetermined,
            converged: self.converged,
            noise,
            remarks,
            objections,
            trace,
            seconds: 0.0,
        };
        Ok(Found { estimate, variances })
    }
}

/// ‖X ḡ‖².
fn size(design: &Design, weights: &Whitener) -> f64 {
    let (mean, width) = (design.mean(), design.parameters + 1);
    weights.apply(|e| mean[(e + 1) * width - 1]).iter().map(|v| v * v).sum()
}

/// Variance of each equation between the blocks.
fn variances(design: &Design) -> Vec<f64> {
    let values = combined(design, &residual(design.parameters));
    let count = values.len() as f64;
    (0..design.equations)
        .map(|e| {
            let mean = values.iter().map(|row| row[e]).sum::<f64>() / count;
            values.iter().map(|row| (row[e] - mean).powi(2)).sum::<f64>() / (count - 1.0)
        })
        .collect()
}

/// (AᵀA)⁻¹, with what is lost by weights that were estimated from so many draws (Rao 1967).
fn variances_of(a: &Mat<f64>, weights: &Whitener, over: usize) -> Result<Option<Mat<f64>>, LinalgError> {
    let k = a.ncols();
    let (draws, over) = (weights.draws, over as f64);
    if k == 0 || a.nrows() < k || draws - over < 3.0 {
        return Ok(None);
    }
    let (values, vectors) = symmetric_eigen(gram(a.as_ref()).as_ref())?;
    if !(values[0] > 0.0) {
        return Ok(None);
    }
    let factor = draws / (draws - over) * (draws - 1.0) / (draws - over - 1.0);
    Ok(Some(Mat::from_fn(k, k, |i, j| {
        factor * (0..k).map(|l| vectors[(i, l)] * vectors[(j, l)] / values[l]).sum::<f64>()
    })))
}
