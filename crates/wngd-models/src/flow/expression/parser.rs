//! Tokens into a tree, by recursive descent: sums of products of signed powers.

use super::chain::Family;
use super::error::Problem;
use super::lexer::{Token, tokens};
use super::tree::{FUNCTIONS, Tree};

/// Deepest nesting of parentheses, powers and signs.
const DEEPEST: usize = 64;
/// Most words of one equation.
const LONGEST: usize = 4000;

/// What names stand for.
pub(super) struct Names<'a> {
    pub(super) variables: &'a [String],
    pub(super) parameters: &'a [String],
    /// Rows of them.
    pub(super) families: &'a [Family],
}

/// The value of an index.
pub(super) type Index = (String, i64);

/// Most terms that sums of an equation are written out to.
const TERMS: usize = 100_000;

/// The tree of a right-hand side, with the index that it is written for.
pub(super) fn parse(text: &str, names: &Names<'_>, index: Option<&Index>) -> Result<Tree, Problem> {
    let tokens = tokens(text)?;
    let end = text.chars().count();
    if tokens.is_empty() {
        return Err((0, "it is empty; write 0 for a variable at rest".into()));
    }
    if tokens.len() > LONGEST {
        return Err((0, format!("{} words; at most {LONGEST} are read", tokens.len())));
    }
    let indices = index.into_iter().cloned().collect();
    let mut parser = Parser { tokens, at: 0, end, names, depth: 0, indices, terms: 0 };
    let tree = parser.sum()?;
    match parser.tokens.get(parser.at) {
        None => Ok(tree),
        Some((at, Token::Sign(')'))) => Err((*at, "this parenthesis was never opened".into())),
        Some((at, Token::Sign(c @ ('[' | ']' | ':')))) => Err((*at, misplaced(*c))),
        Some((at, token)) => {
            Err((*at, format!("an operator is missing before {}; write a*b for a product", shown(token))))
        }
    }
}

struct Parser<'a> {
    tokens: Vec<(usize, Token)>,
    at: usize,
    /// Characters of the text.
    end: usize,
    names: &'a Names<'a>,
    depth: usize,
    /// Indices that have a value, the innermost last.
    indices: Vec<Index>,
    /// Terms that sums were written out to.
    terms: usize,
}

