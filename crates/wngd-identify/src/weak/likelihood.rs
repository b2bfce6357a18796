//! Empirical likelihood: parameters and weights of the draws under which the equations hold exactly.
//!
//! Weights from a covariance that was estimated from few draws with long tails pull the estimate, by the third moments of the
//! equations and by 1/n as n grows. The estimate of empirical likelihood has no such term (Newey and Smith 2004,
//! doi:10.1111/j.1468-0262.2004.00482.x); its weights p are a distribution on the draws for which the model is right.

use wngd_linalg::dense::{as_column, gram};
use wngd_linalg::faer::linalg::solvers::{Llt, Solve};
use wngd_linalg::faer::{Mat, MatRef, Scale, Side};

use super::design::Design;
use super::whiten::Whitener;

/// A step this much shorter than the standard errors, squared, ends the iteration.
const STILL: f64 = 1e-14;
/// From this step on they are halved: near twins of the solution may be visited in turn.
const HALVED: usize = 30;

/// Equations of every draw and their slopes in the directions that the data determine, in units of their scatter.
#[derive(Debug, Clone)]
pub(super) struct Draws {
    /// Draws x equations.
    values: Mat<f64>,
    /// The same for every direction.
    slopes: Vec<Mat<f64>>,
}

impl Draws {
    pub(super) fn new(design: &Design, basis: &Mat<f64>, scale: &[f64], weights: &Whitener) -> Self {
        let (count, rank, width) = (design.blocks.len(), weights.rank(), design.parameters + 1);
        let mut values = Mat::zeros(count, rank);
        let mut slopes = vec![Mat::zeros(count, rank); basis.ncols()];
        // The whitener is that of the mean.
        let unit = (count as f64).sqrt().recip();
        for (b, block) in design.blocks.iter().enumerate() {
            let put = |to: &mut Mat<f64>, of: &dyn Fn(usize) -> f64| {
                for (r, v) in weights.apply(of).into_iter().enumerate() {
                    to[(b, r)] = unit * v;
                }
            };
            put(&mut values, &|e| block[(e + 1) * width - 1]);
            for (j, slope) in slopes.iter_mut().enumerate() {
                put(slope, &|e| (0..width - 1).map(|i| block[e * width + i] * scale[i] * basis[(i, j)]).sum());
            }
        }
        Self { values, slopes }
    }

    pub(super) fn count(&self) -> usize {
        self.values.nrows()
    }

    pub(super) fn equations(&self) -> usize {
        self.values.ncols()
    }

    pub(super) fn directions(&self) -> usize {
        self.slopes.len()
    }

    /// The draws of these numbers, each as often as it is named.
    pub(super) fn chosen(&self, numbers: &[usize]) -> Self {
        let of = |mat: &Mat<f64>| Mat::from_fn(numbers.len(), mat.ncols(), |b, e| mat[(numbers[b], e)]);
        Self { values: of(&self.values), slopes: self.slopes.iter().map(of).collect() }
    }

    /// The equations at a shift of the parameters.
    pub(super) fn at(&self, shift: &[f64]) -> Mat<f64> {
        let mut values = self.values.clone();
        for (slope, s) in self.slopes.iter().zip(shift) {
            values += Scale(*s) * slope;
        }
        values
    }

    /// Weighted means of the slopes, equations x directions.
    pub(super) fn slope(&self, weights: &[f64]) -> Mat<f64> {
        let columns: Vec<Vec<f64>> = self.slopes.iter().map(|slope| mean(slope.as_ref(), weights)).collect();
        Mat::from_fn(self.equations(), columns.len(), |e, j| columns[j][e])
    }
}

/// Where empirical likelihood is largest.
#[derive(Debug, Clone)]
pub(super) struct Tilted {
    /// From where the draws were taken.
    pub(super) shift: Vec<f64>,
    /// λ of the weights 1/(n(1 + λ·g)).
    multipliers: Vec<f64>,
    /// They sum to 1.
    pub(super) weights: Vec<f64>,
}

