//! Reader: reads live records back, each verified by its checksum.
//!
//! Owner: the reading thread. Bounds: open files, and what one read may give. Damage stops its stream
//! there, for this read and every later one, until the record is forgotten.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use runtime::volume::{Access, Volume, VolumeFile};

use crate::frame::{self, HEADER_BYTES, Kind, Salt};
use crate::index::Index;
use crate::positions::Place;
use crate::record::Record;
use crate::segment::name_of;
use crate::{Damage, Position, ReadError, StreamId};

/// Files that are kept open.
const FILES_MAX: usize = 32;

/// How much one read gives at most. The first record is given whatever it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub records_max: usize,
    pub bytes_max: usize,
}

/// The next live records of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    pub records: Vec<Stored>,
}

/// A record as it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub position: Position,
    pub weight: u32,
    pub body: Bytes,
}

/// Reads records of one journal.
pub(crate) struct Reader {
    volume: Arc<dyn Volume>,
    index: Arc<Mutex<Index>>,
    journal: u64,
    files: VecDeque<(u32, Arc<dyn VolumeFile>)>,
}

/// Why a frame was not read.
enum Failure {
    Io(io::Error),
    Broken,
}

impl Reader {
    pub(crate) fn new(volume: Arc<dyn Volume>, index: Arc<Mutex<Index>>, journal: u64) -> Self {
        Self { volume, index, journal, files: VecDeque::new() }
    }

    /// The next live records of `stream` in `range`.
    pub(crate) fn read(
        &mut self,
        stream: StreamId,
        range: Range<u64>,
        limits: Limits,
    ) -> Result<Read, ReadError> {
        let mut read = Read::default();
        for position in self.wanted(stream, range, limits)? {
            match self.record(stream, position) {
                Ok(Some(stored)) => read.records.push(stored),
                // It was forgotten meanwhile.
                Ok(None) => {}
                // What came before it is good; the next read tells of the damage.
                Err(_) if !read.records.is_empty() => break,
                Err(error) => return Err(error),
            }
        }
        Ok(read)
    }

    fn wanted(
        &self,
        stream: StreamId,
        range: Range<u64>,
        limits: Limits,
    ) -> Result<Vec<Position>, ReadError> {
        let index = self.index();
        let known = index.streams.get(&stream).ok_or(ReadError::NoStream)?;
        let mut left = limits.bytes_max;
        let mut wanted = Vec::new();
        for (position, place) in known.live.within(range).take(limits.records_max) {
            let bytes = place.bytes as usize;
            if !wanted.is_empty() && left < bytes {
                break;
            }
            left = left.saturating_sub(bytes);
            wanted.push(Position(position));
        }
        Ok(wanted)
    }

    /// Verifies the live records of all streams from `from` on; gives where to go on, `None` at the end.
    pub(crate) fn verify_next(
        &mut self,
        from: (StreamId, u64),
        limits: Limits,
    ) -> Option<(StreamId, u64)> {
        let mut left = limits.bytes_max;
        for (stream, position) in self.next_live(from, limits.records_max) {
            let Some(place) = self.index().place(stream, position) else { continue };
            // What was moved or removed meanwhile is none of this place any more.
            if let Err(Failure::Broken) = self.frame(place)
                && self.index().place(stream, position) == Some(place)
            {
                self.damaged(stream, position, place);
            }
            let bytes = place.bytes as usize;
            if left <= bytes {
                return Some((stream, position.0 + 1));
            }
            left -= bytes;
        }
        self.next_live(from, limits.records_max + 1)
            .get(limits.records_max)
            .map(|(stream, position)| (*stream, position.0))
    }

    fn next_live(
        &self,
        (stream, start): (StreamId, u64),
        count: usize,
    ) -> Vec<(StreamId, Position)> {
        let index = self.index();
        let streams = index.streams.range(stream..);
        let live = streams.flat_map(|(id, known)| {
            let start = if *id == stream { start } else { 0 };
            known.live.within(start..).map(move |(position, _)| (*id, Position(position)))
        });
        live.take(count).collect()
    }

