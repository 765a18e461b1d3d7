//! Client: well-formed requests, with bodies that need not be.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use http::{HeaderMap, Request};
use runtime::clock::Clock;
use runtime::task::{Scope, Task};

use crate::process::PATIENCE;

pub(crate) const EXPORT_LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
pub(crate) const PROTOBUF: &str = "application/x-protobuf";

/// The answer to an HTTP/1.1 request.
#[derive(Debug)]
pub(crate) struct Answered {
    pub status: u16,
    pub head: String,
}

impl Answered {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let status = head.strip_prefix("http/1.1 ")?.get(..3)?.parse().ok()?;
        Some(Self { status, head })
    }

    /// Whether the client is told when to come again.
    pub(crate) fn has_delay(&self) -> bool {
        self.head.contains("\nretry-after: ")
    }
}

/// A plain connection whose reads and writes end.
pub(crate) fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Everything the server says until it closes; `None` if it reset the connection.
pub(crate) fn read_all(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => Some(bytes),
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Some(bytes),
        Err(error) => panic!("the server neither answered nor closed: {error}"),
    }
}

/// Posts logs with further headers, on a connection of its own.
pub(crate) fn post(
    port: u16,
    content_type: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answered {
    let bytes = exchange(port, content_type, headers, body);
    Answered::parse(&bytes).unwrap_or_else(|| panic!("no answer in {bytes:?}"))
}

/// Posts logs to a server that may not answer.
pub(crate) fn try_post(port: u16, body: &[u8]) -> Option<Answered> {
    Answered::parse(&exchange(port, PROTOBUF, &[], body))
}

fn exchange(port: u16, content_type: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut stream = connect(port);
    let mut head = format!(
        "POST /v1/logs HTTP/1.1\r\nhost: localhost\r\ncontent-type: {content_type}\r\n\
         connection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    // The server may answer before it has read everything.
    stream.write_all(format!("{head}\r\n").as_bytes()).ok();
    stream.write_all(body).ok();
    read_all(&mut stream).unwrap()
}

/// The answer to a gRPC request.
#[derive(Debug)]
pub(crate) struct Rpc {
    /// `None` if the stream or its connection was cut.
    pub code: Option<u32>,
    pub message: String,
    /// The trailer with the details of an error.
    pub details: Option<Vec<u8>>,
}

impl Rpc {
    fn of(trailers: &HeaderMap) -> Self {
        let text = |name| {
            let value = trailers.get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let details = text("grpc-status-details-bin");
        Self {
            code: text("grpc-status").and_then(|code| code.parse().ok()),
            message: text("grpc-message").unwrap_or_default(),
            details: details.map(String::into_bytes),
        }
    }

    fn cut(error: &h2::Error) -> Self {
        Self { code: None, message: error.to_string(), details: None }
    }

    /// Whether the client is told when to come again.
    pub(crate) fn has_delay(&self) -> bool {
        let Some(details) = &self.details else { return false };
        let header = std::str::from_utf8(details).unwrap();
        wire::rpc_status::Status::from_header(header).unwrap().retry_after.is_some()
    }
}

/// A gRPC connection; clones share it.
#[derive(Clone)]
pub(crate) struct Grpc {
    sender: SendRequest<Bytes>,
    _connection: Arc<Task<()>>,
}

impl Grpc {
    pub(crate) async fn connect(port: u16) -> Self {
        let stream = connect(port);
        stream.set_nonblocking(true).unwrap();
        let stream = tokio::net::TcpStream::from_std(stream).unwrap();
        let mut builder = h2::client::Builder::new();
        // Until the server has said how many it takes.
        builder.initial_max_send_streams(100).initial_connection_window_size(1 << 20);
        let (sender, connection) = builder.handshake(stream).await.unwrap();
        let driven = Scope::root("client").spawn("connection", async move {
            connection.await.ok();
        });
        Self { sender, _connection: Arc::new(driven) }
    }

    /// Opens a stream; what is sent on it is up to the caller.
    pub(crate) async fn open(
        &mut self,
        path: &str,
        encoding: &str,
    ) -> Result<(ResponseFuture, h2::SendStream<Bytes>), h2::Error> {
        let request = Request::post(format!("http://localhost{path}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("grpc-encoding", encoding)
            .body(())
            .unwrap();
        let mut sender = self.sender.clone().ready().await?;
        sender.send_request(request, false)
    }

    /// Exports a message in an encoding; what is not `identity` is flagged as compressed.
    pub(crate) async fn export(&mut self, path: &str, encoding: &str, message: &[u8]) -> Rpc {
        let (response, mut stream) = match self.open(path, encoding).await {
            Ok(opened) => opened,
            Err(error) => return Rpc::cut(&error),
        };
        let message = message_frame(u8::from(encoding != "identity"), message);
        stream.send_data(message.into(), true).ok();
        answer(response).await
    }
}

/// Waits for the answer of a stream.
pub(crate) async fn answer(response: ResponseFuture) -> Rpc {
    let answered = async {
        let (head, mut body) = response.await?.into_parts();
        while let Some(chunk) = body.data().await {
            let length = chunk?.len();
            body.flow_control().release_capacity(length)?;
        }
        let trailers = body.trailers().await?;
        Ok::<_, h2::Error>(Rpc::of(&trailers.unwrap_or(head.headers)))
    };
    let until = Clock.now() + PATIENCE;
    let answered = Clock.by(until, answered).await.expect("an answer in time");
    answered.unwrap_or_else(|error| Rpc::cut(&error))
}

/// A message behind gRPC's prefix.
pub(crate) fn message_frame(flag: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[flag], length.as_slice(), message].concat()
}

/// Runs `future` on a runtime of its own.
pub(crate) fn block<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A moment, between two looks at something that takes its time.
pub(crate) fn pause() {
    block(Clock.sleep(Duration::from_millis(5)));
}

/// A protobuf field of bytes.
pub(crate) fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut encoded = vec![number << 3 | 2];
    let mut length = bytes.len();
    while 0x7f < length {
        encoded.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    encoded.push(length as u8);
    encoded.extend_from_slice(bytes);
    encoded
}

/// A request of one log record with this body, an encoded `AnyValue`.
pub(crate) fn log_of(any_value: &[u8]) -> Vec<u8> {
    field(1, &field(2, &field(2, &field(5, any_value))))
}

/// A request of one small log record.
pub(crate) fn one_log() -> Vec<u8> {
    log_of(&field(1, b"hello"))
}

/// A request of one log record of about `bytes` bytes.
pub(crate) fn large_log(bytes: usize) -> Vec<u8> {
    log_of(&field(1, &vec![b'x'; bytes]))
}
