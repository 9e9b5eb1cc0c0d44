//! The page on a phone and on a desk, in light and dark, in the states that it can be in.

use crate::{
    page::{ENTER, Page},
    proxy::Proxy,
    server::{Server, settings},
    webdriver::Browser,
};
use roomd::config::Settings;

const SIZES: [(&str, u32, u32); 2] = [("phone", 390, 844), ("desk", 1280, 800)];

/// Takes a picture in each size and colour, and checks what must hold in all of them.
fn look(page: &Page<'_>, state: &str) {
    for (device, width, height) in SIZES {
        page.resize(width, height);
        page.wait_for(&format!("document.documentElement.clientWidth === {width}"));
        for colours in ["light", "dark"] {
            page.prefer(colours);
            page.wait_for(&format!("matchMedia('(prefers-color-scheme: {colours})').matches"));
            page.screenshot(&format!("{device}-{colours}-{state}"));
        }
        assert_fits(page, width, height);
        assert_reachable(page);
    }
}

fn assert_fits(page: &Page<'_>, width: u32, height: u32) {
    assert_eq!(page.value("document.documentElement.scrollWidth"), width, "nothing sticks out");
    assert_eq!(
        page.value("document.documentElement.scrollHeight"),
        height,
        "the page itself does not scroll"
    );
    let outside = "all('header *, #composer *, #entry *').filter((element) => {
        const {left, right, width} = element.getBoundingClientRect();
        return width > 1 && (left < 0 || right > innerWidth + 1);
    }).map((element) => element.outerHTML)";
    assert_eq!(page.texts(outside), [""; 0]);
}

/// A finger needs 44 px; letters under 16 px make iOS zoom in on a field.
fn assert_reachable(page: &Page<'_>) {
    let small = "all('button, input, textarea').filter((element) => {
        const {width, height} = element.getBoundingClientRect();
        return element.checkVisibility({visibilityProperty: true}) && element.id !== 'shade'
            && !element.matches('.retry, .unfold') && (width < 44 || height < 44);
    }).map((element) => element.outerHTML)";
    assert_eq!(page.texts(small), [""; 0], "large enough for a finger");
    let fine =
        "all('input, textarea').filter((field) => parseFloat(getComputedStyle(field).fontSize) < 16).length";
    assert_eq!(page.value(fine), 0);
}

#[test]
fn the_page_fits_a_phone_and_a_desk_in_every_state() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let network = Proxy::start(server.port());
    let page = Page::first(&browser, &network.url());
    look(&page, "entry");
    page.connect("aki");
    page.wait_for("line('aki connected')");
    look(&page, "empty");

    let other = Page::connected_too(&browser, &server, "mika");
    other.say("The pump in greenhouse 2 is back on line.");
    other.say("Flow is at 3.2 l/min.");
    page.say("Good. I turn it off at eight.");
    other.say(&"a long word: donaudampfschifffahrtsgesellschaft ".repeat(12));
    page.create_room("workshop");
    other.create_room("workshop");
    other.say("The lathe is free from three.");
    page.wait_for("said('The lathe is free from three.')");
    look(&page, "room");
    page.open_room("");
    page.type_into("#create-name", &format!("{}{ENTER}", "n".repeat(60)));
    page.wait_for("one('#create-error').textContent !== ''");
    look(&page, "busy");
    page.assert_console_empty();

    network.cut();
    page.wait_for("one('#banner-text').textContent.startsWith('The server cannot be reached.')");
    page.say("kept for later");
    look(&page, "lost");
    network.mend();
    page.wait_for("open()");
    page.run("one('#disconnect').click()");
    page.wait_for("document.body.dataset.phase === 'stopped'");
    look(&page, "disconnected");
}

#[test]
fn the_prompt_for_the_token_fits_a_phone_and_a_desk() {
    let (server, browser) =
        (Server::start(Settings { token: Some("s3cret".into()), ..settings() }), Browser::start());
    let page = Page::first(&browser, &format!("{}?username=aki", server.url()));
    let asked = "document.body.dataset.phase === 'stopped' && !one('#token-part').hidden";
    page.wait_for(asked);
    look(&page, "token");
    page.fill("#token", "guess");
    page.click("#connect");
    page.wait_for(&format!("{asked} && one('#entry-text').textContent.includes('not the right one')"));
    look(&page, "token-wrong");
}

#[test]
fn the_panel_of_rooms_is_over_the_messages_on_a_phone_and_beside_them_on_a_desk() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let page = Page::connected(&browser, &server, "aki");
    page.create_room("workshop");
    page.resize(390, 844);
    page.wait_for("getComputedStyle(one('#side')).visibility === 'hidden'");
    page.click("#side-open");
    page.wait_for("getComputedStyle(one('#side')).visibility === 'visible'");
    page.screenshot("phone-light-rooms");
    assert_reachable(&page);
    page.resize(1280, 800);
    page.wait_for("!one('#main').inert && one('#side').getBoundingClientRect().right <= one('#main').getBoundingClientRect().left");
}
