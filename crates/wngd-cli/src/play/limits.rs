//! What a page may ask for.

use serde::Serialize;

/// Most iterations of one descent.
pub const MAX_ITERATIONS: usize = 2000;
/// Factors by which step lengths may be changed.
pub const FACTORS: std::ops::RangeInclusive<f64> = 1e-4..=1e4;
/// Most damping.
pub const MAX_DAMPING: f64 = 1e6;

/// What a request may ask for.
#[derive(Debug, Serialize)]
pub struct Limits {
    /// Most iterations.
    iterations: usize,
    /// Least and largest factor of the step lengths.
    factor: [f64; 2],
    /// Most damping.
    damping: f64,
}

impl Limits {
    /// Those of every session.
    pub const ALL: Self =
        Self { iterations: MAX_ITERATIONS, factor: [*FACTORS.start(), *FACTORS.end()], damping: MAX_DAMPING };
}
