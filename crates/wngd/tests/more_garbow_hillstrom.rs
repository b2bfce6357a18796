//! The 35 unconstrained problems of Moré, Garbow and Hillstrom, all of them sums of squares.
//!
//! Source: J. J. Moré, B. S. Garbow and K. E. Hillstrom, Testing unconstrained optimization software, ACM
//! Transactions on Mathematical Software 7 (1981) 17–41, doi:10.1145/355934.355936. Problem 11 is written
//! with |yᵢ − x₂|, as its minimiser (50, 25, 1.5) demands; the paper prints |yᵢ m i x₂|.
//!
//! Starts are the standard ones, and ten times those where MINPACK's own test program does the same. A run
//! passes if it ends as converged at a sum of squares that the paper publishes, local minima included: to
//! 1e-5 relative (six digits are printed), or below 1e-12 where it is zero.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use std::f64::consts::PI;

use common::{Dual, Formula, Known, settle};
use wngd::opt::StepRule;
use wngd::prelude::*;

type Residuals = Box<dyn Fn(&[Dual]) -> Vec<Dual> + Sync>;

struct Problem {
    number: usize,
    name: &'static str,
    start: Vec<f64>,
    /// Factors of the start.
    factors: &'static [f64],
    /// Sums of squares published: the global minimum first.
    minima: Vec<f64>,
    rows: usize,
    residuals: Residuals,
}

const ONCE: &[f64] = &[1.0];
const TWICE: &[f64] = &[1.0, 10.0];

fn problem(
    number: usize,
    name: &'static str,
    start: &[f64],
    factors: &'static [f64],
    minima: &[f64],
    residuals: impl Fn(&[Dual]) -> Vec<Dual> + Sync + 'static,
) -> Problem {
    let x: Vec<Dual> = start.iter().map(|&v| v.into()).collect();
    let rows = residuals(&x).len();
    Problem {
        number,
        name,
        start: start.to_vec(),
        factors,
        minima: minima.to_vec(),
        rows,
        residuals: Box::new(residuals),
    }
}

fn sum(terms: impl IntoIterator<Item = Dual>) -> Dual {
    terms.into_iter().fold(0.0.into(), |a, b| a + b)
}

fn square(x: Dual) -> Dual {
    x * x
}

const BARD: [f64; 15] = [0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39];
const GAUSSIAN: [f64; 8] = [0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521, 0.3989];
const MEYER: [f64; 16] = [
    34780.0, 28610.0, 23650.0, 19630.0, 16370.0, 13720.0, 11540.0, 9744.0, 8261.0, 7030.0, 6005.0, 5147.0, 4427.0,
    3820.0, 3307.0, 2872.0,
];
const KOWALIK: [(f64, f64); 11] = [
    (0.1957, 4.0),
    (0.1947, 2.0),
    (0.1735, 1.0),
    (0.1600, 0.5),
    (0.0844, 0.25),
    (0.0627, 0.167),
    (0.0456, 0.125),
    (0.0342, 0.1),
    (0.0323, 0.0833),
    (0.0235, 0.0714),
    (0.0246, 0.0625),
];
const OSBORNE_1: [f64; 33] = [
    0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.850, 0.818, 0.784, 0.751, 0.718, 0.685, 0.658, 0.628, 0.603,
    0.580, 0.558, 0.538, 0.522, 0.506, 0.490, 0.478, 0.467, 0.457, 0.448, 0.438, 0.431, 0.424, 0.420, 0.414, 0.411,
    0.406,
];
const OSBORNE_2: [f64; 65] = [
    1.366, 1.191, 1.112, 1.013, 0.991, 0.885, 0.831, 0.847, 0.786, 0.725, 0.746, 0.679, 0.608, 0.655, 0.616, 0.606,
    0.602, 0.626, 0.651, 0.724, 0.649, 0.649, 0.694, 0.644, 0.624, 0.661, 0.612, 0.558, 0.533, 0.495, 0.500, 0.423,
    0.395, 0.375, 0.372, 0.391, 0.396, 0.405, 0.428, 0.429, 0.523, 0.562, 0.607, 0.653, 0.672, 0.708, 0.633, 0.668,
    0.645, 0.632, 0.591, 0.559, 0.597, 0.625, 0.739, 0.710, 0.729, 0.720, 0.636, 0.581, 0.428, 0.292, 0.162, 0.098,
    0.054,
];

