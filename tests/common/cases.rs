//! Random cases.

use proptest::prelude::*;

/// The same cases in every run; `PROPTEST_CASES` asks for another number of them.
pub fn config(cases: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok());
    ProptestConfig {
        cases: asked.unwrap_or(cases),
        failure_persistence: None,
        rng_seed: prop::test_runner::RngSeed::Fixed(20261124),
        ..ProptestConfig::default()
    }
}
