//! Basins of a density that voids part, and the jumps of mass across the voids.
//!
//! Across a valley whose faces are 1e-17 of those beside it, a tangent that moves mass is longer by the root of that
//! than any tangent within a basin: a rounding error in the mass of a basin would be carried across and be the longest
//! part of every column. So the mass that jumps is found first: none where it is within the rounding of what was
//! summed, else a multiple of one field for each void. With its flux through the faces of the voids given, they are
//! closed, and each basin is transported by itself.

use std::collections::BTreeMap;

use faer::Mat;

use super::plan::LaplacianPlan;
use super::support::{Support, degrees, kept};
use crate::cholesky::SymbolicCholesky;
use crate::dense;
use crate::forest::Forest;

/// Conductance of the best way between two basins over the best one inside the lesser of them, below which they are
/// kept apart: there the rounding of a basin's mass, carried across, begins to be longer than what is neglected, that
/// tangents within basins make currents around the voids.
const VOID: f64 = 1e-17;

/// Faces of a void that conduct less than this of its best one take no part in its jump.
const SHUT: f64 = 1e-20;

/// Sums of a column are known to this many times the rounding of their terms.
const ROUNDING: f64 = 16.0 * f64::EPSILON;

/// More basins than this are left to one elimination.
const MOST: usize = 128;

/// Basins as a tree of the voids between them.
#[derive(Debug, Clone)]
pub(super) struct Basins {
    /// Cells and masses; its labels are the basins, those without mass included.
    pub(super) support: Support,
    /// Faces between basins, best first, as (conductance, left cell, right cell).
    faces: Vec<(f64, usize, usize)>,
    /// The voids between both sides of the tree.
    pub(super) voids: Vec<Void>,
    /// Voids between each basin and the root of its component.
    pub(super) above: Vec<Vec<usize>>,
    /// Component of the whole support that each basin belongs to, and their masses.
    pub(super) component: Vec<usize>,
    pub(super) component_mass: Vec<f64>,
}

/// A void between two basins, over which mass goes the best way.
#[derive(Debug, Clone)]
pub(super) struct Void {
    /// The basin farther from the root of the tree, and the nearer one.
    far: usize,
    near: usize,
    /// Conductance of its best face.
    best: f64,
}

/// Basins, and the flux of jumps across their voids.
#[derive(Debug)]
pub(super) struct Jumps {
    pub(super) basins: Basins,
    /// Flux through each face between basins of a unit of mass that jumps from the near to the far side of each void.
    flux: Mat<f64>,
    /// R with ‖Rf‖ the length of these fluxes for masses f.
    root: Mat<f64>,
    /// What of them ends in each cell, as (cell, value), and its sum over each basin.
    ends: Vec<Vec<(usize, f64)>>,
    sums: Mat<f64>,
    /// Potentials of the basins' grounded cells; basins x voids.
    heights: Mat<f64>,
}

impl Basins {
    /// Parts a support at its voids, and closes their faces; `None` where there are none, or too many.
    pub(super) fn part(
        plan: &LaplacianPlan,
        density: &[f64],
        conductance: &mut [f64],
        whole: &Support,
    ) -> Option<Self> {
        let mut faces = Vec::new();
        plan.for_each_face(|face, left, right| {
            if conductance[face] > 0.0 {
                faces.push((conductance[face], face, left, right));
            }
        });
        faces.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let n = density.len();
        let (mut forest, mut best) = (Forest::new(n), vec![0.0f64; n]);
        for &(c, _, left, right) in &faces {
            let (a, b) = (forest.find(left), forest.find(right));
            // A cell on its own belongs to what it touches first.
            let lesser = if best[a].min(best[b]) > 0.0 { best[a].min(best[b]) } else { c };
            if a != b && c >= VOID * lesser {
                forest.join(a.min(b), a.max(b));
                best[a.min(b)] = best[a].max(best[b]).max(c);
            }
        }
        let (open, mut between) = (conductance.to_vec(), Vec::new());
        for &(c, face, left, right) in &faces {
            if forest.find(left) != forest.find(right) {
                conductance[face] = 0.0;
                between.push((c, left, right));
            }
        }
        let support = Support::new(plan, density, conductance);
        let mut tree = Forest::new(support.ground.len());
        let mut ways: Vec<Void> = Vec::new();
        for &(best, left, right) in &between {
            let (l, r) = (support.label[left], support.label[right]);
            let (a, b) = (tree.find(l), tree.find(r));
            if a != b {
                tree.join(a.min(b), a.max(b));
                ways.push(Void { far: l, near: r, best });
            }
        }
        if ways.is_empty() || ways.len() >= MOST {
            conductance.copy_from_slice(&open);
            return None;
        }
        let component: Vec<usize> = support.ground.iter().map(|&cell| whole.label[cell]).collect();
        let (mut voids, mut above) = (Vec::new(), vec![Vec::new(); support.ground.len()]);
        let mut reached: Vec<bool> =
            (0..support.ground.len()).map(|basin| support.ground[basin] == whole.ground[component[basin]]).collect();
        while let Some(way) = ways.iter().find(|way| reached[way.far] != reached[way.near]) {
            let Void { far, near, best } = *way;
            let (far, near) = if reached[far] { (near, far) } else { (far, near) };
            above[far] = above[near].clone();
            above[far].push(voids.len());
            reached[far] = true;
            voids.push(Void { far, near, best });
        }
        Some(Self { support, faces: between, voids, above, component, component_mass: whole.mass.clone() })
    }

