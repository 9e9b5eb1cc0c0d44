//! A client as others write them: tokio-tungstenite and JSON.

use std::collections::HashSet;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Bytes, Error, Message},
};

use super::{GUARD, TestServer, Transcript, content_of};

/// The types that only the server gives meaning to; each carries the whole envelope.
const SERVER_TYPES: [&str; 13] = [
    "welcome",
    "system",
    "client_count",
    "chat",
    "joined",
    "left",
    "gap",
    "rooms",
    "members",
    "ack",
    "pong",
    "error",
    "restarting",
];

/// One connected client.
#[derive(Debug)]
pub(crate) struct Client {
    socket: WebSocketStream<TcpStream>,
    transcript: Transcript,
    /// The last `client_count`: state, so the newest one is worth keeping.
    pub(crate) count: Value,
    /// The `welcome` of [`Client::connect`].
    pub(crate) welcome: Value,
}

impl Client {
    /// Connects under a name that is free, and takes the `welcome` and the line of its own connecting.
    pub(crate) async fn connect(server: &TestServer, name: &str) -> Self {
        let mut client = Self::open(server, &format!("username={}", super::encode(name))).await;
        client.welcome = client.next_event("welcome").await;
        assert_eq!(client.welcome["type"], "welcome");
        assert_eq!(client.welcome["username"], name);
        let line = client.next_event("the line of its own connecting").await;
        assert_eq!((&line["type"], content_of(&line)), (&json!("system"), &*format!("{name} connected")));
        client
    }

    /// Connects as a quiet client, which gets nothing that it has not asked for.
    pub(crate) async fn connect_quietly(server: &TestServer, name: &str) -> Self {
        let mut client = Self::open(server, &format!("quiet=1&username={}", super::encode(name))).await;
        client.assert_silent().await;
        client
    }

    /// Connects with a query and takes nothing of what comes.
    pub(crate) async fn open(server: &TestServer, query: &str) -> Self {
        match Self::try_open(server, query).await {
            Ok(client) => client,
            Err(status) => panic!("{query}: refused with {status}"),
        }
    }

    /// Connects with a query, or tells the HTTP status of the refusal.
    pub(crate) async fn try_open(server: &TestServer, query: &str) -> Result<Self, u16> {
        let upgrade = async {
            let stream = TcpStream::connect(server.address()).await.expect("the server accepts connections");
            stream.set_nodelay(true).unwrap();
            client_async(server.url(query), stream).await
        };
        match super::guarded("the upgrade", upgrade).await {
            Ok((socket, _)) => Ok(Self {
                socket,
                transcript: Transcript::default(),
                count: Value::Null,
                welcome: Value::Null,
            }),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{query}: {error}"),
        }
    }

    /// Connects as soon as the server has a place again.
    pub(crate) async fn open_when_there_is_room(server: &TestServer, query: &str) -> Self {
        let attempts = async {
            loop {
                if let Ok(client) = Self::try_open(server, query).await {
                    return client;
                }
                tokio::task::yield_now().await;
            }
        };
        super::guarded("a free place", attempts).await
    }

    /// The name that the server gave.
    pub(crate) fn name(&self) -> &str {
        self.welcome["username"].as_str().unwrap()
    }

    pub(crate) async fn send(&mut self, message: Value) {
        self.send_text(&message.to_string()).await;
    }

    pub(crate) async fn send_text(&mut self, text: &str) {
        self.send_frame(Message::text(text)).await;
    }

    pub(crate) async fn send_frame(&mut self, frame: Message) {
        super::guarded("sending", self.socket.send(frame)).await.unwrap_or_else(|error| {
            panic!("sending failed: {error}; {}", self.transcript);
        });
    }

    /// Gives frames to the library without making it write them.
    pub(crate) async fn feed(&mut self, message: &Value) {
        self.socket.feed(Message::text(message.to_string())).await.unwrap();
    }

    /// Writes what was fed.
    pub(crate) async fn flush(&mut self) {
        super::guarded("flushing", self.socket.flush()).await.unwrap();
    }

    /// The next frame of any kind.
    pub(crate) async fn next_frame(&mut self, awaited: &str) -> Message {
        self.next_that(awaited, |_| true).await
    }

    /// The next frame that is neither ping nor pong.
    pub(crate) async fn next_message(&mut self, awaited: &str) -> Message {
        self.next_that(awaited, |frame| !frame.is_ping() && !frame.is_pong()).await
    }

    /// The next frame that fits. Those before it do not make the wait longer: pings come for ever.
    async fn next_that(&mut self, awaited: &str, fits: impl Fn(&Message) -> bool) -> Message {
        let next = async {
            loop {
                let frame = self.socket.next().await.ok_or("the end")?.map_err(|error| error.to_string())?;
                self.transcript.note(&format!("{frame:?}"));
                if fits(&frame) {
                    return Ok::<_, String>(frame);
                }
            }
        };
        match timeout(GUARD, next).await {
            Ok(Ok(frame)) => frame,
            Ok(Err(instead)) => panic!("{instead} instead of {awaited}; {}", self.transcript),
            Err(elapsed) => panic!("no {awaited}: {elapsed}; {}", self.transcript),
        }
    }

