//! Rooms: made, joined, left, listed.

use crate::{
    page::Page,
    server::{Server, settings},
    webdriver::Browser,
};
use roomd::config::Settings;

#[test]
fn a_room_is_made_joined_and_left_before_the_eyes_of_all_in_it() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let aki = Page::connected(&browser, &server, "aki");
    aki.create_room("workshop");
    aki.wait_for("line('aki joined the room')");
    aki.say("first");
    aki.wait_for("said('first')");

    let mika = Page::connected_too(&browser, &server, "mika");
    mika.wait_for("rooms('others').includes('workshop')");
    mika.click("#others .open");
    mika.wait_for("one('#title').textContent === 'workshop' && said('first')");
    aki.wait_for("line('mika joined the room') && one('#count').textContent === '2 members'");
    mika.wait_for("one('#count').textContent === '2 members'");
    mika.say("second");
    aki.wait_for("said('second')");

    mika.click("#rooms .leave");
    mika.wait_for("one('#title').textContent === 'Global Chat' && rooms('rooms').length === 1");
    mika.wait_for("rooms('others').includes('workshop')");
    assert!(
        !mika.texts("texts('.text')").contains(&"second".to_owned()),
        "the lobby has the lobby's messages"
    );
    aki.wait_for("line('mika left the room') && one('#count').textContent === '1 member'");
    assert_eq!(aki.texts("texts('.chat .text')"), ["first", "second"]);
    mika.assert_console_empty();
}

#[test]
fn what_was_not_read_is_marked_until_it_is() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let aki = Page::connected(&browser, &server, "aki");
    aki.create_room("workshop");
    let mika = Page::connected_too(&browser, &server, "mika");
    mika.create_room("workshop");
    aki.open_room("");
    aki.wait_for("one('#title').textContent === 'Global Chat'");
    mika.say("one");
    mika.say("two");
    aki.wait_for("one('#rooms .badge')?.textContent.startsWith('2') && document.title === '(2) roomd'");
    aki.open_room("workshop");
    aki.wait_for("said('two') && !one('#rooms .badge') && document.title === 'roomd'");
}

#[test]
fn each_room_keeps_the_text_that_is_being_written_in_it() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let page = Page::connected(&browser, &server, "aki");
    page.type_into("#text", "for the lobby");
    page.create_room("workshop");
    assert_eq!(page.text("one('#text').value"), "");
    page.type_into("#text", "for the workshop");
    page.open_room("");
    page.wait_for("one('#text').value === 'for the lobby'");
    page.open_room("workshop");
    page.wait_for("one('#text').value === 'for the workshop'");
}

#[test]
fn a_page_that_is_loaded_again_is_where_it_was() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let page = Page::connected(&browser, &server, "aki");
    page.create_room("workshop");
    page.say("before");
    page.wait_for("said('before')");
    page.reload();
    page.wait_for("open() && one('#title').textContent === 'workshop' && said('before')");
    assert_eq!(page.text("one('#who').textContent"), "aki");
    assert_eq!(page.texts("texts('.own .text')"), ["before"], "what was sent before is still its own");
}

#[test]
fn a_link_can_name_the_user_and_the_room() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let page = Page::first(&browser, &format!("{}?username=aki#room=workshop", server.url()));
    page.wait_for("open() && one('#title').textContent === 'workshop'");
    assert_eq!(page.text("one('#who').textContent"), "aki");
}

#[test]
fn a_flood_leaves_the_last_messages_and_says_that_older_ones_went_from_view() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let page = Page::connected(&browser, &server, "aki");
    page.create_room("workshop");
    let other = Page::another(&browser, &server.url());
    let messages: Vec<_> = (1..=900).map(|number| format!("message {number}")).collect();
    other.flood("workshop", &messages);
    page.wait_for("said('message 900') && !shown('.older')[0].hidden");
    assert_eq!(page.value("shown('.lines > .line').length"), 500);
    page.wait_for(
        "(({scrollTop, clientHeight, scrollHeight}) => scrollTop + clientHeight >= scrollHeight - 1)(one('.log:not([hidden])'))",
    );
}

#[test]
fn a_room_can_be_opened_while_messages_pour_into_it() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let page = Page::connected(&browser, &server, "aki");
    page.create_room("workshop");
    page.open_room("");
    // The row that is pressed must still be there when the button is let go.
    page.run("window.row = one('[data-key=\"open workshop\"]')");
    let other = Page::another(&browser, &server.url());
    other.flood("workshop", &["one".to_owned(), "two".to_owned()]);
    page.wait_for("one('#rooms .badge')?.textContent.startsWith('2')");
    assert_eq!(
        page.value("window.row.isConnected && getComputedStyle(window.row.firstChild).pointerEvents"),
        "none"
    );
    page.run("window.row.click()");
    page.wait_for("one('#title').textContent === 'workshop'");
}

