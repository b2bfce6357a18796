use std::fmt;

use thiserror::Error;
use wngd_adjoint::{Bound, ModelError};

/// Means and variances for which all derivatives of a density are numbers: (x − μ)²/σ⁴ has no overflow.
const MEANS: std::ops::RangeInclusive<f64> = -1e100..=1e100;
const MEAN_RULE: &str = "means are finite, at most 1e100 in size";
const VARIANCES: std::ops::RangeInclusive<f64> = 1e-50..=1e50;
const VARIANCE_RULE: &str = "variances are positive, between 1e-50 and 1e50";
/// Rounding of the sum of all weights but the last.
const CLOSED: f64 = 1e-12;
const PIVOT_RULE: &str = "covariance matrices are positive definite (smallest pivot given)";

/// Covariances of the components of a mixture.
#[derive(Debug, Clone, PartialEq)]
pub enum Covariances {
    /// The identity for every component.
    Identity,
    /// σ² I per component: K variances.
    Isotropic(Vec<f64>),
    /// diag(σ²) per component: K x d variances.
    Diagonal(Vec<Vec<f64>>),
    /// A symmetric positive definite matrix per component: K x d x d.
    Full(Vec<Vec<Vec<f64>>>),
}

impl Covariances {
    /// Whether two components have the same covariance.
    pub fn same(&self, i: usize, j: usize) -> bool {
        match self {
            Covariances::Identity => true,
            Covariances::Isotropic(v) => v[i] == v[j],
            Covariances::Diagonal(v) => v[i] == v[j],
            Covariances::Full(v) => v[i] == v[j],
        }
    }

    /// Variance of a component along an axis.
    pub fn variance(&self, i: usize, axis: usize) -> f64 {
        match self {
            Covariances::Identity => 1.0,
            Covariances::Isotropic(v) => v[i],
            Covariances::Diagonal(v) => v[i][axis],
            Covariances::Full(v) => v[i][axis][axis],
        }
    }
}

/// All parameters of a Gaussian mixture, free or not.
#[derive(Debug, Clone, PartialEq)]
pub struct MixtureParameters {
    /// K weights, summing to 1.
    pub weights: Vec<f64>,
    /// K means of dimension d.
    pub means: Vec<Vec<f64>>,
    /// Covariances of the components.
    pub covariances: Covariances,
}

/// The arrays of a mixture's description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MixturePart {
    /// [`MixtureParameters::weights`].
    Weights,
    /// [`MixtureParameters::means`].
    Means,
    /// [`MixtureParameters::covariances`].
    Covariances,
}

/// An array of a mixture's description, or an entry of one; shown as `means[0][1]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MixtureField {
    /// The array.
    pub part: MixturePart,
    /// Indices of the entry, outermost first; none for the array itself.
    pub index: Vec<usize>,
}

impl fmt::Display for MixtureField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.part {
            MixturePart::Weights => "weights",
            MixturePart::Means => "means",
            MixturePart::Covariances => "covariances",
        })?;
        self.index.iter().try_for_each(|i| write!(f, "[{i}]"))
    }
}

/// What can be wrong with the description of a mixture.
#[derive(Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum MixtureError {
    /// An array has the wrong shape.
    #[error("{field} has {found} entries, {expected} are needed ({reason})")]
    Shape {
        /// The array.
        field: MixtureField,
        /// Entries needed.
        expected: usize,
        /// Entries given.
        found: usize,
        /// Why so many.
        reason: &'static str,
    },
    /// A value is not admissible.
    #[error("{field} = {value}: {rule}")]
    Value {
        /// The entry.
        field: MixtureField,
        /// The value.
        value: f64,
        /// The rule it breaks.
        rule: &'static str,
    },
    /// The weights are no partition of 1.
    #[error("the sum of weights is {sum}; it must be 1")]
    Sum {
        /// Their sum.
        sum: f64,
    },
    /// A free parameter is not a parameter of this mixture.
    #[error("free parameter \"{name}\" does not exist; this mixture has {}", known.join(", "))]
    UnknownParameter {
        /// The name asked for.
        name: String,
        /// Names that exist.
        known: Vec<String>,
    },
    /// A free parameter is named twice.
    #[error("free parameter \"{name}\" is named twice; name it once")]
    Duplicate {
        /// The parameter.
        name: String,
    },
    /// No parameter is free.
    #[error("no free parameter: name at least one, for example \"means[0]\"")]
    NoFreeParameter,
}

