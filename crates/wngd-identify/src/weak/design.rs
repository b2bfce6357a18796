//! The equations of every block, linearised in the parameters.

use std::sync::Arc;

use rayon::prelude::*;
use wngd_models::flow::PolynomialForm;

use super::blocks::{Block, blocks};
use super::data::Data;
use super::functions::Functions;
use super::moments::{Moments, group, phase, weight};
use super::monomials::Monomials;
use super::pass::{Gather, Gathered, pass};
use super::undoing::{cooled, damp, undone};
use crate::dynamics::Dynamics;
use crate::error::IdentifyError;

/// Most blocks.
const BLOCKS: usize = 1024;
/// Noise that variances are measured by, as a share of the scatter.
const USUAL: f64 = 0.1;
/// Most numbers of block means.
const NUMBERS: usize = 20_000_000;

/// Residual equations g and their derivatives by the free parameters, block by block.
#[derive(Debug, Clone)]
pub(super) struct Design {
    /// Equations: real and imaginary part of each function.
    pub(super) equations: usize,
    pub(super) parameters: usize,
    /// Per block an equations x (parameters + 1) matrix, row-major, g in the last column.
    pub(super) blocks: Vec<Vec<f64>>,
    /// Record of each block.
    pub(super) records: Vec<usize>,
}

impl Design {
    /// Moves to parameters further by `step`, exactly where the equations are affine.
    pub(super) fn advance(&mut self, step: &[f64]) {
        for row in self.blocks.iter_mut().flat_map(|block| block.chunks_exact_mut(self.parameters + 1)) {
            let (derivatives, value) = row.split_at_mut(self.parameters);
            value[0] += derivatives.iter().zip(step).map(|(a, s)| a * s).sum::<f64>();
        }
    }

    /// Mean of two neighbours of the same record in place of both; an odd one at the end of a record is left out.
    pub(super) fn merged(&self) -> Self {
        let (mut blocks, mut records) = (Vec::new(), Vec::new());
        let mut at = 0;
        while at + 1 < self.blocks.len() {
            if self.records[at] != self.records[at + 1] {
                at += 1;
                continue;
            }
            let pair = self.blocks[at].iter().zip(&self.blocks[at + 1]);
            blocks.push(pair.map(|(a, b)| 0.5 * (a + b)).collect());
            records.push(self.records[at]);
            at += 2;
        }
        Self { blocks, records, ..*self }
    }

    /// The blocks of a range.
    pub(super) fn part(&self, range: std::ops::Range<usize>) -> Self {
        Self { blocks: self.blocks[range.clone()].to_vec(), records: self.records[range].to_vec(), ..*self }
    }

    /// Mean over the blocks, equations x (parameters + 1), row-major.
    pub(super) fn mean(&self) -> Vec<f64> {
        let mut mean = vec![0.0; self.equations * (self.parameters + 1)];
        for block in &self.blocks {
            mean.iter_mut().zip(block).for_each(|(m, v)| *m += v);
        }
        let count = self.blocks.len() as f64;
        mean.iter_mut().for_each(|m| *m /= count);
        mean
    }
}

/// What makes designs at any parameters from one pass over the data, where that is possible.
#[derive(Clone)]
pub(super) struct Equations<'a> {
    dynamics: &'a Dynamics,
    data: Data<'a>,
    /// Variance of the noise of each coordinate.
    noise: Vec<f64>,
    /// Whether these variances are unknowns beside the parameters.
    sought: bool,
    functions: Functions,
    seed: u64,
    split: Vec<Block>,
    /// Moments of polynomials; other fields go over the data at each θ.
    moments: Option<Arc<Moments>>,
    /// Whether f(end) − f(start) is subtracted.
    boundary: bool,
}

impl<'a> Equations<'a> {
    pub(super) fn new(dynamics: &'a Dynamics, data: Data<'a>, noise: &[f64], seed: u64) -> Result<Self, IdentifyError> {
        let parameters = dynamics.free().len();
        // Blocks must outnumber equations, or their covariance says nothing; single points have long tails.
        let most = data.count() / if data.dt().is_some() { 25 } else { 50 };
        let functions = Functions::new(data.deviations(), &dynamics.couplings, parameters, most, seed);
        if noise.iter().any(|s| *s > 0.0) && dynamics.polynomial.is_none() {
            return Err(IdentifyError::NoiseOfOther);
        }
        let monomials = dynamics
            .polynomial
            .as_ref()
            .map(|(drift, diffusion)| Monomials::of(std::iter::once(drift).chain(diffusion.as_ref())));
        let width = match &monomials {
            Some(monomials) => 2 * monomials.list.len() + 2 * (parameters + 1),
            None => 2 * (parameters + 1),
        };
        let split = blocks(data, BLOCKS.min(NUMBERS / (width * functions.waves.len())).max(64));
        let moments = match monomials {
            Some(monomials) => Some(Arc::new(Moments::of(data, &functions, &split, monomials, dynamics)?)),
            None => None,
        };
        Ok(Self {
            dynamics,
            data,
            noise: noise.iter().map(|s| s * s).collect(),
            sought: false,
            functions,
            seed,
            split,
            moments,
            boundary: data.dt().is_some(),
        })
    }

