//! What becomes of `username`.

use serde_json::Value;
use unicode_segmentation::UnicodeSegmentation;

use crate::support::{Client, TestServer, encode, settings};

/// A cluster of seven characters and 25 bytes.
const FAMILY: &str = "👨\u{200d}👩\u{200d}👧\u{200d}👦";
/// A cluster of two characters and three bytes.
const E_ACUTE: &str = "e\u{301}";

/// A server and somebody who sees who comes and goes.
struct Door {
    // Dropped first, so that the server has nobody to wait for.
    witness: Client,
    server: TestServer,
}

impl Door {
    async fn open() -> Self {
        let server = TestServer::start(settings());
        let witness = Client::connect(&server, "witness").await;
        Self { witness, server }
    }

    /// The name that a client gets when it asks with this query; it has gone again afterwards.
    async fn name_for(&mut self, query: &str) -> String {
        let mut client = Client::open(&self.server, query).await;
        let welcome = client.next("welcome").await;
        assert_eq!(welcome["type"], "welcome");
        let name = welcome["username"].as_str().unwrap().to_owned();
        assert_eq!(welcome["content"], format!("Welcome, {name}!"));
        client.next_must_be_line("", &format!("{name} connected")).await;
        client.leave().await;
        let line = format!("{name} disconnected");
        self.witness.expect(&line, |message| message["content"] == *line).await;
        name
    }

    /// The name that a client gets when it asks for this one.
    async fn name_when_asking_for(&mut self, name: &str) -> String {
        self.name_for(&format!("username={}", encode(name))).await
    }
}

async fn check(rows: &[(&str, String, String)]) {
    let mut door = Door::open().await;
    for (situation, asked, given) in rows {
        let name = door.name_when_asking_for(asked).await;
        assert_eq!(name, *given, "{situation}: {asked:?}");
        assert!(name.graphemes(true).count() <= 32 && name.len() <= 96, "{situation}: {name:?}");
    }
}

fn assert_is_given_by_the_server(name: &str, situation: &str) {
    let number = name.strip_prefix("User").unwrap_or_else(|| panic!("{situation}: {name:?}"));
    assert!(!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()), "{situation}: {name:?}");
}

#[tokio::test]
async fn a_name_is_taken_as_it_is() {
    let names =
        ["aki", "a", "Åsa", "名前", "أكي", "two words", "a/b?c=d&e", "<b>bold</b>", "\"quoted\\\"", "😀"];
    check(&names.map(|name| ("plain", name.to_owned(), name.to_owned()))).await;
}

#[tokio::test]
async fn white_space_around_a_name_goes_and_within_stays() {
    let mut door = Door::open().await;
    let queries =
        ["username=++aki+", "username=%20%20aki%20", "username=%09aki%0D%0A", "username=%E3%80%80aki"];
    for query in queries {
        assert_eq!(door.name_for(query).await, "aki", "{query}");
    }
    assert_eq!(door.name_for("username=+a+b+").await, "a b");
}

#[tokio::test]
async fn characters_that_a_name_may_not_have_are_removed() {
    let controls = (0..0x20).chain(0x7F..=0x9F);
    let bidi = [0x061C, 0x200E, 0x200F].into_iter().chain(0x202A..=0x202E).chain(0x2066..=0x2069);
    let invisible = [0x200B, 0x2060, 0xFEFF];
    let rows: Vec<_> = controls
        .chain(bidi)
        .chain(invisible)
        .map(|code| (char::from_u32(code).unwrap(), format!("U+{code:04X}")))
        .collect();
    let mut door = Door::open().await;
    for (character, situation) in rows {
        let asked = format!("{character}a{character}ki{character}");
        let name = door.name_when_asking_for(&asked).await;
        assert_eq!(name, "aki", "{situation}");
    }
}

