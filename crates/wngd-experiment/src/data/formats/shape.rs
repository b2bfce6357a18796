//! How a table is written: found from its first lines, refused where they can be read in two ways.

use std::io::BufRead;

use super::dialect::{Dialect, Separator};
use super::lines::Lines;
use super::number::{Decimal, Field};

/// Rows that are looked at.
const ROWS: usize = 200;

/// How a table is written.
#[derive(Debug)]
pub(super) struct Shape {
    /// What separates its fields.
    pub(super) separator: Separator,
    /// What writes its decimals.
    pub(super) decimal: Decimal,
    /// Names of the columns.
    pub(super) names: Vec<String>,
    /// Whether the first row holds the names.
    pub(super) header: bool,
    /// Whether the first column has no name and is none of the data.
    pub(super) row_names: bool,
    /// What should be told about it.
    pub(super) notes: Vec<String>,
}

/// The first rows as one separator splits them.
struct Look {
    separator: Separator,
    rows: Vec<Vec<String>>,
    comment: Option<String>,
    /// Fields of most rows, a last one that is always empty not counted.
    width: usize,
}

impl Look {
    fn new(head: &[u8], separator: Separator) -> Self {
        let mut csv = separator.reader(Lines::new(head, separator == Separator::Blank));
        let mut rows: Vec<Vec<String>> = Vec::new();
        for row in csv.byte_records().take(ROWS).map_while(Result::ok) {
            rows.push(row.iter().map(|field| String::from_utf8_lossy(field).trim().to_string()).collect());
        }
        let comment = csv.get_ref().comment.clone();
        // Separators at the ends of lines end fields, whether or not the header has them, too.
        let ends = |row: &Vec<String>| row.len() > 1 && row.last().is_some_and(String::is_empty);
        let (first, below) = rows.split_at(rows.len().min(1));
        let shorter = first.iter().all(|first| ends(first) || below.iter().all(|row| row.len() > first.len()));
        if shorter && below.iter().all(ends) && (!below.is_empty() || first.iter().all(ends)) {
            rows.iter_mut().filter(|row| ends(row)).for_each(|row| drop(row.pop()));
        }
        let lengths: Vec<usize> = rows.iter().skip(usize::from(rows.len() > 1)).map(Vec::len).collect();
        let times = |n: usize| lengths.iter().filter(|m| **m == n).count();
        let width = lengths.iter().copied().max_by_key(|n| (times(*n), *n)).unwrap_or(0);
        Self { separator, rows, comment, width }
    }

    /// Rows below the first, or the first where it is alone.
    fn below(&self) -> &[Vec<String>] {
        if self.rows.len() > 1 { &self.rows[1..] } else { &self.rows }
    }

    /// Whether the header has no name for the first column, as R writes.
    fn names_rows(&self) -> bool {
        let first = self.rows.first().map_or(0, Vec::len);
        self.rows.len() > 1 && first + 1 == self.width && (first > 1 || self.separator == Separator::Blank)
    }

    fn is_consistent(&self) -> bool {
        let fits = |row: &Vec<String>| {
            row.len() == self.width || row.len() == self.width + 1 && row.last().is_some_and(String::is_empty)
        };
        self.below().iter().all(fits) && (self.names_rows() || self.rows.first().is_some_and(fits))
    }

    fn numbers(&self, decimal: Decimal) -> usize {
        self.below().iter().flatten().filter(|field| Field::of(field, decimal).is_number()).count()
    }

    /// The point where it reads as much as the comma.
    fn decimal(&self) -> Decimal {
        let comma = self.numbers(Decimal::Comma) > self.numbers(Decimal::Point);
        if comma { Decimal::Comma } else { Decimal::Point }
    }

    /// Columns that hold numbers, most of them at least.
    fn numeric(&self, decimal: Decimal) -> Vec<bool> {
        let column = |j: usize| {
            let fields = self.below().iter().filter_map(|row| row.get(j)).map(|field| Field::of(field, decimal));
            let (mut numbers, mut texts) = (0, 0);
            fields.for_each(|field| match field {
                Field::Number(_) => numbers += 1,
                Field::Text => texts += 1,
                Field::Missing => {}
            });
            numbers > 0 && numbers >= texts
        };
        (0..self.width).map(column).collect()
    }
}

