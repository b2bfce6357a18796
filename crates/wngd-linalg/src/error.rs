use thiserror::Error;

/// What can go wrong when a grid, an operator or a factorisation is built.
///
/// Construction and factorisation are fallible; application is not. Each text
/// names the offending quantity and what to do about it.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum LinalgError {
    /// A grid was asked for with inconsistent or impossible sizes.
    #[error("grid: {reason}")]
    Grid {
        /// Which rule the grid breaks, and the remedy.
        reason: String,
    },
    /// An array does not have the length that the grid or operator needs.
    #[error("{what} has {found} entries, {expected} are needed")]
    Shape {
        /// Name of the array.
        what: &'static str,
        /// Number of entries needed.
        expected: usize,
        /// Number of entries given.
        found: usize,
    },
    /// An array holds NaN or an infinity.
    #[error("{what}[{index}] is {value}: every entry must be finite")]
    NotFinite {
        /// Name of the array.
        what: &'static str,
        /// Position of the first bad entry.
        index: usize,
        /// The bad entry.
        value: f64,
    },
    /// A density has a negative entry.
    #[error("density[{index}] = {value} is negative: a density has entries >= 0")]
    NegativeDensity {
        /// Position of the first negative cell.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// A density has no cell above the activity threshold.
    #[error(
        "the density vanishes on the whole grid (largest value {largest:e}): move the box or the start so that it holds mass"
    )]
    EmptyDensity {
        /// Largest density value found.
        largest: f64,
    },
    /// A Cholesky factorisation met a pivot that is not positive.
    #[error("matrix is not positive definite: pivot {index} is not positive; add damping or remove dependent columns")]
    NotPositiveDefinite {
        /// Index of the failing pivot, in elimination order.
        index: usize,
    },
    /// A symbolic analysis failed (index overflow or memory).
    #[error("symbolic factorisation of a {n} x {n} matrix failed: {reason}; use fewer cells")]
    Symbolic {
        /// Matrix dimension.
        n: usize,
        /// Message of the sparse library.
        reason: String,
    },
    /// A dense decomposition did not converge.
    #[error("{what} did not converge; the matrix may hold NaN or infinities")]
    NoConvergence {
        /// Which decomposition.
        what: &'static str,
    },
    /// An iterative solver stopped above its tolerance.
    #[error(
        "{what} reached {iterations} iterations with relative residual {residual:e} above its tolerance {tolerance:e}; raise the iteration limit or use a direct solver"
    )]
    IterationLimit {
        /// Which solver.
        what: &'static str,
        /// Iterations made.
        iterations: usize,
        /// Relative residual reached.
        residual: f64,
        /// Tolerance asked for.
        tolerance: f64,
    },
}

/// Checks that `values` has `expected` entries, all finite.
pub(crate) fn check_vector(what: &'static str, values: &[f64], expected: usize) -> Result<(), LinalgError> {
    if values.len() != expected {
        return Err(LinalgError::Shape { what, expected, found: values.len() });
    }
    match values.iter().position(|v| !v.is_finite()) {
        Some(index) => Err(LinalgError::NotFinite { what, index, value: values[index] }),
        None => Ok(()),
    }
}
