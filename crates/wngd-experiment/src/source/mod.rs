//! An experiment's text: its tables know their lines, so that every error names file, line, field and remedy.

pub mod builtin;
mod given;
mod overrides;
mod section;

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::error::ExperimentError;
use crate::files;

pub use given::Given;
pub use section::Section;

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
    table: Table,
    /// Where its values came from.
    origin: Origin,
    /// A system that its name stands for, where a program has it.
    given: Option<Given>,
}

/// Where the values of a [`Source`] came from.
#[derive(Debug, Clone)]
enum Origin {
    /// A file, or a text like one: errors name lines.
    Text,
    /// Options of a command: errors name the option of a field.
    Options(fn(&str) -> Option<&'static str>),
}

impl Source {
    /// Reads an experiment file, or a built-in experiment by name, and overrides some of its keys (`key=value`).
    ///
    /// # Errors
    /// Files that cannot be read or are no TOML, names of nothing, overrides that are no assignment.
    pub fn load(experiment: &str, overrides: &[String]) -> Result<Self, ExperimentError> {
        let path = Path::new(experiment);
        let (shown, folder, text) = if !path.exists() {
            let Some(text) = builtin::text(experiment) else {
                let name = experiment.to_string();
                return Err(ExperimentError::NoExperiment { name, built_in: builtin::names().join(", ") });
            };
            (format!("built-in {experiment}"), None, text.to_string())
        } else if path.is_dir() {
            return Err(ExperimentError::Folder { name: experiment.to_string() });
        } else {
            let folder = path.parent().map(Path::to_path_buf);
            (experiment.to_string(), folder, files::read_text(path, MAX_BYTES)?)
        };
        // The file has to be right as it is, so that its own errors name its own lines.
        let file = Self::parse(shown, folder, text)?;
        if overrides.is_empty() { Ok(file) } else { file.with(overrides) }
    }

    /// The same with some keys overridden (`key=value`).
    ///
    /// # Errors
    /// Overrides that are no assignment, or name no place in the text.
    pub fn with(&self, overrides: &[String]) -> Result<Self, ExperimentError> {
        let text = overrides::apply(&self.text, overrides)?;
        Self::parse(format!("{} with --set", self.shown), self.folder.clone(), text)
    }

    /// Parses experiment text.
    ///
    /// # Errors
    /// Text that is no TOML.
    pub fn parse(shown: String, folder: Option<PathBuf>, text: String) -> Result<Self, ExperimentError> {
        match text.parse::<Table>() {
            Ok(table) => Ok(Self { shown, folder, text, table, origin: Origin::Text, given: None }),
            Err(error) => Err(ExperimentError::Toml { path: shown, text: error.to_string().trim_end().to_string() }),
        }
    }

    /// The experiment that options of a command describe; `option` knows which option gave a field.
    pub fn of_options(folder: PathBuf, table: Table, option: fn(&str) -> Option<&'static str>) -> Self {
        let text = table.to_string();
        Self {
            shown: "options".into(),
            folder: Some(folder),
            text,
            table,
            origin: Origin::Options(option),
            given: None,
        }
    }

    /// The same with a system that a program has: `system = "its name"` stands for it.
    pub fn giving(self, system: Given) -> Self {
        Self { given: Some(system), ..self }
    }

    /// The system of a name, where a program has given it.
    pub(crate) fn given(&self, name: &str) -> Option<&Given> {
        self.given.as_ref().filter(|given| given.name == name)
    }

    /// Whether it is a file, or a text like one, and not the options of a command.
    pub fn is_text(&self) -> bool {
        matches!(self.origin, Origin::Text)
    }

    /// Nothing at all, for what is asked of a choice without options.
    pub(crate) fn empty() -> Self {
        let (shown, text, table) = (String::new(), String::new(), Table::new());
        Self { shown, folder: None, text, table, origin: Origin::Text, given: None }
    }

    /// The whole file as a section.
    pub fn root(&self) -> Section<'_> {
        Section::new(self, "", self.table.clone())
    }

