//! Triangular solves of one supernode with a row-major panel of right-hand sides.

/// Columns of a wide triangle that are solved before they are taken off the rows below: their cache lines stay at hand
/// from one group of rows to the next.
const BLOCK: usize = 64;

/// Consecutive columns of L with one common pattern below their triangle.
#[derive(Clone, Copy)]
pub(super) struct Supernode<'a> {
    pub(super) first: usize,
    pub(super) width: usize,
    /// Rows stored per column.
    pub(super) stride: usize,
    /// Rows below the triangle, of the part and of the border.
    pub(super) own: &'a [usize],
    pub(super) border: &'a [usize],
    /// Column-major entries: triangle, rows of the part, rows of the border.
    pub(super) entries: &'a [f64],
}

impl Supernode<'_> {
    #[inline(always)]
    pub(super) fn at(&self, i: usize, j: usize) -> f64 {
        self.entries[j * self.stride + i]
    }

    /// Appends its rows of `Lᵀ x`.
    pub(super) fn multiply_transpose(&self, own: &[f64], border: &[f64], out: &mut Vec<f64>) {
        for j in 0..self.width {
            let triangle = (j..self.width).map(|i| self.at(i, j) * own[self.first + i]).sum::<f64>();
            let column = &self.entries[j * self.stride + self.width..];
            let (of_part, of_border) = column.split_at(self.own.len());
            let part = self.own.iter().zip(of_part).map(|(&row, l)| l * own[row]).sum::<f64>();
            let rest = self.border.iter().zip(of_border).map(|(&row, l)| l * border[row]).sum::<f64>();
            out.push(triangle + part + rest);
        }
    }
}

#[inline(always)]
fn row<const W: usize>(x: &[f64], i: usize) -> &[f64; W] {
    match x[i * W..].first_chunk::<W>() {
        Some(row) => row,
        None => unreachable!("panel rows are W long"),
    }
}

/// Solves with the triangle and takes the solved rows off those below: of the part in `x`, of the border in `border`.
#[inline(always)]
pub(super) fn forward<const W: usize, const ROWS: usize>(node: Supernode<'_>, x: &mut [f64], border: &mut [f64]) {
    let (first, width) = (node.first, node.width);
    for start in (0..width).step_by(BLOCK) {
        let end = width.min(start + BLOCK);
        for i in start..end {
            let mut acc = *row::<W>(x, first + i);
            for j in start..i {
                let l = node.at(i, j);
                let xj = row::<W>(x, first + j);
                for w in 0..W {
                    acc[w] = f64::mul_add(-l, xj[w], acc[w]);
                }
            }
            let inverse = 1.0 / node.at(i, i);
            for w in 0..W {
                x[(first + i) * W + w] = acc[w] * inverse;
            }
        }
        let (solved, below) = x.split_at_mut((first + end) * W);
        let solved = &solved[(first + start) * W..];
        let block = Block { node, start, solved };
        block.take_off::<W, ROWS>(end, width - end, |r| r, below);
        block.take_off::<W, ROWS>(width, node.own.len(), |r| node.own[r] - (first + end), below);
        block.take_off::<W, ROWS>(width + node.own.len(), node.border.len(), |r| node.border[r], border);
    }
}

/// Solved columns of a supernode, from column `start` on.
#[derive(Clone, Copy)]
struct Block<'a> {
    node: Supernode<'a>,
    start: usize,
    solved: &'a [f64],
}

impl Block<'_> {
    /// Takes the solved rows off `count` rows: row r of them is stored at `stored + r` and is row `target(r)` of `x`.
    #[inline(always)]
    fn take_off<const W: usize, const ROWS: usize>(
        self,
        stored: usize,
        count: usize,
        target: impl Fn(usize) -> usize,
        x: &mut [f64],
    ) {
        let Self { node, start, solved } = self;
        let columns = solved.len() / W;
        let mut r = 0;
        // Several rows at a time: each solved row is loaded once for all.
        while r + ROWS <= count {
            let targets: [usize; ROWS] = std::array::from_fn(|t| target(r + t));
            let mut sums: [[f64; W]; ROWS] = std::array::from_fn(|t| *row::<W>(x, targets[t]));
            for j in 0..columns {
                let xj = row::<W>(solved, j);
                for t in 0..ROWS {
                    let l = node.at(stored + r + t, start + j);
                    for w in 0..W {
                        sums[t][w] = f64::mul_add(-l, xj[w], sums[t][w]);
                    }
                }
            }
            for (target, sum) in targets.iter().zip(&sums) {
                x[target * W..][..W].copy_from_slice(sum);
            }
            r += ROWS;
        }
        for r in r..count {
            let to = target(r);
            let mut a = *row::<W>(x, to);
            for j in 0..columns {
                let l = node.at(stored + r, start + j);
                let xj = row::<W>(solved, j);
                for w in 0..W {
                    a[w] = f64::mul_add(-l, xj[w], a[w]);
                }
            }
            x[to * W..][..W].copy_from_slice(&a);
        }
    }
}

/// Takes the rows below off the columns, last column first, and solves with the transposed triangle.
#[inline(always)]
pub(super) fn backward<const W: usize>(node: Supernode<'_>, x: &mut [f64], border: &[f64]) {
    let (first, width) = (node.first, node.width);
    for j in (0..width).rev() {
        let mut acc = *row::<W>(x, first + j);
        for (r, &target) in node.own.iter().enumerate() {
            let l = node.at(width + r, j);
            let xr = row::<W>(x, target);
            for w in 0..W {
                acc[w] = f64::mul_add(-l, xr[w], acc[w]);
            }
        }
        for (r, &target) in node.border.iter().enumerate() {
            let l = node.at(width + node.own.len() + r, j);
            let xr = row::<W>(border, target);
            for w in 0..W {
                acc[w] = f64::mul_add(-l, xr[w], acc[w]);
            }
        }
        for i in j + 1..width {
            let l = node.at(i, j);
            let xi = row::<W>(x, first + i);
            for w in 0..W {
                acc[w] = f64::mul_add(-l, xi[w], acc[w]);
            }
        }
        let inverse = 1.0 / node.at(j, j);
        for w in 0..W {
            x[(first + j) * W + w] = acc[w] * inverse;
        }
    }
}
