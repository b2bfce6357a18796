//! Coordinates of the fit: centred, each axis in units of its own scatter, so that neither units nor an outlier matter.

use crate::component::Parameters;
use crate::error::FitError;
use crate::lattice::{Lattice, lattice};
use crate::options::Family;
use crate::samples::Samples;

/// Values that the scatter is taken from.
const LOOK: usize = 20_000;
/// Smallest variance of a component, in units of the squared scatter, where no rounding says more.
const FLOOR: f64 = 1e-10;

/// A change of coordinates x = centre + scale · z per axis, and what is known of the axes.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub centre: Vec<f64>,
    pub scale: Vec<f64>,
    pub lattice: Vec<Option<Lattice>>,
}

impl Frame {
    /// The frame of samples: median and interquartile range.
    ///
    /// # Errors
    /// Coordinates that do not vary, fewer samples than coordinates.
    pub(crate) fn of_samples(samples: &Samples, family: Family) -> Result<Self, FitError> {
        let (dim, n) = (samples.dim, samples.len());
        let stride = n.div_ceil(LOOK).max(1);
        let (mut centre, mut scale) = (Vec::new(), Vec::new());
        for axis in 0..dim {
            let mut seen: Vec<f64> = (0..n).step_by(stride).map(|i| samples.values[i * dim + axis]).collect();
            seen.sort_by(f64::total_cmp);
            let at = |share: f64| seen[((seen.len() - 1) as f64 * share).round() as usize];
            centre.push(at(0.5));
            let spread = (at(0.75) - at(0.25)) / 1.349;
            scale.push(if spread > 0.0 { spread } else { deviation(&samples.values, dim, axis)? });
        }
        let lattice = (0..dim).map(|axis| lattice(&samples.values, dim, axis)).collect();
        Ok(Self { centre, scale, lattice }.made_for(family))
    }

    /// The frame of bins.
    pub(crate) fn of_bins(centres: &[f64], counts: &[f64], dim: usize, family: Family) -> Result<Self, FitError> {
        let total: f64 = counts.iter().sum();
        let (mut centre, mut scale) = (Vec::new(), Vec::new());
        for axis in 0..dim {
            let mean = counts.iter().zip(centres.chunks(dim)).map(|(n, x)| n * x[axis]).sum::<f64>() / total;
            let square = |x: f64| (x - mean).powi(2);
            let variance =
                counts.iter().zip(centres.chunks(dim)).map(|(n, x)| n * square(x[axis])).sum::<f64>() / total;
            if !(variance > 0.0) {
                return Err(FitError::Constant { axis, value: mean });
            }
            centre.push(mean);
            scale.push(variance.sqrt());
        }
        Ok(Self { centre, scale, lattice: vec![None; dim] }.made_for(family))
    }

    /// σ²I stays σ²I only where all axes have one unit.
    fn made_for(mut self, family: Family) -> Self {
        if family == Family::Isotropic {
            let mean = self.scale.iter().map(|s| s.ln()).sum::<f64>() / self.scale.len() as f64;
            self.scale.fill(mean.exp());
        }
        self
    }

    /// Samples in the coordinates of the fit.
    pub(crate) fn inward(&self, values: &[f64]) -> Vec<f64> {
        let dim = self.centre.len();
        let one = |(i, v): (usize, &f64)| (v - self.centre[i % dim]) / self.scale[i % dim];
        values.iter().enumerate().map(one).collect()
    }

    /// A mixture in the units of the samples.
    pub(crate) fn outward(&self, parameters: &Parameters) -> Parameters {
        let mut out = parameters.clone();
        let dim = out.dim;
        for mean in &mut out.means {
            (0..dim).for_each(|a| mean[a] = self.centre[a] + self.scale[a] * mean[a]);
        }
        for covariance in &mut out.covariances {
            for a in 0..dim {
                (0..dim).for_each(|b| covariance[a * dim + b] *= self.scale[a] * self.scale[b]);
            }
        }
        out
    }

    /// Smallest variance of a component per axis, in the coordinates of the fit: that of rounding, h²/12, or next to
    /// nothing.
    pub(crate) fn floor(&self, family: Family) -> Vec<f64> {
        let of = |(lattice, scale): (&Option<Lattice>, &f64)| {
            lattice.map_or(FLOOR, |l| ((l.step / scale).powi(2) / 12.0).max(FLOOR))
        };
        let mut floor: Vec<f64> = self.lattice.iter().zip(&self.scale).map(of).collect();
        if family == Family::Isotropic {
            let mean = floor.iter().sum::<f64>() / floor.len() as f64;
            floor.fill(mean);
        }
        floor
    }

    /// ln of the volume of a unit cell of the coordinates of the fit.
    pub(crate) fn log_volume(&self) -> f64 {
        self.scale.iter().map(|s| s.ln()).sum()
    }
}

/// Standard deviation of a coordinate, without overflow.
fn deviation(values: &[f64], dim: usize, axis: usize) -> Result<f64, FitError> {
    let column = || values.iter().skip(axis).step_by(dim);
    let n = (values.len() / dim) as f64;
    let first = values[axis];
    let largest = column().fold(0.0, |m: f64, v| m.max((v - first).abs()));
    if !(largest > 0.0) {
        return Err(FitError::Constant { axis, value: first });
    }
    let mean = column().map(|v| (v - first) / largest).sum::<f64>() / n;
    let variance = column().map(|v| ((v - first) / largest - mean).powi(2)).sum::<f64>() / n;
    Ok(largest * variance.sqrt())
}
