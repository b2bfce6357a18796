//! The flow of a simulation: the classical method of order 4, with fields that are polynomials compiled to their terms.

use crate::dynamics::Dynamics;

/// Steps per time scale to begin with.
const STEPS: f64 = 8.0;
/// Most steps.
const MOST: usize = 512;
/// Points that the number of steps is tried on.
const TRIED: usize = 32;

/// A step of a given length.
pub(super) struct Motion<'a> {
    dynamics: &'a Dynamics,
    time: f64,
    steps: usize,
    /// Component and coordinates that are multiplied, per term of a polynomial.
    terms: Option<Vec<(usize, Vec<usize>)>>,
}

/// Parameters of a simulation, with the coefficients that follow from them, and room to work in.
pub(super) struct At {
    pub(super) full: Vec<f64>,
    coefficients: Vec<f64>,
    room: Vec<f64>,
}

impl<'a> Motion<'a> {
    /// With as many steps as points need for an error of `tolerance` in units of the scales; `None` if these are too many.
    pub(super) fn new(
        dynamics: &'a Dynamics,
        time: f64,
        full: &[f64],
        (points, scales, scale): (&[f64], &[f64], f64),
        tolerance: f64,
    ) -> Option<Self> {
        let terms = dynamics.polynomial.as_ref().map(|(drift, _)| {
            let factors = |monomial: usize| {
                let powers = drift.monomials[monomial].iter();
                powers.flat_map(|&(axis, power)| std::iter::repeat_n(axis, power as usize)).collect()
            };
            drift.terms.iter().map(|(component, monomial)| (*component, factors(*monomial))).collect()
        });
        let steps = ((STEPS * time / scale).ceil() as usize).clamp(1, MOST);
        let mut it = Self { dynamics, time, steps, terms };
        let d = scales.len();
        let stride = (points.len() / d / TRIED).max(1);
        let images = |it: &Self| -> Vec<Vec<f64>> {
            let mut at = it.at(full.to_vec());
            let image = |x: &[f64]| {
                let mut x = x.to_vec();
                it.advance(&mut x, &mut at);
                x
            };
            points.chunks_exact(d).step_by(stride).map(image).collect()
        };
        let mut coarse = images(&it);
        while it.steps <= MOST {
            it.steps *= 2;
            let fine = images(&it);
            let apart = |(a, b): (&Vec<f64>, &Vec<f64>)| {
                let each = a.iter().zip(b).zip(scales).map(|((a, b), s)| (a - b).abs() / s);
                each.fold(0.0, |most: f64, d| if d.is_nan() { f64::INFINITY } else { most.max(d) })
            };
            let mut errors: Vec<f64> = coarse.iter().zip(&fine).map(apart).collect();
            errors.sort_by(f64::total_cmp);
            // Single points may be far outside what the flow bears.
            if errors.get(errors.len() * 9 / 10).is_some_and(|e| *e < tolerance) {
                it.steps /= 2;
                return Some(it);
            }
            coarse = fine;
        }
        None
    }

    /// What simulations at all parameters need.
    pub(super) fn at(&self, full: Vec<f64>) -> At {
        let coefficients = match (&self.terms, &self.dynamics.polynomial) {
            (Some(_), Some((drift, _))) => drift.coefficients(&full),
            _ => Vec::new(),
        };
        At { full, coefficients, room: vec![0.0; 3 * self.dynamics.dim()] }
    }

    /// Moves a point.
    pub(super) fn advance(&self, x: &mut [f64], at: &mut At) {
        let d = x.len();
        let At { full, coefficients, room } = at;
        let (slope, rest) = room.split_at_mut(d);
        let (sum, there) = rest.split_at_mut(d);
        let h = self.time / self.steps as f64;
        for _ in 0..self.steps {
            sum.fill(0.0);
            there.copy_from_slice(x);
            for (weight, next) in [(1.0, 0.5), (2.0, 0.5), (2.0, 1.0), (1.0, 0.0)] {
                match &self.terms {
                    Some(terms) => {
                        slope.fill(0.0);
                        for ((component, factors), a) in terms.iter().zip(coefficients.iter()) {
                            slope[*component] += factors.iter().fold(*a, |value, axis| value * there[*axis]);
                        }
                    }
                    None => self.dynamics.drift.velocity(there, full, slope),
                }
                for i in 0..d {
                    sum[i] += weight * slope[i];
                    there[i] = x[i] + next * h * slope[i];
                }
            }
            x.iter_mut().zip(sum.iter()).for_each(|(x, s)| *x += h / 6.0 * s);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wngd_models::flow::system;

    #[test]
    fn terms_and_fields_move_alike() {
        let lorenz = system("lorenz63").unwrap();
        let written = Dynamics::written(&lorenz.written().unwrap(), lorenz.theta.clone(), None).unwrap();
        let plain = Dynamics::new(lorenz.field.clone(), lorenz.theta.clone(), None).unwrap();
        let points = crate::simulate(lorenz.field.as_ref(), &lorenz.theta, &lorenz.start, 0.1, 200, 10.0).unwrap();
        let around: (&[f64], &[f64], f64) = (&points, &[8.0, 9.0, 8.5], 0.14);
        for (k, pair) in points.chunks_exact(3).zip(points[3..].chunks_exact(3)).enumerate().take(50) {
            for dynamics in [&written, &plain] {
                let motion = Motion::new(dynamics, 0.1, &lorenz.theta, around, 1e-6).unwrap();
                let mut x = pair.0.to_vec();
                motion.advance(&mut x, &mut motion.at(lorenz.theta.clone()));
                assert!(x.iter().zip(pair.1).all(|(a, b)| (a - b).abs() < 1e-4), "{k}: {x:?} {:?}", pair.1);
            }
        }
    }
}
