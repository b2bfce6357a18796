//! Text for the width of the terminal.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, ContentArrangement, Row, Table};
use terminal_size::{Width, terminal_size_of};

/// Columns of the terminal; none where standard output is none.
fn width() -> Option<usize> {
    terminal_size_of(std::io::stdout()).map(|(Width(columns), _)| usize::from(columns))
}

/// An empty table in the house style.
pub fn table() -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
    table
}

/// A table as it is where it fits, else one paragraph per row: numbers are never broken.
pub fn fitted(table: &Table) -> String {
    fitted_to(table, width().unwrap_or(usize::MAX))
}

fn fitted_to(table: &Table, width: usize) -> String {
    let text = table.to_string();
    if text.lines().all(|line| line.chars().count() <= width) {
        return text;
    }
    let cells = |row: &Row| row.cell_iter().map(Cell::content).collect::<Vec<_>>();
    let names = table.header().map(cells).unwrap_or_default();
    let longest = names.iter().skip(1).map(|name| name.chars().count()).max().unwrap_or(0);
    let paragraph = |row: &Row| {
        let mut row = cells(row).into_iter();
        let mut text = row.next().unwrap_or_default();
        for (name, cell) in names.iter().skip(1).zip(row) {
            text.push_str(&format!("\n  {name:<longest$}  {cell}"));
        }
        text
    };
    table.row_iter().map(paragraph).collect::<Vec<_>>().join("\n")
}

/// Long lines broken between words, what follows being indented as the text of the line is.
pub fn wrapped(text: &str) -> String {
    width().map_or_else(|| text.to_string(), |width| wrapped_to(text, width))
}

fn wrapped_to(text: &str, width: usize) -> String {
    let lines = text.split('\n').map(|line| {
        if line.chars().count() <= width || line.starts_with(['┌', '│', '╞', '└']) {
            return line.to_string();
        }
        let indent = " ".repeat(hang(line, width / 2));
        textwrap::fill(line, textwrap::Options::new(width).subsequent_indent(&indent).break_words(false))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Where the last column of a line begins, if that is before `most`; else where its text does, and two more.
fn hang(line: &str, most: usize) -> usize {
    let letters: Vec<char> = line.chars().collect();
    let begins = |i: &usize| letters[*i] != ' ' && *i >= 2 && letters[i - 1] == ' ' && letters[i - 2] == ' ';
    let first = letters.iter().position(|c| *c != ' ').unwrap_or(0);
    (first + 1..letters.len().min(most)).rfind(begins).unwrap_or(first.min(most) + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_terminals_get_paragraphs() {
        let mut table = table();
        table.set_header(["method", "objective", "seconds"]).add_row(["wasserstein", "3.4371e-16", "0.06"]);
        assert_eq!(fitted_to(&table, 80), table.to_string());
        assert_eq!(fitted_to(&table, 30), "wasserstein\n  objective  3.4371e-16\n  seconds    0.06");
    }

    #[test]
    fn lines_break_between_words() {
        let text = "  krylov    Golub–Kahan iteration with solves\nshort";
        let expected = "  krylov    Golub–Kahan iteration\n            with solves\nshort";
        assert_eq!(wrapped_to(text, 33), expected);
        assert_eq!(wrapped_to("state  one two", 8), "state\n  one\n  two");
        assert_eq!(wrapped_to("│ a table's line │", 4), "│ a table's line │");
    }
}
