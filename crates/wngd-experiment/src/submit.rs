//! Hands the shards of a command to an engine that runs tasks on many machines, as that engine is.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::checkpoint::unfinished;
use crate::error::ExperimentError;
use crate::files;

/// Folder of the script and of what the tasks print, in that of the results.
const LOGS: &str = "submitted";
/// Script that does one shard.
const SCRIPT: &str = "shard.sh";

/// An engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// HyperQueue's `hq`.
    HyperQueue,
    /// Slurm's `sbatch`.
    Slurm,
}

impl Engine {
    /// Its program.
    pub fn program(self) -> &'static str {
        match self {
            Self::HyperQueue => "hq",
            Self::Slurm => "sbatch",
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::HyperQueue => "HyperQueue",
            Self::Slurm => "Slurm",
        }
    }

    /// The variable that tells a task its number.
    fn variable(self) -> &'static str {
        match self {
            Self::HyperQueue => "HQ_TASK_ID",
            Self::Slurm => "SLURM_ARRAY_TASK_ID",
        }
    }

    /// The arguments that submit these shards and print the job's number first.
    fn arguments(self, job: &Submission, shards: &str) -> Vec<String> {
        let log = |number: &str| job.logs().join(format!("shard-{number}.txt")).to_string_lossy().into_owned();
        let folder = job.directory.to_string_lossy().into_owned();
        let mut words: Vec<String> = match self {
            Self::HyperQueue => ["--output-mode=quiet", "submit", "--name=wngd"].map(String::from).to_vec(),
            Self::Slurm => ["--parsable", "--job-name=wngd"].map(String::from).to_vec(),
        };
        words.push(format!("--array={shards}"));
        match self {
            Self::HyperQueue => {
                words.extend([format!("--cwd={folder}"), format!("--stdout={}", log("%{TASK_ID}"))]);
                words.push(format!("--stderr={}", log("%{TASK_ID}-errors")));
            }
            Self::Slurm => words.extend([format!("--chdir={folder}"), format!("--output={}", log("%a"))]),
        }
        if job.waits {
            words.push("--wait".into());
        }
        words.extend(job.options.iter().cloned());
        if self == Self::HyperQueue {
            words.extend(["--".into(), "/bin/sh".into()]);
        }
        words.push(job.script().to_string_lossy().into_owned());
        words
    }
}

/// A command whose shards an engine does.
#[derive(Debug, Clone)]
pub struct Submission {
    /// Who does them.
    pub engine: Engine,
    /// How many there are.
    pub shards: usize,
    /// The program and its arguments, without `--shard`.
    pub command: Vec<String>,
    /// Folder in which the command is to begin.
    pub directory: PathBuf,
    /// Folder of its results.
    pub folder: PathBuf,
    /// What the engine is told beside.
    pub options: Vec<String>,
    /// How many times shards that are not done are handed in again.
    pub retries: usize,
    /// Whether the jobs are waited for.
    pub waits: bool,
}

impl Submission {
    /// Folder of the script and of what the tasks print.
    pub fn logs(&self) -> PathBuf {
        self.directory.join(&self.folder).join(LOGS)
    }

    /// The script that does one shard.
    pub fn script(&self) -> PathBuf {
        self.logs().join(SCRIPT)
    }

    /// Its text.
    ///
    /// # Errors
    /// An argument that no shell can be given.
    pub fn text(&self) -> Result<String, ExperimentError> {
        let mut words = Vec::new();
        for word in &self.command {
            let quoted = shlex::try_quote(word).map_err(|_| ExperimentError::Option {
                option: "submit".into(),
                problem: "an argument has a NUL in it, which no shell takes; leave it out".into(),
            });
            words.push(quoted?.into_owned());
        }
        let variable = self.engine.variable();
        Ok(format!("#!/bin/sh\nexec {} --shard \"${variable}/{}\"\n", words.join(" "), self.shards))
    }

    /// Writes the script, hands the shards in, and waits if that was asked for; the shards that are not done then.
    /// `tell` is told of each job.
    ///
    /// # Errors
    /// An engine that is not there, or refuses; a folder that cannot be written to.
    pub fn carry_out(&self, tell: &mut dyn FnMut(String)) -> Result<Vec<usize>, ExperimentError> {
        files::make_folder(&self.logs())?;
        let text = self.text()?;
        files::write_file(&self.script(), |w| w.write_all(text.as_bytes()))?;
        let mut left = self.left()?;
        for attempt in 0..=self.retries {
            if left.is_empty() {
                break;
            }
            let job = self.submit(&ranges(&left), tell)?;
            if !self.waits {
                break;
            }
            left = self.left()?;
            if !left.is_empty() && attempt < self.retries {
                tell(format!("{} of job {job} are not done: handed in again", named(&left)));
            }
        }
        Ok(left)
    }

    fn left(&self) -> Result<Vec<usize>, ExperimentError> {
        unfinished(&self.directory.join(&self.folder), self.shards)
    }

