//! Where a point goes within one time step, with derivatives.

use crate::dynamics::Dynamics;
use crate::sample::Sample;
use crate::scale::time_scale;

/// Stages of the method.
const STAGES: usize = 11;
/// Most Runge–Kutta steps per time step.
const MOST_STEPS: usize = 256;
/// Steps that cost nothing worth mentioning.
const EASY: usize = 8;
/// Fewest images that say anything.
const FEWEST: usize = 60;
/// Points that the number of steps is chosen on.
const TRIED: usize = 32;
/// Most steps by the method of order 4.
const MOST_FOUR: usize = 8;

/// Φ(x; θ), the flow over a time step, by the method of order 8 of Cooper and Verner (1972), doi:10.1137/0709037, or by the
/// classical one of order 4 where that is cheaper.
pub(crate) struct FlowMap<'a> {
    dynamics: &'a Dynamics,
    dt: f64,
    steps: usize,
    order: Order,
}

/// Method that a step is made by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Four,
    Eight,
}

/// A point's image and its derivatives.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    /// Φ.
    pub(crate) x: Vec<f64>,
    /// ∂Φ/∂x, row-major.
    pub(crate) by_x: Vec<f64>,
    /// ∂Φ/∂θ by the free parameters, row-major.
    pub(crate) by_theta: Vec<f64>,
}

impl<'a> FlowMap<'a> {
    /// With as many steps as the flow at `theta` needs at points of the data for an error of `tolerance` standard deviations
    /// of the data; `None` if it needs too many.
    pub(crate) fn new(dynamics: &'a Dynamics, sample: &Sample, dt: f64, theta: &[f64], tolerance: f64) -> Option<Self> {
        Self::on(dynamics, &sample.points, &sample.deviations, dt, theta, tolerance)
    }

    /// The same at `points` (row-major), tolerance in units of `scales`.
    pub(crate) fn on(
        dynamics: &'a Dynamics,
        points: &[f64],
        scales: &[f64],
        dt: f64,
        theta: &[f64],
        tolerance: f64,
    ) -> Option<Self> {
        let full = dynamics.theta_full(theta);
        let (d, scale) = (scales.len(), time_scale(dynamics.drift.as_ref(), &full, points));
        let steps = ((dt / (0.4 * scale)).ceil() as usize).clamp(1, MOST_STEPS);
        let mut map = Self { dynamics, dt, steps, order: Order::Eight };
        let tried = tried(points, d);
        let images = |map: &Self| -> Vec<Vec<f64>> { tried.iter().map(|x| map.value(x, &full)).collect() };
        let mut coarse = images(&map);
        while map.steps <= MOST_STEPS {
            map.steps *= 2;
            let fine = images(&map);
            if difference(&coarse, &fine, scales) < tolerance {
                // Twice the steps told how good these are.
                map.steps /= 2;
                return Some(map);
            }
            coarse = fine;
        }
        None
    }

    /// It by the method of order 4 where that costs less for an error of `tolerance` in units of `scales` at `points`.
    pub(crate) fn thrifty(self, points: &[f64], scales: &[f64], theta: &[f64], tolerance: f64) -> Self {
        let full = self.dynamics.theta_full(theta);
        let tried = tried(points, scales.len());
        let images = |map: &Self| -> Vec<Vec<f64>> { tried.iter().map(|x| map.value(x, &full)).collect() };
        let exact = images(&self);
        let fewer = (1..self.steps * STAGES / 4 + 1).take(MOST_FOUR);
        let others = fewer.map(|steps| Self { steps, order: Order::Four, ..self });
        let cheap = others.into_iter().find(|map| difference(&images(map), &exact, scales) < tolerance);
        cheap.unwrap_or(self)
    }

    /// Evaluations of the field per time step.
    pub(crate) fn evaluations(&self) -> usize {
        self.steps * if self.order == Order::Four { 4 } else { STAGES }
    }

