use crate::error::FitError;
use crate::samples::check;

/// Counts of bins: boxes of any size, with gaps or without.
///
/// # Shapes
/// `lower` and `upper` hold a row of `dim` numbers per bin, `counts` a number per bin. Bins with count 0 belong to it
/// where the observer would have seen entries there.
#[derive(Debug, Clone)]
pub struct Histogram {
    pub(crate) dim: usize,
    pub(crate) lower: Vec<f64>,
    pub(crate) upper: Vec<f64>,
    pub(crate) counts: Vec<f64>,
}

impl Histogram {
    /// A histogram in 1 to 3 dimensions.
    ///
    /// # Errors
    /// Lengths that do not fit; edges that are not finite or out of order; counts that are negative, not whole, or all
    /// 0; more dimensions; bins that overlap in one dimension.
    pub fn new(dim: usize, lower: Vec<f64>, upper: Vec<f64>, counts: Vec<f64>) -> Result<Self, FitError> {
        if !(1..=3).contains(&dim) {
            let problem = format!("{dim} axes; a histogram has 1 to 3: give the samples themselves");
            return Err(FitError::Option { option: "edges", problem });
        }
        let bins = counts.len();
        for (field, values) in [("lower", &lower), ("upper", &upper)] {
            if values.len() != bins * dim {
                let (expected, found) = (bins * dim, values.len());
                return Err(FitError::Length { field, expected, found, reason: "one per bin and axis" });
            }
            check(field, values, "edges are finite, at most 1e150 in size", |v| v.abs() <= 1e150)?;
        }
        if let Some(index) = (0..bins * dim).find(|&i| !(lower[i] < upper[i])) {
            let rule = "the lower edge of a bin is below its upper edge";
            return Err(FitError::Value { field: "lower", index, value: lower[index], rule });
        }
        let rule = "counts are whole numbers, at least 0: a density or weighted entries are no counts";
        check("counts", &counts, rule, |n| (0.0..1e15).contains(&n) && n.fract() == 0.0)?;
        if !(counts.iter().sum::<f64>() > 0.0) {
            return Err(FitError::Value {
                field: "counts",
                index: 0,
                value: 0.0,
                rule: "at least one bin has entries",
            });
        }
        if dim == 1 {
            let mut order: Vec<usize> = (0..bins).collect();
            order.sort_by(|&i, &j| lower[i].total_cmp(&lower[j]));
            // Edges are written, and added up, with rounding.
            let overlap = |i: usize, j: usize| {
                let least = (upper[i] - lower[i]).min(upper[j] - lower[j]);
                let size = upper[i].abs().max(lower[j].abs());
                upper[i] - lower[j] > 1e-9 * least + 4.0 * f64::EPSILON * size
            };
            if let Some(pair) = order.windows(2).find(|w| overlap(w[0], w[1])) {
                let rule = "bins do not overlap";
                return Err(FitError::Value { field: "lower", index: pair[1], value: lower[pair[1]], rule });
            }
        }
        Ok(Self { dim, lower, upper, counts })
    }

    /// Axes.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Entries in all.
    pub fn entries(&self) -> f64 {
        self.counts.iter().sum()
    }

    /// Centres of the bins, row-major.
    pub(crate) fn centres(&self) -> Vec<f64> {
        self.lower.iter().zip(&self.upper).map(|(a, b)| 0.5 * (a + b)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_that_were_added_up_do_not_overlap_and_others_do() {
        let lower: Vec<f64> = (0..200).map(|i| -5.0 + 0.05 * f64::from(i)).collect();
        let upper: Vec<f64> = lower.iter().map(|x| x + 0.05).collect();
        assert!(Histogram::new(1, lower.clone(), upper.clone(), vec![1.0; 200]).is_ok());
        let wide = upper.iter().map(|x| x + 1e-6).collect();
        assert!(matches!(
            Histogram::new(1, lower, wide, vec![1.0; 200]),
            Err(FitError::Value { rule: "bins do not overlap", .. })
        ));
    }
}
