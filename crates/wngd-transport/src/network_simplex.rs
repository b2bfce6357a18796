//! Primal network simplex on the layered graph of a separable transportation problem.
//!
//! A cost that is a sum over the axes lets mass move along one axis at a time: from the source cell
//! (i₁, …, i_d) to (j₁, i₂, …, i_d), then to (j₁, j₂, i₃, …, i_d), and so on. The
//! graph has `d + 1` layers of one node per cell, and layer `k` reaches layer `k + 1` along axis `k` at
//! cost wₖ(iₖ − jₖ)², so `N` cells with `n` per axis need d N n arcs in place of N².
//!
//! Flows, costs and potentials are integers. Flows then add up without rounding, "zero flow" has one
//! meaning, the strongly feasible trees of Cunningham rule out cycling in practice as in theory, and
//! termination, when no arc at all has a negative reduced cost, certifies optimality with no tolerance.
//!
//! # References
//!
//! - G. Auricchio, F. Bassetti, S. Gualandi, M. Veneroni, *Computing Kantorovich-Wasserstein distances on
//!   d-dimensional histograms using (d+1)-partite graphs*, NeurIPS 2018.
//! - W. H. Cunningham, *A network simplex method*, Mathematical Programming 11 (1976),
//!   doi:10.1007/BF01580379.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Marks the absence of a node in the tree links.
const NONE: u32 = u32::MAX;

/// Potential of a node that no arc may enter: low enough never to price out as an improvement, high
/// enough that adding a cost cannot overflow.
const CLOSED: i64 = i64::MIN / 4;

/// Arcs priced together, at least, before the best among them enters the basis.
const BLOCK: usize = 1024;

/// The pivot budget ran out before the flow was optimal.
pub(crate) struct PivotLimit;

/// Visits every grid line along `axis` as (first cell, stride, number of cells).
pub(crate) fn lines(cells: &[usize], axis: usize) -> impl Iterator<Item = (usize, usize, usize)> + use<> {
    let length = cells[axis];
    let stride: usize = cells[axis + 1..].iter().product();
    let outer: usize = cells[..axis].iter().product();
    (0..outer).flat_map(move |block| (0..stride).map(move |offset| (block * length * stride + offset, stride, length)))
}

/// For each row in `rows`, finds the first site minimising `cost(row, site)`.
///
/// The minimiser of a Monge cost never moves backwards as the row grows, so the middle row splits the
/// sites for the rows on either side: O((rows + sites) log rows) evaluations.
pub(crate) fn row_minima<T: PartialOrd + Copy>(
    rows: std::ops::Range<usize>,
    sites: &[usize],
    cost: &impl Fn(usize, usize) -> T,
    found: &mut impl FnMut(usize, usize, T),
) {
    let Some((&first, others)) = sites.split_first() else {
        return;
    };
    if rows.is_empty() {
        return;
    }
    let row = rows.start + rows.len() / 2;
    let (mut position, mut least) = (0, cost(row, first));
    for (index, &site) in others.iter().enumerate() {
        let value = cost(row, site);
        if value < least {
            (position, least) = (index + 1, value);
        }
    }
    found(row, sites[position], least);
    row_minima(rows.start..row, &sites[..=position], cost, found);
    row_minima(row + 1..rows.end, &sites[position..], cost, found);
}

