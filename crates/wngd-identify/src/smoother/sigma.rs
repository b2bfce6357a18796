//! A Gaussian filter by sigma points, for a motion that noise drives: what is uncertain is carried along the flow itself, not
//! along its derivative.
//!
//! # References
//! Arasaratnam and Haykin 2009, doi:10.1109/TAC.2009.2019800 (cubature Kalman filter).

use super::drive::Drive;
use super::matrix::symmetrise;
use super::observed::Observed;
use crate::flow_map::FlowMap;

/// Variance of the first point about the centre, in squares of the scales: what the system visits.
const VISITED: f64 = 1.0;
/// Scales beyond which a filter has lost the path.
const LOST: f64 = 1e3;

/// What a filter runs with.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    /// All parameters of the field.
    pub(super) full: Vec<f64>,
    /// Variance of the noise of each observed column, in squares of the scales.
    pub(super) noise: Vec<f64>,
    /// By how much D of each driven coordinate is multiplied.
    pub(super) factors: Vec<f64>,
}

/// What it leaves behind, in units of the scales.
#[derive(Debug, Clone)]
pub(super) struct Run {
    /// Innovations: points x observed.
    pub(super) innovations: Vec<f64>,
    /// Their variances, 0 where a value is missing.
    pub(super) variances: Vec<f64>,
    /// Predicted points, in the data's units: points x coordinates.
    pub(super) predicted: Vec<f64>,
}

impl Run {
    /// ln of the likelihood but for a constant.
    pub(super) fn likelihood(&self) -> f64 {
        let seen = self.innovations.iter().zip(&self.variances).filter(|(_, s)| **s > 0.0);
        -0.5 * seen.map(|(v, s)| v * v / s + s.ln()).sum::<f64>()
    }
}

/// Filters the observations; `None` where the path is lost.
///
/// # Cost
/// Per point 2d + 1 flows over a time step, and four of half of one in the mean per driven coordinate.
pub(super) fn filter(map: &FlowMap<'_>, drive: &Drive, observed: &Observed, setting: &Setting) -> Option<Run> {
    let (n, d, m) = (observed.count(), observed.dim, observed.which.len());
    let scales = &observed.scales;
    let mut run =
        Run { innovations: vec![0.0; n * m], variances: vec![0.0; n * m], predicted: Vec::with_capacity(n * d) };
    let mut x = observed.centre.clone();
    let mut covariance = vec![0.0; d * d];
    let mut gain = vec![0.0; d];
    for k in 0..n {
        if observed.begins(k) {
            x.clone_from(&observed.centre);
            covariance.fill(0.0);
            (0..d).for_each(|c| covariance[c * d + c] = VISITED);
        }
        run.predicted.extend_from_slice(&x);
        for (i, (&c, value)) in observed.which.iter().zip(observed.row(k)).enumerate().filter(|(_, (_, v))| !v.is_nan())
        {
            let variance = covariance[c * d + c] + setting.noise[i];
            let innovation = (value - x[c]) / scales[c];
            gain.iter_mut().zip(&covariance[c * d..(c + 1) * d]).for_each(|(g, p)| *g = p / variance);
            x.iter_mut().zip(&gain).zip(scales).for_each(|((x, g), s)| *x += s * g * innovation);
            for (row, g) in covariance.chunks_exact_mut(d).zip(&gain) {
                row.iter_mut().zip(&gain).for_each(|(p, h)| *p -= g * h * variance);
            }
            (run.innovations[k * m + i], run.variances[k * m + i]) = (innovation, variance);
        }
        if observed.after[k] > 0.0 {
            x = predicted(map, drive, &x, &mut covariance, scales, setting, observed.after[k])?;
            if x.iter().zip(&observed.centre).zip(scales).any(|((x, c), s)| !((x - c).abs() < LOST * s)) {
                return None;
            }
        }
    }
    let finite = run.innovations.iter().zip(&run.variances).all(|(v, s)| v.is_finite() && s.is_finite() && *s >= 0.0);
    finite.then_some(run)
}

