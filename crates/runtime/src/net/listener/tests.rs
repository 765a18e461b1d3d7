use std::io;

use super::is_of_one_connection;

#[test]
fn only_trouble_of_the_process_pauses_accepting() {
    let is_single = |number| is_of_one_connection(&io::Error::from_raw_os_error(number));
    assert!([libc::ECONNABORTED, libc::EINTR, libc::ENETDOWN].into_iter().all(is_single));
    assert!(![libc::EMFILE, libc::ENFILE, libc::ENOMEM, libc::ENOBUFS].into_iter().any(is_single));
}
