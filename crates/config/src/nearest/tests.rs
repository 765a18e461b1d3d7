use super::*;

fn check(name: &str, candidates: &[&str], expected: Option<&str>) {
    assert_eq!(nearest(name, candidates.iter().copied()), expected, "{name}");
}

#[test]
fn finds_the_name_that_was_meant() {
    let known = &["endpoint", "timeout", "compression", "sending_queue", "tls"];
    check("endpont", known, Some("endpoint"));
    check("enpdoint", known, Some("endpoint"));
    check("time_out", known, Some("timeout"));
    check("sendingQueue", known, Some("sending_queue"));
    check("TLS", known, Some("tls"));
    check("tl", known, Some("tls"));
}

#[test]
fn stays_silent_when_nothing_is_near() {
    check("headers", &["endpoint", "timeout"], None);
    check("", &["endpoint"], None);
    check("x", &[], None);
}

#[test]
fn lists_what_is_known_when_nothing_is_near() {
    assert_eq!(remedy("kafka", &["otlp", "nop"]).as_deref(), Some("known are `otlp`, `nop`"));
    assert_eq!(remedy("oltp", &["otlp", "nop"]).as_deref(), Some("did you mean `otlp`?"));
    assert_eq!(remedy("kafka", &[]), None);
}
