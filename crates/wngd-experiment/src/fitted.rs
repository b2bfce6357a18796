//! Figures of data with a fit over them: samples, histograms, residuals, errors of the parameters.

use std::path::Path;

use wngd_figures::{Axis, Bin, BinnedFit, Cloud, Component, Curve, Figure, ParameterCovariance, Residuals, SampleFit};

use crate::error::ExperimentError;
use crate::models::{Part, PartShape};
use crate::numbers::with_error;

/// Most bins of a histogram of samples.
const BINS: usize = 60;
/// Points of a curve.
const POINTS: usize = 400;

/// Data in cells of a grid and a fit to them.
pub struct Fitted<'a> {
    /// The grid's axes.
    pub axes: Vec<Axis>,
    /// The data's density per cell.
    pub data: &'a [f64],
    /// The fitted density per cell.
    pub fit: &'a [f64],
    /// How many were counted.
    pub number: f64,
    /// Components of the fit, if it has any.
    pub parts: Vec<Part>,
    /// The samples, where they are at hand.
    pub cloud: Option<Cloud>,
    /// Bins of one axis, where the data have some of their own: edges and counts.
    pub bins: Option<Vec<[f64; 3]>>,
}

impl Fitted<'_> {
    /// Draws `histogram` for one axis, `samples` and `residuals` for more.
    ///
    /// # Errors
    /// Files that cannot be written.
    pub fn draw(self, folder: &Path) -> Result<(), ExperimentError> {
        if self.axes.len() == 1 {
            return Ok(self.histogram().save(folder)?);
        }
        let residuals = Residuals {
            axes: self.axes.clone(),
            data: self.data.to_vec(),
            fit: self.fit.to_vec(),
            number: self.number,
            title: String::new(),
        };
        let components: Option<Vec<Component>> = self.parts.iter().map(component).collect();
        if let Some(components) = components.filter(|found| !found.is_empty()) {
            let cloud = self.cloud.unwrap_or_else(|| Cloud::Cells(self.data.to_vec()));
            SampleFit { axes: self.axes, cloud, components, title: String::new() }.save(folder)?;
        }
        Ok(residuals.save(folder)?)
    }

    fn histogram(&self) -> BinnedFit {
        let axis = &self.axes[0];
        let width = (axis.upper - axis.lower) / axis.cells as f64;
        let at = |i: usize| axis.lower + width * (i as f64 + 0.5) * axis.cells as f64 / POINTS as f64;
        // Without components: straight lines between the cells.
        let between = |x: f64| {
            let place = ((x - axis.lower) / width - 0.5).clamp(0.0, (axis.cells - 1) as f64);
            let (i, t) = (place.floor() as usize, place.fract());
            self.fit[i] + t * (self.fit[(i + 1).min(axis.cells - 1)] - self.fit[i])
        };
        let parts: Vec<Vec<[f64; 2]>> = self.parts.iter().map(|part| curve(part, &at)).collect();
        let scaled = |points: &[[f64; 2]]| points.iter().map(|p| [p[0], p[1] * self.number]).collect::<Vec<_>>();
        let sum: Vec<[f64; 2]> = match parts.first() {
            Some(first) => (0..first.len()).map(|i| [first[i][0], parts.iter().map(|part| part[i][1]).sum()]).collect(),
            None => (0..POINTS).map(|i| [at(i), between(at(i))]).collect(),
        };
        let bins = match &self.bins {
            Some(bins) => bins
                .iter()
                .map(|[lower, upper, count]| {
                    let expected = self.number * mean(&sum, *lower, *upper) * (upper - lower);
                    Bin { lower: *lower, upper: *upper, count: *count, expected }
                })
                .collect(),
            None => {
                let block = axis.cells.div_ceil(BINS);
                let total = |values: &[f64]| values.iter().sum::<f64>() * width * self.number;
                let pairs = self.data.chunks(block).zip(self.fit.chunks(block)).enumerate();
                pairs
                    .map(|(i, (counted, expected))| Bin {
                        lower: axis.lower + width * (i * block) as f64,
                        upper: axis.lower + width * (i * block + counted.len()) as f64,
                        count: total(counted),
                        expected: total(expected),
                    })
                    .collect()
            }
        };
        let components = match self.parts.len() {
            0 | 1 => Vec::new(),
            _ => self
                .parts
                .iter()
                .zip(&parts)
                .map(|(part, points)| Curve { name: part.name.clone(), points: scaled(points) })
                .collect(),
        };
        BinnedFit { name: axis.name.clone(), bins, curve: scaled(&sum), components, title: String::new() }
    }
}

