//! What an estimate from few draws needs: its errors and its misfit from resamples, since covariances of the equations are
//! themselves uncertain there.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use rayon::prelude::*;
use wngd_linalg::dense::{as_column, gram};
use wngd_linalg::faer::linalg::solvers::{Llt, Solve};
use wngd_linalg::faer::{Mat, Scale, Side};

use super::likelihood::{Draws, Tilted, mean, newton};

/// Groups that are left out in turn, at least.
const GROUPS: usize = 50;
/// Resamples of the misfit.
const RESAMPLES: usize = 40;

/// The estimate of empirical likelihood.
pub(super) struct Few {
    /// In the directions that the data determine, from where the draws were taken.
    pub(super) shift: Vec<f64>,
    /// Of the shift.
    pub(super) covariance: Mat<f64>,
    /// What misfits of right models are larger by than Hotelling's distribution has it, at least 1.
    pub(super) inflation: f64,
}

impl Few {
    /// The covariance is from estimates with a group of draws left out (jackknife); the inflation from resamples drawn with
    /// the weights under which the model is right (Brown and Newey 2002, doi:10.1198/073500102288618694). The jackknife's
    /// correction of the bias is not applied: what is left of it is smaller than what the correction adds to the scatter.
    ///
    /// # Cost
    /// Some 500 Gram matrices of the draws, in parallel; the same bits for any number of threads.
    ///
    /// `None` where no weights on the draws make the equations hold.
    pub(super) fn of(draws: &Draws, seed: u64) -> Option<Self> {
        let whole = Tilted::of(draws)?;
        let (covariance, inflation) = (left_out(draws, &whole)?, inflation(draws, &whole, seed)?);
        Some(Self { shift: whole.shift, covariance, inflation })
    }
}

/// Covariance of the shift.
fn left_out(draws: &Draws, whole: &Tilted) -> Option<Mat<f64>> {
    let (count, k) = (draws.count(), draws.directions());
    // Neighbours stay together, for they may depend on each other.
    let groups = GROUPS.max(2 * k).min(count / 4);
    if groups < 2 {
        return None;
    }
    let without = |group: usize| {
        let (begin, end) = (group * count / groups, (group + 1) * count / groups);
        let kept: Vec<usize> = (0..begin).chain(end..count).collect();
        Some(whole.improved(&draws.chosen(&kept), 3, 3)?.0.shift)
    };
    let shifts: Vec<Vec<f64>> = (0..groups).into_par_iter().map(without).collect::<Option<_>>()?;
    let m = groups as f64;
    let center: Vec<f64> = (0..k).map(|j| shifts.iter().map(|s| s[j]).sum::<f64>() / m).collect();
    Some(Mat::from_fn(k, k, |i, j| {
        (m - 1.0) / m * shifts.iter().map(|s| (s[i] - center[i]) * (s[j] - center[j])).sum::<f64>()
    }))
}

fn inflation(draws: &Draws, whole: &Tilted, seed: u64) -> Option<f64> {
    let count = draws.count();
    let freedom = (draws.equations() - draws.directions()) as f64;
    let up_to: Vec<f64> = whole
        .weights
        .iter()
        .scan(0.0, |sum, w| {
            *sum += w;
            Some(*sum)
        })
        .collect();
    let resample = |number: u64| {
        let mut rng = Pcg64::seed_from_u64(seed.wrapping_mul(RESAMPLES as u64).wrapping_add(number));
        let mut draw = || {
            let at = rng.random::<f64>();
            up_to.partition_point(|sum| *sum < at).min(count - 1)
        };
        let chosen: Vec<usize> = (0..count).map(|_| draw()).collect();
        smallest(&draws.chosen(&chosen), whole.shift.clone())
    };
    let misfits: Vec<f64> = (0..RESAMPLES as u64).into_par_iter().map(resample).collect::<Option<_>>()?;
    let n = count as f64;
    // The mean of Hotelling's statistic.
    let expected = freedom * (n - 1.0) / (n - freedom - 2.0).max(1.0);
    Some((misfits.iter().sum::<f64>() / RESAMPLES as f64 / expected).max(1.0))
}

/// n ḡᵀΩ(θ)⁻¹ḡ after steps towards its minimum, as [`super::gmm`] takes them.
fn smallest(draws: &Draws, mut shift: Vec<f64>) -> Option<f64> {
    let n = draws.count() as f64;
    let even = vec![1.0 / n; draws.count()];
    let at = |shift: &[f64]| {
        let mut values = draws.at(shift);
        let g = mean(values.as_ref(), &even);
        for b in 0..values.nrows() {
            for (e, m) in g.iter().enumerate() {
                values[(b, e)] -= m;
            }
        }
        let covariance = gram(values.as_ref()) * Scale(1.0 / (n - 1.0));
        let weighted = Llt::new(covariance.as_ref(), Side::Lower).ok()?.solve(as_column(&g));
        let statistic = n * g.iter().enumerate().map(|(e, g)| g * weighted[(e, 0)]).sum::<f64>();
        let along = &values * &weighted;
        let tilt: Vec<f64> = (0..values.nrows()).map(|b| (1.0 - along[(b, 0)]) / n).collect();
        Some((g, covariance, statistic, tilt))
    };
    let mut last = f64::INFINITY;
    for _ in 0..3 {
        let (g, covariance, statistic, tilt) = at(&shift)?;
        last = last.min(statistic);
        let (step, _) = newton(&covariance, &draws.slope(&tilt), &g)?;
        shift.iter_mut().zip(&step).for_each(|(t, s)| *t += s);
    }
    Some(last.min(at(&shift)?.2))
}
