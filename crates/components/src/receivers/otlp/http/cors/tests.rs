use http::Request;

use super::*;

fn cors(origins: &[&str], headers: &[&str]) -> Cors {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let exposed = vec!["X-Tenant".to_owned()];
    let rules = CorsRules {
        origins: owned(origins),
        headers: owned(headers),
        exposed,
        max_age_seconds: 60,
    };
    Cors::new(rules).unwrap()
}

fn preflight(origin: &str, headers: &str) -> Parts {
    let request = Request::options("/v1/traces")
        .header(ORIGIN, origin)
        .header(ACCESS_CONTROL_REQUEST_METHOD, "POST")
        .header(ACCESS_CONTROL_REQUEST_HEADERS, headers);
    request.body(()).unwrap().into_parts().0
}

fn is_allowed(cors: &Cors, origin: &str, headers: &str) -> bool {
    let answer = cors.preflight(&preflight(origin, headers)).unwrap();
    answer.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN)
}

#[test]
fn origins_match_exactly_or_around_one_wildcard() {
    let cors = cors(&["https://a.example", "https://*.b.example"], &[]);
    for (origin, expected) in [
        ("https://a.example", true),
        ("https://A.example", true),
        ("https://a.example.evil", false),
        ("https://x.b.example", true),
        ("https://x.y.b.example", true),
        ("https://b.example", false),
        ("http://a.example", false),
        ("null", false),
    ] {
        assert_eq!(is_allowed(&cors, origin, ""), expected, "{origin}");
    }
}

#[test]
fn headers_beyond_the_usual_must_be_named() {
    let named = cors(&["https://a.example"], &["X-Token"]);
    assert!(is_allowed(&named, "https://a.example", "content-type, x-token"));
    assert!(!is_allowed(&named, "https://a.example", "x-token, x-other"));
    assert!(is_allowed(&cors(&["*"], &["*"]), "https://any.example", "x-other"));
}

#[test]
fn a_preflight_answer_tells_all_that_is_allowed() {
    let cors = cors(&["https://a.example"], &["X-Token"]);
    let answer = cors.preflight(&preflight("https://a.example", "X-Token")).unwrap();
    for (name, value) in [
        ("access-control-allow-origin", "https://a.example"),
        ("access-control-allow-methods", "POST"),
        ("access-control-allow-headers", "X-Token"),
        ("access-control-allow-credentials", "true"),
        ("access-control-max-age", "60"),
    ] {
        assert_eq!(answer.get(name).unwrap(), value, "{name}");
    }
}

#[test]
fn other_requests_are_no_preflight_but_learn_whether_they_may_read_the_answer() {
    let cors = cors(&["https://a.example"], &[]);
    let request = Request::post("/v1/traces").header(ORIGIN, "https://a.example");
    let head = request.body(()).unwrap().into_parts().0;
    assert!(cors.preflight(&head).is_none());
    let headers = cors.headers(&head.headers);
    assert_eq!(headers.get("access-control-allow-origin").unwrap(), "https://a.example");
    assert_eq!(headers.get("access-control-expose-headers").unwrap(), "X-Tenant");
    let headers = cors.headers(&HeaderMap::new());
    assert!(!headers.contains_key("access-control-allow-origin"));
}
