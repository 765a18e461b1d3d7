use std::path::Path;

use super::{Glob, GlobError};

fn check(pattern: &str, path: &str, expected: bool) {
    let globs = Glob::parse(pattern).unwrap();
    let is_match = globs.iter().any(|glob| glob.matches(Path::new(path)));
    assert_eq!(is_match, expected, "{pattern} on {path}");
}

#[test]
fn paths_are_matched_part_by_part() {
    for (pattern, path, expected) in [
        ("/var/log/app.log", "/var/log/app.log", true),
        ("/var/log/app.log", "/var/log/app_log", false),
        ("/var/log/*.log", "/var/log/a.log", true),
        ("/var/log/*.log", "/var/log/a/b.log", false),
        ("/var/log/*", "/var/log/.hidden", true),
        ("/var/log/a?.log", "/var/log/a1.log", true),
        ("/var/log/a?.log", "/var/log/aé.log", true),
        ("/var/log/a?.log", "/var/log/a.log", false),
        ("/var/log/[a-c]x", "/var/log/bx", true),
        ("/var/log/[!a-c]x", "/var/log/bx", false),
        ("/var/log/[^a-c]x", "/var/log/zx", true),
        ("/var/log/[]]x", "/var/log/]x", true),
        ("/var/log/[a-]x", "/var/log/-x", true),
        ("/var/log/\\*x", "/var/log/*x", true),
        ("/var/log/\\*x", "/var/log/ax", false),
        ("/var/log/*.log.[0-9]*", "/var/log/a.log.12", true),
        ("logs/*.log", "logs/a.log", true),
        ("./logs/*.log", "logs/a.log", true),
        ("logs/*.log", "/logs/a.log", false),
    ] {
        check(pattern, path, expected);
    }
}

#[test]
fn two_stars_are_any_number_of_folders() {
    for (pattern, path, expected) in [
        ("/var/**/a.log", "/var/a.log", true),
        ("/var/**/a.log", "/var/x/y/z/a.log", true),
        ("/var/**/a.log", "/var/x/ya.log", false),
        ("/var/**", "/var/x/y", true),
        ("/**/x/**/y", "/a/x/b/c/y", true),
        ("/**/x/**/y", "/a/b/c/y", false),
        ("**/*.log", "a/b.log", true),
        ("/a/**/**/b", "/a/b", true),
        ("/a/b**c", "/a/bxyc", true),
    ] {
        check(pattern, path, expected);
    }
}

#[test]
fn braces_are_alternatives_across_folders() {
    for (pattern, path, expected) in [
        ("/var/{a,b}/x", "/var/b/x", true),
        ("/var/{a,b}/x", "/var/c/x", false),
        ("/var/{a/b,c}.log", "/var/a/b.log", true),
        ("/var/{a,{b,c}d}e", "/var/cde", true),
        ("/var/x{,.1}", "/var/x", true),
        ("/var/[{]x", "/var/{x", true),
        ("/var/\\{x", "/var/{x", true),
    ] {
        check(pattern, path, expected);
    }
}

#[test]
fn names_that_are_not_utf_8_are_matched_too() {
    use std::os::unix::ffi::OsStrExt;
    let path = Path::new(std::ffi::OsStr::from_bytes(b"/var/\xff.log"));
    assert!(Glob::parse("/var/*.log").unwrap()[0].matches(path));
}

#[test]
fn what_is_no_pattern_is_said() {
    for (pattern, expected) in [
        ("", GlobError::Empty),
        ("/a/[b", GlobError::Unclosed('[')),
        ("/a/{b,c", GlobError::Unclosed('{')),
        ("{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}", GlobError::TooMany),
        ("/a/[z-a]", GlobError::Part("[z-a]".to_owned())),
    ] {
        assert_eq!(Glob::parse(pattern).unwrap_err(), expected, "{pattern}");
    }
}
