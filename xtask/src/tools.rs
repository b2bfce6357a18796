//! Programs that a check needs beside cargo: a pinned version of each, built once into target/tools.

use std::error::Error;
use std::path::PathBuf;
use std::process::Command;

use crate::place::root;

/// The program `name` at `version`, installed from crates.io if it is not there yet; nothing outside the
/// workspace's target folder changes.
pub(crate) fn ensure(name: &str, version: &str) -> Result<PathBuf, Box<dyn Error>> {
    let tools = root().join("target/tools");
    let program = tools.join("bin").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    if Command::new(&program).arg("--version").output().is_ok_and(|o| says(&o.stdout, version)) {
        return Ok(program);
    }
    println!("== {name} {version}: cargo install");
    let status = Command::new(env!("CARGO"))
        .args(["install", name, "--locked", "--force", "--version", version, "--root"])
        .arg(&tools)
        // These programs wait for disks: building them is what takes time.
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .current_dir(root())
        .status()?;
    if !status.success() {
        return Err(format!("{name} {version} could not be installed; is crates.io in reach?").into());
    }
    Ok(program)
}

/// Whether `--version` printed this version, with or without a "v".
fn says(output: &[u8], version: &str) -> bool {
    String::from_utf8_lossy(output).split_whitespace().any(|word| word.trim_start_matches('v') == version)
}

#[cfg(test)]
mod tests {
    use super::says;

    #[test]
    fn versions_are_read_whole() {
        assert!(says(b"mdbook v0.5.4\n", "0.5.4") && says(b"cargo-deny 0.18.2", "0.18.2"));
        assert!(!says(b"mdbook v0.5.40\n", "0.5.4"));
    }
}