/// A Gaussian component, as figures take it.
fn component(part: &Part) -> Option<Component> {
    match &part.shape {
        PartShape::Gaussian { mean, covariance } => Some(Component {
            name: part.name.clone(),
            weight: part.share,
            mean: mean.clone(),
            covariance: covariance.clone(),
        }),
        PartShape::Curve(_) => None,
    }
}

/// Points of a component over the first axis.
fn curve(part: &Part, at: &dyn Fn(usize) -> f64) -> Vec<[f64; 2]> {
    match (&part.shape, component(part)) {
        (PartShape::Curve(values), _) => values.clone(),
        (_, Some(found)) => (0..POINTS).map(|i| [at(i), found.density(0, at(i))]).collect(),
        _ => Vec::new(),
    }
}

/// The mean of a curve between two places, by the points between and the values at the ends.
fn mean(curve: &[[f64; 2]], from: f64, to: f64) -> f64 {
    let value = |x: f64| {
        let i = curve.partition_point(|p| p[0] < x).clamp(1, curve.len().max(2) - 1);
        let (a, b) = (curve[i - 1], curve[i]);
        let t = ((x - a[0]) / (b[0] - a[0])).clamp(0.0, 1.0);
        a[1] + t * (b[1] - a[1])
    };
    if curve.len() < 2 {
        return 0.0;
    }
    let parts = 64;
    let at = |i: usize| from + (to - from) * (i as f64 + 0.5) / parts as f64;
    (0..parts).map(|i| value(at(i))).sum::<f64>() / parts as f64
}

/// Draws `covariance`: parameters with errors, their ellipses and correlations. Parameters without an error are left out;
/// nothing is drawn for fewer than two.
///
/// # Errors
/// Files that cannot be written.
pub fn draw_covariance(
    labels: &[String],
    theta: &[f64],
    covariance: &[Vec<Option<f64>>],
    profiles: Option<&[Vec<[f64; 2]>]>,
    folder: &Path,
) -> Result<(), ExperimentError> {
    let known = |i: &usize| covariance.get(*i).and_then(|row| row.get(*i).copied().flatten()).is_some_and(|v| v > 0.0);
    let chosen: Vec<usize> = (0..labels.len()).filter(known).collect();
    if chosen.len() < 2 {
        return Ok(());
    }
    let entry = |i: usize, j: usize| covariance[i].get(j).copied().flatten().unwrap_or(0.0);
    let figure = ParameterCovariance {
        names: chosen.iter().map(|&i| labels[i].clone()).collect(),
        values: chosen.iter().map(|&i| theta[i]).collect(),
        words: chosen.iter().map(|&i| with_error(theta[i], Some(entry(i, i).sqrt()))).collect(),
        covariance: chosen.iter().map(|&i| chosen.iter().map(|&j| entry(i, j)).collect()).collect(),
        profiles: profiles.map_or_else(Vec::new, |all| chosen.iter().map(|&i| all[i].clone()).collect()),
        title: String::new(),
    };
    Ok(figure.save(folder)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_expect_the_integral_of_the_curve() {
        let line: Vec<[f64; 2]> = (0..101).map(|i| f64::from(i) * 0.1).map(|x| [x, 3.0 * x]).collect();
        assert!((mean(&line, 2.0, 4.0) - 9.0).abs() < 1e-9);
        assert_eq!(mean(&[], 0.0, 1.0), 0.0);
    }

    #[test]
    fn counts_of_a_sharp_component_add_up() {
        let axis = Axis { name: "mass".into(), lower: 0.0, upper: 10.0, cells: 200 };
        let part = Part {
            name: "peak".into(),
            share: 1.0,
            shape: PartShape::Gaussian { mean: vec![5.0], covariance: vec![0.04] },
        };
        let bins = (0..10).map(|i| [f64::from(i), f64::from(i + 1), 10.0]).collect();
        let (data, fit) = (vec![0.1; 200], vec![0.1; 200]);
        let fitted = Fitted {
            axes: vec![axis],
            data: &data,
            fit: &fit,
            number: 100.0,
            parts: vec![part],
            cloud: None,
            bins: Some(bins),
        };
        let figure = fitted.histogram();
        let sum: f64 = figure.bins.iter().map(|b| b.expected).sum();
        assert!((sum - 100.0).abs() < 0.1, "{sum}");
        assert!((figure.bins[4].expected - 50.0).abs() < 0.5);
        assert!(figure.draw().is_ok());
    }
}
