//! Scan: reads a segment frame by frame, as far as it is whole.
//!
//! Bounds: looking for frames behind a hole costs at most [`SEARCH_FACTOR`] times the segment.

use std::ops::Range;

use super::HEADER_BYTES;
use super::footer::Footer;
use crate::frame::{self, ALIGNMENT, Frame, Kind, NoFrame, Salt};
use crate::record::Record;

/// How often the bytes of a segment may be read in search of a frame.
const SEARCH_FACTOR: usize = 16;

/// What was found in a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scan {
    pub(crate) footer: Footer,
    /// Where the whole frames end.
    pub(crate) end: u32,
    /// What the frames say was on disk, those behind a hole included.
    pub(crate) synced: u32,
    pub(crate) hole: Option<Hole>,
}

/// What is no frame, between or behind frames: torn, or left there by a former use of the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hole {
    /// Where the next whole frame stands.
    pub(crate) resumes: Option<u32>,
    /// Bytes that were being written, as far as they tell.
    pub(crate) torn: u32,
}

/// A frame of a segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'a> {
    pub(crate) offset: u32,
    pub(crate) kind: Kind,
    pub(crate) bytes: u32,
    pub(crate) checksum: u32,
    /// The head of data, the body of everything else.
    pub(crate) detail: &'a [u8],
}

impl<'a> Found<'a> {
    pub(crate) fn new(offset: u32, frame: Frame<'a>) -> Self {
        let Frame { kind, checksum, head, body, .. } = frame;
        let bytes = u32::try_from(head.len() + body.len()).expect("it is within a segment");
        let detail = if kind == Kind::Data { head } else { body };
        Self { offset, kind, bytes, checksum, detail }
    }

    /// Where the next frame stands.
    pub(crate) fn end(&self) -> u32 {
        self.offset + u32::try_from(frame::padded(self.bytes as usize)).unwrap_or(u32::MAX)
    }
}

/// Reads the frames of a segment that stand before `limit`.
pub(crate) fn scan(salt: Salt, bytes: &[u8], limit: u32) -> Scan {
    let bytes = &bytes[..bytes.len().min(limit as usize)];
    let mut scan =
        Scan { footer: Footer::default(), end: HEADER_BYTES as u32, synced: 0, hole: None };
    loop {
        let rest = bytes.get(scan.end as usize..).unwrap_or(&[]);
        match whole(salt, scan.end, rest) {
            Ok(frame) => {
                scan.synced = scan.synced.max(frame.synced);
                if frame.kind == Kind::Footer {
                    return scan;
                }
                let found = Found::new(scan.end, frame);
                if frame.kind != Kind::Mark {
                    scan.footer.push(&found);
                }
                scan.end = found.end();
            }
            Err(NoFrame::Blank) if rest.iter().all(|byte| *byte == 0) => return scan,
            Err(_) => {
                scan.look_behind(salt, bytes);
                return scan;
            }
        }
    }
}

impl Scan {
    fn look_behind(&mut self, salt: Salt, bytes: &[u8]) {
        let mut effort = Effort::of(bytes);
        let mut resumes = None;
        let mut at = self.end;
        while let Some((offset, frame)) = next_frame(salt, bytes, at, &mut effort) {
            resumes.get_or_insert(offset);
            self.synced = self.synced.max(frame.synced);
            at = Found::new(offset, frame).end();
        }
        let claimed = claimed(bytes.get(self.end as usize..).unwrap_or(&[]));
        self.hole = Some(Hole { resumes, torn: claimed.max(at - self.end) });
    }
}

/// What the frame at the start of `bytes` says that it takes; nothing, if it is blank.
fn claimed(bytes: &[u8]) -> u32 {
    let claimed = match frame::Header::decode(bytes) {
        Ok(header) => frame::padded(header.bytes),
        Err(NoFrame::Broken) => frame::HEADER_BYTES,
        Err(NoFrame::Blank) => 0,
    };
    u32::try_from(claimed.min(bytes.len())).unwrap_or(u32::MAX)
}

/// What can be saved of a segment: its whole frames, and the ranges between them that are none.
#[derive(Debug, Default)]
pub(crate) struct Salvage<'a> {
    pub(crate) frames: Vec<(u32, Frame<'a>)>,
    pub(crate) lost: Vec<Range<u32>>,
}

/// Finds every whole frame before `limit`, up to the footer.
pub(crate) fn salvage(salt: Salt, bytes: &[u8], limit: u32) -> Salvage<'_> {
    let bytes = &bytes[..bytes.len().min(limit as usize)];
    let mut effort = Effort::of(bytes);
    let mut salvage = Salvage::default();
    let mut at = HEADER_BYTES as u32;
    while let Some((offset, frame)) = next_frame(salt, bytes, at, &mut effort) {
        if at < offset {
            salvage.lost.push(at..offset);
        }
        if frame.kind == Kind::Footer {
            return salvage;
        }
        at = Found::new(offset, frame).end();
        salvage.frames.push((offset, frame));
    }
    let rest = bytes.get(at as usize..).unwrap_or(&[]);
    if let Some(last) = rest.iter().rposition(|byte| *byte != 0) {
        salvage.lost.push(at..at + last as u32 + 1);
    }
    salvage
}

/// How many bytes may still be read in search of a frame.
struct Effort(usize);

impl Salvage<'_> {
    /// The footer that fits the frames.
    pub(crate) fn footer(&self) -> Footer {
        let mut footer = Footer::default();
        for (offset, frame) in self.frames.iter().filter(|(_, frame)| frame.kind != Kind::Mark) {
            footer.push(&Found::new(*offset, *frame));
        }
        footer
    }
}

impl Effort {
    fn of(bytes: &[u8]) -> Self {
        Self(bytes.len().saturating_mul(SEARCH_FACTOR))
    }
}

/// The frame at the start of `bytes`, if it is one and has a meaning.
fn whole(salt: Salt, offset: u32, bytes: &[u8]) -> Result<Frame<'_>, NoFrame> {
    let frame = frame::decode(salt, offset, bytes)?;
    let is_record = !matches!(frame.kind, Kind::Footer | Kind::Mark);
    let has_meaning = Record::decode(frame.kind, Found::new(offset, frame).detail).is_some();
    if is_record && !has_meaning { Err(NoFrame::Broken) } else { Ok(frame) }
}

/// The first whole frame at `at` or behind it.
fn next_frame<'a>(
    salt: Salt,
    bytes: &'a [u8],
    mut at: u32,
    effort: &mut Effort,
) -> Option<(u32, Frame<'a>)> {
    while let Some(rest) = bytes.get(at as usize..).filter(|rest| !rest.is_empty()) {
        let claimed = frame::Header::decode(rest).map_or(0, |header| header.bytes);
        let tried = if claimed <= rest.len() { claimed } else { 0 };
        match whole(salt, at, rest) {
            Ok(frame) => return Some((at, frame)),
            Err(_) => effort.0 = effort.0.checked_sub(tried + 1)?,
        }
        at = at.checked_add(ALIGNMENT as u32)?;
    }
    None
}
