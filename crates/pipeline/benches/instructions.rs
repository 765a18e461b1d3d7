//! The hot paths, one by one, for counting their instructions: `cargo xtask instructions`.
//!
//! `instructions PATH REPETITIONS` does the same work again and again, so that the difference of two
//! runs is what one repetition takes. It prints nothing and measures nothing itself.

use std::fmt::Write as _;
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use pipeline::fanout::FanOut;
use pipeline::{
    Answer, Consumer, Envelope, Need, Outlet, Refusal, Reservation, Status, Verdict, Waiter,
    consume, receipt,
};
use runtime::clock::Clock;
use wire::edit::{self, Level};
use wire::view::AnyValue;
use wire::{Format, Payload, Signal, json, response};

const RECORDS: usize = 200;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|one| one != "--bench").collect();
    let [path, repetitions] = arguments.as_slice() else { return ExitCode::SUCCESS };
    let Ok(repetitions) = repetitions.parse() else { return ExitCode::FAILURE };
    let Some(work) = work(path) else { return ExitCode::FAILURE };
    (0..repetitions).for_each(|_| work());
    ExitCode::SUCCESS
}

/// What is done once for each repetition.
fn work(path: &str) -> Option<Box<dyn Fn()>> {
    let whole = request(RECORDS);
    let encoded = whole.to_bytes();
    let parts: Vec<Payload> = (0..20).map(|_| request(RECORDS / 20)).collect();
    Some(match path {
        "calibration" => Box::new(calibrate),
        "scan" => Box::new(move || {
            black_box(Payload::parse(Signal::Logs, black_box(encoded.clone()))).ok();
        }),
        "merge" => Box::new(move || {
            black_box(Payload::merge(black_box(&parts).iter().cloned()));
        }),
        "split" => Box::new(move || {
            black_box(black_box(&whole).split_by_items(RECORDS / 4));
        }),
        "edit" => Box::new(move || {
            black_box(edit::attributes(black_box(&whole), Level::Item, |_, list| {
                list.upsert("environment", &AnyValue::Text("production"));
            }));
        }),
        "retain" => Box::new(move || {
            black_box(edit::retain_items(black_box(&whole), |place| {
                place.item().is_some_and(|item| item.attributes().get("odd").is_some())
            }));
        }),
        "hand-over" => {
            let branch = || Arc::new(Outlet::to(Arc::new(Deliver))) as Arc<dyn Consumer>;
            let next = FanOut::over(vec![branch(), branch()]);
            Box::new(move || {
                let (envelope, waiter) = envelope(black_box(whole.clone()));
                consume(next.as_ref(), envelope);
                black_box(answer(waiter));
            })
        }
        "answer" => Box::new(move || {
            let (receipt, waiter) = receipt::pair(RECORDS);
            let pieces = receipt.sort(&halves());
            for (at, piece) in pieces.into_iter().enumerate() {
                let status = Status::new(pipeline::Code::InvalidArgument, "too old");
                let refused = Verdict::Refused(status);
                piece.answer_all(if at == 0 { Verdict::Delivered } else { refused });
            }
            if let Some(Answer::Delivered { rejected, .. }) = answer(waiter) {
                black_box(response::encode(Signal::Logs, rejected, "too old", Format::Protobuf));
            }
        }),
        _ => return None,
    })
}

/// A fixed piece of arithmetic, in which the others are measured.
fn calibrate() {
    let mut state = black_box(1_u64);
    for _ in 0..10_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).rotate_left(23) ^ 0x9e37;
    }
    black_box(state);
}

#[expect(clippy::single_range_in_vec_init, reason = "each piece is one range of items")]
fn halves() -> [Vec<std::ops::Range<usize>>; 2] {
    [vec![0..RECORDS / 2], vec![RECORDS / 2..RECORDS]]
}

/// A request of log records as services write them.
fn request(records: usize) -> Payload {
    let mut text = String::from(
        r#"{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":
        {"stringValue":"orders"}}]},"scopeLogs":[{"scope":{"name":"http"},"logRecords":["#,
    );
    for at in 0..records {
        let comma = if at == 0 { "" } else { "," };
        let kind = if at % 2 == 0 { "even" } else { "odd" };
        write!(
            text,
            r#"{comma}{{"timeUnixNano":"1700000000000000000","severityNumber":9,"body":
            {{"stringValue":"order {at:06} was accepted after 12 ms"}},"attributes":[
            {{"key":"http.request.method","value":{{"stringValue":"GET"}}}},
            {{"key":"{kind}","value":{{"intValue":"{at}"}}}}]}}"#
        )
        .expect("writing to a string cannot fail");
    }
    text.push_str("]}]}]}");
    let encoded = json::to_protobuf(Signal::Logs, text.as_bytes());
    let encoded = Bytes::from(encoded.expect("the request is well-formed"));
    Payload::parse(Signal::Logs, encoded).expect("the request is well-formed")
}

fn envelope(payload: Payload) -> (Envelope, Waiter) {
    Envelope::of_one(payload, Clock.now() + Duration::from_secs(10))
}

fn answer(waiter: Waiter) -> Option<Answer> {
    waiter.wait().now_or_never().flatten().map(|outcome| outcome.answer())
}

/// A destination that takes everything at once.
#[derive(Debug)]
struct Deliver;

impl Consumer for Deliver {
    fn reserve(&self, _need: &Need<'_>) -> Result<Reservation, Refusal> {
        Ok(Reservation::Nothing)
    }

    fn commit(&self, envelope: Envelope, _reservation: Reservation) {
        envelope.answer_all(&Verdict::Delivered);
    }
}
