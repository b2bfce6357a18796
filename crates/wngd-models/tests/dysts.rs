//! Stationary densities of the three-dimensional autonomous systems of the `dysts` collection.
//!
//! Source: W. Gilpin, Chaos as an interpretable benchmark for forecasting and data-driven modelling (NeurIPS
//! Datasets and Benchmarks 2021, arXiv:2110.05266): coefficients, initial conditions, and the means and standard
//! deviations of long trajectories (`data/dysts_3d.json`). Here are its 64 polynomial systems, through the
//! library's own polynomial field; the others of its 91 are piecewise, rational or transcendental, or
//! have unbounded coordinates.
//!
//! The density is that of the semi-Lagrangian scheme on a coarse grid, in the box of a trajectory from the
//! collection's initial condition with a margin of a tenth. Its deposits blur by about half a cell a map, which
//! widens the density. Cells around an attractor may lie outside its basin; what leaves the box is collected by
//! the outermost layer of cells, which no attractor here touches, and is left out of the moments. A system passes if every mean is within 0.2 of the collection's standard deviations and
//! every standard deviation within 20 %.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::sync::Arc;

use serde_json::Value;
use wngd_adjoint::ForwardModel;
use wngd_linalg::Grid;
use wngd_models::flow::{Discretisation, Polynomial, StationaryDensity, VelocityField};

const CELLS: usize = 24;
/// Maps of the scheme per period of the system.
const MAPS: f64 = 6.0;
const MEAN_TOLERANCE: f64 = 0.2;
const DEVIATION_TOLERANCE: f64 = 0.2;

#[derive(Clone)]
struct System {
    name: String,
    field: Polynomial,
    parameters: Vec<f64>,
    start: [f64; 3],
    mean: [f64; 3],
    deviation: [f64; 3],
    period: f64,
    /// Beyond these bounds the velocity is that of the nearest point inside: cells around an attractor may lie
    /// outside its basin, where trajectories blow up.
    bounds: [[f64; 2]; 3],
}

fn systems() -> Vec<System> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/dysts_3d.json");
    let data: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let list = |value: &Value| -> Vec<f64> { value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect() };
    let three = |value: &Value| -> [f64; 3] { list(value).try_into().unwrap() };
    let system = |(name, entry): (&String, &Value)| {
        let degree = entry["degree"].as_u64().unwrap() as usize;
        System {
            name: name.clone(),
            field: Polynomial::new(3, degree).unwrap(),
            parameters: list(&entry["coefficients"]),
            start: three(&entry["initial_conditions"]),
            mean: three(&entry["mean"]),
            deviation: three(&entry["std"]),
            period: entry["period"].as_f64().unwrap(),
            bounds: [[f64::NEG_INFINITY, f64::INFINITY]; 3],
        }
    };
    data.as_object().unwrap().iter().map(system).collect()
}

/// The one parameter is a factor of the velocity: densities do not depend on it.
impl VelocityField for System {
    fn name(&self) -> &str {
        &self.name
    }
    fn dim(&self) -> usize {
        3
    }
    fn parameter_names(&self) -> Vec<String> {
        vec!["speed".into()]
    }
    fn velocity(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        let inside = [0, 1, 2].map(|i| x[i].max(self.bounds[i][0]).min(self.bounds[i][1]));
        self.field.velocity(&inside, &self.parameters, out);
        out.iter_mut().for_each(|v| *v *= theta[0]);
    }
    fn jacobian_x(&self, _: &[f64], _: &[f64], _: &mut [f64]) {
        unreachable!("states need velocities only")
    }
    fn jacobian_theta(&self, _: &[f64], _: &[f64], _: &mut [f64]) {
        unreachable!("states need velocities only")
    }
}

struct LongRun {
    mean: [f64; 3],
    deviation: [f64; 3],
    range: [[f64; 2]; 3],
    /// Some states on the way.
    visited: Vec<[f64; 3]>,
}

