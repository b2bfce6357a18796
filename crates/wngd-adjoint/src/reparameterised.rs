use wngd_linalg::LinearOp;
use wngd_linalg::faer::{Mat, MatMut, MatRef};

use crate::bound::Bound;
use crate::error::ModelError;
use crate::model::{ForwardModel, Linearization, SolveCounts, State};
use crate::prior::Prior;
use crate::transform::Transform;

/// What a parameter of a model is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Follow {
    /// A free parameter of the reparameterised model.
    Free(usize),
    /// A constant.
    Fixed(f64),
}

/// A model with some parameters tied to others, or fixed: θ = Aφ + b, where every row of A has one 1 at most.
///
/// Then Z_φ = Z A: columns of tied parameters are added up, columns of fixed ones left out, exactly. Bounds, priors and
/// transforms are carried over; a bound or prior of fixed parameters alone is left out, being a constant.
///
/// # Cost
/// That of the model; a Jacobian that is stored stays stored.
///
/// # Example
/// ```
/// use wngd_adjoint::faer::Mat;
/// use wngd_adjoint::{FnModel, ForwardModel, Reparameterised, taylor_test};
/// let plane = FnModel::new(
///     ["a", "b", "c"],
///     3,
///     |t| vec![t[0] * t[1], t[1] + t[2], t[2] * t[2]],
///     |t| Mat::from_fn(3, 3, |i, j| [[t[1], t[0], 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 2.0 * t[2]]][i][j]),
/// );
/// // c is what a is.
/// let tied = Reparameterised::tied(plane, &[(2, 0)])?;
/// assert_eq!(tied.parameter_names(), ["a", "b"]);
/// assert_eq!(tied.whole(&[2.0, 5.0]), [2.0, 5.0, 2.0]);
/// assert!(taylor_test(&tied, &[2.0, 5.0], &[0.3, 1.0])?.rate > 1.9);
/// # Ok::<(), wngd_adjoint::ModelError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Reparameterised<M> {
    model: M,
    follow: Vec<Follow>,
    /// The model's parameter that each free one is.
    kept: Vec<usize>,
}

fn whole(follow: &[Follow], theta: &[f64]) -> Vec<f64> {
    let value = |follow: &Follow| match *follow {
        Follow::Free(k) => theta.get(k).copied().unwrap_or(f64::NAN),
        Follow::Fixed(value) => value,
    };
    follow.iter().map(value).collect()
}

impl<M: ForwardModel> Reparameterised<M> {
    /// With pairs (i, j): parameter i is what parameter j is.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] for parameters that do not exist, are tied twice, or are tied to one that is tied itself.
    pub fn tied(model: M, ties: &[(usize, usize)]) -> Result<Self, ModelError> {
        let p = model.dim_param();
        let refuse = |problem: String| Err(ModelError::invalid("tie", problem));
        for (number, (i, j)) in ties.iter().enumerate() {
            if *i >= p || *j >= p {
                return refuse(format!("parameters {i} and {j} of {p}; they are counted from 0"));
            }
            if ties.iter().any(|tie| tie.0 == *j) {
                return refuse(format!("parameter {j} is tied itself; tie {i} to what {j} is tied to"));
            }
            if ties[..number].iter().any(|tie| tie.0 == *i) {
                return refuse(format!("parameter {i} is tied twice; once is enough"));
            }
        }
        let kept: Vec<usize> = (0..p).filter(|i| ties.iter().all(|tie| tie.0 != *i)).collect();
        let leader = |i: usize| ties.iter().find(|tie| tie.0 == i).map_or(i, |tie| tie.1);
        let follow = (0..p).map(|i| Follow::Free(kept.iter().position(|k| *k == leader(i)).unwrap_or_default()));
        Ok(Self { follow: follow.collect(), kept, model })
    }

