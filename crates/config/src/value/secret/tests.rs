use super::*;

#[test]
fn is_never_shown() {
    let secret = Secret::from("hunter2");
    assert!(!format!("{secret} {secret:?} {:?}", Some(&secret)).contains("hunter2"));
    assert_eq!(secret.expose(), "hunter2");
}

#[test]
fn reads_text() {
    let secret: Secret = serde_json::from_str("\"hunter2\"").unwrap();
    assert_eq!(secret, Secret::from("hunter2"));
    assert!(Secret::default().is_empty());
}
