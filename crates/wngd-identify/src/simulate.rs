//! Trajectories of dynamical systems: by Dormand and Prince's method of order 8 with dense output, or driven by noise.

use ode_solvers::dop_shared::IntegrationError;
use ode_solvers::{DVector, Dop853, Vector3};
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use rand_pcg::Pcg64;
use wngd_models::flow::VelocityField;

use crate::driven::Driven;
use crate::error::SimulateError;
use crate::scale::{deviations, is_step, time_scale};

/// Tolerance per step, relative and absolute.
const TOLERANCE: f64 = 1e-9;
/// Points between restarts of the integrator, which keeps its whole output in memory.
const SEGMENT: usize = 1024;
/// Longest time between restarts: the integrator gives up after 100 000 steps.
const SPAN: f64 = 600.0;
/// Beyond this a trajectory counts as lost.
const FAR: f64 = 1e8;
/// Steps per time scale of a motion driven by noise.
const STEPS: f64 = 100.0;
/// Points that its time scale is estimated from.
const PILOT: usize = 2000;
/// Steps between them, and between points before the scale is known.
const COARSE: f64 = 16.0;
/// Shortest step as a share of the time between points.
const LEAST: f64 = 1e-12;

/// A trajectory under way, sampled at equal times.
pub struct Trajectory<'a> {
    field: &'a dyn VelocityField,
    theta: &'a [f64],
    state: Vec<f64>,
    dt: f64,
    driven: Option<Driven<'a>>,
}

/// The velocity field as the integrator wants it; absent axes rest at 0.
struct Rhs<'a> {
    field: &'a dyn VelocityField,
    theta: &'a [f64],
}

impl ode_solvers::System<f64, Vector3<f64>> for Rhs<'_> {
    fn system(&self, _: f64, x: &Vector3<f64>, out: &mut Vector3<f64>) {
        let d = self.field.dim();
        out.fill(0.0);
        self.field.velocity(&x.as_slice()[..d], self.theta, &mut out.as_mut_slice()[..d]);
    }
}

impl ode_solvers::System<f64, DVector<f64>> for Rhs<'_> {
    fn system(&self, _: f64, x: &DVector<f64>, out: &mut DVector<f64>) {
        self.field.velocity(x.as_slice(), self.theta, out.as_mut_slice());
    }
}

impl<'a> Trajectory<'a> {
    /// From a start point, sampled every `dt`.
    ///
    /// # Errors
    /// No coordinates, wrong lengths, a time step that is not positive, values that are not finite.
    pub fn new(field: &'a dyn VelocityField, theta: &'a [f64], start: &[f64], dt: f64) -> Result<Self, SimulateError> {
        let (d, p) = (field.dim(), field.dim_param());
        if d == 0 {
            return Err(SimulateError::Coordinates { system: field.name().to_string(), dim: d });
        }
        if theta.len() != p || theta.iter().any(|v| !v.is_finite()) {
            return Err(SimulateError::Theta { system: field.name().to_string(), names: field.parameter_names() });
        }
        if start.len() != d || start.iter().any(|v| !v.is_finite()) {
            return Err(SimulateError::Start { system: field.name().to_string(), dim: d, start: start.to_vec() });
        }
        if !is_step(dt) {
            return Err(SimulateError::TimeStep { dt });
        }
        Ok(Self { field, theta, state: start.to_vec(), dt, driven: None })
    }

    /// Driven by noise from here on: dx = v dt + √(2D) dW, D of each coordinate by `diffusion` at the same θ.
    ///
    /// A hundred steps are taken per time scale, which a short motion with the same noise tells.
    ///
    /// # Errors
    /// D that is negative where the motion goes; motions that leave every bound.
    pub fn driven(mut self, diffusion: &'a dyn VelocityField, seed: u64) -> Result<Self, SimulateError> {
        let mut longest = self.dt / COARSE;
        // Coarse steps tell the scale roughly, those that follow from it tell it well.
        for _ in 0..2 {
            let points = loop {
                if let Some(points) = self.pilot(Driven::new(diffusion, longest, seed)) {
                    break points;
                }
                longest /= 4.0;
                if longest < LEAST * self.dt {
                    return Err(self.undriven());
                }
            };
            longest = longest.min(time_scale(self.field, self.theta, &points) / STEPS);
        }
        self.driven = Some(Driven::new(diffusion, longest, seed));
        Ok(self)
    }

