//! How settings must stand to each other.

use super::{
    configuration::Configuration,
    invalid::{Fault, Invalid},
    plan::{Plan, human},
    table::{Row, row},
    value::Value,
};
use crate::limits;

/// `larger` must be at least `times` times `smaller`.
#[derive(Debug)]
pub struct Relation {
    /// The key of the larger setting.
    pub larger: &'static str,
    /// How many of the smaller one must fit.
    pub times: u64,
    /// The key of the smaller setting.
    pub smaller: &'static str,
    why: &'static str,
}

/// All relations between two numbers.
pub static RELATIONS: [Relation; 4] = [
    Relation {
        larger: "log_bytes",
        times: limits::LOG_MESSAGES_OF_GREATEST_SIZE as u64,
        smaller: "message_bytes",
        why: "the log of a room must hold several messages of the greatest size",
    },
    Relation {
        larger: "outbox_bytes",
        times: 1,
        smaller: "message_bytes",
        why: "the largest message must fit when it is echoed",
    },
    Relation {
        larger: "inbound_bytes",
        times: 1,
        smaller: "message_bytes",
        why: "the largest message must fit while it arrives",
    },
    Relation {
        larger: "rooms",
        times: 1,
        smaller: "rooms_per_client",
        why: "nobody can be in more rooms than there are",
    },
];

/// Refuses values that do not fit together.
pub(super) fn relations(configuration: &Configuration) -> Result<(), Invalid> {
    for relation in &RELATIONS {
        holds(configuration, relation)?;
    }
    burst(configuration)?;
    tls(configuration)
}

fn holds(configuration: &Configuration, relation: &Relation) -> Result<(), Invalid> {
    let Relation { larger, times, smaller, why } = relation;
    let (larger, smaller) = (named(larger), named(smaller));
    let (has, each) = (number(configuration, larger), number(configuration, smaller));
    let needs = each * times;
    if has >= needs {
        return Ok(());
    }
    let show = |number| Value::Number(number).show(larger.kind);
    let product = if *times == 1 { String::new() } else { format!("{times} times ") };
    let what = format!("{} is less than {product}{}: {why}", show(has), show(each));
    let lower = format!("lower {} to at most {}", smaller.key, show(has / times));
    let change = if needs <= larger.greatest {
        format!("raise {} to at least {} or {lower}", larger.key, show(needs))
    } else {
        lower
    };
    let (first, second) = (place(configuration, larger), place(configuration, smaller));
    Err(Fault::new(what, change).at(format!("{first} and {second}")))
}

/// A rate without any burst would let nothing through.
fn burst(configuration: &Configuration) -> Result<(), Invalid> {
    let settings = &configuration.settings;
    if settings.burst > 0 || settings.messages_per_second == 0 {
        return Ok(());
    }
    let what = format!("0 together with messages_per_second {}", settings.messages_per_second);
    let change = "raise burst to at least 1, or set messages_per_second to 0 for no limit";
    Err(Fault::new(what, change).at(place(configuration, named("burst"))))
}

/// Certificate and key belong together; and not every build can do something with them.
fn tls(configuration: &Configuration) -> Result<(), Invalid> {
    let settings = &configuration.settings;
    let (given, missing) = match (&settings.tls_cert, &settings.tls_key) {
        (None, None) => return Ok(()),
        (Some(_), Some(_)) if cfg!(feature = "tls") => return Ok(()),
        (Some(_), Some(_)) => {
            let change =
                "take one built with `cargo build --release --features tls`, or put a proxy in front";
            let fault = Fault::new("this build of roomd speaks no TLS", change);
            return Err(fault.at(place(configuration, named("tls_cert"))));
        }
        (Some(_), None) => ("tls_cert", "tls_key"),
        (None, Some(_)) => ("tls_key", "tls_cert"),
    };
    let fault = Fault::new(format!("given without {missing}"), "give both, or neither for plain HTTP");
    Err(fault.at(place(configuration, named(given))))
}

/// Refuses a plan above `memory_max`.
pub(super) fn memory(configuration: &Configuration, plan: &Plan) -> Result<(), Invalid> {
    let total = plan.total();
    let Some(limit) = configuration.settings.memory_max.filter(|limit| total > *limit) else { return Ok(()) };
    let largest = plan.largest(2);
    let parts: Vec<_> = largest.iter().map(|line| format!("{} {}", line.name, human(line.bytes))).collect();
    let mut keys: Vec<_> = largest.iter().flat_map(|line| line.settings).copied().collect();
    keys.sort_unstable();
    keys.dedup();
    let what =
        format!("the plan needs {total} bytes, the limit is {limit} (most of it: {})", parts.join(", "));
    let change = format!("lower {}, or raise memory_max to {total}; see roomd plan", keys.join(", "));
    Err(Fault::new(what, change).at(place(configuration, named("memory_max"))))
}

fn named(key: &str) -> &'static Row {
    row(key).expect("relations name settings of the table")
}

fn number(configuration: &Configuration, row: &Row) -> u64 {
    (row.get)(&configuration.settings).number()
}

fn place(configuration: &Configuration, row: &Row) -> String {
    format!("{} ({})", row.key, configuration.origin(row))
}