    /// Leaves boundary terms out.
    pub(super) fn without_boundary(&mut self) {
        self.boundary = false;
    }

    /// Subtracts boundary terms.
    pub(super) fn with_boundary(&mut self) {
        self.boundary = true;
    }

    /// Whether the points have an order and a time step.
    pub(super) fn has_times(&self) -> bool {
        self.data.dt().is_some()
    }

    /// Points that each equation is a mean over, in units of the number of equations.
    pub(super) fn points_per_equation(&self) -> f64 {
        self.data.count() as f64 / (2 * self.functions.waves.len()) as f64
    }

    /// The same with the variances of the noise among the unknowns, behind the parameters.
    ///
    /// # Errors
    /// Noise of a field that is no polynomial cannot be undone.
    pub(super) fn seeking_noise(self) -> Result<Self, IdentifyError> {
        if self.moments.is_some() { Ok(Self { sought: true, ..self }) } else { Err(IdentifyError::NoiseOfOther) }
    }

    /// Where unknowns begin, and what each is measured by: parameters, then variances of the noise.
    pub(super) fn start(&self) -> (Vec<f64>, Vec<f64>) {
        let mut start = self.dynamics.start();
        let mut scale: Vec<f64> = start.iter().map(|t| if *t == 0.0 { 1.0 } else { t.abs() }).collect();
        if self.sought {
            start.extend(&self.noise);
            scale.extend(self.data.deviations().iter().map(|d| (USUAL * d).powi(2)));
        }
        (start, scale)
    }

    /// Whether the equations are affine in the unknowns.
    pub(super) fn affine(&self) -> bool {
        self.dynamics.affine && !self.sought
    }

    /// Number of unknowns.
    fn unknowns(&self) -> usize {
        self.dynamics.free().len() + if self.sought { self.noise.len() } else { 0 }
    }

    /// Standard deviation of the noise that was given.
    pub(super) fn noise(&self) -> Vec<f64> {
        self.noise.iter().map(|variance| variance.sqrt()).collect()
    }

    /// Variances of the noise at values of the unknowns.
    fn variances<'b>(&'b self, unknowns: &'b [f64]) -> &'b [f64] {
        if self.sought { &unknowns[self.dynamics.free().len()..] } else { &self.noise }
    }

    /// Seed of the functions.
    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    pub(super) fn has_boundary(&self) -> bool {
        self.boundary
    }

    /// The equations at values of the unknowns: the free parameters and, where they are sought, the variances of the noise.
    pub(super) fn at(&self, unknowns: &[f64]) -> Result<Design, IdentifyError> {
        let full = self.dynamics.theta_full(&unknowns[..self.dynamics.free().len()]);
        let noise = self.variances(unknowns);
        let passed;
        let (mut blocks, ends) = match (&self.moments, &self.dynamics.polynomial) {
            (Some(moments), Some((drift, diffusion))) => {
                (self.by_moments(moments, drift, diffusion.as_ref(), &full, noise), moments.ends())
            }
            _ => {
                let Gathered { sums, ends } = self.by_points(&full)?;
                passed = ends;
                (sums, &passed[..])
            }
        };
        if self.boundary {
            self.subtract_boundary(&mut blocks, ends, noise);
        }
        if blocks.iter().flatten().any(|v| !v.is_finite()) {
            return Err(IdentifyError::FieldNotFinite { theta: full });
        }
        Ok(Design {
            equations: 2 * self.functions.waves.len(),
            parameters: self.unknowns(),
            blocks,
            records: self.split.iter().map(|block| block.record).collect(),
        })
    }

    fn subtract_boundary(&self, blocks: &mut [Vec<f64>], ends: &[[Vec<f64>; 2]], noise: &[f64]) {
        let Some(dt) = self.data.dt() else { return };
        let (p, width) = (self.dynamics.free().len(), self.unknowns() + 1);
        let damps: Vec<f64> = self.functions.waves.iter().map(|wave| damp(wave, noise)).collect();
        blocks.par_iter_mut().zip(&self.split).zip(ends).for_each(|((values, block), [first, last])| {
            let time = dt * (block.end - block.begin) as f64;
            for (f, wave) in self.functions.waves.iter().enumerate() {
                let (sine, cosine) = phase(wave, last).sin_cos();
                let (old_sine, old_cosine) = phase(wave, first).sin_cos();
                let factor = damps[f] / time;
                let terms = [factor * (cosine - old_cosine), factor * (sine - old_sine)];
                for (row, term) in values[2 * f * width..(2 * f + 2) * width].chunks_exact_mut(width).zip(terms) {
                    row[width - 1] -= term;
                    // −½∂² by a coordinate is ½w² here.
                    if self.sought {
                        wave.iter().for_each(|(axis, w)| row[p + axis] -= 0.5 * w * w * term);
                    }
                }
            }
        });
    }