impl Tilted {
    /// From no shift; `None` where no weights on the draws make the equations hold, or the iteration does not end.
    pub(super) fn of(draws: &Draws) -> Option<Self> {
        let start = Self {
            shift: vec![0.0; draws.directions()],
            multipliers: vec![0.0; draws.equations()],
            weights: Vec::new(),
        };
        let (found, ended) = start.improved(draws, 60, 50)?;
        ended.then_some(found)
    }

    /// So many steps of the parameters, each with so many of the multipliers; whether they came to rest.
    pub(super) fn improved(&self, draws: &Draws, steps: usize, inner: usize) -> Option<(Self, bool)> {
        let mut it = self.clone();
        for k in 0..steps {
            let values = draws.at(&it.shift);
            it.multipliers = multipliers(values.as_ref(), it.multipliers, inner)?;
            it.weights = weights(values.as_ref(), &it.multipliers)?;
            let covariance = weighted_gram(values.as_ref(), &it.weights);
            let even = vec![1.0 / draws.count() as f64; draws.count()];
            let (step, length) = newton(&covariance, &draws.slope(&it.weights), &mean(values.as_ref(), &even))?;
            let factor = if k < HALVED { 1.0 } else { 0.5 };
            it.shift.iter_mut().zip(&step).for_each(|(t, s)| *t += factor * s);
            if draws.count() as f64 * length < STILL {
                return Some((it, true));
            }
        }
        Some((it, false))
    }
}

/// −(DᵀΩ⁻¹D)⁻¹DᵀΩ⁻¹g and its length in DᵀΩ⁻¹D, squared.
pub(super) fn newton(covariance: &Mat<f64>, slope: &Mat<f64>, g: &[f64]) -> Option<(Vec<f64>, f64)> {
    let factor = Llt::new(covariance.as_ref(), Side::Lower).ok()?;
    let weighted = factor.solve(slope);
    let information = slope.transpose() * &weighted;
    let right = weighted.transpose() * as_column(g);
    let step = Llt::new(information.as_ref(), Side::Lower).ok()?.solve(&right);
    let step: Vec<f64> = (0..slope.ncols()).map(|j| -step[(j, 0)]).collect();
    let length = -step.iter().enumerate().map(|(j, s)| s * right[(j, 0)]).sum::<f64>();
    (length.is_finite() && step.iter().all(|s| s.is_finite())).then_some((step, length))
}

/// λ with Σ g/(1 + λ·g) = 0: the maximum of Σ ln(1 + λ·g), which goes on as a parabola where 1 + λ·g < 1/n, by Newton steps.
fn multipliers(values: MatRef<'_, f64>, mut lambda: Vec<f64>, most: usize) -> Option<Vec<f64>> {
    let count = values.nrows() as f64;
    let heights = |lambda: &[f64]| -> Vec<f64> { times(values, lambda).into_iter().map(|v| 1.0 + v).collect() };
    let logarithm = |u: f64| {
        let x = count * u;
        if x > 1.0 { u.ln() } else { -count.ln() - 1.5 + 2.0 * x - 0.5 * x * x }
    };
    let total = |lambda: &[f64]| heights(lambda).into_iter().map(logarithm).sum::<f64>();
    let mut value = total(&lambda);
    for _ in 0..most {
        let u = heights(&lambda);
        let first: Vec<f64> =
            u.iter().map(|u| if count * u > 1.0 { 1.0 / u } else { count * (2.0 - count * u) }).collect();
        let second: Vec<f64> = u.iter().map(|u| if count * u > 1.0 { u.powi(-2) } else { count * count }).collect();
        let curvature = weighted_gram(values, &second);
        let step = Llt::new(curvature.as_ref(), Side::Lower).ok()?;
        let step = step.solve(as_column(&mean(values, &first)));
        let step: Vec<f64> = (0..lambda.len()).map(|e| step[(e, 0)]).collect();
        let mut length = 1.0;
        let (next, higher) = loop {
            let next: Vec<f64> = lambda.iter().zip(&step).map(|(l, s)| l + length * s).collect();
            let higher = total(&next);
            if higher >= value - 1e-12 * value.abs() || length < 1e-6 {
                break (next, higher);
            }
            length *= 0.5;
        };
        (lambda, value) = (next, higher);
        if times(values, &step).iter().all(|v| v.abs() < 1e-10) {
            break;
        }
    }
    lambda.iter().all(|l| l.is_finite()).then_some(lambda)
}

