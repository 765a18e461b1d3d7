//! Encoding: how the bytes of a file become text.
//!
//! Cost: UTF-8 that is valid is checked, not copied.

use std::borrow::Cow;

use encoding_rs::{Encoding as Table, ISO_2022_JP, REPLACEMENT, UTF_16BE, UTF_16LE};

/// The encoding of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// What is not valid is replaced.
    Utf8,
    /// What is not valid is kept, as bytes.
    Utf8Raw,
    Utf16(Endian),
    /// No text at all.
    Nop,
    /// One of the older encodings, in all of which a line ends as in ASCII.
    Other(&'static Table),
}

/// Which byte of a pair comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endian {
    Little,
    Big,
}

/// What the bytes of a token say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded<'a> {
    Text {
        text: Cow<'a, str>,
        /// Whether something was not valid and was replaced.
        is_repaired: bool,
    },
    Bytes(&'a [u8]),
}

const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

impl Encoding {
    /// The encoding of that name, as the Go Collector and IANA name it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let lower = name.trim().to_ascii_lowercase();
        Some(match lower.as_str() {
            "utf-8" | "utf8" | "ascii" | "us-ascii" => Self::Utf8,
            "utf-8-raw" | "utf8-raw" => Self::Utf8Raw,
            "utf-16" | "utf16" | "utf-16le" | "utf16le" => Self::Utf16(Endian::Little),
            "utf-16be" | "utf16be" => Self::Utf16(Endian::Big),
            "nop" => Self::Nop,
            other => match Table::for_label(other.as_bytes())? {
                table if table == UTF_16LE => Self::Utf16(Endian::Little),
                table if table == UTF_16BE => Self::Utf16(Endian::Big),
                table if table == encoding_rs::UTF_8 => Self::Utf8,
                table if table == REPLACEMENT => return None,
                table => Self::Other(table),
            },
        })
    }

    /// How many bytes a line end takes.
    #[must_use]
    pub fn unit_len(self) -> usize {
        if matches!(self, Self::Utf16(_)) { 2 } else { 1 }
    }

    /// What `bytes` say; a byte order mark at the start of a file says nothing.
    #[must_use]
    pub fn decode(self, bytes: &[u8], is_file_start: bool) -> Decoded<'_> {
        match self {
            Self::Utf8 => {
                let bytes = unmarked(bytes, UTF8_MARK, is_file_start);
                match simdutf8::basic::from_utf8(bytes) {
                    Ok(text) => Decoded::Text { text: text.into(), is_repaired: false },
                    Err(_) => Decoded::repaired(String::from_utf8_lossy(bytes), true),
                }
            }
            Self::Utf8Raw => {
                let bytes = unmarked(bytes, UTF8_MARK, is_file_start);
                match simdutf8::basic::from_utf8(bytes) {
                    Ok(text) => Decoded::Text { text: text.into(), is_repaired: false },
                    Err(_) => Decoded::Bytes(bytes),
                }
            }
            Self::Utf16(endian) => {
                let bytes = unmarked(bytes, endian.mark(), is_file_start);
                let (text, is_repaired) = endian.table().decode_without_bom_handling(bytes);
                Decoded::repaired(text, is_repaired)
            }
            Self::Nop => Decoded::Bytes(bytes),
            Self::Other(table) => {
                let (text, is_repaired) = table.decode_without_bom_handling(bytes);
                Decoded::repaired(text, is_repaired)
            }
        }
    }

    /// How many of the first `max` of `bytes` to take so that no character is torn.
    /// `start` is where they begin in the file; there are more than `max`.
    #[must_use]
    pub fn cut(self, bytes: &[u8], start: u64, max: usize) -> usize {
        let at = match self {
            Self::Nop => max,
            Self::Utf8 | Self::Utf8Raw => utf8_cut(bytes, max),
            Self::Utf16(endian) => {
                let even = max - usize::from(!(start + max as u64).is_multiple_of(2));
                let is_low = endian.unit_at(bytes, even).is_some_and(|unit| unit >> 10 == 0x37);
                even - if is_low && 2 <= even { 2 } else { 0 }
            }
            Self::Other(table) if table.is_single_byte() => max,
            // Below the digits there is only ASCII, never a part of a longer character.
            Self::Other(_) => {
                let near = max.saturating_sub(64)..max;
                let last = bytes[near.clone()].iter().rposition(|byte| *byte < b'0');
                last.map_or(max, |last| near.start + last + 1)
            }
        };
        if at == 0 { max } else { at }
    }

    /// How many bytes of a file `text` stands for, where it was decoded from them.
    #[must_use]
    pub fn encoded_len(self, text: &str) -> usize {
        match self {
            Self::Utf8 | Self::Utf8Raw | Self::Nop => text.len(),
            Self::Utf16(_) => 2 * text.encode_utf16().count(),
            Self::Other(table) if table == ISO_2022_JP => text.len(),
            Self::Other(table) => table.encode(text).0.len(),
        }
    }

    /// The bytes at the end of a file that are the beginning of a character.
    #[must_use]
    pub fn torn_tail_len(self, bytes: &[u8], start: u64) -> usize {
        match self {
            Self::Utf16(_) => usize::from(!(start + bytes.len() as u64).is_multiple_of(2)),
            Self::Utf8 | Self::Utf8Raw => {
                let tail = &bytes[bytes.len().saturating_sub(3)..];
                let error = std::str::from_utf8(tail).err();
                // Continuation bytes at the front belong to a character before.
                let front = tail.iter().take_while(|byte| **byte & 0xc0 == 0x80).count();
                match error {
                    None => 0,
                    Some(_) => {
                        let whole = std::str::from_utf8(&tail[front..]).err();
                        whole
                            .filter(|error| error.error_len().is_none())
                            .map_or(0, |error| tail.len() - front - error.valid_up_to())
                    }
                }
            }
            Self::Nop | Self::Other(_) => 0,
        }
    }
}

impl Endian {
    fn mark(self) -> &'static [u8] {
        match self {
            Self::Little => b"\xff\xfe",
            Self::Big => b"\xfe\xff",
        }
    }

    fn table(self) -> &'static Table {
        match self {
            Self::Little => UTF_16LE,
            Self::Big => UTF_16BE,
        }
    }

    fn unit_at(self, bytes: &[u8], at: usize) -> Option<u16> {
        let pair = bytes.get(at..at + 2)?.try_into().ok()?;
        Some(match self {
            Self::Little => u16::from_le_bytes(pair),
            Self::Big => u16::from_be_bytes(pair),
        })
    }
}

impl<'a> Decoded<'a> {
    fn repaired(text: Cow<'a, str>, is_repaired: bool) -> Self {
        Self::Text { text, is_repaired }
    }
}

fn unmarked<'a>(bytes: &'a [u8], mark: &[u8], is_file_start: bool) -> &'a [u8] {
    match bytes.strip_prefix(mark) {
        Some(rest) if is_file_start => rest,
        _ => bytes,
    }
}

fn utf8_cut(bytes: &[u8], max: usize) -> usize {
    let is_start = |at: &usize| bytes.get(*at).is_none_or(|byte| byte & 0xc0 != 0x80);
    (max.saturating_sub(3)..=max).rev().find(is_start).unwrap_or(max)
}

#[cfg(test)]
mod tests;
