//! Tests over in-memory pipes with throw-away certificates.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use config::value::Secret;
use runtime::clock::Clock;
use runtime::task::Scope;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use super::authority::Authority;
use super::{Acceptor, ClientWords, Connector, HTTP1, HTTP2, ServerWords};

fn server_words(authority: &Authority) -> ServerWords {
    let (cert_file, key_file) = authority.issue("localhost");
    ServerWords { cert_file, key_file, ..ServerWords::default() }
}

fn client_words(authority: &Authority) -> ClientWords {
    ClientWords { ca_file: authority.file(), ..ClientWords::default() }
}

fn acceptor(words: ServerWords) -> Acceptor {
    words.validate().unwrap().acceptor(Clock, &Scope::root("test")).unwrap()
}

fn connector(words: ClientWords) -> Connector {
    let settings = words.validate().unwrap();
    settings.connector(&[HTTP2, HTTP1], Clock, &Scope::root("test")).unwrap()
}

/// What client and server think of one connection: the agreed protocol and what was read.
async fn meet(acceptor: &Acceptor, connector: &Connector) -> io::Result<(Option<Vec<u8>>, String)> {
    let (near, far) = duplex(64 << 10);
    let server = async {
        let mut stream = acceptor.accept(far).await?;
        stream.write_all(b"hello").await?;
        stream.shutdown().await
    };
    let client = async {
        let mut stream = connector.connect("localhost", near).await?;
        let protocol = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
        let mut text = String::new();
        stream.read_to_string(&mut text).await?;
        Ok((protocol, text))
    };
    let (served, seen) = tokio::join!(server, client);
    served.and(seen)
}

fn faults(words: ServerWords) -> String {
    format!("{:?}", words.validate().unwrap_err())
}

#[tokio::test]
async fn a_client_that_trusts_the_authority_connects_with_http2_first() {
    let authority = Authority::new();
    let met = meet(&acceptor(server_words(&authority)), &connector(client_words(&authority))).await;
    assert_eq!(met.unwrap(), (Some(HTTP2.to_vec()), "hello".to_owned()));
}

#[tokio::test]
async fn a_client_with_another_authority_refuses_unless_told_not_to_verify() {
    let (ours, other) = (Authority::new(), Authority::new());
    let acceptor = acceptor(server_words(&ours));
    assert!(meet(&acceptor, &connector(client_words(&other))).await.is_err());
    let words = ClientWords { insecure_skip_verify: true, ..client_words(&other) };
    assert!(meet(&acceptor, &connector(words)).await.is_ok());
}

#[tokio::test]
async fn a_certificate_that_signed_itself_is_trusted_when_it_is_configured() {
    let folder = Authority::new();
    for (name, until, is_trusted) in
        [("localhost", 4000, true), ("elsewhere", 4000, false), ("localhost", 2001, false)]
    {
        let (cert_file, key_file) = folder.issue_own(name, until);
        let trusting = ClientWords { ca_file: cert_file.clone(), ..ClientWords::default() };
        let acceptor = acceptor(ServerWords { cert_file, key_file, ..ServerWords::default() });
        let met = meet(&acceptor, &connector(trusting)).await;
        assert_eq!(met.is_ok(), is_trusted, "{name} until {until}: {met:?}");
        assert!(meet(&acceptor, &connector(client_words(&folder))).await.is_err());
    }
}

#[tokio::test]
async fn the_name_of_the_server_can_be_overridden() {
    let authority = Authority::new();
    let (cert_file, key_file) = authority.issue("gate.example");
    let acceptor = acceptor(ServerWords { cert_file, key_file, ..ServerWords::default() });
    assert!(meet(&acceptor, &connector(client_words(&authority))).await.is_err());
    let server_name_override = "gate.example".to_owned();
    let words = ClientWords { server_name_override, ..client_words(&authority) };
    assert!(meet(&acceptor, &connector(words)).await.is_ok());
}

