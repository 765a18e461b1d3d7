//! What payloads promise, held against an independent protobuf library; and the stored inputs of fuzzing.

#![allow(clippy::unwrap_used, reason = "a test ends where it goes wrong")]
#![allow(clippy::print_stdout, reason = "the seed of a failed test is shown")]

mod corpus;
mod cut;
mod edit;
#[path = "../../../../fuzz/exercise/otlp.rs"]
mod exercise;
#[path = "../../../../fuzz/exercise/answers.rs"]
mod exercise_answers;
#[path = "../../../../fuzz/exercise/http1.rs"]
mod exercise_http1;
#[path = "../../../../fuzz/exercise/http2.rs"]
mod exercise_http2;
#[path = "../../../../fuzz/exercise/json.rs"]
mod exercise_json;
mod http1;
mod malformed;
mod random;
mod random_metrics;
mod requests;
mod scan;
mod scramble;
mod view;