#[test]
fn a_room_in_a_link_is_asked_for_once_and_does_not_overrule_what_comes_later() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let page = Page::first(&browser, &format!("{}?username=aki#room=workshop%20", server.url()));
    page.wait_for("open() && one('#title').textContent === 'workshop' && location.hash === ''");
    page.create_room("kitchen");
    page.run("one('[data-key=\"leave workshop\"]').click()");
    page.wait_for("rooms('rooms').join() === 'Global Chat,kitchen'");
    page.reload();
    page.wait_for("open() && one('#title').textContent === 'kitchen'");
    assert_eq!(page.texts("rooms('rooms')"), ["Global Chat", "kitchen"]);
    for _ in 0..2 {
        page.run("location.hash = '#room=workshop'");
        page.wait_for("one('#title').textContent === 'workshop'");
        page.open_room("kitchen");
        page.wait_for("one('#title').textContent === 'kitchen'");
    }
}

#[test]
fn a_room_of_a_link_that_cannot_be_joined_is_told_above_the_messages_alone() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let long = "n".repeat(49);
    let page = Page::first(&browser, &format!("{}?username=aki&room={long}", server.url()));
    page.wait_for("one('#banner-text').textContent.startsWith('This name is too long')");
    assert_eq!(page.text("one('#create-error').textContent"), "");
    page.click("#banner-action");
    page.say("hello");
    page.wait_for("said('hello')");
    assert_eq!(page.value("one('#banner').hidden"), true, "it was asked for once");
}

#[test]
fn what_was_read_stays_read_when_the_page_is_loaded_again() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let page = Page::connected(&browser, &server, "aki");
    page.create_room("kitchen");
    let other = Page::another(&browser, &server.url());
    let messages =
        |numbers: std::ops::RangeInclusive<u32>| numbers.map(|number| number.to_string()).collect::<Vec<_>>();
    other.flood("kitchen", &messages(1..=20));
    page.wait_for("said('20')");
    page.open_room("");
    other.flood("kitchen", &messages(21..=22));
    let two = "one('#rooms .badge')?.textContent.startsWith('2,') && document.title === '(2) roomd'";
    page.wait_for(two);
    page.reload();
    page.wait_for(&format!("open() && rooms('rooms').includes('kitchen') && {two}"));
    page.open_room("kitchen");
    page.wait_for("said('22') && document.title === 'roomd'");
    page.open_room("");
    page.reload();
    page.wait_for("open() && rooms('rooms').includes('kitchen')");
    other.flood("kitchen", &messages(23..=23));
    page.wait_for("one('#rooms .badge')?.textContent.startsWith('1,')");
}

#[test]
fn a_draft_outlives_the_room_that_has_no_place_after_a_restart() {
    let settings = Settings { rooms: 1, ..settings() };
    let (mut server, browser) = (Server::start(settings), Browser::start());
    let page = Page::connected(&browser, &server, "aki");
    page.create_room("workshop");
    page.type_into("#text", "half a sentence");
    // After the restart another room is first, and takes the only place.
    page.run(
        "const Socket = WebSocket;
        window.WebSocket = class extends Socket {
            send(text) {
                if (text.includes('join_room')) super.send('{\"type\":\"join_room\",\"room\":\"kitchen\"}');
                super.send(text);
            }
        };",
    );
    server.restart();
    page.wait_for("open() && one('#title').textContent === 'Global Chat'");
    assert_eq!(page.text("one('#text').value"), "half a sentence");
}

#[test]
fn a_room_that_is_called_as_the_lobby_is_looks_like_a_room() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let page = Page::connected(&browser, &server, "aki");
    let sign = |of: &str| page.text(&format!("getComputedStyle({of}, '::before').content"));
    assert_eq!(sign("one('#title')"), "none");
    page.create_room("workshop");
    assert_eq!(sign("one('#title')"), r##""# ""##);
    page.create_room("Global Chat");
    page.wait_for("one('#text').placeholder === 'Message #Global Chat'");
    assert_eq!(sign("one('#title')"), r##""# ""##);
    let signs = page.texts("all('#rooms .name').map((name) => getComputedStyle(name, '::before').content)");
    assert_eq!(signs, ["none", r##""# ""##, r##""# ""##]);
}

#[test]
fn a_phone_that_ends_a_page_out_of_sight_finds_its_rooms_again() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let page = Page::connected(&browser, &server, "aki");
    page.create_room("workshop");
    page.run("window.matchMedia = () => ({matches: true})");
    for hidden in [true, false] {
        page.run(&format!(
            "Object.defineProperty(document, 'hidden', {{value: {hidden}, configurable: true}});
            document.dispatchEvent(new Event('visibilitychange'));"
        ));
        let kept = page.value("sessionStorage.getItem('roomd.page')?.includes('workshop') ?? false");
        assert_eq!(kept, hidden, "a page that is there keeps its place");
    }
}
