//! Who may know whom: imports point downward only, and what only the server may do is done there.

use crate::source::{Source, words};

/// From the lowest to the highest.
const FLOORS: [&str; 10] =
    ["limits", "table", "protocol", "bench", "hub", "switchboard", "config", "status", "server", "main"];
/// Stand beside the server: only the process knows them. They ask it by its address, as strangers do;
/// the first knows no more than the protocol.
const BESIDE: [&str; 2] = ["bench", "status"];
/// Floors above the core; the core has no sockets, clocks, randomness or waiting at all.
const SHELL: [&str; 5] = ["bench", "config", "status", "server", "main"];
const WAITING: [&str; 7] = ["async", "await", "tokio", "axum", "Instant", "SystemTime", "getrandom"];

/// The floor that a file is on; `lib.rs`, which only lists them, is on none.
fn floor_of(path: &str) -> Option<usize> {
    let name = path.strip_prefix("src/")?.split('/').next()?.trim_end_matches(".rs");
    FLOORS.iter().position(|&floor| floor == name)
}

/// Floors that no file is on, as when they were renamed and the rules would find nothing any more.
pub(crate) fn without_files(sources: &[Source]) -> Vec<String> {
    let is_empty = |floor: &usize| !sources.iter().any(|source| floor_of(&source.path) == Some(*floor));
    let tell =
        |floor: usize| format!("no file is on the floor {}; mend the list in this test", FLOORS[floor]);
    (0..FLOORS.len()).filter(is_empty).map(tell).collect()
}

/// Imports from a floor above.
pub(crate) fn imports_upward(source: &Source) -> Vec<String> {
    let Some(floor) = floor_of(&source.path) else { return Vec::new() };
    let mut broken = Vec::new();
    for (at, name) in paths_below(&source.code, "crate").into_iter().chain(paths_below(&source.code, "roomd"))
    {
        let (path, line, own) = (&source.path, source.line_of(at), FLOORS[floor]);
        if BESIDE.contains(&name) && own != name && own != "main" {
            broken.push(format!("{path}:{line}: {own} may not know {name}; only main.rs starts it"));
        }
        if FLOORS.iter().position(|&floor| floor == name).is_some_and(|imported| imported > floor) {
            broken.push(format!(
                "{path}:{line}: {own} may not know {name}, which is above it; pass in what it needs"
            ));
        }
    }
    if !source.is_test {
        for (at, hidden) in
            source.product.match_indices("super::super").chain(source.product.match_indices("crate::*"))
        {
            let (path, line) = (&source.path, source.line_of(at));
            broken.push(format!("{path}:{line}: `{hidden}` hides the floor; name it, from `crate::` on"));
        }
    }
    broken
}

/// Words that the floor of this file has no use for.
pub(crate) fn foreign_words(source: &Source) -> Vec<String> {
    let Some(floor) = floor_of(&source.path).filter(|_| !source.is_test) else { return Vec::new() };
    let name = FLOORS[floor];
    let mut found = Vec::new();
    if !["server", "main", "bench"].contains(&name) {
        for word in WAITING {
            found.extend(words(&source.product, word).into_iter().map(|at| (at, word)));
        }
    }
    if !SHELL.contains(&name) {
        let sockets = paths_below(&source.product, "std").into_iter().filter(|path| path.1 == "net");
        found.extend(sockets.map(|(at, _)| (at, "std::net")));
    }
    if name == "hub" {
        found.extend(words(&source.product, "serde").into_iter().map(|at| (at, "serde")));
        found.extend(words(&source.product, "serde_json").into_iter().map(|at| (at, "serde_json")));
    }
    let tell = |(at, word): (usize, &str)| {
        let (path, line) = (&source.path, source.line_of(at));
        format!("{path}:{line}: {name} does without `{word}`; let the server do it and pass the result in")
    };
    found.into_iter().map(tell).collect()
}

/// What stands right below `start` in paths: `b` and `c` for `a::b::x` and `a::{b, c::y}`.
fn paths_below<'a>(code: &'a str, start: &str) -> Vec<(usize, &'a str)> {
    let mut names = Vec::new();
    for at in words(code, start) {
        let Some(rest) = code[at + start.len()..].strip_prefix("::") else { continue };
        match rest.strip_prefix('{') {
            Some(group) => names.extend(heads(group).into_iter().map(|name| (at, name))),
            None => names.push((at, first_name(rest))),
        }
    }
    names
}

