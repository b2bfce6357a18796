//! `wngd play`

use std::net::{Ipv4Addr, TcpListener};

use wngd_experiment::{Experiment, Source};

use super::print;
use crate::args::PlayArgs;
use crate::error::CliError;
use crate::play::{self, Session};

/// The port where the page is looked for, so that links to views keep working.
const PORT: u16 = 8715;

/// Serves a page to play with until Ctrl-C.
pub fn play(args: &PlayArgs) -> Result<u8, CliError> {
    let source = Source::load(&args.experiment, &args.set)?;
    let experiment = Experiment::build(&source)?;
    let session = Session::new(&source, experiment)?;
    let bind = |port: u16| {
        TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .map_err(|e| CliError::usage("--port", format!("127.0.0.1:{port} cannot be used: {e}; choose another")))
    };
    let listener = match args.port {
        Some(port) => bind(port)?,
        None => match bind(PORT) {
            Ok(listener) => listener,
            Err(_) => {
                eprintln!(
                    "wngd: port {PORT} is taken; this page has another, where links to views of that one do not lead"
                );
                bind(0)?
            }
        },
    };
    let fail = |source| CliError::Serve { source };
    let address = listener.local_addr().map_err(fail)?;
    print(&session.summary())?;
    print(&format!("open http://{address}/ in a browser; Ctrl-C stops"))?;
    play::serve(listener, session).map_err(fail)?;
    print("stopped")?;
    Ok(0)
}
