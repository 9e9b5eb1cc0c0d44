//! TLS, by rustls: the certificate, and how a connection comes to speak it.

mod line;

pub(super) use line::TlsLine;

use super::{accept::Handshake, http_stream::HttpStream, shared::Shared};
use crate::config::Settings;
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject as _},
};
use std::{
    error, fmt, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::signal::unix::Signal;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// Most plaintext of one record (RFC 8446, section 5.1). So much is encrypted at once, and waits for the
/// peer to take it before more is.
const RECORD_BYTES: usize = 16 << 10;
/// What every handshake begins with: a record of the type `handshake`. No method of HTTP does.
const FIRST_BYTE: u8 = 22;

/// A setting whose file cannot be used. Shown as one line that says what to change.
#[derive(Debug)]
pub struct Unusable {
    setting: &'static str,
    path: PathBuf,
    what: String,
    change: &'static str,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { setting, path, what, change } = self;
        write!(f, "{setting} {}: {what}; {change}", path.to_string_lossy().escape_debug())
    }
}

impl error::Error for Unusable {}

/// Whether the certificate and the key of these settings can be used, if there are any.
///
/// # Errors
/// The first thing about them that is wrong.
pub fn check(settings: &Settings) -> Result<(), Unusable> {
    Tls::of(settings).map(drop)
}

/// The certificate that is shown to whoever comes, and where it is from.
#[derive(Debug)]
pub(super) struct Tls {
    chain: PathBuf,
    key: PathBuf,
    config: Mutex<Arc<ServerConfig>>,
}

/// How somebody who came began to speak.
#[derive(Debug)]
pub(super) enum Opened {
    Tls(Box<TlsStream<HttpStream<Handshake>>>),
    /// Something else than TLS; nothing of it was read.
    Plain(HttpStream<Handshake>),
    /// Not at all.
    Nothing,
}

impl Tls {
    /// That of the settings, if there is one.
    pub(super) fn of(settings: &Settings) -> Result<Option<Self>, Unusable> {
        let (Some(chain), Some(key)) = (settings.tls_cert.clone(), settings.tls_key.clone()) else {
            return Ok(None);
        };
        let config = Mutex::new(load(&chain, &key)?);
        Ok(Some(Self { chain, key, config }))
    }

    /// Waits for the first byte, and shakes hands if it is that of a handshake.
    pub(super) async fn open(&self, stream: HttpStream<Handshake>) -> io::Result<Opened> {
        let mut first = [0];
        if stream.peek(&mut first).await? == 0 {
            return Ok(Opened::Nothing);
        }
        if first != [FIRST_BYTE] {
            return Ok(Opened::Plain(stream));
        }
        let acceptor = TlsAcceptor::from(self.lock().clone());
        let shaken = acceptor.accept_with(stream, |tls| tls.set_buffer_limit(Some(RECORD_BYTES)));
        Ok(Opened::Tls(Box::new(shaken.await?)))
    }

    /// Reads the files anew. Whoever is connected already stays so.
    fn reload(&self) -> Result<(), Unusable> {
        let config = load(&self.chain, &self.key)?;
        *self.lock() = config;
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Arc<ServerConfig>> {
        // It is replaced in one step; it is right even after a panic.
        self.config.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the certificate anew at each SIGHUP, for as long as it is polled. With one that cannot be used
/// the present one stays.
pub(super) async fn reload_on(mut hangup: Signal, shared: Arc<Shared>) -> io::Error {
    while hangup.recv().await.is_some() {
        let Some(tls) = &shared.tls else { continue };
        match tls.reload() {
            Ok(()) => tracing::info!("the certificate was read anew"),
            Err(unusable) => tracing::error!("{unusable}; the present certificate stays in use"),
        }
    }
    io::Error::other("no more signals")
}

fn load(chain: &Path, key: &Path) -> Result<Arc<ServerConfig>, Unusable> {
    let unusable = |setting, path: &Path, what: String, change| Unusable {
        setting,
        path: path.to_owned(),
        what,
        change,
    };
    let certificates: Vec<CertificateDer<'_>> = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect)
        .and_then(|all: Vec<_>| if all.is_empty() { Err(pem::Error::NoItemsFound) } else { Ok(all) })
        .map_err(|error| unusable("tls_cert", chain, told(&error), "give a certificate chain in PEM"))?;
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| {
        unusable("tls_key", key, told(&error), "give the certificate's private key in PEM")
    })?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(certificates, secret))
        .map_err(|error| {
            unusable(
                "tls_cert",
                chain,
                error.to_string(),
                "give a certificate and the key that it was made for",
            )
        })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Without what stands in the file: it may be the key.
fn told(error: &pem::Error) -> String {
    if let pem::Error::Io(error) = error {
        format!("cannot be read ({error})")
    } else if matches!(error, pem::Error::NoItemsFound) {
        "there is none in the file".to_owned()
    } else {
        "not PEM".to_owned()
    }
}
