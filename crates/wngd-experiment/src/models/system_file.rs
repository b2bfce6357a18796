//! Systems that a user wrote: a file of their own, or a table.

use std::path::Path;

use toml::Value;
use wngd::models::flow::{Equations, ExpressionField, Family, Line};

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
    let listed: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
    let listed = listed.ok_or_else(|| section.error("variables", "a list of names in quotes is needed"))?;
    let (mut variables, mut families) = (Vec::new(), Vec::new());
    for entry in listed {
        match Family::read(entry).map_err(|problem| section.error("variables", problem))? {
            Some(family) => {
                variables.extend(family.members());
                families.push(family);
            }
            None => variables.push(entry.to_string()),
        }
    }
    let table = section.table("equations")?.ok_or_else(|| needed("equations"))?;
    let (equations, indices) = per_variable(&table, &variables, &families)?;
    let equations: Vec<String> = equations
        .into_iter()
        .zip(&variables)
        .map(|(text, variable)| {
            text.ok_or_else(|| table.error("", format!("there is none for {variable}; add {variable} = \"…\"")))
        })
        .collect::<Result<_, _>>()?;
    let (diffusion, diffusion_indices) = match section.table("diffusion")? {
        Some(table) => per_variable(&table, &variables, &families)?,
        None => (Vec::new(), Vec::new()),
    };
    let mut parameters = Vec::new();
    if let Some(table) = section.table("parameters")? {
        for key in table.keys() {
            let value = table.number(key);
            let value = value.ok_or_else(|| table.error(key, "a number to start from is needed"))?;
            match Family::read(key).map_err(|problem| table.error(key, problem))? {
                Some(family) => {
                    parameters.extend(family.members().into_iter().map(|name| (name, value)));
                    families.push(family);
                }
                None => parameters.push((key.to_string(), value)),
            }
        }
    }
    let twice = families.iter().enumerate().find(|(i, family)| families[..*i].iter().any(|f| f.name == family.name));
    if let Some((_, family)) = twice {
        return Err(section.error("variables", format!("{}[…] is named twice; name it once", family.name)));
    }
    if parameters.is_empty() {
        return Err(
            section.error("parameters", "there are none to find; name one with its start value, as kappa = 2.0")
        );
    }
    let name = section.text("name")?.unwrap_or_else(|| name.to_string());
    let equations =
        Equations { name, variables, equations, parameters, diffusion, families, indices, diffusion_indices };
    ExpressionField::new(&equations).map_err(|error| {
        let at = error.column.map_or(String::new(), |column| format!("character {column}: "));
        section.error(&error.place, format!("{at}{}", error.problem))
    })
}

/// Expressions per variable, and the index that each is written for.
type PerVariable = (Vec<Option<String>>, Vec<Option<(String, i64)>>);

/// The expression of each variable, where there is one. A line for one variable goes before one for many.
fn per_variable(
    table: &Section<'_>,
    variables: &[String],
    families: &[Family],
) -> Result<PerVariable, ExperimentError> {
    let mut found: PerVariable = (vec![None; variables.len()], vec![None; variables.len()]);
    let mut alone = vec![false; variables.len()];
    for key in table.keys() {
        let text = match table.as_table().get(key) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Float(value)) => format!("{value}"),
            Some(Value::Integer(value)) => format!("{value}"),
            Some(other) => {
                return Err(table.error(key, format!("{} is no expression; put it in quotes", other.type_str())));
            }
            None => continue,
        };
        match Line::read(key, families).map_err(|problem| table.error(key, problem))? {
            Line::One(name) => {
                let Some(i) = variables.iter().position(|variable| *variable == name) else {
                    return Err(table.error(key, stray(key, variables)));
                };
                if alone[i] {
                    return Err(table.error(key, format!("there are two lines for {name}; leave one out")));
                }
                (found.0[i], found.1[i], alone[i]) = (Some(text), None, true);
            }
            Line::Each { members, index } => {
                for (name, number) in members {
                    let Some(i) = variables.iter().position(|variable| *variable == name) else {
                        return Err(table.error(key, stray(key, variables)));
                    };
                    if alone[i] {
                        continue;
                    }
                    if found.0[i].is_some() {
                        return Err(table.error(key, format!("there are two lines for {name}; leave one out")));
                    }
                    (found.0[i], found.1[i]) = (Some(text.clone()), Some((index.clone(), number)));
                }
            }
        }
    }
    Ok(found)
}

/// What is said of a line for no variable.
fn stray(key: &str, variables: &[String]) -> String {
    if ["n+1", "t+1", "k+1", "next"].iter().any(|mark| key.contains(mark)) {
        return "maps are not taken, only differential equations: each line is dx/dt, by the name of its variable"
            .into();
    }
    let more = if variables.len() > 12 { ", …" } else { "" };
    format!("there is no such variable; there are {}{more}", variables[..variables.len().min(12)].join(", "))
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
    fn a_chain_fits_in_a_few_lines() {
        let chain = "variables = [\"x[1..40]\"]\n[equations]\n\"x[i] for i in 1..40\" = \"c*(x[i+1] - x[i-2])*x[i-1] - x[i] + F\"\n[parameters]\nF = 8\nc = 1\n";
        let system = read(chain).unwrap();
        assert_eq!((system.variables().len(), system.variables()[39].as_str()), (40, "x40"));
        assert!(system.is_affine() && system.variables_of(0) == [0, 1, 38, 39]);
        let forced = chain.replace("F = 8", "\"F[1..40]\" = 8").replace("+ F", "+ F[i]");
        assert_eq!(read(&forced).unwrap().start().len(), 41);
        // A line of its own goes before that of all.
        let ends = format!("{chain}[diffusion]\n\"x[i] for i in 1..40\" = \"c\"\n\"x[1]\" = 0.0\nx2 = 0.5\n");
        let system = read(&ends).unwrap();
        let mut out = [0.0; 40];
        wngd::models::flow::VelocityField::velocity(system.diffusion().unwrap(), &[0.0; 40], &[8.0, 2.0], &mut out);
        assert_eq!(out[..4], [0.0, 0.5, 2.0, 2.0]);
        for (from, to, words) in [
            ("in 1..40", "in 1..41", "no x[41]"),
            ("in 1..40", "in 2..40", "none for x1"),
            ("x[i-2]", "x[j-2]", "no index here"),
            ("[1..40]", "[40..1]", "goes from 40 to 1"),
            ("\"x[i] for", "\"y[i] for", "no such variable"),
        ] {
            let error = read(&chain.replacen(from, to, 1)).unwrap_err();
            assert!(error.contains(words), "{to}: {error}");
        }
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
