//! One window with the page in it, as its user sees it.

use std::{fs, path::Path};

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::{GUARD, server::Server, webdriver::Browser};

/// Keys without a character, as WebDriver numbers them (W3C WebDriver, section 17.4.2).
pub(crate) const ENTER: &str = "\u{E007}";
pub(crate) const TAB: &str = "\u{E004}";
pub(crate) const ESCAPE: &str = "\u{E00C}";
pub(crate) const SHIFT: &str = "\u{E008}";

/// What scripts of these tests can say: the log that is shown, and the texts in it.
const PRELUDE: &str = r"
const one = (selector) => document.querySelector(selector);
const all = (selector) => [...document.querySelectorAll(selector)];
const shown = (selector) => all('.log:not([hidden]) ' + selector);
const texts = (selector) => shown(selector).map((element) => element.textContent);
const said = (text) => texts('.chat .text').includes(text);
const line = (text) => texts('.system, .note').includes(text);
const rooms = (list) => all(`#${list} .name`).map((element) => element.textContent);
const open = () => document.body.dataset.phase === 'open';
";

/// A window with the page.
#[derive(Debug)]
pub(crate) struct Page<'a> {
    browser: &'a Browser,
    window: String,
}

impl<'a> Page<'a> {
    /// The page in the browser's first window.
    pub(crate) fn first(browser: &'a Browser, url: &str) -> Self {
        Self::load(browser, browser.first_window(), url)
    }

    /// The page in a further window.
    pub(crate) fn another(browser: &'a Browser, url: &str) -> Self {
        Self::load(browser, browser.new_window(), url)
    }

    fn load(browser: &'a Browser, window: String, url: &str) -> Self {
        let page = Self { browser, window };
        page.go(url);
        page
    }

    /// Connects through the form, in the browser's first window.
    pub(crate) fn connected(browser: &'a Browser, server: &Server, name: &str) -> Self {
        let page = Self::first(browser, &server.url());
        page.connect(name);
        page
    }

    /// Connects through the form, in a further window.
    pub(crate) fn connected_too(browser: &'a Browser, server: &Server, name: &str) -> Self {
        let page = Self::another(browser, &server.url());
        page.connect(name);
        page
    }

    pub(crate) fn connect(&self, name: &str) {
        self.fill("#username", name);
        self.click("#connect");
        self.wait_for("open()");
    }

    pub(crate) fn go(&self, url: &str) {
        self.post("url", &json!({ "url": url }));
    }

    pub(crate) fn reload(&self) {
        self.post("refresh", &json!({}));
    }

    pub(crate) fn close(self) {
        self.browser.post("window", &json!({"handle": self.window}));
        self.browser.delete("window");
    }

    pub(crate) fn click(&self, selector: &str) {
        let element = self.element(selector);
        self.post(&format!("element/{element}/click"), &json!({}));
    }

    /// Types into a field, after what stands there.
    pub(crate) fn type_into(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.post(&format!("element/{element}/value"), &json!({ "text": text }));
    }

    /// Empties a field and types into it.
    pub(crate) fn fill(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.post(&format!("element/{element}/clear"), &json!({}));
        self.type_into(selector, text);
    }

    /// Writes a message and presses Enter.
    pub(crate) fn say(&self, text: &str) {
        self.type_into("#text", &format!("{text}{ENTER}"));
    }

    /// Creates a room, or joins it, through the form; waits until it is shown.
    pub(crate) fn create_room(&self, room: &str) {
        self.type_into("#create-name", &format!("{room}{ENTER}"));
        self.wait_for(&format!("one('#title').textContent === {}", quoted(room)));
    }

    /// Opens a room of the list.
    pub(crate) fn open_room(&self, room: &str) {
        let key = quoted(&format!("open {room}"));
        self.run(&format!("one(`[data-key=${{CSS.escape({key})}}]`).click()"));
    }

    /// Presses keys one after the other, wherever the focus is.
    pub(crate) fn press(&self, keys: &str) {
        let strokes = keys.chars().flat_map(|key| {
            let key = key.to_string();
            [json!({"type": "keyDown", "value": key}), json!({"type": "keyUp", "value": key})]
        });
        self.actions(&strokes.collect());
    }

    /// Presses a key while another one is held.
    pub(crate) fn press_with(&self, held: &str, key: &str) {
        let strokes = [("keyDown", held), ("keyDown", key), ("keyUp", key), ("keyUp", held)];
        self.actions(&strokes.map(|(kind, key)| json!({"type": kind, "value": key})).into());
    }

    fn actions(&self, strokes: &Vec<Value>) {
        let keyboard = json!({"type": "key", "id": "keyboard", "actions": strokes});
        self.post("actions", &json!({ "actions": [keyboard] }));
    }

    /// Runs statements in the page.
    pub(crate) fn run(&self, statements: &str) {
        let script = format!("{PRELUDE}{statements}");
        self.post("execute/sync", &json!({"script": script, "args": []}));
    }

