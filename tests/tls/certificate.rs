//! Certificates that are made for a test, in files of its own.

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use roomd::config::Settings;
use rustls::{
    ClientConfig, RootCertStore, SupportedProtocolVersion, crypto::ring, pki_types::CertificateDer, version,
};

/// A certificate for `localhost` and its key, as files in a directory that goes with it.
pub(crate) struct Certificate {
    directory: PathBuf,
    pub(crate) der: CertificateDer<'static>,
}

impl Certificate {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("roomd-tls-{}-{number}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let mut certificate = Self { directory, der: Vec::new().into() };
        certificate.renew();
        certificate
    }

    /// Writes another one, with another key, over it.
    pub(crate) fn renew(&mut self) {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(self.chain(), cert.pem()).unwrap();
        fs::write(self.key(), signing_key.serialize_pem()).unwrap();
        self.der = cert.der().clone();
    }

    pub(crate) fn chain(&self) -> PathBuf {
        self.directory.join("cert.pem")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.directory.join("key.pem")
    }

    /// The flags that give both to the binary.
    pub(crate) fn flags(&self) -> [String; 2] {
        [format!("--tls-cert={}", self.chain().display()), format!("--tls-key={}", self.key().display())]
    }

    /// These settings with this certificate.
    pub(crate) fn within(&self, settings: Settings) -> Settings {
        Settings { tls_cert: Some(self.chain()), tls_key: Some(self.key()), ..settings }
    }

    /// A client that trusts this certificate alone.
    pub(crate) fn trusted(&self) -> ClientConfig {
        self.trusted_over(&[&version::TLS13])
    }

    pub(crate) fn trusted_over(&self, versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).unwrap();
        ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth()
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}
