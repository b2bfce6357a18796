//! Disjoint sets of cells (union–find).

/// Sets of 0 … n − 1, each named by one of its members.
pub(crate) struct Forest {
    parent: Vec<usize>,
}

impl Forest {
    /// Every number a set of its own.
    pub(crate) fn new(n: usize) -> Self {
        Self { parent: (0..n).collect() }
    }

    /// The name of the set that holds `i`.
    pub(crate) fn find(&mut self, i: usize) -> usize {
        let (mut i, parent) = (i, &mut self.parent);
        while parent[i] != i {
            parent[i] = parent[parent[i]];
            i = parent[i];
        }
        i
    }

    /// Makes one set of two, given their names; it has the first one's.
    pub(crate) fn join(&mut self, keep: usize, drop: usize) {
        self.parent[drop] = keep;
    }
}
