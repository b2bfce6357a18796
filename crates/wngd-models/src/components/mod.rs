//! Sums of components of one coordinate, as histograms in physics are fitted by: exact in every bin.

mod exponential;
mod gaussian;
mod log_normal;
mod polynomial;
mod shape;
mod uniform;

pub use exponential::ExponentialShape;
pub use gaussian::GaussianShape;
pub use log_normal::LogNormalShape;
pub use polynomial::PolynomialShape;
pub use shape::{Integrals, Shape};
pub use uniform::UniformShape;

use std::sync::Arc;

use wngd_adjoint::{Bound, ForwardModel, Linearization, ModelError, State};
use wngd_linalg::faer::Mat;
use wngd_linalg::{ACTIVE_DENSITY, Grid};

/// A share below which a cell is taken for this, so that a count there still pulls.
const FLOOR: f64 = 2.0 * ACTIVE_DENSITY;
/// Rounding of shares: what is above minus this is 0.
const ROUNDING: f64 = 1e-12;

/// How much there is of each component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amounts {
    /// Fractions of 1 of all but the last, which has the rest.
    Fractions,
    /// Expected counts of each: their sum is fitted, too (extended likelihood).
    Yields,
}

/// A component: its name, amount and shape with the values to start from.
#[derive(Debug, Clone)]
pub struct ComponentPart {
    /// Its name, the beginning of those of its parameters.
    pub name: String,
    /// Its fraction or yield.
    pub amount: f64,
    /// Its shape.
    pub shape: Arc<dyn Shape>,
    /// The parameters of the shape.
    pub parameters: Vec<f64>,
}

/// A sum of components on a grid of one axis, ρ its mean over each cell: ρᵢ = Σ aₖ pₖᵢ/h, every pₖ normalised to the box.
///
/// Parameters are, component by component, `NAME_fraction` (not of the last) or `NAME_yield`, and those of its shape, as
/// `NAME_mean`; any subset of them is free. Yields are in units of `number`, which is the number of counts: the
/// generalised Kullback–Leibler divergence is then the extended likelihood.
///
/// # Cost
/// One special function per edge and component.
#[derive(Debug, Clone)]
pub struct ComponentSum {
    grid: Grid,
    edges: Vec<f64>,
    parts: Vec<ComponentPart>,
    amounts: Amounts,
    number: f64,
    /// Positions of the free among all parameters.
    free: Vec<usize>,
}

