//! World: a simulated file system, and a tracker and a reader over it that move one step at a time.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use pipeline::{Code, Outcome, Status, Verdict};
use prost::Message as _;
use runtime::clock::Clock;

use crate::receivers::file_log::assemble::{FileSource, Now};
use crate::receivers::file_log::content::ContentWords;
use crate::receivers::file_log::discovery::{self, Wanted};
use crate::receivers::file_log::entry::{FileKey, Map};
use crate::receivers::file_log::file_system::{Entry, Facts, FileSystem, Kind};
use crate::receivers::file_log::glob::Glob;
use crate::receivers::file_log::identity::Stamp;
use crate::receivers::file_log::reading::{Begin, Done, Habits, Order, Reader};
use crate::receivers::file_log::stream::{Batch, Stream};
use crate::receivers::file_log::tracker::{
    Action, Event, Key, Limits, Record, Retry, Standing, Tracker, Truncated,
};
use crate::receivers::file_log::window::{SENT_MAX, Token};

/// The folder of all simulated files.
pub(super) const FOLDER: &str = "/logs";

#[derive(Debug)]
pub(super) struct Node {
    inode: u64,
    generation: u64,
    pub bytes: Mutex<Vec<u8>>,
    links: AtomicU64,
    changes: AtomicU64,
}

/// Files in memory; the inodes of removed files are given out again at once.
#[derive(Debug, Default)]
pub(super) struct Disk {
    names: Mutex<BTreeMap<PathBuf, Arc<Node>>>,
    /// Files that may not be opened.
    pub denied: Mutex<BTreeSet<PathBuf>>,
    /// Files are told apart by when they were born.
    pub has_no_handles: AtomicBool,
    generation: AtomicU64,
    clock: AtomicU64,
}

impl Disk {
    pub(super) fn node(&self, path: &Path) -> Option<Arc<Node>> {
        self.names.lock().unwrap().get(path).cloned()
    }

    /// Appends, to a new file if there is none.
    pub(super) fn write(&self, path: &Path, bytes: &[u8], in_use: &[u64]) {
        let node = self.node(path).unwrap_or_else(|| {
            let mut names = self.names.lock().unwrap();
            let is_taken = |inode: &u64| {
                names.values().any(|one| one.inode == *inode) || in_use.contains(inode)
            };
            let inode = (1..).find(|inode| !is_taken(inode)).unwrap();
            let generation = self.generation.fetch_add(1, Ordering::Relaxed);
            let (links, changes) = (AtomicU64::new(1), AtomicU64::new(0));
            let node = Node { inode, generation, bytes: Mutex::default(), links, changes };
            let node = Arc::new(node);
            names.insert(path.to_owned(), Arc::clone(&node));
            node
        });
        node.bytes.lock().unwrap().extend_from_slice(bytes);
        self.touch(&node);
    }

    pub(super) fn truncate(&self, path: &Path) {
        if let Some(node) = self.node(path) {
            node.bytes.lock().unwrap().clear();
            self.touch(&node);
        }
    }

    pub(super) fn rename(&self, from: &Path, to: &Path) {
        let mut names = self.names.lock().unwrap();
        if let Some(node) = names.remove(from) {
            let replaced = names.insert(to.to_owned(), node);
            replaced.map(|node| node.links.fetch_sub(1, Ordering::Relaxed));
        }
    }

    pub(super) fn link(&self, node: &Arc<Node>, path: &Path) {
        node.links.fetch_add(1, Ordering::Relaxed);
        self.names.lock().unwrap().insert(path.to_owned(), Arc::clone(node));
    }

    pub(super) fn remove(&self, path: &Path) {
        let node = self.names.lock().unwrap().remove(path);
        node.map(|node| node.links.fetch_sub(1, Ordering::Relaxed));
    }

    fn touch(&self, node: &Node) {
        node.changes.store(self.clock.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
    }
}

impl FileSystem for Arc<Disk> {
    type File = Arc<Node>;