fn rosenbrock(x: &[Dual]) -> Vec<Dual> {
    x.chunks(2).flat_map(|x| [10.0 * (x[1] - square(x[0])), 1.0 - x[0]]).collect()
}

fn powell_singular(x: &[Dual]) -> Vec<Dual> {
    let four = |x: &[Dual]| {
        [x[0] + 10.0 * x[1], 5f64.sqrt() * (x[2] - x[3]), square(x[1] - 2.0 * x[2]), 10f64.sqrt() * square(x[0] - x[3])]
    };
    x.chunks(4).flat_map(four).collect()
}

fn watson(x: &[Dual]) -> Vec<Dual> {
    let row = |i: usize| {
        let t = i as f64 / 29.0;
        let slope = sum((1..x.len()).map(|j| x[j] * (j as f64 * t.powi(j as i32 - 1))));
        let value = sum((0..x.len()).map(|j| x[j] * t.powi(j as i32)));
        slope - square(value) - 1.0
    };
    (1..30).map(row).chain([x[0], x[1] - square(x[0]) - 1.0]).collect()
}

fn penalty_1(x: &[Dual]) -> Vec<Dual> {
    let last = sum(x.iter().map(|&x| square(x))) - 0.25;
    x.iter().map(|&x| 1e-5f64.sqrt() * (x - 1.0)).chain([last]).collect()
}

fn penalty_2(x: &[Dual]) -> Vec<Dual> {
    let (n, a) = (x.len(), 1e-5f64.sqrt());
    let y = |i: usize| ((i + 1) as f64 / 10.0).exp() + (i as f64 / 10.0).exp();
    let e = |i: usize| (x[i] / 10.0).exp();
    let last = sum((0..n).map(|j| (n - j) as f64 * square(x[j]))) - 1.0;
    [x[0] - 0.2]
        .into_iter()
        .chain((1..n).map(|i| a * (e(i) + e(i - 1) - y(i))))
        .chain((1..n).map(|i| a * (e(i) - (-0.1f64).exp())))
        .chain([last])
        .collect()
}

fn chebyquad(x: &[Dual]) -> Vec<Dual> {
    let n = x.len();
    let mut sums = vec![Dual::from(0.0); n + 1];
    for &x in x {
        let (mut before, mut now) = (Dual::from(1.0), 2.0 * x - 1.0);
        for total in sums.iter_mut().skip(1) {
            *total = *total + now;
            (before, now) = (now, 2.0 * (2.0 * x - 1.0) * now - before);
        }
    }
    let integral = |i: usize| if i.is_multiple_of(2) { -1.0 / (i * i - 1) as f64 } else { 0.0 };
    (1..=n).map(|i| sums[i] / n as f64 - integral(i)).collect()
}

