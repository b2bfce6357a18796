//! Semi-Lagrangian transfer operator: cells are carried along the flow and deposited on the grid.

use rayon::prelude::*;
use wngd_adjoint::ModelError;
use wngd_linalg::faer::Mat;
use wngd_linalg::{Grid, SparseMatrix};

use crate::flow::field::{VelocityField, not_finite};
use crate::flow::parameters::Parameters;

/// Cells handled by one task; fixed, so that results do not depend on the number of threads.
const CHUNK: usize = 64;
/// Numbers held at once while a sensitivity is collected.
const BATCH: usize = 1 << 22;
const BLOW_UP: &str = "trajectories must stay finite over the map time: shorten the time or the step";

/// The map of mass over a time T, each cell being pointsᵈ equal masses at sub-cell midpoints.
#[derive(Clone, Copy)]
pub(crate) struct SemiLagrangian<'a> {
    pub(crate) field: &'a dyn VelocityField,
    pub(crate) grid: &'a Grid,
    pub(crate) time: f64,
    pub(crate) step: f64,
    pub(crate) points: usize,
}

/// One of the 2ᵈ cells that a point is deposited on.
#[derive(Debug, Clone, Copy, Default)]
struct Corner {
    cell: usize,
    weight: f64,
    /// Derivative of the weight by the point.
    gradient: [f64; 3],
}

/// Scratch of a tangent step: velocity, ∂v/∂x, ∂v/∂θ and four slopes of the tangent.
struct Tangent {
    by_x: Vec<f64>,
    by_theta: Vec<f64>,
    slopes: [Vec<f64>; 4],
    stage: Vec<f64>,
}