#[tokio::test]
async fn mutual_tls_refuses_clients_without_a_certificate_of_the_authority() {
    let (servers, clients) = (Authority::new(), Authority::new());
    let words = ServerWords { client_ca_file: clients.file(), ..server_words(&servers) };
    let acceptor = acceptor(words);
    assert!(meet(&acceptor, &connector(client_words(&servers))).await.is_err());
    let with = |authority: &Authority| {
        let (cert_file, key_file) = authority.issue("agent");
        connector(ClientWords { cert_file, key_file, ..client_words(&servers) })
    };
    assert!(meet(&acceptor, &with(&servers)).await.is_err());
    assert!(meet(&acceptor, &with(&clients)).await.is_ok());
}

#[tokio::test]
async fn a_client_that_signed_its_certificate_itself_is_known_when_it_is_configured() {
    let servers = Authority::new();
    let stranger = Authority::new();
    for (until, is_known) in [(4000, true), (2001, false)] {
        let (cert_file, key_file) = servers.issue_own("agent", until);
        let words = ServerWords { client_ca_file: cert_file.clone(), ..server_words(&servers) };
        let acceptor = acceptor(words);
        let own = ClientWords { cert_file, key_file, ..client_words(&servers) };
        let met = meet(&acceptor, &connector(own)).await;
        assert_eq!(met.is_ok(), is_known, "until {until}: {met:?}");
        let (cert_file, key_file) = stranger.issue_own("agent", 4000);
        let other = ClientWords { cert_file, key_file, ..client_words(&servers) };
        assert!(meet(&acceptor, &connector(other)).await.is_err());
        assert!(meet(&acceptor, &connector(client_words(&servers))).await.is_err());
    }
}

#[tokio::test]
async fn certificates_may_stand_in_the_configuration() {
    let authority = Authority::new();
    let read = |path: PathBuf| Secret::from(std::fs::read_to_string(path).unwrap());
    let (certificate, key) = authority.issue("localhost");
    let server =
        ServerWords { cert_pem: read(certificate), key_pem: read(key), ..ServerWords::default() };
    let client = ClientWords { ca_pem: read(authority.file()), ..ClientWords::default() };
    assert!(meet(&acceptor(server), &connector(client)).await.is_ok());
}

#[tokio::test]
async fn versions_without_overlap_do_not_meet() {
    let authority = Authority::new();
    let server = ServerWords { min_version: "1.3".into(), ..server_words(&authority) };
    let client = ClientWords { max_version: "1.2".into(), ..client_words(&authority) };
    assert!(meet(&acceptor(server), &connector(client)).await.is_err());
}

#[tokio::test]
async fn the_named_cipher_suite_and_curve_are_used() {
    let authority = Authority::new();
    let suite = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384";
    let words = ServerWords {
        cipher_suites: vec![suite.into()],
        curve_preferences: vec!["P384".into()],
        max_version: "1.2".into(),
        ..server_words(&authority)
    };
    let (acceptor, connector) = (acceptor(words), connector(client_words(&authority)));
    let (near, far) = duplex(64 << 10);
    let (served, client) = tokio::join!(acceptor.accept(far), connector.connect("localhost", near));
    let agreed = client.unwrap().get_ref().1.negotiated_cipher_suite().unwrap().suite();
    assert_eq!(format!("{agreed:?}"), suite);
    let group = served.unwrap().get_ref().1.negotiated_key_exchange_group().unwrap().name();
    assert_eq!(format!("{group:?}"), "secp384r1");
}

