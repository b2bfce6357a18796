#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod bound;
mod checks;
mod error;
mod fn_model;
mod implicit;
mod model;
mod normalised;
mod prior;
mod probes;
mod reparameterised;
mod sketch;
mod trace;
mod transform;

pub use bound::Bound;
pub use checks::{DotTest, TaylorTest, dot_test, taylor_test, taylor_test_scalar};
pub use error::ModelError;
pub use fn_model::FnModel;
pub use implicit::{Implicit, ImplicitConstraint, ImplicitJacobian};
pub use model::{ForwardModel, Linearization, SolveCounts, State};
pub use normalised::{Normalised, NormalisedJacobian};
pub use prior::{Prior, PriorShape};
pub use probes::{ProbeKind, Probes};
pub use reparameterised::{Reparameterised, ReparameterisedJacobian};
pub use sketch::Sketch;
pub use trace::{Estimate, Gram, TraceEstimate, estimate_trace};
pub use transform::Transform;
// What a model needs of linear algebra, so that this crate suffices.
pub use wngd_linalg::faer;
pub use wngd_linalg::operator::{apply_transpose_vec, apply_vec, solve};
pub use wngd_linalg::{Factorization, LinearOp, LuOrdering, SparseLu, SparseMatrix};