/// 1/(n(1 + λ·g)), made to sum to 1; `None` where one is not positive: 0 then lies outside of the hull of the draws.
fn weights(values: MatRef<'_, f64>, lambda: &[f64]) -> Option<Vec<f64>> {
    let count = values.nrows() as f64;
    let heights: Vec<f64> = times(values, lambda).into_iter().map(|v| 1.0 + v).collect();
    if heights.iter().any(|u| !(count * u > 1.0)) {
        return None;
    }
    let total: f64 = heights.iter().map(|u| 1.0 / u).sum();
    Some(heights.iter().map(|u| 1.0 / (u * total)).collect())
}

fn times(values: MatRef<'_, f64>, vector: &[f64]) -> Vec<f64> {
    let product = values * as_column(vector);
    (0..values.nrows()).map(|b| product[(b, 0)]).collect()
}

/// Σ wᵢ gᵢ over the draws.
pub(super) fn mean(values: MatRef<'_, f64>, weights: &[f64]) -> Vec<f64> {
    let product = values.transpose() * as_column(weights);
    (0..values.ncols()).map(|e| product[(e, 0)]).collect()
}

/// Σ wᵢ gᵢ gᵢᵀ with wᵢ ≥ 0.
fn weighted_gram(values: MatRef<'_, f64>, weights: &[f64]) -> Mat<f64> {
    let roots: Vec<f64> = weights.iter().map(|w| w.sqrt()).collect();
    gram(Mat::from_fn(values.nrows(), values.ncols(), |b, e| roots[b] * values[(b, e)]).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two equations for one mean: of x and of a second variable of known mean 0 that goes with it.
    fn draws() -> Draws {
        let x: Vec<(f64, f64)> =
            (0..60).map(|i| (f64::from(i) * 1.7).sin()).zip((0..60).map(|i| (f64::from(i) * 2.3).cos())).collect();
        let values = Mat::from_fn(60, 2, |b, e| if e == 0 { x[b].0 + x[b].1 } else { x[b].1 + 0.1 });
        Draws { values, slopes: vec![Mat::from_fn(60, 2, |_, e| if e == 0 { -1.0 } else { 0.0 })] }
    }

    #[test]
    fn the_equations_hold_under_the_weights_that_are_likeliest() {
        let draws = draws();
        let found = Tilted::of(&draws).unwrap();
        assert!((found.weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        for left in mean(draws.at(&found.shift).as_ref(), &found.weights) {
            assert!(left.abs() < 1e-8, "{left}");
        }
        // No other parameter allows for likelier weights.
        let likelihood = |shift: f64| {
            let values = draws.at(&[shift]);
            let lambda = multipliers(values.as_ref(), vec![0.0; 2], 50).unwrap();
            weights(values.as_ref(), &lambda).unwrap().iter().map(|w| w.ln()).sum::<f64>()
        };
        let here = likelihood(found.shift[0]);
        assert!(likelihood(found.shift[0] + 1e-3) < here && likelihood(found.shift[0] - 1e-3) < here);
    }

    #[test]
    fn no_weights_exist_where_all_draws_are_on_one_side() {
        let mut draws = draws();
        for b in 0..draws.count() {
            draws.values[(b, 1)] += 3.0;
        }
        assert!(Tilted::of(&draws).is_none());
    }
}
