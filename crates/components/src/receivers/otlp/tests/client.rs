//! Clients of both protocols, on hyper.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io::Write as _;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{BufMut as _, Bytes, BytesMut};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use http::{HeaderMap, Method, Request, Response};
use http_body::{Body as _, Frame};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use prost::Message as _;
use runtime::channel::{self, Ends, Receiver, Sender};
use runtime::task::{Scope, Task};
use tokio::net::TcpStream;
use wire::rpc_status;

use crate::compression::Algorithm;
use crate::testing::logs_of;

/// The method that exports logs.
pub(super) const EXPORT_LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";

/// A request body that the test feeds.
pub(super) struct Feed(Receiver<Bytes>);

/// Sends the pieces of a [`Feed`]; dropped, the body is complete.
pub(super) type Feeder = Sender<Bytes>;

impl Feed {
    pub(super) fn new() -> (Feeder, Self) {
        let (feeder, feed) = channel::bounded(Ends { from: "test", to: "body" }, 1_000);
        (feeder, Self(feed))
    }

    /// A body that is complete.
    pub(super) fn of(bytes: impl Into<Bytes>) -> Self {
        let (feeder, feed) = Self::new();
        let bytes = bytes.into();
        if !bytes.is_empty() {
            feeder.try_send(bytes).unwrap();
        }
        feed
    }
}

impl http_body::Body for Feed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = std::pin::pin!(self.0.recv());
        next.poll(cx).map(|piece| piece.map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// A complete answer.
#[derive(Debug)]
pub(super) struct Answered {
    pub head: http::response::Parts,
    pub body: Bytes,
    pub trailers: HeaderMap,
}

impl Answered {
    async fn read(response: Response<Incoming>) -> Self {
        let (head, mut incoming) = response.into_parts();
        let (mut body, mut trailers) = (BytesMut::new(), HeaderMap::new());
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut incoming).poll_frame(cx)).await {
            match frame.unwrap().into_data() {
                Ok(data) => body.put(data),
                Err(frame) => trailers = frame.into_trailers().unwrap(),
            }
        }
        Self { head, body: body.freeze(), trailers }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let value = self.head.headers.get(name).or_else(|| self.trailers.get(name))?;
        Some(value.to_str().unwrap())
    }

    pub(super) fn http_status(&self) -> u16 {
        self.head.status.as_u16()
    }

    /// The gRPC status code.
    pub(super) fn code(&self) -> u32 {
        self.header("grpc-status").unwrap().parse().unwrap()
    }

    /// The details of a gRPC error.
    pub(super) fn details(&self) -> Option<rpc_status::Status> {
        let header = self.header("grpc-status-details-bin")?;
        Some(rpc_status::Status::from_header(header).unwrap())
    }

    /// The protobuf status of an HTTP error.
    pub(super) fn status(&self) -> rpc_status::Status {
        rpc_status::Status::decode(&self.body).unwrap()
    }
}

/// A gRPC connection.
pub(super) struct Grpc {
    sender: http2::SendRequest<Feed>,
    scope: Scope,
    _connection: Task<()>,
}

impl Grpc {
    pub(super) async fn connect(address: &str) -> Self {
        Self::over(open(address)).await
    }

