//! Load: what a segment file contains, from its footer or, without one, by reading it whole.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use runtime::volume::VolumeFile;

use super::footer::{Footer, TRAILER_BYTES, Trailer};
use super::scan::{Scan, scan};
use super::{HEADER_BYTES, Header, NoHeader, Previous};
use crate::frame::{self, Kind, Salt};

/// The start and the end of a segment file, as far as they are whole.
#[derive(Debug)]
pub(crate) struct Ends {
    pub(crate) file: Arc<dyn VolumeFile>,
    pub(crate) bytes: u64,
    pub(crate) header: Result<Header, NoHeader>,
    /// The journals that the header names, even if it is broken.
    pub(crate) claimed_journals: [u64; 2],
    pub(crate) trailer: Option<Trailer>,
}

/// What a segment contains.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) footer: Footer,
    /// Where its frames end.
    pub(crate) end: u32,
    pub(crate) source: Source,
}

/// How it is known what a segment contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The footer said it.
    Footer {
        /// What was known to be on disk when the footer was written.
        synced: u32,
    },
    /// Every frame was read.
    Scan {
        /// What the frames, and the segment behind, say was on disk.
        synced: u32,
        /// Where whole frames go on behind what is none.
        resumes: Option<u32>,
        /// Bytes behind the frames that were being written.
        torn: u32,
    },
}

impl Ends {
    /// Reads those of segment `number`: a footer of another one is left from a former use.
    pub(crate) fn read(file: Arc<dyn VolumeFile>, number: u32) -> io::Result<Self> {
        let bytes = file.bytes()?;
        let mut start = [0; HEADER_BYTES];
        let header = match file.read_at(&mut start, 0) {
            Ok(()) => Header::decode(&start),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(NoHeader::Broken),
            Err(error) => return Err(error),
        };
        let mut trailer = [0; TRAILER_BYTES];
        let behind =
            bytes.checked_sub(TRAILER_BYTES as u64).filter(|at| HEADER_BYTES as u64 <= *at);
        let trailer = match behind {
            Some(at) => file.read_at(&mut trailer, at).map(|()| Trailer::decode(&trailer))?,
            None => None,
        };
        let trailer = trailer.filter(|trailer| trailer.number == number);
        let claimed_journals = Header::claimed_journals(&start);
        Ok(Self { file, bytes, header, claimed_journals, trailer })
    }

    /// Whether its room has become another segment's meanwhile.
    pub(crate) fn is_replaced(&self) -> io::Result<bool> {
        let mut start = [0; HEADER_BYTES];
        self.file.read_at(&mut start, 0)?;
        Ok(self.header.is_ok() && Header::decode(&start) != self.header)
    }

    /// Whether nothing was ever written to it.
    pub(crate) fn is_blank(&self) -> io::Result<bool> {
        const PIECE: usize = 1 << 16;
        let mut at = 0;
        while at < self.bytes {
            let length = PIECE.min(usize::try_from(self.bytes - at).unwrap_or(PIECE));
            let mut piece = vec![0; length];
            self.file.read_at(&mut piece, at)?;
            if piece.iter().any(|byte| *byte != 0) {
                return Ok(false);
            }
            at += length as u64;
        }
        Ok(true)
    }

    /// What it contains. `next` is what the segment behind says of it.
    pub(crate) fn load(&self, salt: Salt, next: Option<Previous>) -> io::Result<Loaded> {
        if let Some(loaded) = self.load_footer(salt)? {
            return Ok(loaded);
        }
        let bytes = self.contents()?;
        let limit = next.map_or(u32::MAX, |next| next.end);
        let Scan { footer, end, synced, hole } = scan(salt, &bytes, limit);
        let synced = synced.max(next.map_or(0, |next| next.synced));
        let (resumes, torn) = hole.map_or((None, 0), |hole| (hole.resumes, hole.torn));
        Ok(Loaded { footer, end, source: Source::Scan { synced, resumes, torn } })
    }

    /// The whole file.
    pub(crate) fn contents(&self) -> io::Result<Vec<u8>> {
        let length = usize::try_from(self.bytes).map_err(|_| ErrorKind::FileTooLarge)?;
        let mut bytes = vec![0; length];
        self.file.read_at(&mut bytes, 0)?;
        Ok(bytes)
    }

    fn load_footer(&self, salt: Salt) -> io::Result<Option<Loaded>> {
        let Some(trailer) = self.trailer else { return Ok(None) };
        let start = u64::from(trailer.footer);
        let Some(length) = self.bytes.checked_sub(start + TRAILER_BYTES as u64) else {
            return Ok(None);
        };
        let mut bytes = vec![0; usize::try_from(length).map_err(|_| ErrorKind::FileTooLarge)?];
        self.file.read_at(&mut bytes, start)?;
        let Ok(frame) = frame::decode(salt, trailer.footer, &bytes) else { return Ok(None) };
        if frame.kind != Kind::Footer {
            return Ok(None);
        }
        let source = Source::Footer { synced: frame.synced };
        let footer = Footer::read(frame.body, &trailer);
        Ok(footer.map(|footer| Loaded { footer, end: trailer.footer, source }))
    }
}

impl Loaded {
    pub(crate) fn has_footer(&self) -> bool {
        matches!(self.source, Source::Footer { .. })
    }

    /// Where something is missing that was on disk once.
    pub(crate) fn hole(&self) -> Option<u32> {
        match self.source {
            Source::Scan { synced, .. } if self.end < synced => Some(self.end),
            _ => None,
        }
    }
}