    /// How many of `most` images are worth their time: long flows are dear.
    pub(crate) fn worth(&self, most: usize) -> usize {
        (most * EASY / self.steps.max(EASY)).max(most.min(FEWEST))
    }

    /// Φ alone.
    pub(crate) fn value(&self, x: &[f64], full: &[f64]) -> Vec<f64> {
        self.value_over(x, full, self.dt)
    }

    /// Steps as long as those over the time step.
    fn steps_over(&self, time: f64) -> usize {
        if time == self.dt { self.steps } else { (time / self.dt * self.steps as f64).ceil().max(1.0) as usize }
    }

    /// The flow over another time.
    pub(crate) fn value_over(&self, x: &[f64], full: &[f64], time: f64) -> Vec<f64> {
        let mut state = x.to_vec();
        let field = self.dynamics.drift.as_ref();
        let slope = |x: &[f64], out: &mut [f64]| field.velocity(x, full, out);
        advance(&mut state, time, self.steps_over(time), self.order, slope);
        state
    }

    /// Φ with its derivatives, by the variational equations.
    pub(crate) fn image(&self, x: &[f64], full: &[f64]) -> Image {
        self.image_over(x, full, self.dt)
    }

    /// The flow over another time with its derivatives.
    pub(crate) fn image_over(&self, x: &[f64], full: &[f64], time: f64) -> Image {
        let (d, all, free) = (x.len(), full.len(), self.dynamics.free());
        let p = free.len();
        let width = d + p;
        let field = self.dynamics.drift.as_ref();
        let mut state = vec![0.0; d + d * width];
        state[..d].copy_from_slice(x);
        (0..d).for_each(|i| state[d + i * width + i] = 1.0);
        let (mut by_x, mut by_theta) = (vec![0.0; d * d], vec![0.0; d * all]);
        advance(&mut state, time, self.steps_over(time), self.order, |state, out| {
            let (x, tangent) = state.split_at(d);
            let (velocity, slopes) = out.split_at_mut(d);
            field.velocity(x, full, velocity);
            field.jacobian_x(x, full, &mut by_x);
            field.jacobian_theta(x, full, &mut by_theta);
            slopes.fill(0.0);
            for i in 0..d {
                let row = &mut slopes[i * width..(i + 1) * width];
                row[d..].iter_mut().zip(free).for_each(|(s, &j)| *s = by_theta[i * all + j]);
                for k in (0..d).filter(|k| by_x[i * d + k] != 0.0) {
                    let factor = by_x[i * d + k];
                    row.iter_mut().zip(&tangent[k * width..(k + 1) * width]).for_each(|(s, t)| *s += factor * t);
                }
            }
        });
        let (x, tangent) = state.split_at(d);
        let part =
            |from: usize, to: usize| tangent.chunks_exact(width).flat_map(|row| row[from..to].to_vec()).collect();
        Image { x: x.to_vec(), by_x: part(0, d), by_theta: part(d, width) }
    }
}

/// Points that the number of steps is chosen on.
fn tried(points: &[f64], d: usize) -> Vec<&[f64]> {
    let stride = (points.len() / d / TRIED).max(1);
    points.chunks_exact(d).step_by(stride).collect()
}

/// How far images lie apart, in units of `scales`, for nine of ten: single points may be far outside what the flow bears.
fn difference(a: &[Vec<f64>], b: &[Vec<f64>], scales: &[f64]) -> f64 {
    let one = |(a, b): (&Vec<f64>, &Vec<f64>)| {
        let each = a.iter().zip(b).zip(scales).map(|((a, b), s)| (a - b).abs() / s);
        each.fold(0.0, |worst: f64, d| if d.is_nan() { f64::INFINITY } else { worst.max(d) })
    };
    let mut all: Vec<f64> = a.iter().zip(b).map(one).collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() * 9 / 10).copied().unwrap_or(f64::INFINITY)
}

