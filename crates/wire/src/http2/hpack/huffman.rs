//! The Huffman code of HPACK (RFC 7541, appendix B).
//!
//! The code is canonical: codes of one length follow each other in the order of their octets, so the
//! lengths say all. A code is found by comparing the next bits with the end of each length's range.

/// A string that is not Huffman-coded as HPACK has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotACode;

const LENGTH_MAX: usize = 30;

/// How many bits the code of each octet has. That of the end of a string has all 30 set.
#[rustfmt::skip]
const LENGTHS: [u8; 256] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
    6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
];

/// All there is to know about the code, worked out by the compiler.
struct Code {
    /// The code of each octet, in its lowest bits.
    of_octet: [u32; 256],
    /// The octets by code.
    octets: [u8; 256],
    /// For each length: where its octets begin, its first code, and the first code that is not of
    /// this length or a shorter one, aligned to the left of 32 bits.
    first_octet: [usize; LENGTH_MAX + 1],
    first_code: [u32; LENGTH_MAX + 1],
    end: [u64; LENGTH_MAX + 1],
}

const CODE: Code = code();

const fn code() -> Code {
    let mut code = Code {
        of_octet: [0; 256],
        octets: [0; 256],
        first_octet: [0; LENGTH_MAX + 1],
        first_code: [0; LENGTH_MAX + 1],
        end: [0; LENGTH_MAX + 1],
    };
    let (mut next, mut count, mut length) = (0_u32, 0, 1);
    while length <= LENGTH_MAX {
        next <<= 1;
        code.first_octet[length] = count;
        code.first_code[length] = next;
        let mut octet = 0;
        while octet < 256 {
            if LENGTHS[octet] as usize == length {
                code.of_octet[octet] = next;
                code.octets[count] = octet as u8;
                count += 1;
                next += 1;
            }
            octet += 1;
        }
        code.end[length] = (next as u64) << (32 - length);
        length += 1;
    }
    code
}

/// How many bytes `text` takes when coded.
pub(super) fn encoded_len(text: &[u8]) -> usize {
    let bits = text.iter().map(|octet| usize::from(LENGTHS[usize::from(*octet)])).sum::<usize>();
    bits.div_ceil(8)
}

/// Appends the code of `text`.
pub(super) fn encode(text: &[u8], out: &mut impl bytes::BufMut) {
    let (mut bits, mut count) = (0_u64, 0);
    for octet in text {
        let length = LENGTHS[usize::from(*octet)];
        bits = bits << length | u64::from(CODE.of_octet[usize::from(*octet)]);
        count += u32::from(length);
        while 8 <= count {
            count -= 8;
            out.put_u8((bits >> count) as u8);
        }
    }
    if 0 < count {
        // Filled up with the beginning of the end of a string, which is all ones.
        out.put_u8((bits << (8 - count)) as u8 | (0xff >> count));
    }
}

/// What `coded` stands for.
pub(super) fn decode(coded: &[u8]) -> Result<Vec<u8>, NotACode> {
    let mut text = Vec::with_capacity(coded.len() * 8 / 5);
    let (mut bits, mut count) = (0_u64, 0_usize);
    let mut rest = coded.iter();
    loop {
        while count <= 32 {
            let Some(byte) = rest.next() else { break };
            bits = bits << 8 | u64::from(*byte);
            count += 8;
        }
        if count == 0 {
            return Ok(text);
        }
        // The next 32 bits; ones where there are none, which is how a string is filled up.
        let next = if 32 <= count {
            bits >> (count - 32) & 0xffff_ffff
        } else {
            let missing = 32 - count;
            (bits << missing | ((1 << missing) - 1)) & 0xffff_ffff
        };
        let length = (5..=LENGTH_MAX).find(|length| next < CODE.end[*length]);
        match length.filter(|length| *length <= count) {
            Some(length) => {
                let place = (next >> (32 - length)) as u32 - CODE.first_code[length];
                text.push(CODE.octets[CODE.first_octet[length] + place as usize]);
                count -= length;
            }
            // Less than a byte of ones ends a string; nothing else may be left.
            None if count < 8 && next == 0xffff_ffff => return Ok(text),
            None => return Err(NotACode),
        }
    }
}

#[cfg(test)]
mod tests;