    fn submit(&self, shards: &str, tell: &mut dyn FnMut(String)) -> Result<String, ExperimentError> {
        let (program, engine) = (self.engine.program(), self.engine.in_words());
        let fail = |problem: String| ExperimentError::Option { option: "--engine".into(), problem };
        let mut command = Command::new(program);
        command.args(self.engine.arguments(self, shards)).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| {
            fail(match error.kind() {
                std::io::ErrorKind::NotFound => format!(
                    "{engine}'s program {program} is not on PATH; submit where {engine} is installed, or do each share by \
                     --shard i/{}",
                    self.shards
                ),
                _ => format!("{program} cannot be started: {error}"),
            })
        })?;
        let mut first = String::new();
        let mut more = Vec::new();
        if let Some(out) = child.stdout.take() {
            let mut out = BufReader::new(out);
            // What cannot be read was not said.
            let _ = (&mut out).take(4096).read_line(&mut first);
            let job = first.trim();
            if !job.is_empty() {
                tell(format!("job {job} of {engine}: shards {shards}; logs in {}", self.logs().display()));
            }
            let _ = out.read_to_end(&mut more);
        }
        let status = child.wait().map_err(|error| fail(format!("{program} was lost: {error}")))?;
        let job = first.trim().to_string();
        // Tasks that failed are told by what they left; a job that was not taken has no number.
        if job.is_empty() {
            let problem = format!("{program} took no job ({status}); see what it printed, and `{program} --help`");
            return Err(fail(problem));
        }
        Ok(job)
    }
}

/// The words of a text as a shell has them; the text of an error says what is wrong.
///
/// # Errors
/// A quote that does not end.
pub fn words(text: &str) -> Result<Vec<String>, String> {
    shlex::split(text).ok_or_else(|| "a quote does not end".to_string())
}

/// Numbers as engines take them: `0-3,7`.
fn ranges(numbers: &[usize]) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for &n in numbers {
        match runs.last_mut() {
            Some((_, end)) if *end + 1 == n => *end = n,
            _ => runs.push((n, n)),
        }
    }
    let shown = runs.iter().map(|(a, b)| if a == b { a.to_string() } else { format!("{a}-{b}") });
    shown.collect::<Vec<_>>().join(",")
}

/// Shards for people.
pub fn named(shards: &[usize]) -> String {
    format!("shard{} {}", if shards.len() == 1 { "" } else { "s" }, ranges(shards))
}

/// The folder of results that a command names, and whether it may be submitted.
///
/// # Errors
/// A command that has no shards, no folder, or says itself which shard it is.
pub fn folder_of(command: &[String], sharded: &[&str]) -> Result<PathBuf, ExperimentError> {
    let fail = |problem: String| Err(ExperimentError::Option { option: "submit".into(), problem });
    let Some(name) = command.first().filter(|name| sharded.contains(&name.as_str())) else {
        let said = command.first().map_or_else(|| "no command".into(), |name| format!("\"{name}\""));
        return fail(format!("{said} is given; commands of many shards are {}", sharded.join(", ")));
    };
    if let Some(own) = command.iter().find(|word| ["--shard", "--restart"].iter().any(|o| word.starts_with(o))) {
        return fail(format!("{own} belongs to one shard; leave it out"));
    }
    let mut words = command.iter();
    let mut out = None;
    while let Some(word) = words.next() {
        match word.strip_prefix("--out") {
            Some("") => out = words.next().cloned(),
            Some(rest) => out = rest.strip_prefix('=').map(String::from).or(out),
            None => {}
        }
    }
    match out {
        Some(out) => Ok(Path::new(&out).to_path_buf()),
        None => fail(format!("give {name} --out FOLDER: the folder, seen by all machines, in which shards meet")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(String::from).collect()
    }

    #[test]
    fn shards_are_named_in_ranges() {
        assert_eq!(ranges(&[0, 1, 2, 3, 7, 9, 10]), "0-3,7,9-10");
        assert_eq!((named(&[4]).as_str(), named(&[4, 5]).as_str()), ("shard 4", "shards 4-5"));
    }

    #[test]
    fn what_cannot_be_shared_is_told() {
        let of = |text: &str| folder_of(&words(text), &["basin", "toys"]);
        assert_eq!(of("basin x.toml --out map --quiet").unwrap(), Path::new("map"));
        assert_eq!(of("toys x.toml --out=a/b").unwrap(), Path::new("a/b"));
        for (text, part) in [
            ("run x.toml --out o", "basin, toys"),
            ("basin x.toml", "--out FOLDER"),
            ("basin x.toml --out o --shard 0/2", "--shard belongs"),
            ("basin x.toml --out o --restart", "--restart belongs"),
        ] {
            let error = of(text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_script_survives_strange_words() {
        let job = Submission {
            engine: Engine::Slurm,
            shards: 3,
            command: vec!["/a b/wngd".into(), "basin".into(), "it's.toml".into(), "$HOME;rm".into()],
            directory: "/w".into(),
            folder: "o".into(),
            options: Vec::new(),
            retries: 0,
            waits: true,
        };
        let text = job.text().unwrap();
        let line = text.lines().nth(1).unwrap();
        let back = shlex::split(line).unwrap();
        assert_eq!(back[1..5], ["/a b/wngd", "basin", "it's.toml", "$HOME;rm"]);
        assert_eq!(back[6], "$SLURM_ARRAY_TASK_ID/3");
        let engine = Engine::HyperQueue.arguments(&job, "0-2");
        assert!(engine.contains(&"--stdout=/w/o/submitted/shard-%{TASK_ID}.txt".to_string()), "{engine:?}");
        assert_eq!(engine[engine.len() - 2..], ["/bin/sh", "/w/o/submitted/shard.sh"]);
    }
}
