//! State: one end of a connection, as its driver and its streams share it.
//!
//! Owner: [`Handle`], behind a lock that is held for a few steps of the engine and never across a
//! wait. Bounds: those of the engine; what came for a stream is bounded by its window.

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use http::{request, response};
use runtime::waits::{What, observed};
use wire::http2::{Connection, Event, Limits, Reason, Why};

use super::driver::Sign;
use super::stream::{Inflow, Inlet, Lost, Outflow};
use super::turns::Turns;

/// A way to use a connection.
#[derive(Clone, Debug)]
pub(crate) struct Handle(Arc<Mutex<State>>);

/// No request can be sent any more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Closed(pub(crate) Arc<str>);

/// A request that arrived.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) head: request::Parts,
    pub(crate) body: Inflow,
    pub(crate) reply: Outflow,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) engine: Connection,
    pub(super) inlets: BTreeMap<u32, Inlet>,
    /// Who waits for room for one more request.
    turns: Turns,
    driver: Option<Waker>,
    /// Why the connection is no more.
    ended: Option<Arc<str>>,
}

impl Handle {
    pub(super) fn server(limits: Limits) -> Self {
        Self::new(Connection::server(limits))
    }

    pub(super) fn client(limits: Limits) -> Self {
        Self::new(Connection::client(limits))
    }

    fn new(engine: Connection) -> Self {
        Self(Arc::new(Mutex::new(State {
            engine,
            inlets: BTreeMap::new(),
            turns: Turns::default(),
            driver: None,
            ended: None,
        })))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether requests can be sent, now or when others have ended.
    pub(crate) fn is_taking(&self) -> bool {
        let state = self.lock();
        state.ended.is_none() && state.engine.is_taking()
    }

    /// Why the server sent us away, if it did.
    pub(crate) fn dismissal(&self) -> Option<Reason> {
        self.lock().engine.dismissal()
    }

    /// Sends a request, when it is its turn; what comes back is read from the inflow. Dropped, the
    /// request is taken back.
    pub(crate) async fn request(
        &self,
        head: &request::Parts,
        segments: &[Bytes],
    ) -> Result<Inflow, Closed> {
        let mut turn = Turn { handle: self, ticket: None };
        let room = What::socket("HTTP/2 peer, for room for a request");
        observed(room, poll_fn(|cx| turn.poll(head, segments, cx))).await
    }
}

/// The place of one request in the queue.
struct Turn<'a> {
    handle: &'a Handle,
    ticket: Option<u64>,
}

impl Turn<'_> {
    fn poll(
        &mut self,
        head: &request::Parts,
        segments: &[Bytes],
        cx: &mut Context<'_>,
    ) -> Poll<Result<Inflow, Closed>> {
        let mut state = self.handle.lock();
        if let Some(reason) = state.refusal() {
            return Poll::Ready(Err(Closed(reason)));
        }
        if !state.engine.has_room() || !state.turns.is_next(self.ticket) {
            self.ticket = Some(state.turns.wait(self.ticket, cx.waker()));
            return Poll::Pending;
        }
        let is_empty = segments.iter().all(Bytes::is_empty);
        let stream = state.engine.request(head, is_empty);
        if !is_empty {
            segments.iter().for_each(|segment| state.engine.send(stream, segment.clone()));
            state.engine.finish(stream, None);
        }
        state.inlets.insert(stream, Inlet::of_answer());
        state.wake_driver();
        drop(state);
        Poll::Ready(Ok(Inflow::new(self.handle.clone(), stream)))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let mut state = self.handle.lock();
        state.turns.leave(ticket);
        state.offer_room();
    }
}

impl State {
    fn refusal(&self) -> Option<Arc<str>> {
        if self.ended.is_some() {
            return self.ended.clone();
        }
        let gone = || Arc::from("the peer takes no more requests on this connection");
        (!self.engine.is_taking()).then(gone)
    }

    /// Tells the driver that there is something to write.
    pub(super) fn wake_driver(&mut self) {
        if self.engine.has_output() {
            self.driver.take().into_iter().for_each(Waker::wake);
        }
    }

