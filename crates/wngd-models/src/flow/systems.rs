use std::sync::Arc;

use crate::flow::field::{Chen, DoubleWell, Lorenz63, Roessler, Thomas, VanDerPol, VelocityField};

/// Names that [`system`] knows.
pub const SYSTEM_NAMES: &[&str] =
    &["lorenz63", "roessler", "chen", "thomas", "van-der-pol", "double-well", "double-well-2d"];

/// A velocity field with the usual parameters, a box that holds its attractor and a typical start.
#[derive(Clone)]
pub struct System {
    /// The field.
    pub field: Arc<dyn VelocityField>,
    /// Usual parameters.
    pub theta: Vec<f64>,
    /// Lower corner of the box.
    pub lower: Vec<f64>,
    /// Upper corner of the box.
    pub upper: Vec<f64>,
    /// A point from which trajectories reach the attractor.
    pub start: Vec<f64>,
    /// The equations, one per coordinate, with the parameters' names.
    pub equations: &'static [&'static str],
}

impl std::fmt::Debug for System {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("System").field("field", &self.field.name()).field("theta", &self.theta).finish_non_exhaustive()
    }
}

/// The system of a given name; [`SYSTEM_NAMES`] lists them.
///
/// ```
/// let lorenz = wngd_models::flow::system("lorenz63").expect("a known name");
/// assert_eq!(lorenz.field.parameter_names(), ["sigma", "rayleigh", "beta"]);
/// ```
pub fn system(name: &str) -> Option<System> {
    let equations: &'static [&'static str] = match name {
        "lorenz63" => &["x' = sigma (y - x)", "y' = x (rayleigh - z) - y", "z' = x y - beta z"],
        "roessler" => &["x' = -y - z", "y' = x + a y", "z' = b + z (x - c)"],
        "chen" => &["x' = a (y - x)", "y' = (c - a) x - x z + c y", "z' = x y - b z"],
        "thomas" => &["x' = sin y - b x", "y' = sin z - b y", "z' = sin x - b z"],
        "van-der-pol" => &["x' = y", "y' = mu (1 - x^2) y - x"],
        "double-well" => &["x' = linear x - cubic x^3 - tilt"],
        "double-well-2d" => &["x' = linear x - cubic x^3 - tilt", "y' = -stiffness y"],
        _ => return None,
    };
    let make = |field: Arc<dyn VelocityField>, theta: &[f64], lower: &[f64], upper: &[f64], start: &[f64]| {
        let [theta, lower, upper, start] = [theta, lower, upper, start].map(<[f64]>::to_vec);
        Some(System { field, theta, lower, upper, start, equations })
    };
    match name {
        "lorenz63" => make(
            Arc::new(Lorenz63),
            &[10.0, 28.0, 8.0 / 3.0],
            &[-25.0, -30.0, 0.0],
            &[25.0, 30.0, 50.0],
            &[1.0, 1.0, 20.0],
        ),
        "roessler" => {
            make(Arc::new(Roessler), &[0.2, 0.2, 5.7], &[-12.0, -14.0, -1.0], &[14.0, 11.0, 26.0], &[1.0, 1.0, 0.0])
        }
        "chen" => {
            make(Arc::new(Chen), &[35.0, 3.0, 28.0], &[-30.0, -32.0, 0.0], &[30.0, 32.0, 50.0], &[-3.0, 2.0, 20.0])
        }
        "thomas" => make(Arc::new(Thomas), &[0.208186], &[-6.0; 3], &[6.0; 3], &[1.1, 1.1, -0.01]),
        "van-der-pol" => make(Arc::new(VanDerPol), &[1.0], &[-3.0, -4.0], &[3.0, 4.0], &[2.0, 0.0]),
        "double-well" => make(Arc::new(DoubleWell::line()), &[1.0, 1.0, 0.0], &[-2.5], &[2.5], &[1.0]),
        "double-well-2d" => {
            make(Arc::new(DoubleWell::plane()), &[1.0, 1.0, 0.0, 1.0], &[-2.5, -2.5], &[2.5, 2.5], &[1.0, 0.0])
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::field::check_field;

    #[test]
    fn every_registered_system_has_exact_derivatives() {
        for name in SYSTEM_NAMES {
            let system = system(name).unwrap();
            let x: Vec<f64> = system.lower.iter().zip(&system.upper).map(|(a, b)| a + 0.61 * (b - a)).collect();
            let check = check_field(&*system.field, &x, &system.theta);
            assert!(check.is_exact(), "{name}: {check:?}");
            assert_eq!(system.field.parameter_names().len(), system.field.dim_param());
            assert_eq!(system.field.name(), *name);
            assert!(system.lower.len() == system.field.dim() && system.start.len() == system.field.dim());
        }
        assert!(system("nowhere").is_none());
    }
}
