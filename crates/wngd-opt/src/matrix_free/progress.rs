//! How far an iteration that minimises ½xᵀHx − gᵀx has come, from the decreases it has made.

/// Steps over which the rate of convergence is observed.
const WINDOW: usize = 3;

/// Relative error in the norm of H of a point with this gap to the minimum, for a decrease so far.
pub(super) fn relative_error(gap: f64, decrease: f64) -> f64 {
    // An unknown gap is no small one.
    if decrease > 0.0 && gap.is_finite() { (gap / (gap + decrease)).sqrt() } else { 1.0 }
}

/// Estimated gap to the minimum: the tail of the decreases, continued geometrically, or `bound` if that
/// is smaller.
///
/// `decreases[j]` is the total decrease after j steps. Infinite until three windows' ends are known.
pub(super) fn gap(decreases: &[f64], bound: f64) -> f64 {
    let n = decreases.len();
    if n < 2 * WINDOW + 1 {
        return bound;
    }
    let last = decreases[n - 1] - decreases[n - 1 - WINDOW];
    let before = decreases[n - 1 - WINDOW] - decreases[n - 1 - 2 * WINDOW];
    // Decreases below rounding of their sum say nothing.
    if !(last > 1e3 * f64::EPSILON * decreases[n - 1]) || last >= before {
        return bound;
    }
    let ratio = last / before;
    // The steps of a window weigh as much as all after them at worst: never trust a ratio below a tenth.
    let ratio = ratio.max(0.1);
    bound.min(last * ratio / (1.0 - ratio))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_geometric_tail_is_continued() {
        let decreases: Vec<f64> = (0..12).map(|j| 1.0 - 0.7f64.powi(j)).collect();
        let exact = 0.7f64.powi(11);
        assert!((gap(&decreases, f64::INFINITY) / exact - 1.0).abs() < 1e-9);
        assert_eq!(gap(&decreases, exact / 10.0), exact / 10.0);
        assert_eq!(gap(&decreases[..5], 3.0), 3.0);
    }

    #[test]
    fn stagnation_is_not_taken_for_convergence() {
        let decreases: Vec<f64> = (0..12).map(|j| j as f64).collect();
        assert_eq!(gap(&decreases, 5.0), 5.0);
    }
}
