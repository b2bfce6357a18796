//! The Laplacian of a graph on a grid of the plane: its stencil, its smoother and its residuals.

use rayon::prelude::*;

/// Cells that a task takes at least: below, threads cost more than they save.
const TASK: usize = 8192;

/// Σ w (φ_a − φ_b)² over the edges between neighbours, diagonal ones included on coarse levels.
///
/// Arrays have a frame of one cell without edges around the grid, so that no loop asks where it is: entry
/// (j + 1) width + i + 1 for column i of row j.
#[derive(Debug)]
pub(super) struct Level {
    /// Cells of a row, and rows.
    pub(super) columns: usize,
    pub(super) rows: usize,
    /// Widths of the cells along a row and across, for the choice of axes to coarsen.
    pub(super) spacing: [f64; 2],
    /// Weights of the edges to the next cell of the row and to the same column of the next row.
    pub(super) east: Vec<f64>,
    pub(super) north: Vec<f64>,
    /// Weights of the edges to the next row's next and last column; none on the finest level.
    pub(super) corners: Option<Corners>,
    /// Sums of the weights around each cell, and their inverses; 0 where there is no edge.
    pub(super) diagonal: Vec<f64>,
    inverse: Vec<f64>,
}

#[derive(Debug)]
pub(super) struct Corners {
    pub(super) north_east: Vec<f64>,
    pub(super) north_west: Vec<f64>,
}

/// The weights around one cell.
#[derive(Clone, Copy)]
pub(super) struct Around {
    pub(super) west: f64,
    pub(super) east: f64,
    pub(super) south: f64,
    pub(super) north: f64,
    pub(super) south_west: f64,
    pub(super) south_east: f64,
    pub(super) north_west: f64,
    pub(super) north_east: f64,
}

impl Around {
    pub(super) fn sum(self) -> f64 {
        let sides = (self.west + self.east) + (self.south + self.north);
        sides + ((self.south_west + self.north_east) + (self.south_east + self.north_west))
    }
}

impl Level {
    pub(super) fn new(
        [columns, rows]: [usize; 2],
        spacing: [f64; 2],
        east: Vec<f64>,
        north: Vec<f64>,
        corners: Option<Corners>,
    ) -> Self {
        let mut level =
            Self { columns, rows, spacing, east, north, corners, diagonal: Vec::new(), inverse: Vec::new() };
        let width = level.width();
        let mut diagonal = vec![0.0; level.len()];
        diagonal.par_chunks_mut(width).enumerate().with_min_len(level.rows_of_task()).for_each(|(j, row)| {
            if (1..=rows).contains(&j) {
                (1..=columns).for_each(|i| row[i] = level.around(j * width + i).sum());
            }
        });
        level.inverse = diagonal.iter().map(|&d| if d > f64::MIN_POSITIVE { 1.0 / d } else { 0.0 }).collect();
        level.diagonal = diagonal;
        level
    }

    /// Entries of a row with its frame.
    pub(super) fn width(&self) -> usize {
        self.columns + 2
    }

    /// Entries of an array with its frame.
    pub(super) fn len(&self) -> usize {
        self.width() * (self.rows + 2)
    }

    /// Rows that one task takes.
    pub(super) fn rows_of_task(&self) -> usize {
        TASK.div_ceil(self.width())
    }

    pub(super) fn around(&self, at: usize) -> Around {
        let width = self.width();
        let corner = |of: fn(&Corners) -> &[f64], at: usize| self.corners.as_ref().map_or(0.0, |c| of(c)[at]);
        Around {
            west: self.east[at - 1],
            east: self.east[at],
            south: self.north[at - width],
            north: self.north[at],
            south_west: corner(|c| &c.north_east, at - width - 1),
            south_east: corner(|c| &c.north_west, at - width + 1),
            north_west: corner(|c| &c.north_west, at),
            north_east: corner(|c| &c.north_east, at),
        }
    }

    /// One sweep of Gauss and Seidel in four colours: every second row, every second cell of it. `backwards` takes the
    /// colours in the opposite order, which makes two sweeps symmetric.
    pub(super) fn smooth<const W: usize>(&self, x: &mut [[f64; W]], b: &[[f64; W]], backwards: bool) {
        for parity in if backwards { [0, 1] } else { [1, 0] } {
            let (mut own, mut beside) = (Vec::new(), Vec::new());
            for (j, row) in x.chunks_exact_mut(self.width()).enumerate() {
                if j % 2 == parity { own.push((j, row)) } else { beside.push(&*row) }
            }
            own.retain(|(j, _)| (1..=self.rows).contains(j));
            own.into_par_iter().with_min_len(self.rows_of_task()).for_each(|(j, row)| {
                let around = [beside[(j - 1) / 2], beside[j.div_ceil(2)]];
                let b = &b[j * self.width()..][..self.width()];
                match &self.corners {
                    None => self.relax::<W, false>(j, row, around, b, backwards),
                    Some(_) => self.relax::<W, true>(j, row, around, b, backwards),
                }
            });
        }
    }

