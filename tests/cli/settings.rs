//! Every row of the table: sources, ranges, relations, help; and the plan.

use roomd::config::{
    Kind, LogLevel, RELATIONS, Settings, StatusAccess,
    table::{Row, TABLE, row},
};
use rustix::process::Signal;

use super::{SECRET, run::roomd};

/// The value and the origin that `check-config` prints for `row`.
fn reported(report: &str, row: &Row) -> (String, String) {
    let line = report.lines().find(|line| line.split(' ').next() == Some(row.key)).unwrap();
    let (value, origin) = line[row.key.len()..].trim_start().split_once("  ").unwrap();
    (value.to_owned(), origin.trim_start().to_owned())
}

/// The `n`th of several different values that fit the defaults of the other settings.
fn nth_value(row: &Row, n: u64) -> String {
    match row.kind {
        Kind::Addresses => format!("127.0.0.1:{n}"),
        Kind::Hosts => format!("host{n}"),
        Kind::Origins => format!("http://host{n}"),
        Kind::Secret => format!("{SECRET}{n}"),
        Kind::Access => StatusAccess::ALL[usize::try_from(n % 2).unwrap()].name().to_owned(),
        Kind::Path => format!("{n}.pem"),
        Kind::Level => LogLevel::ALL[usize::try_from(n).unwrap()].name().to_owned(),
        Kind::Count | Kind::Bytes | Kind::Seconds | Kind::Milliseconds => nth_number(row, n).to_string(),
    }
}

/// Above what other settings demand, and for what is demanded, below; odd, so that no unit is shown.
fn nth_number(row: &Row, n: u64) -> u64 {
    if RELATIONS.iter().any(|relation| relation.smaller == row.key) {
        row.least + 2 * n + 1
    } else {
        row.greatest - 2 * n - u64::from(row.greatest.is_multiple_of(2))
    }
}

#[test]
fn every_setting_is_taken_from_each_source_and_the_strongest_wins() {
    // The paths, of which there are two and both must lead to something, have tests of their own.
    for row in TABLE.iter().filter(|row| row.kind != Kind::Path) {
        let shown = |value: &String| if row.kind == Kind::Secret { "(set)" } else { value }.to_owned();
        let [in_file, in_environment, as_flag] = [0, 1, 2].map(|n| nth_value(row, n));
        let text = format!("# a comment\n{} = \"{in_file}\"\n", row.key);

        let run = roomd(&["check-config"]).file(&text);
        let origin = format!("file {} line 2", run.path().display());
        assert_eq!(reported(&run.run().printed(), row), (shown(&in_file), origin));

        let run = roomd(&["check-config"]).file(&text).variable(&row.variable(), &in_environment);
        let origin = format!("environment {}", row.variable());
        assert_eq!(reported(&run.run().printed(), row), (shown(&in_environment), origin));

        let run = roomd(&["check-config", &row.flag(), &as_flag]).file(&text);
        let report = run.variable(&row.variable(), &in_environment).run().printed();
        assert_eq!(reported(&report, row), (shown(&as_flag), format!("flag {}", row.flag())));
        let mut others = TABLE.iter().filter(|other| other.key != row.key);
        assert!(others.all(|other| reported(&report, other).1 == "default"), "{report}");
    }
}

#[test]
fn numbers_and_arrays_of_the_file_are_taken_without_quotes() {
    let file = "clients = 1_000\nlog_bytes = \"512KiB\"\nallowed_hosts = [\"a\", \"b\"]\n";
    let report = roomd(&["check-config"]).file(file).run().printed();
    for (key, value) in [("clients", "1000"), ("log_bytes", "512KiB"), ("allowed_hosts", "a, b")] {
        assert_eq!(reported(&report, row(key).unwrap()).0, value);
    }
}

#[test]
fn a_list_is_taken_from_commas_and_from_repeated_flags() {
    let arguments = ["check-config", "--allowed-hosts=a,b", "--allowed-hosts", "c"];
    let report = roomd(&arguments).run().printed();
    assert_eq!(reported(&report, row("allowed_hosts").unwrap()).0, "a, b, c");
}

#[test]
fn the_flag_that_names_the_file_wins_over_the_variable() {
    let other = roomd(&[]).file("clients = 6");
    let path = other.path();
    let run = roomd(&["check-config", "--config", path.to_str().unwrap()]).file("clients = 5");
    assert_eq!(reported(&run.run().printed(), row("clients").unwrap()).0, "6");
}

/// `check-config` with this value, and other settings such that any value within the range fits them.
fn with_room(row_in_test: &Row, value: u64) -> Vec<String> {
    let set = |row: &Row, value: u64| format!("{}={value}", row.flag());
    let mut arguments = vec!["check-config".to_owned(), set(row_in_test, value)];
    for relation in &RELATIONS {
        let (larger, smaller) = (row(relation.larger).unwrap(), row(relation.smaller).unwrap());
        if smaller.key == row_in_test.key {
            arguments.push(set(larger, larger.greatest));
        } else if larger.key == row_in_test.key {
            arguments.push(set(smaller, smaller.least));
        }
    }
    if row_in_test.key == "burst" && value == 0 {
        arguments.push("--messages-per-second=0".to_owned());
    }
    arguments
}

#[test]
fn every_number_is_taken_at_both_ends_of_its_range_and_refused_one_beyond() {
    for row in TABLE.iter().filter(|row| row.kind.is_number()) {
        let run = |value: u64| {
            let arguments = with_room(row, value);
            roomd(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).run()
        };
        let refused = |value: &str| {
            let line = roomd(&["check-config", &row.flag(), value]).run().refused(78);
            assert!(line.starts_with(&format!("flag {}: `{value}` is out of range; ", row.flag())), "{line}");
            assert!(line.ends_with(&format!("from {}", row.range())), "{line}");
        };
        run(row.least).printed();
        run(row.greatest).printed();
        refused(&(row.greatest + 1).to_string());
        refused(&row.least.checked_sub(1).map_or("-1".to_owned(), |below| below.to_string()));
    }
}

