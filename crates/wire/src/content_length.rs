//! The size of a body that headers declare, in HTTP/1.1 and HTTP/2 alike (RFC 9110, section 8.6).

use http::{HeaderMap, header};

/// The headers declare no size, or more than one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Contradiction;

/// The size that the headers declare, if they do.
pub(crate) fn declared(headers: &HeaderMap) -> Result<Option<u64>, Contradiction> {
    let mut declared = None;
    for value in headers.get_all(header::CONTENT_LENGTH) {
        let text = value.to_str().map_err(|_| Contradiction)?;
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let bytes = text.parse::<u64>().ok().filter(|_| is_number).ok_or(Contradiction)?;
        if declared.is_some_and(|before| before != bytes) {
            return Err(Contradiction);
        }
        declared = Some(bytes);
    }
    Ok(declared)
}
