//! The service `grpc.health.v1.Health`: whether this port takes data.

use bytes::Bytes;
use futures_util::stream;
use http_body::Frame;
use pipeline::{Code, Outlets, Status};
use runtime::clock::Clock;
use runtime::shutdown::Shutdown;
use wire::Signal;
use wire::descriptor::{Serving, health_response, health_service};

use super::messages::Messages;
use super::{TurnedAway, reply, service_of};
use crate::receivers::otlp::transport::{Body, ReplyBody};

/// What answers depend on.
#[derive(Clone, Debug)]
pub(super) struct Health {
    pub drain: Shutdown,
    pub clock: Clock,
    pub outlets: Outlets,
}

/// Where a watch stands.
enum Watch {
    Begins(Serving),
    Serving,
    Unknown,
    Ends,
    Over,
}

impl Health {
    /// Answers `Check`.
    pub(super) async fn check(&self, body: Body) -> Result<Bytes, TurnedAway> {
        match self.asked(body).await? {
            Serving::ServiceUnknown => {
                let status = Status::new(Code::NotFound, "unknown service");
                Err(TurnedAway::for_good(status))
            }
            serving => Ok(health_response(serving)),
        }
    }

    /// Answers `Watch`: how it is now, and again when the receiver drains.
    pub(super) async fn watch(&self, body: Body) -> Result<ReplyBody, TurnedAway> {
        let serving = self.asked(body).await?;
        let drain = self.drain.clone();
        Ok(ReplyBody::stream(stream::unfold(Watch::Begins(serving), move |watch| {
            let drain = drain.clone();
            async move { next(watch, drain).await }
        })))
    }

    async fn asked(&self, body: Body) -> Result<Serving, TurnedAway> {
        let message = Messages::new(body, self.clock).next().await;
        let message = message.unwrap_or_else(|| Err(TurnedAway::invalid("nothing was asked")))?;
        let service = health_service(&message);
        let service = service.map_err(|fault| TurnedAway::invalid(fault.message()))?;
        Ok(self.serving(&service))
    }

    fn serving(&self, service: &str) -> Serving {
        let mut signals =
            Signal::ALL.into_iter().filter(|signal| self.outlets.of(*signal).is_some());
        let is_known = service.is_empty() || signals.any(|signal| service_of(signal) == service);
        match (is_known, self.drain.deadline()) {
            (false, _) => Serving::ServiceUnknown,
            (true, None) => Serving::Serving,
            (true, Some(_)) => Serving::NotServing,
        }
    }
}

async fn next(watch: Watch, drain: Shutdown) -> Option<(Frame<Bytes>, Watch)> {
    let told = |serving| Frame::data(reply::frame(&health_response(serving)));
    match watch {
        Watch::Begins(serving) => {
            let after = match serving {
                Serving::Serving => Watch::Serving,
                Serving::ServiceUnknown => Watch::Unknown,
                Serving::NotServing => Watch::Ends,
            };
            Some((told(serving), after))
        }
        Watch::Serving => {
            drain.begun().await;
            Some((told(Serving::NotServing), Watch::Ends))
        }
        Watch::Unknown => {
            drain.begun().await;
            Some((Frame::trailers(reply::status_of(Code::Unavailable)), Watch::Over))
        }
        Watch::Ends => Some((Frame::trailers(reply::status_of(Code::Unavailable)), Watch::Over)),
        Watch::Over => None,
    }
}