    /// A table at the top; empty if it is absent.
    ///
    /// # Errors
    /// Something else of that name.
    pub fn section(&self, name: &str) -> Result<Section<'_>, ExperimentError> {
        Ok(self.root().table(name)?.unwrap_or_else(|| Section::new(self, name, Table::new())))
    }

    /// Whether a table is there.
    pub fn has(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    /// The tables of an array at the top.
    ///
    /// # Errors
    /// Something else of that name.
    pub fn sections(&self, name: &str) -> Result<Vec<Section<'_>>, ExperimentError> {
        let Some(value) = self.table.get(name) else { return Ok(Vec::new()) };
        let tables = value.as_array().map(|array| array.iter().map(Value::as_table).collect::<Option<Vec<_>>>());
        let Some(Some(tables)) = tables else {
            return Err(self.error(name, format!("begin each with [[{name}]]")));
        };
        let place = |i: usize| format!("{name}[{i}]");
        Ok(tables.into_iter().enumerate().map(|(i, table)| Section::new(self, place(i), table.clone())).collect())
    }

    /// An error about one field, with its line or option.
    pub fn error(&self, field: &str, problem: impl Into<String>) -> ExperimentError {
        let problem = problem.into();
        if let Origin::Options(option) = &self.origin
            && let Some(option) = option(field)
        {
            return ExperimentError::Option { option: option.to_string(), problem };
        }
        let place = match line_of(&self.text, field) {
            Some(line) => format!("{}, line {line}", self.shown),
            None => self.shown.clone(),
        };
        ExperimentError::Config { place, field: field.to_string(), problem }
    }

    /// What is wrong with a data file, as an error about the field that names it.
    pub fn about(&self, field: &str, error: ExperimentError) -> ExperimentError {
        if matches!(self.origin, Origin::Options(_)) {
            return error;
        }
        match error {
            ExperimentError::Read { path, source } => {
                let problem = format!(
                    "cannot read {}: {source}; paths are relative to the folder of the experiment file",
                    path.display()
                );
                self.error(field, problem)
            }
            ExperimentError::Data { path, problem } => self.error(field, format!("{}: {problem}", path.display())),
            other => other,
        }
    }

    /// A path in the file: relative to its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        match &self.folder {
            Some(folder) => folder.join(name),
            None => Path::new(name).to_path_buf(),
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
        let within = |key: &str| match value {
            None => table.get_ref().get_key_value(key),
            Some(v) => v.get_ref().as_table().and_then(|t| t.get_key_value(key)),
        };
        // A quoted key may be called like an entry of a list.
        let (key, indices) = match part.split_once('[') {
            Some((key, rest)) if within(part).is_none() => (key, rest),
            _ => (part, ""),
        };
        let found = within(key);
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
            let source = Source::load(name, &[]).unwrap();
            assert_eq!(source.root().text("name").unwrap().as_deref(), Some(name));
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
        let quoted = "[parameters]\n\"a[0]\" = 1\n\"means[0][1]\" = { lower = 1, prior = 2 }\n";
        assert_eq!(line_of(quoted, "parameters.a[0]"), Some(2));
        assert_eq!(line_of(quoted, "parameters.means[0][1].prior"), Some(3));
    }

    #[test]
    fn keys_are_overridden_by_dotted_names() {
        let sets = ["grid.cells=12", "method[0].metric=wasserstein", "stop.iterations = 5"].map(String::from);
        let source = Source::load("mixture-mu1", &sets).unwrap();
        let read = |key: &str| source.section("stop").unwrap().has(key);
        assert!(read("iterations"));
        assert_eq!(source.sections("method").unwrap()[0].text("metric").unwrap().as_deref(), Some("wasserstein"));
        for (bad, text) in [("nothing", "key=value"), ("method[9].metric=l2", "method[9]"), ("=1", "key=value")] {
            let error = Source::load("mixture-mu1", &[bad.to_string()]).unwrap_err().to_string();
            assert!(error.contains(text), "{bad}: {error}");
        }
    }
}
