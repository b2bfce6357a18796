//! A mixture whose derivative is made by rows and not kept.

use pulp::Arch;
use rayon::prelude::*;
use wngd_adjoint::{Bound, ForwardModel, Linearization, ModelError, State};
use wngd_linalg::dense::{multiply, multiply_transpose};
use wngd_linalg::faer::{Mat, MatMut, MatRef};
use wngd_linalg::{LinearOp, RowSource};

use super::component::Component;
use super::plane::Plane;
use super::tables::{Products, Tables};
use super::{FLOOR, GaussianMixture};

/// Entries from which a derivative is not stored: 32 MB.
const LARGE: usize = 4_000_000;
/// Cells of a task of a product, at least; and tasks at most.
const CELLS: usize = 4096;
const TASKS: usize = 64;
/// Rows that are made at once in a product.
const ROWS: usize = 32;

/// A [`GaussianMixture`] whose derivative takes no memory where it is large, from four million entries on: for hundreds of
/// parameters on fine grids.
///
/// A direction by the information matrix takes its rows one after another
/// ([`FactoredLaplacian::whitened_sums`](wngd_linalg::FactoredLaplacian::whitened_sums)); whatever needs the matrix makes it
/// by [`LinearOp::into_dense`], as the mixture itself does.
///
/// # Cost
/// A product with a vector makes all k p entries: a few operations each.
#[derive(Debug, Clone)]
pub struct MixtureByRows {
    mixture: GaussianMixture,
}

impl GaussianMixture {
    /// The same mixture, a large derivative made by rows and not kept.
    pub fn by_rows(self) -> MixtureByRows {
        MixtureByRows { mixture: self }
    }
}

impl ForwardModel for MixtureByRows {
    type Jacobian = MixtureRows;

    fn dim_param(&self) -> usize {
        self.mixture.dim_param()
    }
    fn dim_state(&self) -> usize {
        self.mixture.dim_state()
    }
    fn parameter_names(&self) -> Vec<String> {
        self.mixture.parameter_names()
    }
    fn state(&self, theta: &[f64]) -> Result<State, ModelError> {
        self.mixture.state(theta)
    }
    fn column_rounding(&self, theta: &[f64]) -> Vec<f64> {
        self.mixture.column_rounding(theta)
    }
    fn bounds(&self) -> Vec<Bound> {
        self.mixture.bounds()
    }
    fn linearize(&self, theta: &[f64]) -> Result<Linearization<MixtureRows>, ModelError> {
        let parameters = self.mixture.parameters_at(theta)?;
        let components = self.mixture.components(&parameters, true);
        let state = self.mixture.density(&parameters, &components);
        let low = self.mixture.low(&state);
        let tables = Tables::new(&self.mixture, &parameters.weights, &components);
        let mixture = self.mixture.clone();
        let made = MixtureRows { mixture, weights: parameters.weights, components, low, tables, stored: None };
        let stored = (made.nrows() * made.ncols() < LARGE).then(|| made.to_dense());
        let jacobian = MixtureRows { stored, ..made };
        Ok(Linearization { state, jacobian })
    }
}

/// The derivative of a [`MixtureByRows`], k x p.
#[derive(Debug, Clone)]
pub struct MixtureRows {
    mixture: GaussianMixture,
    weights: Vec<f64>,
    components: Vec<Component>,
    /// ln ρ where ρ is the floor of means that underflow, NaN elsewhere; empty where there is no floor.
    low: Vec<f64>,
    tables: Tables,
    /// The matrix, where it is small.
    stored: Option<Mat<f64>>,
}

impl MixtureRows {
    /// One row.
    fn fill_row(&self, cell: usize, row: &mut [f64]) {
        let Self { mixture, components, tables, .. } = self;
        if let Some(&log) = self.low.get(cell).filter(|log| !log.is_nan()) {
            return self.fill_floor(cell, log, row);
        }
        let (of_weights, others) = row.split_at_mut(tables.weights.len());
        if tables.axes.is_empty() {
            let value = |component: &Component| component.log_in_cell(&mixture.grid, cell, mixture.value).exp();
            let values: Vec<f64> = components.iter().map(value).collect();
            let own = &mixture.free[tables.weights.len()..];
            for ((out, &(i, weight)), &parameter) in others.iter_mut().zip(&tables.owners).zip(own) {
                *out = weight * values[i] * components[i].score_in_cell(&mixture.grid, cell, parameter);
            }
            for (out, &i) in of_weights.iter_mut().zip(&tables.weights) {
                *out = values[i] - values[values.len() - 1];
            }
        } else {
            let at = mixture.grid.indices(cell);
            let row = |a: usize| tables.axes[a].row(at[a]);
            match tables.axes.len() {
                1 => Arch::new().dispatch(Products { along: [row(0)], of_weights, others }),
                2 => Arch::new().dispatch(Products { along: [row(0), row(1)], of_weights, others }),
                _ => Arch::new().dispatch(Products { along: [row(0), row(1), row(2)], of_weights, others }),
            }
        }
    }

