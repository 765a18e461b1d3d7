//! A store on a simulated disk, and what its callers were told.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use runtime::random::Random;
use runtime::volume::simulated::Simulated;
use runtime::volume::{Volume, VolumeFile};

use super::super::syncer::Syncer;
use super::super::{Append, Forget, Request, Store};
use crate::reader::{Limits, Reader};
use crate::recovery::{OpenError, Report, recover};
use crate::settings::Settings;
use crate::{AppendError, ReadError};
use crate::{Position, StreamId};

/// A record that somebody wanted to be stored; its body is told from all others by its number.
#[derive(Clone, Debug)]
pub(crate) struct Submitted {
    pub(crate) name: Bytes,
    pub(crate) body: Bytes,
    pub(crate) weight: u32,
    /// Steps of the disk before it was submitted.
    pub(crate) at: u64,
    /// The answer, and the steps before it.
    pub(crate) answer: Option<(u64, Result<Position, AppendError>)>,
    pub(crate) forget_asked: Option<u64>,
    pub(crate) forget_durable: Option<u64>,
}

/// What callers did and were told.
pub(crate) type Tale = Arc<Mutex<Vec<Submitted>>>;

pub(crate) struct World {
    pub(crate) disk: Simulated,
    pub(crate) store: Store,
    pub(crate) tale: Tale,
}

/// A syncer that takes its time: the disk does its work when it is begun, or when it is waited for.
/// What is written meanwhile is beyond it, or shares its fate.
pub(crate) struct Unhurried {
    random: Random,
    running: Option<Arc<dyn VolumeFile>>,
    ended: Option<io::Result<()>>,
}

/// What a journal holds: stream name and position to weight and body.
pub(crate) type Held = BTreeMap<(Bytes, u64), (u32, Bytes)>;

pub(crate) fn settings() -> Settings {
    Settings { segment_bytes: 2048, ..Settings::sized(64 * 2048) }
}

pub(crate) fn open(disk: &Simulated, settings: Settings) -> Result<(Store, Report), OpenError> {
    recover(Arc::new(disk.clone()), settings)
}

impl Unhurried {
    pub(crate) fn new(random: &Random) -> Self {
        Self { random: random.clone(), running: None, ended: None }
    }
}

impl Syncer for Unhurried {
    fn begin(&mut self, file: Arc<dyn VolumeFile>) {
        assert!(self.running.is_none() && self.ended.is_none(), "one sync at a time");
        if self.random.below(2) == 0 {
            self.ended = Some(file.sync());
        } else {
            self.running = Some(file);
        }
    }

    fn has_ended(&self) -> bool {
        self.random.below(2) == 0
    }

    fn wait(&mut self) -> io::Result<()> {
        let ended = self.ended.take().or_else(|| self.running.take().map(|file| file.sync()));
        ended.expect("a sync was begun")
    }
}

impl World {
    pub(crate) fn new(disk: Simulated, settings: Settings) -> Self {
        let (store, _) = open(&disk, settings).expect("it opens");
        #[cfg(mutants)]
        let store = Store { mutant: super::super::mutant::Mutant::chosen(), ..store };
        Self { disk, store, tale: Tale::default() }
    }

    pub(crate) fn stream(&self, name: &Bytes) -> StreamId {
        self.store.index().stream_named(name, 100).expect("there is room")
    }

    /// A request to append a new record.
    pub(crate) fn append(&self, name: &Bytes, length: usize, weight: u32) -> Request {
        let stream = self.stream(name);
        let (tale, disk) = (Arc::clone(&self.tale), self.disk.clone());
        let mut submitted = self.tale.lock().unwrap();
        let number = submitted.len();
        let mut body = (number as u64).to_le_bytes().to_vec();
        body.resize(8 + length, number as u8);
        let body = Bytes::from(body);
        submitted.push(Submitted {
            name: name.clone(),
            body: body.clone(),
            weight,
            at: self.disk.steps(),
            answer: None,
            forget_asked: None,
            forget_durable: None,
        });
        let done = move |answer| {
            let before = tale.lock().unwrap()[number].answer.replace((disk.steps(), answer));
            assert!(before.is_none(), "told twice");
        };
        let half = body.len() / 2;
        let body = vec![body.slice(..half), body.slice(half..)];
        Request::Append(Append { stream, weight, body, done: Box::new(done) })
    }

