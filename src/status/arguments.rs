//! The command line behind `roomd status`: two flags of its own, and every setting.

use super::failure::Failure;
use crate::config::{self, Command, Flags};
use std::ffi::OsString;

/// What the command line asks for.
#[derive(Debug)]
pub(super) enum Request {
    Help,
    Version,
    Ask(Options),
}

#[derive(Debug)]
pub(super) struct Options {
    /// The server, if it is named.
    pub(super) url: Option<String>,
    pub(super) is_json: bool,
    /// What the server would be started with.
    pub(super) flags: Flags,
}

/// Reads the words behind `status`.
pub(super) fn request(arguments: impl IntoIterator<Item = OsString>) -> Result<Request, Failure> {
    let (mut url, mut is_json, mut settings) = (None, false, Vec::new());
    let mut words = arguments.into_iter();
    while let Some(word) = words.next() {
        let text = word.to_str().unwrap_or_default();
        if text == "--json" {
            is_json = true;
        } else if text == "--url" || text.starts_with("--url=") {
            let given = match text.strip_prefix("--url=") {
                Some(given) => Some(given.to_owned()),
                None => words.next().and_then(|word| word.into_string().ok()),
            };
            url = Some(given.ok_or_else(|| invalid("needs a value; write it behind the flag"))?);
        } else {
            settings.push(word);
        }
    }
    // The settings are those of a server; a word too many is one behind its command.
    settings.insert(0, Command::Serve.name().into());
    Ok(match config::request(settings)? {
        config::Request::Help => Request::Help,
        config::Request::Version => Request::Version,
        config::Request::Run(_, flags) => Request::Ask(Options { url, is_json, flags }),
    })
}

fn invalid(what: &str) -> Failure {
    Failure::Invalid(format!("flag --url: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Request, String> {
        request(arguments.iter().map(OsString::from)).map_err(|failure| failure.to_string())
    }

    #[test]
    fn the_flags_of_its_own_stand_anywhere_among_settings() {
        for arguments in [
            ["--json", "--url", "http://a", "--listen=127.0.0.1:1"],
            ["--listen", "127.0.0.1:1", "--url=http://a", "--json"],
        ] {
            let Ok(Request::Ask(Options { url, is_json, flags })) = read(&arguments) else { panic!() };
            assert_eq!((url.as_deref(), is_json), (Some("http://a"), true));
            assert!(format!("{flags:?}").contains("listen"), "{flags:?}");
        }
        assert!(matches!(read(&["--help"]), Ok(Request::Help)));
        assert!(matches!(read(&["-V"]), Ok(Request::Version)));
    }

    #[test]
    fn each_slip_is_named() {
        for (arguments, said) in [
            (&["--url"][..], "flag --url: needs a value; write it behind the flag"),
            (&["plan"], "`plan`: one argument too many; give one command, and settings as flags"),
            (&["extra"], "`extra`: one argument too many; give one command, and settings as flags"),
            (&["--json", "serve"], "`serve`: one argument too many; give one command, and settings as flags"),
            (&["--jsno"], "`--jsno`: there is no such flag; see roomd --help"),
        ] {
            assert_eq!(read(arguments).unwrap_err(), said);
        }
    }
}
