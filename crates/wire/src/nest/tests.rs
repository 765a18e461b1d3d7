use super::*;

#[test]
fn writes_the_shortest_length_around_any_content() {
    for len in [0, 1, 127, 128, 300, 16_383, 16_384, 70_000, 3_000_000] {
        let content = vec![7; len];
        let mut expected = b"before".to_vec();
        protobuf::put_bytes_field(&mut expected, 16, &content);
        let mut out = b"before".to_vec();
        let opened = open(&mut out, 16);
        out.extend_from_slice(&content);
        close(&mut out, opened);
        assert!(out == expected, "{len}");
    }
}

#[test]
fn takes_back_an_empty_record() {
    let mut out = b"before".to_vec();
    let opened = open(&mut out, 3);
    close_unless_empty(&mut out, opened);
    assert_eq!(out, b"before");
    let opened = open(&mut out, 3);
    out.push(1);
    close_unless_empty(&mut out, opened);
    assert_eq!(out, b"before\x1a\x01\x01");
}
