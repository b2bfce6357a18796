//! Velocity fields from equations as text: `"sigma*(y - x)"`, with derivatives by dual numbers.
//!
//! [`chain`] has rows of variables that share an equation. Text goes one way: [`lexer`] → [`parser`] → [`tree`] → [`program`], which is what is evaluated. [`polynomial`] writes a
//! tree as a polynomial in the variables where it is one.

mod chain;
mod error;
mod field;
mod lexer;
mod parser;
mod polynomial;
mod program;
mod tree;

pub use chain::{Family, Line};
pub use error::ExpressionError;
pub use field::{Equations, ExpressionField};
pub use polynomial::{Monomial, PolynomialForm};
