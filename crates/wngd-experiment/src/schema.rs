//! The JSON schema of experiment files and the table of their keys, from the registry.

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::data;
use crate::experiment::Kind;
use crate::grid::GridSection;
use crate::identification::IdentifySection;
use crate::method::MethodSection;
use crate::parameters::ParameterSection;
use crate::registry::{Entry, Family, Key, keys_of};
use crate::starts::BasinSection;
use crate::stop::StopSection;
use crate::{metrics, models, objectives, schemes, solvers, steps};

/// The JSON schema of an experiment file (draft 2020-12).
///
/// Options of a metric, a model and so on are allowed where one of their owners is named.
pub fn json_schema() -> Value {
    let mut generator = SchemaGenerator::default();
    let root = json!({
        "name": { "type": "string", "description": "letters, digits, `-`, `_`, `.`: names the result folder" },
        "grid": table::<GridSection>(&mut generator),
        "model": chosen(&mut generator, &models::FAMILY),
        "parameters": { "type": "object", "additionalProperties": table::<ParameterSection>(&mut generator) },
        "data": one_of(&mut generator, data::FAMILY.entries),
        "objective": chosen(&mut generator, &objectives::FAMILY),
        "method": { "type": "array", "items": method(&mut generator) },
        "stop": table::<StopSection>(&mut generator),
        "basin": table::<BasinSection>(&mut generator),
        "identify": table::<IdentifySection>(&mut generator),
    });
    let definitions = generator.take_definitions(true);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "wngd experiment",
        "type": "object",
        "properties": root,
        "required": ["name", "model", "data"],
        "additionalProperties": false,
        "$defs": definitions,
    })
}

fn table<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    T::json_schema(generator).to_value()
}

fn properties(schema: &Value) -> Map<String, Value> {
    schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default()
}

fn required(schema: &Value) -> Vec<Value> {
    schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default()
}

/// A table whose `kind` says which options it has.
fn chosen<C: ?Sized>(generator: &mut SchemaGenerator, family: &Family<C>) -> Value {
    let variants = family.entries.iter().map(|entry| {
        let schema = (entry.schema)(generator).to_value();
        let mut keys = properties(&schema);
        let names: Vec<&str> = std::iter::once(entry.name).chain(entry.old_names.iter().copied()).collect();
        keys.insert("kind".into(), json!({ "enum": names, "description": entry.summary }));
        let mut needed = required(&schema);
        needed.push("kind".into());
        json!({ "type": "object", "properties": keys, "required": needed, "additionalProperties": false })
    });
    json!({ "oneOf": variants.collect::<Vec<_>>() })
}

fn one_of<C: ?Sized>(generator: &mut SchemaGenerator, entries: &[&Entry<C>]) -> Value {
    let variants: Vec<Value> = entries.iter().map(|entry| (entry.schema)(generator).to_value()).collect();
    json!({ "oneOf": variants })
}

fn named<C: ?Sized>(family: &Family<C>) -> Value {
    let names = family.entries.iter().map(|e| json!({ "const": e.name, "description": e.summary }));
    json!({ "oneOf": names.collect::<Vec<_>>() })
}

fn method(generator: &mut SchemaGenerator) -> Value {
    let schema = table::<MethodSection>(generator);
    let mut keys = properties(&schema);
    for entry in metrics::FAMILY.entries {
        keys.extend(properties(&(entry.schema)(generator).to_value()));
    }
    for entry in solvers::FAMILY.entries {
        keys.extend(properties(&(entry.schema)(generator).to_value()));
    }
    keys.insert("metric".into(), named(&metrics::FAMILY));
    keys.insert("solver".into(), named(&solvers::FAMILY));
    let rules = steps::FAMILY.entries.iter().map(|entry| {
        let schema = (entry.schema)(generator).to_value();
        let mut keys = properties(&schema);
        keys.insert("rule".into(), json!({ "const": entry.name, "description": entry.summary }));
        let mut needed = required(&schema);
        if entry.name != steps::USUAL {
            needed.push("rule".into());
        }
        json!({ "type": "object", "properties": keys, "required": needed, "additionalProperties": false })
    });
    keys.insert("step".into(), json!({ "oneOf": rules.collect::<Vec<_>>() }));
    json!({ "type": "object", "properties": keys, "required": ["metric"], "additionalProperties": false })
}

