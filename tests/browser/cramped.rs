//! The page where there is little room: a keyboard lies over it, or the letters are large.

use crate::{
    page::Page,
    proxy::Proxy,
    server::{Server, settings},
    webdriver::Browser,
};
use roomd::config::Settings;

/// As a phone lays its keyboard over the page, which is told of it and shrinks.
fn keyboard_leaves(page: &Page<'_>, height: u32) {
    page.run(&format!("document.documentElement.style.setProperty('--visible', '{height}px')"));
}

/// As somebody sets who sees badly.
fn letters(page: &Page<'_>, percent: u32) {
    page.run(&format!("document.documentElement.style.fontSize = '{percent}%'"));
}

fn size(page: &Page<'_>, width: u32, height: u32) {
    page.resize(width, height);
    page.wait_for(&format!("innerWidth === {width} && innerHeight === {height}"));
}

/// Whether what `selector` names lies within the page, whole.
fn in_view(selector: &str) -> String {
    format!(
        "(({{top, bottom, left, right}}) =>
            top >= 0 && left >= 0 && right < innerWidth + 1 && bottom < innerHeight + 1)
            (one({selector:?}).getBoundingClientRect())"
    )
}

#[test]
fn the_form_for_name_and_token_can_be_scrolled_to_its_button() {
    let settings = Settings { token: Some("s3cret".into()), ..settings() };
    let (server, browser) = (Server::start(settings), Browser::start());
    let page = Page::first(&browser, &format!("{}?username=aki", server.url()));
    page.wait_for("document.body.dataset.phase === 'stopped' && !one('#token-part').hidden");
    for (width, height, percent) in [(390, 380, 100), (320, 256, 100), (640, 160, 100), (360, 640, 200)] {
        size(&page, width, height);
        letters(&page, percent);
        for (distance, selector) in [(-2_000, ".welcome"), (2_000, "#connect")] {
            page.scroll((width / 2, height / 2), distance);
            page.wait_for(&in_view(selector));
        }
    }
}

#[test]
fn the_strip_after_disconnecting_can_be_scrolled_to_its_button() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let page = Page::connected(&browser, &server, "aki");
    page.click("#disconnect");
    page.wait_for("document.body.dataset.phase === 'stopped'");
    size(&page, 640, 170);
    page.scroll((320, 20), 2_000);
    page.wait_for(&in_view("#connect"));
}

#[test]
fn the_form_for_a_new_room_stays_above_the_keyboard() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let page = Page::connected(&browser, &server, "aki");
    size(&page, 390, 844);
    page.click("#side-open");
    page.wait_for("getComputedStyle(one('#side')).translate === '0px'");
    page.click("#create-name");
    keyboard_leaves(&page, 508);
    page.wait_for("one('#create').getBoundingClientRect().bottom <= 508");
    // Lower than the panel's parts: all of them are reached by scrolling.
    size(&page, 700, 180);
    for (distance, selector) in [(-2_000, "#side-close"), (2_000, "#create button")] {
        page.scroll((20, 20), distance);
        page.wait_for(&in_view(selector));
    }
}

#[test]
fn a_lost_connection_leaves_the_composer_on_the_page_with_letters_of_twice_the_size() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let network = Proxy::start(server.port());
    let page = Page::first(&browser, &network.url());
    page.connect("aki");
    size(&page, 360, 640);
    letters(&page, 200);
    let whole = "all('#status, #title, #banner p, .brand, #side-close').filter((element) => {
        const {scrollWidth, clientWidth} = element.parentElement;
        return scrollWidth > clientWidth;
    }).map((element) => element.id || element.className)";
    assert_eq!(page.texts(whole), [""; 0]);
    network.cut();
    page.wait_for("one('#banner-text').textContent.startsWith('The server cannot be reached.')");
    page.wait_for(&in_view("#composer button"));
    page.wait_for(&in_view("#banner"));
    assert_eq!(page.texts(whole), [""; 0]);
}

#[test]
fn a_long_draft_leaves_the_messages_and_the_controls_in_view() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let page = Page::connected(&browser, &server, "aki");
    size(&page, 390, 844);
    for number in 1..=20 {
        page.say(&number.to_string());
    }
    page.wait_for("said('20')");
    page.run("shown('.lines')[0].parentElement.scrollTop = 0");
    page.run("one('#text').value = 'line\\n'.repeat(12); one('#text').dispatchEvent(new Event('input'))");
    page.wait_for("!one('#to-end').hidden");
    let apart =
        "one('#to-end').getBoundingClientRect().bottom <= one('#composer').getBoundingClientRect().top";
    page.wait_for(apart);
    size(&page, 640, 170);
    page.wait_for(&in_view("#composer button"));
    page.wait_for("one('#logs').clientHeight > 0");
}
