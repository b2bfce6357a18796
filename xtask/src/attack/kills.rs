//! Commands that are stopped in the middle and go on: the same bytes as if nothing had happened.

use std::error::Error;
use std::process::Command;
use std::time::{Duration, Instant};

use rand::RngExt;

use super::field::Field;
use super::row::Row;

/// How a command is stopped.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Blow {
    /// SIGKILL.
    Kill,
    /// SIGINT, SIGTERM, SIGHUP or SIGQUIT.
    Signal,
    /// A limit of the size of files, as a disk that is full.
    Limit,
}

const BASIN: [&str; 7] = ["basin", "e.toml", "--out", "o", "--quiet", "--checkpoint", "1000"];
/// Blows after which a command is left to itself.
const MOST: usize = 40;

pub(super) fn attack(field: &mut Field, times: usize, blow: Blow) -> Result<Row, Box<dyn Error>> {
    field.clear("o")?;
    let clock = Instant::now();
    if !field.wngd(&BASIN).status()?.success() {
        return Err("the experiment of the attack does not run".into());
    }
    let whole = clock.elapsed();
    let expected = std::fs::read(field.folder().join("o/basin.json"))?;
    let (mut faults, mut struck) = (Vec::new(), 0);
    while struck < times {
        field.clear("o")?;
        let mut arguments: &[&str] = &BASIN;
        for turn in 0.. {
            let last = turn == MOST || struck >= times;
            let stopped =
                if last { !field.wngd(arguments).status()?.success() } else { strike(field, arguments, blow, whole)? };
            struck += usize::from(stopped && !last);
            // What was not begun is begun again.
            arguments =
                if field.folder().join("o/checkpoint.wngd").exists() { &["resume", "o", "--quiet"] } else { &BASIN };
            if !stopped || last {
                break;
            }
        }
        match std::fs::read(field.folder().join("o/basin.json")) {
            Ok(found) if found == expected => {}
            Ok(_) => faults.push(format!("after {struck} blows: other bytes")),
            Err(error) => faults.push(format!("after {struck} blows: no result, {error}")),
        }
    }
    Ok(Row { times: struck, faults, remark: format!("the command takes {:.1} s", whole.as_secs_f64()) })
}

/// Runs a command for a while; whether it was stopped before its end.
fn strike(field: &mut Field, arguments: &[&str], blow: Blow, whole: Duration) -> Result<bool, Box<dyn Error>> {
    if blow == Blow::Limit {
        let blocks = field.rng.random_range(0..60);
        return Ok(!field.limited(&format!("ulimit -f {blocks}"), arguments).status()?.success());
    }
    let mut child = field.wngd(arguments).spawn()?;
    std::thread::sleep(whole.mul_f64(field.rng.random_range(0.0..0.4)));
    let signal = match blow {
        Blow::Kill => "KILL",
        _ => ["INT", "TERM", "HUP", "QUIT"][field.rng.random_range(0..4)],
    };
    // It may have ended by now.
    let _ = Command::new("kill")
        .args([&format!("-{signal}"), &child.id().to_string()])
        .stderr(std::process::Stdio::null())
        .status()?;
    Ok(!child.wait()?.success())
}
