//! A keeper of pieces that stops where it is told to.

use std::sync::Mutex;

use wngd_opt::{Finished, Keep};

/// Stops once it has kept `room` pieces.
pub struct Memory {
    earlier: Vec<Finished>,
    now: Mutex<Vec<Finished>>,
    room: usize,
}

impl Memory {
    pub fn new(earlier: Vec<Finished>, room: usize) -> Self {
        Self { earlier, now: Mutex::default(), room }
    }

    /// What it kept itself.
    pub fn kept(self) -> Vec<Finished> {
        self.now.into_inner().unwrap()
    }
}

impl Keep for Memory {
    fn earlier(&self) -> &[Finished] {
        &self.earlier
    }
    fn keep(&self, finished: &Finished) {
        self.now.lock().unwrap().push(finished.clone());
    }
    fn stopped(&self) -> bool {
        self.now.lock().unwrap().len() >= self.room
    }
}
