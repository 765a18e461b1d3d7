//! Disk: what nobody can leave out who answers only for what is on it.
//!
//! Each request is written behind the last one and synced. No group, no record, no checksum, nothing to
//! recover from, and nothing is ever given back.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex};

use anyhow::{Context, Result, anyhow};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::{Bytes, Incoming};

use crate::floor;

/// The one file; in the folder that the bench removes afterwards.
static FILE: LazyLock<Result<Mutex<File>>> = LazyLock::new(|| {
    let folder = std::env::var("BENCH_FOLDER").context("BENCH_FOLDER says where to write")?;
    Ok(Mutex::new(File::create(PathBuf::from(folder).join("requests"))?))
});

/// A request of OTLP over gRPC that is on the disk.
pub(crate) async fn of_grpc(request: Request<Incoming>) -> Result<Request<Full<Bytes>>> {
    let (head, body) = floor::of_grpc(request).await?.into_parts();
    let bytes = body.collect().await?.to_bytes();
    let kept = bytes.clone();
    tokio::task::spawn_blocking(move || write(&kept)).await??;
    Ok(Request::from_parts(head, Full::new(bytes)))
}

fn write(bytes: &[u8]) -> Result<()> {
    let file = FILE.as_ref().map_err(|error| anyhow!("{error:#}"))?;
    let mut file = file.lock().map_err(|_| anyhow!("a write panicked"))?;
    file.write_all(bytes)?;
    Ok(file.sync_data()?)
}
