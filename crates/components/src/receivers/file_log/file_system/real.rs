//! Real: the files of this machine.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirEntryExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use runtime::file_handle::Prober;
use rustix::fs::{Advice, CWD, OFlags, RenameFlags};

use super::gzip::Gzip;
use super::{Entry, Facts, FileSystem, Kind};
use crate::receivers::file_log::identity::Stamp;

/// How files are opened.
#[derive(Clone, Copy, Debug, Default)]
pub(in super::super) struct Options {
    pub compression: Compression,
    /// Read only what nobody has locked for himself.
    pub locks: bool,
    /// Tell the kernel that files are read from the start to the end.
    pub advises: bool,
}

/// Which files are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) enum Compression {
    #[default]
    None,
    Gzip,
    /// Those whose name ends in `.gz`.
    ByName,
}

/// The files of this machine.
#[derive(Debug)]
pub(in super::super) struct Real {
    options: Options,
    prober: Prober,
}

/// An open file.
#[derive(Clone, Debug)]
pub(in super::super) struct Open {
    file: Arc<File>,
    gzip: Option<Arc<Gzip>>,
}

impl Real {
    pub(in super::super) fn new(options: Options) -> Self {
        Self { options, prober: Prober::start() }
    }

    fn is_compressed(&self, path: &Path) -> bool {
        match self.options.compression {
            Compression::None => false,
            Compression::Gzip => true,
            Compression::ByName => path.extension().is_some_and(|extension| extension == "gz"),
        }
    }
}

impl FileSystem for Real {
    type File = Open;

    fn open(&self, path: &Path) -> io::Result<Open> {
        // A pipe without a writer must not hold the thread.
        let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
        let file = File::options().read(true).custom_flags(flags).open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is no regular file"));
        }
        if self.options.locks {
            file.try_lock_shared().map_err(io::Error::from)?;
        }
        if self.options.advises {
            // It is only advice.
            rustix::fs::fadvise(&file, 0, None, Advice::Sequential).ok();
        }
        let file = Arc::new(file);
        let gzip = self.is_compressed(path).then(|| Arc::new(Gzip::new(Arc::clone(&file))));
        Ok(Open { file, gzip })
    }

    fn facts(&self, open: &Open) -> io::Result<Facts> {
        let facts = facts(&open.file.metadata()?);
        let length = open.gzip.as_ref().map_or(Some(facts.size), |gzip| gzip.length(facts.size));
        Ok(Facts { length, ..facts })
    }

    fn handle(&self, open: &Open) -> Option<Box<[u8]>> {
        self.prober.handle(&open.file)
    }

    fn read_at(&self, open: &Open, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        match &open.gzip {
            Some(gzip) => gzip.read_at(offset, buffer),
            None => read_plain(&open.file, offset, buffer),
        }
    }

    fn look(&self, path: &Path) -> io::Result<Facts> {
        Ok(facts(&fs::metadata(path)?))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let entries = fs::read_dir(folder)?.map(|entry| {
            let entry = entry?;
            let kind = entry.file_type()?;
            let kind = match kind {
                kind if kind.is_dir() => Kind::Folder,
                kind if kind.is_file() => Kind::File,
                kind if kind.is_symlink() => Kind::Link,
                _ => Kind::Other,
            };
            Ok(Entry { inode: entry.ino(), name: entry.file_name(), kind })
        });
        entries.collect()
    }

    fn remove(&self, path: &Path, open: &Open) -> io::Result<bool> {
        // Another file may come to be at this path at any moment, so what is removed is first taken
        // aside, where nobody looks for it, and looked at there.
        let ours = open.file.metadata()?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let aside = path.with_file_name(format!(".{name}.removed-{}", ours.ino()));
        let rename = |from: &Path, to: &Path| {
            rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)
        };
        rename(path, &aside)?;
        let found = fs::symlink_metadata(&aside)?;
        if (found.dev(), found.ino()) == (ours.dev(), ours.ino()) {
            return fs::remove_file(&aside).map(|()| true);
        }
        rename(&aside, path).map(|()| false).map_err(|error| {
            io::Error::other(format!("another file is at {} now: {error}", aside.display()))
        })
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        fs::canonicalize(path)
    }

    fn is_remote(&self, folder: &Path) -> bool {
        // NFS, SMB (three kinds), 9P, FUSE, Ceph, AFS.
        const KINDS: [u64; 8] = [
            0x6969,
            0x517b,
            0xff53_4d42,
            0xfe53_4d42,
            0x0102_1997,
            0x6573_5546,
            0x00c3_6400,
            0x5346_414f,
        ];
        rustix::fs::statfs(folder).is_ok_and(|facts| {
            let kind = u64::try_from(facts.f_type).unwrap_or_default();
            KINDS.contains(&kind)
        })
    }
}

pub(super) fn read_plain(file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn facts(metadata: &fs::Metadata) -> Facts {
    let born = metadata.created().map_or(0, nanoseconds);
    let kind = match metadata.file_type() {
        kind if kind.is_dir() => Kind::Folder,
        kind if kind.is_file() => Kind::File,
        _ => Kind::Other,
    };
    Facts {
        stamp: Stamp::new(metadata.dev(), metadata.ino(), born),
        kind,
        size: metadata.len(),
        length: Some(metadata.len()),
        modified: metadata.modified().map_or(0, nanoseconds),
        links: metadata.nlink(),
        owner: metadata.uid(),
        group: metadata.gid(),
        mode: metadata.mode() & 0o7777,
    }
}

fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
