//! Estimators of a direction, and what they report.

/// How η with (G + μ)η = −Zᵀu is found from tangent and adjoint solves, G = YᵀY.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Estimator {
    /// By a cost model in tangent, adjoint and single solves; the direction says what was chosen and why.
    #[default]
    Auto,
    /// All p tangents, then QR. Stores Y, so for at most 500 parameters.
    Exact,
    /// Golub–Kahan iteration on Y: one tangent and one adjoint solve a step.
    Krylov,
    /// Conjugate gradients preconditioned by a randomised Nyström approximation of G: for weak
    /// damping or many relevant directions.
    Nystrom,
    /// min ‖S(b + Yη)‖ for a Gaussian S: m adjoint solves.
    Sketched,
    /// The exact gradient with the sketched G: m + 1 adjoint solves.
    SketchedGram,
    /// Golub–Kahan iteration on YR⁻¹ with R from a QR of SY, m = 4p: to any tolerance at any
    /// condition number in a few iterations.
    Preconditioned,
    /// H_m as published: the right direction with about m/(m + k) of the length for L², neither for
    /// Wasserstein. A baseline.
    Hutchinson,
}

impl Estimator {
    /// All of them, in the order of a table.
    pub const ALL: [Estimator; 8] = [
        Estimator::Auto,
        Estimator::Exact,
        Estimator::Krylov,
        Estimator::Nystrom,
        Estimator::Preconditioned,
        Estimator::Sketched,
        Estimator::SketchedGram,
        Estimator::Hutchinson,
    ];

    /// Name, as in experiment files.
    pub fn name(self) -> &'static str {
        match self {
            Estimator::Auto => "auto",
            Estimator::Exact => "exact",
            Estimator::Krylov => "krylov",
            Estimator::Nystrom => "nystrom",
            Estimator::Sketched => "sketched",
            Estimator::SketchedGram => "sketched-gram",
            Estimator::Preconditioned => "preconditioned",
            Estimator::Hutchinson => "hutchinson",
        }
    }
}

/// What a matrix-free direction cost and how good it is.
#[derive(Debug, Clone, PartialEq)]
pub struct EstimateReport {
    /// Estimator used.
    pub estimator: Estimator,
    /// Why, if it was chosen by [`Estimator::Auto`], or where it deviates from what was asked.
    pub reason: Option<String>,
    /// Probes m behind it, or rank of the Nyström approximation.
    pub probes: usize,
    /// Iterations.
    pub iterations: usize,
    /// Tangent solves.
    pub tangent: usize,
    /// Adjoint solves.
    pub adjoint: usize,
    /// Damping μ that was added to G (without |c|).
    pub mu: f64,
    /// Estimated ‖η − η*‖ / ‖η*‖ in the norm of G + μ.
    pub error: f64,
    /// Whether that is within the tolerance.
    pub reached: bool,
}

impl Estimator {
    /// The estimator of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|e| e.name() == name)
    }
}

impl EstimateReport {
    /// One line for people.
    pub fn summary(&self) -> String {
        let mut text = format!(
            "{}: {} tangent and {} adjoint solves, error of the direction about {:.1e}",
            self.estimator.name(),
            self.tangent,
            self.adjoint,
            self.error
        );
        if let Some(reason) = &self.reason {
            text.push_str(&format!("; {reason}"));
        }
        text
    }

    /// Tangent and adjoint solves together.
    pub fn solves(&self) -> usize {
        self.tangent + self.adjoint
    }
}
