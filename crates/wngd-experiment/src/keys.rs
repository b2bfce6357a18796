//! Options of experiment files as texts about them need them, from the types that read them.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;

/// One option, as texts about it need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its name.
    pub name: String,
    /// What it says, with shape and unit.
    pub text: String,
    /// Whether it has to be given.
    pub required: bool,
}

/// The keys of an options struct, in the order of its fields.
pub fn keys(generator: &mut SchemaGenerator, schema: fn(&mut SchemaGenerator) -> Schema) -> Vec<Key> {
    let schema = schema(generator);
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return Vec::new() };
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    properties
        .iter()
        .map(|(name, property)| Key {
            name: name.clone(),
            text: property.get("description").and_then(Value::as_str).unwrap_or_default().replace('\n', " "),
            required: required.contains(&name.as_str()),
        })
        .collect()
}

/// The schema of a type, in place.
pub fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    T::json_schema(generator)
}

/// The keys of a type.
pub fn keys_of<T: JsonSchema>() -> Vec<Key> {
    keys(&mut SchemaGenerator::default(), schema_of::<T>)
}

/// The known name that a wrong one is nearest to, if it is near.
pub fn near<'n>(name: &str, known: &[&'n str]) -> Option<&'n str> {
    let scored = known.iter().map(|k| (strsim::jaro_winkler(name, k), *k));
    scored.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, k)| k)
}
