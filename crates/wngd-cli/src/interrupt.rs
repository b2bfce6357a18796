//! Ctrl-C: finish the iteration under way and keep what there is.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::output::tell;

static PRESSED: AtomicUsize = AtomicUsize::new(0);

/// Catches Ctrl-C from now on; a second one ends the program at once.
pub fn install() {
    // Failure means that another handler is in place; Ctrl-C then ends the program as usual.
    let _ = ctrlc::set_handler(|| {
        if PRESSED.fetch_add(1, Ordering::SeqCst) > 0 {
            std::process::exit(130);
        }
        tell("stopping after this iteration; press Ctrl-C again to end at once");
    });
}

/// Whether Ctrl-C was pressed.
pub fn pressed() -> bool {
    PRESSED.load(Ordering::SeqCst) > 0
}
