use super::*;

/// The content of a body, and how many bytes of `input` it ends after.
fn content(input: &[u8]) -> Result<(Vec<u8>, usize), Fault> {
    let (mut chunks, mut at, mut content) = (Chunks::default(), 0, Vec::new());
    while at < input.len() && !chunks.is_over() {
        at += chunks.read(&input[at..])?;
        let count = (chunks.content() as usize).min(input.len() - at);
        content.extend_from_slice(&input[at..at + count]);
        chunks.take(count as u64);
        at += count;
    }
    Ok((content, at))
}

#[test]
fn content_is_what_is_between_the_framing() {
    let hello = |rest: &str| {
        let body = format!("5{rest}\r\nhello\r\n0\r\n\r\n");
        assert_eq!(content(body.as_bytes()), Ok((b"hello".to_vec(), body.len())), "{rest}");
    };
    ["", ";", ";a=b", ";a=\"b;c\"", " ;a", "\t"].into_iter().for_each(hello);
    let large = [b"fFf\r\n".as_slice(), &[7; 0xfff], b"\r\n0\r\n\r\n"].concat();
    assert_eq!(content(&large), Ok((vec![7; 0xfff], large.len())));
}

#[test]
fn trailers_are_passed_over_and_what_follows_is_not_read() {
    let body = b"1\r\nx\r\n0\r\nx: y\r\ncontent-length: 7\r\n\r\nGET /";
    assert_eq!(content(body), Ok((b"x".to_vec(), body.len() - 5)));
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    for body in [
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "5;a\nhello\r\n0\r\n\r\n",
        "5;a\r\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\r\nx: y\n\r\n",
        "5\r\nhello\r\n0\r\n\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "-1\r\n",
        "\r\n",
        ";a\r\n",
        " 5\r\nhello",
        "g\r\n",
        "10000000000000000\r\n",
        "00000000000000005\r\nhello",
    ] {
        assert_eq!(content(body.as_bytes()), Err(Fault::Malformed), "{body:?}");
    }
    let mut largest = Chunks::default();
    assert_eq!(largest.read(b"ffffffffffffffff\r\n"), Ok(18));
    assert_eq!(largest.content(), u64::MAX);
}

#[test]
fn extensions_and_trailers_are_bounded_together() {
    let half = "x".repeat(EXTRAS_BYTES_MAX / 2);
    let body = |more: &str| format!("1;{half}\r\nx\r\n0\r\n{half}{more}\r\n\r\n");
    assert_eq!(content(body("").as_bytes()), Err(Fault::TooLarge));
    let fits = body("").replacen(";x", ";", 1);
    assert_eq!(content(fits.as_bytes()).map(|(content, _)| content), Ok(b"x".to_vec()));
    let small = "1;x\r\nx\r\n".repeat(EXTRAS_BYTES_MAX);
    assert_eq!(content(small.as_bytes()), Err(Fault::TooLarge));
}
