//! Security: clients that speak plain text to a TLS port and the reverse, clients without the right
//! certificate, and Unix sockets that somebody left behind.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::client::{Answered, connect, one_log, read_all};
use super::target::{BASE_MIB, Setup, Target};
use crate::process::{PATIENCE, Running};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.distinguished_name.push(rcgen::DnType::CommonName, name);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate and its key, PEM.
struct Identity {
    certificate: String,
    key: String,
}

impl Identity {
    /// Signed by `authority`; out of date if it `is_expired`.
    fn of(authority: &Authority, is_expired: bool) -> Self {
        let mut parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        if is_expired {
            parameters.not_before = date_time_ymd(2020, 1, 1);
            parameters.not_after = date_time_ymd(2021, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, authority).unwrap();
        Self { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

/// A collector whose HTTP port wants certificates of `clients`.
fn mutual(servers: &Authority, clients: &Authority, folder: &Path) -> Target {
    let server = Identity::of(servers, false);
    let write = |name: &str, text: &str| -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let tls = format!(
        "tls: {{cert_file: '{}', key_file: '{}', client_ca_file: '{}'}}",
        write("server.pem", &server.certificate).display(),
        write("server.key", &server.key).display(),
        write("clients.pem", &clients.pem()).display(),
    );
    Target::with(&Setup { http: &tls, ..Setup::default() })
}

/// Posts a log record over TLS.
fn post(port: u16, servers: &Authority, identity: Option<&Identity>) -> io::Result<Answered> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(servers.pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let builder = builder.with_root_certificates(roots);
    let config = match identity {
        None => builder.with_no_client_auth(),
        Some(Identity { certificate, key }) => {
            let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    };
    let name = "localhost".try_into().unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(connection, connect(port));
    stream.write_all(&request())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Answered::parse(&answer).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// A good request, as bytes.
fn request() -> Vec<u8> {
    let body = one_log();
    let head = format!(
        "POST /v1/logs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-protobuf\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), &body].concat()
}

#[test]
fn only_clients_with_a_valid_certificate_get_in() {
    let (servers, clients) = (authority("servers"), authority("clients"));
    let folder = tempfile::tempdir().unwrap();
    let target = mutual(&servers, &clients, folder.path());
    let expired = Identity::of(&clients, true);
    let stranger = Identity::of(&authority("strangers"), false);
    for identity in [None, Some(&expired), Some(&stranger)] {
        assert!(post(target.http, &servers, identity).is_err());
    }
    // Plain text is no handshake.
    let mut stream = connect(target.http);
    stream.write_all(&request()).unwrap();
    let answer = read_all(&mut stream).unwrap();
    assert!(Answered::parse(&answer).is_none(), "{answer:?}");
    let known = Identity::of(&clients, false);
    let answered = post(target.http, &servers, Some(&known)).unwrap();
    assert_eq!(answered.status, 200, "{answered:?}");
    target.assert_bounded(BASE_MIB);
}

#[test]
fn a_handshake_with_a_plain_port_is_no_request() {
    let target = Target::start();
    for port in [target.grpc, target.http] {
        assert!(post(port, &authority("servers"), None).is_err());
    }
    target.assert_unharmed();
}

#[test]
fn handshakes_that_stall_are_given_up() {
    let (servers, clients) = (authority("servers"), authority("clients"));
    let folder = tempfile::tempdir().unwrap();
    let server = Identity::of(&servers, false);
    let (certificate, key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
    std::fs::write(&certificate, server.certificate).unwrap();
    std::fs::write(&key, server.key).unwrap();
    let tls = format!(
        "limits: {{handshake_timeout: 500ms}}, tls: {{cert_file: '{}', key_file: '{}'}}",
        certificate.display(),
        key.display()
    );
    let target = Target::with(&Setup { http: &tls, ..Setup::default() });
    let stalled: Vec<TcpStream> = (0..100)
        .map(|_| {
            let mut stream = connect(target.http);
            // The beginning of a ClientHello.
            stream.write_all(&[0x16, 3, 1, 2, 0, 1, 0]).unwrap();
            stream
        })
        .collect();
    for mut stream in stalled {
        read_all(&mut stream);
    }
    let known = Identity::of(&clients, false);
    assert_eq!(post(target.http, &servers, Some(&known)).unwrap().status, 200);
    target.assert_bounded(BASE_MIB);
}

/// A collector on the Unix socket `path`.
fn on_socket(path: &Path, folder: &Path) -> Running {
    let yaml = format!(
        "yaml:
receivers: {{otlp: {{protocols: {{http: {{endpoint: '{}', transport: unix}}}}}}}}
exporters: {{nop: }}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{logs: {{receivers: [otlp], exporters: [nop]}}}}
",
        path.display()
    );
    Running::start(&["--config", &yaml, "--data-dir", folder.join("data").to_str().unwrap()])
}

#[test]
fn sockets_of_the_dead_are_taken_over_and_those_of_the_living_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("otlp.sock");
    drop(UnixListener::bind(&path).unwrap());
    let mut collector = on_socket(&path, folder.path());
    collector.wait_for("Everything is ready");
    let mut stream = UnixStream::connect(&path).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&request()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(Answered::parse(&answer).unwrap().status, 200);

    let (status, log, _) = on_socket(&path, folder.path()).end();
    assert!(!status.success() && log.contains("another process serves this socket"), "{log}");
    // Nor is a file that is no socket.
    let file = folder.path().join("notes.txt");
    std::fs::write(&file, "mine").unwrap();
    let (status, log, _) = on_socket(&file, folder.path()).end();
    assert!(!status.success() && log.contains("no socket is in the way"), "{log}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
}
