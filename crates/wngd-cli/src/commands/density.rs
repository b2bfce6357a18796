//! `wngd density`

use toml::Table;
use wngd_experiment::density::{Asked, density as compute};
use wngd_experiment::numbers::short;

use super::print;
use super::simulate::named;
use crate::args::DensityArgs;
use crate::error::CliError;

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
