//! Mean and standard deviation of each coordinate in one pass, with the same bits however the points come.

/// Points that are summed by themselves: their deviations from their own mean are small, so that no digits are lost.
const PAGE: usize = 4096;

/// Points so far.
#[derive(Debug, Clone)]
pub(crate) struct Spread {
    dim: usize,
    count: f64,
    mean: Vec<f64>,
    /// Sum of squared deviations from the mean.
    squares: Vec<f64>,
    /// Points of a page that is not yet full.
    page: Vec<f64>,
}

impl Spread {
    pub(crate) fn new(dim: usize) -> Self {
        Self { dim, count: 0.0, mean: vec![0.0; dim], squares: vec![0.0; dim], page: Vec::new() }
    }

    /// Of all points.
    pub(crate) fn of(points: &[f64], dim: usize) -> Self {
        let mut it = Self::new(dim);
        it.add(points);
        it
    }

    /// Adds points, row-major. Pages begin at the first point ever added, and end as they are full.
    pub(crate) fn add(&mut self, mut rows: &[f64]) {
        let full = PAGE * self.dim;
        while !rows.is_empty() {
            if self.page.is_empty() && rows.len() >= full {
                self.put(&rows[..full]);
                rows = &rows[full..];
                continue;
            }
            let (now, later) = rows.split_at(rows.len().min(full - self.page.len()));
            self.page.extend_from_slice(now);
            rows = later;
            if self.page.len() == full {
                let page = std::mem::take(&mut self.page);
                self.put(&page);
            }
        }
    }

    /// Adds a page (Chan, Golub and LeVeque 1983, doi:10.1080/00031305.1983.10483115).
    fn put(&mut self, page: &[f64]) {
        let added = (page.len() / self.dim) as f64;
        let (mut mean, mut squares) = (vec![0.0; self.dim], vec![0.0; self.dim]);
        for row in page.chunks_exact(self.dim) {
            mean.iter_mut().zip(row).for_each(|(m, v)| *m += v);
        }
        mean.iter_mut().for_each(|m| *m /= added);
        for row in page.chunks_exact(self.dim) {
            squares.iter_mut().zip(row).zip(&mean).for_each(|((s, v), m)| *s += (v - m) * (v - m));
        }
        let all = self.count + added;
        for axis in 0..self.dim {
            let apart = mean[axis] - self.mean[axis];
            self.mean[axis] += apart * (added / all);
            self.squares[axis] += squares[axis] + apart * apart * (self.count * added / all);
        }
        self.count = all;
    }

    /// Mean and standard deviation of each coordinate of all points.
    pub(crate) fn ended(mut self) -> (Vec<f64>, Vec<f64>) {
        let rest = std::mem::take(&mut self.page);
        if !rest.is_empty() {
            self.put(&rest);
        }
        let deviations = self.squares.iter().map(|s| (s / (self.count - 1.0)).sqrt()).collect();
        (self.mean, deviations)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scale::deviations;

    #[test]
    fn parts_of_any_size_have_the_same_bits_and_the_textbook_has_the_same_value() {
        let points: Vec<f64> = (0..30_000).map(|i| 1e3 + (i as f64 * 0.37).sin() + (i % 3) as f64).collect();
        let whole = Spread::of(&points, 3).ended();
        for size in [3, 300, 3 * PAGE, 29_997] {
            let mut parts = Spread::new(3);
            points.chunks(size).for_each(|part| parts.add(part));
            assert_eq!(parts.ended(), whole);
        }
        for (found, exact) in whole.1.iter().zip(deviations(&points, 3)) {
            assert!((found / exact - 1.0).abs() < 1e-11, "{found} {exact}");
        }
    }
}