    /// Runs statements that end by calling `done`; returns what they call it with.
    pub(crate) fn run_async(&self, statements: &str) -> Value {
        self.post("execute/async", &json!({"script": statements, "args": []}))
    }

    /// The value of an expression in the page.
    pub(crate) fn value(&self, expression: &str) -> Value {
        let script = format!("{PRELUDE}return ({expression});");
        self.post("execute/sync", &json!({"script": script, "args": []}))
    }

    /// The value of an expression that is a list of texts.
    pub(crate) fn texts(&self, expression: &str) -> Vec<String> {
        serde_json::from_value(self.value(expression)).unwrap()
    }

    /// The value of an expression that is a text.
    pub(crate) fn text(&self, expression: &str) -> String {
        serde_json::from_value(self.value(expression)).unwrap()
    }

    /// Waits until an expression holds, by watching the page.
    pub(crate) fn wait_for(&self, condition: &str) {
        let script = format!(
            "{PRELUDE}
            const done = arguments[arguments.length - 1];
            const holds = () => ({condition});
            if (holds()) return done(true);
            let over = false;
            const end = (result) => {{ over = true; watch.disconnect(); clearTimeout(guard); done(result); }};
            const check = () => {{ if (!over && holds()) end(true); }};
            const guard = setTimeout(() => end(holds()), arguments[0]);
            const watch = new MutationObserver(check);
            watch.observe(document, {{subtree: true, childList: true, attributes: true, characterData: true}});
            // Sizes and colours change without a mutation.
            const frame = () => {{ check(); if (!over) requestAnimationFrame(frame); }};
            frame();"
        );
        let held = self.post("execute/async", &json!({"script": script, "args": [GUARD.as_millis()]}));
        assert_eq!(held, true, "not within {GUARD:?}: {condition}\nthe page shows:\n{}", self.everything());
    }

    /// Sends messages over a connection of this window's own, as fast as they go, and waits until
    /// the room has come to the last one.
    pub(crate) fn flood(&self, room: &str, messages: &[String]) {
        let script = "
            const [room, messages, done] = arguments;
            const socket = new WebSocket(`ws://${location.host}/ws?quiet=1&username=flood`);
            const send = (message) => socket.send(JSON.stringify(message));
            socket.onopen = () => send({type: 'join_room', room});
            socket.onmessage = ({data}) => {
                const {type, content} = JSON.parse(data);
                if (type === 'joined') for (const content of messages) send({type: 'chat', room, content});
                if (type === 'chat' && content === messages.at(-1)) {
                    socket.onclose = () => done(true);
                    socket.close();
                }
            };";
        let done = self.post("execute/async", &json!({"script": script, "args": [room, messages]}));
        assert_eq!(done, true);
    }

    /// Sets the size of the page, as on a device of that size.
    pub(crate) fn resize(&self, width: u32, height: u32) {
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500});
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// Chooses the light or the dark colours, as the system of the user would.
    pub(crate) fn prefer(&self, scheme: &str) {
        let feature = json!({"name": "prefers-color-scheme", "value": scheme});
        self.devtools("Emulation.setEmulatedMedia", &json!({ "features": [feature] }));
    }

    /// Turns the wheel over the page at `(x, y)` by so many pixels, downward or (negative) upward.
    pub(crate) fn scroll(&self, (x, y): (u32, u32), distance: i32) {
        let turn = json!({"type": "scroll", "x": x, "y": y, "deltaX": 0, "deltaY": distance});
        let wheel = json!({"type": "wheel", "id": "wheel", "actions": [turn]});
        self.post("actions", &json!({ "actions": [wheel] }));
    }

    fn devtools(&self, command: &str, parameters: &Value) {
        self.post("goog/cdp/execute", &json!({"cmd": command, "params": parameters}));
    }

    /// Writes `target/screenshots/NAME.png`, with everything that moves at its end.
    pub(crate) fn screenshot(&self, name: &str) {
        self.run("document.getAnimations().forEach((animation) => animation.cancel())");
        let image = self.browser.get("screenshot");
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
        fs::create_dir_all(&directory).unwrap();
        let bytes = BASE64.decode(image.as_str().unwrap().as_bytes()).unwrap();
        fs::write(directory.join(name).with_extension("png"), bytes).unwrap();
    }

    /// Checks that nothing was written to the browser's console: no error, no breach of the policy.
    pub(crate) fn assert_console_empty(&self) {
        let entries = self.post("se/log", &json!({"type": "browser"}));
        assert_eq!(entries, json!([]), "the console of the browser");
    }

    fn everything(&self) -> String {
        self.text("document.body.dataset.phase + '\\n' + document.body.innerText")
    }

    fn element(&self, selector: &str) -> String {
        let found = self.post("element", &json!({"using": "css selector", "value": selector}));
        let reference = found.as_object().and_then(|found| found.values().next()?.as_str());
        reference.expect("an element reference").to_owned()
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.switch();
        self.browser.post(path, body)
    }

    fn switch(&self) {
        self.browser.post("window", &json!({"handle": self.window}));
    }
}

/// A text as a literal in a script.
pub(crate) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