fn exponentials() -> Vec<Problem> {
    vec![
        problem(6, "Jennrich and Sampson", &[0.3, 0.4], ONCE, &[124.362], |x| {
            (1..=10).map(f64::from).map(|i| 2.0 + 2.0 * i - ((i * x[0]).exp() + (i * x[1]).exp())).collect()
        }),
        problem(9, "Gaussian", &[0.4, 1.0, 0.0], ONCE, &[1.12793e-8], |x| {
            let y = |i: usize| GAUSSIAN[i.min(14 - i)];
            let t = |i: usize| (7.0 - i as f64) / 2.0;
            (0..15).map(|i| x[0] * (-x[1] * square(t(i) - x[2]) / 2.0).exp() - y(i)).collect()
        }),
        problem(10, "Meyer", &[0.02, 4000.0, 250.0], ONCE, &[87.9458], |x| {
            (0..16).map(|i| x[0] * (x[1] / (50.0 + 5.0 * i as f64 + x[2])).exp() - MEYER[i]).collect()
        }),
        problem(11, "Gulf research and development", &[5.0, 2.5, 0.15], ONCE, &[0.0], |x| {
            let row = |i: usize| {
                let t = i as f64 / 100.0;
                let gap = 25.0 + (-50.0 * t.ln()).powf(2.0 / 3.0) - x[1];
                let distance = if gap.value < 0.0 { -gap } else { gap };
                (-distance.pow(x[2]) / x[0]).exp() - t
            };
            (1..100).map(row).collect()
        }),
        problem(12, "Box three-dimensional", &[0.0, 10.0, 20.0], ONCE, &[0.0], |x| {
            let row = |i: i32| {
                let t = 0.1 * f64::from(i);
                (-t * x[0]).exp() - (-t * x[1]).exp() - x[2] * ((-t).exp() - (-10.0 * t).exp())
            };
            (1..=10).map(row).collect()
        }),
        problem(16, "Brown and Dennis", &[25.0, 5.0, -5.0, -1.0], TWICE, &[85822.2], |x| {
            let row = |i: i32| {
                let t = f64::from(i) / 5.0;
                square(x[0] + t * x[1] - t.exp()) + square(x[2] + x[3] * t.sin() - t.cos())
            };
            (1..=20).map(row).collect()
        }),
        problem(17, "Osborne 1", &[0.5, 1.5, -1.0, 0.01, 0.02], ONCE, &[5.46489e-5], |x| {
            let t = |i: usize| 10.0 * i as f64;
            let fit = |t: f64| x[0] + x[1] * (-t * x[3]).exp() + x[2] * (-t * x[4]).exp();
            (0..33).map(|i| OSBORNE_1[i] - fit(t(i))).collect()
        }),
        problem(18, "Biggs EXP6", &[1.0, 2.0, 1.0, 1.0, 1.0, 1.0], ONCE, &[0.0, 5.65565e-3], |x| {
            let row = |i: i32| {
                let t = 0.1 * f64::from(i);
                let y = (-t).exp() - 5.0 * (-10.0 * t).exp() + 3.0 * (-4.0 * t).exp();
                x[2] * (-t * x[0]).exp() - x[3] * (-t * x[1]).exp() + x[5] * (-t * x[4]).exp() - y
            };
            (1..=13).map(row).collect()
        }),
        problem(
            19,
            "Osborne 2",
            &[1.3, 0.65, 0.65, 0.7, 0.6, 3.0, 5.0, 7.0, 2.0, 4.5, 5.5],
            ONCE,
            &[4.01377e-2],
            |x| {
                let row = |i: usize| {
                    let t = i as f64 / 10.0;
                    let peak = |l: usize| x[l] * (-square(t - x[l + 7]) * x[l + 4]).exp();
                    OSBORNE_2[i] - (x[0] * (-t * x[4]).exp() + peak(1) + peak(2) + peak(3))
                };
                (0..65).map(row).collect()
            },
        ),
    ]
}

