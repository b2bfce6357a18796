//! A table of an experiment file that knows its place.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use toml::{Table, Value};
use wngd::adjoint::ModelError;

use super::Source;
use crate::error::ExperimentError;
use crate::keys::{keys_of, near};

/// A table of an experiment file, or what is left of one, that knows where it stands.
#[derive(Debug, Clone)]
pub struct Section<'s> {
    source: &'s Source,
    path: String,
    table: Table,
}

impl<'s> Section<'s> {
    /// A table at a dotted path of a file.
    pub fn new(source: &'s Source, path: impl Into<String>, table: Table) -> Self {
        Self { source, path: path.into(), table }
    }

    /// The file.
    pub fn source(&self) -> &'s Source {
        self.source
    }

    /// What it holds.
    pub fn as_table(&self) -> &Table {
        &self.table
    }

    /// Whether a key is given.
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Whether nothing is given.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// The keys that are given.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.table.keys().map(String::as_str)
    }

    /// The dotted name of a key.
    pub fn place(&self, key: &str) -> String {
        match (self.path.is_empty(), key.is_empty()) {
            (true, _) => key.to_string(),
            (_, true) => self.path.clone(),
            _ => format!("{}.{key}", self.path),
        }
    }

    /// An error about a key, or about the table if the key is empty.
    pub fn error(&self, key: &str, problem: impl Into<String>) -> ExperimentError {
        self.source.error(&self.place(key), problem)
    }

    /// An error of a model whose options stand here; `key` is what they belong to, if not the table itself.
    pub fn model_error(&self, key: &str, error: ModelError) -> ExperimentError {
        let ModelError::Invalid { field, problem } = error else { return self.error(key, error.to_string()) };
        match field.split(['.', '[']).next() {
            Some("grid") => self.source.error(&field, problem),
            _ if key.is_empty() || field.starts_with("theta") => self.error(&field, problem),
            _ => self.error(&format!("{key}.{field}"), problem),
        }
    }

    /// A text, if the key is given.
    ///
    /// # Errors
    /// A value of another type.
    pub fn text(&self, key: &str) -> Result<Option<String>, ExperimentError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(other) => Err(self.error(key, format!("{} is no text; put it in quotes", other.type_str()))),
        }
    }

    /// A number, if the key has one.
    pub fn number(&self, key: &str) -> Option<f64> {
        match self.table.get(key)? {
            Value::Float(value) => Some(*value),
            Value::Integer(value) => Some(*value as f64),
            _ => None,
        }
    }

    /// The table under a key, if it is given.
    ///
    /// # Errors
    /// A value of another type.
    pub fn table(&self, key: &str) -> Result<Option<Section<'s>>, ExperimentError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(Value::Table(table)) => Ok(Some(Section::new(self.source, self.place(key), table.clone()))),
            Some(other) => {
                let problem = format!("{} is no table; write {key} = {{ … }}", other.type_str());
                Err(self.error(key, problem))
            }
        }
    }

    /// The same with a text for a key that is not given.
    pub fn or(&self, key: &str, text: &str) -> Section<'s> {
        let mut with = self.clone();
        with.table.entry(key).or_insert_with(|| text.into());
        with
    }

    /// What is left without some keys.
    pub fn without(&self, keys: &[&str]) -> Section<'s> {
        self.filtered(|key| !keys.contains(&key))
    }

    /// The keys that a test picks.
    pub fn filtered(&self, keep: impl Fn(&str) -> bool) -> Section<'s> {
        let table = self.table.iter().filter(|(key, _)| keep(key)).map(|(k, v)| (k.clone(), v.clone())).collect();
        Section::new(self.source, self.path.clone(), table)
    }

    /// The options that the table gives: every key is known, every value of its type.
    ///
    /// # Errors
    /// The first key that is not known, missing, or of another type, by its name and line.
    pub fn read<T: DeserializeOwned + JsonSchema>(&self) -> Result<T, ExperimentError> {
        let keys = keys_of::<T>();
        let known: Vec<&str> = keys.iter().map(|k| k.name.as_str()).collect();
        if let Some(stray) = self.keys().find(|key| !known.contains(key)) {
            return Err(self.unknown(stray, &known));
        }
        if let Some(missing) = keys.iter().find(|k| k.required && !self.has(&k.name)) {
            return Err(self.error(&missing.name, format!("it is needed: {}", missing.text.trim_end_matches('.'))));
        }
        serde_path_to_error::deserialize(Value::Table(self.table.clone())).map_err(|error| {
            let path = error.path().to_string();
            let problem = error.into_inner().to_string();
            self.error(if path == "." { "" } else { &path }, problem.trim().to_string())
        })
    }

    /// A key that nothing here is called.
    pub fn unknown(&self, key: &str, known: &[&str]) -> ExperimentError {
        let hint = near(key, known).map_or(String::new(), |near| format!("; did you mean {near}?"));
        let list = if known.is_empty() {
            "none is possible here".to_string()
        } else {
            format!("possible are {}", known.join(", "))
        };
        self.error(key, format!("there is no such key{hint} ({list})"))
    }
}
