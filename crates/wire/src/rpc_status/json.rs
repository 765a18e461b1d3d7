//! JSON: a status as `{"code":14,"message":"...","details":[...]}`.

use serde_json::{Map, Value};

use super::{RETRY_INFO, Status, StatusError, bounded, delay, is_retry_info, known_code};

pub(super) fn encode(status: &Status) -> Vec<u8> {
    let mut object = Map::new();
    object.insert("code".to_owned(), status.code.into());
    object.insert("message".to_owned(), bounded(&status.message).into());
    if let Some(after) = status.retry_after {
        let detail = serde_json::json!({
            "@type": RETRY_INFO,
            "retryDelay": delay::to_text(after),
        });
        object.insert("details".to_owned(), Value::Array(vec![detail]));
    }
    Value::Object(object).to_string().into_bytes()
}

pub(super) fn decode(text: &[u8]) -> Result<Status, StatusError> {
    let malformed = |what: &str| StatusError::Malformed(what.to_owned());
    let object: Map<String, Value> =
        serde_json::from_slice(text).map_err(|error| StatusError::Malformed(error.to_string()))?;
    let code = match object.get("code") {
        None | Some(Value::Null) => 0,
        Some(value) => code(value).ok_or_else(|| malformed("code is not a number"))?,
    };
    let message = match object.get("message") {
        None | Some(Value::Null) => "",
        Some(value) => value.as_str().ok_or_else(|| malformed("message is not a string"))?,
    };
    let details = object.get("details").and_then(Value::as_array);
    let retry_after = details.into_iter().flatten().find_map(retry_info);
    Ok(Status { code, message: bounded(message).to_owned(), retry_after })
}

fn code(value: &Value) -> Option<u32> {
    let number = match value {
        Value::String(text) => text.parse().ok()?,
        _ => value.as_i64()?,
    };
    Some(known_code(i32::try_from(number).unwrap_or(-1)))
}

fn retry_info(detail: &Value) -> Option<std::time::Duration> {
    if !is_retry_info(detail.get("@type")?.as_str()?) {
        return None;
    }
    match detail.get("retryDelay").or_else(|| detail.get("retry_delay")) {
        None | Some(Value::Null) => Some(std::time::Duration::ZERO),
        Some(text) => delay::from_text(text.as_str()?),
    }
}
