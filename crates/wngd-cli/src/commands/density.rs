//! `wngd density`

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use toml::Table;
use wngd_experiment::density::{Asked, density as compute};
use wngd_experiment::numbers::short;
use wngd_experiment::schemes;

use super::simulate::named;
use crate::args::{suggesting, systems};
use crate::error::CliError;
use crate::output::print;

/// Compute and draw the stationary density of a dynamical system.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  wngd density --system lorenz63 --theta 10,28,2.667 --out rho\n  wngd density --system lorenz63 --discretisation scharfetter-gummel --diffusion 10 --cells 32 --out rho"
)]
pub struct DensityArgs {
    /// Name of the system, or a file of your own, FILE.toml; `wngd systems` lists the names.
    #[arg(long, value_name = "NAME|FILE", value_parser = suggesting(systems))]
    pub system: String,
    /// Values of the parameters, comma-separated; the usual ones if absent.
    #[arg(long, value_name = "V,V,…", allow_hyphen_values = true, value_delimiter = ',')]
    pub theta: Option<Vec<f64>>,
    /// Lower corner of the box; from a short simulation if absent.
    #[arg(long, value_name = "V,…", allow_hyphen_values = true, value_delimiter = ',')]
    pub lower: Option<Vec<f64>>,
    /// Upper corner of the box.
    #[arg(long, value_name = "V,…", allow_hyphen_values = true, value_delimiter = ',')]
    pub upper: Option<Vec<f64>>,
    /// Cells, one number or one per axis; 256, 64 or 24 in one, two or three dimensions, if absent.
    #[arg(long, value_name = "N,…", value_delimiter = ',')]
    pub cells: Option<Vec<usize>>,
    /// How the density is put on the grid.
    #[arg(long, value_name = "NAME", default_value = "semi-lagrangian", value_parser = PossibleValuesParser::new(schemes::FAMILY.names()))]
    pub discretisation: String,
    /// Diffusion coefficient of the finite volumes; 10 if absent.
    #[arg(long, value_name = "D")]
    pub diffusion: Option<f64>,
    /// Restart rate, or probability per map (semi-lagrangian); 0.002 or 1e-6 if absent.
    #[arg(long, value_name = "R")]
    pub restart: Option<f64>,
    /// Map time (semi-lagrangian); a quarter of a turn if absent.
    #[arg(long, value_name = "TIME")]
    pub time: Option<f64>,
    /// Runge–Kutta step (semi-lagrangian); a twentieth of the map time if absent.
    #[arg(long, value_name = "TIME")]
    pub step: Option<f64>,
    /// Folder for results.
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,
    /// Print nothing but errors.
    #[arg(long)]
    pub quiet: bool,
    /// Write no figures.
    #[arg(long)]
    pub no_figures: bool,
}

/// Computes, writes and draws a stationary density.
pub fn density(args: &DensityArgs) -> Result<u8, CliError> {
    let corners = match (&args.lower, &args.upper) {
        (Some(lower), Some(upper)) => Some((lower.clone(), upper.clone())),
        (None, None) => None,
        _ => return Err(CliError::usage("--lower, --upper", "give both corners of the box, or neither")),
    };
    let mut discretisation = Table::new();
    discretisation.insert("kind".into(), args.discretisation.clone().into());
    let options = [("diffusion", args.diffusion), ("restart", args.restart), ("time", args.time), ("step", args.step)];
    for (key, value) in options.into_iter().filter_map(|(key, value)| Some((key, value?))) {
        discretisation.insert(key.into(), value.into());
    }
    let asked = Asked {
        name: args.system.clone(),
        system: named(&args.system)?.system,
        theta: args.theta.clone(),
        corners,
        cells: args.cells.clone(),
        discretisation,
        figures: !args.no_figures,
    };
    let file = compute(asked, &args.out)?;
    if !args.quiet {
        for note in &file.notes {
            print(note)?;
        }
        let moments: Vec<String> = file.state.mean.iter().map(|m| short(*m)).collect();
        print(&format!("{} cells, {}; mean ({})", file.state.cells, file.solver.name, moments.join(", ")))?;
        print(&format!("results in {}", args.out.display()))?;
    }
    Ok(0)
}