    /// A request to forget records that were acknowledged.
    pub(crate) fn forget(&self, numbers: Vec<usize>) -> Vec<Request> {
        numbers.into_iter().filter_map(|number| self.forget_one(number)).collect()
    }

    fn forget_one(&self, number: usize) -> Option<Request> {
        let (tale, disk) = (Arc::clone(&self.tale), self.disk.clone());
        let mut submitted = self.tale.lock().unwrap();
        let record = &mut submitted[number];
        let Some((_, Ok(position))) = record.answer else { return None };
        if record.forget_asked.is_some() {
            return None;
        }
        record.forget_asked = Some(disk.steps());
        let stream = self.store.index().stream_named(&record.name, 100)?;
        let done = move || tale.lock().unwrap()[number].forget_durable = Some(disk.steps());
        let ranges = vec![position.0..=position.0];
        Some(Request::Forget(Forget { stream, ranges, done: Some(Box::new(done)) }))
    }

    /// Commits, and does what the thread would do behind it.
    pub(crate) fn turn(&mut self, requests: Vec<Request>) {
        self.store.commit(requests);
        self.maintain();
    }

    /// Writes, and lands what was synced meanwhile, as the thread does.
    fn overlapping_turn(&mut self, requests: Vec<Request>) {
        self.store.stage(requests);
        if self.store.has_synced() {
            self.store.land();
            self.maintain();
        }
    }

    pub(crate) fn maintain(&mut self) {
        self.store.remove_dead();
        while self.store.compact() {
            self.store.remove_dead();
        }
        self.store.keep_spares();
    }

    /// Numbers of records that were acknowledged and not forgotten.
    pub(crate) fn living(&self) -> Vec<usize> {
        let tale = self.tale.lock().unwrap();
        let lives =
            |one: &Submitted| one.forget_asked.is_none() && matches!(one.answer, Some((_, Ok(_))));
        (0..tale.len()).filter(|number| lives(&tale[*number])).collect()
    }

    /// One turn of random requests.
    pub(crate) fn random_turn(&mut self, random: &Random) {
        let names = ["one", "two", "a stream with a longer name"].map(Bytes::from);
        let mut requests = Vec::new();
        for _ in 0..random.below(5) {
            let name = &names[random.below(3) as usize];
            let length = [3, 40, 700][random.below(3) as usize];
            requests.push(self.append(name, random.below(length) as usize, random.below(9) as u32));
        }
        let living = self.living();
        if !living.is_empty() {
            let some =
                (0..random.below(6)).map(|_| living[random.below(living.len() as u64) as usize]);
            requests.extend(self.forget(some.collect()));
        }
        if random.below(3) == 0 {
            self.turn(requests);
        } else {
            self.overlapping_turn(requests);
        }
        if random.below(2) == 0 {
            self.store.mark();
        }
    }
}

/// Everything that lives, read back.
pub(crate) fn held(store: &Store) -> Result<Held, ReadError> {
    let mut reader =
        Reader::new(Arc::clone(&store.volume), Arc::clone(&store.index), store.journal);
    let index = store.index();
    let names: Vec<_> =
        index.streams.iter().map(|(id, stream)| (*id, stream.name.clone().unwrap())).collect();
    drop(index);
    let mut held = Held::new();
    for (id, name) in names {
        for stored in read_all(&mut reader, id, 0..u64::MAX)? {
            held.insert((name.clone(), stored.position.0), (stored.weight, stored.body));
        }
    }
    Ok(held)
}

fn read_all(
    reader: &mut Reader,
    id: StreamId,
    range: Range<u64>,
) -> Result<Vec<crate::reader::Stored>, ReadError> {
    let limits = Limits { records_max: 3, bytes_max: 500 };
    let (mut all, mut start) = (Vec::new(), range.start);
    loop {
        let records = reader.read(id, start..range.end, limits)?.records;
        let Some(last) = records.last() else { return Ok(all) };
        start = last.position.0 + 1;
        all.extend(records);
    }
}

/// The files of a disk.
pub(crate) fn files(disk: &Simulated) -> Vec<String> {
    disk.list().unwrap().into_iter().map(|entry| entry.name).collect()
}
