//! The parameters that are reported: their names, order, and how local coordinates of components follow from them.

use crate::component::{Component, Parameters};
use crate::likelihood::pairs;
use crate::options::Family;

/// One reported parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    /// Of a component but the last.
    Weight(usize),
    /// Of a component, along an axis.
    Mean(usize, usize),
    /// σ² of a component.
    Variance(usize),
    /// A variance of a component along an axis.
    Axis(usize, usize),
    /// An entry a ≤ b of a component's covariance.
    Entry(usize, usize, usize),
    /// An entry a ≤ b of the covariance of all.
    Tied(usize, usize),
}

/// The parameters of a family, those left out that are held at a bound.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub family: Family,
    pub slots: Vec<Slot>,
}

impl Layout {
    pub(crate) fn new(family: Family, components: usize, dim: usize) -> Self {
        let mut slots: Vec<Slot> = (0..components - 1).map(Slot::Weight).collect();
        slots.extend((0..components).flat_map(|k| (0..dim).map(move |a| Slot::Mean(k, a))));
        let entries = || (0..dim).flat_map(|a| (a..dim).map(move |b| (a, b)));
        match family {
            Family::Full => {
                slots.extend((0..components).flat_map(|k| entries().map(move |(a, b)| Slot::Entry(k, a, b))));
            }
            Family::Tied => slots.extend(entries().map(|(a, b)| Slot::Tied(a, b))),
            Family::Diagonal => slots.extend((0..components).flat_map(|k| (0..dim).map(move |a| Slot::Axis(k, a)))),
            Family::Isotropic => slots.extend((0..components).map(Slot::Variance)),
        }
        Self { family, slots }
    }

    /// Without the covariances of the components that are held.
    pub(crate) fn holding(&self, held: &[bool]) -> Self {
        let free = |slot: &&Slot| match **slot {
            Slot::Weight(_) | Slot::Mean(..) => true,
            Slot::Variance(k) | Slot::Axis(k, _) | Slot::Entry(k, ..) => !held[k],
            Slot::Tied(..) => !held.iter().any(|h| *h),
        };
        Self { family: self.family, slots: self.slots.iter().filter(free).copied().collect() }
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let name = |slot: &Slot| match slot {
            Slot::Weight(k) => format!("weights[{k}]"),
            Slot::Mean(k, a) => format!("means[{k}][{a}]"),
            Slot::Variance(k) => format!("covariances[{k}]"),
            Slot::Axis(k, a) => format!("covariances[{k}][{a}]"),
            Slot::Entry(k, a, b) => format!("covariances[{k}][{a}][{b}]"),
            Slot::Tied(a, b) => format!("covariance[{a}][{b}]"),
        };
        self.slots.iter().map(name).collect()
    }

    pub(crate) fn theta(&self, p: &Parameters) -> Vec<f64> {
        let value = |slot: &Slot| match *slot {
            Slot::Weight(k) => p.weights[k],
            Slot::Mean(k, a) => p.means[k][a],
            Slot::Variance(k) => p.covariances[k][0],
            Slot::Axis(k, a) => p.covariances[k][a * p.dim + a],
            Slot::Entry(k, a, b) => p.covariances[k][a * p.dim + b],
            Slot::Tied(a, b) => p.covariances[0][a * p.dim + b],
        };
        self.slots.iter().map(value).collect()
    }

    /// The parameters moved by `factor` times a step.
    pub(crate) fn moved(&self, p: &Parameters, step: &[f64], factor: f64) -> Parameters {
        let mut out = p.clone();
        let dim = p.dim;
        let both = |matrix: &mut [f64], a: usize, b: usize, by: f64| {
            matrix[a * dim + b] += by;
            if a != b {
                matrix[b * dim + a] += by;
            }
        };
        for (slot, step) in self.slots.iter().zip(step) {
            let by = factor * step;
            match *slot {
                Slot::Weight(k) => out.weights[k] += by,
                Slot::Mean(k, a) => out.means[k][a] += by,
                Slot::Variance(k) => (0..dim).for_each(|a| both(&mut out.covariances[k], a, a, by)),
                Slot::Axis(k, a) => both(&mut out.covariances[k], a, a, by),
                Slot::Entry(k, a, b) => both(&mut out.covariances[k], a, b, by),
                Slot::Tied(a, b) => out.covariances.iter_mut().for_each(|matrix| both(matrix, a, b, by)),
            }
        }
        let last = out.weights.len() - 1;
        out.weights[last] = 1.0 - out.weights[..last].iter().sum::<f64>();
        out
    }

