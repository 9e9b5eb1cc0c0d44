//! Connections that say nothing.

use std::net::SocketAddr;

use super::{
    TURN_US, Watch,
    arguments::Options,
    clock::Clock,
    crew::{Brought, Crew},
    failure::Failure,
    frames::OPCODE_CLOSE,
    progress::Progress,
    quiet_requests,
    report::Report,
    seating::greeting,
    tally::{Ended, ms},
};

/// Connects everyone, lets them rest for as long as was asked for, and looks at the server's memory.
pub(super) fn measure(options: &Options, address: SocketAddr, watch: &Watch) -> Result<Report, Failure> {
    let requests = quiet_requests(options);
    let clock = Clock::start();
    let mut crew = Crew::connect(address, &requests)?;
    let greeting = greeting(options, "");
    (0..options.clients).for_each(|index| crew.send(index, &greeting));
    let connected_us = clock.now_us();
    let usages = watch.usages();
    rest(&mut crew, options, clock)?;
    let mut report = Report::new(options, watch.pid);
    report.connected_ms = Some(ms(connected_us));
    report.cpu(watch, usages.0, usages.1, clock.now_us() - connected_us, 0);
    report.memory(watch, options.clients);
    Ok(report)
}

/// Reads what comes, which is not counted, and answers pings.
fn rest(crew: &mut Crew, options: &Options, clock: Clock) -> Result<(), Failure> {
    let (began_us, mut progress) = (clock.now_us(), Progress::new());
    let mut ready = Vec::new();
    let mut ended = Ended::default();
    loop {
        let run_us = clock.now_us() - began_us;
        if run_us >= options.seconds * 1_000_000 {
            return Ok(());
        }
        crew.wait(TURN_US, &mut ready)?;
        for &index in &ready {
            if !crew.is_flushed(index) {
                crew.flush(index);
            }
            let each = |opcode: u8, payload: &[u8]| {
                if opcode == OPCODE_CLOSE {
                    ended.note(payload);
                }
            };
            if crew.read(index, each) == Brought::End {
                ended.count += 1;
                return Err(ended.failure());
            }
        }
        progress.show(run_us, 0);
    }
}
