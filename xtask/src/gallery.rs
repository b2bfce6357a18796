//! The figures of docs/gallery.md: the page's commands are run, and what they draw is copied.
//!
//! A figure is a line `<!-- from: FOLDER/FILE -->` and, below it, a link to the image that it becomes.

use std::error::Error;
use std::path::Path;
use std::process::Command;

use clap::Args;

use crate::place::root;

/// Most bytes of all images together.
const MOST: u64 = 1_500_000;
/// What comes before the source of an image.
const FROM: &str = "<!-- from: ";

#[derive(Args, Default)]
pub(crate) struct Gallery {
    /// Only sections whose commands contain this word.
    #[arg(long, value_name = "WORD")]
    only: Option<String>,
}

/// A command of the page, or an image: its source in the folder of results and its place beside the page.
#[derive(Debug, PartialEq)]
enum Step {
    Command(String),
    Image(String, String),
}

impl Gallery {
    pub(crate) fn run(&self) -> Result<(), Box<dyn Error>> {
        let page = std::fs::read_to_string(root().join("docs/gallery.md"))?;
        // With the features of the whole workspace, as tests build it: nothing is compiled twice.
        let build = ["build", "--release", "--workspace", "--bin", "wngd"];
        if !Command::new(env!("CARGO")).args(build).current_dir(root()).status()?.success() {
            return Err("wngd does not build".into());
        }
        let folder = root().join("target/gallery");
        if self.only.is_none() && folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        for section in page.split("\n## ") {
            let steps = steps(section)?;
            let wanted = |word: &String| steps.iter().any(|s| matches!(s, Step::Command(c) if c.contains(word)));
            if self.only.as_ref().is_some_and(|word| !wanted(word)) {
                continue;
            }
            for step in &steps {
                match step {
                    Step::Command(command) => carry_out(command, &folder)?,
                    Step::Image(from, to) => {
                        let to = root().join("docs").join(to);
                        std::fs::create_dir_all(to.parent().unwrap_or(&folder))?;
                        std::fs::copy(folder.join(from), &to).map_err(|e| format!("{from}: {e}"))?;
                        println!("  {}", to.display());
                    }
                }
            }
        }
        small(&root().join("docs/images/gallery"))
    }
}

/// Refuses images that are too large together.
fn small(folder: &Path) -> Result<(), Box<dyn Error>> {
    let sizes = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.metadata()?.len()));
    let total: u64 = sizes.sum::<std::io::Result<u64>>()?;
    if total > MOST {
        return Err(format!("the images have {total} bytes together, more than {MOST}").into());
    }
    Ok(())
}

fn carry_out(command: &str, folder: &Path) -> Result<(), Box<dyn Error>> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let program = root().join(format!("target/release/wngd{}", std::env::consts::EXE_SUFFIX));
    println!("== {command}");
    let status = Command::new(program).args(&words[1..]).current_dir(folder).status()?;
    // 1: stalled or stopped, which some experiments are there to show.
    if status.code().is_none_or(|code| code > 1) {
        return Err(format!("{command}: {status}").into());
    }
    Ok(())
}

/// What a section's blocks run and its images come from, in order.
fn steps(section: &str) -> Result<Vec<Step>, Box<dyn Error>> {
    let mut steps = Vec::new();
    let mut lines = section.lines();
    let mut inside = false;
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            inside = line.starts_with("```sh") && !inside;
        } else if inside && line.starts_with("wngd ") && !line.starts_with("wngd play") {
            // A page that is open until someone closes it draws nothing here.
            let command = line.split("  #").next().unwrap_or(line).trim();
            steps.push(Step::Command(command.to_string()));
        } else if let Some(from) = line.strip_prefix(FROM).and_then(|rest| rest.strip_suffix(" -->")) {
            let link = lines.find(|l| l.starts_with("![")).ok_or_else(|| format!("{from}: no image follows"))?;
            let to = link.split_once("](").and_then(|(_, rest)| rest.split_once(')'));
            let (to, _) = to.ok_or_else(|| format!("{from}: the image has no address"))?;
            if !to.starts_with("images/") || to.contains("..") {
                return Err(format!("{to}: images of the gallery are in images").into());
            }
            steps.push(Step::Image(from.to_string(), to.to_string()));
        }
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_commands_and_images() {
        let text = "Title\n\n```sh\nwngd fit a.csv --out fit  # two\nls\n```\n\nWords.\n\n<!-- from: fit/samples.svg -->\n\n![What](images/gallery/fit.svg)\n";
        let image = Step::Image("fit/samples.svg".into(), "images/gallery/fit.svg".into());
        assert_eq!(steps(text).unwrap(), [Step::Command("wngd fit a.csv --out fit".into()), image]);
        assert!(steps("<!-- from: a.svg -->\n![x](../a.svg)").is_err());
        assert!(steps("<!-- from: a.svg -->\nno image").is_err());
    }

    #[test]
    fn the_gallery_has_its_images_and_every_experiment() {
        let page = std::fs::read_to_string(root().join("docs/gallery.md")).unwrap();
        let steps: Vec<Step> = page.split("\n## ").flat_map(|s| steps(s).unwrap()).collect();
        for step in &steps {
            if let Step::Image(_, to) = step {
                assert!(root().join("docs").join(to).is_file(), "{to} is missing: cargo xtask gallery");
            }
        }
        for name in wngd_experiment::source::builtin::names() {
            let shown = steps.iter().any(|s| matches!(s, Step::Command(c) if c.contains(name)));
            assert!(shown, "no command of the gallery shows {name}");
        }
        small(&root().join("docs/images/gallery")).unwrap();
    }
}
