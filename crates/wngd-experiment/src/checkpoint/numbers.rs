//! Numbers in a checkpoint, under the parameters and the stream of random numbers that they were computed with.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wngd::opt::Finished;

use super::Bits;

/// Numbers of one kind.
#[derive(Serialize, Deserialize)]
pub(super) struct Numbers {
    theta: Vec<Bits>,
    stream: u64,
    /// By the name of the kind, of which there is one.
    #[serde(flatten)]
    values: BTreeMap<String, Vec<Bits>>,
}

impl Numbers {
    pub(super) fn of(kind: &str, theta: &[f64], stream: u64, values: &[f64]) -> Self {
        Self { theta: Bits::of(theta), stream, values: [(kind.to_string(), Bits::of(values))].into() }
    }

    /// The text of an error says what is wrong.
    pub(super) fn finished(mut self, kind: &str) -> Result<Finished, String> {
        let values = self.values.remove(kind).ok_or_else(|| format!("it is damaged: missing field `{kind}`"))?;
        Ok(Finished::Numbers {
            kind: kind.to_string(),
            theta: Bits::numbers(&self.theta),
            stream: self.stream,
            values: Bits::numbers(&values),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_comes_back() {
        let text = serde_json::to_string(&Numbers::of("shift", &[0.1, -0.0], u64::MAX, &[f64::NAN])).unwrap();
        assert_eq!(
            text,
            r#"{"theta":["3fb999999999999a","8000000000000000"],"stream":18446744073709551615,"shift":["7ff8000000000000"]}"#
        );
        let back = |text: &str| {
            let numbers: Numbers = serde_json::from_str(text).map_err(|error| error.to_string())?;
            numbers.finished("shift")
        };
        let Ok(Finished::Numbers { kind, theta, stream, values }) = back(&text) else { panic!("it comes back") };
        assert_eq!((kind.as_str(), stream), ("shift", u64::MAX));
        assert!(theta == [0.1, 0.0] && theta[1].is_sign_negative() && values[0].is_nan());
        for (from, to) in [("shift", "shaft"), ("stream", "steam"), ("[\"7ff8", "[\"x7f"), ("theta", "thete")] {
            assert!(back(&text.replacen(from, to, 1)).is_err(), "{to}");
        }
    }
}
