//! Metrics on densities, a file each.

mod plain;

use wngd::opt::Metric;

use crate::error::ExperimentError;
use crate::ground::Ground;
use crate::models::Model;
use crate::source::Section;

/// A metric with its options.
pub trait MetricChoice: Send + Sync {
    /// The metric; `None` for the standard gradient, which needs none.
    ///
    /// # Errors
    /// A metric that the data or the model have no use for; `section` is where it was named.
    fn build(
        &self,
        section: &Section<'_>,
        ground: &Ground,
        model: &dyn Model,
    ) -> Result<Option<Box<dyn Metric + Send>>, ExperimentError>;
}

crate::registry::family! {
    /// The metrics.
    dyn MetricChoice, what: "metric", key: "method.metric",
    members: [none, l2, wasserstein, fisher_rao, h1, h_minus_1, homogeneous_h_minus_1]
}
