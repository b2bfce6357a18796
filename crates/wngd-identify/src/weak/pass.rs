//! A pass over the points, block by block: over all at once where they are held, else in parts as they are read.
//!
//! Sums of a block are always taken in the order of its points and in the same batches, so that neither the number of threads nor
//! the size of the parts changes a bit.

use rayon::prelude::*;

use super::batch::BATCH;
use super::blocks::Block;
use super::data::Data;
use crate::dynamics::Dynamics;
use crate::error::{IdentifyError, PointsError};
use crate::stream::Stream;

/// Numbers of a part that is read at a time.
const PART: usize = 1 << 19;
/// Groups of functions that threads share of one block where blocks are long.
const GROUPS: usize = 4;

/// What is summed over the points of a block.
pub(super) trait Gather: Sync {
    /// Sums that are not yet complete.
    type Sums: Send;
    /// Sums of no points for a group of functions, of so many groups.
    fn begin(&self, group: usize, groups: usize) -> Self::Sums;
    /// Adds points of a block, row-major, the first of which is number `from` of the data. All calls but the last of a block
    /// have whole batches.
    fn add(&self, sums: &mut Self::Sums, block: &Block, from: usize, rows: &[f64]);
    /// The sums of all points, functions of the group in a row.
    fn end(&self, sums: Self::Sums) -> Vec<f64>;
}

/// What a pass gathered.
#[derive(Debug, Clone)]
pub(super) struct Gathered {
    /// Per block.
    pub(super) sums: Vec<Vec<f64>>,
    /// First and last point of each block.
    pub(super) ends: Vec<[Vec<f64>; 2]>,
}

/// Sums over the points of each block.
///
/// # Cost
/// One reading where points are not held, with two parts of half a million numbers in memory: one is read while the other is
/// summed.
///
/// # Errors
/// Points that cannot be read again; [`IdentifyError::Stopped`].
pub(super) fn pass(
    data: Data<'_>,
    blocks: &[Block],
    gather: &impl Gather,
    dynamics: &Dynamics,
) -> Result<Gathered, IdentifyError> {
    match data {
        Data::Parts(stream) => in_parts(stream, blocks, gather, dynamics, PART),
        Data::Held(sample) => {
            let one = |block: &Block| {
                let rows = &sample.points[block.begin * sample.dim..(block.end + 1) * sample.dim];
                let mut sums = gather.begin(0, 1);
                gather.add(&mut sums, block, block.begin, rows);
                gather.end(sums)
            };
            let sums = blocks.par_iter().map(one).collect();
            let ends = blocks.iter().map(|b| [b.begin, b.end].map(|i| sample.point(i).to_vec())).collect();
            Ok(Gathered { sums, ends })
        }
    }
}

/// Points of one block that are in memory.
struct Piece {
    block: usize,
    from: usize,
    /// One past the last.
    to: usize,
    /// Whether the block ends here.
    whole: bool,
}

fn in_parts<G: Gather>(
    stream: &Stream,
    blocks: &[Block],
    gather: &G,
    dynamics: &Dynamics,
    part: usize,
) -> Result<Gathered, IdentifyError> {
    let dim = stream.dim();
    // Besides what is read there is room for a batch that was left over.
    let rows = (part / dim).max(2 * BATCH);
    let mut now = vec![0.0; (rows + BATCH) * dim];
    let mut next = now.clone();
    let mut reading = stream.rows();
    // Points `first..first + count` of the data are in `now`.
    let (mut first, mut count) = (0, reading.fill(&mut now[..rows * dim])?);
    let mut sums: Vec<Vec<f64>> = vec![Vec::new(); blocks.len()];
    let mut ends = vec![[Vec::new(), Vec::new()]; blocks.len()];
    // The block under way, how many of its points were summed, and their sums per group.
    let (mut at, mut done, mut carried) = (0, 0, None);
    while at < blocks.len() {
        if dynamics.stopped() {
            return Err(IdentifyError::Stopped);
        }
        let (pieces, reached) = pieces(blocks, (at, done), first + count);
        let row = |i: usize| &now[(i - first) * dim..(i - first + 1) * dim];
        for piece in &pieces {
            let block = blocks[piece.block];
            if piece.from == block.begin {
                ends[piece.block][0] = row(block.begin).to_vec();
            }
            if piece.whole {
                ends[piece.block][1] = row(block.end).to_vec();
            }
        }
        // What is not summed yet goes before what is read next.
        let needed = blocks.get(reached.0).map_or(first + count, |b| b.begin + reached.1).min(first + count);
        let left = first + count - needed;
        next[..left * dim].copy_from_slice(&now[(needed - first) * dim..count * dim]);
        let room = &mut next[left * dim..(left + rows) * dim];
        let (read, summed) =
            rayon::join(|| reading.fill(room), || add(gather, blocks, &pieces, (&now, first), dim, carried.take()));
        let read = read?;
        for (piece, groups) in pieces.iter().zip(summed) {
            if piece.whole {
                sums[piece.block] = groups.into_iter().flat_map(|group| gather.end(group)).collect();
            } else {
                carried = Some(groups);
            }
        }
        if read == 0 && reached == (at, done) && pieces.is_empty() {
            // Counted once, read to the end, and still a block is not whole.
            let now = first + count;
            return Err(PointsError::Changed { record: blocks[at].record, before: stream.count(), now }.into());
        }
        (at, done) = reached;
        (first, count) = (needed, left + read);
        std::mem::swap(&mut now, &mut next);
    }
    Ok(Gathered { sums, ends })
}

