//! Objects that hold a server's lines: of the journal (`journalctl -o json`), of Google's, Microsoft's and Amazon's log
//! services, of Docker. One a line, or in an array.

use serde_json::{Map, Value};

use super::entry::{Entry, Found, first_label};
use crate::time::Clock;

/// Where an object ends that a text begins with; None if it goes on behind it.
pub(super) fn end(text: &[u8]) -> Option<usize> {
    let (mut depth, mut quoted, mut at) = (0_usize, false, 0);
    while let Some(byte) = text.get(at) {
        match (quoted, byte) {
            (true, b'\\') => at += 1,
            (_, b'"') => quoted = !quoted,
            (false, b'{' | b'[') => depth += 1,
            (false, b'}' | b']') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// The bytes of `{"records": [` and the like: the objects in it are read one by one.
pub(super) fn list_head(text: &[u8]) -> Option<usize> {
    let head = text.get(..text.len().min(200)).and_then(|head| {
        let valid = std::str::from_utf8(head).map_or_else(|error| error.valid_up_to(), |head| head.len());
        std::str::from_utf8(&head[..valid]).ok()
    })?;
    let rest = head.strip_prefix('{')?.trim_start();
    let name =
        ["\"records\"", "\"events\"", "\"entries\""].iter().find_map(|name| rest.strip_prefix(name))?;
    let rest = name.trim_start().strip_prefix(':')?.trim_start().strip_prefix('[')?;
    Some(head.len() - rest.len())
}

/// Whether an object is one of an envelope that is known.
pub(super) fn is_known(text: &[u8]) -> bool {
    serde_json::from_slice::<Map<String, Value>>(text).is_ok_and(|object| kind(&object).is_some())
}

#[derive(Clone, Copy)]
enum Kind {
    Journal,
    Google,
    Azure,
    CloudWatch,
    Docker,
}

fn kind(object: &Map<String, Value>) -> Option<Kind> {
    let has = |key: &str| object.contains_key(key);
    if has("__REALTIME_TIMESTAMP") || has("MESSAGE") {
        return Some(Kind::Journal);
    }
    if has("textPayload") || has("insertId") || has("protoPayload") {
        return Some(Kind::Google);
    }
    if object.get("properties").is_some_and(Value::is_object) {
        return Some(Kind::Azure);
    }
    if has("message") && object.get("timestamp").is_some_and(Value::is_number) {
        return Some(Kind::CloudWatch);
    }
    (has("log") && (has("time") || has("stream"))).then_some(Kind::Docker)
}

/// Reads an object.
pub(super) fn read<'a>(text: &'a [u8], clock: &mut Clock) -> Found<'a> {
    let Ok(object) = serde_json::from_slice::<Map<String, Value>>(text) else {
        let line = String::from_utf8_lossy(text).replace('\n', " ");
        return Found::Bare(line.into());
    };
    let entry = kind(&object).and_then(|kind| match kind {
        Kind::Journal => journal(&object),
        Kind::Google => plain(word(&object, "textPayload"), moment(&object, "timestamp", clock)),
        Kind::Azure => azure(&object, clock),
        Kind::CloudWatch => {
            let time_us =
                object.get("timestamp").and_then(Value::as_i64).and_then(|time| time.checked_mul(1000));
            plain(word(&object, "message"), time_us)
        }
        Kind::Docker => plain(word(&object, "log"), moment(&object, "time", clock)),
    });
    entry.map_or(Found::Other, Found::Entry)
}

fn word(object: &Map<String, Value>, key: &str) -> String {
    match object.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        // The journal writes what is no UTF-8, or holds control characters, as numbers.
        Some(Value::Array(bytes)) => {
            let bytes: Vec<u8> = bytes
                .iter()
                .filter_map(|byte| byte.as_u64().and_then(|byte| u8::try_from(byte).ok()))
                .collect();
            String::from_utf8_lossy(&bytes).into_owned()
        }
        _ => String::new(),
    }
}

fn moment(object: &Map<String, Value>, key: &str, clock: &mut Clock) -> Option<i64> {
    clock.moment(object.get(key)?.as_str()?.as_bytes()).map(|moment| moment.time_us)
}

fn journal(object: &Map<String, Value>) -> Option<Entry<'static>> {
    let first = |keys: [&str; 2]| keys.iter().map(|key| word(object, key)).find(|word| !word.is_empty());
    let text = first(["MESSAGE", "MESSAGE"])?;
    Some(Entry {
        time_us: first(["_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP"])?.parse().ok(),
        host: word(object, "_HOSTNAME").into(),
        program: first(["SYSLOG_IDENTIFIER", "_COMM"]).unwrap_or_default().into(),
        process: first(["SYSLOG_PID", "_PID"]).and_then(|process| process.parse().ok()).unwrap_or(0),
        text: text.into(),
    })
}

fn plain(text: String, time_us: Option<i64>) -> Option<Entry<'static>> {
    let text = text.trim_end_matches(['\n', '\r']).to_owned();
    (!text.is_empty()).then(|| Entry {
        time_us,
        host: "".into(),
        program: "".into(),
        process: 0,
        text: text.into(),
    })
}

/// Azure's diagnostic logs hold the line itself, or its parts.
fn azure(object: &Map<String, Value>, clock: &mut Clock) -> Option<Entry<'static>> {
    let properties = object.get("properties")?.as_object()?;
    let of =
        |keys: [&str; 2]| keys.map(|key| word(properties, key)).into_iter().find(|word| !word.is_empty());
    let message = of(["message", "Message"])?;
    let level = of(["errorLevel", "errorlevel"]);
    let mut text = match level {
        Some(level) if first_label(&message).is_none() => {
            format!(
                "{}{level}:  {}",
                of(["prefix", "Prefix"]).unwrap_or_default(),
                message.replace('\n', "\n\t")
            )
        }
        _ => message,
    };
    let prefix = first_label(&text).map_or_else(String::new, |(_, at)| text[..at].to_owned());
    for (keys, label) in
        [(["detail", "Detail"], "DETAIL"), (["hint", "Hint"], "HINT"), (["query", "Query"], "STATEMENT")]
    {
        if let Some(part) = of(keys).filter(|_| !text.contains(&format!("{label}:  "))) {
            text.push_str(&format!("\n{prefix}{label}:  {}", part.replace('\n', "\n\t")));
        }
    }
    let process = of(["processId", "processid"]).and_then(|process| process.parse().ok()).unwrap_or(0);
    let time_us = moment(object, "time", clock).or_else(|| moment(properties, "timestamp", clock));
    plain(text, time_us).map(|entry| Entry { process, ..entry })
}
