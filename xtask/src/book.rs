//! The book: docs/ as pages to read in a browser, in target/book.

use std::error::Error;
use std::process::Command;

use crate::place::root;
use crate::tools;

/// The version that builds the book.
const MDBOOK: &str = "0.5.4";

/// Builds the book.
pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let mdbook = tools::ensure("mdbook", MDBOOK)?;
    if !Command::new(mdbook).arg("build").arg(root().join("docs")).status()?.success() {
        return Err("the book could not be built".into());
    }
    println!("the book: target/book/index.html");
    Ok(())
}
