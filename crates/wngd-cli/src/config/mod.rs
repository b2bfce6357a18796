//! Reading experiment files, with errors that name file, line, field and remedy.

pub mod builtin;
pub mod schema;

use std::path::{Path, PathBuf};

use crate::error::CliError;
use crate::output::files;
use schema::ExperimentFile;

/// Experiment files are small; anything larger is not one.
const MAX_BYTES: u64 = 4 << 20;

/// A parsed experiment with the text it came from.
#[derive(Debug, Clone)]
pub struct Source {
    /// Path shown in messages.
    pub shown: String,
    /// Folder that relative paths refer to; `None` for built-in experiments.
    pub folder: Option<PathBuf>,
    /// The text.
    pub text: String,
    /// What it says.
    pub file: ExperimentFile,
}

impl Source {
    /// Reads an experiment file, or a built-in experiment by name.
    pub fn load(experiment: &str) -> Result<Self, CliError> {
        let path = Path::new(experiment);
        if !path.exists() {
            if let Some(text) = builtin::text(experiment) {
                return Self::parse(format!("built-in {experiment}"), None, text.to_string());
            }
            return Err(CliError::usage(
                "experiment",
                format!(
                    "\"{experiment}\" is neither a file nor a built-in experiment; built-in are {} (see `wngd list`)",
                    builtin::names().join(", ")
                ),
            ));
        }
        if path.is_dir() {
            return Err(CliError::usage("experiment", format!("\"{experiment}\" is a folder; give a .toml file")));
        }
        let text = files::read_text(path, MAX_BYTES)?;
        let folder = path.parent().map(Path::to_path_buf);
        Self::parse(experiment.to_string(), folder, text)
    }

    /// Parses experiment text.
    pub fn parse(shown: String, folder: Option<PathBuf>, text: String) -> Result<Self, CliError> {
        match toml::from_str(&text) {
            Ok(file) => Ok(Self { shown, folder, text, file }),
            Err(error) => Err(CliError::Toml { path: shown, text: error.to_string().trim_end().to_string() }),
        }
    }

    /// An error about one field, with its line.
    pub fn error(&self, field: &str, problem: impl Into<String>) -> CliError {
        let place = match line_of(&self.text, field) {
            Some(line) => format!("{}, line {line}", self.shown),
            None => self.shown.clone(),
        };
        CliError::Config { place, field: field.to_string(), problem: problem.into() }
    }

    /// What is wrong with a data file, as an error about the field that names it.
    pub fn about(&self, field: &str, error: CliError) -> CliError {
        match error {
            CliError::Read { path, source } => {
                let problem = format!(
                    "cannot read {}: {source}; paths are relative to the folder of the experiment file",
                    path.display()
                );
                self.error(field, problem)
            }
            CliError::Data { path, problem } => self.error(field, format!("{}: {problem}", path.display())),
            other => other,
        }
    }
}

/// Line (from 1) of a dotted field such as `method[1].step.length`; of the nearest
/// existing parent if the field itself is absent.
fn line_of(text: &str, field: &str) -> Option<usize> {
    let table = toml::de::DeTable::parse(text).ok()?;
    let mut offset = None;
    let mut value: Option<&toml::Spanned<toml::de::DeValue<'_>>> = None;
    for part in field.split('.') {
        let (key, indices) = match part.split_once('[') {
            Some((key, rest)) => (key, rest),
            None => (part, ""),
        };
        let found = match value {
            None => table.get_ref().get_key_value(key),
            Some(v) => v.get_ref().as_table().and_then(|t| t.get_key_value(key)),
        };
        let Some((key, next)) = found else { break };
        // The key's own place: tables without a header of their own span oddly.
        offset = Some(key.span().start);
        value = Some(next);
        for index in indices.split(['[', ']']).filter_map(|s| s.parse::<usize>().ok()) {
            let Some(item) = value.and_then(|v| v.get_ref().as_array()).and_then(|a| a.get(index)) else { break };
            offset = Some(item.span().start);
            value = Some(item);
        }
    }
    offset.map(|at| 1 + text[..at.min(text.len())].matches('\n').count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_experiments_parse() {
        for name in builtin::names() {
            let source = Source::load(name).unwrap();
            assert_eq!(source.file.name, *name);
        }
    }

    #[test]
    fn lines_of_fields_are_found() {
        let text = "name = \"a\"\n\n[grid]\nlower = [0.0]\ncells = [\n  4,\n  5,\n]\n\n[[method]]\nmetric = \"l2\"\n[[method]]\nstep = { rule = \"x\" }\n";
        assert_eq!(line_of(text, "name"), Some(1));
        assert_eq!(line_of(text, "grid.cells"), Some(5));
        assert_eq!(line_of(text, "grid.cells[1]"), Some(7));
        assert_eq!(line_of(text, "grid.upper"), Some(3));
        assert_eq!(line_of(text, "method[1].step.rule"), Some(13));
        assert_eq!(line_of(text, "nothing"), None);
    }
}