impl Parser<'_> {
    fn sign(&self) -> Option<char> {
        match self.tokens.get(self.at) {
            Some((_, Token::Sign(c))) => Some(*c),
            _ => None,
        }
    }

    /// Where the next token begins, or the end.
    fn here(&self) -> usize {
        self.tokens.get(self.at).map_or(self.end, |(at, _)| *at)
    }

    fn sum(&mut self) -> Result<Tree, Problem> {
        let mut left = self.product()?;
        while let Some(c @ ('+' | '-')) = self.sign() {
            self.at += 1;
            let right = self.product()?;
            left = Tree::sum(left, if c == '-' { Tree::negative(right) } else { right });
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Tree, Problem> {
        let mut left = self.signed()?;
        while let Some(c @ ('*' | '/')) = self.sign() {
            self.at += 1;
            let right = self.signed()?;
            left = if c == '*' { Tree::product(left, right) } else { Tree::quotient(left, right) };
        }
        Ok(left)
    }

    /// −x^2 is −(x^2), as in print.
    fn signed(&mut self) -> Result<Tree, Problem> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err((self.here(), format!("more than {DEEPEST} levels of nesting; write it flatter")));
        }
        let tree = match self.sign() {
            Some('-') => {
                self.at += 1;
                Tree::negative(self.signed()?)
            }
            Some('+') => {
                self.at += 1;
                self.signed()?
            }
            _ => self.power()?,
        };
        self.depth -= 1;
        Ok(tree)
    }

    /// Powers bind to the right: a^b^c is a^(b^c).
    fn power(&mut self) -> Result<Tree, Problem> {
        let base = self.atom()?;
        if self.sign() != Some('^') {
            return Ok(base);
        }
        self.at += 1;
        Ok(Tree::power(base, self.signed()?))
    }

    fn atom(&mut self) -> Result<Tree, Problem> {
        let Some((at, token)) = self.tokens.get(self.at).cloned() else {
            return Err((self.end, "it ends where a number, a name or a parenthesis is needed".into()));
        };
        self.at += 1;
        match token {
            Token::Number(value) => Ok(Tree::Number(value)),
            Token::Name(name) => self.name(at, &name),
            Token::Sign('(') => self.closed(at),
            Token::Sign(c @ ('[' | ']' | ':')) => Err((at, misplaced(c))),
            Token::Sign(_) | Token::Range => {
                Err((at, format!("{} stands where a number, a name or a parenthesis is needed", shown(&token))))
            }
        }
    }

    /// What is inside a parenthesis that was opened at `begin`.
    fn closed(&mut self, begin: usize) -> Result<Tree, Problem> {
        let inside = self.sum()?;
        match self.sign() {
            Some(')') => {
                self.at += 1;
                Ok(inside)
            }
            Some(',') => Err((self.here(), "functions take one argument".into())),
            Some(c @ ('[' | ']' | ':')) => Err((self.here(), misplaced(c))),
            None if self.at < self.tokens.len() => {
                Err((self.here(), "an operator is missing; write a*b for a product".into()))
            }
            _ => Err((begin, "this parenthesis is never closed".into())),
        }
    }

    /// A word that must come next.
    fn expect(&mut self, wanted: &Token, form: &str) -> Result<(), Problem> {
        if self.tokens.get(self.at).is_some_and(|(_, token)| token == wanted) {
            self.at += 1;
            return Ok(());
        }
        Err((self.here(), format!("{} is missing; write {form}", shown(wanted))))
    }

    /// A whole number.
    fn whole(&mut self) -> Option<i64> {
        match self.tokens.get(self.at) {
            Some((_, Token::Number(value))) if value.fract() == 0.0 && value.abs() < 1e6 => {
                self.at += 1;
                Some(*value as i64)
            }
            _ => None,
        }
    }

    /// What is between brackets: indices and whole numbers, added and subtracted.
    fn index(&mut self, family: &Family) -> Result<i64, Problem> {
        let form = format!("{0}[i], {0}[i + 1] or {0}[{1}]", family.name, family.first);
        self.at += 1;
        let mut sum = 0;
        let mut sign = 1;
        loop {
            let here = self.here();
            if let Some(number) = self.whole() {
                sum += sign * number;
            } else {
                let Some((_, Token::Name(name))) = self.tokens.get(self.at).cloned() else {
                    return Err((here, format!("an index is missing; write {form}")));
                };
                let Some((_, value)) = self.indices.iter().rev().find(|(index, _)| *index == name) else {
                    return Err((here, format!("\"{name}\" is no index here; write {form}")));
                };
                self.at += 1;
                sum += sign * value;
            }
            match self.sign() {
                Some(c @ ('+' | '-')) => sign = if c == '+' { 1 } else { -1 },
                _ => break,
            }
            self.at += 1;
        }
        self.expect(&Token::Sign(']'), &form)?;
        Ok(sum)
    }

    /// What follows `sum`: `(j in 1..40: …)`.
    fn summed(&mut self) -> Result<Tree, Problem> {
        const FORM: &str = "sum(j in 1..40: x[j])";
        let missing = |what: &str| format!("{what} is missing; write {FORM}");
        self.expect(&Token::Sign('('), FORM)?;
        let here = self.here();
        let Some((_, Token::Name(index))) = self.tokens.get(self.at).cloned() else {
            return Err((here, missing("an index")));
        };
        let taken = |names: &[String]| names.contains(&index);
        if taken(self.names.variables) || taken(self.names.parameters) || self.indices.iter().any(|(i, _)| *i == index)
        {
            return Err((here, format!("\"{index}\" has a meaning already; take another index")));
        }
        self.at += 1;
        self.expect(&Token::Name("in".into()), FORM)?;
        let here = self.here();
        let first = self.whole().ok_or_else(|| (here, missing("a whole number")))?;
        self.expect(&Token::Range, FORM)?;
        let here = self.here();
        let last = self.whole().ok_or_else(|| (here, missing("a whole number")))?;
        if first > last {
            return Err((here, format!("{last} is below {first}; count upwards")));
        }
        self.expect(&Token::Sign(':'), FORM)?;
        let body = self.at;
        let mut total = Tree::Number(0.0);
        for value in first..=last {
            self.terms += 1;
            if self.terms > TERMS {
                return Err((here, format!("more than {TERMS} terms; write it shorter")));
            }
            self.at = body;
            self.indices.push((index.clone(), value));
            let term = self.sum();
            self.indices.pop();
            total = Tree::sum(total, term?);
        }
        self.expect(&Token::Sign(')'), FORM)?;
        Ok(total)
    }

    fn name(&mut self, at: usize, name: &str) -> Result<Tree, Problem> {
        if self.sign() == Some('[') {
            let Some(family) = self.names.families.iter().find(|family| family.name == name) else {
                let problem =
                    format!("{name}[…] needs a row of names, as \"{name}[1..40]\" among the variables or parameters");
                return Err((at, problem));
            };
            let index = self.index(family)?;
            return self.name(at, &family.at(index));
        }
        let called = self.sign() == Some('(');
        let place = |names: &[String]| names.iter().position(|n| n == name);
        let variable = place(self.names.variables);
        if called && variable.is_some() {
            let problem = format!(
                "{name}(…) would be {name} at another time: delay equations and maps are not taken, only dx/dt = v(x); write {name}*(…) for a product"
            );
            return Err((at, problem));
        }
        if let Some(i) = variable {
            return Ok(Tree::Variable(i));
        }
        if let Some(j) = place(self.names.parameters) {
            if called {
                return Err((at, format!("{name} is a parameter, not a function; write {name}*(…) for a product")));
            }
            return Ok(Tree::Parameter(j));
        }
        if name == "sum" && called {
            return self.summed();
        }
        if let Some((_, value)) = self.indices.iter().rev().find(|(index, _)| index == name) {
            return Ok(Tree::Number(*value as f64));
        }
        if let Some((_, function)) = FUNCTIONS.iter().find(|(n, _)| *n == name) {
            if !called {
                return Err((at, format!("{name} is a function and needs its argument: {name}(…)")));
            }
            let begin = self.here();
            self.at += 1;
            return Ok(Tree::call(*function, self.closed(begin)?));
        }
        Err((at, self.unknown(name, called)))
    }

    fn unknown(&self, name: &str, called: bool) -> String {
        if matches!(name, "t" | "time") {
            return "the right-hand side may not depend on time; give the phase of a forcing a variable of its own"
                .into();
        }
        let functions: Vec<&str> = FUNCTIONS.iter().map(|(n, _)| *n).collect();
        if called {
            return format!("there is no function \"{name}\"; there are {}", functions.join(", "));
        }
        let some = |names: &[String]| if names.is_empty() { "none".to_string() } else { listed(names) };
        let (variables, parameters) = (some(self.names.variables), some(self.names.parameters));
        format!("there is no \"{name}\"; variables: {variables}; parameters: {parameters}")
    }
}

/// At most twelve names.
fn listed(names: &[String]) -> String {
    let more = if names.len() > 12 { ", …" } else { "" };
    format!("{}{more}", names.iter().take(12).map(String::as_str).collect::<Vec<_>>().join(", "))
}

/// What is said of a sign that stands where it means nothing.
fn misplaced(c: char) -> String {
    match c {
        ':' => "a colon belongs to sums, as in sum(j in 1..40: x[j])".into(),
        _ => "brackets belong to rows of names, as in x[i + 1]".into(),
    }
}

fn shown(token: &Token) -> String {
    match token {
        Token::Range => "\"..\"".into(),
        Token::Number(value) => format!("{value}"),
        Token::Name(name) => format!("\"{name}\""),
        Token::Sign(c) => format!("\"{c}\""),
    }
}
