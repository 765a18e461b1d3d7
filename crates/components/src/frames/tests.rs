use super::*;

fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &[0, 0, 0, 1], payload].concat()
}

fn seen(mut frames: Frames, bytes: &[u8], chunk: usize) -> (Vec<Frame>, bool) {
    let mut seen = Vec::new();
    for piece in bytes.chunks(chunk) {
        frames.pass(piece, |frame| seen.push(frame));
    }
    (seen, frames.is_between())
}

#[test]
fn tells_of_each_frame_however_its_bytes_come() {
    let farewell = [&[0, 0, 0, 9][..], &11_u32.to_be_bytes(), b"too_many_pings"].concat();
    let bytes = [
        frame(4, 0, &[0; 18]),
        frame(PING, 0, &[7; 8]),
        frame(PING, ACK, &[7; 8]),
        frame(HEADERS, 4, &[1; 300]),
        frame(DATA, 0, &[PING; 70_000]),
        frame(DATA, 1, &[]),
        frame(GOAWAY, 0, &farewell),
        frame(PING, 0, &[0; 8]),
    ]
    .concat();
    let expected = [
        Frame::Ping,
        Frame::Content,
        Frame::Content,
        Frame::Content,
        Frame::Farewell { reason: 11 },
        Frame::Ping,
    ];
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    for chunk in [1, 2, 7, 9, 10, 17, 64, 1_000, usize::MAX] {
        let is_between = true;
        assert_eq!(seen(Frames::of_server(), &bytes, chunk), (expected.to_vec(), is_between));
        let from_client = [&preface[..], &bytes].concat();
        let (frames, _) = seen(Frames::of_client(), &from_client, chunk);
        assert_eq!(frames, expected, "in pieces of {chunk}");
    }
}

#[test]
fn is_between_frames_only_at_the_end_of_one() {
    let bytes = frame(DATA, 0, &[1; 20]);
    for length in 1..bytes.len() {
        assert!(!seen(Frames::of_server(), &bytes[..length], 5).1, "{length}");
    }
    assert!(seen(Frames::of_server(), &bytes, 5).1);
    assert!(seen(Frames::of_server(), &frame(GOAWAY, 0, &[0; 8]), 3).1);
    assert!(seen(Frames::of_server(), &frame(GOAWAY, 0, &[0; 3]), 3).1);
}
