//! The page without a mouse.

use crate::{
    page::{ENTER, ESCAPE, Page, SHIFT, TAB},
    server::{Server, settings},
    webdriver::Browser,
};

/// Moves on with Tab until the focus is on what `selector` names.
fn tab_to(page: &Page<'_>, selector: &str) {
    for _ in 0..30 {
        if page.value(&format!("document.activeElement.matches({selector:?})")) == true {
            return;
        }
        page.press(TAB);
    }
    panic!("{selector} is not reached with Tab");
}

#[test]
fn everything_can_be_done_with_the_keyboard_alone() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let page = Page::first(&browser, &server.url());
    assert_eq!(page.text("document.activeElement.id"), "username");
    page.press(&format!("aki{ENTER}"));
    page.wait_for("open() && document.activeElement.id === 'text'");
    page.press(&format!("hello{ENTER}"));
    page.wait_for("said('hello')");

    tab_to(&page, "#create-name");
    page.press(&format!("workshop{ENTER}"));
    page.wait_for("one('#title').textContent === 'workshop' && document.activeElement.id === 'text'");
    page.press(&format!("in here{ENTER}"));
    page.wait_for("said('in here')");

    tab_to(&page, "#rooms .open");
    page.press(ENTER);
    page.wait_for("one('#title').textContent === 'Global Chat' && document.activeElement.id === 'text'");
    tab_to(&page, "#rooms .leave");
    page.press(ENTER);
    page.wait_for("rooms('rooms').length === 1");
    tab_to(&page, ".log");
    tab_to(&page, "#disconnect");
    page.press(ENTER);
    page.wait_for("document.body.dataset.phase === 'stopped' && document.activeElement.id === 'username'");
    page.press(ENTER);
    page.wait_for("open()");
    page.assert_console_empty();
}

#[test]
fn on_a_narrow_screen_the_panel_of_rooms_takes_and_gives_back_the_focus() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let page = Page::connected(&browser, &server, "aki");
    page.resize(390, 844);
    page.wait_for("getComputedStyle(one('#side')).visibility === 'hidden'");
    tab_to(&page, "#side-open");
    assert_eq!(page.text("one('#side-open').getAttribute('aria-expanded')"), "false");
    page.press(ENTER);
    page.wait_for("document.activeElement.id === 'side-close'");
    assert_eq!(page.text("one('#side-open').getAttribute('aria-expanded')"), "true");
    assert_eq!(page.value("one('#main').inert"), true, "what the panel covers is out of reach");
    page.press(ESCAPE);
    page.wait_for("document.activeElement.id === 'side-open' && !one('#main').inert");
    page.press(ENTER);
    page.wait_for("document.activeElement.id === 'side-close'");
    page.press_with(SHIFT, TAB);
    page.press(TAB);
    tab_to(&page, "#create-name");
    page.press(&format!("workshop{ENTER}"));
    page.wait_for("one('#title').textContent === 'workshop' && !one('#main').inert");
}

#[test]
fn going_back_on_a_phone_closes_the_panel_of_rooms_instead_of_leaving_the_page() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let page = Page::connected(&browser, &server, "aki");
    page.resize(390, 844);
    // What the button of a phone asks for, which WebDriver has not.
    page.run(
        "window.watchers = [];
        window.CloseWatcher = class extends CloseWatcher {
            constructor() { super(); watchers.push(this); }
        };",
    );
    for times in 1..=2 {
        page.click("#side-open");
        page.wait_for("document.activeElement.id === 'side-close'");
        assert_eq!(page.value("watchers.length"), times);
        page.run("watchers.at(-1).requestClose()");
        page.wait_for("document.activeElement.id === 'side-open' && !one('#main').inert");
    }
    page.assert_console_empty();
}

#[test]
fn everything_that_can_be_pressed_or_filled_in_has_a_name() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let page = Page::connected(&browser, &server, "aki");
    page.create_room("workshop");
    let nameless = "all('button, input, textarea, [role=log]').filter((element) => {
        const label = element.labels?.[0]?.textContent ?? '';
        return !(label + (element.getAttribute('aria-label') ?? '') + element.textContent).trim()
            && element.getAttribute('aria-hidden') !== 'true' && element.id !== 'banner-action';
    }).map((element) => element.outerHTML)";
    assert_eq!(page.texts(nameless), [""; 0]);
    assert_eq!(
        page.texts("all('[role=log]').map((log) => log.getAttribute('aria-label'))"),
        ["Messages in Global Chat", "Messages in workshop"]
    );
}

#[test]
fn the_focus_stays_near_when_the_button_under_it_goes() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let page = Page::connected(&browser, &server, "aki");
    page.create_room("workshop");
    page.run("one('#text').value = 'word '.repeat(2_000)");
    page.say("");
    page.wait_for("shown('.lines:not(.outgoing) .unfold').length === 1");
    page.run("shown('.unfold')[0].focus()");
    page.press(ENTER);
    page.wait_for("document.activeElement.matches('.text')");
    page.run("one('.log:not([hidden])').scrollTop = 50");
    page.wait_for("!one('#to-end').hidden");
    page.run("one('#to-end').focus()");
    page.press(ENTER);
    page.wait_for("one('#to-end').hidden && document.activeElement.matches('.log')");
    page.run("one('#rooms .leave').focus()");
    page.press(ENTER);
    page.wait_for("rooms('rooms').length === 1 && document.activeElement.matches('#rooms .current .open')");
}
