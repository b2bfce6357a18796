//! Systems by name, with their parameters: what stationary densities and identification share.

use std::sync::Arc;

use wngd::models::flow::{Polynomial, SYSTEM_NAMES, VelocityField, system};

use crate::error::ExperimentError;
use crate::registry::near;
use crate::source::Section;

/// A flow as an experiment describes it.
pub struct NamedFlow {
    /// Its name.
    pub name: String,
    /// The velocity field.
    pub field: Arc<dyn VelocityField>,
    /// All parameters, free ones at their start.
    pub theta: Vec<f64>,
    /// Free parameters, in the order of the field.
    pub free: Vec<usize>,
}

/// What names a flow.
pub struct Naming<'a> {
    /// Name of the system.
    pub system: &'a str,
    /// Dimension and degree of a polynomial.
    pub polynomial: Option<(usize, usize)>,
    /// All parameters; the usual ones if absent.
    pub theta: Option<&'a [f64]>,
    /// Names of the free parameters; all if absent.
    pub free: Option<&'a [String]>,
}

impl NamedFlow {
    /// The flow of a name.
    ///
    /// # Errors
    /// A system, or parameters, that do not exist; `section` is where they were named.
    pub fn new(section: &Section<'_>, naming: &Naming<'_>) -> Result<Self, ExperimentError> {
        let name = naming.system;
        let (field, usual): (Arc<dyn VelocityField>, Option<Vec<f64>>) = if name == "polynomial" {
            let Some((dimension, degree)) = naming.polynomial else {
                return Err(section.error("dimension", "a polynomial needs dimension and degree"));
            };
            let field = Polynomial::new(dimension, degree).map_err(|e| section.model_error("", e))?;
            (Arc::new(field), None)
        } else {
            let stray = if section.has("dimension") { "dimension" } else { "degree" };
            if naming.polynomial.is_some() || section.has(stray) {
                return Err(section.error(stray, "only system = \"polynomial\" has one; remove it"));
            }
            let known = || {
                let hint = near(name, SYSTEM_NAMES).map_or(String::new(), |near| format!(", did you mean \"{near}\"?"));
                format!("there is no \"{name}\"{hint}; there are {} or polynomial", SYSTEM_NAMES.join(", "))
            };
            let system = system(name).ok_or_else(|| section.error("system", known()))?;
            (system.field, Some(system.theta))
        };
        let theta = match (naming.theta, usual) {
            (Some(theta), _) => theta.to_vec(),
            (None, Some(usual)) => usual,
            (None, None) => return Err(section.error("theta", "a polynomial needs its coefficients")),
        };
        let names = field.parameter_names();
        if theta.len() != names.len() || theta.iter().any(|v| !v.is_finite()) {
            let problem =
                format!("{} values, {} are needed: {}; every one finite", theta.len(), names.len(), names.join(", "));
            return Err(section.error("theta", problem));
        }
        let free = match naming.free {
            None => (0..names.len()).collect(),
            Some(chosen) => free_indices(chosen, &names).map_err(|problem| section.error("free", problem))?,
        };
        Ok(Self { name: name.to_string(), field, theta, free })
    }
}

/// Free parameters in the order of the field, whatever the order in which they are named; else what is wrong.
fn free_indices(chosen: &[String], names: &[String]) -> Result<Vec<usize>, String> {
    let mut free = Vec::new();
    for name in chosen {
        let index = names.iter().position(|n| n == name);
        let index = index.ok_or_else(|| format!("there is no \"{name}\"; there are {}", names.join(", ")))?;
        if free.contains(&index) {
            return Err(format!("\"{name}\" is named twice; name it once"));
        }
        free.push(index);
    }
    if free.is_empty() {
        return Err(format!("name at least one of {}", names.join(", ")));
    }
    free.sort_unstable();
    Ok(free)
}
