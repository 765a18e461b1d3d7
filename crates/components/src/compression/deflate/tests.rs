use std::io::Read;

use super::*;

const ALL: [Algorithm; 5] =
    [Algorithm::Gzip, Algorithm::Zlib, Algorithm::Zstd, Algorithm::Snappy, Algorithm::SnappyFramed];

fn inflated(algorithm: Algorithm, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match algorithm {
        Algorithm::Gzip => flate2::read::GzDecoder::new(body).read_to_end(&mut out).unwrap(),
        Algorithm::Zlib => flate2::read::ZlibDecoder::new(body).read_to_end(&mut out).unwrap(),
        Algorithm::Zstd => zstd::Decoder::new(body).unwrap().read_to_end(&mut out).unwrap(),
        Algorithm::Snappy => {
            out = snap::raw::Decoder::new().decompress_vec(body).unwrap();
            out.len()
        }
        Algorithm::SnappyFramed => {
            snap::read::FrameDecoder::new(body).read_to_end(&mut out).unwrap()
        }
    };
    out
}

#[test]
fn what_goes_in_as_segments_comes_out_as_one_body() {
    let segments = [Bytes::from(vec![b'a'; 100_000]), Bytes::new(), Bytes::from_static(b"end")];
    for algorithm in ALL {
        let body = Codec::new(algorithm).deflate(&segments).unwrap();
        assert!(body.len() < 10_000, "{algorithm:?}: {}", body.len());
        assert_eq!(inflated(algorithm, &body), segments.concat(), "{algorithm:?}");
        let nothing = Codec::new(algorithm).deflate(&[]).unwrap();
        assert_eq!(inflated(algorithm, &nothing), b"", "{algorithm:?}");
    }
}

#[test]
fn zstd_bodies_declare_their_size() {
    let body = Codec::new(Algorithm::Zstd).deflate(&[Bytes::from(vec![b'a'; 1000])]).unwrap();
    let declared = zstd::zstd_safe::get_frame_content_size(&body);
    assert_eq!(declared.ok().flatten(), Some(1000));
}

#[test]
fn levels_are_checked_and_have_an_effect() {
    assert_eq!(Codec::with_level(Algorithm::Gzip, 10), Err(InvalidLevel::Zlib));
    assert_eq!(Codec::with_level(Algorithm::Zstd, 23), Err(InvalidLevel::Zstd));
    assert_eq!(Codec::with_level(Algorithm::Snappy, 1), Err(InvalidLevel::Snappy));
    assert_eq!(Codec::with_level(Algorithm::Gzip, -1), Ok(Codec::new(Algorithm::Gzip)));
    let text = (0..20_000).map(|number| format!("{} ", number * number)).collect::<String>();
    let size = |level| {
        let codec = Codec::with_level(Algorithm::Gzip, level).unwrap();
        codec.deflate(&[Bytes::from(text.clone())]).unwrap().len()
    };
    assert!(size(9) < size(1));
}
