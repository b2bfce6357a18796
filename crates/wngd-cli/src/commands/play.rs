//! `wngd play`

use std::net::{Ipv4Addr, TcpListener};

use clap::Args;
use wngd_experiment::source::builtin;
use wngd_experiment::{Experiment, Source};

use crate::args::suggesting;
use crate::error::CliError;
use crate::output::{print, tell};
use crate::play::{self, Session};

/// Open a page on which to start descents with a click and watch them.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  wngd play\n  wngd play my.toml --port 9000")]
pub struct PlayArgs {
    /// Experiment file, or name of a built-in experiment, with two free parameters or more.
    #[arg(default_value = "mixture-weight", value_parser = suggesting(builtin::names))]
    pub experiment: String,
    /// Overrides a key of the experiment, as stop.iterations=5 or method[0].metric=l2 does.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Port on 127.0.0.1; 8715, or any free one if that is taken, if absent.
    #[arg(long, value_name = "N")]
    pub port: Option<u16>,
}

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
                tell(&format!(
                    "wngd: port {PORT} is taken; this page has another, where links to views of that one do not lead"
                ));
                bind(0)?
            }
        },
    };
    let fail = |source| CliError::Serve { source };
    let address = listener.local_addr().map_err(fail)?;
    print(&session.summary())?;
    let mut told = Ok(());
    let ready = || told = print(&format!("open http://{address}/ in a browser; Ctrl-C stops"));
    play::serve(listener, source, session, ready).map_err(fail)?;
    told?;
    print("stopped")?;
    Ok(0)
}