fn small() -> Vec<Problem> {
    vec![
        problem(1, "Rosenbrock", &[-1.2, 1.0], TWICE, &[0.0], rosenbrock),
        problem(2, "Freudenstein and Roth", &[0.5, -2.0], TWICE, &[0.0, 48.9842], |x| {
            vec![-13.0 + x[0] + ((5.0 - x[1]) * x[1] - 2.0) * x[1], -29.0 + x[0] + ((x[1] + 1.0) * x[1] - 14.0) * x[1]]
        }),
        problem(3, "Powell badly scaled", &[0.0, 1.0], ONCE, &[0.0], |x| {
            vec![1e4 * x[0] * x[1] - 1.0, (-x[0]).exp() + (-x[1]).exp() - 1.0001]
        }),
        problem(4, "Brown badly scaled", &[1.0, 1.0], ONCE, &[0.0], |x| {
            vec![x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2.0]
        }),
        problem(5, "Beale", &[1.0, 1.0], ONCE, &[0.0], |x| {
            let y = [1.5, 2.25, 2.625];
            (0..3).map(|i| y[i] - x[0] * (1.0 - x[1].powi(i as i32 + 1))).collect()
        }),
        problem(7, "Helical valley", &[-1.0, 0.0, 0.0], TWICE, &[0.0], |x| {
            let half = if x[0].value < 0.0 { 0.5 } else { 0.0 };
            let turns = (x[1] / x[0]).atan() / (2.0 * PI) + half;
            vec![10.0 * (x[2] - 10.0 * turns), 10.0 * ((square(x[0]) + square(x[1])).sqrt() - 1.0), x[2]]
        }),
        problem(8, "Bard", &[1.0, 1.0, 1.0], TWICE, &[8.21487e-3, 17.4286], |x| {
            let row = |i: usize| {
                let (u, v) = ((i + 1) as f64, (15 - i) as f64);
                BARD[i] - (x[0] + u / (v * x[1] + u.min(v) * x[2]))
            };
            (0..15).map(row).collect()
        }),
        problem(13, "Powell singular", &[3.0, -1.0, 0.0, 1.0], TWICE, &[0.0], powell_singular),
        problem(14, "Wood", &[-3.0, -1.0, -3.0, -1.0], ONCE, &[0.0], |x| {
            vec![
                10.0 * (x[1] - square(x[0])),
                1.0 - x[0],
                90f64.sqrt() * (x[3] - square(x[2])),
                1.0 - x[2],
                10f64.sqrt() * (x[1] + x[3] - 2.0),
                (x[1] - x[3]) / 10f64.sqrt(),
            ]
        }),
        problem(15, "Kowalik and Osborne", &[0.25, 0.39, 0.415, 0.39], TWICE, &[3.07505e-4, 1.02734e-3], |x| {
            KOWALIK.iter().map(|&(y, u)| y - x[0] * (u * u + u * x[1]) / (u * u + u * x[2] + x[3])).collect()
        }),
    ]
}

