//! Trees as programs of a stack machine, for any kind of number.

use num_dual::DualNum;

use super::tree::{Function, Tree};

/// Deepest stack of a program; the parser's depth and left-handed sums keep real ones far below.
const STACK: usize = 160;

/// One step.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Number(f64),
    Variable(u32),
    Parameter(u32),
    Negate,
    Add,
    Subtract,
    Multiply,
    Divide,
    /// To a whole power.
    PowerOf(i32),
    /// To a real one.
    RealPower(f64),
    Power,
    Call(Function),
}

/// An expression that can be evaluated.
#[derive(Debug, Clone, Default)]
pub(super) struct Program {
    steps: Vec<Step>,
    /// Largest stack.
    depth: usize,
    /// Variables that appear, in order.
    pub(super) variables: Vec<usize>,
    /// Parameters that appear, in order.
    pub(super) parameters: Vec<usize>,
}

impl Program {
    /// The program of a tree; `None` where its stack would be too deep.
    pub(super) fn of(tree: &Tree) -> Option<Self> {
        let mut program = Self::default();
        program.depth = program.write(tree);
        program.variables.sort_unstable();
        program.variables.dedup();
        program.parameters.sort_unstable();
        program.parameters.dedup();
        (program.depth <= STACK).then_some(program)
    }

    /// Appends a tree and returns the depth of its stack.
    fn write(&mut self, tree: &Tree) -> usize {
        match tree {
            Tree::Number(value) => self.leaf(Step::Number(*value)),
            Tree::Variable(i) => {
                self.variables.push(*i);
                self.leaf(Step::Variable(*i as u32))
            }
            Tree::Parameter(j) => {
                self.parameters.push(*j);
                self.leaf(Step::Parameter(*j as u32))
            }
            Tree::Negative(a) => self.unary(a, Step::Negate),
            Tree::Sum(a, b) => match b.as_ref() {
                Tree::Negative(b) => self.binary(a, b, Step::Subtract),
                b => self.binary(a, b, Step::Add),
            },
            Tree::Product(a, b) => self.binary(a, b, Step::Multiply),
            Tree::Quotient(a, b) => self.binary(a, b, Step::Divide),
            Tree::Power(a, b) => match b.as_ref() {
                Tree::Number(n) if n.fract() == 0.0 && n.abs() < 1e6 => self.unary(a, Step::PowerOf(*n as i32)),
                Tree::Number(n) => self.unary(a, Step::RealPower(*n)),
                b => self.binary(a, b, Step::Power),
            },
            Tree::Call(function, a) => self.unary(a, Step::Call(*function)),
        }
    }

    fn leaf(&mut self, step: Step) -> usize {
        self.steps.push(step);
        1
    }

    fn unary(&mut self, a: &Tree, step: Step) -> usize {
        let depth = self.write(a);
        self.steps.push(step);
        depth
    }

    fn binary(&mut self, a: &Tree, b: &Tree, step: Step) -> usize {
        let left = self.write(a);
        let right = self.write(b);
        self.steps.push(step);
        left.max(right + 1)
    }

    /// Its value.
    pub(super) fn value<D: DualNum<f64> + Copy>(&self, x: &[D], theta: &[D]) -> D {
        // Nearly all programs are shallow; a small stack costs nothing to clear.
        if self.depth <= 12 { self.run::<D, 12>(x, theta) } else { self.run::<D, STACK>(x, theta) }
    }

    fn run<D: DualNum<f64> + Copy, const N: usize>(&self, x: &[D], theta: &[D]) -> D {
        let mut stack = [D::from(0.0); N];
        let mut top = 0;
        for step in &self.steps {
            match *step {
                Step::Number(value) => {
                    stack[top] = D::from(value);
                    top += 1;
                }
                Step::Variable(i) => {
                    stack[top] = x[i as usize];
                    top += 1;
                }
                Step::Parameter(j) => {
                    stack[top] = theta[j as usize];
                    top += 1;
                }
                Step::Negate => stack[top - 1] = -stack[top - 1],
                Step::PowerOf(n) => stack[top - 1] = whole_power(stack[top - 1], n),
                Step::RealPower(n) => stack[top - 1] = stack[top - 1].powf(n),
                Step::Call(function) => stack[top - 1] = called(function, stack[top - 1]),
                Step::Add | Step::Subtract | Step::Multiply | Step::Divide | Step::Power => {
                    top -= 1;
                    let (a, b) = (stack[top - 1], stack[top]);
                    stack[top - 1] = match *step {
                        Step::Add => a + b,
                        Step::Subtract => a - b,
                        Step::Multiply => a * b,
                        Step::Divide => a / b,
                        _ => a.powd(b),
                    };
                }
            }
        }
        stack[0]
    }
}

/// Small powers by products: their derivatives are then exact at 0, too.
fn whole_power<D: DualNum<f64> + Copy>(a: D, n: i32) -> D {
    match n {
        0 => D::from(1.0),
        1 => a,
        2 => a * a,
        3 => a * a * a,
        4 => {
            let square = a * a;
            square * square
        }
        n => a.powi(n),
    }
}

fn called<D: DualNum<f64> + Copy>(function: Function, a: D) -> D {
    match function {
        Function::Sin => a.sin(),
        Function::Cos => a.cos(),
        Function::Tan => a.tan(),
        Function::Exp => a.exp(),
        Function::Ln => a.ln(),
        Function::Sqrt => a.sqrt(),
        // By sinh and cosh its derivative would be ∞/∞ beyond 710; from 20 on it is 1 to the last digit.
        Function::Tanh if a.re().abs() > 20.0 => D::from(a.re().signum()),
        Function::Tanh => a.tanh(),
        Function::Abs => a.abs(),
    }
}
