//! Other ways, in a process of their own beside ours: it imports and compiles once, and is at some record while we are at
//! later ones.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::JoinHandle;

use serde::Deserialize;

use super::cells::{Data, Record};
use super::found::Peers;
use crate::place::root;

/// The process, and the files of points that it has still to read.
pub(super) struct Others {
    child: Child,
    told: Option<ChildStdin>,
    /// Lines are taken as they come: a full pipe would stop both sides.
    heard: JoinHandle<std::io::Result<Vec<String>>>,
    folder: PathBuf,
    files: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct Line {
    ways: serde_json::Map<String, serde_json::Value>,
}

impl Others {
    pub(super) fn begin(python: &Path, folder: &Path) -> Result<Self, Box<dyn Error>> {
        let mut command = Command::new(python);
        // What numba compiles is kept beside the records; one thread, so that ours have the other cores.
        command.env("NUMBA_CACHE_DIR", folder.join("numba")).env("PYTHONDONTWRITEBYTECODE", "1");
        ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"].iter().for_each(|name| _ = command.env(name, "1"));
        command.arg(root().join("xtask/peer/identify_peers.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let (told, heard) = (child.stdin.take(), child.stdout.take().ok_or("no output of the peers")?);
        let heard = std::thread::spawn(move || BufReader::new(heard).lines().collect());
        Ok(Self { child, told, heard, folder: folder.into(), files: Vec::new() })
    }

    /// Puts a record at the end of what they have to do.
    pub(super) fn ask(&mut self, record: &Record, data: &Data) -> Result<(), Box<dyn Error>> {
        let path = self.folder.join(format!("points-{}.f64", self.files.len()));
        let bytes: Vec<u8> = data.points.iter().flat_map(|v| v.to_le_bytes()).collect();
        std::fs::write(&path, bytes)?;
        let line = serde_json::to_string(&record.for_peers(data, &path)?)?;
        self.files.push(path);
        writeln!(self.told.as_mut().ok_or("the peers have ended")?, "{line}")?;
        Ok(())
    }

    /// What they found on all records, in their order.
    pub(super) fn answers(mut self) -> Result<Vec<Peers>, Box<dyn Error>> {
        drop(self.told.take());
        let lines = self.heard.join().map_err(|_| "the peers were not heard")??;
        if !self.child.wait()?.success() || lines.len() != self.files.len() {
            return Err("the peers failed".into());
        }
        let mut all = Vec::new();
        for (path, text) in self.files.iter().zip(&lines) {
            let line: Line = serde_json::from_str(text)?;
            let found = line.ways.into_iter().map(|(name, found)| Ok((name, serde_json::from_value(found)?)));
            all.push(found.collect::<Result<Peers, serde_json::Error>>()?);
            std::fs::remove_file(path)?;
        }
        Ok(all)
    }
}
