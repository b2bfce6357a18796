//! Which pairs of successive points are looked at.

use crate::sample::Sample;

/// First points of at most `most` runs of `length` + 1 successive points, evenly spread over the records.
pub(super) fn starts(sample: &Sample, length: usize, most: usize) -> Vec<usize> {
    let all: Vec<usize> =
        sample.spans().into_iter().flat_map(|(begin, end)| begin..end.saturating_sub(length).max(begin)).collect();
    let step = all.len().div_ceil(most).max(1);
    all.into_iter().step_by(step).collect()
}