/// The keys of an experiment file as a Markdown table, one row a key.
pub fn key_table() -> String {
    let mut rows = vec!["| key | value | |".to_string(), "|---|---|---|".to_string()];
    rows.push(row("name", "letters, digits, `-`, `_`, `.`: names the result folder", "required"));
    let mut section = |name: &str, keys: Vec<Key>, owner: &str| {
        for key in keys {
            let note = match (key.required, owner) {
                (true, "") => "required".to_string(),
                (true, owner) => format!("required; {owner}"),
                (false, owner) => owner.to_string(),
            };
            rows.push(row(&format!("{name}.{}", key.name), &key.text, &note));
        }
    };
    section("grid", keys_of::<GridSection>(), "");
    section("model", keys_of::<Kind>(), "");
    members(&mut section, "model", &models::FAMILY);
    members(&mut section, "model.discretisation", &schemes::FAMILY);
    section("parameters.NAME", keys_of::<ParameterSection>(), "");
    members(&mut section, "data", &data::FAMILY);
    section("objective", keys_of::<Kind>().into_iter().map(|k| Key { required: false, ..k }).collect(), "");
    section("method", keys_of::<MethodSection>(), "");
    members(&mut section, "method", &metrics::FAMILY);
    let shared = solvers::FAMILY.entries.iter().find(|e| !e.keys().is_empty()).map(|e| e.keys()).unwrap_or_default();
    section("method", shared, "solvers without a stored Jacobian");
    members(&mut section, "method.step", &steps::FAMILY);
    section("stop", keys_of::<StopSection>(), "");
    section("basin", keys_of::<BasinSection>(), "");
    section("identify", keys_of::<IdentifySection>(), "");
    rows.join("\n") + "\n"
}

fn members<C: ?Sized>(section: &mut dyn FnMut(&str, Vec<Key>, &str), name: &str, family: &Family<C>) {
    for entry in family.entries {
        section(name, entry.keys(), &format!("`{}`", entry.name));
    }
}

fn row(key: &str, text: &str, note: &str) -> String {
    format!("| `{key}` | {} | {note} |", text.trim_end_matches('.').replace('|', "\\|"))
}

/// The choices as lists for people.
pub fn lists() -> String {
    let nothing = |_: &str| String::new();
    let matched = |name: &str| {
        objectives::matched_metric(name).map_or(String::new(), |metric| format!("; matched metric {metric}"))
    };
    let blocks = [
        block("Models (model.kind)", entries(&models::FAMILY, nothing)),
        block("Discretisations (model.discretisation)", entries(&schemes::FAMILY, nothing)),
        block("Data (one key of [data])", entries(&data::FAMILY, nothing)),
        block("Metrics (method.metric)", entries(&metrics::FAMILY, nothing)),
        block("Objectives (objective.kind)", entries(&objectives::FAMILY, matched)),
        "  With its matched metric a natural gradient is a Gauss–Newton method: step length 1.".to_string(),
        String::new(),
        block("Solvers (method.solver)", entries(&solvers::FAMILY, nothing)),
        block("Step rules (method.step)", entries(&steps::FAMILY, nothing)),
    ];
    blocks.join("\n").replace("\n\n\n", "\n\n").trim_end().to_string()
}

fn block(title: &str, rows: Vec<(String, String)>) -> String {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let lines: Vec<String> = rows.iter().map(|(name, summary)| format!("  {name:<width$}  {summary}")).collect();
    format!("{title}\n{}\n", lines.join("\n"))
}

/// Name and summary of each member, with its options.
fn entries<C: ?Sized>(family: &Family<C>, more: impl Fn(&str) -> String) -> Vec<(String, String)> {
    let told = |entry: &&Entry<C>| {
        let keys: Vec<String> = entry.keys().into_iter().map(|k| k.name).filter(|k| k != entry.name).collect();
        let options = if keys.is_empty() { String::new() } else { format!("; options {}", keys.join(", ")) };
        (entry.name.to_string(), format!("{}{}{options}", entry.summary, more(entry.name)))
    };
    family.entries.iter().map(told).collect()
}
