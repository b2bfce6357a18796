use super::{Estimator, STORED};

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
const SINGLE: f64 = 3.0;
/// Rank that the Nyström estimator takes.
const RANK: f64 = 16.0;

/// Golub–Kahan steps to expect: the measured growth with weaker damping and smaller tolerance on the
/// flow models (docs/architecture.md).
fn krylov_steps(problem: &Problem) -> f64 {
    let decades = -problem.damping.max(1e-12).log10();
    4.0 + (2.0 + 1.2 * decades) * (1.0 - 0.5 * problem.tolerance.max(1e-14).log10())
}

/// The cheapest estimator and one line that says why.
pub(super) fn choose(problem: &Problem) -> (Estimator, String) {
    let p = problem.parameters;
    if problem.stored {
        return (Estimator::Exact, format!("exact: the Jacobian is stored, p = {p}"));
    }
    let steps = krylov_steps(problem);
    let krylov = SINGLE * (2.0 * steps + 1.0);
    let nystrom = 2.0 * RANK + SINGLE * (1.4 * steps + 1.0);
    let tangents = p as f64;
    let costs = format!(
        "in block solves: {tangents:.0} tangents, about {krylov:.0} for krylov, {nystrom:.0} for nystrom (one alone counts {SINGLE})"
    );
    if p <= STORED && tangents <= krylov.min(nystrom) {
        (Estimator::Exact, format!("exact: p = {p}; {costs}"))
    } else if problem.damping > 0.0 && nystrom < krylov {
        (Estimator::Nystrom, format!("nystrom: p = {p}, damping {:e}; {costs}", problem.damping))
    } else {
        (Estimator::Krylov, format!("krylov: p = {p}, damping {:e}; {costs}", problem.damping))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(parameters: usize, stored: bool, damping: f64) -> Estimator {
        choose(&Problem { parameters, stored, damping, tolerance: 1e-2 }).0
    }

    #[test]
    fn few_parameters_or_a_stored_jacobian_are_exact() {
        assert_eq!(chosen(3, false, 1e-4), Estimator::Exact);
        assert_eq!(chosen(1000, true, 1e-4), Estimator::Exact);
        assert_ne!(chosen(1000, false, 1e-4), Estimator::Exact);
        assert_eq!(chosen(5000, false, 0.0), Estimator::Krylov);
    }
}
