use faer::{MatMut, MatRef};
use rayon::prelude::*;

use crate::error::{LinalgError, check_vector};
use crate::grid::Grid;
use crate::operator::LinearOp;

/// Below this density a cell is inactive: the value no longer carries full precision.
pub const ACTIVE_DENSITY: f64 = 1e-290;

/// How the density on a face follows from its two cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum FaceMean {
    /// (a + b)/2, the default.
    #[default]
    Arithmetic,
    /// √(a b).
    Geometric,
    /// (a − b)/(ln a − ln b).
    Logarithmic,
    /// 2 a b/(a + b).
    Harmonic,
}

impl FaceMean {
    /// The mean of two non-negative densities.
    #[inline]
    pub fn of(self, a: f64, b: f64) -> f64 {
        match self {
            FaceMean::Arithmetic => 0.5 * (a + b),
            FaceMean::Geometric => a.sqrt() * b.sqrt(),
            FaceMean::Logarithmic => logarithmic_mean(a, b),
            FaceMean::Harmonic => {
                let (small, large) = if a < b { (a, b) } else { (b, a) };
                if small > 0.0 { 2.0 * small / (1.0 + small / large) } else { 0.0 }
            }
        }
    }
}

fn logarithmic_mean(a: f64, b: f64) -> f64 {
    let (small, large) = if a < b { (a, b) } else { (b, a) };
    if small <= 0.0 {
        return 0.0;
    }
    let t = (large - small) / large;
    if t < 1e-3 {
        // Series of t / -ln(1-t): the quotient loses digits as t -> 0.
        large * (1.0 - t / 2.0 - t * t / 12.0 - t.powi(3) / 24.0 - 19.0 * t.powi(4) / 720.0)
    } else {
        (large - small) / (large / small).ln()
    }
}

/// Face densities ρ_f of a cell density.
///
/// A cell is active where its density exceeds [`ACTIVE_DENSITY`]; a face that
/// touches an inactive cell carries 0. With `floor` δ > 0 the density is
/// replaced by max(ρ, δ) first.
///
/// # Shapes
/// `density`: k cells; result: q faces in grid order.
///
/// # Errors
/// Wrong length, NaN, negative entries, or no active cell.
pub fn face_densities(grid: &Grid, density: &[f64], mean: FaceMean, floor: f64) -> Result<Vec<f64>, LinalgError> {
    let floored;
    let density = if floor > 0.0 {
        floored = floor_density(density, floor);
        &floored[..]
    } else {
        density
    };
    check_density(grid, density)?;
    let mut faces = vec![0.0; grid.face_count()];
    for block in grid.face_blocks() {
        block.for_each(|face, left, right| {
            let (a, b) = (density[left], density[right]);
            if a > ACTIVE_DENSITY && b > ACTIVE_DENSITY {
                faces[face] = mean.of(a, b);
            }
        });
    }
    Ok(faces)
}

/// max(ρ, δ) cell by cell.
pub fn floor_density(density: &[f64], floor: f64) -> Vec<f64> {
    density.iter().map(|&r| if r < floor { floor } else { r }).collect()
}

/// Checks that `density` is a finite non-negative cell array with an active cell.
pub fn check_density(grid: &Grid, density: &[f64]) -> Result<(), LinalgError> {
    check_vector("density", density, grid.len())?;
    if let Some(index) = density.iter().position(|&r| r < 0.0) {
        return Err(LinalgError::NegativeDensity { index, value: density[index] });
    }
    let largest = density.iter().fold(0.0f64, |m, &r| m.max(r));
    if largest <= ACTIVE_DENSITY {
        return Err(LinalgError::EmptyDensity { largest });
    }
    Ok(())
}

/// The weighted staggered divergence B = D diag(√ρ_f) = −∇·(√ρ ·), cells by faces.
///
/// D maps face fluxes to cells and its transpose is the face gradient
/// `(φ_right − φ_left)/h`; hence 1ᵀB = 0 exactly and BBᵀ is the weighted
/// Laplacian. With unit face densities it is the plain divergence.
///
/// # Example
/// ```
/// use wngd_linalg::{Divergence, FaceMean, Grid, operator::apply_transpose_vec};
/// let grid = Grid::new(&[0.0], &[3.0], &[3])?;
/// let b = Divergence::new(&grid, &[0.25, 0.25, 0.5], FaceMean::Arithmetic)?;
/// // Bᵀ u = √ρ_f (u_right − u_left)/h
/// assert_eq!(apply_transpose_vec(&b, &[1.0, 3.0, 3.0])[0], 0.25f64.sqrt() * 2.0);
/// # Ok::<(), wngd_linalg::LinalgError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Divergence {
    grid: Grid,
    root: Vec<f64>,
}