/// Pieces of blocks from block `at` on, of which `done` points were summed, up to point `until`; and block and points summed after
/// them. A block that does not end there has whole batches, the rest of it waits.
fn pieces(blocks: &[Block], (mut at, mut done): (usize, usize), until: usize) -> (Vec<Piece>, (usize, usize)) {
    let mut found = Vec::new();
    while let Some(block) = blocks.get(at) {
        let from = block.begin + done;
        let whole = block.end < until;
        let to = if whole { block.end + 1 } else { from + until.saturating_sub(from) / BATCH * BATCH };
        if to > from {
            found.push(Piece { block: at, from, to, whole });
        }
        if !whole {
            return (found, (at, to - block.begin));
        }
        (at, done) = (at + 1, 0);
    }
    (found, (at, done))
}

/// Adds the pieces to sums that are their own but for the first, which may go on with those carried over.
fn add<G: Gather>(
    gather: &G,
    blocks: &[Block],
    pieces: &[Piece],
    (points, first): (&[f64], usize),
    dim: usize,
    carried: Option<Vec<G::Sums>>,
) -> Vec<Vec<G::Sums>> {
    // Short blocks are shared out as they are; each group makes powers of the points anew.
    let groups = if pieces.len() > GROUPS { 1 } else { GROUPS };
    let mut begun: Vec<Vec<G::Sums>> = Vec::with_capacity(pieces.len());
    let mut carried = carried;
    for piece in pieces {
        let fresh = || (0..groups).map(|group| gather.begin(group, groups)).collect();
        let goes_on = piece.from > blocks[piece.block].begin;
        begun.push(if goes_on { carried.take().unwrap_or_else(fresh) } else { fresh() });
    }
    let tasks = begun.iter_mut().zip(pieces).flat_map(|(sums, piece)| sums.iter_mut().map(move |s| (s, piece)));
    tasks.collect::<Vec<_>>().into_par_iter().for_each(|(sums, piece)| {
        let rows = &points[(piece.from - first) * dim..(piece.to - first) * dim];
        gather.add(sums, &blocks[piece.block], piece.from, rows);
    });
    begun
}

#[cfg(test)]
mod tests {
    use super::super::blocks::blocks;
    use super::*;
    use crate::points::InMemory;
    use crate::sample::Sample;
    use wngd_models::flow::system;

    /// Sums of the points with signs that change from one batch to the next, so that neither order nor batches may differ.
    struct Signs;

    impl Gather for Signs {
        type Sums = (usize, f64);
        fn begin(&self, group: usize, groups: usize) -> Self::Sums {
            (group * 10 + groups, 0.0)
        }
        fn add(&self, sums: &mut Self::Sums, block: &Block, from: usize, rows: &[f64]) {
            assert_eq!((from - block.begin) % BATCH, 0);
            for (k, batch) in rows.chunks(2 * BATCH).enumerate() {
                let sign = if ((from - block.begin) / BATCH + k).is_multiple_of(2) { 1.0 } else { -0.3 };
                sums.1 = 1.01 * sums.1 + sign * batch.iter().sum::<f64>();
            }
        }
        fn end(&self, sums: Self::Sums) -> Vec<f64> {
            vec![sums.1]
        }
    }

    #[test]
    fn parts_of_any_size_and_records_of_any_length_have_the_same_sums() {
        let lorenz = system("lorenz63").unwrap();
        let dynamics = Dynamics::new(lorenz.field, lorenz.theta, None).unwrap();
        let points: Vec<f64> = (0..2 * 7001).map(|i| (i as f64 * 0.731).sin()).collect();
        for (records, most) in [(vec![7001], 13), (vec![7001], 400), (vec![1, 3000, 2, 3998], 29)] {
            for dt in [None, Some(0.1)] {
                let sample = Sample::new(points.clone(), 2, records.clone(), dt).unwrap();
                let source = Box::new(InMemory::new(points.clone(), 2, records.clone()).unwrap());
                let stream = Stream::new(source, dt, true).unwrap();
                let split = blocks(Data::Held(&sample), most);
                assert_eq!(format!("{split:?}"), format!("{:?}", blocks(Data::Parts(&stream), most)));
                let held = pass(Data::Held(&sample), &split, &Signs, &dynamics).unwrap();
                for part in [1, 700, 2000, 1 << 19] {
                    let found = in_parts(&stream, &split, &Signs, &dynamics, part).unwrap();
                    assert_eq!(found.ends, held.ends);
                    for (found, held) in found.sums.iter().zip(&held.sums) {
                        assert!(found.iter().all(|v| v == &held[0]) && [1, GROUPS].contains(&found.len()));
                    }
                }
            }
        }
    }
}
