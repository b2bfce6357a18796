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

/// A name as a part of a file's name: what is no letter, digit, '_' or '.' becomes one '-', none at the ends.
pub(crate) fn in_file_names(name: &str) -> String {
    let words = name.split(|c: char| !(c.is_ascii_alphanumeric() || "_.".contains(c)));
    // The dot of `mean[0].age` follows what became a '-' already.
    words.map(|word| word.trim_start_matches('.')).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}

impl About {
    pub(crate) fn new(stem: impl Into<String>, caption: impl Into<String>, alt: impl Into<String>) -> Self {
        Self { stem: stem.into(), caption: caption.into(), alt: alt.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_parameters_become_names_of_files() {
        assert_eq!(in_file_names("means[0][1]"), "means-0-1");
        assert_eq!(in_file_names("mean[0].age"), "mean-0-age");
        assert_eq!(in_file_names("../α/θ.x"), "x");
    }
}
