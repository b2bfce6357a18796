//! The text of a checkpoint: a line that names the format, then one line for each finished unit of work.
//!
//! A line is `checksum number held kind content`. The checksum (CRC-32) is over what follows it. `held` says
//! how many lines were known to be on the disk when this one was written: a bad line among those is damage.
//! Behind those it is the end that a kill or a loss of power tore, and whatever follows it is left out.

use std::fmt::Write;

/// What the first line begins with.
const TITLE: &str = "wngd checkpoint, format ";
/// Format that this version writes and reads.
const FORMAT: u32 = 2;

/// One unit of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What kind of unit; one word.
    pub kind: String,
    /// JSON.
    pub content: String,
}

/// The line of an entry.
pub fn line(number: usize, held: usize, kind: &str, content: &str) -> String {
    let text = format!("{number} {held} {kind} {content}");
    format!("{:08x} {text}\n", crc32fast::hash(text.as_bytes()))
}

/// A whole file, all of which is known to be on the disk once it is renamed into place.
pub fn whole(entries: &[Entry]) -> String {
    let mut text = format!("{TITLE}{FORMAT}\n");
    for (number, entry) in entries.iter().enumerate() {
        text.push_str(&line(number, entries.len(), &entry.kind, &entry.content));
    }
    text
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Entries before the torn end, or before the damage.
    pub entries: Vec<Entry>,
    /// What is damaged among the lines that were known to be on the disk.
    pub damage: Option<String>,
}

/// The entries of a file that has no damage; the text of an error says what is wrong with it.
#[cfg(test)]
fn parse(bytes: &[u8]) -> Result<Vec<Entry>, String> {
    let Found { entries, damage } = find(bytes)?;
    damage.map_or(Ok(entries), Err)
}

/// The entries of a file; the text of an error says why it is no checkpoint.
pub fn find(bytes: &[u8]) -> Result<Found, String> {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let title = lines.next().and_then(|line| std::str::from_utf8(line).ok()?.strip_prefix(TITLE));
    match title.and_then(|number| number.parse::<u32>().ok()) {
        Some(FORMAT) => {}
        Some(other) => return Err(format!("format {other} is not known to this version, which reads format {FORMAT}")),
        None => return Err("it is not a checkpoint of this program".into()),
    }
    let mut entries = Vec::new();
    let mut torn = false;
    for line in lines {
        match split(line) {
            Some((number, _, entry)) if !torn && number == entries.len() => entries.push(entry),
            Some((_, held, _)) if held > entries.len() => {
                let damage = format!("it is damaged: the checksum of entry {} does not match", entries.len());
                return Ok(Found { entries, damage: Some(damage) });
            }
            _ => torn = true,
        }
    }
    Ok(Found { entries, damage: None })
}

/// Number, lines held and entry of a line that is whole.
fn split(line: &[u8]) -> Option<(usize, usize, Entry)> {
    let (checksum, text) = std::str::from_utf8(line).ok()?.split_once(' ')?;
    let mut right = String::new();
    write!(right, "{:08x}", crc32fast::hash(text.as_bytes())).ok()?;
    if checksum != right {
        return None;
    }
    let mut words = text.splitn(4, ' ');
    let (number, held) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    Some((number, held, Entry { kind: words.next()?.into(), content: words.next()?.into() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(count: usize) -> Vec<Entry> {
        (0..count).map(|i| Entry { kind: "unit".into(), content: format!("{{\"é\": [{i}, \"a b\"]}}") }).collect()
    }

    /// Two entries renamed into place, five more appended, four of them synced.
    fn journal() -> (Vec<u8>, Vec<Entry>) {
        let all = entries(7);
        let mut text = whole(&all[..2]);
        for (number, entry) in all.iter().enumerate().skip(2) {
            text.push_str(&line(number, number.min(6), &entry.kind, &entry.content));
        }
        (text.into_bytes(), all)
    }

    #[test]
    fn a_torn_end_is_left_out() {
        let (bytes, all) = journal();
        assert_eq!(parse(&bytes).unwrap(), all);
        let head = bytes.iter().position(|b| *b == b'\n').unwrap();
        for length in head + 1..bytes.len() {
            let found = parse(&bytes[..length]).unwrap();
            assert_eq!(found, all[..found.len()], "{length} bytes");
            // A line counts once all of it is there, with its end or without.
            let whole = bytes[head + 1..length].iter().filter(|b| **b == b'\n').count();
            assert!(found.len() == whole || found.len() == whole + 1);
        }
        // What a loss of power may leave behind the lines held: zeros, then a page of a later write.
        let mut torn = bytes.clone();
        torn.extend(vec![0; 100]);
        torn.extend(line(7, 6, "unit", "7").bytes());
        assert_eq!(parse(&torn).unwrap(), all);
    }

    #[test]
    fn damage_is_told_or_costs_the_end_only() {
        let (bytes, all) = journal();
        // The end of the last line but one, without which the two are one bad line.
        let last = bytes[..bytes.len() - 1].iter().rposition(|b| *b == b'\n').unwrap();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 4;
            match parse(&damaged) {
                Ok(found) => assert!(at >= last && found == all[..if at == last { 5 } else { 6 }], "byte {at}"),
                Err(problem) => assert!(at < last, "byte {at}: {problem}"),
            }
        }
        let text = String::from_utf8(bytes).unwrap();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        for missing in 1..7 {
            let rest = [&lines[..missing], &lines[missing + 1..]].concat().concat();
            assert!(parse(rest.as_bytes()).unwrap_err().contains("damaged"), "line {missing}");
        }
    }

    #[test]
    fn foreign_files_are_refused() {
        for foreign in
            [&b""[..], b"{}", b"{\"format\":1,\"checksum\":\"0\"}\n", b"wngd checkpoint, format x\n", &[255; 9]]
        {
            assert!(parse(foreign).unwrap_err().contains("not a checkpoint"));
        }
        assert!(parse(b"wngd checkpoint, format 3\n").unwrap_err().contains("format 3"));
    }
}
