//! What memory there is, and what is refused because it cannot fit.
//!
//! Needs are those measured at the peak of commands with 150² to 500² and 24³ to 32³ cells and 4 to 80 columns, so that what
//! is asked for in vain is refused instead of stopping the program. Close to the limit either may happen: the peak depends on
//! the order in which arrays come and go.

use std::fs::read_to_string;

use wngd::models::flow::Discretisation;

/// Bytes of the values in a cell that every descent holds: state, logarithm, data, derivative, and what a step tries.
const CELL: u64 = 80;
/// Bytes in a cell of one column of the Jacobian, with its copies on the way to a direction.
const COLUMN: u64 = 34;
/// Bytes in a cell of the factor of a weighted Laplacian in the plane, its analysis included.
const FACTOR: u64 = 700;
/// Bytes in a cell of a stationary density by finite volumes.
const VOLUMES: u64 = 470;
/// Bytes in a cell of one by cells carried along, in up to two and in three dimensions.
const CARRIED: [u64; 2] = [890, 2150];

/// Bytes in a cell of a probe of a sketch.
const PROBE: u64 = 22;

/// What allocators leave unused, as a part of what is needed.
const MARGIN: u64 = 10;
/// The same where the address space is limited: what is reserved counts there, used or not.
const RESERVED: u64 = 2;
/// Bytes of addresses that glibc reserves for the memory of each thread but the first.
const ARENA: u64 = 64 << 20;

/// Bytes that a descent needs.
pub(crate) fn of_descents(cells: usize, columns: usize, factored_plane: bool) -> u64 {
    let factor = if factored_plane { FACTOR } else { 0 };
    (cells as u64).saturating_mul(COLUMN.saturating_mul(columns as u64).saturating_add(CELL + factor))
}

/// Bytes that a study of sketches needs.
pub(crate) fn of_sketches(cells: usize, columns: usize, probes: usize, factored_plane: bool) -> u64 {
    let probes = (probes as u64).saturating_mul(PROBE);
    let factors = if factored_plane { FACTOR / 2 } else { 0 };
    of_descents(cells, columns, factored_plane)
        .saturating_add((cells as u64).saturating_mul(probes.saturating_add(factors)))
}

/// Bytes that a stationary density needs.
pub(crate) fn of_stationary(cells: usize, dim: usize, scheme: &Discretisation) -> u64 {
    let cell = match scheme {
        Discretisation::SemiLagrangian { .. } => CARRIED[usize::from(dim > 2)],
        _ => VOLUMES,
    };
    (cells as u64).saturating_mul(cell)
}

/// What is wrong with a need of so many bytes, if it is more than there are; `remedy`: what would need less.
pub(crate) fn lacking(need: u64, remedy: &str) -> Option<String> {
    let [machine, own] = free();
    let mega = |bytes: u64| (bytes as f64 / 1e6).ceil();
    [(machine, MARGIN), (own, RESERVED)].into_iter().find_map(|(free, margin)| {
        let (free, need) = (free?, need.saturating_add(need / margin));
        (need > free)
            .then(|| format!("about {} MB of memory are needed, and {} MB are left; {remedy}", mega(need), mega(free)))
    })
}

/// Bytes that this process may still take, as far as the system tells: of the machine's memory or the group that the
/// process is in, and of its own address space.
fn free() -> [Option<u64>; 2] {
    let machine =
        read_to_string("/proc/meminfo").ok().and_then(|text| after(&text, "MemAvailable:")).map(|kb| kb << 10);
    let limits = read_to_string("/proc/self/limits").ok();
    let space = limits.and_then(|text| after(&text, "Max address space"));
    if space.is_some() {
        // Each thread reserves addresses of its own when it first asks for memory.
        rayon::broadcast(|_| drop(std::hint::black_box(vec![0u8; 64])));
    }
    let used = read_to_string("/proc/self/status").ok().and_then(|text| after(&text, "VmSize:")).map(|kb| kb << 10);
    let used = used.zip(space).map(|(used, _)| used.saturating_add(unreserved()));
    let own = space.zip(used).map(|(space, used)| space.saturating_sub(used));
    let group = read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse().ok());
    [[machine, group].into_iter().flatten().min(), own]
}

/// Bytes of addresses that threads could not reserve yet: they try again whenever they ask for memory, and take them in the
/// middle of the work once something else has been given back.
fn unreserved() -> u64 {
    if !cfg!(target_env = "gnu") {
        return 0;
    }
    let maps = read_to_string("/proc/self/maps").unwrap_or_default();
    let reserved = maps.lines().filter(|line| is_arena(line)).count();
    rayon::current_num_threads().saturating_sub(reserved) as u64 * ARENA
}

/// Whether a line of /proc/self/maps is the unused part of what glibc reserves for a thread.
fn is_arena(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let (Some(range), Some("---p")) = (words.next(), words.next()) else { return false };
    let ends = range.split_once('-').map(|(a, b)| (u64::from_str_radix(a, 16), u64::from_str_radix(b, 16)));
    matches!(ends, Some((Ok(a), Ok(b))) if (ARENA / 4..=ARENA).contains(&b.saturating_sub(a)))
}

/// The number after a label, on its line.
fn after(text: &str, label: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(label))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_after_their_labels() {
        let text = "MemTotal: 5 kB\nMax address space  unlimited  unlimited bytes\nVmSize:\t  12 kB\n";
        assert_eq!(after(text, "VmSize:"), Some(12));
        assert_eq!(after(text, "Max address space"), None);
        assert_eq!(after(text, "VmRSS:"), None);
    }

    #[test]
    fn what_threads_reserve_is_seen() {
        assert!(is_arena("7f0a70021000-7f0a74000000 ---p 00000000 00:00 0"));
        for other in [
            "7f0a70000000-7f0a70021000 rw-p 00000000 00:00 0",
            "7f0a70021000-7f0a70022000 ---p 00000000 00:00 0",
            "7f0a74000000-7f0a70021000 x",
            "",
        ] {
            assert!(!is_arena(other), "{other}");
        }
    }

    #[test]
    fn needs_grow_with_cells_and_columns_and_do_not_wrap() {
        assert!(of_descents(1000, 4, true) > of_descents(1000, 4, false));
        assert!(of_descents(1000, 5, false) > of_descents(1000, 4, false));
        assert_eq!(of_descents(usize::MAX, usize::MAX, true), u64::MAX);
        assert!(of_sketches(1000, 4, 9, true) > of_sketches(1000, 4, 8, true));
        let scheme = crate::schemes::USUAL;
        assert!(of_stationary(1000, 3, &scheme) > of_stationary(1000, 2, &scheme));
        assert_eq!(of_stationary(usize::MAX, 3, &scheme), u64::MAX);
    }

    #[test]
    fn only_what_does_not_fit_is_lacking() {
        assert_eq!(lacking(1000, "no"), None);
        if free().iter().any(Option::is_some) {
            assert!(lacking(u64::MAX, "use fewer cells").is_some_and(|text| text.ends_with("use fewer cells")));
        }
    }
}