/// Goes on for a time in equal steps.
fn advance(state: &mut [f64], time: f64, steps: usize, order: Order, mut rhs: impl FnMut(&[f64], &mut [f64])) {
    if order == Order::Four {
        return advance_by_four(state, time, steps, rhs);
    }
    let n = state.len();
    let table = table();
    let h = time / steps as f64;
    let mut slopes = vec![0.0; STAGES * n];
    let mut at = vec![0.0; n];
    for _ in 0..steps {
        for stage in 0..STAGES {
            at.copy_from_slice(state);
            let (done, now) = slopes.split_at_mut(stage * n);
            for (k, a) in table.0[stage].iter().enumerate().filter(|(_, a)| **a != 0.0) {
                at.iter_mut().zip(&done[k * n..(k + 1) * n]).for_each(|(x, s)| *x += h * a * s);
            }
            rhs(&at, &mut now[..n]);
        }
        for (k, b) in table.1.iter().enumerate().filter(|(_, b)| **b != 0.0) {
            state.iter_mut().zip(&slopes[k * n..(k + 1) * n]).for_each(|(x, s)| *x += h * b * s);
        }
    }
}

/// The same by the classical method of order 4.
pub(crate) fn advance_by_four(state: &mut [f64], time: f64, steps: usize, mut rhs: impl FnMut(&[f64], &mut [f64])) {
    let n = state.len();
    let h = time / steps as f64;
    let (mut at, mut slope, mut sum) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
    for _ in 0..steps {
        sum.fill(0.0);
        at.copy_from_slice(state);
        for (weight, next) in [(1.0, 0.5), (2.0, 0.5), (2.0, 1.0), (1.0, 0.0)] {
            rhs(&at, &mut slope);
            sum.iter_mut().zip(&slope).for_each(|(s, k)| *s += weight * k);
            at.iter_mut().zip(state.iter()).zip(&slope).for_each(|((a, x), k)| *a = x + next * h * k);
        }
        state.iter_mut().zip(&sum).for_each(|(x, s)| *x += h / 6.0 * s);
    }
}

/// Coefficients of Cooper and Verner.
fn table() -> ([[f64; STAGES - 1]; STAGES], [f64; STAGES]) {
    let s = 21f64.sqrt();
    let mut a = [[0.0; STAGES - 1]; STAGES];
    let mut set = |row: usize, entries: &[(usize, f64)]| entries.iter().for_each(|(k, v)| a[row][*k] = *v);
    set(1, &[(0, 0.5)]);
    set(2, &[(0, 0.25), (1, 0.25)]);
    set(3, &[(0, 1.0 / 7.0), (1, (-7.0 - 3.0 * s) / 98.0), (2, (21.0 + 5.0 * s) / 49.0)]);
    set(4, &[(0, (11.0 + s) / 84.0), (2, (18.0 + 4.0 * s) / 63.0), (3, (21.0 - s) / 252.0)]);
    let six =
        [(0, (5.0 + s) / 48.0), (2, (9.0 + s) / 36.0), (3, (-231.0 + 14.0 * s) / 360.0), (4, (63.0 - 7.0 * s) / 80.0)];
    set(5, &six);
    set(
        6,
        &[
            (0, (10.0 - s) / 42.0),
            (2, (-432.0 + 92.0 * s) / 315.0),
            (3, (633.0 - 145.0 * s) / 90.0),
            (4, (-504.0 + 115.0 * s) / 70.0),
            (5, (63.0 - 13.0 * s) / 35.0),
        ],
    );
    set(7, &[(0, 1.0 / 14.0), (4, (14.0 - 3.0 * s) / 126.0), (5, (13.0 - 3.0 * s) / 63.0), (6, 1.0 / 9.0)]);
    set(
        8,
        &[
            (0, 1.0 / 32.0),
            (4, (91.0 - 21.0 * s) / 576.0),
            (5, 11.0 / 72.0),
            (6, (-385.0 - 75.0 * s) / 1152.0),
            (7, (63.0 + 13.0 * s) / 128.0),
        ],
    );
    set(
        9,
        &[
            (0, 1.0 / 14.0),
            (4, 1.0 / 9.0),
            (5, (-733.0 - 147.0 * s) / 2205.0),
            (6, (515.0 + 111.0 * s) / 504.0),
            (7, (-51.0 - 11.0 * s) / 56.0),
            (8, (132.0 + 28.0 * s) / 245.0),
        ],
    );
    set(
        10,
        &[
            (4, (-42.0 + 7.0 * s) / 18.0),
            (5, (-18.0 + 28.0 * s) / 45.0),
            (6, (-273.0 - 53.0 * s) / 72.0),
            (7, (301.0 + 53.0 * s) / 72.0),
            (8, (28.0 - 28.0 * s) / 45.0),
            (9, (49.0 - 7.0 * s) / 18.0),
        ],
    );
    let mut b = [0.0; STAGES];
    (b[0], b[7], b[8], b[9], b[10]) = (0.05, 49.0 / 180.0, 16.0 / 45.0, 49.0 / 180.0, 0.05);
    (a, b)
}

