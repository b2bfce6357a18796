//! Rows of numbers from a file.

/// Rows of a file, and what else it tells.
#[derive(Debug, Default)]
pub struct Points {
    /// N rows of as many coordinates as columns were read.
    pub values: Vec<f64>,
    /// How many.
    pub columns: usize,
    /// Mean time step, from a column `t` or `time` that rises.
    pub dt: Option<f64>,
    /// The times themselves, where they rise in steps of different lengths.
    pub uneven: Option<Vec<f64>>,
    /// The further column, if one was asked for.
    pub beside: Vec<f64>,
    /// Names of the columns, if they have names.
    pub names: Option<Vec<String>>,
    /// What should be told of how the file was read.
    pub notes: Vec<String>,
}