fn of_any_dimension() -> Vec<Problem> {
    let count = |n: usize, f: fn(f64) -> f64| -> Vec<f64> { (1..=n).map(|j| f(j as f64)).collect() };
    let cycle = |n: usize, values: &[f64]| -> Vec<f64> { values.iter().copied().cycle().take(n).collect() };
    let parabola = count(10, |j| j / 11.0 * (j / 11.0 - 1.0));
    vec![
        problem(20, "Watson 6", &[0.0; 6], ONCE, &[2.28767e-3], watson),
        problem(20, "Watson 9", &[0.0; 9], ONCE, &[1.39976e-6], watson),
        problem(20, "Watson 12", &[0.0; 12], ONCE, &[4.72238e-10], watson),
        problem(21, "Extended Rosenbrock", &cycle(10, &[-1.2, 1.0]), ONCE, &[0.0], rosenbrock),
        problem(22, "Extended Powell singular", &cycle(12, &[3.0, -1.0, 0.0, 1.0]), ONCE, &[0.0], powell_singular),
        problem(23, "Penalty I 4", &count(4, |j| j), ONCE, &[2.24997e-5], penalty_1),
        problem(23, "Penalty I 10", &count(10, |j| j), ONCE, &[7.08765e-5], penalty_1),
        problem(24, "Penalty II 4", &[0.5; 4], ONCE, &[9.37629e-6], penalty_2),
        problem(24, "Penalty II 10", &[0.5; 10], ONCE, &[2.93660e-4], penalty_2),
        problem(25, "Variably dimensioned", &count(10, |j| 1.0 - j / 10.0), ONCE, &[0.0], |x| {
            let total = sum(x.iter().enumerate().map(|(j, &x)| (j + 1) as f64 * (x - 1.0)));
            x.iter().map(|&x| x - 1.0).chain([total, square(total)]).collect()
        }),
        problem(26, "Trigonometric", &[0.1; 10], ONCE, &[0.0, 2.79506e-5], |x| {
            let shared = 10.0 - sum(x.iter().map(|x| x.cos()));
            x.iter().enumerate().map(|(i, x)| shared + (i + 1) as f64 * (1.0 - x.cos()) - x.sin()).collect()
        }),
        problem(27, "Brown almost-linear", &[0.5; 10], TWICE, &[0.0, 1.0], |x| {
            let total = sum(x.iter().copied());
            let product = x.iter().fold(Dual::from(1.0), |a, &b| a * b);
            x[..9].iter().map(|&x| x + total - 11.0).chain([product - 1.0]).collect()
        }),
        problem(28, "Discrete boundary value", &parabola, ONCE, &[0.0], |x| {
            let h = 1.0 / 11.0;
            let at = |i: usize| if (1..=10).contains(&i) { x[i - 1] } else { 0.0.into() };
            let bend = |i: usize| h * h / 2.0 * (at(i) + i as f64 * h + 1.0).powi(3);
            (1..=10).map(|i| 2.0 * at(i) - at(i - 1) - at(i + 1) + bend(i)).collect()
        }),
        problem(29, "Discrete integral equation", &parabola, ONCE, &[0.0], |x| {
            let h = 1.0 / 11.0;
            let t = |j: usize| j as f64 * h;
            let cube = |j: usize| (x[j - 1] + t(j) + 1.0).powi(3);
            let row = |i: usize| {
                let left = sum((1..=i).map(|j| t(j) * cube(j)));
                let right = sum((i + 1..=10).map(|j| (1.0 - t(j)) * cube(j)));
                x[i - 1] + h / 2.0 * ((1.0 - t(i)) * left + t(i) * right)
            };
            (1..=10).map(row).collect()
        }),
        problem(30, "Broyden tridiagonal", &[-1.0; 10], ONCE, &[0.0], |x| {
            let at = |i: usize| if (1..=10).contains(&i) { x[i - 1] } else { 0.0.into() };
            (1..=10).map(|i| (3.0 - 2.0 * at(i)) * at(i) - at(i - 1) - 2.0 * at(i + 1) + 1.0).collect()
        }),
        problem(31, "Broyden banded", &[-1.0; 10], ONCE, &[0.0], |x| {
            let row = |i: usize| {
                let band = (i.saturating_sub(5)..(i + 2).min(10)).filter(|&j| j != i);
                x[i] * (2.0 + 5.0 * square(x[i])) + 1.0 - sum(band.map(|j| x[j] * (1.0 + x[j])))
            };
            (0..10).map(row).collect()
        }),
        problem(32, "Linear, full rank", &[1.0; 5], ONCE, &[5.0], |x| {
            let common = 0.2 * sum(x.iter().copied()) + 1.0;
            (0..10).map(|i| if i < 5 { x[i] - common } else { -common }).collect()
        }),
        // m(m − 1)/(2(2m + 1)) with m = 10.
        problem(33, "Linear, rank 1", &[1.0; 5], ONCE, &[90.0 / 42.0], |x| {
            let total = sum((0..5).map(|j| (j + 1) as f64 * x[j]));
            (1..=10).map(|i| f64::from(i) * total - 1.0).collect()
        }),
        // (m² + 3m − 6)/(2(2m − 3)) with m = 10.
        problem(34, "Linear, rank 1, with zero columns and rows", &[1.0; 5], ONCE, &[124.0 / 34.0], |x| {
            let total = sum((1..4).map(|j| (j + 1) as f64 * x[j]));
            (0..10).map(|i| if i == 9 { Dual::from(-1.0) } else { f64::from(i) * total - 1.0 }).collect()
        }),
        problem(35, "Chebyquad 7", &count(7, |j| j / 8.0), ONCE, &[0.0], chebyquad),
        problem(35, "Chebyquad 8", &count(8, |j| j / 9.0), ONCE, &[3.51687e-3], chebyquad),
        problem(35, "Chebyquad 9", &count(9, |j| j / 10.0), ONCE, &[0.0], chebyquad),
        problem(35, "Chebyquad 10", &count(10, |j| j / 11.0), ONCE, &[6.50395e-3], chebyquad),
    ]
}

fn problems() -> Vec<Problem> {
    let mut all: Vec<Problem> = small().into_iter().chain(exponentials()).chain(of_any_dimension()).collect();
    all.sort_by_key(|p| p.number);
    let mut numbers: Vec<usize> = all.iter().map(|p| p.number).collect();
    numbers.dedup();
    assert_eq!(numbers, (1..=35).collect::<Vec<_>>());
    all
}

fn model(problem: &Problem) -> Formula<&Residuals> {
    Formula { dim_param: problem.start.len(), dim_state: problem.rows, formula: &problem.residuals }
}

