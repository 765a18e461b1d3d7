use std::fs;
use std::path::PathBuf;
use std::sync::mpsc;

use bytes::Bytes;
use futures_util::future::join_all;

use super::{Disk, DiskError, Durability, Mode};

fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("runtime-disk-{}-{name}", std::process::id()));
    fs::create_dir_all(&path).unwrap();
    path
}

fn slices(text: &[&'static str]) -> Vec<Bytes> {
    text.iter().map(|text| Bytes::from_static(text.as_bytes())).collect()
}

#[tokio::test]
async fn appends_in_order_and_tells_the_length() {
    let (disk, path) = (Disk::start("test", 8).unwrap(), folder("append").join("deep/er/file"));
    let mode = Mode { folder_permissions: Some(0o700), ..Mode::default() };
    let (file, bytes) = disk.open(&path, mode).await.unwrap();
    assert_eq!(0, bytes);
    assert_eq!(5, file.append(slices(&["ab", "", "cde"]), Durability::Written).await.unwrap());
    assert_eq!(7, file.append(slices(&["fg"]), Durability::Synced).await.unwrap());
    assert_eq!(7, file.sync().await.unwrap());
    assert_eq!("abcdefg", fs::read_to_string(file.path()).unwrap());
    drop(file);
    let (_, bytes) = disk.open(&path, Mode::default()).await.unwrap();
    assert_eq!(7, bytes);
    let mode = Mode { is_truncated: true, ..Mode::default() };
    let (_, bytes) = disk.open(&path, mode).await.unwrap();
    assert_eq!(0, bytes);
}

#[tokio::test]
async fn files_are_made_with_the_permissions_asked_for() {
    use std::os::unix::fs::PermissionsExt;
    let (disk, path) = (Disk::start("test", 8).unwrap(), folder("permissions").join("file"));
    let _file = disk.open(&path, Mode::default()).await.unwrap();
    assert_eq!(0o600, fs::metadata(&path).unwrap().permissions().mode() & 0o777);
}

#[tokio::test]
async fn many_writers_are_all_answered_after_their_bytes_are_there() {
    let (disk, path) = (Disk::start("test", 64).unwrap(), folder("many").join("file"));
    let mode = Mode { is_truncated: true, ..Mode::default() };
    let (file, _) = disk.open(&path, mode).await.unwrap();
    let appends = (0..50).map(|_| file.append(slices(&["line", "\n"]), Durability::Synced));
    let mut lengths: Vec<_> = join_all(appends).await.into_iter().map(Result::unwrap).collect();
    lengths.sort_unstable();
    assert_eq!((1..=50).map(|line| 5 * line).collect::<Vec<u64>>(), lengths);
    assert_eq!("line\n".repeat(50), fs::read_to_string(&path).unwrap());
}

#[tokio::test]
async fn renames_lists_and_removes() {
    let (disk, folder) = (Disk::start("test", 8).unwrap(), folder("rename"));
    let (old, new) = (folder.join("a"), folder.join("b"));
    let (file, _) = disk.open(&old, Mode::default()).await.unwrap();
    file.append(slices(&["x"]), Durability::Written).await.unwrap();
    disk.rename(&old, &new).await.unwrap();
    // The open file is the same under its new name.
    file.append(slices(&["y"]), Durability::Written).await.unwrap();
    fs::create_dir_all(folder.join("folder")).unwrap();
    let found = disk.list(&folder).await.unwrap();
    assert_eq!(
        vec![(new.clone(), 2)],
        found.iter().map(|f| (f.path.clone(), f.bytes)).collect::<Vec<_>>()
    );
    disk.remove(&new).await.unwrap();
    disk.remove(&new).await.unwrap();
    assert!(disk.list(&folder).await.unwrap().is_empty());
}

#[tokio::test]
async fn errors_say_what_was_attempted() {
    let (disk, folder) = (Disk::start("test", 8).unwrap(), folder("errors"));
    let path = folder.join("missing/file");
    let error = disk.open(&path, Mode::default()).await.unwrap_err();
    let expected = format!("cannot open {}: ", path.display());
    assert!(error.to_string().starts_with(&expected), "{error}");
    assert!(!error.is_passing());
}

#[tokio::test]
async fn a_full_device_refuses_and_may_recover() {
    let disk = Disk::start("test", 8).unwrap();
    let (file, _) = disk.open("/dev/full", Mode::default()).await.unwrap();
    let error = file.append(slices(&["x"]), Durability::Written).await.unwrap_err();
    assert!(error.is_passing(), "{error}");
    assert!(matches!(error, DiskError::Io { attempt: "write to", .. }), "{error}");
    // A device cannot be cut back, so nobody knows where the next append would begin.
    let error = file.append(slices(&["x"]), Durability::Written).await.unwrap_err();
    assert!(matches!(error, DiskError::Poisoned { .. }), "{error}");
}

#[tokio::test]
async fn a_device_needs_no_sync() {
    let disk = Disk::start("test", 8).unwrap();
    let (null, _) = disk.open("/dev/null", Mode::default()).await.unwrap();
    null.append(slices(&["x"]), Durability::Synced).await.unwrap();
}

#[tokio::test]
async fn refuses_when_too_many_requests_wait() {
    let (disk, folder) = (Disk::start("test", 1).unwrap(), folder("full"));
    let (started, has_started) = mpsc::channel();
    let (release, gate) = mpsc::channel::<()>();
    let block = move |_: &mut super::Files| {
        started.send(()).unwrap();
        gate.recv().ok();
        Ok(())
    };
    let blocked = disk.handle.call(block);
    let refused = async {
        tokio::task::yield_now().await;
        has_started.recv().unwrap();
        let waiting = disk.list(&folder);
        let late = async {
            tokio::task::yield_now().await;
            assert_eq!(1, disk.waiting());
            let refused = disk.list(&folder).await;
            release.send(()).unwrap();
            refused
        };
        tokio::join!(waiting, late)
    };
    let (blocked, (waited, refused)) = tokio::join!(blocked, refused);
    blocked.unwrap();
    assert!(waited.unwrap().is_empty());
    assert!(matches!(refused.unwrap_err(), DiskError::Full));
}
