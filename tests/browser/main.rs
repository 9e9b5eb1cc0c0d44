//! The page in a real browser: Chromium, driven by chromedriver as W3C WebDriver describes it.
//!
//! Every test has a server and a browser of its own. What a test waits for, it waits for in the
//! page, by watching it change. Needs `chromedriver` and Chromium (Debian: `apt-get install
//! chromium chromium-driver`; another driver: `CHROMEDRIVER=/path`); without them the tests fail.
//! Screenshots are written to `target/screenshots/`.

#![allow(clippy::unwrap_used)]

mod access;
mod client;
mod cramped;
mod errors;
mod hostile;
mod keyboard;
mod looks;
mod page;
mod proxy;
mod reconnecting;
mod rooms;
mod server;
mod talking;
mod webdriver;

use std::time::Duration;

/// A guard against hanging, not a measure: nothing under test takes this long on a busy machine.
const GUARD: Duration = Duration::from_mins(1);
