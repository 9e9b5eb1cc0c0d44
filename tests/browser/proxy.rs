//! A network between page and server that can be cut, and that can stall.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    thread,
};

/// Passes connections on to a port; dropping it cuts them all.
#[derive(Debug)]
pub(crate) struct Proxy {
    port: u16,
    network: Arc<Network>,
}

#[derive(Debug)]
struct Network {
    target: u16,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    cut: bool,
    stalled: bool,
    over: bool,
    streams: Vec<TcpStream>,
}

impl Proxy {
    pub(crate) fn start(target: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let network = Arc::new(Network { target, state: Mutex::default(), changed: Condvar::new() });
        let shared = Arc::clone(&network);
        thread::spawn(move || shared.accept(&listener));
        Self { port, network }
    }

    /// The address of the page, through this network.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Ends all connections, and each new one at once.
    pub(crate) fn cut(&self) {
        self.network.change(|state| {
            state.cut = true;
            state.stalled = false;
            for stream in state.streams.drain(..) {
                // An error here means that it has ended already.
                let _ = stream.shutdown(Shutdown::Both);
            }
        });
    }

    /// Lets connections through again.
    pub(crate) fn mend(&self) {
        self.network.change(|state| state.cut = false);
    }

    /// Holds everything on its way, in both directions, without ending anything.
    pub(crate) fn stall(&self) {
        self.network.change(|state| state.stalled = true);
    }

    /// Lets go what was held.
    pub(crate) fn flow(&self) {
        self.network.change(|state| state.stalled = false);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.cut();
        self.network.change(|state| state.over = true);
        // Wakes the thread that accepts, so that it sees the end.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

impl Network {
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
        self.changed.notify_all();
    }

    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for page in listener.incoming().map_while(Result::ok) {
            let mut state = self.state.lock().unwrap();
            if state.over {
                return;
            }
            if state.cut {
                continue;
            }
            let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.target)) else { continue };
            for stream in [&page, &server] {
                stream.set_nodelay(true).unwrap();
                state.streams.push(stream.try_clone().unwrap());
            }
            self.pass(&page, &server);
            self.pass(&server, &page);
        }
    }

    /// Passes on what comes from one side, in a thread of its own.
    fn pass(self: &Arc<Self>, from: &TcpStream, to: &TcpStream) {
        let network = Arc::clone(self);
        let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        thread::spawn(move || {
            let mut bytes = [0; 4_096];
            while let Ok(length @ 1..) = from.read(&mut bytes) {
                let state = network.state.lock().unwrap();
                drop(network.changed.wait_while(state, |state| state.stalled).unwrap());
                if to.write_all(&bytes[..length]).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(Shutdown::Both);
        });
    }
}
