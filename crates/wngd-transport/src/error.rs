use std::fmt;

/// Why a transport problem could not be solved.
#[derive(Clone, Debug, PartialEq)]
pub enum TransportError {
    /// A mass is negative.
    NegativeMass {
        /// Cell of the mass.
        index: usize,
        /// The mass.
        value: f64,
    },
    /// A mass is infinite or not a number.
    NotFinite {
        /// Cell of the mass.
        index: usize,
    },
    /// A mass vector has no mass, or none above the threshold.
    EmptyMass {
        /// `"source"` or `"target"`.
        which: &'static str,
    },
    /// A slice has the wrong length.
    Shape {
        /// Length that the grid asks for.
        expected: usize,
        /// Length that was passed.
        found: usize,
    },
    /// The grid has no axis or more than three.
    Dimension {
        /// Number of axes.
        found: usize,
    },
    /// A spacing is not positive, or its square leaves the normal range of `f64`.
    Spacing {
        /// Axis of the spacing.
        axis: usize,
        /// The spacing.
        value: f64,
    },
    /// The grid has more cells, or spacings further apart, than the integer arithmetic can carry.
    TooLarge,
    /// The pivot budget ran out first.
    PivotLimit {
        /// Pivots made.
        pivots: usize,
    },
}

impl fmt::Display for TransportError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NegativeMass { index, value } => {
                write!(formatter, "the mass {value} of cell {index} is negative")
            }
            Self::NotFinite { index } => {
                write!(formatter, "the mass of cell {index} is not finite")
            }
            Self::EmptyMass { which } => write!(formatter, "the {which} has no mass"),
            Self::Shape { expected, found } => {
                write!(formatter, "expected a slice of length {expected}, found {found}")
            }
            Self::Dimension { found } => {
                write!(formatter, "the grid must have one to three axes, not {found}")
            }
            Self::Spacing { axis, value } => {
                write!(formatter, "the spacing {value} of axis {axis} is not positive or out of range")
            }
            Self::TooLarge => write!(formatter, "the grid is too large for the integer arithmetic"),
            Self::PivotLimit { pivots } => {
                write!(formatter, "no optimal transport after {pivots} pivots")
            }
        }
    }
}

impl std::error::Error for TransportError {}
