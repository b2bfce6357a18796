use statrs::function::gamma::checked_gamma_ur;

/// Least expected count of a pooled cell.
const EXPECTED: f64 = 5.0;

/// Pearson's test of counts against a model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GoodnessOfFit {
    /// χ² = Σ (O − E)²/E over pooled cells.
    pub statistic: f64,
    /// Pooled cells less one, less the number of fitted parameters.
    pub degrees_of_freedom: usize,
    /// Probability of a larger χ² if the model is right.
    pub p_value: f64,
}

/// Tests shares of cells against a fitted model; `None` where pooling leaves no degree of freedom.
///
/// Neighbouring cells, in their order, are pooled until each holds at least 5 expected counts; what the model expects
/// outside of all cells, where nothing was seen, is one more cell.
///
/// # Shapes
/// `observed` and `expected`: k shares of cells, of sum 1 and at most 1; `number`: how many were counted;
/// `parameters`: how many were fitted.
///
/// # References
/// Cochran 1954, doi:10.2307/3001616; fitted parameters cost a degree of freedom each if they are fitted to the same
/// cells (Chernoff and Lehmann 1954, doi:10.1214/aoms/1177728726), which fine cells come close to.
pub fn goodness_of_fit(observed: &[f64], expected: &[f64], number: f64, parameters: usize) -> Option<GoodnessOfFit> {
    let inside: f64 = expected.iter().sum();
    let outside = (1.0 - inside).max(0.0);
    let mut pools: Vec<(f64, f64)> = Vec::new();
    let mut open = (0.0, 0.0);
    for (o, e) in observed.iter().zip(expected).map(|(o, e)| (number * o, number * e)).chain([(0.0, number * outside)])
    {
        open = (open.0 + o, open.1 + e);
        if open.1 >= EXPECTED {
            pools.push(std::mem::take(&mut open));
        }
    }
    // What is left over at the end goes to the last pool.
    if let Some(last) = pools.last_mut() {
        *last = (last.0 + open.0, last.1 + open.1);
    }
    let degrees_of_freedom = pools.len().checked_sub(1 + parameters).filter(|n| *n > 0)?;
    let statistic: f64 = pools.iter().map(|(o, e)| (o - e) * (o - e) / e).sum();
    let p_value = checked_gamma_ur(0.5 * degrees_of_freedom as f64, 0.5 * statistic).ok()?;
    Some(GoodnessOfFit { statistic, degrees_of_freedom, p_value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_cells_are_pooled_and_the_statistic_is_pearsons() {
        let expected = [0.5, 0.02, 0.03, 0.25, 0.2];
        let observed = [0.4, 0.03, 0.05, 0.3, 0.22];
        let found = goodness_of_fit(&observed, &expected, 100.0, 1).unwrap();
        // Cells 1 and 2 together expect 5.
        let expected = (40.0f64 - 50.0).powi(2) / 50.0 + 9.0 / 5.0 + 1.0 + 4.0 / 20.0;
        assert!((found.statistic - expected).abs() < 1e-12);
        assert_eq!(found.degrees_of_freedom, 2);
        // With two degrees of freedom the tail is an exponential.
        assert!((found.p_value - (-0.5 * expected).exp()).abs() < 1e-12);
        assert_eq!(goodness_of_fit(&[0.5, 0.5], &[0.5, 0.5], 100.0, 1), None);
    }

    #[test]
    fn what_the_model_expects_outside_counts() {
        let found = goodness_of_fit(&[0.5, 0.5], &[0.4, 0.4], 100.0, 0).unwrap();
        assert!((found.statistic - (2.0 * 100.0 / 40.0 + 20.0)).abs() < 1e-12);
        assert_eq!(found.degrees_of_freedom, 2);
    }
}
