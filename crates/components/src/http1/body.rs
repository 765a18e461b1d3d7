//! Body: what a client sends, read by who wants it.

use std::future::poll_fn;

use bytes::Bytes;
use runtime::region::Region;

use super::line::Shared;

/// How much room is made at once for what a client may never send.
const READ_BYTES_MAX: usize = 64 << 10;

/// The body of one request; dropped with the answer at the latest.
#[derive(Debug)]
pub struct Body {
    line: Shared,
    declared: Option<u64>,
}

/// The client left, or broke the protocol, before its body was complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request body ended early")]
pub struct Lost;

impl Body {
    pub(super) fn new(line: Shared, declared: Option<u64>) -> Self {
        Self { line, declared }
    }

    /// The size that the client declared.
    #[must_use]
    pub fn declared(&self) -> Option<u64> {
        self.declared
    }

    /// Waits until it is known how many bytes come next at least; none at the end.
    pub async fn coming(&mut self) -> Result<u64, Lost> {
        poll_fn(|cx| self.line.lock().poll_coming(cx)).await.map_err(|_| Lost)
    }

    /// Waits for some of the bytes that come next, at most `bytes_max`, and puts them into `region`; gives
    /// how many came.
    pub async fn read(&mut self, region: &mut Region, bytes_max: usize) -> Result<usize, Lost> {
        poll_fn(|cx| self.line.lock().poll_content(cx, region, bytes_max)).await.map_err(|_| Lost)
    }

    /// Reads all of it, unless it is more than `bytes_max`.
    pub async fn whole(&mut self, bytes_max: usize) -> Result<Option<Bytes>, Lost> {
        let mut region = Region::up_to(bytes_max);
        loop {
            let coming = self.coming().await?;
            if coming == 0 {
                return Ok(Some(region.into_bytes()));
            }
            if ((bytes_max - region.len()) as u64) < coming {
                return Ok(None);
            }
            self.read(&mut region, READ_BYTES_MAX).await?;
        }
    }
}
