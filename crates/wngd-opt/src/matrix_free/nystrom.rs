use wngd_linalg::LinearOp;
use wngd_linalg::dense::{dot, norm};
use wngd_linalg::operator::{apply_transpose_vec, apply_vec};

use super::approximation::Nystrom;
use super::prepared::{Found, Memory, Prepared};
use super::progress;
use crate::error::DirectionError;

/// Rank that the approximation starts with, and the largest it grows to.
const RANKS: (usize, usize) = (16, 128);
/// The rank is doubled until what is left of G is at most this many times μ.
const SMALL: f64 = 100.0;
/// Share of its first square that a residual is exhausted at.
const EXHAUSTED: f64 = 1e-28;
/// Times that the residual of conjugate gradients is computed anew.
const RENEWALS: usize = 2;
/// Conjugate-gradient steps after which the iteration is given up.
const MAX_STEPS: usize = 400;

impl<J: LinearOp> Prepared<'_, J> {
    /// Conjugate gradients on (G + μ)η = Yᵀb, preconditioned.
    pub(super) fn nystrom(&self, memory: &mut Memory, damping: f64) -> Result<Found, DirectionError> {
        let p = self.y.ncols();
        let g = self.gradient(memory);
        let limit = self.options.probes.unwrap_or(RANKS.1).min(p);
        let mut approximation = memory.nystrom.take().unwrap_or_else(|| Nystrom::empty(&self.y));
        let mut mu = self.mu(damping, approximation.largest());
        while approximation.rank() < limit {
            let rank = approximation.rank();
            let smallest = approximation.values.last().copied().unwrap_or(f64::INFINITY);
            if self.options.probes.is_none() && smallest <= SMALL * mu {
                break;
            }
            let more = if self.options.probes.is_some() { limit } else { rank.max(RANKS.0) }.min(limit - rank);
            approximation.extend(&self.y, self.options.draw.block(p, rank, more))?;
            mu = self.mu(damping, approximation.largest());
        }
        let rank = approximation.rank();
        if mu == 0.0 && approximation.values.last().is_none_or(|v| *v == 0.0) {
            memory.nystrom = Some(approximation);
            return Err(DirectionError::NeedsDamping { estimator: "nystrom" });
        }
        let mut eta = vec![0.0; p];
        let mut r = g.clone();
        let mut s = approximation.apply_inverse(&r, mu);
        let mut d = s.clone();
        let mut size = dot(&r, &s);
        let first = size;
        let (mut decreases, mut steps, mut error, mut renewed) = (vec![0.0], 0, 1.0, 0);
        if size == 0.0 {
            error = 0.0;
        }
        while error > self.options.tolerance && steps < MAX_STEPS {
            let mut hd = apply_transpose_vec(&self.y, &apply_vec(&self.y, &d));
            hd.iter_mut().zip(&d).for_each(|(h, d)| *h += mu * d);
            let alpha = size / dot(&d, &hd);
            if !alpha.is_finite() {
                break;
            }
            eta.iter_mut().zip(&d).for_each(|(e, d)| *e += alpha * d);
            r.iter_mut().zip(&hd).for_each(|(r, h)| *r -= alpha * h);
            decreases.push(decreases[steps] + 0.5 * alpha * size);
            steps += 1;
            s = approximation.apply_inverse(&r, mu);
            let mut next = dot(&r, &s);
            let bound = if mu > 0.0 { 0.5 * norm(&r).powi(2) / mu } else { f64::INFINITY };
            error = progress::relative_error(progress::gap(&decreases, bound), decreases[steps]);
            if !(next > EXHAUSTED * first) {
                // The recursion is used up; what rounding left of the residual itself is not.
                if renewed == RENEWALS {
                    error = error.min(EXHAUSTED.sqrt());
                    break;
                }
                renewed += 1;
                r = self.residual(&eta, &g, mu).iter().map(|r| -r).collect();
                s = approximation.apply_inverse(&r, mu);
                next = dot(&r, &s);
                size = f64::INFINITY;
            }
            d.iter_mut().zip(&s).for_each(|(d, s)| *d = s + next / size * *d);
            size = next;
            if !(size > 0.0) {
                error = error.min(EXHAUSTED.sqrt());
                break;
            }
        }
        let values = (approximation.largest().sqrt(), (approximation.values.last().copied().unwrap_or(0.0)).sqrt());
        memory.nystrom = Some(approximation);
        Ok(Found { eta, probes: rank, iterations: steps, mu, error, singular_values: values, reason: None })
    }
}
