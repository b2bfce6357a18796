//! Which of several estimates answers.

use crate::estimate::Estimate;
use crate::simulated::NAME as SIMULATED;

/// Relative errors below this one are as good as each other: what is left is the simulation's or the quadrature's, not the data's.
const EQUAL: f64 = 1e-8;

/// Number of the one that answers: of those that came to rest, fit and leave nothing open the one with the smallest errors.
///
/// Errors of several parameters are compared by the parameter that fares worst: how many times its error is that of the
/// estimator that knows it best. No unit changes that, and an estimate that is sharp in one parameter and blunt in another does not
/// stand before one that is good in all.
///
/// `start`: a value of each parameter, whose size is its unit.
pub(crate) fn best(estimates: &[Estimate], start: &[f64]) -> usize {
    let units: Vec<f64> = start.iter().map(|t| if *t == 0.0 { 1.0 } else { t.abs() }).collect();
    let least = least_errors(estimates, &units);
    // The better kind first, then the smaller errors; where nothing passes the errors mean nothing, the misfit does.
    let key = |estimate: &Estimate| {
        let kind = kind(estimate);
        let misfit = estimate.misfit.map_or(f64::INFINITY, |m| m.statistic / m.degrees_of_freedom.max(1.0));
        let size = if kind < 2 { worst(&errors(estimate, &units), &least) } else { misfit };
        (kind, size, estimate.estimator != "shooting")
    };
    let better = |a: &usize, b: &usize| {
        let ((ka, sa, qa), (kb, sb, qb)) = (key(&estimates[*a]), key(&estimates[*b]));
        // Of equals shooting: it has no quadrature.
        ka.cmp(&kb).then(sa.total_cmp(&sb)).then(qa.cmp(&qb))
    };
    // Where another one rejects the model or leaves something open, the least sharp of all has no say.
    let doubted = estimates.iter().any(|e| e.estimator != SIMULATED && e.converged && !e.fits());
    let eligible = |i: &usize| !(doubted && estimates[*i].estimator == SIMULATED);
    (0..estimates.len()).filter(eligible).min_by(better).unwrap_or(0)
}

/// 0 is best.
fn kind(estimate: &Estimate) -> u8 {
    match (estimate.converged, estimate.passes(), estimate.undetermined.is_empty()) {
        (true, true, true) => 0,
        (true, true, false) => 1,
        (true, false, _) => 2,
        (false, _, _) => 3,
    }
}

/// Standard errors in units; infinite where there is none.
fn errors(estimate: &Estimate, units: &[f64]) -> Vec<f64> {
    let unknown = || vec![None; units.len()];
    let all = estimate.standard_errors.clone().unwrap_or_else(unknown);
    all.iter().zip(units).map(|(e, unit)| e.map_or(f64::INFINITY, |e| (e / unit).max(EQUAL))).collect()
}

/// The smallest error of each parameter among estimates of the best kind.
fn least_errors(estimates: &[Estimate], units: &[f64]) -> Vec<f64> {
    let first = estimates.iter().map(kind).min();
    let mut least = vec![f64::INFINITY; units.len()];
    for estimate in estimates.iter().filter(|e| Some(kind(e)) == first) {
        least.iter_mut().zip(errors(estimate, units)).for_each(|(l, e)| *l = l.min(e));
    }
    least
}

/// How many times the least an error is at most; what nobody knows counts for nobody.
fn worst(errors: &[f64], least: &[f64]) -> f64 {
    errors.iter().zip(least).filter(|(_, least)| least.is_finite()).fold(1.0, |most, (e, least)| most.max(e / least))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::Misfit;

    fn estimate(estimator: &'static str, errors: &[Option<f64>], p_value: f64) -> Estimate {
        Estimate {
            estimator,
            theta: vec![1.0; errors.len()],
            standard_errors: Some(errors.to_vec()),
            covariance: None,
            misfit: Some(Misfit { statistic: 10.0 / p_value, degrees_of_freedom: 10.0, p_value }),
            undetermined: Vec::new(),
            converged: true,
            noise: Vec::new(),
            remarks: Vec::new(),
            objections: Vec::new(),
            trace: Vec::new(),
            seconds: 0.0,
        }
    }

    #[test]
    fn good_in_all_parameters_stands_before_sharp_in_one() {
        let sharp = estimate("shooting", &[Some(0.4), Some(0.06), Some(0.01)], 0.5);
        let even = estimate("weak-stationary", &[Some(0.09), Some(0.08), Some(0.035)], 0.5);
        let start = [10.0, 28.0, 2.7];
        assert_eq!(best(&[sharp.clone(), even.clone()], &start), 1);
        // Whatever the units.
        let scaled = |e: &Estimate| {
            let errors = e.standard_errors.as_ref().map(|all| vec![all[0], all[1].map(|e| 1e6 * e), all[2]]);
            Estimate { standard_errors: errors, ..e.clone() }
        };
        assert_eq!(best(&[scaled(&sharp), scaled(&even)], &[10.0, 28e6, 2.7]), 1);
        // One that does not fit says nothing of what can be known.
        let wrong = estimate("smoother", &[Some(1e-3), Some(1e-4), Some(1e-2)], 1e-6);
        assert_eq!(best(&[wrong, sharp.clone(), even], &start), 2);
        // Errors below what the arithmetic bears are equal: the one without quadrature answers.
        let tiny = |name, e| estimate(name, &[Some(e), Some(e), Some(e)], 0.5);
        assert_eq!(best(&[tiny("weak-in-time", 1e-13), tiny("shooting", 1e-12)], &start), 1);
    }

    #[test]
    fn an_estimate_that_leaves_something_open_comes_after() {
        let open = estimate("smoother", &[None, Some(1e-4)], 0.5);
        let whole = estimate("weak-stationary", &[Some(1.0), Some(1.0)], 0.5);
        let blind = crate::weak::Undetermined { direction: vec![1.0, 0.0], text: "a".into() };
        let open = Estimate { undetermined: vec![blind], ..open };
        assert_eq!(best(&[open.clone(), whole], &[1.0, 1.0]), 1);
        let blunt = Estimate { standard_errors: Some(vec![None, Some(1e-2)]), ..open.clone() };
        assert_eq!(best(&[blunt, open], &[1.0, 1.0]), 1);
    }

    #[test]
    fn simulated_moments_have_no_say_where_another_doubts() {
        let moments = estimate(SIMULATED, &[Some(0.1)], 0.5);
        let doubting = estimate("weak-stationary", &[Some(0.1)], 1e-9);
        assert_eq!(best(&[moments.clone(), doubting], &[1.0]), 1);
        assert_eq!(best(&[moments, estimate("weak-stationary", &[Some(0.2)], 0.5)], &[1.0]), 0);
    }
}
