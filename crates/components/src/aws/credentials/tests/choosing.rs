use super::super::source::{Keys, Role, Token};
use super::*;

const HOME: (&str, &str) = ("HOME", "/home/ada");
const CONFIG: &str = "/home/ada/.aws/config";
const CREDENTIALS: &str = "/home/ada/.aws/credentials";

fn role(arn: &str) -> Role {
    Role { arn: arn.to_owned(), external_id: String::new(), session_name: SESSION_NAME.to_owned() }
}

#[test]
fn what_is_written_wins_over_everything() {
    let host = Host::with(
        &[HOME, ("AWS_ACCESS_KEY_ID", "env"), ("AWS_SECRET_ACCESS_KEY", "secret")],
        &[(CREDENTIALS, "[default]\naws_access_key_id = file\naws_secret_access_key = secret\n")],
    );
    let keys = Keys {
        access_key_id: "written".to_owned(),
        secret_access_key: "secret".into(),
        session_token: Secret::default(),
    };
    let written = Words { keys: Some(keys), ..Words::default() };
    assert_eq!(host.choose(&written), Ok(fixed("written")));
    let profile = Words { profile: "default".to_owned(), ..Words::default() };
    assert_eq!(host.choose(&profile), Ok(fixed("file")));
    assert_eq!(host.choose(&Words::default()), Ok(fixed("env")));
}

#[test]
fn the_credentials_file_wins_over_the_config_file_and_both_follow_their_variables() {
    let host = Host::with(
        &[HOME, ("AWS_PROFILE", "work")],
        &[
            (CONFIG, "[profile work]\naws_access_key_id=a\naws_secret_access_key=secret\n"),
            (CREDENTIALS, "# mine\n[work]\naws_access_key_id = b # inline\n"),
        ],
    );
    assert_eq!(host.choose(&Words::default()), Ok(fixed("b")));
    let elsewhere = Host::with(
        &[HOME, ("AWS_SHARED_CREDENTIALS_FILE", "/run/keys")],
        &[("/run/keys", "[default]\naws_access_key_id=c\naws_secret_access_key=secret")],
    );
    assert_eq!(elsewhere.choose(&Words::default()), Ok(fixed("c")));
}

#[test]
fn a_web_identity_comes_from_the_environment_or_from_a_profile() {
    let variables = [("AWS_WEB_IDENTITY_TOKEN_FILE", "/token"), ("AWS_ROLE_ARN", "arn:role")];
    let expected = Source::WebIdentity { role: role("arn:role"), token_file: "/token".into() };
    assert_eq!(Host::with(&variables, &[]).choose(&Words::default()), Ok(expected.clone()));
    let text = "[default]\nrole_arn = arn:role\nweb_identity_token_file = /token\n";
    let host = Host::with(&[HOME], &[(CONFIG, text)]);
    assert_eq!(host.choose(&Words::default()), Ok(expected));
    let error = Host::with(&variables[..1], &[]).choose(&Words::default()).unwrap_err();
    assert!(error.contains("AWS_ROLE_ARN"), "{error}");
}

#[test]
fn roles_are_taken_on_one_from_another() {
    let text = "[profile base]\naws_access_key_id=k\naws_secret_access_key=secret\n\
                [profile middle]\nrole_arn=arn:middle\nsource_profile=base\n\
                [default]\nrole_arn=arn:top\nsource_profile=middle\n";
    let host = Host::with(&[HOME], &[(CONFIG, text)]);
    let middle = Source::AssumeRole { role: role("arn:middle"), base: Box::new(fixed("k")) };
    let top = Source::AssumeRole { role: role("arn:top"), base: Box::new(middle) };
    assert_eq!(host.choose(&Words::default()), Ok(top.clone()));
    let written = Words { role: Some(role("arn:written")), ..Words::default() };
    let expected = Source::AssumeRole { role: role("arn:written"), base: Box::new(top) };
    assert_eq!(host.choose(&written), Ok(expected));
}

#[test]
fn profiles_that_lead_in_a_circle_or_nowhere_are_told() {
    for (text, words) in [
        (
            "[default]\nrole_arn=a\nsource_profile=b\n[profile b]\nrole_arn=c\nsource_profile=default",
            "circle",
        ),
        ("[default]\nrole_arn=a\nsource_profile=b\n", "no profile `b`"),
        ("[default]\nrole_arn=a\n", "source_profile"),
        ("[default]\nsso_session=x\n", "profile `default` of the shared files says `sso_session`"),
        ("[default]\ncredential_process=/bin/x\n", "another one, or set AWS_ACCESS_KEY_ID"),
        (
            "[default]\nrole_arn=a\nsource_profile=b\n[profile b]\ncredential_process=/bin/x\n",
            "profile `b` of the shared files says `credential_process`",
        ),
        ("[default]\nrole_arn=a\ncredential_source=Moon\n", "Moon"),
    ] {
        let error = Host::with(&[HOME], &[(CONFIG, text)]).choose(&Words::default()).unwrap_err();
        assert!(error.contains(words), "{text}: {error}");
    }
    let named = Words { profile: "nobody".to_owned(), ..Words::default() };
    assert!(Host::default().choose(&named).unwrap_err().contains("`nobody`"));
}

#[test]
fn a_container_comes_before_the_instance() {
    let path = [("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x")];
    let url = "http://169.254.170.2/v2/x".to_owned();
    let expected = Source::Container { url, token: None };
    assert_eq!(Host::with(&path, &[]).choose(&Words::default()), Ok(expected));
    let full = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/var/run/token"),
    ];
    let Ok(Source::Container { token, .. }) = Host::with(&full, &[]).choose(&Words::default())
    else {
        panic!("not a container")
    };
    assert_eq!(token, Some(Token::File("/var/run/token".into())));
    let foreign = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/")];
    assert!(Host::with(&foreign, &[]).choose(&Words::default()).is_err(), "plain HTTP to anybody");
}

#[test]
fn the_instance_is_asked_last_and_only_if_allowed() {
    let endpoint = "http://169.254.169.254".to_owned();
    let host = Host::default();
    assert_eq!(host.choose(&Words::default()), Ok(Source::Instance { endpoint }));
    let local = Words { is_local: true, ..Words::default() };
    assert!(host.choose(&local).unwrap_err().contains("no credentials"));
    let disabled = Host::with(&[("AWS_EC2_METADATA_DISABLED", "true")], &[]);
    assert!(disabled.choose(&Words::default()).is_err());
}

#[test]
fn the_region_is_that_of_the_environment_else_of_the_profile() {
    let text = "[default]\nregion = eu-west-3\n";
    let read = |path: &Path| (path == Path::new(CONFIG)).then(|| text.to_owned());
    let region = |variables: &[(&'static str, &str)]| {
        region_of(&Words::default(), &Host::with(variables, &[]).variables(), &read)
    };
    assert_eq!(region(&[HOME]).as_deref(), Some("eu-west-3"));
    assert_eq!(region(&[HOME, ("AWS_REGION", "us-east-2")]).as_deref(), Some("us-east-2"));
    assert_eq!(region(&[]), None);
}

#[test]
fn nothing_of_a_secret_is_printed() {
    let secret = Credentials::new("AKID", "wJalr", Some("token-text")).unwrap();
    let printed = format!("{secret:?} {:?}", Source::Fixed(secret.clone()));
    assert!(!printed.contains("wJalr") && !printed.contains("token-text"), "{printed}");
}