#[tokio::test]
async fn neighbours_of_the_removed_characters_and_joiners_stay() {
    let mut door = Door::open().await;
    let neighbours = [
        0xA0, 0x061B, 0x061D, 0x200A, 0x200C, 0x200D, 0x2010, 0x2029, 0x202F, 0x205F, 0x2061, 0x2065, 0x206A,
        0xFEFE,
    ];
    for code in neighbours {
        let asked = format!("a{}ki", char::from_u32(code).unwrap());
        let name = door.name_when_asking_for(&asked).await;
        assert_eq!(name, asked, "U+{code:04X}");
    }
    assert_eq!(door.name_when_asking_for(FAMILY).await, FAMILY);
}

#[tokio::test]
async fn white_space_that_removal_lays_bare_goes_too() {
    check(&[
        ("before and after", "\u{200b} aki \u{200b}".into(), "aki".into()),
        ("in between", " \u{feff} aki \u{2060} ".into(), "aki".into()),
    ])
    .await;
}

#[tokio::test]
async fn who_asks_for_no_visible_name_is_given_one() {
    let mut door = Door::open().await;
    let queries = [
        "",
        "username",
        "username=",
        "username=+++",
        "username=%00%07",
        "username=%E2%80%8B%EF%BB%BF",
        "username=%E2%80%8D",
        "username=%E2%80%8C%E2%80%8D+",
        "name=aki",
    ];
    for query in queries {
        assert_is_given_by_the_server(&door.name_for(query).await, query);
    }
}

#[tokio::test]
async fn the_servers_own_name_is_reserved_however_it_is_written() {
    let mut door = Door::open().await;
    for asked in ["System", "system", "SYSTEM", "sYsTeM", " System ", "Sys\u{200b}tem", "\u{202e}System"] {
        let name = door.name_when_asking_for(asked).await;
        assert_is_given_by_the_server(&name, asked);
    }
    for asked in ["Systems", "Syste", "The System"] {
        let name = door.name_when_asking_for(asked).await;
        assert_eq!(name, asked);
    }
}

#[tokio::test]
async fn clients_without_a_name_get_different_ones() {
    let server = TestServer::start(settings());
    let mut names = Vec::new();
    let mut clients = Vec::new();
    for _ in 0..20 {
        let mut client = Client::open(&server, "").await;
        names.push(client.next("welcome").await["username"].as_str().unwrap().to_owned());
        clients.push(client);
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 20, "{names:?}");
}

#[tokio::test]
async fn a_name_of_32_clusters_fits_and_the_33rd_is_cut_off() {
    let x = |count: usize| "x".repeat(count);
    let e = |count: usize| E_ACUTE.repeat(count);
    check(&[
        ("one below", x(31), x(31)),
        ("on the limit", x(32), x(32)),
        ("one above", x(33), x(32)),
        ("far above", x(5_000), x(32)),
        ("clusters of two characters, one below", e(31), e(31)),
        ("clusters of two characters, on the limit of clusters and bytes", e(32), e(32)),
        ("clusters of two characters, one above", e(33), e(32)),
        ("a mark belongs to its letter", format!("{}{E_ACUTE}y", x(31)), format!("{}{E_ACUTE}", x(31))),
    ])
    .await;
}

#[tokio::test]
async fn a_name_of_96_bytes_fits_and_is_never_cut_within_a_cluster() {
    let smiles = |count: usize| "😀".repeat(count);
    check(&[
        ("95 bytes", smiles(23) + "abc", smiles(23) + "abc"),
        ("96 bytes", smiles(23) + "abcd", smiles(23) + "abcd"),
        ("97 bytes", smiles(23) + "abcde", smiles(23) + "abcd"),
        ("96 bytes of four each", smiles(24), smiles(24)),
        ("100 bytes of four each", smiles(25), smiles(24)),
        ("two bytes left for three", smiles(23) + "ab€", smiles(23) + "ab"),
        ("families of 25 bytes", FAMILY.repeat(3), FAMILY.repeat(3)),
        ("the fourth family", FAMILY.repeat(4), FAMILY.repeat(3)),
        ("flags of 8 bytes", "🇯🇵".repeat(12), "🇯🇵".repeat(12)),
        ("the thirteenth flag", "🇯🇵".repeat(13), "🇯🇵".repeat(12)),
    ])
    .await;
}

