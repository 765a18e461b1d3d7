use std::path::PathBuf;

use bytes::Bytes;

use super::{DiskError, Files};
use crate::disk::Mode;

#[test]
fn a_failed_sync_poisons_its_file_alone() {
    let mut files = Files::default();
    let (broken, _) = files.open(PathBuf::from("/dev/null"), Mode::default()).unwrap();
    let (other, _) = files.open(PathBuf::from("/dev/null"), Mode::default()).unwrap();
    // The kernel refuses to sync a device, as a broken disk would.
    files.open.value_mut(broken).unwrap().is_regular = true;
    let error = files.sync(broken).unwrap_err();
    assert!(matches!(error, DiskError::Io { attempt: "sync", .. }), "{error}");
    let slices = [Bytes::from_static(b"x")];
    let error = files.append(broken, &slices).unwrap_err();
    assert!(matches!(error, DiskError::Poisoned { .. }), "{error}");
    files.append(other, &slices).unwrap();
    files.sync(other).unwrap();
}
