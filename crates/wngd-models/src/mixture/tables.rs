//! Tables from which rows of a mixture's derivative are made, a parameter beside the next.

use pulp::{Simd, WithSimd};

use super::GaussianMixture;
use super::component::Component;
use super::parameters::Parameter;

/// What rows are made of, a parameter beside the next.
#[derive(Debug, Clone)]
pub(super) struct Tables {
    /// Components whose difference from the last one is a weight's column.
    pub(super) weights: Vec<usize>,
    /// Component and its weight, for each parameter that is no weight.
    pub(super) owners: Vec<(usize, f64)>,
    /// For components that are products along the axes; empty otherwise.
    pub(super) axes: Vec<AxisTable>,
}

/// One axis, a row of each table for each cell of it.
#[derive(Debug, Clone)]
pub(super) struct AxisTable {
    /// Values of the components of all weights.
    pub(super) of_weights: Vec<f64>,
    /// Values of the components of all other parameters, times their weights on the first axis.
    pub(super) value: Vec<f64>,
    /// What the axis adds to the score of each of these parameters.
    pub(super) score: Vec<f64>,
    /// Values of the last component.
    pub(super) last: Vec<f64>,
}

impl Tables {
    pub(super) fn new(mixture: &GaussianMixture, weights: &[f64], components: &[Component]) -> Self {
        let mut tables = Self { weights: Vec::new(), owners: Vec::new(), axes: Vec::new() };
        let mut own = Vec::new();
        // Weights come first among the parameters.
        for &parameter in &mixture.free {
            match parameter {
                Parameter::Weight(i) => tables.weights.push(i),
                Parameter::Mean(i, _)
                | Parameter::Variance(i)
                | Parameter::AxisVariance(i, _)
                | Parameter::Covariance(i, ..) => {
                    tables.owners.push((i, weights[i]));
                    own.push((i, parameter));
                }
            }
        }
        for (axis, &cells) in mixture.grid.cells().iter().enumerate() {
            let along: Option<Vec<_>> = components.iter().map(|component| component.along(axis)).collect();
            let Some(along) = along else { break };
            let weight = |i: usize| if axis == 0 { weights[i] } else { 1.0 };
            let rows = |row: &dyn Fn(usize) -> Vec<f64>| (0..cells).flat_map(row).collect::<Vec<f64>>();
            tables.axes.push(AxisTable {
                of_weights: rows(&|j| tables.weights.iter().map(|&i| along[i].value[j]).collect()),
                value: rows(&|j| tables.owners.iter().map(|&(i, _)| weight(i) * along[i].value[j]).collect()),
                score: rows(&|j| own.iter().map(|&(i, parameter)| along[i].score(axis, parameter, j)).collect()),
                last: along[components.len() - 1].value.clone(),
            });
        }
        tables
    }
}

impl AxisTable {
    pub(super) fn row(&self, j: usize) -> AxisRow<'_> {
        let (weights, others) = (self.of_weights.len() / self.last.len(), self.value.len() / self.last.len());
        AxisRow {
            of_weights: &self.of_weights[j * weights..][..weights],
            value: &self.value[j * others..][..others],
            score: &self.score[j * others..][..others],
            last: self.last[j],
        }
    }
}

/// Tables of one cell of an axis.
#[derive(Clone, Copy)]
pub(super) struct AxisRow<'a> {
    of_weights: &'a [f64],
    value: &'a [f64],
    score: &'a [f64],
    last: f64,
}

/// A row of the derivative from those of D axes.
pub(super) struct Products<'a, const D: usize> {
    pub(super) along: [AxisRow<'a>; D],
    pub(super) of_weights: &'a mut [f64],
    pub(super) others: &'a mut [f64],
}

impl<const D: usize> WithSimd for Products<'_, D> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { along, of_weights, others } = self;
        let last: f64 = along.iter().map(|axis| axis.last).product();
        let (weights, count) = (of_weights.len(), others.len());
        let tables = along.map(|axis| &axis.of_weights[..weights]);
        for (q, out) in of_weights.iter_mut().enumerate() {
            let mut product = tables[0][q];
            for table in &tables[1..] {
                product *= table[q];
            }
            *out = product - last;
        }
        let tables = along.map(|axis| (&axis.value[..count], &axis.score[..count]));
        for (q, out) in others.iter_mut().enumerate() {
            let (mut product, mut sum) = (tables[0].0[q], tables[0].1[q]);
            for (value, score) in &tables[1..] {
                product *= value[q];
                sum += score[q];
            }
            *out = product * sum;
        }
    }
}
