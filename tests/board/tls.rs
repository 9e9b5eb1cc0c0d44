//! TLS as docs/OPERATING.md has it: the build with it, the drop-in from there, and a certificate that is renewed.

use std::process::Command;

use rcgen::{CertifiedKey, generate_simple_self_signed};

use crate::{
    board::Board,
    deploy::{assert_runs, deploy},
    markdown,
    program::{self, BINARY, BINARY_WITH_TLS},
};

const DROP_IN: &str = "/etc/systemd/system/roomd.service.d/override.conf";

pub(crate) async fn is_spoken(board: &Board) {
    board.restore("installed");
    deploy(board, &["--binary", &program::path(BINARY_WITH_TLS)], 0);
    let first = renew(board, "first");
    board.write(DROP_IN, &drop_in());
    board.run("systemctl daemon-reload && systemctl restart roomd.service");
    assert!(is_healthy(board, &first));
    assert_eq!(board.get("/healthz").await.status, 308, "plain HTTP is for the board itself");

    let second = renew(board, "second");
    assert!(!is_healthy(board, &second), "it has copies");
    board.run("systemctl restart roomd.service");
    assert!(is_healthy(board, &second) && !is_healthy(board, &first));
}

/// What is deployed is tried with the key that only root may read, whether it fits or not.
pub(crate) async fn is_deployed_with_its_key(board: &Board) {
    let (before, certificate) = (board.service("MainPID"), renew(board, "third"));
    let said = deploy(board, &["--binary", &program::path(BINARY)], 1);
    assert!(said.contains("does not take the settings") && said.contains("tls_cert"), "{said}");
    board.run("mv /etc/roomd/key.pem /root/key.pem");
    let another = program::with_bytes_behind(BINARY_WITH_TLS, 1);
    let said = deploy(board, &["--binary", &another], 1);
    assert!(said.contains("Job for roomd-check.service failed"), "{said}");
    assert_eq!(board.service("MainPID"), before, "what is refused touches nothing");
    board.run("mv /root/key.pem /etc/roomd/key.pem");
    deploy(board, &["--binary", &another], 0);
    assert!(is_healthy(board, &certificate));
    assert_eq!(board.run("systemctl --failed --no-legend | wc --lines"), "0");
    board.restore("installed");
    assert_runs(board, &program::path(BINARY)).await;
}

/// The lines that whoever keeps a board is to write.
fn drop_in() -> String {
    let blocks = markdown::read("docs/OPERATING.md").blocks();
    let is_it = |line: &String| line.starts_with("LoadCredential=");
    let block = blocks.into_iter().find(|block| block.lines.iter().any(is_it)).unwrap();
    let lines: Vec<_> = block.lines.into_iter().filter(|line| !line.starts_with('$')).collect();
    lines.join("\n")
}

/// Another certificate and its key, where the drop-in has them, for root alone; the former is kept here, too.
fn renew(board: &Board, name: &str) -> String {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    board.write("/etc/roomd/cert.pem", &cert.pem());
    board.write("/etc/roomd/key.pem", &signing_key.serialize_pem());
    board.run("chmod 600 /etc/roomd/*.pem");
    program::store(&format!("{name}.pem"), cert.pem().as_bytes())
}

/// Whether it answers over TLS, with this certificate.
fn is_healthy(board: &Board, certificate: &str) -> bool {
    let url = format!("https://localhost:{}/healthz", board.server().address().port());
    let mut curl = Command::new("curl");
    curl.args([
        "--silent",
        "--fail",
        "--max-time",
        "60",
        "--output",
        "/dev/null",
        "--cacert",
        certificate,
        &url,
    ]);
    curl.status().expect("curl").success()
}
