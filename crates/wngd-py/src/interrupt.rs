//! Ctrl-C while Rust works: Python is asked now and then, and what it raises stops the work.

use std::cell::RefCell;

use pyo3::prelude::*;

thread_local! {
    /// What Python raised in this thread while it was asked.
    static RAISED: RefCell<Option<PyErr>> = const { RefCell::new(None) };
}

/// Whether to stop.
pub(crate) fn pressed() -> bool {
    if RAISED.with_borrow(Option::is_some) {
        return true;
    }
    match Python::attach(|py| py.check_signals()) {
        Ok(()) => false,
        Err(raised) => {
            RAISED.set(Some(raised));
            true
        }
    }
}

/// Raises what stopped the work.
///
/// # Errors
/// That.
pub(crate) fn check() -> PyResult<()> {
    RAISED.take().map_or(Ok(()), Err)
}