/// The first name of each path in a group, up to its closing brace.
fn heads(group: &str) -> Vec<&str> {
    let (mut depth, mut from, mut heads) = (0_usize, 0, Vec::new());
    for (at, char) in group.char_indices() {
        match char {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            '}' | ',' if depth == 0 => {
                heads.push(first_name(&group[from..at]));
                from = at + 1;
                if char == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    heads.retain(|head| !head.is_empty());
    heads
}

fn first_name(path: &str) -> &str {
    let path = path.trim_start();
    &path[..path.find(|char: char| !char.is_alphanumeric() && char != '_').unwrap_or(path.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upward(path: &str, text: &str) -> usize {
        imports_upward(&Source::new(path, text)).len()
    }

    fn foreign(path: &str, text: &str) -> usize {
        foreign_words(&Source::new(path, text)).len()
    }

    #[test]
    fn imports_from_above_are_found_however_they_are_written() {
        assert_eq!(upward("src/table/log.rs", "use crate::hub::Hub;"), 1);
        assert_eq!(
            upward("src/hub/mod.rs", "use crate::{limits::A, table::{B, server}, server::C,\n config};"),
            2
        );
        assert_eq!(upward("src/limits.rs", "fn f(x: crate::table::Key) {}"), 1);
        assert_eq!(upward("src/server/mod.rs", "use roomd::main;"), 1);
        assert_eq!(upward("src/bench/a.rs", "use crate::{hub::A, protocol::B};"), 1);
        assert_eq!(upward("src/server/a.rs", "use crate::bench::run;"), 1);
        assert_eq!(upward("src/server/a.rs", "use crate::status::run;"), 1);
        assert_eq!(upward("src/status/a.rs", "use crate::server::serve;"), 1);
        assert_eq!(upward("src/hub/a.rs", "use super::super::server;"), 1);
        assert_eq!(upward("src/hub/a.rs", "use crate::*;"), 1);
    }

    #[test]
    fn a_floor_that_was_renamed_is_missed() {
        let sources = |floor: &str| {
            let path = |name: &&str| format!("src/{}.rs", if *name == "hub" { floor } else { name });
            FLOORS.iter().map(|name| Source::new(&path(name), "")).collect::<Vec<_>>()
        };
        assert_eq!(without_files(&sources("hub")).len(), 0);
        assert_eq!(without_files(&sources("core")).len(), 1);
    }

    #[test]
    fn imports_from_below_and_from_the_same_floor_are_fine() {
        assert_eq!(upward("src/server/mod.rs", "use crate::{config::A, hub::B};\nuse crate::server::c;"), 0);
        assert_eq!(upward("src/main.rs", "use roomd::{bench, server, config};"), 0);
        assert_eq!(upward("src/table/log.rs", "// use crate::hub::Hub;\nconst A: &str = \"crate::hub\";"), 0);
        assert_eq!(upward("src/lib.rs", "pub use crate::server::serve;"), 0);
    }

    #[test]
    fn the_core_does_not_wait_and_has_no_sockets_clocks_or_serde() {
        for bad in
            ["async fn f() {}", "x.await", "use tokio::x;", "use std::{fmt, net::IpAddr};", "Instant::now()"]
        {
            assert_eq!(foreign("src/hub/a.rs", bad), 1, "{bad}");
            assert_eq!(foreign("src/protocol/a.rs", bad), 1, "{bad}");
        }
        assert_eq!(foreign("src/hub/a.rs", "use serde::Serialize;"), 1);
        assert_eq!(foreign("src/hub/a.rs", "use serde_json::Value;"), 1);
        assert_eq!(foreign("src/config/a.rs", "use tokio::x;"), 1);
    }

    #[test]
    fn what_each_floor_is_for_it_may_do() {
        assert_eq!(foreign("src/server/a.rs", "async fn f() { tokio::x().await }"), 0);
        assert_eq!(foreign("src/config/a.rs", "use std::net::IpAddr;"), 0);
        assert_eq!(foreign("src/bench/a.rs", "use std::net::IpAddr; fn f() { Instant::now() }"), 0);
        assert_eq!(foreign("src/protocol/a.rs", "use serde::Serialize; use serde_json::Value;"), 0);
        assert_eq!(foreign("src/hub/a.rs", "#[cfg(test)]\nmod tests { use serde_json::Value; }"), 0);
    }
}
