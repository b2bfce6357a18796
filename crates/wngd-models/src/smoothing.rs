use wngd_linalg::Grid;

/// Convolution with a Gaussian, axis by axis: each cell's mass spreads over the box and stays in it.
///
/// # Cost
/// kernel width in cells times k per axis.
///
/// # Example
/// ```
/// use wngd_linalg::Grid;
/// use wngd_models::GaussianSmoothing;
/// let grid = Grid::new(&[-5.0], &[5.0], &[101])?;
/// let mut rho = vec![0.0; 101];
/// rho[50] = 1.0;
/// GaussianSmoothing::new(&grid, &[0.8])?.apply(&mut rho);
/// let variance: f64 = (0..101).map(|i| rho[i] * grid.center(i)[0].powi(2)).sum();
/// assert!((variance - 0.64).abs() < 1e-6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct GaussianSmoothing {
    axes: Vec<Axis>,
}

/// What an axis needs; an empty kernel leaves it alone.
#[derive(Debug, Clone)]
struct Axis {
    cells: usize,
    /// Distance in memory between neighbours.
    stride: usize,
    /// Gaussian at whole distances, up to where it is negligible.
    kernel: Vec<f64>,
    /// One over the kernel's sum inside the box, for each cell.
    weight: Vec<f64>,
}

/// Below this many cells samples of a Gaussian misjudge its variance.
const NARROW: f64 = 0.7;
/// A kernel ends at this many standard deviations.
const REACH: f64 = 8.5;

impl GaussianSmoothing {
    /// A Gaussian of the given standard deviation per axis, in the units of the axis; 0 leaves an axis alone.
    ///
    /// # Errors
    /// The axis and the width that is not a finite number of at least 0, or missing (NaN).
    pub fn new(grid: &Grid, widths: &[f64]) -> Result<Self, WidthError> {
        let dim = grid.dim();
        if widths.len() != dim {
            return Err(WidthError { axis: widths.len().min(dim), value: f64::NAN });
        }
        let axis = |axis: usize| {
            let (n, h, width) = (grid.cells()[axis], grid.spacing()[axis], widths[axis]);
            if !(width >= 0.0 && width.is_finite()) {
                return Err(WidthError { axis, value: width });
            }
            let cells = width / h;
            let kernel = match cells {
                0.0 => Vec::new(),
                // A Gaussian narrower than the cells is missed by its samples; three weights keep its variance.
                _ if cells < NARROW => vec![1.0 - cells * cells, 0.5 * cells * cells],
                // As far as the box at most, however wide the Gaussian.
                _ => (0..((REACH * cells).min(n as f64) as usize + 1).min(n))
                    .map(|j| (-0.5 * (j as f64 / cells).powi(2)).exp())
                    .collect(),
            };
            let reach = kernel.len().min(n);
            let near = |from: usize| from.saturating_sub(reach.saturating_sub(1))..n.min(from + reach);
            let weight = (0..n).map(|from| 1.0 / near(from).map(|to| kernel[from.abs_diff(to)]).sum::<f64>()).collect();
            let stride = grid.cells()[axis + 1..].iter().product();
            Ok(Axis { cells: n, stride, kernel, weight })
        };
        Ok(Self { axes: (0..dim).map(axis).collect::<Result<_, _>>()? })
    }

    /// Whether nothing is smoothed.
    pub fn is_identity(&self) -> bool {
        self.axes.iter().all(|axis| axis.kernel.len() < 2)
    }

    /// Smooths cell values in place.
    pub fn apply(&self, values: &mut [f64]) {
        self.axes.iter().for_each(|axis| axis.lines(values, |axis, from, value, line| axis.spread(from, value, line)));
    }

    /// The transpose of [`apply`](Self::apply).
    pub fn apply_transpose(&self, values: &mut [f64]) {
        for axis in self.axes.iter().rev() {
            axis.lines(values, |axis, from, value, line| axis.gather(from, value, line));
        }
    }
}

impl Axis {
    fn near(&self, at: usize) -> std::ops::Range<usize> {
        at.saturating_sub(self.kernel.len() - 1)..self.cells.min(at + self.kernel.len())
    }

    fn spread(&self, from: usize, mass: f64, line: &mut [f64]) {
        for to in self.near(from) {
            line[to] += mass * self.kernel[from.abs_diff(to)] * self.weight[from];
        }
    }

    fn gather(&self, to: usize, value: f64, line: &mut [f64]) {
        for from in self.near(to) {
            line[from] += value * self.kernel[from.abs_diff(to)] * self.weight[from];
        }
    }

    /// Replaces every line along the axis by what `add` makes of its non-zero values.
    fn lines(&self, values: &mut [f64], add: impl Fn(&Self, usize, f64, &mut [f64])) {
        if self.kernel.len() < 2 {
            return;
        }
        let (n, stride) = (self.cells, self.stride);
        let mut line = vec![0.0; n];
        for block in values.chunks_exact_mut(n * stride) {
            for s in 0..stride {
                line.fill(0.0);
                for j in 0..n {
                    let value = block[s + j * stride];
                    if value != 0.0 {
                        add(self, j, value, &mut line);
                    }
                }
                line.iter().enumerate().for_each(|(j, value)| block[s + j * stride] = *value);
            }
        }
    }
}

/// A width that no Gaussian has.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("width {value} for axis {axis}: a finite number of at least 0 is needed")]
pub struct WidthError {
    /// Axis.
    pub axis: usize,
    /// The width.
    pub value: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mass_stays_and_the_transpose_is_one() {
        let grid = Grid::new(&[0.0; 3], &[1.0, 2.0, 3.0], &[5, 7, 6]).unwrap();
        let smoothing = GaussianSmoothing::new(&grid, &[0.3, 0.0, 0.9]).unwrap();
        let a: Vec<f64> = (0..grid.len()).map(|i| (0.7 * i as f64).sin().abs()).collect();
        let b: Vec<f64> = (0..grid.len()).map(|i| (0.3 * i as f64).cos()).collect();
        let (mut sa, mut tb) = (a.clone(), b.clone());
        smoothing.apply(&mut sa);
        smoothing.apply_transpose(&mut tb);
        assert!((sa.iter().sum::<f64>() / a.iter().sum::<f64>() - 1.0).abs() < 1e-13);
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
        assert!((dot(&sa, &b) / dot(&a, &tb) - 1.0).abs() < 1e-12);
        assert!(!smoothing.is_identity() && GaussianSmoothing::new(&grid, &[0.0; 3]).unwrap().is_identity());
    }

    #[test]
    fn the_variance_is_right_at_every_width() {
        let grid = Grid::new(&[-10.0], &[10.0], &[41]).unwrap();
        for width in [0.05, 0.2, 0.34, 0.36, 1.5] {
            let mut rho = vec![0.0; 41];
            rho[20] = 1.0;
            GaussianSmoothing::new(&grid, &[width]).unwrap().apply(&mut rho);
            let variance: f64 = (0..41).map(|i| rho[i] * grid.center(i)[0].powi(2)).sum();
            assert!((variance / (width * width) - 1.0).abs() < 2e-3, "{width}: {variance}");
        }
    }

    #[test]
    fn bad_widths_are_named() {
        let grid = Grid::new(&[0.0, 0.0], &[1.0, 1.0], &[4, 4]).unwrap();
        assert_eq!(GaussianSmoothing::new(&grid, &[0.1, -1.0]).unwrap_err(), WidthError { axis: 1, value: -1.0 });
        assert_eq!(GaussianSmoothing::new(&grid, &[0.1]).unwrap_err().axis, 1);
    }
}
