//! What an event says of itself, in whatever layout it was written.
//!
//! The layout of a stream entry is documented nowhere, so three are understood: the envelope as JSON in one field (the usual one, with or
//! without fields beside it), the envelope inside of another object (`{"event": {…}}`), and the envelope's members as fields of the entry.
//! Names of members are compared without case, `_` and `-`.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Ids, kinds and tenants are far shorter; a longer one is none.
const LONGEST_WORD: usize = 256;

/// Fields where JSON is looked for after the one that is configured.
const OTHER_FIELDS: [&str; 6] = ["envelope", "event", "data", "message", "body", "payload"];

/// The members of an envelope that matter here. A payload of megabytes is passed over without being kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) id: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) tenant: Option<String>,
}

impl Envelope {
    /// From the fields of a stream entry. `None` if it is no event.
    pub(crate) fn of_entry(fields: &[(Vec<u8>, Vec<u8>)], configured: &str) -> Option<Self> {
        let value = |wanted: &str| {
            fields
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(wanted.as_bytes()))
                .map(|(_, value)| value.as_slice())
        };
        let flat = Self::of_fields(fields);
        let places = std::iter::once(configured).chain(OTHER_FIELDS);
        let json = places.filter_map(value).filter_map(Self::of_json).find(|found| found.kind.is_some());
        let found = match json {
            // What stands beside the JSON is there to be found without parsing; it fills gaps.
            Some(json) => Self { id: json.id.or(flat.id), kind: json.kind, tenant: json.tenant.or(flat.tenant) },
            // The field that should hold the event holds something else: its neighbours do not make it one.
            None if value(configured).is_some() => return None,
            None => flat,
        };
        found.kind.is_some().then_some(found)
    }

    pub(crate) fn of_json(text: &[u8]) -> Option<Self> {
        // Almost everything that is no object is recognised by its first byte.
        if text.trim_ascii_start().first() != Some(&b'{') {
            return None;
        }
        serde_json::from_slice(text).ok()
    }

    fn of_fields(fields: &[(Vec<u8>, Vec<u8>)]) -> Self {
        let mut envelope = Self::default();
        for (name, value) in fields {
            let (Ok(name), Ok(value)) = (std::str::from_utf8(name), std::str::from_utf8(value)) else { continue };
            envelope.take(Member::of(name), value);
        }
        envelope
    }

    fn take(&mut self, member: Member, value: &str) {
        if value.is_empty() || value.len() > LONGEST_WORD {
            return;
        }
        let place = match member {
            Member::EventId => &mut self.id,
            // A weaker name does not replace a stronger one.
            Member::Id if self.id.is_none() => &mut self.id,
            Member::Kind => &mut self.kind,
            Member::Tenant => &mut self.tenant,
            Member::Id | Member::Inner | Member::Other => return,
        };
        *place = Some(value.to_owned());
    }

    /// What an inner object says counts where the outer one says nothing.
    fn fill(&mut self, inner: Self) {
        self.id = self.id.take().or(inner.id);
        self.kind = self.kind.take().or(inner.kind);
        self.tenant = self.tenant.take().or(inner.tenant);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Member {
    EventId,
    Id,
    Kind,
    Tenant,
    Inner,
    Other,
}

impl Member {
    fn of(name: &str) -> Self {
        match plain(name).as_str() {
            "eventid" => Self::EventId,
            "id" => Self::Id,
            "kind" | "eventkind" => Self::Kind,
            "tenant" | "tenantid" => Self::Tenant,
            "event" | "envelope" => Self::Inner,
            _ => Self::Other,
        }
    }
}

/// `event_id` and `EventId` are `eventid`.
pub(crate) fn plain(name: &str) -> String {
    name.chars().filter(|char| !matches!(char, '_' | '-')).map(|char| char.to_ascii_lowercase()).collect()
}

impl<'de> Deserialize<'de> for Envelope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Envelope;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Envelope, M::Error> {
        let mut envelope = Envelope::default();
        let mut inner = None;
        while let Some(name) = map.next_key::<String>()? {
            match Member::of(&name) {
                Member::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
                member => match map.next_value::<Inside>()? {
                    Inside::Word(word) => envelope.take(member, &word),
                    Inside::Envelope(found) if member == Member::Inner => inner = Some(found),
                    Inside::Envelope(_) | Inside::Nothing => {}
                },
            }
        }
        if let Some(inner) = inner {
            envelope.fill(inner);
        }
        Ok(envelope)
    }
}

