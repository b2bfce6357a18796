//! Experiment files with something changed.

use std::error::Error;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rand::RngExt;

use super::field::{EXPERIMENT, Field};
use super::row::Row;

/// Longest that a check may take.
const LONGEST: Duration = Duration::from_secs(20);
/// What stands where something else should.
#[rustfmt::skip]
const ODD: [&str; 24] = [
    "nan", "inf", "-inf", "1e308", "-1e308", "5e-324", "-0.0", "0", "-1", "9223372036854775807", "\"\"", "\"\\u001b[2J\"",
    "[]", "[[]]", "[nan, nan]", "{}", "true", "1979-05-27", "[0.0, 0.0, 0.0, 0.0]", "\"wasserstein\"", "[9999999, 9999999]",
    "\"../../etc/passwd\"", "[[1.0, 2.0], [3.0]]", "0.5",
];

pub(super) fn attack(field: &mut Field, times: usize) -> Result<Row, Box<dyn Error>> {
    let (mut faults, mut taken, mut slowest) = (Vec::new(), 0, Duration::ZERO);
    let path = field.folder().join("mutant.toml");
    for number in 0..times {
        let (text, unknown) = mutant(field);
        std::fs::write(&path, &text)?;
        let clock = Instant::now();
        let mut child = checked(field).spawn()?;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break Some(status);
            }
            if clock.elapsed() > LONGEST {
                child.kill()?;
                child.wait()?;
                break None;
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        let mut words = Vec::new();
        if let Some(mut pipe) = child.stderr.take() {
            std::io::Read::read_to_end(&mut pipe, &mut words)?;
        }
        slowest = slowest.max(clock.elapsed());
        let code = status.and_then(|status| status.code());
        taken += usize::from(code == Some(0));
        let fault = match code {
            Some(0) if unknown => Some("takes a key that it does not know"),
            Some(0 | 2) if !raw(&words) => None,
            Some(0 | 2) => Some("prints control characters"),
            Some(_) => Some("ends with another code than 0 and 2"),
            None => Some("does not end by itself"),
        };
        if let Some(fault) = fault {
            let kept = field.folder().join(format!("mutant-{number}.toml"));
            std::fs::write(&kept, &text)?;
            faults.push(format!("{}: wngd check {fault} ({code:?})", kept.display()));
        }
    }
    let remark = format!("{taken} taken, the rest refused; slowest {:.2} s", slowest.as_secs_f64());
    Ok(Row { times, faults, remark })
}

fn checked(field: &Field) -> Command {
    let mut command = field.wngd(&["check", "mutant.toml"]);
    command.stderr(Stdio::piped());
    command
}

/// Whether a terminal would be told to do something.
pub(super) fn raw(bytes: &[u8]) -> bool {
    String::from_utf8_lossy(bytes).chars().any(|c| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
    })
}

/// The experiment with one to three changes, and whether one of them is a key that nothing knows.
fn mutant(field: &mut Field) -> (Vec<u8>, bool) {
    let rng = &mut field.rng;
    let mut lines: Vec<String> = EXPERIMENT.lines().map(String::from).collect();
    let mut unknown = false;
    for _ in 0..rng.random_range(1..4) {
        if lines.is_empty() {
            break;
        }
        let at = rng.random_range(0..lines.len());
        match rng.random_range(0..7) {
            0 => {
                lines.remove(at);
            }
            1 => {
                let line = lines[at].clone();
                lines.insert(rng.random_range(0..=lines.len()), line);
            }
            2 | 3 => {
                if let Some((key, _)) = lines[at].split_once('=') {
                    lines[at] = format!("{key}= {}", ODD[rng.random_range(0..ODD.len())]);
                }
            }
            4 if lines.len() == EXPERIMENT.lines().count() && !unknown => {
                lines.insert(0, format!("unheard_of_{at} = 1"));
                unknown = true;
            }
            5 => {
                let other = rng.random_range(0..lines.len());
                lines.swap(at, other);
            }
            _ => {
                let text: Vec<char> = lines[at].chars().collect();
                let kept = rng.random_range(0..=text.len());
                lines[at] = text[..kept].iter().collect();
            }
        }
    }
    let mut bytes = lines.join("\n").into_bytes();
    if rng.random_range(0..5) == 0 && !bytes.is_empty() {
        let at = rng.random_range(0..bytes.len());
        bytes[at] = rng.random_range(0..=255);
    }
    // Later changes may have made something else of it.
    let unknown = unknown
        && String::from_utf8_lossy(&bytes)
            .lines()
            .next()
            .is_some_and(|l| l.starts_with("unheard_of_") && l.ends_with("= 1"));
    (bytes, unknown)
}
