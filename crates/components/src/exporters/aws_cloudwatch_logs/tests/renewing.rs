//! Renewing: credentials that the service does not accept any more.

use pipeline::factory::Blueprint;
use pipeline::{Answer, Built};

use super::{FACTORY, error, ok};
use crate::client::testing::Server;
use crate::testing::{deliver, environment, logs_of, parse, payload};

/// An exporter with the credentials of a file.
fn exporter(server: &Server, file: &std::path::Path) -> Built {
    let yaml = format!(
        "{{log_group_name: g, log_stream_name: s, region: eu-west-1, endpoint: 'http://{}', \
         profile: p, shared_credentials_file: ['{}']}}",
        server.address,
        file.display()
    );
    let Ok(Blueprint::Exporter(blueprint)) = parse(&FACTORY, &yaml) else { panic!() };
    blueprint.build(environment("aws_cloudwatch_logs", None)).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_credentials_expired_is_sent_again_at_once_with_new_ones() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("credentials");
    let write = |id: &str| {
        let text = format!("[p]\naws_access_key_id = {id}\naws_secret_access_key = x\n");
        std::fs::write(&file, text).unwrap();
    };
    let server = Server::http([ok(), error("ExpiredTokenException"), ok(), ok()]);
    write("AKOLD");
    let exporter = exporter(&server, &file);
    let consumer = exporter.consumer.as_ref();
    let logs = payload(&logs_of(&["x"]));
    let delivered = Answer::Delivered { rejected: 0, warning: None };
    assert_eq!(deliver(consumer, logs.clone()).await, delivered);
    write("AKNEW");
    assert_eq!(deliver(consumer, logs.clone()).await, delivered);
    assert_eq!(deliver(consumer, logs).await, delivered);
    let key_of = |authorization: &str| {
        let (_, scope) = authorization.split_once("Credential=").unwrap();
        scope.split('/').next().unwrap().to_owned()
    };
    let seen = server.seen();
    let keys = seen.iter().map(|seen| key_of(seen.headers["authorization"].to_str().unwrap()));
    assert_eq!(keys.collect::<Vec<_>>(), ["AKOLD", "AKOLD", "AKNEW", "AKNEW"]);
}
