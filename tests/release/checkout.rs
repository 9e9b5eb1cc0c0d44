//! A checkout of which the scripts are real, and what takes minutes is not: a `cargo` that notes how it was
//! called in what it builds, and a check of binaries that lets pass what is there.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use super::ROOT;

const CARGO: &str = r#"#!/bin/sh
[ "$1" != --version ] || { echo cargo 99.0.0; exit; }
while [ $# -gt 1 ]; do
    case $1 in --profile) profile=$2 ;; --target) triple=$2 ;; --target-dir) built=$2 ;; esac
    shift
done
mkdir -p "$built/$triple/$profile"
echo "$profile, clients ${ROOMD_BUILD_CLIENTS:-as ever}" | tee -a built >"$built/$triple/$profile/roomd"
"#;
const RUSTC: &str = r#"#!/bin/sh
case $1 in --version) echo rustc 99.0.0 ;; *) echo "${0%/*}" ;; esac
"#;
const NO_ENGINE: &str = "#!/bin/sh\nexit 1\n";
const CHECK: &str = "#!/bin/sh\n[ ! -e refused ]\n";

pub(crate) struct Checkout {
    pub(crate) root: PathBuf,
}

impl Checkout {
    pub(crate) fn new(name: &str) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("checkout-{name}"));
        let _ = fs::remove_dir_all(&root);
        for folder in ["home/bin/lib/rustlib/aarch64-unknown-linux-musl/lib", "src", "web"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        let copied =
            Command::new("cp").args(["-r", "scripts", "systemd"]).arg(&root).current_dir(ROOT).status();
        assert!(copied.unwrap().success());
        for file in ["Cargo.toml", "Cargo.lock", "build.rs"] {
            fs::copy(Path::new(ROOT).join(file), root.join(file)).unwrap();
        }
        let checkout = Self { root };
        for (path, script) in [
            ("home/bin/cargo", CARGO),
            ("home/bin/rustc", RUSTC),
            ("home/bin/docker", NO_ENGINE),
            ("home/bin/podman", NO_ENGINE),
            ("scripts/check-binary", CHECK),
        ] {
            fs::write(checkout.root.join(path), script).unwrap();
            checkout.set_mode(path, 0o755);
        }
        checkout
    }

    pub(crate) fn set_mode(&self, path: &str, mode: u32) {
        fs::set_permissions(self.root.join(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Runs this in the checkout, after what `scripts/deploy` and `scripts/release` begin with; what it said.
    pub(crate) fn bash(&self, script: &str) -> Result<String, String> {
        let begin = "set -euo pipefail; . scripts/toolchain; . scripts/targets; . scripts/bundle; exec 2>&1";
        let output = Command::new("bash")
            .args(["-c", &format!("{begin}; {script}"), "scripts/deploy"])
            .env("CARGO_HOME", self.root.join("home"))
            .env_remove("CROSS_CONTAINER_ENGINE")
            .current_dir(&self.root)
            .output()
            .unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        if output.status.success() { Ok(said) } else { Err(said) }
    }

    /// How often `cargo` has built, and what the last time.
    pub(crate) fn built(&self) -> (usize, String) {
        let all = fs::read_to_string(self.root.join("built")).unwrap_or_default();
        (all.lines().count(), all.lines().last().unwrap_or_default().to_owned())
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.root);
        }
    }
}
