//! Values of a sparse Cholesky factor.

use std::sync::Arc;

use faer::Mat;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::panel::{Supernode, backward, forward};
use super::part::{Factored, Part};
use super::symbolic::SymbolicCholesky;
use crate::dense;
use crate::error::LinalgError;

/// A sparse Cholesky factorisation `P A Pᵀ = L Lᵀ`.
#[derive(Debug)]
pub struct Cholesky {
    symbolic: Arc<SymbolicCholesky>,
    /// Values of each part.
    values: Vec<Vec<f64>>,
    /// The factor of what all parts leave of the border's square, column-major.
    border: Vec<f64>,
}

impl Cholesky {
    /// Factors a matrix given by the values of its lower triangle, in pattern order.
    ///
    /// # Cost
    /// Parts run side by side. What each takes off the square A of the border comes from its own factor R of what it
    /// leaves, R Rᵀ: their sum less all but one A is left by all together.
    ///
    /// # Errors
    /// [`LinalgError::NotPositiveDefinite`] with the pivot at which it broke down
    /// (NaN entries break down as well).
    pub fn new(symbolic: Arc<SymbolicCholesky>, lower: &[f64]) -> Result<Self, LinalgError> {
        let pattern = symbolic.pattern();
        if lower.len() != pattern.1.len() {
            let expected = pattern.1.len();
            return Err(LinalgError::Shape { what: "matrix values", expected, found: lower.len() });
        }
        let start = symbolic.dim() - symbolic.border();
        let place = |part: &Part, index: usize| match index.checked_sub(part.rows) {
            None => part.first + index,
            Some(row) => start + row,
        };
        let factored: Vec<Factored> = symbolic
            .parts
            .par_iter()
            .map(|part| {
                part.factor(pattern, lower).map_err(|error| match error {
                    LinalgError::NotPositiveDefinite { index } => {
                        LinalgError::NotPositiveDefinite { index: place(part, index) }
                    }
                    other => other,
                })
            })
            .collect::<Result<_, _>>()?;
        let mut border = Vec::new();
        if symbolic.border() > 0 {
            let mut left = Mat::zeros(symbolic.border(), symbolic.border());
            factored.iter().for_each(|part| dense::add_square_of_lower(left.as_mut(), part.left.as_ref()));
            let surplus = (factored.len() as f64) - 1.0;
            for &(i, j, entry) in &symbolic.border_entries {
                left[(i, j)] -= surplus * lower[entry];
            }
            dense::cholesky(left.as_mut())
                .map_err(|index| LinalgError::NotPositiveDefinite { index: start + index })?;
            border = (0..left.ncols()).flat_map(|j| left.col_as_slice(j)).copied().collect();
        }
        let values = factored.into_iter().map(|part| part.values).collect();
        Ok(Self { symbolic, values, border })
    }

    /// The symbolic part.
    pub fn symbolic(&self) -> &Arc<SymbolicCholesky> {
        &self.symbolic
    }

    /// The square of the border as one supernode.
    pub(super) fn border(&self) -> Supernode<'_> {
        let width = self.symbolic.border();
        Supernode { first: 0, width, stride: width, own: &[], border: &[], entries: &self.border }
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = (&Part, &[f64])> {
        self.symbolic.parts.iter().zip(self.values.iter().map(Vec::as_slice))
    }

    /// `x <- L⁻¹ x` for a row-major panel in elimination order; `alone`: parts run side by side.
    pub(crate) fn forward_panel<const W: usize>(&self, x: &mut [f64], alone: bool) {
        let (parts, border) = self.split::<W>(x);
        let one = |((part, values), x): ((&Part, &[f64]), &mut [f64])| {
            let mut taken = vec![0.0; self.symbolic.border() * W];
            Arch::new().dispatch(Forward::<W> { part, values, x, taken: &mut taken });
            taken
        };
        let tasks: Vec<_> = self.parts().zip(parts).collect();
        let taken: Vec<Vec<f64>> =
            if alone { tasks.into_par_iter().map(one).collect() } else { tasks.into_iter().map(one).collect() };
        for taken in taken {
            border.iter_mut().zip(taken).for_each(|(x, t)| *x += t);
        }
        Arch::new().dispatch(ForwardBorder::<W>(self.border(), border));
    }

    /// `x <- L⁻ᵀ x` for a row-major panel in elimination order; `alone`: parts run side by side.
    pub(crate) fn backward_panel<const W: usize>(&self, x: &mut [f64], alone: bool) {
        let (parts, border) = self.split::<W>(x);
        Arch::new().dispatch(BackwardBorder::<W>(self.border(), &mut *border));
        let border = &*border;
        let one = |((part, values), x): ((&Part, &[f64]), &mut [f64])| {
            Arch::new().dispatch(Backward::<W> { part, values, x, border });
        };
        let tasks: Vec<_> = self.parts().zip(parts).collect();
        if alone { tasks.into_par_iter().for_each(one) } else { tasks.into_iter().for_each(one) }
    }

    /// The rows of each part, and those of the border.
    fn split<'x, const W: usize>(&self, x: &'x mut [f64]) -> (Vec<&'x mut [f64]>, &'x mut [f64]) {
        let mut rest = x;
        let mut parts = Vec::with_capacity(self.symbolic.parts.len());
        for part in &self.symbolic.parts {
            let (own, others) = rest.split_at_mut(part.rows * W);
            parts.push(own);
            rest = others;
        }
        (parts, rest)
    }

    /// `Lᵀ x` for one vector in elimination order.
    pub(crate) fn multiply_transpose(&self, x: &[f64]) -> Vec<f64> {
        let mut out = Vec::with_capacity(x.len());
        let (all, border) = x.split_at(x.len() - self.symbolic.border());
        for (part, values) in self.parts() {
            let own = &all[part.first..part.first + part.rows];
            part.nodes(values).for_each(|node| node.multiply_transpose(own, border, &mut out));
        }
        self.border().multiply_transpose(border, &[], &mut out);
        out
    }
}

// Types rather than closures: a closure's call is not always inlined into the
// function compiled for the machine's vectors, and then every fma is a library call.
struct Forward<'a, const W: usize> {
    part: &'a Part,
    values: &'a [f64],
    x: &'a mut [f64],
    /// What the part adds to the border's rows.
    taken: &'a mut [f64],
}
struct Backward<'a, const W: usize> {
    part: &'a Part,
    values: &'a [f64],
    x: &'a mut [f64],
    border: &'a [f64],
}
struct ForwardBorder<'a, const W: usize>(Supernode<'a>, &'a mut [f64]);
struct BackwardBorder<'a, const W: usize>(Supernode<'a>, &'a mut [f64]);

impl<const W: usize> WithSimd for Forward<'_, W> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { part, values, x, taken } = self;
        for node in part.nodes(values) {
            if S::REGISTER_COUNT >= 32 { forward::<W, 4>(node, x, taken) } else { forward::<W, 2>(node, x, taken) }
        }
    }
}

impl<const W: usize> WithSimd for Backward<'_, W> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { part, values, x, border } = self;
        for node in part.nodes(values).rev() {
            backward::<W>(node, x, border);
        }
    }
}

impl<const W: usize> WithSimd for ForwardBorder<'_, W> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        if S::REGISTER_COUNT >= 32 {
            forward::<W, 4>(self.0, self.1, &mut []);
        } else {
            forward::<W, 2>(self.0, self.1, &mut []);
        }
    }
}

impl<const W: usize> WithSimd for BackwardBorder<'_, W> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        backward::<W>(self.0, self.1, &[]);
    }
}
