use crate::error::FitError;

/// Independent samples, with or without weights.
///
/// # Shapes
/// `values` holds n rows of `dim` numbers; `weights` n numbers.
///
/// # Units
/// Any, per coordinate: a fit standardises them and gives its results in the units of the samples.
#[derive(Debug, Clone)]
pub struct Samples {
    pub(crate) dim: usize,
    pub(crate) values: Vec<f64>,
    pub(crate) weights: Option<Vec<f64>>,
    pub(crate) weighting: Weighting,
}

/// What weights of samples mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weighting {
    /// There are none: every sample counts once.
    None,
    /// Whole numbers: so many samples of that value.
    Counts,
    /// Anything else: importance, known up to a factor; the sample is worth (Σw)²/Σw² of plain ones (Kish 1965).
    Importance,
}

/// Largest size of a coordinate: its square is a number.
const LARGEST: f64 = 1e150;

impl Samples {
    /// Samples that count once each.
    ///
    /// # Errors
    /// A length that is no multiple of `dim`, no samples, numbers that are not finite or above 1e150 in size.
    pub fn new(dim: usize, values: Vec<f64>) -> Result<Self, FitError> {
        if dim == 0 {
            return Err(FitError::Option { option: "dim", problem: "0 coordinates; at least 1 is needed".into() });
        }
        if values.is_empty() || !values.len().is_multiple_of(dim) {
            let expected = (values.len() / dim + 1) * dim;
            let reason = "rows of dim coordinates";
            return Err(FitError::Length { field: "values", expected, found: values.len(), reason });
        }
        check("values", &values, "coordinates are finite, at most 1e150 in size", |v| v.abs() <= LARGEST)?;
        Ok(Self { dim, values, weights: None, weighting: Weighting::None })
    }

    /// The same with a weight per sample: see [`Weighting`] for what they mean. Samples of weight 0 are left out.
    ///
    /// # Errors
    /// A weight per sample, finite and ≥ 0, with a positive sum is needed.
    pub fn with_weights(self, weights: &[f64]) -> Result<Self, FitError> {
        let n = self.values.len() / self.dim;
        if weights.len() != n {
            let (expected, found) = (n, weights.len());
            return Err(FitError::Length { field: "weights", expected, found, reason: "one per sample" });
        }
        check("weights", weights, "weights are finite and at least 0", |w| (0.0..=LARGEST).contains(&w))?;
        let kept: Vec<usize> = (0..n).filter(|&i| weights[i] > 0.0).collect();
        if kept.is_empty() {
            let rule = "at least one weight is positive";
            return Err(FitError::Value { field: "weights", index: 0, value: 0.0, rule });
        }
        let whole = weights.iter().all(|w| w.fract() == 0.0);
        let values = kept.iter().flat_map(|&i| self.values[i * self.dim..(i + 1) * self.dim].to_vec()).collect();
        let mut weights: Vec<f64> = kept.iter().map(|&i| weights[i]).collect();
        let weighting = if whole { Weighting::Counts } else { Weighting::Importance };
        if !whole {
            // Relative to the largest, so that no square overflows.
            let largest = weights.iter().fold(0.0, |m: f64, &w| m.max(w));
            weights.iter_mut().for_each(|w| *w /= largest);
            let sum: f64 = weights.iter().sum();
            let squares: f64 = weights.iter().map(|w| w * w).sum();
            weights.iter_mut().for_each(|w| *w *= sum / squares);
        }
        Ok(Self { values, weights: Some(weights), weighting, ..self })
    }

    /// Coordinates.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Number of samples kept.
    pub fn len(&self) -> usize {
        self.values.len() / self.dim
    }

    /// Never: there is at least one sample.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// What the weights mean.
    pub fn weighting(&self) -> Weighting {
        self.weighting
    }

    /// n, the sum of counts, or Kish's effective number.
    pub fn observations(&self) -> f64 {
        self.weights.as_ref().map_or(self.len() as f64, |w| w.iter().sum())
    }
}

/// Refuses the first number that breaks a rule.
pub(crate) fn check(
    field: &'static str,
    values: &[f64],
    rule: &'static str,
    good: impl Fn(f64) -> bool,
) -> Result<(), FitError> {
    match values.iter().position(|&v| !good(v)) {
        Some(index) => Err(FitError::Value { field, index, value: values[index], rule }),
        None => Ok(()),
    }
}
