//! Control: proxies that do nothing, to hold the collector's cost against.
//!
//! `control tcp FROM TO` copies bytes between two sockets; `http1` and `http2` pass messages on as a
//! proxy does that never looks into them; `floor1` and `floor2` inflate, validate and deflate each
//! request beside; `disk2` does what `floor2` does, and writes and syncs each request before it passes it
//! on. `bench/path.py` runs them in the same run as the collector.
//! Owner: one task for each connection, which ends with either side.

#![forbid(unsafe_code)]
#![allow(
    clippy::disallowed_methods,
    reason = "it is held against the product, so it uses nothing of it but the scan"
)]

mod disk;
mod floor;

use std::error::Error;
use std::net::SocketAddr;

use anyhow::{Result, bail};
use hyper::body::{Body, Bytes, Incoming};
use hyper::{Request, client, server};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Mutex;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Bytes that are read at once by the copy.
const COPY_BYTES: usize = 256 << 10;
/// What the collector's receiver grants, too.
const WINDOW_BYTES: u32 = 1 << 20;

/// Connections that may wait to be accepted: all that a row opens at once.
const BACKLOG: u32 = 4096;

/// What a proxy speaks.
#[derive(Clone, Copy)]
enum Speech {
    Tcp,
    Http1,
    Http2,
    Floor1,
    Floor2,
    Disk2,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [speech, from, to] = arguments.as_slice() else {
        bail!("usage: control tcp|http1|http2|floor1|floor2|disk2 FROM TO");
    };
    let speech = match speech.as_str() {
        "tcp" => Speech::Tcp,
        "http1" => Speech::Http1,
        "http2" => Speech::Http2,
        "floor1" => Speech::Floor1,
        "floor2" => Speech::Floor2,
        "disk2" => Speech::Disk2,
        other => bail!("`{other}` is no control"),
    };
    let listener = listen(from.parse()?)?;
    loop {
        let (client, _) = listener.accept().await?;
        let to = to.clone();
        // Either side may leave whenever it likes.
        tokio::spawn(async move { pass(speech, client, to).await.ok() });
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket.listen(BACKLOG)?)
}

async fn pass(speech: Speech, client: TcpStream, to: String) -> Result<()> {
    let server = TcpStream::connect(to).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    match speech {
        Speech::Tcp => copy_both(client, server).await,
        Speech::Http1 => pass_http1(client, server, |request| async { Ok(request) }).await,
        Speech::Http2 => pass_http2(client, server, |request| async { Ok(request) }).await,
        Speech::Floor1 => pass_http1(client, server, floor::of_http).await,
        Speech::Floor2 => pass_http2(client, server, floor::of_grpc).await,
        Speech::Disk2 => pass_http2(client, server, disk::of_grpc).await,
    }
}

async fn copy_both(client: TcpStream, server: TcpStream) -> Result<()> {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::try_join!(copy(from_client, to_server), copy(from_server, to_client))?;
    Ok(())
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> Result<()> {
    let mut buffer = vec![0; COPY_BYTES];
    loop {
        let count = from.read(&mut buffer).await?;
        if count == 0 {
            return Ok(to.shutdown().await?);
        }
        to.write_all(&buffer[..count]).await?;
    }
}

/// Passes requests on as `work` leaves them.
async fn pass_http1<B, F>(
    client: TcpStream,
    server: TcpStream,
    work: impl Fn(Request<Incoming>) -> F + Copy,
) -> Result<()>
where
    B: Body<Data = Bytes, Error: Error + Send + Sync> + Send + 'static,
    F: Future<Output = Result<Request<B>>>,
{
    let (sender, connection) = client::conn::http1::handshake(TokioIo::new(server)).await?;
    tokio::spawn(connection);
    let sender = Mutex::new(sender);
    let service = hyper::service::service_fn(|request: Request<Incoming>| async {
        let request = work(request).await?;
        let mut sender = sender.lock().await;
        sender.ready().await?;
        anyhow::Ok(sender.send_request(request).await?)
    });
    let served =
        server::conn::http1::Builder::new().serve_connection(TokioIo::new(client), service);
    Ok(served.await?)
}

/// Passes requests on as `work` leaves them.
async fn pass_http2<B, F>(
    client: TcpStream,
    server: TcpStream,
    work: impl Fn(Request<Incoming>) -> F + Copy + Send + 'static,
) -> Result<()>
where
    B: Body<Data = Bytes, Error: Error + Send + Sync> + Send + Unpin + 'static,
    F: Future<Output = Result<Request<B>>> + Send + 'static,
{
    let (sender, connection) = client::conn::http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .handshake(TokioIo::new(server))
        .await?;
    tokio::spawn(connection);
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let mut sender = sender.clone();
        async move { anyhow::Ok(sender.send_request(work(request).await?).await?) }
    });
    let served = server::conn::http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .serve_connection(TokioIo::new(client), service);
    Ok(served.await?)
}