    /// Points of a short motion, a few steps apart; nothing where it is lost.
    fn pilot(&self, mut driven: Driven<'_>) -> Option<Vec<f64>> {
        let (mut x, mut points) = (self.state.clone(), Vec::with_capacity(PILOT * self.state.len()));
        let apart = COARSE * driven.longest;
        for _ in 0..PILOT {
            if !driven.advance(self.field, self.theta, &mut x, apart) {
                return None;
            }
            points.extend_from_slice(&x);
        }
        Some(points)
    }

    /// Number of coordinates.
    pub fn dim(&self) -> usize {
        self.field.dim()
    }

    /// Goes on for `count` points and calls `visit` with each of them.
    ///
    /// # Errors
    /// Trajectories that leave every bound or cannot be followed; whatever `visit` fails with.
    pub fn advance<E: From<SimulateError>>(
        &mut self,
        count: usize,
        mut visit: impl FnMut(&[f64]) -> Result<(), E>,
    ) -> Result<(), E> {
        let d = self.field.dim();
        let mut left = count;
        while left > 0 {
            let segment = left.min(SEGMENT).min(((SPAN / self.dt) as usize).max(1));
            // Half a step more than needed: the last point is then never lost to rounding.
            let end = (segment as f64 + 0.5) * self.dt;
            let points = self.segment(segment, end)?;
            for point in points.chunks_exact(d) {
                if !point.iter().all(|v| v.abs() < FAR) {
                    return Err(self.unbounded().into());
                }
                visit(point)?;
            }
            self.state = points[(segment - 1) * d..].to_vec();
            left -= segment;
        }
        Ok(())
    }

    /// The next `count` points, row-major; three coordinates or fewer without a look at the heap.
    fn segment(&mut self, count: usize, end: f64) -> Result<Vec<f64>, SimulateError> {
        let d = self.field.dim();
        if let Some(driven) = &mut self.driven {
            let (mut x, mut points) = (self.state.clone(), Vec::with_capacity(count * d));
            for _ in 0..count {
                if !driven.advance(self.field, self.theta, &mut x, self.dt) {
                    return Err(self.undriven());
                }
                points.extend_from_slice(&x);
            }
            return Ok(points);
        }
        let rhs = Rhs { field: self.field, theta: self.theta };
        let early = || self.lost("the integrator stopped early");
        if d <= 3 {
            let mut state = Vector3::zeros();
            state.as_mut_slice()[..d].copy_from_slice(&self.state);
            let mut solver = Dop853::new(rhs, 0.0, end, self.dt, state, TOLERANCE, TOLERANCE);
            solver.integrate().map_err(|e| self.failed(&e))?;
            let points = solver.y_out().get(1..=count).ok_or_else(early)?;
            return Ok(points.iter().flat_map(|point| point.as_slice()[..d].to_vec()).collect());
        }
        let state = DVector::from_column_slice(&self.state);
        let mut solver = Dop853::new(rhs, 0.0, end, self.dt, state, TOLERANCE, TOLERANCE);
        solver.integrate().map_err(|e| self.failed(&e))?;
        let points = solver.y_out().get(1..=count).ok_or_else(early)?;
        Ok(points.iter().flat_map(|point| point.as_slice().to_vec()).collect())
    }

    /// Goes on for a time without output.
    ///
    /// # Errors
    /// As [`advance`](Self::advance).
    pub fn skip(&mut self, time: f64) -> Result<(), SimulateError> {
        self.advance((time / self.dt).ceil() as usize, |_| Ok::<_, SimulateError>(()))
    }

    fn failed(&self, error: &IntegrationError) -> SimulateError {
        match error {
            IntegrationError::StiffnessDetected { x } => {
                SimulateError::Stiff { system: self.field.name().to_string(), theta: self.theta.to_vec(), time: *x }
            }
            other => self.lost(&other.to_string()),
        }
    }

    fn undriven(&self) -> SimulateError {
        self.lost("the motion driven by noise leaves every bound, or D is negative where it goes")
    }

