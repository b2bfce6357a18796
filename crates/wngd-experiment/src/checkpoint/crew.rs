//! Processes that do the units of one command together.

use std::fmt::Debug;

/// The processes of one command: one of them hands out units and keeps what is done, the others do them.
pub trait Crew: Debug + Sync {
    /// Whether this process is the one that hands out, keeps and makes the result.
    fn leads(&self) -> bool;
    /// Has units done by the others and lets them go; `done` is told what each came to. What nobody did is not told.
    fn lead(&self, units: &mut dyn Iterator<Item = usize>, done: &mut dyn FnMut(String));
    /// Does what is handed out until this process is let go, or `one` has nothing more to give.
    fn follow(&self, one: &mut dyn FnMut(usize) -> Option<String>);
}