    /// FLOOR · ∂ ln ρ where the mean underflows.
    fn fill_floor(&self, cell: usize, log: f64, row: &mut [f64]) {
        let Self { mixture, components, tables, .. } = self;
        let share = |i: usize| mixture.share(components, i, cell, log);
        let (of_weights, others) = row.split_at_mut(tables.weights.len());
        for (out, &i) in of_weights.iter_mut().zip(&tables.weights) {
            *out = FLOOR * (share(i) - share(components.len() - 1));
        }
        let own = &mixture.free[tables.weights.len()..];
        for ((out, &(i, weight)), &parameter) in others.iter_mut().zip(&tables.owners).zip(own) {
            *out = FLOOR * weight * share(i) * components[i].score_in_cell(&mixture.grid, cell, parameter);
        }
    }

    /// The tables of both axes, where all entries are made of them.
    fn plane(&self) -> Option<Plane> {
        match &self.tables.axes[..] {
            [first, second] if self.low.iter().all(|log| log.is_nan()) => Some(Plane::new(first, second)),
            _ => None,
        }
    }

    /// Cells of the tasks of a product.
    fn tasks(&self) -> Vec<Vec<usize>> {
        let k = self.nrows();
        let size = CELLS.max(k.div_ceil(TASKS));
        (0..k).step_by(size).map(|first| (first..k.min(first + size)).collect()).collect()
    }
}

impl RowSource for MixtureRows {
    fn fill_rows(&self, rows: &[usize], stride: usize, out: &mut [f64]) {
        let p = self.ncols();
        for (&cell, row) in rows.iter().zip(out.chunks_mut(stride.max(1))) {
            self.fill_row(cell, &mut row[..p]);
        }
    }
}

impl LinearOp for MixtureRows {
    fn nrows(&self) -> usize {
        self.mixture.dim_state()
    }
    fn ncols(&self) -> usize {
        self.mixture.dim_param()
    }
    fn apply(&self, out: MatMut<'_, f64>, x: MatRef<'_, f64>) {
        if let Some(matrix) = &self.stored {
            return matrix.apply(out, x);
        }
        if let Some(plane) = self.plane() {
            return plane.apply(out, x);
        }
        let p = self.ncols();
        let tasks = self.tasks();
        let pieces: Vec<Mat<f64>> = tasks
            .par_iter()
            .map(|cells| {
                let mut piece = Mat::zeros(cells.len(), x.ncols());
                let mut rows = vec![0.0; ROWS * p];
                for (block, cells) in cells.chunks(ROWS).enumerate() {
                    self.fill_rows(cells, p, &mut rows);
                    let made = MatRef::from_row_major_slice(&rows[..cells.len() * p], cells.len(), p);
                    multiply(piece.as_mut().subrows_mut(block * ROWS, cells.len()), made, x);
                }
                piece
            })
            .collect();
        let mut rest = out;
        for piece in pieces {
            let (mut top, bottom) = rest.split_at_row_mut(piece.nrows());
            top.copy_from(&piece);
            rest = bottom;
        }
    }
    fn apply_transpose(&self, out: MatMut<'_, f64>, y: MatRef<'_, f64>) {
        if let Some(matrix) = &self.stored {
            return matrix.apply_transpose(out, y);
        }
        if let Some(plane) = self.plane() {
            return plane.apply_transpose(out, y);
        }
        let p = self.ncols();
        let tasks = self.tasks();
        let pieces: Vec<Mat<f64>> = tasks
            .par_iter()
            .map(|cells| {
                let (mut sum, mut part) = (Mat::zeros(p, y.ncols()), Mat::zeros(p, y.ncols()));
                let mut rows = vec![0.0; ROWS * p];
                for cells in cells.chunks(ROWS) {
                    self.fill_rows(cells, p, &mut rows);
                    let made = MatRef::from_row_major_slice(&rows[..cells.len() * p], cells.len(), p);
                    multiply_transpose(part.as_mut(), made, y.subrows(cells[0], cells.len()));
                    sum += &part;
                }
                sum
            })
            .collect();
        let mut out = out;
        out.fill(0.0);
        pieces.iter().for_each(|piece| out += piece);
    }
    fn as_rows(&self) -> Option<&dyn RowSource> {
        Some(self)
    }
    fn as_dense(&self) -> Option<MatRef<'_, f64>> {
        self.stored.as_ref().map(|matrix| matrix.as_ref())
    }
    fn to_dense(&self) -> Mat<f64> {
        self.stored.clone().unwrap_or_else(|| {
            let mut matrix = Mat::zeros(self.nrows(), self.ncols());
            self.mixture.fill(&self.weights, &self.components, &self.low, &mut matrix);
            matrix
        })
    }
    fn into_dense(mut self) -> Mat<f64> {
        self.stored.take().unwrap_or_else(|| self.to_dense())
    }
    fn into_dense_boxed(self: Box<Self>) -> Mat<f64> {
        (*self).into_dense()
    }
}