impl Shape {
    /// Finds how a table is written whose first bytes are given, or all of them; `needed` columns are asked for.
    ///
    /// # Errors
    /// Lines that can be read in two ways, with what settles it.
    pub(super) fn find(mut head: &[u8], all: bool, dialect: &Dialect, needed: usize) -> Result<Self, String> {
        if !all && let Some(end) = head.iter().rposition(|b| matches!(b, b'\n' | b'\r')) {
            // The last line may go on.
            head = &head[..end];
        }
        let mut looks: Vec<Look> = match dialect.separator {
            Some(separator) => vec![Look::new(head, separator)],
            None => {
                let every = [Separator::Tab, Separator::Semicolon, Separator::Bar, Separator::Comma, Separator::Blank];
                let open =
                    every.into_iter().filter(|s| dialect.decimal != Some(Decimal::Comma) || *s != Separator::Comma);
                open.map(|separator| Look::new(head, separator)).collect()
            }
        };
        let chosen = match looks.len() {
            1 => 0,
            _ => best(&looks, dialect.decimal),
        };
        let mut look = looks.swap_remove(chosen);
        let mut notes = Vec::new();
        if dialect.separator.is_none() && (look.width < 2 || look.separator == Separator::Comma) {
            let single = Look::new(head, Separator::None);
            if settled(&look, &single, dialect.decimal, needed)? {
                look = single;
            }
        }
        let decimal = dialect.decimal.unwrap_or_else(|| look.decimal());
        if dialect.decimal.is_none() && decimal == Decimal::Comma {
            refuse_thousands(&look)?;
        }
        if dialect.separator.is_none() && !matches!(look.separator, Separator::Comma | Separator::None) {
            notes.push(format!("columns are separated by {}", look.separator.words()));
        }
        if dialect.decimal.is_none() && decimal == Decimal::Comma {
            notes.push("decimals are written with a comma".to_string());
        }
        let (names, header, row_names) = names(&look, decimal, &mut notes)?;
        Ok(Self { separator: look.separator, decimal, names, header, row_names, notes })
    }
}

/// The look whose columns are numbers; where several are, the first.
fn best(looks: &[Look], decimal: Option<Decimal>) -> usize {
    let score = |look: &Look| {
        let numeric = look.numeric(decimal.unwrap_or_else(|| look.decimal()));
        let count = numeric.iter().filter(|n| **n).count();
        let wide = look.width >= 2 && count > 0;
        // Ragged rows are better told with their likeliest separator than taken for one column.
        (wide && look.is_consistent(), wide && count == look.width, if wide { count } else { 0 })
    };
    let mut best = (looks.iter().position(|l| l.separator == Separator::Comma).unwrap_or(0), (false, false, 0));
    for (index, look) in looks.iter().enumerate() {
        let score = score(look);
        if score > best.1 {
            best = (index, score);
        }
    }
    if best.1.0 || best.1.2 > 0 {
        return best.0;
    }
    // One number a row below names of several columns is a row that is too short, not one column.
    let named = |look: &Look| look.separator != Separator::Blank && look.rows.len() > 1 && look.rows[0].len() > 1;
    looks.iter().position(named).unwrap_or(best.0)
}

/// Whether a table of commas is one column with decimal commas.
fn settled(look: &Look, single: &Look, decimal: Option<Decimal>, needed: usize) -> Result<bool, String> {
    let wide = look.width >= 2;
    if !wide {
        return Ok(look.rows.first().is_none_or(|first| first.len() < 2));
    }
    let all = |look: &Look, decimal| {
        let fields: Vec<Field> = look.below().iter().flatten().map(|field| Field::of(field, decimal)).collect();
        !fields.is_empty() && fields.iter().all(|field| field.is_number())
    };
    if decimal == Some(Decimal::Point) || look.separator != Separator::Comma || !all(single, Decimal::Comma) {
        return Ok(false);
    }
    let first = &single.rows[0][0];
    match Field::of(first, Decimal::Comma).is_number() {
        // A name of one column above, so that its commas are decimal; or names of as many as commas make.
        false => Ok(!first.contains(',')),
        // Only the comma gives as many columns as are needed.
        true if needed > 1 => Ok(false),
        true => Err(format!(
            "\"{first}\" is two columns or one number with a decimal comma; set separator = \",\" or decimal = \",\""
        )),
    }
}

