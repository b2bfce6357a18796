//! Rounding: values that are all multiples of one step.

use rayon::prelude::*;

/// Values looked at first.
const LOOK: usize = 4096;
/// Steps finer than this share of the range do no harm and are not looked for.
const FINEST: f64 = 1e-5;
/// Allowed distance from a multiple, in steps.
const TOLERANCE: f64 = 1e-2;

/// A step and a value on its lattice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Lattice {
    pub step: f64,
    pub origin: f64,
}

/// The step that all values are multiples of, up to a common shift; none where they are not rounded, or more finely than
/// 1e-5 of their range.
///
/// ```
/// assert_eq!(wngd_fit::rounding_step(&[43.0, 54.0, 79.0, 81.0, 55.0, 96.0]), Some(1.0));
/// ```
pub fn rounding_step(values: &[f64]) -> Option<f64> {
    lattice(values, 1, 0).map(|l| l.step)
}

/// The lattice of a coordinate of row-major samples; none where they are not rounded, or more finely than 1e-5 of
/// their range.
pub(crate) fn lattice(values: &[f64], dim: usize, axis: usize) -> Option<Lattice> {
    let n = values.len() / dim;
    let stride = n.div_ceil(LOOK).max(1);
    let mut seen: Vec<f64> = (0..n).step_by(stride).map(|i| values[i * dim + axis]).collect();
    seen.sort_by(f64::total_cmp);
    seen.dedup();
    let (first, last) = (*seen.first()?, *seen.last()?);
    // Two values are always multiples of something.
    if seen.len() < 4 {
        return None;
    }
    let range = last - first;
    // Rounding of the numbers themselves, against their size.
    let noise = (16.0 * f64::EPSILON * first.abs().max(last.abs())).max(1e-3 * FINEST * range);
    let mut step = seen[1] - first;
    for pair in seen.windows(2) {
        let (mut a, mut b) = (pair[1] - pair[0], step);
        while b > noise * 10.0 {
            let rest = a - b * (a / b).round();
            (a, b) = (b, rest.abs());
        }
        step = a;
        if !(step > FINEST * range) {
            return None;
        }
    }
    // Sharpened by the whole range.
    let step = range / (range / step).round();
    let on = |v: f64| {
        let t = (v - first) / step;
        (t - t.round()).abs() < TOLERANCE
    };
    values
        .par_chunks(dim * 8192)
        .all(|rows| rows.chunks_exact(dim).all(|x| on(x[axis])))
        .then_some(Lattice { step, origin: first })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounded_values_tell_their_step() {
        let whole: Vec<f64> = [43, 54, 79, 81, 55, 96].map(f64::from).to_vec();
        assert_eq!(lattice(&whole, 1, 0).unwrap().step, 1.0);
        let tenths: Vec<f64> = (0..200).map(|i| f64::from((i * i) % 47) / 10.0 + 1e3).collect();
        assert!((lattice(&tenths, 1, 0).unwrap().step - 0.1).abs() < 1e-9);
        let free: Vec<f64> = (0..200).map(|i| (f64::from(i) * 0.618_033_988_75).fract()).collect();
        assert_eq!(lattice(&free, 1, 0), None);
        assert_eq!(lattice(&[1.0, 1.0, 2.0], 1, 0), None);
    }
}
