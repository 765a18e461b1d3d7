//! Vigil: decides how long one connection may stay open.
//!
//! Pure: time comes in as an argument, verdicts go out as values.
//! Owner: the task that serves the connection, of either version of HTTP.
//! Bounds: every state of a connection has a time at which it ends, except a request in progress,
//! which has its own deadline.

use std::time::{Duration, Instant};

/// How many requests a client may take back in [`RESETS_PERIOD`]: each costs work for nothing.
const RESETS_MAX: usize = 1_000;
const RESETS_PERIOD: Duration = Duration::from_secs(10);

/// What one connection may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// From the first byte of a request's head to its last, and from the start to the first head.
    pub head: Duration,
    /// Without a request.
    pub idle: Duration,
    /// For the client to take any part of a reply.
    pub write: Duration,
    /// After which the connection is asked to end.
    pub age: Option<Duration>,
    /// From being asked to end until it is cut.
    pub grace: Duration,
}

/// What the server may do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    WaitUntil(Instant),
    /// Ask the client to go: GOAWAY, or `connection: close`.
    Close,
    Cut,
}

/// The state of one connection.
#[derive(Debug)]
pub(crate) struct Vigil {
    patience: Patience,
    opened: Instant,
    /// HTTP/2 sends all its requests' heads after one preface, so only that is timed.
    preface_bytes: Option<u64>,
    bytes_read: u64,
    head_since: Option<Instant>,
    requests: usize,
    idle_since: Instant,
    /// Since when the client takes nothing of what was written.
    blocked_since: Option<Instant>,
    /// Since when nothing of the replies is wanted that are left.
    stuck_since: Option<Instant>,
    /// Since the time beside it.
    resets: (usize, Instant),
    closing_since: Option<Instant>,
}

impl Vigil {
    /// A connection that opened at `now`; an HTTP/2 one says how long its preface is.
    pub(crate) fn new(patience: Patience, preface_bytes: Option<u64>, now: Instant) -> Self {
        Self {
            patience,
            opened: now,
            preface_bytes,
            bytes_read: 0,
            head_since: Some(now),
            requests: 0,
            idle_since: now,
            blocked_since: None,
            stuck_since: None,
            resets: (0, now),
            closing_since: None,
        }
    }

    /// The client sent `count` bytes.
    pub(crate) fn read(&mut self, count: usize, now: Instant) {
        self.bytes_read = self.bytes_read.saturating_add(count as u64);
        match self.preface_bytes {
            Some(bytes) if bytes <= self.bytes_read => self.head_since = None,
            Some(_) => {}
            None if self.requests == 0 => {
                self.head_since.get_or_insert(now);
            }
            None => {}
        }
    }

    /// A request's head is complete.
    pub(crate) fn request_began(&mut self) {
        self.head_since = None;
        self.requests += 1;
    }

    /// A request and its reply are over.
    pub(crate) fn request_ended(&mut self, now: Instant) {
        self.requests -= 1;
        self.idle_since = now;
    }

    /// There are so many requests now, HTTP/2.
    pub(crate) fn requests_are(&mut self, count: usize, now: Instant) {
        if count < self.requests {
            self.idle_since = now;
        }
        self.requests = count;
    }

    /// The client took a request back before it had its reply.
    pub(crate) fn request_was_reset(&mut self, now: Instant) {
        let (count, since) = self.resets;
        let is_old = since + RESETS_PERIOD <= now;
        self.resets = if is_old { (1, now) } else { (count + 1, since) };
    }

    /// The client took some of what was written to the connection, or has to take some first.
    pub(crate) fn wrote(&mut self, is_blocked: bool, now: Instant) {
        let since = self.blocked_since.unwrap_or(now);
        self.blocked_since = is_blocked.then_some(since);
    }

    /// So many bytes of replies are on their way, HTTP/2; some may wait for the client to want them.
    pub(crate) fn sent(&mut self, bytes: usize, is_stuck: bool, now: Instant) {
        let since = self.stuck_since.filter(|_| bytes == 0).unwrap_or(now);
        self.stuck_since = is_stuck.then_some(since);
    }

    /// The client was asked to go.
    pub(crate) fn closing(&mut self, now: Instant) {
        self.closing_since.get_or_insert(now);
    }

    /// Asks what to do at `now`.
    pub(crate) fn ask(&self, now: Instant) -> Verdict {
        let (cut_at, close_at) = (self.cut_at(), self.close_at());
        match (cut_at, close_at) {
            (Some(at), _) if at <= now => Verdict::Cut,
            (_, Some(at)) if at <= now => Verdict::Close,
            _ => {
                let ends = [cut_at, close_at].into_iter().flatten().min();
                Verdict::WaitUntil(ends.unwrap_or(now + self.patience.write))
            }
        }
    }

    fn cut_at(&self) -> Option<Instant> {
        let head = self.head_since.map(|since| since + self.patience.head);
        let blocked = self.blocked_since.map(|since| since + self.patience.write);
        let stuck = self.stuck_since.map(|since| since + self.patience.write);
        let closed = self.closing_since.map(|since| since + self.patience.grace);
        let (count, since) = self.resets;
        let flooded = (RESETS_MAX < count).then_some(since);
        [head, blocked, stuck, closed, flooded].into_iter().flatten().min()
    }

    fn close_at(&self) -> Option<Instant> {
        if self.closing_since.is_some() {
            return None;
        }
        let idle = (self.requests == 0).then(|| self.idle_since + self.patience.idle);
        let age = self.patience.age.map(|age| self.opened + age);
        [idle, age].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests;