/// Refuses commas that may as well group thousands: 1,234.
fn refuse_thousands(look: &Look) -> Result<(), String> {
    if look.separator == Separator::Semicolon {
        // Nothing but decimal commas makes people take semicolons.
        return Ok(());
    }
    let grouped = |field: &str| {
        let digits = field.trim_start_matches(['+', '-']);
        let mut parts = digits.split(',');
        let first = parts.next().is_some_and(|p| (1..=3).contains(&p.len()) && !p.starts_with('0'));
        first && parts.all(|p| p.len() == 3 && p.bytes().all(|b| b.is_ascii_digit()))
    };
    let mut with_commas = look.below().iter().flatten().filter(|field| field.contains(','));
    match with_commas.clone().next() {
        Some(example) if with_commas.all(|field| grouped(field)) => Err(format!(
            "\"{example}\" may mean {} or {}; set decimal = \",\", or write numbers without thousands separators",
            example.replace(',', "."),
            example.replace(',', "")
        )),
        _ => Ok(()),
    }
}

/// Names of the columns, whether the first row holds them, and whether the first column names the rows.
fn names(look: &Look, decimal: Decimal, notes: &mut Vec<String>) -> Result<(Vec<String>, bool, bool), String> {
    let Some(first) = look.rows.first() else { return Ok((Vec::new(), false, false)) };
    let numeric = look.numeric(decimal);
    let short = look.names_rows();
    let shift = usize::from(short);
    let of = |j: usize| first.get(j.wrapping_sub(shift)).map(|field| Field::of(field, decimal));
    // Where no column holds numbers below, the row is judged by itself.
    let any = numeric.iter().any(|n| *n) && look.rows.len() > 1;
    let judged: Vec<usize> = (shift..first.len() + shift).filter(|&j| !any || numeric.get(j) == Some(&true)).collect();
    let texts = judged.iter().filter(|&&j| of(j) == Some(Field::Text)).count();
    let numbers: Vec<usize> = judged.iter().copied().filter(|&j| of(j).is_some_and(Field::is_number)).collect();
    if texts > 0 && !numbers.is_empty() && any && numbers.len() + 1 >= judged.len() && judged.len() > 1 {
        let shown = first.join(" ");
        return Err(format!(
            "line 1 ({shown}) is neither a row of numbers nor one of names; repair it, or name all columns"
        ));
    }
    let counted = is_count(look, first, shift);
    let header = texts > 0 || short || counted;
    if header {
        let mut names: Vec<String> = first.clone();
        if short {
            names.insert(0, String::new());
        }
        names.resize(look.width.max(names.len()), String::new());
        let row_names = names.len() > 1 && names[0].is_empty() && names[1..].iter().all(|n| !n.is_empty());
        if counted {
            notes.push("the first line counts the columns and is taken as the header".to_string());
        }
        return Ok((names, true, row_names));
    }
    if let Some(names) = look.comment.as_deref().and_then(|comment| of_comment(comment, look)) {
        return Ok((names, false, false));
    }
    notes.push(match look.width {
        1 => "no header line: the first line is a row, the column is called 1".to_string(),
        n => format!("no header line: the first line is a row, columns are called 1 to {n}"),
    });
    Ok(((1..=look.width).map(|j| j.to_string()).collect(), false, false))
}

/// Whether the first row counts the columns, as pandas names those without names, above numbers with decimals.
fn is_count(look: &Look, first: &[String], shift: usize) -> bool {
    let nameless = usize::from(shift == 0 && first.first().is_some_and(String::is_empty));
    let count = &first[nameless.min(first.len())..];
    let counts = count.iter().enumerate().all(|(j, field)| *field == j.to_string());
    let whole = |field: &String| field.bytes().all(|b| b.is_ascii_digit());
    let below = look.below().iter().flat_map(|row| row.iter().skip(nameless + shift));
    counts && count.len() > 1 && look.rows.len() > 1 && !below.into_iter().any(whole)
}

/// Names in the comment above the rows, as numpy.savetxt writes them.
fn of_comment(comment: &str, look: &Look) -> Option<Vec<String>> {
    let split = |separator: Separator| -> Vec<String> {
        Look::new(comment.as_bytes(), separator).rows.into_iter().next().unwrap_or_default()
    };
    [look.separator, Separator::Comma, Separator::Tab, Separator::Blank].into_iter().map(split).find(|names| {
        let texts = names.iter().all(|name| Field::of(name, Decimal::Point) == Field::Text);
        names.len() == look.width && texts
    })
}

/// The first bytes of a table, up to a whole line if there is more.
pub(super) fn head(reader: &mut impl BufRead, limit: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let part = reader.fill_buf()?;
        if part.is_empty() {
            return Ok(bytes);
        }
        let count = part.len().min(limit - bytes.len());
        bytes.extend_from_slice(&part[..count]);
        reader.consume(count);
        if bytes.len() >= limit {
            return Ok(bytes);
        }
    }
}
