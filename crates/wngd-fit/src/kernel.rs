//! Loops over blocks of samples, written so that the compiler makes vector instructions of them: no branches, fixed
//! lengths, sums in a fixed number of lanes. Nothing is contracted into fused operations, so that every machine gets
//! the same bits.

use crate::component::Component;

/// Samples per block.
pub(crate) const BLOCK: usize = 256;
/// Partial sums of a dot product.
const LANES: usize = 16;

/// A coordinate, or another quantity, of the samples of a block.
pub(crate) type Row = [f64; BLOCK];

/// eˣ for x ≤ 0, to one unit in the last place or two; below −700 the result is a tiny number.
#[inline(always)]
pub(crate) fn exp(x: f64) -> f64 {
    const MAGIC: f64 = 6_755_399_441_055_744.0;
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    let x = if x > -700.0 { x } else { -700.0 };
    let shifted = x * std::f64::consts::LOG2_E + MAGIC;
    let whole = shifted - MAGIC;
    let r = (x - whole * LN2_HIGH) - whole * LN2_LOW;
    let mut p = 1.0 / 6_227_020_800.0;
    p = p * r + 1.0 / 479_001_600.0;
    p = p * r + 1.0 / 39_916_800.0;
    p = p * r + 1.0 / 3_628_800.0;
    p = p * r + 1.0 / 362_880.0;
    p = p * r + 1.0 / 40_320.0;
    p = p * r + 1.0 / 5_040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    // The low bits of the shifted number are the whole part.
    p * f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52)
}

/// ln x for normal x ≥ 1, to a few units in the last place.
#[inline(always)]
pub(crate) fn ln(x: f64) -> f64 {
    const MAGIC: f64 = 4_503_599_627_370_496.0;
    let bits = x.to_bits();
    // x = 2ᵉ m with m in [√½, √2).
    let shifted = bits.wrapping_add(0x3ff0_0000_0000_0000 - 0x3fe6_a09e_667f_3bcd);
    let m = f64::from_bits((shifted & 0x000f_ffff_ffff_ffff).wrapping_add(0x3fe6_a09e_667f_3bcd));
    let e = f64::from_bits((shifted >> 52) | 0x4330_0000_0000_0000) - MAGIC - 1023.0;
    let f = (m - 1.0) / (m + 1.0);
    let s = f * f;
    let mut p = 1.0 / 21.0;
    p = p * s + 1.0 / 19.0;
    p = p * s + 1.0 / 17.0;
    p = p * s + 1.0 / 15.0;
    p = p * s + 1.0 / 13.0;
    p = p * s + 1.0 / 11.0;
    p = p * s + 1.0 / 9.0;
    p = p * s + 1.0 / 7.0;
    p = p * s + 1.0 / 5.0;
    p = p * s + 1.0 / 3.0;
    e * std::f64::consts::LN_2 + (2.0 * f + 2.0 * f * s * p)
}

/// Σ aᵢ bᵢ.
#[inline(always)]
pub(crate) fn dot(a: &Row, b: &Row) -> f64 {
    let mut sums = [0.0; LANES];
    let (a, _) = a.as_chunks::<LANES>();
    let (b, _) = b.as_chunks::<LANES>();
    for (a, b) in a.iter().zip(b) {
        for l in 0..LANES {
            sums[l] += a[l] * b[l];
        }
    }
    sums.iter().sum()
}

/// Σ aᵢ.
#[inline(always)]
pub(crate) fn sum(a: &Row) -> f64 {
    let mut sums = [0.0; LANES];
    let (a, _) = a.as_chunks::<LANES>();
    for a in a {
        for l in 0..LANES {
            sums[l] += a[l];
        }
    }
    sums.iter().sum()
}

/// Room for what is computed of a block.
pub(crate) struct Scratch {
    /// Whitened residuals L⁻¹(x − μ): d rows per component.
    pub y: Vec<Row>,
    /// ln w N, then shares of the components times the samples' weights: a row per component.
    pub r: Vec<Row>,
    largest: Row,
    total: Row,
}

impl Scratch {
    pub(crate) fn new(components: usize, dim: usize) -> Self {
        let rows = |n: usize| vec![[0.0; BLOCK]; n];
        Self { y: rows(components * dim), r: rows(components), largest: [0.0; BLOCK], total: [0.0; BLOCK] }
    }
}

/// Fills in residuals and shares of a block; returns Σ weight · ln ρ.
#[inline(always)]
pub(crate) fn shares(components: &[Component], x: &[Row], weights: &Row, scratch: &mut Scratch) -> f64 {
    let dim = x.len();
    let Scratch { y, r, largest, total } = scratch;
    for (k, (component, log)) in components.iter().zip(r.iter_mut()).enumerate() {
        *log = [component.log_scale; BLOCK];
        for a in 0..dim {
            let row = &mut y[k * dim + a];
            let first = if component.diagonal { a } else { 0 };
            *row = [0.0; BLOCK];
            for b in first..=a {
                let (factor, mean) = (component.inverse[a * dim + b], component.mean[b]);
                for i in 0..BLOCK {
                    row[i] += factor * (x[b][i] - mean);
                }
            }
            for i in 0..BLOCK {
                log[i] -= 0.5 * row[i] * row[i];
            }
        }
    }
    *largest = r[0];
    for log in &r[1..] {
        for i in 0..BLOCK {
            largest[i] = if log[i] > largest[i] { log[i] } else { largest[i] };
        }
    }
    *total = [0.0; BLOCK];
    for share in r.iter_mut() {
        for i in 0..BLOCK {
            share[i] = exp(share[i] - largest[i]);
            total[i] += share[i];
        }
    }
    for i in 0..BLOCK {
        largest[i] += ln(total[i]);
        total[i] = weights[i] / total[i];
    }
    for share in r.iter_mut() {
        for i in 0..BLOCK {
            share[i] *= total[i];
        }
    }
    dot(largest, weights)
}

/// Adds Σ over samples of (row · row) for all pairs j ≤ i of the lower triangle.
#[inline(always)]
pub(crate) fn add_gram(rows: &[Row], others: &[Row], stride: usize, out: &mut [f64]) {
    for (i, a) in rows.iter().enumerate() {
        for (j, b) in others[..=i].iter().enumerate() {
            out[i * stride + j] += dot(a, b);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_and_logarithms_are_right_to_rounding() {
        for i in 0..20000 {
            let x = -0.0347 * f64::from(i);
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-15, "{x}");
            let t = 1.0 + f64::from(i) * 0.003;
            assert!((ln(t) - t.ln()).abs() < 4e-16 * (1.0 + t.ln()), "{t}");
        }
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(ln(1.0), 0.0);
        assert!(exp(-1e300) < 1e-300 && exp(f64::NEG_INFINITY) < 1e-300);
    }
}
