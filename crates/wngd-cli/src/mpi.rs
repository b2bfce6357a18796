//! The processes that `mpirun` started: rank 0 hands out units and keeps what comes back, the others do them.

use std::collections::HashSet;
use std::ffi::c_int;
use std::time::Duration;

use mpi::environment::Universe;
use mpi::point_to_point::{Destination, MatchedReceiveVec, Source};
use mpi::topology::{Communicator, SimpleCommunicator};
use wngd_experiment::checkpoint::Crew;

/// What a message says: a number is handed out, a unit comes back, nothing comes back, there is no more.
const UNIT: c_int = 1;
const DONE: c_int = 2;
const READY: c_int = 3;
const LEAVE: c_int = 4;
/// Between looks for a message: MPI's own waiting takes a whole core.
const PAUSE: Duration = Duration::from_micros(200);
/// What tells a process that others were started with it, by OpenMPI and by those with PMI.
const STARTED: [&str; 2] = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"];

/// The processes of this command, until it ends.
pub struct Processes(Universe);

impl Processes {
    /// Those that this one was started with; none where it is alone.
    pub fn started() -> Option<Self> {
        if started() { mpi::initialize().map(Self) } else { None }
    }

    /// Whether this is the one that prints.
    pub fn speaks(&self) -> bool {
        self.0.world().rank() == 0
    }

    /// Ends all of them.
    pub fn abort(&self, code: u8) -> ! {
        self.0.world().abort(c_int::from(code))
    }
}

/// The processes as those that share units.
#[derive(Debug)]
struct Ranks;

/// Those that were started, if there are several.
pub fn crew() -> Option<&'static dyn Crew> {
    started().then_some(&Ranks)
}

fn started() -> bool {
    let several = |name: &&str| std::env::var(name).ok().and_then(|n| n.parse().ok()).is_some_and(|n: usize| n > 1);
    STARTED.iter().any(|name| several(&name))
}

/// The next message of anyone whom this process hears: who, what, and its bytes.
fn heard() -> (c_int, c_int, Vec<u8>) {
    let world = SimpleCommunicator::world();
    loop {
        if let Some(message) = world.any_process().immediate_matched_probe() {
            let (bytes, status) = message.matched_receive_vec::<u8>();
            return (status.source_rank(), status.tag(), bytes);
        }
        std::thread::sleep(PAUSE);
    }
}

fn tell(rank: c_int, what: c_int, bytes: &[u8]) {
    SimpleCommunicator::world().process_at_rank(rank).send_with_tag(bytes, what);
}

impl Crew for Ranks {
    fn leads(&self) -> bool {
        SimpleCommunicator::world().rank() == 0
    }

    fn lead(&self, units: &mut dyn Iterator<Item = usize>, done: &mut dyn FnMut(String)) {
        let mut there: HashSet<c_int> = (1..SimpleCommunicator::world().size()).collect();
        while !there.is_empty() {
            let (rank, what, bytes) = heard();
            match what {
                DONE => done(String::from_utf8_lossy(&bytes).into_owned()),
                READY => {}
                _ => {
                    there.remove(&rank);
                    continue;
                }
            }
            match units.next() {
                Some(unit) => tell(rank, UNIT, &(unit as u64).to_le_bytes()),
                None => {
                    there.remove(&rank);
                    tell(rank, LEAVE, &[]);
                }
            }
        }
    }

    fn follow(&self, one: &mut dyn FnMut(usize) -> Option<String>) {
        tell(0, READY, &[]);
        loop {
            let (_, what, bytes) = heard();
            let unit = <[u8; 8]>::try_from(&bytes[..]).ok().filter(|_| what == UNIT);
            let Some(unit) = unit else { return };
            match one(u64::from_le_bytes(unit) as usize) {
                Some(text) => tell(0, DONE, text.as_bytes()),
                None => return tell(0, LEAVE, &[]),
            }
        }
    }
}
