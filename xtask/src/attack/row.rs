//! A line of the table.

/// One line of the table.
pub(super) struct Row {
    /// How often.
    pub(super) times: usize,
    /// What went wrong, the first few.
    pub(super) faults: Vec<String>,
    /// What else is worth a word.
    pub(super) remark: String,
}
