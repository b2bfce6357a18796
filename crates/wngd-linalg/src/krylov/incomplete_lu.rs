//! Incomplete LU without fill, by slabs of rows.

use pulp::Arch;
use rayon::prelude::*;

use super::compressed::Compressed;
use super::dots::SLAB;
use crate::error::LinalgError;

/// A ≈ (I + L) D (I + U) on the pattern of the diagonal blocks of [`SLAB`] rows.
///
/// Single precision is enough for a preconditioner, and halves what a pass reads.
#[derive(Debug)]
pub(super) struct IncompleteLu {
    /// Columns are counted from the first row of their block.
    pub(super) lower: Compressed<f32>,
    pub(super) upper: Compressed<f32>,
    /// D⁻¹.
    pub(super) pivots: Vec<f64>,
}

impl IncompleteLu {
    pub(super) fn new(a: &Compressed<f64>) -> Result<Self, LinalgError> {
        let n = a.ptr.len() - 1;
        let mut lu = a.values.clone();
        let (mut place, mut diagonal, mut pivots) = (vec![usize::MAX; n], vec![0; n], vec![0.0; n]);
        let mut lower = Compressed::with_capacity(n, a.columns.len() / 2);
        let mut upper = Compressed::with_capacity(n, a.columns.len() / 2);
        for i in 0..n {
            let (first, end) = (i - i % SLAB, n.min(i - i % SLAB + SLAB));
            let columns = &a.columns[a.range(i)];
            let Ok(at) = columns.binary_search(&(i as u32)) else {
                return Err(LinalgError::Sparse { column: i, reason: "the diagonal entry is not stored" });
            };
            diagonal[i] = a.ptr[i] as usize + at;
            let inside = a.range(i).filter(|&at| (first..end).contains(&(a.columns[at] as usize)));
            for at in inside.clone() {
                place[a.columns[at] as usize] = at;
            }
            // Rows of U are kept divided by their pivot.
            for at in inside.clone().take_while(|&at| at < diagonal[i]) {
                let k = a.columns[at] as usize;
                let share = lu[at];
                for above in diagonal[k] + 1..a.ptr[k + 1] as usize {
                    let target = place[a.columns[above] as usize];
                    if target != usize::MAX {
                        lu[target] -= share * lu[above];
                    }
                }
                lower.push((k - first) as u32, (share * pivots[k]) as f32);
            }
            pivots[i] = 1.0 / lu[diagonal[i]];
            if !pivots[i].is_finite() {
                return Err(LinalgError::Singular { what: "incomplete LU", residual: f64::NAN });
            }
            for at in diagonal[i] + 1..a.ptr[i + 1] as usize {
                lu[at] *= pivots[i];
            }
            for at in inside.clone().skip_while(|&at| at <= diagonal[i]) {
                upper.push((a.columns[at] as usize - first) as u32, lu[at] as f32);
            }
            lower.end_row();
            upper.end_row();
            for at in inside {
                place[a.columns[at] as usize] = usize::MAX;
            }
        }
        Ok(Self { lower, upper, pivots })
    }

    /// (I + Uᵀ) D (I + Lᵀ).
    pub(super) fn transposed(&self) -> Self {
        let (lower, upper) = (self.upper.transposed(true), self.lower.transposed(true));
        Self { lower, upper, pivots: self.pivots.clone() }
    }

    pub(super) fn solve<const W: usize>(&self, b: &[[f64; W]], x: &mut [[f64; W]]) {
        x.par_chunks_mut(SLAB).zip(b.par_chunks(SLAB)).enumerate().for_each(|(slab, (x, b))| {
            Arch::new().dispatch(
                #[inline(always)]
                || self.solve_slab(slab * SLAB, b, x),
            );
        });
    }

    #[inline(always)]
    pub(super) fn solve_slab<const W: usize>(&self, first: usize, b: &[[f64; W]], x: &mut [[f64; W]]) {
        for i in 0..x.len() {
            let known = self.lower.row_times(first + i, x);
            for w in 0..W {
                x[i][w] = b[i][w] - known[w];
            }
        }
        for i in (0..x.len()).rev() {
            let known = self.upper.row_times(first + i, x);
            for w in 0..W {
                x[i][w] = x[i][w] * self.pivots[first + i] - known[w];
            }
        }
    }
}
