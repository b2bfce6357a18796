//! What shapes of components have in common.

/// Integrals of a shape over cells, up to a factor that is the same for all, with their derivatives.
#[derive(Debug, Clone, PartialEq)]
pub struct Integrals {
    /// One per cell.
    pub values: Vec<f64>,
    /// One list per parameter of the shape.
    pub derivatives: Vec<Vec<f64>>,
}

impl Integrals {
    /// Differences of a primitive between edges: F(x; p) with ∂F/∂p at each edge.
    pub(super) fn of_primitive(edges: &[f64], at: impl Fn(f64) -> (f64, Vec<f64>)) -> Self {
        let found: Vec<(f64, Vec<f64>)> = edges.iter().map(|x| at(*x)).collect();
        let parameters = found.first().map_or(0, |first| first.1.len());
        let values = found.windows(2).map(|w| w[1].0 - w[0].0).collect();
        let derivative = |j: usize| found.windows(2).map(|w| w[1].1[j] - w[0].1[j]).collect();
        Self { values, derivatives: (0..parameters).map(derivative).collect() }
    }
}

/// A density of one coordinate up to its normalisation, which the box gives.
pub trait Shape: Send + Sync + std::fmt::Debug {
    /// Names of its parameters.
    fn names(&self) -> Vec<String>;
    /// Whether parameters are admissible; the text of a refusal is the rule.
    ///
    /// # Errors
    /// Number of the parameter, and the rule.
    fn check(&self, parameters: &[f64]) -> Result<(), (usize, &'static str)>;
    /// Its exact integrals between edges, increasing.
    fn integrals(&self, edges: &[f64], parameters: &[f64]) -> Integrals;
}
