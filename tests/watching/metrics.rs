//! `/metrics`: its format, that all is there from the start, and that it tells what the status tells.

use std::collections::BTreeMap;

use roomd::hub::Counter;
use serde_json::{Value, json};

use super::{becomes, fetch, get, number, settings, status, support::*};

/// What the checker of the format has to say; nothing if all is well.
fn check_metrics(exposition: &str) -> String {
    let (is_accepted, said) = promtool(&["check", "metrics"], exposition);
    assert_eq!(is_accepted, said.is_empty(), "{said}");
    said
}

#[test]
fn the_checker_finds_what_is_wrong() {
    for bad in [
        "roomd_clients{} x\n",
        "# HELP roomd_sent Sent.\n# TYPE roomd_sent counter\nroomd_sent 1\n",
        "# TYPE roomd_clients gauge\nroomd_clients 1\n",
        "roomd_clients 1\nroomd_clients 1\n",
    ] {
        assert_ne!(check_metrics(bad), "", "{bad}");
    }
}

/// The samples by name with labels.
fn samples(exposition: &str) -> BTreeMap<&str, f64> {
    let lines = exposition.lines().filter(|line| !line.starts_with('#'));
    let samples: Vec<_> = lines.map(|line| line.rsplit_once(' ').unwrap()).collect();
    let map: BTreeMap<_, _> = samples.iter().map(|(name, value)| (*name, value.parse().unwrap())).collect();
    assert_eq!(map.len(), samples.len(), "each stands once");
    map
}

async fn metrics(server: &TestServer) -> String {
    let response = fetch(server, "/metrics").await;
    assert_eq!(response.status, 200, "{response:?}");
    assert_eq!(response.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    response.body
}

#[tokio::test]
async fn what_is_told_is_what_prometheus_reads_and_follows_its_rules() {
    let server = TestServer::start(settings());
    let _client = Client::connect(&server, "aki \"the\\first\"").await;
    let text = metrics(&server).await;
    assert_eq!(check_metrics(&text), "", "{text}");
    assert!(!text.contains("aki"), "no name is ever a label");
    let helps = text.lines().filter(|line| line.starts_with("# HELP ")).count();
    let types = text.lines().filter(|line| line.starts_with("# TYPE ")).count();
    assert!(helps == types && helps > 35, "{text}");
}

#[tokio::test]
async fn everything_is_there_from_the_start_at_zero() {
    let server = TestServer::start(settings());
    let text = metrics(&server).await;
    let samples = samples(&text);
    let at_start: Vec<_> = samples.iter().filter(|(name, _)| name.contains("_total")).collect();
    for (name, value) in &at_start {
        let is_of_asking = name.starts_with("process_") || **name == "roomd_connections_accepted_total";
        assert!(**value == 0.0 || is_of_asking, "{name} {value}");
    }
    let status = status(&server).await;
    for counter in status["counters"].as_object().unwrap() {
        assert!(*counter.1 == 0 || counter.0 == "connections_accepted", "{counter:?}");
    }
    // One for each counter but the sum of the reasons, and one for each code.
    let (counters, codes) = (&status["counters"], &status["requests_refused"]);
    let count = counters.as_object().unwrap().len() - 1 + codes.as_object().unwrap().len() + 1;
    assert_eq!(at_start.len(), count, "{at_start:?}");
    for ending in Counter::ENDINGS {
        assert!(text.contains(&format!("{{reason=\"{}\"}} 0\n", ending.name())), "{text}");
    }
    for (code, count) in codes.as_object().unwrap() {
        assert!(*count == 0 && text.contains(&format!("{{code=\"{code}\"}} 0\n")), "{text}");
    }
}

#[tokio::test]
async fn both_tell_the_same_numbers() {
    let server = TestServer::start(settings());
    let mut aki = Client::connect(&server, "aki").await;
    aki.join("kitchen").await;
    aki.send(json!({"type": "chat", "room": "kitchen", "content": "hello"})).await;
    aki.settle().await;
    Client::connect(&server, "bob").await.leave().await;
    get(&server, "/ws").send(&server).await.assert_refusal(426, "upgrade_required");
    becomes(&server, "/counters/farewells", 1).await;
    aki.settle().await;

    let text = metrics(&server).await;
    let (samples, status) = (samples(&text), status(&server).await);
    let told = |name: &str| *samples.get(name).unwrap_or_else(|| panic!("no {name} in {text}"));
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let number = |pointer: &str| number(&status, pointer) as f64;
    for (name, pointer, least) in [
        ("roomd_clients", "/clients", 1.0),
        ("roomd_clients_max", "/clients_max", 1.0),
        ("roomd_rooms", "/rooms", 1.0),
        ("roomd_clients_blocked", "/blocked", 0.0),
        ("roomd_memory_plan_bytes", "/memory/plan_bytes", 1.0),
        ("roomd_inbound_max_bytes", "/inbound_bytes_max", 1.0),
        ("process_max_fds", "/descriptors/max", 1.0),
        ("roomd_clients_connected_total", "/counters/connected", 2.0),
        ("roomd_clients_disconnected_total{reason=\"closed\"}", "/counters/closed", 1.0),
        ("roomd_messages_received_total", "/counters/received", 2.0),
        ("roomd_messages_published_total", "/counters/published", 5.0),
        ("roomd_messages_delivered_total", "/counters/delivered", 5.0),
        ("roomd_sent_bytes_total", "/counters/bytes_sent", 100.0),
        ("roomd_received_bytes_total", "/counters/bytes_received", 100.0),
        ("roomd_writes_total", "/counters/writes", 5.0),
        ("roomd_rooms_made_total", "/counters/rooms_made", 1.0),
        ("roomd_farewells_total", "/counters/farewells", 1.0),
        (
            "roomd_requests_refused_total{code=\"upgrade_required\"}",
            "/requests_refused/upgrade_required",
            1.0,
        ),
    ] {
        assert!(told(name) >= least, "{name} {}", told(name));
        assert!((told(name) - number(pointer)).abs() < 0.5, "{name} {} {}", told(name), number(pointer));
    }
    assert!(told("process_resident_memory_bytes") > 1e5 && told("process_open_fds") > 3.0, "{text}");
    let start = number("/now_unix_s") - number("/uptime_s");
    assert!((told("process_start_time_seconds") - start).abs() < 60.0, "{text}");
    assert_eq!(status["drops"], json!({"messages": 0, "answers": 0}));
    assert_eq!(status["listen"], Value::from(vec![server.host()]));
}
