//! Colours of what is printed, where a terminal shows them and NO_COLOR does not forbid it.

use std::io::IsTerminal;

const BOLD: &str = "1";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const RED: &str = "31";

/// Statuses and verdicts with their colours.
const WORDS: [(&str, &str); 9] = [
    ("converged", GREEN),
    ("fits", GREEN),
    ("max-iterations", YELLOW),
    ("undetermined", YELLOW),
    ("stalled", RED),
    ("stopped", RED),
    ("misfit", RED),
    ("not-converged", RED),
    ("collapsed", YELLOW),
];

/// Beginnings of lines that say what came out.
const ANSWERS: [&str; 3] = ["Best fit: ", "Goodness of fit: ", "No method "];

/// Whether standard output takes colours: <https://no-color.org>.
fn wanted() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    std::io::stdout().is_terminal() && !set("NO_COLOR") && !dumb
}

/// The text with colours, if they are wanted.
pub fn painted(text: String) -> String {
    if wanted() { paint(&text) } else { text }
}

/// Answers in bold; in tables the statuses in their colours. Nothing but escape sequences is added.
fn paint(text: &str) -> String {
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

fn line(line: &str) -> String {
    if ANSWERS.iter().any(|start| line.starts_with(start)) {
        return sequence(BOLD, line);
    }
    if !line.starts_with('│') {
        return line.to_string();
    }
    let cells = line.split_inclusive(['│', '┆']).map(|cell| {
        let word = cell.trim_end_matches(['│', '┆']).trim();
        match WORDS.iter().find(|(known, _)| *known == word) {
            Some((_, colour)) => cell.replacen(word, &sequence(colour, word), 1),
            None => cell.to_string(),
        }
    });
    cells.collect()
}

fn sequence(code: &str, text: &str) -> String {
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_escape_sequences_are_added() {
        let text = "Best fit: l2, converged.\n│ l2 ┆ converged ┆ 3 │\n│ stalled-1 ┆ stalled ┆ 0 │\nconverged";
        let shown = paint(text);
        assert!(shown.starts_with("\u{1b}[1mBest fit"), "{shown:?}");
        assert!(shown.contains("┆ \u{1b}[32mconverged\u{1b}[0m ┆"), "{shown:?}");
        assert!(shown.contains("│ stalled-1 ┆ \u{1b}[31mstalled\u{1b}[0m ┆"), "{shown:?}");
        assert!(shown.ends_with("\nconverged"), "{shown:?}");
        let mut plain = shown;
        for code in [BOLD, GREEN, YELLOW, RED, "0"] {
            plain = plain.replace(&format!("\u{1b}[{code}m"), "");
        }
        assert_eq!(plain, text);
    }

    #[test]
    fn pipes_get_no_colours() {
        // Tests have no terminal on standard output, or one that the runner has taken.
        if !std::io::stdout().is_terminal() {
            assert_eq!(painted("Best fit: x".into()), "Best fit: x");
        }
    }
}
