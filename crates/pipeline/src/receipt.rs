//! Receipt: the one answer that every admitted envelope is owed.
//!
//! Owner: whoever holds the envelope. A receipt is consumed by an outcome; one that is dropped
//! answers "unknown" and counts as a defect. Going the other way, a caller that leaves tells the
//! current [`Holder`], so that data which was not sent yet can be withdrawn.
//! Invariant: the sink of a receipt hears exactly one outcome.

use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use runtime::channel::{self, Ends, OnceReceiver, OnceSender};
use runtime::clock::Clock;

use crate::outcome::{Code, Outcome, Status, Verdict};

/// Hears outcomes. Never waits, and never calls back.
pub trait Sink: Send + Sync {
    /// The envelope that was handed over as `token` ended.
    fn answered(&self, token: u64, outcome: Outcome);
}

/// Hears that a caller no longer waits. Never waits, and never calls back.
pub trait Holder: Send + Sync {
    /// Nobody waits any more for what is held as `token`.
    fn left(&self, token: u64);
}

/// The duty to answer for `items` items.
#[must_use = "a receipt must be answered"]
pub struct Receipt {
    link: Option<Arc<Link>>,
    items: usize,
}

/// What connects a receipt to the one who waits for it.
struct Link {
    addressee: Addressee,
    has_left: AtomicBool,
    holder: Mutex<Option<(Arc<dyn Holder>, u64)>>,
}

/// Who hears the outcome.
enum Addressee {
    /// A caller, which may have left.
    Caller(Mutex<Option<OnceSender<Outcome>>>),
    Sink(Arc<dyn Sink>, u64),
}

/// The end at the edge: waits for the outcome; dropped without one, it tells the holder.
pub struct Waiter {
    link: Arc<Link>,
    outcome: OnceReceiver<Outcome>,
    is_answered: bool,
}

static LOST: AtomicU64 = AtomicU64::new(0);

/// How many receipts of this process were dropped unanswered. Anything but zero is a defect.
#[must_use]
pub fn lost_total() -> u64 {
    LOST.load(Ordering::Relaxed)
}

/// Makes the receipt of an envelope of `items` items and the waiter of its caller.
pub fn pair(items: usize) -> (Receipt, Waiter) {
    let (sender, outcome) = channel::once(Ends { from: "receipt", to: "waiting caller" });
    let receipt = Receipt::to(Addressee::Caller(Mutex::new(Some(sender))), items);
    let link = Arc::clone(receipt.link());
    (receipt, Waiter { link, outcome, is_answered: false })
}

impl Receipt {
    /// A receipt whose outcome goes to `sink` under `token`.
    pub fn new(sink: Arc<dyn Sink>, token: u64, items: usize) -> Self {
        Self::to(Addressee::Sink(sink, token), items)
    }

    fn to(addressee: Addressee, items: usize) -> Self {
        let has_left = AtomicBool::new(false);
        let link = Link { addressee, has_left, holder: Mutex::new(None) };
        Self { link: Some(Arc::new(link)), items }
    }

    /// How many items it answers for.
    #[must_use]
    pub fn items(&self) -> usize {
        self.items
    }

    /// Answers.
    pub fn answer(mut self, outcome: Outcome) {
        if let Some(link) = self.link.take() {
            link.addressee.hear(outcome);
        }
    }

    /// Answers that all items ended with `verdict`.
    pub fn answer_all(self, verdict: Verdict) {
        let items = self.items;
        self.answer(Outcome::all(items, verdict));
    }

    /// Whether nobody waits any more.
    #[must_use]
    pub fn has_left(&self) -> bool {
        self.link().has_left.load(Ordering::Acquire)
    }

    /// Names who is told, as `token`, when the caller leaves; it replaces the one before.
    /// A caller that has left already is told at once.
    pub fn held_by(&self, holder: Arc<dyn Holder>, token: u64) {
        let link = self.link();
        link.lock().replace((holder, token));
        if self.has_left() {
            link.tell_holder();
        }
    }

    /// A way to say that nobody waits any more, for who passes the data on under a receipt of its
    /// own.
    #[must_use]
    pub fn leaver(&self) -> Leaver {
        Leaver { link: Arc::clone(self.link()) }
    }

    /// Cuts the duty into pieces, each of the items of several ranges, in order; all children exist
    /// before any starts.
    #[must_use]
    pub fn sort(self, pieces: &[Vec<Range<usize>>]) -> Vec<Self> {
        let pieces: Vec<_> = pieces.iter().map(|ranges| Piece::of(ranges)).collect();
        let covered: usize = pieces.iter().map(|piece| piece.items).sum();
        debug_assert_eq!(covered, self.items, "pieces cover the receipt");
        self.into_children(pieces)
    }

    /// Copies the duty for `count` branches that all get the same items; the worst outcome wins.
    #[must_use]
    pub fn branch(self, count: usize) -> Vec<Self> {
        let whole = Piece { kept: vec![(0, 0..self.items)], items: self.items };
        self.into_children(vec![whole; count])
    }

    /// Narrows the duty to the `kept` ranges, in order; the other items count as delivered.
    pub fn narrow(self, kept: &[Range<usize>]) -> Self {
        let mut children = self.into_children(vec![Piece::of(kept)]);
        children.pop().expect("one piece makes one child")
    }

