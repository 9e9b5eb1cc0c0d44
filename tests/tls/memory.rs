//! What TLS takes on the heap, at the worst, is what the plan says.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
};

use roomd::config::Plan;
use rustls::{
    ClientConnection, ServerConfig, ServerConnection,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

use crate::{certificate::Certificate, support::settings};

/// As `src/server/tls/` sets it.
const RECORD_BYTES: usize = 16 << 10;

fn planned(clients: usize, handshakes: usize) -> u64 {
    let settings = Certificate::new().within(roomd::config::Settings { clients, handshakes, ..settings() });
    Plan::of(&settings).lines.iter().find(|line| line.name == "TLS").unwrap().bytes
}

fn server_config(certificate: &Certificate) -> Arc<ServerConfig> {
    let chain = vec![CertificateDer::from_pem_file(certificate.chain()).unwrap()];
    let key = PrivateKeyDer::from_pem_file(certificate.key()).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_no_client_auth().with_single_cert(chain, key).unwrap())
}

/// A peer that shakes hands, sends all of a record but its last byte, and reads nothing.
fn worst_peer(stream: &mut TcpStream, certificate: &Certificate) {
    let name = "localhost".try_into().unwrap();
    let mut tls = ClientConnection::new(Arc::new(certificate.trusted()), name).unwrap();
    while tls.is_handshaking() || tls.wants_write() {
        tls.complete_io(stream).unwrap();
    }
    tls.writer().write_all(&[0; RECORD_BYTES]).unwrap();
    let mut record = Vec::new();
    while tls.wants_write() {
        tls.write_tls(&mut record).unwrap();
    }
    assert!(record.len() > RECORD_BYTES);
    stream.write_all(&record[..record.len() - 1]).unwrap();
}

#[test]
fn a_client_that_sends_half_a_record_and_reads_nothing_holds_what_is_planned() {
    let certificate = Certificate::new();
    let config = server_config(&certificate);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::scope(|scope| {
        let (done, wait) = std::sync::mpsc::sync_channel::<()>(1);
        let certificate = &certificate;
        scope.spawn(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            worst_peer(&mut stream, certificate);
            let _ = wait.recv();
        });
        let (mut stream, _) = listener.accept().unwrap();
        let mut held = None;
        let handshake = allocation_counter::measure(|| {
            let mut tls = Box::new(ServerConnection::new(config.clone()).unwrap());
            tls.set_buffer_limit(Some(RECORD_BYTES));
            while tls.is_handshaking() || tls.wants_write() {
                tls.complete_io(&mut stream).unwrap();
            }
            held = Some(tls);
        });
        let mut tls = held.unwrap();
        let much = vec![0; 4 * RECORD_BYTES];
        let session = allocation_counter::measure(|| {
            // All of the record but one byte, of which nothing can be decrypted.
            let mut taken = 0;
            while taken < RECORD_BYTES + 16 {
                taken += tls.read_tls(&mut stream).unwrap();
                tls.process_new_packets().unwrap();
            }
            assert!(tls.reader().read(&mut [0; 16]).is_err());
            // As much as is taken, of which the peer takes nothing.
            assert_eq!(tls.writer().write(&much).unwrap(), RECORD_BYTES);
        });
        drop(done);
        let size = size_of::<ServerConnection>() as u64;
        let kept = handshake.bytes_current.unsigned_abs() + session.bytes_max + size;
        assert!(kept <= planned(1, 1) - planned(0, 1), "a client: {kept}");
        let most = handshake.bytes_max + size;
        assert!(most <= planned(0, 1), "a handshake: {most}");
    });
}
