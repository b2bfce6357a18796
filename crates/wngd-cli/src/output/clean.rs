//! Text from files and arguments, made harmless for a terminal.

use std::borrow::Cow;

/// Whether a character moves the cursor, changes colours or turns the direction of writing, instead of showing itself.
fn acts(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The same text with characters that act written out, `\u{1b}`.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if acts(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn what_acts_is_written_out_and_the_rest_stays() {
        assert_eq!(clean("a\u{1b}[2Jb\r\u{9b}31m\u{202e}c"), "a\\u{1b}[2Jb\\u{d}\\u{9b}31m\\u{202e}c");
        let plain = "μ = 1 ± 0.1\n\t│ größe │ 温度 🌡";
        assert!(matches!(clean(plain), std::borrow::Cow::Borrowed(text) if text == plain));
    }
}
