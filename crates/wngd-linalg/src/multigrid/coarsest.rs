//! The coarsest level, by its inverse.

use faer::linalg::solvers::DenseSolveCore;
use faer::{Mat, Side};

use super::level::Level;
use crate::forest::Forest;

/// Inverse of the coarsest Laplacian for currents that sum to nothing over each component, whose potentials have mean 0.
#[derive(Debug)]
pub(super) struct Coarsest {
    /// Places of the cells that have edges.
    places: Vec<usize>,
    inverse: Mat<f64>,
}

impl Coarsest {
    /// `None` where the matrix is singular to rounding, or rounding alone: a valley parts its components.
    pub(super) fn new(level: &Level) -> Option<Self> {
        let width = level.width();
        let inside = (1..=level.rows).flat_map(|j| (1..=level.columns).map(move |i| j * width + i));
        let places: Vec<usize> = inside.filter(|&at| level.diagonal[at] > 0.0).collect();
        let mut number = vec![usize::MAX; level.len()];
        places.iter().enumerate().for_each(|(k, &at)| number[at] = k);
        let n = places.len();
        let mut matrix = Mat::<f64>::zeros(n, n);
        let mut forest = Forest::new(n);
        for (k, &at) in places.iter().enumerate() {
            let a = level.around(at);
            matrix[(k, k)] = level.diagonal[at];
            for (to, weight) in [
                (at + 1, a.east),
                (at + width, a.north),
                (at + width + 1, a.north_east),
                (at + width - 1, a.north_west),
            ] {
                if weight != 0.0 {
                    // An edge to a cell whose weights sum to nothing, or to no number: rounding has won.
                    let l = Some(number[to]).filter(|&l| l < n)?;
                    (matrix[(k, l)], matrix[(l, k)]) = (-weight, -weight);
                    let (a, b) = (forest.find(k), forest.find(l));
                    forest.join(a.min(b), a.max(b));
                }
            }
        }
        let mut heaviest: Vec<usize> = (0..n).collect();
        for k in 0..n {
            let root = forest.find(k);
            if matrix[(k, k)] > matrix[(heaviest[root], heaviest[root])] {
                heaviest[root] = k;
            }
        }
        let scale: Vec<f64> = (0..n).map(|k| 1.0 / matrix[(k, k)].sqrt()).collect();
        let mut total = vec![0.0; n];
        (0..n).for_each(|k| total[forest.find(k)] += matrix[(k, k)]);
        let share: Vec<f64> = (0..n).map(|k| matrix[(k, k)] / total[forest.find(k)]).collect();
        for k in (0..n).filter(|&k| forest.find(k) == k) {
            let held = heaviest[k];
            matrix[(held, held)] *= 2.0;
        }
        let scaled = Mat::from_fn(n, n, |k, l| scale[k] * matrix[(k, l)] * scale[l]);
        let inverse = scaled.llt(Side::Lower).ok()?.inverse();
        let mut inverse = Mat::from_fn(n, n, |k, l| scale[k] * inverse[(k, l)] * scale[l]);
        // Rounding leaves sums that no potential has: without this they would make one of their own, ever larger.
        for _ in 0..2 {
            for l in 0..n {
                let column = inverse.col_as_slice_mut(l);
                let mut mean = vec![0.0; n];
                (0..n).for_each(|k| mean[forest.find(k)] += share[k] * column[k]);
                (0..n).for_each(|k| column[k] -= mean[forest.find(k)]);
            }
            inverse = inverse.transpose().to_owned();
        }
        let inverse = Mat::from_fn(n, n, |k, l| 0.5 * (inverse[(k, l)] + inverse[(l, k)]));
        (0..n).all(|k| inverse[(k, k)].is_finite()).then_some(Self { places, inverse })
    }

    pub(super) fn solve<const W: usize>(&self, x: &mut [[f64; W]], b: &[[f64; W]]) {
        for (k, &at) in self.places.iter().enumerate() {
            let mut sum = [0.0; W];
            for (&from, &entry) in self.places.iter().zip(self.inverse.col_as_slice(k)) {
                for w in 0..W {
                    sum[w] += entry * b[from][w];
                }
            }
            x[at] = sum;
        }
    }
}