impl MixtureError {
    /// The part of the description that the error is about; `None` if it is the choice of free parameters.
    pub fn field(&self) -> Option<MixtureField> {
        match self {
            MixtureError::Shape { field, .. } | MixtureError::Value { field, .. } => Some(field.clone()),
            MixtureError::Sum { .. } => Some(MixtureField { part: MixturePart::Weights, index: Vec::new() }),
            MixtureError::UnknownParameter { .. } | MixtureError::Duplicate { .. } | MixtureError::NoFreeParameter => {
                None
            }
        }
    }
}

/// One scalar parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parameter {
    Weight(usize),
    Mean(usize, usize),
    /// Common variance of an isotropic component.
    Variance(usize),
    /// Variance of one axis of a diagonal component.
    AxisVariance(usize, usize),
    /// Entry (a, b), a <= b, of a full covariance, together with (b, a).
    Covariance(usize, usize, usize),
}

impl Parameter {
    pub(super) fn name(self) -> String {
        match self {
            Parameter::Weight(i) => format!("weights[{i}]"),
            Parameter::Mean(i, a) => format!("means[{i}][{a}]"),
            Parameter::Variance(i) => format!("covariances[{i}]"),
            Parameter::AxisVariance(i, a) => format!("covariances[{i}][{a}]"),
            Parameter::Covariance(i, a, b) => format!("covariances[{i}][{a}][{b}]"),
        }
    }
}

impl MixtureParameters {
    /// Number of components K.
    pub fn components(&self) -> usize {
        self.weights.len()
    }

