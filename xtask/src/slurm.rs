//! `wngd submit` under a real Slurm: controller and daemon on this machine, of a folder of their own.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::place::root;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Programs that are needed; Debian's packages slurm-wlm and munge have them.
const NEEDED: [&str; 6] = ["munged", "slurmctld", "slurmd", "sbatch", "sinfo", "scancel"];
/// The map that is shared.
const BASIN: [&str; 5] = ["basin", "mixture-weight", "--counts", "3,2", "--quiet"];
/// Longest time for a daemon to begin, or a job to end.
const PATIENCE: Duration = Duration::from_secs(240);

/// Daemons that end with this value.
struct Daemons(Vec<Child>);

impl Drop for Daemons {
    fn drop(&mut self) {
        for daemon in self.0.iter_mut().rev() {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

/// Compares a map made under Slurm with that of one process.
pub(crate) fn run() -> Outcome<()> {
    let missing: Vec<&str> = NEEDED.into_iter().filter(|name| found(name).is_none()).collect();
    if !missing.is_empty() {
        println!("== skipped: {} not installed; Debian has them in slurm-wlm and munge", missing.join(", "));
        return Ok(());
    }
    let built = Command::new("cargo").args(["build", "--release", "-p", "wngd-cli"]).current_dir(root()).status()?;
    if !built.success() {
        return Err("the tool does not build".into());
    }
    let folder = root().join("target/slurm");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    for name in ["state", "spool", "work"] {
        fs::create_dir_all(folder.join(name))?;
    }
    let _daemons = started(&folder)?;
    let work = folder.join("work");
    let wngd = |arguments: &[&str]| tool(&folder, &work, arguments);
    let check = |what: &str, (code, text): (Option<i32>, String)| -> Outcome<String> {
        print!("{text}");
        if code == Some(0) { Ok(text) } else { Err(format!("{what}: exit {code:?}").into()) }
    };
    println!("== one process");
    check("basin", wngd(&[&BASIN[..], &["--out", "one"]].concat())?)?;
    println!("== wngd submit --engine slurm --shards 4");
    let submit = ["submit", "--engine", "slurm", "--shards", "4", "--retries", "2", "--"];
    check("submit", wngd(&[&submit[..], &BASIN[..], &["--out", "four"]].concat())?)?;
    same(&work, "four")?;
    println!("== the same, a worker killed in the middle");
    let mut job = command(&folder, &work);
    job.args(submit).args(BASIN).args(["--out", "killed"]);
    let mut job = job.spawn()?;
    let clock = Instant::now();
    let part = work.join("killed/shard-0-of-4.wngd");
    while fs::read_to_string(&part).map_or(0, |text| text.lines().count()) < 3 {
        if clock.elapsed() > PATIENCE || job.try_wait()?.is_some() {
            return Err("no shard came to two units before its end".into());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    // The process that holds the shard's lock says who it is.
    let lock = fs::read_to_string(work.join("killed/.wngd-lock-shard-0-of-4.wngd")).unwrap_or_default();
    match lock.strip_prefix("process ").and_then(|rest| rest.split(':').next()) {
        Some(id) => {
            println!("   kill -9 {id}");
            Command::new("kill").args(["-9", id]).status()?;
        }
        None => println!("   the shard was done before it could be killed"),
    }
    let status = job.wait()?;
    if !status.success() {
        return Err(format!("a killed worker was not made good: {status}").into());
    }
    same(&work, "killed")
}

/// Whether a map has the bits of that of one process.
fn same(work: &Path, name: &str) -> Outcome<()> {
    let map = |name: &str| -> Outcome<Value> {
        Ok(serde_json::from_str(&fs::read_to_string(work.join(name).join("basin.json"))?)?)
    };
    if map("one")? != map(name)? {
        return Err(format!("{name}: the map is not that of one process").into());
    }
    println!("   the bits of one process");
    Ok(())
}

fn found(name: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let more = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&paths).chain(more).map(|folder| folder.join(name)).find(|path| path.is_file())
}

fn command(folder: &Path, work: &Path) -> Command {
    let mut command = Command::new(root().join("target/release/wngd"));
    command.current_dir(work).env("SLURM_CONF", folder.join("slurm.conf"));
    command
}

fn tool(folder: &Path, work: &Path, arguments: &[&str]) -> Outcome<(Option<i32>, String)> {
    let output = command(folder, work).args(arguments).output()?;
    Ok((output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()))
}

/// Munge, controller and daemon of one node: this machine.
fn started(folder: &Path) -> Outcome<Daemons> {
    let text = |command: &mut Command| -> Outcome<String> {
        Ok(String::from_utf8_lossy(&command.output()?.stdout).trim().to_string())
    };
    let host = text(Command::new("hostname").arg("-s"))?;
    let cores = std::thread::available_parallelism()?.get();
    let at = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let user = text(Command::new("id").arg("-un"))?;
    let conf = format!(
        "ClusterName=wngd\nSlurmctldHost={host}(127.0.0.1)\nAuthType=auth/munge\nAuthInfo=socket={}\nSlurmUser={user}\n\
         SlurmdUser={user}\nSlurmctldPort=16817\nSlurmdPort=16818\nStateSaveLocation={}\nSlurmdSpoolDir={}\n\
         SlurmctldPidFile={}\nSlurmdPidFile={}\nProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\n\
         SelectType=select/cons_tres\nSelectTypeParameters=CR_CPU\nReturnToService=2\nMpiDefault=none\n\
         NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} State=UNKNOWN\n\
         PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP\n",
        at("munge.sock"),
        at("state"),
        at("spool"),
        at("slurmctld.pid"),
        at("slurmd.pid"),
    );
    fs::write(folder.join("slurm.conf"), conf)?;
    // Any 1024 bytes that others do not know.
    let mut key = vec![0; 1024];
    std::io::Read::read_exact(&mut fs::File::open("/dev/urandom")?, &mut key)?;
    fs::write(folder.join("munge.key"), key)?;
    Command::new("chmod").args(["400", &at("munge.key")]).status()?;
    let mut daemons = Daemons(Vec::new());
    let mut start = |name: &str, arguments: &[String]| -> Outcome<()> {
        let log = fs::File::create(folder.join(format!("{name}.log")))?;
        let mut daemon = Command::new(found(name).ok_or("it is gone")?);
        daemon.args(arguments).env("SLURM_CONF", folder.join("slurm.conf")).stdin(Stdio::null());
        daemons.0.push(daemon.stderr(log.try_clone()?).stdout(log).spawn()?);
        Ok(())
    };
    let munge = ["--foreground", "--force"].map(String::from).into_iter().chain([
        format!("--key-file={}", at("munge.key")),
        format!("--socket={}", at("munge.sock")),
        format!("--pid-file={}", at("munged.pid")),
        format!("--seed-file={}", at("munge.seed")),
    ]);
    start("munged", &munge.collect::<Vec<_>>())?;
    std::thread::sleep(Duration::from_secs(1));
    start("slurmctld", &["-D".into(), "-f".into(), at("slurm.conf")])?;
    start("slurmd", &["-D".into(), "-f".into(), at("slurm.conf"), "-N".into(), host])?;
    let clock = Instant::now();
    loop {
        let mut state = Command::new("sinfo");
        state.args(["--noheader", "--format=%t"]).env("SLURM_CONF", folder.join("slurm.conf"));
        let state = text(&mut state)?;
        if state == "idle" {
            println!("== Slurm on this machine: one node, {cores} cores");
            return Ok(daemons);
        }
        if clock.elapsed() > PATIENCE {
            return Err(format!("Slurm did not begin ({state}); see the logs in target/slurm").into());
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}
