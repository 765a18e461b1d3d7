//! Journal: the handle, and the threads behind it.
//!
//! A handle never waits: what is asked is answered on the thread that did it, through a sink that must
//! not wait either. Bounds: `waiting_bytes_max`; outcomes are always taken.

mod telemetry;
mod watch;

use std::fmt;
use std::io;
use std::ops::{Range, RangeInclusive};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use runtime::inbox::{self, Inbox, Refused, Sender};
use runtime::volume::{Volume, Watched};

use crate::index::Index;
use crate::reader::{Limits, Read, Reader};
use crate::recovery::{self, OpenError, Report};
use crate::scrub::Scrub;
use crate::settings::Settings;
use crate::store::syncer::Beside;
use crate::store::{Append, Counts, Forget, Request, Store};
use crate::{AppendError, Damage, Position, ReadError, StreamError, StreamId};

use watch::Watch;
pub use watch::{Hang, ToldOfTrouble, Trouble};

/// How long what could not be written waits for the next try.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// What is gathered during a sync is written in pieces of this size, long before its turn.
const WRITTEN_AHEAD_BYTES: usize = 512 << 10;

/// A journal that was opened.
#[derive(Debug)]
pub struct Opened {
    pub journal: Journal,
    pub streams: Vec<Recovered>,
    pub report: Report,
}

/// A stream that was there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    pub id: StreamId,
    pub name: Bytes,
    pub live_records: u64,
    pub live_bytes: u64,
    pub live_weight: u64,
    /// The first live record.
    pub first: Option<Position>,
}

/// How a journal stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// What data takes of `bytes_max`, dead data that was not removed yet included.
    pub bytes: u64,
    pub bytes_max: u64,
    pub live_bytes: u64,
    pub live_records: u64,
    pub segments: usize,
    pub streams: usize,
    /// The last append was refused for lack of room.
    pub is_full: bool,
    pub hang: Option<Hang>,
    /// What must become free on the disk before data is taken; 0 when that does not depend on it.
    pub lacks_bytes: u64,
    /// Records that cannot be read, one of each stream that has any.
    pub damage: Vec<Damage>,
}

/// A way to ask a journal. Clones are the same journal; it ends with the last of them.
#[derive(Clone)]
pub struct Journal {
    shared: Arc<Shared>,
}

