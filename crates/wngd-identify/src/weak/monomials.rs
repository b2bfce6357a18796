//! Monomials of a field and those that divide them.

use std::collections::BTreeMap;

use wngd_models::flow::{Monomial, PolynomialForm};

use super::batch::{BATCH, Row};

/// Monomials, each the product of an earlier one with a variable.
#[derive(Debug, Clone)]
pub(super) struct Monomials {
    pub(super) list: Vec<Monomial>,
    places: BTreeMap<Monomial, usize>,
    /// (earlier monomial, variable) of each but the first, which is 1.
    steps: Vec<(usize, usize)>,
}

impl Monomials {
    /// Those of some forms and all that divide them, which noise mixes in.
    pub(super) fn of<'a>(forms: impl Iterator<Item = &'a PolynomialForm>) -> Self {
        let mut all = Self { list: vec![Vec::new()], places: BTreeMap::from([(Vec::new(), 0)]), steps: vec![(0, 0)] };
        for monomial in forms.flat_map(|form| &form.monomials) {
            all.add(monomial);
        }
        all
    }

    fn add(&mut self, monomial: &Monomial) -> usize {
        if let Some(&place) = self.places.get(monomial) {
            return place;
        }
        let mut parent = (0, 0);
        for k in 0..monomial.len() {
            let mut lower = monomial.clone();
            let variable = lower[k].0;
            lower[k].1 -= 1;
            lower.retain(|(_, exponent)| *exponent > 0);
            parent = (self.add(&lower), variable);
        }
        self.list.push(monomial.clone());
        self.steps.push(parent);
        self.places.insert(monomial.clone(), self.list.len() - 1);
        self.list.len() - 1
    }

    pub(super) fn place(&self, monomial: &Monomial) -> usize {
        self.places[monomial]
    }

    /// The same for a batch of points, one row per coordinate in, one row per monomial out.
    #[inline(always)]
    pub(super) fn of_batch(&self, x: &[Row], out: &mut [Row]) {
        out[0] = [1.0; BATCH];
        for k in 1..self.list.len() {
            let (earlier, variable) = self.steps[k];
            let (done, now) = out.split_at_mut(k);
            for ((v, a), b) in now[0].iter_mut().zip(&done[earlier]).zip(&x[variable]) {
                *v = a * b;
            }
        }
    }

    /// The values at a point.
    pub(super) fn values(&self, x: &[f64], out: &mut [f64]) {
        out[0] = 1.0;
        for k in 1..self.list.len() {
            let (earlier, variable) = self.steps[k];
            out[k] = out[earlier] * x[variable];
        }
    }
}
