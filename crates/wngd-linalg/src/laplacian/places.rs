//! The order of a solve's unknowns.

/// Where the cells are in a solve's panels.
#[derive(Debug)]
pub(super) struct Places {
    /// Cell at each row of a panel.
    pub(super) order: Vec<usize>,
    /// Row of each cell.
    pub(super) position: Vec<usize>,
}
