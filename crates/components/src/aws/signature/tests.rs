//! The first two vectors are those of AWS's published test suite; all were computed anew with
//! botocore 1.43.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::*;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

struct Vector {
    request: (&'static str, &'static str),
    headers: &'static [(&'static str, &'static str)],
    body: &'static [u8],
    place: (&'static str, &'static str),
    signature: &'static str,
}

fn check(vector: &Vector) {
    let mut headers = HeaderMap::new();
    for (name, value) in vector.headers {
        headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let names = headers.keys().map(HeaderName::as_str).collect::<Vec<_>>();
    let canonical = Canonical::new(vector.request, &headers, names, &hash(vector.body));
    let (region, service) = vector.place;
    let scope = CredentialScope { stamp: "20150830T123600Z", region, service };
    assert_eq!(canonical.signature(SECRET, scope), vector.signature, "{:?}", vector.request);
}

#[test]
fn signs_as_the_published_vectors_say() {
    let plain: &[_] = &[("host", "example.amazonaws.com"), ("x-amz-date", "20150830T123600Z")];
    let place = ("us-east-1", "service");
    let vector =
        |request, signature| Vector { request, headers: plain, body: b"", place, signature };
    check(&vector(
        ("GET", "/"),
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ));
    check(&vector(
        ("POST", "/"),
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ));
    check(&vector(
        ("GET", "/?Param2=value2&Param1=value1&Param1=value0"),
        "b54c315622c89a0cb5ebfd58de43e852f7a996f371c85b2cf101d993cc1a119f",
    ));
    check(&vector(
        ("GET", "/a%20b/./c/../d/"),
        "3fc400a122edf6b976fb1ee29d19dbdaf3e3f7ad304f83f22fa363dab5da94f2",
    ));
}

#[test]
fn signs_bodies_tokens_and_headers_with_many_blanks() {
    check(&Vector {
        request: ("POST", "/"),
        headers: &[
            ("content-type", "application/x-www-form-urlencoded"),
            ("host", "example.amazonaws.com"),
            ("x-amz-date", "20150830T123600Z"),
        ],
        body: b"Param1=value1",
        place: ("us-east-1", "service"),
        signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    });
    check(&Vector {
        request: ("POST", "/"),
        headers: &[
            ("x-amz-target", "Logs_20140328.PutLogEvents"),
            ("content-type", "application/x-amz-json-1.1"),
            ("content-encoding", "gzip"),
            ("my-header", "  a   b  c "),
            ("host", "127.0.0.1:4599"),
            ("x-amz-date", "20150830T123600Z"),
            ("x-amz-security-token", "TOKEN/+="),
        ],
        body: br#"{"logGroupName":"g"}"#,
        place: ("eu-central-1", "logs"),
        signature: "3e8130da902c2fc2a16a374d8c5adb10c7d8fa8290133c83ef8abc1fce934da9",
    });
}

#[test]
fn the_authorization_names_the_key_its_scope_and_the_signed_headers() {
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("example.amazonaws.com"));
    headers.insert("x-amz-date", HeaderValue::from_static("20150830T123600Z"));
    let canonical = Canonical::new(("GET", "/"), &headers, ["x-amz-date", "host"], &hash(b""));
    let scope =
        CredentialScope { stamp: "20150830T123600Z", region: "us-east-1", service: "service" };
    assert_eq!(
        canonical.authorization(("AKIDEXAMPLE", SECRET), scope),
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
         SignedHeaders=host;x-amz-date, \
         Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    );
}
