use thiserror::Error;

/// What can be wrong with samples, histograms or options.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum FitError {
    /// A length does not fit the others.
    #[error("{field} has {found} numbers, {expected} are needed ({reason})")]
    Length {
        /// The array.
        field: &'static str,
        /// Numbers needed.
        expected: usize,
        /// Numbers given.
        found: usize,
        /// Why so many.
        reason: &'static str,
    },
    /// A number is not admissible.
    #[error("{field}[{index}] = {value}: {rule}")]
    Value {
        /// The array.
        field: &'static str,
        /// Place in it.
        index: usize,
        /// The number.
        value: f64,
        /// The rule it breaks.
        rule: &'static str,
    },
    /// Too little data for a single component.
    #[error(
        "{found} distinct samples in {dim} dimensions; a Gaussian needs at least {needed}: give more data, or fewer columns"
    )]
    TooFew {
        /// Distinct samples, at most those needed are counted.
        found: usize,
        /// Coordinates.
        dim: usize,
        /// Samples needed.
        needed: usize,
    },
    /// A coordinate that does not vary.
    #[error("column {axis} has the same value {value} in all samples; leave it out")]
    Constant {
        /// The coordinate, from 0.
        axis: usize,
        /// Its value.
        value: f64,
    },
    /// An option is not usable.
    #[error("{option}: {problem}")]
    Option {
        /// The option.
        option: &'static str,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// No start led to a mixture.
    #[error("no start led to {components} components; ask for fewer, or for a simpler family of covariances")]
    NoFit {
        /// Components asked for.
        components: usize,
    },
    /// It was told to stop.
    #[error("told to stop before there was a fit")]
    Stopped,
}