    fn open(&self, path: &Path) -> io::Result<Arc<Node>> {
        if self.denied.lock().unwrap().contains(path) {
            return Err(ErrorKind::PermissionDenied.into());
        }
        self.node(path).ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn facts(&self, node: &Arc<Node>) -> io::Result<Facts> {
        let size = node.bytes.lock().unwrap().len() as u64;
        // All are born at the same moment, unless nothing else tells them apart.
        let is_telling = self.has_no_handles.load(Ordering::Relaxed);
        let born = if is_telling { node.generation + 1 } else { 1 };
        Ok(Facts {
            stamp: Stamp::new(1, node.inode, born),
            size,
            length: Some(size),
            modified: node.changes.load(Ordering::Relaxed),
            links: node.links.load(Ordering::Relaxed),
            ..Facts::default()
        })
    }

    fn handle(&self, node: &Arc<Node>) -> Option<Box<[u8]>> {
        let has_handles = !self.has_no_handles.load(Ordering::Relaxed);
        has_handles.then(|| node.generation.to_be_bytes().into())
    }

    fn read_at(&self, node: &Arc<Node>, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = node.bytes.lock().unwrap();
        let rest = bytes.get(usize::try_from(offset).unwrap()..).unwrap_or_default();
        let read = rest.len().min(buffer.len());
        buffer[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }

    fn look(&self, path: &Path) -> io::Result<Facts> {
        self.facts(&self.node(path).ok_or(ErrorKind::NotFound)?)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        let names = self.names.lock().unwrap();
        let inside = names.iter().filter(|(path, _)| path.parent() == Some(folder));
        let entries = inside.map(|(path, node)| Entry {
            name: path.file_name().unwrap().to_owned(),
            inode: node.inode,
            kind: Kind::File,
        });
        Ok(entries.collect())
    }

    fn remove(&self, path: &Path, node: &Arc<Node>) -> io::Result<bool> {
        let is_same = self.node(path).is_some_and(|found| Arc::ptr_eq(&found, node));
        if is_same {
            Disk::remove(self, path);
        }
        Ok(is_same)
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(path.to_owned())
    }

    fn is_remote(&self, _folder: &Path) -> bool {
        false
    }
}

/// A tracker, a reader and who takes the records.
pub(super) struct World {
    pub disk: Arc<Disk>,
    pub now: Instant,
    pub limits: Limits,
    pub tracker: Tracker,
    open: HashMap<Key, Arc<Node>>,
    streams: HashMap<Key, Box<Stream>>,
    /// What was done and not reported.
    pub begun: Vec<(Key, Done<Arc<Node>>)>,
    pub in_flight: BTreeMap<Token, Vec<String>>,
    pub saved: Vec<Record>,
    pub delivered: Vec<String>,
    pub told: Vec<Event>,
    pub pattern: &'static str,
    pub content: ContentWords,
}

pub(super) fn limits() -> Limits {
    Limits {
        starts_at_end: false,
        open_max: 3,
        batches_max: None,
        poll_interval: Duration::from_millis(200),
        flush_after: None,
        chunk_min: 8,
        chunk_max: 64,
        trial_max: SENT_MAX,
        retry: Retry {
            initial: Duration::from_millis(100),
            max: Duration::from_secs(1),
            give_up: None,
        },
        truncated: Truncated::Whole,
        removed_after: None,
        forgotten_after: Duration::from_hours(1),
    }
}

impl World {
    pub(super) fn new(limits: Limits) -> Self {
        let now = Clock.now();
        Self {
            disk: Arc::default(),
            now,
            tracker: Tracker::new(limits.clone(), Vec::new(), now),
            limits,
            open: HashMap::new(),
            streams: HashMap::new(),
            begun: Vec::new(),
            in_flight: BTreeMap::new(),
            saved: Vec::new(),
            delivered: Vec::new(),
            told: Vec::new(),
            pattern: "/logs/*.log*",
            content: ContentWords::default(),
        }
    }

    pub(super) fn path(name: &str) -> PathBuf {
        Path::new(FOLDER).join(name)
    }

    pub(super) fn write(&mut self, name: &str, text: &str) {
        let in_use: Vec<u64> = self.opened().map(|node| node.inode).collect();
        self.disk.write(&Self::path(name), text.as_bytes(), &in_use);
    }

    /// Rotates as `copytruncate` does, if there is a file of this name.
    pub(super) fn copy_and_truncate(&mut self, name: &str, copy: &str) {
        if let Some(node) = self.disk.node(&Self::path(name)) {
            let bytes = node.bytes.lock().unwrap().clone();
            self.write(copy, std::str::from_utf8(&bytes).unwrap());
            self.disk.truncate(&Self::path(name));
        }
    }

    /// Whether the file of this name is open.
    pub(super) fn is_open(&self, name: &str) -> bool {
        let node = self.disk.node(&Self::path(name));
        node.is_some_and(|node| self.opened().any(|open| Arc::ptr_eq(open, &node)))
    }

    fn opened(&self) -> impl Iterator<Item = &Arc<Node>> {
        // A turn may have closed its file, though nobody knows yet.
        let is_begun = |key: &Key| self.begun.iter().any(|(begun, _)| begun == key);
        let at_rest = self.open.iter().filter(move |(key, _)| !is_begun(key)).map(|(_, node)| node);
        at_rest.chain(self.begun.iter().filter_map(|(_, done)| done.file.as_ref()))
    }

    pub(super) fn look(&mut self) {
        let wanted = Wanted {
            include: Glob::parse(self.pattern).unwrap(),
            exclude: Vec::new(),
            modified_after: None,
            ordering: None,
            skips_compressed: true,
            own_folder: PathBuf::from("/own"),
        };
        let found = discovery::look(&self.disk, &wanted);
        self.tracker.listed(&found.listing, self.now);
        self.act();
    }

    /// One turn; `false` when there is none to be done.
    pub(super) fn turn(&mut self) -> bool {
        let is_begun = self.begin();
        if is_begun {
            self.finish(self.begun.len() - 1);
        }
        is_begun
    }

    /// Does a turn whose report comes later; `false` when there is none to be done.
    pub(super) fn begin(&mut self) -> bool {
        self.tracker.wake(self.now);
        let turn = Standing::ALL.into_iter().find_map(|one| self.tracker.next_turn(one, self.now));
        // Room may have been made by closing others, be there a turn or not.
        self.act();
        let Some(turn) = turn else { return false };
        let stream = self.streams.remove(&turn.key).filter(|_| !turn.is_afresh);
        let file = self.open.get(&turn.key).cloned();
        let now = Now { instant: self.now, unix_nano: 1 };
        let content = self.content.clone().validate().unwrap();
        let reader = Reader {
            files: &self.disk,
            habits: Habits { fingerprint: 64, has_header: false, now },
            make: |begin: Begin| {
                let source = FileSource::new(FileKey::default(), Map::new(), Map::new());
                let from = (begin.offset, &*begin.beginning);
                Box::new(Stream::new(&content, source, from, now))
            },
        };
        let order = Order { path: turn.path, file, goal: turn.goal, stream };
        self.begun.push((turn.key, reader.turn(order)));
        true
    }

    /// Reports the turn that was begun as this one of those that are not reported.
    pub(super) fn finish(&mut self, at: usize) {
        let (key, done) = self.begun.remove(at);
        match done.file {
            Some(file) => self.open.insert(key, file),
            None => self.open.remove(&key),
        };
        done.stream.map(|stream| self.streams.insert(key, stream));
        let token = self.tracker.turned(key, done.report, self.now);
        if let (Some(token), Some(batch)) = (token, done.batch) {
            self.in_flight.insert(token, lines(&batch));
        }
        self.act();
    }

    /// Looks and reads until nothing more moves.
    pub(super) fn read_all(&mut self) {
        while !self.begun.is_empty() {
            self.finish(0);
        }
        self.look();
        for _ in 0..10_000 {
            if !self.turn() {
                return;
            }
        }
        panic!("reading does not come to an end: {:?}", self.tracker);
    }

    /// Answers a payload for all its items.
    pub(super) fn answer(&mut self, token: Token, verdict: &Verdict) {
        let items = self.in_flight[&token].len();
        self.answer_parts(token, vec![(0..items, verdict.clone())]);
    }

    pub(super) fn answer_parts(
        &mut self,
        token: Token,
        parts: Vec<(std::ops::Range<usize>, Verdict)>,
    ) {
        let lines = self.in_flight.remove(&token).unwrap();
        for (range, verdict) in &parts {
            if *verdict == Verdict::Delivered {
                self.delivered.extend(lines[range.clone()].iter().cloned());
            }
        }
        let outcome = Outcome { parts, ..Outcome::default() };
        self.tracker.answered(token, &outcome, self.now);
        self.act();
    }

    pub(super) fn deliver_all(&mut self) {
        while let Some(token) = self.in_flight.keys().next().copied() {
            self.answer(token, &Verdict::Delivered);
        }
    }

    /// Lets time pass and everything be read and delivered.
    pub(super) fn settle(&mut self) {
        for _ in 0..40 {
            self.pass(Duration::from_millis(500));
            self.read_all();
            self.deliver_all();
        }
    }

    pub(super) fn pass(&mut self, period: Duration) {
        self.now += period;
        self.tracker.wake(self.now);
        self.act();
    }

    pub(super) fn save(&mut self) {
        for record in self.tracker.take_unsaved(1000) {
            self.saved.retain(|one| !one.identity.is_same(&record.identity));
            self.saved.push(record);
        }
        self.tracker.saved(&[]);
    }

    /// Everything but the disk and what was saved is gone.
    pub(super) fn crash(&mut self) {
        self.tracker = Tracker::new(self.limits.clone(), self.saved.clone(), self.now);
        self.open.clear();
        self.streams.clear();
        self.begun.clear();
        self.in_flight.clear();
    }

    fn act(&mut self) {
        for action in self.tracker.take_actions() {
            match action {
                Action::Close(key) => drop(self.open.remove(&key)),
                Action::Drop(key) => {
                    self.open.remove(&key);
                    self.streams.remove(&key);
                }
                Action::Forget(identity) => {
                    self.saved.retain(|one| !one.identity.is_same(&identity));
                }
                Action::Tell(event) => self.told.push(event),
            }
        }
        assert!(self.open.len() <= self.limits.open_max, "too many files are open");
        assert_eq!(self.open.len(), self.tracker.open_files());
    }
}

pub(super) fn later() -> Verdict {
    let status = Status::new(Code::Unavailable, "busy");
    Verdict::RetryAfter { delay: Some(Duration::from_millis(300)), status }
}

/// The texts of the records of a batch.
fn lines(batch: &Batch) -> Vec<String> {
    texts(&batch.payload)
}

/// The texts of the records of a payload.
pub(super) fn texts(payload: &wire::Payload) -> Vec<String> {
    let request = ExportLogsServiceRequest::decode(payload.to_bytes()).unwrap();
    let scopes = request.resource_logs.into_iter().flat_map(|resource| resource.scope_logs);
    let records = scopes.flat_map(|scope| scope.log_records);
    let text = |value| match value {
        Some(Value::StringValue(text)) => text,
        other => panic!("no text: {other:?}"),
    };
    records.map(|record| text(record.body.unwrap().value)).collect()
}
