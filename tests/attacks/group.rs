//! A memory cgroup: the kernel's own account of what a process and its sockets take, and its limit.

use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

/// What to do where no group can be made.
const ADVICE: &str = "run this as root on a kernel with the memory controller (cgroup v2: `memory` in \
     cgroup.subtree_control of the root; v1: mounted with the option `memory`)";

/// A group of its own, removed when dropped.
#[derive(Debug)]
pub(crate) struct Group {
    path: PathBuf,
    version: Version,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    /// Sockets have a limit and an account of their own.
    One,
    Two,
}

impl Group {
    /// A group in which no more than `bytes` can be had.
    pub(crate) fn new(bytes: u64) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let made = hierarchy().and_then(|(root, version)| {
            let group = Self { path: root.join(format!("roomd-{}-{number}", std::process::id())), version };
            fs::create_dir(&group.path)?;
            group.limit(bytes)?;
            Ok(group)
        });
        made.unwrap_or_else(|error| panic!("no memory cgroup ({error}); {ADVICE}"))
    }

    /// The command, made to enter the group before it becomes `program`.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("sh");
        let enter = format!("echo $$ > '{}' && exec \"$0\" \"$@\"", self.path.join("cgroup.procs").display());
        command.args(["-c", &enter, program]);
        command
    }

    /// The most bytes that were ever taken, the kernel's for sockets included.
    pub(crate) fn peak(&self) -> u64 {
        match self.version {
            // Two peaks that need not have been at the same time: their sum is never too small.
            Version::One => {
                self.read("memory.max_usage_in_bytes") + self.read("memory.kmem.tcp.max_usage_in_bytes")
            }
            Version::Two => self.read("memory.peak"),
        }
    }

    /// How often somebody was killed for want of memory.
    pub(crate) fn kills(&self) -> u64 {
        let file = if self.version == Version::One { "memory.oom_control" } else { "memory.events" };
        let text = fs::read_to_string(self.path.join(file)).unwrap();
        let count = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
        count.unwrap_or_else(|| panic!("no oom_kill in {file}")).parse().unwrap()
    }

    fn limit(&self, bytes: u64) -> io::Result<()> {
        let files = match self.version {
            Version::One => ["memory.limit_in_bytes", "memory.kmem.tcp.limit_in_bytes"].as_slice(),
            Version::Two => &["memory.max"],
        };
        files.iter().try_for_each(|file| fs::write(self.path.join(file), bytes.to_string()))
    }

    fn read(&self, file: &str) -> u64 {
        let text = fs::read_to_string(self.path.join(file));
        let text = text.unwrap_or_else(|error| panic!("{file}: {error}; this needs Linux 5.19 or newer"));
        text.trim().parse().unwrap()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // The process has been waited for, but the kernel may still be clearing up behind it.
        for _ in 0..1_000 {
            match fs::remove_dir(&self.path) {
                Err(error) if error.kind() == ErrorKind::ResourceBusy => std::thread::yield_now(),
                _ => return,
            }
        }
    }
}

/// The root of the memory controller.
fn hierarchy() -> io::Result<(PathBuf, Version)> {
    let mounts = fs::read_to_string("/proc/self/mounts")?;
    let mounts = || mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let of_kind = |kind: &'static str| mounts().filter(move |fields| fields.get(2) == Some(&kind));
    if let Some(fields) = of_kind("cgroup").find(|fields| fields[3].split(',').any(|part| part == "memory")) {
        return Ok((fields[1].into(), Version::One));
    }
    let second = of_kind("cgroup2").map(|fields| PathBuf::from(fields[1])).find(|root| has_memory(root));
    let root = second.ok_or_else(|| io::Error::other("no controller of memory is mounted"))?;
    fs::write(root.join("cgroup.subtree_control"), "+memory")?;
    Ok((root, Version::Two))
}

fn has_memory(root: &Path) -> bool {
    let controllers = fs::read_to_string(root.join("cgroup.controllers")).unwrap_or_default();
    controllers.split_whitespace().any(|controller| controller == "memory")
}
