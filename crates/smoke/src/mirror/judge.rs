//! Files of a mirror held against each other: no IO, so that every verdict can be tried alone.

use ::mirror::exports::{self, Digest, Problem, Reference};
use ::mirror::jws::{Jws, PublicKey};
use jiff::{SignedDuration, Timestamp, Unit};

use super::fault::Kind;
use crate::report::{Finding, shown};

/// Clocks of two machines may differ by so much.
const TOLERATED_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// Who announces a file's bytes, and what.
pub(super) type Announced<'a> = (&'a str, Option<&'a Reference>);

/// Which names a file's faults have.
#[derive(Clone, Copy)]
pub(super) struct Names {
    pub(super) size: Kind,
    pub(super) digest: Kind,
    /// Nobody announces a digest; nothing where that does not matter.
    pub(super) absent: Option<Kind>,
}

/// Whether a file is what is announced. Wrong bytes are one fault, however many announce them.
pub(super) fn integrity(
    about: &str,
    path: &str,
    bytes: &[u8],
    announced: &[Announced<'_>],
    names: Names,
) -> (String, Vec<Finding>) {
    let digest = Digest::of(bytes);
    let announced = || announced.iter().filter_map(|(by, reference)| Some((*by, (*reference)?)));
    let size = bytes.len() as u64;
    let wrong_size = announced().find_map(|(by, reference)| Some((by, reference.size.filter(|said| *said != size)?)));
    if let Some((by, said)) = wrong_size {
        let message = format!("`{path}` has {size} bytes; {by} announces {said}");
        return (digest.to_string(), vec![names.size.find(about, message)]);
    }
    let wrong_digest =
        announced().find_map(|(by, reference)| Some((by, reference.digest.as_ref().filter(|said| **said != digest)?)));
    if let Some((by, said)) = wrong_digest {
        let message = format!("`{path}` is {digest}; {by} announces {said}");
        return (digest.to_string(), vec![names.digest.find(about, message)]);
    }
    let by: Vec<&str> = announced().filter(|(_, reference)| reference.digest.is_some()).map(|(by, _)| by).collect();
    if by.is_empty() {
        let absent = names.absent.map(|kind| kind.find(about, format!("nobody announces the digest of `{path}`")));
        return (format!("{digest}, which nobody announces"), absent.into_iter().collect());
    }
    (format!("{digest} as {} says", by.join(" and ")), Vec::new())
}

/// A document that cannot be read, or is of another version.
pub(super) fn unreadable(about: &str, path: &str, kind: Kind, error: &exports::Error) -> Finding {
    let kind = if matches!(error.problem, Problem::OtherSchema { .. }) { Kind::SchemaUnknown } else { kind };
    kind.find(about, format!("`{path}`: {}", shown(&error.to_string())))
}

/// When a generation was made, judged by this machine's clock.
pub(super) fn age(
    about: &str,
    created: Timestamp,
    max_age: Option<SignedDuration>,
    now: Timestamp,
) -> (String, Vec<Finding>) {
    let age = now.duration_since(created);
    if age < -TOLERATED_SKEW {
        let message = format!("the generation was made at {created}, {} after now", span(-age));
        return (format!("made at {created}"), vec![Kind::CreatedInFuture.find(about, message)]);
    }
    let outcome = format!("{} old", span(age.max(SignedDuration::ZERO)));
    match max_age {
        Some(limit) if age > limit => {
            let message = format!(
                "the generation was made at {created}: it is {} old, and may be {} (`--max-age`)",
                span(age),
                span(limit)
            );
            (outcome, vec![Kind::TooOld.find(about, message)])
        }
        _ => (outcome, Vec::new()),
    }
}

/// Whether the bundle's signature is good, or at least one.
pub(super) fn signature(
    about: &str,
    path: &str,
    jws: &[u8],
    bundle: &[u8],
    key: Option<&PublicKey>,
) -> (String, Vec<Finding>) {
    let parsed = match Jws::parse(jws) {
        Ok(parsed) => parsed,
        Err(error) => {
            let finding = Kind::SignatureMalformed.find(about, format!("`{path}`: {}", shown(&error.to_string())));
            return ("no signature".to_owned(), vec![finding]);
        }
    };
    let id = parsed.key_id().map(|id| format!(", by its own word with key `{}`", shown(id))).unwrap_or_default();
    let form = format!("{}, {}{id}", parsed.algorithm().as_str(), parsed.shape().as_str());
    let judged = match key {
        Some(key) => parsed.verify(bundle, key),
        None => parsed.is_of(bundle),
    };
    match (judged, key) {
        (Err(error), _) => {
            (form, vec![Kind::SignatureInvalid.find(about, format!("`{path}` does not sign this bundle: {error}"))])
        }
        (Ok(()), Some(key)) => (format!("verified with sha256:{}; {form}", key.fingerprint()), Vec::new()),
        (Ok(()), None) => {
            let message = format!("the signature in `{path}` was NOT CHECKED: no key was given");
            (format!("NOT CHECKED; {form}"), vec![Kind::SignatureNotChecked.find(about, message)])
        }
    }
}

/// `3 h 12 min`, for people: two units at most.
pub(super) fn span(duration: SignedDuration) -> String {
    let minutes = duration.as_mins();
    let (days, hours) = (minutes / (24 * 60), minutes / 60 % 24);
    match (days, hours, minutes % 60) {
        (0, 0, 0) => format!("{} s", duration.round(Unit::Second).unwrap_or(duration).as_secs()),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, 0) => format!("{hours} h"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, 0, _) => format!("{days} d"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: Names =
        Names { size: Kind::SizeDiffers, digest: Kind::DigestDiffers, absent: Some(Kind::DigestAbsent) };

    fn kinds(judged: &(String, Vec<Finding>)) -> Vec<&str> {
        judged.1.iter().map(|finding| finding.kind).collect()
    }

    #[test]
    fn bytes_are_what_everybody_announces() {
        let good = Reference { size: Some(2), digest: Some(Digest::of(b"{}")) };
        let short = Reference { size: Some(3), digest: None };
        let other = Reference { size: None, digest: Some(Digest::of(b"x")) };
        let judge = |announced: &[Announced<'_>]| integrity("row", "b", b"{}", announced, NAMES);
        assert_eq!(kinds(&judge(&[("the manifest", Some(&good)), ("the index", None)])), [""; 0]);
        assert!(judge(&[("the manifest", Some(&good))]).0.ends_with("as the manifest says"));
        assert_eq!(kinds(&judge(&[("the manifest", Some(&good)), ("the index", Some(&short))])), ["size-differs"]);
        assert_eq!(kinds(&judge(&[("the manifest", Some(&other)), ("the index", Some(&good))])), ["digest-differs"]);
        assert_eq!(kinds(&judge(&[("the manifest", Some(&short)), ("the index", Some(&other))])), ["size-differs"]);
        assert_eq!(kinds(&judge(&[("the manifest", None)])), ["digest-absent"]);
        assert_eq!(kinds(&integrity("row", "b", b"{}", &[], Names { absent: None, ..NAMES })), [""; 0]);
    }

    #[test]
    fn an_age_has_two_ends() {
        let now: Timestamp = "2026-01-02T00:00:00Z".parse().unwrap();
        let judge = |created: &str, limit| age("row", created.parse().unwrap(), limit, now);
        let day = Some(SignedDuration::from_hours(24));
        assert_eq!(judge("2026-01-01T00:00:00Z", day), ("1 d".to_owned() + " old", vec![]));
        assert_eq!(kinds(&judge("2025-12-31T23:59:59Z", day)), ["too-old"]);
        assert_eq!(kinds(&judge("2025-01-01T00:00:00Z", None)), [""; 0]);
        assert_eq!(judge("2026-01-02T00:04:00Z", day), ("0 s old".to_owned(), vec![]));
        let ahead = judge("2026-01-02T03:00:00Z", None);
        assert_eq!(ahead.1[0].message, "the generation was made at 2026-01-02T03:00:00Z, 3 h after now");
        assert_eq!(kinds(&ahead), ["created-in-future"]);
    }

    #[test]
    fn spans_have_two_units_at_most() {
        for (seconds, expected) in
            [(5, "5 s"), (60, "1 min"), (3600, "1 h"), (3660, "1 h 1 min"), (90_000, "1 d 1 h"), (86_460, "1 d")]
        {
            assert_eq!(span(SignedDuration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn a_signature_without_a_key_is_loudly_not_checked() {
        let exports = testkit::Exports::start();
        let bundle = exports.file("/concelier/exports/mirror/primary/bundle.json");
        let jws = exports.file("/concelier/exports/mirror/primary/bundle.json.jws");
        let key = PublicKey::from_pem(&exports.public_key()).unwrap();
        let none = signature("row", "j", &jws, &bundle, None);
        assert_eq!(
            (kinds(&none), none.0.as_str()),
            (
                vec!["signature-not-checked"],
                "NOT CHECKED; ES256, detached, unencoded, by its own word with key `mirror-test`"
            )
        );
        assert_eq!(kinds(&signature("row", "j", &jws, &bundle, Some(&key))), [""; 0]);
        assert_eq!(kinds(&signature("row", "j", &jws, b"{}", Some(&key))), ["signature-invalid"]);
        assert_eq!(kinds(&signature("row", "j", b"x", &bundle, None)), ["signature-malformed"]);
    }
}
