//! `wngd init`

use std::path::{Path, PathBuf};

use clap::Args;
use wngd_experiment::files::write_file;
use wngd_experiment::schema;
use wngd_experiment::source::builtin;

use crate::args::suggesting;
use crate::error::CliError;
use crate::output::print;

/// Write a commented experiment file to start from.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  wngd init mixture-mu1\n  wngd init faithful --out my.toml")]
pub struct InitArgs {
    /// Name of a built-in experiment.
    #[arg(value_parser = suggesting(builtin::names))]
    pub name: String,
    /// File to write; <name>.toml if absent.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// JSON schema of experiment files, written beside them.
const SCHEMA: &str = "wngd.schema.json";

/// Writes a built-in experiment, its data and the schema as files to edit.
pub fn init(args: &InitArgs) -> Result<u8, CliError> {
    let Some(text) = builtin::text(&args.name) else {
        return Err(CliError::usage(
            "name",
            format!("there is no built-in experiment \"{}\"; there are {}", args.name, builtin::names().join(", ")),
        ));
    };
    let path = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("{}.toml", args.name)));
    // Editors that know the schema complete keys and tell typos.
    let text = format!("#:schema ./{SCHEMA}\n{text}");
    let beside = |name: &str| path.parent().unwrap_or(Path::new("")).join(name);
    let mut files: Vec<(PathBuf, String)> = vec![(path.clone(), text)];
    let data = format!("{}.csv", args.name);
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
