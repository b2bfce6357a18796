//! Connected components of the cells that carry mass.

use super::plan::LaplacianPlan;
use crate::forest::Forest;

/// Connected components of the open faces.
#[derive(Debug)]
pub(super) struct Support {
    /// Component of each cell.
    pub(super) label: Vec<usize>,
    /// Densest cell of each component.
    pub(super) ground: Vec<usize>,
    /// Total density of each component.
    pub(super) mass: Vec<f64>,
}

impl Support {
    pub(super) fn new(plan: &LaplacianPlan, density: &[f64], conductance: &[f64]) -> Self {
        let n = density.len();
        let mut forest = Forest::new(n);
        plan.for_each_face(|face, left, right| {
            if conductance[face] > 0.0 {
                let (a, b) = (forest.find(left), forest.find(right));
                // The smaller root wins, so that labels follow cell order.
                forest.join(a.min(b), a.max(b));
            }
        });
        let mut label = vec![usize::MAX; n];
        let mut ground: Vec<usize> = Vec::new();
        for i in 0..n {
            let root = forest.find(i);
            if root == i {
                label[i] = ground.len();
                ground.push(i);
            } else {
                label[i] = label[root];
            }
            let best = &mut ground[label[i]];
            if density[i] > density[*best] {
                *best = i;
            }
        }
        let mut mass = vec![0.0; ground.len()];
        for i in 0..n {
            mass[label[i]] += density[i];
        }
        Self { label, ground, mass }
    }
}
