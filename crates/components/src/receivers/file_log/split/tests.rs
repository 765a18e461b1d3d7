use proptest::prelude::*;

use super::*;
use crate::receivers::file_log::encoding::Endian;

type Piece = (Range<u64>, Vec<u8>, bool);

fn settings(boundary: Boundary, max: usize) -> SplitSettings {
    let (encoding, on_oversize) = (Encoding::Utf8, OnOversize::Split);
    SplitSettings { boundary, encoding, token_bytes_max: max, on_oversize }
}

fn lines() -> SplitSettings {
    settings(Boundary::Newline, 100)
}

fn starts(pattern: &str) -> SplitSettings {
    settings(Boundary::Start(Pattern::new(pattern, Encoding::Utf8, false).unwrap()), 100)
}

fn ends(pattern: &str, is_omitted: bool) -> SplitSettings {
    settings(Boundary::End(Pattern::new(pattern, Encoding::Utf8, is_omitted).unwrap()), 100)
}

fn truncating(settings: SplitSettings) -> SplitSettings {
    SplitSettings { on_oversize: OnOversize::Truncate, ..settings }
}

fn keep(pieces: &mut Vec<Piece>) -> impl FnMut(Token<'_>) {
    |token| pieces.push((token.range, token.bytes.to_vec(), token.is_truncated))
}

/// Feeds `chunks`, and ends the file.
fn pieces(settings: &SplitSettings, chunks: &[&[u8]]) -> Vec<Piece> {
    let mut splitter = Splitter::new(Arc::new(settings.clone()), 0);
    let mut pieces = Vec::new();
    chunks.iter().for_each(|chunk| splitter.feed(chunk, keep(&mut pieces)));
    splitter.flush(Flush::End, keep(&mut pieces));
    pieces
}

/// The same, as texts with a mark behind those that were truncated.
fn check(settings: &SplitSettings, chunks: &[&str], expected: &[&str]) {
    let chunks: Vec<&[u8]> = chunks.iter().map(|chunk| chunk.as_bytes()).collect();
    let found = pieces(settings, &chunks);
    let texts = found.iter().map(|(_, bytes, is_truncated)| {
        format!("{}{}", str::from_utf8(bytes).unwrap(), if *is_truncated { "…" } else { "" })
    });
    assert_eq!(texts.collect::<Vec<_>>(), expected);
    let total: usize = chunks.iter().map(|chunk| chunk.len()).sum();
    assert_covered(&found, total as u64);
}

fn assert_covered(pieces: &[Piece], total: u64) {
    let mut at = 0;
    for (range, _, _) in pieces {
        assert_eq!(range.start, at, "ranges follow each other in {pieces:?}");
        at = range.end;
    }
    assert_eq!(at, total, "everything is part of a range");
}

#[test]
fn lines_end_with_line_ends() {
    check(&lines(), &["one\ntwo\r\n\nthree"], &["one", "two", "", "three"]);
}

#[test]
fn a_line_end_over_the_edge_of_a_buffer_leaves_no_carriage_return() {
    check(&lines(), &["one\r", "\ntwo\r\n"], &["one", "two"]);
    check(&lines(), &["one", "\r", "\n", "two\n"], &["one", "two"]);
    check(&lines(), &["one\rtwo\n"], &["one\rtwo"]);
}

#[test]
fn a_partial_line_waits_for_its_end() {
    let mut splitter = Splitter::new(Arc::new(lines()), 10);
    let mut found = Vec::new();
    splitter.feed(b"ab", keep(&mut found));
    assert!(found.is_empty() && splitter.is_pending());
    assert_eq!(splitter.consumed(), 10);
    splitter.feed(b"c\n", keep(&mut found));
    assert_eq!(found, [(10..14, b"abc".to_vec(), false)]);
    assert_eq!((splitter.consumed(), splitter.is_pending()), (14, false));
}

#[test]
fn a_partial_line_is_handed_out_when_nothing_follows_for_long() {
    let mut splitter = Splitter::new(Arc::new(lines()), 0);
    let mut found = Vec::new();
    splitter.feed(b"ab", keep(&mut found));
    splitter.flush(Flush::Quiet, keep(&mut found));
    splitter.flush(Flush::Quiet, keep(&mut found));
    splitter.feed(b"c\n", keep(&mut found));
    assert_eq!(found, [(0..2, b"ab".to_vec(), false), (2..4, b"c".to_vec(), false)]);
}

