//! A page to play with: the landscape of two parameters, and descents from wherever one clicks.
//!
//! [`session`] holds an experiment and does the work, [`scenes`] has one for each experiment, objective and data that
//! the page asks for, [`descend`] runs descents and tells of each iterate, [`api`] answers requests.

mod api;
mod descend;
mod limits;
mod scenes;
mod session;

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use wngd_experiment::Source;

use crate::local::server::{self, Hold};

use scenes::Scenes;
pub use session::Session;

/// A descent is shown for so long.
const LONGEST: Duration = Duration::from_secs(600);

/// Serves the page until Ctrl-C.
///
/// # Errors
/// Whatever keeps the listener from being used.
pub fn serve(listener: TcpListener, source: Source, session: Session, ready: impl FnOnce()) -> io::Result<()> {
    let router = api::router(Scenes::new(source, session), listener.local_addr()?.port());
    server::serve(listener, router, Hold { keep_alive: true, longest: LONGEST }, ready)
}
