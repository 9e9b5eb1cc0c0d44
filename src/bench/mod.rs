//! `roomd bench`: what does a board hold?
//!
//! A load generator that needs little of the machine that it may share with the server: one thread,
//! sockets that do not block, one buffer for all reads. A delivery costs it a walk over a frame's
//! header and the comparison of a marker; nothing is parsed or allocated for it. Latency is taken
//! from the time that each message carries, which for a paced publisher is the time at which it was
//! due: a server that stands still is not measured less often for it.
//!
//! What was sent, what came and what the server declared missing must add up; else the run fails.

mod arguments;
mod clock;
mod crew;
mod dialect;
mod failure;
mod frames;
mod help;
mod idle;
mod ledger;
mod load;
mod process;
mod progress;
mod report;
mod seating;
mod stamp;
mod storm;
mod tally;
mod target;

use std::{ffi::OsString, net::SocketAddr};

pub use dialect::{Around, Dialect};
pub use failure::Failure;

use arguments::{Mode, Options};
use clock::Clock;
use crew::Crew;
use load::{Counts, Load};
use process::Usage;
use progress::Progress;
use report::{LatencyMs, Lost, Report};
use seating::Seating;
use stamp::Marker;

/// Longest wait for something to come, where nothing is paced.
const TURN_US: u64 = 100_000;

/// Carries out `roomd bench` with the arguments behind that word; what is to be printed is handed to
/// `print`, also before a failure that a result belongs to.
///
/// # Errors
/// Arguments that are wrong, a server that is not there or refuses, a machine that does, and a server
/// that lost messages without telling. Each is one line.
pub fn run(arguments: impl IntoIterator<Item = OsString>, print: impl FnMut(&str)) -> Result<(), Failure> {
    run_in(dialect::ROOMD, arguments, print)
}

/// The same in another dialect; only fan-out and idle make sense where it is not roomd's.
///
/// # Errors
/// As [`run`].
pub fn run_in(
    dialect: Dialect,
    arguments: impl IntoIterator<Item = OsString>,
    mut print: impl FnMut(&str),
) -> Result<(), Failure> {
    let Some(options) = arguments::options(arguments)? else {
        print(help::HELP);
        return Ok(());
    };
    let options = Options { dialect, ..options };
    let address = options.target.resolve()?;
    let (report, verdict) = measure(&options, address)?;
    print(&if options.json { report.json() } else { report.to_string() });
    verdict
}

fn measure(options: &Options, address: SocketAddr) -> Result<(Report, Result<(), Failure>), Failure> {
    let watch = Watch::new(options, address)?;
    match options.mode {
        Mode::FanOut | Mode::Slow | Mode::Echo => load(options, address, &watch),
        Mode::Idle => idle::measure(options, address, &watch).map(|report| (report, Ok(()))),
        Mode::Storm => storm::measure(options, address, &watch).map(|report| (report, Ok(()))),
    }
}

fn load(
    options: &Options,
    address: SocketAddr,
    watch: &Watch,
) -> Result<(Report, Result<(), Failure>), Failure> {
    let (clock, marker) = (Clock::start(), marker());
    let seating = Seating::of(options, &marker);
    let requests: Vec<_> = seating.queries.iter().map(|query| request(options, query)).collect();
    let mut crew = Crew::connect(address, &requests)?;
    seating.greetings.iter().enumerate().for_each(|(index, greeting)| crew.send(index, greeting));
    let mut load = Load::new(options, crew, clock, marker, seating);
    load.gather()?;
    let (server, own) = watch.usages();
    load.run(&mut Progress::new())?;
    let mut report = Report::new(options, watch.pid);
    let run_us = load.counts.last_us.saturating_sub(load.counts.began_us).max(1);
    report.deliveries(&load.counts, run_us);
    report.latency_ms = Some(LatencyMs::of(load.latency()));
    report.cpu(watch, server, own, clock.now_us() - load.counts.began_us, load.counts.deliveries);
    report.memory(watch, requests.len());
    let verdict = verdict(&load.counts);
    Ok((report, verdict))
}

/// Whether everything adds up.
fn verdict(counts: &Counts) -> Result<(), Failure> {
    let Lost { undeclared, surplus, .. } = Lost::of(counts);
    match (undeclared, surplus) {
        (0, 0) => Ok(()),
        (lost, 0) => Err(Failure::Broken(format!(
            "{lost} deliveries are missing that the server did not declare; \
            this is a fault of the server, report it"
        ))),
        (_, surplus) => Err(Failure::Broken(format!(
            "{surplus} deliveries were doubled or declared missing too many; repeat it with --rooms 1 \
            while nobody else talks, and report it if it stays"
        ))),
    }
}

fn request(options: &Options, query: &str) -> String {
    options.target.request(&options.dialect, query, options.token.as_deref())
}

/// Those of clients that say nothing: in no room, or spread over as many as was asked for.
fn quiet_requests(options: &Options) -> Vec<String> {
    let marker = marker();
    let query = |index: usize| match options.rooms {
        0 => "quiet=1".to_owned(),
        rooms => format!("quiet=1&room={}", marker.room(index % rooms)),
    };
    (0..options.clients).map(|index| request(options, &query(index))).collect()
}

/// Processes have different numbers at the same time.
fn marker() -> Marker {
    Marker::new(std::process::id())
}

/// The server's process, if it can be watched, and this one.
#[derive(Debug)]
struct Watch {
    pid: Option<u32>,
    before: Option<Usage>,
}

impl Watch {
    fn new(options: &Options, address: SocketAddr) -> Result<Self, Failure> {
        let found = || address.ip().is_loopback().then(|| process::listening_on(address)).flatten();
        let pid = options.pid.or_else(found);
        let before = pid.and_then(process::usage);
        if let (Some(pid), None) = (options.pid, before) {
            let what = format!("flag --pid: there is no process {pid} that may be looked into");
            return Err(Failure::invalid(&what, "give the server's, as its user or as root"));
        }
        Ok(Self { pid, before })
    }

    fn server(&self) -> Option<Usage> {
        self.pid.and_then(process::usage)
    }

    fn usages(&self) -> (Option<Usage>, Option<Usage>) {
        (self.server(), process::usage(std::process::id()))
    }
}