#[test]
fn half_of_a_two_byte_character_is_awaited_when_nothing_follows_for_long() {
    let encoding = Encoding::Utf16(Endian::Big);
    let mut splitter = Splitter::new(Arc::new(SplitSettings { encoding, ..lines() }), 0);
    let mut found = Vec::new();
    splitter.feed(b"\0a\0", keep(&mut found));
    splitter.flush(Flush::Quiet, keep(&mut found));
    assert_eq!(found, [(0..2, b"\0a".to_vec(), false)]);
    splitter.feed(b"b\0\n", keep(&mut found));
    assert_eq!(found[1], (2..6, b"\0b".to_vec(), false));
}

#[test]
fn half_a_character_is_awaited_when_nothing_follows_for_long() {
    let mut splitter = Splitter::new(Arc::new(lines()), 0);
    let mut found = Vec::new();
    let (first, second) = "a€".as_bytes().split_at(2);
    splitter.feed(first, keep(&mut found));
    splitter.flush(Flush::Quiet, keep(&mut found));
    assert_eq!(found, [(0..1, b"a".to_vec(), false)]);
    splitter.feed(second, keep(&mut found));
    splitter.flush(Flush::End, keep(&mut found));
    assert_eq!(found[1], (1..4, "€".as_bytes().to_vec(), false));
}

#[test]
fn a_line_that_is_too_long_becomes_several() {
    let long = "x".repeat(250);
    let (whole, rest) = ("x".repeat(100), "x".repeat(50));
    let expected = [whole.as_str(), &whole, &rest, "next"];
    check(&lines(), &[&format!("{long}\nnext\n")], &expected);
    check(&lines(), &[&long, "\nnext\n"], &expected);
    check(&lines(), &[&format!("{}\r\n", "x".repeat(100)), "y\n"], &[&whole, "y"]);
}

#[test]
fn a_line_that_is_too_long_is_cut_once_and_its_rest_skipped() {
    let long = "x".repeat(250);
    let kept = format!("{}…", "x".repeat(100));
    check(&truncating(lines()), &[&format!("{long}\nnext\n")], &[&kept, "next"]);
    check(&truncating(lines()), &[&long, &long, "\nnext\n"], &[&kept, "next"]);
    check(&truncating(lines()), &[&long], &[&kept]);
}

#[test]
fn what_is_skipped_stays_skipped_when_nothing_follows_for_long() {
    let mut splitter = Splitter::new(Arc::new(truncating(lines())), 0);
    let mut found = Vec::new();
    splitter.feed(&[b'x'; 300], keep(&mut found));
    splitter.flush(Flush::Quiet, keep(&mut found));
    splitter.feed(b"more\nnext\n", keep(&mut found));
    assert_eq!(found[0], (0..305, vec![b'x'; 100], true));
    assert_eq!(found[1], (305..310, b"next".to_vec(), false));
}

#[test]
fn a_cut_tears_no_character() {
    let long = "€".repeat(60);
    let (first, second) = ("€".repeat(33), "€".repeat(27));
    check(&lines(), &[&format!("{long}\n")], &[&first, &second]);
    let pair: Vec<u8> = "a😀".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let wide =
        SplitSettings { encoding: Encoding::Utf16(Endian::Little), token_bytes_max: 16, ..lines() };
    let long: Vec<u8> = pair.repeat(10);
    for (range, bytes, _) in pieces(&wide, &[&long]) {
        let (_, is_torn) = encoding_rs::UTF_16LE.decode_without_bom_handling(&bytes);
        assert!(!is_torn, "{range:?}");
    }
}

#[test]
fn lines_of_two_byte_characters_end_where_both_bytes_say_so() {
    for endian in [Endian::Little, Endian::Big] {
        let encode = |text: &str| -> Vec<u8> {
            let units = text.encode_utf16();
            match endian {
                Endian::Little => units.flat_map(u16::to_le_bytes).collect(),
                Endian::Big => units.flat_map(u16::to_be_bytes).collect(),
            }
        };
        let wide = SplitSettings { encoding: Encoding::Utf16(endian), ..lines() };
        // U+0A0A and U+000A side by side: only one of them ends the line.
        let input = encode("\u{feff}one\r\n\u{0a0a}two\n\u{0a00}three");
        for at in 0..input.len() {
            let (first, second) = input.split_at(at);
            let found = pieces(&wide, &[first, second]);
            let texts: Vec<_> = found.iter().map(|(_, bytes, _)| bytes.clone()).collect();
            let expected = ["\u{feff}one", "\u{0a0a}two", "\u{0a00}three"].map(encode);
            assert_eq!(texts, expected, "cut at {at}");
            assert_covered(&found, input.len() as u64);
        }
        let mut splitter = Splitter::new(Arc::new(wide), 0);
        let mut found = Vec::new();
        splitter.feed(&input[..5], keep(&mut found));
        splitter.flush(Flush::Quiet, keep(&mut found));
        assert_eq!(found, [(0..4, input[..4].to_vec(), false)], "the half is awaited");
    }
}

