//! File handle: the name that the kernel gives a file for as long as it lives.
//!
//! It survives renaming and truncation, and another file that gets the same inode has another one.
//! The kernel tells it (as `name_to_handle_at` would) in the description of an inotify watch, which
//! needs no `unsafe`. See `docs/decisions/0012-how-a-file-is-known-again.md`.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::sync::{Mutex, PoisonError};

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};

/// Asks the kernel for handles, of one file at a time.
pub struct Prober {
    queue: Mutex<Option<OwnedFd>>,
}

impl Prober {
    /// A prober; where the kernel does not help, it knows no handles.
    #[must_use]
    pub fn start() -> Self {
        let queue = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).ok();
        Self { queue: Mutex::new(queue) }
    }

    /// The handle of an open file; `None` where the file system or the kernel has none to tell.
    #[must_use]
    pub fn handle(&self, file: &File) -> Option<Box<[u8]>> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.as_ref().and_then(|queue| ask(queue, file).ok().flatten())
    }
}

fn ask(queue: &OwnedFd, file: &File) -> io::Result<Option<Box<[u8]>>> {
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    // Any kind of event will do: none is waited for.
    let number = inotify::add_watch(queue, path, WatchFlags::DELETE_SELF)?;
    let description = fs::read_to_string(format!("/proc/self/fdinfo/{}", queue.as_raw_fd()));
    inotify::remove_watch(queue, number)?;
    drain(queue);
    Ok(parse(&description?, number))
}

/// Takes the notes about watches that ended.
fn drain(queue: &OwnedFd) {
    let mut buffer = [MaybeUninit::uninit(); 1024];
    let mut reader = inotify::Reader::new(queue, &mut buffer);
    while reader.next().is_ok() {}
}

/// Finds the type and the bytes of the handle in the line of watch `number`.
fn parse(description: &str, number: i32) -> Option<Box<[u8]>> {
    let start = format!("inotify wd:{number:x} ");
    let line = description.lines().find(|line| line.starts_with(&start))?;
    let field = |name| line.split(' ').find_map(|field| field.strip_prefix(name));
    let kind = i32::from_str_radix(field("fhandle-type:")?, 16).ok()?;
    let digits = field("f_handle:")?;
    let mut handle = kind.to_be_bytes().to_vec();
    for at in (0..digits.len()).step_by(2) {
        handle.push(u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()?);
    }
    Some(handle.into())
}

impl fmt::Debug for Prober {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Prober")
    }
}

#[cfg(test)]
mod tests;
