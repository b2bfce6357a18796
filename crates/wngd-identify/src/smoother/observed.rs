//! What was observed of the path, in units of its own scatter.

/// Observations of some coordinates at times of one or several records.
#[derive(Debug, Clone)]
pub(super) struct Observed {
    /// Coordinates of the state.
    pub(super) dim: usize,
    /// The coordinate that each observed column is.
    pub(super) which: Vec<usize>,
    /// Values, row-major, one column per entry of `which`; not a number where one is missing.
    pub(super) values: Vec<f64>,
    /// Time from each point to the next one; 0 at the end of a record.
    pub(super) after: Vec<f64>,
    /// Usual time between points.
    pub(super) dt: f64,
    /// Unit of each coordinate of the state.
    pub(super) scales: Vec<f64>,
    /// Where the first points of records lie, before anything is known of them.
    pub(super) centre: Vec<f64>,
}

impl Observed {
    /// Number of points.
    pub(super) fn count(&self) -> usize {
        self.after.len()
    }

    /// What was observed of point `k`.
    pub(super) fn row(&self, k: usize) -> &[f64] {
        let m = self.which.len();
        &self.values[k * m..(k + 1) * m]
    }

    /// Number of values.
    pub(super) fn seen(&self) -> usize {
        self.values.iter().filter(|v| !v.is_nan()).count()
    }

    /// Whether point `k` begins a record.
    pub(super) fn begins(&self, k: usize) -> bool {
        k == 0 || self.after[k - 1] == 0.0
    }

    /// The first `count` points.
    pub(super) fn first(&self, count: usize) -> Self {
        let count = count.min(self.count());
        let mut after = self.after[..count].to_vec();
        if let Some(last) = after.last_mut() {
            *last = 0.0;
        }
        Self { values: self.values[..count * self.which.len()].to_vec(), after, ..self.clone() }
    }
}
