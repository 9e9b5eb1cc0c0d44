//! The part of W3C WebDriver that these tests need. It is small enough to write down, and blocking:
//! a library would bring an HTTP client, TLS and a cookie store into the dependency tree.

use std::{
    env,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
    process::{Child, Command, Stdio},
    thread,
};

use serde_json::{Value, json};

use super::GUARD;

const INSTALL: &str = "Debian: apt-get install chromium chromium-driver; elsewhere install both and \
    put chromedriver on the PATH, or set CHROMEDRIVER to its path";

/// No sandbox: as root, in a container, Chromium has none to offer; all pages here are our own.
const FLAGS: [&str; 11] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--lang=en-GB",
    "--window-size=1280,800",
];

/// A browser of its own, with a profile of its own; dropping it ends both it and its driver.
#[derive(Debug)]
pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
}

impl Browser {
    pub(crate) fn start() -> Self {
        // The driver takes a free port of IPv4 and then the same of IPv6, which another may have: it ends then.
        let (driver, port) = start_driver().or_else(|_| start_driver()).unwrap_or_else(|said| {
            panic!("chromedriver tells no port that it listens on, but {said:?}");
        });
        let mut browser = Self { driver, port, session: String::new() };
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "timeouts": {"script": GUARD.as_millis() * 2, "pageLoad": GUARD.as_millis()},
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {"args": FLAGS},
        }}});
        let start = || browser.request("POST", "/session", &capabilities);
        // A browser may fail to start on a busy machine, before anything of ours is in it.
        let session = start().or_else(|_| start()).unwrap_or_else(|error| {
            panic!("chromedriver could not start a browser ({error}). Is Chromium there? {INSTALL}")
        });
        session["sessionId"].as_str().unwrap().clone_into(&mut browser.session);
        browser
    }

    /// Opens a further window, which shares the profile, and returns its handle.
    pub(crate) fn new_window(&self) -> String {
        self.post("window/new", &json!({"type": "window"}))["handle"].as_str().unwrap().to_owned()
    }

    /// The window that the session began with.
    pub(crate) fn first_window(&self) -> String {
        self.get("window").as_str().unwrap().to_owned()
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        self.session_command("GET", path, &Value::Null)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        self.session_command("POST", path, body)
    }

    pub(crate) fn delete(&self, path: &str) -> Value {
        self.session_command("DELETE", path, &Value::Null)
    }

    fn session_command(&self, method: &str, path: &str, body: &Value) -> Value {
        let path = format!("/session/{}/{path}", self.session);
        self.request(method, &path, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    fn request(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.exchange(method, path, &body).map_err(|error| error.to_string())?;
        let mut answer: Value = serde_json::from_slice(&answer).map_err(|error| error.to_string())?;
        let value = answer["value"].take();
        match value["error"].as_str() {
            Some(error) => Err(format!("{error}: {}", value["message"].as_str().unwrap_or_default())),
            None => Ok(value),
        }
    }

    /// Sends one request on a connection of its own and returns the body of the answer.
    fn exchange(&self, method: &str, path: &str, body: &str) -> io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(GUARD * 3))?;
        let host = format!("127.0.0.1:{}", self.port);
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n")?;
        write!(stream, "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
        }
        let mut answer = vec![0; length];
        reader.read_exact(&mut answer)?;
        Ok(answer)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Best effort on the way out: the driver ends its browser, then is ended itself.
        let _ = self.request("DELETE", &format!("/session/{}", self.session), &Value::Null);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// The driver and the port that it has chosen, or what it said before it ended.
fn start_driver() -> Result<(Child, u16), String> {
    let program = env::var("CHROMEDRIVER").unwrap_or_else(|_| "chromedriver".to_owned());
    let mut driver = Command::new(&program)
        .arg("--port=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}. These tests drive a real browser. {INSTALL}"));
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut said = String::new();
    for line in lines.by_ref() {
        if line.contains("started successfully on port")
            && let Some(port) =
                line.trim_end_matches('.').rsplit(' ').next().and_then(|port| port.parse().ok())
        {
            // What else it says is read, so that it can say it, and dropped.
            thread::spawn(move || lines.for_each(drop));
            return Ok((driver, port));
        }
        said += &line;
        said.push('\n');
    }
    let _ = driver.kill();
    let _ = driver.wait();
    Err(said)
}
