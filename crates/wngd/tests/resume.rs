//! Descents that are left and taken up again end with the same bits.
#![allow(clippy::unwrap_used)]

use std::ops::ControlFlow;
use std::sync::Arc;

use wngd::linalg::faer::Mat;
use wngd::opt::{DescentError, Iteration, LocalModel, Observer, Progress, Silent, StepRule};
use wngd::prelude::*;

/// Stops after a number of iterates, keeping what is needed to go on.
struct Leave {
    after: usize,
    kept: Progress,
}

impl Observer for Leave {
    fn observe(&mut self, row: &Iteration) -> ControlFlow<()> {
        self.kept.trace.push(row.clone());
        if self.kept.trace.len() > self.after { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
    fn keep(&mut self, model: &LocalModel) {
        self.kept.models.push(model.clone());
    }
}

fn mixture(grid: &Grid, mean: [f64; 2]) -> GaussianMixture {
    let parameters = MixtureParameters {
        weights: vec![0.3, 0.7],
        means: vec![mean.to_vec(), vec![2.0, 1.0]],
        covariances: Covariances::Identity,
    };
    GaussianMixture::new(grid.clone(), parameters, &["means[0]"]).unwrap()
}

/// Everything but the seconds.
fn bits(row: &Iteration) -> (Vec<u64>, Vec<usize>) {
    let numbers = [row.objective, row.gradient_norm, row.slope, row.step, row.condition, row.damping];
    let all = numbers.iter().chain(&row.theta).chain(&row.memory);
    (all.map(|v| v.to_bits()).collect(), vec![row.iteration, row.rank, row.rejected, row.solves.total()])
}

#[test]
fn every_rule_goes_on_from_every_iterate() {
    let grid = Grid::new(&[-4.0, -4.0], &[6.0, 6.0], &[16, 16]).unwrap();
    let model = mixture(&grid, [2.0, 2.5]);
    let truth = mixture(&grid, [0.5, 2.0]);
    let objective = LeastSquaresMisfit::new(&grid, truth.state(&truth.theta()).unwrap().values).unwrap();
    let metric = Wasserstein2::new(Arc::new(LaplacianPlan::new(&grid).unwrap()));
    let direction = Natural { metric, route: Route::Qr, damping: 1e-3 };
    let direction: &dyn DirectionSolver<Mat<f64>> = &direction;
    let rules: [&dyn Fn() -> Box<dyn StepRule>; 5] = [
        &|| Box::new(Fixed { length: 8.0 }),
        &|| Box::new(Armijo::new(100.0, 1e-4)),
        &|| Box::new(Armijo::remembering(100.0, 1e-4)),
        &|| Box::new(Armijo::expanding(0.1)),
        &|| Box::new(LevenbergMarquardt::new(1e-3, 30.0)),
    ];
    let stop = Stop { iterations: 12, relative_objective: 1e-20, ..Stop::default() };
    let descent = Descent::new(&model, &objective).direction(direction).stop(stop).keep_models(3);
    for fresh in rules {
        let whole = descent.run_with(&model.theta(), fresh().as_mut(), &mut Silent).unwrap();
        assert!(whole.trace.len() > 4, "{}: {:?}", fresh().name(), whole.status);
        for after in 0..whole.trace.len() {
            let mut leave = Leave { after, kept: Progress::default() };
            descent.run_with(&model.theta(), fresh().as_mut(), &mut leave).unwrap();
            let resumed = descent.resume(leave.kept, fresh().as_mut(), &mut Silent).unwrap();
            let name = fresh().name();
            assert_eq!(resumed.status, whole.status, "{name} after {after}");
            assert_eq!(resumed.state.values, whole.state.values);
            assert_eq!(resumed.models.len(), whole.models.len());
            let trace = |outcome: &[Iteration]| outcome.iter().map(bits).collect::<Vec<_>>();
            assert_eq!(trace(&resumed.trace), trace(&whole.trace), "{name} after {after}");
        }
    }
}

#[test]
fn foreign_traces_are_refused() {
    let grid = Grid::new(&[-4.0, -4.0], &[6.0, 6.0], &[16, 16]).unwrap();
    let model = mixture(&grid, [2.0, 2.5]);
    let objective = |mean| {
        let truth = mixture(&grid, mean);
        LeastSquaresMisfit::new(&grid, truth.state(&truth.theta()).unwrap().values).unwrap()
    };
    let (ours, other) = (objective([0.5, 2.0]), objective([0.5, 1.9]));
    let stop = Stop { iterations: 3, ..Stop::default() };
    let direction: &dyn DirectionSolver<Mat<f64>> = &Standard;
    let descent = Descent::new(&model, &ours).direction(direction).stop(stop);
    let trace = descent.run_with(&model.theta(), &mut Armijo::new(100.0, 1e-4), &mut Silent).unwrap().trace;
    let refused =
        |descent: &Descent<'_, GaussianMixture>, trace: Vec<Iteration>, rule: &mut dyn StepRule, text: &str| {
            let error = descent.resume(Progress { trace, models: Vec::new() }, rule, &mut Silent).unwrap_err();
            assert!(matches!(error, DescentError::Resume(_)) && error.to_string().contains(text), "{error}");
        };
    refused(&descent, Vec::new(), &mut Armijo::new(100.0, 1e-4), "no iterates");
    refused(&descent, trace.clone(), &mut Fixed { length: 1.0 }, "step rule fixed");
    let mut short = trace.clone();
    short[1].theta.pop();
    refused(&descent, short, &mut Armijo::new(100.0, 1e-4), "2 parameters");
    let elsewhere = Descent::new(&model, &other).direction(direction).stop(stop);
    refused(&elsewhere, trace, &mut Armijo::new(100.0, 1e-4), "have to be the same");
}
