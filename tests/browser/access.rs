//! The token, where the server asks for one.

use crate::{
    page::{Page, quoted},
    server::{Server, settings},
    webdriver::Browser,
};
use roomd::config::Settings;

const TOKEN: &str = "a&b+#c";
const FRAGMENT: &str = "#token=a%26b%2B%23c";

const ASKED: &str = "document.body.dataset.phase === 'stopped' && !one('#token-part').hidden";

fn guarded() -> Server {
    Server::start(Settings { token: Some(TOKEN.to_owned()), ..settings() })
}

#[test]
fn the_field_for_the_token_is_there_only_where_one_is_asked_for() {
    let (server, browser) = (guarded(), Browser::start());
    let page = Page::first(&browser, &server.url());
    assert_eq!(page.value("one('#token-part').hidden"), true);
    page.fill("#username", "aki");
    page.click("#connect");
    page.wait_for(ASKED);
    let sentence = page.text("one('#entry-text').textContent");
    assert!(sentence.to_lowercase().contains("token"), "{sentence}");
    assert_eq!(page.text("document.activeElement.id"), "token");
    page.type_into("#token", "wrong");
    page.click("#connect");
    let told = format!("one('#entry-text').textContent !== {}", quoted(&sentence));
    page.wait_for(&format!("document.body.dataset.phase === 'stopped' && {told}"));
    page.fill("#token", TOKEN);
    page.click("#connect");
    page.wait_for("open() && line('aki connected')");
}

#[test]
fn a_link_can_carry_the_token_which_then_goes_from_the_address() {
    let (server, browser) = (guarded(), Browser::start());
    let page = Page::first(&browser, &format!("{}?username=aki{FRAGMENT}", server.url()));
    page.wait_for("open()");
    assert_eq!(page.text("location.href"), format!("{}?username=aki", server.url()));
    page.reload();
    page.wait_for("open()");
    page.assert_console_empty();
}

#[test]
fn a_link_that_is_opened_where_the_page_stands_already_is_taken_too() {
    let (server, browser) = (guarded(), Browser::start());
    let page = Page::first(&browser, &format!("{}?username=aki", server.url()));
    page.wait_for(ASKED);
    page.run(&format!("location.hash = {}", quoted(FRAGMENT)));
    page.wait_for("open() && location.hash === ''");
    // Whoever is in stays in, and the next link's token goes from the address as well.
    page.run("location.hash = '#token=another'");
    page.wait_for("open() && location.hash === ''");
    page.say("still here");
    page.wait_for("said('still here')");
}

#[test]
fn a_token_is_kept_for_its_own_tab_alone_and_a_wrong_one_is_asked_for_again() {
    let (server, browser) = (guarded(), Browser::start());
    let link = format!("{}?username=aki#token=wrong", server.url());
    let page = Page::first(&browser, &link);
    page.wait_for(ASKED);
    let sentence = page.text("one('#entry-text').textContent");
    assert!(sentence.contains("not the right one"), "{sentence}");
    page.fill("#token", TOKEN);
    page.click("#connect");
    page.wait_for("open()");
    page.reload();
    page.wait_for("open()");
    assert_eq!(page.value("Object.values(localStorage).some((kept) => kept.includes('b+#'))"), false);
    let other = Page::another(&browser, &format!("{}?username=mika", server.url()));
    other.wait_for(ASKED);
    assert_eq!(other.text("one('#token').value"), "");
}

#[test]
fn a_browser_that_remembers_nothing_can_talk_all_the_same() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let page = Page::first(&browser, &server.url());
    page.run(
        "for (const storage of ['localStorage', 'sessionStorage']) {
            Object.defineProperty(window, storage, {get() { throw new Error('switched off'); }});
        }",
    );
    page.connect("aki");
    page.say("hello");
    page.wait_for("said('hello')");
    page.assert_console_empty();
}