    /// The next message as JSON, counts included.
    pub(crate) async fn next(&mut self, awaited: &str) -> Value {
        let frame = self.next_message(awaited).await;
        let Message::Text(text) = &frame else {
            panic!("{frame:?} instead of {awaited}; {}", self.transcript)
        };
        let message: Value = serde_json::from_str(text)
            .unwrap_or_else(|error| panic!("not one JSON value ({error}) instead of {awaited}: {text}"));
        assert_envelope(&message);
        if message["type"] == "client_count" {
            self.count = message.clone();
        }
        message
    }

    /// The next message that is no `client_count`: those come when they come.
    pub(crate) async fn next_event(&mut self, awaited: &str) -> Value {
        loop {
            let message = self.next(awaited).await;
            if message["type"] != "client_count" {
                return message;
            }
        }
    }

    /// The next message that fits; those before it are passed over.
    pub(crate) async fn expect(&mut self, awaited: &str, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = self.next(awaited).await;
            if fits(&message) {
                return message;
            }
        }
    }

    /// The next message of this type; those before it are passed over.
    pub(crate) async fn next_of_type(&mut self, kind: &str) -> Value {
        self.expect(kind, |message| message["type"] == kind).await
    }

    /// The very next event, which must be of this type.
    pub(crate) async fn next_must_be(&mut self, kind: &str) -> Value {
        let message = self.next_event(kind).await;
        assert_eq!(message["type"], kind, "{message}");
        message
    }

    /// The very next event, which must be an `error` with this code.
    pub(crate) async fn next_must_be_error(&mut self, code: &str) -> Value {
        let error = self.next_must_be("error").await;
        assert_eq!(error["code"], code, "{error}");
        assert!(!content_of(&error).is_empty(), "an error says what to do: {error}");
        error
    }

    /// The very next event, which must be this line of the server in this room.
    pub(crate) async fn next_must_be_line(&mut self, room: &str, content: &str) -> Value {
        let line = self.next_must_be("system").await;
        assert_eq!((super::room_of(&line), content_of(&line)), (room, content), "{line}");
        line
    }

    /// Waits until the newest announced count is `count`.
    pub(crate) async fn count_becomes(&mut self, count: usize) -> Value {
        let count = count.to_string();
        while self.count["content"] != *count {
            self.next_of_type("client_count").await;
        }
        self.count.clone()
    }

    /// Asks with `ping` and returns every event that came before the `pong`.
    pub(crate) async fn roundtrip(&mut self) -> Vec<Value> {
        self.send(json!({"type": "ping"})).await;
        let mut events = Vec::new();
        loop {
            let message = self.next_event("pong").await;
            if message["type"] == "pong" {
                return events;
            }
            events.push(message);
        }
    }

    /// Two round trips: an answer may overtake what a room has to say, a second one cannot.
    pub(crate) async fn settle(&mut self) -> Vec<Value> {
        let mut events = self.roundtrip().await;
        events.extend(self.roundtrip().await);
        events
    }

    /// Nothing is there for this client, and nothing on its way.
    pub(crate) async fn assert_silent(&mut self) {
        let events = self.settle().await;
        assert!(events.is_empty(), "silence was due, not {events:?}");
    }

    /// Joins a room that it was not in, takes the answer and the line of its own joining, and passes
    /// over what others do elsewhere.
    pub(crate) async fn join(&mut self, room: &str) -> Value {
        self.send(json!({"type": "join_room", "room": room})).await;
        let joined = self.expect("joined", |message| super::room_of(message) == room).await;
        assert_eq!(joined["type"], "joined", "{joined}");
        let line = self.expect("its own line", |message| super::room_of(message) == room).await;
        assert_eq!(line["type"], "system", "{line}");
        assert_eq!(line["seq"], joined["seq"].as_u64().unwrap() + 1, "{line}");
        joined
    }

    /// Reads to the close frame, answers it, hangs up, and returns its code; 1005 stands for none.
    pub(crate) async fn expect_close(&mut self) -> u16 {
        let close = loop {
            if let Message::Close(close) = self.next_frame("close").await {
                break close;
            }
        };
        let rest = super::guarded("the end after the close", self.socket.next()).await;
        assert!(!matches!(rest, Some(Ok(_))), "{rest:?} behind a close frame");
        // The server may have gone without waiting for this.
        let _ = self.socket.get_mut().shutdown().await;
        close.map_or(1005, |close| close.code.into())
    }

    /// Closes as a browser does and waits for the answer.
    pub(crate) async fn leave(mut self) {
        super::guarded("closing", self.socket.close(None)).await.unwrap();
        self.expect_close().await;
    }

    /// Goes without a word, as when the power fails.
    pub(crate) fn vanish(self) {
        drop(self);
    }
}

/// Every message of the server has the whole envelope.
fn assert_envelope(message: &Value) {
    let known: HashSet<_> = SERVER_TYPES.into();
    if !message["type"].as_str().is_some_and(|kind| known.contains(kind)) {
        return;
    }
    assert!(message["content"].is_string(), "no content in {message}");
    assert!(message["timestamp"].is_i64(), "no timestamp in {message}");
    match message["type"].as_str() {
        Some("chat") => assert!(message["sender"].is_string(), "no sender in {message}"),
        _ => assert_eq!(message["sender"], "System", "{message}"),
    }
}

/// A binary message.
pub(crate) fn binary(bytes: &[u8]) -> Message {
    Message::Binary(Bytes::copy_from_slice(bytes))
}
