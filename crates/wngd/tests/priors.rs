//! Priors, bounds and curves of parameters: closed forms where there are some, for every metric.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use wngd::adjoint::{Bound, ForwardModel, Linearization, Prior, PriorShape, State, Transform};
use wngd::linalg::faer::Mat;
use wngd::opt::{
    Armijo, FisherRao, LevenbergMarquardt, Sampled, Silent, Standard, StepRule, Wasserstein2, uncertainty,
};
use wngd::prelude::*;

/// A mixture with what is said of its parameters.
struct Told {
    model: GaussianMixture,
    priors: Vec<Prior>,
    bounds: Vec<Bound>,
    transforms: Vec<Transform>,
}

impl ForwardModel for Told {
    type Jacobian = Mat<f64>;
    fn dim_param(&self) -> usize {
        self.model.dim_param()
    }
    fn dim_state(&self) -> usize {
        self.model.dim_state()
    }
    fn state(&self, theta: &[f64]) -> Result<State, ModelError> {
        self.model.state(theta)
    }
    fn linearize(&self, theta: &[f64]) -> Result<Linearization<Mat<f64>>, ModelError> {
        self.model.linearize(theta)
    }
    fn bounds(&self) -> Vec<Bound> {
        self.bounds.clone()
    }
    fn priors(&self) -> Vec<Prior> {
        self.priors.clone()
    }
    fn transforms(&self) -> Vec<Transform> {
        self.transforms.clone()
    }
}

/// One Gaussian of variance v around m in fine bins.
fn gaussian(m: f64, v: f64, free: &[&str]) -> GaussianMixture {
    let grid = Grid::new(&[-12.0], &[14.0], &[1300]).unwrap();
    let parameters =
        MixtureParameters { weights: vec![1.0], means: vec![vec![m]], covariances: Covariances::Isotropic(vec![v]) };
    GaussianMixture::new(grid, parameters, free).unwrap().cell_means()
}

fn told(model: GaussianMixture, priors: Vec<Prior>) -> Told {
    Told { model, priors, bounds: Vec::new(), transforms: Vec::new() }
}

const NUMBER: f64 = 50.0;

#[test]
fn a_normal_prior_of_a_mean_is_the_closed_form_by_every_metric_and_rule() {
    let (observed, variance, mean, deviation) = (2.0, 1.7, 0.5, 0.15);
    let data = gaussian(observed, variance, &["means"]).state(&[observed]).unwrap().values;
    let objective = KullbackLeibler::new(gaussian(0.0, 1.0, &["means"]).grid(), data.clone()).unwrap();
    let shape = PriorShape::Normal { mean, deviation };
    let model = told(gaussian(1.0, variance, &["means"]), vec![Prior { parameter: 0, shape, weight: 1.0 / NUMBER }]);
    let precision = NUMBER / variance + 1.0 / (deviation * deviation);
    let expected = (NUMBER / variance * observed + mean / (deviation * deviation)) / precision;
    let check = |descent: Descent<'_, Told>, rule: &mut dyn StepRule, most: usize, label: &str| {
        let found = descent.run_with(&[1.0], rule, &mut Silent).unwrap();
        assert_eq!(found.status.name(), "converged", "{label}: {:?}", found.reason());
        let theta = found.last().theta[0];
        assert!((theta - expected).abs() < 1e-5, "{label}: {theta} {expected}");
        assert!(found.last().iteration <= most, "{label}: {} iterations", found.last().iteration);
        theta
    };
    let descent = || Descent::new(&model, &objective);
    let standard = Standard;
    // The prior's curvature is in the direction: one step nearly ends it.
    check(descent().metric(FisherRao), &mut Armijo::new(1.0, 1e-4), 8, "fisher-rao");
    check(descent().metric(FisherRao), &mut LevenbergMarquardt::new(1e-3, 1.0), 12, "levenberg-marquardt");
    check(descent().metric(L2), &mut Armijo::expanding(1e-4), 60, "l2");
    let grid = gaussian(0.0, 1.0, &["means"]).grid().clone();
    check(
        descent().metric(Wasserstein2::new(Arc::new(LaplacianPlan::new(&grid).unwrap()))),
        &mut Armijo::expanding(1e-4),
        60,
        "wasserstein",
    );
    let theta = check(descent().direction(&standard), &mut Armijo::expanding(1e-4), 200, "none");

    let sampled = Sampled { density: &data, number: NUMBER, transpose: None, poisson: false };
    let found = uncertainty(&model, &objective, &[theta], &sampled).unwrap();
    let closed = precision.sqrt().recip();
    for error in [found.standard_errors[0].unwrap(), found.if_right[0].unwrap()] {
        assert!((error / closed - 1.0).abs() < 1e-4, "{error} {closed}");
    }
    let quick = wngd::opt::sampling_covariance(&model, &objective, &[theta], NUMBER as usize).unwrap();
    assert!((quick[(0, 0)].sqrt() / closed - 1.0).abs() < 1e-4);
}

