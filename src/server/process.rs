//! What the kernel tells of this process, each absent where it may not be read.

use rustix::{
    param::page_size,
    process::{Resource, getrlimit},
};
use serde::Serialize;
use std::fs;

/// Memory that is resident, in bytes.
pub(super) fn rss_bytes() -> Option<u64> {
    parse_statm(&fs::read_to_string("/proc/self/statm").ok()?)
}

/// Its share of that: what others use as well is divided among them. In bytes; the kernel walks through
/// all of the process's memory for it.
pub(super) fn pss_bytes() -> Option<u64> {
    parse_pss(&fs::read_to_string("/proc/self/smaps_rollup").ok()?)
}

/// File descriptors: open, and at most.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Descriptors {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) open: Option<usize>,
    pub(super) max: u64,
}

pub(super) fn descriptors() -> Descriptors {
    // One is open only for counting.
    let open = fs::read_dir("/proc/self/fd").ok().map(|entries| entries.count().saturating_sub(1));
    Descriptors { open, max: getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX) }
}

/// The second number of `statm` counts resident pages (`proc_pid_statm(5)`).
fn parse_statm(text: &str) -> Option<u64> {
    let pages: u64 = text.split_whitespace().nth(1)?.parse().ok()?;
    pages.checked_mul(page_size() as u64)
}

fn parse_pss(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_descriptors() {
        assert!(rss_bytes().is_some_and(|bytes| bytes > 100_000));
        assert!(pss_bytes().is_none_or(|bytes| bytes > 0));
        let before = descriptors();
        let _file = fs::File::open("/proc/self/statm").unwrap();
        let after = descriptors();
        // Other tests open and close theirs meanwhile.
        assert!(before.open.is_some_and(|open| open >= 3) && after.open.is_some_and(|open| open >= 3));
        assert!(after.open.is_some_and(|open| open as u64 <= after.max));
    }

    #[test]
    fn what_is_not_as_expected_is_absent() {
        assert_eq!(parse_statm("100 7 1 1 0 1 0\n"), Some(7 * page_size() as u64));
        assert_eq!(parse_pss("5600-7ff [rollup]\nRss:  9 kB\nPss:    3 kB\nPss_Dirty: 1 kB\n"), Some(3_072));
        for text in ["", "7", "7 x", "7 99999999999999999999", "7 18446744073709551615"] {
            assert_eq!(parse_statm(text), None, "{text}");
        }
        for text in ["", "Pss:", "Pss: x kB", "Pss_Dirty: 1 kB", "Pss: 18446744073709551615 kB"] {
            assert_eq!(parse_pss(text), None, "{text}");
        }
    }
}
