//! From a level to the next coarser one: which cells stay, and what the others take from them.

use rayon::prelude::*;

use super::level::Level;

/// Axes with cells up to this much wider than the narrowest ones are coarsened together with them.
const ALIKE: f64 = 1.5;

/// Weights of each coarse cell in the fine cells around it.
#[derive(Debug)]
pub(super) struct Interpolation {
    /// Fine cells per coarse one along a row and across: 1 or 2.
    pub(super) factor: [usize; 2],
    /// Cells of the coarse level along a row, and its rows.
    pub(super) coarse: [usize; 2],
    /// In the coarse level's layout.
    weights: Vec<Weights>,
}

/// What the fine cells around a coarse one take of it: [row above or below][column before or after], 1 in the middle.
pub(super) type Weights = [[f64; 3]; 3];

/// Shares of two values, as large as their weights; none of either where there is no weight.
fn shares(a: f64, b: f64) -> (f64, f64) {
    let (a, b) = (a.max(0.0), b.max(0.0));
    let sum = a + b;
    if sum > 0.0 { (a / sum, b / sum) } else { (0.0, 0.0) }
}

impl Interpolation {
    pub(super) fn new(level: &Level) -> Self {
        let sizes = [level.columns, level.rows];
        let narrowest = (0..2).filter(|&a| sizes[a] > 1).map(|a| level.spacing[a]).fold(f64::INFINITY, f64::min);
        let factor = std::array::from_fn(|a| if sizes[a] > 1 && level.spacing[a] <= ALIKE * narrowest { 2 } else { 1 });
        let coarse: [usize; 2] = std::array::from_fn(|a| sizes[a].div_ceil(factor[a]));
        let mut weights = vec![[[0.0; 3]; 3]; (coarse[0] + 2) * (coarse[1] + 2)];
        let (width, fine) = (coarse[0] + 2, level.width());
        let tasks = level.rows_of_task().div_ceil(factor[1]);
        weights.par_chunks_mut(width).enumerate().with_min_len(tasks).for_each(|(j, row)| {
            if !(1..=coarse[1]).contains(&j) {
                return;
            }
            let y = (j - 1) * factor[1] + 1;
            for (i, weights) in row.iter_mut().enumerate().skip(1).take(coarse[0]) {
                let x = (i - 1) * factor[0] + 1;
                *weights = Self::of(level, y * fine + x, [x, y], factor);
            }
        });
        Self { factor, coarse, weights }
    }

    /// The weights of the coarse cell at a fine cell.
    fn of(level: &Level, at: usize, [x, y]: [usize; 2], factor: [usize; 2]) -> Weights {
        let width = level.width();
        let (before, after) = (x > 1, x < level.columns);
        let (below, above) = (y > 1, y < level.rows);
        let mut weights = [[0.0; 3]; 3];
        weights[1][1] = if level.diagonal[at] > 0.0 { 1.0 } else { 0.0 };
        if factor[0] == 2 {
            weights[1][0] = if before { along(level, at - 1).1 } else { 0.0 };
            weights[1][2] = if after { along(level, at + 1).0 } else { 0.0 };
        }
        if factor[1] == 2 {
            weights[0][1] = if below { across(level, at - width).1 } else { 0.0 };
            weights[2][1] = if above { across(level, at + width).0 } else { 0.0 };
        }
        if factor == [2, 2] {
            weights[0][0] = if below && before { between(level, at - width - 1)[3] } else { 0.0 };
            weights[0][2] = if below && after { between(level, at - width + 1)[2] } else { 0.0 };
            weights[2][0] = if above && before { between(level, at + width - 1)[1] } else { 0.0 };
            weights[2][2] = if above && after { between(level, at + width + 1)[0] } else { 0.0 };
        }
        weights
    }

    /// The weights of a coarse cell, given by its place in the coarse level's layout.
    pub(super) fn weights(&self, at: usize) -> &Weights {
        &self.weights[at]
    }