struct Shared {
    requests: Sender<Request>,
    reads: Sender<Job>,
    state: Arc<State>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// What the threads and the handles share.
struct State {
    settings: Settings,
    index: Arc<Mutex<Index>>,
    watch: Arc<Watch>,
    counts: Counts,
    is_full: AtomicBool,
    /// What data may take still, as of the last group.
    bytes_free: AtomicU64,
    room: Mutex<Vec<Arc<dyn Fn() + Send + Sync>>>,
}

enum Job {
    Read {
        stream: StreamId,
        range: Range<u64>,
        limits: Limits,
        done: Box<dyn FnOnce(Result<Read, ReadError>) + Send>,
    },
    /// Segments went.
    Removed,
    Close,
}

/// Opens the journal in `volume`. Blocks: it reads the disk.
pub fn open(volume: Arc<dyn Volume>, settings: Settings) -> Result<Opened, OpenError> {
    open_watched(volume, settings, Arc::new(|_| {}))
}

/// Opens the journal in `volume`; `told` hears of trouble with its disk, while it is opened, too.
pub fn open_watched(
    volume: Arc<dyn Volume>,
    settings: Settings,
    told: ToldOfTrouble,
) -> Result<Opened, OpenError> {
    let watched = Watched::new(volume);
    let failed = |error| {
        let (attempt, volume) = ("start the threads".to_owned(), watched.name());
        OpenError::Io { attempt, volume, error }
    };
    let hangs_after = settings.hangs_after;
    let (watch, thread) = Watch::start(&watched, hangs_after, told).map_err(failed)?;
    let volume: Arc<dyn Volume> = Arc::new(watched.clone());
    let (store, report) =
        recovery::recover(Arc::clone(&volume), settings.clone()).inspect_err(|_| watch.end())?;
    let streams = recovered(&store.index());
    let state = State {
        settings,
        index: Arc::clone(&store.index),
        watch: Arc::clone(&watch),
        counts: store.counts.clone(),
        is_full: AtomicBool::new(false),
        bytes_free: AtomicU64::new(store.room()),
        room: Mutex::default(),
    };
    let reader = Reader::new(volume, Arc::clone(&store.index), store.journal);
    let journal = Journal::start(store, reader, Arc::new(state), thread)
        .inspect_err(|_| watch.end())
        .map_err(failed)?;
    Ok(Opened { journal, streams, report })
}

impl Journal {
    fn start(
        mut store: Store,
        reader: Reader,
        state: Arc<State>,
        watch: JoinHandle<()>,
    ) -> io::Result<Self> {
        let (requests, inbox) = inbox::inbox(state.settings.waiting_bytes_max);
        let (reads, jobs) = inbox::inbox(usize::MAX);
        let mut threads = vec![watch];
        let mut spawn = |name: &str, run: Box<dyn FnOnce() + Send>| {
            threads.push(std::thread::Builder::new().name(name.to_owned()).spawn(run)?);
            io::Result::Ok(())
        };
        if state.settings.is_synced {
            let (beside, thread) = Beside::new(inbox.bell(), state.counts.sync_took.clone());
            spawn("journal sync", Box::new(move || thread.run()))?;
            store.syncer = Box::new(beside);
        }
        let owner = Owner { store, state: Arc::clone(&state), removed: reads.clone() };
        spawn("journal", Box::new(move || owner.run(inbox)))?;
        let scrub = Scrub::new(state.settings.scrub_bytes_per_second);
        spawn("journal read", Box::new(move || serve(reader, scrub, jobs)))?;
        let shared = Shared { requests, reads, state, threads: Mutex::new(threads) };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The stream of this name; there is one from now on.
    pub fn stream(&self, name: impl Into<Bytes>) -> Result<StreamId, StreamError> {
        let name = name.into();
        let settings = &self.shared.state.settings;
        let (bytes, bytes_max) = (name.len(), settings.name_bytes_max());
        if bytes_max < bytes {
            return Err(StreamError::NameTooLong { bytes, bytes_max });
        }
        let streams_max = settings.streams_max;
        let id = self.shared.state.index().stream_named(&name, streams_max);
        id.ok_or(StreamError::TooMany { streams_max })
    }

    /// Appends a record; `done` is told when it is durable, or that it was refused.
    pub fn append(
        &self,
        stream: StreamId,
        weight: u32,
        body: Vec<Bytes>,
        done: impl FnOnce(Result<Position, AppendError>) + Send + 'static,
    ) {
        let bytes = body.iter().map(Bytes::len).sum::<usize>() + 1;
        let append = Append { stream, weight, body, done: Box::new(done) };
        let refused = match self.shared.requests.send(Request::Append(append), bytes) {
            Ok(()) => return,
            Err(Refused::Full(request)) => (request, AppendError::Busy),
            Err(Refused::Closed(request)) => (request, AppendError::Ended),
        };
        if let (Request::Append(append), error) = refused {
            (append.done)(Err(error));
        }
    }

    /// Reads the next live records behind `after`; from the first when `None`.
    pub fn read(
        &self,
        stream: StreamId,
        after: Option<Position>,
        limits: Limits,
        done: impl FnOnce(Result<Read, ReadError>) + Send + 'static,
    ) {
        let start = after.map_or(0, |after| after.0.saturating_add(1));
        let job = Job::Read { stream, range: start..u64::MAX, limits, done: Box::new(done) };
        if let Err(
            Refused::Closed(Job::Read { done, .. }) | Refused::Full(Job::Read { done, .. }),
        ) = self.shared.reads.send(job, 0)
        {
            done(Err(ReadError::Ended));
        }
    }

    /// Forgets records; durable with one of the next groups.
    pub fn forget(&self, stream: StreamId, ranges: Vec<RangeInclusive<Position>>) {
        self.ask_to_forget(stream, ranges, None);
    }

    /// Forgets records; `done` is told when that is durable, and dropped if the journal ends before.
    pub fn forget_then(
        &self,
        stream: StreamId,
        ranges: Vec<RangeInclusive<Position>>,
        done: impl FnOnce() + Send + 'static,
    ) {
        self.ask_to_forget(stream, ranges, Some(Box::new(done)));
    }

    /// Ends a stream with all its records; its name may be given to a new one.
    pub fn end_stream(&self, stream: StreamId) {
        drop(self.shared.requests.send(Request::End(stream), 0));
    }

    /// The streams that there are.
    #[must_use]
    pub fn streams(&self) -> Vec<Recovered> {
        recovered(&self.shared.state.index())
    }

    /// How it stands.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.shared.state.usage()
    }

    /// Whether there was room for a record of `bytes` when the last group was done; another may take it.
    #[must_use]
    pub fn has_room_for(&self, bytes: usize) -> bool {
        let Shared { state, requests, .. } = &*self.shared;
        let wanted = bytes as u64 + requests.weight() as u64;
        !state.is_full.load(Ordering::Relaxed) && wanted < state.bytes_free.load(Ordering::Relaxed)
    }

    /// Lets `told` be called each time that there is room again after appends were refused for lack of
    /// it. It must not wait.
    pub fn on_room(&self, told: impl Fn() + Send + Sync + 'static) {
        self.shared.state.room().push(Arc::new(told));
    }

    /// The settings it was opened with.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.shared.state.settings
    }

    /// Ends it after what was asked before, and blocks until its files are closed.
    pub fn close(&self) {
        drop(self.shared.requests.send(Request::Close, 0));
        let threads = std::mem::take(&mut *lock(&self.shared.threads));
        for thread in threads {
            // A thread that panicked has said so.
            drop(thread.join());
        }
    }

