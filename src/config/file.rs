//! The configuration file, in TOML.

use std::{
    fs, io,
    os::unix::fs::FileTypeExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use toml::de::{DeTable, DeValue};

use super::{
    invalid::{Fault, Invalid, nearest, quote, suggest},
    origin::{Given, Origin},
    table::{Row, TABLE, row},
};

/// Read where it exists and no other file is named.
pub const DEFAULT_PATH: &str = "/etc/roomd/roomd.toml";
/// Largest file that is read, in bytes: a wrong path must not fill the memory.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Reads the file that was asked for, which then must exist, or else the one at `default_path`.
pub(super) fn read(asked: Option<(PathBuf, &str)>, default_path: &Path) -> Result<Vec<Given>, Invalid> {
    let path = asked.as_ref().map_or(default_path, |(path, _)| path);
    let shown = quote(&path.to_string_lossy());
    match read_text(path) {
        Ok(text) => parse(path, &text),
        Err(error) if asked.is_none() && error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => {
            let by = asked.map_or_else(String::new, |(_, by)| format!(", named by {by}"));
            let change = if error.kind() == io::ErrorKind::NotFound {
                "create it or name another one"
            } else if error.kind() == io::ErrorKind::PermissionDenied {
                "let the user that runs roomd read it"
            } else {
                "name a readable TOML file in UTF-8"
            };
            Err(Fault::new(format!("cannot be read ({error})"), change).at(format!("file {shown}{by}")))
        }
    }
}

fn read_text(path: &Path) -> io::Result<String> {
    use io::Read as _;

    // Opening a pipe would wait for somebody to write into it; a device is what `/dev/null` is.
    let kind = fs::metadata(path)?.file_type();
    if !kind.is_file() && !kind.is_char_device() {
        return Err(io::Error::other("it is no file"));
    }
    let mut text = String::new();
    fs::File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::other("larger than 1 MiB"));
    }
    Ok(text)
}