impl SemiLagrangian<'_> {
    fn steps(&self) -> (usize, f64) {
        let steps = (self.time / self.step).round().max(1.0);
        (steps as usize, self.time / steps)
    }

    /// Offsets of the sub-cell midpoints from the cell centre.
    fn offsets(&self) -> Vec<[f64; 3]> {
        let (d, m, h) = (self.grid.dim(), self.points, self.grid.spacing());
        (0..m.pow(d as u32))
            .map(|index| {
                let (mut rest, mut offset) = (index, [0.0; 3]);
                for axis in (0..d).rev() {
                    offset[axis] = (((rest % m) as f64 + 0.5) / m as f64 - 0.5) * h[axis];
                    rest /= m;
                }
                offset
            })
            .collect()
    }

    /// Carries a point along the flow by classical Runge–Kutta steps.
    fn carry(&self, start: [f64; 3], theta: &[f64]) -> [f64; 3] {
        let d = self.grid.dim();
        let (steps, h) = self.steps();
        let mut x = start;
        let mut k = [[0.0; 3]; 4];
        for _ in 0..steps {
            self.field.velocity(&x[..d], theta, &mut k[0][..d]);
            for (s, width) in [(1, h / 2.0), (2, h / 2.0), (3, h)] {
                let mut stage = x;
                for i in 0..d {
                    stage[i] += width * k[s - 1][i];
                }
                self.field.velocity(&stage[..d], theta, &mut k[s][..d]);
            }
            for i in 0..d {
                x[i] += h / 6.0 * (k[0][i] + 2.0 * k[1][i] + 2.0 * k[2][i] + k[3][i]);
            }
        }
        x
    }

    /// As [`carry`](Self::carry), with the derivative S (d x p, free parameters) of the same discrete map.
    fn carry_tangent(
        &self,
        start: [f64; 3],
        theta: &[f64],
        parameters: &Parameters,
        tangent: &mut Tangent,
        s: &mut [f64],
    ) -> [f64; 3] {
        let d = self.grid.dim();
        let (steps, h) = self.steps();
        let mut x = start;
        let mut k = [[0.0; 3]; 4];
        s.fill(0.0);
        for _ in 0..steps {
            for (stage_index, width) in [(0, 0.0), (1, h / 2.0), (2, h / 2.0), (3, h)] {
                let mut at = x;
                tangent.stage.copy_from_slice(s);
                if stage_index > 0 {
                    for i in 0..d {
                        at[i] += width * k[stage_index - 1][i];
                    }
                    for (stage, slope) in tangent.stage.iter_mut().zip(&tangent.slopes[stage_index - 1]) {
                        *stage += width * slope;
                    }
                }
                self.field.velocity(&at[..d], theta, &mut k[stage_index][..d]);
                self.field.jacobian_x(&at[..d], theta, &mut tangent.by_x);
                self.field.jacobian_theta(&at[..d], theta, &mut tangent.by_theta);
                let (p, all) = (parameters.free.len(), parameters.full.len());
                for i in 0..d {
                    for (j, &full) in parameters.free.iter().enumerate() {
                        let mut slope = tangent.by_theta[i * all + full];
                        for l in 0..d {
                            slope += tangent.by_x[i * d + l] * tangent.stage[l * p + j];
                        }
                        tangent.slopes[stage_index][i * p + j] = slope;
                    }
                }
            }
            for i in 0..d {
                x[i] += h / 6.0 * (k[0][i] + 2.0 * k[1][i] + 2.0 * k[2][i] + k[3][i]);
            }
            let [k0, k1, k2, k3] = &tangent.slopes;
            for (e, s) in s.iter_mut().enumerate() {
                *s += h / 6.0 * (k0[e] + 2.0 * k1[e] + 2.0 * k2[e] + k3[e]);
            }
        }
        x
    }

    /// Multilinear weights of a point on the 2ᵈ cells around it, clipped to the grid.
    fn deposit(&self, y: [f64; 3]) -> [Corner; 8] {
        let (d, cells, h) = (self.grid.dim(), self.grid.cells(), self.grid.spacing());
        let (mut first, mut above, mut slope) = ([0; 3], [0.0; 3], [0.0; 3]);
        for axis in 0..d {
            let top = (cells[axis] - 1) as f64;
            let u = (y[axis] - self.grid.lower()[axis]) / h[axis] - 0.5;
            slope[axis] = if u > 0.0 && u < top { 1.0 / h[axis] } else { 0.0 };
            let u = u.clamp(0.0, top);
            first[axis] = (u as usize).min(cells[axis] - 2);
            above[axis] = u - first[axis] as f64;
        }
        let mut corners = [Corner::default(); 8];
        for (index, corner) in corners.iter_mut().take(1 << d).enumerate() {
            let (mut weights, mut slopes) = ([1.0; 3], [0.0; 3]);
            for axis in 0..d {
                let up = index >> axis & 1;
                corner.cell = corner.cell * cells[axis] + first[axis] + up;
                weights[axis] = if up == 1 { above[axis] } else { 1.0 - above[axis] };
                slopes[axis] = if up == 1 { slope[axis] } else { -slope[axis] };
            }
            corner.weight = weights[0] * weights[1] * weights[2];
            corner.gradient = [
                slopes[0] * weights[1] * weights[2],
                weights[0] * slopes[1] * weights[2],
                weights[0] * weights[1] * slopes[2],
            ];
        }
        corners
    }

    fn corners(&self) -> usize {
        1 << self.grid.dim()
    }

    /// A = I − (1 − ε)M, of which each column sums to ε.
    pub(crate) fn generator(&self, theta: &[f64], restart: f64) -> Result<SparseMatrix, ModelError> {
        let n = self.grid.len();
        let offsets = self.offsets();
        let share = (1.0 - restart) / offsets.len() as f64;
        // Per chunk: entries per column, rows, values.
        type Piece = (Vec<usize>, Vec<usize>, Vec<f64>);
        let pieces: Vec<Piece> = (0..n.div_ceil(CHUNK))
            .into_par_iter()
            .map(|chunk| {
                let (mut counts, mut rows, mut values) = Piece::default();
                let mut column: Vec<(usize, f64)> = Vec::new();
                for cell in chunk * CHUNK..n.min((chunk + 1) * CHUNK) {
                    let center = self.grid.center(cell);
                    column.clear();
                    column.push((cell, -1.0));
                    for offset in &offsets {
                        let y = self.carry(add(center, *offset), theta);
                        if let Some(bad) = y.iter().find(|v| !v.is_finite()) {
                            return Err(not_finite(self.field, theta, *bad, BLOW_UP));
                        }
                        let corners = self.deposit(y);
                        column.extend(corners[..self.corners()].iter().map(|c| (c.cell, share * c.weight)));
                    }
                    column.sort_by_key(|&(row, _)| row);
                    let before = rows.len();
                    for &(row, value) in &column {
                        if rows.len() > before && rows.last() == Some(&row) {
                            if let Some(last) = values.last_mut() {
                                *last -= value;
                            }
                        } else if value != 0.0 {
                            rows.push(row);
                            values.push(-value);
                        }
                    }
                    counts.push(rows.len() - before);
                }
                Ok((counts, rows, values))
            })
            .collect::<Result<_, ModelError>>()?;
        let (mut col_ptr, mut rows, mut values) = (vec![0], Vec::new(), Vec::new());
        for (counts, piece_rows, piece_values) in pieces {
            for count in counts {
                col_ptr.push(col_ptr[col_ptr.len() - 1] + count);
            }
            rows.extend(piece_rows);
            values.extend(piece_values);
        }
        Ok(SparseMatrix::new(n, col_ptr, rows, values)?)
    }

    /// E = ∂_θ(Aρ) = −(1 − ε) ∂_θ(Mρ) at fixed ρ (k x p, dense), exact for the discrete map
    /// except where an image passes a cell centre.
    ///
    /// # Cost
    /// One tangent trajectory per point, k · pointsᵈ of them; memory k p plus a fixed batch.
    pub(crate) fn sensitivity(
        &self,
        rho: &[f64],
        theta: &[f64],
        parameters: &Parameters,
        restart: f64,
    ) -> Result<Mat<f64>, ModelError> {
        let (n, d, p) = (self.grid.len(), self.grid.dim(), parameters.free.len());
        let (offsets, corners) = (self.offsets(), self.corners());
        let share = (1.0 - restart) / offsets.len() as f64;
        let per_cell = offsets.len() * corners * (p + 1);
        // Whole chunks, about BATCH numbers: by shape only.
        let batch = (BATCH / per_cell / CHUNK).max(1) * CHUNK;
        let mut out = Mat::<f64>::zeros(n, p);
        for first in (0..n).step_by(batch) {
            let last = n.min(first + batch);
            type Piece = (Vec<usize>, Vec<f64>);
            let pieces: Vec<Piece> = (0..(last - first).div_ceil(CHUNK))
                .into_par_iter()
                .map(|chunk| {
                    let (mut cells, mut slopes) = Piece::default();
                    let mut s = vec![0.0; d * p];
                    let mut tangent = Tangent {
                        by_x: vec![0.0; d * d],
                        by_theta: vec![0.0; d * parameters.full.len()],
                        slopes: [(); 4].map(|()| vec![0.0; d * p]),
                        stage: vec![0.0; d * p],
                    };
                    for cell in first + chunk * CHUNK..last.min(first + (chunk + 1) * CHUNK) {
                        let (center, mass) = (self.grid.center(cell), share * rho[cell]);
                        for offset in &offsets {
                            let y = self.carry_tangent(add(center, *offset), theta, parameters, &mut tangent, &mut s);
                            if let Some(bad) = y.iter().chain(&s).find(|v| !v.is_finite()) {
                                return Err(not_finite(self.field, theta, *bad, BLOW_UP));
                            }
                            for corner in &self.deposit(y)[..corners] {
                                cells.push(corner.cell);
                                for j in 0..p {
                                    let slope: f64 = (0..d).map(|i| corner.gradient[i] * s[i * p + j]).sum();
                                    slopes.push(-mass * slope);
                                }
                            }
                        }
                    }
                    Ok((cells, slopes))
                })
                .collect::<Result<_, ModelError>>()?;
            out.col_iter_mut().collect::<Vec<_>>().into_par_iter().enumerate().for_each(|(j, mut column)| {
                for (cells, slopes) in &pieces {
                    for (at, &cell) in cells.iter().enumerate() {
                        column[cell] += slopes[at * p + j];
                    }
                }
            });
        }
        Ok(out)
    }
}

fn add(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}