    fn unbounded(&self) -> SimulateError {
        SimulateError::Unbounded { system: self.field.name().to_string(), theta: self.theta.to_vec() }
    }

    fn lost(&self, reason: &str) -> SimulateError {
        SimulateError::Integration {
            system: self.field.name().to_string(),
            theta: self.theta.to_vec(),
            reason: reason.to_string(),
        }
    }
}

/// Refuses systems that a grid has no room for.
pub(crate) fn check_coordinates(field: &dyn VelocityField) -> Result<(), SimulateError> {
    let dim = field.dim();
    if (1..=3).contains(&dim) {
        return Ok(());
    }
    Err(SimulateError::Coordinates { system: field.name().to_string(), dim })
}

/// `points` points of a trajectory, `dt` apart, after a time `burn_in`.
///
/// # Shapes
/// Result: `points` rows of d coordinates, row-major.
///
/// # Errors
/// As [`Trajectory::new`] and [`Trajectory::advance`]; more points than memory holds.
pub fn simulate(
    field: &dyn VelocityField,
    theta: &[f64],
    start: &[f64],
    dt: f64,
    points: usize,
    burn_in: f64,
) -> Result<Vec<f64>, SimulateError> {
    let mut trajectory = Trajectory::new(field, theta, start, dt)?;
    trajectory.skip(burn_in)?;
    let mut all = Vec::new();
    all.try_reserve_exact(points.saturating_mul(field.dim())).map_err(|_| SimulateError::TooManyPoints { points })?;
    trajectory.advance(points, |point| {
        all.extend_from_slice(point);
        Ok::<_, SimulateError>(())
    })?;
    Ok(all)
}

/// The start moved by a hundredth of its size at random; `stream` tells draws of one seed apart.
pub fn perturbed(start: &[f64], seed: u64, stream: u64) -> Vec<f64> {
    let mut rng = generator(seed, stream);
    start.iter().map(|x| x + 0.01 * (1.0 + x.abs()) * rng.sample::<f64, _>(StandardNormal)).collect()
}

/// One of the points, at random.
pub(crate) fn one_of(points: &[f64], dim: usize, seed: u64, stream: u64) -> &[f64] {
    let row = generator(seed, stream).random_range(0..points.len() / dim);
    &points[dim * row..dim * (row + 1)]
}

/// Standard deviations of observational noise: none for no numbers, of one number that share of each
/// coordinate's scatter without the noise, of several the numbers themselves.
pub(crate) fn noise_deviations(noise: &[f64], points: &[f64], dim: usize) -> Vec<f64> {
    match noise {
        [] => vec![0.0; dim],
        [share] => {
            let seen = share / (1.0 + share * share).sqrt();
            deviations(points, dim).iter().map(|d| seen * d).collect()
        }
        each => each.to_vec(),
    }
}

/// Independent Gaussian noise on every coordinate.
pub struct Noise {
    deviations: Vec<f64>,
    rng: Pcg64,
    point: Vec<f64>,
}

impl Noise {
    /// Noise of the given standard deviation per coordinate; `stream` tells draws of one seed apart.
    pub fn new(deviations: Vec<f64>, seed: u64, stream: u64) -> Self {
        // Apart from the streams that start points are drawn from.
        Self { point: Vec::new(), deviations, rng: generator(seed ^ 0x5bd1_e995, stream) }
    }

    /// The point with noise added.
    pub fn added(&mut self, point: &[f64]) -> &[f64] {
        let mut seen = std::mem::take(&mut self.point);
        seen.clear();
        seen.extend_from_slice(point);
        self.add(&mut seen);
        self.point = seen;
        &self.point
    }

    /// Adds noise to a point.
    pub fn add(&mut self, point: &mut [f64]) {
        for (x, n) in point.iter_mut().zip(&self.deviations).filter(|(_, n)| **n > 0.0) {
            *x += n * self.rng.sample::<f64, _>(StandardNormal);
        }
    }
}

