//! Means of a Gaussian over cells that are narrow against it: all cells have the same nodes about their centres.
//!
//! With the precision P, a centre c and a node c + d, both from the mean, −½(c + d)ᵀP(c + d) = −½cᵀPc − dᵀPc − ½dᵀPd.
//! The last term is the same in all cells, and e^{−dᵀPc} is a product over pairs of axes, of which there are tables:
//! no exponential is left at the nodes.

use wngd_linalg::Grid;

use super::gaussian::{Gaussian, Scores};

/// Largest exponent of all factors of a node together; beyond, products might leave the range of numbers.
const LARGEST: f64 = 500.0;

/// Tables of a grid.
pub(super) struct Narrow<'a> {
    gaussian: &'a Gaussian<'a>,
    /// Centres of the cells of each axis, from the mean.
    centers: [Vec<f64>; 3],
    /// The nodes of each axis, from the centre.
    offsets: [Vec<f64>; 3],
    /// Weights of all nodes times e^{−½dᵀPd}, those of the last axis fastest.
    weights: Vec<f64>,
    /// e^{−d P_ab c} for the nodes d of axis a and the centres c of axis b, the nodes fastest.
    factors: [[Vec<f64>; 3]; 3],
}

impl<'a> Narrow<'a> {
    /// Of a rule for each axis: nodes on [−1, 1] and weights that sum to 2. None where products might overflow.
    pub(super) fn new(grid: &Grid, gaussian: &'a Gaussian<'a>, rules: &[&[(f64, f64)]]) -> Option<Self> {
        let p = gaussian.precision;
        let each = |make: &dyn Fn(usize) -> Vec<f64>, none: f64| -> [Vec<f64>; 3] {
            std::array::from_fn(|axis| if axis < grid.dim() { make(axis) } else { vec![none] })
        };
        let centers = each(&|axis| grid.centers(axis).iter().map(|x| x - gaussian.mean[axis]).collect(), 0.0);
        let half = |axis: usize| 0.5 * grid.spacing()[axis];
        let offsets = each(&|axis| rules[axis].iter().map(|(t, _)| half(axis) * t).collect(), 0.0);
        let shares = each(&|axis| rules[axis].iter().map(|(_, w)| 0.5 * w).collect(), 1.0);
        let farthest = |values: &[f64]| values.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        let pairs = (0..3).flat_map(|a| (0..3).map(move |b| (a, b)));
        let exponent: f64 = pairs.map(|(a, b)| (p[a][b] * farthest(&offsets[a]) * farthest(&centers[b])).abs()).sum();
        if !(exponent < LARGEST) {
            return None;
        }
        let mut weights = Vec::new();
        for (x, u) in offsets[0].iter().zip(&shares[0]) {
            for (y, v) in offsets[1].iter().zip(&shares[1]) {
                for (z, w) in offsets[2].iter().zip(&shares[2]) {
                    weights.push(u * v * w * (-0.5 * gaussian.square([*x, *y, *z])).exp());
                }
            }
        }
        let table = |a: usize, b: usize| -> Vec<f64> {
            centers[b].iter().flat_map(|c| offsets[a].iter().map(move |d| (-d * p[a][b] * c).exp())).collect()
        };
        let factors = std::array::from_fn(|a| std::array::from_fn(|b| table(a, b)));
        Some(Self { gaussian, centers, offsets, weights, factors })
    }

    /// ln of the mean over one cell, and its scores.
    pub(super) fn average(&self, at: [usize; 3], with_scores: bool) -> (f64, Scores) {
        let mut factors = [[1.0; 4]; 3];
        for (a, factors) in factors.iter_mut().enumerate() {
            let count = self.offsets[a].len();
            for (b, &cell) in at.iter().enumerate() {
                let table = &self.factors[a][b][cell * count..][..count];
                factors.iter_mut().zip(table).for_each(|(factor, f)| *factor *= f);
            }
        }
        let center: [f64; 3] = std::array::from_fn(|axis| self.centers[axis][at[axis]]);
        // Σ of the terms, of terms times d and times d dᵀ.
        let (mut sum, mut first, mut second) = (0.0, [0.0; 3], [[0.0; 3]; 3]);
        let mut weights = self.weights.iter();
        for (x, u) in self.offsets[0].iter().zip(factors[0]) {
            for (y, v) in self.offsets[1].iter().zip(factors[1]) {
                for (z, (w, weight)) in self.offsets[2].iter().zip(factors[2].iter().zip(&mut weights)) {
                    let term = u * v * w * weight;
                    sum += term;
                    if with_scores {
                        let d = [*x, *y, *z];
                        for a in 0..3 {
                            first[a] += term * d[a];
                            for b in a..3 {
                                second[a][b] += term * d[a] * d[b];
                            }
                        }
                    }
                }
            }
        }
        let log = self.gaussian.log_scale - 0.5 * self.gaussian.square(center) + sum.ln();
        if !with_scores {
            return (log, [0.0; 9]);
        }
        let mean = first.map(|m| m / sum);
        let square: [[f64; 3]; 3] = std::array::from_fn(|a| std::array::from_fn(|b| second[a.min(b)][a.max(b)] / sum));
        (log, self.scores(center, mean, &square))
    }

    /// Means of s = P(c + d) and of s sᵀ − P from those of d and d dᵀ.
    fn scores(&self, center: [f64; 3], mean: [f64; 3], square: &[[f64; 3]; 3]) -> Scores {
        let p = self.gaussian.precision;
        let times = |a: usize, v: &[f64; 3]| p[a][0] * v[0] + p[a][1] * v[1] + p[a][2] * v[2];
        let at: [f64; 3] = std::array::from_fn(|a| times(a, &center));
        let off: [f64; 3] = std::array::from_fn(|a| times(a, &mean));
        let half: [[f64; 3]; 3] = std::array::from_fn(|a| std::array::from_fn(|b| times(a, &square[b])));
        let mut scores = [0.0; 9];
        let mut slot = 3;
        for a in 0..3 {
            scores[a] = at[a] + off[a];
            for b in a..3 {
                let share = if a == b { 0.5 } else { 1.0 };
                let product = at[a] * at[b] + at[a] * off[b] + off[a] * at[b] + times(b, &half[a]);
                scores[slot] = share * (product - p[a][b]);
                slot += 1;
            }
        }
        scores
    }
}
