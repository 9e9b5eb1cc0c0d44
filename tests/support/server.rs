//! The server under test: in a thread of its own, or, if the environment names a binary, a process.

use std::{
    env, io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{
        Mutex,
        mpsc::{Receiver, RecvTimeoutError, sync_channel},
    },
    thread,
};

use roomd::{
    config::Settings,
    server::{serve, systemd::Supervisor},
};
use socket2::{Domain, Socket, Type};
use tokio::{runtime::Builder, sync::oneshot};

use super::{GUARD, process::Process};

/// The defaults without the limits that many clients on one machine would meet by accident, and
/// with a heartbeat that leaves a test time to look away from a client.
pub(crate) fn settings() -> Settings {
    Settings {
        connections_per_address: 0,
        messages_per_second: 0,
        burst: 0,
        heartbeat_s: 54,
        write_timeout_ms: 60_000,
        grace_ms: 2_000,
        ..Settings::default()
    }
}

/// A server on a free port of the loopback; dropping it stops it and waits until it has ended.
#[derive(Debug)]
pub(crate) struct TestServer {
    address: SocketAddr,
    running: Option<Running>,
}

#[derive(Debug)]
enum Running {
    Thread { stop: Option<oneshot::Sender<()>>, result: Mutex<Receiver<io::Result<()>>> },
    Process(Mutex<Process>),
}

impl TestServer {
    /// Starts a server with these settings: the binary that `ROOMD_TEST_BINARY` names, or else on one
    /// thread, as the product does, unless `ROOMD_TEST_WORKERS` tells another number.
    pub(crate) fn start(settings: Settings) -> Self {
        if let Ok(path) = env::var("ROOMD_TEST_BINARY") {
            return Self::start_binary(&path, &settings);
        }
        match env::var("ROOMD_TEST_WORKERS").ok().and_then(|workers| workers.parse().ok()) {
            Some(workers) => Self::start_with_workers(settings, workers),
            None => Self::run(settings, Builder::new_current_thread()),
        }
    }

    /// Starts a server with these settings and several worker threads.
    pub(crate) fn start_with_workers(settings: Settings, workers: usize) -> Self {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(workers);
        Self::run(settings, builder)
    }

    /// One that somebody else runs, there.
    pub(crate) fn elsewhere(address: SocketAddr) -> Self {
        Self { address, running: None }
    }

    /// Starts this binary with these settings.
    pub(crate) fn start_binary(path: &str, settings: &Settings) -> Self {
        let (process, address) = Process::start(path, settings);
        Self { address, running: Some(Running::Process(Mutex::new(process))) }
    }

    fn run(settings: Settings, mut builder: Builder) -> Self {
        let listener = listener();
        let address = listener.local_addr().unwrap();
        let (stop, stopping) = oneshot::channel::<()>();
        let (send_result, result) = sync_channel(1);
        thread::spawn(move || {
            let runtime = builder.enable_all().build().unwrap();
            let stopping = async {
                let _ = stopping.await;
            };
            let result = runtime.block_on(serve(settings, vec![listener], Supervisor::default(), stopping));
            // Nobody listens when the test has failed already.
            let _ = send_result.send(result);
        });
        let running = Running::Thread { stop: Some(stop), result: Mutex::new(result) };
        Self { address, running: Some(running) }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a client puts into its `Host` header.
    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    /// The address of the WebSocket with this query.
    pub(crate) fn url(&self, query: &str) -> String {
        format!("ws://{}/ws?{query}", self.address)
    }

    /// Asks the server to stop.
    pub(crate) fn begin_stop(&mut self) {
        if let Some(running) = &mut self.running {
            running.begin_stop();
        }
    }

    /// Waits for the end of the server while the clients of the test go on: all that it logged, if it is a
    /// process.
    pub(crate) async fn stopped(mut self) -> io::Result<Vec<String>> {
        self.begin_stop();
        let running = self.running.take().unwrap();
        tokio::task::spawn_blocking(move || running.wait()).await.unwrap()
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.begin_stop();
        let Some(running) = self.running.take() else { return };
        if !thread::panicking() {
            running.wait().expect("the server ends without an error");
        }
    }
}

impl Running {
    fn begin_stop(&mut self) {
        match self {
            Self::Thread { stop, .. } => {
                if let Some(stop) = stop.take() {
                    // An error here means that it has ended by itself; waiting for it tells how.
                    let _ = stop.send(());
                }
            }
            Self::Process(process) => process.get_mut().unwrap().terminate(),
        }
    }

    fn wait(self) -> io::Result<Vec<String>> {
        match self {
            Self::Thread { result, .. } => wait(&result.into_inner().unwrap()).map(|()| Vec::new()),
            Self::Process(process) => process.into_inner().unwrap().wait(),
        }
    }
}

fn wait(result: &Receiver<io::Result<()>>) -> io::Result<()> {
    match result.recv_timeout(GUARD) {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) => panic!("the server has not stopped within {GUARD:?}"),
        Err(RecvTimeoutError::Disconnected) => panic!("the server panicked"),
    }
}

/// A listener whose backlog takes a storm of connections.
fn listener() -> TcpListener {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    socket.listen(4_096).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket.into()
}
