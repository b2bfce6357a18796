//! What requests and answers look like.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The version of the protocol.
pub(crate) const VERSION: f64 = 1.0;
/// Bytes of an answer that holds no numbers, and of what stands around numbers.
const WORDS: u64 = 1 << 20;
/// Bytes that a number may take, with what stands between numbers.
const NUMBER: u64 = 64;

/// Most bytes of an answer with so many numbers.
pub(crate) fn most_bytes(numbers: usize) -> u64 {
    WORDS.saturating_add(NUMBER.saturating_mul(numbers as u64))
}

/// Who is asked.
#[derive(Serialize)]
pub(crate) struct About<'a> {
    pub(crate) name: &'a str,
    pub(crate) config: &'a Map<String, Value>,
}

/// A value or a product at a point.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Call<'a> {
    pub(crate) name: &'a str,
    pub(crate) config: &'a Map<String, Value>,
    pub(crate) input: &'a [&'a [f64]],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) out_wrt: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) in_wrt: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sens: Option<&'a [f64]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) vec: Option<&'a [f64]>,
}

/// What a server has.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Info {
    pub(crate) protocol_version: f64,
    pub(crate) models: Vec<String>,
}

/// What a model can do.
#[derive(Deserialize)]
pub(crate) struct ModelInfo {
    pub(crate) support: Supported,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Supported {
    #[serde(default)]
    pub(crate) evaluate: bool,
    #[serde(default)]
    pub(crate) gradient: bool,
    #[serde(default)]
    pub(crate) apply_jacobian: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InputSizes {
    pub(crate) input_sizes: Vec<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OutputSizes {
    pub(crate) output_sizes: Vec<u64>,
}

/// Numbers; what has no JSON, as NaN, may come as `null`.
#[derive(Deserialize)]
pub(crate) struct Output<T> {
    pub(crate) output: T,
}

pub(crate) type Numbers = Vec<Option<f64>>;

/// A failure that the server tells.
#[derive(Deserialize)]
pub(crate) struct Failed {
    pub(crate) error: Failure,
}

#[derive(Deserialize)]
pub(crate) struct Failure {
    #[serde(default, rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) message: String,
}

/// An answer in which NaN and infinities stand as Python writes them, with `null` for these; `None` if there are none.
pub(crate) fn without_nan(text: &str) -> Option<String> {
    let mut found = text.to_string();
    for word in ["-Infinity", "Infinity", "NaN", "-inf", "inf", "nan"] {
        // Within numbers' lists only: words have letters before or after.
        let mut kept = String::with_capacity(found.len());
        let mut rest = found.as_str();
        while let Some(at) = rest.find(word) {
            let (before, after) = (&rest[..at], &rest[at + word.len()..]);
            let part_of_word = before.chars().next_back().is_some_and(char::is_alphanumeric)
                || after.chars().next().is_some_and(char::is_alphanumeric);
            kept.push_str(before);
            kept.push_str(if part_of_word { word } else { "null" });
            rest = after;
        }
        kept.push_str(rest);
        found = kept;
    }
    (found != text).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_becomes_null() {
        let text = "{\"output\": [[nan, 1.0, -inf], [NaN, -Infinity, Infinity, inf]] }";
        let found = without_nan(text).unwrap();
        assert_eq!(found, "{\"output\": [[null, 1.0, null], [null, null, null, null]] }");
        let Output { output } = serde_json::from_str::<Output<Vec<Numbers>>>(&found).unwrap();
        assert_eq!(output[0], [None, Some(1.0), None]);
        assert!(without_nan("{\"error\": \"finance and Banana\"}").is_none());
    }

    #[test]
    fn an_answer_is_as_long_as_its_numbers_need() {
        assert!(most_bytes(10_000) < 2 << 20 && most_bytes(usize::MAX) == u64::MAX);
    }
}
