/// The curve along which a parameter moves: straight in a function of it, so that no step leaves its domain.
///
/// Directions stay those in θ: along a natural gradient both are the same to first order, whatever the coordinates.
///
/// # Example
/// ```
/// use wngd_adjoint::Transform;
/// // A step of −3 from 1 would leave the positive numbers.
/// assert!((Transform::Log.moved(1.0, -3.0) - (-3.0f64).exp()).abs() < 1e-15);
/// let share = Transform::Logit { lower: 0.0, upper: 1.0 };
/// assert!(share.moved(0.5, 3.0) < 1.0 && share.moved(0.5, -3.0) > 0.0);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Transform {
    /// Straight in θ.
    #[default]
    None,
    /// Straight in ln θ, θ > 0.
    Log,
    /// Straight in ln((θ − a)/(b − θ)), a < θ < b.
    Logit {
        /// a.
        lower: f64,
        /// b.
        upper: f64,
    },
}

impl Transform {
    /// Where a value comes to by a step: value + step to first order.
    pub fn moved(&self, value: f64, step: f64) -> f64 {
        if step == 0.0 {
            return value;
        }
        match *self {
            Transform::None => value + step,
            Transform::Log => value * (step / value).exp(),
            Transform::Logit { lower, upper } => {
                let (below, above) = (value - lower, upper - value);
                let factor = (step / below + step / above).exp();
                // a + (b − a)/(1 + (above/below)/factor), right for factors of 0 and infinity.
                lower + (upper - lower) / (1.0 + above / (below * factor))
            }
        }
    }

    /// Whether a value lies inside.
    pub fn contains(&self, value: f64) -> bool {
        match *self {
            Transform::None => value.is_finite(),
            Transform::Log => value > 0.0 && value.is_finite(),
            Transform::Logit { lower, upper } => value > lower && value < upper,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_steps_are_steps_and_large_ones_stay_inside() {
        for (transform, value) in
            [(Transform::None, 0.3), (Transform::Log, 0.3), (Transform::Logit { lower: -1.0, upper: 0.5 }, 0.3)]
        {
            for step in [1e-5, -1e-5] {
                let moved = transform.moved(value, step) - value;
                assert!((moved / step - 1.0).abs() < 1e-3, "{transform:?} {moved}");
            }
            assert_eq!(transform.moved(value, 0.0), value);
            for step in [0.5, -0.5] {
                assert!(transform.contains(transform.moved(value, step)), "{transform:?} {step}");
            }
            // What rounds to an end is outside, for a line search to shorten.
            assert!(!transform.moved(value, 1e9).is_nan() && !transform.moved(value, -1e9).is_nan());
        }
    }
}
