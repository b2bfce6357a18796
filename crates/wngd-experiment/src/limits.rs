//! Ranges of numbers that files and flags share, each with its reason.

/// What is wrong with a damping relative to the metric, if anything is.
pub fn damping(value: f64) -> Option<String> {
    let good = value == 0.0 || (1e-30..=1e15).contains(&value);
    (!good).then(|| {
        format!(
            "{value:?} given; 0, or between 1e-30 and 1e15, is needed: less is lost in rounding, of more nothing of the metric is left"
        )
    })
}

/// What is wrong with a rise of −2 ln L, if anything is.
pub fn level(value: f64) -> Option<String> {
    let good = (1e-6..=1e4).contains(&value);
    (!good).then(|| {
        format!(
            "{value:?} given; a number between 1e-6 and 1e4 is needed, for a thousandth to a hundred standard errors"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_or_out_of_reach_is_refused() {
        for bad in [f64::NAN, f64::INFINITY, -1.0, 1e308, 5e-324] {
            assert!(damping(bad).is_some() && level(bad).is_some(), "{bad}");
        }
        assert!(damping(0.0).is_none() && damping(-0.0).is_none() && level(0.0).is_some());
        assert!([1e-30, 1e-4, 1e15].into_iter().all(|v| damping(v).is_none()));
        assert!([1e-6, 3.841, 1e4].into_iter().all(|v| level(v).is_none()));
    }
}