    fn into_children(self, pieces: Vec<Piece>) -> Vec<Self> {
        let join = Arc::new(Join {
            pieces: pieces.clone(),
            state: Mutex::new(JoinState { pending: pieces.len(), outcome: Outcome::default() }),
            parent: Mutex::new(None),
            children: Mutex::new(Vec::new()),
        });
        let children: Vec<Self> = (0u64..)
            .zip(&pieces)
            .map(|(token, piece)| Self::new(Arc::clone(&join) as Arc<dyn Sink>, token, piece.items))
            .collect();
        *lock(&join.children) = children.iter().map(|child| Arc::clone(child.link())).collect();
        self.held_by(Arc::clone(&join) as Arc<dyn Holder>, 0);
        *lock(&join.parent) = Some(self);
        children
    }

    fn link(&self) -> &Arc<Link> {
        self.link.as_ref().expect("a receipt has its link until it is consumed")
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        if let Some(link) = self.link.take() {
            LOST.fetch_add(1, Ordering::Relaxed);
            let status = Status::new(Code::Unavailable, "the request was lost inside; retry it");
            link.addressee.hear(Outcome::all(self.items, Verdict::Unknown(status)));
        }
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Receipt({} items)", self.items)
    }
}

impl Link {
    fn leave(&self) {
        if !self.has_left.swap(true, Ordering::AcqRel) {
            self.tell_holder();
        }
    }

    fn tell_holder(&self) {
        let holder = self.lock().take();
        if let Some((holder, token)) = holder {
            holder.left(token);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(Arc<dyn Holder>, u64)>> {
        lock(&self.holder)
    }
}

/// Says that nobody waits any more for a receipt. Dropping it says nothing.
pub struct Leaver {
    link: Arc<Link>,
}

impl Leaver {
    /// Tells the current holder of the receipt.
    pub fn leave(self) {
        self.link.leave();
    }
}

impl fmt::Debug for Leaver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Leaver")
    }
}

impl Waiter {
    /// Waits for the outcome until `deadline`; `None` when it passed, and the holder is told.
    pub async fn wait_until(mut self, clock: Clock, deadline: Instant) -> Option<Outcome> {
        let outcome = clock.by(deadline, self.outcome.recv()).await.ok().flatten();
        self.is_answered = outcome.is_some();
        outcome
    }

    /// Waits for the outcome as long as it takes; for edges that have nobody to answer to in time.
    pub async fn wait(mut self) -> Option<Outcome> {
        let outcome = self.outcome.recv().await;
        self.is_answered = outcome.is_some();
        outcome
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if !self.is_answered {
            self.link.leave();
        }
    }
}

impl fmt::Debug for Waiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Waiter")
    }
}

impl Addressee {
    fn hear(&self, outcome: Outcome) {
        match self {
            // The caller may have left; then nobody wants the outcome.
            Self::Caller(sender) => _ = lock(sender).take().map(|sender| sender.send(outcome).ok()),
            Self::Sink(sink, token) => sink.answered(*token, outcome),
        }
    }
}

/// Where the items of one child stand in the parent: (start in the child, range in the parent).
#[derive(Clone)]
struct Piece {
    kept: Vec<(usize, Range<usize>)>,
    items: usize,
}

impl Piece {
    fn of(ranges: &[Range<usize>]) -> Self {
        let mut items = 0;
        let mut kept = Vec::with_capacity(ranges.len());
        for range in ranges {
            kept.push((items, range.clone()));
            items += range.len();
        }
        Self { kept, items }
    }

    /// Translates an outcome of the child into the parent's item numbers.
    fn to_parent(&self, outcome: Outcome) -> Outcome {
        let mut parts = Vec::with_capacity(outcome.parts.len());
        for (range, verdict) in outcome.parts {
            let end_of = |(start, parent): &(usize, Range<usize>)| start + parent.len();
            // There may be as many entries as items: only those that overlap are looked at.
            let first = self.kept.partition_point(|entry| end_of(entry) <= range.start);
            let behind = self.kept.get(first..).unwrap_or_default().iter();
            for (start, parent) in behind.take_while(|(start, _)| *start < range.end) {
                let from = range.start.max(*start);
                let to = range.end.min(start + parent.len());
                if from < to {
                    let moved = parent.start + (from - start)..parent.start + (to - start);
                    parts.push((moved, verdict.clone()));
                }
            }
        }
        Outcome { parts, ..outcome }
    }
}

/// Waits, as data, for the outcomes of all children of one receipt.
struct Join {
    pieces: Vec<Piece>,
    state: Mutex<JoinState>,
    parent: Mutex<Option<Receipt>>,
    children: Mutex<Vec<Arc<Link>>>,
}

struct JoinState {
    pending: usize,
    outcome: Outcome,
}

impl Join {
    fn record(&self, token: u64, outcome: Outcome) -> Option<Outcome> {
        let piece = usize::try_from(token).ok().and_then(|index| self.pieces.get(index))?;
        let mut state = lock(&self.state);
        state.outcome.join(piece.to_parent(outcome));
        state.pending -= 1;
        (state.pending == 0).then(|| std::mem::take(&mut state.outcome))
    }
}

impl Sink for Join {
    fn answered(&self, token: u64, outcome: Outcome) {
        if let Some(total) = self.record(token, outcome) {
            lock(&self.children).clear();
            let parent = lock(&self.parent).take();
            if let Some(parent) = parent {
                parent.answer(total);
            }
        }
    }
}

impl Holder for Join {
    fn left(&self, _token: u64) {
        let children = lock(&self.children).clone();
        for child in children {
            child.leave();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
