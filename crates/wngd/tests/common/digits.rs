//! Natural gradients in 120 decimal digits, from their definition: sums, a banded elimination, and no solver shared with
//! the library.
#![allow(dead_code)]

use dashu_float::FBig;
use dashu_float::ops::SquareRoot;
use wngd::linalg::dense::symmetric_eigen;
use wngd::linalg::faer::Mat;
use wngd::prelude::Grid;

pub type Digits = FBig;

/// Bits of every number here.
const BITS: usize = 400;

/// The same number, to be computed with in all digits.
pub fn digits(value: f64) -> Digits {
    Digits::try_from(value).expect("a finite number").with_precision(BITS).value()
}

pub fn zero() -> Digits {
    digits(0.0)
}

/// A metric by the quadratic form that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    L2,
    FisherRao,
    Sobolev,
    SobolevInverse,
    HomogeneousInverse,
    Wasserstein,
}

/// Neighbours over each face of a grid with 1/h² of its axis, row-major cells.
fn faces(grid: &Grid) -> Vec<(usize, usize, Digits)> {
    let shape = grid.cells();
    let mut found = Vec::new();
    for (axis, width) in grid.spacing().iter().enumerate() {
        let stride: usize = shape[axis + 1..].iter().product();
        let square = digits(*width) * digits(*width);
        for cell in 0..grid.len() {
            if (cell / stride) % shape[axis] + 1 < shape[axis] {
                found.push((cell, cell + stride, digits(1.0) / &square));
            }
        }
    }
    found
}

/// L D Lᵀ of a symmetric positive definite matrix whose rows begin `width` before the diagonal.
struct Banded {
    width: usize,
    /// L below the diagonal, D on it.
    rows: Vec<Vec<Digits>>,
}

impl Banded {
    /// Σ dᵢ φᵢ² and, over faces, Σ weight (φ_left − φ_right)²; cells without a number of their own stay at 0.
    fn new(diagonal: Vec<Digits>, couplings: &[(usize, usize, Digits)], free: &[bool]) -> Self {
        let width = couplings.iter().map(|(left, right, _)| right - left).max().unwrap_or(0);
        let mut rows = vec![vec![zero(); width + 1]; diagonal.len()];
        for ((row, value), free) in rows.iter_mut().zip(diagonal).zip(free) {
            row[width] = if *free { value } else { digits(1.0) };
        }
        for (left, right, weight) in couplings {
            for cell in [left, right] {
                if free[*cell] {
                    rows[*cell][width] += weight;
                }
            }
            if free[*left] && free[*right] {
                rows[*right][width - (right - left)] -= weight;
            }
        }
        for i in 0..rows.len() {
            let first = i.saturating_sub(width);
            let (done, rest) = rows.split_at_mut(i);
            let row = &mut rest[0];
            for j in first..i {
                // L D of this row, with L of the rows before.
                for k in first.max(j.saturating_sub(width))..j {
                    let (own, other) = (&row[width - (i - k)], &done[j][width - (j - k)]);
                    if *own != Digits::ZERO && *other != Digits::ZERO {
                        let taken = own * other;
                        row[width - (i - j)] -= taken;
                    }
                }
            }
            for j in first..i {
                if row[width - (i - j)] != Digits::ZERO {
                    let lower = &row[width - (i - j)] / &done[j][width];
                    let taken = &lower * &row[width - (i - j)];
                    row[width] -= taken;
                    row[width - (i - j)] = lower;
                }
            }
        }
        Self { width, rows }
    }

    fn solve(&self, b: &[Digits]) -> Vec<Digits> {
        let (w, n) = (self.width, b.len());
        let mut x = b.to_vec();
        for i in 0..n {
            for j in i.saturating_sub(w)..i {
                let known = &self.rows[i][w - (i - j)] * &x[j];
                x[i] -= known;
            }
        }
        for (x, row) in x.iter_mut().zip(&self.rows) {
            *x /= &row[w];
        }
        for i in (0..n).rev() {
            for j in i.saturating_sub(w)..i {
                let known = &self.rows[i][w - (i - j)] * &x[i];
                x[j] -= known;
            }
        }
        x
    }
}

fn dot(a: &[Digits], b: &[Digits]) -> Digits {
    a.iter().zip(b).fold(zero(), |sum, (a, b)| sum + a * b)
}

fn total(a: &[Digits]) -> Digits {
    a.iter().fold(zero(), |sum, a| sum + a)
}

/// −Δ φ = d for d without mean, no flux through the boundary, up to a constant.
pub fn homogeneous(grid: &Grid, d: &[Digits]) -> Vec<Digits> {
    let n = d.len();
    let mut free = vec![true; n];
    free[0] = false;
    let mut d = d.to_vec();
    d[0] = zero();
    Banded::new(vec![zero(); n], &faces(grid), &free).solve(&d)
}

/// A metric at a density, with the tangents as it knows them.
pub struct Information {
    tangents: Vec<Vec<Digits>>,
    gram: Vec<Vec<Digits>>,
    /// Condition number of G with unit diagonal.
    pub scaled_condition: f64,
}

impl Information {
    /// η with G η = −Zᵀu.
    pub fn direction(&self, u: &[Digits]) -> Vec<f64> {
        let gradient: Vec<Digits> = self.tangents.iter().map(|z| dot(z, u)).collect();
        solve(&self.gram, &gradient)
    }
}

