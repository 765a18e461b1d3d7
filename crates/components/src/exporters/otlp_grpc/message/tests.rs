use super::*;

#[test]
fn timeouts_take_the_finest_unit_that_fits() {
    for (left, expected) in [
        (Duration::ZERO, "0u"),
        (Duration::from_millis(1500), "1500000u"),
        (Duration::from_secs(100), "100000m"),
        (Duration::from_secs(100_000), "100000S"),
        (Duration::from_secs(u64::MAX), "99999999H"),
    ] {
        assert_eq!(timeout(left), expected, "{left:?}");
    }
}

#[test]
fn a_frame_declares_its_length_without_joining_segments() {
    let segments = vec![Bytes::from_static(b"ab"), Bytes::from_static(b"c")];
    let framed = framed(segments.clone(), true).unwrap();
    assert_eq!(framed[0], [1, 0, 0, 0, 3].as_slice());
    assert_eq!(framed[1].as_ptr(), segments[0].as_ptr());
}

#[test]
fn bodies_without_one_whole_message_are_told() {
    assert_eq!(message(b""), Ok(&b""[..]));
    assert_eq!(message(&[0, 0, 0, 0, 1, 7]), Ok(&[7][..]));
    assert!(message(&[0, 0]).unwrap_err().contains("half a frame"));
    assert!(message(&[1, 0, 0, 0, 0]).unwrap_err().contains("compressed"));
    assert!(message(&[0, 255, 255, 255, 255, 1]).unwrap_err().contains("declares"));
}
