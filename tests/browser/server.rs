//! The server under the page: it can go and come back on the same port.

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
    thread::{self, JoinHandle},
};

use roomd::{
    config::Settings,
    server::{serve, systemd::Supervisor},
};
use tokio::{runtime::Builder, sync::oneshot};

/// The defaults without the limit that several windows on one machine would meet by accident, and
/// with a heartbeat that leaves a test time to look away.
pub(crate) fn settings() -> Settings {
    Settings {
        messages_per_second: 0,
        burst: 0,
        heartbeat_s: 54,
        write_timeout_ms: 60_000,
        grace_ms: 1_000,
        ..Settings::default()
    }
}

/// A server on a port of the loopback; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Server {
    port: u16,
    settings: Settings,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<io::Result<()>>,
}

impl Server {
    pub(crate) fn start(settings: Settings) -> Self {
        let mut server = Self { port: 0, settings, running: None };
        server.run();
        server
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The address of the page.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Stops it as a service is stopped, and starts it anew: nothing that it knew is left.
    pub(crate) fn restart(&mut self) {
        self.stop();
        self.run();
    }

    fn run(&mut self) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        listener.set_nonblocking(true).unwrap();
        self.port = listener.local_addr().unwrap().port();
        let settings = self.settings.clone();
        let (stop, stopping) = oneshot::channel::<()>();
        let thread = thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(serve(settings, vec![listener], Supervisor::default(), async {
                let _ = stopping.await;
            }))
        });
        self.running = Some(Running { stop, thread });
    }

    fn stop(&mut self) {
        let Some(Running { stop, thread }) = self.running.take() else { return };
        // An error here means that it has ended by itself; the thread tells how.
        let _ = stop.send(());
        thread.join().expect("the server does not panic").expect("the server ends without an error");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.stop();
        }
    }
}
