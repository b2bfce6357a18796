//! Forward-mode derivatives and a model made of residual formulas, shared by the test sets.
#![allow(dead_code)]

pub mod digits;

use std::ops::{Add, Div, Mul, Neg, Sub};

use wngd::linalg::faer::Mat;
use wngd::prelude::*;

/// Most parameters of a problem here.
const WIDTH: usize = 12;

/// A number with its derivatives in all parameters.
#[derive(Debug, Clone, Copy)]
pub struct Dual {
    pub value: f64,
    slopes: [f64; WIDTH],
}

impl Dual {
    fn chain(self, value: f64, slope: f64) -> Self {
        // A zero slope must not meet an infinite factor: constants stay constants.
        Self { value, slopes: self.slopes.map(|s| if s == 0.0 { 0.0 } else { s * slope }) }
    }
    pub fn exp(self) -> Self {
        self.chain(self.value.exp(), self.value.exp())
    }
    pub fn ln(self) -> Self {
        self.chain(self.value.ln(), 1.0 / self.value)
    }
    pub fn sin(self) -> Self {
        self.chain(self.value.sin(), self.value.cos())
    }
    pub fn cos(self) -> Self {
        self.chain(self.value.cos(), -self.value.sin())
    }
    pub fn atan(self) -> Self {
        self.chain(self.value.atan(), 1.0 / (1.0 + self.value * self.value))
    }
    pub fn sqrt(self) -> Self {
        self.chain(self.value.sqrt(), 0.5 / self.value.sqrt())
    }
    pub fn powi(self, n: i32) -> Self {
        self.chain(self.value.powi(n), if n == 0 { 0.0 } else { f64::from(n) * self.value.powi(n - 1) })
    }
    /// For a positive base.
    pub fn pow(self, exponent: impl Into<Dual>) -> Self {
        (exponent.into() * self.ln()).exp()
    }
}

impl From<f64> for Dual {
    fn from(value: f64) -> Self {
        Self { value, slopes: [0.0; WIDTH] }
    }
}

impl Neg for Dual {
    type Output = Dual;
    fn neg(self) -> Dual {
        self.chain(-self.value, -1.0)
    }
}

/// f(a, b), ∂f/∂a and ∂f/∂b for all mixtures of numbers and constants.
macro_rules! binary {
    ($operation:ident, $method:ident, |$a:ident, $b:ident| $rule:expr) => {
        impl $operation for Dual {
            type Output = Dual;
            // Every rule adds slopes, that of the product too.
            #[allow(clippy::suspicious_arithmetic_impl)]
            fn $method(self, other: Dual) -> Dual {
                let ($a, $b) = (self.value, other.value);
                let (value, by_a, by_b): (f64, f64, f64) = $rule;
                let mut slopes = self.chain(value, by_a).slopes;
                slopes.iter_mut().zip(other.chain(value, by_b).slopes).for_each(|(s, t)| *s += t);
                Dual { value, slopes }
            }
        }
        impl $operation<f64> for Dual {
            type Output = Dual;
            fn $method(self, other: f64) -> Dual {
                $operation::$method(self, Dual::from(other))
            }
        }
        impl $operation<Dual> for f64 {
            type Output = Dual;
            fn $method(self, other: Dual) -> Dual {
                $operation::$method(Dual::from(self), other)
            }
        }
    };
}
binary!(Add, add, |a, b| (a + b, 1.0, 1.0));
binary!(Sub, sub, |a, b| (a - b, 1.0, -1.0));
binary!(Mul, mul, |a, b| (a * b, b, a));
binary!(Div, div, |a, b| (a / b, 1.0 / b, -(a / b) / b));

/// θ → k values given by a formula in dual numbers.
pub struct Formula<F> {
    pub dim_param: usize,
    pub dim_state: usize,
    pub formula: F,
}

impl<F: Fn(&[Dual]) -> Vec<Dual> + Sync> Formula<F> {
    fn evaluate(&self, theta: &[f64]) -> Result<Vec<Dual>, ModelError> {
        ModelError::check_theta(theta, self.dim_param)?;
        let mut seeded: Vec<Dual> = theta.iter().map(|&t| Dual::from(t)).collect();
        for (i, dual) in seeded.iter_mut().enumerate() {
            dual.slopes[i] = 1.0;
        }
        let values = (self.formula)(&seeded);
        assert_eq!(values.len(), self.dim_state);
        match values.iter().find(|v| !v.value.is_finite()) {
            Some(bad) => Err(ModelError::OutOfDomain {
                parameter: "formula".into(),
                value: bad.value,
                rule: "every value is a finite number",
            }),
            None => Ok(values),
        }
    }
}

impl<F: Fn(&[Dual]) -> Vec<Dual> + Sync> ForwardModel for Formula<F> {
    type Jacobian = Mat<f64>;
    fn dim_param(&self) -> usize {
        self.dim_param
    }
    fn dim_state(&self) -> usize {
        self.dim_state
    }
    fn state(&self, theta: &[f64]) -> Result<State, ModelError> {
        Ok(State::new(self.evaluate(theta)?.iter().map(|v| v.value).collect()))
    }
    fn linearize(&self, theta: &[f64]) -> Result<Linearization<Mat<f64>>, ModelError> {
        let values = self.evaluate(theta)?;
        let jacobian = Mat::from_fn(self.dim_state, self.dim_param, |i, j| values[i].slopes[j]);
        Ok(Linearization { state: State::new(values.iter().map(|v| v.value).collect()), jacobian })
    }
}

/// A case that is known to fail, and why.
pub struct Known {
    pub case: &'static str,
    pub reason: &'static str,
}

/// Prints the count and fails on any difference between the failures found and those listed.
#[allow(clippy::print_stdout)]
pub fn settle(what: &str, total: usize, failed: &[(String, String)], known: &[Known]) {
    println!("{what}: {} of {total} pass", total - failed.len());
    for (case, found) in failed {
        let reason = known.iter().find(|k| k.case == case).map_or("NOT LISTED", |k| k.reason);
        println!("  {case}: {found}\n    because: {reason}");
    }
    let new: Vec<_> = failed.iter().filter(|(case, _)| known.iter().all(|k| k.case != case)).collect();
    let gone: Vec<_> = known.iter().map(|k| k.case).filter(|k| failed.iter().all(|(case, _)| case != k)).collect();
    assert!(new.is_empty() && gone.is_empty(), "{what}: fails unexpectedly {new:?}; passes unexpectedly {gone:?}");
}