#[tokio::test(start_paused = true)]
async fn a_replaced_certificate_is_used_after_the_interval() {
    let (old, new) = (Authority::new(), Authority::new());
    let (cert_file, key_file) = old.issue("localhost");
    let (new_certificate, new_key) = new.issue("localhost");
    let words = ServerWords {
        cert_file: cert_file.clone(),
        key_file: key_file.clone(),
        reload_interval: Duration::from_secs(60).into(),
        ..ServerWords::default()
    };
    let (acceptor, connector) = (acceptor(words), connector(client_words(&new)));
    assert!(meet(&acceptor, &connector).await.is_err());
    std::fs::copy(new_certificate, cert_file).unwrap();
    std::fs::copy(new_key, key_file).unwrap();
    Clock.sleep(Duration::from_secs(61)).await;
    assert!(meet(&acceptor, &connector).await.is_ok());
}

#[tokio::test]
async fn a_broken_replacement_leaves_the_old_certificate_in_use() {
    let authority = Authority::new();
    let words = server_words(&authority);
    let certificate = words.cert_file.clone();
    let (acceptor, connector) = (acceptor(words), connector(client_words(&authority)));
    assert!(!acceptor.reload().unwrap());
    std::fs::write(&certificate, "half a file").unwrap();
    let error = acceptor.reload().unwrap_err().to_string();
    assert!(error.contains("localhost.pem holds no certificate"), "{error}");
    assert!(meet(&acceptor, &connector).await.is_ok());
}

#[tokio::test]
async fn a_client_trusts_a_new_authority_after_a_reload() {
    let (old, new) = (Authority::new(), Authority::new());
    let (acceptor, connector) = (acceptor(server_words(&new)), connector(client_words(&old)));
    assert!(meet(&acceptor, &connector).await.is_err());
    old.write("ca.pem", &std::fs::read_to_string(new.file()).unwrap());
    assert!(connector.reload().unwrap());
    assert!(meet(&acceptor, &connector).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_polling_task_ends_with_its_acceptor() {
    let authority = Authority::new();
    let scope = Scope::root("test");
    let reload_interval = Duration::from_secs(1).into();
    let words = ServerWords { reload_interval, ..server_words(&authority) };
    let acceptor = words.validate().unwrap().acceptor(Clock, &scope).unwrap();
    assert_eq!(scope.alive(), 1);
    drop(acceptor);
    assert!(scope.idle_by(Clock, Clock.now() + Duration::from_secs(1)).await);
}

#[tokio::test]
async fn start_errors_name_the_file() {
    let authority = Authority::new();
    let start = |words: ServerWords| {
        let started = words.validate().unwrap().acceptor(Clock, &Scope::root("test"));
        started.unwrap_err().to_string()
    };
    let missing = ServerWords { cert_file: "/no/such.pem".into(), ..server_words(&authority) };
    assert!(start(missing).contains("cannot read /no/such.pem"));
    let swapped = server_words(&authority);
    let swapped = ServerWords { key_file: swapped.cert_file.clone(), ..swapped };
    assert!(start(swapped).contains("localhost.pem holds no private key"));
    let (_, key_file) = authority.issue("other");
    let mixed = ServerWords { key_file, ..server_words(&authority) };
    assert!(start(mixed).contains("cannot be used together"));
}

#[test]
fn keys_without_effect_and_unknown_names_are_faults() {
    let authority = Authority::new();
    let words = ServerWords {
        ca_file: authority.file(),
        client_ca_file_reload: true,
        min_version: "1.4".into(),
        cipher_suites: vec!["TLS_RSA_WITH_RC4_128_SHA".into()],
        curve_preferences: vec!["P521".into()],
        ..ServerWords::default()
    };
    let found = faults(words);
    let keys = ["ca_file", "client_ca_file_reload", "min_version", "cipher_suites"];
    for key in keys.into_iter().chain(["curve_preferences", "cert_file", "key_file"]) {
        assert!(found.contains(&format!("path: \"{key}\"")), "{key} not in {found}");
    }
}

#[test]
fn a_client_certificate_without_its_key_is_a_fault() {
    let words = ClientWords { cert_file: "agent.pem".into(), ..ClientWords::default() };
    assert!(format!("{:?}", words.validate().unwrap_err()).contains("path: \"key_file\""));
}
