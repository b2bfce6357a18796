//! What the columns of a problem are like, in one pass over A.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use crate::dense::{column_slice, norm};
use crate::error::{LinalgError, check_vector};
use crate::operator::LinearOp;

/// Distance of a gradient from Aᵀb, as a share of its terms, that rounding of b may explain.
const EXPLAINED: f64 = 1e-6;
/// Sums that run side by side along a column.
const LANES: usize = 8;

/// Norms of columns and what b may tell about the gradient.
#[derive(Debug, Clone)]
pub(super) struct Measured {
    /// ‖aⱼ‖; 1 for an operator without entries.
    pub(super) norms: Vec<f64>,
    /// Norms of the columns of [A; D].
    pub(super) scale: Vec<f64>,
    /// By how much rounding of b disturbs a gradient entry: the largest Σ |aᵢⱼ bᵢ| over its norm. For an operator
    /// without entries the largest |gⱼ|.
    pub(super) spread: f64,
    /// The gradient. Where a given gⱼ is further from Aᵀb than any rounding of b explains, it is the one that is lost: to
    /// the noise of a column that is small by cancellation.
    pub(super) gradient: Vec<f64>,
}

/// Sums along one column a: aᵀa, aᵀb, |a|ᵀ|b|.
#[derive(Clone, Copy, Default)]
struct Sums {
    squares: f64,
    product: f64,
    size: f64,
}

impl Sums {
    fn of(a: &[f64], b: &[f64]) -> Self {
        Arch::new().dispatch(Along { a, b })
    }
}

/// The columns a and b.
struct Along<'a> {
    a: &'a [f64],
    b: &'a [f64],
}

impl WithSimd for Along<'_> {
    type Output = Sums;
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Sums {
        let Self { a, b } = self;
        // Arrays of one kind, not one array of sums: they are vectors.
        let (mut squares, mut product, mut size) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        let (heads, tail) = a.as_chunks::<LANES>();
        let (others, rest) = b.as_chunks::<LANES>();
        let mut add = |lane: usize, a: f64, b: f64| {
            let c = a * b;
            squares[lane] += a * a;
            product[lane] += c;
            size[lane] += c.abs();
        };
        for (a, b) in heads.iter().zip(others) {
            for lane in 0..LANES {
                add(lane, a[lane], b[lane]);
            }
        }
        for (lane, (a, b)) in tail.iter().zip(rest).enumerate() {
            add(lane, *a, *b);
        }
        let sum = |lanes: [f64; LANES]| lanes.into_iter().fold(0.0, |sum, lane| sum + lane);
        Sums { squares: sum(squares), product: sum(product), size: sum(size) }
    }
}

/// Checks shapes and finiteness, and measures.
///
/// # Errors
/// Wrong shapes, NaN or infinities in A, b, the gradient or the damping.
pub(super) fn measure(
    a: &dyn LinearOp,
    b: &[f64],
    gradient: &[f64],
    damping: Option<&[f64]>,
) -> Result<Measured, LinalgError> {
    super::check_shapes(a, b, damping)?;
    check_vector("gradient", gradient, a.ncols())?;
    let Some(entries) = a.as_dense() else {
        let norms = vec![1.0; gradient.len()];
        let spread = gradient.iter().fold(0.0, |most: f64, g| most.max(g.abs()));
        return Ok(Measured { scale: damped(norms.clone(), damping), norms, spread, gradient: gradient.to_vec() });
    };
    let columns: Vec<(f64, Sums)> = (0..entries.ncols())
        .into_par_iter()
        .map(|j| {
            let column = column_slice(entries, j);
            let sums = Sums::of(&column, b);
            if (1e-280..1e300).contains(&sums.squares) {
                return Ok((sums.squares.sqrt(), sums));
            }
            super::check_column(&column, j)?;
            Ok((norm(&column), sums))
        })
        .collect::<Result<_, LinalgError>>()?;
    let columns = columns.into_iter().map(|(norm, Sums { product, size, .. })| (norm, product, size)).collect();
    Ok(Measured::of_columns(columns, gradient, damping))
}

impl Measured {
    /// From the norm of every column a, aᵀb and |a|ᵀ|b|.
    pub(super) fn of_columns(columns: Vec<(f64, f64, f64)>, gradient: &[f64], damping: Option<&[f64]>) -> Self {
        let known = gradient
            .iter()
            .zip(&columns)
            .map(|(g, (_, product, size))| if (g - product).abs() <= EXPLAINED * size { *g } else { *product });
        let gradient: Vec<f64> = known.collect();
        let spreads = columns.iter().filter(|(norm, ..)| *norm > 0.0).map(|(norm, _, size)| size / norm);
        let spread = spreads.fold(0.0, f64::max);
        let norms: Vec<f64> = columns.into_iter().map(|(norm, ..)| norm).collect();
        Self { scale: damped(norms.clone(), damping), norms, spread, gradient }
    }
}

/// Norms of columns with those of the damping rows.
fn damped(mut norms: Vec<f64>, damping: Option<&[f64]>) -> Vec<f64> {
    if let Some(d) = damping {
        norms.iter_mut().zip(d).for_each(|(s, d)| *s = s.hypot(*d));
    }
    norms
}
