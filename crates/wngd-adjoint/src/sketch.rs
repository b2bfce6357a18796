use wngd_linalg::LinearOp;
use wngd_linalg::dense::{beside, multiply, multiply_transpose};
use wngd_linalg::faer::{Mat, MatMut, MatRef};

/// Hutchinson's estimate H_m(Z) = (1/m) Σ h hᵀZ of a Jacobian, kept factored.
///
/// Unbiased for probes with E h hᵀ = I; exact where the probes are √k times orthonormal and m = k.
/// Each probe costs one adjoint solve. The k x p estimate itself is never formed.
///
/// The direction that its least-squares problem gives is, to good accuracy, that of the sketched
/// problem min ‖Hᵀ(b + Zη)‖ shortened by m/(m + k): a baseline, not a solver.
///
/// # References
/// Lei, Nurbekyan and Yang's probes of Z; Hutchinson 1989, doi:10.1080/03610918908812806.
///
/// # Example
/// ```
/// use wngd_adjoint::{Probes, Sketch, apply_vec};
/// use wngd_adjoint::faer::Mat;
/// let z = Mat::from_fn(50, 3, |i, j| ((i + 1) * (j + 2)) as f64 % 7.0);
/// let sketch = Sketch::new(&z, Probes::default().block(50, 0, 8));
/// let estimate = apply_vec(&sketch, &[1.0, 0.0, 0.0]);
/// assert_eq!(estimate.len(), 50);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Sketch {
    probes: Mat<f64>,
    products: Mat<f64>,
}

impl Sketch {
    /// Applies the transposed Jacobian to the probes.
    ///
    /// # Shapes
    /// `probes`: k x m.
    ///
    /// # Panics
    /// If the probes have not as many rows as the Jacobian.
    ///
    /// # Cost
    /// m adjoint solves, in parallel blocks.
    pub fn new(jacobian: &dyn LinearOp, probes: Mat<f64>) -> Self {
        let mut products = Mat::zeros(jacobian.ncols(), probes.ncols());
        jacobian.apply_transpose(products.as_mut(), probes.as_ref());
        Self { probes, products }
    }

    /// Adds probes; the result has the bits of a sketch made in one go.
    pub fn extend(&mut self, jacobian: &dyn LinearOp, probes: Mat<f64>) {
        let more = Self::new(jacobian, probes);
        self.probes = beside(self.probes(), more.probes());
        self.products = beside(self.products(), more.products());
    }

    /// Number of probes m.
    pub fn len(&self) -> usize {
        self.probes.ncols()
    }

    /// Whether there is no probe.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The probes H (k x m).
    pub fn probes(&self) -> MatRef<'_, f64> {
        self.probes.as_ref()
    }

    /// ZᵀH (p x m).
    pub fn products(&self) -> MatRef<'_, f64> {
        self.products.as_ref()
    }
}

/// As the operator (1/m) H (ZᵀH)ᵀ, k x p.
impl LinearOp for Sketch {
    fn nrows(&self) -> usize {
        self.probes.nrows()
    }
    fn ncols(&self) -> usize {
        self.products.nrows()
    }
    fn apply(&self, out: MatMut<'_, f64>, x: MatRef<'_, f64>) {
        through(out, x, &self.products, &self.probes);
    }
    fn apply_transpose(&self, out: MatMut<'_, f64>, y: MatRef<'_, f64>) {
        through(out, y, &self.probes, &self.products);
    }
}

/// out = (1/m) B Aᵀ x.
fn through(out: MatMut<'_, f64>, x: MatRef<'_, f64>, a: &Mat<f64>, b: &Mat<f64>) {
    let m = a.ncols();
    let mut inner = Mat::zeros(m, x.ncols());
    multiply_transpose(inner.as_mut(), a.as_ref(), x);
    for j in 0..inner.ncols() {
        inner.col_as_slice_mut(j).iter_mut().for_each(|v| *v /= m as f64);
    }
    multiply(out, b.as_ref(), inner.as_ref());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Probes, dot_test};

    fn jacobian(k: usize, p: usize) -> Mat<f64> {
        Mat::from_fn(k, p, |i, j| (0.3 * (i * (j + 1)) as f64).sin() / (1.0 + j as f64))
    }

    #[test]
    fn the_identity_as_probes_gives_the_jacobian_itself() {
        let (k, p) = (12, 4);
        let z = jacobian(k, p);
        let root = (k as f64).sqrt();
        let sketch = Sketch::new(&z, Mat::from_fn(k, k, |i, j| if i == j { root } else { 0.0 }));
        assert!((sketch.to_dense() - &z).norm_max() < 1e-15);
        assert!(dot_test(&sketch, 3) < 1e-14);
    }

    #[test]
    fn batches_have_the_bits_of_one_block() {
        let z = jacobian(40, 5);
        let probes = Probes { seed: 2, ..Probes::default() };
        let whole = Sketch::new(&z, probes.block(40, 0, 20));
        let mut parts = Sketch::new(&z, probes.block(40, 0, 5));
        for batch in 1..4 {
            parts.extend(&z, probes.block(40, 5 * batch, 5));
        }
        assert_eq!(whole, parts);
        assert_eq!(whole.len(), 20);
    }

    #[test]
    fn the_mean_over_seeds_is_the_jacobian() {
        // Entry (i, j) of one probe has variance Σ_{l≠i} z_lj²; the mean over n of them is normal, and
        // 5 standard deviations over 60 entries fail by chance once in 30 000 runs.
        let (k, p, n) = (12, 5, 20_000);
        let z = jacobian(k, p);
        let estimate = Sketch::new(&z, Probes { seed: 9, ..Probes::default() }.block(k, 0, n)).to_dense();
        for j in 0..p {
            let total: f64 = z.col_as_slice(j).iter().map(|v| v * v).sum();
            for i in 0..k {
                let deviation = ((total - z[(i, j)].powi(2)) / n as f64).sqrt();
                assert!((estimate[(i, j)] - z[(i, j)]).abs() < 5.0 * deviation, "({i}, {j})");
            }
        }
    }
}