fn attempt(problem: &Problem, start: &[f64], rule: &mut dyn StepRule) -> Result<(), String> {
    let objective = LeastSquaresMisfit::plain(vec![0.0; problem.rows]).unwrap();
    let outcome = Descent::new(&model(problem), &objective)
        .direction(&Natural::new(L2))
        .stop(Stop { iterations: 3000, relative_objective: 1e-25, ..Stop::default() })
        .run_with(start, rule, &mut Silent)
        .map_err(|error| error.to_string())?;
    let last = outcome.last();
    let found = 2.0 * last.objective;
    let matches = |&f: &f64| if f == 0.0 { found < 1e-12 } else { (found - f).abs() < 1e-5 * f };
    let report = format!(
        "{} after {} ({}) at {found:e}, published {:?}; x = {:?}",
        outcome.status.name(),
        last.iteration,
        outcome.status.reason().unwrap_or("-"),
        problem.minima,
        last.theta
    );
    if outcome.status.name() == "converged" && problem.minima.iter().any(matches) { Ok(()) } else { Err(report) }
}

fn run_all(what: &str, known: &[Known], rule: impl Fn() -> Box<dyn StepRule>) {
    let (mut total, mut failed) = (0, Vec::new());
    for problem in problems() {
        for &factor in problem.factors {
            total += 1;
            let start: Vec<f64> = problem.start.iter().map(|x| factor * x).collect();
            if let Err(found) = attempt(&problem, &start, rule().as_mut()) {
                failed.push((format!("{} {} x{factor}", problem.number, problem.name), found));
            }
        }
    }
    // Whatever ends elsewhere must not claim to have converged.
    assert!(failed.iter().all(|(_, found)| !found.starts_with("converged")), "{failed:?}");
    settle(what, total, &failed, known);
}

#[test]
fn derivatives_of_all_problems_are_exact() {
    for problem in problems() {
        let wave = |size: f64, x: &f64, i: usize| size * (0.3 + x.abs()) * (1.0 + i as f64).cos();
        // Away from the symmetric starts, on the same side of every kink.
        let theta: Vec<f64> = problem.start.iter().enumerate().map(|(i, x)| x + wave(0.1, x, i)).collect();
        let delta: Vec<f64> = theta.iter().enumerate().map(|(i, x)| wave(0.3, x, i + 3)).collect();
        let test = taylor_test(&model(&problem), &theta, &delta).unwrap();
        assert!(test.rate > 1.9, "{}: {test:?}", problem.name);
    }
}

#[test]
fn levenberg_marquardt() {
    let known = [Known {
        case: "8 Bard x10",
        reason: "reaches the published local minimum, which lies at infinity: x2 and x3 run away together to -6e14, \
                 and no point on the way is stationary",
    }];
    run_all("Moré-Garbow-Hillstrom, Levenberg-Marquardt", &known, || Box::new(LevenbergMarquardt::new(1e-3, 1.0)));
}

#[test]
fn gauss_newton_with_line_search() {
    let singular = "runs onto a singular Jacobian, where the direction is long, all but orthogonal to the gradient and \
                    descends over no length that counts";
    let known = [
        Known { case: "2 Freudenstein and Roth x1", reason: singular },
        Known { case: "2 Freudenstein and Roth x10", reason: singular },
        Known { case: "6 Jennrich and Sampson x1", reason: singular },
        Known {
            case: "11 Gulf research and development x1",
            reason: "x1 goes to 0, where the residuals are steps in x2: lengths of 1e-5 from then on",
        },
        Known { case: "18 Biggs EXP6 x1", reason: singular },
        Known {
            case: "24 Penalty II 10 x1",
            reason: "eight directions are held by weights of 1e-5 only: full steps along them break the last residual, \
                     short ones gain little",
        },
        Known { case: "35 Chebyquad 8 x1", reason: singular },
        Known { case: "35 Chebyquad 9 x1", reason: singular },
        Known { case: "35 Chebyquad 10 x1", reason: singular },
    ];
    run_all("Moré-Garbow-Hillstrom, Gauss-Newton with Armijo search", &known, || Box::new(Armijo::new(1.0, 1e-4)));
}
