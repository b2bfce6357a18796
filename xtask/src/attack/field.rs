//! Where the attack takes place: a folder of its own, the program as released, and chance.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rand::SeedableRng;
use rand_pcg::Pcg64;

use crate::place::root;

/// A folder to attack in.
pub(super) struct Field {
    pub(super) rng: Pcg64,
    program: PathBuf,
    folder: PathBuf,
}

/// An experiment that takes a second over a few starts, by every kind of step.
pub(super) const EXPERIMENT: &str = r#"name = "attacked"

[grid]
lower = [-4.0, -4.0]
upper = [7.0, 7.0]
cells = [32, 32]

[model]
kind = "gaussian-mixture"
weights = [0.3, 0.7]
means = [[2.2, 2.6], [3.0, 2.0]]
free = ["weights", "means[0]"]

[data]
truth = { weights = [0.4, 0.6], means = [[1.0, 3.0], [3.0, 2.0]] }

[objective]
kind = "l2"

[basin]
parameters = ["means[0][0]", "means[0][1]"]
lower = [0.0, 0.0]
upper = [4.0, 5.0]
counts = [8, 8]

[[method]]
metric = "none"
step = { rule = "armijo", initial = 5.0 }

[[method]]
metric = "fisher-rao"
step = { rule = "levenberg-marquardt" }

[[method]]
metric = "wasserstein"
step = { rule = "fixed", length = 0.5 }

[stop]
iterations = 30
"#;

impl Field {
    /// An empty folder under target, and the program built.
    pub(super) fn new(seed: u64) -> Result<Self, Box<dyn Error>> {
        let status = Command::new(env!("CARGO"))
            .args(["build", "--release", "--package", "wngd-cli"])
            .current_dir(root())
            .status()?;
        if !status.success() {
            return Err("the program does not build".into());
        }
        let folder = root().join("target/attack");
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("e.toml"), EXPERIMENT)?;
        // A copy, which builds that go on beside it do not change.
        let folder = folder.canonicalize()?;
        let program = folder.join("wngd");
        std::fs::copy(root().join("target/release/wngd"), &program)?;
        Ok(Self { rng: Pcg64::seed_from_u64(seed), program, folder })
    }

    /// Chance from its beginning.
    pub(super) fn sow(&mut self, seed: u64) {
        self.rng = Pcg64::seed_from_u64(seed);
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The program, in the folder, that says nothing.
    pub(super) fn wngd(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// A shell that limits itself and then becomes the program.
    pub(super) fn limited(&self, limit: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{limit}; exec \"$0\" \"$@\"")]).arg(&self.program).args(arguments);
        command.current_dir(&self.folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Removes a folder of results.
    pub(super) fn clear(&self, name: &str) -> std::io::Result<()> {
        let folder = self.folder.join(name);
        if folder.exists() { std::fs::remove_dir_all(folder) } else { Ok(()) }
    }
}
