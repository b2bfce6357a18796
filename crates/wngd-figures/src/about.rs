//! A figure in words.

/// What a figure is called, and what it shows in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Name of its files, without a suffix.
    pub stem: String,
    /// Caption.
    pub caption: String,
    /// What can be seen, for those who cannot see it.
    pub alt: String,
}

impl About {
    pub(crate) fn new(stem: impl Into<String>, caption: impl Into<String>, alt: impl Into<String>) -> Self {
        Self { stem: stem.into(), caption: caption.into(), alt: alt.into() }
    }
}