/// Mean and covariance a time later.
fn predicted(
    map: &FlowMap<'_>,
    drive: &Drive,
    x: &[f64],
    covariance: &mut [f64],
    scales: &[f64],
    setting: &Setting,
    time: f64,
) -> Option<Vec<f64>> {
    let d = x.len();
    let (shift, pushes) = drive.pushes(map, x, &setting.full, &setting.factors, time)?;
    let root = root(covariance, d);
    let far = (d as f64).sqrt();
    let mut images = Vec::with_capacity(2 * d * d);
    for j in 0..d {
        for sign in [far, -far] {
            let moved: Vec<f64> = (0..d).map(|i| x[i] + sign * scales[i] * root[i * d + j]).collect();
            images.extend(map.value_over(&moved, &setting.full, time));
        }
    }
    let share = 0.5 / d as f64;
    let mean: Vec<f64> = (0..d).map(|i| share * images.iter().skip(i).step_by(d).sum::<f64>()).collect();
    covariance.fill(0.0);
    let mut add = |row: &[f64], share: f64| {
        for i in 0..d {
            let part = share * row[i];
            covariance[i * d..(i + 1) * d].iter_mut().zip(row).for_each(|(p, r)| *p += part * r);
        }
    };
    for image in images.chunks_exact(d) {
        let row: Vec<f64> = image.iter().zip(&mean).zip(scales).map(|((a, m), s)| (a - m) / s).collect();
        add(&row, share);
    }
    for push in pushes.chunks_exact(d) {
        let row: Vec<f64> = push.iter().zip(scales).map(|(u, s)| u / s).collect();
        add(&row, 1.0);
    }
    symmetrise(covariance, d);
    Some(mean.iter().zip(&shift).map(|(m, s)| m + s).collect())
}

/// Cholesky's factor, row-major, with columns of zeros where nothing is uncertain.
fn root(covariance: &[f64], d: usize) -> Vec<f64> {
    let mut root = vec![0.0; d * d];
    for i in 0..d {
        for j in 0..=i {
            let inner: f64 = (0..j).map(|l| root[i * d + l] * root[j * d + l]).sum();
            let left = covariance[i * d + j] - inner;
            root[i * d + j] = match root[j * d + j] {
                _ if i == j => left.max(0.0).sqrt(),
                0.0 => 0.0,
                pivot => left / pivot,
            };
        }
    }
    root
}

#[cfg(test)]
mod tests {
    use wngd_models::flow::{Equations, ExpressionField};

    use super::*;
    use crate::dynamics::Dynamics;

    #[test]
    fn the_likelihood_of_a_linear_motion_is_that_of_the_formula() {
        // dx = −a x dt + √(2D) dW in steps t: x' = φ x + η with φ = e^(−at), Var η = D(1 − φ²)/a.
        let (a, level, noise, time) = (0.7, 0.4, 0.09, 0.3);
        let field = ExpressionField::new(&Equations {
            name: "line".into(),
            variables: vec!["x".into()],
            equations: vec!["-a*x".into()],
            diffusion: vec![Some("D".into())],
            parameters: vec![("a".into(), a), ("D".into(), level)],
            ..Equations::default()
        });
        let theta = [a, level];
        let dynamics = Dynamics::written(&field.unwrap(), theta.to_vec(), None).unwrap();
        let values: Vec<f64> = (0..9).map(|k| if k == 4 { f64::NAN } else { (1.3 * f64::from(k)).sin() }).collect();
        let mut after = vec![time; values.len()];
        after[values.len() - 1] = 0.0;
        let observed = Observed {
            dim: 1,
            which: vec![0],
            values: values.clone(),
            after,
            dt: time,
            scales: vec![1.0],
            centre: vec![0.1],
        };
        let map = FlowMap::on(&dynamics, &[0.5], &[1.0], time, &theta, 1e-12).unwrap();
        let drive = Drive::of(&dynamics, &[0.5], &theta).unwrap().unwrap();
        let setting = Setting { full: theta.to_vec(), noise: vec![noise], factors: vec![1.0] };
        let found = filter(&map, &drive, &observed, &setting).unwrap().likelihood();
        let (phi, mut mean, mut variance, mut exact) = ((-a * time).exp(), 0.1, VISITED, 0.0);
        for value in values {
            if !value.is_nan() {
                let (v, s) = (value - mean, variance + noise);
                exact -= 0.5 * (v * v / s + f64::ln(s));
                (mean, variance) = (mean + variance / s * v, variance * noise / s);
            }
            (mean, variance) = (phi * mean, phi * phi * variance + level * (1.0 - phi * phi) / a);
        }
        assert!((found - exact).abs() < 1e-4, "{found} {exact}");
    }

    #[test]
    fn roots_are_those_of_singular_matrices_too() {
        // [4 2 0; 2 1 0; 0 0 9]
        let covariance = [4.0, 2.0, 0.0, 2.0, 1.0, 0.0, 0.0, 0.0, 9.0];
        let root = root(&covariance, 3);
        for i in 0..3 {
            for j in 0..3 {
                let product: f64 = (0..3).map(|l| root[3 * i + l] * root[3 * j + l]).sum();
                assert!((product - covariance[3 * i + j]).abs() < 1e-15);
            }
        }
    }
}