#[tokio::test]
async fn a_single_cluster_that_does_not_fit_leaves_no_name() {
    let mut door = Door::open().await;
    let tower = format!("a{}", "\u{301}".repeat(60));
    let name = door.name_when_asking_for(&tower).await;
    assert_is_given_by_the_server(&name, "a tower of accents");
}

#[tokio::test]
async fn a_name_that_is_present_gets_the_next_free_suffix() {
    let mut door = Door::open().await;
    let mut clients = Vec::new();
    for given in ["aki", "aki-2", "aki-3"] {
        let mut client = Client::open(&door.server, "username=aki").await;
        assert_eq!(client.next("welcome").await["username"], given);
        clients.push(client);
    }
    assert_eq!(door.name_for("username=bo").await, "bo", "another name is not touched");
    let explicit = Client::connect(&door.server, "cy-2").await;
    let first = Client::connect(&door.server, "cy").await;
    assert_eq!(door.name_for("username=cy").await, "cy-3", "a suffix that somebody chose is taken too");
    drop((explicit, first));
}

#[tokio::test]
async fn a_name_is_free_again_when_its_client_has_gone() {
    let mut door = Door::open().await;
    for _ in 0..3 {
        assert_eq!(door.name_for("username=aki").await, "aki");
    }
}

#[tokio::test]
async fn a_suffix_fits_even_when_the_name_fills_its_limits() {
    let server = TestServer::start(settings());
    let longest = [
        ("32 letters", "x".repeat(32)),
        ("32 clusters and 96 bytes", E_ACUTE.repeat(32)),
        ("24 clusters and 96 bytes", "😀".repeat(24)),
        ("3 clusters and 75 bytes", FAMILY.repeat(3)),
        ("96 bytes that end in a wide cluster", format!("{}{}", "x".repeat(21), FAMILY.repeat(3))),
    ];
    for (situation, name) in longest {
        let first = Client::connect(&server, &name).await;
        let mut names = vec![first.name().to_owned()];
        let mut clients = vec![first];
        for number in 2..=11 {
            let mut client = Client::open(&server, &format!("username={}", encode(&name))).await;
            let given = client.next("welcome").await["username"].as_str().unwrap().to_owned();
            let rest =
                given.strip_suffix(&format!("-{number}")).unwrap_or_else(|| panic!("{situation}: {given:?}"));
            assert!(name.starts_with(rest), "{situation}: {given:?}");
            assert!(name[rest.len()..].graphemes(true).count() <= 4, "{situation}: cut too far: {given:?}");
            assert!(name.grapheme_indices(true).any(|(at, _)| at == rest.len()) || rest == name, "{given:?}");
            assert!(given.graphemes(true).count() <= 32 && given.len() <= 96, "{situation}: {given:?}");
            names.push(given);
            clients.push(client);
        }
        names.sort();
        names.dedup();
        assert_eq!(names.len(), clients.len(), "{situation}");
    }
}

#[tokio::test]
async fn a_query_that_is_not_utf_8_does_no_harm() {
    let mut door = Door::open().await;
    for query in
        ["username=%FF%FE", "username=%", "username=%zz", "username=a%E2%82", "&&&=&username", "%FF=1"]
    {
        assert!(!door.name_for(query).await.is_empty(), "{query}");
    }
}

#[tokio::test]
async fn a_name_with_every_kind_of_quote_reaches_everyone_as_it_is() {
    let server = TestServer::start(settings());
    let mut witness = Client::connect(&server, "witness").await;
    let name = r#"a"b\c/'<&>"#;
    let client = Client::connect(&server, name).await;
    witness.next_must_be_line("", &format!("{name} connected")).await;
    assert_eq!(client.welcome["username"], Value::from(name));
}
