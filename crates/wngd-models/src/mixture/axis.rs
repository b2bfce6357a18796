use wngd_linalg::Grid;

use super::exponential::exponentials;
use super::parameters::Parameter;
use super::quadrature::{NODES, WEIGHTS};

/// e^{-40}: what the rest of an integral may be of its beginning.
const NEGLIGIBLE: f64 = 40.0;
/// Width of a panel times the distance of its far end, in standard deviations: there the integrand falls by e⁴.
const FALL: f64 = 4.0;
/// Cells narrower than this, in standard deviations, lose digits in differences of the density at their ends.
const NARROW: f64 = 1.0;

/// One Gaussian along one axis of a grid: its value in each cell and how its logarithm answers to mean and variance.
///
/// # Shapes
/// One entry per cell of the axis.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    /// ln of the value.
    pub(super) log: Vec<f64>,
    /// The value, 0 where it underflows.
    pub(super) value: Vec<f64>,
    /// ∂ ln value/∂μ.
    pub(super) mean: Vec<f64>,
    /// ∂ ln value/∂σ².
    pub(super) variance: Vec<f64>,
}

impl Axis {
    /// The Gaussian e^{shift − p(x − μ)²/2} at the centres of the cells.
    pub(super) fn at_centres(grid: &Grid, axis: usize, mu: f64, precision: f64, shift: f64) -> Self {
        let centres = grid.centers(axis);
        let score = |x: &f64| precision * (x - mu);
        let log: Vec<f64> = centres.iter().map(|x| shift - 0.5 * precision * (x - mu).powi(2)).collect();
        let mut value = log.clone();
        exponentials(&mut value);
        Self {
            value,
            log,
            mean: centres.iter().map(score).collect(),
            variance: centres.iter().map(|x| 0.5 * (score(x) * score(x) - precision)).collect(),
        }
    }

    /// What its value in a cell of it, as the `number`-th axis, contributes to ∂ ln N/∂parameter.
    pub(super) fn score(&self, number: usize, parameter: Parameter, j: usize) -> f64 {
        match parameter {
            Parameter::Mean(_, a) if a == number => self.mean[j],
            Parameter::AxisVariance(_, a) | Parameter::Covariance(_, a, _) if a == number => self.variance[j],
            Parameter::Variance(_) => self.variance[j],
            _ => 0.0,
        }
    }

    /// Its mean over each cell, (1/h)∫N(x; μ, σ²) dx.
    ///
    /// Integrated from the point of the cell nearest to μ outwards and relative to the value there, so that nothing
    /// underflows: ln is right where the value itself is 0. Relative errors near 1e-14, of the derivatives too: inside
    /// of narrow cells they come from the same integral, of wide ones from the ends, as ∫φ′.
    ///
    /// # Cost
    /// 8 exponentials per standard deviation of cell width, fewer than 200 per cell.
    pub(super) fn cell_means(grid: &Grid, axis: usize, mu: f64, variance: f64) -> Self {
        let (n, h, sigma) = (grid.cells()[axis], grid.spacing()[axis], variance.sqrt());
        let mut all = Self {
            log: Vec::with_capacity(n),
            value: Vec::with_capacity(n),
            mean: Vec::with_capacity(n),
            variance: Vec::with_capacity(n),
        };
        let outside = -h.ln() - 0.5 * (2.0 * std::f64::consts::PI).ln();
        for j in 0..n {
            let end = |j: usize| (grid.lower()[axis] + j as f64 * h - mu) / sigma;
            let Integrals { reference, mass, first, second } = integrals(end(j), end(j + 1));
            let log = outside - 0.5 * reference * reference + mass.ln();
            all.log.push(log);
            all.value.push(log.exp());
            all.mean.push(first / mass / sigma);
            all.variance.push(0.5 * second / mass / variance);
        }
        all
    }
}

/// ∫φ, ∫zφ and ∫(z² − 1)φ over an interval, with φ = e^{−(z² − r²)/2} and r its point nearest to 0.
struct Integrals {
    reference: f64,
    mass: f64,
    first: f64,
    second: f64,
}

