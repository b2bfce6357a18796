//! Equations as a velocity field.

use num_dual::Dual64;

use super::chain::Family;
use super::error::ExpressionError;
use super::lexer::is_name;
use super::parser::{Index, Names, parse};
use super::polynomial::PolynomialForm;
use super::program::Program;
use super::tree::{Dependence, FUNCTIONS, Tree};
use crate::flow::field::VelocityField;

/// Most variables of a system.
const MOST: usize = 1000;

/// A system as it is written: names, right-hand sides, start values, diffusion.
#[derive(Debug, Clone, Default)]
pub struct Equations {
    /// Name of the system, for messages.
    pub name: String,
    /// Names of the variables, in the order of the state.
    pub variables: Vec<String>,
    /// Right-hand side of dx/dt for each variable.
    pub equations: Vec<String>,
    /// Names and start values of the parameters.
    pub parameters: Vec<(String, f64)>,
    /// D per variable of dx = v dt + √(2D) dW, an expression; empty where there is none at all.
    pub diffusion: Vec<Option<String>>,
    /// Rows of names among variables and parameters, for `x[i + 1]`.
    pub families: Vec<Family>,
    /// The index that each equation is written for, with its value; empty where none has one.
    pub indices: Vec<Option<(String, i64)>>,
    /// The same of the diffusion.
    pub diffusion_indices: Vec<Option<(String, i64)>>,
}

/// A velocity field from expressions of variables and parameters, any number of them, with derivatives by dual numbers.
///
/// # Cost
/// A few nanoseconds per sign of an equation; a derivative twice that for each variable, or parameter, that the equation
/// has: matrices of chains cost as much as their entries.
///
/// # Example
/// ```
/// use wngd_models::flow::{Equations, ExpressionField, VelocityField, check_field};
///
/// let written = Equations {
///     name: "rucklidge".into(),
///     variables: ["x", "y", "z"].map(String::from).to_vec(),
///     equations: ["-kappa*x + lambda*y - y*z", "x", "-z + y^2"].map(String::from).to_vec(),
///     parameters: vec![("kappa".into(), 2.0), ("lambda".into(), 6.7)],
///     ..Equations::default()
/// };
/// let field = ExpressionField::new(&written)?;
/// assert_eq!(field.parameter_names(), ["kappa", "lambda"]);
/// assert!(field.is_affine());
/// assert!(check_field(&field, &[0.3, -1.2, 5.0], &[2.0, 6.7]).is_exact());
/// # Ok::<(), wngd_models::flow::ExpressionError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ExpressionField {
    name: String,
    variables: Vec<String>,
    parameters: Vec<String>,
    start: Vec<f64>,
    equations: Vec<Program>,
    polynomial: Option<PolynomialForm>,
    affine: bool,
    diffusion: Option<Box<ExpressionField>>,
}

impl ExpressionField {
    /// Reads equations.
    ///
    /// # Errors
    /// Names that are no names, or are not known; what is no expression; start values that are not finite.
    pub fn new(written: &Equations) -> Result<Self, ExpressionError> {
        let Equations { variables, equations, parameters, diffusion, .. } = written;
        let dim = variables.len();
        if dim == 0 {
            return Err(ExpressionError::whole("variables", "there are none; name at least one, as [\"x\"]"));
        }
        if dim > MOST {
            return Err(ExpressionError::whole("variables", format!("{dim} variables; at most {MOST} are taken")));
        }
        if equations.len() != dim {
            let problem = format!("{} equations for {dim} variables; give one per variable", equations.len());
            return Err(ExpressionError::whole("equations", problem));
        }
        if !(diffusion.is_empty() || diffusion.len() == dim) {
            let problem = format!("{} entries for {dim} variables; give one per variable", diffusion.len());
            return Err(ExpressionError::whole("diffusion", problem));
        }
        let names: Vec<String> = parameters.iter().map(|(name, _)| name.clone()).collect();
        check_names("variables", variables, &[])?;
        check_names("parameters", &names, variables)?;
        if let Some((name, value)) = parameters.iter().find(|(_, value)| !value.is_finite()) {
            let problem = format!("{value} given; a start value is a finite number");
            return Err(ExpressionError::whole(format!("parameters.{name}"), problem));
        }
        let start: Vec<f64> = parameters.iter().map(|(_, value)| *value).collect();
        let known = Names { variables, parameters: &names, families: &written.families };
        let read = |part: &str, i: usize, text: &str| {
            let indices = if part == "equations" { &written.indices } else { &written.diffusion_indices };
            read(&format!("{part}.{}", variables[i]), text, &known, indices.get(i).and_then(Option::as_ref))
        };
        let trees: Vec<Tree> =
            equations.iter().enumerate().map(|(i, text)| read("equations", i, text)).collect::<Result<_, _>>()?;
        let make = |part: &str, trees: &[Tree]| Self::of(written, &names, &start, part, trees);
        let mut field = make("equations", &trees)?;
        if diffusion.iter().any(Option::is_some) {
            let entries = diffusion.iter().enumerate();
            let trees: Vec<Tree> = entries
                .map(|(i, text)| text.as_ref().map_or(Ok(Tree::Number(0.0)), |text| read("diffusion", i, text)))
                .collect::<Result<_, _>>()?;
            field.diffusion = Some(Box::new(make("diffusion", &trees)?));
        }
        Ok(field)
    }

