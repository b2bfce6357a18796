//! Connected components of the cells that carry mass.

use super::plan::LaplacianPlan;
use crate::forest::Forest;

/// Connected components of the open faces.
#[derive(Debug, Clone)]
pub(super) struct Support {
    /// Component of each cell.
    pub(super) label: Vec<usize>,
    /// Densest cell of each component.
    pub(super) ground: Vec<usize>,
    /// Total density of each component.
    pub(super) mass: Vec<f64>,
}

/// Sum of the conductances of the faces of each cell.
pub(super) fn degrees(plan: &LaplacianPlan, conductance: &[f64]) -> Vec<f64> {
    let mut degree = vec![0.0; plan.grid.len()];
    plan.for_each_face(|face, left, right| {
        degree[left] += conductance[face];
        degree[right] += conductance[face];
    });
    degree
}

/// Cells with a potential of their own: on an open face, and not the grounded one of their component.
pub(super) fn kept(degree: &[f64], support: &Support) -> Vec<bool> {
    (0..degree.len()).map(|i| degree[i] > 0.0 && support.ground[support.label[i]] != i).collect()
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

    /// Total density of each component, without what plain sums lose: nothing grounds a cell for multigrid, and mass
    /// that a projection left over has nowhere to go.
    pub(super) fn exact_mass(&self, density: &[f64]) -> Vec<f64> {
        let (mut mass, mut lost) = (vec![0.0; self.ground.len()], vec![0.0; self.ground.len()]);
        for (&label, &value) in self.label.iter().zip(density) {
            let total: f64 = mass[label];
            let next = total + value;
            lost[label] += if total >= value { (total - next) + value } else { (value - next) + total };
            mass[label] = next;
        }
        mass.iter().zip(lost).map(|(mass, lost)| mass + lost).collect()
    }
}
