//! Writer: the segment that takes new frames.
//!
//! Frames are gathered, written with one call and synced with one. Small bodies are copied beside
//! their headers, large ones are written from where they are.
//! Invariant: after anything failed it is dropped; nobody writes or syncs the same bytes again.

use std::io;
use std::sync::Arc;

use bytes::{BufMut as _, Bytes, BytesMut};
use runtime::volume::VolumeFile;

use super::footer::{Footer, TRAILER_BYTES};
use super::load::Loaded;
use super::scan::Found;
use super::{HEADER_BYTES, Previous};
use crate::frame::{self, Kind, Salt};

/// Tells the end of what was written from what a former use of the room left there.
const BLANK: [u8; frame::HEADER_BYTES] = [0; frame::HEADER_BYTES];

/// Bodies below this are copied: a slice of its own costs the kernel more.
const COPIED_BELOW: usize = 2048;

/// The segment that takes new frames.
#[derive(Debug)]
pub(crate) struct Writer {
    file: Arc<dyn VolumeFile>,
    salt: Salt,
    bytes_max: u32,
    /// Where the next frame goes.
    end: u32,
    /// What was written.
    written: u32,
    /// What was written and answered for.
    settled: u32,
    synced: u32,
    gathered: Vec<Bytes>,
    small: BytesMut,
    footer: Footer,
    is_marked: bool,
}

impl Writer {
    /// Continues behind the header of a segment that has room for `bytes_max`.
    pub(crate) fn new(file: Arc<dyn VolumeFile>, salt: Salt, bytes_max: u32) -> Self {
        let start = HEADER_BYTES as u32;
        Self {
            file,
            salt,
            bytes_max,
            end: start,
            written: start,
            settled: start,
            synced: start,
            gathered: Vec::new(),
            small: BytesMut::new(),
            footer: Footer::default(),
            is_marked: true,
        }
    }

    /// Continues behind what was found in a segment that was not closed.
    pub(crate) fn resume(file: Arc<dyn VolumeFile>, salt: Salt, found: Loaded) -> Self {
        let Loaded { footer, end, .. } = found;
        let new = Self::new(file, salt, u32::MAX);
        Self { end, written: end, settled: end, synced: end, footer, ..new }
    }

    pub(crate) fn number(&self) -> u32 {
        self.salt.segment
    }

    /// Where the next frame goes.
    pub(crate) fn end(&self) -> u32 {
        self.end
    }

    /// What of the file is in use.
    pub(crate) fn bytes_used(&self) -> u64 {
        u64::from(self.end) + self.closing() as u64
    }

    /// The largest contents of a frame that a segment of `bytes_max` takes, with `detail` of them
    /// repeated in the footer.
    pub(crate) fn contents_max(bytes_max: u32, detail: usize) -> usize {
        let footer = frame::padded(Footer::growth(detail)) + TRAILER_BYTES;
        (bytes_max as usize).saturating_sub(HEADER_BYTES + footer + frame::padded(0) + 8)
    }

    /// Whether frames of `bytes` altogether fit, with `detail` of them repeated in the footer.
    pub(crate) fn fits(&self, bytes: usize, growth: usize) -> bool {
        self.end as usize + bytes + growth + frame::ALIGNMENT + self.closing()
            <= self.bytes_max as usize
    }

    /// Adds a frame to what is written next; gives its offset.
    pub(crate) fn push(&mut self, kind: Kind, head: &[u8], body: Vec<Bytes>) -> u32 {
        let offset = self.end;
        let header = frame::header(self.salt, offset, (kind, self.synced), head, &body);
        self.small.put_slice(&header.encoded());
        self.small.put_slice(head);
        if !matches!(kind, Kind::Footer | Kind::Mark) {
            let bytes = u32::try_from(header.bytes).expect("the frame fits");
            let joined = if kind == Kind::Data { Vec::new() } else { body.concat() };
            let detail = if kind == Kind::Data { head } else { &joined };
            let found = Found { offset, kind, bytes, checksum: header.checksum, detail };
            self.footer.push(&found);
        }
        for part in body {
            self.gather(part);
        }
        let padded = frame::padded(header.bytes);
        self.small.put_bytes(0, padded - frame::HEADER_BYTES - header.bytes);
        self.end += u32::try_from(padded).expect("the frame fits");
        offset
    }

    /// Whether nothing waits to be written.
    pub(crate) fn is_clean(&self) -> bool {
        self.written == self.end
    }

    /// Writes what was gathered, if there is anything, and a blank behind it.
    pub(crate) fn write(&mut self) -> io::Result<()> {
        if self.is_clean() {
            return Ok(());
        }
        if self.end as usize + BLANK.len() <= self.bytes_max as usize {
            self.small.put_slice(&BLANK);
        }
        self.gather_small();
        let slices = std::mem::take(&mut self.gathered);
        self.file.write_at(&slices, self.written.into())?;
        self.written = self.end;
        Ok(())
    }

    /// Makes what was written survive the loss of power.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.file.sync()?;
        self.synced = self.written;
        Ok(())
    }

    /// The file, to be synced.
    pub(crate) fn file(&self) -> Arc<dyn VolumeFile> {
        Arc::clone(&self.file)
    }

    /// Notes that what stands before `end` is answered for, and whether it is on disk.
    pub(crate) fn settle(&mut self, end: u32, is_synced: bool) {
        self.settled = end;
        if is_synced {
            self.synced = end;
        }
        self.is_marked = false;
    }

    /// Whether everything is on disk, and nothing on disk says so.
    pub(crate) fn is_to_be_marked(&self) -> bool {
        !self.is_marked && self.is_clean() && self.synced == self.written
    }

    /// Writes down, without a sync, that everything is on disk: should the last group be damaged
    /// later, that is told from a group that was never finished.
    pub(crate) fn mark(&mut self) -> io::Result<()> {
        self.push(Kind::Mark, &[], vec![Bytes::from_static(&[0])]);
        self.is_marked = true;
        self.write()
    }

    /// Writes the footer and gives the rest of the room back; gives the length of the file.
    pub(crate) fn seal(&mut self, is_synced: bool) -> io::Result<u64> {
        let footer = self.end;
        let trailer = self.footer.trailer(self.salt.segment, footer);
        let entries = Bytes::copy_from_slice(self.footer.encoded());
        self.push(Kind::Footer, &[], vec![entries]);
        self.small.put_slice(&trailer.encoded());
        self.end += TRAILER_BYTES as u32;
        self.write()?;
        self.file.resize(self.end.into())?;
        if is_synced {
            self.sync()?;
        }
        Ok(self.end.into())
    }

    /// How this segment ended, for the next one to say.
    pub(crate) fn ended(&self) -> Previous {
        let synced = self.synced.min(self.settled);
        Previous { number: self.salt.segment, end: self.settled, synced }
    }

    /// Bytes of footer and trailer, if it was closed now.
    fn closing(&self) -> usize {
        frame::padded(self.footer.bytes()) + TRAILER_BYTES
    }

    fn gather(&mut self, part: Bytes) {
        if part.len() < COPIED_BELOW {
            self.small.put_slice(&part);
        } else {
            self.gather_small();
            self.gathered.push(part);
        }
    }

    fn gather_small(&mut self) {
        if !self.small.is_empty() {
            self.gathered.push(self.small.split().freeze());
        }
    }
}