    /// Unit steps of the whitened parameters in local coordinates, a row for each of the Kq: every family is closed under
    /// Σ → L(I + C)Lᵀ with C of its own shape, and there all scales are one, however flat a covariance is.
    pub(crate) fn whitened(&self, components: &[Component]) -> Vec<f64> {
        let (count, dim) = (components.len(), components[0].mean.len());
        let pairs = pairs(dim, self.family.is_diagonal());
        let (q, p) = (1 + dim + pairs.len(), self.slots.len());
        let mut out = vec![0.0; count * q * p];
        for (column, slot) in self.slots.iter().enumerate() {
            let mut set = |k: usize, i: usize, value: f64| out[(k * q + i) * p + column] = value;
            let at = |a: usize, b: usize| 1 + dim + pairs.iter().position(|x| *x == (a.max(b), a.min(b))).unwrap_or(0);
            match *slot {
                Slot::Weight(k) => {
                    set(k, 0, 1.0 / components[k].weight);
                    set(count - 1, 0, -1.0 / components[count - 1].weight);
                }
                Slot::Mean(k, a) => set(k, 1 + a, 1.0),
                Slot::Variance(k) => (0..dim).for_each(|a| set(k, at(a, a), 1.0)),
                Slot::Axis(k, a) => set(k, at(a, a), 1.0),
                Slot::Entry(k, a, b) => set(k, at(a, b), 1.0),
                Slot::Tied(a, b) => (0..count).for_each(|k| set(k, at(a, b), 1.0)),
            }
        }
        out
    }

    /// ∂(parameters)/∂(whitened parameters), p².
    pub(crate) fn outward(&self, components: &[Component]) -> Vec<f64> {
        let (p, dim) = (self.slots.len(), components[0].mean.len());
        let mut out = vec![0.0; p * p];
        for (i, row) in self.slots.iter().enumerate() {
            for (j, column) in self.slots.iter().enumerate() {
                let entry = |k: usize, (c, d): (usize, usize), (a, b): (usize, usize)| {
                    let l = &components[k].lower;
                    let there = l[c * dim + a] * l[d * dim + b];
                    if a == b { there } else { there + l[c * dim + b] * l[d * dim + a] }
                };
                out[i * p + j] = match (*row, *column) {
                    (Slot::Weight(k), Slot::Weight(l)) if k == l => 1.0,
                    (Slot::Mean(k, c), Slot::Mean(l, a)) if k == l => components[k].lower[c * dim + a],
                    (Slot::Variance(k), Slot::Variance(l)) if k == l => components[k].lower[0].powi(2),
                    (Slot::Axis(k, c), Slot::Axis(l, a)) if k == l => entry(k, (c, c), (a, a)),
                    (Slot::Entry(k, c, d), Slot::Entry(l, a, b)) if k == l => entry(k, (c, d), (a, b)),
                    (Slot::Tied(c, d), Slot::Tied(a, b)) => entry(0, (c, d), (a, b)),
                    _ => 0.0,
                };
            }
        }
        out
    }

    /// Factor of every parameter from the coordinates of the fit to the units of the samples.
    pub(crate) fn units(&self, scale: &[f64]) -> Vec<f64> {
        let unit = |slot: &Slot| match *slot {
            Slot::Weight(_) => 1.0,
            Slot::Mean(_, a) => scale[a],
            Slot::Variance(_) => scale[0] * scale[0],
            Slot::Axis(_, a) => scale[a] * scale[a],
            Slot::Entry(_, a, b) | Slot::Tied(a, b) => scale[a] * scale[b],
        };
        self.slots.iter().map(unit).collect()
    }

