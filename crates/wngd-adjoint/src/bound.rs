/// Slack below which a bound counts as met: rounding of sums of parameters near 1.
const MET: f64 = 1e-12;

/// A linear inequality Σ cⱼ θⱼ ≥ `lower` that parameters satisfy, with equality allowed.
///
/// A model that states its bounds is stepped onto them and along them; [`ModelError::OutOfDomain`](crate::ModelError)
/// alone only shortens steps, ever closer to a bound that is never reached.
///
/// # Example
/// ```
/// use wngd_adjoint::Bound;
/// // What two weights leave for a third one: 1 − θ₀ − θ₁ ≥ 0.
/// let third = Bound { name: "third weight".into(), terms: vec![(0, -1.0), (1, -1.0)], lower: -1.0 };
/// assert_eq!(third.slack(&[0.25, 0.5]), 0.25);
/// assert!(third.is_met(&[0.5, 0.5]) && third.rate(&[1.0, 0.0]) < 0.0);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    /// What reaches its bound, as people call it.
    pub name: String,
    /// Pairs (j, cⱼ).
    pub terms: Vec<(usize, f64)>,
    /// The right-hand side.
    pub lower: f64,
}

impl Bound {
    /// Σ cⱼ θⱼ − lower: negative outside.
    pub fn slack(&self, theta: &[f64]) -> f64 {
        self.rate(theta) - self.lower
    }

    /// Σ cⱼ ηⱼ: how fast the slack grows along η.
    pub fn rate(&self, eta: &[f64]) -> f64 {
        self.terms.iter().map(|(j, c)| c * eta[*j]).sum()
    }

    /// Whether θ lies on the bound, up to rounding.
    pub fn is_met(&self, theta: &[f64]) -> bool {
        self.slack(theta) <= MET * (1.0 + self.lower.abs())
    }

    /// Puts θ, which is there up to rounding, onto the bound.
    pub fn meet(&self, theta: &mut [f64]) {
        match self.terms[..] {
            [(j, c)] => theta[j] = self.lower / c,
            _ => {
                let slack = self.slack(theta);
                let size = |term: &&(usize, f64)| theta[term.0].abs();
                if let Some(&(j, c)) = self.terms.iter().max_by(|a, b| size(a).total_cmp(&size(b))) {
                    theta[j] -= slack / c;
                }
            }
        }
    }
}
