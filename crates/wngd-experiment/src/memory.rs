//! What memory there is, and what is refused because it cannot fit.
//!
//! Needs are counted low, so that nothing is refused that would have gone well: they tell of the arrays that are sure to come.

use std::fs::read_to_string;

/// Bytes of the values in a cell that every descent holds: state, logarithm, data, derivative, and what a step tries.
const CELL: u64 = 80;
/// Bytes in a cell of one column of the Jacobian, whitened in place.
const COLUMN: u64 = 8;
/// Bytes in a cell of the factor of a weighted Laplacian in the plane, its analysis included.
const FACTOR: u64 = 500;

/// Bytes that a descent needs.
pub(crate) fn of_descents(cells: usize, columns: usize, factored_plane: bool) -> u64 {
    let factor = if factored_plane { FACTOR } else { 0 };
    (cells as u64).saturating_mul(CELL + factor + COLUMN.saturating_mul(columns as u64))
}

/// What is wrong with a need of so many bytes, if it is more than there are; `remedy`: what would need less.
pub(crate) fn lacking(need: u64, remedy: &str) -> Option<String> {
    let free = available()?;
    let mega = |bytes: u64| (bytes as f64 / 1e6).ceil();
    (need > free).then(|| {
        format!("about {} MB of memory are needed at least, and {} MB are left; {remedy}", mega(need), mega(free))
    })
}

/// Bytes that this process may still take, as far as the system tells: of the machine's memory, of the group that the
/// process is in, of its own address space.
pub(crate) fn available() -> Option<u64> {
    let machine =
        read_to_string("/proc/meminfo").ok().and_then(|text| after(&text, "MemAvailable:")).map(|kb| kb << 10);
    let limits = read_to_string("/proc/self/limits").ok();
    let space = limits.and_then(|text| after(&text, "Max address space"));
    let used = read_to_string("/proc/self/status").ok().and_then(|text| after(&text, "VmSize:")).map(|kb| kb << 10);
    let own = space.zip(used).map(|(space, used)| space.saturating_sub(used));
    let group = read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse().ok());
    [machine, own, group].into_iter().flatten().min()
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
    fn only_what_does_not_fit_is_lacking() {
        assert_eq!(lacking(1000, "no"), None);
        if available().is_some() {
            assert!(lacking(u64::MAX, "use fewer cells").is_some_and(|text| text.ends_with("use fewer cells")));
        }
    }
}