    /// A size of every parameter that is its own: the weight, the component's deviation, products of two of them.
    pub(crate) fn sizes(&self, p: &Parameters) -> Vec<f64> {
        let deviation = |k: usize, a: usize| p.covariances[k][a * p.dim + a].sqrt();
        let size = |slot: &Slot| match *slot {
            Slot::Weight(k) => p.weights[k].min(1.0 - p.weights[k]),
            Slot::Mean(k, a) => deviation(k, a),
            Slot::Variance(k) => p.covariances[k][0],
            Slot::Axis(k, a) => p.covariances[k][a * p.dim + a],
            Slot::Entry(k, a, b) => deviation(k, a) * deviation(k, b),
            Slot::Tied(a, b) => deviation(0, a) * deviation(0, b),
        };
        self.slots.iter().map(size).collect()
    }

    /// The linear map from steps of the parameters to local coordinates: a row of p numbers for each of the Kq.
    pub(crate) fn jacobian(&self, components: &[Component]) -> Vec<f64> {
        let (count, dim) = (components.len(), components[0].mean.len());
        let pairs = pairs(dim, self.family.is_diagonal());
        let (q, p) = (1 + dim + pairs.len(), self.slots.len());
        let mut jacobian = vec![0.0; count * q * p];
        for (column, slot) in self.slots.iter().enumerate() {
            let mut set = |k: usize, i: usize, value: f64| jacobian[(k * q + i) * p + column] = value;
            // C = L⁻¹ E L⁻ᵀ, E = e_a e_bᵀ made symmetric, summed over entries.
            let mut spread = |k: usize, entries: &[(usize, usize)]| {
                let inverse = &components[k].inverse;
                for (i, &(c, d)) in pairs.iter().enumerate() {
                    let one = |&(a, b): &(usize, usize)| {
                        let there = inverse[c * dim + a] * inverse[d * dim + b];
                        if a == b { there } else { there + inverse[c * dim + b] * inverse[d * dim + a] }
                    };
                    set(k, 1 + dim + i, entries.iter().map(one).sum());
                }
            };
            match *slot {
                Slot::Weight(k) => {
                    set(k, 0, 1.0 / components[k].weight);
                    set(count - 1, 0, -1.0 / components[count - 1].weight);
                }
                Slot::Mean(k, a) => (0..dim).for_each(|c| set(k, 1 + c, components[k].inverse[c * dim + a])),
                Slot::Variance(k) => spread(k, &(0..dim).map(|a| (a, a)).collect::<Vec<_>>()),
                Slot::Axis(k, a) => spread(k, &[(a, a)]),
                Slot::Entry(k, a, b) => spread(k, &[(a, b)]),
                Slot::Tied(a, b) => (0..count).for_each(|k| spread(k, &[(a, b)])),
            }
        }
        jacobian
    }
}

/// JᵀMJ of an n x p matrix.
pub(crate) fn congruence(j: &[f64], m: &[f64], n: usize, p: usize) -> Vec<f64> {
    let mut mj = vec![0.0; n * p];
    for i in 0..n {
        for k in 0..n {
            let factor = m[i * n + k];
            if factor != 0.0 {
                for c in 0..p {
                    mj[i * p + c] += factor * j[k * p + c];
                }
            }
        }
    }
    let mut out = vec![0.0; p * p];
    for i in 0..n {
        for a in 0..p {
            let factor = j[i * p + a];
            if factor != 0.0 {
                for b in 0..p {
                    out[a * p + b] += factor * mj[i * p + b];
                }
            }
        }
    }
    out
}

/// Jᵀv.
pub(crate) fn pulled(j: &[f64], v: &[f64], p: usize) -> Vec<f64> {
    let mut out = vec![0.0; p];
    for (row, v) in j.chunks(p.max(1)).zip(v) {
        (0..p).for_each(|a| out[a] += row[a] * v);
    }
    out
}
