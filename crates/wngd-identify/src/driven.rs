//! Motion driven by noise: dx = v(x; θ) dt + √(2D(x; θ)) dW in Itô's sense, D diagonal.
//!
//! Each step is half of the noise, the drift by the classical method of order 4, and the other half of the noise. The noise
//! is integrated by Platen's scheme without derivatives: of strong order 1 where Dᵢ depends on xᵢ alone, ½ otherwise; where D
//! is constant the whole is of weak order 2.
//!
//! # References
//! Kloeden and Platen 1992, doi:10.1007/978-3-662-12616-5, section 11.1.

use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use rand_pcg::Pcg64;
use wngd_models::flow::VelocityField;

use crate::flow_map::advance_by_four;

/// Noise that drives a motion, in steps of a given length.
pub(crate) struct Driven<'a> {
    /// D of each coordinate.
    diffusion: &'a dyn VelocityField,
    /// Longest step.
    pub(crate) longest: f64,
    rng: Pcg64,
    room: Vec<f64>,
}

impl<'a> Driven<'a> {
    pub(crate) fn new(diffusion: &'a dyn VelocityField, longest: f64, seed: u64) -> Self {
        let room = vec![0.0; 3 * diffusion.dim()];
        // Apart from the seeds of starts and of what is observed.
        Self { diffusion, longest, rng: Pcg64::seed_from_u64(seed ^ 0x2545_f491_4f6c_dd1d), room }
    }

    /// Moves a point on by a time; `false` where D is negative or nothing is finite any more.
    pub(crate) fn advance(&mut self, field: &dyn VelocityField, theta: &[f64], x: &mut [f64], time: f64) -> bool {
        let steps = (time / self.longest).ceil().max(1.0) as usize;
        let h = time / steps as f64;
        for _ in 0..steps {
            if !self.half(theta, x, h) {
                return false;
            }
            drift(field, theta, x, h);
            if !self.half(theta, x, h) {
                return false;
            }
        }
        x.iter().all(|v| v.is_finite())
    }

    fn half(&mut self, theta: &[f64], x: &mut [f64], h: f64) -> bool {
        let increments: Vec<f64> =
            x.iter().map(|_| (0.5 * h).sqrt() * self.rng.sample::<f64, _>(StandardNormal)).collect();
        noise(self.diffusion, theta, x, 0.5 * h, &increments, &mut self.room)
    }
}

/// √(2D) dW over a time with these increments of W.
fn noise(
    diffusion: &dyn VelocityField,
    theta: &[f64],
    x: &mut [f64],
    time: f64,
    increments: &[f64],
    room: &mut [f64],
) -> bool {
    let d = x.len();
    let (here, rest) = room.split_at_mut(d);
    let (there, rest) = rest.split_at_mut(d);
    let beside = &mut rest[..d];
    diffusion.velocity(x, theta, here);
    if !here.iter().all(|v| *v >= 0.0) {
        return false;
    }
    here.iter_mut().for_each(|v| *v = (2.0 * *v).sqrt());
    let root = time.sqrt();
    beside.iter_mut().zip(x.iter()).zip(here.iter()).for_each(|((b, x), s)| *b = x + s * root);
    diffusion.velocity(beside, theta, there);
    for i in 0..d {
        // Beside a point at which D ends the correction is left out.
        let slope = if there[i] >= 0.0 { (2.0 * there[i]).sqrt() - here[i] } else { 0.0 };
        x[i] += here[i] * increments[i] + slope * (increments[i] * increments[i] - time) / (2.0 * root);
    }
    true
}

fn drift(field: &dyn VelocityField, theta: &[f64], x: &mut [f64], h: f64) {
    advance_by_four(x, h, 1, |x, out| field.velocity(x, theta, out));
}

#[cfg(test)]
mod tests {
    use super::*;
    use wngd_models::flow::{Equations, ExpressionField};

    fn growth() -> ExpressionField {
        ExpressionField::new(&Equations {
            variables: vec!["x".into()],
            equations: vec!["a*x".into()],
            parameters: vec![("a".into(), 0.5), ("b".into(), 0.8)],
            diffusion: vec![Some("0.5*b^2*x^2".into())],
            ..Equations::default()
        })
        .unwrap()
    }

    #[test]
    fn paths_converge_with_order_one() {
        // dx = a x dt + b x dW has x = x₀ exp((a − b²/2)t + bW).
        let field = growth();
        let diffusion = field.diffusion().unwrap();
        let theta = [0.5, 0.8];
        let mut rng = Pcg64::seed_from_u64(3);
        let finest = 256;
        let mut errors = [0.0; 3];
        for _ in 0..400 {
            let halves: Vec<f64> =
                (0..2 * finest).map(|_| (0.5 / finest as f64).sqrt() * rng.sample::<f64, _>(StandardNormal)).collect();
            let exact = ((0.5 - 0.32) + 0.8 * halves.iter().sum::<f64>()).exp();
            for (error, steps) in errors.iter_mut().zip([16, 64, 256]) {
                let (mut x, mut room) = (vec![1.0], vec![0.0; 3]);
                let h = 1.0 / f64::from(steps);
                for piece in halves.chunks_exact(halves.len() / steps as usize) {
                    let (first, second) = piece.split_at(piece.len() / 2);
                    assert!(noise(diffusion, &theta, &mut x, 0.5 * h, &[first.iter().sum()], &mut room));
                    drift(&field, &theta, &mut x, h);
                    assert!(noise(diffusion, &theta, &mut x, 0.5 * h, &[second.iter().sum()], &mut room));
                }
                *error += (x[0] - exact).abs() / 400.0;
            }
        }
        for pair in errors.windows(2) {
            let order = (pair[0] / pair[1]).log2() / 2.0;
            assert!((order - 1.0).abs() < 0.2, "{errors:?}: order {order}");
        }
    }

    #[test]
    fn negative_diffusion_is_noticed() {
        let field = growth();
        let mut driven = Driven::new(&field, 0.01, 1);
        // The drift in place of D: negative at negative x.
        assert!(!driven.advance(&field, &[0.5, 0.8], &mut [-1.0], 0.1));
    }
}
