//! `client.js` by itself, against a socket that says what no server says on purpose.

use serde_json::{Value, json};

use crate::{
    page::Page,
    server::{Server, settings},
    webdriver::Browser,
};

/// A client on a socket of straw: `told` holds what it has called back, `socket` its last socket.
const STRAW: &str = "
const done = arguments[arguments.length - 1];
let socket;
window.WebSocket = class {
    constructor(url) { this.url = url; this.sent = []; socket = this; }
    send(text) { this.sent.push(JSON.parse(text)); }
    close() {}
};
const told = [];
const note = (what) => (...args) => told.push([what, ...args]);
const names = ['count', 'message', 'gap', 'joined', 'left', 'rooms', 'ack', 'error', 'welcome'];
const on = Object.fromEntries(names.map((name) => [name, note(name)]));
on.phase = (name, detail) => told.push(['phase', name, detail]);
const hear = (message) => socket.onmessage({data: JSON.stringify(message)});
const welcome = (epoch = 'e') => {
    socket.onopen();
    hear({type: 'welcome', client_id: '1', username: 'aki', resume: 'r', epoch});
};
const {Client} = await import('/client.js');
const client = new Client(location.href, on);
client.connect({name: 'aki', token: ''});
";

fn straw(page: &Page<'_>, statements: &str) -> Value {
    page.run_async(&format!("(async () => {{ {STRAW} {statements} }})();"))
}

#[test]
fn a_message_that_comes_twice_counts_once_and_a_hole_is_told() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let page = Page::first(&browser, &server.url());
    let told = straw(
        &page,
        "welcome();
        for (const seq of [3, 4, 4, 3, 7, 8]) hear({type: 'chat', content: '', seq});
        hear({type: 'gap', from: 9, to: 11, missed: 3, reason: 'slow'});
        for (const seq of [10, 11, 12]) hear({type: 'system', content: '', seq});
        done(told.flatMap(([what, , given]) => ({message: given?.seq, gap: -given?.missed})[what] ?? []));",
    );
    assert_eq!(told, json!([3, 4, -2, 7, 8, -3, 12]));
}

#[test]
fn it_comes_back_to_where_it_was_and_starts_anew_in_another_epoch() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let page = Page::first(&browser, &server.url());
    let queries = straw(
        &page,
        "const query = () => new URL(socket.url).search;
        const queries = [query()];
        welcome();
        hear({type: 'system', content: '', seq: 7});
        client.join('a room');
        hear({type: 'joined', room: 'a room', epoch: 'x', seq: 4});
        hear({type: 'chat', content: '', room: 'a room', seq: 5});
        socket.onclose({code: 1006, reason: ''});
        client.wake();
        queries.push(query());
        welcome('f');
        queries.push(socket.sent[0].since);
        hear({type: 'gap', from: 1, to: 0, missed: 0, reason: 'restart'});
        hear({type: 'system', content: '', seq: 1});
        socket.onclose({code: 1006, reason: ''});
        client.wake();
        queries.push(query());
        done(queries);",
    );
    let expected = json!([
        "?username=aki&history=50",
        "?username=aki&resume=r&since=e%3A7",
        "x:5",
        "?username=aki&resume=r&since=f%3A1"
    ]);
    assert_eq!(queries, expected);
}

#[test]
fn each_close_code_means_coming_back_or_staying_away() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let page = Page::first(&browser, &server.url());
    let after = straw(
        &page,
        "const after = {};
        for (const code of [1000, 1001, 1002, 1006, 1007, 1008, 1009, 1011, 1012, 1013, 4001, 4002, 4003]) {
            client.connect({name: 'aki', token: ''});
            welcome();
            socket.onclose({code, reason: ''});
            after[code] = client.phase;
        }
        client.disconnect();
        done(after);",
    );
    for (code, phase) in after.as_object().unwrap() {
        let is_final = ["1000", "1008", "4001"].contains(&code.as_str());
        assert_eq!(phase, if is_final { "stopped" } else { "waiting" }, "{code}");
    }
}

#[test]
fn it_waits_longer_each_time_with_jitter_and_as_long_as_a_restarting_server_asks() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let page = Page::first(&browser, &server.url());
    let delays = straw(
        &page,
        "const timers = [];
        window.setTimeout = (action) => timers.push(action);
        const delay = () => told.findLast(([what, name]) => what === 'phase' && name === 'waiting')[2].delayMs;
        const delays = [];
        for (let attempt = 0; attempt < 8; attempt++) {
            welcome();
            socket.onclose({code: 1001, reason: ''});
            delays.push(delay());
            timers.at(-1)();
        }
        welcome();
        hear({type: 'restarting', retry_ms: 12345});
        socket.onclose({code: 1012, reason: ''});
        delays.push(delay());
        client.disconnect();
        done(delays);",
    );
    let delays: Vec<u64> = serde_json::from_value(delays).unwrap();
    let (asked, own) = delays.split_last().unwrap();
    assert_eq!(*asked, 12_345);
    for (attempt, delay) in own.iter().enumerate() {
        let ceiling = (500 << attempt).min(20_000);
        assert!((ceiling / 2..=ceiling).contains(delay), "attempt {attempt}: {delay} ms, at most {ceiling}");
    }
}

#[test]
fn what_is_no_message_of_ours_is_passed_over() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let page = Page::first(&browser, &server.url());
    let told = straw(
        &page,
        "welcome();
        told.length = 0;
        for (const data of ['', 'no JSON', 'null', '[]', '7', '{}', '{\"type\":\"toString\"}', '{\"type\":\"__proto__\"}']) {
            socket.onmessage({data});
        }
        socket.onmessage({data: new Blob(['binary'])});
        hear({type: 'chat', room: 'not ours', content: '', seq: 1});
        hear({type: 'gap', room: 'not ours', from: 1, to: 2, missed: 2, reason: 'slow'});
        hear({type: 'left', room: 'not ours'});
        client.disconnect();
        done(told.map(([what, name]) => [what, name]));",
    );
    assert_eq!(told, json!([["phase", "stopped"]]));
}

#[test]
fn each_day_begins_with_its_date_and_a_board_without_a_clock_has_none() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let page = Page::first(&browser, &server.url());
    let lines = page.run_async(
        "const done = arguments[arguments.length - 1];
        (async () => {
            const {RoomView} = await import('/messages.js');
            const view = new RoomView('a room', {onScroll() {}});
            const noon = new Date(2026, 10, 25, 12).getTime() / 1000;
            for (const timestamp of [60, noon, noon + 60, noon + 86_400]) {
                view.add({type: 'chat', content: 'text', sender: 'aki', client_id: '1', timestamp}, false);
            }
            view.show(true);
            done([...view.element.querySelectorAll('.line')].map((line) => line.matches('.day')
                ? line.textContent.match(/\\d+/)[0] : line.matches('.grouped')));
        })();",
    );
    assert_eq!(lines, json!([false, "25", false, true, "26", false]));
}