    /// The driver looks at everything now, and is to be woken from here on.
    pub(super) fn attend(&mut self, cx: &Context<'_>) {
        match &mut self.driver {
            Some(waker) => waker.clone_from(cx.waker()),
            None => self.driver = Some(cx.waker().clone()),
        }
    }

    /// Takes in what the peer sent.
    pub(super) fn receive(
        &mut self,
        handle: &Handle,
        input: &mut BytesMut,
        (accepted, signs): (&mut Vec<Accepted>, &mut Vec<Sign>),
    ) {
        // A fault is the last thing that the engine says; it shows in whether it is over.
        if let Err(fault) = self.engine.receive(input) {
            tracing::debug!(%fault, "an HTTP/2 peer broke the protocol");
        }
        while let Some(event) = self.engine.next_event() {
            match event {
                Event::Request { stream, head, is_end } => {
                    self.inlets.insert(stream, Inlet::of_request(is_end));
                    let body = Inflow::new(handle.clone(), stream);
                    let reply = Outflow::new(handle.clone(), stream);
                    accepted.push(Accepted { head: *head, body, reply });
                }
                Event::Response { stream, head, is_end } => self.responded(stream, head, is_end),
                Event::Data { stream, bytes, is_end } => self.data(stream, bytes, is_end),
                Event::Trailers { stream, trailers } => self.tell(stream, |inlet| {
                    (inlet.trailers, inlet.is_whole) = (Some(trailers), true);
                }),
                Event::Reset { stream, why, was_sent } => {
                    if let Why::ByPeer(_) = why {
                        signs.push(Sign::TakenBack);
                    }
                    self.tell(stream, |inlet| inlet.lose(Lost::Stream(why, was_sent)));
                }
                Event::Pinged => signs.push(Sign::Pinged { streams: self.engine.streams() }),
            }
        }
        self.offer_room();
        if !self.engine.is_taking() {
            self.turns.wake_all();
        }
    }

    fn responded(&mut self, stream: u32, head: Box<response::Parts>, is_end: bool) {
        self.tell(stream, |inlet| {
            (inlet.head, inlet.is_whole) = (Some(head), is_end);
        });
    }

    fn data(&mut self, stream: u32, bytes: Bytes, is_end: bool) {
        let length = bytes.len();
        let is_wanted = self.inlets.get(&stream).is_some_and(|inlet| !inlet.is_discarded);
        self.tell(stream, |inlet| {
            inlet.is_whole = is_end;
            if is_wanted {
                inlet.chunks.push_back(bytes);
            }
        });
        if !is_wanted {
            self.engine.release(stream, length);
        }
    }

    fn tell(&mut self, stream: u32, tell: impl FnOnce(&mut Inlet)) {
        if let Some(inlet) = self.inlets.get_mut(&stream) {
            tell(inlet);
            inlet.wake();
        }
    }

    /// Wakes the streams that wait until all they have was sent.
    pub(super) fn tell_senders(&mut self) {
        for (stream, inlet) in &mut self.inlets {
            if inlet.is_sending && self.engine.unsent(*stream).is_none() {
                inlet.wake();
            }
        }
    }

    /// Wakes whose turn it is, if there is room.
    fn offer_room(&self) {
        if self.engine.has_room() {
            self.turns.wake_first();
        }
    }

    /// A stream may have ended by what we did.
    pub(super) fn settle(&mut self) {
        self.wake_driver();
        self.offer_room();
    }

    /// The connection is no more.
    pub(super) fn end(&mut self, reason: &Arc<str>) {
        self.ended.get_or_insert_with(|| Arc::clone(reason));
        for (stream, inlet) in &mut self.inlets {
            let was_sent = self.engine.unsent(*stream).is_none();
            inlet.lose(Lost::Connection(Arc::clone(reason), was_sent));
            inlet.wake();
        }
        self.turns.wake_all();
    }

    /// Takes what is to be written.
    pub(super) fn take_output(&mut self, bytes_max: usize, pieces: &mut VecDeque<Bytes>) -> usize {
        let sent = self.engine.take_output(bytes_max, pieces);
        if 0 < sent {
            self.tell_senders();
        }
        sent
    }
}
