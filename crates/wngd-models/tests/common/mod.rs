//! Reading golden files and comparing with them.
#![allow(dead_code, clippy::unwrap_used)]

use std::collections::BTreeMap;

use serde_json::Value;

pub(crate) fn load(name: &str) -> Value {
    let path = format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// All numbers of a nested list, in order.
pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        Value::Number(number) => vec![number.as_f64().unwrap()],
        other => panic!("not a number: {other}"),
    }
}

pub(crate) fn number(value: &Value) -> f64 {
    numbers(value)[0]
}

pub(crate) fn sizes(value: &Value) -> Vec<usize> {
    numbers(value).into_iter().map(|v| v as usize).collect()
}

/// Worst relative error of each quantity.
#[derive(Default)]
pub(crate) struct Worst(BTreeMap<String, f64>);

impl Worst {
    /// Largest deviation over the largest expected entry.
    pub(crate) fn compare(&mut self, what: &str, found: &[f64], expected: &Value) {
        let expected = numbers(expected);
        let scale = expected.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        self.compare_to(what, found, &expected, scale);
    }

    pub(crate) fn compare_to(&mut self, what: &str, found: &[f64], expected: &[f64], scale: f64) {
        assert_eq!(found.len(), expected.len(), "{what}");
        let gap = found.iter().zip(expected).fold(0.0f64, |m, (f, e)| {
            let gap = (f - e).abs();
            if gap.is_nan() { f64::INFINITY } else { m.max(gap) }
        });
        let worst = self.0.entry(what.into()).or_default();
        *worst = worst.max(gap / scale);
    }

    pub(crate) fn assert_below(&self, tolerance: f64) {
        for (what, error) in &self.0 {
            eprintln!("{what:<16} {error:.1e}");
        }
        for (what, error) in &self.0 {
            assert!(*error <= tolerance, "{what}: relative error {error:e}");
        }
    }
}