    /// Masses that a column carries across the voids, from the sums of its values and of their sizes over each basin:
    /// what that side gains on which fewer digits were lost. A mass within the rounding of what was summed is none.
    pub(super) fn across(&self, total: impl Fn(usize) -> f64, size: impl Fn(usize) -> f64) -> Vec<f64> {
        let basins = 0..self.component.len();
        let (mut sums, mut sizes) = (vec![0.0; self.component_mass.len()], vec![0.0; self.component_mass.len()]);
        for (basin, &component) in basins.clone().zip(&self.component) {
            sums[component] += total(basin);
            sizes[component] += size(basin);
        }
        let excess =
            |c: usize| if sums[c].abs() > ROUNDING * sizes[c] { sums[c] / self.component_mass[c] } else { 0.0 };
        let known = |(e, void): (usize, &Void)| {
            let component = self.component[void.far];
            let mut sides = [[0.0; 3]; 2];
            for basin in basins.clone().filter(|&basin| self.component[basin] == component) {
                let [t, s, mass] = &mut sides[usize::from(self.above[basin].contains(&e))];
                (*t, *s, *mass) = (*t + total(basin), *s + size(basin), *mass + self.support.mass[basin]);
            }
            let gain = |[t, s, mass]: [f64; 3]| {
                let leak = mass * excess(component);
                let rounding = ROUNDING * (s + leak.abs());
                (if (t - leak).abs() > rounding { t - leak } else { 0.0 }, rounding)
            };
            let [(near, lost), (far, lost_far)] = sides.map(gain);
            if lost_far <= lost { far } else { -near }
        };
        self.voids.iter().enumerate().map(known).collect()
    }

    /// Sums over basins as sums over components.
    pub(super) fn by_component(&self, totals: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.component_mass.len()];
        for (total, &component) in totals.iter().zip(&self.component) {
            sums[component] += total;
        }
        sums
    }

    /// Whether a void's jump goes through a face between basins.
    fn takes(void: &Void, face: &(f64, usize, usize)) -> bool {
        face.0 >= SHUT * void.best
    }
}

impl Jumps {
    /// The least fluxes that move a unit of mass from basin to basin; `None` where their lengths have no square that is a
    /// number. `conductance` is that of the open faces, those between basins included.
    ///
    /// # Cost
    /// An elimination for each depth of voids.
    pub(super) fn new(
        basins: Basins,
        plan: &LaplacianPlan,
        density: &[f64],
        symbolic: &SymbolicCholesky,
        conductance: &[f64],
    ) -> Option<Self> {
        let (cells, voids) = (density.len(), basins.voids.len());
        let label = &basins.support.label;
        let mut flux = Mat::zeros(basins.faces.len(), voids);
        let mut heights = Mat::zeros(basins.support.ground.len(), voids);
        for (e, void) in basins.voids.iter().enumerate() {
            // What is much deeper is shut: its potential would be that of a rounding error, and hide this one's.
            let mut open = conductance.to_vec();
            plan.for_each_face(|face, left, right| {
                if label[left] != label[right] && !Basins::takes(void, &(conductance[face], left, right)) {
                    open[face] = 0.0;
                }
            });
            let support = Support::new(plan, density, &open);
            let kept = kept(&degrees(plan, &open), &support);
            let elimination = plan.eliminate_without_subtraction(symbolic, &open, &kept);
            let mut x = vec![0.0; 4 * cells];
            for i in (0..cells).filter(|&i| kept[i]) {
                let share = match label[i] {
                    l if l == void.far => 1.0 / basins.support.mass[void.far],
                    l if l == void.near => -1.0 / basins.support.mass[void.near],
                    _ => 0.0,
                };
                x[4 * symbolic.position()[i]] = share * density[i];
            }
            elimination.forward::<4>(&mut x, true);
            elimination.backward::<4>(&mut x, true);
            let potential = |cell: usize| if kept[cell] { x[4 * symbolic.position()[cell]] } else { 0.0 };
            for (f, face) in basins.faces.iter().enumerate().filter(|(_, face)| Basins::takes(void, face)) {
                flux[(f, e)] = face.0 * (potential(face.2) - potential(face.1));
            }
            for (basin, &ground) in basins.support.ground.iter().enumerate() {
                heights[(basin, e)] = potential(ground);
            }
        }
        // Depths differ by many decades: scaled to unit diagonal the matrix is far from singular.
        let rooted = Mat::from_fn(flux.nrows(), voids, |f, e| flux[(f, e)] / basins.faces[f].0.sqrt());
        let gram = dense::gram(rooted.as_ref());
        let length: Vec<f64> = (0..voids).map(|e| gram[(e, e)].sqrt()).collect();
        let scaled = Mat::from_fn(voids, voids, |e, f| gram[(e, f)] / (length[e] * length[f]));
        if !length.iter().all(|l| *l > 0.0 && l.is_finite()) {
            return None;
        }
        let factor = scaled.llt(faer::Side::Lower).ok()?;
        let root = Mat::from_fn(voids, voids, |e, f| factor.L()[(f, e)] * length[f]);
        let mut sums = Mat::zeros(basins.support.ground.len(), voids);
        let ends = (0..voids).map(|e| {
            let mut ends = BTreeMap::new();
            for (f, &(_, left, right)) in basins.faces.iter().enumerate() {
                for (cell, value) in [(left, -flux[(f, e)]), (right, flux[(f, e)])] {
                    *ends.entry(cell).or_insert(0.0) += value;
                    sums[(label[cell], e)] += value;
                }
            }
            ends.into_iter().filter(|(_, value)| *value != 0.0).collect()
        });
        let ends = ends.collect();
        Some(Self { basins, flux, root, ends, sums, heights })
    }

