//! Systems by name, with their parameters: what stationary densities and identification share.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use wngd::models::flow::{ExpressionField, Polynomial, SYSTEM_NAMES, VelocityField, system};

use super::system_file;
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
    /// It as equations, where it is written as such.
    pub written: Option<Arc<ExpressionField>>,
    /// Names of its variables, in the order of the state, where it has its own.
    pub variables: Option<Vec<String>>,
}

/// What names a flow.
pub struct Naming<'a> {
    /// Name of the system, or of its file; none if it is the table `system` itself.
    pub system: Option<&'a str>,
    /// Dimension and degree of a polynomial.
    pub polynomial: Option<(usize, usize)>,
    /// All parameters, or the free ones; the usual ones if absent.
    pub theta: Option<&'a Values>,
    /// Names of the free parameters; all if absent.
    pub free: Option<&'a [String]>,
}

impl NamedFlow {
    /// The flow of a name.
    ///
    /// # Errors
    /// A system, or parameters, that do not exist; `section` is where they were named.
    pub fn new(section: &Section<'_>, naming: &Naming<'_>) -> Result<Self, ExperimentError> {
        let name = naming.system.unwrap_or("system");
        let given = section.source().given(name);
        let own = match naming.system {
            Some(_) if given.is_some() => None,
            Some(name) if system_file::is_file(name) => {
                let load = system_file::load(&section.source().path(name));
                Some(load.map_err(|error| section.source().about(&section.place("system"), error))?)
            }
            Some(_) => None,
            None => section.table("system")?.map(|table| system_file::written(&table, name)).transpose()?,
        };
        if name != "polynomial" {
            let stray = if section.has("dimension") { "dimension" } else { "degree" };
            if naming.polynomial.is_some() || section.has(stray) {
                return Err(section.error(stray, "only system = \"polynomial\" has one; remove it"));
            }
        }
        let mut variables = None;
        let (field, written, usual): (Arc<dyn VelocityField>, _, Option<Vec<f64>>) = if let Some(given) = given {
            variables = Some(given.variables.clone());
            (given.field.clone(), None, Some(given.theta.clone()))
        } else if let Some(own) = own {
            let start = own.start().to_vec();
            let own = Arc::new(own);
            (own.clone(), Some(own), Some(start))
        } else if name == "polynomial" {
            let Some((dimension, degree)) = naming.polynomial else {
                return Err(section.error("dimension", "a polynomial needs dimension and degree"));
            };
            let field = Polynomial::new(dimension, degree).map_err(|e| section.model_error("", e))?;
            (Arc::new(field), None, None)
        } else {
            let known = || {
                let hint = near(name, SYSTEM_NAMES).map_or(String::new(), |near| format!(", did you mean \"{near}\"?"));
                let all = SYSTEM_NAMES.join(", ");
                format!(
                    "there is no \"{name}\"{hint}; there are {all} or polynomial, or name a file of your own, FILE.toml"
                )
            };
            let system = system(name).ok_or_else(|| section.error("system", known()))?;
            let written = system.written().map_err(|error| ExperimentError::Internal(error.to_string()))?;
            (system.field, Some(Arc::new(written)), Some(system.theta))
        };
        let variables = variables.or_else(|| written.as_ref().map(|written| written.variables().to_vec()));
        let names = field.parameter_names();
        let free = match naming.free {
            None => (0..names.len()).collect(),
            Some(chosen) => free_indices(chosen, &names).map_err(|problem| section.error("free", problem))?,
        };
        let theta = match (naming.theta, usual) {
            (Some(given), usual) => {
                given.taken(usual, &names, &free).map_err(|problem| section.error("theta", problem))?
            }
            (None, Some(usual)) => usual,
            (None, None) => return Err(section.error("theta", "a polynomial needs its coefficients")),
        };
        if theta.len() != names.len() || theta.iter().any(|v| !v.is_finite()) {
            let problem =
                format!("{} values, {} are needed: {}; every one finite", theta.len(), names.len(), names.join(", "));
            return Err(section.error("theta", problem));
        }
        Ok(Self { name: name.to_string(), field, theta, free, written, variables })
    }
}

/// Values of parameters.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a list of numbers, or numbers by name, are needed")]
pub enum Values {
    /// Of all parameters, or of the free ones, in the order of the system.
    List(Vec<f64>),
    /// By name; others keep their usual values.
    Named(BTreeMap<String, f64>),
}

impl Values {
    /// Values of all parameters; else what is wrong.
    fn taken(&self, usual: Option<Vec<f64>>, names: &[String], free: &[usize]) -> Result<Vec<f64>, String> {
        match (self, usual) {
            (Self::List(list), Some(mut all)) if list.len() == free.len() && free.len() < names.len() => {
                free.iter().zip(list).for_each(|(&i, value)| all[i] = *value);
                Ok(all)
            }
            (Self::List(list), _) => Ok(list.clone()),
            (Self::Named(_), None) => Err("coefficients of a polynomial are a list".into()),
            (Self::Named(values), Some(mut all)) => {
                for (name, value) in values {
                    let place = names.iter().position(|n| n == name);
                    let place =
                        place.ok_or_else(|| format!("there is no \"{name}\"; there are {}", names.join(", ")))?;
                    all[place] = *value;
                }
                Ok(all)
            }
        }
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
