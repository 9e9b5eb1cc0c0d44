//! What the kernel tells of a process: processor time and memory; and who listens on a port.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// A state of a process that is listening, in `/proc/net/tcp`.
const LISTEN: &str = "0A";

/// Processor time and memory of a process at one time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Usage {
    /// In user and kernel space together, in microseconds; in steps of a clock tick, mostly 10 ms.
    pub(super) cpu_us: u64,
    /// Resident memory, in bytes.
    pub(super) rss_bytes: u64,
    /// Its share of it, what others use as well divided among them; 0 where it may not be read.
    pub(super) pss_bytes: u64,
}

/// `None` if there is no such process.
pub(super) fn usage(pid: u32) -> Option<Usage> {
    let process = PathBuf::from(format!("/proc/{pid}"));
    let rollup = fs::read_to_string(process.join("smaps_rollup")).unwrap_or_default();
    let status = fs::read_to_string(process.join("status")).ok()?;
    let stat = fs::read_to_string(process.join("stat")).ok()?;
    Some(Usage {
        cpu_us: cpu_ticks(&stat)? * 1_000_000 / rustix::param::clock_ticks_per_second().max(1),
        rss_bytes: kib(&status, "VmRSS:").unwrap_or(0) * 1_024,
        pss_bytes: kib(&rollup, "Pss:").unwrap_or(0) * 1_024,
    })
}

/// `utime` and `stime`, the 14th and 15th field of `proc_pid_stat(5)`; the second may hold
/// spaces and brackets.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11).map(str::parse::<u64>);
    Some(fields.next()?.ok()? + fields.next()?.ok()?)
}

fn kib(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The process on this machine that listens on this port, if it is one that may be looked into.
pub(super) fn listening_on(address: SocketAddr) -> Option<u32> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| fs::read_to_string(path).unwrap_or_default());
    let links: Vec<_> = tables
        .iter()
        .flat_map(|table| listening_inodes(table, address.port()))
        .map(|inode| PathBuf::from(format!("socket:[{inode}]")))
        .collect();
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let mut pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.find(|pid| *pid != std::process::id() && holds(*pid, &links))
}

fn listening_inodes(table: &str, port: u16) -> Vec<u64> {
    let row = |line: &str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let (_, hex) = fields.get(1)?.rsplit_once(':')?;
        let is_it = u16::from_str_radix(hex, 16) == Ok(port) && *fields.get(3)? == LISTEN;
        is_it.then(|| fields.get(9)?.parse().ok()).flatten()
    };
    table.lines().skip(1).filter_map(row).collect()
}

fn holds(pid: u32, links: &[PathBuf]) -> bool {
    let Ok(descriptors) = fs::read_dir(Path::new("/proc").join(pid.to_string()).join("fd")) else {
        return false;
    };
    descriptors
        .flatten()
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .any(|link| links.contains(&link))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_whose_name_has_brackets_and_spaces_is_read_the_same() {
        let stat = "7 (a) (b c) S 1 7 7 0 -1 4194560 200 0 0 0 31 11 5 6 20 0 1 0 100 0 0";
        assert_eq!(cpu_ticks(stat), Some(42));
        assert_eq!(cpu_ticks("7 (a"), None);
        assert_eq!(cpu_ticks("7 (a) S 1"), None);
    }

    #[test]
    fn this_process_has_memory_and_one_that_is_not_there_has_none() {
        let usage = usage(std::process::id()).unwrap();
        assert!(usage.rss_bytes > 0 && usage.pss_bytes <= usage.rss_bytes, "{usage:?}");
        assert!(super::usage(u32::MAX).is_none());
    }

    #[test]
    fn only_a_listener_on_the_port_is_found() {
        let row = |port: &str, state: &str, inode: u32| {
            let rest = "00000000:00000000 00:00000000 00000000 0 0";
            format!("0: 0100007F:{port} 00000000:0000 {state} {rest} {inode} 1 0 100\n")
        };
        let table =
            ["head\n", &row("1F90", "0A", 111), &row("1F90", "01", 222), &row("1F91", "0A", 333)].concat();
        let table = table.as_str();
        assert_eq!(listening_inodes(table, 8_080), [111]);
        assert_eq!(listening_inodes(table, 80), [0; 0]);
        assert_eq!(listening_inodes("", 80), [0; 0]);
    }
}
