#![doc = include_str!("../README.md")]
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