#[test]
fn records_begin_where_the_pattern_matches() {
    let dated = starts(r"^\d{4}");
    let input = "2024 a\n  at b\n\n  at c\n2025 d\n2026 e\n";
    let expected = ["2024 a\n  at b\n\n  at c\n", "2025 d\n", "2026 e\n"];
    check(&dated, &[input], &expected);
    check(&dated, &[&input[..10], &input[10..23], &input[23..]], &expected);
    check(&dated, &["no date\nagain\n2024 a\n"], &["no date\nagain\n", "2024 a\n"]);
}

#[test]
fn records_begin_inside_a_line_when_the_pattern_matches_there() {
    let marked = starts(r"LOGSTART \d+ ");
    check(&marked, &["LOGSTART 1 a LOGSTART 2 b"], &["LOGSTART 1 a ", "LOGSTART 2 b"]);
    let omitting = settings(
        Boundary::Start(Pattern::new(r"LOGSTART \d+ ", Encoding::Utf8, true).unwrap()),
        100,
    );
    check(&omitting, &["LOGSTART 1 a\nb\nLOGSTART 2 c\n"], &["a\nb\n", "c\n"]);
}

#[test]
fn records_end_where_the_pattern_matches() {
    let input = "a;\nb\nc; d;e\n";
    check(&ends(";", false), &[input], &["a;", "\nb\nc;", " d;", "e\n"]);
    check(&ends(";", true), &[input], &["a", "\nb\nc", " d", "e\n"]);
    check(&ends(r"LOGEND$", true), &["a\nb LOGEND\nc LOGEND\n"], &["a\nb ", "\nc ", "\n"]);
}

#[test]
fn a_pattern_that_never_matches_stops_nothing() {
    let line = "y".repeat(39);
    let input = format!("{line}\n").repeat(10);
    let found = pieces(&starts("^never$"), &[input.as_bytes()]);
    assert!(found.iter().all(|(_, bytes, _)| bytes.len() <= 100));
    assert_covered(&found, 400);
    let mut splitter = Splitter::new(Arc::new(starts("^never$")), 0);
    let mut found = Vec::new();
    splitter.feed(b"a\nb\n", keep(&mut found));
    assert!(found.is_empty());
    splitter.flush(Flush::Quiet, keep(&mut found));
    assert_eq!(found, [(0..4, b"a\nb\n".to_vec(), false)]);
}

#[test]
fn a_record_over_the_limit_leaves_the_next_one_intact() {
    let trace = format!("2024 a\n{}", "  at somewhere in the code\n".repeat(12));
    let input = format!("{trace}2025 next\n");
    let found = pieces(&starts(r"^\d{4}"), &[input.as_bytes()]);
    let whole: Vec<u8> = found.iter().flat_map(|(_, bytes, _)| bytes.clone()).collect();
    assert_eq!(whole, input.as_bytes(), "split loses nothing");
    assert_eq!(found.last().unwrap().1, b"2025 next\n");
    let kept = format!("{}…", &trace[..100]);
    check(&truncating(starts(r"^\d{4}")), &[&input], &[&kept, "2025 next\n"]);
}

#[test]
fn a_record_ends_with_its_file() {
    let mut splitter = Splitter::new(Arc::new(starts(r"^\d{4}")), 0);
    let mut found = Vec::new();
    splitter.feed(b"2024 a\n  at b\n", keep(&mut found));
    assert_eq!(splitter.consumed(), 0, "it is read again after a restart");
    splitter.flush(Flush::End, keep(&mut found));
    assert_eq!(found, [(0..14, b"2024 a\n  at b\n".to_vec(), false)]);
    assert_eq!(splitter.consumed(), 14);
}

#[test]
fn patterns_read_encodings_of_two_bytes() {
    let encode = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let encoding = Encoding::Utf16(Endian::Little);
    let boundary = Boundary::Start(Pattern::new(r"^\d{4}|X", encoding, false).unwrap());
    let wide = SplitSettings { encoding, ..settings(boundary, 1000) };
    let input = encode("2024 ä\n  at 😀 X b\n2025 c\n");
    for at in 0..input.len() {
        let (first, second) = input.split_at(at);
        let found = pieces(&wide, &[first, second]);
        let texts: Vec<_> = found.into_iter().map(|(_, bytes, _)| bytes).collect();
        assert_eq!(texts, ["2024 ä\n  at 😀 ", "X b\n", "2025 c\n"].map(encode), "cut at {at}");
    }
}

