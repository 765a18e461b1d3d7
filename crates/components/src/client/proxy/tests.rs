use super::*;

fn proxied(exempt: &str, host: &str) -> bool {
    let variables = ProxyVariables {
        http: String::new(),
        https: "http://user:pass%20word@proxy:3128".into(),
        exempt: exempt.into(),
    };
    let host = Endpoint::grpc(host).unwrap().host;
    assert_eq!(Proxy::from_variables(&variables, false, &host), Ok(None));
    Proxy::from_variables(&variables, true, &host).unwrap().is_some()
}

#[test]
fn no_proxy_exempts_names_suffixes_addresses_networks_and_ports() {
    for (exempt, host, expected) in [
        ("", "gate.example:4317", true),
        ("", "localhost:4317", false),
        ("", "127.0.0.9:4317", false),
        ("", "[::1]:4317", false),
        ("*", "gate.example:4317", false),
        ("other, example", "gate.example:4317", false),
        (".example", "gate.example:4317", false),
        (".gate.example", "gate.example:4317", true),
        ("*.example", "gate.example:4317", false),
        ("ample", "gate.example:4317", true),
        ("Gate.Example:4317", "gate.example:4317", false),
        ("gate.example:4318", "gate.example:4317", true),
        ("10.0.0.0/8", "10.1.2.3:4317", false),
        ("10.0.0.0/8", "11.1.2.3:4317", true),
        ("10.0.0.0/99", "10.1.2.3:4317", true),
        ("fd00::/8", "[fd00::1]:4317", false),
        ("10.1.2.3", "10.1.2.3:4317", false),
        ("", "unix:/run/gate.sock", false),
    ] {
        assert_eq!(proxied(exempt, host), expected, "{exempt} and {host}");
    }
}

#[test]
fn user_and_password_become_an_authorization() {
    let proxy = Proxy::parse("http://user:pass%20word@proxy:3128").unwrap();
    assert_eq!(proxy.host, Host::Name("proxy".into(), 3128));
    assert_eq!(proxy.authorization.as_deref(), Some("Basic dXNlcjpwYXNzIHdvcmQ="));
    assert!(Proxy::parse("https://proxy:3128").is_err());
    assert_eq!(Proxy::parse("proxy:3128").unwrap().authorization, None);
}

async fn tunnel(answer: &[u8]) -> (io::Result<()>, String) {
    let (mut near, mut far) = tokio::io::duplex(64 << 10);
    far.write_all(answer).await.unwrap();
    let proxy = Proxy::parse("proxy:3128").unwrap();
    let done = proxy.tunnel(&Host::Name("gate".into(), 4317), &mut near).await;
    drop(near);
    let mut asked = String::new();
    far.read_to_string(&mut asked).await.unwrap();
    (done, asked)
}

#[tokio::test]
async fn a_tunnel_is_asked_for_and_refusals_are_told() {
    let (done, asked) = tunnel(b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n").await;
    done.unwrap();
    assert_eq!(asked, "CONNECT gate:4317 HTTP/1.1\r\nHost: gate:4317\r\n\r\n");
    let (done, _) = tunnel(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await;
    assert!(done.unwrap_err().to_string().contains("407 Proxy Authentication Required"));
    let (done, _) = tunnel(&vec![b'a'; HEAD_BYTES_MAX + 1]).await;
    assert!(done.unwrap_err().to_string().contains("no end"));
}