    /// What the jump of masses f leaves in each cell, to be taken from a tangent, as (cell, value).
    pub(super) fn ends<'a>(&'a self, flow: &'a [f64]) -> impl Iterator<Item = (usize, f64)> + 'a {
        let jumping = self.ends.iter().zip(flow).filter(|(_, f)| **f != 0.0);
        jumping.flat_map(|(ends, f)| ends.iter().map(move |(cell, value)| (*cell, f * value)))
    }

    /// The sum of [`ends`](Self::ends) over a basin.
    pub(super) fn sum(&self, flow: &[f64], basin: usize) -> f64 {
        flow.iter().enumerate().map(|(e, f)| f * self.sums[(basin, e)]).sum()
    }

    /// The cell whose row, unused by the elimination, holds the jump across each void.
    pub(super) fn cells(&self) -> impl Iterator<Item = usize> + '_ {
        self.basins.voids.iter().map(|void| self.basins.support.ground[void.far])
    }

    /// Rf, as (cell, value).
    pub(super) fn rows(&self, flow: &[f64]) -> Vec<(usize, f64)> {
        let row = |e: usize| (e..flow.len()).map(|f| self.root[(e, f)] * flow[f]).sum();
        self.cells().enumerate().map(|(e, cell)| (cell, row(e))).collect()
    }

    /// Adds what ξ, in the rows of the jumps, is as a probe of Z to h, which is that already of all other rows.
    pub(super) fn add_transposed(&self, xi: &[f64], h: &mut [f64]) {
        let basins = &self.basins;
        let probe: Vec<f64> = (0..xi.len())
            .map(|f| {
                let left: f64 = self.ends[f].iter().map(|(cell, value)| value * h[*cell]).sum();
                (0..=f).map(|e| self.root[(e, f)] * xi[e]).sum::<f64>() - left
            })
            .collect();
        let height: Vec<f64> = basins.above.iter().map(|voids| voids.iter().map(|&e| probe[e]).sum()).collect();
        let mut mean = vec![0.0; basins.component_mass.len()];
        for (basin, &component) in basins.component.iter().enumerate() {
            if basins.component_mass[component] > 0.0 {
                mean[component] += basins.support.mass[basin] / basins.component_mass[component] * height[basin];
            }
        }
        for (h, &label) in h.iter_mut().zip(&basins.support.label) {
            *h += height[label] - mean[basins.component[label]];
        }
    }

    /// Adds what the potentials of the grounded cells are for masses f.
    pub(super) fn add_heights(&self, flow: &[f64], phi: &mut [f64]) {
        for (e, &f) in flow.iter().enumerate().filter(|(_, f)| **f != 0.0) {
            for (phi, &label) in phi.iter_mut().zip(&self.basins.support.label) {
                *phi += f * self.heights[(label, e)];
            }
        }
    }

    /// h less its mean under ρ, on each component.
    pub(super) fn project(&self, density: &[f64], h: &mut [f64]) {
        let Basins { support, component, component_mass, .. } = &self.basins;
        let mut weighted = vec![0.0; component_mass.len()];
        for ((&label, rho), h) in support.label.iter().zip(density).zip(&*h) {
            weighted[component[label]] += rho * h;
        }
        for (h, &label) in h.iter_mut().zip(&support.label) {
            let mass = component_mass[component[label]];
            if mass > 0.0 {
                *h -= weighted[component[label]] / mass;
            }
        }
    }

    /// R⁻ᵀ of what the fluxes do to u, as (cell, value).
    pub(super) fn derivative(&self, u: &[f64]) -> Vec<(usize, f64)> {
        let step = |e: usize| {
            let faces = self.basins.faces.iter().enumerate();
            faces.map(|(f, &(_, left, right))| self.flux[(f, e)] * (u[right] - u[left])).sum()
        };
        let mut b: Vec<f64> = (0..self.root.nrows()).map(step).collect();
        for e in 0..b.len() {
            let known: f64 = (0..e).map(|f| self.root[(f, e)] * b[f]).sum();
            b[e] = (b[e] - known) / self.root[(e, e)];
        }
        self.cells().zip(b).collect()
    }
}