#[cfg(test)]
mod tests {
    use wngd_models::flow::system;

    use super::*;

    #[test]
    fn the_methods_have_their_orders() {
        // x'' = −x sin-like pendulum: energy and a nonlinear flow.
        let error = |order: Order, steps: usize| {
            let mut state = [1.0, 0.3];
            advance(&mut state, 2.0, steps, order, |x, out| (out[0], out[1]) = (x[1], -x[0].sin()));
            let mut fine = [1.0, 0.3];
            advance(&mut fine, 2.0, 200, Order::Eight, |x, out| (out[0], out[1]) = (x[1], -x[0].sin()));
            (state[0] - fine[0]).abs() + (state[1] - fine[1]).abs()
        };
        for (order, least, steps) in [(Order::Eight, 7.3, 4), (Order::Four, 3.7, 32)] {
            let found = (error(order, steps) / error(order, 2 * steps)).log2();
            assert!(found > least && found < least + 1.5, "{order:?}: {found}");
        }
    }

    #[test]
    fn derivatives_of_the_map_pass_a_taylor_test() {
        let lorenz = system("lorenz63").unwrap();
        let points: Vec<f64> =
            (0..300).map(|i| 10.0 * (i as f64 * 0.7).sin() + if i % 3 == 2 { 25.0 } else { 0.0 }).collect();
        let sample = Sample::new(points, 3, vec![100], Some(0.1)).unwrap();
        let dynamics = Dynamics::new(lorenz.field, lorenz.theta, Some(vec![0, 2])).unwrap();
        let theta = [9.5, 2.5];
        let fine = || FlowMap::new(&dynamics, &sample, 0.1, &theta, 1e-10).unwrap();
        let cheap = fine().thrifty(&sample.points, &sample.deviations, &theta, 1e-3);
        assert_eq!((fine().order, cheap.order), (Order::Eight, Order::Four));
        [fine(), cheap].iter().for_each(|map| taylor(map, &dynamics, theta));
    }

    fn taylor(map: &FlowMap<'_>, dynamics: &Dynamics, theta: [f64; 2]) {
        let x = [1.0, -3.0, 22.0];
        let image = map.image(&x, &dynamics.theta_full(&theta));
        let h = 1e-5;
        for j in 0..5 {
            let side = |sign: f64| {
                let (mut x, mut theta) = (x, theta);
                *(if j < 3 { &mut x[j] } else { &mut theta[j - 3] }) += sign * h;
                map.value(&x, &dynamics.theta_full(&theta))
            };
            let (above, below) = (side(1.0), side(-1.0));
            for i in 0..3 {
                let slope = (above[i] - below[i]) / (2.0 * h);
                let exact = if j < 3 { image.by_x[3 * i + j] } else { image.by_theta[2 * i + j - 3] };
                assert!((slope - exact).abs() < 1e-7, "{i} {j}: {slope} {exact}");
            }
        }
    }
}
