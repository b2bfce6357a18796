//! `wngd serve`

use std::net::{Ipv4Addr, TcpListener};

use clap::Args;
use wngd_experiment::offer::Offer;
use wngd_experiment::source::builtin;
use wngd_experiment::{Experiment, Source};

use crate::args::suggesting;
use crate::error::CliError;
use crate::output::print;
use crate::serve;

/// Most requests at the same time.
const MOST: usize = 1024;

/// Offer an experiment's model and objective to other programs on this machine, over UM-Bridge.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  wngd serve mixture-mu1 --port 4242\n\nThe models are \"forward\" (parameters to state) and \"objective\" (what is minimised), each with\nEvaluate, Gradient and ApplyJacobian. The parameters are those of `wngd inspect`."
)]
pub struct ServeArgs {
    /// Experiment file, or name of a built-in experiment.
    #[arg(value_parser = suggesting(builtin::names))]
    pub experiment: String,
    /// Overrides a key of the experiment, as objective.kind=kl does.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Port on 127.0.0.1; 0 for any free one.
    #[arg(long, value_name = "N", default_value_t = 4242)]
    pub port: u16,
    /// Requests that are computed at the same time; others wait.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub requests: usize,
}

/// Answers until Ctrl-C.
pub fn serve(args: &ServeArgs) -> Result<u8, CliError> {
    if !(1..=MOST).contains(&args.requests) {
        return Err(CliError::usage("--requests", format!("{}; it is between 1 and {MOST}", args.requests)));
    }
    let source = Source::load(&args.experiment, &args.set)?;
    let experiment = Experiment::build(&source)?;
    let (names, name) = (experiment.names(), experiment.name.clone());
    let offer = Offer::new(experiment);
    let port = args.port;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .map_err(|e| CliError::usage("--port", format!("127.0.0.1:{port} cannot be used: {e}; choose another")))?;
    let fail = |source| CliError::Serve { source };
    let address = listener.local_addr().map_err(fail)?;
    let (p, k) = offer.sizes();
    let shown: Vec<&str> = names.iter().take(8).map(String::as_str).collect();
    let more = if p > shown.len() { ", …" } else { "" };
    print(&format!(
        "{name}: \"forward\" ({p} to {k} values) and \"objective\" ({p} to 1) of {}{more}",
        shown.join(", ")
    ))?;
    let mut told = Ok(());
    let ready = || told = print(&format!("UM-Bridge at http://{address}; Ctrl-C stops"));
    serve::serve(listener, offer, args.requests, ready).map_err(fail)?;
    told?;
    print("stopped")?;
    Ok(0)
}
