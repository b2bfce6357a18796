//! `[stop]`: when descents end.

use schemars::JsonSchema;
use serde::Deserialize;
use wngd::opt::Stop;

use crate::error::ExperimentError;
use crate::source::Section;

/// When descents end.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StopSection {
    /// iteration limit
    pub iterations: usize,
    /// converged at f ≤ this · f₀; 0: off
    pub relative_objective: f64,
    /// converged when ‖Δθ‖ ≤ this · ‖θ‖; 0: off
    pub relative_step: f64,
    /// converged when ‖∇f‖ ≤ this
    pub gradient: f64,
}

impl Default for StopSection {
    fn default() -> Self {
        let Stop { iterations, relative_objective, relative_step, gradient } = Stop::default();
        Self { iterations, relative_objective, relative_step, gradient }
    }
}

/// Reads when descents end.
///
/// # Errors
/// Numbers that make no sense.
pub fn read(section: &Section<'_>) -> Result<Stop, ExperimentError> {
    let StopSection { iterations, relative_objective, relative_step, gradient } = section.read()?;
    let tests = [("relative_objective", relative_objective), ("relative_step", relative_step), ("gradient", gradient)];
    match tests.into_iter().find(|(_, value)| !(value.is_finite() && *value >= 0.0)) {
        Some((key, _)) => Err(section.error(key, "a finite number >= 0 is needed; 0 switches the test off")),
        None => Ok(Stop { iterations, relative_objective, relative_step, gradient }),
    }
}
