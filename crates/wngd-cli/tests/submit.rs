//! `wngd submit` with programs in the place of `sbatch` and `hq` that do the tasks of a script, and fail where told to.
//! `cargo xtask slurm` runs it under Slurm itself.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use common::{code, stderr, wngd};

const BASIN: [&str; 6] = ["basin", "mixture-mu1", "--counts", "4,3", "--quiet", "--out"];

/// Takes what the engine's program takes and does the tasks one after the other; those that `bad` names fail once.
const FAKE: &str = r#"#!/bin/sh
here=$(dirname "$0")
echo "$@" >> "$here/asked"
[ -f "$here/refuses" ] && { echo "no such partition" >&2; exit 1; }
for word; do
  case $word in
    --array=*) array=${word#--array=};;
    --output=*|--stdout=*) log=${word#*=};;
    --chdir=*|--cwd=*) cd "${word#*=}" || exit 1;;
  esac
  script=$word
done
echo 17
failed=0
for range in $(echo "$array" | tr , ' '); do
  i=${range%-*}
  while [ "$i" -le "${range#*-}" ]; do
    out=$(echo "$log" | sed "s/%a/$i/; s/%{TASK_ID}/$i/")
    if [ -f "$here/bad-$i" ]; then
      rm "$here/bad-$i"; echo lost > "$out"; failed=1
    else
      SLURM_ARRAY_TASK_ID=$i HQ_TASK_ID=$i /bin/sh "$script" > "$out" 2>&1 || failed=1
    fi
    i=$((i + 1))
  done
done
exit $failed
"#;

fn engine(folder: &Path, program: &str) {
    let path = folder.join(program);
    std::fs::write(&path, FAKE).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn submit(folder: &Path, bin: &Path, options: &[&str], command: &[&str]) -> Output {
    let path = format!("{}:/usr/bin:/bin", bin.display());
    let mut tool = Command::new(env!("CARGO_BIN_EXE_wngd"));
    tool.arg("submit").args(options).arg("--").args(command).current_dir(folder).env("PATH", path).output().unwrap()
}

fn map(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("basin.json")).unwrap()
}

#[test]
fn shards_under_an_engine_make_the_bits_of_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    assert_eq!(code(&wngd(dir, &[&BASIN[..], &["one"]].concat())), 0);
    for (engine_name, program) in [("slurm", "sbatch"), ("hyperqueue", "hq")] {
        let bin = tempfile::tempdir().unwrap();
        engine(bin.path(), program);
        let options = ["--engine", engine_name, "--shards", "3", "--engine-args", "--time=30 '--comment=a b'"];
        let output = submit(dir, bin.path(), &options, &[&BASIN[..], &["o"]].concat());
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        assert_eq!(map(&dir.join("o")), map(&dir.join("one")));
        assert!(stderr(&output).contains("job 17") && stderr(&output).contains("o/submitted"), "{}", stderr(&output));
        let asked = std::fs::read_to_string(bin.path().join("asked")).unwrap();
        assert!(asked.contains("--array=0-2") && asked.contains("--wait --time=30 --comment=a b"), "{asked}");
        assert!(dir.join("o/submitted/shard-2.txt").exists());
        std::fs::remove_dir_all(dir.join("o")).unwrap();
    }
}

#[test]
fn what_fails_is_handed_in_again_as_often_as_stated() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, bin) = (folder.path(), tempfile::tempdir().unwrap());
    engine(bin.path(), "sbatch");
    let bad = |i: usize| std::fs::write(bin.path().join(format!("bad-{i}")), "").unwrap();
    let options = ["--engine", "slurm", "--shards", "4"];
    let command = [&BASIN[..], &["o"]].concat();
    bad(1);
    bad(3);
    let output = submit(dir, bin.path(), &options, &command);
    assert_eq!(code(&output), 2);
    for part in ["shards 1,3 not done", "o/submitted", "type the same again"] {
        assert!(stderr(&output).contains(part), "{part}: {}", stderr(&output));
    }
    bad(3);
    // Only what is left is handed in.
    let output = submit(dir, bin.path(), &[&options[..], &["--retries", "1"]].concat(), &command);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stderr(&output).contains("shard 3 of job 17 are not done: handed in again"), "{}", stderr(&output));
    let asked = std::fs::read_to_string(bin.path().join("asked")).unwrap();
    let arrays: Vec<&str> = asked.split(' ').filter_map(|word| word.strip_prefix("--array=")).collect();
    assert_eq!(arrays, ["0-3", "1,3", "3"]);
    // An engine that waits for nobody.
    std::fs::remove_dir_all(dir.join("o")).unwrap();
    let output = submit(dir, bin.path(), &[&options[..], &["--detach"]].concat(), &command);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stderr(&output).contains("wngd merge o") && !dir.join("o/basin.json").exists());
    assert!(!std::fs::read_to_string(bin.path().join("asked")).unwrap().lines().last().unwrap().contains("--wait"));
    assert_eq!(code(&wngd(dir, &["merge", "o", "--quiet"])), 0);
}

#[test]
fn what_cannot_be_submitted_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, bin) = (folder.path(), tempfile::tempdir().unwrap());
    let command = [&BASIN[..], &["o"]].concat();
    let told = |options: &[&str], command: &[&str], parts: &[&str]| {
        let output = submit(dir, bin.path(), options, command);
        assert_eq!(code(&output), 2, "{}", stderr(&output));
        parts.iter().for_each(|part| assert!(stderr(&output).contains(part), "{part}: {}", stderr(&output)));
    };
    let slurm = ["--engine", "slurm", "--shards", "2"];
    let hq = ["--engine", "hyperqueue", "--shards", "2"];
    told(&hq, &command, &["--engine", "hq is not on PATH", "--shard i/2"]);
    engine(bin.path(), "sbatch");
    std::fs::write(bin.path().join("refuses"), "").unwrap();
    told(&slurm, &command, &["no such partition", "sbatch took no job"]);
    told(&["--engine", "slurm", "--shards", "0"], &command, &["--shards", "between 1 and 100000"]);
    told(&["--engine", "pbs", "--shards", "2"], &command, &["hyperqueue, slurm"]);
    told(&[&slurm[..], &["--engine-args", "'a"]].concat(), &command, &["--engine-args", "a quote does not end"]);
    told(&slurm, &["run", "mixture-mu1", "--out", "o"], &["\"run\"", "basin, toys, sketch, profile, identify"]);
    told(&slurm, &command[..5], &["--out FOLDER"]);
    told(&slurm, &[&command[..], &["--count", "3"]].concat(), &["--count"]);
    told(&slurm, &["bassin", "mixture-mu1", "--out", "o"], &["bassin"]);
    let help = submit(dir, bin.path(), &slurm, &["basin", "--help"]);
    assert!(code(&help) == 0 && String::from_utf8_lossy(&help.stdout).contains("--counts"));
    told(&slurm, &[&command[..], &["--shard", "0/2"]].concat(), &["--shard belongs to one shard"]);
}
