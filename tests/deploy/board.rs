//! An imitation of a board: namespaces with a root of their own, on which all but what `fakes/` stands for is
//! real: shell, files, links, mounts, the program and its port. `ssh` enters it.

use std::{
    fs,
    io::Read as _,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
};

use rustix::process::{Pid, Signal, kill_process};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// What `fakes/board-fact` answers for.
const FACTS: [&str; 9] = ["date", "df", "dpkg-query", "id", "journalctl", "sleep", "stat", "sudo", "uname"];
/// What changes anything, and so what a power cut can come before.
const CHANGES: [&str; 8] = ["chmod", "cp", "ln", "mkdir", "mv", "rm", "sync", "systemctl"];
/// In the new namespaces: the root of the board, and then whatever is started there.
const INIT: &str = r#"
set -e
cd "$1"
mount --make-rprivate /
mount --bind /usr usr
mount --bind local usr/local
# Debian's awk is a link by way of it.
[ ! -d /etc/alternatives ] || { mkdir -p etc/alternatives; mount --bind /etc/alternatives etc/alternatives; }
mount --rbind /dev dev
mount -t proc proc proc
for file in meminfo cgroups; do
    [ ! -e "fact/$file" ] || mount --bind "fact/$file" "proc/$file"
done
mount -t tmpfs tmpfs run
mkdir -p run/systemd/system
ip link set lo up
echo up
exec chroot . sleep infinity
"#;

pub(crate) struct Board {
    pub(crate) root: PathBuf,
    power: Option<Child>,
    /// What `ssh` is told by its environment.
    pub(crate) variables: Vec<(&'static str, &'static str)>,
}

impl Board {
    /// A board with nothing on it, up.
    pub(crate) fn new(name: &str) -> Self {
        let mut board = Self::off(name);
        board.boot();
        board
    }

