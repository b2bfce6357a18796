//! Text into tokens.

use super::error::Problem;

/// A word of an equation.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Number(f64),
    Name(String),
    /// One of `+ - * / ^ ( ) , [ ] :`
    Sign(char),
    /// `..`
    Range,
}

/// The tokens of a text with the character at which each begins, from 0.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, Problem> {
    let characters: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(&c) = characters.get(at) {
        let begin = at;
        let next = characters.get(at + 1).copied();
        if c.is_whitespace() {
            at += 1;
        } else if c.is_ascii_digit() || (c == '.' && next.is_some_and(|n| n.is_ascii_digit())) {
            at = end_of_number(&characters, at);
            let word: String = characters[begin..at].iter().collect();
            let value = word.parse::<f64>().ok().filter(|v| v.is_finite());
            let value = value.ok_or_else(|| (begin, format!("\"{word}\" is no finite number")))?;
            found.push((begin, Token::Number(value)));
        } else if starts_name(c) {
            while characters.get(at).is_some_and(|c| in_name(*c)) {
                at += 1;
            }
            found.push((begin, Token::Name(characters[begin..at].iter().collect())));
        } else if c == '*' && next == Some('*') {
            return Err((begin, "\"**\" is not known; write a power as x^2".into()));
        } else if c == '.' && next == Some('.') {
            at += 2;
            found.push((begin, Token::Range));
        } else if "+-*/^(),[]:".contains(c) {
            at += 1;
            found.push((begin, Token::Sign(c)));
        } else {
            let problem = match c {
                '=' => "an equation is only its right-hand side; leave the = and what is before it out".to_string(),
                '\'' => {
                    "derivatives on the right-hand side are not known; give them a variable of their own".to_string()
                }
                _ => format!("\"{c}\" is not known; there are + - * / ^ and parentheses"),
            };
            return Err((begin, problem));
        }
    }
    Ok(found)
}

/// Whether a text is a name that an equation can use.
pub(super) fn is_name(text: &str) -> bool {
    text.chars().next().is_some_and(starts_name) && text.chars().all(in_name)
}

fn starts_name(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn in_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn end_of_number(characters: &[char], mut at: usize) -> usize {
    let digits = |mut at: usize| {
        while characters.get(at).is_some_and(char::is_ascii_digit) {
            at += 1;
        }
        at
    };
    at = digits(at);
    // 1..40 is a range.
    if characters.get(at) == Some(&'.') && characters.get(at + 1) != Some(&'.') {
        at = digits(at + 1);
    }
    if matches!(characters.get(at), Some('e' | 'E')) {
        let sign = usize::from(matches!(characters.get(at + 1), Some('+' | '-')));
        if characters.get(at + 1 + sign).is_some_and(char::is_ascii_digit) {
            at = digits(at + 1 + sign);
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_names_and_signs_are_told_apart() {
        let words: Vec<Token> = tokens("2.5e-3*x_1 + .5^(σ)").unwrap().into_iter().map(|(_, t)| t).collect();
        let name = |n: &str| Token::Name(n.into());
        let expected = [
            Token::Number(2.5e-3),
            Token::Sign('*'),
            name("x_1"),
            Token::Sign('+'),
            Token::Number(0.5),
            Token::Sign('^'),
            Token::Sign('('),
            name("σ"),
            Token::Sign(')'),
        ];
        assert_eq!(words, expected);
        // An e that begins no exponent begins a name.
        assert_eq!(tokens("2e").unwrap().len(), 2);
        let range = [Token::Number(1.0), Token::Range, Token::Number(40.0)];
        assert_eq!(tokens("1..40").unwrap().into_iter().map(|(_, t)| t).collect::<Vec<_>>(), range);
    }

    #[test]
    fn what_is_not_known_is_told_with_its_place() {
        assert_eq!(tokens("x ** 2").unwrap_err().0, 2);
        assert!(tokens("x = y").unwrap_err().1.contains("right-hand side"));
        assert!(tokens("x & y").unwrap_err().1.contains("\"&\""));
        assert!(tokens("1e999").unwrap_err().1.contains("finite"));
    }
}
