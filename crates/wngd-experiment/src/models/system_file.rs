//! Systems that a user wrote: a file of their own, or a table.

use std::path::Path;

use toml::Value;
use wngd::models::flow::{Equations, ExpressionField};

use crate::error::ExperimentError;
use crate::source::{Section, Source};

/// Keys of such a table.
const KEYS: [&str; 5] = ["name", "variables", "equations", "parameters", "diffusion"];
/// Largest file.
const MAX_BYTES: u64 = 16 << 20;

/// Whether `system = …` names a file.
pub fn is_file(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("toml"))
}

/// Reads the system of a file.
///
/// # Errors
/// A file that cannot be read, or the first thing that is wrong with it, by its line.
pub fn load(path: &Path) -> Result<ExpressionField, ExperimentError> {
    let bytes = crate::files::read_bytes(path, MAX_BYTES)?;
    let shown = path.display().to_string();
    let text = String::from_utf8(bytes)
        .map_err(|_| ExperimentError::Toml { path: shown.clone(), text: "it is no text in UTF-8".into() })?;
    let source = Source::parse(shown, path.parent().map(Path::to_path_buf), text)?;
    let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    written(&source.root(), &name)
}

/// Reads the system of a table.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn written(section: &Section<'_>, name: &str) -> Result<ExpressionField, ExperimentError> {
    if let Some(stray) = section.keys().find(|key| !KEYS.contains(key)) {
        return Err(section.unknown(stray, &KEYS));
    }
    let needed = |key: &str| {
        section.error(key, "it is needed: variables = [\"x\", \"y\"], [equations] with one line per variable")
    };
    let Some(Value::Array(list)) = section.as_table().get("variables") else { return Err(needed("variables")) };
    let variables: Option<Vec<String>> = list.iter().map(|v| v.as_str().map(str::to_string)).collect();
    let variables = variables.ok_or_else(|| section.error("variables", "a list of names in quotes is needed"))?;
    let table = section.table("equations")?.ok_or_else(|| needed("equations"))?;
    let equations = per_variable(&table, &variables)?;
    let equations: Vec<String> = equations
        .into_iter()
        .zip(&variables)
        .map(|(text, variable)| {
            text.ok_or_else(|| table.error("", format!("there is none for {variable}; add {variable} = \"…\"")))
        })
        .collect::<Result<_, _>>()?;
    let diffusion = match section.table("diffusion")? {
        Some(table) => per_variable(&table, &variables)?,
        None => Vec::new(),
    };
    let mut parameters = Vec::new();
    if let Some(table) = section.table("parameters")? {
        for key in table.keys() {
            let value = table.number(key);
            let value = value.ok_or_else(|| table.error(key, "a number to start from is needed"))?;
            parameters.push((key.to_string(), value));
        }
    }
    if parameters.is_empty() {
        return Err(
            section.error("parameters", "there are none to find; name one with its start value, as kappa = 2.0")
        );
    }
    let name = section.text("name")?.unwrap_or_else(|| name.to_string());
    let equations = Equations { name, variables, equations, parameters, diffusion };
    ExpressionField::new(&equations).map_err(|error| {
        let at = error.column.map_or(String::new(), |column| format!("character {column}: "));
        section.error(&error.place, format!("{at}{}", error.problem))
    })
}

/// The expression of each variable, where there is one.
fn per_variable(table: &Section<'_>, variables: &[String]) -> Result<Vec<Option<String>>, ExperimentError> {
    if let Some(stray) = table.keys().find(|key| !variables.iter().any(|v| v == key)) {
        let map = ["n+1", "t+1", "k+1", "next"].iter().any(|mark| stray.contains(mark));
        let problem = if map {
            "maps are not taken, only differential equations: each line is dx/dt, by the name of its variable".into()
        } else {
            format!("there is no such variable; there are {}", variables.join(", "))
        };
        return Err(table.error(stray, problem));
    }
    let one = |variable: &String| match table.as_table().get(variable) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Float(value)) => Ok(Some(format!("{value}"))),
        Some(Value::Integer(value)) => Ok(Some(format!("{value}"))),
        Some(other) => Err(table.error(variable, format!("{} is no expression; put it in quotes", other.type_str()))),
    };
    variables.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUCKLIDGE: &str = "variables = [\"x\", \"y\", \"z\"]\n[equations]\nx = \"-kappa*x + lambda*y - y*z\"\ny = \"x\"\nz = \"-z + y^2\"\n[parameters]\nkappa = 2.2\nlambda = 6\n";

    fn read(text: &str) -> Result<ExpressionField, String> {
        let source = Source::parse("mine.toml".into(), None, text.into()).map_err(|e| e.to_string())?;
        written(&source.root(), "mine").map_err(|e| e.to_string())
    }

    #[test]
    fn a_system_is_read_with_its_names() {
        let system = read(RUCKLIDGE).unwrap();
        assert_eq!(system.variables(), ["x", "y", "z"]);
        assert_eq!(system.start(), [2.2, 6.0]);
        assert!(system.diffusion().is_none());
        let driven = read(&format!("{RUCKLIDGE}D = 0.1\n[diffusion]\nx = \"D\"\nz = 0.5\n")).unwrap();
        assert!(driven.diffusion().is_some());
    }

    #[test]
    fn errors_name_line_and_character() {
        let with = |from: &str, to: &str| {
            assert!(RUCKLIDGE.contains(from));
            read(&RUCKLIDGE.replacen(from, to, 1)).unwrap_err()
        };
        for (from, to, parts) in [
            (
                "kappa*x",
                "kapa*x",
                &["mine.toml, line 3", "equations.x", "character 2", "\"kapa\"", "kappa, lambda"][..],
            ),
            ("\"x\"\n", "\"x(t-1)\"\n", &["line 4", "delay"]),
            ("z = \"-z", "\"z[n+1]\" = \"-z", &["maps are not taken"]),
            ("z = \"-z", "w = \"-z", &["equations.w", "x, y, z"]),
            ("z = \"-z + y^2\"\n", "", &["equations", "none for z"]),
            ("kappa = 2.2", "kappa = \"2\"", &["parameters.kappa", "number"]),
            ("variables", "names", &["names", "variables"]),
            ("y = \"x\"", "y = true", &["equations.y", "no expression"]),
        ] {
            let error = with(from, to);
            assert!(parts.iter().all(|part| error.contains(part)), "{to}: {error}");
        }
        assert!(read("variables = [\"x\"]\n[equations]\nx = \"1\"\n").unwrap_err().contains("none to find"));
        assert!(read("").unwrap_err().contains("variables"));
    }
}
