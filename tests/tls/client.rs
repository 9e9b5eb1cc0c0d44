//! The client made of bytes, over TLS.

use std::{io, sync::Arc};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{
    certificate::Certificate,
    support::{Handshake, RawClient, Response, TestServer, guarded},
};

pub(crate) type TlsClient = RawClient<TlsStream<TcpStream>>;

/// Shakes hands on a connection.
pub(crate) async fn shake(stream: TcpStream, config: ClientConfig) -> io::Result<TlsClient> {
    let name = ServerName::try_from("localhost").unwrap();
    let shaken = TlsConnector::from(Arc::new(config)).connect(name, stream);
    Ok(RawClient::over(guarded("the handshake of TLS", shaken).await?))
}

pub(crate) async fn connect(server: &TestServer, certificate: &Certificate) -> TlsClient {
    shake(RawClient::connect(server).await.into_stream(), certificate.trusted()).await.unwrap()
}

/// Connects and upgrades.
pub(crate) async fn upgrade(server: &TestServer, certificate: &Certificate, query: &str) -> TlsClient {
    let mut client = connect(server, certificate).await;
    client.shake_hands(server, query).await;
    client
}

/// Connects with a receive buffer so small that the server's writes soon have to wait, and upgrades.
pub(crate) async fn upgrade_narrow(server: &TestServer, certificate: &Certificate, query: &str) -> TlsClient {
    let stream = RawClient::connect_narrow(server).await.into_stream();
    let mut client = shake(stream, certificate.trusted()).await.unwrap();
    client.shake_hands(server, query).await;
    client
}

/// Sends a request on a connection of its own and reads the answer.
pub(crate) async fn send(request: &Handshake, server: &TestServer, certificate: &Certificate) -> Response {
    let mut client = connect(server, certificate).await;
    client.write(&request.bytes()).await;
    Response::read(&mut client).await
}
