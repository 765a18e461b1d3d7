//! Floor: what nobody can leave out who forwards only what is well-formed.
//!
//! A request is read whole, inflated, validated by the product's scan, deflated as it came, and
//! passed on. No budget, no deadline, no batch, no retry: what a collector costs beyond this is its
//! own.

use std::io::Write;

use anyhow::{Context, Result, bail};
use flate2::{Compression, write::GzEncoder};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use wire::{Payload, Signal};

/// The flag and the length before a gRPC message.
const PREFIX_BYTES: usize = 5;

/// A request of OTLP over HTTP.
pub(crate) async fn of_http(request: Request<Incoming>) -> Result<Request<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let coding = head.headers.get("content-encoding").and_then(|name| name.to_str().ok());
    let body = passed(signal(head.uri.path())?, coding, body)?;
    let length = body.len();
    let mut request = Request::from_parts(head, Full::new(body));
    request.headers_mut().insert("content-length", length.into());
    Ok(request)
}

/// A request of OTLP over gRPC.
pub(crate) async fn of_grpc(request: Request<Incoming>) -> Result<Request<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let is_compressed = body.first().is_some_and(|flag| *flag == 1);
    let coding = head.headers.get("grpc-encoding").and_then(|name| name.to_str().ok());
    let coding = coding.filter(|_| is_compressed);
    let message = body.get(PREFIX_BYTES..).context("a message without its prefix")?;
    let message = passed(signal(head.uri.path())?, coding, body.slice_ref(message))?;
    let mut body = Vec::with_capacity(PREFIX_BYTES + message.len());
    body.push(u8::from(is_compressed));
    body.extend_from_slice(&u32::try_from(message.len())?.to_be_bytes());
    body.extend_from_slice(&message);
    Ok(Request::from_parts(head, Full::new(body.into())))
}

fn signal(path: &str) -> Result<Signal> {
    let known = [
        ("log", Signal::Logs),
        ("trace", Signal::Traces),
        ("metrics", Signal::Metrics),
        ("profiles", Signal::Profiles),
    ];
    let found = known.iter().find(|(word, _)| path.contains(word));
    Ok(found.with_context(|| format!("no signal in {path}"))?.1)
}

fn passed(signal: Signal, coding: Option<&str>, body: Bytes) -> Result<Bytes> {
    let plain = match coding {
        None => body,
        Some("gzip") => inflated(&body)?,
        Some("zstd") => zstd::bulk::decompress(&body, 64 << 20)?.into(),
        Some(other) => bail!("no codec for {other}"),
    };
    let payload = Payload::parse(signal, plain)?;
    let plain = payload.to_bytes();
    Ok(match coding {
        Some("gzip") => {
            let mut encoder =
                GzEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::new(1));
            encoder.write_all(&plain)?;
            encoder.finish()?.into()
        }
        Some(_) => zstd::bulk::compress(&plain, 1)?.into(),
        None => plain,
    })
}

fn inflated(body: &[u8]) -> Result<Bytes> {
    let declared = body.last_chunk::<4>().context("a gzip body without its size")?;
    let mut plain = vec![0; u32::from_le_bytes(*declared) as usize];
    let count = libdeflater::Decompressor::new().gzip_decompress(body, &mut plain)?;
    plain.truncate(count);
    Ok(plain.into())
}
