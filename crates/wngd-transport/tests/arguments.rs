//! Arguments of any kind are solved or refused.
#![allow(clippy::unwrap_used)]

#[path = "../../../tests/common/cases.rs"]
mod cases;
mod common;

use std::iter::zip;

use cases::config;
use common::{Random, close, solve};
use proptest::prelude::*;
use wngd_transport::{Options, TransportError, half_squared_wasserstein};

#[test]
fn extreme_masses_are_carried_or_reported() {
    let mut source = vec![1e-300, 3e-300, 0.0, 1e-320];
    let target = vec![1e308, 1e308, 1e308, 1e308];
    let transport = solve(&[2, 2], &[1.0; 2], &source, &target);
    assert!(transport.dropped_mass > 0.0 && transport.dropped_mass < 1e-14);
    source[3] = 1e-310;
    let options = Options { threshold: 0.0, ..Options::default() };
    let kept = half_squared_wasserstein(&[2, 2], &[1.0; 2], &source, &target, &options).unwrap();
    assert_eq!(kept.dropped_mass, 0.0);
    close(kept.half_squared_distance, transport.half_squared_distance, 1e-9);
}

#[test]
fn faulty_arguments_are_refused() {
    type Case<'a> = (&'a [usize], &'a [f64], &'a [f64], &'a [f64]);
    let refuse = |(cells, spacing, source, target): Case| {
        let error = half_squared_wasserstein(cells, spacing, source, target, &Options::default()).unwrap_err();
        assert!(!error.to_string().is_empty());
        error
    };
    let (grid, unit, ones): (&[usize], &[f64], &[f64]) = (&[2, 2], &[1.0, 1.0], &[1.0; 4]);
    assert!(matches!(
        refuse((grid, unit, &[1.0, f64::NAN, 1.0, 1.0], ones)),
        TransportError::NotFinite { which: "source", index: 1, .. }
    ));
    assert_eq!(
        refuse((grid, unit, ones, &[1.0, 1.0, -2.0, 1.0])),
        TransportError::NegativeMass { which: "target", index: 2, value: -2.0 }
    );
    assert_eq!(refuse((grid, unit, &[0.0; 4], ones)), TransportError::EmptyMass { which: "source" });
    assert_eq!(refuse((grid, unit, ones, &[-0.0; 4])), TransportError::EmptyMass { which: "target" });
    assert_eq!(refuse((&[0, usize::MAX], unit, &[], &[])), TransportError::NoCells { axis: 0 });
    assert_eq!(refuse((grid, unit, &[1.0; 3], ones)), TransportError::Shape { what: "source", expected: 4, found: 3 });
    assert_eq!(refuse((grid, &[1.0], ones, ones)), TransportError::Shape { what: "spacing", expected: 2, found: 1 });
    assert_eq!(refuse((&[], &[], &[], &[])), TransportError::Dimension { found: 0 });
    assert_eq!(refuse((&[1; 4], &[1.0; 4], &[1.0], &[1.0])), TransportError::Dimension { found: 4 });
    assert_eq!(refuse((grid, &[1.0, -1.0], ones, ones)), TransportError::Spacing { axis: 1, value: -1.0 });
    assert_eq!(refuse((&[usize::MAX, 2], unit, ones, ones)), TransportError::TooManyCells { limit: (1 << 28) - 1 });
    assert_eq!(
        refuse((grid, &[1e-150, 1e150], ones, ones)),
        TransportError::CostRange { shortest: 1e-150, longest: 1e150 }
    );
    let options = Options { max_pivots: 1, threshold: 0.0 };
    assert_eq!(
        half_squared_wasserstein(&[3, 3], &[1.0; 2], &Random(1).masses(9), &Random(2).masses(9), &options),
        Err(TransportError::PivotLimit { pivots: 1 })
    );
    for value in [f64::NAN, -1e-3, 1.0] {
        let options = Options { threshold: value, ..Options::default() };
        let error = half_squared_wasserstein(grid, unit, ones, ones, &options).unwrap_err();
        assert!(matches!(error, TransportError::Threshold { .. }), "{error}");
    }
    assert!(matches!(
        refuse((grid, &[1e154; 2], &[1.0, 0.0, 0.0, 0.0], &[0.0, 0.0, 0.0, 1.0])),
        TransportError::Overflow { .. }
    ));
}

