//! Ties and fixed parameters: values, derivatives, bounds, priors, and what is refused.
#![allow(clippy::unwrap_used)]

use wngd_adjoint::faer::{Mat, MatMut, MatRef};
use wngd_adjoint::{
    Bound, ForwardModel, LinearOp, Linearization, ModelError, Prior, PriorShape, Reparameterised, State, Transform,
    dot_test, taylor_test,
};

/// Four parameters on six values, its Jacobian stored or as an operator.
struct Waves {
    stored: bool,
}

struct Jacobian {
    z: Mat<f64>,
    stored: bool,
}

impl LinearOp for Jacobian {
    fn nrows(&self) -> usize {
        self.z.nrows()
    }
    fn ncols(&self) -> usize {
        self.z.ncols()
    }
    fn apply(&self, out: MatMut<'_, f64>, x: MatRef<'_, f64>) {
        self.z.apply(out, x);
    }
    fn apply_transpose(&self, out: MatMut<'_, f64>, y: MatRef<'_, f64>) {
        self.z.apply_transpose(out, y);
    }
    fn as_dense(&self) -> Option<MatRef<'_, f64>> {
        self.stored.then(|| self.z.as_ref())
    }
    fn into_dense(self) -> Mat<f64> {
        self.z
    }
    fn into_dense_boxed(self: Box<Self>) -> Mat<f64> {
        self.z
    }
}

impl ForwardModel for Waves {
    type Jacobian = Jacobian;
    fn dim_param(&self) -> usize {
        4
    }
    fn dim_state(&self) -> usize {
        6
    }
    fn state(&self, t: &[f64]) -> Result<State, ModelError> {
        Ok(State::new((0..6).map(|i| (0..4).map(|j| (t[j] * (i + j) as f64).sin()).sum()).collect()))
    }
    fn linearize(&self, t: &[f64]) -> Result<Linearization<Jacobian>, ModelError> {
        let z = Mat::from_fn(6, 4, |i, j| (i + j) as f64 * (t[j] * (i + j) as f64).cos());
        Ok(Linearization { state: self.state(t)?, jacobian: Jacobian { z, stored: self.stored } })
    }
    fn column_rounding(&self, _: &[f64]) -> Vec<f64> {
        vec![1.0, 2.0, 3.0, 4.0]
    }
    fn bounds(&self) -> Vec<Bound> {
        let all = (0..4).map(|j| (j, 1.0)).collect();
        vec![
            Bound { name: "sum".into(), terms: all, lower: 0.5 },
            Bound { name: "last".into(), terms: vec![(3, 1.0)], lower: 0.1 },
            Bound { name: "difference".into(), terms: vec![(1, 1.0), (3, -1.0)], lower: -1.0 },
        ]
    }
    fn priors(&self) -> Vec<Prior> {
        let shape = PriorShape::Normal { mean: 0.0, deviation: 1.0 };
        [1, 3].map(|parameter| Prior { parameter, shape, weight: 1.0 }).to_vec()
    }
    fn transforms(&self) -> Vec<Transform> {
        vec![Transform::None, Transform::Log, Transform::None, Transform::None]
    }
}

#[test]
fn tied_and_fixed_models_have_exact_tangents_and_adjoints() {
    for stored in [true, false] {
        let tied = Reparameterised::tied(Waves { stored }, &[(3, 1), (0, 1)]).unwrap();
        let fixed = Reparameterised::fixed(Waves { stored }, &[(2, 0.4)]).unwrap();
        assert_eq!(tied.whole(&[0.3, 0.7]), [0.3, 0.3, 0.7, 0.3]);
        assert_eq!(tied.free(&[9.0, 0.3, 0.7, 9.0]), [0.3, 0.7]);
        assert_eq!(fixed.whole(&[0.3, 0.7, 0.9]), [0.3, 0.7, 0.4, 0.9]);
        assert!(taylor_test(&tied, &[0.3, 0.7], &[0.5, -0.2]).unwrap().rate > 1.9);
        assert!(taylor_test(&fixed, &[0.3, 0.7, 0.9], &[0.5, -0.2, 0.1]).unwrap().rate > 1.9);
        let jacobian = tied.linearize(&[0.3, 0.7]).unwrap().jacobian;
        assert_eq!(jacobian.as_dense().is_some(), stored);
        assert!(dot_test(&jacobian, 3).gap < 1e-13);
        // The operator and the matrix are the same map.
        let dense = tied.linearize(&[0.3, 0.7]).unwrap().jacobian.into_dense();
        let mut applied = Mat::<f64>::zeros(6, 2);
        jacobian.apply(applied.as_mut(), Mat::<f64>::identity(2, 2).as_ref());
        assert!((0..6).all(|i| (0..2).all(|j| (dense[(i, j)] - applied[(i, j)]).abs() < 1e-14)));
        assert_eq!(tied.column_rounding(&[0.3, 0.7]), [7.0, 3.0]);
    }
}

#[test]
fn bounds_priors_and_curves_are_carried_over() {
    let tied = Reparameterised::tied(Waves { stored: true }, &[(3, 1)]).unwrap();
    assert_eq!(tied.parameter_names(), ["theta[0]", "theta[1]", "theta[2]"]);
    let bounds = tied.bounds();
    // θ₁ − θ₃ is a constant now.
    assert_eq!(bounds.iter().map(|b| b.name.as_str()).collect::<Vec<_>>(), ["sum", "last"]);
    assert_eq!(bounds[0].terms, [(0, 1.0), (1, 2.0), (2, 1.0)]);
    assert_eq!(tied.priors().iter().map(|p| p.parameter).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(tied.transforms(), [Transform::None, Transform::Log, Transform::None]);
    let fixed = Reparameterised::fixed(Waves { stored: true }, &[(3, 0.2)]).unwrap();
    assert_eq!(fixed.bounds()[0].lower, 0.3);
    assert_eq!(fixed.bounds()[1], Bound { name: "difference".into(), terms: vec![(1, 1.0)], lower: -0.8 });
    assert_eq!(fixed.priors().len(), 1);
}

#[test]
fn impossible_ties_are_refused_with_the_remedy() {
    let refused = |ties: &[(usize, usize)]| {
        Reparameterised::tied(Waves { stored: true }, ties).err().map(|e| e.to_string()).unwrap()
    };
    assert!(refused(&[(1, 1)]).contains("tied itself"));
    assert!(refused(&[(0, 1), (1, 2)]).contains("tie 0 to what 1 is tied to"));
    assert!(refused(&[(0, 1), (0, 2)]).contains("tied twice"));
    assert!(refused(&[(0, 4)]).contains("counted from 0"));
    let tied = Reparameterised::tied(Waves { stored: true }, &[(3, 1)]).unwrap();
    assert!(tied.state(&[0.0; 4]).unwrap_err().to_string().contains("3 are needed"));
}
