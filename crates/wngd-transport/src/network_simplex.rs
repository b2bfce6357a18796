//! Primal network simplex on the layered graph of a separable transportation problem.
//!
//! Flows, costs and potentials are integers. Flows then add up without rounding, "zero flow" has one
//! meaning, the strongly feasible trees of Cunningham rule out cycling in practice as in theory, and
//! termination, when no arc at all has a negative reduced cost, certifies optimality with no tolerance.
//!
//! # References
//!
//! - W. H. Cunningham, *A network simplex method*, Mathematical Programming 11 (1976),
//!   doi:10.1007/BF01580379.

use std::iter::zip;

use crate::grid_lines::lines;
use crate::layered_graph::LayeredGraph;
use crate::row_minima::row_minima;
use crate::spanning_tree::{NONE, Node, SpanningTree};

/// Potential of a node that no arc may enter: low enough never to price out as an improvement, high
/// enough that adding a cost cannot overflow.
pub(crate) const CLOSED: i64 = i64::MIN / 4;

/// Arcs priced together, at least, before the best among them enters the basis.
const BLOCK: usize = 1024;

/// The pivot budget ran out before the flow was optimal.
pub(crate) struct PivotLimit;

/// A node with outgoing arcs: `heads` is where its grid line starts in the next layer.
struct Tail {
    node: u32,
    heads: u32,
    coordinate: u32,
    axis: u32,
}

/// An arc whose reduced cost is negative.
struct Entering {
    tail: u32,
    head: u32,
    reduced_cost: i64,
}

/// The layered graph with its current spanning tree, flow and potentials.
///
/// The potentials `p` give the arc from `t` to `h` the reduced cost `c + p(t) - p(h)`.
pub(crate) struct NetworkSimplex {
    pub(crate) graph: LayeredGraph,
    pub(crate) tree: SpanningTree,
    pub(crate) potentials: Vec<i64>,
    tails: Vec<Tail>,
    next_tail: usize,
}

impl NetworkSimplex {
    /// Builds the network and the tree in which every source follows the cheapest path under `guess`.
    ///
    /// `guess` holds a potential for every target cell. Each node above the last layer hangs from the
    /// head of its cheapest arc, and each target from the root by an artificial arc that takes its
    /// surplus or brings what it lacks. The closer the guess is to an optimal potential, the less remains
    /// to be rebalanced; any guess is valid.
    pub(crate) fn new(cells: &[usize], weights: &[i64], source: &[i64], target: &[i64], guess: &[i64]) -> Self {
        let graph = LayeredGraph::new(cells, weights);
        let (cell_count, root, last) = (graph.cell_count, graph.node_count(), graph.targets());
        let open = graph.open_nodes(source, target);

        let mut potentials = vec![CLOSED; root + 1];
        potentials[root] = 0;
        let mut parents = vec![NONE; root];
        for cell in 0..cell_count {
            if open[last + cell] {
                potentials[last + cell] = guess[cell];
            }
        }
        for axis in (0..cells.len()).rev() {
            let layer = axis * cell_count;
            for (start, stride, length) in lines(cells, axis) {
                let node = |coordinate: usize| layer + start + coordinate * stride;
                let sites: Vec<usize> = (0..length).filter(|&j| open[node(j) + cell_count]).collect();
                let (tails, heads) = potentials.split_at_mut(layer + cell_count);
                row_minima(
                    0..length,
                    &sites,
                    &|i, j| graph.costs_from(axis, i)[j] - heads[start + j * stride],
                    &mut |i, j, least: i64| {
                        if open[node(i)] {
                            tails[node(i)] = -least;
                            parents[node(i)] = (node(j) + cell_count) as u32;
                        }
                    },
                );
            }
        }

        let mut tree = SpanningTree::new(root + 1);
        for cell in 0..cell_count {
            tree.nodes[cell].flow = source[cell];
            tree.nodes[last + cell].flow = -target[cell];
            parents[last + cell] = root as u32;
        }
        // Large enough that replacing two artificial arcs by any path between cells saves cost.
        let (low, high) = (guess.iter().min(), guess.iter().max());
        let artificial = 1 + graph.dearest() + high.unwrap_or(&0) - low.unwrap_or(&0);
        // Children precede their parents in this order, so sizes and flows accumulate in one pass.
        for child in (0..root).filter(|&node| open[node]) {
            let parent = parents[child];
            let Node { flow, size, .. } = tree.nodes[child];
            tree.nodes[parent as usize].size += size;
            if parent as usize == root {
                // A zero flow must be able to leave towards the root, or the tree is not strongly feasible.
                tree.nodes[child].upward = flow >= 0;
                tree.nodes[child].flow = flow.abs();
            } else {
                tree.nodes[parent as usize].flow += flow;
            }
            tree.attach(child as u32, parent);
        }
        // Back from the last layer, every node shifts with the target that it hangs from.
        for node in (0..root).rev().filter(|&node| open[node]) {
            let parent = parents[node] as usize;
            potentials[node] = if parent < root {
                potentials[parent] - graph.cost(node, parent)
            } else if tree.nodes[node].upward {
                potentials[node] - artificial
            } else {
                potentials[node] + artificial
            };
        }
        let tails = (0..last)
            .filter(|&node| open[node])
            .map(|node| {
                let axis = node / cell_count;
                let coordinate = graph.coordinate(axis, node);
                Tail {
                    node: node as u32,
                    heads: (node + cell_count - coordinate * graph.strides[axis]) as u32,
                    coordinate: coordinate as u32,
                    axis: axis as u32,
                }
            })
            .collect();
        Self { graph, tree, potentials, tails, next_tail: 0 }
    }

