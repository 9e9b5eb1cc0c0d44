//! `systemd/roomd.service` and `.socket` against the program: what they grant is what it needs.

use std::fs;

use roomd::{
    config::{DEFAULT_PATH, Plan, Settings, table::TABLE},
    limits,
    server::descriptors,
};

use super::run::roomd;

fn unit(name: &str) -> Vec<(String, String)> {
    let path = format!("{}/systemd/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once('=')).map(|(key, value)| (key.into(), value.into())).collect()
}

fn values(unit: &[(String, String)], key: &str) -> Vec<String> {
    unit.iter().filter(|line| line.0 == key).map(|line| line.1.clone()).collect()
}

fn value(unit: &[(String, String)], key: &str) -> String {
    let [value] = values(unit, key).try_into().unwrap_or_else(|all| panic!("{key}: {all:?}"));
    value
}

/// The size of `496M`, as systemd reads it.
fn bytes(size: &str) -> u64 {
    size.strip_suffix('M').unwrap().parse::<u64>().unwrap() << 20
}

fn memory_max() -> String {
    let variables = values(&unit("roomd.service"), "Environment");
    variables.iter().find_map(|variable| variable.strip_prefix("ROOMD_MEMORY_MAX=")).unwrap().to_owned()
}

#[test]
fn the_memory_that_the_service_grants_fits_the_plan_and_the_refusal_comes_before_the_kill() {
    let (granted, refused_above) = (bytes(&value(&unit("roomd.service"), "MemoryMax")), memory_max());
    let refused_above = refused_above.strip_suffix("iB").map(bytes).unwrap();
    let settings = Settings::default();
    assert!(Plan::of(&settings).total() <= refused_above, "the defaults must start");
    // What does not depend on connections: those are in the plan with all that the kernel keeps of them.
    let kernel = 16 << 20;
    assert!(refused_above + kernel <= granted, "{refused_above} and {kernel} are above {granted}");
}

#[test]
fn the_variable_of_the_service_lets_the_defaults_start_and_refuses_what_is_above() {
    let run = |arguments: &[&str]| roomd(arguments).variable("ROOMD_MEMORY_MAX", &memory_max()).run();
    run(&["check-config"]).printed();
    let line = run(&["check-config", "--clients=2048"]).refused(78);
    assert!(line.starts_with("memory_max (environment ROOMD_MEMORY_MAX): "), "{line}");
}

#[test]
fn the_descriptors_that_the_service_grants_are_enough_for_as_many_clients_as_can_be_set() {
    let granted: u64 = value(&unit("roomd.service"), "LimitNOFILE").parse().unwrap();
    let greatest = Settings { clients: limits::CLIENTS_MAX, ..Settings::default() };
    assert!(descriptors::needed(&greatest) <= granted);
}

#[test]
fn the_socket_is_where_the_defaults_would_listen() {
    let socket = unit("roomd.socket");
    let (port, both) = (value(&socket, "ListenStream"), value(&socket, "BindIPv6Only"));
    assert_eq!(both, "both");
    let listen = Settings::default().listen;
    assert_eq!(listen.len(), 2, "both families");
    assert!(listen.iter().all(|address| address.port().to_string() == port), "{port}");
}

#[test]
fn the_variables_of_the_service_are_settings() {
    for variable in values(&unit("roomd.service"), "Environment") {
        let (name, _) = variable.split_once('=').unwrap();
        let key = name.strip_prefix("ROOMD_").unwrap().to_lowercase();
        assert!(TABLE.iter().any(|row| row.key == key), "{name}");
    }
    assert_eq!(DEFAULT_PATH, "/etc/roomd/roomd.toml", "the service's comment names it");
}

#[test]
fn the_settings_for_small_boards_fit_what_their_drop_in_grants() {
    let dropin = unit("small-board.conf");
    let (granted, variable) = (bytes(&value(&dropin, "MemoryMax")), value(&dropin, "Environment"));
    let refused_above = variable.strip_prefix("ROOMD_MEMORY_MAX=").unwrap();
    assert!(granted < bytes(&value(&unit("roomd.service"), "MemoryMax")));
    assert_eq!(
        refused_above.strip_suffix("iB").map(bytes).unwrap() + (32 << 20),
        granted,
        "the kernel's share"
    );
    let settings =
        fs::read_to_string(format!("{}/systemd/small-board.toml", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let plan = |most: &str| roomd(&["plan"]).file(&settings).variable("ROOMD_MEMORY_MAX", most).run();
    assert!(plan(refused_above).printed().contains("65.6 MiB"), "its comment says so");
    assert!(settings.contains(" 65.6 MiB at most"), "{settings}");
}
