//! All come at once, and all leave at once; when does everyone know how many there are?

use std::net::SocketAddr;

use super::{
    TURN_US, Watch,
    arguments::Options,
    clock::Clock,
    crew::{Brought, Crew},
    failure::Failure,
    frames::OPCODE_TEXT,
    quiet_requests,
    report::Report,
    request,
    tally::{Notice, ms},
};

/// Watches the count from a connection of its own.
struct Observer {
    crew: Crew,
    count: Option<u64>,
    failure: Option<Failure>,
}

/// Measures one storm: the joining with its handshakes, and the leaving.
pub(super) fn measure(options: &Options, address: SocketAddr, watch: &Watch) -> Result<Report, Failure> {
    let guard_us = options.seconds.max(10) * 1_000_000;
    let clock = Clock::start();
    let mut observer = Observer::connect(options, address)?;
    let before = observer.first_count(clock, guard_us)?;
    let with_all = before + options.clients as u64;
    let usages = watch.usages();
    let began_us = clock.now_us();
    let crew = Crew::connect(address, &quiet_requests(options))?;
    let connected_us = clock.now_us();
    observer.wait_for(with_all, clock, guard_us)?;
    let joined_us = clock.now_us();
    let mut report = Report::new(options, watch.pid);
    report.memory(watch, options.clients);
    let leaving_us = clock.now_us();
    drop(crew);
    observer.wait_for(before, clock, guard_us)?;
    let left_us = clock.now_us();
    report.connected_ms = Some(ms(connected_us - began_us));
    report.joined_ms = Some(ms(joined_us - began_us));
    report.left_ms = Some(ms(left_us - leaving_us));
    report.cpu(watch, usages.0, usages.1, left_us - began_us, 0);
    Ok(report)
}

impl Observer {
    fn connect(options: &Options, address: SocketAddr) -> Result<Self, Failure> {
        let mut crew = Crew::connect(address, &[request(options, "")])?;
        let (mut count, mut failure) = (None, None);
        crew.read_ahead(0, |opcode, payload| note(opcode, payload, &mut count, &mut failure));
        Ok(Self { crew, count, failure })
    }

    fn first_count(&mut self, clock: Clock, guard_us: u64) -> Result<u64, Failure> {
        self.wait(clock, guard_us, |count| count.is_some())?;
        Ok(self.count.unwrap_or_default())
    }

    fn wait_for(&mut self, wanted: u64, clock: Clock, guard_us: u64) -> Result<(), Failure> {
        self.wait(clock, guard_us, |count| count == Some(wanted))
    }

    fn wait(
        &mut self,
        clock: Clock,
        guard_us: u64,
        is_it: impl Fn(Option<u64>) -> bool,
    ) -> Result<(), Failure> {
        let (began_us, mut ready) = (clock.now_us(), Vec::new());
        while !is_it(self.count) {
            if clock.now_us() - began_us > guard_us {
                let shown = self.count.map_or("no count".to_owned(), |count| format!("{count} clients"));
                let what = format!("the server shows {shown} for too long; do others come and go?");
                return Err(Failure::Broken(what));
            }
            self.crew.wait(TURN_US, &mut ready)?;
            let Self { crew, count, failure } = self;
            let brought = crew.read(0, |opcode, payload| note(opcode, payload, count, failure));
            if brought == Brought::End {
                return Err(Failure::Unavailable("the server ended the connection; see its log".to_owned()));
            }
            self.failure.take().map_or(Ok(()), Err)?;
        }
        Ok(())
    }
}

fn note(opcode: u8, payload: &[u8], count: &mut Option<u64>, failure: &mut Option<Failure>) {
    match Notice::of(payload) {
        Notice::Count(newest) if opcode == OPCODE_TEXT => *count = Some(newest),
        Notice::Error(text) => *failure = Some(Failure::Unavailable(text)),
        Notice::Gap(_) | Notice::Count(_) | Notice::Other => {}
    }
}
