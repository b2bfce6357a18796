//! Equations as lines, `x' = sigma*(y - x)`.

use crate::flow::expression::{Equations, ExpressionError, ExpressionField};

/// Lines as `x' = sigma*(y - x)` as a field.
pub(super) fn field(
    name: &str,
    lines: &[&str],
    parameters: Vec<(String, f64)>,
) -> Result<ExpressionField, ExpressionError> {
    let (variables, equations) =
        lines.iter().filter_map(|line| line.split_once("' = ")).map(|(x, v)| (x.into(), v.into())).unzip();
    ExpressionField::new(&Equations { name: name.into(), variables, equations, parameters, ..Equations::default() })
}