    pub(super) async fn over<S>(stream: S) -> Self
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let scope = Scope::root("client");
        let mut builder = http2::Builder::new(Spawner(scope.clone()));
        builder.timer(TokioTimer::new());
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.unwrap();
        let driven = scope.spawn("connection", async move {
            connection.await.ok();
        });
        Self { sender, scope, _connection: driven }
    }

    /// A request for `path` with gRPC's usual headers.
    pub(super) fn request(path: &str) -> http::request::Builder {
        Request::builder()
            .method(Method::POST)
            .uri(format!("http://test{path}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
    }

    /// Sends a request and gives its answer.
    pub(super) async fn send(&mut self, request: Request<Feed>) -> Result<Answered, hyper::Error> {
        self.sender.ready().await?;
        Ok(Answered::read(self.sender.send_request(request).await?).await)
    }

    /// Sends a request from a task; dropping the task resets the stream.
    pub(super) fn start(&mut self, request: Request<Feed>) -> Task<Result<Answered, hyper::Error>> {
        let response = self.sender.send_request(request);
        self.scope.spawn("request", async move { Ok(Answered::read(response.await?).await) })
    }

    /// Exports a message that is not compressed.
    pub(super) async fn export(&mut self, message: &[u8]) -> Answered {
        let request = Self::request(EXPORT_LOGS).body(Feed::of(frame(0, message))).unwrap();
        self.send(request).await.unwrap()
    }
}

/// An HTTP/1.1 connection.
pub(super) struct Http {
    sender: http1::SendRequest<Feed>,
    scope: Scope,
    _connection: Task<()>,
}

impl Http {
    pub(super) async fn connect(address: &str) -> Self {
        Self::over(open(address)).await
    }

    pub(super) async fn over<S>(stream: S) -> Self
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let scope = Scope::root("client");
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        let driven = scope.spawn("connection", async move {
            connection.await.ok();
        });
        Self { sender, scope, _connection: driven }
    }

    /// A request with a protobuf body.
    pub(super) fn request(path: &str) -> http::request::Builder {
        Request::builder()
            .method(Method::POST)
            .uri(path)
            .header("host", "test")
            .header("content-type", "application/x-protobuf")
    }

    pub(super) async fn send(&mut self, request: Request<Feed>) -> Result<Answered, hyper::Error> {
        self.sender.ready().await?;
        Ok(Answered::read(self.sender.send_request(request).await?).await)
    }

    pub(super) fn start(&mut self, request: Request<Feed>) -> Task<Result<Answered, hyper::Error>> {
        let response = self.sender.send_request(request);
        self.scope.spawn("request", async move { Ok(Answered::read(response.await?).await) })
    }

    /// Posts a protobuf body.
    pub(super) async fn post(&mut self, path: &str, body: impl Into<Bytes>) -> Answered {
        self.send(Self::request(path).body(Feed::of(body)).unwrap()).await.unwrap()
    }
}

/// A connection to `address`.
pub(super) fn open(address: &str) -> TcpStream {
    let stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_nonblocking(true).unwrap();
    stream.set_nodelay(true).unwrap();
    TcpStream::from_std(stream).unwrap()
}

/// A message behind gRPC's prefix.
pub(super) fn frame(flag: u8, message: &[u8]) -> Bytes {
    let mut framed = BytesMut::new();
    framed.put_u8(flag);
    framed.put_u32(message.len() as u32);
    framed.put_slice(message);
    framed.freeze()
}

/// A request of one log record.
pub(super) fn one_log() -> Vec<u8> {
    logs_of(&["hello"]).encode_to_vec()
}

/// A request of one log record of `bytes` bytes and a little more.
pub(super) fn large_log(bytes: usize) -> Vec<u8> {
    logs_of(&[&"x".repeat(bytes)]).encode_to_vec()
}

/// `plain`, compressed.
pub(super) fn compressed(algorithm: Algorithm, plain: &[u8]) -> Vec<u8> {
    match algorithm {
        Algorithm::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(plain).unwrap();
            encoder.finish().unwrap()
        }
        Algorithm::Zlib => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(plain).unwrap();
            encoder.finish().unwrap()
        }
        Algorithm::Zstd => zstd::stream::encode_all(plain, 1).unwrap(),
        Algorithm::Snappy => snap::raw::Encoder::new().compress_vec(plain).unwrap(),
        Algorithm::SnappyFramed => {
            let mut encoder = snap::write::FrameEncoder::new(Vec::new());
            encoder.write_all(plain).unwrap();
            encoder.into_inner().unwrap()
        }
    }
}

/// The logs of a payload.
pub(super) fn decode(payload: &wire::Payload) -> ExportLogsServiceRequest {
    ExportLogsServiceRequest::decode(payload.to_bytes()).unwrap()
}

#[derive(Clone)]
struct Spawner(Scope);

impl<F> hyper::rt::Executor<F> for Spawner
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, future: F) {
        self.0.spawn("client stream", future).detach();
    }
}
