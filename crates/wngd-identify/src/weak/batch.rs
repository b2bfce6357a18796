//! Sines, cosines and sums of products for many points at once, written so that the compiler makes vector
//! instructions of them. Nothing is contracted into fused operations and sums have a fixed number of lanes, so that every
//! machine gets the same bits.

/// Points per batch.
pub(super) const BATCH: usize = 64;
/// Partial sums.
pub(super) const LANES: usize = 8;
/// Phases beyond are left to the standard library: the reduction would lose digits.
const FAR: f64 = 5e5;

/// A quantity of the points of a batch.
pub(super) type Row = [f64; BATCH];

/// Adds aᵢ cᵢ and bᵢ cᵢ to sums in lanes.
#[inline(always)]
pub(super) fn add_products(a: &Row, b: &Row, c: &Row, first: &mut [f64; LANES], second: &mut [f64; LANES]) {
    let (mut one, mut other) = (*first, *second);
    let ((a, _), (b, _), (c, _)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>(), c.as_chunks::<LANES>());
    for ((a, b), c) in a.iter().zip(b).zip(c) {
        for l in 0..LANES {
            one[l] += a[l] * c[l];
        }
        for l in 0..LANES {
            other[l] += b[l] * c[l];
        }
    }
    (*first, *second) = (one, other);
}

/// Sines and cosines, to a unit in the last place or so.
#[inline(always)]
pub(super) fn sines(phase: &Row) -> (Row, Row) {
    let (mut sine, mut cosine) = ([0.0; BATCH], [0.0; BATCH]);
    let mut largest = [0.0; LANES];
    let (chunks, _) = phase.as_chunks::<LANES>();
    for chunk in chunks {
        for l in 0..LANES {
            let size = chunk[l].abs();
            largest[l] = if size > largest[l] { size } else { largest[l] };
        }
    }
    // Not finite or far away: rare, so that all of the batch goes the slow way.
    if !(largest.iter().fold(0.0, |a: f64, b| if *b > a { *b } else { a }) < FAR) || phase.iter().any(|p| p.is_nan()) {
        for i in 0..BATCH {
            (sine[i], cosine[i]) = phase[i].sin_cos();
        }
        return (sine, cosine);
    }
    for i in 0..BATCH {
        (sine[i], cosine[i]) = near(phase[i]);
    }
    (sine, cosine)
}

/// sin x and cos x for |x| < 2¹⁹ by the reduction of Cody and Waite and the polynomials of least deviation on [−π/4, π/4] of
/// Ng (1992), as in fdlibm.
#[inline(always)]
fn near(x: f64) -> (f64, f64) {
    const MAGIC: f64 = 6_755_399_441_055_744.0;
    // π/2 in three parts of 33 bits.
    const HALF_PI: [f64; 3] = [1.570_796_326_734_125_6, 6.077_100_506_303_966e-11, 2.022_266_248_795_950_6e-21];
    let shifted = x * std::f64::consts::FRAC_2_PI + MAGIC;
    let whole = shifted - MAGIC;
    let r = ((x - whole * HALF_PI[0]) - whole * HALF_PI[1]) - whole * HALF_PI[2];
    let s = r * r;
    let mut p = 1.589_690_995_211_55e-10;
    p = p * s - 2.505_076_025_340_686_3e-8;
    p = p * s + 2.755_731_370_707_006_8e-6;
    p = p * s - 1.984_126_982_985_795e-4;
    p = p * s + 8.333_333_333_322_49e-3;
    p = p * s - 1.666_666_666_666_663_2e-1;
    let sine = r + r * s * p;
    let mut q = -1.135_964_755_778_819_5e-11;
    q = q * s + 2.087_572_321_298_175e-9;
    q = q * s - 2.755_731_435_139_066_3e-7;
    q = q * s + 2.480_158_728_947_673e-5;
    q = q * s - 1.388_888_888_887_411e-3;
    q = q * s + 4.166_666_666_666_66e-2;
    let cosine = (1.0 - 0.5 * s) + s * s * q;
    // Which quarter of a turn: sines and cosines change places and signs.
    let quarter = shifted.to_bits();
    let odd = 0u64.wrapping_sub(quarter & 1);
    let (a, b) = (sine.to_bits(), cosine.to_bits());
    let (one, other) = ((b & odd) | (a & !odd), (a & odd) | (b & !odd));
    let sign = (quarter & 2) << 62;
    let cosine_sign = (quarter.wrapping_add(1) & 2) << 62;
    (f64::from_bits(one ^ sign), f64::from_bits(other ^ cosine_sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sines_are_those_of_the_standard_library() {
        let mut worst = 0.0f64;
        for k in -40_000..40_000 {
            for x in [f64::from(k) * 0.37e-3, f64::from(k) * 1.7, f64::from(k) * 11.3] {
                let ((s, c), (sine, cosine)) = (near(x), x.sin_cos());
                worst = worst.max((s - sine).abs()).max((c - cosine).abs());
            }
        }
        assert!(worst < 3e-16, "{worst:e}");
        let mut phase = [0.25; BATCH];
        phase[5] = 1e9;
        let (sine, cosine) = sines(&phase);
        assert_eq!((sine[5], cosine[5]), 1e9f64.sin_cos());
        phase[5] = f64::NAN;
        assert!(sines(&phase).0[5].is_nan() && sines(&phase).1[0] == 0.25f64.cos());
    }
}
