//! Arguments of any kind are solved or refused.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Random, close, solve};
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
    assert!(matches!(refuse((grid, unit, &[1.0, f64::NAN, 1.0, 1.0], ones)), TransportError::NotFinite { index: 1 }));
    assert_eq!(
        refuse((grid, unit, ones, &[1.0, 1.0, -2.0, 1.0])),
        TransportError::NegativeMass { index: 2, value: -2.0 }
    );
    assert_eq!(refuse((grid, unit, &[0.0; 4], ones)), TransportError::EmptyMass { which: "source" });
    assert_eq!(refuse((grid, unit, ones, &[-0.0; 4])), TransportError::EmptyMass { which: "target" });
    assert_eq!(refuse((&[0, 2], unit, &[], &[])), TransportError::EmptyMass { which: "source" });
    assert_eq!(refuse((grid, unit, &[1.0; 3], ones)), TransportError::Shape { expected: 4, found: 3 });
    assert_eq!(refuse((grid, &[1.0], ones, ones)), TransportError::Shape { expected: 2, found: 1 });
    assert_eq!(refuse((&[], &[], &[], &[])), TransportError::Dimension { found: 0 });
    assert_eq!(refuse((&[1; 4], &[1.0; 4], &[1.0], &[1.0])), TransportError::Dimension { found: 4 });
    assert_eq!(refuse((grid, &[1.0, -1.0], ones, ones)), TransportError::Spacing { axis: 1, value: -1.0 });
    assert_eq!(refuse((&[usize::MAX, 2], unit, ones, ones)), TransportError::TooLarge);
    assert_eq!(refuse((grid, &[1e-150, 1e150], ones, ones)), TransportError::TooLarge);
    let options = Options { max_pivots: 1, threshold: 0.0 };
    assert_eq!(
        half_squared_wasserstein(&[3, 3], &[1.0; 2], &Random(1).masses(9), &Random(2).masses(9), &options),
        Err(TransportError::PivotLimit { pivots: 1 })
    );
    let nothing = Options { threshold: f64::NAN, ..Options::default() };
    assert!(half_squared_wasserstein(grid, unit, ones, ones, &nothing).is_ok());
}
