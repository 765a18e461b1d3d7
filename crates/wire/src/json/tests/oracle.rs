//! The serde implementations of `opentelemetry-proto`, an independent reading of the specification.
//!
//! Not of profiles: there it writes bytes as arrays and 64-bit numbers bare, against the specification.

use serde::Serialize;
use serde_json::Value;

use super::*;

/// What the other implementation cannot write: it turns NaN and infinity into `null`, and the values
/// of indices into the string table in attributes too.
const BEYOND_ITS_REACH: [&str; 3] = ["NaN", "Infinity", "stringValueStrindex"];

fn check<T>(signal: Signal, seed: u64) -> Result<(), TestCaseError>
where
    T: prost::Message + Default + Serialize,
{
    let shape = Shape { depth_max: 6, ..TIDY };
    let message = T::decode(request(signal, shape, seed).as_slice()).unwrap();
    let ours = String::from_utf8(to_json(signal, &message.encode_to_vec())).unwrap();
    if BEYOND_ITS_REACH.iter().any(|word| ours.contains(word)) {
        return Ok(());
    }
    let theirs = serde_json::to_string(&message).unwrap();
    prop_assert_eq!(without_defaults(&ours), without_defaults(&theirs));
    let read = to_protobuf(signal, theirs.as_bytes())
        .map_err(|error| TestCaseError::fail(format!("{error}: {theirs}")))?;
    prop_assert_eq!(decoded(signal, &read), message.encode_to_vec());
    Ok(())
}

/// The document without members that mean the same when they are absent.
fn without_defaults(text: &str) -> Value {
    fn prune(value: &mut Value) {
        match value {
            Value::Array(values) => values.iter_mut().for_each(prune),
            Value::Object(members) => {
                members.values_mut().for_each(prune);
                members.retain(|_, member| !is_default(member));
            }
            _ => {}
        }
    }
    fn is_default(value: &Value) -> bool {
        match value {
            Value::Null => true,
            Value::Bool(value) => !value,
            Value::Number(number) => number.as_f64() == Some(0.0),
            Value::String(text) => text.is_empty() || text == "0",
            Value::Array(values) => values.is_empty(),
            Value::Object(_) => false,
        }
    }
    let mut value = serde_json::from_str(text).unwrap();
    prune(&mut value);
    value
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn agrees_on_logs(seed: u64) {
        check::<ExportLogsServiceRequest>(Signal::Logs, seed)?;
    }

    #[test]
    fn agrees_on_traces(seed: u64) {
        check::<ExportTraceServiceRequest>(Signal::Traces, seed)?;
    }

    #[test]
    fn agrees_on_metrics(seed: u64) {
        check::<ExportMetricsServiceRequest>(Signal::Metrics, seed)?;
    }
}
