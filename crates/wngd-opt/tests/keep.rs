//! Descents that are kept, stopped and gone on with.
#![allow(clippy::unwrap_used)]

#[path = "../../../tests/common/memory.rs"]
mod memory;

use memory::Memory;
use wngd_adjoint::{ForwardModel, Linearization, ModelError, State};
use wngd_linalg::faer::Mat;
use wngd_opt::{Armijo, Descent, Finished, Keep, KeepNothing, L2, LeastSquaresMisfit, Natural, Status};

/// y = θ₀ exp(−θ₁ x).
struct Decay;

impl ForwardModel for Decay {
    type Jacobian = Mat<f64>;
    fn dim_param(&self) -> usize {
        2
    }
    fn dim_state(&self) -> usize {
        8
    }
    fn state(&self, t: &[f64]) -> Result<State, ModelError> {
        Ok(State::new((0..8).map(|x| t[0] * (-t[1] * f64::from(x)).exp()).collect()))
    }
    fn linearize(&self, t: &[f64]) -> Result<Linearization<Mat<f64>>, ModelError> {
        let e = |x: usize| (-t[1] * x as f64).exp();
        let jacobian = Mat::from_fn(8, 2, |x, j| if j == 0 { e(x) } else { -t[0] * x as f64 * e(x) });
        Ok(Linearization { state: self.state(t)?, jacobian })
    }
}

#[test]
fn a_stopped_descent_goes_on_with_the_same_bits() {
    let objective = LeastSquaresMisfit::plain(Decay.state(&[2.0, 0.5]).unwrap().values).unwrap();
    let direction = Natural::new(L2);
    let descent = Descent::new(&Decay, &objective).direction(&direction).keep_models(3);
    let run = |keep: &dyn Keep| {
        let mut seen = 0;
        let rule = &mut Armijo::new(1.0, 1e-4);
        (descent.run_or_resume(4, &[1.0, 1.0], rule, keep, &mut |_| seen += 1).unwrap(), seen)
    };
    let (whole, all) = run(&KeepNothing);
    assert!(matches!(whole.status, Status::Converged(_)) && all == whole.trace.len() && all > 4);
    for room in 1..all {
        let first = Memory::new(Vec::new(), room);
        assert_eq!(run(&first).0.status, Status::StoppedByObserver);
        // Another descent's iterates do not count.
        let mut earlier = first.kept();
        let foreign = earlier[0].clone();
        if let Finished::Iterate { row, .. } = foreign {
            earlier.push(Finished::Iterate { descent: 5, row, model: None });
        }
        let (rest, new) = run(&Memory::new(earlier, usize::MAX));
        assert_eq!((rest.status, new), (whole.status, all - room));
        assert_eq!(rest.last().theta, whole.last().theta);
        assert_eq!(rest.models.len(), whole.models.len());
    }
}
