//! Preconditioned BiCGSTAB for sparse matrices and their transposes.

mod bicgstab;
mod coarse;
mod compressed;
pub(crate) mod dots;
mod flow_order;
mod incomplete_lu;
mod options;
mod rows;
#[cfg(test)]
pub(crate) mod tests;

pub use bicgstab::BiCgStab;
pub use flow_order::flow_order;
pub(crate) use options::Counters;
pub use options::{KrylovOptions, KrylovReport, KrylovStats};
