//! Bins of an axis: sorted, joined, and all of one width.

use thiserror::Error;

/// Share of a width by which an edge may be off an even lattice: edges are often written with few digits.
const ROUNDED: f64 = 0.01;

/// What bins make no axis of a grid.
#[derive(Debug, Error, PartialEq)]
pub(super) enum BinsError {
    /// Edges in the wrong order.
    #[error("a bin from {0} to {1} has no width; the right edge is greater than the left one")]
    Empty(f64, f64),
    /// Two bins that share a part.
    #[error("the bins [{}, {}] and [{}, {}] overlap; every value belongs to one bin", .0.0, .0.1, .1.0, .1.1)]
    Overlap((f64, f64), (f64, f64)),
    /// A part of the range without bins.
    #[error(
        "there is no bin between {0} and {1}; give it with its count, 0 if nothing was counted. If it was not observed, \
         take `wngd fit FILE --edges left,right --counts n`, which knows what a hole hides"
    )]
    Gap(f64, f64),
    /// Widths that differ.
    #[error(
        "the bins have widths from {0} to {1}, and a grid has one width; take `wngd fit FILE --edges left,right --counts \
         n`, which counts in bins of any width, or add narrow bins up to the width of the wide ones"
    )]
    Unequal(f64, f64),
}

/// An axis of a grid.
#[derive(Debug, PartialEq)]
pub(super) struct Axis {
    pub(super) lower: f64,
    pub(super) upper: f64,
    pub(super) cells: usize,
}

impl Axis {
    /// The axis that bins (left, right) make, in any order, any number of times each.
    pub(super) fn of(mut bins: Vec<(f64, f64)>) -> Result<Self, BinsError> {
        if let Some(&(left, right)) = bins.iter().find(|(left, right)| !(right > left)) {
            return Err(BinsError::Empty(left, right));
        }
        bins.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        bins.dedup();
        let width = |bin: &(f64, f64)| bin.1 - bin.0;
        let narrow = bins.iter().map(width).fold(f64::INFINITY, f64::min);
        let wide = bins.iter().map(width).fold(0.0, f64::max);
        for pair in bins.windows(2) {
            let gap = pair[1].0 - pair[0].1;
            if gap < -ROUNDED * narrow {
                return Err(BinsError::Overlap(pair[0], pair[1]));
            }
            if gap > ROUNDED * narrow {
                return Err(BinsError::Gap(pair[0].1, pair[1].0));
            }
        }
        let (Some(&(lower, _)), Some(&(_, upper))) = (bins.first(), bins.last()) else {
            return Err(BinsError::Empty(0.0, 0.0));
        };
        let even = (upper - lower) / bins.len() as f64;
        let off = |(i, bin): (usize, &(f64, f64))| (bin.0 - lower - i as f64 * even).abs() > ROUNDED * even;
        if bins.iter().enumerate().any(off) {
            return Err(BinsError::Unequal(narrow, wide));
        }
        Ok(Self { lower, upper, cells: bins.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_make_an_axis_in_any_order() {
        let bins = vec![(1.0, 2.0), (0.0, 1.0), (2.0, 3.0), (0.0, 1.0)];
        assert_eq!(Axis::of(bins), Ok(Axis { lower: 0.0, upper: 3.0, cells: 3 }));
        let thirds = vec![(0.0, 0.333), (0.333, 0.667), (0.667, 1.0)];
        assert_eq!(Axis::of(thirds).unwrap().cells, 3);
    }

    #[test]
    fn bins_that_make_none_are_named() {
        assert_eq!(Axis::of(vec![(0.0, 1.0), (1.0, 1.0)]), Err(BinsError::Empty(1.0, 1.0)));
        assert!(matches!(Axis::of(vec![(0.0, 1.0), (0.5, 1.5)]), Err(BinsError::Overlap(..))));
        assert_eq!(Axis::of(vec![(0.0, 1.0), (3.0, 4.0)]), Err(BinsError::Gap(1.0, 3.0)));
        assert_eq!(Axis::of(vec![(0.0, 1.0), (1.0, 3.0)]), Err(BinsError::Unequal(1.0, 2.0)));
    }
}
