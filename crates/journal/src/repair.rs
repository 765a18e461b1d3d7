//! Repair: saves what is whole of a damaged journal, and says exactly what was lost.
//!
//! A damaged segment is written anew from its whole frames, under the same number, so that what other
//! segments say about it still holds; the damaged file is kept beside it as `….damaged`.
//! Invariant: broken off and done again, it gives the same.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use runtime::volume::Volume;

use crate::frame::{Frame, Kind, Salt};
use crate::inspect::{Inspection, Problem, Progress, UNFINISHED, declares, inspect};
use crate::record::Record;
use crate::recovery::{Candidate, OpenError};
use crate::segment::{Header, Loaded, Previous, Salvage, Writer, name_of, number_of, salvage};
use crate::{Position, StreamId};

/// How often it is looked whether anything is left to do.
const ROUNDS_MAX: usize = 4;

/// What a repair did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    /// What was lost, where.
    pub lost: Vec<Problem>,
    /// Files that were written anew; what they were is kept under the second name.
    pub rewritten: Vec<(String, String)>,
    /// Streams whose name was lost, and the name that they have now.
    pub renamed: Vec<(StreamId, String)>,
}

/// Saves what is whole. The journal must not be in use.
pub fn repair(
    volume: Arc<dyn Volume>,
    mut progress: impl FnMut(Progress),
) -> Result<Repaired, OpenError> {
    let failed = |attempt: &str, error: io::Error| {
        let (attempt, volume) = (attempt.to_owned(), volume.name());
        OpenError::Io { attempt, volume, error }
    };
    if !volume.lock().map_err(|error| failed("take the lock", error))? {
        return Err(OpenError::Locked { volume: volume.name() });
    }
    remove_unfinished(&*volume).map_err(|error| failed("remove an unfinished repair", error))?;
    let mut repaired = Repaired::default();
    // What comes to light behind a hole may lack its stream's name; that is found in the next round.
    for _ in 0..ROUNDS_MAX {
        let inspection = inspect(Arc::clone(&volume))?;
        let mut problems = inspection.verify(&mut progress)?;
        problems.retain(|problem| problem.what != UNFINISHED);
        let before = repaired.rewritten.len();
        rewrite_all(&*volume, &inspection, &problems, &mut repaired)?;
        repaired.lost.extend(problems);
        if repaired.rewritten.len() == before {
            break;
        }
    }
    Ok(repaired)
}

fn rewrite_all(
    volume: &dyn Volume,
    inspection: &Inspection,
    problems: &[Problem],
    repaired: &mut Repaired,
) -> Result<(), OpenError> {
    let nameless = nameless(inspection);
    for candidate in inspection.candidates() {
        let file = name_of(candidate.number);
        let is_damaged = problems.iter().any(|problem| problem.file == file);
        let holds = nameless.iter().filter(|(_, segment)| *segment == candidate.number);
        let names: Vec<_> = holds.map(|(id, _)| (*id, format!("recovered-{}", id.0))).collect();
        if !is_damaged && names.is_empty() {
            continue;
        }
        let kept = rewrite(volume, inspection, candidate, &names).map_err(|error| {
            OpenError::Io { attempt: format!("rewrite {file}"), volume: volume.name(), error }
        })?;
        repaired.rewritten.push((file, kept));
        repaired.renamed.extend(names);
    }
    Ok(())
}

/// Streams with live records and no name, and a segment that has some of their records.
fn nameless(inspection: &Inspection) -> Vec<(StreamId, u32)> {
    let mut nameless = Vec::new();
    for stream in inspection.streams.iter().filter(|stream| stream.name.is_empty()) {
        let Some(first) = stream.first else { continue };
        nameless
            .extend(inspection.segment_of(stream.id, first).map(|segment| (stream.id, segment)));
    }
    nameless
}

fn rewrite(
    volume: &dyn Volume,
    inspection: &Inspection,
    candidate: &Candidate,
    names: &[(StreamId, String)],
) -> io::Result<String> {
    let (number, journal) = (candidate.number, inspection.journal());
    let salt = Salt { journal, segment: number };
    let bytes = Bytes::from(candidate.ends.contents()?);
    let salvage = salvage(salt, &bytes, inspection.bound(number));
    let (name, new) = (name_of(number), format!("{}.repaired", name_of(number)));
    let file = volume.create(&new, 0)?;
    let header = candidate.ends.header.unwrap_or(Header {
        journal,
        number,
        next_stream: next_stream(&salvage.frames),
        previous: Previous::default(),
        created: 0,
    });
    file.write_at(&[Bytes::copy_from_slice(&header.encoded())], 0)?;
    let mut writer = Writer::new(file, salt, u32::MAX);
    for (stream, name) in names {
        let record = Record::Declare { stream: *stream, next: Position(0), name: name.as_bytes() };
        writer.push(Kind::Declare, &[], vec![record.encoded().into()]);
    }
    let loaded = candidate.ends.load(salt, None)?;
    for_each_whole(&salvage, &loaded, |frame| {
        let Frame { kind, head, body, .. } = frame;
        writer.push(kind, head, vec![Bytes::copy_from_slice(body)]);
    });
    writer.write()?;
    writer.sync()?;
    writer.settle(writer.end(), true);
    writer.seal(true)?;
    let kept = free_name(volume, &name)?;
    let copy = volume.create(&kept, 0)?;
    copy.write_at(&[bytes], 0)?;
    copy.sync()?;
    volume.sync()?;
    // From here on it is the new one, at once and whole.
    volume.rename(&new, &name)?;
    volume.sync()?;
    Ok(kept)
}

/// Every frame that is whole, and those that the footer repeats.
fn for_each_whole(salvage: &Salvage<'_>, loaded: &Loaded, mut visit: impl FnMut(Frame<'_>)) {
    let whole: BTreeMap<u32, Frame<'_>> = salvage.frames.iter().copied().collect();
    if !loaded.has_footer() || salvage.lost.is_empty() {
        return whole.into_values().filter(|frame| frame.kind != Kind::Mark).for_each(visit);
    }
    for (entry, record) in loaded.footer.contents() {
        match (whole.get(&entry.offset), &record) {
            (Some(frame), _) => visit(*frame),
            (None, Record::Data { .. }) => {}
            (None, record) => {
                let (kind, body) = (record.kind(), record.encoded());
                visit(Frame { kind, synced: 0, checksum: 0, head: &[], body: &body });
            }
        }
    }
}

/// What a repair that was broken off left is made again.
fn remove_unfinished(volume: &dyn Volume) -> io::Result<()> {
    for entry in volume.list()? {
        let name = entry.name.strip_suffix(".repaired");
        if name.is_some_and(|name| number_of(name).is_some()) {
            volume.remove(&entry.name)?;
        }
    }
    Ok(())
}

fn free_name(volume: &dyn Volume, name: &str) -> io::Result<String> {
    let names: BTreeSet<String> = volume.list()?.into_iter().map(|entry| entry.name).collect();
    let numbered = (2..).map(|number| format!("{name}.damaged-{number}"));
    let mut free = std::iter::once(format!("{name}.damaged")).chain(numbered);
    free.find(|name| !names.contains(name)).ok_or_else(|| io::ErrorKind::AlreadyExists.into())
}

/// The streams that the frames speak of are taken.
fn next_stream(frames: &[(u32, Frame<'_>)]) -> u32 {
    let named = frames.iter().filter_map(|(_, frame)| declares(frame.kind, frame.body));
    named.map(|stream| stream.0.saturating_add(1)).max().unwrap_or(0)
}

#[cfg(test)]
mod tests;
