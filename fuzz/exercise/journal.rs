//! What must hold for every segment file; the fuzzer and the corpus test share it.

use std::sync::Arc;

use journal::inspect::{UNFINISHED, inspect};
use journal::repair::repair;
use journal::{OpenError, Settings};
use runtime::volume::Volume;
use runtime::volume::simulated::Simulated;

/// The only segment of a journal is opened, looked through and repaired; nothing panics, and what was
/// repaired is whole. An odd first byte has the checksums made right, so that what is behind them is
/// reached, too.
pub(crate) fn segment(input: &[u8]) {
    let Some((mode, contents)) = input.split_first() else { return };
    let contents = if mode & 1 == 1 { mended(contents) } else { contents.to_vec() };
    let disk = || {
        let disk = Simulated::new(1);
        disk.put("00000001.segment", &contents);
        Arc::new(disk)
    };
    look(disk());
    if mode & 2 == 2
        && let Ok(opened) = journal::open(disk(), Settings::sized(1 << 20))
    {
        opened.journal.close();
    }
    let disk = disk();
    if repair(Arc::clone(&disk) as Arc<dyn Volume>, |_| {}).is_ok() {
        let inspection = inspect(disk).expect("what was repaired can be looked into");
        let problems = inspection.verify(|_| {}).expect("it can be read");
        assert!(problems.iter().all(|problem| problem.what == UNFINISHED), "{problems:?}");
        assert_eq!(inspection.missing, [], "it would not open");
    }
}

fn look(disk: Arc<Simulated>) {
    let inspection = match inspect(disk) {
        Ok(inspection) => inspection,
        Err(OpenError::Version { .. } | OpenError::Foreign { .. }) => return,
        Err(error) => panic!("a disk that does not fail: {error}"),
    };
    inspection.verify(|_| {}).expect("it can be read");
    for stream in &inspection.streams {
        let mut records = 0;
        inspection.records(stream.id, |_| {
            records += 1;
            records < 1000
        });
    }
}

/// The same file with the checksums that it should have, as far as its lengths make sense.
fn mended(contents: &[u8]) -> Vec<u8> {
    let mut bytes = contents.to_vec();
    if bytes.len() < 64 {
        return bytes;
    }
    let checksum = crc32c::crc32c(&bytes[..60]);
    bytes[60..64].copy_from_slice(&checksum.to_le_bytes());
    let end = bytes.len() - if 96 <= bytes.len() { mend_trailer(&mut bytes) } else { 0 };
    let mut at = 64;
    while at + 16 <= end {
        let length = u32::from_le_bytes([0, 1, 2, 3].map(|byte| bytes[at + byte])) as usize;
        let Some(next) = (at + 16).checked_add(length).filter(|next| 0 < length && *next <= end)
        else {
            break;
        };
        let mut seed = bytes[16..24].to_vec();
        seed.extend(1u32.to_le_bytes());
        seed.extend((at as u32).to_le_bytes());
        seed.extend(&bytes[at..at + 4]);
        seed.extend([0; 4]);
        seed.extend(&bytes[at + 8..at + 16]);
        let checksum = crc32c::crc32c_append(crc32c::crc32c(&seed), &bytes[at + 16..next]);
        bytes[at + 4..at + 8].copy_from_slice(&checksum.to_le_bytes());
        at = next.next_multiple_of(8);
    }
    bytes
}

fn mend_trailer(bytes: &mut [u8]) -> usize {
    let start = bytes.len() - 32;
    if &bytes[start..start + 8] != b"TIDEFOOT" {
        return 0;
    }
    let checksum = crc32c::crc32c(&bytes[start..start + 28]);
    bytes[start + 28..].copy_from_slice(&checksum.to_le_bytes());
    32
}