    /// Checks shapes and values for dimension d.
    ///
    /// # Errors
    /// The first violated rule, with the name of the entry.
    pub fn check(&self, dim: usize) -> Result<(), MixtureError> {
        use MixturePart::{Covariances as Covariance, Means, Weights};
        let k = self.components();
        let at = |part: MixturePart, index: &[usize]| MixtureField { part, index: index.to_vec() };
        let shape = |field: MixtureField, expected: usize, found: usize, reason: &'static str| {
            if expected == found { Ok(()) } else { Err(MixtureError::Shape { field, expected, found, reason }) }
        };
        let value = |field: MixtureField, value: f64, ok: bool, rule: &'static str| {
            if ok { Ok(()) } else { Err(MixtureError::Value { field, value, rule }) }
        };
        if k == 0 {
            return shape(at(Weights, &[]), 1, 0, "at least one component");
        }
        for (i, &w) in self.weights.iter().enumerate() {
            value(at(Weights, &[i]), w, (0.0..=1.0).contains(&w), "weights lie in [0, 1]")?;
        }
        let sum: f64 = self.weights.iter().sum();
        if !((sum - 1.0).abs() <= 1e-9) {
            return Err(MixtureError::Sum { sum });
        }
        shape(at(Means, &[]), k, self.means.len(), "one per weight")?;
        for (i, mean) in self.means.iter().enumerate() {
            shape(at(Means, &[i]), dim, mean.len(), "one per grid axis")?;
            for (a, &m) in mean.iter().enumerate() {
                value(at(Means, &[i, a]), m, MEANS.contains(&m), MEAN_RULE)?;
            }
        }
        match &self.covariances {
            Covariances::Identity => {}
            Covariances::Isotropic(v) => {
                shape(at(Covariance, &[]), k, v.len(), "isotropic: one variance per component")?;
                for (i, &s) in v.iter().enumerate() {
                    value(at(Covariance, &[i]), s, VARIANCES.contains(&s), VARIANCE_RULE)?;
                }
            }
            Covariances::Diagonal(v) => {
                shape(at(Covariance, &[]), k, v.len(), "diagonal: one row per component")?;
                for (i, row) in v.iter().enumerate() {
                    shape(at(Covariance, &[i]), dim, row.len(), "diagonal: one variance per grid axis")?;
                    for (a, &s) in row.iter().enumerate() {
                        value(at(Covariance, &[i, a]), s, VARIANCES.contains(&s), VARIANCE_RULE)?;
                    }
                }
            }
            Covariances::Full(v) => {
                shape(at(Covariance, &[]), k, v.len(), "full: one matrix per component")?;
                for (i, matrix) in v.iter().enumerate() {
                    shape(at(Covariance, &[i]), dim, matrix.len(), "full: a d x d matrix")?;
                    for (a, row) in matrix.iter().enumerate() {
                        shape(at(Covariance, &[i, a]), dim, row.len(), "full: a d x d matrix")?;
                    }
                    for (a, row) in matrix.iter().enumerate() {
                        for (b, &s) in row.iter().enumerate() {
                            let field = || at(Covariance, &[i, a, b]);
                            value(field(), s, a != b || VARIANCES.contains(&s), VARIANCE_RULE)?;
                            value(field(), s, s.is_finite(), "covariances are finite")?;
                            let twin = matrix[b][a];
                            let symmetric = (s - twin).abs() <= 1e-12 * (s.abs() + twin.abs());
                            value(field(), s, symmetric, "covariance matrices are symmetric")?;
                        }
                    }
                    let pivot = smallest_pivot(matrix);
                    value(at(Covariance, &[i]), pivot, pivot > 0.0, PIVOT_RULE)?;
                }
            }
        }
        Ok(())
    }

    /// All parameters in canonical order: weights but the last, means, covariances.
    pub(super) fn all(&self) -> Vec<Parameter> {
        let k = self.components();
        let dim = self.means.first().map_or(0, Vec::len);
        let mut list: Vec<Parameter> = (0..k.saturating_sub(1)).map(Parameter::Weight).collect();
        list.extend((0..k).flat_map(|i| (0..dim).map(move |a| Parameter::Mean(i, a))));
        match self.covariances {
            Covariances::Identity => {}
            Covariances::Isotropic(_) => list.extend((0..k).map(Parameter::Variance)),
            Covariances::Diagonal(_) => {
                list.extend((0..k).flat_map(|i| (0..dim).map(move |a| Parameter::AxisVariance(i, a))));
            }
            Covariances::Full(_) => list.extend(
                (0..k).flat_map(|i| (0..dim).flat_map(move |a| (a..dim).map(move |b| Parameter::Covariance(i, a, b)))),
            ),
        }
        list
    }

    /// Resolves names and prefixes (`means`, `means[0]`, `means[0][1]`) in canonical order.
    pub(super) fn select(&self, names: &[impl AsRef<str>]) -> Result<Vec<Parameter>, MixtureError> {
        let all = self.all();
        let mut chosen = vec![false; all.len()];
        for name in names {
            let name = name.as_ref();
            let mut found = false;
            for (slot, parameter) in chosen.iter_mut().zip(&all) {
                let full = parameter.name();
                let symmetric_twin = match *parameter {
                    Parameter::Covariance(i, a, b) => format!("covariances[{i}][{b}][{a}]") == name,
                    _ => false,
                };
                if full == name || symmetric_twin || full.strip_prefix(name).is_some_and(|rest| rest.starts_with('[')) {
                    found = true;
                    if std::mem::replace(slot, true) {
                        return Err(MixtureError::Duplicate { name: full });
                    }
                }
            }
            if !found {
                return Err(MixtureError::UnknownParameter {
                    name: name.to_string(),
                    known: all.iter().map(|p| p.name()).collect(),
                });
            }
        }
        let free: Vec<Parameter> = all.into_iter().zip(chosen).filter_map(|(p, c)| c.then_some(p)).collect();
        if free.is_empty() { Err(MixtureError::NoFreeParameter) } else { Ok(free) }
    }

    pub(super) fn get(&self, parameter: Parameter) -> f64 {
        match (parameter, &self.covariances) {
            (Parameter::Weight(i), _) => self.weights[i],
            (Parameter::Mean(i, a), _) => self.means[i][a],
            (Parameter::Variance(i), Covariances::Isotropic(v)) => v[i],
            (Parameter::AxisVariance(i, a), Covariances::Diagonal(v)) => v[i][a],
            (Parameter::Covariance(i, a, b), Covariances::Full(v)) => v[i][a][b],
            _ => f64::NAN,
        }
    }

    fn set(&mut self, parameter: Parameter, value: f64) {
        match (parameter, &mut self.covariances) {
            (Parameter::Weight(i), _) => self.weights[i] = value,
            (Parameter::Mean(i, a), _) => self.means[i][a] = value,
            (Parameter::Variance(i), Covariances::Isotropic(v)) => v[i] = value,
            (Parameter::AxisVariance(i, a), Covariances::Diagonal(v)) => v[i][a] = value,
            (Parameter::Covariance(i, a, b), Covariances::Full(v)) => {
                v[i][a][b] = value;
                v[i][b][a] = value;
            }
            _ => {}
        }
    }

    /// The same mixture with component `order[i]` in place i.
    pub(super) fn in_order(&self, order: &[usize]) -> Self {
        let covariances = match &self.covariances {
            Covariances::Identity => Covariances::Identity,
            Covariances::Isotropic(v) => Covariances::Isotropic(order.iter().map(|&i| v[i]).collect()),
            Covariances::Diagonal(v) => Covariances::Diagonal(order.iter().map(|&i| v[i].clone()).collect()),
            Covariances::Full(v) => Covariances::Full(order.iter().map(|&i| v[i].clone()).collect()),
        };
        Self {
            weights: order.iter().map(|&i| self.weights[i]).collect(),
            means: order.iter().map(|&i| self.means[i].clone()).collect(),
            covariances,
        }
    }

    /// Every weight that the free ones move is at least 0.
    pub(super) fn weight_bounds(&self, free: &[Parameter]) -> Vec<Bound> {
        let weights: Vec<(usize, usize)> = free
            .iter()
            .enumerate()
            .filter_map(|(j, p)| if let Parameter::Weight(i) = *p { Some((j, i)) } else { None })
            .collect();
        if weights.is_empty() {
            return Vec::new();
        }
        let last = self.components() - 1;
        let fixed: f64 = (0..last).filter(|i| weights.iter().all(|(_, w)| w != i)).map(|i| self.weights[i]).sum();
        let single =
            |&(j, i): &(usize, usize)| Bound { name: Parameter::Weight(i).name(), terms: vec![(j, 1.0)], lower: 0.0 };
        let rest = Bound {
            name: Parameter::Weight(last).name(),
            terms: weights.iter().map(|(j, _)| (*j, -1.0)).collect(),
            lower: fixed - 1.0,
        };
        weights.iter().map(single).chain([rest]).collect()
    }

    /// The parameters with the free ones replaced by θ; the last weight closes the simplex.
    pub(super) fn with(&self, free: &[Parameter], theta: &[f64]) -> Result<Self, ModelError> {
        ModelError::check_theta(theta, free.len())?;
        let mut next = self.clone();
        for (&parameter, &value) in free.iter().zip(theta) {
            next.set(parameter, value);
        }
        let out =
            |parameter: String, value: f64, rule: &'static str| Err(ModelError::OutOfDomain { parameter, value, rule });
        if free.iter().any(|p| matches!(p, Parameter::Weight(_))) {
            let last = next.weights.len() - 1;
            let head: f64 = next.weights[..last].iter().sum();
            // On the bound it is 0 up to rounding of the sum.
            let rest = 1.0 - head;
            next.weights[last] = if rest.abs() <= CLOSED { 0.0 } else { rest };
            for (i, &w) in next.weights.iter().enumerate() {
                if !(0.0..=1.0).contains(&w) {
                    return out(format!("weights[{i}]"), w, "weights lie in [0, 1] and sum to 1");
                }
            }
        }
        for &parameter in free {
            match (parameter, &next.covariances) {
                (Parameter::Mean(..), _) if !MEANS.contains(&next.get(parameter)) => {
                    return out(parameter.name(), next.get(parameter), MEAN_RULE);
                }
                (Parameter::Variance(_) | Parameter::AxisVariance(..), _)
                    if !VARIANCES.contains(&next.get(parameter)) =>
                {
                    return out(parameter.name(), next.get(parameter), VARIANCE_RULE);
                }
                (Parameter::Covariance(_, a, b), _) if a == b && !VARIANCES.contains(&next.get(parameter)) => {
                    return out(parameter.name(), next.get(parameter), VARIANCE_RULE);
                }
                (Parameter::Covariance(i, ..), Covariances::Full(v)) => {
                    let pivot = smallest_pivot(&v[i]);
                    if !(pivot > 0.0) {
                        return out(format!("covariances[{i}]"), pivot, PIVOT_RULE);
                    }
                }
                _ => {}
            }
        }
        Ok(next)
    }
}

/// Smallest pivot of the elimination of a small symmetric matrix, relative to its diagonal
/// entry's size; not positive for an indefinite matrix.
fn smallest_pivot(matrix: &[Vec<f64>]) -> f64 {
    let d = matrix.len();
    let mut a: Vec<Vec<f64>> = matrix.to_vec();
    let mut smallest = f64::INFINITY;
    for i in 0..d {
        let pivot = a[i][i];
        // A pivot at rounding level is no better than an indefinite matrix.
        let safe = pivot - 1e-14 * matrix[i][i].abs();
        smallest = smallest.min(if safe > 0.0 { pivot } else { safe });
        if !(safe > 0.0) {
            return safe;
        }
        for r in i + 1..d {
            let factor = a[r][i] / pivot;
            for c in i..d {
                a[r][c] -= factor * a[i][c];
            }
        }
    }
    smallest
}