impl ComponentSum {
    /// On a grid of one axis with the named parameters free; a name may be the beginning of several, as `signal` is.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] for grids of more axes, components without a name or of the same name, values that are not
    /// admissible, names that do not exist.
    pub fn new(
        grid: Grid,
        parts: Vec<ComponentPart>,
        amounts: Amounts,
        free: &[impl AsRef<str>],
    ) -> Result<Self, ModelError> {
        let refuse = |field: String, problem: String| Err(ModelError::invalid(field, problem));
        if grid.dim() != 1 {
            return refuse("grid.cells".into(), format!("{} axes; components have one", grid.dim()));
        }
        if parts.is_empty() {
            return refuse("components".into(), "there are none; give one at least".into());
        }
        for (i, part) in parts.iter().enumerate() {
            let field = |key: &str| format!("components[{i}].{key}");
            if parts[..i].iter().any(|other| other.name == part.name) || part.name.is_empty() {
                return refuse(field("name"), format!("\"{}\" is empty or taken; give each a name", part.name));
            }
            if part.parameters.len() != part.shape.names().len() {
                let names = part.shape.names().join(", ");
                return refuse(field("kind"), format!("{} values; needed are {names}", part.parameters.len()));
            }
            if let Err((j, rule)) = part.shape.check(&part.parameters) {
                return refuse(field(&part.shape.names()[j]), rule.into());
            }
            if !(part.amount >= 0.0 && part.amount.is_finite()) {
                return refuse(field("amount"), format!("{}; a finite number >= 0 is needed", part.amount));
            }
        }
        let (n, spacing) = (grid.cells()[0], grid.spacing()[0]);
        let edges =
            (0..=n).map(|i| if i == n { grid.upper()[0] } else { grid.lower()[0] + i as f64 * spacing }).collect();
        let total: f64 = parts.iter().map(|part| part.amount).sum();
        if !(total > 0.0) {
            return refuse("components".into(), "all of them are empty; give an amount > 0".into());
        }
        if amounts == Amounts::Fractions && (total - 1.0).abs() > 1e-9 {
            return refuse("components".into(), format!("fractions have the sum {total}; it has to be 1"));
        }
        let number = if amounts == Amounts::Yields { total } else { 1.0 };
        let mut model = Self { grid, edges, parts, amounts, number, free: Vec::new() };
        let all = model.all();
        for name in free {
            let name = name.as_ref();
            let begins = |other: &str| {
                other.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['_', '[']))
            };
            let found: Vec<usize> = (0..all.len()).filter(|i| begins(&all[*i].0)).collect();
            if found.is_empty() {
                let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
                return refuse("free".into(), format!("\"{name}\" is none of {}", names.join(", ")));
            }
            model.free.extend(found);
        }
        model.free.sort_unstable();
        model.free.dedup();
        if model.free.is_empty() {
            return refuse("free".into(), "nothing is free; name a parameter".into());
        }
        Ok(model)
    }

    /// The same for that many counts, which yields are measured by.
    #[must_use]
    pub fn of_counts(self, number: f64) -> Self {
        Self { number: if self.amounts == Amounts::Yields { number } else { 1.0 }, ..self }
    }

    /// The number of counts that yields are measured by; 1 for fractions.
    pub fn number(&self) -> f64 {
        self.number
    }

    /// What amounts are.
    pub fn amounts(&self) -> Amounts {
        self.amounts
    }

    /// The grid.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Start values of the free parameters.
    pub fn theta(&self) -> Vec<f64> {
        let all = self.all();
        self.free.iter().map(|i| all[*i].1).collect()
    }

    /// Whether a component has an amount of its own.
    fn has_amount(&self, part: usize) -> bool {
        self.amounts == Amounts::Yields || part + 1 < self.parts.len()
    }

    /// All parameters with their start values.
    fn all(&self) -> Vec<(String, f64)> {
        let word = if self.amounts == Amounts::Yields { "yield" } else { "fraction" };
        let mut all = Vec::new();
        for (k, part) in self.parts.iter().enumerate() {
            if self.has_amount(k) {
                all.push((format!("{}_{word}", part.name), part.amount));
            }
            let own = part.shape.names().into_iter().zip(&part.parameters);
            all.extend(own.map(|(name, value)| (format!("{}_{name}", part.name), *value)));
        }
        all
    }

    /// Amounts and parameters of the components at θ.
    fn at(&self, theta: &[f64]) -> Result<Vec<(f64, Vec<f64>)>, ModelError> {
        if theta.len() != self.free.len() {
            let problem = format!("{} values; {} are needed", theta.len(), self.free.len());
            return Err(ModelError::invalid("theta", problem));
        }
        let mut all = self.all();
        self.free.iter().zip(theta).for_each(|(i, value)| all[*i].1 = *value);
        let outside = |parameter: String, value: f64, rule| Err(ModelError::OutOfDomain { parameter, value, rule });
        let (mut found, mut place, mut rest) = (Vec::new(), 0, 1.0);
        for (k, part) in self.parts.iter().enumerate() {
            let amount = if self.has_amount(k) {
                place += 1;
                all[place - 1].1
            } else {
                rest
            };
            if !(amount >= -ROUNDING && amount.is_finite()) {
                return outside(part.name.clone(), amount, "amounts are at least 0");
            }
            rest -= amount;
            let count = part.parameters.len();
            let own: Vec<f64> = all[place..place + count].iter().map(|(_, value)| *value).collect();
            if let Err((j, rule)) = part.shape.check(&own) {
                return outside(all[place + j].0.clone(), own[j], rule);
            }
            place += count;
            found.push((amount.max(0.0), own));
        }
        Ok(found)
    }

    /// pₖ in every cell with derivatives, normalised to the box.
    fn normalised(&self, part: usize, parameters: &[f64]) -> Result<Integrals, ModelError> {
        let Integrals { mut values, mut derivatives } = self.parts[part].shape.integrals(&self.edges, parameters);
        let total: f64 = values.iter().sum();
        let name = || self.parts[part].name.clone();
        if !(total > 0.0 && total.is_finite()) {
            let rule = "a component has to have some of its mass in the box";
            return Err(ModelError::OutOfDomain { parameter: name(), value: total, rule });
        }
        if let Some(least) = values.iter().copied().find(|v| *v < -ROUNDING * total) {
            let rule = "a component has to be positive in the box";
            return Err(ModelError::OutOfDomain { parameter: name(), value: least, rule });
        }
        values.iter_mut().for_each(|v| *v = v.max(0.0) / total);
        for derivative in &mut derivatives {
            let moved: f64 = derivative.iter().sum();
            derivative.iter_mut().zip(&values).for_each(|(d, p)| *d = (*d - p * moved) / total);
        }
        Ok(Integrals { values, derivatives })
    }

    fn all_at(&self, theta: &[f64]) -> Result<Vec<(f64, Integrals)>, ModelError> {
        let found = self.at(theta)?.into_iter().enumerate();
        found.map(|(k, (amount, own))| Ok((amount, self.normalised(k, &own)?))).collect()
    }

    fn density(&self, found: &[(f64, Integrals)]) -> State {
        let scale = 1.0 / (self.grid.cell_volume() * self.number);
        let mut values = vec![0.0; self.grid.len()];
        for (amount, part) in found {
            values.iter_mut().zip(&part.values).for_each(|(sum, p)| *sum += amount * scale * p);
        }
        values.iter_mut().for_each(|v| *v = v.max(FLOOR));
        State::new(values)
    }
}

