use std::fmt;
use std::str::FromStr;

use crate::error::FitError;

/// Most components that can be asked for.
pub const MOST_COMPONENTS: usize = 50;

/// Family of the covariances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Family {
    /// A symmetric positive definite matrix per component.
    #[default]
    Full,
    /// One matrix for all components.
    Tied,
    /// A diagonal matrix per component.
    Diagonal,
    /// σ²I per component.
    Isotropic,
}

impl Family {
    /// All families.
    pub const ALL: [Family; 4] = [Family::Full, Family::Tied, Family::Diagonal, Family::Isotropic];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Tied => "tied",
            Self::Diagonal => "diagonal",
            Self::Isotropic => "isotropic",
        }
    }

    /// Numbers that the covariances of K components in d dimensions have.
    pub fn covariance_parameters(self, components: usize, dim: usize) -> usize {
        match self {
            Self::Full => components * dim * (dim + 1) / 2,
            Self::Tied => dim * (dim + 1) / 2,
            Self::Diagonal => components * dim,
            Self::Isotropic => components,
        }
    }

    /// Free parameters of K components in d dimensions.
    pub fn parameters(self, components: usize, dim: usize) -> usize {
        components - 1 + components * dim + self.covariance_parameters(components, dim)
    }

    /// Whether all covariances are diagonal.
    pub(crate) fn is_diagonal(self) -> bool {
        matches!(self, Self::Diagonal | Self::Isotropic)
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Family {
    type Err = FitError;
    fn from_str(text: &str) -> Result<Self, FitError> {
        Self::ALL.into_iter().find(|family| family.name() == text).ok_or_else(|| FitError::Option {
            option: "covariance",
            problem: format!("\"{text}\" is none of full, tied, diagonal, isotropic"),
        })
    }
}

/// How many components.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Components {
    /// 1 to 6 and, while BIC goes on to improve, more; the lowest BIC is taken.
    #[default]
    Auto,
    /// That many.
    Exactly(usize),
    /// From the first to the last number; the lowest BIC is taken.
    Range(usize, usize),
}

impl FromStr for Components {
    type Err = FitError;
    /// `3`, `1..6` (both ends are tried) or `auto`.
    fn from_str(text: &str) -> Result<Self, FitError> {
        let fail = |problem: String| FitError::Option { option: "components", problem };
        let number = |text: &str| {
            let value = text.trim().parse::<usize>().ok().filter(|k| (1..=MOST_COMPONENTS).contains(k));
            value.ok_or_else(|| {
                fail(format!(
                    "\"{text}\" is no number from 1 to {MOST_COMPONENTS}; give one as 3, a range as 1..6, or auto"
                ))
            })
        };
        if text == "auto" {
            return Ok(Self::Auto);
        }
        match text.split_once("..") {
            None => Ok(Self::Exactly(number(text)?)),
            Some((first, last)) => {
                let (first, last) = (number(first)?, number(last.trim_start_matches('='))?);
                if first > last {
                    return Err(fail(format!("{first}..{last} is empty; write {last}..{first}")));
                }
                Ok(Self::Range(first, last))
            }
        }
    }
}

/// How a fit is made.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many components.
    pub components: Components,
    /// Family of the covariances.
    pub family: Family,
    /// Starts per number of components; the best is kept.
    pub starts: usize,
    /// Seed of starts and of the goodness of fit.
    pub seed: u64,
    /// Most iterations of the last phase of a descent.
    pub iterations: usize,
    /// Whether standard errors are computed; they cost a pass with (Kq)² sums per sample.
    pub errors: bool,
    /// Whether goodness of fit is tested.
    pub goodness: bool,
    /// Asked between passes over the data, from any thread, whether to give up.
    pub stop: fn() -> bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            components: Components::Auto,
            family: Family::Full,
            starts: 20,
            seed: 0,
            iterations: 300,
            errors: true,
            goodness: true,
            stop: || false,
        }
    }
}

impl Options {
    /// # Errors
    /// Numbers of components or starts that are none.
    pub(crate) fn check(&self) -> Result<(), FitError> {
        let (first, last) = match self.components {
            Components::Auto => (1, 1),
            Components::Exactly(k) => (k, k),
            Components::Range(first, last) => (first, last),
        };
        let fail = |option, problem: String| Err(FitError::Option { option, problem });
        if first == 0 || first > last || last > MOST_COMPONENTS {
            return fail("components", format!("{first} to {last}; 1 to {MOST_COMPONENTS} are possible"));
        }
        if !(1..=10_000).contains(&self.starts) {
            return fail("starts", format!("{}; 1 to 10000 are possible", self.starts));
        }
        if self.iterations == 0 {
            return fail("iterations", "0; at least 1 is needed".into());
        }
        Ok(())
    }
}
