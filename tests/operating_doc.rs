//! Holds `docs/OPERATING.md` against the code: settings, counters, metrics, fields, exit codes, and
//! what commands print.

#![allow(clippy::unwrap_used)]

mod markdown;
mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    process::Command,
};

use markdown::{Document, code_words};
use roomd::{
    config::{
        self, Configuration, Flags, LogLevel, Plan, RELATIONS, Request, Settings, plan::human, table::TABLE,
    },
    hub::Counter,
    server::descriptors,
};
use serde_json::Value;
use support::{Client, Handshake, TestServer, promtool, settings};

fn operating() -> Document {
    markdown::read("docs/OPERATING.md")
}

/// The words in backticks of the first cells of a table.
fn first_cells(heading: &str) -> BTreeSet<String> {
    let rows = operating().table(heading);
    rows.iter().flat_map(|row| code_words(&row[0])).map(str::to_owned).collect()
}

fn set<'a>(items: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    items.into_iter().map(str::to_owned).collect()
}

#[test]
fn every_setting_stands_with_its_default_and_range() {
    let defaults = Settings::default();
    let wanted: Vec<Vec<String>> = TABLE
        .iter()
        .map(|row| {
            let off = if row.zero_is_off { "; 0 = off" } else { "" };
            vec![
                format!("`{}`", row.key),
                row.show(&defaults),
                format!("{}{off}", row.range()),
                row.help.to_owned(),
            ]
        })
        .collect();
    let lines = wanted.iter().map(|cells| format!("| {} |", cells.join(" | ")));
    let table = lines.collect::<Vec<_>>().join("\n");
    assert_eq!(operating().table("### All settings"), wanted, "the table should be:\n{table}");
}

#[test]
fn every_relation_between_settings_is_told() {
    let section = operating().section("### How they must fit together").join("\n");
    for relation in &RELATIONS {
        let line = section.lines().find(|line| {
            let words = code_words(line);
            words.first() == Some(&relation.larger) && words.contains(&relation.smaller)
        });
        let line = line.unwrap_or_else(|| panic!("{relation:?}"));
        assert!(relation.times == 1 || line.contains(&relation.times.to_string()), "{line}");
    }
    assert!(section.contains("`burst`"), "a rate without a burst is refused");
}

#[test]
fn every_line_of_the_plan_is_told() {
    let plan = Plan::of(&Settings::default());
    assert_eq!(first_cells("## Memory"), set(plan.lines.iter().map(|line| line.name)));
}

/// A file of the project.
fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// What `systemd/small-board.toml` sets.
fn small_board() -> Settings {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd/small-board.toml");
    Configuration::load(Flags::default(), [], &path).unwrap().settings
}

fn total(settings: &Settings) -> u64 {
    Plan::of(settings).total()
}

#[test]
fn what_one_client_more_costs_is_what_the_plan_says() {
    let each = |settings: Settings, more: usize| {
        let larger = Settings { clients: settings.clients + more, ..settings.clone() };
        (total(&larger) - total(&settings)) / more as u64 / 1024
    };
    let told = format!(
        "one costs up to {} KiB with the defaults, {} KiB with these",
        each(Settings::default(), 1_000),
        each(small_board(), 100)
    );
    assert!(operating().section("## Memory").join(" ").contains(&told), "{told}");
}

/// The settings of a row of the table of small boards: "256 clients, 32 rooms, `handshakes` 32".
fn settings_of(cell: &str) -> Settings {
    if cell.starts_with("`systemd/small-board.toml`") {
        let settings = small_board();
        let told = format!("{} clients, {} rooms", settings.clients, settings.rooms);
        assert!(cell.ends_with(&told), "{cell}: {told}");
        return settings;
    }
    let cell = cell.strip_prefix("the defaults: ").unwrap_or(cell);
    let flags = cell.replace(", ", "\n").replace(',', "");
    let flags = flags.lines().map(|word| {
        let (one, other) = word.split_once(' ').unwrap();
        let (name, value) = if one.starts_with('`') { (one.trim_matches('`'), other) } else { (other, one) };
        format!("--{}={value}", name.replace('_', "-"))
    });
    let request = config::request(["plan".into()].into_iter().chain(flags.map(Into::into)));
    let Ok(Request::Run(_, flags)) = request else { panic!("{cell}") };
    Configuration::load(flags, [], Path::new("/nonexistent")).unwrap().settings
}

