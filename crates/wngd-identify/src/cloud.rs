//! Where a system goes, for coordinates that nobody measured.

use crate::dynamics::Dynamics;
use crate::error::IdentifyError;
use crate::simulate::simulate;

/// Points of a simulation that tells where hidden coordinates are.
const CLOUD: usize = 4000;

/// Points that the system visits, from where the observed coordinates are.
pub(crate) fn cloud(dynamics: &Dynamics, full: &[f64], centre: &[f64], dt: f64) -> Result<Vec<f64>, IdentifyError> {
    let field = dynamics.drift.as_ref();
    let starts = [0.3, 1.0, -1.0, 5.0].map(|guess| {
        let at = |(c, x): (usize, &f64)| x + guess * (1.0 + 0.1 * c as f64);
        centre.iter().enumerate().map(at).collect::<Vec<f64>>()
    });
    let mut error = None;
    for start in starts {
        match simulate(field, full, &start, dt, CLOUD, 0.1 * CLOUD as f64 * dt) {
            Ok(points) => return Ok(points),
            Err(failure) => error = Some(failure),
        }
    }
    Err(error.map_or(IdentifyError::NotOrdered, IdentifyError::Simulate))
}