/// Random numbers of one stream of a seed.
fn generator(seed: u64, stream: u64) -> Pcg64 {
    // The first draws of neighbouring seeds look alike without the seeding hash.
    Pcg64::seed_from_u64(seed.wrapping_add(stream.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wngd_models::flow::system;

    #[test]
    fn noise_drives_the_motion_however_far_points_are_apart() {
        let relaxing = wngd_models::flow::ExpressionField::new(&wngd_models::flow::Equations {
            variables: vec!["x".into()],
            equations: vec!["-a*x".into()],
            parameters: vec![("a".into(), 2.0), ("D".into(), 3.0)],
            diffusion: vec![Some("D".into())],
            ..wngd_models::flow::Equations::default()
        })
        .unwrap();
        // x has variance D/a and forgets as exp(−at).
        for (dt, memory) in [(0.1, (-0.2f64).exp()), (5.0, 0.0)] {
            let mut trajectory = Trajectory::new(&relaxing, &[2.0, 3.0], &[0.0], dt)
                .unwrap()
                .driven(relaxing.diffusion().unwrap(), 5)
                .unwrap();
            trajectory.skip(20.0).unwrap();
            let mut x = Vec::new();
            let count = if dt > 1.0 { 3000 } else { 60_000 };
            trajectory
                .advance(count, |point| {
                    x.push(point[0]);
                    Ok::<_, SimulateError>(())
                })
                .unwrap();
            let n = count as f64;
            let variance = x.iter().map(|x| x * x).sum::<f64>() / n;
            let next = x.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>() / n / variance;
            assert!((variance / 1.5 - 1.0).abs() < 0.08 && (next - memory).abs() < 0.05, "{dt}: {variance} {next}");
        }
    }

    #[test]
    fn a_linear_flow_is_followed_to_its_tolerance() {
        let spiral = wngd_models::flow::Polynomial::new(2, 1).unwrap();
        // x' = -0.01 x - y, y' = x - 0.01 y
        let theta = [0.0, -0.01, -1.0, 0.0, 1.0, -0.01];
        let points = simulate(&spiral, &theta, &[1.0, 0.0], 0.1, 3000, 0.0).unwrap();
        assert_eq!(points.len(), 6000);
        for (i, point) in points.chunks_exact(2).enumerate() {
            let t = 0.1 * (i + 1) as f64;
            let exact = [(-0.01 * t).exp() * t.cos(), (-0.01 * t).exp() * t.sin()];
            assert!((point[0] - exact[0]).abs() < 1e-6 && (point[1] - exact[1]).abs() < 1e-6, "at {t}");
        }
    }

    #[test]
    fn many_coordinates_are_followed_as_few_are() {
        // Two oscillators side by side.
        let two = wngd_models::flow::ExpressionField::new(&wngd_models::flow::Equations {
            variables: ["a", "b", "c", "d"].map(String::from).to_vec(),
            equations: ["b", "-w*a", "d", "-4*c"].map(String::from).to_vec(),
            parameters: vec![("w".into(), 1.0)],
            ..Default::default()
        })
        .unwrap();
        let points = simulate(&two, &[1.0], &[1.0, 0.0, 0.5, 0.0], 0.1, 2000, 0.0).unwrap();
        for (i, point) in points.chunks_exact(4).enumerate() {
            let t = 0.1 * (i + 1) as f64;
            assert!((point[0] - t.cos()).abs() < 1e-6 && (point[2] - 0.5 * (2.0 * t).cos()).abs() < 1e-6, "at {t}");
        }
    }

    #[test]
    fn a_lost_trajectory_says_where_it_was() {
        let lorenz = system("lorenz63").unwrap();
        let error = simulate(lorenz.field.as_ref(), &[-10.0, 28.0, -3.0], &lorenz.start, 0.05, 2000, 0.0).unwrap_err();
        assert!(error.to_string().contains("lorenz63") && error.to_string().contains("-10"), "{error}");
    }

    #[test]
    fn seeds_and_streams_give_other_starts() {
        let start = [1.0, -2.0];
        assert_eq!(perturbed(&start, 1, 2), perturbed(&start, 1, 2));
        assert_ne!(perturbed(&start, 1, 2), perturbed(&start, 1, 3));
        assert_ne!(perturbed(&start, 1, 2), perturbed(&start, 2, 2));
    }
}
