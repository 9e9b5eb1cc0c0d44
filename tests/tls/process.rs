//! The real binary: its log, and a certificate that changes while it runs.

use std::{fs, net::SocketAddr};

use rustix::process::{Pid, Signal, kill_process};
use tokio::net::TcpStream;

use crate::{
    certificate::Certificate,
    client::{TlsClient, shake},
    run::{GUARD, Running, roomd},
    support::guarded,
};

fn start(certificate: &Certificate) -> (Running, SocketAddr) {
    let [cert, key] = certificate.flags();
    let running = roomd(&["--listen=127.0.0.1:0", &cert, &key]).start();
    let line = running.said.last().unwrap().clone();
    let (_, rest) = line.split_once(" https://").unwrap_or_else(|| panic!("{line}"));
    (running, rest.split('/').next().unwrap().parse().unwrap())
}

async fn connect(address: SocketAddr, certificate: &Certificate) -> std::io::Result<TlsClient> {
    let stream = guarded("connecting", TcpStream::connect(address)).await.unwrap();
    let mut client = shake(stream, certificate.trusted()).await?;
    let request = format!(
        "GET /ws?quiet=1 HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\n\r\n",
        crate::support::KEY
    );
    client.write(request.as_bytes()).await;
    assert!(client.read_head().await.starts_with("HTTP/1.1 101 "));
    Ok(client)
}

async fn assert_echoes(client: &mut TlsClient) {
    client.send_text("still here").await;
    assert_eq!(client.next_with_opcode(crate::support::TEXT).await.payload, b"still here");
}

/// Waits for a line of the log that has this text in it.
fn until(running: &Running, text: &str) -> String {
    loop {
        let line = running.lines.recv_timeout(GUARD).unwrap_or_else(|_| panic!("no line says: {text}"));
        if line.contains(text) {
            return line;
        }
    }
}

fn hang_up(running: &Running) {
    kill_process(Pid::from_child(&running.child.0), Signal::HUP).unwrap();
}

#[tokio::test]
async fn a_certificate_that_changed_is_shown_from_the_next_hangup_on_and_nobody_is_dropped() {
    let mut certificate = Certificate::new();
    let (running, address) = start(&certificate);
    let mut before = connect(address, &certificate).await.unwrap();

    certificate.renew();
    assert!(connect(address, &certificate).await.is_err(), "the new one is not read by itself");
    hang_up(&running);
    until(&running, "the certificate was read anew");
    let mut after = connect(address, &certificate).await.unwrap();
    assert_echoes(&mut before).await;
    assert_echoes(&mut after).await;

    fs::write(certificate.chain(), "spoilt").unwrap();
    hang_up(&running);
    let line = until(&running, "the present certificate stays in use");
    assert!(line.contains("ERROR") && line.contains("tls_cert "), "{line}");
    let mut still = connect(address, &certificate).await.unwrap();
    for client in [&mut before, &mut after, &mut still] {
        assert_echoes(client).await;
    }
    drop((before, after, still));
    assert_eq!(running.stop(Signal::TERM).0, Some(0));
}

#[test]
fn the_boards_own_status_needs_no_certificate() {
    let certificate = Certificate::new();
    let (_running, address) = start(&certificate);
    let said = roomd(&["status", &format!("--url=http://{address}")]).run().printed();
    assert!(said.contains("clients"), "{said}");
}
