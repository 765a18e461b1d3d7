use super::find;

#[test]
fn names_are_found_by_their_numbers() {
    let text = "root:x:0:0:root:/root:/bin/bash\n# comment\nme:x:1000:1000::/home/me:/bin/sh\n";
    assert_eq!(find(text, 0).as_deref(), Some("root"));
    assert_eq!(find(text, 1000).as_deref(), Some("me"));
    assert_eq!(find(text, 7), None);
}