    fn by_moments(
        &self,
        moments: &Moments,
        drift: &PolynomialForm,
        diffusion: Option<&PolynomialForm>,
        full: &[f64],
        noise: &[f64],
    ) -> Vec<Vec<f64>> {
        let free = self.dynamics.free();
        let width = self.unknowns() + 1;
        // Per term: component, monomial, value and derivatives by the free parameters that are not 0.
        let terms = |form: &PolynomialForm| -> Vec<Term> {
            let (values, derivatives) = (form.coefficients(full), form.coefficient_derivatives(full));
            let term = |(t, &(component, monomial)): (usize, &(usize, usize))| {
                let slope =
                    |(j, &i): (usize, &usize)| Some((j, derivatives[t * full.len() + i])).filter(|s| s.1 != 0.0);
                let slopes = free.iter().enumerate().filter_map(slope).collect();
                Term {
                    component,
                    monomial: moments.monomials.place(&form.monomials[monomial]),
                    value: values[t],
                    slopes,
                }
            };
            form.terms.iter().enumerate().map(term).collect()
        };
        let (drift, diffusion) = (terms(drift), diffusion.map(terms).unwrap_or_default());
        let recipes: Vec<Recipe> =
            self.functions.waves.iter().map(|wave| self.recipe(moments, wave, &drift, &diffusion, noise)).collect();
        let block = |b: usize| {
            let mut values = vec![0.0; 2 * self.functions.waves.len() * width];
            for (f, recipe) in recipes.iter().enumerate() {
                let (real, imaginary) = values[2 * f * width..(2 * f + 2) * width].split_at_mut(width);
                for entry in recipe {
                    let (re, im) = moments.mean(b, f, entry.monomial);
                    let (re, im) = (entry.re * re - entry.im * im, entry.re * im + entry.im * re);
                    real[entry.column] += re;
                    imaginary[entry.column] += im;
                }
            }
            values
        };
        (0..self.split.len()).into_par_iter().map(block).collect()
    }

    /// Which moments make the equation of a function.
    fn recipe(
        &self,
        moments: &Moments,
        wave: &[(usize, f64)],
        drift: &[Term],
        diffusion: &[Term],
        noise: &[f64],
    ) -> Recipe {
        let (p, last) = (self.dynamics.free().len(), self.unknowns());
        let damp = damp(wave, noise);
        let mut recipe = Recipe::new();
        let of = |component: usize| wave.iter().find(|(axis, _)| *axis == component).map(|(_, w)| *w);
        let mut add = |terms: &[Term], factor: fn(f64) -> (f64, f64)| {
            for term in terms {
                let Some(w) = of(term.component) else { continue };
                let (fr, fi) = factor(w);
                let monomials = &moments.monomials;
                for (monomial, (hr, hi)) in undone(monomials, &monomials.list[term.monomial], wave, noise) {
                    let (re, im) = (damp * (fr * hr - fi * hi), damp * (fr * hi + fi * hr));
                    let value = std::iter::once((last, term.value)).chain(term.slopes.iter().copied());
                    recipe.extend(value.map(|(column, a)| Entry { monomial, column, re: a * re, im: a * im }));
                }
                for axis in 0..if self.sought { noise.len() } else { 0 } {
                    for (lower, (lr, li)) in cooled(&monomials.list[term.monomial], wave, axis) {
                        let (lr, li) = (damp * (fr * lr - fi * li), damp * (fr * li + fi * lr));
                        let mixed = undone(monomials, &lower, wave, noise).into_iter();
                        recipe.extend(mixed.map(|(monomial, (hr, hi))| Entry {
                            monomial,
                            column: p + axis,
                            re: term.value * (lr * hr - li * hi),
                            im: term.value * (lr * hi + li * hr),
                        }));
                    }
                }
            }
        };
        // ∇f = iw f, ∇²f = −w² f.
        add(drift, |w| (0.0, w));
        add(diffusion, |w| (-w * w, 0.0));
        recipe
    }

    /// For fields that are no polynomials: one pass over the data at these parameters.
    fn by_points(&self, full: &[f64]) -> Result<Gathered, IdentifyError> {
        let ordered = self.data.dt().is_some();
        let generated = Generated { dynamics: self.dynamics, functions: &self.functions, full, ordered };
        pass(self.data, &self.split, &generated, self.dynamics)
    }
}

