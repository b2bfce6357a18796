//! Exact squared-distance optimal transport between two mass vectors on one uniform grid.
//!
//! For masses `a` and `b`, each normalised to one, on the centres x of a uniform grid in one, two or
//! three dimensions,
//!
//! ```text
//! ½W₂²(a, b) = min over plans π of Σ ½|x−y|² π(x, y)
//!            = max over u(x) + v(y) ≤ ½|x−y|² of Σ a(x) u(x) + Σ b(y) v(y).
//! ```
//!
//! In one dimension the monotone rearrangement solves the problem; beyond, the network simplex does on
//! the graph that moves mass along one axis at a time. Masses are first rounded to multiples of
//! 2⁻⁶⁰ and costs to multiples of a common unit (without error when the squared spacings have
//! small ratios, in particular for equal ones), so the combinatorial part runs in integers.
#![forbid(unsafe_code)]

mod c_transform;
mod centred_potentials;
mod error;
mod grid_lines;
mod integer_costs;
mod integer_masses;
mod layered_graph;
mod network_simplex;
mod rearrangement;
mod refinement;
mod row_minima;
mod spanning_tree;
mod transport;

pub use error::TransportError;
pub use transport::{Options, Transport, half_squared_wasserstein};
