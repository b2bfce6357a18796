//! What listens on this machine, and for it only: [`server`] takes connections, [`guard`] refuses strangers' requests.

pub mod guard;
pub mod server;