impl Divergence {
    /// B of a cell density.
    ///
    /// # Errors
    /// As [`face_densities`].
    pub fn new(grid: &Grid, density: &[f64], mean: FaceMean) -> Result<Self, LinalgError> {
        Self::from_faces(grid, &face_densities(grid, density, mean, 0.0)?)
    }

    /// B of given face densities (q).
    ///
    /// # Errors
    /// Wrong length, NaN or negative face densities.
    pub fn from_faces(grid: &Grid, faces: &[f64]) -> Result<Self, LinalgError> {
        check_vector("face density", faces, grid.face_count())?;
        if let Some(index) = faces.iter().position(|&r| r < 0.0) {
            return Err(LinalgError::NegativeDensity { index, value: faces[index] });
        }
        Ok(Self { grid: grid.clone(), root: faces.iter().map(|r| r.sqrt()).collect() })
    }
}

impl LinearOp for Divergence {
    fn nrows(&self) -> usize {
        self.grid.len()
    }
    fn ncols(&self) -> usize {
        self.root.len()
    }
    fn apply(&self, out: MatMut<'_, f64>, x: MatRef<'_, f64>) {
        crate::dense::column_pieces(out, 1).into_par_iter().enumerate().for_each(|(c, mut out)| {
            out.fill(0.0);
            for block in self.grid.face_blocks() {
                let h = self.grid.spacing()[block.axis];
                block.for_each(|face, left, right| {
                    let flux = self.root[face] * x[(face, c)] / h;
                    out[(left, 0)] -= flux;
                    out[(right, 0)] += flux;
                });
            }
        });
    }
    fn apply_transpose(&self, out: MatMut<'_, f64>, y: MatRef<'_, f64>) {
        crate::dense::column_pieces(out, 1).into_par_iter().enumerate().for_each(|(c, mut out)| {
            for block in self.grid.face_blocks() {
                let h = self.grid.spacing()[block.axis];
                block.for_each(|face, left, right| {
                    // A closed face has no gradient to show, whatever u is on an inactive cell.
                    out[(face, 0)] = if self.root[face] > 0.0 {
                        self.root[face] * ((y[(right, c)] - y[(left, c)]) / h)
                    } else {
                        0.0
                    };
                });
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dense::dot;
    use crate::operator::{apply_transpose_vec, apply_vec};

    #[test]
    fn means_are_ordered_and_agree_on_equal_cells() {
        for (a, b) in [(1.0, 2.0), (1e-200, 3.0), (5.0, 5.0), (1.0, 1.0 + 1e-9), (0.1, 0.1001)] {
            let [h, g, l, m] = [FaceMean::Harmonic, FaceMean::Geometric, FaceMean::Logarithmic, FaceMean::Arithmetic]
                .map(|f| f.of(a, b));
            let slack = 1.0 + 1e-14;
            assert!(h <= g * slack && g <= l * slack && l <= m * slack, "{a} {b}: {h} {g} {l} {m}");
        }
        for mean in [FaceMean::Harmonic, FaceMean::Geometric, FaceMean::Logarithmic] {
            assert_eq!(mean.of(0.0, 3.0), 0.0);
        }
    }

    #[test]
    fn transpose_matches_and_mass_is_conserved() {
        let grid = Grid::new(&[0.0; 3], &[1.0, 2.0, 1.5], &[4, 5, 3]).unwrap();
        let density: Vec<f64> =
            (0..grid.len()).map(|i| if i % 7 == 0 { 0.0 } else { 1.0 + (i as f64).sin() }).collect();
        let b = Divergence::new(&grid, &density, FaceMean::Arithmetic).unwrap();
        let x: Vec<f64> = (0..b.ncols()).map(|i| (0.3 * i as f64).cos()).collect();
        let y: Vec<f64> = (0..b.nrows()).map(|i| (0.7 * i as f64).sin()).collect();
        let (bx, bty) = (apply_vec(&b, &x), apply_transpose_vec(&b, &y));
        assert!((dot(&bx, &y) - dot(&x, &bty)).abs() < 1e-12 * dot(&bx, &bx).sqrt());
        assert!(bx.iter().sum::<f64>().abs() < 1e-12);
    }
}