/// Numbers of which most are usual ones.
fn number(usual: std::ops::Range<f64>) -> impl Strategy<Value = f64> {
    let rare = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, -0.0, 0.0, 5e-324, 2e-154, 1.3e154, f64::MAX];
    prop_oneof![200 => usual, 10 => Just(0.0), 1 => prop::sample::select(rare.to_vec()), 1 => any::<f64>()]
}

/// Arguments of one call, a few of them out of any range.
type Call = (Vec<usize>, Vec<f64>, Vec<f64>, Vec<f64>, Options);

fn calls() -> impl Strategy<Value = Call> {
    let length = prop_oneof![30 => 1usize..9, 1 => prop::sample::select(vec![0, 40, 1 << 29, usize::MAX])];
    let axes = prop_oneof![30 => 1usize..4, 1 => prop::sample::select(vec![0, 4, 9])];
    let cells = axes.prop_flat_map(move |axes| prop::collection::vec(length.clone(), axes));
    cells.prop_flat_map(|cells| {
        let count = cells.iter().fold(1usize, |product, &n| product.saturating_mul(n)).min(1 << 15);
        // Now and then one entry less or more than the grid asks for.
        let vector = |length: usize, usual: std::ops::Range<f64>| {
            let about = prop_oneof![30 => Just(length), 1 => length.saturating_sub(1)..length + 2, 1 => Just(0)];
            let scale = prop_oneof![20 => Just(1.0), 1 => Just(1e300), 1 => Just(1e-300), 1 => Just(1e-322)];
            (about, scale).prop_flat_map(move |(length, scale)| {
                // A long vector is a constant: numbers of its own for each entry would all be hit by a rare one.
                let entries = if length > 600 {
                    number(usual.clone()).prop_map(move |value| vec![value; length]).boxed()
                } else {
                    prop::collection::vec(number(usual.clone()), length).boxed()
                };
                entries.prop_map(move |values| values.iter().map(|value| value * scale).collect::<Vec<f64>>())
            })
        };
        let threshold = prop_oneof![20 => Just(1e-14), 5 => 0.0..1.0, 1 => any::<f64>(), 1 => Just(f64::NAN)];
        let options = (threshold, prop_oneof![20 => Just(1_000_000), 1 => 0usize..20])
            .prop_map(|(threshold, max_pivots)| Options { threshold, max_pivots });
        (Just(cells.clone()), vector(cells.len(), 0.1..2.0), vector(count, 0.0..1.0), vector(count, 0.0..1.0), options)
    })
}

proptest! {
    #![proptest_config(config(2000))]

    #[test]
    fn every_call_is_solved_or_refused((cells, spacing, source, target, options) in calls()) {
        match half_squared_wasserstein(&cells, &spacing, &source, &target, &options) {
            Ok(transport) => {
                prop_assert_eq!(transport.potential.len(), source.len());
                prop_assert!(transport.potential.iter().all(|u| u.is_finite()));
                let numbers = [transport.half_squared_distance, transport.dual_value, transport.relative_gap];
                prop_assert!(numbers.iter().all(|value| value.is_finite()), "{numbers:?}");
                prop_assert!(transport.half_squared_distance >= 0.0);
                prop_assert!((0.0..1.0).contains(&transport.dropped_mass));
                let gap = (transport.half_squared_distance - transport.dual_value).abs();
                let longest = zip(&cells, &spacing).fold(0.0f64, |rest, (&n, h)| rest.hypot((n - 1) as f64 * h));
                if spacing.iter().all(|h| (1e-2..1e2).contains(h)) {
                    // Costs without a common unit are rounded.
                    prop_assert!(gap <= 1e-9 * longest * longest, "{gap} {longest}");
                }
            }
            Err(error) => prop_assert!(error.to_string().contains(':'), "no remedy: {error}"),
        }
    }
}
