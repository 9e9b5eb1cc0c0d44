//! Files that are no certificate: one line, before anything is started.

use std::fs;

use crate::{certificate::Certificate, run::roomd};

#[test]
fn each_file_that_cannot_be_used_is_one_line() {
    let (certificate, other) = (Certificate::new(), Certificate::new());
    let write = |name: &str, text: &str| {
        let path = certificate.chain().with_file_name(name);
        fs::write(&path, text).unwrap();
        path
    };
    let (chain, key) = (certificate.chain(), certificate.key());
    let missing = chain.with_file_name("missing.pem");
    let empty = write("empty.pem", "");
    let text = write("text.pem", "-----BEGIN CERTIFICATE-----\nno base64!\n-----END CERTIFICATE-----\n");
    let spoilt = write("spoilt.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    for (cert, key, setting, what) in [
        (&missing, &key, "tls_cert", "cannot be read"),
        (&empty, &key, "tls_cert", "there is none in the file"),
        (&key, &key, "tls_cert", "there is none in the file"),
        (&text, &key, "tls_cert", "not PEM"),
        (&spoilt, &key, "tls_cert", ""),
        (&chain, &missing, "tls_key", "cannot be read"),
        (&chain, &empty, "tls_key", "there is none in the file"),
        (&chain, &chain, "tls_key", "there is none in the file"),
        (&chain, &other.key(), "tls_cert", "the key that it was made for"),
    ] {
        let (cert, key) = (format!("--tls-cert={}", cert.display()), format!("--tls-key={}", key.display()));
        for command in ["serve", "check-config"] {
            let line = roomd(&[command, "--listen=127.0.0.1:0", &cert, &key]).run().refused(78);
            assert!(line.starts_with(&format!("{setting} /")) && line.contains(what), "{line}");
        }
    }
}

#[test]
fn a_certificate_is_taken_from_each_source() {
    let certificate = Certificate::new();
    let (chain, key) = (certificate.chain(), certificate.key());
    let (chain, key) = (chain.to_str().unwrap(), key.to_str().unwrap());
    let [cert_flag, key_flag] = certificate.flags();
    for run in [
        roomd(&["check-config", &cert_flag, &key_flag]),
        roomd(&["check-config"]).variable("ROOMD_TLS_CERT", chain).variable("ROOMD_TLS_KEY", key),
        roomd(&["check-config"]).file(&format!("tls_cert = \"{chain}\"\ntls_key = \"{key}\"\n")),
        roomd(&["check-config", &cert_flag]).variable("ROOMD_TLS_KEY", key),
    ] {
        let report = run.run().printed();
        assert!(report.contains(chain) && report.contains(key), "{report}");
    }
}

#[test]
fn the_plan_counts_what_tls_needs() {
    let certificate = Certificate::new();
    let line = |flags: &[&str]| {
        let plan = roomd(&[&["plan", "--clients=10", "--handshakes=2"], flags].concat()).run().printed();
        plan.lines().find(|line| line.starts_with("TLS ")).unwrap().to_owned()
    };
    let [cert, key] = certificate.flags();
    assert!(line(&[]).contains(" 0 "), "{}", line(&[]));
    let bytes = ((10 * 64 + 2 * 128) << 10).to_string();
    assert!(line(&[&cert, &key]).contains(&bytes), "{}", line(&[&cert, &key]));
}
