use std::time::Duration;

use runtime::clock::Clock;
use runtime::net::Network;
use runtime::task::Scope;

use super::*;
use crate::aws::request::Caller;
use crate::client::testing::{Act, Server};
use crate::tls::ClientWords;

const SOON: &str = "2100-01-01T00:00:00Z";

fn answers(status: u16, body: &str) -> Act {
    Act::Answer(status, Vec::new(), body.as_bytes().to_vec(), None)
}

fn told(id: &str) -> Act {
    answers(
        200,
        &format!(
            r#"{{"Code":"Success","AccessKeyId":"{id}","SecretAccessKey":"s","Token":"t",
                "Expiration":"{SOON}"}}"#
        ),
    )
}

fn sts(id: &str) -> Act {
    answers(
        200,
        &format!(
            "<R><Credentials><AccessKeyId>{id}</AccessKeyId><SecretAccessKey>a&amp;b\
             </SecretAccessKey><SessionToken>t</SessionToken><Expiration>{SOON}</Expiration>\
             </Credentials></R>"
        ),
    )
}

fn fetcher(variables: &[(&str, String)], words: Words, sts_url: &str) -> Fetcher {
    let pairs = variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    Fetcher {
        words,
        variables: pairs.collect(),
        caller: Caller {
            network: Network::default(),
            clock: Clock,
            scope: Scope::root("credentials"),
            tls: ClientWords::default().validate().unwrap(),
            proxy: None,
        },
        region: "eu-west-1".to_owned(),
        sts_url: sts_url.to_owned(),
        imds_retries: 1,
    }
}

fn instance(server: &Server) -> Vec<(&'static str, String)> {
    vec![("AWS_EC2_METADATA_SERVICE_ENDPOINT", format!("http://{}", server.address))]
}

#[tokio::test]
async fn an_instance_is_asked_by_the_second_version_with_a_token() {
    let server = Server::http([answers(200, "TOKEN"), answers(200, "my-role\n"), told("AKI")]);
    let found = fetcher(&instance(&server), Words::default(), "").fetch().await.unwrap();
    assert_eq!(found.access_key_id, "AKI");
    assert_eq!(found.session_token, Some("t".into()));
    assert!(found.expires_at.is_some());
    let seen = server.seen();
    let paths = seen.iter().map(|seen| seen.path.as_str()).collect::<Vec<_>>();
    let folder = "/latest/meta-data/iam/security-credentials/";
    assert_eq!(paths, ["/latest/api/token", folder, &format!("{folder}my-role")]);
    assert_eq!(seen[2].headers["x-aws-ec2-metadata-token"], "TOKEN");
}

#[tokio::test]
async fn an_instance_that_stumbles_is_asked_again_as_often_as_configured() {
    let server = Server::http([
        answers(500, ""),
        answers(200, "TOKEN"),
        answers(200, "my-role"),
        told("AKI"),
    ]);
    assert!(fetcher(&instance(&server), Words::default(), "").fetch().await.is_ok());
    let server = Server::http([answers(404, "")]);
    let error = fetcher(&instance(&server), Words::default(), "").fetch().await.unwrap_err();
    assert!(error.contains("404"), "{error}");
    assert_eq!(server.seen().len(), 1, "what is not there is not asked for again");
}

#[tokio::test]
async fn a_container_is_shown_the_token_that_its_file_holds_now() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "pod-token\n").unwrap();
    let server = Server::http([told("AKC")]);
    let variables = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("http://{}/creds", server.address)),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file.display().to_string()),
    ];
    let found = fetcher(&variables, Words::default(), "").fetch().await.unwrap();
    assert_eq!(found.access_key_id, "AKC");
    assert_eq!(server.seen()[0].headers["authorization"], "pod-token");
}