#[test]
fn a_lognormal_prior_of_a_variance_is_where_the_derivative_vanishes() {
    let (observed, location, scale) = (1.7, -0.4, 0.2);
    let data = gaussian(0.0, observed, &["covariances"]).state(&[observed]).unwrap().values;
    let objective = KullbackLeibler::new(gaussian(0.0, 1.0, &["means"]).grid(), data).unwrap();
    let shape = PriorShape::LogNormal { location, scale };
    let model = told(gaussian(0.0, 1.2, &["covariances"]), vec![Prior { parameter: 0, shape, weight: 1.0 / NUMBER }]);
    let found = Descent::new(&model, &objective)
        .metric(FisherRao)
        .run_with(&[1.2], &mut Armijo::new(1.0, 1e-4), &mut Silent)
        .unwrap();
    assert_eq!(found.status.name(), "converged");
    // d/dv [N/2 (ln v + s²/v) + ln v + (ln v − m)²/2τ²] = 0.
    let v = found.last().theta[0];
    let slope = NUMBER / 2.0 * (1.0 / v - observed / (v * v)) + 1.0 / v + (v.ln() - location) / (scale * scale * v);
    let size = NUMBER / (2.0 * v);
    assert!(slope.abs() < 1e-3 * size && v < observed - 0.1, "{v} {slope} {size}");
}

#[test]
fn a_bound_and_a_prior_together_end_on_the_bound_and_say_so() {
    let data = gaussian(2.0, 1.0, &["means"]).state(&[2.0]).unwrap().values;
    let objective = KullbackLeibler::new(gaussian(0.0, 1.0, &["means"]).grid(), data.clone()).unwrap();
    let shape = PriorShape::Normal { mean: 1.0, deviation: 3.0 };
    let mut model = told(gaussian(0.0, 1.0, &["means"]), vec![Prior { parameter: 0, shape, weight: 1.0 / NUMBER }]);
    model.bounds = vec![Bound { name: "means[0][0]".into(), terms: vec![(0, -1.0)], lower: -1.5 }];
    let found = Descent::new(&model, &objective).metric(FisherRao).run(&[0.0]).unwrap();
    assert_eq!((found.status.name(), found.last().theta[0]), ("converged", 1.5));
    let sampled = Sampled { density: &data, number: NUMBER, transpose: None, poisson: false };
    let errors = uncertainty(&model, &objective, &[1.5], &sampled).unwrap();
    assert_eq!((errors.standard_errors[0], &errors.bounded[..]), (None, &[0][..]));
}

#[test]
fn steps_along_a_logarithm_stay_positive_and_end_at_the_same_minimum() {
    let data = gaussian(0.0, 0.3, &["covariances"]).state(&[0.3]).unwrap().values;
    let objective = KullbackLeibler::new(gaussian(0.0, 1.0, &["means"]).grid(), data).unwrap();
    let mut model = told(gaussian(0.0, 8.0, &["covariances"]), Vec::new());
    let plain = Descent::new(&model, &objective).metric(FisherRao).run(&[8.0]).unwrap();
    for curve in [Transform::Log, Transform::Logit { lower: 0.01, upper: 9.0 }] {
        model.transforms = vec![curve];
        let found = Descent::new(&model, &objective)
            .metric(FisherRao)
            .run_with(&[8.0], &mut Armijo::new(1.0, 1e-4), &mut Silent)
            .unwrap();
        assert_eq!(found.status.name(), "converged", "{curve:?}");
        assert!((found.last().theta[0] - 0.3).abs() < 1e-6 && (plain.last().theta[0] - 0.3).abs() < 1e-6);
        // A full natural step from 8 would be −7.7 and more; along the curve none leaves the domain.
        assert!(found.trace.iter().all(|row| curve.contains(row.theta[0])), "{curve:?}");
    }
}
