//! Words to whoever supervises the process (`sd_notify(3)`).

use std::{
    env,
    ffi::{OsStr, OsString},
    io,
    os::{linux::net::SocketAddrExt as _, unix::ffi::OsStrExt as _, unix::net},
    process,
    time::Duration,
};
use tokio::net::UnixDatagram;

/// Who is told how the server is; nobody, unless the environment names somebody.
#[derive(Debug, Default)]
pub struct Supervisor {
    socket: Option<UnixDatagram>,
    /// A sign of life must come before this is over.
    pub(super) watchdog: Option<Duration>,
    /// Where the page is, for people.
    pub(super) url: String,
}

impl Supervisor {
    /// The one that the environment names, to be told that the page is at `url`. One that cannot be
    /// reached is one line in the log: it will say by itself that it heard nothing.
    ///
    /// # Panics
    /// Outside of an asynchronous runtime.
    pub fn from_environment(url: String) -> Self {
        Self { url, ..Self::named(|name| env::var_os(name).filter(|value| !value.is_empty())) }
    }

    pub(super) fn named(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let Some(name) = variable("NOTIFY_SOCKET") else { return Self::default() };
        let number = |name| variable(name)?.to_str()?.parse::<u64>().ok();
        let is_ours =
            variable("WATCHDOG_PID").is_none() || number("WATCHDOG_PID") == Some(process::id().into());
        let watchdog = number("WATCHDOG_USEC").filter(|usec| *usec > 0 && is_ours).map(Duration::from_micros);
        match connect(&name) {
            Ok(socket) => Self { socket: Some(socket), watchdog, url: String::new() },
            Err(error) => {
                tracing::warn!("NOTIFY_SOCKET {}: {error}; nobody is told how roomd is", name.display());
                Self::default()
            }
        }
    }

    /// Whether there is anyone to tell.
    pub(super) const fn is_there(&self) -> bool {
        self.socket.is_some()
    }

    /// Tells, as soon as there is room for it.
    pub(in crate::server) async fn tell(&self, state: &str) {
        if let Some(socket) = &self.socket
            && let Err(error) = socket.send(state.as_bytes()).await
        {
            tracing::warn!("systemd did not hear {state:?}: {error}");
        }
    }

    /// Tells if there is room for it at once.
    pub(super) fn try_tell(&self, state: &str) -> bool {
        self.socket.as_ref().is_some_and(|socket| socket.try_send(state.as_bytes()).is_ok())
    }
}

/// A name that begins with `@` is no file but one of the kernel's abstract namespace (unix(7)).
fn connect(name: &OsStr) -> io::Result<UnixDatagram> {
    let address = match name.as_bytes().strip_prefix(b"@") {
        Some(name) => net::SocketAddr::from_abstract_name(name)?,
        None => net::SocketAddr::from_pathname(name)?,
    };
    let socket = net::UnixDatagram::unbound()?;
    socket.connect_addr(&address)?;
    socket.set_nonblocking(true)?;
    UnixDatagram::from_std(socket)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// Hears what a supervisor is told.
    pub(in crate::server::systemd) struct Ear {
        socket: net::UnixDatagram,
        name: String,
    }

    impl Ear {
        pub(in crate::server::systemd) fn new() -> Self {
            static COUNT: AtomicU32 = AtomicU32::new(0);
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let name = format!("roomd-notify-{}-{number}", process::id());
            let address = net::SocketAddr::from_abstract_name(&name).unwrap();
            let socket = net::UnixDatagram::bind_addr(&address).unwrap();
            socket.set_nonblocking(true).unwrap();
            Self { socket, name: format!("@{name}") }
        }

        /// A supervisor that is this one.
        pub(in crate::server::systemd) fn supervisor(&self, watchdog: Option<Duration>) -> Supervisor {
            let named = Supervisor::named(|name| (name == "NOTIFY_SOCKET").then(|| self.name.clone().into()));
            assert!(named.is_there());
            Supervisor { watchdog, url: "http://board.local/".into(), ..named }
        }

        /// What was told since.
        pub(in crate::server::systemd) fn heard(&self) -> Vec<String> {
            std::iter::from_fn(|| {
                let mut buffer = [0; 1_024];
                let taken = self.socket.recv(&mut buffer).ok()?;
                Some(String::from_utf8(buffer[..taken].to_vec()).unwrap())
            })
            .collect()
        }
    }

    fn watchdog(variables: &[(&str, &str)]) -> Option<Duration> {
        let ear = Ear::new();
        let of_name = |name: &str| {
            let given = variables.iter().find(|variable| variable.0 == name);
            given
                .map(|variable| variable.1)
                .or((name == "NOTIFY_SOCKET").then_some(&ear.name))
                .map(Into::into)
        };
        Supervisor::named(of_name).watchdog
    }

    #[tokio::test]
    async fn the_watchdog_is_on_if_it_is_meant_for_this_process() {
        let own = process::id().to_string();
        assert_eq!(watchdog(&[]), None);
        let (usec, second) = (("WATCHDOG_USEC", "1000000"), Some(Duration::from_secs(1)));
        assert_eq!(watchdog(&[usec]), second);
        assert_eq!(watchdog(&[usec, ("WATCHDOG_PID", &own)]), second);
        for other in ["1", "", "x"] {
            assert_eq!(watchdog(&[usec, ("WATCHDOG_PID", other)]), None, "{other}");
        }
        for bad in ["0", "", "-1", "1s"] {
            assert_eq!(watchdog(&[("WATCHDOG_USEC", bad)]), None, "{bad}");
        }
    }

    #[tokio::test]
    async fn nobody_is_told_if_nobody_is_named_or_can_be_reached() {
        assert!(!Supervisor::named(|_| None).is_there());
        for name in ["/nonexistent/notify", "@roomd-nobody", "vsock:2:1", "relative"] {
            let named = Supervisor::named(|variable| (variable == "NOTIFY_SOCKET").then(|| name.into()));
            assert!(!named.is_there(), "{name}");
            named.tell("READY=1").await;
            assert!(!named.try_tell("READY=1"));
        }
    }
}
