use super::*;
use crate::http2::stream::Standing;

const LIMITS: Limits = Limits {
    streams_max: 1,
    header_bytes_max: 1_000,
    frame_bytes_max: 16_384,
    stream_window: WINDOW_BYTES,
    connection_window: WINDOW_BYTES,
};

#[test]
fn a_client_without_numbers_for_streams_is_over_when_the_last_has_ended() {
    let mut client = Connection::client(LIMITS);
    client.next_stream = NUMBER_MAX - 2;
    let (head, ()) = http::Request::new(()).into_parts();
    let last = client.request(&head, true);
    assert!(!client.is_taking() && !client.has_room());
    client.take_output(usize::MAX, &mut VecDeque::new());
    assert!(!client.is_over());
    assert_eq!(client.remove(last).unwrap().standing, Standing::Resting);
    assert!(client.is_over());
}
