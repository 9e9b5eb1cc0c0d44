//! `resume`: a name is taken back by its owner.

use serde_json::{Value, json};

use crate::support::{Client, RawClient, TestServer, content_of, room_of, settings, sorted};

fn token_of(welcome: &Value) -> String {
    welcome["resume"].as_str().unwrap().to_owned()
}

/// Connects with a query and returns the client and its welcome.
async fn welcomed(server: &TestServer, query: &str) -> (Client, Value) {
    let mut client = Client::open(server, query).await;
    let welcome = client.next_must_be("welcome").await;
    (client, welcome)
}

async fn members_of_the_lobby(client: &mut Client) -> Value {
    client.send(json!({"type": "list_members", "room": ""})).await;
    client.next_of_type("members").await["members"].take()
}

#[tokio::test]
async fn a_half_open_connection_is_taken_over_and_ended() {
    let server = TestServer::start(settings());
    let mut half_open = Client::connect(&server, "aki").await;
    let token = token_of(&half_open.welcome);
    let (mut back, welcome) = welcomed(&server, &format!("username=aki&resume={token}")).await;
    assert_eq!(welcome["username"], "aki", "no suffix for the owner");
    assert_eq!(half_open.expect_close().await, 4001);
    assert_eq!(members_of_the_lobby(&mut back).await, json!(["aki"]));
    back.count_becomes(1).await;
}

#[tokio::test]
async fn a_connection_that_does_not_answer_any_more_is_taken_over_too() {
    let server = TestServer::start(settings());
    let mut half_open = RawClient::upgrade(&server, "username=aki").await;
    let token = token_of(&half_open.next_json().await);
    let (mut back, welcome) = welcomed(&server, &format!("resume={token}")).await;
    assert_eq!(welcome["username"], "aki");
    assert_eq!(members_of_the_lobby(&mut back).await, json!(["aki"]));
    assert_eq!(half_open.next_with_opcode(crate::support::CLOSE).await.close_code(), 4001);
}

#[tokio::test]
async fn the_rooms_of_the_old_connection_are_left_in_sight_of_their_members() {
    let server = TestServer::start(settings());
    let mut witness = Client::connect(&server, "witness").await;
    witness.join("kitchen").await;
    let mut half_open = Client::connect(&server, "aki").await;
    half_open.join("kitchen").await;
    // The lobby and the room have an order each; between the two there is none.
    let lines = [witness.next_must_be("system").await, witness.next_must_be("system").await];
    let mut told = lines.each_ref().map(|line| (room_of(line), content_of(line)));
    told.sort_unstable();
    assert_eq!(told, [("", "aki connected"), ("kitchen", "aki joined the room")]);
    let token = token_of(&half_open.welcome);
    let (_back, welcome) = welcomed(&server, &format!("resume={token}&room=kitchen")).await;
    assert_eq!(welcome["username"], "aki");
    witness.expect("the leaving", |m| m["content"] == "aki left the room").await;
    witness.expect("the second joining", |m| m["content"] == "aki joined the room").await;
    witness.send(json!({"type": "list_members", "room": "kitchen"})).await;
    let members = witness.next_of_type("members").await;
    assert_eq!(sorted(&members["members"]), ["aki", "witness"]);
}

#[tokio::test]
async fn a_name_is_taken_back_after_its_connection_has_ended() {
    let server = TestServer::start(settings());
    let mut witness = Client::connect(&server, "witness").await;
    let aki = Client::connect(&server, "aki").await;
    let token = token_of(&aki.welcome);
    aki.vanish();
    witness.expect("the end", |m| m["content"] == "aki disconnected").await;
    let (_back, welcome) = welcomed(&server, &format!("username=somebody&resume={token}")).await;
    assert_eq!(welcome["username"], "aki", "the token wins over the username");
}

#[tokio::test]
async fn a_token_is_good_once() {
    let server = TestServer::start(settings());
    let first = Client::connect(&server, "aki").await;
    let token = token_of(&first.welcome);
    let (mut second, welcome) = welcomed(&server, &format!("username=aki&resume={token}")).await;
    assert_eq!(welcome["username"], "aki");
    let (_third, welcome) = welcomed(&server, &format!("username=aki&resume={token}")).await;
    assert_eq!(welcome["username"], "aki-2", "the token is spent");
    second.settle().await;
}

#[tokio::test]
async fn each_welcome_brings_a_new_token_and_resuming_works_again_and_again() {
    let server = TestServer::start(settings());
    let mut current = Client::connect(&server, "aki").await;
    let mut token = token_of(&current.welcome);
    let mut seen = vec![token.clone()];
    for _ in 0..5 {
        let (next, welcome) = welcomed(&server, &format!("resume={token}")).await;
        assert_eq!(welcome["username"], "aki");
        assert_eq!(current.expect_close().await, 4001);
        token = token_of(&welcome);
        assert!(!seen.contains(&token), "a token came twice");
        seen.push(token.clone());
        current = next;
    }
}

#[tokio::test]
async fn a_token_that_is_not_known_is_ignored() {
    let server = TestServer::start(settings());
    let mut aki = Client::connect(&server, "aki").await;
    let token = token_of(&aki.welcome);
    let (shorter, longer) = (&token[..token.len() - 1], format!("{token}x"));
    for guess in ["", "nonsense", "%00%FF", shorter, &*longer] {
        let (newcomer, welcome) = welcomed(&server, &format!("username=aki&resume={guess}")).await;
        assert_eq!(welcome["username"], "aki-2", "{guess:?}");
        newcomer.leave().await;
        aki.expect("the end", |m| m["content"] == "aki-2 disconnected").await;
    }
    aki.assert_silent().await;
}

#[tokio::test]
async fn a_client_of_a_given_name_resumes_too() {
    let server = TestServer::start(settings());
    let (mut first, welcome) = welcomed(&server, "").await;
    let (_second, again) = welcomed(&server, &format!("resume={}", token_of(&welcome))).await;
    assert_eq!(again["username"], welcome["username"]);
    assert_eq!(first.expect_close().await, 4001);
}

#[tokio::test]
async fn resuming_needs_no_free_place_when_its_own_still_stands() {
    let server = TestServer::start(roomd::config::Settings { clients: 1, ..settings() });
    let aki = Client::connect(&server, "aki").await;
    let token = token_of(&aki.welcome);
    let mut back = Client::open_when_there_is_room(&server, &format!("resume={token}")).await;
    assert_eq!(back.next_must_be("welcome").await["username"], "aki");
}
