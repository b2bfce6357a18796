//! A model on periodic axes: its density on a few periods, folded into one.

use wngd::adjoint::{Bound, Linearization, SolveCounts, State};
use wngd::linalg::faer::Mat;
use wngd::prelude::{Grid, ModelError};

use super::{Jacobian, Model, Parameter};
use crate::error::ExperimentError;
use crate::source::Section;

/// Periods on either side that reach into the box: enough for a standard deviation of half a period.
const IMAGES: usize = 2;

/// Where the values of several periods go.
#[derive(Debug, Clone)]
pub struct Folding {
    /// The grid of the periods.
    pub grid: Grid,
    /// The cell of the box that each of its cells is an image of.
    cells: Vec<usize>,
    len: usize,
    /// Lower end and length of the periodic axes.
    axes: Vec<Option<(f64, f64)>>,
}

impl Folding {
    /// The periods of a grid.
    ///
    /// # Errors
    /// Periods of more cells than a grid may have.
    pub fn new(grid: &Grid, periodic: &[bool], section: &Section<'_>) -> Result<Self, ExperimentError> {
        let dim = grid.dim();
        let (mut lower, mut upper, mut cells) = (grid.lower().to_vec(), grid.upper().to_vec(), grid.cells().to_vec());
        let mut axes = vec![None; dim];
        for axis in (0..dim).filter(|&axis| periodic[axis]) {
            let length = upper[axis] - lower[axis];
            axes[axis] = Some((lower[axis], length));
            lower[axis] -= IMAGES as f64 * length;
            upper[axis] += IMAGES as f64 * length;
            cells[axis] *= 2 * IMAGES + 1;
        }
        let periods = Grid::new(&lower, &upper, &cells).map_err(|error| {
            section.error("periodic", format!("{} periods of the box are needed: {error}", 2 * IMAGES + 1))
        })?;
        let inside = |mut cell: usize| {
            let mut index = [0; 3];
            for axis in (0..dim).rev() {
                index[axis] = cell % cells[axis] % grid.cells()[axis];
                cell /= cells[axis];
            }
            (0..dim).fold(0, |at, axis| at * grid.cells()[axis] + index[axis])
        };
        let cells = (0..periods.len()).map(inside).collect();
        Ok(Self { grid: periods, cells, len: grid.len(), axes })
    }

    /// The model on the periods as one on the box.
    pub fn fold(self, model: Box<dyn Model>) -> Box<dyn Model> {
        let wrapped = |p: &Parameter| axis_of(&p.name).and_then(|axis| self.axes.get(axis).copied().flatten());
        let means = model.parameters().iter().map(wrapped).collect();
        Box::new(Folded { model, folding: self, means })
    }

    fn values(&self, values: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.len];
        self.cells.iter().zip(values).for_each(|(cell, value)| out[*cell] += value);
        out
    }

    /// Logarithms of sums, right where the terms underflow.
    fn logarithms(&self, logarithms: &[f64]) -> Vec<f64> {
        let mut top = vec![f64::NEG_INFINITY; self.len];
        self.cells.iter().zip(logarithms).for_each(|(cell, l)| top[*cell] = top[*cell].max(*l));
        let mut sum = vec![0.0; self.len];
        for (cell, l) in self.cells.iter().zip(logarithms) {
            if top[*cell].is_finite() {
                sum[*cell] += (l - top[*cell]).exp();
            }
        }
        top.iter().zip(&sum).map(|(top, sum)| if top.is_finite() { top + sum.ln() } else { *top }).collect()
    }
}

/// The axis of a mean by its name, `means[0][1]`.
fn axis_of(name: &str) -> Option<usize> {
    name.strip_prefix("means")?.rsplit('[').next()?.strip_suffix(']')?.parse().ok()
}

struct Folded {
    model: Box<dyn Model>,
    folding: Folding,
    /// Lower end and length of the axis that a parameter is a mean on, if it is periodic.
    means: Vec<Option<(f64, f64)>>,
}

impl Folded {
    /// The same parameters with means in the box, which its images lie around.
    fn wrapped(&self, theta: &[f64]) -> Vec<f64> {
        let wrap = |(value, axis): (&f64, &Option<(f64, f64)>)| match axis {
            Some((lower, length)) => lower + (value - lower).rem_euclid(*length),
            None => *value,
        };
        theta.iter().zip(&self.means).map(wrap).collect()
    }

    fn state_of(&self, state: &State) -> State {
        State {
            values: self.folding.values(&state.values),
            log_values: state.log_values.as_ref().map(|l| self.folding.logarithms(l)),
        }
    }
}

impl Model for Folded {
    fn parameters(&self) -> Vec<Parameter> {
        let ranged = |(parameter, axis): (Parameter, &Option<(f64, f64)>)| match axis {
            Some((lower, length)) => Parameter { range: [*lower, lower + length], ..parameter },
            None => parameter,
        };
        self.model.parameters().into_iter().zip(&self.means).map(ranged).collect()
    }
    fn dim_state(&self) -> usize {
        self.folding.len
    }
    fn state(&self, theta: &[f64]) -> Result<State, ModelError> {
        self.model.state(&self.wrapped(theta)).map(|state| self.state_of(&state))
    }
    fn linearize(&self, theta: &[f64]) -> Result<Linearization<Jacobian>, ModelError> {
        let Linearization { state, jacobian } = self.model.linearize(&self.wrapped(theta))?;
        let z = jacobian.into_dense_boxed();
        let mut folded = Mat::<f64>::zeros(self.folding.len, z.ncols());
        for j in 0..z.ncols() {
            for (i, cell) in self.folding.cells.iter().enumerate() {
                folded[(*cell, j)] += z[(i, j)];
            }
        }
        Ok(Linearization { state: self.state_of(&state), jacobian: Box::new(folded) })
    }
    fn solve_counts(&self) -> SolveCounts {
        self.model.solve_counts()
    }
    fn failure(&self) -> Option<ModelError> {
        self.model.failure()
    }
    fn bounds(&self) -> Vec<Bound> {
        self.model.bounds()
    }
    fn counted(&self, cut: bool) -> Option<Box<dyn Model>> {
        self.model.counted(cut).map(|model| self.folding.clone().fold(model))
    }
    fn remarks(&self, theta: &[f64]) -> Result<Vec<String>, ModelError> {
        self.model.remarks(&self.wrapped(theta))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_folded_onto_the_box() {
        let source = crate::source::Source::empty();
        let grid = Grid::new(&[0.0, 1.0], &[3.0, 3.0], &[3, 2]).unwrap();
        let folding = Folding::new(&grid, &[true, false], &source.root()).unwrap();
        assert_eq!(folding.grid.cells(), [15, 2]);
        assert_eq!((folding.grid.lower()[0], folding.grid.upper()[0]), (-6.0, 9.0));
        for cell in 0..folding.grid.len() {
            let mut at = folding.grid.center(cell);
            at[0] = at[0].rem_euclid(3.0);
            assert_eq!(grid.locate(&at[..2]), Some(folding.cells[cell]));
        }
        let logs = folding.logarithms(&vec![-800.0; folding.grid.len()]);
        assert!(logs.iter().all(|l| (l + 800.0 - 5.0f64.ln()).abs() < 1e-12));
    }
}
