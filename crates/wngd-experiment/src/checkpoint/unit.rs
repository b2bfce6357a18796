//! The pieces that a checkpoint is made of.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::format::Entry;

/// What a command keeps of its work.
pub trait Unit: Serialize + DeserializeOwned {
    /// One word that tells it from other units.
    const KIND: &'static str;
}

/// The units of one kind; the text of an error says what is wrong.
pub(super) fn units<T: DeserializeOwned>(entries: &[Entry], kind: &str) -> Result<Vec<T>, String> {
    let units = entries.iter().filter(|entry| entry.kind == kind);
    units.map(|entry| serde_json::from_str(&entry.content).map_err(|error| format!("it is damaged: {error}"))).collect()
}
