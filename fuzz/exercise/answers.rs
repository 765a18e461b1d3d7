//! What must hold for every answer or question of a peer; fuzzers and the corpus test share it.

use wire::descriptor::{answer, health_service};
use wire::rpc_status::{MESSAGE_BYTES_MAX, Status, StatusError};
use wire::{Format, Signal, response};

/// Every small decoder refuses or reads; what it reads is bounded and survives the way back.
pub(crate) fn read(input: &[u8]) {
    for signal in Signal::ALL {
        for format in [Format::Protobuf, Format::Json] {
            read_response(signal, format, input);
        }
    }
    read_status(Status::decode(input));
    read_status(Status::from_json(input));
    if let Ok(text) = std::str::from_utf8(input) {
        read_status(Status::from_header(text));
    }
    std::hint::black_box((answer(input, &Signal::ALL), health_service(input)).0.is_ok());
}

fn read_response(signal: Signal, format: Format, input: &[u8]) {
    let Ok(partial) = response::decode(signal, input, format) else { return };
    assert!(partial.message.len() <= MESSAGE_BYTES_MAX);
    let again = response::encode(signal, partial.rejected, &partial.message, format);
    assert_eq!(response::decode(signal, &again, format), Ok(partial));
}

fn read_status(read: Result<Status, StatusError>) {
    let Ok(status) = read else { return };
    assert!(status.message.len() <= MESSAGE_BYTES_MAX);
    assert_eq!(Status::decode(&status.encode()).as_ref(), Ok(&status));
    assert_eq!(Status::from_json(&status.to_json()).as_ref(), Ok(&status));
    assert_eq!(Status::from_header(&status.to_header()).as_ref(), Ok(&status));
}
