//! Who may connect and send.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::HeaderMap;
use pipeline::auth::{ServerAuth, SharedServerAuth};
use pipeline::{Code, Component, Extension, Extensions, Metadata, Status};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::client::TlsStream;

use super::client::{EXPORT_LOGS, Feed, Grpc, Http, frame, one_log, open};
use super::world::World;
use crate::tls::authority::Authority;

/// Lets in who says "sesame".
#[derive(Debug)]
struct Doorman;

impl ServerAuth for Doorman {
    fn authenticate(&self, headers: &HeaderMap) -> Result<Metadata, Status> {
        match headers.get("authorization") {
            Some(word) if word == "sesame" => {
                Ok(Metadata::from_iter([("subject".to_owned(), "ali".to_owned())]))
            }
            _ => Err(Status::new(Code::Unauthenticated, "say the word")),
        }
    }
}

impl Component for Doorman {
    fn drain(&self, _deadline: std::time::Instant) {}

    fn close(&self, _deadline: std::time::Instant) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

impl Extension for Doorman {
    fn server_auth(&self) -> Option<SharedServerAuth> {
        Some(Arc::new(Self))
    }
}

#[tokio::test]
async fn only_authenticated_clients_may_send() {
    let yaml = "
protocols:
  grpc: {endpoint: '127.0.0.1:0', auth: {authenticator: doorman}}
  http: {endpoint: '127.0.0.1:0', auth: {authenticator: doorman}}
";
    let doorman: Arc<dyn Extension> = Arc::new(Doorman);
    let extensions = Extensions::from_iter([("doorman".parse().unwrap(), doorman)]);
    let world = World::with(yaml).extensions(extensions).start();
    let mut arrivals = world.sink.arrivals();
    assert_eq!(world.grpc().await.export(&one_log()).await.code(), 16);
    assert_eq!(world.http().await.post("/v1/logs", one_log()).await.http_status(), 401);

    let request = Grpc::request(EXPORT_LOGS).header("authorization", "sesame");
    let request = request.body(Feed::of(frame(0, &one_log()))).unwrap();
    assert_eq!(world.grpc().await.send(request).await.unwrap().code(), 0);
    assert_eq!(arrivals.recv().await.unwrap().context.identity.first("subject"), Some("ali"));
    let request = Http::request("/v1/logs").header("authorization", "sesame");
    let request = request.body(Feed::of(one_log())).unwrap();
    assert_eq!(world.http().await.send(request).await.unwrap().http_status(), 200);
}

/// Opens a TLS connection that offers `protocol`, with a certificate of its own if given.
async fn secured(
    address: &str,
    authority: &Authority,
    protocol: &[u8],
    identity: Option<&str>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority.file()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match identity {
        Some(name) => {
            let (certificate, key) = authority.issue(name);
            let chain = vec![CertificateDer::from_pem_file(certificate).unwrap()];
            let key = PrivateKeyDer::from_pem_file(key).unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![protocol.to_vec()];
    let name = ServerName::try_from("localhost").unwrap();
    tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, open(address)).await
}

fn tls_yaml(authority: &Authority, more: &str) -> String {
    let (certificate, key) = authority.issue("localhost");
    let (certificate, key) = (certificate.display(), key.display());
    let tls = format!("tls: {{cert_file: '{certificate}', key_file: '{key}'{more}}}");
    format!(
        "protocols:\n  grpc: {{endpoint: '127.0.0.1:0', {tls}}}\n  http: {{endpoint: '127.0.0.1:0', {tls}}}"
    )
}

#[tokio::test]
async fn speaks_tls_in_the_protocol_that_the_handshake_chose() {
    let authority = Authority::new();
    let world = World::with(&tls_yaml(&authority, "")).start();
    let (grpc, http) = (world.receiver.address("grpc"), world.receiver.address("http"));
    let stream = secured(&grpc, &authority, b"h2", None).await.unwrap();
    assert_eq!(Grpc::over(stream).await.export(&one_log()).await.code(), 0);
    let stream = secured(&http, &authority, b"http/1.1", None).await.unwrap();
    let answered = Http::over(stream).await.post("/v1/logs", one_log()).await;
    assert_eq!(answered.http_status(), 200);
    let stream = secured(&http, &authority, b"h2", None).await.unwrap();
    let request = http::Request::post("http://test/v1/logs");
    let request = request.header("content-type", "application/x-protobuf");
    let request = request.body(Feed::of(one_log())).unwrap();
    assert_eq!(Grpc::over(stream).await.send(request).await.unwrap().http_status(), 200);
    world.end().await;
}

#[tokio::test]
async fn a_client_without_the_certificate_it_needs_is_not_served() {
    let authority = Authority::new();
    let more = format!(", client_ca_file: '{}'", authority.file().display());
    let world = World::with(&tls_yaml(&authority, &more)).start();
    let address = world.receiver.address("http");
    // In TLS 1.3 the client learns of it with its first read.
    if let Ok(stream) = secured(&address, &authority, b"http/1.1", None).await {
        let request = Http::request("/v1/logs").body(Feed::of(one_log())).unwrap();
        assert!(Http::over(stream).await.send(request).await.is_err());
    }
    let stream = secured(&address, &authority, b"http/1.1", Some("client")).await.unwrap();
    let answered = Http::over(stream).await.post("/v1/logs", one_log()).await;
    assert_eq!(answered.http_status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_never_comes_is_given_up() {
    let authority = Authority::new();
    let world = World::with(&tls_yaml(&authority, "")).start();
    let mut stream = open(&world.receiver.address("grpc"));
    let began = world.env.clock.now();
    let mut bytes = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut bytes).await.unwrap();
    assert_eq!((world.env.clock.now() - began).as_secs(), 10);
}

#[tokio::test]
async fn listens_on_unix_sockets() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("otlp.sock");
    let yaml = format!("protocols: {{grpc: {{transport: unix, endpoint: '{}'}}}}", path.display());
    let world = World::with(&yaml).start();
    let stream = UnixStream::connect(&path).await.unwrap();
    assert_eq!(Grpc::over(stream).await.export(&one_log()).await.code(), 0);
    world.end().await;
}