#[test]
fn every_relation_holds_at_its_edge_and_above_and_is_refused_below() {
    for relation in &RELATIONS {
        let (larger, smaller) = (row(relation.larger).unwrap(), row(relation.smaller).unwrap());
        let each = if relation.smaller == "message_bytes" { 64 << 10 } else { 8 };
        let edge = each * relation.times;
        let run = |value: u64| {
            let (value, each) = (value.to_string(), each.to_string());
            roomd(&["check-config", &larger.flag(), &value, &smaller.flag(), &each]).run()
        };
        run(edge).printed();
        run(edge + 1).printed();
        let line = run(edge - 1).refused(78);
        let place = |row: &Row| format!("{} (flag {})", row.key, row.flag());
        assert!(line.starts_with(&format!("{} and {}: ", place(larger), place(smaller))), "{line}");
        assert!(line.contains(&format!("; raise {} to at least ", larger.key)), "{line}");
    }
}

#[test]
fn what_cannot_be_raised_further_is_not_proposed() {
    let line = roomd(&["--message-bytes=256KiB", "--log-bytes=1023KiB"]).run().refused(78);
    assert!(line.contains("; raise log_bytes to at least 1MiB or lower message_bytes to at most "), "{line}");
    let line = roomd(&["--rooms=8", "--rooms-per-client=9"]).run().refused(78);
    assert!(line.ends_with("; raise rooms to at least 9 or lower rooms_per_client to at most 8"), "{line}");
}

#[test]
fn a_rate_needs_a_burst_and_no_rate_needs_none() {
    let run = |rate, burst| roomd(&["check-config", "--messages-per-second", rate, "--burst", burst]).run();
    run("1", "1").printed();
    run("0", "0").printed();
    run("0", "1").printed();
    assert!(run("1", "0").refused(78).starts_with("burst (flag --burst): 0 together with"));
}

#[test]
fn a_secret_is_taken_up_to_its_greatest_length_and_not_beyond() {
    let run = |length: usize| roomd(&["check-config", "--token", &"s".repeat(length)]).run();
    run(1).printed();
    run(256).printed();
    let change = "give 1 to 256 visible ASCII characters";
    assert_eq!(run(0).refused(78), format!("flag --token: the secret is 0 bytes long; {change}"));
    assert_eq!(run(257).refused(78), format!("flag --token: the secret is 257 bytes long; {change}"));
}

#[test]
fn help_has_every_setting_and_stays_within_80_columns() {
    for flag in ["--help", "-h"] {
        let help = roomd(&["serve", flag]).run().printed();
        for row in &TABLE {
            let usage = format!("\n  {} {}", row.flag(), row.kind.placeholder());
            assert!(help.contains(&usage), "{}", row.key);
        }
        assert!(help.lines().all(|line| line.chars().count() <= 80));
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    for flag in ["--version", "-V"] {
        assert_eq!(roomd(&[flag]).run().printed(), concat!("roomd ", env!("CARGO_PKG_VERSION"), "\n"));
    }
}

/// The names and bytes of a printed plan; the last is the sum.
fn plan_of(arguments: &[&str]) -> Vec<(String, u64)> {
    let text = roomd(arguments).run().printed();
    let line = |line: &str| (line[..22].trim().to_owned(), line[22..36].trim().parse().unwrap());
    text.lines().map(line).collect()
}

#[test]
fn the_plan_ends_with_the_sum_of_its_lines() {
    for arguments in [&["plan"][..], &["plan", "--clients=1", "--rooms=8"], &["plan", "--message-bytes=1KiB"]]
    {
        let mut lines = plan_of(arguments);
        let (name, total) = lines.pop().unwrap();
        assert_eq!(name, "in all, at most");
        assert!(lines.len() > 4);
        assert_eq!(lines.iter().map(|line| line.1).sum::<u64>(), total);
    }
}

#[test]
fn one_more_client_costs_at_least_its_outbox_and_kernel_buffers() {
    let total = |clients| plan_of(&["plan", clients]).pop().unwrap().1;
    let settings = Settings::default();
    let least = settings.outbox_bytes + 2 * (settings.send_buffer_bytes + settings.receive_buffer_bytes);
    assert!(total("--clients=2") - total("--clients=1") >= least as u64);
}

#[test]
fn a_plan_at_memory_max_starts_and_one_byte_above_does_not() {
    let total = plan_of(&["plan"]).pop().unwrap().1;
    let (fits, short) = (total.to_string(), (total - 1).to_string());
    for command in ["plan", "check-config"] {
        roomd(&[command, "--memory-max", &fits]).run().printed();
    }
    let ended = roomd(&["serve", "--listen=127.0.0.1:0", "--memory-max", &fits]).start().stop(Signal::TERM);
    assert_eq!(ended.0, Some(0));
    let expected =
        format!("memory_max (flag --memory-max): the plan needs {total} bytes, the limit is {short} (");
    for command in ["serve", "check-config"] {
        let line = roomd(&[command, "--memory-max", &short]).run().refused(78);
        assert!(line.starts_with(&expected) && line.contains("; lower clients, "), "{line}");
    }
    let shown = roomd(&["plan", "--memory-max", &short]).run();
    assert_eq!(shown.code, Some(78));
    assert!(shown.stdout.contains("in all, at most") && shown.stderr.lines().count() == 1);
}
