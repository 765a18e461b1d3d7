use super::FACTORY;
use crate::testing::{check_config, deliver, environment, logs_of, parse, payload};
use pipeline::{Answer, Blueprint};

#[test]
fn takes_no_keys() {
    check_config(&FACTORY, "", &[]);
    check_config(&FACTORY, "endpoint: a:1", &["endpoint"]);
}

#[tokio::test]
async fn answers_as_delivered() {
    let Ok(Blueprint::Exporter(blueprint)) = parse(&FACTORY, "") else { panic!("no exporter") };
    let built = blueprint.build(environment("nop", None)).unwrap();
    let answer = deliver(built.consumer.as_ref(), payload(&logs_of(&["a", "b"]))).await;
    assert_eq!(answer, Answer::Delivered { rejected: 0, warning: None });
}
