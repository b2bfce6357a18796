//! Subtraction-free elimination (GTH) of a weighted graph Laplacian.

use crate::cholesky::SymbolicCholesky;

/// `L D Lᵀ` of a grounded graph Laplacian in which every pivot is the sum of the
/// remaining edge weights instead of a difference.
///
/// No subtraction occurs, so each entry keeps its relative accuracy however the
/// weights vary (Grassmann, Taksar and Heyman 1985, doi:10.1287/opre.33.5.1107).
/// Simplicial and slower than the supernodal [`Cholesky`](crate::Cholesky), it
/// is the fallback where basins are separated by deep valleys.
#[derive(Debug)]
pub(crate) struct SubtractionFree {
    /// First value of each column.
    offset: Vec<usize>,
    /// Edge weights at elimination, column by column.
    weights: Vec<f64>,
    /// Edge weight to the ground at elimination.
    ground: Vec<f64>,
    pivots: Vec<f64>,
    columns: Columns,
}

/// Row indices of the columns of L below the diagonal, shared within a supernode.
#[derive(Debug)]
struct Columns {
    rows: Vec<usize>,
    /// Range of column j in `rows`.
    range: Vec<(usize, usize)>,
}

impl Columns {
    fn new(symbolic: &SymbolicCholesky) -> Self {
        let mut rows = Vec::new();
        let mut range = Vec::with_capacity(symbolic.dim());
        for (columns, below) in symbolic.column_blocks() {
            let (begin, first) = (rows.len(), columns.start);
            rows.extend(columns.clone());
            rows.extend(below);
            range.extend(columns.map(|j| (begin + (j - first) + 1, rows.len())));
        }
        Self { rows, range }
    }

    fn of(&self, j: usize) -> &[usize] {
        let (begin, end) = self.range[j];
        &self.rows[begin..end]
    }
}

impl SubtractionFree {
    /// Eliminates a graph given by edges `(i, j, weight)` between free nodes and
    /// weights to the ground, both in elimination order. Nodes without any edge
    /// get pivot 0 and stay untouched.
    pub(crate) fn new(symbolic: &SymbolicCholesky, edges: &[(usize, usize, f64)], ground: Vec<f64>) -> Self {
        let n = symbolic.dim();
        let columns = Columns::new(symbolic);
        let mut first_edge = vec![0usize; n + 1];
        for &(i, j, _) in edges {
            first_edge[i.min(j) + 1] += 1;
        }
        for j in 0..n {
            first_edge[j + 1] += first_edge[j];
        }
        let mut slot = first_edge.clone();
        let mut sorted = vec![(0usize, 0.0f64); edges.len()];
        for &(i, j, weight) in edges {
            let low = i.min(j);
            sorted[slot[low]] = (i.max(j), weight);
            slot[low] += 1;
        }

        let mut offset = vec![0usize; n + 1];
        for j in 0..n {
            offset[j + 1] = offset[j] + columns.of(j).len();
        }
        let mut weights = vec![0.0; offset[n]];
        let mut pivots = vec![0.0; n];
        let mut ground = ground;
        let mut work = vec![0.0; n];
        // Columns waiting to update column j, as linked lists keyed by their next row.
        const NONE: usize = usize::MAX;
        let mut head = vec![NONE; n];
        let mut link = vec![NONE; n];
        let mut next = vec![0usize; n];
        for j in 0..n {
            for &(i, weight) in &sorted[first_edge[j]..first_edge[j + 1]] {
                work[i] += weight;
            }
            let mut k = head[j];
            while k != NONE {
                let following = link[k];
                let rows = columns.of(k);
                let values = &weights[offset[k]..offset[k + 1]];
                let at = next[k];
                if values[at] > 0.0 {
                    let share = values[at] / pivots[k];
                    for t in at + 1..rows.len() {
                        work[rows[t]] += share * values[t];
                    }
                    ground[j] += share * ground[k];
                }
                if at + 1 < rows.len() {
                    next[k] = at + 1;
                    let row = rows[at + 1];
                    link[k] = head[row];
                    head[row] = k;
                }
                k = following;
            }
            let rows = columns.of(j);
            let mut pivot = ground[j];
            for (value, &i) in weights[offset[j]..offset[j + 1]].iter_mut().zip(rows) {
                *value = std::mem::take(&mut work[i]);
                pivot += *value;
            }
            pivots[j] = pivot;
            if let Some(&row) = rows.first() {
                link[j] = head[row];
                head[row] = j;
            }
        }
        Self { offset, weights, ground, pivots, columns }
    }

    fn column(&self, j: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let pivot = self.pivots[j];
        self.columns
            .of(j)
            .iter()
            .zip(&self.weights[self.offset[j]..self.offset[j + 1]])
            .filter(|(_, w)| **w > 0.0)
            .map(move |(&i, &w)| (i, w / pivot))
    }

    /// `x <- D^{-1/2} L⁻¹ x` for a row-major panel in elimination order.
    pub(crate) fn forward_panel<const W: usize>(&self, x: &mut [f64]) {
        for j in 0..self.pivots.len() {
            let (done, below) = x.split_at_mut((j + 1) * W);
            let xj = &mut done[j * W..];
            for (i, share) in self.column(j) {
                let target = &mut below[(i - j - 1) * W..(i - j) * W];
                for w in 0..W {
                    target[w] += share * xj[w];
                }
            }
            let scale = if self.pivots[j] > 0.0 { 1.0 / self.pivots[j].sqrt() } else { 0.0 };
            for w in 0..W {
                xj[w] *= scale;
            }
        }
    }

    /// `x <- L⁻ᵀ D^{-1/2} x` for a row-major panel in elimination order.
    pub(crate) fn backward_panel<const W: usize>(&self, x: &mut [f64]) {
        for j in (0..self.pivots.len()).rev() {
            let (head, below) = x.split_at_mut((j + 1) * W);
            let xj = &mut head[j * W..];
            let scale = if self.pivots[j] > 0.0 { 1.0 / self.pivots[j].sqrt() } else { 0.0 };
            for w in 0..W {
                xj[w] *= scale;
            }
            for (i, share) in self.column(j) {
                let source = &below[(i - j - 1) * W..(i - j) * W];
                for w in 0..W {
                    xj[w] += share * source[w];
                }
            }
        }
    }

    /// `D^{1/2} Lᵀ u` for one vector in elimination order, the ground being at potential 0.
    ///
    /// Written in differences, so that a constant u inside a basin contributes exactly 0.
    pub(crate) fn multiply_transpose(&self, u: &[f64]) -> Vec<f64> {
        (0..u.len())
            .map(|j| {
                if self.pivots[j] <= 0.0 {
                    return 0.0;
                }
                let mut total = self.ground[j] / self.pivots[j] * u[j];
                for (i, share) in self.column(j) {
                    total += share * (u[j] - u[i]);
                }
                total * self.pivots[j].sqrt()
            })
            .collect()
    }
}
