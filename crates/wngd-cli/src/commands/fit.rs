//! `wngd fit`

use std::path::PathBuf;

use clap::Args;
use wngd::fit::{Components, Family, FitError};
use wngd_experiment::fitting::{Fitted, Request, fit_file, name_of};
use wngd_experiment::numbers::{short, with_error};

use crate::error::CliError;
use crate::output::{print, screen};

/// Fit a Gaussian mixture to the rows of a table, or to a histogram, without an experiment file.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  wngd fit people.csv --out fit\n  wngd fit people.csv --columns height,weight --components 3 --covariance tied\n  wngd fit counts.csv --edges left,right --counts n\n\nThe number of components with the lowest BIC is taken; all that were tried are kept in result.json.\nDocumentation: docs/fit.md."
)]
pub struct FitArgs {
    /// CSV file with a header, or NPY file of shape (rows, columns).
    pub data: PathBuf,
    /// Folder for results; fits/<name> if absent.
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// What is fitted, and how.
    #[command(flatten)]
    pub choice: Choice,
    /// Print nothing but errors.
    #[arg(long)]
    pub quiet: bool,
    /// Write no figures.
    #[arg(long)]
    pub no_figures: bool,
}

/// Columns and family of a fit.
#[derive(Debug, Args)]
pub struct Choice {
    /// Components: a number, a range as 1..6, or auto.
    #[arg(long, value_name = "K", default_value = "auto", value_parser = read::<Components>)]
    pub components: Components,
    /// Covariances: full, tied, diagonal or isotropic.
    #[arg(long, value_name = "FAMILY", default_value = "full", value_parser = read::<Family>)]
    pub covariance: Family,
    /// Columns to fit; all but that of weights if absent.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub columns: Option<Vec<String>>,
    /// Column of weights: counts of equal rows where all are whole, else importance.
    #[arg(long, value_name = "COLUMN")]
    pub weights: Option<String>,
    /// Columns of the edges of bins, lower and upper per axis.
    #[arg(long, value_name = "LEFT,RIGHT,…", value_delimiter = ',')]
    pub edges: Option<Vec<String>>,
    /// Column of the counts of bins.
    #[arg(long, value_name = "COLUMN")]
    pub counts: Option<String>,
    /// Seed of the starts.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Starts per number of components.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub starts: usize,
}

/// Reads an option of the crate; what is wrong is told without the option's name, which clap tells.
fn read<T: std::str::FromStr<Err = FitError>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: FitError| match error {
        FitError::Option { problem, .. } => problem,
        other => other.to_string(),
    })
}

impl Choice {
    /// The same as the library takes it.
    pub fn request(&self, path: PathBuf) -> Request {
        Request {
            path,
            columns: self.columns.clone(),
            weights: self.weights.clone(),
            edges: self.edges.clone(),
            counts: self.counts.clone(),
            components: self.components,
            family: self.covariance,
            starts: self.starts,
            seed: self.seed,
        }
    }
}

/// Fits, writes results and prints them.
pub fn fit(args: &FitArgs) -> Result<u8, CliError> {
    let folder = args.out.clone().unwrap_or_else(|| PathBuf::from("fits").join(name_of(&args.data)));
    let fitted = fit_file(&args.choice.request(args.data.clone()), &folder, !args.no_figures)?;
    if !args.quiet {
        print(&told(&fitted))?;
        print(&format!("results in {}", folder.display()))?;
    }
    Ok(u8::from(!fitted.ended_well()))
}

/// Parameters, numbers of components, answer and remarks.
fn told(fitted: &Fitted) -> String {
    let (result, fit) = (&fitted.result, &fitted.fit);
    let errors = fit.standard_errors();
    let labels = result.labels();
    let mut parameters = screen::table();
    parameters.set_header(["parameter", "value"]);
    for ((name, value), error) in labels.iter().zip(&fit.theta).zip(&errors).take(40) {
        let shown = match error {
            Some(_) => with_error(*value, *error),
            None => format!("{} ± –", short(*value)),
        };
        parameters.add_row([name.clone(), shown]);
    }
    let mut text = screen::fitted(&parameters);
    if fit.names.len() > 40 {
        text.push_str(&format!("\nand {} more parameters in result.json", fit.names.len() - 40));
    }
    for sentence in result.in_words() {
        text.push_str(&format!("\n{sentence}"));
    }
    if result.scores.len() > 1 {
        let mut scores = screen::table();
        scores.set_header(["components", "log-likelihood", "BIC", ""]);
        for score in &result.scores {
            let taken = if score.components == result.components { "taken" } else { "" };
            let what = if score.degenerate { "collapsed" } else { taken };
            let (likelihood, bic) = (format!("{:.2}", score.log_likelihood), format!("{:.2}", score.bic));
            scores.add_row([score.components.to_string(), likelihood, bic, what.to_string()]);
        }
        text.push_str(&format!("\n{}", screen::fitted(&scores)));
    }
    let status = fit.status.name();
    text.push_str(&format!("\n{status}, log-likelihood {:.3}, {:.2} s", fit.log_likelihood, fit.seconds));
    let remarks = result.methods.iter().flat_map(|m| m.remarks.clone());
    for remark in remarks.chain(fitted.experiment.as_ref().err().cloned()) {
        text.push_str(&format!("\n  {remark}"));
    }
    text
}
