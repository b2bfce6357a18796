//! A page to play with: the landscape of two parameters, and descents from wherever one clicks.
//!
//! [`session`] holds the experiment and does the work, [`descend`] runs descents and tells of each iterate,
//! [`api`] answers requests, [`guard`] refuses those that are not the page's own, [`server`] listens.

mod api;
mod descend;
mod guard;
mod limits;
mod server;
mod session;

pub use server::serve;
pub use session::Session;
