//! Start: begins to follow, and looks at folders when something may be new.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use runtime::channel::Ends;
use runtime::mailbox;
use runtime::watch::{Change, Watcher};

use super::look::{GATHERED, Look};
use super::{Event, HashMap, House, Offsets, Post, Saving, Tailer};
use crate::receivers::file_log::assemble::Now;
use crate::receivers::file_log::discovery::{self, Found};
use crate::receivers::file_log::file_system::FileSystem;
use crate::receivers::file_log::reading::{Begin, Done, Habits, Order, Reader};
use crate::receivers::file_log::stream::Stream;
use crate::receivers::file_log::tracker::{Record, Standing, Tracker};

impl<F: FileSystem> Tailer<F> {
    /// A tailer of files that were left at `records`.
    pub(in super::super) fn new(house: House<F>, offsets: Offsets, records: Vec<Record>) -> Self {
        let now = house.clock.now();
        let (post, mailbox) = mailbox::mailbox(Ends { from: "readers", to: "tailer" });
        let house = Arc::new(house);
        let changes = house.watcher.clone().map(|watcher| {
            let forward = forward(Arc::clone(&house), watcher, Post::clone(&post));
            house.scope.spawn("changes", forward)
        });
        let poll_interval = house.settings.limits.poll_interval;
        let look = Look::new(poll_interval, house.watcher.is_none(), now);
        Self {
            tracker: Tracker::new(house.settings.limits.clone(), records, now),
            open: HashMap::new(),
            streams: HashMap::new(),
            post,
            mailbox,
            offsets,
            look,
            failures: BTreeMap::new(),
            is_void_told: false,
            saving: Saving { at: now, is_running: false },
            leavers: HashMap::new(),
            starved_until: [None; 2],
            withdraw_at: [now; 2],
            first: Standing::Proven,
            drained_by: None,
            _changes: changes,
            house,
        }
    }

    pub(super) fn start_look(&mut self, now: Instant) {
        let is_due = self.look.next().is_some_and(|at| at <= now);
        if !is_due || self.drained_by.is_some() {
            return;
        }
        self.look.start(now);
        let house = Arc::clone(&self.house);
        let post = self.post.clone();
        let job = async move {
            let worker = Arc::clone(&house);
            let found = house.pool.run(move || worker.look()).await;
            let found = found.unwrap_or_else(|error| Found::failed(error.to_string()));
            post.signal(Event::Looked(Box::new(found)));
        };
        self.house.scope.spawn("look", job).detach();
    }

    pub(super) fn looked(&mut self, found: &Found, now: Instant) {
        self.tell_found(found);
        if self.look.end(found.unwatched.is_empty(), now) {
            let folder = found.unwatched.first();
            tracing::info!(?folder, "Looking for changes at intervals: the kernel does not tell.");
        }
        if found.is_whole {
            self.tracker.listed(&found.listing, now);
        }
    }

    /// Tells what cannot be looked at, once, and when it can be; and once that there is nothing to follow.
    fn tell_found(&mut self, found: &Found) {
        let receiver = &self.house.tally.receiver;
        let failures: BTreeMap<PathBuf, String> = found.failures.iter().cloned().collect();
        for (path, message) in &failures {
            if self.failures.get(path) != Some(message) {
                let path = path.display();
                tracing::warn!(%receiver, %path, error = message, "This cannot be followed; trying on.");
            }
        }
        for path in self.failures.keys().filter(|path| !failures.contains_key(*path)) {
            tracing::info!(%receiver, path = %path.display(), "This can be followed again, or is gone.");
        }
        self.failures = failures;
        let is_empty = found.is_whole && found.listing.files.is_empty();
        if is_empty && self.tracker.files() == 0 && !std::mem::replace(&mut self.is_void_told, true)
        {
            let include: Vec<_> =
                self.house.settings.wanted.include.iter().map(|one| &one.text).collect();
            tracing::warn!(%receiver, ?include, "No file is found by `include` yet.");
        }
    }

    pub(super) fn changed(&mut self, changes: &[Change], now: Instant) {
        let mut is_new = false;
        for change in changes {
            match change {
                Change::Written { folder, name } => {
                    is_new |= !self.tracker.changed(&folder.join(name), now);
                }
                Change::Named { folder, name } => {
                    self.tracker.changed(&folder.join(name), now);
                    is_new = true;
                }
                Change::FolderGone { .. } | Change::Overflowed => is_new = true,
            }
        }
        if is_new {
            self.look.hint(now);
        }
    }

    pub(super) fn deaf(&mut self, message: &str, now: Instant) {
        tracing::warn!(
            error = message,
            "The kernel tells of no more changes; looking at intervals."
        );
        self.look.deafen(now);
    }
}

impl<F: FileSystem> House<F> {
    /// Looks at all folders, on a thread that may block.
    fn look(&self) -> Found {
        let mut wanted = self.settings.wanted.clone();
        wanted.modified_after = self.settings.excluded_age.map(|age| {
            let since = self.clock.wall().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            u64::try_from(since.saturating_sub(age).as_nanos()).unwrap_or_default()
        });
        let mut found = discovery::look(&*self.files, &wanted);
        let Some(watcher) = &self.watcher else { return found };
        let known = watcher.folders();
        let mut unwatched = watcher.set_folders(&found.folders);
        if known != watcher.folders() {
            // What came before a folder was watched is seen now.
            found = discovery::look(&*self.files, &wanted);
            unwatched.extend(watcher.set_folders(&found.folders));
        }
        // A folder that is not there yet is found when all is looked at.
        unwatched.retain(|(_, error)| error.kind() != std::io::ErrorKind::NotFound);
        let remote = found.folders.iter().filter(|folder| self.files.is_remote(folder));
        unwatched.extend(
            remote.map(|folder| {
                (folder.clone(), std::io::Error::other("other hosts may write to it"))
            }),
        );
        found.unwatched = unwatched;
        found
    }

    /// Does one turn, on a thread that may block.
    pub(super) fn read(&self, order: Order<F::File>) -> Done<F::File> {
        let since = self.clock.wall().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let unix_nano = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
        let now = Now { instant: self.clock.now(), unix_nano };
        let content = &self.settings.content;
        let reader = Reader {
            files: &*self.files,
            habits: Habits {
                fingerprint: self.settings.fingerprint,
                has_header: content.header.is_some(),
                now,
            },
            make: |begin: Begin| {
                let source = self.sources.of(&begin.path, &begin.facts);
                let from = (begin.offset, &*begin.beginning);
                Box::new(Stream::new(content, source, from, now))
            },
        };
        reader.turn(order)
    }
}

async fn forward<F: FileSystem>(
    house: Arc<House<F>>,
    watcher: Arc<Watcher>,
    post: Post<Event<F>, Infallible>,
) {
    loop {
        match watcher.next().await {
            Ok(changes) => post.signal(Event::Changed(changes)),
            Err(error) => return post.signal(Event::Deaf(error.to_string())),
        }
        house.clock.sleep(GATHERED).await;
    }
}
