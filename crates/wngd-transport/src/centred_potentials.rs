//! The potential in the middle of the optimal ones.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::network_simplex::{CLOSED, NetworkSimplex};
use crate::spanning_tree::NONE;

/// Twice the potential of the targets, halfway between the extremes of the optimal ones; `None`
/// where there is no target mass.
///
/// The optimal potentials that agree at one node form an interval: the distances from that node and
/// to that node in the residual graph bound the others from above and from below. Their mean depends
/// on the masses alone, not on the route the pivots took, and keeps the symmetries of the data.
pub(crate) fn twice_centred_potentials(simplex: &NetworkSimplex, reference: usize) -> Vec<Option<i64>> {
    let above = residual_distances(simplex, reference, true);
    let below = residual_distances(simplex, reference, false);
    (simplex.graph.targets()..simplex.graph.node_count())
        .map(|node| {
            let potential = simplex.potentials[node];
            (potential != CLOSED).then(|| 2 * potential + above[node] - below[node])
        })
        .collect()
}

/// Shortest residual distances from (`forward`) or to `reference`; lengths are reduced costs, and
/// arcs that carry flow may be taken backwards at no cost.
fn residual_distances(simplex: &NetworkSimplex, reference: usize, forward: bool) -> Vec<i64> {
    let NetworkSimplex { graph, tree, potentials, .. } = simplex;
    let root = graph.node_count();
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
        let here = &tree.nodes[node];
        if here.flow > 0 && (here.parent as usize) < root {
            relax(here.parent as usize, 0);
        }
        let mut child = here.first_child;
        while child != NONE {
            if tree.nodes[child as usize].flow > 0 {
                relax(child as usize, 0);
            }
            child = tree.nodes[child as usize].next_sibling;
        }
        let (axis, opposite) = match (forward, node / graph.cell_count) {
            (true, layer) if layer < graph.lengths.len() => (layer, node + graph.cell_count),
            (false, layer) if layer > 0 => (layer - 1, node - graph.cell_count),
            _ => continue,
        };
        let (length, stride) = (graph.lengths[axis], graph.strides[axis]);
        let coordinate = graph.coordinate(axis, node);
        let start = opposite - coordinate * stride;
        let (own, costs) = (potentials[node], graph.costs_from(axis, coordinate));
        for other in 0..length {
            let neighbour = start + other * stride;
            let potential = potentials[neighbour];
            if potential == CLOSED {
                continue;
            }
            let rise = if forward { own - potential } else { potential - own };
            relax(neighbour, costs[other] + rise);
        }
    }
    distances
}
