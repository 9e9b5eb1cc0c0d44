//! Random conversations against a naive model: whatever is joined, left, said, resumed or broken off,
//! each client's book of each room is complete and all books agree.
//!
//! A failure names its seed; the same seed repeats the same run.

use std::collections::HashMap;

use roomd::config::Settings;
use serde_json::{Value, json};

use crate::support::{Client, Ledger, TestServer, content_of, room_of, seq_of, settings};

const CLIENTS: usize = 8;
const ROOMS: [&str; 4] = ["", "kitchen", "cellar", "k\u{fc}che \u{1F600}"];
const STEPS: usize = 300;

/// xorshift64*, Vigna 2016: enough to choose the next step.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let draw = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(draw).unwrap() % bound
    }
}

/// What a client knows of a room that it is or was in.
struct Book {
    member: bool,
    epoch: Value,
    ledger: Ledger,
}

struct Player {
    name: String,
    client: Client,
    books: HashMap<&'static str, Book>,
}

/// What the whole world knows: the first to see an entry sets down what it said.
#[derive(Default)]
struct Chronicle(HashMap<(String, u64), (String, String)>);

impl Chronicle {
    fn agree(&mut self, message: &Value) {
        let entry = (message["sender"].as_str().unwrap().to_owned(), content_of(message).to_owned());
        let key = (room_of(message).to_owned(), seq_of(message));
        let known = self.0.entry(key).or_insert_with(|| entry.clone());
        assert_eq!(*known, entry, "two clients saw different messages at one place");
    }
}

impl Player {
    async fn connect(server: &TestServer, name: String, chronicle: &mut Chronicle) -> Self {
        let mut client = Client::open(server, &format!("username={name}")).await;
        let welcome = client.next_must_be("welcome").await;
        let own = client.next_must_be_line("", &format!("{name} connected")).await;
        chronicle.agree(&own);
        let ledger = Ledger::starting_at("", seq_of(&own) + 1);
        let lobby = Book { member: true, epoch: welcome["epoch"].clone(), ledger };
        Self { name, client, books: HashMap::from([("", lobby)]) }
    }

    fn is_in(&self, room: &str) -> bool {
        self.books.get(room).is_some_and(|book| book.member)
    }

    /// Reads to the answer of the type, entering what comes before it.
    async fn until(&mut self, kind: &str, chronicle: &mut Chronicle) -> Value {
        loop {
            let message = self.client.next_event(kind).await;
            if message["type"] == kind {
                return message;
            }
            self.enter(&message, chronicle);
        }
    }

    fn enter(&mut self, message: &Value, chronicle: &mut Chronicle) {
        if message.get("seq").is_some() {
            chronicle.agree(message);
        }
        let book = self.books.get_mut(room_of(message)).unwrap_or_else(|| panic!("{}: {message}", self.name));
        assert!(book.member, "{} is not in the room: {message}", self.name);
        book.ledger.enter(message);
    }

    async fn join(&mut self, room: &'static str, history: Option<u64>, chronicle: &mut Chronicle) {
        let mut request = json!({"type": "join_room", "room": room});
        let known = self.books.remove(room).filter(|_| history.is_none());
        match (&known, history) {
            (Some(book), _) => {
                request["since"] = json!(format!("{}:{}", book.epoch.as_str().unwrap(), book.ledger.last()));
            }
            (None, Some(count)) => request["history"] = json!(count),
            (None, None) => {}
        }
        self.client.send(request).await;
        let joined = self.until("joined", chronicle).await;
        let ledger = if let Some(book) = known {
            assert_eq!(book.epoch, joined["epoch"], "no room makes way in this game");
            book.ledger
        } else {
            let replayed = history.unwrap_or(0).min(seq_of(&joined));
            Ledger::starting_at(room, seq_of(&joined) + 1 - replayed)
        };
        self.books.insert(room, Book { member: true, epoch: joined["epoch"].clone(), ledger });
    }

    async fn leave(&mut self, room: &'static str, chronicle: &mut Chronicle) {
        self.client.send(json!({"type": "leave_room", "room": room})).await;
        self.until("left", chronicle).await;
        self.books.get_mut(room).unwrap().member = false;
    }

    /// Says something and comes to rest, so that the book of this client is up to date.
    async fn say(&mut self, room: &str, content: &str, chronicle: &mut Chronicle) {
        self.client.send(json!({"type": "chat", "room": room, "content": content})).await;
        for event in self.client.settle().await {
            self.enter(&event, chronicle);
        }
    }
}

async fn play(seed: u64) {
    let server = TestServer::start(Settings { rooms: 4, rooms_per_client: 4, ..settings() });
    let mut dice = Dice(seed);
    let mut chronicle = Chronicle::default();
    let mut players = Vec::new();
    for number in 0..CLIENTS {
        players.push(Player::connect(&server, format!("player-{number}"), &mut chronicle).await);
    }
    for step in 0..STEPS {
        let at = dice.below(CLIENTS);
        let room = ROOMS[dice.below(ROOMS.len())];
        match (dice.below(10), players[at].is_in(room)) {
            (0..=5, true) => players[at].say(room, &format!("step {step}"), &mut chronicle).await,
            (6..=8, true) if !room.is_empty() => players[at].leave(room, &mut chronicle).await,
            (0..=2, false) => {
                let history = dice.below(20) as u64;
                players[at].join(room, Some(history), &mut chronicle).await;
            }
            (_, false) => players[at].join(room, None, &mut chronicle).await,
            (_, true) => {
                let name = format!("player-{at}-{step}");
                let fresh = Player::connect(&server, name, &mut chronicle).await;
                let gone = std::mem::replace(&mut players[at], fresh);
                if dice.below(2) == 0 {
                    gone.client.leave().await;
                } else {
                    gone.client.vanish();
                }
                let line = format!("{} disconnected", gone.name);
                loop {
                    let message = players[at].client.next_event(&line).await;
                    players[at].enter(&message, &mut chronicle);
                    if content_of(&message) == line {
                        break;
                    }
                }
            }
        }
    }
    close_the_books(&mut players, &mut chronicle).await;
}

/// All books of all members end at the same place, which is the head that the server tells.
async fn close_the_books(players: &mut [Player], chronicle: &mut Chronicle) {
    for player in players.iter_mut() {
        for event in player.client.settle().await {
            player.enter(&event, chronicle);
        }
    }
    players[0].client.send(json!({"type": "list_rooms"})).await;
    let rooms = players[0].client.next_of_type("rooms").await;
    for listed in rooms["rooms"].as_array().unwrap() {
        let members: Vec<_> = players.iter().filter(|player| player.is_in(room_of(listed))).collect();
        assert_eq!(listed["members"], members.len(), "{listed}");
        for member in members {
            let book = &member.books[room_of(listed)];
            assert_eq!(listed["seq"], book.ledger.last(), "{}: {listed}", member.name);
            assert_eq!(book.ledger.missed, 0, "{}: {:?}", member.name, book.ledger.gaps);
        }
    }
    let heads: Vec<_> = players.iter().map(|player| player.books[""].ledger.last()).collect();
    assert!(heads.windows(2).all(|pair| pair[0] == pair[1]), "the lobby ends differently: {heads:?}");
}

#[tokio::test]
async fn every_book_is_complete_after_a_random_conversation() {
    for seed in [1, 2, 3, 0xDEAD_BEEF, 0x0123_4567_89AB_CDEF] {
        // Shown only when the test fails.
        #[allow(clippy::print_stderr)]
        {
            eprintln!("seed {seed:#x}");
        }
        play(seed).await;
    }
}
