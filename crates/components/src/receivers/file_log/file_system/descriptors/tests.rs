use super::{grant, within};

#[test]
fn no_more_files_are_open_than_the_process_may_have() {
    for (wanted, limit, expected) in [
        (1024, 1 << 20, (1024, None)),
        (1024, 1024, (768, Some(1024))),
        (1024, 300, (150, Some(300))),
        (100, 300, (100, None)),
        (1024, 0, (1, Some(0))),
        (1024, u64::MAX, (1024, None)),
    ] {
        assert_eq!(within(wanted, limit), expected, "{wanted} of {limit}");
    }
    assert_eq!(grant(1), (1, None));
}