#[cfg(test)]
mod tests {
    use wngd_linalg::Grid;

    use super::*;
    use crate::{Covariances, MixtureParameters};

    #[test]
    fn rows_and_products_are_those_of_the_matrix() {
        for dim in 1..=3 {
            let full: Vec<Vec<f64>> =
                (0..dim).map(|a| (0..dim).map(|b| if a == b { 0.8 } else { 0.2 }).collect()).collect();
            let kinds = [
                Covariances::Identity,
                Covariances::Isotropic(vec![0.8, 0.002]),
                Covariances::Diagonal(vec![vec![0.7, 0.9, 1.1][..dim].to_vec(), vec![1.3, 0.6, 0.4][..dim].to_vec()]),
                Covariances::Full(vec![full.clone(), full]),
            ];
            for (covariances, means) in kinds.into_iter().flat_map(|kind| [(kind.clone(), false), (kind, true)]) {
                let grid = Grid::new(&vec![-5.0; dim], &vec![6.0; dim], &[90, 17, 11][..dim]).unwrap();
                let places = vec![vec![0.3, -0.6, 0.4][..dim].to_vec(), vec![1.9, 1.1, -0.8][..dim].to_vec()];
                let identity = covariances == Covariances::Identity;
                let parameters = MixtureParameters { weights: vec![0.4, 0.6], means: places, covariances };
                let names = ["weights", "means", "covariances"];
                let mixture = GaussianMixture::new(grid, parameters, &names[..if identity { 2 } else { 3 }]).unwrap();
                let model = if means { mixture.cell_means() } else { mixture }.by_rows();
                let made = model.linearize(&model.mixture.theta()).unwrap().jacobian;
                let matrix = made.stored.clone().unwrap();
                let (k, p) = (matrix.nrows(), matrix.ncols());
                let rows: Vec<usize> = (0..k).rev().collect();
                let mut out = vec![f64::NAN; k * (p + 3)];
                made.fill_rows(&rows, p + 3, &mut out);
                for (t, &i) in rows.iter().enumerate() {
                    for j in 0..p {
                        let (found, wanted) = (out[t * (p + 3) + j], matrix[(i, j)]);
                        let size = matrix.col(j).norm_max().max(1e-290);
                        assert!(
                            (found - wanted).abs() <= 1e-13 * wanted.abs() + 1e-15 * size,
                            "{dim} {i} {j}: {found} {wanted}"
                        );
                    }
                }
                let made = MixtureRows { stored: None, ..made };
                let (x, y) = (
                    Mat::from_fn(p, 3, |i, j| (i + 2 * j) as f64 - 2.0),
                    Mat::from_fn(k, 3, |i, j| ((i + j) as f64).sin()),
                );
                let (mut ahead, mut back) = (Mat::zeros(k, 3), Mat::zeros(p, 3));
                made.apply(ahead.as_mut(), x.as_ref());
                made.apply_transpose(back.as_mut(), y.as_ref());
                let (ahead_too, back_too) = (&matrix * &x, matrix.transpose() * &y);
                assert!((&ahead - &ahead_too).norm_max() <= 1e-14 * matrix.norm_max() * x.norm_max() * p as f64);
                let size = Mat::from_fn(p, k, |j, i| matrix[(i, j)].abs()) * Mat::from_fn(k, 3, |i, j| y[(i, j)].abs());
                assert!((&back - &back_too).norm_max() <= 1e-14 * size.norm_max());
                assert_eq!(made.into_dense(), matrix);
            }
        }
    }
}
