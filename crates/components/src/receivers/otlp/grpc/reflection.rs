//! Server reflection: what this port serves, for tools such as `grpcurl`.

use bytes::Bytes;
use futures_util::stream;
use http_body::Frame;
use pipeline::Code;
use runtime::clock::Clock;
use wire::{Signal, descriptor};

use super::messages::Messages;
use super::{TurnedAway, reply};
use crate::receivers::otlp::transport::{Body, ReplyBody};

/// A reflection stream; `messages` is gone when its trailers were sent.
struct Reflection {
    messages: Option<Messages>,
    signals: Vec<Signal>,
}

/// Answers one question after the other until the client ends the stream.
pub(super) fn reflect(body: Body, clock: Clock, signals: Vec<Signal>) -> ReplyBody {
    let messages = Some(Messages::new(body, clock));
    ReplyBody::stream(stream::unfold(Reflection { messages, signals }, next))
}

async fn next(mut reflection: Reflection) -> Option<(Frame<Bytes>, Reflection)> {
    let question = reflection.messages.as_mut()?.next().await;
    let answer = question.map(|message| {
        let answer = descriptor::answer(&message?, &reflection.signals);
        answer.map_err(|fault| TurnedAway::invalid(fault.message()))
    });
    let frame = match answer {
        Some(Ok(answer)) => Frame::data(reply::frame(&answer)),
        Some(Err(turned_away)) => {
            reflection.messages = None;
            Frame::trailers(reply::status_and_message(&turned_away))
        }
        None => {
            reflection.messages = None;
            Frame::trailers(reply::status_of(Code::Ok))
        }
    };
    Some((frame, reflection))
}
