//! Derivatives of both likelihoods against differences of their values.

use crate::binned::Binned;
use crate::component::Parameters;
use crate::layout::{Layout, congruence, pulled};
use crate::likelihood::{Likelihood, pairs};
use crate::mixture::Mixture;
use crate::options::Family;
use crate::points::Points;

fn mixture(dim: usize, family: Family) -> Parameters {
    let covariance = |k: usize| -> Vec<f64> {
        let scale = if family == Family::Tied { 0.8 } else { [0.8, 0.5, 1.1][k] };
        let entry = |a: usize, b: usize| match (family, a == b) {
            (Family::Isotropic, true) => scale,
            (_, true) => scale * (1.0 + 0.3 * a as f64),
            (Family::Full | Family::Tied, false) => 0.3 * scale,
            _ => 0.0,
        };
        (0..dim * dim).map(|i| entry(i / dim, i % dim)).collect()
    };
    Parameters {
        dim,
        weights: vec![0.5, 0.2, 0.3],
        means: [0.0, 1.7, -1.4].iter().map(|m| (0..dim).map(|a| m * (1.0 - 0.5 * a as f64)).collect()).collect(),
        covariances: (0..3).map(covariance).collect(),
    }
}

fn check(likelihood: &dyn Likelihood, parameters: &Parameters, family: Family, what: &str) {
    let layout = Layout::new(family, 3, parameters.dim);
    let p = layout.slots.len();
    let components = parameters.prepare().unwrap();
    let curvature = likelihood.curvature(&components, family.is_diagonal());
    let jacobian = layout.jacobian(&components);
    let n = curvature.gradient.len();
    let gradient = pulled(&jacobian, &curvature.gradient, p);
    let observed = congruence(&jacobian, &curvature.observed, n, p);
    let moments = likelihood.moments(&components, family.is_diagonal());
    assert!((moments.log_likelihood - curvature.log_likelihood).abs() < 1e-9 * curvature.log_likelihood.abs());
    assert!((likelihood.value(&components) - curvature.log_likelihood).abs() < 1e-9 * curvature.log_likelihood.abs());
    let of_moments = moments.gradient(parameters.dim, &pairs(parameters.dim, family.is_diagonal()));
    let of_moments = pulled(&jacobian, &of_moments, p);
    let h = 1e-5;
    for i in 0..p {
        let mut step = vec![0.0; p];
        step[i] = 1.0;
        let at = |t: f64| layout.moved(parameters, &step, t).prepare().unwrap();
        let slope = (likelihood.value(&at(h)) - likelihood.value(&at(-h))) / (2.0 * h);
        let close = |a: f64, b: f64, size: f64| (a - b).abs() < 2e-6 * size;
        let size = observed[i * p + i].abs() + 1.0;
        assert!(close(slope, gradient[i], size), "{what} gradient {i}: {slope} {}", gradient[i]);
        assert!(close(of_moments[i], gradient[i], size), "{what} moments {i}: {} {}", of_moments[i], gradient[i]);
        let there = |t: f64| {
            let c = at(t);
            pulled(&layout.jacobian(&c), &likelihood.curvature(&c, family.is_diagonal()).gradient, p)
        };
        let (up, down) = (there(h), there(-h));
        for j in 0..p {
            let second = -(up[j] - down[j]) / (2.0 * h);
            let size = (observed[i * p + i].abs() * observed[j * p + j].abs()).sqrt() + 1.0;
            let found = observed[i * p + j];
            assert!(close(second, found, 10.0 * size), "{what} Hessian {i} {j}: {second} {found}");
        }
    }
}

#[test]
fn gradients_and_hessians_are_those_of_the_value() {
    for dim in 1..=3 {
        for family in Family::ALL {
            let parameters = mixture(dim, family);
            let values = Mixture::of(&mixture(dim, Family::Full)).unwrap().sample(400, 7);
            check(&Points::new(dim, &values, None, true), &parameters, family, &format!("{dim}-D {family}"));
            let weights: Vec<f64> = (0..400).map(|i| 0.3 + f64::from(i % 5)).collect();
            check(&Points::new(dim, &values, Some(&weights), true), &parameters, family, "weighted");
        }
    }
}

#[test]
fn bins_have_the_same_derivatives_cut_or_not() {
    for dim in 1..=2 {
        let side: i32 = if dim == 1 { 13 } else { 6 };
        let width = if dim == 1 { 0.45 } else { 1.0 };
        let cells = side.pow(dim as u32);
        let place = |i: i32, a: usize| f64::from((i / side.pow(a as u32)) % side) * width - 2.2;
        let lower: Vec<f64> = (0..cells).flat_map(|i| (0..dim).map(move |a| place(i, a))).collect();
        let upper = lower.iter().map(|x| x + width).collect::<Vec<_>>();
        let counts: Vec<f64> = (0..cells).map(|i| f64::from((i * 7) % 11)).collect();
        for cut in [false, true] {
            for family in Family::ALL {
                let bins = Binned {
                    dim,
                    lower: lower.clone(),
                    upper: upper.clone(),
                    counts: counts.clone(),
                    cut,
                    stop: || false,
                };
                check(&bins, &mixture(dim, family), family, &format!("{dim}-D {family} bins, cut {cut}"));
            }
        }
    }
}

/// The mass of a bin against the error function: Φ(1) − Φ(−0.5) = 0.5328072, and tails of 1e-9.
#[test]
fn masses_of_bins_are_integrals() {
    let normal = Parameters { dim: 1, weights: vec![1.0], means: vec![vec![0.0]], covariances: vec![vec![1.0]] };
    let components = normal.prepare().unwrap();
    for (lower, upper, mass) in [
        (-0.5, 1.0, 0.532_807_207_342_556),
        (6.0, 7.0, 9.865_876_45e-10 - 1.279_812_54e-12),
        (-100.0, 100.0, 1.0),
        (0.0, 1e-3, 3.989_422_139e-4),
    ] {
        let bins =
            Binned { dim: 1, lower: vec![lower], upper: vec![upper], counts: vec![1.0], cut: false, stop: || false };
        let found = bins.value(&components).exp();
        assert!((found / mass - 1.0).abs() < 1e-7, "{lower} {upper}: {found}");
    }
}
