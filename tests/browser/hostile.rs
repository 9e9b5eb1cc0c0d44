//! Names and texts that would like to be more than text.

use crate::{
    page::{Page, quoted},
    server::{Server, settings},
    webdriver::Browser,
};

const TEXTS: [&str; 6] = [
    "<img src=x onerror=\"window.pwned=1\">",
    "<script>window.pwned=1</script>",
    "<svg onload=window.pwned=1><a href=\"javascript:window.pwned=1\">click</a>",
    "</p></li><style>*{display:none}</style>&lt;b&gt;",
    "\u{202E}txt.exe \u{2067}and on",
    "${window.pwned=1} {{constructor.constructor('window.pwned=1')()}}",
];

#[test]
fn hostile_texts_are_shown_as_they_are_and_run_nothing() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let page = Page::connected(&browser, &server, "aki");
    let other = Page::connected_too(&browser, &server, "mika");
    for text in TEXTS {
        other.say(text);
    }
    page.wait_for(&format!("said({})", quoted(TEXTS[TEXTS.len() - 1])));
    other.wait_for(&format!("said({})", quoted(TEXTS[TEXTS.len() - 1])));
    for page in [&page, &other] {
        assert_eq!(page.texts("texts('.chat .text')"), TEXTS);
        assert_harmless(page);
    }
    assert_eq!(page.value("shown('.text').every((text) => text.childElementCount === 0)"), true);
    assert_eq!(page.value("getComputedStyle(shown('.text')[4]).unicodeBidi"), "plaintext");
}

#[test]
fn hostile_names_of_users_and_rooms_are_shown_as_they_are() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let user = "<img src=x onerror=pwned=1>";
    let room = "<script>pwned=1</script>";
    let page = Page::connected(&browser, &server, "aki");
    let other = Page::connected_too(&browser, &server, user);
    assert_eq!(other.text("one('#who').textContent"), user);
    page.wait_for(&format!("line({})", quoted(&format!("{user} connected"))));
    other.say("hello");
    page.wait_for("said('hello')");
    assert_eq!(page.texts("texts('.other .sender')"), [user]);
    other.create_room(room);
    page.create_room(room);
    assert_eq!(page.texts("rooms('rooms')"), ["Global Chat", room]);
    page.wait_for(&format!("line({})", quoted(&format!("{user} joined the room"))));
    assert_harmless(&page);
    assert_harmless(&other);
}

#[test]
fn a_name_from_right_to_left_turns_nothing_but_itself() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let page = Page::connected(&browser, &server, "aki");
    let other = Page::connected_too(&browser, &server, "مريم");
    page.wait_for("line('مريم connected')");
    // The name stands before the word, as it would with any other name.
    let before = "(() => {
        const line = shown('.system').at(-1);
        const name = line.querySelector('bdi').getBoundingClientRect();
        return name.left - line.querySelector('span').getBoundingClientRect().left;
    })()";
    assert!(page.value(before).as_f64().unwrap() < 1.0);
    other.say("مرحبا");
    page.wait_for("said('مرحبا')");
    assert_eq!(page.text("getComputedStyle(shown('.sender').at(-1)).unicodeBidi"), "isolate");
}

#[test]
fn words_without_end_are_broken_and_long_texts_folded() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let page = Page::connected(&browser, &server, &"W".repeat(32));
    let word = "W".repeat(3_000);
    page.run(&format!("one('#text').value = {}", quoted(&word)));
    page.say("");
    page.wait_for(&format!("said({})", quoted(&word)));
    let high = "shown('.lines:not(.outgoing) .bubble')[0].getBoundingClientRect().height";
    for (width, height) in [(320, 640), (390, 844), (1280, 800)] {
        page.resize(width, height);
        page.wait_for(&format!("document.documentElement.clientWidth === {width}"));
        assert_eq!(page.value("document.documentElement.scrollWidth"), width);
        assert_eq!(
            page.value("one('.log:not([hidden])').scrollWidth <= one('.log:not([hidden])').clientWidth"),
            true
        );
        assert!(page.value(high).as_f64().unwrap() < 400.0, "folded at {width} px");
    }
    let folded = page.value(high).as_f64().unwrap();
    page.run("shown('.unfold')[0].click()");
    assert!(page.value(high).as_f64().unwrap() > folded);
}

fn assert_harmless(page: &Page<'_>) {
    assert_eq!(page.value("window.pwned === undefined"), true, "a text was run");
    assert_eq!(
        page.value(
            "all('#main :is(script, style, a), #side :is(script, style, a), [onerror], [onload]').length"
        ),
        0
    );
    assert_eq!(page.value("all('img').every((image) => image.src.endsWith('/icon.svg'))"), true);
    page.assert_console_empty();
}
