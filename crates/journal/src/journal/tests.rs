use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use bytes::Bytes;
use runtime::volume::simulated::{Fault, Simulated};
use runtime::volume::{Directory, Permissions, Volume};

use super::{Hang, Journal, Opened, ToldOfTrouble, Trouble, open, open_watched};
use crate::AppendError;
use crate::reader::{Limits, Stored};
use crate::recovery::OpenError;
use crate::settings::Settings;
use crate::{Position, StreamId};

fn settings() -> Settings {
    Settings { segment_bytes: 4096, hangs_after: Duration::ZERO, ..Settings::sized(32 * 4096) }
}

fn directory(name: &str) -> Arc<dyn Volume> {
    let path: PathBuf =
        std::env::temp_dir().join(format!("tidegate-journal-{}", std::process::id()));
    let path = path.join(name);
    std::fs::remove_dir_all(&path).ok();
    Arc::new(Directory::open(path, Permissions::default()).unwrap())
}

fn append(
    journal: &Journal,
    stream: StreamId,
    body: &'static str,
) -> Result<Position, AppendError> {
    let (sender, answer) = mpsc::sync_channel(1);
    let body = vec![Bytes::from_static(body.as_bytes())];
    journal.append(stream, 2, body, move |result| sender.send(result).unwrap());
    answer.recv().unwrap()
}

fn read(journal: &Journal, stream: StreamId, after: Option<Position>) -> Vec<Stored> {
    let (sender, answer) = mpsc::sync_channel(1);
    let limits = Limits { records_max: 10, bytes_max: 1 << 20 };
    journal.read(stream, after, limits, move |result| sender.send(result).unwrap());
    answer.recv().unwrap().unwrap().records
}

fn forget(journal: &Journal, stream: StreamId, position: Position) {
    let (sender, answer) = mpsc::sync_channel(1);
    journal.forget_then(stream, vec![position..=position], move || sender.send(()).unwrap());
    answer.recv().unwrap();
}

#[test]
fn what_was_appended_is_read_back_after_reopening() {
    let path = std::env::temp_dir().join(format!("tidegate-reopen-{}", std::process::id()));
    std::fs::remove_dir_all(&path).ok();
    let volume = || Arc::new(Directory::open(&path, Permissions::default()).unwrap());
    let Opened { journal, streams, .. } = open(volume(), settings()).unwrap();
    assert_eq!(streams, []);
    let (one, two) = (journal.stream("one").unwrap(), journal.stream("two").unwrap());
    assert_eq!(journal.stream("one").unwrap(), one);
    for (stream, body) in [(one, "a"), (two, "b"), (one, "c"), (one, "d")] {
        append(&journal, stream, body).unwrap();
    }
    forget(&journal, one, Position(0));
    assert_eq!(read(&journal, one, None)[0].body, "c");
    journal.close();
    assert_eq!(append(&journal, one, "late"), Err(AppendError::Ended));
    let Opened { journal, streams, .. } = open(volume(), settings()).unwrap();
    let [first, second] = &streams[..] else { panic!("two streams: {streams:?}") };
    assert_eq!((&first.name[..], first.live_records, first.live_weight), (&b"one"[..], 2, 4));
    assert_eq!((first.first, second.live_records), (Some(Position(1)), 1));
    let bodies: Vec<_> =
        read(&journal, first.id, Some(Position(1))).into_iter().map(|one| one.body).collect();
    assert_eq!(bodies, ["d"]);
    assert_eq!(append(&journal, first.id, "e"), Ok(Position(3)));
    std::fs::remove_dir_all(&path).unwrap();
}

#[test]
fn a_second_owner_is_refused() {
    let volume = directory("locked");
    let opened = open(Arc::clone(&volume), settings()).unwrap();
    let path = volume.name();
    let other = Arc::new(Directory::open(path, Permissions::default()).unwrap());
    assert!(matches!(open(other, settings()), Err(OpenError::Locked { .. })));
    drop(opened);
}