    /// Solves the equations of every second cell of row j, then of the others.
    #[inline(always)]
    fn relax<const W: usize, const CORNERS: bool>(
        &self,
        j: usize,
        row: &mut [[f64; W]],
        beside: [&[[f64; W]]; 2],
        b: &[[f64; W]],
        backwards: bool,
    ) {
        // All slices of one length that bounds the loop, so that no index is checked in it.
        let n = self.width();
        let (stencil, inverse) = (self.stencil::<CORNERS>(j), &self.inverse[j * n..][..n]);
        let (row, b, beside) = (&mut row[..n], &b[..n], beside.map(|row| &row[..n]));
        for first in if backwards { [2, 1] } else { [1, 2] } {
            let mut i = first;
            while i + 1 < n {
                let sum = stencil.sum::<W, CORNERS>(n, i, row, beside);
                for w in 0..W {
                    row[i][w] = (b[i][w] + sum[w]) * inverse[i];
                }
                i += 2;
            }
        }
    }

    #[inline(always)]
    fn stencil<const CORNERS: bool>(&self, j: usize) -> Stencil<'_> {
        let width = self.width();
        let (here, below) = (j * width..(j + 1) * width, (j - 1) * width..j * width);
        let corners = self.corners.as_ref().filter(|_| CORNERS);
        let pick = |of: fn(&Corners) -> &Vec<f64>, rows: &std::ops::Range<usize>| {
            corners.map_or(&[][..], |corners| &of(corners)[rows.clone()])
        };
        Stencil {
            north_east: pick(|c| &c.north_east, &here),
            north_west: pick(|c| &c.north_west, &here),
            south_east: pick(|c| &c.north_west, &below),
            south_west: pick(|c| &c.north_east, &below),
            east: &self.east[here.clone()],
            north: &self.north[here],
            south: &self.north[below],
        }
    }

    /// out ← b − A x.
    pub(super) fn residual<const W: usize>(&self, out: &mut [[f64; W]], b: &[[f64; W]], x: &[[f64; W]]) {
        let width = self.width();
        out.par_chunks_mut(width).enumerate().with_min_len(self.rows_of_task()).for_each(|(j, out)| {
            if (1..=self.rows).contains(&j) {
                let b = &b[j * width..][..width];
                self.applied(j, x, |i, ax| {
                    for w in 0..W {
                        out[i][w] = b[i][w] - ax[w];
                    }
                });
            }
        });
    }

    /// A x in every cell of row j.
    #[inline(always)]
    pub(super) fn applied<const W: usize>(&self, j: usize, x: &[[f64; W]], take: impl FnMut(usize, [f64; W])) {
        if self.corners.is_some() {
            self.applied_to::<W, true>(j, x, take);
        } else {
            self.applied_to::<W, false>(j, x, take);
        }
    }

    #[inline(always)]
    fn applied_to<const W: usize, const CORNERS: bool>(
        &self,
        j: usize,
        x: &[[f64; W]],
        mut take: impl FnMut(usize, [f64; W]),
    ) {
        let n = self.width();
        let row = &x[j * n..][..n];
        let beside = [&x[(j - 1) * n..][..n], &x[(j + 1) * n..][..n]];
        let (stencil, diagonal) = (self.stencil::<CORNERS>(j), &self.diagonal[j * n..][..n]);
        for i in 1..n - 1 {
            let mut sum = stencil.sum::<W, CORNERS>(n, i, row, beside);
            for w in 0..W {
                sum[w] = diagonal[i] * row[i][w] - sum[w];
            }
            take(i, sum);
        }
    }
}

/// The weights around the cells of one row.
struct Stencil<'a> {
    east: &'a [f64],
    north: &'a [f64],
    south: &'a [f64],
    north_east: &'a [f64],
    north_west: &'a [f64],
    south_east: &'a [f64],
    south_west: &'a [f64],
}

impl Stencil<'_> {
    /// Σ w φ over the neighbours of cell i, all slices being of length n.
    #[inline(always)]
    fn sum<const W: usize, const CORNERS: bool>(
        &self,
        n: usize,
        i: usize,
        row: &[[f64; W]],
        [south, north]: [&[[f64; W]]; 2],
    ) -> [f64; W] {
        let (row, south, north) = (&row[..n], &south[..n], &north[..n]);
        let (east, above, below) = (&self.east[..n], &self.north[..n], &self.south[..n]);
        let (e, w_, a, b) = (east[i], east[i - 1], above[i], below[i]);
        let (mut sum, before, after) = ([0.0; W], &row[i - 1], &row[i + 1]);
        for w in 0..W {
            sum[w] = (e * after[w] + w_ * before[w]) + (a * north[i][w] + b * south[i][w]);
        }
        if CORNERS {
            let (ne, nw) = (self.north_east[..n][i], self.north_west[..n][i]);
            let (se, sw) = (self.south_east[..n][i + 1], self.south_west[..n][i - 1]);
            for w in 0..W {
                sum[w] += (ne * north[i + 1][w] + sw * south[i - 1][w]) + (nw * north[i - 1][w] + se * south[i + 1][w]);
            }
        }
        sum
    }
}
