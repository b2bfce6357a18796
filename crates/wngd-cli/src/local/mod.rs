//! What listens on this machine, and for it only: [`server`] takes connections into its [`places`], [`guard`] refuses strangers' requests.

pub mod guard;
mod places;
pub mod server;