    /// Pivots until no arc has a negative reduced cost, counting into `pivots`.
    pub(crate) fn optimise(&mut self, pivots: &mut usize, limit: usize) -> Result<(), PivotLimit> {
        while let Some(entering) = self.price() {
            if *pivots >= limit {
                return Err(PivotLimit);
            }
            *pivots += 1;
            self.pivot(&entering);
        }
        debug_assert!(
            self.tree.nodes.iter().all(|node| node.flow == 0 || node.parent as usize + 1 < self.tree.nodes.len()),
            "an artificial arc is too cheap"
        );
        Ok(())
    }

    /// Finds the best improving arc of the next block that has one; `None` once no arc improves.
    fn price(&mut self) -> Option<Entering> {
        let mut best = Entering { tail: NONE, head: NONE, reduced_cost: 0 };
        let mut in_block = 0;
        for _ in 0..self.tails.len() {
            let tail = &self.tails[self.next_tail];
            let axis = tail.axis as usize;
            let (length, stride) = (self.graph.lengths[axis], self.graph.strides[axis]);
            let costs = self.graph.costs_from(axis, tail.coordinate as usize);
            let own = self.potentials[tail.node as usize];
            let heads = &self.potentials[tail.heads as usize..];
            let mut threshold = best.reduced_cost - own;
            for (j, (&cost, &head)) in zip(costs, heads.iter().step_by(stride)).enumerate() {
                if cost - head < threshold {
                    threshold = cost - head;
                    best = Entering {
                        tail: tail.node,
                        head: tail.heads + (j * stride) as u32,
                        reduced_cost: threshold + own,
                    };
                }
            }
            self.next_tail += 1;
            if self.next_tail == self.tails.len() {
                self.next_tail = 0;
            }
            in_block += length;
            if in_block >= BLOCK {
                if best.tail != NONE {
                    return Some(best);
                }
                in_block = 0;
            }
        }
        (best.tail != NONE).then_some(best)
    }

    /// Sends flow around the cycle that the entering arc closes and exchanges it for a blocking arc.
    fn pivot(&mut self, entering: &Entering) {
        let &Entering { tail, head, reduced_cost } = entering;
        let join = self.tree.join(tail, head);
        // Of the arcs that block, the last one met along the cycle from the join must leave: this keeps
        // the tree strongly feasible. Hence the strict test below the tail and the weak one below the head.
        let mut step = i64::MAX;
        let mut leaving = NONE;
        let mut at_tail = true;
        let mut node = tail;
        while node != join {
            let Node { flow, parent, upward, .. } = self.tree.nodes[node as usize];
            if upward && flow < step {
                (step, leaving) = (flow, node);
            }
            node = parent;
        }
        node = head;
        while node != join {
            let Node { flow, parent, upward, .. } = self.tree.nodes[node as usize];
            if !upward && flow <= step {
                (step, leaving, at_tail) = (flow, node, false);
            }
            node = parent;
        }
        debug_assert_ne!(leaving, NONE, "a non-negative cost admits no unbounded cycle");
        if step > 0 {
            for (start, sign) in [(tail, -step), (head, step)] {
                let mut node = start;
                while node != join {
                    let here = &mut self.tree.nodes[node as usize];
                    here.flow += if here.upward { sign } else { -sign };
                    node = here.parent;
                }
            }
        }
        let (inner, outer, shift) = if at_tail { (tail, head, -reduced_cost) } else { (head, tail, reduced_cost) };
        self.tree.rehang(leaving, inner, outer, join, step, at_tail);
        self.tree.for_each_below(inner, |node| self.potentials[node as usize] += shift);
    }

    /// The arcs with positive flow, as (axis, number of cells moved, flow).
    pub(crate) fn moves(&self) -> impl Iterator<Item = (usize, usize, i64)> {
        let root = self.graph.node_count();
        (0..root).filter_map(move |node| {
            let Node { flow, parent, upward, .. } = self.tree.nodes[node];
            let parent = parent as usize;
            (flow > 0 && parent < root).then(|| {
                let (tail, head) = if upward { (node, parent) } else { (parent, node) };
                let axis = tail / self.graph.cell_count;
                let distance = self.graph.coordinate(axis, tail).abs_diff(self.graph.coordinate(axis, head));
                (axis, distance, flow)
            })
        })
    }

    /// The potential of every target; `None` where there is no target mass.
    pub(crate) fn potentials(&self) -> impl Iterator<Item = Option<i64>> {
        self.potentials[self.graph.targets()..self.graph.node_count()]
            .iter()
            .map(|&potential| (potential != CLOSED).then_some(potential))
    }
}
