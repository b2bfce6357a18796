//! The layered graph of a separable transportation problem.
//!
//! A cost that is a sum over the axes lets mass move along one axis at a time: from the source cell
//! (i₁, …, i_d) to (j₁, i₂, …, i_d), then to (j₁, j₂, i₃, …, i_d), and so on. The
//! graph has `d + 1` layers of one node per cell, and layer `k` reaches layer `k + 1` along axis `k` at
//! cost wₖ(iₖ − jₖ)², so `N` cells with `n` per axis need d N n arcs in place of N².
//!
//! # References
//!
//! - G. Auricchio, F. Bassetti, S. Gualandi, M. Veneroni, *Computing Kantorovich-Wasserstein distances on
//!   d-dimensional histograms using (d+1)-partite graphs*, NeurIPS 2018.

use std::iter::zip;

use crate::grid_lines::lines;

/// Nodes and arcs: cell `c` of layer `k` is node `k · cell_count + c`.
pub(crate) struct LayeredGraph {
    pub(crate) cell_count: usize,
    pub(crate) strides: Vec<usize>,
    pub(crate) lengths: Vec<usize>,
    /// Per axis, `w (i - j)^2` at position `length - 1 + j - i`, so that a tail reads a contiguous slice.
    costs: Vec<Vec<i64>>,
}

impl LayeredGraph {
    /// The graph of a grid, with the cost of moving by one cell along each axis.
    pub(crate) fn new(cells: &[usize], weights: &[i64]) -> Self {
        Self {
            cell_count: cells.iter().product(),
            strides: (0..cells.len()).map(|k| cells[k + 1..].iter().product()).collect(),
            lengths: cells.to_vec(),
            costs: zip(cells, weights)
                .map(|(&length, &weight)| {
                    (0..2 * length - 1).map(|k| weight * (k.abs_diff(length - 1) as i64).pow(2)).collect()
                })
                .collect(),
        }
    }

    /// First node of the last layer, that of the targets.
    pub(crate) fn targets(&self) -> usize {
        self.lengths.len() * self.cell_count
    }

    /// Number of nodes in all layers.
    pub(crate) fn node_count(&self) -> usize {
        self.targets() + self.cell_count
    }

    /// Costs of the arcs along `axis` from a node at `coordinate` to each node of its line in the next layer.
    pub(crate) fn costs_from(&self, axis: usize, coordinate: usize) -> &[i64] {
        let length = self.lengths[axis];
        &self.costs[axis][length - 1 - coordinate..][..length]
    }

    /// Cost of moving from one corner of the grid to the opposite one.
    pub(crate) fn dearest(&self) -> i64 {
        self.costs.iter().map(|cost| cost[0]).sum()
    }

    pub(crate) fn coordinate(&self, axis: usize, node: usize) -> usize {
        node / self.strides[axis] % self.lengths[axis]
    }

    /// Cost of the arc from `tail` to a node `head` of the next layer.
    pub(crate) fn cost(&self, tail: usize, head: usize) -> i64 {
        let axis = tail / self.cell_count;
        let (i, j) = (self.coordinate(axis, tail), self.coordinate(axis, head));
        self.costs_from(axis, i)[j]
    }

    /// Marks the nodes that lie on a path from a cell with source mass to a cell with target mass.
    pub(crate) fn open_nodes(&self, source: &[i64], target: &[i64]) -> Vec<bool> {
        let (cell_count, axes) = (self.cell_count, self.lengths.len());
        let mut from_source: Vec<bool> = source.iter().map(|&mass| mass > 0).collect();
        let mut to_target: Vec<bool> = target.iter().map(|&mass| mass > 0).collect();
        let spread = |marks: &mut [bool], axis: usize| {
            for (start, stride, length) in lines(&self.lengths, axis) {
                let line = |j: usize| start + j * stride;
                let any = (0..length).any(|j| marks[line(j)]);
                (0..length).for_each(|j| marks[line(j)] = any);
            }
        };
        let mut open = Vec::with_capacity((axes + 1) * cell_count);
        for layer in 0..=axes {
            if layer > 0 {
                spread(&mut from_source, layer - 1);
            }
            open.extend_from_slice(&from_source);
        }
        for layer in (0..=axes).rev() {
            if layer < axes {
                spread(&mut to_target, layer);
            }
            let marks = &mut open[layer * cell_count..][..cell_count];
            zip(marks, &to_target).for_each(|(mark, &reached)| *mark &= reached);
        }
        open
    }
}
