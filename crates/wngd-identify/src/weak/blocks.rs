//! The split of the data into blocks, between which the scatter of the equations is measured.

use super::data::Data;

/// A stretch of the data.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    /// First point.
    pub(super) begin: usize,
    /// Last point; where the order counts it is the first of the next block as well.
    pub(super) end: usize,
    /// Which record it is of.
    pub(super) record: usize,
}

/// Blocks of nearly equal length, none across two records; fewer than `most`, in the order of the data.
///
/// On ordered data neighbours share a point, so that integrals over them add up.
pub(super) fn blocks(data: Data<'_>, most: usize) -> Vec<Block> {
    let count = data.count();
    let ordered = data.dt().is_some();
    // At least three points make an integral.
    let least = if ordered { 4 } else { 1 };
    let length = count.div_ceil(most.max(1)).max(least);
    let mut found = Vec::new();
    for (record, (begin, end)) in data.spans().into_iter().enumerate() {
        let points = end - begin;
        let pieces = (points / length).max(usize::from(points >= 2));
        for k in 0..pieces {
            let at = |k: usize| begin + k * (points - usize::from(ordered)) / pieces;
            let (first, next) = (at(k), at(k + 1));
            found.push(Block { begin: first, end: if ordered { next } else { next - 1 }, record });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;

    #[test]
    fn blocks_cover_each_record_once() {
        let points: Vec<f64> = (0..230).map(|i| (i as f64).sin()).collect();
        for dt in [None, Some(0.1)] {
            let sample = Sample::new(points.clone(), 1, vec![130, 100], dt).unwrap();
            let found = blocks(Data::Held(&sample), 10);
            assert!(found.len() <= 10 && found.len() >= 8, "{found:?}");
            assert_eq!((found[0].begin, found.last().unwrap().end), (0, 229));
            for pair in found.windows(2).filter(|pair| pair[0].record == pair[1].record) {
                assert_eq!(pair[1].begin, pair[0].end + usize::from(dt.is_none()));
            }
            assert!(found.iter().any(|b| b.end == 129) && found.iter().any(|b| b.begin == 130));
        }
    }
}
