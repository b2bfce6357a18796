//! Quadratic models of two parameters.

use super::LocalModel;
use crate::canvas::Point;

/// A symmetric 2 by 2 model: its minimiser and its level ellipses.
pub(super) struct Bowl {
    pub minimiser: [f64; 2],
    /// The depth of the minimum below the iterate's value.
    depth: f64,
    /// Lower triangular factor of `M`.
    l: [f64; 3],
}

impl Bowl {
    /// `None` unless the model has a unique minimiser.
    pub fn new(m: &LocalModel) -> Option<Self> {
        let (a, c) = (m.matrix[0], m.matrix[3]);
        let b = 0.5 * (m.matrix[1] + m.matrix[2]);
        if !(a > 0.0 && c > 0.0) {
            return None;
        }
        let l0 = a.sqrt();
        let l1 = b / l0;
        let rest = c - l1 * l1;
        // Relative: what remains of `c` after elimination is rounding.
        if rest.is_nan() || rest <= 1e-12 * c {
            return None;
        }
        let l2 = rest.sqrt();
        let (g0, g1) = (m.gradient[0], m.gradient[1]);
        let w0 = g0 / l0;
        let w1 = (g1 - l1 * w0) / l2;
        let h1 = -w1 / l2;
        let h0 = (-w0 - l1 * h1) / l0;
        let depth = 0.5 * (w0 * w0 + w1 * w1);
        let minimiser = [m.theta[0] + h0, m.theta[1] + h1];
        (minimiser.iter().all(|v| v.is_finite()) && depth.is_finite()).then_some(Self {
            minimiser,
            depth,
            l: [l0, l1, l2],
        })
    }

    /// The ellipse on which the model lies a fraction of the depth above its
    /// minimum; a fraction of 1 gives the one through the iterate.
    pub fn ellipse(&self, fraction: f64) -> Vec<Point> {
        let r = (2.0 * self.depth * fraction).sqrt();
        let n = 160;
        (0..=n)
            .map(|k| {
                let a = std::f64::consts::TAU * f64::from(k) / f64::from(n);
                // Solve L' h = r (cos, sin).
                let h1 = r * a.sin() / self.l[2];
                let h0 = (r * a.cos() - self.l[1] * h1) / self.l[0];
                (self.minimiser[0] + h0, self.minimiser[1] + h1)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ellipses_are_level_sets_of_the_model() {
        let m = LocalModel {
            theta: vec![1.0, -2.0],
            value: 3.0,
            gradient: vec![0.7, -0.4],
            matrix: vec![2.0, 0.5, 0.5, 1.0],
            step: vec![0.0, 0.0],
        };
        let b = Bowl::new(&m).expect("positive definite");
        let model = |p: Point| {
            let (h, k) = (p.0 - 1.0, p.1 + 2.0);
            3.0 + 0.7 * h - 0.4 * k + 0.5 * (2.0 * h * h + h * k + k * k)
        };
        for p in b.ellipse(1.0) {
            assert!((model(p) - 3.0).abs() < 1e-12);
        }
        let bottom = model((b.minimiser[0], b.minimiser[1]));
        assert!((3.0 - bottom - b.depth).abs() < 1e-12);
        let flat = LocalModel { matrix: vec![1.0, 1.0, 1.0, 1.0], ..m };
        assert!(Bowl::new(&flat).is_none());
    }
}
