use proptest::prelude::*;

use super::Record;
use crate::frame::Kind;
use crate::{Position, StreamId};

fn check(record: &Record<'_>) {
    let bytes = record.encoded();
    assert_eq!(Record::decode(record.kind(), &bytes).as_ref(), Some(record));
}

proptest! {
    #[test]
    fn comes_back(stream: u32, segment: u32, position: u64, weight: u32, name: Vec<u8>, gaps: Vec<(u8, u16)>) {
        let (stream, position) = (StreamId(stream >> 1), Position(position >> 2));
        check(&Record::Data { stream, position, weight });
        check(&Record::Declare { stream, next: position, name: &name });
        check(&Record::Undeclare { stream, segment });
        let mut last = 0;
        let ranges = gaps.into_iter().map(|(gap, length)| {
            let start = last + u64::from(gap);
            last = start + u64::from(length);
            start..last
        });
        check(&Record::Forget { stream, segment, ranges: ranges.collect() });
    }

    #[test]
    fn arbitrary_bytes_are_refused_or_read(bytes: Vec<u8>, kind in 0u8..6) {
        let record = Kind::of(kind).and_then(|kind| Record::decode(kind, &bytes));
        if let Some(Record::Forget { ranges, .. }) = record {
            prop_assert!(ranges.len() <= bytes.len());
        }
    }
}
