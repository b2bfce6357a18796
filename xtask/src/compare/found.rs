//! What every way found.

use serde::{Deserialize, Serialize};

use super::cells::Record;

/// What one way found on one record.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Found {
    pub(super) theta: Vec<f64>,
    pub(super) errors: Option<Vec<Option<f64>>>,
    pub(super) seconds: f64,
    /// The estimator that answered, or the verdict where there is no answer; of ours alone.
    #[serde(default)]
    pub(super) by: String,
}

/// What the peers that apply found, by name; nothing where one failed.
pub(super) type Peers = Vec<(String, Option<Found>)>;

/// What all ways found on one record; none where a way does not apply, no `theta` where it failed.
pub(super) struct Row {
    pub(super) record: Record,
    pub(super) ours: Option<Found>,
    pub(super) refused: Option<String>,
    pub(super) peers: Peers,
}
