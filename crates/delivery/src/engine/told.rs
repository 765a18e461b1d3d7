//! Told: what operators know of something that fails, and how loud its next failure is told.
//!
//! What only a person can mend is a warning at once, and everything else when it went on for
//! [`PATIENCE`]. What was a warning already is one again once each [`REMINDED_EVERY`], whatever of
//! it comes first; in between it is known.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pipeline::{Code, Status};

use super::lanes::LaneId;
use super::{Engine, LaneKey, Note};
use crate::target::Scope;

/// How long something may fail that may pass by itself.
const PATIENCE: Duration = Duration::from_mins(1);
const REMINDED_EVERY: Duration = Duration::from_mins(10);

/// How loud a failure is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// Someone is to do something about it.
    Warning,
    /// It began.
    News,
    Known,
}

/// What fails, as operators call it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Failing {
    Partition(Arc<LaneKey>),
    /// Whatever partitions rely on it.
    Scope(Scope),
}

/// Operators know that something fails.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    since: Instant,
    is_warned: bool,
}

impl fmt::Display for Failing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Partition(key) => key.fmt(f),
            Self::Scope(scope) => scope.fmt(f),
        }
    }
}

impl Engine {
    /// Tells operators that `items` of a lane are sent again after a while, and why. It fails by
    /// itself, or with all that rely on `scope`.
    pub(super) fn note_retry(
        &mut self,
        (id, scope): (LaneId, Option<&Scope>),
        (interval, status): (Duration, Status),
        items: usize,
        now: Instant,
    ) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        let (what, told) = match scope.and_then(|scope| Some((scope, self.scopes.told(scope)?))) {
            Some((scope, told)) => (Failing::Scope(scope.clone()), told),
            None => (Failing::Partition(Arc::clone(&lane.key)), &mut lane.told),
        };
        let is_first = told.is_none();
        let told = told.get_or_insert_with(|| Box::new(Told { since: now, is_warned: false }));
        let is_serious = remedy(status.code).is_some() || told.since + PATIENCE <= now;
        let is_reminder_due = self.reminded_at.is_none_or(|at| at + REMINDED_EVERY <= now);
        let urgency = if is_serious && (!told.is_warned || is_reminder_due) {
            told.is_warned = true;
            self.reminded_at = Some(now);
            Urgency::Warning
        } else if is_first {
            Urgency::News
        } else {
            Urgency::Known
        };
        self.note(Note::WillRetry { what, interval, status, items, urgency });
    }

    /// Tells that it works again, if operators know that it failed.
    pub(super) fn note_resumed(&mut self, told: Option<Box<Told>>, what: Failing) {
        if told.is_some() {
            self.note(Note::Resumed { what });
        }
    }
}

/// What a person is to do about it, if it fails until someone does.
pub(crate) fn remedy(code: Code) -> Option<&'static str> {
    match code {
        Code::Unauthenticated => Some("mend the credentials, or the clock of this host"),
        Code::PermissionDenied => Some("grant what the error names, or send elsewhere"),
        Code::NotFound => Some("make what the error names, or correct its name"),
        Code::FailedPrecondition | Code::Unimplemented => Some("mend what the error names"),
        _ => None,
    }
}
