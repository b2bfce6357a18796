use std::fmt;
use std::sync::Arc;

use wngd::models::flow::VelocityField;

/// A system that a program has: a field that no name and no equations stand for.
#[derive(Clone)]
pub struct Given {
    /// Its name.
    pub name: String,
    /// The velocity field.
    pub field: Arc<dyn VelocityField>,
    /// Names of its variables, in the order of the state.
    pub variables: Vec<String>,
    /// The usual values of its parameters.
    pub theta: Vec<f64>,
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Given").field("name", &self.name).field("theta", &self.theta).finish_non_exhaustive()
    }
}
