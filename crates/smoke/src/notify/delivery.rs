//! What Notify says of its deliveries. The shape is not documented, so names are looked up tolerantly, and nothing else is.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::envelope::plain;
use crate::report::shown;

/// Deliveries of one page. Two hundred are asked for, and a server that does not know how to count may send some more.
const MOST_OF_A_PAGE: usize = 10_000;

/// Ids, kinds and tenants are far shorter; a longer one is none.
const LONGEST_WORD: usize = 256;

/// It stands in an address, of which servers take eight kilobytes.
const LONGEST_TOKEN: usize = 4 * 1024;

/// One delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) tenant: Option<String>,
    pub(crate) status: Status,
    pub(crate) kind: Option<String>,
    pub(crate) event_id: Option<String>,
    /// Milliseconds since 1970, by Notify's clock.
    pub(crate) created: Option<i64>,
    /// Why it failed, made safe to print.
    pub(crate) error: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Pending,
    Sent,
    Failed,
    /// In its words.
    Other(String),
}

/// One page of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) deliveries: Vec<Delivery>,
    pub(crate) next: Option<String>,
}

impl Page {
    /// Why an answer is none is said without quoting it.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, &'static str> {
        let answer: Value = serde_json::from_slice(body).map_err(|_| "its answer is not JSON")?;
        let (items, next) = match &answer {
            Value::Array(items) => (items, None),
            Value::Object(members) => {
                let Some(Value::Array(items)) = find(members, &["items", "deliveries", "data"]) else {
                    return Err("its answer is JSON, but has no list of deliveries (`items`)");
                };
                let next = find(
                    members,
                    &["nextpagetoken", "pagetoken", "nexttoken", "continuationtoken", "nextcontinuationtoken"],
                );
                (items, next.and_then(word))
            }
            _ => return Err("its answer is JSON, but has no list of deliveries (`items`)"),
        };
        if items.len() > MOST_OF_A_PAGE {
            return Err("its page has more than 10000 deliveries");
        }
        if next.as_ref().is_some_and(|token| token.len() > LONGEST_TOKEN) {
            return Err("it names the next page with more than 4 KiB");
        }
        let delivery =
            |item: &Value| item.as_object().map(Delivery::of).ok_or("its list holds something else than deliveries");
        let deliveries = items.iter().map(delivery).collect::<Result<_, _>>()?;
        Ok(Self { deliveries, next: next.filter(|token| !token.is_empty()) })
    }
}

impl Delivery {
    fn of(item: &Map<String, Value>) -> Self {
        let event = find(item, &["event"]).and_then(Value::as_object);
        let short = |value: &Value| word(value).filter(|word| word.len() <= LONGEST_WORD);
        let own = |names: &[&str]| find(item, names).and_then(short);
        let inner = |names: &[&str]| event.and_then(|event| find(event, names)).and_then(short);
        Self {
            tenant: own(&["tenantid", "tenant"]),
            status: own(&["status", "state"])
                .map_or_else(|| Status::Other("none".to_owned()), |word| Status::of(&word)),
            kind: own(&["kind", "eventkind"]).or_else(|| inner(&["kind", "eventkind"])),
            event_id: own(&["eventid"]).or_else(|| inner(&["eventid", "id"])),
            created: find(item, &["createdutc", "createdat", "created"]).and_then(moment),
            error: error(item).map(|text| shown(&text)).filter(|text| !text.is_empty()),
        }
    }
}

impl Status {
    fn of(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "pending" => Self::Pending,
            "sent" => Self::Sent,
            "failed" => Self::Failed,
            _ => Self::Other(shown(word)),
        }
    }
}

/// The member with the first of these names that there is.
fn find<'a>(members: &'a Map<String, Value>, names: &[&str]) -> Option<&'a Value> {
    names
        .iter()
        .find_map(|wanted| members.iter().find(|(name, value)| plain(name) == **wanted && !value.is_null()))
        .map(|(_, value)| value)
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A text, or the text in an object such as `{"code": …, "message": "…"}`; else that of the last attempt.
fn error(item: &Map<String, Value>) -> Option<String> {
    const NAMES: [&str; 6] = ["error", "errormessage", "lasterror", "failurereason", "statusreason", "reason"];
    let said = |members: &Map<String, Value>| match find(members, &NAMES)? {
        Value::Object(inner) => find(inner, &["message", "reason", "code"]).and_then(word),
        value => word(value),
    };
    said(item).or_else(|| said(find(item, &["attempts"])?.as_array()?.last()?.as_object()?))
}

