//! `[basin]`: what a file says of the starts of maps.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::error::ExperimentError;
use crate::source::Source;

/// Starts of a map.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BasinSection {
    /// one or two free parameters; the first two if absent
    pub parameters: Option<Vec<String>>,
    /// lowest start values; `--lower`
    pub lower: Option<Vec<f64>>,
    /// highest start values; `--upper`
    pub upper: Option<Vec<f64>>,
    /// starts per parameter; `--counts`
    pub counts: Option<Vec<usize>>,
}

impl BasinSection {
    /// Reads the section and refuses what is no number, whether or not a command looks at it.
    ///
    /// # Errors
    /// Keys that are not known, values of another type or that are not finite.
    pub fn read(source: &Source) -> Result<Self, ExperimentError> {
        let place = source.section("basin")?;
        let section: Self = place.read()?;
        for (key, values) in [("lower", &section.lower), ("upper", &section.upper)] {
            if let Some(value) = values.iter().flatten().find(|value| !value.is_finite()) {
                return Err(place.error(key, format!("{value} given; finite numbers are needed")));
            }
        }
        Ok(section)
    }
}
