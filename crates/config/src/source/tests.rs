use super::*;

#[track_caller]
fn check_argument(text: &str, expected: Result<Source, InvalidSource>) {
    assert_eq!(Source::from_argument(text), expected, "{text}");
}

#[track_caller]
fn check_expansion(text: &str, expected: Result<Source, InvalidSource>) {
    assert_eq!(Source::from_expansion(text), expected, "{text}");
}

fn variable_named(name: &str, default: Option<&str>) -> Result<Source, InvalidSource> {
    Ok(Source::Variable { name: name.to_owned(), default: default.map(str::to_owned) })
}

#[test]
fn takes_an_argument_as_a_file_unless_it_has_a_scheme() {
    check_argument("a.yaml", Ok(Source::File("a.yaml".to_owned())));
    check_argument("file:/etc/a.yaml", Ok(Source::File("/etc/a.yaml".to_owned())));
    check_argument(r"C:\a.yaml", Ok(Source::File(r"C:\a.yaml".to_owned())));
    check_argument("/a:b/c.yaml", Ok(Source::File("/a:b/c.yaml".to_owned())));
    check_argument("env:CONF", variable_named("CONF", None));
    check_argument("yaml:a::b: c", Ok(Source::Yaml("a::b: c".to_owned())));
    check_argument("https://h/c", Err(InvalidSource::Remote("https".to_owned())));
    check_argument("vault:x", Err(InvalidSource::UnknownScheme("vault".to_owned())));
    check_argument("", Err(InvalidSource::Empty));
    check_argument("file:", Err(InvalidSource::Empty));
}

#[test]
fn takes_a_expansion_as_a_variable_unless_it_has_a_scheme() {
    check_expansion("HOST", variable_named("HOST", None));
    check_expansion("env:HOST", variable_named("HOST", None));
    check_expansion("env:HOST:-a:-b", variable_named("HOST", Some("a:-b")));
    check_expansion("HOST:-http://h", variable_named("HOST", Some("http://h")));
    check_expansion("env:HOST:-", variable_named("HOST", Some("")));
    check_expansion("file:/x", Ok(Source::File("/x".to_owned())));
    check_expansion("yaml:[a:-b]", Ok(Source::Yaml("[a:-b]".to_owned())));
    check_expansion("env:1A", Err(InvalidSource::InvalidName("1A".to_owned())));
    check_expansion("1", Err(InvalidSource::InvalidName("1".to_owned())));
    check_expansion("", Err(InvalidSource::Empty));
    check_expansion("env:", Err(InvalidSource::InvalidName(String::new())));
    check_expansion("http://h", Err(InvalidSource::Remote("http".to_owned())));
    check_expansion("vault:x", Err(InvalidSource::UnknownScheme("vault".to_owned())));
}

#[test]
fn finds_places_in_texts() {
    let mut texts = Texts::default();
    let source = texts.keep("a", "é: ${x} ${y}\nz: ${z}".as_bytes());
    let at = |line, column| Position { source: source.clone(), line, column };
    assert_eq!(texts.find_after(&at(1, 4), "${", 1), Some(at(1, 9)));
    assert_eq!(texts.find_after(&at(1, 4), "${", 2), Some(at(2, 4)));
    assert_eq!(texts.find_after(&at(1, 4), "${", 3), None);
    assert_eq!(texts.line(&at(2, 1)), Some("z: ${z}"));
    assert_eq!(texts.line(&at(3, 1)), None);
}

#[test]
fn tells_texts_of_one_name_apart() {
    let mut texts = Texts::default();
    assert_eq!(&*texts.keep("yaml:", b"a"), "yaml:");
    assert_eq!(&*texts.keep("yaml:", b"b"), "yaml:#2");
    assert_eq!(&*texts.keep("yaml:", b"a"), "yaml:");
}