#[test]
fn the_units_have_the_limits_of_their_boards() {
    let rows = operating().table("## Small boards");
    assert_eq!(rows.len(), 3);
    let (first, last) = (&rows[0][5], &rows[2][5]);
    for (name, limits) in [("small-board.conf", first), ("roomd.service", last)] {
        let unit = read(&format!("systemd/{name}"));
        let (refused_above, granted) = limits.split_once(", ").unwrap();
        for line in [format!("Environment=ROOMD_MEMORY_MAX={refused_above}"), format!("MemoryMax={granted}")]
        {
            assert!(unit.lines().any(|found| found == line), "{name}: {line}");
        }
    }
    let told = format!("{} at most", human(total(&small_board())));
    let comment = read("systemd/small-board.toml").replace("\n# ", " ");
    assert!(comment.contains(&told), "systemd/small-board.toml should say: {told}");
}

#[test]
fn the_status_that_is_shown_is_one_of_the_defaults() {
    let settings = Settings::default();
    let blocks = operating().blocks();
    let block = blocks.iter().find(|block| block.lines[0] == "$ roomd status").unwrap().lines.join("\n");
    for told in [
        format!("{} planned at most", human(total(&settings))),
        format!(" of {}, ", settings.clients),
        format!(" of {}\n", settings.rooms),
        format!(" of {}\n", descriptors::needed(&settings)),
    ] {
        assert!(block.contains(&told), "{told}");
    }
}

/// The last line of what a command of `roomd` prints, or its error.
fn last_line(command: &str) -> String {
    let arguments = command.split('|').next().unwrap().split_whitespace().map(Into::into);
    let printed = match config::request(arguments) {
        Err(invalid) => format!("roomd: {invalid}"),
        Ok(Request::Run(config::Command::Plan, flags)) => {
            let configuration = Configuration::load(flags, [], Path::new("/nonexistent")).unwrap();
            configuration.check_plan().unwrap().to_string()
        }
        Ok(other) => panic!("{other:?}"),
    };
    printed.lines().last().unwrap().to_owned()
}

#[test]
fn what_commands_are_said_to_print_is_what_they_print() {
    let mut tried = 0;
    for block in operating().blocks() {
        for lines in block.lines.windows(2) {
            let command = lines[0].strip_prefix("$ roomd ");
            // What a running server answers has a test of its own.
            let is_here = |command: &&str| !command.contains(".toml") && *command != "status";
            if let Some(command) = command.filter(is_here) {
                assert_eq!(last_line(command), lines[1], "{command}");
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 2, "an error and a plan are shown");
}

/// The number of `464MiB`, `496M` or `256 MiB and more`.
fn mib(size: &str) -> u64 {
    let end = size.find(|c: char| !c.is_ascii_digit()).unwrap();
    let number: u64 = size[..end].parse().unwrap();
    if size.contains("GiB") { number << 10 } else { number }
}

#[test]
fn for_each_board_the_plan_fits_what_roomd_may_have_and_that_fits_the_board_with_tls_and_without() {
    for row in operating().table("## Small boards") {
        let [memory, _, _, settings, plan, limits, plan_with_tls, limits_with_tls] = &row[..] else {
            panic!("{row:?}");
        };
        let bare = settings_of(settings);
        let with_tls = Settings { tls_cert: Some("cert.pem".into()), ..bare.clone() };
        for (settings, plan, limits) in [(bare, plan, limits), (with_tls, plan_with_tls, limits_with_tls)] {
            let needed = Plan::of(&settings);
            assert!(needed.to_string().ends_with(&format!("  {plan}\n")), "{row:?}\n{needed}");
            let (refused_above, granted) = limits.split_once(", ").unwrap();
            assert!(needed.total() <= mib(refused_above) << 20, "{row:?}");
            assert_eq!(mib(refused_above) + 32, mib(granted), "the kernel's share");
            assert!(mib(granted) < mib(memory), "{row:?}");
        }
    }
}

/// The lines of the drop-in that has this one, by their keys.
fn drop_in(line: &str) -> Vec<(String, String)> {
    let blocks = operating().blocks();
    let block = blocks.iter().find(|block| block.lines.iter().any(|other| other.starts_with(line))).unwrap();
    let lines = block.lines.iter().filter(|line| !line.starts_with('$'));
    lines.filter_map(|line| line.split_once('=')).map(|(key, value)| (key.into(), value.into())).collect()
}

fn values<'a>(lines: &'a [(String, String)], key: &str) -> Vec<&'a str> {
    lines.iter().filter(|line| line.0 == key).map(|line| line.1.as_str()).collect()
}