    /// Reads one record; `None` when it does not live any more.
    fn record(
        &mut self,
        stream: StreamId,
        position: Position,
    ) -> Result<Option<Stored>, ReadError> {
        // Compaction may move it while it is read; then it is looked up again.
        for _ in 0..4 {
            let Some(place) = self.index().place(stream, position) else { return Ok(None) };
            match self.frame(place) {
                Ok(bytes) => return self.stored(stream, position, place, bytes).map(Some),
                Err(_) if self.index().place(stream, position) != Some(place) => {}
                Err(Failure::Io(error)) => {
                    return Err(ReadError::Failed { error: error.to_string() });
                }
                Err(Failure::Broken) => return Err(self.damaged(stream, position, place)),
            }
        }
        Err(ReadError::Failed { error: "the record is being moved".to_owned() })
    }

    /// The frame of a record; that it is damaged is on record then.
    pub(crate) fn verified(
        &mut self,
        stream: StreamId,
        position: Position,
        place: Place,
    ) -> Result<Vec<u8>, ReadError> {
        match self.frame(place) {
            Ok(bytes) => Ok(bytes),
            Err(Failure::Io(error)) => Err(ReadError::Failed { error: error.to_string() }),
            Err(Failure::Broken) => Err(self.damaged(stream, position, place)),
        }
    }

    fn stored(
        &self,
        stream: StreamId,
        position: Position,
        place: Place,
        bytes: Vec<u8>,
    ) -> Result<Stored, ReadError> {
        let bytes = Bytes::from(bytes);
        let header = frame::Header::decode(&bytes).ok();
        let head =
            header.and_then(|header| bytes.get(HEADER_BYTES..HEADER_BYTES + header.head_bytes));
        let record = head.and_then(|head| Record::decode(Kind::Data, head));
        match record {
            Some(Record::Data { stream: of, position: at, weight })
                if (of, at) == (stream, position) =>
            {
                let start = HEADER_BYTES + head.map_or(0, <[u8]>::len);
                Ok(Stored { position, weight, body: bytes.slice(start..) })
            }
            _ => Err(self.damaged(stream, position, place)),
        }
    }

    /// Reads and verifies the frame of a record.
    fn frame(&mut self, place: Place) -> Result<Vec<u8>, Failure> {
        let file = self.file(place.segment).map_err(Failure::Io)?;
        let mut bytes = vec![0; HEADER_BYTES + place.bytes as usize];
        match file.read_at(&mut bytes, place.offset.into()) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Err(Failure::Broken),
            result => result.map_err(Failure::Io)?,
        }
        let salt = Salt { journal: self.journal, segment: place.segment };
        match frame::decode(salt, place.offset, &bytes) {
            Ok(frame) if frame.kind == Kind::Data => Ok(bytes),
            _ => Err(Failure::Broken),
        }
    }

    fn file(&mut self, segment: u32) -> io::Result<Arc<dyn VolumeFile>> {
        if let Some(at) = self.files.iter().position(|(number, _)| *number == segment) {
            let (number, file) = self.files.remove(at).expect("it was found there");
            self.files.push_front((number, Arc::clone(&file)));
            return Ok(file);
        }
        let file = self.volume.open(&name_of(segment), Access::Read)?;
        self.files.truncate(FILES_MAX - 1);
        self.files.push_front((segment, Arc::clone(&file)));
        Ok(file)
    }

    fn damaged(&self, stream: StreamId, position: Position, place: Place) -> ReadError {
        let Place { segment, offset, .. } = place;
        let damage = Damage { stream, position, segment, offset };
        let mut index = self.index();
        if let Some(segment) = index.segments.get_mut(&segment) {
            segment.is_damaged = true;
        }
        if let Some(known) = index.streams.get_mut(&stream)
            && known.damage.as_ref().is_none_or(|before| position < before.position)
        {
            known.damage = Some(damage.clone());
            drop(index);
            let volume = self.volume.name();
            tracing::error!(volume, %damage, "A record of the journal is damaged; its stream stops there.");
        }
        ReadError::Damaged(damage)
    }

    /// Closes the files of segments that are gone, so that their room comes back.
    pub(crate) fn close_removed(&mut self) {
        let index = Arc::clone(&self.index);
        let index = index.lock().unwrap_or_else(PoisonError::into_inner);
        self.files.retain(|(number, _)| index.segments.contains_key(number));
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