    /// With pairs (i, v): parameter i has the value v.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] for parameters that do not exist.
    pub fn fixed(model: M, values: &[(usize, f64)]) -> Result<Self, ModelError> {
        let p = model.dim_param();
        if let Some((i, _)) = values.iter().find(|(i, _)| *i >= p) {
            return Err(ModelError::invalid("fixed", format!("parameter {i} of {p}; they are counted from 0")));
        }
        let constant = |i: usize| values.iter().find(|value| value.0 == i).map(|value| value.1);
        let kept: Vec<usize> = (0..p).filter(|i| constant(*i).is_none()).collect();
        let place = |i: usize| kept.iter().position(|k| *k == i).unwrap_or_default();
        let follow = (0..p).map(|i| constant(i).map_or_else(|| Follow::Free(place(i)), Follow::Fixed)).collect();
        Ok(Self { model, follow, kept })
    }

    /// The model as it was.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// All parameters of the model.
    ///
    /// # Shapes
    /// `theta`: the free ones; more or fewer are refused by the model.
    pub fn whole(&self, theta: &[f64]) -> Vec<f64> {
        whole(&self.follow, theta)
    }

    /// [`whole`](Self::whole) without the model.
    pub fn expansion(&self) -> impl Fn(&[f64]) -> Vec<f64> + Send + Sync + 'static {
        let follow = self.follow.clone();
        move |theta| whole(&follow, theta)
    }

    /// The free ones among all parameters of the model.
    pub fn free(&self, whole: &[f64]) -> Vec<f64> {
        self.kept.iter().map(|i| whole[*i]).collect()
    }

    fn checked(&self, theta: &[f64]) -> Result<Vec<f64>, ModelError> {
        let p = self.kept.len();
        if theta.len() != p {
            return Err(ModelError::invalid("theta", format!("{} values; {p} are needed", theta.len())));
        }
        Ok(self.whole(theta))
    }
}

impl<M: ForwardModel> ForwardModel for Reparameterised<M> {
    type Jacobian = ReparameterisedJacobian<M::Jacobian>;
    fn dim_param(&self) -> usize {
        self.kept.len()
    }
    fn dim_state(&self) -> usize {
        self.model.dim_state()
    }
    fn parameter_names(&self) -> Vec<String> {
        let names = self.model.parameter_names();
        self.kept.iter().map(|i| names[*i].clone()).collect()
    }
    fn state(&self, theta: &[f64]) -> Result<State, ModelError> {
        self.model.state(&self.checked(theta)?)
    }
    fn linearize(&self, theta: &[f64]) -> Result<Linearization<Self::Jacobian>, ModelError> {
        let Linearization { state, jacobian } = self.model.linearize(&self.checked(theta)?)?;
        let columns = Columns { follow: self.follow.clone(), free: self.kept.len() };
        let form = if jacobian.as_dense().is_some() {
            Form::Stored(columns.added(&jacobian.into_dense()))
        } else {
            Form::Operator { jacobian, columns }
        };
        Ok(Linearization { state, jacobian: ReparameterisedJacobian(form) })
    }
    fn solve_counts(&self) -> SolveCounts {
        self.model.solve_counts()
    }
    fn failure(&self) -> Option<ModelError> {
        self.model.failure()
    }
    fn column_rounding(&self, theta: &[f64]) -> Vec<f64> {
        let own = self.model.column_rounding(&self.whole(theta));
        let mut sums = vec![0.0; if own.is_empty() { 0 } else { self.kept.len() }];
        for (rounding, follow) in own.iter().zip(&self.follow) {
            if let Follow::Free(k) = *follow {
                sums[k] += rounding;
            }
        }
        sums
    }
    fn bounds(&self) -> Vec<Bound> {
        let carried = |bound: Bound| {
            let (mut terms, mut lower): (Vec<(usize, f64)>, f64) = (Vec::new(), bound.lower);
            for (i, c) in bound.terms {
                match self.follow[i] {
                    Follow::Fixed(value) => lower -= c * value,
                    Follow::Free(k) => match terms.iter_mut().find(|term| term.0 == k) {
                        Some(term) => term.1 += c,
                        None => terms.push((k, c)),
                    },
                }
            }
            terms.retain(|term| term.1 != 0.0);
            (!terms.is_empty()).then_some(Bound { name: bound.name, terms, lower })
        };
        self.model.bounds().into_iter().filter_map(carried).collect()
    }
    fn priors(&self) -> Vec<Prior> {
        let carried = |prior: Prior| match self.follow[prior.parameter] {
            Follow::Free(parameter) => Some(Prior { parameter, ..prior }),
            Follow::Fixed(_) => None,
        };
        self.model.priors().into_iter().filter_map(carried).collect()
    }
    fn transforms(&self) -> Vec<Transform> {
        let own = self.model.transforms();
        if own.is_empty() { own } else { self.kept.iter().map(|i| own[*i]).collect() }
    }
}