impl System {
    fn advance(&self, x: [f64; 3], h: f64) -> [f64; 3] {
        let v = |x: [f64; 3]| {
            let mut v = [0.0; 3];
            self.field.velocity(&x, &self.parameters, &mut v);
            v
        };
        let add = |a: [f64; 3], b: [f64; 3], t: f64| [0, 1, 2].map(|i| a[i] + t * b[i]);
        let k1 = v(x);
        let k2 = v(add(x, k1, 0.5 * h));
        let k3 = v(add(x, k2, 0.5 * h));
        let k4 = v(add(x, k3, h));
        [0, 1, 2].map(|i| x[i] + h / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]))
    }

    /// Runge-Kutta steps that a map over `time` needs on the attractor to be right to a hundredth of the range.
    fn steps(&self, run: &LongRun, time: f64) -> u32 {
        let map = |x, steps: u32| (0..steps).fold(x, |x, _| self.advance(x, time / f64::from(steps)));
        let accurate = |steps: &u32| {
            run.visited.iter().all(|&x| {
                let (coarse, fine) = (map(x, *steps), map(x, 4 * *steps));
                (0..3).all(|i| (coarse[i] - fine[i]).abs() < 0.01 * (run.range[i][1] - run.range[i][0]))
            })
        };
        [20, 40, 80, 160].into_iter().find(accurate).unwrap_or(320)
    }

    /// Means, deviations and range over 300 periods after 20, by classical Runge-Kutta steps.
    fn long_run(&self) -> Option<LongRun> {
        let mut per_period = 2000;
        loop {
            let h = self.period / f64::from(per_period);
            let mut x = self.start;
            for _ in 0..20 * per_period {
                x = self.advance(x, h);
            }
            let origin = x;
            let (mut sum, mut squares) = ([0.0; 3], [0.0; 3]);
            let mut range = x.map(|x| [x, x]);
            let steps = 300 * per_period;
            let mut visited = Vec::new();
            for at in 0..steps {
                x = self.advance(x, h);
                if at % (steps / 64) == 0 {
                    visited.push(x);
                }
                for i in 0..3 {
                    let shifted = x[i] - origin[i];
                    sum[i] += shifted;
                    squares[i] += shifted * shifted;
                    range[i] = [range[i][0].min(x[i]), range[i][1].max(x[i])];
                }
            }
            if x.iter().all(|v| v.is_finite()) {
                let mean = sum.map(|s| s / f64::from(steps));
                let deviation = [0, 1, 2].map(|i| (squares[i] / f64::from(steps) - mean[i] * mean[i]).sqrt());
                return Some(LongRun { mean: [0, 1, 2].map(|i| origin[i] + mean[i]), deviation, range, visited });
            }
            if per_period > 20_000 {
                return None;
            }
            per_period *= 4;
        }
    }
}

/// Largest gaps of means, in standard deviations, and of standard deviations, relative.
fn gaps(mean: [f64; 3], deviation: [f64; 3], system: &System) -> [f64; 2] {
    let worst = |gap: &dyn Fn(usize) -> f64| (0..3).map(gap).fold(0.0, |m, g| if g.is_nan() { g } else { g.max(m) });
    [
        worst(&|i| ((mean[i] - system.mean[i]) / system.deviation[i]).abs()),
        worst(&|i| (deviation[i] / system.deviation[i] - 1.0).abs()),
    ]
}

#[derive(Debug)]
struct Found {
    /// Share of the mass in the outermost layer of cells.
    wall: f64,
    density: Result<[f64; 2], String>,
    trajectory: [f64; 2],
}

fn examine(mut system: System) -> Found {
    let Some(run) = system.long_run() else {
        return Found {
            density: Err("the trajectory leaves every bound".into()),
            trajectory: [f64::INFINITY; 2],
            wall: 0.0,
        };
    };
    let trajectory = gaps(run.mean, run.deviation, &system);
    let side = |i: usize| (run.range[i][1] - run.range[i][0]).max(1e-9);
    let lower = [0, 1, 2].map(|i| run.range[i][0] - 0.1 * side(i));
    let upper = [0, 1, 2].map(|i| run.range[i][1] + 0.1 * side(i));
    let time = system.period / MAPS;
    let steps = system.steps(&run, time);
    system.bounds = [0, 1, 2].map(|i| [lower[i], upper[i]]);
    let reference = system.clone();
    let grid = Grid::new(&lower, &upper, &[CELLS; 3]).unwrap();
    let scheme = Discretisation::SemiLagrangian { time, step: time / f64::from(steps), points: 2, restart: 1e-5 };
    let state = StationaryDensity::new(Arc::new(system), grid.clone(), scheme, None, vec![1.0])
        .and_then(|model| model.state(&[1.0]));
    let mut wall = 0.0;
    let density = state.map_err(|error| error.to_string()).map(|state| {
        let (mut sum, mut squares) = ([0.0; 3], [0.0; 3]);
        for (cell, value) in state.values.iter().enumerate() {
            let center = grid.center(cell);
            let outermost = (0..3).any(|i| {
                let h = grid.spacing()[i];
                center[i] - lower[i] < h || upper[i] - center[i] < h
            });
            if outermost {
                wall += value * grid.cell_volume();
                continue;
            }
            for i in 0..3 {
                let x = center[i] - reference.mean[i];
                sum[i] += value * grid.cell_volume() * x;
                squares[i] += value * grid.cell_volume() * x * x;
            }
        }
        let (sum, squares) = (sum.map(|s| s / (1.0 - wall)), squares.map(|s| s / (1.0 - wall)));
        let deviation = [0, 1, 2].map(|i| (squares[i] - sum[i] * sum[i]).sqrt());
        gaps([0, 1, 2].map(|i| reference.mean[i] + sum[i]), deviation, &reference)
    });
    Found { density, trajectory, wall }
}

