//! Distances between a model's state and the data, a file each.

mod plain;

use wngd::opt::Objective;

use crate::data::Data;
use crate::error::ExperimentError;
use crate::ground::Ground;
use crate::source::Section;

/// An objective with its options.
pub trait ObjectiveChoice: Send + Sync {
    /// The metric whose natural gradient is the Gauss–Newton direction.
    fn matched_metric(&self) -> &'static str;
    /// What it is, in a sentence that begins "measured by".
    fn in_words(&self) -> &'static str;
    /// The distance to data.
    ///
    /// # Errors
    /// Data that it is not defined for; `section` is where it was named.
    fn build(
        &self,
        section: &Section<'_>,
        ground: &Ground,
        data: &Data,
    ) -> Result<Box<dyn Objective + Send>, ExperimentError>;
}

crate::registry::family! {
    /// The objectives.
    dyn ObjectiveChoice, what: "objective", key: "objective.kind",
    members: [l2, kl, homogeneous_h_minus_1, linearised_wasserstein, wasserstein]
}

/// What an objective is, in a sentence.
pub fn in_words(name: &str) -> String {
    plainly(name).map_or_else(|| format!("the objective {name}"), |choice| choice.in_words().to_string())
}

/// The metric that matches an objective.
pub fn matched_metric(name: &str) -> Option<&'static str> {
    plainly(name).map(|choice| choice.matched_metric())
}

/// An objective without options.
fn plainly(name: &str) -> Option<Box<dyn ObjectiveChoice>> {
    let source = crate::source::Source::empty();
    let section = source.root();
    FAMILY.find(name).and_then(|entry| (entry.read)(&section).ok())
}