    /// The same before its first boot.
    pub(crate) fn off(name: &str) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("board-{name}"));
        let _ = fs::remove_dir_all(&root);
        for folder in [
            "usr",
            "local/lib",
            "dev",
            "proc",
            "run",
            "tmp",
            "etc/systemd/system",
            "fact",
            "fakes",
            "cutting",
        ] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        fs::create_dir_all(root.join("sys/fs/cgroup")).unwrap();
        fs::write(root.join("sys/fs/cgroup/cgroup.controllers"), "cpu memory pids\n").unwrap();
        for folder in ["bin", "sbin", "lib", "lib64"] {
            symlink(format!("usr/{folder}"), root.join(folder)).unwrap();
        }
        for fake in fs::read_dir(format!("{ROOT}/tests/deploy/fakes")).unwrap() {
            let fake = fake.unwrap();
            fs::copy(fake.path(), root.join("fakes").join(fake.file_name())).unwrap();
        }
        for name in FACTS {
            symlink("board-fact", root.join("fakes").join(name)).unwrap();
        }
        for name in CHANGES {
            symlink("/fakes/power-cut", root.join("cutting").join(name)).unwrap();
        }
        Self { root, power: None, variables: Vec::new() }
    }

    /// Power on: what is enabled is started.
    pub(crate) fn boot(&mut self) {
        assert!(self.power.is_none(), "it is up");
        let mut child = Command::new("unshare")
            .args(["--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", INIT, "init"])
            .arg(&self.root)
            .stdout(Stdio::piped())
            .stderr(fs::File::create(self.root.join("unshare")).unwrap())
            .spawn()
            .expect("unshare of util-linux");
        let mut up = [0; 3];
        let read = child.stdout.as_mut().unwrap().read_exact(&mut up);
        self.power = Some(child);
        let said = fs::read_to_string(self.root.join("unshare")).unwrap();
        read.unwrap_or_else(|_| panic!("namespaces and mounts need root: {said}"));
        self.sh("systemctl boot");
    }

    /// Power off, at once: what was not yet on the disk is lost there.
    pub(crate) fn cut_power(&mut self) {
        self.end();
        let _ = fs::remove_file(self.root.join("fact/cut"));
        self.on_host(
            "[ ! -e fact/last-sync ] ||
            find local etc -type f -newercm fact/last-sync -exec truncate --size=0 {} +",
        );
    }

    /// The first process goes, and with it all others.
    fn end(&mut self) {
        let Some(mut unshare) = self.power.take() else { return };
        let init = init_of(&unshare).and_then(|id| Pid::from_raw(id.cast_signed()));
        // Without it there is only `unshare` to end.
        init.map_or_else(|| unshare.kill().unwrap(), |init| kill_process(init, Signal::KILL).unwrap());
        unshare.wait().unwrap();
    }

    /// What is on its disk, aside.
    pub(crate) fn save_disk(&self) {
        self.on_host("rm -rf saved; mkdir saved; cp -a local etc saved");
    }

    /// The disk as it was when it was saved; with the power off.
    pub(crate) fn restore_disk(&self) {
        assert!(self.power.is_none(), "it is up");
        self.on_host("rm -rf local etc; cp -a saved/local saved/etc .");
    }

    fn on_host(&self, script: &str) {
        let status = Command::new("sh").args(["-ec", script]).current_dir(&self.root).status();
        assert!(status.unwrap().success(), "{script}");
    }

    /// What this fact about the board is from now on, for `fakes/board-fact`.
    pub(crate) fn fact(&self, name: &str, says: &str) {
        fs::write(self.root.join("fact").join(name), format!("{says}\n")).unwrap();
    }

    pub(crate) fn no_fact(&self, name: &str) {
        fs::remove_file(self.root.join("fact").join(name)).unwrap();
    }

    /// A file on the board.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.on_disk(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.on_disk(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.on_disk(path).symlink_metadata().is_ok()
    }

    fn on_disk(&self, path: &str) -> PathBuf {
        match path.strip_prefix("/usr/local/") {
            Some(path) => self.root.join("local").join(path),
            None => self.root.join(path.trim_start_matches('/')),
        }
    }

    /// Versions that are on the disk, by their directories.
    pub(crate) fn versions(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.on_disk("/usr/local/lib/roomd")) else { return Vec::new() };
        let names = entries.map(|entry| entry.unwrap());
        let folders = names.filter(|entry| entry.file_type().unwrap().is_dir());
        let mut names: Vec<_> = folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Runs `scripts/deploy board` with these arguments.
    pub(crate) fn deploy(&self, arguments: &[&str]) -> Deployed {
        self.deploy_over("/fakes:/usr/bin:/bin", arguments)
    }

    /// The same without a board to reach.
    pub(crate) fn deploy_blindly(arguments: &[&str]) -> Deployed {
        let deploy = Command::new(format!("{ROOT}/scripts/deploy")).arg("pi@board").args(arguments).output();
        Deployed::of(&deploy.unwrap())
    }

    /// The same with a power cut before the change of this number.
    pub(crate) fn deploy_and_cut(&self, number: usize, arguments: &[&str]) -> Deployed {
        self.fact("cut", &number.to_string());
        self.fact("last-sync", "");
        self.deploy_over("/cutting:/fakes:/usr/bin:/bin", arguments)
    }

    fn deploy_over(&self, path: &str, arguments: &[&str]) -> Deployed {
        let ssh = self.root.join("ssh");
        let _ = fs::create_dir(&ssh);
        fs::copy(format!("{ROOT}/tests/deploy/fakes/ssh"), ssh.join("ssh")).unwrap();
        let output = Command::new(format!("{ROOT}/scripts/deploy"))
            .args(["pi@board", "--wait", "10"])
            .args(arguments)
            .env("PATH", format!("{}:{}", ssh.display(), std::env::var("PATH").unwrap()))
            .env("BOARD_PID", self.init().to_string())
            .env("BOARD_ROOT", &self.root)
            .env("BOARD_PATH", path)
            .envs(self.variables.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        Deployed::of(&output)
    }

    /// Runs a script on the board; what it printed.
    #[track_caller]
    pub(crate) fn sh(&self, script: &str) -> String {
        let output = Command::new("nsenter")
            .args(["--target", &self.init().to_string(), "--mount", "--net", "--pid", "chroot"])
            .arg(&self.root)
            .args([
                "env",
                "--ignore-environment",
                "PATH=/fakes:/usr/local/bin:/usr/bin:/bin",
                "sh",
                "-c",
                script,
            ])
            .output()
            .unwrap();
        let deployed = Deployed::of(&output);
        assert_eq!(deployed.code, 0, "{script}: {}", deployed.said);
        deployed.said
    }

    fn init(&self) -> u32 {
        init_of(self.power.as_ref().expect("it is up")).expect("its first process runs")
    }

    /// The version that serves, as it says itself.
    pub(crate) fn serves(&self) -> String {
        let answer = self.sh(&format!("{} 2>/dev/null || :", get("/healthz")));
        let (_, rest) = answer.split_once(r#""server":"roomd "#).unwrap_or_default();
        rest.split('"').next().unwrap().to_owned()
    }

    /// What process serves: the program's path, and a number that is another one after a restart.
    pub(crate) fn process(&self) -> String {
        self.sh("pid=$(cat /run/fake/pid); echo $pid $(readlink /proc/$pid/exe)").trim().to_owned()
    }

    /// Until an installation that goes on alone has ended.
    pub(crate) fn wait_for_install(&self) {
        self.sh("flock /run/roomd-install.lock true");
    }
}

/// The process that holds the namespaces, as it is known outside.
fn init_of(unshare: &Child) -> Option<u32> {
    let unshare = unshare.id();
    let children = fs::read_to_string(format!("/proc/{unshare}/task/{unshare}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}

impl Drop for Board {
    fn drop(&mut self) {
        self.end();
        if !thread::panicking() {
            let _ = fs::remove_dir_all(&self.root);
        }
    }
}

/// A command for the board that prints what roomd answers to a GET.
pub(crate) fn get(path: &str) -> String {
    let ask = r#"exec 3<>/dev/tcp/127.0.0.1/8080
        printf "GET $0 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" >&3; cat <&3"#;
    format!("bash -c '{ask}' {path}")
}

/// What a deployment came to.
#[derive(Debug)]
pub(crate) struct Deployed {
    pub(crate) code: i32,
    pub(crate) said: String,
}

impl Deployed {
    fn of(output: &Output) -> Self {
        let said = [&output.stdout[..], &output.stderr[..]].concat();
        Self { code: output.status.code().unwrap_or(-1), said: String::from_utf8_lossy(&said).into_owned() }
    }

    /// It ended with this code and said each of these.
    #[track_caller]
    pub(crate) fn ended(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, code, "{}", self.said);
        for part in parts {
            assert!(self.said.contains(part), "no {part:?} in: {}", self.said);
        }
    }
}
