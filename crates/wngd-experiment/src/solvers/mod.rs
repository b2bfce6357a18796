//! Solvers of the direction, a file each.

mod direct;
mod matrix_free;

use wngd::opt::{DirectionSolver, Estimator, Metric};

use crate::models::Jacobian;

/// A solver with its options.
pub trait SolverChoice: Send + Sync {
    /// The direction rule with a metric; `damping` if it was given.
    fn build(&self, metric: Box<dyn Metric + Send>, damping: Option<f64>) -> Box<dyn DirectionSolver<Jacobian> + Send>;
    /// The estimator of a solver that stores no Jacobian, and the seed of what it draws.
    fn estimator(&self) -> Option<(Estimator, u64)> {
        None
    }
}

crate::registry::family! {
    /// The solvers.
    dyn SolverChoice, what: "solver", key: "method.solver",
    members: [
        qr, svd, lsmr, information, auto, krylov, nystrom, preconditioned, sketched, sketched_gram, hutchinson, exact
    ]
}

/// The solver where none is named.
pub const USUAL: &str = "qr";