    /// coarse ← Pᵀ fine.
    pub(super) fn restrict<const W: usize>(&self, level: &Level, fine: &[[f64; W]], coarse: &mut [[f64; W]]) {
        let (width, wide) = (level.width(), self.coarse[0] + 2);
        let tasks = level.rows_of_task().div_ceil(self.factor[1]);
        coarse.par_chunks_mut(wide).enumerate().with_min_len(tasks).for_each(|(j, row)| {
            if !(1..=self.coarse[1]).contains(&j) {
                return;
            }
            let y = (j - 1) * self.factor[1] + 1;
            for i in 1..=self.coarse[0] {
                let at = y * width + (i - 1) * self.factor[0] + 1;
                let weights = &self.weights[j * wide + i];
                let mut sum = [0.0; W];
                for (b, weights) in weights.iter().enumerate() {
                    let around = &fine[at + b * width - width - 1..][..3];
                    for (value, &weight) in around.iter().zip(weights) {
                        for w in 0..W {
                            sum[w] += weight * value[w];
                        }
                    }
                }
                row[i] = sum;
            }
        });
    }

    /// fine ← fine + P coarse.
    pub(super) fn prolong<const W: usize>(&self, level: &Level, coarse: &[[f64; W]], fine: &mut [[f64; W]]) {
        let (width, wide) = (level.width(), self.coarse[0] + 2);
        fine.par_chunks_mut(width).enumerate().with_min_len(level.rows_of_task()).for_each(|(y, row)| {
            if !(1..=level.rows).contains(&y) {
                return;
            }
            // Coarse rows that this one takes from, and which of their rows of weights it is.
            let (j, odd) = ((y - 1) / self.factor[1] + 1, !(y - 1).is_multiple_of(self.factor[1]));
            let from = if odd { [Some((j, 2)), Some((j + 1, 0))] } else { [Some((j, 1)), None] };
            for (j, b) in from.into_iter().flatten() {
                let values = &coarse[j * wide..][..wide];
                let weights = &self.weights[j * wide..][..wide];
                if self.factor[0] == 1 {
                    for i in 1..=level.columns {
                        for w in 0..W {
                            row[i][w] += weights[i][b][1] * values[i][w];
                        }
                    }
                    continue;
                }
                for i in 1..=self.coarse[0] {
                    let x = 2 * i - 1;
                    for w in 0..W {
                        row[x][w] += weights[i][b][1] * values[i][w];
                        row[x + 1][w] += weights[i][b][2] * values[i][w] + weights[i + 1][b][0] * values[i + 1][w];
                    }
                }
            }
        });
    }
}

/// What a cell between two coarse ones of its row takes of the one before and the one after.
fn along(level: &Level, at: usize) -> (f64, f64) {
    let a = level.around(at);
    shares(a.west + (a.south_west + a.north_west), a.east + (a.south_east + a.north_east))
}

/// The same for a cell between two coarse ones of its column: below, above.
fn across(level: &Level, at: usize) -> (f64, f64) {
    let a = level.around(at);
    shares(a.south + (a.south_west + a.south_east), a.north + (a.north_west + a.north_east))
}

/// What a cell between four coarse ones takes of them: by its own equation, from the cells beside it.
fn between(level: &Level, at: usize) -> [f64; 4] {
    let (a, width) = (level.around(at), level.width());
    let (west, east) = (across(level, at - 1), across(level, at + 1));
    let (south, north) = (along(level, at - width), along(level, at + width));
    let all = [
        a.south_west + (a.west * west.0 + a.south * south.0),
        a.south_east + (a.east * east.0 + a.south * south.1),
        a.north_west + (a.west * west.1 + a.north * north.0),
        a.north_east + (a.east * east.1 + a.north * north.1),
    ];
    let all = all.map(|v| v.max(0.0));
    let sum = (all[0] + all[3]) + (all[1] + all[2]);
    if sum > 0.0 { all.map(|v| v / sum) } else { [0.0; 4] }
}
