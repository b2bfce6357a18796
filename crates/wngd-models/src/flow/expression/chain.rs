//! Many variables or parameters at once: `x[1..40]` stands for x1 to x40.

use super::lexer::is_name;

/// Most members.
const MOST: i64 = 1000;

/// A name with a number for each of its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// What the members' names begin with.
    pub name: String,
    /// Number of the first one.
    pub first: i64,
    /// Number of the last one.
    pub last: i64,
}

impl Family {
    /// Reads `x[1..40]`; nothing where the text has no bracket.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Option<Self>, String> {
        let Some((name, rest)) = text.trim().split_once('[') else { return Ok(None) };
        let wrong = || format!("\"{text}\" is no row of names; write it as x[1..40]");
        let inside = rest.strip_suffix(']').ok_or_else(wrong)?;
        let (first, last) = range(inside).ok_or_else(wrong)?;
        let name = name.trim().to_string();
        if !is_name(&name) {
            return Err(wrong());
        }
        if !(first <= last && last - first < MOST && first >= 0) {
            return Err(format!(
                "\"{text}\" goes from {first} to {last}; at most {MOST} members count up from 0 or more"
            ));
        }
        Ok(Some(Self { name, first, last }))
    }

    /// Names of the members.
    pub fn members(&self) -> Vec<String> {
        (self.first..=self.last).map(|i| format!("{}{i}", self.name)).collect()
    }

    /// The member at an index; beyond either end it goes on at the other one.
    pub fn at(&self, index: i64) -> String {
        format!("{}{}", self.name, self.first + (index - self.first).rem_euclid(self.last - self.first + 1))
    }
}

/// What a line of equations is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// `x`, or `x[3]`: one variable, by its name.
    One(String),
    /// `x[i] for i in 1..40`: a variable of each number, with the name of the index.
    Each {
        /// The variables with their numbers.
        members: Vec<(String, i64)>,
        /// Name of the index.
        index: String,
    },
}

impl Line {
    /// Reads the key of an equation.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(key: &str, families: &[Family]) -> Result<Self, String> {
        let Some((name, rest)) = key.split_once('[') else { return Ok(Self::One(key.to_string())) };
        let name = name.trim();
        let Some(family) = families.iter().find(|family| family.name == name) else {
            return Ok(Self::One(key.to_string()));
        };
        let wrong =
            || format!("\"{key}\" is not understood; write \"{name}[i] for i in {}..{}\"", family.first, family.last);
        let (inside, rest) = rest.split_once(']').ok_or_else(wrong)?;
        let inside = inside.trim();
        if rest.trim().is_empty() {
            let number = inside.parse::<i64>().map_err(|_| wrong())?;
            return Ok(Self::One(member(family, number)?));
        }
        let words: Vec<&str> = rest.split_whitespace().collect();
        let ["for", index, "in", numbers @ ..] = &words[..] else { return Err(wrong()) };
        if *index != inside || !is_name(index) {
            return Err(wrong());
        }
        let (first, last) = range(&numbers.concat()).ok_or_else(wrong)?;
        if first > last {
            return Err(wrong());
        }
        member(family, first)?;
        member(family, last)?;
        let members = (first..=last).map(|i| (family.at(i), i)).collect();
        Ok(Self::Each { members, index: (*index).to_string() })
    }
}

/// A member that exists.
fn member(family: &Family, number: i64) -> Result<String, String> {
    if (family.first..=family.last).contains(&number) {
        return Ok(family.at(number));
    }
    Err(format!("there is no {}[{number}]; it goes from {} to {}", family.name, family.first, family.last))
}

/// `1..40`
fn range(text: &str) -> Option<(i64, i64)> {
    let (first, last) = text.split_once("..")?;
    Some((first.trim().parse().ok()?, last.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_names_are_read_and_wrap_around() {
        let row = Family::read("x[1..4]").unwrap().unwrap();
        assert_eq!(row.members(), ["x1", "x2", "x3", "x4"]);
        assert_eq!([row.at(0), row.at(-1), row.at(5), row.at(2)], ["x4", "x3", "x1", "x2"]);
        assert_eq!(Family::read("x"), Ok(None));
        for wrong in ["x[1..", "x[1]", "x[4..1]", "2[1..4]", "x[1..5000]"] {
            assert!(Family::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn lines_name_one_variable_or_many() {
        let rows = [Family { name: "x".into(), first: 1, last: 3 }];
        let read = |key: &str| Line::read(key, &rows);
        assert_eq!(read("y"), Ok(Line::One("y".into())));
        assert_eq!(read("x[2]"), Ok(Line::One("x2".into())));
        let members = (1..=3).map(|i| (format!("x{i}"), i)).collect();
        assert_eq!(read("x[i] for i in 1..3"), Ok(Line::Each { members, index: "i".into() }));
        for wrong in ["x[4]", "x[i]", "x[i] for j in 1..3", "x[i] for i in 1..9", "x[i] in 1..3"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