#[test]
fn the_drop_ins_have_the_memory_of_the_table_and_that_for_tls_hands_its_files_over() {
    let table = operating().table("## Small boards");
    let limits = |lines: &[(String, String)]| {
        let variables = values(lines, "Environment");
        let refused_above = variables.iter().find_map(|line| line.strip_prefix("ROOMD_MEMORY_MAX=")).unwrap();
        format!("{refused_above}, {}", values(lines, "MemoryMax")[0])
    };
    assert_eq!(limits(&drop_in("Environment=ROOMD_MEMORY_MAX=128MiB")), table[1][5]);
    let tls = drop_in("LoadCredential=");
    assert_eq!(limits(&tls), table[2][7], "the default settings");
    let variables = values(&tls, "Environment").join(" ");
    let files: BTreeMap<_, _> =
        variables.split(' ').filter_map(|variable| variable.split_once("=%d/")).collect();
    assert_eq!(files.keys().copied().collect::<Vec<_>>(), ["ROOMD_TLS_CERT", "ROOMD_TLS_KEY"]);
    let credentials = values(&tls, "LoadCredential");
    let names: Vec<_> = credentials.iter().map(|line| line.split_once(":/").unwrap().0).collect();
    assert_eq!(files.into_values().collect::<Vec<_>>(), names);
    for variable in variables.split(' ') {
        let key = variable.split('=').next().unwrap().trim_start_matches("ROOMD_").to_lowercase();
        assert!(TABLE.iter().any(|row| row.key == key), "{variable}");
    }
}

