use proptest::prelude::*;

use super::{Address, AddressError};

fn check(text: &str, expected: Result<Address, AddressError>) {
    assert_eq!(expected, text.parse(), "{text}");
}

fn tcp(host: &str, port: u16) -> Result<Address, AddressError> {
    Ok(Address::Tcp { host: host.to_owned(), port })
}

#[test]
fn reads_hosts_and_ports() {
    check("localhost:4317", tcp("localhost", 4317));
    check("0.0.0.0:0", tcp("0.0.0.0", 0));
    check(":4317", tcp("", 4317));
    check("[::1]:4317", tcp("::1", 4317));
    check("[::]:65535", tcp("::", 65535));
}

#[test]
fn reads_unix_paths() {
    check("unix:///run/otlp.sock", Ok(Address::Unix("/run/otlp.sock".into())));
    check("unix:run/otlp.sock", Ok(Address::Unix("run/otlp.sock".into())));
    check("unix:/run/otlp.sock", Ok(Address::Unix("/run/otlp.sock".into())));
    check("unix://", Err(AddressError::NoPath { text: "unix://".to_owned() }));
}

#[test]
fn says_what_is_wrong() {
    let text = |text: &str| text.to_owned();
    check("localhost", Err(AddressError::NoPort { text: text("localhost") }));
    check("[::1]", Err(AddressError::NoPort { text: text("[::1]") }));
    check("::1:4317", Err(AddressError::BareIpv6 { text: text("::1:4317") }));
    check("[::1:4317", Err(AddressError::BadBrackets { text: text("[::1:4317") }));
    check("[host]:1", Err(AddressError::BadBrackets { text: text("[host]:1") }));
    check("http://x:1", Err(AddressError::BareIpv6 { text: text("http://x:1") }));
    check("a b:1", Err(AddressError::BadHost { text: text("a b:1") }));
    for port in ["", "65536", "-1", "+1", "http"] {
        let bad = format!("host:{port}");
        check(&bad, Err(AddressError::BadPort { text: bad.clone(), port: text(port) }));
    }
}

#[test]
fn knows_which_addresses_stay_on_this_machine() {
    let is_local = |text: &str| text.parse::<Address>().unwrap().is_local();
    let local = ["localhost:1", "LOCALHOST:1", "127.0.0.2:1", "[::1]:1", "unix:x"];
    assert!(local.into_iter().all(is_local));
    assert!(
        ![":1", "0.0.0.0:1", "[::]:1", "10.0.0.1:1", "example.com:1"].into_iter().any(is_local)
    );
}

proptest! {
    #[test]
    fn what_is_printed_reads_the_same(text in "(unix:(//)?)?[a-z0-9:./\\[\\]]{0,12}(:[0-9]{1,5})?") {
        if let Ok(address) = text.parse::<Address>() {
            prop_assert_eq!(Ok(address.clone()), address.to_string().parse());
        }
    }
}
