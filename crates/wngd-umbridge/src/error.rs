use thiserror::Error;

/// Of what kind a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The server cannot be reached, or the connection broke: it may be there again later.
    Connection,
    /// The answer did not come in time.
    Time,
    /// The server answered that it failed, or cannot do what was asked.
    Refused,
    /// The answer is none: no JSON, other sizes than stated, too long.
    Answer,
    /// The answer has values that are no finite numbers.
    NotFinite,
    /// The settings make no sense.
    Settings,
}

/// A call that failed: where, why, and what to do.
#[derive(Debug, Clone, Error)]
#[error("{url}/{endpoint}, model \"{model}\": {cause}; {remedy}")]
pub struct CallError {
    /// The server.
    pub url: String,
    /// The model.
    pub model: String,
    /// What was asked: `Evaluate`, `Gradient` and so on.
    pub endpoint: &'static str,
    /// Of what kind it is.
    pub fault: Fault,
    /// What happened.
    pub cause: String,
    /// What to do.
    pub remedy: String,
}
