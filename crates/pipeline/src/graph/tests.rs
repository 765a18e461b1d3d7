use std::time::Duration;

use config::Gates;
use runtime::metrics::{Exposition, Resource};
use wire::Payload;

use super::*;
use crate::envelope::Envelope;
use crate::outcome::Answer;
use crate::testing::{FACTORIES, definitions, journal, next_of, send};

fn world() -> World {
    World {
        clock: Clock,
        scope: Scope::root("test"),
        metrics: Registry::default(),
        health: Default::default(),
        tracer: Tracer::default(),
        budget: Budget::root("test", 1 << 20),
        network: Network::default(),
        data_dir: PathBuf::new(),
    }
}

fn plan(journal: &str, text: &str) -> Plan {
    Plan::of(&definitions(journal, text), FACTORIES, &Gates::default()).unwrap()
}

async fn reload(graph: &mut Graph, plan: &Plan) -> Result<(), GraphError> {
    let (retired, result) = graph.apply(plan);
    retired.end(soon()).await;
    result
}

fn soon() -> Instant {
    Clock.now() + Duration::from_secs(5)
}

/// One log record.
const ENCODED: &[u8] = &[10, 4, 18, 2, 18, 0];

async fn answer_of(journal: &str, receiver: &str) -> Answer {
    let payload = Payload::parse(Signal::Logs, ENCODED.into()).unwrap();
    let (envelope, waiter) = Envelope::of_one(payload, soon());
    send(journal, receiver, envelope);
    waiter.wait_until(Clock, soon()).await.unwrap().answer()
}

const ALL: &str = "
    receiver: test
    processor: test/p
    exporter: test/e
    exporter: test/f
    connector: join
    extension: test/x
    service: test/x
    pipeline: logs/in test > test/p > join test/e
    pipeline: logs/out join > > test/f";

const DELIVERED: Answer = Answer::Delivered { rejected: 0, warning: None };

#[tokio::test]
async fn envelopes_flow_to_every_exporter_and_are_answered() {
    let world = world();
    let metrics = world.metrics.clone();
    let graph = Graph::start(world, &plan("flow", ALL)).await.unwrap();
    assert_eq!(answer_of("flow", "test").await, DELIVERED);
    let steps: Vec<String> =
        journal("flow").into_iter().filter(|line| line.contains("items")).collect();
    let expected =
        ["1 items at test/p", "1 items at join", "1 items at test/f", "1 items at test/e"];
    assert_eq!(steps, expected);
    let text = metrics.exposition(&Resource::default(), Exposition::EXPLICIT);
    for side in ["incoming", "outgoing"] {
        let labels = "otel_signal=\"logs\",processor=\"test/p\"";
        let line = format!("otelcol_processor_{side}_items_total{{{labels}}} 1\n");
        assert!(text.contains(&line), "{text}");
    }
    graph.shut_down(soon()).await;
}

#[tokio::test]
async fn shutdown_drains_all_at_once_and_closes_along_the_flow() {
    let graph = Graph::start(world(), &plan("order", ALL)).await.unwrap();
    graph.shut_down(soon()).await;
    let journal = journal("order");
    let closes: Vec<&str> = journal.iter().filter_map(|line| line.strip_prefix("close ")).collect();
    assert_eq!(closes, ["test/p", "join", "test/e", "test/f", "test", "test/x"]);
    let last_drain = journal.iter().rposition(|line| line.starts_with("drain")).unwrap();
    let first_close = journal.iter().position(|line| line.starts_with("close")).unwrap();
    assert!(last_drain < first_close, "{journal:#?}");
}

#[tokio::test]
async fn reload_keeps_equal_components_and_starts_changed_ones_before_the_old_drain() {
    let mut graph = Graph::start(world(), &plan("reload", ALL)).await.unwrap();
    let before = graph.explain();
    let changed = ALL.replace("processor: test/p", "processor: test/p {text: new}");
    reload(&mut graph, &plan("reload", &changed)).await.unwrap();
    let differing: Vec<String> = before
        .iter()
        .zip(graph.explain())
        .filter(|(old, new)| **old != *new)
        .map(|(old, _)| old.0.clone())
        .collect();
    assert_eq!(differing, ["processor test/p of logs/in"]);
    let journal_now = journal("reload");
    let tail = &journal_now[journal_now.len() - 3..];
    assert_eq!(tail, ["start test/pnew", "drain test/p", "close test/p"]);
    assert_eq!(answer_of("reload", "test").await, DELIVERED);
    assert!(journal("reload").contains(&"1 items at test/pnew".to_owned()));
    graph.shut_down(soon()).await;
}

#[tokio::test(start_paused = true)]
async fn replaced_component_lives_until_nobody_can_hand_anything_to_it() {
    let mut graph = Graph::start(world(), &plan("gate", ALL)).await.unwrap();
    let under_way = next_of("gate", "test");
    let changed = ALL.replace("processor: test/p", "processor: test/p {text: new}");
    let (retired, result) = graph.apply(&plan("gate", &changed));
    result.unwrap();
    let mut ended = std::pin::pin!(retired.end(soon()));
    let has_ended = || journal("gate").contains(&"close test/p".to_owned());
    assert!(Clock.by(Clock.now() + Duration::from_secs(1), ended.as_mut()).await.is_err());
    assert!(!has_ended());
    drop(under_way);
    ended.await;
    assert!(has_ended());
    graph.shut_down(soon()).await;
}

#[tokio::test]
async fn reload_that_cannot_start_leaves_everything_as_it_was() {
    let mut graph = Graph::start(world(), &plan("bad", ALL)).await.unwrap();
    let before = graph.explain();
    let changed = ALL
        .replace("exporter: test/f", "exporter: test/f {text: new}")
        .replace("processor: test/p", "processor: test/p {fails: true}");
    let error = reload(&mut graph, &plan("bad", &changed)).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot start processor `test/p`: asked to fail");
    assert_eq!(graph.explain(), before);
    assert_eq!(answer_of("bad", "test").await, DELIVERED);
    let tail = journal("bad").into_iter().filter(|line| line.contains("new")).collect::<Vec<_>>();
    assert_eq!(tail, ["start test/fnew", "drain test/fnew", "close test/fnew"]);
    graph.shut_down(soon()).await;
}

#[tokio::test]
async fn removed_components_drain_and_the_rest_runs_on() {
    let world = world();
    let metrics = world.metrics.clone();
    for exporter in ["test/e", "test/f"] {
        metrics.counter("sent", "Items sent.", vec![("exporter", exporter.to_owned())]).add(1);
    }
    let mut graph = Graph::start(world, &plan("less", ALL)).await.unwrap();
    let less = "
        receiver: test
        exporter: test/e
        pipeline: logs/in test > > test/e";
    reload(&mut graph, &plan("less", less)).await.unwrap();
    assert_eq!(graph.explain().len(), 2);
    assert_eq!(answer_of("less", "test").await, DELIVERED);
    assert!(!journal("less").contains(&"close test/e".to_owned()));
    assert!(journal("less").contains(&"close test/x".to_owned()));
    let text = metrics.exposition(&Resource::default(), Exposition::EXPLICIT);
    assert!(text.contains("test/e") && !text.contains("test/f"), "{text}");
    graph.shut_down(soon()).await;
}