fn integrals(from: f64, to: f64) -> Integrals {
    let reference = if from > 0.0 { from } else { to.min(0.0) };
    let phi = |z: f64| (-0.5 * (z - reference) * (z + reference)).exp();
    let mut sums = [0.0; 3];
    let mut add = |from: f64, to: f64| {
        let half = 0.5 * (to - from);
        for (node, weight) in NODES.iter().zip(WEIGHTS) {
            let z = from + half * (1.0 + node);
            let term = half * weight * phi(z);
            sums[0] += term;
            sums[1] += term * z;
            sums[2] += term * (z * z - 1.0);
        }
    };
    // Outwards on both sides, panel by panel, until nothing is left.
    for (sign, end) in [(1.0, to), (-1.0, from)] {
        let mut at = reference;
        while sign * (end - at) > 0.0 && 0.5 * (at - reference) * (at + reference) < NEGLIGIBLE {
            let width = 1.0f64.min(FALL / (at.abs() + 1.0));
            let next = if sign * (end - at) <= width { end } else { at + sign * width };
            add(at.min(next), at.max(next));
            at = next;
        }
    }
    let [mass, mut first, mut second] = sums;
    if to - from > NARROW {
        let (a, b) = (phi(from), phi(to));
        first = a - b;
        second = ended(from, a) - ended(to, b);
    }
    Integrals { reference, mass, first, second }
}

/// zφ at an end, 0 where φ is.
fn ended(z: f64, phi: f64) -> f64 {
    if phi > 0.0 { z * phi } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Φ(b) − Φ(a) by a fine trapezoidal rule, which converges faster than any power of the step on the whole line;
    /// here Simpson's rule on 20 000 steps.
    fn simpson(f: impl Fn(f64) -> f64, a: f64, b: f64) -> f64 {
        let n = 20_000;
        let h = (b - a) / f64::from(n);
        let sum: f64 = (0..=n)
            .map(|i| {
                f(a + f64::from(i) * h)
                    * if i == 0 || i == n {
                        1.0
                    } else if i % 2 == 1 {
                        4.0
                    } else {
                        2.0
                    }
            })
            .sum();
        sum * h / 3.0
    }

    #[test]
    fn masses_and_derivatives_are_the_integrals() {
        for (a, b) in [(-0.3, 0.4), (0.1, 0.11), (-3.0, 5.0), (2.0, 2.5), (8.0, 9.0), (-31.0, -30.0), (6.0, 6.001)] {
            let found = integrals(a, b);
            let r = found.reference;
            let phi = |z: f64| (-0.5 * (z - r) * (z + r)).exp();
            let mass = simpson(phi, a, b);
            assert!((found.mass / mass - 1.0).abs() < 1e-11, "{a} {b}: {} {mass}", found.mass);
            let first = simpson(|z| z * phi(z), a, b);
            assert!((found.first - first).abs() < 1e-10 * mass * (1.0 + r.abs()), "{a} {b}");
            let second = simpson(|z| (z * z - 1.0) * phi(z), a, b);
            assert!((found.second - second).abs() < 1e-10 * mass * (1.0 + r * r), "{a} {b}");
        }
    }

    #[test]
    fn masses_of_all_cells_add_up_to_one_however_wide_they_are() {
        for cells in [1, 2, 3, 7, 50, 1000] {
            let grid = Grid::new(&[-60.0], &[70.0], &[cells]).unwrap();
            for sigma in [1e-6, 0.02, 1.0, 4.0] {
                let axis = Axis::cell_means(&grid, 0, 0.37, sigma * sigma);
                let mass: f64 = axis.value.iter().sum::<f64>() * grid.cell_volume();
                assert!((mass - 1.0).abs() < 1e-13, "{cells} {sigma}: {mass}");
                assert!(axis.log.iter().all(|l| l.is_finite()));
                let moved: f64 = axis.value.iter().zip(&axis.variance).map(|(v, s)| v * s).sum();
                assert!(moved.abs() * grid.cell_volume() < 1e-12 / (sigma * sigma), "{cells} {sigma}: {moved}");
            }
        }
    }

    #[test]
    fn a_component_inside_one_cell_does_not_feel_its_variance() {
        let grid = Grid::new(&[0.0], &[10.0], &[10]).unwrap();
        let axis = Axis::cell_means(&grid, 0, 4.5, 1e-8);
        assert_eq!(axis.value[4], 1.0);
        assert_eq!((axis.mean[4], axis.variance[4]), (0.0, 0.0));
    }
}