    fn ask_to_forget(
        &self,
        stream: StreamId,
        ranges: Vec<RangeInclusive<Position>>,
        done: Option<Box<dyn FnOnce() + Send>>,
    ) {
        let ranges = ranges.into_iter().map(|range| range.start().0..=range.end().0).collect();
        drop(self.shared.requests.send(Request::Forget(Forget { stream, ranges, done }), 0));
    }
}

/// The thread that owns the directory.
struct Owner {
    store: Store,
    state: Arc<State>,
    removed: Sender<Job>,
}

impl Owner {
    fn run(mut self, mut inbox: Inbox<Request>) {
        self.maintain();
        while let Some(requests) = self.next(&mut inbox) {
            let is_last = requests.iter().any(|request| matches!(request, Request::Close));
            if self.turn(requests) {
                self.maintain();
            }
            if is_last {
                break;
            }
        }
        self.store.seal();
    }

    /// Writes what is asked, and answers what is durable; whether anything was answered, or all is.
    fn turn(&mut self, requests: Vec<Request>) -> bool {
        let mut has_landed = false;
        // Between two syncs the disk waits for as little as can be: for the next group, if there is
        // none yet, and never for the answers to the last one.
        if self.store.is_ahead() && self.store.has_synced() {
            self.store.land();
            has_landed = true;
        }
        self.store.stage(requests);
        if self.store.has_synced() {
            self.store.land();
            has_landed = true;
        }
        has_landed || !self.store.is_syncing()
    }

    /// What is to be done next; nothing, when something must be tried or done further.
    fn next(&mut self, inbox: &mut Inbox<Request>) -> Option<Vec<Request>> {
        if self.store.is_syncing() {
            return inbox.gather(WRITTEN_AHEAD_BYTES);
        }
        let waiting = inbox.take(Some(Duration::ZERO))?;
        if !waiting.is_empty() || self.store.is_compacting() {
            return Some(waiting);
        }
        self.store.mark();
        inbox.take(self.store.is_owing().then_some(TRY_AGAIN_AFTER))
    }

    fn maintain(&mut self) {
        loop {
            while 0 < self.store.remove_dead() {
                drop(self.removed.send(Job::Removed, 0));
                // What found no room before may find some now.
                self.store.commit(Vec::new());
            }
            // A segment that was emptied goes before the next one is begun.
            if !self.store.compact() || self.store.is_compacting() {
                break;
            }
        }
        self.store.keep_spares();
        self.tell_of_room();
    }

    fn tell_of_room(&mut self) {
        self.state.bytes_free.store(self.store.room(), Ordering::Relaxed);
        if self.store.take_refused() {
            self.state.is_full.store(true, Ordering::Relaxed);
        }
        self.state.watch.set_lacks(self.store.lacks());
        if self.state.is_full.load(Ordering::Relaxed) && self.store.has_room() {
            self.state.is_full.store(false, Ordering::Relaxed);
            let told = self.state.room().clone();
            told.iter().for_each(|told| told());
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        drop(self.removed.send(Job::Close, 0));
        self.state.watch.end();
    }
}

/// The life of the reading thread: reads, and between them the scrub.
fn serve(mut reader: Reader, mut scrub: Scrub, mut jobs: Inbox<Job>) {
    while let Some(jobs) = jobs.take(Some(scrub.pause())) {
        if jobs.is_empty() {
            scrub.step(&mut reader);
        }
        for job in jobs {
            match job {
                Job::Read { stream, range, limits, done } => {
                    done(reader.read(stream, range, limits));
                }
                Job::Removed => reader.close_removed(),
                Job::Close => return,
            }
        }
    }
}

impl State {
    fn usage(&self) -> Usage {
        let hang = self.watch.hang();
        let index = self.index();
        Usage {
            bytes: index.bytes(),
            bytes_max: self.settings.bytes_max,
            live_bytes: index.live_bytes,
            live_records: index.live_records,
            segments: index.segments.len(),
            streams: index.streams.len(),
            is_full: self.is_full.load(Ordering::Relaxed),
            hang,
            lacks_bytes: self.watch.lacks(),
            damage: index.streams.values().filter_map(|stream| stream.damage.clone()).collect(),
        }
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        lock(&self.index)
    }

    fn room(&self) -> MutexGuard<'_, Vec<Arc<dyn Fn() + Send + Sync>>> {
        lock(&self.room)
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let usage = self.usage();
        write!(f, "Journal({} live records in {} segments)", usage.live_records, usage.segments)
    }
}

fn recovered(index: &Index) -> Vec<Recovered> {
    let streams = index.streams.iter().map(|(id, stream)| Recovered {
        id: *id,
        name: stream.name.clone().unwrap_or_default(),
        live_records: stream.live.len() as u64,
        live_bytes: stream.live_bytes,
        live_weight: stream.live_weight,
        first: stream.live.first().map(Position),
    });
    streams.collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
