//! Step rules, a file each.

use toml::{Table, Value};
use wngd::opt::StepRule;

use crate::error::ExperimentError;
use crate::source::Section;

/// A step rule with its options.
pub trait StepChoice: Send + Sync {
    /// Refuses options that make no sense; `section` is where they were given.
    ///
    /// # Errors
    /// The first of them.
    fn check(&self, section: &Section<'_>) -> Result<(), ExperimentError>;
    /// A fresh rule.
    fn build(&self) -> Box<dyn StepRule>;
    /// The same rule with lengths that were given multiplied by a factor.
    fn scaled(&self, factor: f64) -> Box<dyn StepChoice>;
    /// What it does, in three words.
    fn in_words(&self) -> String;
}

crate::registry::family! {
    /// The step rules.
    dyn StepChoice, what: "step rule", key: "method.step.rule",
    members: [armijo, fixed, levenberg_marquardt]
}

/// The step rule where none is named.
pub const USUAL: &str = "armijo";

/// A step rule with its name.
pub struct Step {
    /// Name of the rule.
    pub rule: &'static str,
    /// The rule with its options.
    pub choice: Box<dyn StepChoice>,
}

impl Step {
    /// The rule that a method describes, the usual one if it says nothing.
    ///
    /// # Errors
    /// Rules and options that are not known or make no sense.
    pub fn read(method: &Section<'_>) -> Result<Self, ExperimentError> {
        let empty = || Section::new(method.source(), method.place("step"), Table::new());
        let section = method.table("step")?.unwrap_or_else(empty);
        let entry = FAMILY.chosen(&section, "rule", Some(USUAL))?;
        let rest = section.without(&["rule"]);
        if let Some(stray) = rest.keys().find(|key| !entry.has(key)) {
            let owners = FAMILY.owners(stray);
            return Err(if owners.is_empty() {
                let keys = entry.keys();
                rest.unknown(stray, &keys.iter().map(|k| k.name.as_str()).collect::<Vec<_>>())
            } else {
                let problem =
                    format!("rule = \"{}\" does not use it, only {}; remove it", entry.name, owners.join(", "));
                rest.error(stray, problem)
            });
        }
        let choice = (entry.read)(&rest)?;
        choice.check(&rest)?;
        Ok(Self { rule: entry.name, choice })
    }

    /// A rule by name with a length, where it has one.
    ///
    /// # Errors
    /// A name that is not known.
    pub fn named(rule: &str, length: f64) -> Result<Self, ExperimentError> {
        let source = crate::source::Source::empty();
        let mut table = Table::new();
        if FAMILY.find(rule).is_some_and(|entry| entry.has("length")) {
            table.insert("length".into(), Value::Float(length));
        }
        let mut method = Table::new();
        table.insert("rule".into(), Value::String(rule.into()));
        method.insert("step".into(), Value::Table(table));
        Self::read(&Section::new(&source, "method", method))
    }

    /// The same rule with lengths multiplied by a factor.
    pub fn scaled(&self, factor: f64) -> Self {
        Self { rule: self.rule, choice: self.choice.scaled(factor) }
    }
}

/// Squares and products of these are numbers, too.
const LENGTHS: std::ops::RangeInclusive<f64> = 1e-100..=1e100;

fn positive(section: &Section<'_>, key: &str, value: Option<f64>) -> Result<(), ExperimentError> {
    match value.filter(|value| !LENGTHS.contains(value)) {
        None => Ok(()),
        Some(value) => {
            let (least, most) = (LENGTHS.start(), LENGTHS.end());
            let problem = if value > 0.0 {
                format!("{value:?} given; between {least:e} and {most:e} is needed: change the units")
            } else {
                format!("{value:?} given; a number > 0 is needed")
            };
            Err(section.error(key, problem))
        }
    }
}
