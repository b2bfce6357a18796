//! Discretisations of stationary densities, a file each.

mod finite_volumes;

use wngd::models::flow::Discretisation;

use crate::error::ExperimentError;
use crate::source::Section;

/// A scheme with its options.
pub trait SchemeChoice: Send + Sync {
    /// The scheme; options that were left out come from the usual one for the system's time scale.
    fn build(&self, usual: Discretisation) -> Discretisation;
}

crate::registry::family! {
    /// The schemes.
    dyn SchemeChoice, what: "discretisation", key: "model.discretisation.kind",
    members: [semi_lagrangian, scharfetter_gummel, upwind]
}

/// The scheme without a trajectory to choose time and step from.
pub const USUAL: Discretisation = Discretisation::SemiLagrangian { time: 0.2, step: 0.01, points: 2, restart: 1e-6 };

/// The scheme that a section describes, completed by the usual one.
///
/// # Errors
/// Schemes and options that are not known.
pub fn read(section: Option<Section<'_>>, usual: Discretisation) -> Result<Discretisation, ExperimentError> {
    let Some(section) = section else { return Ok(usual) };
    let entry = FAMILY.chosen(&section, "kind", None)?;
    let rest = section.without(&["kind"]);
    if let Some(stray) = rest.keys().find(|key| !entry.has(key))
        && !FAMILY.owners(stray).is_empty()
    {
        return Err(rest.error(stray, format!("kind = \"{}\" does not use it; remove it", entry.name)));
    }
    Ok((entry.read)(&rest)?.build(usual))
}
