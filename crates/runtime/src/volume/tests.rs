use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;

use bytes::Bytes;

use super::simulated::{Crash, Fault, Simulated};
use super::{Access, Directory, Permissions, Volume, Watched};
use std::sync::Arc;
use std::time::Duration;

fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("tidegate-volume-{}-{name}", std::process::id()));
    std::fs::remove_dir_all(&path).ok();
    path
}

fn slices(text: &'static str) -> Vec<Bytes> {
    text.as_bytes().chunks(3).map(Bytes::from_static).collect()
}

#[test]
fn files_and_directories_are_closed_to_others() {
    let path = folder("permissions").join("below");
    let directory = Directory::open(&path, Permissions::default()).unwrap();
    directory.create("one", 4096).unwrap();
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(path.clone()), mode(path.join("one"))), (0o700, 0o600));
    assert_eq!(std::fs::metadata(path.join("one")).unwrap().size(), 4096);
}

#[test]
fn symbolic_links_are_not_followed() {
    let path = folder("links");
    let directory = Directory::open(path.join("real"), Permissions::default()).unwrap();
    std::fs::write(path.join("outside"), "secret").unwrap();
    symlink(path.join("outside"), path.join("real/inside")).unwrap();
    assert!(directory.open("inside", Access::Read).is_err());
    assert_eq!(directory.create("inside", 1).unwrap_err().kind(), ErrorKind::AlreadyExists);
    // It is told, so that nobody takes what should stand there for missing.
    let names: Vec<_> = directory.list().unwrap().into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, ["inside"]);
    symlink(path.join("real"), path.join("link")).unwrap();
    assert!(Directory::open(path.join("link"), Permissions::default()).is_err());
}

#[test]
fn only_one_holds_the_lock() {
    let path = folder("lock");
    let one = Directory::open(&path, Permissions::default()).unwrap();
    let other = Directory::open(&path, Permissions::default()).unwrap();
    assert!(one.lock().unwrap());
    assert!(!other.lock().unwrap());
    drop(one);
    assert!(other.lock().unwrap());
}

#[test]
fn the_real_and_the_simulated_volume_do_the_same() {
    let real = Directory::open(folder("same"), Permissions::default()).unwrap();
    for volume in [&real as &dyn Volume, &Simulated::new(1)] {
        let file = volume.create("spare", 16).unwrap();
        file.write_at(&slices("hello world"), 2).unwrap();
        let mut read = [0; 16];
        file.read_at(&mut read, 0).unwrap();
        assert_eq!(&read, b"\0\0hello world\0\0\0");
        assert_eq!(file.read_at(&mut read, 1).unwrap_err().kind(), ErrorKind::UnexpectedEof);
        volume.rename("spare", "one").unwrap();
        file.resize(7).unwrap();
        file.sync().unwrap();
        volume.sync().unwrap();
        let entries = volume.list().unwrap();
        assert_eq!(
            entries.iter().map(|one| (&*one.name, one.bytes)).collect::<Vec<_>>(),
            [("one", 7)]
        );
        let empty = volume.create("empty", 0).unwrap();
        empty.write_at(&slices("text"), 0).unwrap();
        assert_eq!(empty.bytes().unwrap(), 4);
        volume.remove("one").unwrap();
        assert_eq!(volume.remove("one").unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(volume.open("one", Access::Read).unwrap_err().kind(), ErrorKind::NotFound);
    }
}

#[test]
fn a_loss_of_power_takes_what_was_not_synced_and_nothing_else() {
    let mut endings = std::collections::BTreeSet::new();
    for seed in 0..200 {
        let disk = Simulated::new(seed);
        let file = disk.create("one", 0).unwrap();
        file.write_at(&[Bytes::from(vec![1; 1024])], 0).unwrap();
        file.sync().unwrap();
        disk.sync().unwrap();
        file.write_at(&[Bytes::from(vec![2; 1024])], 512).unwrap();
        disk.create("two", 0).unwrap();
        let after = Simulated::after(&disk.moment(), Crash::PowerLost, seed);
        let contents = after.contents("one").expect("its name was synced");
        assert!(contents[..512].iter().all(|byte| *byte == 1), "seed {seed}");
        endings.insert((contents.len(), contents[512], after.contents("two").is_some()));
    }
    assert!(endings.contains(&(1024, 1, false)) && endings.contains(&(1536, 2, true)));
    assert!(endings.contains(&(1536, 1, true)), "torn: {endings:?}");
}

#[test]
fn after_a_failed_sync_bytes_read_back_that_never_reach_the_disk() {
    let lost = (0..50).filter(|seed| {
        let disk = Simulated::new(*seed);
        let file = disk.create("one", 0).unwrap();
        disk.sync().unwrap();
        file.write_at(&[Bytes::from_static(b"payload")], 0).unwrap();
        disk.fault_at(disk.steps(), Fault::Fails);
        assert!(file.sync().is_err());
        file.sync().unwrap();
        assert_eq!(disk.contents("one").unwrap(), b"payload");
        let after = Simulated::after(&disk.moment(), Crash::PowerLost, *seed);
        after.contents("one").unwrap() != b"payload"
    });
    assert!(0 < lost.count(), "a second sync proves nothing");
}

#[test]
fn a_call_that_hangs_is_on_record_until_it_ends() {
    let disk = Simulated::new(1);
    disk.fault_at(0, Fault::Hangs);
    let watched = Watched::new(Arc::new(disk.clone()));
    let calls = watched.calls();
    std::thread::scope(|scope| {
        let call = scope.spawn(|| watched.create("one", 0).map(drop));
        let (name, age) = loop {
            if let Some(found) = calls.longest() {
                break found;
            }
            std::thread::yield_now();
        };
        assert_eq!(name, "create");
        assert!(age < Duration::from_secs(3600));
        while calls.longest().is_some() {
            disk.release();
            std::thread::yield_now();
        }
        call.join().unwrap().unwrap();
    });
}

#[test]
fn a_file_whose_name_was_taken_away_cannot_be_synced() {
    let folder = tempfile::tempdir().unwrap();
    let volume = Directory::open(folder.path().join("inner"), Permissions::default()).unwrap();
    let file = volume.create("file", 0).unwrap();
    file.write_at(&[Bytes::from_static(b"x")], 0).unwrap();
    file.sync().unwrap();
    std::fs::remove_dir_all(folder.path().join("inner")).unwrap();
    assert_eq!(file.sync().unwrap_err().kind(), ErrorKind::NotFound);
    assert!(volume.create("other", 0).is_err(), "nor can there be another");
}