/// Where columns go.
#[derive(Debug, Clone)]
struct Columns {
    follow: Vec<Follow>,
    free: usize,
}

impl Columns {
    /// Z A.
    fn added(&self, z: &Mat<f64>) -> Mat<f64> {
        let mut out = Mat::<f64>::zeros(z.nrows(), self.free);
        for (i, follow) in self.follow.iter().enumerate() {
            if let Follow::Free(k) = *follow {
                let column = z.col_as_slice(i);
                out.col_as_slice_mut(k).iter_mut().zip(column).for_each(|(sum, value)| *sum += value);
            }
        }
        out
    }

    /// A X.
    fn spread(&self, x: MatRef<'_, f64>) -> Mat<f64> {
        Mat::from_fn(self.follow.len(), x.ncols(), |i, column| match self.follow[i] {
            Follow::Free(k) => x[(k, column)],
            Follow::Fixed(_) => 0.0,
        })
    }
}

/// Z A of a [`Reparameterised`] model.
///
/// # Cost
/// A product with Z, or Zᵀ.
#[derive(Debug, Clone)]
pub struct ReparameterisedJacobian<J>(Form<J>);

#[derive(Debug, Clone)]
enum Form<J> {
    Stored(Mat<f64>),
    Operator { jacobian: J, columns: Columns },
}

impl<J: LinearOp> LinearOp for ReparameterisedJacobian<J> {
    fn nrows(&self) -> usize {
        match &self.0 {
            Form::Stored(z) => z.nrows(),
            Form::Operator { jacobian, .. } => jacobian.nrows(),
        }
    }
    fn ncols(&self) -> usize {
        match &self.0 {
            Form::Stored(z) => z.ncols(),
            Form::Operator { columns, .. } => columns.free,
        }
    }
    fn apply(&self, out: MatMut<'_, f64>, x: MatRef<'_, f64>) {
        match &self.0 {
            Form::Stored(z) => z.apply(out, x),
            Form::Operator { jacobian, columns } => jacobian.apply(out, columns.spread(x).as_ref()),
        }
    }
    fn apply_transpose(&self, out: MatMut<'_, f64>, y: MatRef<'_, f64>) {
        match &self.0 {
            Form::Stored(z) => z.apply_transpose(out, y),
            Form::Operator { jacobian, columns } => {
                let mut out = out;
                let mut whole = Mat::<f64>::zeros(columns.follow.len(), y.ncols());
                jacobian.apply_transpose(whole.as_mut(), y);
                out.fill(0.0);
                for (i, follow) in columns.follow.iter().enumerate() {
                    if let Follow::Free(k) = *follow {
                        (0..y.ncols()).for_each(|column| out[(k, column)] += whole[(i, column)]);
                    }
                }
            }
        }
    }
    fn as_dense(&self) -> Option<MatRef<'_, f64>> {
        match &self.0 {
            Form::Stored(z) => Some(z.as_ref()),
            Form::Operator { .. } => None,
        }
    }
    fn into_dense(self) -> Mat<f64> {
        match self.0 {
            Form::Stored(z) => z,
            Form::Operator { jacobian, columns } => columns.added(&jacobian.into_dense()),
        }
    }
    fn into_dense_boxed(self: Box<Self>) -> Mat<f64> {
        (*self).into_dense()
    }
}
