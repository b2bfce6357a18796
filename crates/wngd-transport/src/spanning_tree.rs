//! A rooted spanning tree whose nodes carry the flow on the arc to their parent.

/// Marks the absence of a node in the tree links.
pub(crate) const NONE: u32 = u32::MAX;

/// A node of the spanning tree, with the flow on the arc that joins it to its parent.
#[derive(Clone, Copy)]
pub(crate) struct Node {
    pub(crate) flow: i64,
    pub(crate) parent: u32,
    pub(crate) first_child: u32,
    pub(crate) next_sibling: u32,
    pub(crate) previous_sibling: u32,
    /// Number of nodes in the subtree below and including this one.
    pub(crate) size: u32,
    /// Whether the arc points from this node to its parent.
    pub(crate) upward: bool,
}

/// The nodes, linked to parents, children and siblings.
pub(crate) struct SpanningTree {
    pub(crate) nodes: Vec<Node>,
}

impl SpanningTree {
    /// Nodes without links or flow.
    pub(crate) fn new(node_count: usize) -> Self {
        let node = Node {
            flow: 0,
            parent: NONE,
            first_child: NONE,
            next_sibling: NONE,
            previous_sibling: NONE,
            size: 1,
            upward: true,
        };
        Self { nodes: vec![node; node_count] }
    }

    /// The deepest common ancestor of two nodes: sizes grow strictly along the way to the root.
    pub(crate) fn join(&self, mut first: u32, mut second: u32) -> u32 {
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
    pub(crate) fn rehang(&mut self, leaving: u32, inner: u32, outer: u32, join: u32, mut flow: i64, mut upward: bool) {
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

    pub(crate) fn attach(&mut self, child: u32, parent: u32) {
        let next = std::mem::replace(&mut self.nodes[parent as usize].first_child, child);
        if next != NONE {
            self.nodes[next as usize].previous_sibling = child;
        }
        let here = &mut self.nodes[child as usize];
        (here.parent, here.next_sibling, here.previous_sibling) = (parent, next, NONE);
    }

    /// Visits `top` and everything that hangs from it.
    pub(crate) fn for_each_below(&self, top: u32, mut visit: impl FnMut(u32)) {
        let mut node = top;
        loop {
            visit(node);
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
}