/// Means of v·∇f + D:∇²f with its derivatives at given parameters.
struct Generated<'a> {
    dynamics: &'a Dynamics,
    functions: &'a Functions,
    full: &'a [f64],
    ordered: bool,
}

impl Gather for Generated<'_> {
    type Sums = (std::ops::Range<usize>, Vec<f64>);

    fn begin(&self, number: usize, groups: usize) -> Self::Sums {
        let functions = group(self.functions, number, groups);
        let sums = vec![0.0; 2 * functions.len() * (self.dynamics.free().len() + 1)];
        (functions, sums)
    }

    fn add(&self, (functions, values): &mut Self::Sums, block: &Block, from: usize, rows: &[f64]) {
        let (dim, all, free) = (self.dynamics.dim(), self.full.len(), self.dynamics.free());
        let width = free.len() + 1;
        let (mut v, mut slopes) = (vec![0.0; dim], vec![0.0; dim * all]);
        let (mut d, mut d_slopes) = (vec![0.0; dim], vec![0.0; dim * all]);
        let mut row = vec![(0.0, 0.0); width];
        for (k, x) in rows.chunks_exact(dim).enumerate() {
            let weight = weight(self.ordered, block, from + k);
            self.dynamics.drift.velocity(x, self.full, &mut v);
            self.dynamics.drift.jacobian_theta(x, self.full, &mut slopes);
            if let Some(diffusion) = &self.dynamics.diffusion {
                diffusion.velocity(x, self.full, &mut d);
                diffusion.jacobian_theta(x, self.full, &mut d_slopes);
            }
            for (f, wave) in self.functions.waves[functions.clone()].iter().enumerate() {
                let (sine, cosine) = phase(wave, x).sin_cos();
                let (sine, cosine) = (weight * sine, weight * cosine);
                row.fill((0.0, 0.0));
                for &(axis, w) in wave {
                    for (entry, &j) in row.iter_mut().zip(free) {
                        entry.0 += w * slopes[axis * all + j];
                        entry.1 -= w * w * d_slopes[axis * all + j];
                    }
                    row[width - 1].0 += w * v[axis];
                    row[width - 1].1 -= w * w * d[axis];
                }
                let (real, imaginary) = values[2 * f * width..(2 * f + 2) * width].split_at_mut(width);
                for ((re, im), (drift, diffusion)) in real.iter_mut().zip(imaginary).zip(&row) {
                    *re += diffusion * cosine - drift * sine;
                    *im += diffusion * sine + drift * cosine;
                }
            }
        }
    }

    fn end(&self, (_, values): Self::Sums) -> Vec<f64> {
        values
    }
}

/// A term of a polynomial field at given parameters.
struct Term {
    component: usize,
    monomial: usize,
    value: f64,
    slopes: Vec<(usize, f64)>,
}

/// A moment times a complex number, into a column of an equation.
struct Entry {
    monomial: usize,
    column: usize,
    re: f64,
    im: f64,
}

type Recipe = Vec<Entry>;

#[cfg(test)]
mod tests {
    use wngd_models::flow::system;

    use super::*;
    use crate::sample::Sample;
    use crate::simulate::simulate;

    #[test]
    fn derivatives_are_those_of_the_equations_by_parameters_and_by_the_noise() {
        let lorenz = system("lorenz63").unwrap();
        let points = simulate(lorenz.field.as_ref(), &lorenz.theta, &lorenz.start, 0.05, 3000, 50.0).unwrap();
        let sample = Sample::new(points, 3, vec![3000], Some(0.05)).unwrap();
        let dynamics = Dynamics::written(&lorenz.written().unwrap(), vec![9.0, 29.0, 2.0], None).unwrap();
        let equations =
            Equations::new(&dynamics, Data::Held(&sample), &[0.3, 0.1, 0.5], 3).unwrap().seeking_noise().unwrap();
        let (start, scale) = equations.start();
        assert_eq!(start.len(), 6);
        let width = start.len() + 1;
        let means = |unknowns: &[f64]| equations.at(unknowns).unwrap().mean();
        let (slopes, value) = (means(&start), |all: &[f64], e: usize| all[e * width + width - 1]);
        let largest = (0..slopes.len() / width).fold(0.0, |most: f64, e| most.max(value(&slopes, e).abs()));
        for j in 0..start.len() {
            let side = |sign: f64| {
                let mut moved = start.clone();
                moved[j] += sign * 1e-4 * scale[j];
                means(&moved)
            };
            let (above, below) = (side(1.0), side(-1.0));
            for e in 0..slopes.len() / width {
                let difference = (value(&above, e) - value(&below, e)) / (2e-4 * scale[j]);
                let error = (slopes[e * width + j] - difference).abs() * scale[j];
                assert!(error < 1e-6 * largest, "unknown {j}, equation {e}: {} {difference}", slopes[e * width + j]);
            }
        }
    }
}
