//! Mass vectors, validated, scaled and rounded to integers.

use crate::error::TransportError;

/// The integer mass that stands for one.
const TOTAL: f64 = (1u64 << 60) as f64;

/// A mass vector, scaled by a power of two.
pub(crate) struct Masses {
    /// The masses.
    pub(crate) masses: Vec<f64>,
    /// Masses up to this one are dropped.
    floor: f64,
    /// Sum of the kept masses, between one and two up to what was dropped.
    kept: f64,
    /// First cell of largest mass.
    pub(crate) largest: usize,
    /// Fraction of the mass that was dropped.
    pub(crate) dropped: f64,
}

impl Masses {
    /// Validates and scales a mass vector.
    pub(crate) fn new(masses: &[f64], threshold: f64, which: &'static str) -> Result<Self, TransportError> {
        let mut largest = 0;
        for (index, &value) in masses.iter().enumerate() {
            if !value.is_finite() {
                return Err(TransportError::NotFinite { which, index, value });
            }
            if value < 0.0 {
                return Err(TransportError::NegativeMass { which, index, value });
            }
            if value > masses[largest] {
                largest = index;
            }
        }
        let most = masses.get(largest).copied().unwrap_or(0.0);
        // The first power of two keeps the sum in range, the second brings it to between one and two.
        // Adding in sorted order makes the sum the same for all rearrangements of a vector.
        let mut masses = masses.to_vec();
        scale_down(&mut masses, exponent(most).clamp(-1000, 1000));
        let mut sorted = masses.clone();
        sorted.sort_by(f64::total_cmp);
        let shift = exponent(sorted.iter().sum());
        scale_down(&mut masses, shift);
        scale_down(&mut sorted, shift);
        let sum: f64 = sorted.iter().sum();
        let floor = (threshold * sum).max(sum / TOTAL);
        let first_kept = sorted.partition_point(|&mass| mass <= floor);
        let (dropped, kept) = sorted.split_at(first_kept);
        if kept.is_empty() {
            return Err(TransportError::EmptyMass { which });
        }
        Ok(Self {
            floor,
            kept: kept.iter().sum(),
            largest,
            // An empty sum of floats is -0.
            dropped: (dropped.iter().sum::<f64>() / sum).abs(),
            masses,
        })
    }
}

/// Binary exponent of a normal number.
fn exponent(value: f64) -> i32 {
    (value.to_bits() >> 52 & 0x7ff) as i32 - 1023
}

fn scale_down(values: &mut [f64], exponent: i32) {
    let factor = 2f64.powi(-exponent);
    values.iter_mut().for_each(|value| *value *= factor);
}

/// Normalises and rounds two mass vectors to integers with a common total.
pub(crate) fn integer_masses(source: &Masses, target: &Masses) -> (Vec<i64>, Vec<i64>, i64) {
    let round = |side: &Masses| -> Vec<i64> {
        // Vectors of the same sum need no division: what is equal, or adds up to equal sums, stays so.
        let sum = if source.kept == target.kept { 2.0 } else { side.kept };
        let unit = |&mass: &f64| {
            if mass > side.floor { (mass / sum * TOTAL).round() as i64 } else { 0 }
        };
        side.masses.iter().map(unit).collect()
    };
    let (mut from, mut to) = (round(source), round(target));
    let (from_total, to_total): (i64, i64) = (from.iter().sum(), to.iter().sum());
    // Rounding leaves the totals a few units apart; the largest mass of the lighter side takes them up.
    let total = from_total.max(to_total);
    if let Some(mass) = from.get_mut(source.largest) {
        *mass += total - from_total;
    }
    if let Some(mass) = to.get_mut(target.largest) {
        *mass += total - to_total;
    }
    (from, to, total)
}
