//! Products with A accumulated in twice the working precision, at the speed at which A is read.

use faer::MatRef;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use crate::dense::column_slice;

/// Rows of a task: their sums stay in the first cache while the columns go by.
const ROWS: usize = 1024;
/// Sums that run side by side along a column; a fixed number, so that no machine changes a bit.
const LANES: usize = 8;

/// A vector of sums of two parts, high and low.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TwoParts {
    pub(super) high: Vec<f64>,
    pub(super) low: Vec<f64>,
}

/// A x in two parts.
pub(super) fn product(a: MatRef<'_, f64>, x: &[f64]) -> TwoParts {
    let m = a.nrows();
    let mut y = TwoParts { high: vec![0.0; m], low: vec![0.0; m] };
    y.high.par_chunks_mut(ROWS).zip(y.low.par_chunks_mut(ROWS)).enumerate().for_each(|(piece, (high, low))| {
        let rows = piece * ROWS..piece * ROWS + high.len();
        for (j, &x) in x.iter().enumerate() {
            let column = column_slice(a, j);
            Arch::new().dispatch(AddColumn { column: &column[rows.clone()], x, high: &mut *high, low: &mut *low });
        }
    });
    y
}

/// gⱼ − aⱼᵀy − damping for every column aⱼ, rounded once; `damping(j)`: two factors.
pub(super) fn gradient_left(
    a: MatRef<'_, f64>,
    gradient: &[f64],
    y: &TwoParts,
    damping: impl Fn(usize) -> (f64, f64) + Sync,
) -> Vec<f64> {
    gradient
        .par_iter()
        .enumerate()
        .map(|(j, &g)| {
            let column = column_slice(a, j);
            let mut left = Arch::new().dispatch(Subtract { gradient: g, column: &column, y });
            let (d, x) = damping(j);
            add_product(&mut left, -d, x);
            left.0 + left.1
        })
        .collect()
}

/// Adds a product to a sum of two parts without rounding it to one (Ogita, Rump and Oishi 2005, Dot2).
#[inline(always)]
fn add_product(sum: &mut (f64, f64), a: f64, b: f64) {
    let product = a * b;
    let lost = a.mul_add(b, -product);
    let next = sum.0 + product;
    let shift = next - sum.0;
    sum.1 += ((sum.0 - (next - shift)) + (product - shift)) + lost;
    sum.0 = next;
}

/// y ← y + x a.
struct AddColumn<'a> {
    column: &'a [f64],
    x: f64,
    high: &'a mut [f64],
    low: &'a mut [f64],
}

impl WithSimd for AddColumn<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { column, x, high, low } = self;
        for ((high, low), a) in high.iter_mut().zip(low).zip(column) {
            let mut sum = (*high, *low);
            add_product(&mut sum, *a, x);
            (*high, *low) = sum;
        }
    }
}

/// g − aᵀy, in two parts.
struct Subtract<'a> {
    gradient: f64,
    column: &'a [f64],
    y: &'a TwoParts,
}

impl WithSimd for Subtract<'_> {
    type Output = (f64, f64);
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> (f64, f64) {
        let Self { gradient, column, y } = self;
        let mut sums = [(0.0, 0.0); LANES];
        let whole = column.len() / LANES * LANES;
        let rows = column[..whole].chunks_exact(LANES);
        let parts = y.high[..whole].chunks_exact(LANES).zip(y.low[..whole].chunks_exact(LANES));
        for (a, (high, low)) in rows.zip(parts) {
            for lane in 0..LANES {
                add_product(&mut sums[lane], -a[lane], high[lane]);
                sums[lane].1 -= a[lane] * low[lane];
            }
        }
        for i in whole..column.len() {
            let lane = i - whole;
            add_product(&mut sums[lane], -column[i], y.high[i]);
            sums[lane].1 -= column[i] * y.low[i];
        }
        let mut left = (gradient, 0.0);
        for (high, low) in sums {
            add_product(&mut left, 1.0, high);
            left.1 += low;
        }
        left
    }
}

#[cfg(test)]
mod tests {
    use faer::Mat;

    use super::*;

    #[test]
    fn products_keep_twice_the_digits() {
        // Columns that cancel to their last digits: 1, 1e-17, −1 in turn.
        let (m, tiny) = (3 * 1030, 1e-17);
        let a = Mat::from_fn(m, 3, |i, j| [1.0 + i as f64, tiny, -(1.0 + i as f64)][j]);
        let y = product(a.as_ref(), &[1.0, 1.0, 1.0]);
        assert!(y.high.iter().zip(&y.low).all(|(high, low)| (high + low - tiny).abs() <= 1e-16 * tiny));
        let ones = Mat::from_fn(m, 1, |i, _| [1e16, 1.0, -1e16][i % 3]);
        let y = TwoParts { high: vec![1.0; m], low: vec![0.0; m] };
        let left = gradient_left(ones.as_ref(), &[0.5], &y, |_| (2.0, 3.0));
        assert_eq!(left, [0.5 - 1030.0 - 6.0]);
    }
}
