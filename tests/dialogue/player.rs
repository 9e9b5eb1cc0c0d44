//! Plays dialogues against a server of their own.

use std::{collections::BTreeMap, path::Path};

use roomd::config::{self, Configuration, Request, Settings};
use serde_json::Value;
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::{Names, Step};
use crate::support::{Client, Handshake, TestServer, guarded};

/// Plays a dialogue and checks every line of it; also that nothing came that it does not have.
pub(crate) async fn play(steps: &[Step]) {
    let mut player = Player {
        server: Some(TestServer::start(settings(steps))),
        clients: BTreeMap::new(),
        names: Names::default(),
    };
    for (step, next) in steps.iter().zip(steps.iter().skip(1).map(Some).chain([None])) {
        player.play(step, next).await;
    }
    player.finish().await;
}

struct Player {
    server: Option<TestServer>,
    clients: BTreeMap<String, Client>,
    names: Names,
}

impl Player {
    async fn play(&mut self, step: &Step, next: Option<&Step>) {
        match step {
            // Settings were taken before the start, a refusal with the step before it.
            Step::Set(..) | Step::Refused(..) => {}
            Step::Stop => self.server.as_mut().unwrap().begin_stop(),
            Step::Connect(name, query) => {
                let query = self.names.fill_in(query);
                match next {
                    Some(Step::Refused(refused, status, body)) if refused == name => {
                        self.be_refused(&query, *status, body).await;
                    }
                    _ => self.connect(name, &query).await,
                }
            }
            Step::Send(name, text) => {
                let text = self.names.fill_in(text);
                self.client(name).send_text(&text).await;
            }
            Step::Receive(name, written) => self.receive(name, written).await,
            Step::Close(name) => self.take(name).leave().await,
            Step::Closed(name, code) => {
                let mut client = self.take(name);
                let closed = next_but_count(&mut client, "close", false).await;
                let Message::Close(Some(close)) = &closed else { panic!("{name}: {closed:?}, not {code}") };
                assert_eq!(u16::from(close.code), *code, "{name}: {close:?}");
            }
        }
    }

    async fn connect(&mut self, name: &str, query: &str) {
        let client = Client::open(self.server.as_ref().unwrap(), query).await;
        assert!(self.clients.insert(name.to_owned(), client).is_none(), "{name} is there already");
    }

    async fn be_refused(&mut self, query: &str, status: u16, body: &str) {
        let server = self.server.as_ref().unwrap();
        let answer = Handshake::new(server, query).send(server).await;
        assert_eq!(answer.status, status, "{answer:?}");
        let checked = self.names.check(&answer.body, body);
        checked.unwrap_or_else(|why| panic!("{why}: {answer:?}"));
    }

    async fn receive(&mut self, name: &str, written: &str) {
        let wants_count = is_count_text(written);
        loop {
            let client = self.clients.get_mut(name).expect("a client that is there");
            let frame = next_but_count(client, written, wants_count).await;
            let Message::Text(text) = &frame else { panic!("{name}: {frame:?} instead of {written}") };
            let checked = self.names.check(text, written);
            // A count is told again whenever it changes; the one that the document has comes soon.
            if checked.is_err() && wants_count && is_count_text(text) {
                continue;
            }
            return checked.unwrap_or_else(|why| panic!("{name}: {why}\n read  {text}\n wants {written}"));
        }
    }

    /// Nothing is left for anybody. Pings of the WebSocket do not count against the rate.
    async fn finish(mut self) {
        for (name, client) in &mut self.clients {
            // A pong may overtake what a room has to say, a second one cannot.
            for round in [b"1", b"2"] {
                client.send_frame(Message::Ping(Bytes::from_static(round))).await;
                loop {
                    let frame = client.next_frame("pong").await;
                    if matches!(&frame, Message::Pong(payload) if payload.as_ref() == round) {
                        break;
                    }
                    assert!(is_count(&frame), "{name}: the document does not have {frame:?}");
                }
            }
        }
        // A stopping server waits a while for those that are still there.
        self.clients.clear();
        if let Some(server) = self.server.take() {
            guarded("the end of the server", server.stopped()).await.unwrap();
        }
    }

    fn client(&mut self, name: &str) -> &mut Client {
        self.clients.get_mut(name).unwrap_or_else(|| panic!("{name} is not there"))
    }

    fn take(&mut self, name: &str) -> Client {
        self.clients.remove(name).unwrap_or_else(|| panic!("{name} is not there"))
    }
}

/// The product's own defaults, and what the dialogue sets.
fn settings(steps: &[Step]) -> Settings {
    let set = steps.iter().filter_map(|step| {
        let Step::Set(key, value) = step else { return None };
        Some(format!("--{}={value}", key.replace('_', "-")))
    });
    let request = config::request(set.map(Into::into)).unwrap();
    let Request::Run(_, flags) = request else { panic!("a dialogue has settings only") };
    Configuration::load(flags, [], Path::new("/nonexistent")).unwrap().settings
}

/// The next frame but pings; counts come when they come.
async fn next_but_count(client: &mut Client, awaited: &str, wants_count: bool) -> Message {
    loop {
        let frame = client.next_message(awaited).await;
        if wants_count || !is_count(&frame) {
            return frame;
        }
    }
}

fn is_count(frame: &Message) -> bool {
    matches!(frame, Message::Text(text) if is_count_text(text))
}

fn is_count_text(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok_and(|message| message["type"] == "client_count")
}