#[tokio::test]
async fn a_role_is_taken_on_with_a_signed_request_that_says_what_its_owner_asks_for() {
    let server = Server::http([sts("ASIA")]);
    let role = Role {
        arn: "arn:aws:iam::1:role/r".to_owned(),
        external_id: "x/1".to_owned(),
        session_name: "me".to_owned(),
    };
    let words = Words { role: Some(role), ..Words::default() };
    let variables =
        [("AWS_ACCESS_KEY_ID", "AKID".to_owned()), ("AWS_SECRET_ACCESS_KEY", "s".to_owned())];
    let url = format!("http://{}", server.address);
    let found = fetcher(&variables, words, &url).fetch().await.unwrap();
    assert_eq!(found.secret_access_key.expose(), "a&b");
    let seen = server.seen().remove(0);
    let authorization = seen.headers["authorization"].to_str().unwrap();
    assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKID/"), "{authorization}");
    assert!(authorization.contains("/eu-west-1/sts/aws4_request"), "{authorization}");
    let body = String::from_utf8(seen.body.to_vec()).unwrap();
    assert_eq!(
        body,
        "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr\
         &RoleSessionName=me&ExternalId=x%2F1"
    );
}

#[tokio::test]
async fn a_web_identity_vouches_for_itself() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "jwt").unwrap();
    let denied = "<E><Error><Code>AccessDenied</Code><Message>not you</Message></Error></E>";
    let server = Server::http([sts("ASIA"), answers(403, denied)]);
    let variables = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", file.display().to_string()),
        ("AWS_ROLE_ARN", "arn:r".to_owned()),
    ];
    let url = format!("http://{}", server.address);
    let fetcher = fetcher(&variables, Words::default(), &url);
    assert_eq!(fetcher.fetch().await.unwrap().access_key_id, "ASIA");
    let seen = server.seen().remove(0);
    assert!(!seen.headers.contains_key("authorization"));
    assert!(seen.body.ends_with(b"&WebIdentityToken=jwt"));
    let error = fetcher.fetch().await.unwrap_err();
    assert!(error.contains("AccessDenied: not you"), "{error}");
}

async fn credentials_by(keeper: &Keeper, seconds: u64) -> Result<String, String> {
    let found = keeper.credentials(Clock.now() + Duration::from_secs(seconds)).await;
    found.map(|found| found.access_key_id.clone())
}

#[tokio::test]
async fn a_thousand_who_want_credentials_ask_once() {
    let server = Server::http([answers(200, "TOKEN"), answers(200, "r"), told("AKI")]);
    let fetcher = fetcher(&instance(&server), Words::default(), "");
    let scope = Scope::root("keeper");
    let (keeper, _task) = Keeper::start(fetcher, Clock, &scope);
    let asking = (0..1000).map(|_| credentials_by(&keeper, 10));
    let answers = futures_util::future::join_all(asking).await;
    assert!(answers.iter().all(|answer| answer.as_deref() == Ok("AKI")));
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn those_that_are_rejected_are_brought_anew_once_for_all() {
    let round = |id| [answers(200, "TOKEN"), answers(200, "r"), told(id)];
    let server = Server::http(round("OLD").into_iter().chain(round("NEW")));
    let fetcher = fetcher(&instance(&server), Words::default(), "");
    let scope = Scope::root("keeper");
    let (keeper, _task) = Keeper::start(fetcher, Clock, &scope);
    let deadline = Clock.now() + Duration::from_secs(10);
    let old = keeper.credentials(deadline).await.unwrap();
    let asking = (0..50).map(|_| keeper.others_than(&old, deadline));
    for others in futures_util::future::join_all(asking).await {
        assert_eq!(others.unwrap().access_key_id, "NEW");
    }
    assert_eq!(server.seen().len(), 6);
}

#[tokio::test]
async fn who_waits_for_credentials_hears_why_there_are_none() {
    let local = Words { is_local: true, ..Words::default() };
    let scope = Scope::root("keeper");
    let (keeper, _task) = Keeper::start(fetcher(&[], local, ""), Clock, &scope);
    let error = credentials_by(&keeper, 10).await.unwrap_err();
    assert!(error.contains("no credentials"), "{error}");
    assert!(keeper.failure().is_some());
}
