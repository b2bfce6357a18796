//! What an equation says, as a tree.

/// Functions of one argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Sin,
    Cos,
    Tan,
    Exp,
    Ln,
    Sqrt,
    Tanh,
    Abs,
}

/// Functions by name.
pub(super) const FUNCTIONS: [(&str, Function); 8] = [
    ("sin", Function::Sin),
    ("cos", Function::Cos),
    ("tan", Function::Tan),
    ("exp", Function::Exp),
    ("ln", Function::Ln),
    ("sqrt", Function::Sqrt),
    ("tanh", Function::Tanh),
    ("abs", Function::Abs),
];

impl Function {
    pub(super) fn value(self, x: f64) -> f64 {
        match self {
            Self::Sin => x.sin(),
            Self::Cos => x.cos(),
            Self::Tan => x.tan(),
            Self::Exp => x.exp(),
            Self::Ln => x.ln(),
            Self::Sqrt => x.sqrt(),
            Self::Tanh => x.tanh(),
            Self::Abs => x.abs(),
        }
    }
}

/// An expression of variables and parameters, which are counted from 0.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tree {
    Number(f64),
    Variable(usize),
    Parameter(usize),
    Negative(Box<Tree>),
    Sum(Box<Tree>, Box<Tree>),
    Product(Box<Tree>, Box<Tree>),
    Quotient(Box<Tree>, Box<Tree>),
    Power(Box<Tree>, Box<Tree>),
    Call(Function, Box<Tree>),
}

/// How an expression depends on the parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dependence {
    /// Not at all.
    Free,
    /// Affinely, with coefficients that may depend on the variables.
    Affine,
    /// In any other way.
    Nonlinear,
}

impl Tree {
    pub(super) fn sum(a: Self, b: Self) -> Self {
        match (a, b) {
            (Self::Number(a), Self::Number(b)) => Self::Number(a + b),
            (Self::Number(0.0), other) | (other, Self::Number(0.0)) => other,
            (a, b) => Self::Sum(Box::new(a), Box::new(b)),
        }
    }

    pub(super) fn negative(a: Self) -> Self {
        match a {
            Self::Number(a) => Self::Number(-a),
            a => Self::Negative(Box::new(a)),
        }
    }

    pub(super) fn product(a: Self, b: Self) -> Self {
        match (a, b) {
            (Self::Number(a), Self::Number(b)) => Self::Number(a * b),
            (Self::Number(1.0), other) | (other, Self::Number(1.0)) => other,
            (a, b) => Self::Product(Box::new(a), Box::new(b)),
        }
    }

    pub(super) fn quotient(a: Self, b: Self) -> Self {
        match (a, b) {
            (Self::Number(a), Self::Number(b)) if b != 0.0 => Self::Number(a / b),
            (a, Self::Number(1.0)) => a,
            (a, b) => Self::Quotient(Box::new(a), Box::new(b)),
        }
    }

    pub(super) fn power(a: Self, b: Self) -> Self {
        match (a, b) {
            (Self::Number(a), Self::Number(b)) => Self::Number(a.powf(b)),
            (a, Self::Number(1.0)) => a,
            (a, b) => Self::Power(Box::new(a), Box::new(b)),
        }
    }

    pub(super) fn call(function: Function, a: Self) -> Self {
        match a {
            Self::Number(a) => Self::Number(function.value(a)),
            a => Self::Call(function, Box::new(a)),
        }
    }

    /// How it depends on the parameters.
    pub(super) fn dependence(&self) -> Dependence {
        use Dependence::{Affine, Free, Nonlinear};
        let smooth = |inner: Dependence| if inner == Free { Free } else { Nonlinear };
        match self {
            Self::Number(_) | Self::Variable(_) => Free,
            Self::Parameter(_) => Affine,
            Self::Negative(a) => a.dependence(),
            Self::Sum(a, b) => a.dependence().max(b.dependence()),
            Self::Product(a, b) => match (a.dependence(), b.dependence()) {
                (Free, other) | (other, Free) => other,
                _ => Nonlinear,
            },
            Self::Quotient(a, b) => match (a.dependence(), b.dependence()) {
                (of_top, Free) => of_top,
                _ => Nonlinear,
            },
            Self::Power(a, b) => smooth(a.dependence().max(b.dependence())),
            Self::Call(_, a) => smooth(a.dependence()),
        }
    }

    /// Whether variables appear.
    pub(super) fn has_variables(&self) -> bool {
        match self {
            Self::Variable(_) => true,
            Self::Number(_) | Self::Parameter(_) => false,
            Self::Negative(a) | Self::Call(_, a) => a.has_variables(),
            Self::Sum(a, b) | Self::Product(a, b) | Self::Quotient(a, b) | Self::Power(a, b) => {
                a.has_variables() || b.has_variables()
            }
        }
    }
}