/// A node of the spanning tree, with the flow on the arc that joins it to its parent.
#[derive(Clone, Copy)]
struct Node {
    flow: i64,
    parent: u32,
    first_child: u32,
    next_sibling: u32,
    previous_sibling: u32,
    /// Number of nodes in the subtree below and including this one.
    size: u32,
    /// Whether the arc points from this node to its parent.
    upward: bool,
}

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
    cell_count: usize,
    strides: Vec<usize>,
    lengths: Vec<usize>,
    /// Per axis, `w (i - j)^2` at position `length - 1 + j - i`, so that a tail reads a contiguous slice.
    costs: Vec<Vec<i64>>,
    tails: Vec<Tail>,
    nodes: Vec<Node>,
    potentials: Vec<i64>,
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
        let cell_count = source.len();
        let axes = cells.len();
        let root = (axes + 1) * cell_count;
        let strides: Vec<usize> = (0..axes).map(|k| cells[k + 1..].iter().product()).collect();
        let costs: Vec<Vec<i64>> = std::iter::zip(cells, weights)
            .map(|(&length, &weight)| {
                (0..2 * length - 1).map(|k| weight * (k.abs_diff(length - 1) as i64).pow(2)).collect()
            })
            .collect();
        let open = open_nodes(cells, source, target);

        let mut potentials = vec![CLOSED; root + 1];
        potentials[root] = 0;
        let mut parents = vec![NONE; root];
        let last = axes * cell_count;
        for cell in 0..cell_count {
            if open[last + cell] {
                potentials[last + cell] = guess[cell];
            }
        }
        for axis in (0..axes).rev() {
            let layer = axis * cell_count;
            for (start, stride, length) in lines(cells, axis) {
                let node = |coordinate: usize| layer + start + coordinate * stride;
                let sites: Vec<usize> = (0..length).filter(|&j| open[node(j) + cell_count]).collect();
                let (tails, heads) = potentials.split_at_mut(layer + cell_count);
                row_minima(
                    0..length,
                    &sites,
                    &|i, j| costs[axis][length - 1 + j - i] - heads[start + j * stride],
                    &mut |i, j, least: i64| {
                        if open[node(i)] {
                            tails[node(i)] = -least;
                            parents[node(i)] = (node(j) + cell_count) as u32;
                        }
                    },
                );
            }
        }

        let mut nodes = vec![
            Node {
                flow: 0,
                parent: NONE,
                first_child: NONE,
                next_sibling: NONE,
                previous_sibling: NONE,
                size: 1,
                upward: true,
            };
            root + 1
        ];
        for cell in 0..cell_count {
            nodes[cell].flow = source[cell];
            nodes[last + cell].flow = -target[cell];
            parents[last + cell] = root as u32;
        }
        // Large enough that replacing two artificial arcs by any path between cells saves cost.
        let dearest: i64 = costs.iter().map(|cost| cost[0]).sum();
        let (low, high) = (guess.iter().min(), guess.iter().max());
        let artificial = 1 + dearest + high.unwrap_or(&0) - low.unwrap_or(&0);
        let mut simplex = Self {
            cell_count,
            strides,
            lengths: cells.to_vec(),
            costs,
            tails: Vec::new(),
            nodes,
            potentials,
            next_tail: 0,
        };
        // Children precede their parents in this order, so sizes and flows accumulate in one pass.
        for child in (0..root).filter(|&node| open[node]) {
            let parent = parents[child];
            let Node { flow, size, .. } = simplex.nodes[child];
            simplex.nodes[parent as usize].size += size;
            if parent as usize == root {
                // A zero flow must be able to leave towards the root, or the tree is not strongly feasible.
                simplex.nodes[child].upward = flow >= 0;
                simplex.nodes[child].flow = flow.abs();
            } else {
                simplex.nodes[parent as usize].flow += flow;
            }
            simplex.attach(child as u32, parent);
        }
        // Back from the last layer, every node shifts with the target that it hangs from.
        for node in (0..root).rev().filter(|&node| open[node]) {
            let parent = parents[node] as usize;
            simplex.potentials[node] = if parent < root {
                simplex.potentials[parent] - simplex.cost(node, parent)
            } else if simplex.nodes[node].upward {
                simplex.potentials[node] - artificial
            } else {
                simplex.potentials[node] + artificial
            };
        }
        simplex.tails = (0..last)
            .filter(|&node| open[node])
            .map(|node| {
                let axis = node / cell_count;
                let coordinate = simplex.coordinate(axis, node);
                Tail {
                    node: node as u32,
                    heads: (node + cell_count - coordinate * simplex.strides[axis]) as u32,
                    coordinate: coordinate as u32,
                    axis: axis as u32,
                }
            })
            .collect();
        simplex
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
            self.nodes.iter().all(|node| node.flow == 0 || node.parent as usize + 1 < self.nodes.len()),
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
            let (length, stride) = (self.lengths[axis], self.strides[axis]);
            let costs = &self.costs[axis][length - 1 - tail.coordinate as usize..][..length];
            let own = self.potentials[tail.node as usize];
            let heads = &self.potentials[tail.heads as usize..];
            let mut threshold = best.reduced_cost - own;
            for (j, (&cost, &head)) in std::iter::zip(costs, heads.iter().step_by(stride)).enumerate() {
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
        let join = self.join(tail, head);
        // Of the arcs that block, the last one met along the cycle from the join must leave: this keeps
        // the tree strongly feasible. Hence the strict test below the tail and the weak one below the head.
        let mut step = i64::MAX;
        let mut leaving = NONE;
        let mut at_tail = true;
        let mut node = tail;
        while node != join {
            let Node { flow, parent, upward, .. } = self.nodes[node as usize];
            if upward && flow < step {
                (step, leaving) = (flow, node);
            }
            node = parent;
        }
        node = head;
        while node != join {
            let Node { flow, parent, upward, .. } = self.nodes[node as usize];
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
                    let here = &mut self.nodes[node as usize];
                    here.flow += if here.upward { sign } else { -sign };
                    node = here.parent;
                }
            }
        }
        let (inner, outer, shift) = if at_tail { (tail, head, -reduced_cost) } else { (head, tail, reduced_cost) };
        self.rehang(leaving, inner, outer, join, step, at_tail);
        self.shift_subtree(inner, shift);
    }

    /// The deepest common ancestor of two nodes: sizes grow strictly along the way to the root.
    fn join(&self, mut first: u32, mut second: u32) -> u32 {
        while first != second {
            let (a, b) = (&self.nodes[first as usize], &self.nodes[second as usize]);
            if a.size < b.size {
                first = a.parent;
            } else {
                second = b.parent;
            }
        }
        first
    }

    /// Cuts the subtree of `leaving` off and hangs it by its node `inner` from `outer`.
    fn rehang(&mut self, leaving: u32, inner: u32, outer: u32, join: u32, mut flow: i64, mut upward: bool) {
        let moved = self.nodes[leaving as usize].size;
        let mut node = self.nodes[leaving as usize].parent;
        while node != join {
            self.nodes[node as usize].size -= moved;
            node = self.nodes[node as usize].parent;
        }
        node = outer;
        while node != join {
            self.nodes[node as usize].size += moved;
            node = self.nodes[node as usize].parent;
        }
        // The path from `inner` up to `leaving` turns upside down.
        let (mut child, mut parent, mut size) = (inner, outer, moved);
        loop {
            let before = self.nodes[child as usize];
            self.detach(child);
            self.attach(child, parent);
            let after = &mut self.nodes[child as usize];
            (after.flow, after.upward, after.size) = (flow, upward, size);
            if child == leaving {
                break;
            }
            (flow, upward, size) = (before.flow, !before.upward, moved - before.size);
            (child, parent) = (before.parent, child);
        }
    }

    fn detach(&mut self, child: u32) {
        let Node { parent, next_sibling, previous_sibling, .. } = self.nodes[child as usize];
        if previous_sibling == NONE {
            self.nodes[parent as usize].first_child = next_sibling;
        } else {
            self.nodes[previous_sibling as usize].next_sibling = next_sibling;
        }
        if next_sibling != NONE {
            self.nodes[next_sibling as usize].previous_sibling = previous_sibling;
        }
    }

    fn attach(&mut self, child: u32, parent: u32) {
        let next = std::mem::replace(&mut self.nodes[parent as usize].first_child, child);
        if next != NONE {
            self.nodes[next as usize].previous_sibling = child;
        }
        let here = &mut self.nodes[child as usize];
        (here.parent, here.next_sibling, here.previous_sibling) = (parent, next, NONE);
    }

    /// Adds `shift` to the potential of `top` and of everything that hangs from it.
    fn shift_subtree(&mut self, top: u32, shift: i64) {
        let mut node = top;
        loop {
            self.potentials[node as usize] += shift;
            let here = &self.nodes[node as usize];
            if here.first_child != NONE {
                node = here.first_child;
                continue;
            }
            while node != top && self.nodes[node as usize].next_sibling == NONE {
                node = self.nodes[node as usize].parent;
            }
            if node == top {
                return;
            }
            node = self.nodes[node as usize].next_sibling;
        }
    }

    fn coordinate(&self, axis: usize, node: usize) -> usize {
        node / self.strides[axis] % self.lengths[axis]
    }

    /// Cost of the arc from `tail` to a node `head` of the next layer.
    fn cost(&self, tail: usize, head: usize) -> i64 {
        let axis = tail / self.cell_count;
        let (i, j) = (self.coordinate(axis, tail), self.coordinate(axis, head));
        self.costs[axis][self.lengths[axis] - 1 + j - i]
    }

    /// The arcs with positive flow, as (axis, number of cells moved, flow).
    pub(crate) fn moves(&self) -> impl Iterator<Item = (usize, usize, i64)> {
        let root = self.nodes.len() - 1;
        (0..root).filter_map(move |node| {
            let Node { flow, parent, upward, .. } = self.nodes[node];
            let parent = parent as usize;
            (flow > 0 && parent < root).then(|| {
                let (tail, head) = if upward { (node, parent) } else { (parent, node) };
                let axis = tail / self.cell_count;
                let distance = self.coordinate(axis, tail).abs_diff(self.coordinate(axis, head));
                (axis, distance, flow)
            })
        })
    }

    /// Twice the potential of the targets, halfway between the extremes of the optimal ones; `None`
    /// where there is no target mass.
    ///
    /// The optimal potentials that agree at one node form an interval: the distances from that node and
    /// to that node in the residual graph bound the others from above and from below. Their mean depends
    /// on the masses alone, not on the route the pivots took, and keeps the symmetries of the data.
    pub(crate) fn twice_centred_potentials(&self, reference: usize) -> Vec<Option<i64>> {
        let above = self.residual_distances(reference, true);
        let below = self.residual_distances(reference, false);
        let last = self.lengths.len() * self.cell_count;
        (last..last + self.cell_count)
            .map(|node| {
                let potential = self.potentials[node];
                (potential != CLOSED).then(|| 2 * potential + above[node] - below[node])
            })
            .collect()
    }

    /// The potential of every target; `None` where there is no target mass.
    pub(crate) fn potentials(&self) -> impl Iterator<Item = Option<i64>> {
        let last = self.lengths.len() * self.cell_count;
        self.potentials[last..last + self.cell_count]
            .iter()
            .map(|&potential| (potential != CLOSED).then_some(potential))
    }

    /// Shortest residual distances from (`forward`) or to `reference`; lengths are reduced costs, and
    /// arcs that carry flow may be taken backwards at no cost.
    fn residual_distances(&self, reference: usize, forward: bool) -> Vec<i64> {
        let root = self.nodes.len() - 1;
        let mut distances = vec![i64::MAX; root];
        let mut heap = BinaryHeap::from([Reverse((0, reference as u32))]);
        distances[reference] = 0;
        while let Some(Reverse((distance, node))) = heap.pop() {
            let node = node as usize;
            if distance > distances[node] {
                continue;
            }
            let mut relax = |other: usize, length: i64| {
                if distance + length < distances[other] {
                    distances[other] = distance + length;
                    heap.push(Reverse((distance + length, other as u32)));
                }
            };
            // Tree arcs with flow have zero length in both directions.
            let here = &self.nodes[node];
            if here.flow > 0 && (here.parent as usize) < root {
                relax(here.parent as usize, 0);
            }
            let mut child = here.first_child;
            while child != NONE {
                if self.nodes[child as usize].flow > 0 {
                    relax(child as usize, 0);
                }
                child = self.nodes[child as usize].next_sibling;
            }
            let (axis, opposite) = match (forward, node / self.cell_count) {
                (true, layer) if layer < self.lengths.len() => (layer, node + self.cell_count),
                (false, layer) if layer > 0 => (layer - 1, node - self.cell_count),
                _ => continue,
            };
            let (length, stride) = (self.lengths[axis], self.strides[axis]);
            let coordinate = self.coordinate(axis, node);
            let start = opposite - coordinate * stride;
            let own = self.potentials[node];
            for other in 0..length {
                let neighbour = start + other * stride;
                let potential = self.potentials[neighbour];
                if potential == CLOSED {
                    continue;
                }
                let rise = if forward { own - potential } else { potential - own };
                relax(neighbour, self.costs[axis][length - 1 + other - coordinate] + rise);
            }
        }
        distances
    }
}

/// Marks the nodes that lie on a path from a cell with source mass to a cell with target mass.
fn open_nodes(cells: &[usize], source: &[i64], target: &[i64]) -> Vec<bool> {
    let cell_count = source.len();
    let axes = cells.len();
    let mut from_source: Vec<bool> = source.iter().map(|&mass| mass > 0).collect();
    let mut to_target: Vec<bool> = target.iter().map(|&mass| mass > 0).collect();
    let spread = |marks: &mut [bool], axis: usize| {
        for (start, stride, length) in lines(cells, axis) {
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
        std::iter::zip(marks, &to_target).for_each(|(mark, &reached)| *mark &= reached);
    }
    open
}
