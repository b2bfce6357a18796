//! `wngd init`

use std::path::{Path, PathBuf};

use clap::Args;
use wngd::fit::{Components, Family};
use wngd_experiment::files::write_file;
use wngd_experiment::fitting::{Request, experiment_text, fit_table, name_of, read};
use wngd_experiment::schema;
use wngd_experiment::source::builtin;

use crate::args::suggesting;
use crate::error::CliError;
use crate::output::print;

/// Write a commented experiment file to start from.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  wngd init mixture-mu1\n  wngd init faithful --out my.toml\n  wngd init --from people.csv --columns height,weight"
)]
pub struct InitArgs {
    /// Name of a built-in experiment.
    #[arg(value_parser = suggesting(builtin::names), required_unless_present = "from", conflicts_with = "from")]
    pub name: Option<String>,
    /// Samples that a file is made for: grid from the data, start by k-means++, everything free.
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// Columns of the samples; all if absent.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', requires = "from")]
    pub columns: Option<Vec<String>>,
    /// File to write; <name>.toml if absent.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// JSON schema of experiment files, written beside them.
const SCHEMA: &str = "wngd.schema.json";

/// Writes a built-in experiment, its data and the schema as files to edit.
pub fn init(args: &InitArgs) -> Result<u8, CliError> {
    let (name, text, path) = match (&args.from, &args.name) {
        (Some(from), _) => {
            let name = name_of(from);
            let path = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("{name}.toml")));
            let text = of_samples(from, args.columns.clone(), path.parent().unwrap_or(Path::new("")))?;
            (String::new(), text, path)
        }
        (None, name) => {
            let name = name.clone().unwrap_or_default();
            let Some(text) = builtin::text(&name) else {
                return Err(CliError::usage(
                    "name",
                    format!("there is no built-in experiment \"{name}\"; there are {}", builtin::names().join(", ")),
                ));
            };
            let path = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("{name}.toml")));
            (name, text.to_string(), path)
        }
    };
    // Editors that know the schema complete keys and tell typos.
    let text = format!("#:schema ./{SCHEMA}\n{text}");
    let beside = |name: &str| path.parent().unwrap_or(Path::new("")).join(name);
    let mut files: Vec<(PathBuf, String)> = vec![(path.clone(), text)];
    let data = format!("{name}.csv");
    if let Some(contents) = builtin::data(&data) {
        files.push((beside(&data), contents.to_string()));
    }
    for (path, _) in &files {
        if path.exists() {
            return Err(CliError::usage(
                "--out",
                format!("{} exists; choose another name or move it away", path.display()),
            ));
        }
    }
    for (path, contents) in &files {
        write_file(path, |w| w.write_all(contents.as_bytes()))?;
    }
    let schema = serde_json::to_string_pretty(&schema::json_schema()).map_err(|e| CliError::Internal(e.to_string()))?;
    write_file(&beside(SCHEMA), |w| writeln!(w, "{schema}"))?;
    let written: Vec<String> = files.iter().map(|(p, _)| p.display().to_string()).collect();
    print(&format!("wrote {}\nnext: wngd run {}", written.join(" and "), path.display()))?;
    Ok(0)
}

/// An experiment file for samples, with the number of components that a fit takes.
fn of_samples(from: &Path, columns: Option<Vec<String>>, beside: &Path) -> Result<String, CliError> {
    let (components, family) = (Components::Auto, Family::Full);
    let (weights, edges, counts) = (None, None, None);
    let path = from.to_path_buf();
    let request = Request { path, columns, weights, edges, counts, components, family, starts: 20, seed: 0 };
    let table = read(&request)?;
    let found = fit_table(&request, &table)?;
    experiment_text(&request, &table, &found, beside).map_err(|problem| CliError::usage("--from", problem))
}
