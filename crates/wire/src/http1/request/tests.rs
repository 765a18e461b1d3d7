use super::*;

fn read(text: &str) -> Result<Head, Fault> {
    let read = Heads::new(16 << 10).read(text.as_bytes())?;
    let (head, bytes) = read.expect("the head is complete");
    assert_eq!(bytes, text.len());
    Ok(head)
}

/// A request to `/` with these headers.
fn with(version: &str, headers: &[&str]) -> Result<Head, Fault> {
    read(&format!("POST / HTTP/{version}\r\n{}\r\n\r\n", headers.join("\r\n")))
}

#[test]
fn a_head_is_what_the_client_said() {
    let text = "POST /v1/logs?x=1 HTTP/1.1\r\nHost: a:4318\r\nX-Two: one\r\nx-two:  two \r\n\r\n";
    let head = read(text).unwrap();
    assert_eq!(head.parts.method, Method::POST);
    assert_eq!(head.parts.uri.path(), "/v1/logs");
    assert_eq!(head.parts.version, Version::HTTP_11);
    assert_eq!(head.parts.headers["host"], "a:4318");
    let values: Vec<_> = head.parts.headers.get_all("x-two").iter().collect();
    assert_eq!(values, ["one", "two"]);
    assert_eq!(
        (head.body, head.is_persistent, head.expects_continue),
        (Framing::Sized(0), true, false)
    );
}

#[test]
fn targets_come_in_every_form() {
    for (target, path) in
        [("http://host/v1/logs", "/v1/logs"), ("*", "*"), ("host:80", ""), ("/a/../b", "/a/../b")]
    {
        let head = read(&format!("OPTIONS {target} HTTP/1.1\r\nhost: x\r\n\r\n")).unwrap();
        assert_eq!(head.parts.uri.path(), path);
    }
}

#[test]
fn a_body_ends_in_one_way_or_is_refused() {
    use Fault::{Malformed, UnknownCoding};
    for (headers, framing) in [
        (vec![], Ok(Framing::Sized(0))),
        (vec!["content-length: 12"], Ok(Framing::Sized(12))),
        (vec!["content-length: 12", "Content-Length: 12"], Ok(Framing::Sized(12))),
        (vec!["transfer-encoding: chunked"], Ok(Framing::Chunked)),
        (vec!["Transfer-Encoding:\tCHUNKED "], Ok(Framing::Chunked)),
        (vec!["content-length: 12", "content-length: 13"], Err(Malformed)),
        (vec!["content-length: 12, 12"], Err(Malformed)),
        (vec!["content-length: +12"], Err(Malformed)),
        (vec!["content-length: -1"], Err(Malformed)),
        (vec!["content-length: 0x10"], Err(Malformed)),
        (vec!["content-length:"], Err(Malformed)),
        (vec!["content-length: 99999999999999999999"], Err(Malformed)),
        (vec!["content-length : 12"], Err(Malformed)),
        (vec!["content-length: 12", "transfer-encoding: chunked"], Err(Malformed)),
        (vec!["transfer-encoding: chunked", "content-length: 12"], Err(Malformed)),
        (vec!["transfer-encoding: gzip, chunked"], Err(UnknownCoding)),
        (vec!["transfer-encoding: chunked, chunked"], Err(UnknownCoding)),
        (vec!["transfer-encoding: chunked", "transfer-encoding: chunked"], Err(UnknownCoding)),
        (vec!["transfer-encoding: identity"], Err(UnknownCoding)),
        (vec!["transfer-encoding: xchunked"], Err(UnknownCoding)),
        (vec!["transfer-encoding: \x0bchunked"], Err(Malformed)),
        (vec!["transfer-encoding:"], Err(UnknownCoding)),
        (vec!["transfer-encoding", ": chunked"], Err(Malformed)),
        (vec!["transfer-encoding: x", " chunked"], Err(Malformed)),
    ] {
        let headers = [vec!["host: x"], headers].concat();
        assert_eq!(with("1.1", &headers).map(|head| head.body), framing, "{headers:?}");
    }
    let old = with("1.0", &["transfer-encoding: chunked"]);
    assert_eq!(old.map(|head| head.body), Err(Malformed));
}

#[test]
fn a_connection_is_kept_unless_the_client_says_otherwise() {
    for (version, header, is_persistent) in [
        ("1.1", "x: y", true),
        ("1.1", "connection: close", false),
        ("1.1", "Connection: x ,Close", false),
        ("1.1", "connection: closed", true),
        ("1.0", "x: y", false),
        ("1.0", "connection: Keep-Alive", true),
        ("1.0", "connection: keep-alive, close", false),
    ] {
        let head = with(version, &["host: x", header]).unwrap();
        assert_eq!(head.is_persistent, is_persistent, "{version} {header}");
    }
}

#[test]
fn only_new_clients_may_wait_to_be_told_to_go_on() {
    for (version, header, expects) in [
        ("1.1", "expect: 100-Continue", true),
        ("1.1", "expect: something", false),
        ("1.0", "expect: 100-continue", false),
    ] {
        assert_eq!(with(version, &["host: x", header]).unwrap().expects_continue, expects);
    }
}

#[test]
fn a_host_is_named_once() {
    assert!(with("1.0", &["x: y"]).is_ok());
    for headers in [["x: y", "z: y"], ["host: x", "host: x"]] {
        assert_eq!(with("1.1", &headers).map(drop), Err(Fault::Malformed));
    }
}

#[test]
fn other_versions_and_other_protocols_are_refused() {
    for line in ["GET / HTTP/2.0", "GET / HTTP/0.9", "GET / HTTP/1.2", "GET /", "GET  / HTTP/1.1"] {
        assert_eq!(
            read(&format!("{line}\r\nhost: x\r\n\r\n")).map(drop),
            Err(Fault::Malformed),
            "{line}"
        );
    }
    assert_eq!(Heads::new(1_000).read(b"\x16\x03\x01\x02").map(drop), Err(Fault::Malformed));
    assert!(Heads::new(1_000).read(b"GET / HT").unwrap().is_none());
}

#[test]
fn a_hundred_headers_are_enough() {
    let headers =
        |count: usize| -> Vec<String> { (1..count).map(|at| format!("x-{at}: y")).collect() };
    for (count, is_fit) in [(HEADERS_MAX, true), (HEADERS_MAX + 1, false)] {
        let text = format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n\r\n", headers(count).join("\r\n"));
        assert_eq!(read(&text).map(drop), if is_fit { Ok(()) } else { Err(Fault::TooLarge) });
    }
}