/// G of a metric at a density of connected support.
///
/// `z`: p columns of k values.
pub fn information(grid: &Grid, form: Form, density: &[f64], z: &[Vec<Digits>]) -> Information {
    const ACTIVE: f64 = 1e-290;
    let n = grid.len();
    let rho: Vec<Digits> = density.iter().map(|r| digits(*r)).collect();
    let mass = total(&rho);
    let whole = z;
    let mut z = z.to_vec();
    match form {
        Form::HomogeneousInverse => z.iter_mut().for_each(|z| {
            let mean = total(z) / digits(n as f64);
            z.iter_mut().for_each(|z| *z -= &mean);
        }),
        Form::Wasserstein => z.iter_mut().for_each(|z| {
            let excess = total(z) / &mass;
            z.iter_mut().zip(&rho).for_each(|(z, rho)| *z -= &excess * rho);
        }),
        Form::FisherRao => z.iter_mut().for_each(|z| {
            z.iter_mut().zip(density).filter(|(_, rho)| **rho <= ACTIVE).for_each(|(z, _)| *z = zero());
        }),
        _ => {}
    }
    let everywhere = vec![true; n];
    let solver = match form {
        Form::SobolevInverse => Some(Banded::new(vec![digits(1.0); n], &faces(grid), &everywhere)),
        Form::Wasserstein => {
            let half = digits(0.5);
            let open = |cell: &usize| density[*cell] > ACTIVE;
            let weighted: Vec<_> = faces(grid)
                .into_iter()
                .filter(|(left, right, _)| open(left) && open(right))
                .map(|(left, right, weight)| (left, right, weight * &half * (&rho[left] + &rho[right])))
                .collect();
            let mode = (0..n).max_by(|a, b| density[*a].total_cmp(&density[*b]));
            let free: Vec<bool> = (0..n).map(|cell| Some(cell) != mode && open(&cell)).collect();
            z.iter_mut()
                .for_each(|z| z.iter_mut().zip(density).filter(|(_, r)| **r <= ACTIVE).for_each(|(z, _)| *z = zero()));
            // The mode is at potential 0: what flows into it is minus what flows into the others.
            Some(Banded::new(vec![zero(); n], &weighted, &free))
        }
        _ => None,
    };
    let weighed: Vec<Vec<Digits>> = z
        .iter()
        .map(|z| match form {
            Form::L2 => z.clone(),
            Form::FisherRao => {
                z.iter().zip(density).map(|(z, rho)| if *rho > ACTIVE { z / digits(*rho) } else { zero() }).collect()
            }
            Form::Sobolev => {
                let mut image = z.clone();
                for (left, right, weight) in faces(grid) {
                    let flow = (&z[left] - &z[right]) * weight;
                    image[left] += &flow;
                    image[right] -= flow;
                }
                image
            }
            Form::HomogeneousInverse => homogeneous(grid, z),
            Form::SobolevInverse => solver.as_ref().map_or_else(Vec::new, |solver| solver.solve(z)),
            Form::Wasserstein => {
                let mode = (0..n).max_by(|a, b| density[*a].total_cmp(&density[*b]));
                let mut right = z.clone();
                mode.into_iter().for_each(|mode| right[mode] = zero());
                solver.as_ref().map_or_else(Vec::new, |solver| solver.solve(&right))
            }
        })
        .collect();
    let p = z.len();
    let gram: Vec<Vec<Digits>> = (0..p).map(|i| (0..p).map(|j| dot(&z[i], &weighed[j])).collect()).collect();
    // A mean of rounding size is none, as far as derivatives are concerned.
    if form == Form::HomogeneousInverse {
        for (z, whole) in z.iter_mut().zip(whole) {
            let size = whole.iter().fold(0.0, |sum, v| sum + v.to_f64().value().abs());
            if total(whole).to_f64().value().abs() <= 1e-12 * size {
                z.clone_from(whole);
            }
        }
    }
    Information { scaled_condition: condition(&gram), tangents: z, gram }
}

/// −G⁻¹g by Gauss–Jordan elimination.
fn solve(gram: &[Vec<Digits>], gradient: &[Digits]) -> Vec<f64> {
    let p = gradient.len();
    let mut rows: Vec<Vec<Digits>> = gram.to_vec();
    rows.iter_mut().zip(gradient).for_each(|(row, g)| row.push(-g.clone()));
    for i in 0..p {
        let pivot = rows[i].clone();
        for (_, row) in rows.iter_mut().enumerate().filter(|(j, _)| *j != i) {
            let factor = &row[i] / &pivot[i];
            row.iter_mut().zip(&pivot).for_each(|(value, pivot)| *value -= &factor * pivot);
        }
    }
    (0..p).map(|i| (&rows[i][p] / &rows[i][i]).to_f64().value()).collect()
}

/// Of G with unit diagonal.
fn condition(gram: &[Vec<Digits>]) -> f64 {
    let p = gram.len();
    let roots: Vec<Digits> = (0..p).map(|i| gram[i][i].sqrt()).collect();
    let scaled = Mat::from_fn(p, p, |i, j| (&gram[i][j] / &roots[i] / &roots[j]).to_f64().value());
    let (values, _) = symmetric_eigen(scaled.as_ref()).expect("a finite matrix");
    values[p - 1] / values[0].max(f64::MIN_POSITIVE)
}
