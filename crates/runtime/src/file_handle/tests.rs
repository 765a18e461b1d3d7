use std::fs::{self, File};

use super::{Prober, parse};

#[test]
fn a_handle_survives_renaming_and_truncation_and_not_recreation() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let prober = Prober::start();
    fs::write(&one, "same").unwrap();
    let Some(first) = prober.handle(&File::open(&one).unwrap()) else { return };
    fs::rename(&one, &two).unwrap();
    assert_eq!(Some(&first), prober.handle(&File::open(&two).unwrap()).as_ref());
    File::options().write(true).open(&two).unwrap().set_len(0).unwrap();
    assert_eq!(Some(&first), prober.handle(&File::open(&two).unwrap()).as_ref());
    for _ in 0..6 {
        fs::remove_file(&two).unwrap();
        fs::write(&two, "same").unwrap();
        assert_ne!(Some(&first), prober.handle(&File::open(&two).unwrap()).as_ref());
    }
}

#[test]
fn two_open_files_are_told_apart_and_an_unlinked_one_keeps_its_handle() {
    let folder = tempfile::tempdir().unwrap();
    let prober = Prober::start();
    let make = |name: &str| File::create_new(folder.path().join(name)).unwrap();
    let (one, two) = (make("one"), make("two"));
    let Some(first) = prober.handle(&one) else { return };
    assert_ne!(Some(&first), prober.handle(&two).as_ref());
    fs::remove_file(folder.path().join("one")).unwrap();
    assert_eq!(Some(&first), prober.handle(&one).as_ref());
}

#[test]
fn the_line_of_the_watch_is_read() {
    let text = "pos:\t0\nflags:\t04000\n\
        inotify wd:1f ino:a sdev:1 mask:400 ignored_mask:0 fhandle-bytes:2 fhandle-type:1 f_handle:0aff\n\
        inotify wd:1 ino:b sdev:1 mask:400 ignored_mask:0 \n";
    assert_eq!(parse(text, 31).as_deref(), Some(&[0, 0, 0, 1, 0x0a, 0xff][..]));
    assert_eq!(parse(text, 1), None, "a file system without handles");
    assert_eq!(parse(text, 15), None, "no such watch");
}