/// A moment with an offset, one without (then UTC, as the member's name says), or seconds or milliseconds since 1970.
fn moment(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => {
            let text = text.trim();
            let with_offset = text.parse::<Timestamp>().ok();
            let without = || TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok();
            with_offset.or_else(without).map(Timestamp::as_millisecond)
        }
        Value::Number(number) => {
            let number = number.as_i64()?;
            // In milliseconds this was in March 1973.
            Some(if number > 100_000_000_000 { number } else { number.checked_mul(1000)? })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(json: &str) -> Delivery {
        Page::parse(format!("{{\"items\":[{json}]}}").as_bytes()).unwrap().deliveries.remove(0)
    }

    #[test]
    fn names_are_looked_up_tolerantly() {
        let expected = Delivery {
            tenant: Some("t".to_owned()),
            status: Status::Sent,
            kind: Some("k".to_owned()),
            event_id: Some("e".to_owned()),
            created: Some(1_700_000_000_000),
            error: None,
        };
        for json in [
            r#"{"deliveryId":"d","tenantId":"t","status":"sent","kind":"k","eventId":"e","createdUtc":"2023-11-14T22:13:20Z"}"#,
            r#"{"Tenant":"t","STATE":"Sent","eventKind":"k","event_id":"e","created_at":"2023-11-14T23:13:20.0000000+01:00"}"#,
            r#"{"tenantId":"t","status":"SENT","event":{"kind":"k","eventId":"e"},"createdUtc":"2023-11-14T22:13:20"}"#,
            r#"{"tenantId":"t","status":"sent","kind":null,"event":{"Kind":"k","id":"e"},"created":1700000000}"#,
        ] {
            assert_eq!(one(json), expected, "{json}");
        }
    }

    #[test]
    fn errors_are_found_where_they_stand() {
        for json in [
            r#"{"error":"boom"}"#,
            r#"{"statusReason":"boom"}"#,
            r#"{"error":{"code":1,"message":"boom"}}"#,
            r#"{"attempts":[{"error":"first"},{"reason":"boom"}]}"#,
        ] {
            assert_eq!(one(json).error.as_deref(), Some("boom"), "{json}");
        }
    }

    #[test]
    fn pages_have_a_next_one_or_not() {
        let next = |json: &str| Page::parse(json.as_bytes()).unwrap().next;
        assert_eq!(next(r#"{"items":[],"nextPageToken":"n"}"#).as_deref(), Some("n"));
        assert_eq!(next(r#"{"items":[],"next_page_token":""}"#), None);
        assert_eq!(next(r#"{"items":[],"nextPageToken":null}"#), None);
        assert_eq!(next("[]"), None);
    }

    #[test]
    fn pages_and_words_have_a_limit() {
        let page = |count: usize, token: usize| {
            let body = format!(
                r#"{{"items":[{}{{}}],"next":0,"nextPageToken":"{}"}}"#,
                "{},".repeat(count - 1),
                "t".repeat(token)
            );
            Page::parse(body.as_bytes()).map(|page| page.deliveries.len())
        };
        assert_eq!(page(10_000, 4 * 1024), Ok(10_000));
        assert_eq!(page(10_001, 1), Err("its page has more than 10000 deliveries"));
        assert_eq!(page(1, 4 * 1024 + 1), Err("it names the next page with more than 4 KiB"));
        let id = |length: usize| one(&format!(r#"{{"eventId":"{}"}}"#, "e".repeat(length))).event_id;
        assert_eq!((id(256), id(257)), (Some("e".repeat(256)), None));
    }

    #[test]
    fn what_is_no_answer_is_said() {
        for body in ["", "<html>", "{}", "1", r#"{"items":{}}"#, r#"{"items":[1]}"#] {
            assert!(Page::parse(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn a_status_that_nobody_knows_is_kept() {
        assert_eq!(one(r#"{"status":"Throttled"}"#).status, Status::Other("Throttled".to_owned()));
        assert_eq!(one("{}").status, Status::Other("none".to_owned()));
    }
}