    fn of(
        written: &Equations,
        names: &[String],
        start: &[f64],
        part: &str,
        trees: &[Tree],
    ) -> Result<Self, ExpressionError> {
        let program = |(i, tree): (usize, &Tree)| {
            let place = || format!("{part}.{}", written.variables[i]);
            Program::of(tree).ok_or_else(|| ExpressionError::whole(place(), "nested too deeply; write it flatter"))
        };
        Ok(Self {
            name: written.name.clone(),
            variables: written.variables.clone(),
            parameters: names.to_vec(),
            start: start.to_vec(),
            equations: trees.iter().enumerate().map(program).collect::<Result<_, _>>()?,
            polynomial: PolynomialForm::of(trees),
            affine: trees.iter().all(|tree| tree.dependence() != Dependence::Nonlinear),
            diffusion: None,
        })
    }

    /// Names of the variables, in the order of the state.
    pub fn variables(&self) -> &[String] {
        &self.variables
    }

    /// Start values of the parameters.
    pub fn start(&self) -> &[f64] {
        &self.start
    }

    /// Whether it is affine in the parameters, as it is written.
    pub fn is_affine(&self) -> bool {
        self.affine
    }

    /// It as a polynomial in the variables, if it is one.
    pub fn polynomial(&self) -> Option<&PolynomialForm> {
        self.polynomial.as_ref()
    }

    /// D per variable of dx = v dt + √(2D) dW, with the same parameters, if there is any.
    pub fn diffusion(&self) -> Option<&ExpressionField> {
        self.diffusion.as_deref()
    }

    /// The same field with a constant D per variable.
    pub fn with_diffusion(&self, diffusion: &[f64]) -> Self {
        let trees: Vec<Tree> = diffusion.iter().map(|d| Tree::Number(*d)).collect();
        let constant = Self {
            equations: trees.iter().filter_map(Program::of).collect(),
            polynomial: PolynomialForm::of(&trees),
            affine: true,
            diffusion: None,
            ..self.clone()
        };
        Self { diffusion: Some(Box::new(constant)), ..self.clone() }
    }

    /// The variables that component `axis` depends on.
    pub fn variables_of(&self, axis: usize) -> &[usize] {
        &self.equations[axis].variables
    }

    /// The parameters that component `axis` depends on.
    pub fn parameters_of(&self, axis: usize) -> &[usize] {
        &self.equations[axis].parameters
    }
}

fn read(place: &str, text: &str, known: &Names<'_>, index: Option<&Index>) -> Result<Tree, ExpressionError> {
    parse(text, known, index).map_err(|(at, problem)| ExpressionError {
        place: place.to_string(),
        column: Some(at + 1),
        problem,
    })
}

fn check_names(place: &str, names: &[String], taken: &[String]) -> Result<(), ExpressionError> {
    for (i, name) in names.iter().enumerate() {
        let problem = if !is_name(name) {
            format!("\"{name}\" is no name; take letters, digits and _, a letter first")
        } else if FUNCTIONS.iter().any(|(function, _)| function == name) {
            format!("\"{name}\" is a function; take another name")
        } else if names[..i].contains(name) || taken.contains(name) {
            format!("\"{name}\" is named twice; name it once")
        } else {
            continue;
        };
        return Err(ExpressionError::whole(place, problem));
    }
    Ok(())
}

