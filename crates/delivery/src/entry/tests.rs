use proptest::prelude::*;

use super::*;

/// An OTLP logs request of one record with a body of `text`.
fn logs(text: &str) -> Payload {
    let message = |field: u8, content: &[u8]| {
        let mut bytes = vec![field << 3 | 2];
        let mut writer = Writer::default();
        writer.number(content.len() as u64);
        bytes.extend(writer.0);
        bytes.extend_from_slice(content);
        bytes
    };
    let record = message(2, &message(5, &message(1, text.as_bytes())));
    let request = message(1, &message(2, &record));
    Payload::parse(Signal::Logs, request.into()).unwrap()
}

fn entry(refused: Option<Status>) -> Entry {
    let metadata = [("tenant", "a"), ("tenant", "b"), ("zone", "1")];
    let metadata = metadata.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let trace = SpanContext { trace_id: [1; 16], span_id: [2; 8], flags: 1 };
    let payload = Payload::merge([logs("one"), logs("two"), logs("three")]).unwrap();
    let contributors =
        vec![Owner { items: 2, trace: Some(trace) }, Owner { items: 1, trace: None }];
    let stored_at = UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
    Entry { stored_at, metadata: metadata.into_iter().collect(), contributors, payload, refused }
}

fn joined(entry: &Entry) -> Bytes {
    entry.encode().concat().into()
}

#[test]
fn an_entry_comes_back_as_it_was() {
    let refusal = Status { http: Some(400), ..Status::new(Code::InvalidArgument, "no such field") };
    for refused in [None, Some(refusal)] {
        let stored = entry(refused);
        let read = Entry::decode(joined(&stored)).unwrap();
        assert_eq!(read.payload.to_bytes(), stored.payload.to_bytes());
        assert_eq!(read.contributors, stored.contributors);
        assert_eq!(read.metadata, stored.metadata);
        assert_eq!(read.stored_at, stored.stored_at);
        assert_eq!(read.refused, stored.refused);
    }
}

#[test]
fn the_request_is_not_copied_to_be_written() {
    let stored = entry(None);
    let pieces = stored.encode();
    for (piece, segment) in pieces[1..].iter().zip(stored.payload.segments()) {
        assert_eq!(piece.as_ptr(), segment.as_ptr());
    }
}

#[test]
fn what_is_no_entry_is_refused_with_its_reason() {
    let whole = joined(&entry(None));
    let decode = |bytes: Bytes| Entry::decode(bytes).unwrap_err();
    assert_eq!(decode(Bytes::from_static(&[77])), NoEntry::Version(77));
    assert_eq!(decode(Bytes::new()), NoEntry::Head);
    assert_eq!(decode(whole.slice(..20)), NoEntry::Head);
    assert!(matches!(decode(whole.slice(..whole.len() - 1)), NoEntry::Payload(_)));
    let mut fewer = entry(None);
    fewer.contributors.pop();
    assert_eq!(decode(joined(&fewer)), NoEntry::Items { items: 3, expected: 2 });
}

#[test]
fn a_stream_is_named_by_its_lane() {
    let metadata = entry(None).metadata;
    let target = Target::new(["group", "stream"], [Scope::new("credential")]);
    for signal in Signal::ALL {
        for target in [Target::default(), target.clone()] {
            let name = stream_name(signal, &metadata, &target);
            assert_eq!(lane_of_stream(&name), Ok((signal, metadata.clone(), target)));
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        Entry::decode(bytes.clone().into()).ok();
        lane_of_stream(&bytes.into()).ok();
    }
}
