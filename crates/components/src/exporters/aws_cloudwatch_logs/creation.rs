//! Creation: makes groups and streams that are missing.
//!
//! Groups are made once at a time each: of those who miss one, the first makes it and the others
//! wait for that, until their deadlines. Bounds: one entry for each group that is being made.
//! Invariant: who stops making a group, however it ends, tells those who wait.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use pipeline::{Code, Status};
use runtime::channel::{self, Ends, LatestReceiver, LatestSender, Sender};

use super::operation::{self, LogGroupClass, Operation};
use super::reply::{Failure, Kind};
use super::service::Service;
use super::telemetry::Telemetry;

/// How groups are made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) class: LogGroupClass,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) retention_days: Option<u32>,
}

/// Makes groups and streams that are missing.
#[derive(Debug)]
pub(super) struct Creation {
    pub(super) service: Arc<Service>,
    pub(super) group: Group,
    pub(super) telemetry: Telemetry,
    /// Names of new groups whose retention is to be set.
    pub(super) made: Sender<String>,
    pub(super) under_way: UnderWay,
}

/// `None` until it has ended.
type End = Option<Result<(), Failure>>;

/// The groups that are being made.
#[derive(Clone, Debug, Default)]
pub(super) struct UnderWay(Arc<Mutex<BTreeMap<String, LatestReceiver<End>>>>);

enum Part {
    Leads(Leader),
    Follows(LatestReceiver<End>),
}

/// Makes a group; tells how it ended, also when its task is stopped.
struct Leader {
    name: String,
    publish: LatestSender<End>,
    under_way: UnderWay,
    end: Result<(), Failure>,
}

impl Creation {
    /// Makes the stream, and its group when that is missing too. The stream first: who may use a
    /// group need not be allowed to make one.
    pub(super) async fn create(
        &self,
        group: &str,
        stream: &str,
        deadline: Instant,
    ) -> Result<(), Failure> {
        match self.stream(group, stream, deadline).await {
            Err(failure) if failure.kind == Kind::Missing => {
                self.group(group, deadline).await?;
                self.stream(group, stream, deadline).await
            }
            other => other,
        }
    }

    async fn stream(&self, group: &str, stream: &str, deadline: Instant) -> Result<(), Failure> {
        let body = operation::create_log_stream(group, stream);
        match self.service.call(Operation::CreateLogStream, body, deadline).await {
            Ok(_) => {
                self.telemetry.streams_created.add(1);
                Ok(())
            }
            Err(failure) if failure.kind == Kind::Exists => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    async fn group(&self, name: &str, deadline: Instant) -> Result<(), Failure> {
        match self.under_way.join(name) {
            Part::Leads(mut leader) => {
                leader.end = self.make_group(name, deadline).await;
                leader.end.clone()
            }
            Part::Follows(mut ends) => loop {
                if let Some(end) = ends.value() {
                    return end;
                }
                if !matches!(self.service.clock.by(deadline, ends.changed()).await, Ok(Some(_))) {
                    return Err(unfinished());
                }
            },
        }
    }

    async fn make_group(&self, name: &str, deadline: Instant) -> Result<(), Failure> {
        let body = operation::create_log_group(name, self.group.class, &self.group.tags);
        match self.service.call(Operation::CreateLogGroup, body, deadline).await {
            Ok(_) => {
                self.telemetry.groups_created.add(1);
                if self.group.retention_days.is_some()
                    && self.made.try_send(name.to_owned()).is_err()
                {
                    self.telemetry.retention_failed.add(1);
                }
                Ok(())
            }
            Err(failure) if failure.kind == Kind::Exists => Ok(()),
            Err(failure) => Err(failure),
        }
    }
}

impl UnderWay {
    fn join(&self, name: &str) -> Part {
        let mut all = self.lock();
        if let Some(ends) = all.get(name) {
            return Part::Follows(ends.clone());
        }
        let ends = Ends { from: "who makes a log group", to: "others who miss it" };
        let (publish, ends) = channel::latest(ends, None);
        all.insert(name.to_owned(), ends);
        let (name, under_way) = (name.to_owned(), self.clone());
        Part::Leads(Leader { name, publish, under_way, end: Err(unfinished()) })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, LatestReceiver<End>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        self.under_way.lock().remove(&self.name);
        self.publish.set(Some(self.end.clone()));
    }
}

fn unfinished() -> Failure {
    let message = "CreateLogGroup: the log group was not made in time";
    let status = Status::new(Code::DeadlineExceeded, message);
    Failure { kind: Kind::Other, operation: Operation::CreateLogGroup, status, delay: None }
}
