use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::{Change, Watcher};

fn set(folders: &[&Path]) -> BTreeSet<std::path::PathBuf> {
    folders.iter().map(|folder| folder.to_path_buf()).collect()
}

async fn until(watcher: &Watcher, wanted: Change) {
    while !watcher.next().await.unwrap().contains(&wanted) {}
}

#[tokio::test]
async fn writes_names_and_the_end_of_a_folder_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    let watcher = Watcher::start().unwrap();
    assert!(watcher.set_folders(&set(&[&inner])).is_empty());
    fs::write(inner.join("a"), "1").unwrap();
    let (folder, name) = (inner.as_path().into(), "a".into());
    until(&watcher, Change::Written { folder, name }).await;
    fs::rename(inner.join("a"), inner.join("b")).unwrap();
    let (folder, name) = (inner.as_path().into(), "b".into());
    until(&watcher, Change::Named { folder, name }).await;
    fs::remove_dir_all(&inner).unwrap();
    until(&watcher, Change::FolderGone { folder: inner.as_path().into() }).await;
    while watcher.folders() != 0 {
        watcher.next().await.unwrap();
    }
}

#[tokio::test]
async fn a_folder_with_two_names_is_told_under_both() {
    let folder = tempfile::tempdir().unwrap();
    let (real, link) = (folder.path().join("real"), folder.path().join("link"));
    fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let watcher = Watcher::start().unwrap();
    assert!(watcher.set_folders(&set(&[&real, &link])).is_empty());
    assert_eq!(watcher.folders(), 2);
    fs::write(real.join("a"), "1").unwrap();
    until(&watcher, Change::Written { folder: link.as_path().into(), name: "a".into() }).await;
    assert!(watcher.set_folders(&set(&[&link])).is_empty());
    fs::write(real.join("a"), "2").unwrap();
    until(&watcher, Change::Written { folder: link.as_path().into(), name: "a".into() }).await;
}

#[tokio::test]
async fn what_is_no_folder_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let watcher = Watcher::start().unwrap();
    let missing = folder.path().join("missing");
    let failed = watcher.set_folders(&set(&[&file, &missing, folder.path()]));
    assert_eq!(failed.iter().map(|(path, _)| path).collect::<Vec<_>>(), [&file, &missing]);
    assert_eq!(watcher.folders(), 1);
}
