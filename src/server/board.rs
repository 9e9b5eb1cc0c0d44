//! What the board is and how it fares. Each fact is absent where it cannot be read: a sandbox hides
//! some, other boards do not have them.

use rustix::system::{sysinfo, uname};
use serde::Serialize;
use std::{fs, path::Path, thread::available_parallelism};

/// The unit of the kernel's load averages (sysinfo(2)).
const LOAD_UNIT: u64 = 1 << 16;

#[derive(Debug, Clone, Serialize)]
pub(super) struct Board {
    hostname: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    machine: String,
    kernel: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpus: Option<usize>,
    load: [f64; 3],
    memory_total_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_available_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature_c: Option<f64>,
    uptime_s: u64,
}

impl Board {
    /// Asks the kernel, and reads the files below `root`.
    #[allow(clippy::useless_conversion, reason = "the kernel's numbers are narrower on other boards")]
    pub(super) fn read(root: &Path) -> Self {
        let (name, info) = (uname(), sysinfo());
        let number = |number| u64::try_from(number).unwrap_or(0);
        let text = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
        Self {
            hostname: text(name.nodename()),
            model: model(root),
            machine: text(name.machine()),
            kernel: format!("{} {}", text(name.sysname()), text(name.release())),
            cpus: available_parallelism().ok().map(Into::into),
            load: info.loads.map(|load| hundredths(load.into())),
            memory_total_bytes: u64::from(info.totalram) * u64::from(info.mem_unit),
            memory_available_bytes: memory_available(root),
            temperature_c: temperature(root),
            uptime_s: number(info.uptime),
        }
    }
}

fn hundredths(load: u64) -> f64 {
    f64::from(u32::try_from(load * 100 / LOAD_UNIT).unwrap_or(u32::MAX)) / 100.0
}

/// What the firmware calls the board; ends with a NUL.
fn model(root: &Path) -> Option<String> {
    let text = fs::read_to_string(root.join("sys/firmware/devicetree/base/model")).ok()?;
    Some(text.trim_end_matches('\0').trim().to_owned()).filter(|model| !model.is_empty())
}

fn memory_available(root: &Path) -> Option<u64> {
    let text = fs::read_to_string(root.join("proc/meminfo")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1_024)
}

/// Of the zone that is the processor's, or else of the first; in degrees Celsius.
fn temperature(root: &Path) -> Option<f64> {
    let mut zones: Vec<_> =
        fs::read_dir(root.join("sys/class/thermal")).ok()?.flatten().map(|entry| entry.path()).collect();
    zones.sort();
    let read = |zone: &Path| {
        let kind = fs::read_to_string(zone.join("type")).ok()?.to_ascii_lowercase();
        let thousandths: i32 = fs::read_to_string(zone.join("temp")).ok()?.trim().parse().ok()?;
        Some((kind, f64::from(thousandths) / 1_000.0))
    };
    let all: Vec<_> = zones.iter().filter_map(|zone| read(zone)).collect();
    let is_processor = |kind: &str| ["cpu", "soc", "pkg"].iter().any(|word| kind.contains(word));
    all.iter().find(|zone| is_processor(&zone.0)).or(all.first()).map(|zone| zone.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree of files that is gone with the test.
    struct Tree(std::path::PathBuf);

    impl Tree {
        fn new(name: &str, files: &[(&str, &str)]) -> Self {
            let root = std::env::temp_dir().join(format!("roomd-board-{name}-{}", std::process::id()));
            for (path, text) in files {
                let path = root.join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            Self(root)
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_small_board_tells_its_model_memory_and_temperature() {
        let tree = Tree::new(
            "all",
            &[
                ("sys/firmware/devicetree/base/model", "Raspberry Pi 4 Model B Rev 1.4\0"),
                ("proc/meminfo", "MemTotal: 9 kB\nMemAvailable:     1234 kB\n"),
                ("sys/class/thermal/thermal_zone0/type", "gpu-thermal\n"),
                ("sys/class/thermal/thermal_zone0/temp", "39000\n"),
                ("sys/class/thermal/thermal_zone1/type", "cpu-thermal\n"),
                ("sys/class/thermal/thermal_zone1/temp", "48312\n"),
                ("sys/class/thermal/cooling_device0/type", "fan\n"),
            ],
        );
        let board = Board::read(&tree.0);
        assert_eq!(board.model.as_deref(), Some("Raspberry Pi 4 Model B Rev 1.4"));
        assert_eq!((board.memory_available_bytes, board.temperature_c), (Some(1_234 * 1_024), Some(48.312)));
    }

    #[test]
    fn a_zone_of_another_kind_will_do_and_one_that_cannot_be_read_will_not() {
        let tree = Tree::new(
            "zones",
            &[
                ("sys/class/thermal/thermal_zone0/type", "acpitz\n"),
                ("sys/class/thermal/thermal_zone0/temp", "-2500\n"),
                ("sys/class/thermal/thermal_zone1/type", "cpu-thermal\n"),
                ("sys/class/thermal/thermal_zone1/temp", "\n"),
            ],
        );
        assert_eq!(temperature(&tree.0), Some(-2.5));
    }

    #[test]
    fn where_nothing_can_be_read_the_kernel_still_tells_the_rest() {
        let board = Board::read(Path::new("/nonexistent"));
        assert_eq!((board.model, board.memory_available_bytes, board.temperature_c), (None, None, None));
        assert!(!board.hostname.is_empty() && board.kernel.starts_with("Linux "));
        assert!(board.memory_total_bytes > 1 << 20 && board.uptime_s > 0);
    }

    #[test]
    fn loads_are_hundredths() {
        let shown = [0, LOAD_UNIT / 2, 3 * LOAD_UNIT + 1].map(|load| hundredths(load).to_string());
        assert_eq!(shown, ["0", "0.5", "3"]);
    }
}