/// Reads the `text` of the file at `path`.
pub(super) fn parse(path: &Path, text: &str) -> Result<Vec<Given>, Invalid> {
    let path: Arc<Path> = path.into();
    let origin = |offset: usize| Origin::File { path: path.clone(), line: line_of(text, offset) };
    let table = DeTable::parse(text).map_err(|error| {
        let place = origin(error.span().map_or(0, |span| span.start));
        Fault::new(syntax(error.message()), "correct the TOML there").at(place)
    })?;
    let mut all = Vec::new();
    for (key, value) in table.get_ref() {
        let origin = origin(key.span().start);
        let Some(row) = row(key.get_ref()) else { return Err(unknown(key.get_ref()).at(origin)) };
        match texts(row, value.get_ref()) {
            Ok(texts) => all.push(Given { row, texts, origin }),
            Err(fault) => return Err(fault.at(format!("{origin}, {}", row.key))),
        }
    }
    // The parser sorts by key; people read from the top.
    all.sort_by_key(|given| given.origin.line());
    Ok(all)
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

/// The parser's message without line breaks.
fn syntax(message: &str) -> String {
    format!("not TOML ({})", message.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn unknown(key: &str) -> Fault {
    let near = nearest(key, TABLE.iter().map(|row| row.key)).map(str::to_owned);
    let otherwise = "remove it, or see roomd --help for what there is";
    Fault::new(format!("there is no setting {}", quote(key)), suggest(near, otherwise))
}

fn texts(row: &Row, value: &DeValue<'_>) -> Result<Vec<String>, Fault> {
    match value.as_array() {
        Some(items) if row.kind.is_list() => items.iter().map(|item| text(row, item.get_ref())).collect(),
        _ => text(row, value).map(|text| vec![text]),
    }
}

fn text(row: &Row, value: &DeValue<'_>) -> Result<String, Fault> {
    if let Some(text) = value.as_str() {
        return Ok(text.to_owned());
    }
    if let Some(number) = value.as_integer().filter(|_| row.kind.is_number()) {
        return Ok(decimal(number.as_str(), number.radix()));
    }
    let wanted = match row.kind {
        kind if kind.is_number() => "write a whole number",
        kind if kind.is_list() => "write a list of texts, as in [\"...\", \"...\"]",
        _ => "write it in quotes",
    };
    Err(Fault::new(format!("a value of type {} does not belong here", value.type_str()), wanted))
}

/// TOML also has hexadecimal, octal and binary numbers; what fits no 128 bits stays out of any range.
fn decimal(digits: &str, radix: u32) -> String {
    i128::from_str_radix(digits, radix).map_or_else(|_| digits.to_owned(), |number| number.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    type Read = (&'static str, Vec<String>, String);

    fn read_toml(text: &str) -> Result<Vec<Read>, String> {
        let given = parse(Path::new("f"), text).map_err(|invalid| invalid.to_string())?;
        Ok(given.into_iter().map(|given| (given.row.key, given.texts, given.origin.to_string())).collect())
    }

    fn one(text: &str) -> Result<Vec<String>, String> {
        read_toml(text).map(|mut given| given.remove(0).1)
    }

    #[test]
    fn each_value_knows_its_line() {
        let given = read_toml("# head\n\nrooms = 5\r\nclients = 6 # more\n").unwrap();
        assert_eq!(given[0], ("rooms", vec!["5".into()], "file f line 3".into()));
        assert_eq!(given[1], ("clients", vec!["6".into()], "file f line 4".into()));
    }

    #[test]
    fn numbers_are_read_in_every_notation_of_toml() {
        for text in
            ["65536", "65_536", "0x10000", "0o200000", "0b1_0000_0000_0000_0000", "\"65536\"", "+65536"]
        {
            assert_eq!(one(&format!("inbound_bytes = {text}")), Ok(vec!["65536".into()]), "{text}");
        }
        assert_eq!(one("clients = -1"), Ok(vec!["-1".into()]));
    }

    #[test]
    fn a_list_is_an_array_or_one_text() {
        assert_eq!(one("allowed_hosts = [\"a\", \"b\"]"), Ok(vec!["a".into(), "b".into()]));
        assert_eq!(one("allowed_hosts = \"a,b\""), Ok(vec!["a,b".into()]));
        assert_eq!(one("allowed_hosts = []"), Ok(vec![]));
    }

    #[test]
    fn a_value_of_the_wrong_type_is_refused() {
        for text in [
            "clients = 1.5",
            "clients = true",
            "clients = [1]",
            "token = 5",
            "log = {}",
            "rooms = 2026-01-01",
            "allowed_hosts = 5",
            "allowed_hosts = [5]",
            "allowed_hosts = [[\"a\"]]",
        ] {
            let error = one(text).unwrap_err();
            assert!(
                error.starts_with("file f line 1, ") && error.contains("does not belong here"),
                "{error}"
            );
        }
    }

    #[test]
    fn unknown_keys_and_tables_are_refused_with_a_near_miss_named() {
        let error = read_toml("clinets = 5").unwrap_err();
        assert_eq!(error, "file f line 1: there is no setting `clinets`; did you mean clients?");
        assert!(
            read_toml("\n[server]\nclients = 5")
                .unwrap_err()
                .starts_with("file f line 2: there is no setting `server`")
        );
        assert!(
            read_toml("rooms.clients = 5")
                .unwrap_err()
                .contains("rooms: a value of type table does not belong here")
        );
    }

    #[test]
    fn broken_toml_and_double_keys_are_told_with_their_line() {
        for (text, line) in
            [("clients = ", 1), ("a\n", 1), ("rooms = 5\nrooms = 6", 2), ("rooms = 5\ntoken = \"hush", 2)]
        {
            let error = read_toml(text).unwrap_err();
            assert!(error.starts_with(&format!("file f line {line}: not TOML (")), "{error}");
            assert!(!error.contains("hush") && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn a_file_of_exactly_the_greatest_size_is_read_and_one_byte_more_is_not() {
        let directory = std::env::temp_dir().join(format!("roomd-file-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let path = directory.join("large.toml");
        let full = "#".repeat(usize::try_from(FILE_BYTES_MAX).unwrap());
        fs::write(&path, &full).unwrap();
        assert!(read(None, &path).unwrap().is_empty());
        fs::write(&path, full + "#").unwrap();
        let error = read(None, &path).unwrap_err().to_string();
        fs::remove_dir_all(&directory).unwrap();
        assert!(error.contains("larger than 1 MiB"), "{error}");
    }

    #[test]
    fn only_a_file_that_was_asked_for_must_exist() {
        let nowhere = Path::new("/nonexistent/roomd.toml");
        assert!(read(None, nowhere).unwrap().is_empty());
        let error = read(Some((nowhere.into(), "flag --config")), nowhere).unwrap_err().to_string();
        assert!(
            error.starts_with("file `/nonexistent/roomd.toml`, named by flag --config: cannot be read"),
            "{error}"
        );
    }
}
