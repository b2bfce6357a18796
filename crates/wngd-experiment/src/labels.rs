//! Names of parameters for people: `mean[1].age` where the axis has a name, `means[1][0]` in files.

/// The names as figures, reports and terminals show them; columns are the names of the axes, if they have any.
pub fn labels(names: &[String], columns: Option<&[String]>) -> Vec<String> {
    let label = |name: &String| columns.and_then(|columns| label(name, columns)).unwrap_or_else(|| name.clone());
    names.iter().map(label).collect()
}

/// The label of a mixture's parameter; `None` for other parameters and axes that are not there.
fn label(name: &str, columns: &[String]) -> Option<String> {
    let (stem, rest) = name.split_at(name.find('[')?);
    let inner = rest.strip_prefix('[')?.strip_suffix(']')?;
    let places = inner.split("][").map(str::parse).collect::<Result<Vec<usize>, _>>().ok()?;
    let column = |axis: usize| columns.get(axis).map(String::as_str);
    match (stem, &places[..]) {
        ("weights", [k]) => Some(format!("weight[{k}]")),
        ("means", [k, a]) => Some(format!("mean[{k}].{}", column(*a)?)),
        ("covariances", [k]) => Some(format!("variance[{k}]")),
        ("covariances", [k, a]) => Some(format!("variance[{k}].{}", column(*a)?)),
        ("covariances", [k, a, b]) if a == b => Some(format!("variance[{k}].{}", column(*a)?)),
        ("covariances", [k, a, b]) => Some(format!("covariance[{k}].{}.{}", column(*a)?, column(*b)?)),
        ("covariance", [a, b]) if a == b => Some(format!("variance.{}", column(*a)?)),
        ("covariance", [a, b]) => Some(format!("covariance.{}.{}", column(*a)?, column(*b)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_named_columns_carry_them() {
        let columns = ["age", "height"].map(String::from);
        let named = |name: &str| labels(&[name.to_string()], Some(&columns)).remove(0);
        for (name, label) in [
            ("weights[0]", "weight[0]"),
            ("means[1][0]", "mean[1].age"),
            ("covariances[2]", "variance[2]"),
            ("covariances[0][1]", "variance[0].height"),
            ("covariances[0][1][1]", "variance[0].height"),
            ("covariances[0][0][1]", "covariance[0].age.height"),
            ("covariance[0][0]", "variance.age"),
            ("means[1][7]", "means[1][7]"),
            ("theta[0]", "theta[0]"),
            ("sigma", "sigma"),
            ("means[", "means["),
        ] {
            assert_eq!(named(name), label);
        }
        assert_eq!(labels(&["means[1][0]".into()], None), ["means[1][0]"]);
    }
}
