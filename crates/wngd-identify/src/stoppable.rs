//! Giving up: a field that is nowhere finite once it is told to stop.
//!
//! Every estimator evaluates the field in its innermost loops, and ends where that is not finite.

use std::sync::Arc;

use wngd_models::flow::VelocityField;

/// A field until `stop` says so, NaN from then on.
pub(crate) struct Stoppable {
    pub(crate) field: Arc<dyn VelocityField>,
    pub(crate) stop: fn() -> bool,
}

impl Stoppable {
    /// Fills `out` by the field, or with NaN.
    fn fill(&self, out: &mut [f64], field: impl FnOnce(&dyn VelocityField, &mut [f64])) {
        if (self.stop)() { out.fill(f64::NAN) } else { field(self.field.as_ref(), out) }
    }
}

impl VelocityField for Stoppable {
    fn name(&self) -> &str {
        self.field.name()
    }

    fn dim(&self) -> usize {
        self.field.dim()
    }

    fn dim_param(&self) -> usize {
        self.field.dim_param()
    }

    fn parameter_names(&self) -> Vec<String> {
        self.field.parameter_names()
    }

    fn velocity(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        self.fill(out, |field, out| field.velocity(x, theta, out));
    }

    fn jacobian_x(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        self.fill(out, |field, out| field.jacobian_x(x, theta, out));
    }

    fn jacobian_theta(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        self.fill(out, |field, out| field.jacobian_theta(x, theta, out));
    }

    fn visit_parameters(&self, x: &[f64], theta: &[f64], axis: usize, visit: &mut dyn FnMut(usize, f64)) {
        self.field.visit_parameters(x, theta, axis, visit);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use wngd_models::flow::system;

    use crate::{Dynamics, IdentifyError, Question, Sample, answer, simulate};

    /// Questions left before the answer is yes.
    static LEFT: AtomicUsize = AtomicUsize::new(usize::MAX);

    fn used_up() -> bool {
        LEFT.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| Some(n.saturating_sub(1))) == Ok(0)
    }

    #[test]
    fn every_estimator_gives_up_when_told_to() {
        let lorenz = system("lorenz63").unwrap();
        let points = simulate(lorenz.field.as_ref(), &lorenz.theta, &lorenz.start, 0.05, 1500, 20.0).unwrap();
        let sample = Sample::new(points, 3, vec![1500], Some(0.05)).unwrap();
        let written = Dynamics::written(&lorenz.written().unwrap(), vec![9.0, 26.0, 2.5], None).unwrap();
        let question = |name: &str| Question { estimators: Some(vec![name.into()]), ..Question::default() };
        for name in ["weak-stationary", "weak-in-time", "shooting", "smoother", "simulated-moments"] {
            // At once, and in the middle.
            for questions in [0, 2000] {
                LEFT.store(questions, Ordering::SeqCst);
                let ended = answer(&written.clone().stopping(used_up), &sample, &question(name));
                assert!(matches!(ended, Err(IdentifyError::Stopped)), "{name}, {questions}: {ended:?}");
            }
        }
        // Never told to, it finds the same bits.
        LEFT.store(usize::MAX, Ordering::SeqCst);
        let asked = answer(&written.clone().stopping(used_up), &sample, &question("shooting")).unwrap();
        let plain = answer(&written, &sample, &question("shooting")).unwrap();
        assert_eq!(asked.estimate().theta, plain.estimate().theta);
    }
}
