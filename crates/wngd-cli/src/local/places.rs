//! Room for connections: where it ends, whoever has not asked anything yet goes first, the oldest before others.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Connections that are held; a browser opens six, and each takes a file of this process.
const ROOM: usize = 128;

/// The connections that there are, by their numbers, which grow.
#[derive(Default)]
pub(super) struct Places {
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    next: u64,
    connections: BTreeMap<u64, Connection>,
}

struct Connection {
    /// Whether a request came.
    asked: bool,
    /// Told when its place is needed.
    leave: Arc<Notify>,
}

/// A connection's place; dropping it gives it back.
pub(super) struct Place {
    number: u64,
    leave: Arc<Notify>,
    places: Arc<Places>,
}

impl Places {
    /// A place, for which another connection may have to go.
    pub(super) fn enter(self: &Arc<Self>) -> Place {
        let leave = Arc::new(Notify::new());
        let mut held = self.held();
        if held.connections.len() >= ROOM {
            let oldest =
                |asked: bool| held.connections.iter().find(|(_, c)| c.asked == asked).map(|(number, _)| *number);
            if let Some(gone) =
                oldest(false).or_else(|| oldest(true)).and_then(|number| held.connections.remove(&number))
            {
                gone.leave.notify_one();
            }
        }
        let number = held.next;
        held.next += 1;
        held.connections.insert(number, Connection { asked: false, leave: leave.clone() });
        drop(held);
        Place { number, leave, places: self.clone() }
    }

    /// A request came.
    pub(super) fn asked(&self, number: u64) {
        if let Some(connection) = self.held().connections.get_mut(&number) {
            connection.asked = true;
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // Whoever panicked left it consistent.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Its number.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Serves a connection as long as the place is its own.
    pub(super) async fn held(self, connection: impl Future) {
        tokio::select! {
            _ = connection => {}
            () = self.leave.notified() => {}
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.held().connections.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silent_connections_make_room_first_and_old_ones_before_new() {
        let places = Arc::new(Places::default());
        let mut kept: Vec<Place> = (0..ROOM).map(|_| places.enter()).collect();
        let here = |places: &Places, number: u64| places.held().connections.contains_key(&number);
        places.asked(0);
        kept.push(places.enter());
        assert!(here(&places, 0) && !here(&places, 1) && here(&places, 2));
        assert_eq!(places.held().connections.len(), ROOM);
        drop(kept);
        assert_eq!(places.held().connections.len(), 0);
    }
}