/// The collection's values are not those of an accurate trajectory from its initial condition either.
const TRAJECTORY: &str = "a trajectory from the collection's initial condition misses its values as well (mirrored or \
                          coexisting attractors, rare switches, a transient): the density may be right";
/// More than a twentieth of the mass lies at the wall.
const BASIN: &str = "part of the box is no part of the basin: mass ends at the wall, and what is on its way there \
                     distorts the rest";
const BLUR: &str = "the trajectory agrees and little mass is lost: what is left is the blur of the deposits, on sheets and \
                    bursts thinner than one of 24 cells to an axis";

/// Systems that fail, with the reason.
const KNOWN: [(&str, &str); 38] = [
    ("Arneodo", TRAJECTORY),
    ("AtmosphericRegime", BASIN),
    ("Bouali", BASIN),
    ("Bouali2", TRAJECTORY),
    ("Chen", TRAJECTORY),
    ("ChenLee", BLUR),
    ("DequanLi", TRAJECTORY),
    ("GuckenheimerHolmes", BASIN),
    ("Hadley", BLUR),
    ("HindmarshRose", BASIN),
    ("IsothermalChemical", BASIN),
    ("KawczynskiStrizhak", BLUR),
    ("Laser", TRAJECTORY),
    ("LiuChen", BASIN),
    ("Lorenz84", BLUR),
    ("MooreSpiegel", BLUR),
    ("NewtonLiepnik", BLUR),
    ("NoseHoover", BASIN),
    ("PanXuZhou", TRAJECTORY),
    ("PehlivanWei", TRAJECTORY),
    ("RayleighBenard", TRAJECTORY),
    ("RikitakeDynamo", TRAJECTORY),
    ("Sakarya", BLUR),
    ("SprottC", TRAJECTORY),
    ("SprottD", BASIN),
    ("SprottE", TRAJECTORY),
    ("SprottF", TRAJECTORY),
    ("SprottH", BASIN),
    ("SprottI", BASIN),
    ("SprottJ", BASIN),
    ("SprottJerk", BASIN),
    ("SprottL", BASIN),
    ("SprottN", BASIN),
    ("SprottP", BASIN),
    ("SprottTorus", TRAJECTORY),
    ("Tsucs2", BLUR),
    ("WangSun", TRAJECTORY),
    ("ZhouChen", TRAJECTORY),
];

#[test]
fn moments_of_stationary_densities() {
    let (mut total, mut by_trajectory, mut failed) = (0, 0, Vec::new());
    for system in systems() {
        let name = system.name.clone();
        let found = examine(system);
        let fits = |g: &[f64; 2]| g[0] < MEAN_TOLERANCE && g[1] < DEVIATION_TOLERANCE;
        total += 1;
        by_trajectory += usize::from(fits(&found.trajectory));
        if !found.density.as_ref().is_ok_and(fits) {
            let measured = if !fits(&found.trajectory) {
                TRAJECTORY
            } else if found.wall > 0.05 {
                BASIN
            } else {
                BLUR
            };
            failed.push((name, measured, format!("{found:.2?}")));
        }
    }
    println!(
        "dysts: {} of {total} densities have the collection's means and deviations; {by_trajectory} trajectories do",
        total - failed.len()
    );
    for (name, reason, found) in &failed {
        println!("  {name}: {found}\n    because: {reason}");
    }
    // The reason is measured as well: it must be the one listed.
    let new: Vec<_> = failed.iter().filter(|f| !KNOWN.contains(&(f.0.as_str(), f.1))).map(|f| (&f.0, &f.2)).collect();
    let gone: Vec<_> =
        KNOWN.iter().filter(|k| failed.iter().all(|f| (f.0.as_str(), f.1) != **k)).map(|k| k.0).collect();
    assert!(new.is_empty() && gone.is_empty(), "fails unexpectedly {new:?}; passes unexpectedly {gone:?}");
}
