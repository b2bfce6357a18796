//! Sums in an order that no number of threads and no lane changes.

use rayon::prelude::*;

/// Partial sums of a dot product; fixed, so that lanes give the same bits alone and together.
pub(super) const PARTIAL: usize = 4;
/// Rows that one thread works on at a time: blocks of the preconditioner and of every sum. Fixed, so that
/// results have the same bits for any number of threads.
pub(crate) const SLAB: usize = 1 << 15;
/// Dot products of one slab.
pub(super) fn slab_dots<const W: usize>(a: &[[f64; W]], b: &[[f64; W]]) -> [f64; W] {
    let mut sums = [[0.0; W]; PARTIAL];
    let (a4, a1) = a.as_chunks::<PARTIAL>();
    let (b4, b1) = b.as_chunks::<PARTIAL>();
    for (a, b) in a4.iter().zip(b4) {
        for s in 0..PARTIAL {
            for w in 0..W {
                sums[s][w] += a[s][w] * b[s][w];
            }
        }
    }
    for (a, b) in a1.iter().zip(b1) {
        for w in 0..W {
            sums[0][w] += a[w] * b[w];
        }
    }
    std::array::from_fn(|w| (sums[0][w] + sums[1][w]) + (sums[2][w] + sums[3][w]))
}

/// Sums over the slabs, in their order.
pub(crate) fn total<const W: usize, const S: usize>(slabs: Vec<[[f64; W]; S]>) -> [[f64; W]; S] {
    let mut total = [[0.0; W]; S];
    for slab in slabs {
        for s in 0..S {
            for w in 0..W {
                total[s][w] += slab[s][w];
            }
        }
    }
    total
}

pub(crate) fn dots<const W: usize>(a: &[[f64; W]], b: &[[f64; W]]) -> [f64; W] {
    let [sum] = total(a.par_chunks(SLAB).zip(b.par_chunks(SLAB)).map(|(a, b)| [slab_dots(a, b)]).collect());
    sum
}
