use thiserror::Error;

/// What is wrong with an equation.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{place}{}: {problem}", column.map_or(String::new(), |c| format!(", column {c}")))]
pub struct ExpressionError {
    /// Which text: `equations.x`, `variables`, `parameters.a`.
    pub place: String,
    /// Character of the text at which it goes wrong, from 1.
    pub column: Option<usize>,
    /// What is wrong and what to do.
    pub problem: String,
}

impl ExpressionError {
    pub(super) fn whole(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { place: place.into(), column: None, problem: problem.into() }
    }
}

/// A problem at a character of a text, from 0.
pub(super) type Problem = (usize, String);