/// Puts a `systemctl` that does this into `bin` of the folder, and a `sudo` that changes nothing.
fn put_commands(folder: &Path, systemctl: &str) {
    fs::create_dir_all(folder.join("bin")).unwrap();
    for (name, text) in [("systemctl", systemctl), ("sudo", "exec \"$@\"")] {
        let path = folder.join("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

#[test]
fn the_command_for_a_small_board_with_the_package_puts_the_same_in_place_as_a_deployment() {
    let folder = std::env::temp_dir().join(format!("roomd-small-{}", std::process::id()));
    put_commands(&folder, "echo \"$@\" >>\"${0%/*}/../asked\"");
    let etc = folder.join("etc");
    fs::create_dir_all(etc.join("roomd")).unwrap();
    fs::write(etc.join("roomd/roomd.toml"), "# As the package has it.\n").unwrap();
    let blocks = operating().blocks();
    let mut commands = blocks.iter().map(|block| block.lines.join("\n"));
    let command = commands.find(|block| block.contains("cd /usr/share/doc/roomd;")).unwrap();
    let asset = r#"["systemd/small-board.*", "usr/share/doc/roomd/", "644"]"#;
    assert!(read("Cargo.toml").contains(asset), "{asset}");
    let systemd = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd");
    let command = command
        .replace("/usr/share/doc/roomd", systemd.to_str().unwrap())
        .replace(" /etc/", &format!(" {}/", etc.display()));
    let status = Command::new("sh")
        .args(["-ec", &command])
        .env("PATH", format!("{}:/usr/bin:/bin", folder.join("bin").display()))
        .status();
    assert!(status.unwrap().success(), "{command}");
    let found = |path: &str| fs::read_to_string(etc.join(path)).unwrap();
    assert_eq!(found("roomd/roomd.toml"), read("systemd/small-board.toml"));
    assert_eq!(found("systemd/system/roomd.service.d/small-board.conf"), read("systemd/small-board.conf"));
    assert_eq!(fs::read_to_string(folder.join("asked")).unwrap(), "daemon-reload\nrestart roomd\n");
    fs::remove_dir_all(folder).unwrap();
}

/// Runs the documented check with this text in it (beside the settings `clients`), `systemctl` telling the variables
/// of the unit, on a board with such variables of its own; its exit code, and what it said.
fn check_as_told(part: &str, clients: usize, variables: &str) -> (Option<i32>, String) {
    let section = operating().section("## As a service").join("\n");
    let line = section.lines().find(|line| line.starts_with(part) && line.contains("check-config"));
    let line = line.unwrap_or_else(|| panic!("no line that begins with {part:?}"));
    let folder = std::env::temp_dir().join(format!("roomd-check-{}", std::process::id()));
    let unit = read("systemd/roomd.service");
    let environment = unit.lines().find_map(|line| line.strip_prefix("Environment=")).unwrap();
    let question = "[ \"$*\" = 'show --value --property=Environment roomd' ] || exit 1";
    put_commands(&folder, &format!("{question}\necho {environment}"));
    let _ = symlink(env!("CARGO_BIN_EXE_roomd"), folder.join("bin/roomd"));
    fs::write(folder.join("roomd.toml"), format!("clients = {clients}\n")).unwrap();
    fs::write(folder.join("variables"), variables).unwrap();
    let line = line.replace("/etc/default/roomd", folder.join("variables").to_str().unwrap());
    let output = Command::new("sh")
        .args(["-c", &line])
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", folder.join("bin").display()))
        .env("ROOMD_CONFIG", folder.join("roomd.toml"))
        .output()
        .unwrap();
    fs::remove_dir_all(folder).unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn the_check_that_is_told_refuses_what_the_service_would() {
    for part in ["env ", "sudo env "] {
        assert_eq!(check_as_told(part, 1_024, "").0, Some(0), "{part}");
        let (code, said) = check_as_told(part, 2_000, "");
        assert!(code == Some(78) && said.contains("ROOMD_MEMORY_MAX"), "{part}: {said}");
    }
    assert_eq!(check_as_told("sudo env ", 1_024, "ROOMD_CLIENTS=2000\n").0, Some(78));
    // As in the service, where what stands in that file wins over the unit.
    assert_eq!(check_as_told("sudo env ", 2_000, "ROOMD_MEMORY_MAX=4GiB\n").0, Some(0));
}

#[test]
fn the_pace_of_restarts_and_the_lines_that_it_costs_are_those_of_the_unit() {
    let unit = read("systemd/roomd.service");
    let pace = unit.lines().find_map(|line| line.strip_prefix("RestartSec=")?.strip_suffix('s')).unwrap();
    let section = operating().section("## As a service").join(" ");
    assert!(section.contains(&format!("started again after {pace} seconds")), "{pace}");
    // roomd's own; and systemd's: exited, failed, failed to start, scheduled, stopped, starting.
    let lines_a_day = 7 * 86_400 / pace.parse::<u32>().unwrap();
    assert!(section.contains(&format!(
        "some 7 lines to the log, most of them systemd's: {},000 a day",
        lines_a_day / 1_000
    )));
}

#[test]
fn every_log_level_is_told() {
    assert_eq!(first_cells("## The log"), set(LogLevel::ALL.map(LogLevel::name)));
}

#[test]
fn every_exit_code_of_the_help_is_told() {
    let help = config::help();
    let (_, foot) = help.split_once("Exit code: ").unwrap();
    let codes: Vec<_> = foot.split(|c: char| !c.is_ascii_digit()).filter(|word| !word.is_empty()).collect();
    assert!(codes.len() >= 3, "{foot}");
    let told = first_cells("## Exit codes");
    for code in codes {
        assert!(told.contains(code), "{code}");
    }
}

async fn fetch(server: &TestServer, path: &str) -> String {
    let request = Handshake::new(server, "").line(&format!("GET {path} HTTP/1.1"));
    let answer = request.without("Upgrade").without("Connection").send(server).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

async fn fetch_json(server: &TestServer, path: &str) -> Value {
    serde_json::from_str(&fetch(server, path).await).unwrap()
}

/// The fields of an object; those of an object in it behind a dot, but for counts, which have tables of
/// their own.
fn fields(value: &Value) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for (name, value) in value.as_object().unwrap() {
        match value.as_object() {
            Some(inner) if !["counters", "requests_refused"].contains(&name.as_str()) => {
                all.extend(inner.keys().map(|inner| format!("{name}.{inner}")));
            }
            _ => all.extend([name.clone()]),
        }
    }
    all
}

#[tokio::test]
async fn every_field_of_the_endpoints_is_told() {
    let server = TestServer::start(settings());
    for (path, heading) in [("/api/status", "### /api/status"), ("/healthz", "### /healthz")] {
        let (told, found) = (first_cells(heading), fields(&fetch_json(&server, path).await));
        assert_eq!(found.difference(&told).collect::<Vec<_>>(), [""; 0], "{path}: not told");
        for missing in told.difference(&found) {
            let table = operating().table(heading);
            let row = table.iter().find(|row| code_words(&row[0]).contains(&missing.as_str())).unwrap();
            let may_be = row[1].contains("where it can be read") || row[1].contains("absent");
            assert!(may_be, "{path}: there is no {missing}");
        }
    }
}

/// The metrics and what they are worth, labels left out: of several the last.
fn samples(exposition: &str) -> BTreeMap<&str, &str> {
    let samples = exposition.lines().filter_map(|line| line.rsplit_once(' '));
    let samples = samples.filter(|(name, _)| !name.starts_with('#'));
    samples.map(|(name, value)| (name.split('{').next().unwrap(), value)).collect()
}

#[tokio::test]
async fn every_counter_and_every_metric_is_told_and_the_two_of_a_row_are_the_same() {
    let server = TestServer::start(settings());
    let mut aki = Client::connect(&server, "aki").await;
    aki.settle().await;
    let exposition = fetch(&server, "/metrics").await;
    let samples = samples(&exposition);
    let status = fetch_json(&server, "/api/status").await;
    let counters = status["counters"].as_object().unwrap();
    assert_eq!(first_cells("### Counters"), set(counters.keys().map(String::as_str)));

    let mut metrics = first_cells("### /metrics");
    let (mut moved, mut reasons) = (0, BTreeSet::new());
    for row in operating().table("### Counters") {
        let (counter, metric) = (code_words(&row[0])[0], code_words(&row[1]));
        let Some(metric) = metric.first() else {
            reasons.insert(counter.to_owned());
            continue;
        };
        metrics.insert((*metric).to_owned());
        // Each question comes on a connection of its own.
        if counter != "connections_accepted" {
            assert_eq!(counters[counter].to_string(), samples[metric], "{counter}");
            moved += usize::from(counters[counter] != 0);
        }
    }
    assert!(moved >= 6, "{exposition}");
    assert_eq!(reasons, set(Counter::ENDINGS.map(Counter::name)));
    let optional = ["process_open_fds", "process_resident_memory_bytes"].map(str::to_owned);
    let found: BTreeSet<_> = samples.keys().copied().map(str::to_owned).chain(optional).collect();
    assert_eq!(found, metrics);
}

#[tokio::test]
async fn every_code_of_a_refusal_is_told() {
    let server = TestServer::start(settings());
    let status = fetch_json(&server, "/api/status").await;
    let codes = status["requests_refused"].as_object().unwrap().keys().map(String::as_str);
    let rows = markdown::read("docs/PROTOCOL.md").table("### Refusals");
    let told: BTreeSet<_> = rows.iter().flat_map(|row| code_words(&row[1])).map(str::to_owned).collect();
    assert_eq!(told, set(codes));
}

/// A line with every number as 0 and every unit of bytes as B.
fn shape(line: &str) -> String {
    let mut shape = String::new();
    for char in line.chars() {
        match char {
            '0'..='9' | '.' if shape.ends_with('0') => {}
            '0'..='9' => shape.push('0'),
            char => shape.push(char),
        }
    }
    ["KiB", "MiB", "GiB", "TiB"].iter().fold(shape, |shape, unit| shape.replace(unit, "B"))
}

#[tokio::test]
async fn what_status_is_said_to_print_is_what_it_prints() {
    let server = TestServer::start(Settings { token: Some("open-sesame".into()), ..settings() });
    Handshake::new(&server, "").send(&server).await.assert_refusal(401, "unauthorized");
    let printed = roomd::status::report(&fetch_json(&server, "/api/status").await);
    let blocks = operating().blocks();
    let block = blocks.iter().find(|block| block.lines[0] == "$ roomd status").unwrap();
    let label = |line: &str| line.split_whitespace().next().unwrap().to_owned();
    let labels: Vec<_> = block.lines[1..].iter().map(|line| label(line)).collect();
    assert_eq!(labels, printed.lines().map(label).collect::<Vec<_>>());
    // What depends on the board is not the same on all.
    let of_the_board = ["server", "listening", "board", "load"];
    let lines = |lines: &mut dyn Iterator<Item = &str>| -> Vec<String> {
        lines.filter(|line| !of_the_board.contains(&&*label(line))).map(shape).collect()
    };
    let told = lines(&mut block.lines[1..].iter().map(String::as_str));
    assert_eq!(told, lines(&mut printed.lines()));
}

#[tokio::test]
async fn prometheus_takes_the_scrape_and_the_alerts_and_their_metrics_are_there() {
    let server = TestServer::start(settings());
    let exposition = fetch(&server, "/metrics").await;
    let known = samples(&exposition);
    let mut checked = 0;
    for block in operating().blocks().iter().filter(|block| block.language == "yaml") {
        let text = block.lines.join("\n") + "\n";
        let kind = if block.lines[0] == "groups:" { "rules" } else { "config" };
        let path = std::env::temp_dir().join(format!("roomd-{kind}-{}.yml", std::process::id()));
        fs::write(&path, &text).unwrap();
        let (is_accepted, said) = promtool(&["check", kind, path.to_str().unwrap()], "");
        fs::remove_file(path).unwrap();
        assert!(is_accepted, "{said}");
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        for expression in text.lines().filter_map(|line| line.trim().strip_prefix("expr: ")) {
            let words = expression.split(|c| !is_name(c)).filter(|word| word.starts_with("roomd_"));
            for word in words {
                assert!(known.contains_key(word), "there is no {word}");
                checked += 1;
            }
        }
    }
    assert!(checked >= 4);
}
