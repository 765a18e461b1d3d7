//! What another version wrote is refused, and stays as it is.

use bytes::Bytes;
use runtime::volume::simulated::{Crash, Simulated};

use crate::recovery::OpenError;
use crate::segment::{HEADER_BYTES, VERSION};
use crate::store::tests::world::{World, open, settings};

const FILE: &str = "00000001.segment";

/// The disk of a journal with two groups of records in one segment that was not closed.
fn disk() -> Simulated {
    let mut world = World::new(Simulated::new(1), settings());
    for _ in 0..2 {
        world.turn(vec![world.append(&Bytes::from_static(b"stream"), 10, 1)]);
    }
    world.disk
}

/// Opens `disk` with other contents in its segment, which must not change.
fn refused(disk: &Simulated, contents: &[u8]) -> OpenError {
    let disk = Simulated::after(&disk.moment(), Crash::Killed, 1);
    disk.put(FILE, contents);
    let error = open(&disk, settings()).map(drop).unwrap_err();
    assert!(disk.contents(FILE).is_some_and(|after| after == contents), "it is left as it was");
    error
}

#[test]
fn a_segment_of_another_version_is_refused_by_name_and_number() {
    let disk = disk();
    let mut contents = disk.contents(FILE).unwrap();
    let version = VERSION + 1;
    contents[8..12].copy_from_slice(&version.to_le_bytes());
    contents[48..52].copy_from_slice(&version.to_le_bytes());
    let checksum = crc32c::crc32c(&contents[..60]);
    contents[60..64].copy_from_slice(&checksum.to_le_bytes());
    let error = refused(&disk, &contents);
    assert!(matches!(error, OpenError::Version { version: 2, .. }), "{error:?}");
    let expected = "00000001.segment in simulated has version 2 of the format, this is version 1: it was written by another release";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_record_of_an_unknown_kind_is_refused_with_its_place() {
    let disk = disk();
    let mut contents = disk.contents(FILE).unwrap();
    let frame = HEADER_BYTES..HEADER_BYTES + crate::frame::HEADER_BYTES;
    let length = u32::from_le_bytes(contents[frame.start..frame.start + 4].try_into().unwrap());
    let end = frame.end + length as usize;
    contents[frame.start + 13] = 77;
    contents[frame.start + 4..frame.start + 8].fill(0);
    // As a later version would write it: with a checksum that is right.
    let mut covered = contents[16..24].to_vec();
    covered.extend_from_slice(&contents[12..16]);
    covered.extend_from_slice(&(frame.start as u32).to_le_bytes());
    covered.extend_from_slice(&contents[frame.start..end]);
    let checksum = crc32c::crc32c(&covered);
    contents[frame.start + 4..frame.start + 8].copy_from_slice(&checksum.to_le_bytes());
    let error = refused(&disk, &contents);
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("00000001.segment at 64: "), "{text}");
}