/// The value of a member whose name is known: it may still be anything.
enum Inside {
    Word(String),
    Envelope(Envelope),
    Nothing,
}

impl<'de> Deserialize<'de> for Inside {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Inside;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Inside, E> {
        Ok(Inside::Word(text.to_owned()))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Inside, E> {
        Ok(Inside::Word(number.to_string()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Inside, E> {
        Ok(Inside::Word(number.to_string()))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Inside, E> {
        Ok(Inside::Nothing)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Inside, E> {
        Ok(Inside::Nothing)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Inside, E> {
        Ok(Inside::Nothing)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut sequence: S) -> Result<Inside, S::Error> {
        while sequence.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Inside::Nothing)
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Inside, M::Error> {
        Members.visit_map(map).map(Inside::Envelope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(fields: &[(&str, &str)]) -> Option<Envelope> {
        let fields: Vec<_> =
            fields.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).collect();
        Envelope::of_entry(&fields, "event")
    }

    fn envelope(id: &str, kind: &str, tenant: &str) -> Option<Envelope> {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Some(Envelope { id: some(id), kind: some(kind), tenant: some(tenant) })
    }

    #[test]
    fn three_layouts_are_one_event() {
        let expected = envelope("e1", "k", "t");
        let json = r#"{"eventId":"e1","kind":"k","tenant":"t","payload":{"kind":"other","id":7,"list":[1,{}]}}"#;
        assert_eq!(entry(&[("event", json), ("kind", "k"), ("tenant", "t")]), expected);
        assert_eq!(entry(&[("data", json)]), expected);
        assert_eq!(entry(&[("event", r#"{"event":{"event_id":"e1","Kind":"k","TenantId":"t"}}"#)]), expected);
        assert_eq!(
            entry(&[("eventId", "e1"), ("kind", "k"), ("tenant", "t"), ("payload", "{\"kind\":1.5}")]),
            expected
        );
    }

    #[test]
    fn fields_beside_the_json_fill_its_gaps_and_do_not_overrule_it() {
        assert_eq!(entry(&[("event", r#"{"kind":"k"}"#), ("kind", "x"), ("tenant", "t")]), envelope("", "k", "t"));
    }

    #[test]
    fn what_is_no_event_is_none() {
        for text in ["", "no json", "{", "[]", "null", r#"{"eventId":"e1"}"#, r#"{"kind":["k"]}"#, r#"{"kind":"k"} x"#]
        {
            assert_eq!(entry(&[("event", text), ("kind", "k")]), None, "{text}");
        }
        assert_eq!(entry(&[("x", "y")]), None);
    }

    #[test]
    fn a_long_word_is_none() {
        let (most, long) = ("x".repeat(256), "x".repeat(257));
        let of = |id: &str, kind: &str, tenant: &str| {
            let json = format!(r#"{{"eventId":"{id}","kind":"{kind}","tenant":"{tenant}"}}"#);
            let flat = entry(&[("eventId", id), ("kind", kind), ("tenant", tenant)]);
            assert_eq!(entry(&[("event", &json)]), flat);
            flat
        };
        assert_eq!(of(&most, &most, &most), envelope(&most, &most, &most));
        assert_eq!(of(&long, "k", &long), envelope("", "k", ""));
        assert_eq!(of("e", &long, "t"), None);
    }

    #[test]
    fn nesting_without_end_is_no_event() {
        let deep = format!("{}{}", r#"{"event":"#.repeat(100_000), "}".repeat(100_000));
        assert_eq!(Envelope::of_json(deep.as_bytes()), None);
        let deep = format!(r#"{{"kind":"k","payload":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        // The payload is passed over without recursion.
        assert_eq!(Envelope::of_json(deep.as_bytes()).and_then(|found| found.kind).as_deref(), Some("k"));
    }
}
