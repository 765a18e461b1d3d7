use super::*;

#[test]
fn capitals_win_and_empty_values_count_as_unset() {
    let variables = ProxyVariables::read(|name| {
        let value = match name {
            "HTTP_PROXY" => "http://one",
            "http_proxy" => "http://two",
            "HTTPS_PROXY" => "",
            "https_proxy" => "http://three",
            _ => return None,
        };
        Some(value.to_owned())
    });
    assert_eq!(variables.http, "http://one");
    assert_eq!(variables.https, "http://three");
    assert_eq!(variables.exempt, "");
}
