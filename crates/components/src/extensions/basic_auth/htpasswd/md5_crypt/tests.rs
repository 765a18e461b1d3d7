use super::Md5Crypt;

#[test]
fn knows_what_other_programs_hashed() {
    for (password, hash) in [
        ("myPassword", "$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/"),
        ("sesame", "$1$abc$sKfFU11LnpAPFKwjSiE7b1"),
        ("", "$apr1$saltsalt$a8ml/vK5HEjiZ5oypDWA7/"),
        (
            "a password that is longer than sixteen bytes, é",
            "$apr1$Zz./0129$PXSmniMSQaTdmF9xRM9I//",
        ),
    ] {
        let parsed = Md5Crypt::parse(hash).unwrap();
        assert!(parsed.is_valid(password.as_bytes()), "{hash}");
        assert!(!parsed.is_valid(b"other"), "{hash}");
    }
}

#[test]
fn damaged_hashes_are_none() {
    for text in ["", "$apr1$", "$apr1$salt", "$apr1$salt$short", "$5$salt$HqJZimcKQFAMYayBlzkrA/"] {
        assert_eq!(Md5Crypt::parse(text), None, "{text}");
    }
    assert_eq!(Md5Crypt::parse("$apr1$saltsalts$HqJZimcKQFAMYayBlzkrA/"), None, "a long salt");
    assert_eq!(Md5Crypt::parse("$1$salt$HqJZimcKQFAMYayBlzkrA!"), None, "a digit that is none");
}
