//! Ctrl-C while Rust works.
//!
//! Python tells its main thread alone. Where work calls back into Python as it goes along, the calling thread does it and
//! [`asks`](asked) now and then. Other work has a thread of its own while the calling thread waits for its end or for
//! Ctrl-C ([`watched`]), of which [`pressed`] knows in every thread.

use std::cell::RefCell;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use pyo3::prelude::*;

/// Time between two questions to Python.
const PERIOD: Duration = Duration::from_millis(50);
/// Bytes of stack for work: what main threads have.
const STACK: usize = 8 << 20;

/// Calls that are about to raise.
static STOPPING: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// What Python raised in this thread while it was asked.
    static RAISED: RefCell<Option<PyErr>> = const { RefCell::new(None) };
}

/// Whether to stop: Ctrl-C was pressed.
pub(crate) fn pressed() -> bool {
    STOPPING.load(Ordering::Relaxed) > 0
}

/// Does work in a thread of its own, with Python released; what Python raises meanwhile stops the work and arrives here.
///
/// # Errors
/// That, and a thread that cannot be had.
pub(crate) fn watched<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> PyResult<T> {
    let (outcome, raised) = py.detach(|| {
        thread::scope(|scope| -> PyResult<_> {
            // Dropped with the work's end, whatever that is: the calling thread wakes up at once.
            let (alive, ended) = channel::<()>();
            let worker = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, move || {
                let _alive = alive;
                work()
            })?;
            let mut raised = None;
            while ended.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
                if raised.is_none() {
                    raised = Python::attach(|py| py.check_signals()).err();
                    STOPPING.fetch_add(raised.iter().len(), Ordering::Relaxed);
                }
            }
            let outcome = worker.join();
            STOPPING.fetch_sub(raised.iter().len(), Ordering::Relaxed);
            Ok((outcome, raised))
        })
    })?;
    match (outcome, raised) {
        (Err(panic), _) => resume_unwind(panic),
        (Ok(_), Some(raised)) => Err(raised),
        (Ok(outcome), None) => Ok(outcome),
    }
}

/// Whether to stop, as Python says in this thread; what it raised is kept for [`check`].
pub(crate) fn asked() -> bool {
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

/// Raises what [`asked`] was told.
///
/// # Errors
/// That.
pub(crate) fn check() -> PyResult<()> {
    RAISED.take().map_or(Ok(()), Err)
}