fn duals(values: &[f64]) -> Vec<Dual64> {
    values.iter().copied().map(Dual64::from_re).collect()
}

impl VelocityField for ExpressionField {
    fn name(&self) -> &str {
        &self.name
    }
    fn dim(&self) -> usize {
        self.variables.len()
    }
    fn dim_param(&self) -> usize {
        self.parameters.len()
    }
    fn parameter_names(&self) -> Vec<String> {
        self.parameters.clone()
    }
    fn velocity(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        out.iter_mut().zip(&self.equations).for_each(|(v, equation)| *v = equation.value(x, theta));
    }
    fn jacobian_x(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        let (mut x, theta) = (duals(x), duals(theta));
        for (equation, row) in self.equations.iter().zip(out.chunks_mut(x.len())) {
            for &i in &equation.variables {
                x[i].eps = 1.0;
                row[i] = equation.value(&x, &theta).eps;
                x[i].eps = 0.0;
            }
        }
    }
    fn jacobian_theta(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        let (x, mut theta) = (duals(x), duals(theta));
        for (equation, row) in self.equations.iter().zip(out.chunks_mut(theta.len().max(1))) {
            for &j in &equation.parameters {
                theta[j].eps = 1.0;
                row[j] = equation.value(&x, &theta).eps;
                theta[j].eps = 0.0;
            }
        }
    }
    fn visit_parameters(&self, x: &[f64], theta: &[f64], axis: usize, visit: &mut dyn FnMut(usize, f64)) {
        let (x, mut theta) = (duals(x), duals(theta));
        for &j in &self.equations[axis].parameters {
            theta[j].eps = 1.0;
            visit(j, self.equations[axis].value(&x, &theta).eps);
            theta[j].eps = 0.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::polynomial::Monomial;
    use super::*;
    use crate::flow::field::check_field;

    fn written(variables: &[&str], equations: &[&str], parameters: &[&str]) -> Equations {
        let own = |names: &[&str]| names.iter().map(|n| n.to_string()).collect();
        Equations {
            name: "mine".into(),
            variables: own(variables),
            equations: own(equations),
            parameters: parameters.iter().map(|n| (n.to_string(), 1.0)).collect(),
            ..Equations::default()
        }
    }

    fn field(variables: &[&str], equations: &[&str], parameters: &[&str]) -> Result<ExpressionField, String> {
        ExpressionField::new(&written(variables, equations, parameters)).map_err(|e| e.to_string())
    }

    fn value(text: &str) -> f64 {
        let mut out = [0.0];
        field(&["x"], &[text], &["a"]).unwrap().velocity(&[0.7], &[1.3], &mut out);
        out[0]
    }

    #[test]
    fn arithmetic_is_as_in_print() {
        for (text, expected) in [
            ("-x^2", -0.49),
            ("2^-1", 0.5),
            ("2^3^2", 512.0),
            ("(-x)^3", -0.343),
            ("1 - 2 - 3", -4.0),
            ("8/2/2", 2.0),
            ("-2*-3", 6.0),
            ("2*x + a*(x - 1)/2", 1.4 - 1.3 * 0.15),
            ("x^a", 0.7f64.powf(1.3)),
            ("x^0.5 - sqrt(x)", 0.0),
            ("sin(x)^2 + cos(x)^2", 1.0),
            ("ln(exp(a)) + tanh(0) + abs(-x) - tan(0)", 2.0),
            ("1.5e1", 15.0),
        ] {
            assert!((value(text) - expected).abs() < 1e-14, "{text}: {}", value(text));
        }
    }

    #[test]
    fn derivatives_are_exact() {
        let wild = field(
            &["x", "y"],
            &["a*sin(x*y)/(1 + b^2*x^2) - x^3", "exp(-a*y^2)*tanh(b*x) + sqrt(1 + y^2)*ln(2 + x^2) - abs(y)*x^b"],
            &["a", "b"],
        )
        .unwrap();
        assert!(check_field(&wild, &[0.4, -0.7], &[1.5, 0.8]).is_exact());
        assert!(!wild.is_affine() && wild.polynomial().is_none());
        let all: Vec<f64> = (0..4).map(|i| 0.3 + i as f64).collect();
        let chain = field(
            &["p", "q", "r", "s"],
            &["(q - r)*s - p + F", "(r - s)*p - q + F", "(s - p)*q - r + F", "(p - q)*r - s + F"],
            &["F"],
        )
        .unwrap();
        assert!(check_field(&chain, &all, &[8.0]).is_exact());
    }

    #[test]
    fn steep_switches_have_derivatives() {
        let switch = field(&["x"], &["a*tanh(2000*x)"], &["a"]).unwrap();
        for x in [0.6, -0.6] {
            let (mut by_x, mut by_theta) = ([1.0], [0.0]);
            switch.jacobian_x(&[x], &[3.0], &mut by_x);
            switch.jacobian_theta(&[x], &[3.0], &mut by_theta);
            assert_eq!((by_x, by_theta), ([0.0], [x.signum()]));
        }
    }

    #[test]
    fn affine_dependence_is_seen() {
        for (text, affine) in [
            ("a*sin(x) + b", true),
            ("-(a - b)*x/3", true),
            ("x^2*(a + 2)/(1 + x)", true),
            ("a*b*x", false),
            ("x/a", false),
            ("x^a", false),
            ("sin(a*x)", false),
            ("a^2", false),
        ] {
            assert_eq!(field(&["x"], &[text], &["a", "b"]).unwrap().is_affine(), affine, "{text}");
        }
    }

    #[test]
    fn polynomials_are_multiplied_out() {
        let lorenz = field(&["x", "y", "z"], &["s*(y - x)", "x*(r - z) - y", "x*y - b*z"], &["s", "r", "b"]).unwrap();
        let form = lorenz.polynomial().unwrap();
        assert_eq!(form.terms.len(), 7);
        let other = field(&["x", "y"], &["(x + a*y)^3/b^2 - x*x*(x - 2)", "a"], &["a", "b"]).unwrap();
        let (form, theta, x) = (other.polynomial().unwrap(), [1.3, 0.7], [0.6, -1.1]);
        let monomial =
            |m: &Monomial| m.iter().map(|(i, e): &(usize, u32)| f64::powi(x[*i], *e as i32)).product::<f64>();
        let mut sums = [0.0; 2];
        for ((component, m), a) in form.terms.iter().zip(form.coefficients(&theta)) {
            sums[*component] += a * monomial(&form.monomials[*m]);
        }
        let mut direct = [0.0; 2];
        other.velocity(&x, &theta, &mut direct);
        assert!((sums[0] - direct[0]).abs() < 1e-12 && (sums[1] - direct[1]).abs() < 1e-15);
        let mut by_theta = [0.0; 4];
        other.jacobian_theta(&x, &theta, &mut by_theta);
        let derivatives = form.coefficient_derivatives(&theta);
        let mut sum = 0.0;
        for (k, (_, m)) in form.terms.iter().enumerate().filter(|(_, (c, _))| *c == 0) {
            sum += derivatives[2 * k] * monomial(&form.monomials[*m]);
        }
        assert!((sum - by_theta[0]).abs() < 1e-12);
        assert!(field(&["x"], &["1/x"], &[]).unwrap().polynomial().is_none());
    }

    /// Lorenz' chain of n variables with a forcing each, in one line.
    fn chain(n: i64, equation: &str) -> Result<ExpressionField, String> {
        let rows = ["x", "F"].map(|name| Family { name: name.into(), first: 1, last: n });
        let equations = Equations {
            name: "chain".into(),
            variables: rows[0].members(),
            equations: vec![equation.to_string(); n as usize],
            parameters: rows[1].members().into_iter().map(|name| (name, 8.0)).collect(),
            indices: (1..=n).map(|i| Some(("i".to_string(), i))).collect(),
            families: rows.to_vec(),
            ..Equations::default()
        };
        ExpressionField::new(&equations).map_err(|e| e.to_string())
    }

    #[test]
    fn rows_of_variables_share_an_equation() {
        let field = chain(7, "(x[i+1] - x[i-2])*x[i - 1] - x[i] + F[i]").unwrap();
        let x: Vec<f64> = (0..7).map(|i| (i as f64).sin() + 0.1 * i as f64).collect();
        let theta: Vec<f64> = (0..7).map(|i| 8.0 + i as f64).collect();
        let mut out = [0.0; 7];
        field.velocity(&x, &theta, &mut out);
        for i in 0..7usize {
            let at = |k: usize| x[k % 7];
            let right = (at(i + 1) - at(i + 5)) * at(i + 6) - x[i] + theta[i];
            assert!((out[i] - right).abs() < 1e-14, "{i}");
        }
        assert!(field.is_affine() && field.polynomial().is_some());
        assert!(check_field(&field, &x, &theta).is_exact());
        // Coupled phases, and an index as a number.
        let phases = chain(5, "F[1]/5*sum(j in 1..5: sin(x[j] - x[i])) + i").unwrap();
        phases.velocity(&x[..5], &theta[..5], &mut out[..5]);
        let right = 1.6 * (0..5).map(|j| (x[j] - x[2]).sin()).sum::<f64>() + 3.0;
        assert!((out[2] - right).abs() < 1e-13);
        for (equation, words) in [
            ("x[k]", "equations.x1, column 3: \"k\" is no index here"),
            ("x[i", "\"]\" is missing"),
            ("y[i]", "row of names"),
            ("sum(i in 1..3: x[i])", "meaning already"),
            ("sum(j in 3..1: x[j])", "count upwards"),
            ("sum(j in 1..1000: sum(k in 1..1000: x[j]))", "terms"),
        ] {
            let error = chain(4, equation).unwrap_err();
            assert!(error.contains(words), "{equation}: {error}");
        }
    }

    #[test]
    fn diffusion_has_the_same_parameters() {
        let mut file = written(&["x", "y"], &["-a*x", "x - y"], &["a", "D"]);
        file.diffusion = vec![Some("D*(1 + y^2)".into()), None];
        let field = ExpressionField::new(&file).unwrap();
        let mut out = [0.0; 2];
        field.diffusion().unwrap().velocity(&[3.0, 2.0], &[1.0, 0.5], &mut out);
        assert_eq!(out, [2.5, 0.0]);
    }

    #[test]
    fn errors_name_place_cause_and_what_there_is() {
        let wrong = |equation: &str| field(&["x", "y"], &[equation, "x"], &["kappa"]).unwrap_err();
        for (equation, parts) in [
            ("kapa*x", &["equations.x, column 1", "no \"kapa\"", "x, y", "kappa"][..]),
            ("x + sinh(y)", &["column 5", "no function \"sinh\"", "sin, cos"]),
            ("kappa*x(t-1)", &["column 7", "another time", "delay"]),
            ("x*t", &["column 3", "time", "phase"]),
            ("2 x", &["column 3", "operator is missing"]),
            ("(x + y", &["column 1", "never closed"]),
            ("x + y)", &["column 6", "never opened"]),
            ("x +", &["column 4", "ends"]),
            ("", &["empty"]),
            ("sin", &["argument"]),
            ("sin(x, y)", &["one argument"]),
            ("x[1]", &["column 1", "row of names"]),
            ("(x]", &["column 3", "brackets"]),
            ("x: y", &["column 2", "colon"]),
            ("sum(j in 1..3)", &["column 14", "sum(j in 1..40: x[j])"]),
            ("sum(x in 1..3: x)", &["column 5", "meaning"]),
            ("* x", &["column 1"]),
        ] {
            let error = wrong(equation);
            assert!(parts.iter().all(|part| error.contains(part)), "{equation}: {error}");
        }
        assert!(wrong(&"(".repeat(900)).contains("levels"));
        assert!(wrong(&format!("x{}", "^2".repeat(100))).contains("levels"));
        assert!(field(&["x", "x"], &["1", "1"], &[]).unwrap_err().contains("twice"));
        assert!(field(&["x"], &["1"], &["x"]).unwrap_err().contains("twice"));
        assert!(field(&["x"], &["1", "2"], &[]).unwrap_err().contains("one per variable"));
        assert!(field(&["sin"], &["1"], &[]).unwrap_err().contains("function"));
        assert!(field(&["2x"], &["1"], &[]).unwrap_err().contains("no name"));
        assert!(field(&[], &[], &[]).unwrap_err().contains("none"));
        // Long sums do not exhaust the stack.
        let long = vec!["x"; 1900].join("+");
        assert!((value(&long) - value("1900*x")).abs() < 1e-9);
    }
}