impl ForwardModel for ComponentSum {
    type Jacobian = Mat<f64>;
    fn dim_param(&self) -> usize {
        self.free.len()
    }
    fn dim_state(&self) -> usize {
        self.grid.len()
    }
    fn parameter_names(&self) -> Vec<String> {
        let all = self.all();
        self.free.iter().map(|i| all[*i].0.clone()).collect()
    }
    fn state(&self, theta: &[f64]) -> Result<State, ModelError> {
        Ok(self.density(&self.all_at(theta)?))
    }
    fn linearize(&self, theta: &[f64]) -> Result<Linearization<Mat<f64>>, ModelError> {
        let found = self.all_at(theta)?;
        let scale = 1.0 / (self.grid.cell_volume() * self.number);
        let last = &found[found.len() - 1].1.values;
        let mut columns: Vec<(f64, &[f64], bool)> = Vec::new();
        for (k, (amount, part)) in found.iter().enumerate() {
            if self.has_amount(k) {
                columns.push((1.0, &part.values, self.amounts == Amounts::Fractions));
            }
            columns.extend(part.derivatives.iter().map(|d| (*amount, &d[..], false)));
        }
        let jacobian = Mat::from_fn(self.grid.len(), self.free.len(), |i, j| {
            let (factor, column, against_last) = columns[self.free[j]];
            scale * factor * if against_last { column[i] - last[i] } else { column[i] }
        });
        Ok(Linearization { state: self.density(&found), jacobian })
    }
    /// Amounts of at least 0, the last fraction included.
    fn bounds(&self) -> Vec<Bound> {
        let all = self.all();
        let mut bounds = Vec::new();
        let (mut place, mut amounts) = (0, Vec::new());
        for (k, part) in self.parts.iter().enumerate() {
            if self.has_amount(k) {
                amounts.push(place);
                place += 1;
            }
            place += part.parameters.len();
        }
        let free_of = |i: &usize| self.free.iter().position(|free| free == i);
        for i in &amounts {
            bounds.extend(free_of(i).map(|j| Bound { name: all[*i].0.clone(), terms: vec![(j, 1.0)], lower: 0.0 }));
        }
        if self.amounts == Amounts::Fractions {
            let fixed: f64 = amounts.iter().filter(|i| free_of(i).is_none()).map(|i| all[*i].1).sum();
            let terms: Vec<(usize, f64)> = amounts.iter().filter_map(|i| Some((free_of(i)?, -1.0))).collect();
            if let (Some(part), false) = (self.parts.last(), terms.is_empty()) {
                bounds.push(Bound { name: format!("{}_fraction", part.name), terms, lower: fixed - 1.0 });
            }
        }
        bounds
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wngd_adjoint::taylor_test;

    fn part(name: &str, amount: f64, shape: impl Shape + 'static, parameters: &[f64]) -> ComponentPart {
        ComponentPart { name: name.into(), amount, shape: Arc::new(shape), parameters: parameters.to_vec() }
    }

    fn parts() -> Vec<ComponentPart> {
        vec![
            part("bump", 0.2, GaussianShape, &[5.3, 0.2]),
            part("fall", 0.3, ExponentialShape, &[0.8]),
            part("rise", 0.1, ExponentialShape, &[-2.0]),
            part("long", 0.15, LogNormalShape, &[1.7, 0.1]),
            part("flat", 0.05, UniformShape, &[]),
            part("poly", 0.2, PolynomialShape { degree: 3 }, &[-0.4, 0.2, -0.1]),
        ]
    }

    fn model(amounts: Amounts, parts: Vec<ComponentPart>, cells: usize) -> ComponentSum {
        let names: Vec<String> = parts.iter().map(|part| part.name.clone()).collect();
        let named: Vec<&str> =
            names.iter().map(String::as_str).filter(|n| *n != "flat" || amounts == Amounts::Yields).collect();
        ComponentSum::new(Grid::new(&[5.0], &[7.0], &[cells]).unwrap(), parts, amounts, &named).unwrap()
    }

    #[test]
    fn every_parameter_passes_the_taylor_test_with_fractions_and_yields() {
        let mut yields = parts();
        yields.iter_mut().for_each(|part| part.amount *= 2000.0);
        for model in [model(Amounts::Fractions, parts(), 40), model(Amounts::Yields, yields, 40).of_counts(1900.0)] {
            let (theta, names) = (model.theta(), model.parameter_names());
            for j in 0..theta.len() {
                let mut delta = vec![0.0; theta.len()];
                delta[j] = 0.1 * theta[j].abs();
                let test = taylor_test(&model, &theta, &delta).unwrap();
                assert!(test.is_exact() || test.rate > 1.9, "{}: {test:?}", names[j]);
            }
            let mass: f64 = model.state(&theta).unwrap().values.iter().sum::<f64>() * 0.05;
            let expected = if model.amounts() == Amounts::Yields { 2000.0 / 1900.0 } else { 1.0 };
            assert!((mass - expected).abs() < 1e-12, "{mass}");
        }
    }

    #[test]
    fn cells_are_sums_of_finer_cells_and_densities_are_the_formulas() {
        let formulas: [&dyn Fn(f64) -> f64; 6] = [
            &|x| (-0.5 * ((x - 5.3) / 0.2f64).powi(2)).exp(),
            &|x| (-x / 0.8f64).exp(),
            &|x| (x / 2.0f64).exp(),
            &|x| (-0.5 * ((x.ln() - 1.7) / 0.1f64).powi(2)).exp() / x,
            &|_| 1.0,
            &|x| {
                let t = x - 6.0;
                1.0 - 0.4 * t + 0.2 * (2.0 * t * t - 1.0) - 0.1 * (4.0 * t * t * t - 3.0 * t)
            },
        ];
        for (one, formula) in parts().into_iter().zip(formulas) {
            let name = one.name.clone();
            let at = |cells: usize| {
                let grid = Grid::new(&[5.0], &[7.0], &[cells]).unwrap();
                let whole = vec![ComponentPart { amount: 0.5, ..one.clone() }, part("other", 0.5, UniformShape, &[])];
                let model = ComponentSum::new(grid, whole, Amounts::Fractions, &[format!("{name}_fraction")]).unwrap();
                // All of it.
                model.state(&[1.0]).unwrap().values
            };
            let (coarse, fine) = (at(8), at(4000));
            for (i, value) in coarse.iter().enumerate() {
                let mean = fine[500 * i..500 * (i + 1)].iter().sum::<f64>() / 500.0;
                assert!((value / mean - 1.0).abs() < 1e-10, "{name} {i}: {value} {mean}");
            }
            let centre = |i: usize| 5.0 + (i as f64 + 0.5) * 0.0005;
            for i in [100, 2000, 3900] {
                let ratio = fine[i] / fine[1000] * formula(centre(1000)) / formula(centre(i));
                // A mean over a cell is the value at its centre up to h²p''/24p, 1.75e-5 in the tail of the bump.
                assert!((ratio - 1.0).abs() < 2e-5, "{name} {i}: {ratio}");
            }
        }
    }

    #[test]
    fn what_is_no_density_is_out_of_the_domain_and_what_is_no_model_invalid() {
        let model = model(Amounts::Fractions, parts(), 20);
        let names = model.parameter_names();
        let with = |name: &str, value: f64| {
            let mut theta = model.theta();
            theta[names.iter().position(|n| n == name).unwrap()] = value;
            model.state(&theta).unwrap_err()
        };
        for (name, value) in [
            ("bump_sigma", -0.1),
            ("bump_fraction", 0.9),
            ("fall_fraction", -0.1),
            ("poly_c[1]", 9.0),
            ("fall_tau", 0.0),
        ] {
            assert!(with(name, value).is_recoverable(), "{name}");
        }
        // Far from the box nothing of a Gaussian is left.
        assert!(with("bump_mean", 90.0).is_recoverable());
        let grid = || Grid::new(&[5.0], &[7.0], &[20]).unwrap();
        let refused = |parts: Vec<ComponentPart>, free: &str| {
            ComponentSum::new(grid(), parts, Amounts::Fractions, &[free]).unwrap_err().to_string()
        };
        assert!(refused(parts(), "bum").contains("bump_mean"));
        assert!(refused(parts()[..2].to_vec(), "bump").contains("sum 0.5"));
        assert!(refused(vec![part("a", 1.0, GaussianShape, &[0.0])], "a").contains("mean, sigma"));
        assert!(refused(vec![part("a", 1.0, GaussianShape, &[0.0, -1.0])], "a").contains("components[0].sigma"));
        let twice = vec![part("a", 0.5, UniformShape, &[]), part("a", 0.5, UniformShape, &[])];
        assert!(refused(twice, "a").contains("taken"));
    }

    #[test]
    fn amounts_are_bounded_below_the_last_fraction_too() {
        let model = model(Amounts::Fractions, parts(), 20);
        let bounds = model.bounds();
        let names: Vec<&str> = bounds.iter().map(|b| b.name.as_str()).collect();
        assert_eq!(names, ["bump_fraction", "fall_fraction", "rise_fraction", "long_fraction", "poly_fraction"]);
        // The fixed flat one has 0.05 of it.
        assert!((bounds[4].slack(&model.theta()) - 0.2).abs() < 1e-12);
    }
}
