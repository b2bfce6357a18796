//! Two commands in one folder, both killed: whole entries stay whole.

use std::error::Error;

use rand::RngExt;

use super::field::Field;
use super::row::Row;

pub(super) fn attack(field: &mut Field, times: usize) -> Result<Row, Box<dyn Error>> {
    const BASIN: [&str; 5] = ["basin", "e.toml", "--out", "o", "--quiet"];
    field.clear("o")?;
    if !field.wngd(&BASIN).status()?.success() {
        return Err("the experiment of the attack does not run".into());
    }
    let expected = std::fs::read(field.folder().join("o/basin.json"))?;
    let mut faults = Vec::new();
    let (mut refused, mut both) = (0, 0);
    for pair in 0..times {
        field.clear("o")?;
        let mut first = field.wngd(&BASIN).spawn()?;
        std::thread::sleep(std::time::Duration::from_millis(field.rng.random_range(0..120)));
        let mut second = field.wngd(if pair % 2 == 0 { &BASIN } else { &["resume", "o", "--quiet"] }).spawn()?;
        std::thread::sleep(std::time::Duration::from_millis(field.rng.random_range(0..200)));
        // Whoever was refused has gone by now.
        for child in [&mut first, &mut second] {
            if child.try_wait()?.is_none() {
                child.kill()?;
            }
        }
        let codes = [first.wait()?.code(), second.wait()?.code()];
        refused += usize::from(codes.contains(&Some(2)));
        both += usize::from(codes == [None, None]);
        if codes.iter().any(|code| code.is_some_and(|code| code > 2)) {
            faults.push(format!("pair {pair}: {codes:?}"));
        }
        let resume: &[&str] =
            if field.folder().join("o/checkpoint.wngd").exists() { &["resume", "o", "--quiet"] } else { &BASIN };
        let status = field.wngd(resume).status()?;
        let found = std::fs::read(field.folder().join("o/basin.json")).unwrap_or_default();
        if !status.success() || found != expected {
            faults.push(format!("pair {pair}: {status}, {} bytes for {}", found.len(), expected.len()));
        }
    }
    let remark = format!("{refused} times one was refused, {both} times both were killed");
    Ok(Row { times, faults, remark })
}
