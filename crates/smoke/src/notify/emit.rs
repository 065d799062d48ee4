//! Synthetic events, for systems without traffic.

use serde_json::json;

use super::Request;
use super::clock::moment;
use super::fault::Kind;
use super::redis::Redis;
use super::resp::Value;
use super::stream::about;
use crate::report::Finding;

/// Puts one event of each kind on the stream. They are marked in three places: payload, attributes, and the repository's name.
///
/// The stream is not made where there is none: a mistyped name would otherwise give a stream that nobody reads.
pub(crate) async fn emit(redis: &mut Redis, request: &Request, now: i64) -> Result<(), Finding> {
    for kind in &request.kinds {
        let event = event(kind, &request.tenant, now).ok_or_else(|| {
            Kind::RedisRefused.find("this machine", "the operating system gives no random bytes for an event's id")
        })?;
        let event = event.to_string();
        let command: [&[u8]; 10] = [
            b"XADD",
            request.stream.as_bytes(),
            b"NOMKSTREAM",
            b"*",
            request.field.as_bytes(),
            event.as_bytes(),
            b"kind",
            kind.as_bytes(),
            b"tenant",
            request.tenant.as_bytes(),
        ];
        if redis.short(&command).await? == Value::Nothing {
            let message = format!("there is no {}, so no synthetic event was put on it", about(request));
            return Err(Kind::StreamMissing.find(about(request), message));
        }
    }
    Ok(())
}

fn event(kind: &str, tenant: &str, now: i64) -> Option<serde_json::Value> {
    Some(json!({
        "eventId": uuid()?,
        "kind": kind,
        "tenant": tenant,
        "ts": moment(now),
        "scope": {"repo": "collimate/smoke-notify", "digest": format!("sha256:{}", "0".repeat(64))},
        "payload": {"synthetic": true, "note": "written by `collimate smoke notify --emit`; it stands for nothing"},
        "attributes": {"synthetic": "true", "source": "collimate smoke notify"},
    }))
}

/// A random UUID (version 4).
fn uuid() -> Option<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).ok()?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Some([&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::envelope::Envelope;

    #[test]
    fn a_synthetic_event_is_one_and_is_marked() {
        let event = event("scanner.report.ready", "t", 0).unwrap();
        let envelope = Envelope::of_json(event.to_string().as_bytes()).unwrap();
        assert_eq!((envelope.kind.as_deref(), envelope.tenant.as_deref()), (Some("scanner.report.ready"), Some("t")));
        assert_eq!(envelope.id.map(|id| id.len()), Some(36));
        assert_eq!(event["payload"]["synthetic"], true);
        assert_ne!(uuid(), uuid());
    }
}
