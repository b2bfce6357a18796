use crate::estimate::Estimator;

/// Most parameters for which the whitened Jacobian is stored.
pub(super) const STORED: usize = 500;

/// What the choice depends on.
pub(super) struct Problem {
    /// Parameters p.
    pub(super) parameters: usize,
    /// Whether the Jacobian is stored already, so that no solve is needed.
    pub(super) stored: bool,
    /// Damping relative to the largest eigenvalue.
    pub(super) damping: f64,
    /// Error aimed for.
    pub(super) tolerance: f64,
}

/// Cost of a solve with one right-hand side, in solves of a block.
const SINGLE: f64 = 2.0;
/// Error from which a preconditioner pays: for a rough answer Krylov makes do with the fewest solves.
const FINE: f64 = 1e-3;

/// Golub–Kahan steps to expect: growth with weaker damping and smaller tolerance as measured on the flow
/// models with p = 192 to 5184, L² and Wasserstein (docs/architecture.md).
fn krylov_steps(problem: &Problem, decades: f64) -> f64 {
    let digits = -problem.tolerance.clamp(1e-14, 1.0).log10();
    (decades * (3.0 + 1.6 * digits)).min(problem.parameters as f64)
}

/// The cheapest estimator and one line that says why.
pub(super) fn choose(problem: &Problem) -> (Estimator, String) {
    let p = problem.parameters;
    if problem.stored {
        return (Estimator::Exact, format!("exact: the Jacobian is stored, p = {p}"));
    }
    // Without damping the iteration resolves everything above rounding.
    let decades = if problem.damping > 0.0 { (-problem.damping.log10()).clamp(1.0, 12.0) } else { 12.0 };
    let krylov = SINGLE * (2.0 * krylov_steps(problem, decades) + 1.0);
    let why = |name: &str| {
        format!(
            "{name}: p = {p} tangents in blocks, or about {krylov:.0} times the work of one by krylov at damping {:e} and tolerance {:e}",
            problem.damping, problem.tolerance
        )
    };
    if p <= STORED && p as f64 <= krylov {
        (Estimator::Exact, why("exact"))
    } else if problem.damping > 0.0 && problem.tolerance <= FINE {
        (Estimator::Nystrom, why("nystrom for a fine answer"))
    } else {
        (Estimator::Krylov, why("krylov"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(parameters: usize, stored: bool, damping: f64, tolerance: f64) -> Estimator {
        choose(&Problem { parameters, stored, damping, tolerance }).0
    }

    #[test]
    fn few_parameters_or_a_stored_jacobian_are_exact() {
        assert_eq!(chosen(3, false, 1e-4, 1e-2), Estimator::Exact);
        assert_eq!(chosen(1000, true, 1e-4, 1e-2), Estimator::Exact);
    }

    #[test]
    fn many_parameters_are_iterated_and_preconditioned_for_fine_answers() {
        assert_eq!(chosen(1000, false, 1e-4, 1e-2), Estimator::Krylov);
        assert_eq!(chosen(1000, false, 1e-4, 1e-6), Estimator::Nystrom);
        // Nothing to precondition with where G itself may be singular.
        assert_eq!(chosen(5000, false, 0.0, 1e-6), Estimator::Krylov);
    }
}
