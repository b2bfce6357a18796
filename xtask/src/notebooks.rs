//! Notebooks of crates/wngd-py, carried out with the wheel; their page in the book is what they print and draw.

use std::error::Error;
use std::fs;
use std::path::Path;

use crate::place::root;
use crate::python::{environment, install, program, succeed};

/// What the notebooks are run and written out by, and what they import.
const WITH: [&str; 8] =
    ["nbconvert>=7", "ipykernel", "matplotlib", "pandas", "scipy", "jax", "pygments", "scikit-learn>=1.6"];
/// In the order of the page.
const NOTEBOOKS: [&str; 5] = ["mixture", "histogram", "lorenz", "own-model", "coefficient"];
const HEAD: &str = "# Notebooks\n\nFive notebooks, as `cargo xtask wheel` carries them out: they are in `crates/wngd-py/notebooks` and run wherever the\nwheel is installed with Matplotlib, pandas, SciPy and JAX.\n";

/// Carries all notebooks out in an environment of their own; where `pages`, writes their page and pictures into docs.
pub(crate) fn run(place: &Path, wheel: &Path, pages: bool) -> Result<(), Box<dyn Error>> {
    println!("== notebooks");
    let tools = environment(&place.join("notebooks"))?;
    install(&tools, &WITH)?;
    install(&tools, &["--force-reinstall", "--no-deps", &wheel.to_string_lossy()])?;
    let work = place.join("notebooks-work");
    if work.exists() {
        fs::remove_dir_all(&work)?;
    }
    fs::create_dir_all(&work)?;
    let source = root().join("crates/wngd-py/notebooks");
    for entry in fs::read_dir(&source)? {
        let entry = entry?;
        fs::copy(entry.path(), work.join(entry.file_name()))?;
    }
    let mut page = HEAD.to_string();
    for name in NOTEBOOKS {
        let mut convert = std::process::Command::new(program(&tools, "python"));
        convert.args(["-m", "nbconvert", "--to", "markdown", "--execute", "--log-level", "WARN"]);
        convert.arg(format!("{name}.ipynb")).current_dir(&work);
        succeed(&mut convert, &format!("{name}.ipynb does not run"))?;
        let text = fs::read_to_string(work.join(format!("{name}.md")))?;
        // Headings one level down, pictures where the book has its own.
        let text = text.replacen("# ", "## ", 1).replace(&format!("({name}_files/"), "(images/notebooks/");
        page += "\n";
        page += text.trim_start();
    }
    if pages {
        let pictures = root().join("docs/images/notebooks");
        if pictures.exists() {
            fs::remove_dir_all(&pictures)?;
        }
        fs::create_dir_all(&pictures)?;
        for name in NOTEBOOKS {
            let Ok(files) = fs::read_dir(work.join(format!("{name}_files"))) else { continue };
            for file in files {
                let file = file?;
                fs::copy(file.path(), pictures.join(file.file_name()))?;
            }
        }
        fs::write(root().join("docs/notebooks.md"), page.trim_end().to_string() + "\n")?;
        println!("== docs/notebooks.md written");
    }
    Ok(())
}
