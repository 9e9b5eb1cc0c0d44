//! A chat server on axum, in its usual pattern: a `tokio::sync::broadcast` channel for each room, and for
//! each client a socket that is split, one half forwarding the channel, the other feeding it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::{
        Query, State,
        ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade},
    },
    response::Response,
    routing::get,
    serve::ListenerExt as _,
};
use futures_util::{
    sink::SinkExt as _,
    stream::{SplitSink, StreamExt as _},
};
use tokio::sync::broadcast::{
    self,
    error::{RecvError, TryRecvError},
};

/// Messages that a client may be behind.
const CAPACITY: usize = 1_024;

type Rooms = Arc<Mutex<HashMap<String, broadcast::Sender<Utf8Bytes>>>>;

#[derive(serde::Deserialize)]
struct Params {
    #[serde(default)]
    room: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).unwrap_or_else(|| "8080".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, Router::new().route("/ws", get(upgrade)).with_state(Rooms::default())).await
}

async fn upgrade(
    Query(params): Query<Params>,
    State(rooms): State<Rooms>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade.on_upgrade(move |socket| serve(socket, params.room, rooms))
}

async fn serve(socket: WebSocket, room: String, rooms: Rooms) {
    let sender = {
        let mut rooms = rooms.lock().unwrap();
        rooms.entry(room).or_insert_with(|| broadcast::channel(CAPACITY).0).clone()
    };
    let receiver = sender.subscribe();
    let (sink, mut stream) = socket.split();
    let mut forward = tokio::spawn(forward(receiver, sink));
    let receive = async {
        while let Some(Ok(message)) = stream.next().await {
            if let Message::Text(text) = message {
                let _ = sender.send(text);
            }
        }
    };
    tokio::select! {
        () = receive => forward.abort(),
        _ = &mut forward => {}
    }
}

/// Feeds all that is there, then flushes once.
async fn forward(mut receiver: broadcast::Receiver<Utf8Bytes>, mut sink: SplitSink<WebSocket, Message>) {
    loop {
        let mut due = match receiver.recv().await {
            Ok(text) => Some(text),
            Err(RecvError::Lagged(_)) => None,
            Err(RecvError::Closed) => return,
        };
        while let Some(text) = due {
            if sink.feed(Message::Text(text)).await.is_err() {
                return;
            }
            due = loop {
                match receiver.try_recv() {
                    Ok(text) => break Some(text),
                    Err(TryRecvError::Lagged(_)) => {}
                    Err(TryRecvError::Empty | TryRecvError::Closed) => break None,
                }
            };
        }
        if sink.flush().await.is_err() {
            return;
        }
    }
}
