use runtime::clock::Clock;

use super::*;

fn set(jar: &Jar, cookies: &[&str], now: Instant) {
    let mut headers = HeaderMap::new();
    for cookie in cookies {
        headers.append(header::SET_COOKIE, HeaderValue::try_from(*cookie).unwrap());
    }
    jar.keep(&headers, now);
}

fn sent(jar: &Jar, now: Instant) -> String {
    jar.header(now).map_or(String::new(), |value| value.to_str().unwrap().to_owned())
}

#[test]
fn cookies_come_back_until_they_expire_or_are_removed() {
    let (jar, now) = (Jar::default(), Clock.now());
    assert_eq!(sent(&jar, now), "");
    set(&jar, &["a=1; Path=/; HttpOnly", "b=2; Max-Age=60", "broken"], now);
    assert_eq!(sent(&jar, now), "a=1; b=2");
    assert_eq!(sent(&jar, now + Duration::from_secs(60)), "a=1");
    set(&jar, &["a=3; max-age=0"], now);
    assert_eq!(sent(&jar, now), "");
}

#[test]
fn a_jar_is_bounded() {
    let (jar, now) = (Jar::default(), Clock.now());
    for number in 0..2 * COOKIES_MAX {
        set(&jar, &[&format!("c{number}=1")], now);
    }
    set(&jar, &[&format!("huge={}", "x".repeat(COOKIE_BYTES_MAX))], now);
    assert_eq!(sent(&jar, now).split("; ").count(), COOKIES_MAX);
    assert!(!sent(&jar, now).contains("huge"));
}
