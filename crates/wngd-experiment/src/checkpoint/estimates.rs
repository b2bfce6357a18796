//! What estimators came to, in a checkpoint.

use serde::{Deserialize, Serialize};
use wngd::identify::{ESTIMATORS, Estimate, Misfit, Undetermined};

use super::Bits;
use super::unit::Unit;

/// What one estimator came to.
#[derive(Serialize, Deserialize)]
pub struct Estimated {
    /// Its name.
    pub estimator: String,
    /// Nothing where it did not run, or failed: that is found anew.
    estimate: Option<Numbers>,
}

impl Unit for Estimated {
    const KIND: &'static str = "estimate";
}

#[derive(Serialize, Deserialize)]
struct Numbers {
    theta: Vec<Bits>,
    standard_errors: Option<Vec<Option<Bits>>>,
    covariance: Option<Vec<Bits>>,
    /// Statistic, degrees of freedom, chance.
    misfit: Option<[Bits; 3]>,
    undetermined: Vec<(Vec<Bits>, String)>,
    converged: bool,
    noise: Vec<Bits>,
    remarks: Vec<String>,
    objections: Vec<String>,
    trace: Vec<(Vec<Bits>, Bits)>,
    seconds: Bits,
}

impl Estimated {
    /// The estimate of an estimator, if it made one.
    pub fn of(estimator: &str, estimate: Option<&Estimate>) -> Self {
        let numbers = |e: &Estimate| Numbers {
            theta: Bits::of(&e.theta),
            standard_errors: e.standard_errors.as_ref().map(|all| all.iter().map(|e| e.map(Bits)).collect()),
            covariance: e.covariance.as_deref().map(Bits::of),
            misfit: e.misfit.map(|m| [m.statistic, m.degrees_of_freedom, m.p_value].map(Bits)),
            undetermined: e.undetermined.iter().map(|u| (Bits::of(&u.direction), u.text.clone())).collect(),
            converged: e.converged,
            noise: Bits::of(&e.noise),
            remarks: e.remarks.clone(),
            objections: e.objections.clone(),
            trace: e.trace.iter().map(|(theta, value)| (Bits::of(theta), Bits(*value))).collect(),
            seconds: Bits(e.seconds),
        };
        Self { estimator: estimator.into(), estimate: estimate.map(numbers) }
    }

    /// The estimate again; the text of an error says what is wrong.
    pub fn estimate(self) -> Result<Option<Estimate>, String> {
        let known = ESTIMATORS.into_iter().find(|name| *name == self.estimator);
        let estimator = known.ok_or_else(|| format!("\"{}\" is no estimator", self.estimator))?;
        Ok(self.estimate.map(|n| Estimate {
            estimator,
            theta: Bits::numbers(&n.theta),
            standard_errors: n.standard_errors.map(|all| all.into_iter().map(|e| e.map(|e| e.0)).collect()),
            covariance: n.covariance.as_deref().map(Bits::numbers),
            misfit: n.misfit.map(|[statistic, degrees_of_freedom, p_value]| Misfit {
                statistic: statistic.0,
                degrees_of_freedom: degrees_of_freedom.0,
                p_value: p_value.0,
            }),
            undetermined: n
                .undetermined
                .into_iter()
                .map(|(direction, text)| Undetermined { direction: Bits::numbers(&direction), text })
                .collect(),
            converged: n.converged,
            noise: Bits::numbers(&n.noise),
            remarks: n.remarks,
            objections: n.objections,
            trace: n.trace.into_iter().map(|(theta, value)| (Bits::numbers(&theta), value.0)).collect(),
            seconds: n.seconds.0,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_comes_back() {
        let estimate = Estimate {
            estimator: "smoother",
            theta: vec![0.1, -0.0],
            standard_errors: Some(vec![Some(f64::INFINITY), None]),
            covariance: Some(vec![1.0, 0.5, 0.5, f64::NAN]),
            misfit: Some(Misfit { statistic: 3.5, degrees_of_freedom: 2.0, p_value: 5e-324 }),
            undetermined: vec![Undetermined { direction: vec![0.6, -0.8], text: "hold \"one\"".into() }],
            converged: true,
            noise: vec![1e-300],
            remarks: vec!["a".into()],
            objections: vec!["b".into()],
            trace: vec![(vec![1.0, 2.0], 1.0 / 3.0)],
            seconds: 0.25,
        };
        let text = serde_json::to_string(&Estimated::of("smoother", Some(&estimate))).unwrap();
        let back = |text: &str| serde_json::from_str::<Estimated>(text).unwrap().estimate();
        // Equal as text, since NaN is not equal to itself.
        assert_eq!(format!("{:?}", back(&text).unwrap().unwrap()), format!("{estimate:?}"));
        assert!(back(&text.replacen("smoother", "smother", 1)).is_err());
        assert!(back(&serde_json::to_string(&Estimated::of("smoother", None)).unwrap()).unwrap().is_none());
    }
}