#[test]
fn without_an_encoding_only_size_ends_a_token() {
    let raw = SplitSettings { encoding: Encoding::Nop, ..settings(Boundary::Size, 100) };
    let found = pieces(&raw, &[&[7; 150], b"\n\r\n", &[8; 97]]);
    assert_eq!(found.iter().map(|(_, bytes, _)| bytes.len()).collect::<Vec<_>>(), [100, 100, 50]);
    assert_covered(&found, 250);
}

#[test]
fn a_line_of_100_mib_costs_little_memory() {
    let chunk = vec![b'x'; 256 << 10];
    for (name, settings, chunks) in [
        ("split", settings(Boundary::Newline, 1 << 20), 400),
        ("truncate", truncating(settings(Boundary::Newline, 1 << 20)), 400),
        ("pattern", settings(starts("^y").boundary, 1 << 20), 16),
        ("truncated pattern", truncating(settings(starts("^y").boundary, 1 << 20)), 16),
    ] {
        let mut splitter = Splitter::new(Arc::new(settings), 0);
        let (mut covered, mut held_max) = (0, 0);
        let mut sink = |token: Token<'_>| {
            assert!(token.bytes.len() <= 1 << 20);
            assert_eq!(token.range.start, covered);
            covered = token.range.end;
        };
        for _ in 0..chunks {
            splitter.feed(&chunk, &mut sink);
            held_max = held_max.max(splitter.held_bytes());
        }
        splitter.feed(b"\n", &mut sink);
        splitter.flush(Flush::End, &mut sink);
        assert!(held_max <= 4 << 20, "{name} holds {held_max} bytes");
        assert_eq!(covered, chunks * (256 << 10) + 1, "{name}");
    }
}

fn any_settings() -> impl Strategy<Value = SplitSettings> {
    let encodings = prop_oneof![
        Just(Encoding::Utf8),
        Just(Encoding::Utf16(Endian::Little)),
        Just(Encoding::Utf16(Endian::Big)),
        Just(Encoding::named("big5").unwrap()),
    ];
    (encodings, 0..4_u8, 16..40_usize, any::<bool>(), any::<bool>()).prop_map(
        |(encoding, kind, token_bytes_max, is_omitted, truncates)| {
            let pattern = |text: &str| Pattern::new(text, encoding, is_omitted).unwrap();
            let boundary = match kind {
                0 => Boundary::Newline,
                1 => Boundary::Start(pattern("^a|b")),
                2 => Boundary::End(pattern("a|c$")),
                _ => Boundary::Start(pattern("^never")),
            };
            let on_oversize = if truncates { OnOversize::Truncate } else { OnOversize::Split };
            SplitSettings { boundary, encoding, token_bytes_max, on_oversize }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn tokens_do_not_depend_on_how_bytes_are_fed(
        settings in any_settings(),
        input in prop::collection::vec(
            prop::sample::select(&b"abc\n\n\r\x00\x00\xe2\x82\xac\xd8\x30"[..]), 0..300),
        cuts in prop::collection::vec(0..300_usize, 0..12),
    ) {
        let whole = pieces(&settings, &[&input]);
        assert_covered(&whole, input.len() as u64);
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(input.len())).collect();
        cuts.sort_unstable();
        cuts.push(input.len());
        let mut at = 0;
        let chunks: Vec<_> = cuts
            .into_iter()
            .map(|cut| &input[std::mem::replace(&mut at, cut)..cut])
            .collect();
        prop_assert_eq!(&pieces(&settings, &chunks), &whole);
        let single: Vec<_> = input.chunks(1).collect();
        prop_assert_eq!(&pieces(&settings, &single), &whole);
        for (_, bytes, _) in &whole {
            prop_assert!(bytes.len() <= settings.token_bytes_max);
        }
    }

    #[test]
    fn reading_again_from_what_was_consumed_loses_nothing(
        settings in any_settings(),
        input in prop::collection::vec(prop::sample::select(&b"abc\n\r\x00"[..]), 0..200),
        stop in 0..200_usize,
    ) {
        let encoding = match settings.encoding {
            Encoding::Utf16(_) => Encoding::Utf8,
            other => other,
        };
        let settings = SplitSettings { encoding, ..settings };
        let stop = stop.min(input.len());
        let shared = Arc::new(settings);
        let mut first = Splitter::new(Arc::clone(&shared), 0);
        let mut found = Vec::new();
        first.feed(&input[..stop], keep(&mut found));
        let from = first.consumed();
        prop_assert!(from <= stop as u64);
        prop_assert_eq!(found.last().map_or(0, |(range, _, _)| range.end), from);
        let mut second = Splitter::new(shared, from);
        second.feed(&input[from as usize..], keep(&mut found));
        second.flush(Flush::End, keep(&mut found));
        assert_covered(&found, input.len() as u64);
    }
}
