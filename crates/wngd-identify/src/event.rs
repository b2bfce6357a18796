use std::fmt;

use wngd_opt::Iteration;

/// What an identification is at; its text is for people.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The fit on a coarse grid begins.
    CoarseFit,
    /// The fit to the data begins.
    Fit {
        /// Where it starts.
        start: &'a [f64],
    },
    /// The fit to the data has come to an iterate.
    Iterate(&'a Iteration),
    /// The fit to the data has ended.
    RawFit {
        /// The parameters, bias included.
        theta: &'a [f64],
    },
    /// The response to the parameters is measured, for corrections that the model does not steer well.
    Measuring,
    /// A correction was made.
    Correction {
        /// Its number, from 1.
        number: usize,
        /// Parameters after it.
        theta: &'a [f64],
    },
    /// The response to the parameters is measured at the end.
    Response,
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CoarseFit => write!(f, "coarse fit"),
            Self::Fit { start } => write!(f, "fit from {}", shown(start)),
            Self::Iterate(row) => write!(f, "fit: iteration {}, f = {:.4e}", row.iteration, row.objective),
            Self::RawFit { theta } => write!(f, "raw fit {}", shown(theta)),
            Self::Measuring => write!(f, "measuring the response to the parameters"),
            Self::Correction { number, theta } => write!(f, "correction {number}: {}", shown(theta)),
            Self::Response => write!(f, "response to the parameters"),
        }
    }
}

fn shown(theta: &[f64]) -> String {
    let all: Vec<String> = theta.iter().map(|t| format!("{t:.5}")).collect();
    format!("({})", all.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_told_in_words() {
        assert_eq!(Event::Fit { start: &[1.0, -0.25] }.to_string(), "fit from (1.00000, -0.25000)");
        assert_eq!(Event::Correction { number: 2, theta: &[10.0] }.to_string(), "correction 2: (10.00000)");
    }
}
