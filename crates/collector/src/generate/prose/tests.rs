use std::io::Write;

use super::prose;

#[test]
fn the_same_seed_gives_the_same_text_of_the_size_asked_for() {
    assert_eq!(prose(7, 300), prose(7, 300));
    assert_eq!(prose(7, 300)[..100], prose(7, 100)[..]);
    assert_ne!(prose(7, 100), prose(8, 100));
    assert!(prose(1, 0).is_empty());
}

#[test]
fn is_text_without_the_letter_that_marks_places() {
    for seed in 0..1000 {
        assert!(prose(seed, 222).iter().all(|letter| letter.is_ascii_graphic() || *letter == b' '));
        assert!(!prose(seed, 222).contains(&b'@'));
    }
}

#[test]
fn compresses_like_logs() {
    let lines: Vec<u8> = (0..1000).flat_map(|seed| prose(seed, 222)).collect();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(1));
    encoder.write_all(&lines).unwrap();
    let ratio = lines.len() as f64 / encoder.finish().unwrap().len() as f64;
    assert!((2.8..4.5).contains(&ratio), "{ratio}");
}
