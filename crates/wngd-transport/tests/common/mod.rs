//! Random masses, and what every solution must satisfy.
#![allow(dead_code, clippy::unwrap_used)]

use std::iter::zip;

use wngd_transport::{Options, Transport, half_squared_wasserstein};

/// Deterministic uniform numbers in [0, 1).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() * bound as f64) as usize
    }

    pub fn masses(&mut self, count: usize) -> Vec<f64> {
        (0..count).map(|_| self.next()).collect()
    }
}

pub fn solve(cells: &[usize], spacing: &[f64], source: &[f64], target: &[f64]) -> Transport {
    let transport = half_squared_wasserstein(cells, spacing, source, target, &Options::default()).unwrap();
    assert!(transport.relative_gap < 1e-10, "{}", transport.relative_gap);
    let mean: f64 = zip(source, &transport.potential).map(|(a, u)| a * u).sum();
    let scale: f64 = zip(source, &transport.potential).map(|(a, u)| a * u.abs()).sum();
    assert!(mean.abs() <= 1e-12 * scale);
    transport
}

pub fn close(found: f64, expected: f64, tolerance: f64) {
    assert!(
        (found - expected).abs() <= tolerance * expected.abs().max(f64::MIN_POSITIVE),
        "found {found}, expected {expected}"
    );
}

pub fn position(cells: &[usize], spacing: &[f64], cell: usize) -> Vec<f64> {
    let mut rest = cell;
    let mut position = vec![0.0; cells.len()];
    for axis in (0..cells.len()).rev() {
        position[axis] = spacing[axis] * ((rest % cells[axis]) as f64 + 0.5);
        rest /= cells[axis];
    }
    position
}

pub fn half_square(cells: &[usize], spacing: &[f64], first: usize, second: usize) -> f64 {
    let (x, y) = (position(cells, spacing, first), position(cells, spacing, second));
    0.5 * zip(x, y).map(|(x, y)| (x - y).powi(2)).sum::<f64>()
}
