use std::time::{Duration, UNIX_EPOCH};

use delivery::Target;
use delivery::entry::{Owner, stream_name};
use pipeline::{Code, Metadata, Status};
use wire::{Payload, Signal};

use super::*;

#[test]
fn an_entry_is_shown_with_its_request_and_why_it_was_refused() {
    let text =
        br#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"hi"}}]}]}]}"#;
    let encoded = wire::json::to_protobuf(Signal::Logs, text).unwrap();
    let metadata = [("tenant".to_owned(), "a".to_owned())].into_iter().collect::<Metadata>();
    let entry = Entry {
        stored_at: UNIX_EPOCH + Duration::from_millis(1234),
        metadata: metadata.clone(),
        contributors: vec![Owner { items: 1, trace: None }],
        payload: Payload::parse(Signal::Logs, encoded.into()).unwrap(),
        refused: Some(Status::new(Code::InvalidArgument, "no such field")),
    };
    let stream = stream_name(Signal::Logs, &metadata, &Target::new(["group"], []));
    let shown = decode(&stream, &entry.encode().concat()).unwrap();
    assert_eq!(shown["signal"], "logs");
    assert_eq!(shown["stored_at_unix_ms"], 1234);
    assert_eq!(shown["metadata"]["tenant"], json!(["a"]));
    assert_eq!(shown["target"], "group");
    assert_eq!(shown["refused"], "InvalidArgument: no such field");
    let record = &shown["request"]["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0];
    assert_eq!(record["body"]["stringValue"], "hi");
}

#[test]
fn what_is_no_entry_is_left_to_others() {
    assert_eq!(decode(b"offsets", b"anything"), None);
}
