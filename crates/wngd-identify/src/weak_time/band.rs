//! Symmetric positive matrices with a narrow band.

/// Lower half of a matrix, row by row, the diagonal last in each row.
#[derive(Debug, Clone)]
pub(super) struct Band {
    rows: usize,
    /// Entries below the diagonal in a row.
    below: usize,
    entries: Vec<f64>,
}

impl Band {
    pub(super) fn new(rows: usize, below: usize) -> Self {
        Self { rows, below, entries: vec![0.0; rows * (below + 1)] }
    }

    /// Entry (i, j) with i − below ≤ j ≤ i.
    pub(super) fn entry(&mut self, i: usize, j: usize) -> &mut f64 {
        &mut self.entries[i * (self.below + 1) + self.below + j - i]
    }

    fn get(&self, i: usize, j: usize) -> f64 {
        self.entries[i * (self.below + 1) + self.below + j - i]
    }

    /// Cholesky's factor in its place, and ln det; `None` if the matrix is not positive.
    pub(super) fn factored(mut self) -> Option<(Self, f64)> {
        let mut logs = 0.0;
        for i in 0..self.rows {
            let first = i.saturating_sub(self.below);
            for j in first..=i {
                let from = first.max(j.saturating_sub(self.below));
                let sum = self.get(i, j) - (from..j).map(|k| self.get(i, k) * self.get(j, k)).sum::<f64>();
                if j < i {
                    *self.entry(i, j) = sum / self.get(j, j);
                } else if sum > 0.0 {
                    *self.entry(i, i) = sum.sqrt();
                    logs += sum.ln();
                } else {
                    return None;
                }
            }
        }
        Some((self, logs))
    }

    /// L⁻¹ b of the factor.
    pub(super) fn forward(&self, mut b: Vec<f64>) -> Vec<f64> {
        for i in 0..self.rows {
            let first = i.saturating_sub(self.below);
            let sum: f64 = (first..i).map(|k| self.get(i, k) * b[k]).sum();
            b[i] = (b[i] - sum) / self.get(i, i);
        }
        b
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_is_factored_as_a_full_matrix() {
        // tridiagonal 2, −1: ln det is ln (n + 1).
        let mut band = Band::new(9, 2);
        for i in 0..9 {
            *band.entry(i, i) = 2.0;
            if i > 0 {
                *band.entry(i, i - 1) = -1.0;
            }
        }
        let (factor, logs) = band.factored().unwrap();
        assert!((logs - 10f64.ln()).abs() < 1e-12);
        // bᵀA⁻¹b with b = e_0 is n/(n + 1).
        let mut b = vec![0.0; 9];
        b[0] = 1.0;
        let half = factor.forward(b);
        assert!((half.iter().map(|v| v * v).sum::<f64>() - 0.9).abs() < 1e-12);
        assert!(Band::new(2, 1).factored().is_none());
    }
}
