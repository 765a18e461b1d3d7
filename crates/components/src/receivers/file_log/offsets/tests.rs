use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use runtime::channel::{self, Ends};
use runtime::volume::simulated::{Fault, Simulated};

use super::record::{decode, encode};
use super::{Keeping, Offsets, OffsetsError, health_of};
use crate::receivers::file_log::identity::{Anchor, Identity, Position, Stamp};
use crate::receivers::file_log::tracker::Record;
use crate::testing::environment;

const KEEPING: Keeping = Keeping { is_synced: true, folder_permissions: 0o700 };

fn position(offset: u64) -> Position {
    Position { offset, anchor: Anchor { end: offset, len: 5, hash: 9 } }
}

fn record(inode: u64, offset: u64) -> Record {
    Record {
        is_whole: inode.is_multiple_of(2),
        identity: Identity { stamp: Stamp::new(1, inode, 7), handle: Some([1, 2, 3].into()) },
        path: Path::new("/var/log/a b.log").into(),
        position: position(offset),
        copies: (0..inode % 3).map(|copy| position(offset ^ copy)).collect(),
    }
}

fn open(folder: &Path) -> Result<Offsets, OffsetsError> {
    Offsets::open(folder, KEEPING, Arc::new(|_| {}))
}

async fn save(offsets: &mut Offsets, records: Vec<Record>) {
    let (sender, mut saved) = channel::once(Ends { from: "journal", to: "test" });
    offsets.save(records, |saved| drop(sender.send(saved)));
    assert_eq!(offsets.saved(&saved.recv().await.unwrap()), None);
}

#[tokio::test]
async fn the_newest_position_of_each_file_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er");
    let mut offsets = open(&path).unwrap();
    assert!(offsets.load().await.unwrap().is_empty());
    save(&mut offsets, vec![record(1, 10), record(2, 20), record(3, 30)]).await;
    save(&mut offsets, vec![record(1, 11)]).await;
    offsets.forget(&record(3, 0).identity);
    offsets.close();
    for _ in 0..2 {
        let mut offsets = open(&path).unwrap();
        let mut records = offsets.load().await.unwrap();
        records.sort_by_key(|record| record.identity.stamp.inode);
        assert_eq!(records, [record(1, 11), record(2, 20)]);
        offsets.close();
    }
}

#[tokio::test]
async fn two_owners_at_a_time_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let offsets = open(folder.path()).unwrap();
    let other = open(folder.path());
    assert!(other.as_ref().is_err_and(OffsetsError::is_locked), "{other:?}");
    offsets.close();
    open(folder.path()).unwrap().close();
}

#[tokio::test]
async fn a_disk_of_positions_that_hangs_is_a_trouble_of_its_receiver_until_it_goes_on() {
    let (env, disk) = (environment("file_log", None), Simulated::new(1));
    let settings =
        journal::Settings { hangs_after: Duration::ZERO, ..journal::Settings::sized(1 << 20) };
    let volume = Arc::new(disk.clone());
    let mut offsets = Offsets::open_on(volume, settings, health_of(&env)).unwrap();
    save(&mut offsets, vec![record(1, 10)]).await;
    for step in disk.steps()..disk.steps() + 100 {
        disk.fault_at(step, Fault::Hangs);
    }
    let (sender, mut saved) = channel::once(Ends { from: "journal", to: "test" });
    offsets.save(vec![record(1, 20)], |saved| drop(sender.send(saved)));
    let trouble = loop {
        if let Some(trouble) = env.health.troubles().pop() {
            break trouble;
        }
        tokio::task::yield_now().await;
    };
    let expected = "receiver `file_log`: the disk of its positions hangs: a ";
    assert!(trouble.starts_with(expected), "{trouble}");
    disk.heal();
    assert_eq!(offsets.saved(&saved.recv().await.unwrap()), None);
    while !env.health.troubles().is_empty() {
        tokio::task::yield_now().await;
    }
    offsets.close();
}

#[test]
fn what_is_stored_reads_back_and_nothing_else_does() {
    let mut without_handle = record(1, u64::MAX);
    without_handle.identity.handle = None;
    for record in [record(1, 2), without_handle] {
        let encoded = encode(&record);
        assert_eq!(decode(&encoded), Some(record.clone()));
        for end in 0..encoded.len() {
            assert_eq!(decode(&encoded[..end]), None, "torn at {end}");
        }
        assert_eq!(decode(&[&encoded[..], &[0]].concat()), None);
        assert_eq!(decode(&[&[4], &encoded[1..]].concat()), None, "another version");
        // Versions 1 and 2 end before the copies.
        let end = encoded.len() - 8 - 32 * record.copies.len();
        let second = decode(&[&[2], &encoded[1..end]].concat());
        assert_eq!(second, Some(Record { copies: Vec::new(), ..record.clone() }));
        let first = decode(&[&[1], &encoded[2..end]].concat());
        assert_eq!(first, Some(Record { is_whole: false, copies: Vec::new(), ..record }));
    }
}