#[test]
fn a_call_of_the_disk_that_hangs_is_reported_and_the_handle_never_waits() {
    let disk = Simulated::new(1);
    let (sender, told) = mpsc::channel();
    let sink: ToldOfTrouble = Arc::new(move |trouble| sender.send(trouble).unwrap_or_default());
    let opened = open_watched(Arc::new(disk.clone()), settings(), sink);
    let Opened { journal, .. } = opened.unwrap();
    let stream = journal.stream("one").unwrap();
    append(&journal, stream, "first").unwrap();
    // Whatever the threads do next hangs.
    for step in disk.steps()..disk.steps() + 20 {
        disk.fault_at(step, Fault::Hangs);
    }
    let (sender, answer) = mpsc::sync_channel(1);
    journal.append(stream, 1, vec![Bytes::from_static(b"x")], move |result| {
        sender.send(result).unwrap()
    });
    while journal.usage().hang.is_none() {
        std::thread::yield_now();
    }
    assert!(told.recv().unwrap().is_some(), "whoever asked is told");
    assert!(answer.try_recv().is_err());
    disk.heal();
    answer.recv().unwrap().unwrap();
    while told.recv().unwrap().is_some() {}
    journal.close();
}

#[test]
fn a_disk_that_hangs_while_a_journal_is_opened_is_reported() {
    let disk = Simulated::new(1);
    disk.fault_at(0, Fault::Hangs);
    let (sender, told) = mpsc::channel();
    let sink: ToldOfTrouble = Arc::new(move |trouble| sender.send(trouble).unwrap_or_default());
    let volume = Arc::new(disk.clone());
    let opening = std::thread::Builder::new();
    let opening = opening.spawn(move || open_watched(volume, settings(), sink)).unwrap();
    let hang = told.recv().unwrap();
    assert!(
        matches!(hang, Some(Trouble::Hang(Hang { call, .. })) if call.contains("sync")),
        "{hang:?}"
    );
    disk.heal();
    let opened = opening.join().unwrap().unwrap();
    assert_eq!(told.recv().unwrap(), None, "the disk goes on");
    opened.journal.close();
    drop(opened);
    assert!(told.recv().is_err(), "nothing is told of a journal that has ended");
}

#[test]
fn who_was_refused_for_lack_of_room_is_told_when_there_is_some() {
    let Opened { journal, .. } = open(Arc::new(Simulated::new(1)), settings()).unwrap();
    let stream = journal.stream("one").unwrap();
    let (sender, room) = mpsc::sync_channel(1);
    journal.on_room(move || sender.try_send(()).unwrap_or_default());
    let body: &'static str = Box::leak("x".repeat(3000).into_boxed_str());
    assert!(journal.has_room_for(3000));
    while append(&journal, stream, body).is_ok() {}
    while journal.has_room_for(3000) {
        std::thread::yield_now();
    }
    assert!(room.try_recv().is_err());
    journal.forget(stream, vec![Position(0)..=Position(1000)]);
    room.recv().unwrap();
    assert!(journal.has_room_for(3000));
    append(&journal, stream, body).unwrap();
    journal.close();
}

#[test]
fn a_disk_without_room_is_reported_with_what_it_lacks_until_there_is_some() {
    let disk = Simulated::new(1);
    disk.set_bytes_max(2 * 4096);
    let (sender, told) = mpsc::channel();
    let sink: ToldOfTrouble = Arc::new(move |trouble| sender.send(trouble).unwrap_or_default());
    let patient = Settings { hangs_after: Duration::from_secs(20), ..settings() };
    let opened = open_watched(Arc::new(disk.clone()), patient, sink).unwrap();
    let lack = told.recv().unwrap();
    assert_eq!(lack, Some(Trouble::Lack { bytes: 4096 }), "though nobody was refused yet");
    assert_eq!(opened.journal.usage().lacks_bytes, 4096);
    assert!(lack.unwrap().of("the disk").contains("4096 bytes more"));
    disk.set_bytes_max(u64::MAX);
    assert_eq!(told.recv().unwrap(), None);
    let stream = opened.journal.stream("one").unwrap();
    append(&opened.journal, stream, "first").unwrap();
    opened.journal.close();
}
