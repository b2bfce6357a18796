//! Fields that are polynomials in the variables, with coefficients that depend on the parameters.

use std::collections::BTreeMap;

use num_dual::Dual64;

use super::program::Program;
use super::tree::Tree;

/// Most terms of one equation when it is multiplied out.
const MOST_TERMS: usize = 400;
/// Highest power of a variable.
const HIGHEST: u32 = 12;

/// Powers of variables: (variable, exponent ≥ 1), by variable.
pub type Monomial = Vec<(usize, u32)>;

/// A field as a polynomial in the variables: v_c(x; θ) = Σ a(θ) x^m.
#[derive(Debug, Clone)]
pub struct PolynomialForm {
    /// The monomials that appear, each once.
    pub monomials: Vec<Monomial>,
    /// (component, index of its monomial) of every term.
    pub terms: Vec<(usize, usize)>,
    coefficients: Vec<Program>,
}

impl PolynomialForm {
    /// a(θ), one per term.
    pub fn coefficients(&self, theta: &[f64]) -> Vec<f64> {
        self.coefficients.iter().map(|program| program.value(&[], theta)).collect()
    }

    /// ∂a/∂θ, terms x p, row-major.
    pub fn coefficient_derivatives(&self, theta: &[f64]) -> Vec<f64> {
        let p = theta.len();
        let mut out = vec![0.0; self.coefficients.len() * p];
        let mut dual: Vec<Dual64> = theta.iter().copied().map(Dual64::from_re).collect();
        for (program, row) in self.coefficients.iter().zip(out.chunks_mut(p.max(1))) {
            for &j in &program.parameters {
                dual[j].eps = 1.0;
                row[j] = program.value(&[], &dual).eps;
                dual[j].eps = 0.0;
            }
        }
        out
    }

    /// The form of one tree per component; `None` where one is no polynomial in the variables.
    pub(super) fn of(trees: &[Tree]) -> Option<Self> {
        let mut places: BTreeMap<Monomial, usize> = BTreeMap::new();
        let mut form = Self { monomials: Vec::new(), terms: Vec::new(), coefficients: Vec::new() };
        for (component, tree) in trees.iter().enumerate() {
            for (monomial, coefficient) in expanded(tree)? {
                if coefficient == Tree::Number(0.0) {
                    continue;
                }
                let place = *places.entry(monomial).or_insert_with_key(|monomial| {
                    form.monomials.push(monomial.clone());
                    form.monomials.len() - 1
                });
                form.terms.push((component, place));
                form.coefficients.push(Program::of(&coefficient)?);
            }
        }
        Some(form)
    }
}

/// Coefficients, which have no variables, by monomial.
type Terms = BTreeMap<Monomial, Tree>;

fn expanded(tree: &Tree) -> Option<Terms> {
    if !tree.has_variables() {
        return Some(BTreeMap::from([(Vec::new(), tree.clone())]));
    }
    match tree {
        Tree::Variable(i) => Some(BTreeMap::from([(vec![(*i, 1)], Tree::Number(1.0))])),
        Tree::Negative(a) => Some(expanded(a)?.into_iter().map(|(m, c)| (m, Tree::negative(c))).collect()),
        Tree::Sum(a, b) => {
            let mut terms = expanded(a)?;
            for (monomial, coefficient) in expanded(b)? {
                add(&mut terms, monomial, coefficient);
            }
            within(terms)
        }
        Tree::Product(a, b) => multiplied(&expanded(a)?, &expanded(b)?),
        Tree::Quotient(a, b) if !b.has_variables() => {
            Some(expanded(a)?.into_iter().map(|(m, c)| (m, Tree::quotient(c, b.as_ref().clone()))).collect())
        }
        Tree::Power(a, b) => match b.as_ref() {
            Tree::Number(n) if n.fract() == 0.0 && *n >= 0.0 && *n <= f64::from(HIGHEST) => {
                let base = expanded(a)?;
                let one = BTreeMap::from([(Vec::new(), Tree::Number(1.0))]);
                (0..*n as u32).try_fold(one, |power, _| multiplied(&power, &base))
            }
            _ => None,
        },
        _ => None,
    }
}

fn within(terms: Terms) -> Option<Terms> {
    (terms.len() <= MOST_TERMS).then_some(terms)
}

fn add(terms: &mut Terms, monomial: Monomial, coefficient: Tree) {
    match terms.remove(&monomial) {
        Some(old) => terms.insert(monomial, Tree::sum(old, coefficient)),
        None => terms.insert(monomial, coefficient),
    };
}

fn multiplied(a: &Terms, b: &Terms) -> Option<Terms> {
    let mut terms = Terms::new();
    for (left, c) in a {
        for (right, d) in b {
            let mut powers: BTreeMap<usize, u32> = left.iter().copied().collect();
            for (variable, exponent) in right {
                *powers.entry(*variable).or_insert(0) += exponent;
            }
            if powers.values().any(|e| *e > HIGHEST) {
                return None;
            }
            add(&mut terms, powers.into_iter().collect(), Tree::product(c.clone(), d.clone()));
        }
        if terms.len() > MOST_TERMS {
            return None;
        }
    }
    Some(terms)
}
