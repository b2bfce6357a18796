//! Exponentials of many numbers at once.

use pulp::{Arch, Simd, WithSimd};

/// Numbers farther from 0 than this have exponentials that are no normal numbers, or nearly so.
const RANGE: f64 = 708.0;
/// ln 2 in two parts; the first has zeros for its last digits.
const LN_2: [f64; 2] = [6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10];
/// Adding it rounds a number to a whole one, whose digits are then the last bits of the sum.
const ROUNDS: f64 = 6_755_399_441_055_744.0;
/// 1/n!, from the highest power down: what follows is below 4e-18 of the sum where |r| ≤ ½ ln 2.
const SERIES: [f64; 14] = [
    1.0 / 6_227_020_800.0,
    1.0 / 479_001_600.0,
    1.0 / 39_916_800.0,
    1.0 / 3_628_800.0,
    1.0 / 362_880.0,
    1.0 / 40_320.0,
    1.0 / 5040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    0.5,
    1.0,
    1.0,
];

/// Replaces numbers by their exponentials, right to a unit in the last place.
pub(super) fn exponentials(x: &mut [f64]) {
    let beyond = |x: f64| !(x.abs() < RANGE);
    let outside: Vec<(usize, f64)> =
        x.iter().enumerate().filter(|(_, x)| beyond(**x)).map(|(i, x)| (i, x.exp())).collect();
    Arch::new().dispatch(Within(x));
    outside.into_iter().for_each(|(i, value)| x[i] = value);
}

/// Of numbers within the range; others become anything.
struct Within<'a>(&'a mut [f64]);

impl WithSimd for Within<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for x in self.0 {
            // x = k ln 2 + r.
            let sum = f64::mul_add(*x, std::f64::consts::LOG2_E, ROUNDS);
            let k = sum - ROUNDS;
            let r = f64::mul_add(-k, LN_2[1], f64::mul_add(-k, LN_2[0], *x));
            let mut value = SERIES[0];
            for factor in &SERIES[1..] {
                value = f64::mul_add(value, r, *factor);
            }
            // 2^k: the bits of k go where the exponent is.
            *x = value * f64::from_bits((sum.to_bits() << 52).wrapping_add(1023 << 52));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_right_to_a_unit_in_the_last_place() {
        let grid = (-720_000..720_000).map(|i| i as f64 * 1e-3 + 1e-4 * (i as f64).sin());
        let odd = [0.0, -0.0, 1e-300, -1e-17, f64::INFINITY, f64::NEG_INFINITY, 709.7, 709.8, -745.0, -746.0, -708.0];
        let x: Vec<f64> = grid.chain(odd).collect();
        let mut found = x.clone();
        exponentials(&mut found);
        for (x, found) in x.iter().zip(&found) {
            let wanted = x.exp();
            assert!((found - wanted).abs() <= f64::EPSILON * wanted || *found == wanted, "{x}: {found} for {wanted}");
        }
        let mut none = [f64::NAN, 1.0];
        exponentials(&mut none);
        assert!(none[0].is_nan() && (none[1] - std::f64::consts::E).abs() < 5e-16);
    }
}
