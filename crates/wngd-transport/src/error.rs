use thiserror::Error;

/// Why a transport problem could not be solved.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum TransportError {
    /// The grid has no axis or more than three.
    #[error("the grid has {found} axes: give one to three numbers of cells and as many spacings")]
    Dimension {
        /// Number of axes.
        found: usize,
    },
    /// An axis has no cells.
    #[error("axis {axis} has no cells: every axis needs one at least")]
    NoCells {
        /// The axis.
        axis: usize,
    },
    /// The grid has more cells than can be numbered.
    #[error("the grid has more than {limit} cells: use fewer")]
    TooManyCells {
        /// Most cells that a grid can have.
        limit: usize,
    },
    /// A slice has the wrong length.
    #[error(
        "{what} has {found} entries where the grid asks for {expected}: there is one spacing per axis and one mass per cell"
    )]
    Shape {
        /// `"spacing"`, `"source"` or `"target"`.
        what: &'static str,
        /// Length that the grid asks for.
        expected: usize,
        /// Length that was passed.
        found: usize,
    },
    /// A spacing is not positive, or its square leaves the normal range of `f64`.
    #[error(
        "the spacing {value:e} of axis {axis} must be positive, and its square neither overflow nor underflow: change the unit of length"
    )]
    Spacing {
        /// Axis of the spacing.
        axis: usize,
        /// The spacing.
        value: f64,
    },
    /// The cheapest and the dearest move are too far apart for integers of 64 bits.
    #[error(
        "distances on the grid range from {shortest:e} to {longest:e}, whose squares are too far apart for integers of 64 bits: use fewer cells or spacings nearer to each other"
    )]
    CostRange {
        /// Smallest spacing.
        shortest: f64,
        /// Distance between opposite corners.
        longest: f64,
    },
    /// The threshold is no fraction.
    #[error("the threshold {value} must be at least 0 and less than 1: it is a fraction of the mass")]
    Threshold {
        /// The threshold.
        value: f64,
    },
    /// A mass is infinite or not a number.
    #[error("{which}[{index}] is {value}: every mass must be finite")]
    NotFinite {
        /// `"source"` or `"target"`.
        which: &'static str,
        /// Cell of the mass.
        index: usize,
        /// The mass.
        value: f64,
    },
    /// A mass is negative.
    #[error("{which}[{index}] = {value} is negative: every mass must be at least 0")]
    NegativeMass {
        /// `"source"` or `"target"`.
        which: &'static str,
        /// Cell of the mass.
        index: usize,
        /// The mass.
        value: f64,
    },
    /// A mass vector has no mass, or none above the threshold.
    #[error("the {which} has no mass above the threshold: give one of its cells mass, or lower the threshold")]
    EmptyMass {
        /// `"source"` or `"target"`.
        which: &'static str,
    },
    /// The pivot budget ran out first.
    #[error("no optimal transport after {pivots} pivots: allow more, or use fewer cells")]
    PivotLimit {
        /// Pivots made.
        pivots: usize,
    },
    /// The value, the potential or their sums over the masses overflow.
    #[error("distances up to {longest:e} are too long for sums of their squares: change the unit of length")]
    Overflow {
        /// Distance between opposite corners.
        longest: f64,
    },
}
