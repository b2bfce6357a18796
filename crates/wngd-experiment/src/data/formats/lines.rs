//! Lines of a table as the `csv` crate wants them: comments and marks taken out, runs of blanks made one.

use std::io::{BufRead, Read};

/// Longest row read, in bytes. A quote that is never closed makes a row of the rest of a file.
pub(super) const MAX_ROW: usize = 1 << 20;
/// What spreadsheets write into cells that have no value; no comments, though they begin as one.
const ERRORS: [&[u8]; 8] = [b"#N/A", b"#NA", b"#NUM!", b"#DIV/0!", b"#VALUE!", b"#REF!", b"#NAME?", b"#NULL!"];
/// The mark of UTF-8.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Bytes of a table, line by line; line numbers stay.
pub(super) struct Lines<R> {
    source: R,
    /// Whether runs of blanks separate fields; they become tabs.
    blanks: bool,
    line: Vec<u8>,
    /// How much of the line has been handed out.
    given: usize,
    quoted: bool,
    /// Bytes of the row so far.
    row: usize,
    begun: bool,
    /// The last comment before the first row.
    pub(super) comment: Option<String>,
    /// Comments behind it.
    pub(super) comments: usize,
    /// Empty lines that rows follow.
    pub(super) empty: usize,
    waiting: usize,
    rows: usize,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(source: R, blanks: bool) -> Self {
        Self {
            source,
            blanks,
            line: Vec::new(),
            given: 0,
            quoted: false,
            row: 0,
            begun: false,
            comment: None,
            comments: 0,
            empty: 0,
            waiting: 0,
            rows: 0,
        }
    }

    /// The next line with its end, `\n` whatever the file has; false after the last.
    fn advance(&mut self) -> std::io::Result<bool> {
        self.line.clear();
        self.given = 0;
        if !self.until_end()? {
            return Ok(false);
        }
        if !self.begun {
            self.begun = true;
            if self.line.starts_with(BOM) {
                self.line.drain(..BOM.len());
            }
        }
        if !self.quoted {
            self.row = 0;
            let text = self.line.trim_ascii();
            if text.is_empty() {
                self.waiting += usize::from(self.rows > 0);
                self.line.clear();
            } else if is_comment(text) {
                match self.rows {
                    0 => self.comment = Some(String::from_utf8_lossy(&text[1..]).trim().to_string()),
                    _ => self.comments += 1,
                }
                self.line.clear();
            } else {
                self.rows += 1;
                self.empty += std::mem::take(&mut self.waiting);
            }
        }
        self.row += self.line.len() + 1;
        let quotes = self.line.iter().filter(|b| **b == b'"').count();
        self.quoted ^= quotes % 2 == 1;
        if self.blanks {
            self.squeeze();
        }
        self.line.push(b'\n');
        Ok(true)
    }

    /// Reads up to a line's end, which is left out: `\n`, `\r\n`, or `\r` of old.
    fn until_end(&mut self) -> std::io::Result<bool> {
        let mut any = false;
        loop {
            let part = self.source.fill_buf()?;
            if part.is_empty() {
                return Ok(any);
            }
            any = true;
            let end = part.iter().position(|b| matches!(b, b'\n' | b'\r'));
            let count = end.unwrap_or(part.len());
            let fed = part.get(count) == Some(&b'\r');
            self.line.extend_from_slice(&part[..count]);
            self.source.consume(count + usize::from(end.is_some()));
            if self.row + self.line.len() > MAX_ROW {
                let problem =
                    format!("a row of more than {MAX_ROW} bytes; transpose the table, or close an open quote");
                return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, problem));
            }
            if end.is_some() {
                if fed && self.source.fill_buf()?.first() == Some(&b'\n') {
                    self.source.consume(1);
                }
                return Ok(true);
            }
        }
    }

    /// Runs of blanks outside quotes become one tab; those at the ends go.
    fn squeeze(&mut self) {
        let mut out = Vec::with_capacity(self.line.len());
        let mut quoted = false;
        for &byte in self.line.trim_ascii() {
            quoted ^= byte == b'"';
            match byte {
                b' ' | b'\t' if !quoted => {
                    if out.last() != Some(&b'\t') {
                        out.push(b'\t');
                    }
                }
                _ => out.push(byte),
            }
        }
        self.line = out;
    }
}

fn is_comment(text: &[u8]) -> bool {
    let end = text.iter().position(|b| b",;|\t \"".contains(b)).unwrap_or(text.len());
    text.starts_with(b"#") && !ERRORS.contains(&text[..end].to_ascii_uppercase().as_slice())
}

impl<R: BufRead> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.given == self.line.len() && !self.advance()? {
            return Ok(0);
        }
        let count = buffer.len().min(self.line.len() - self.given);
        buffer[..count].copy_from_slice(&self.line[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(text: &str, blanks: bool) -> (String, usize, usize) {
        let mut lines = Lines::new(text.as_bytes(), blanks);
        let mut out = String::new();
        lines.read_to_string(&mut out).unwrap();
        (out, lines.comments, lines.empty)
    }

    #[test]
    fn comments_and_marks_go_and_line_numbers_stay() {
        assert_eq!(cleaned("\u{feff}x,y\r\n1,2\r\n", false).0, "x,y\n1,2\n");
        assert_eq!(
            cleaned("#name,y\n1,2\n#N/A,3\n# end\n\n4,5\n\n", false),
            ("\n1,2\n#N/A,3\n\n\n4,5\n\n".into(), 1, 1)
        );
        assert_eq!(cleaned("1\r2\r3", false).0, "1\n2\n3\n");
    }

    #[test]
    fn blanks_are_one_separator() {
        assert_eq!(cleaned("  x   y\n 1.0\t-2.0 \n\"a b\"  3\n", true).0, "x\ty\n1.0\t-2.0\n\"a b\"\t3\n");
    }
}
