//! What a status of a registry means that is no success.

use serde::Deserialize;

use crate::fault::{Fault, Kind, shown};
use crate::transport::Answer;

/// More errors in one answer repeat themselves.
const MOST_ERRORS: usize = 3;

#[derive(Deserialize)]
struct Errors {
    errors: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// The fault behind an answer to a question for a manifest. `what` is the tag or digest that was asked for.
pub(crate) fn fault(answer: &Answer, repository: &str, what: &str) -> Fault {
    let codes = codes(&answer.body);
    let status = answer.status.as_u16();
    let said = words(&answer.body);
    let has = |code: &str| codes.iter().any(|known| known == code);
    match status {
        404 if has("NAME_UNKNOWN") => {
            Fault::new(Kind::RepositoryNotFound, format!("there is no repository `{repository}`"))
        }
        404 if !codes.is_empty() => {
            Fault::new(Kind::TagNotFound, format!("the repository `{repository}` has no `{what}`"))
        }
        404 => Fault::new(Kind::NotARegistry, "it answers 404 and not as a registry does"),
        403 => Fault::quoting(Kind::AccessDenied, &format!("reading `{repository}` is denied"), &said),
        407 => Fault::new(Kind::CredentialsRefused, "the proxy asks for a login, or does not take ours"),
        _ => Fault::quoting(Kind::UnexpectedStatus, &format!("the answer is HTTP {status}"), &said),
    }
}

/// What an error's body says: a registry's own words, or the beginning of a text. No page of HTML.
pub(crate) fn words(body: &[u8]) -> String {
    if let Ok(errors) = serde_json::from_slice::<Errors>(body) {
        let text = |entry: &Entry| match (entry.code.as_str(), entry.message.as_str()) {
            ("", message) => message.to_owned(),
            (code, "") => code.to_owned(),
            (code, message) => format!("{code}: {message}"),
        };
        return errors.errors.iter().take(MOST_ERRORS).map(text).collect::<Vec<_>>().join("; ");
    }
    match std::str::from_utf8(body) {
        Ok(text) if !text.trim_start().starts_with(['<', '{', '[']) => shown(text),
        _ => String::new(),
    }
}

fn codes(body: &[u8]) -> Vec<String> {
    serde_json::from_slice::<Errors>(body)
        .map(|errors| errors.errors.into_iter().map(|entry| entry.code).filter(|code| !code.is_empty()).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::*;

    #[test]
    fn a_registrys_words_tell_absences_apart() {
        let kind = |status: u16, body: &str| {
            let status = StatusCode::from_u16(status).unwrap();
            let answer = Answer { status, headers: Default::default(), body: body.into(), elsewhere: false };
            fault(&answer, "a/b", "1.0").kind
        };
        assert_eq!(kind(404, r#"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#), Kind::TagNotFound);
        assert_eq!(kind(404, r#"{"errors":[{"code":"NAME_UNKNOWN","message":"x"}]}"#), Kind::RepositoryNotFound);
        assert_eq!(kind(404, "<html>nginx</html>"), Kind::NotARegistry);
        assert_eq!(kind(404, r#"{"errors":[]}"#), Kind::NotARegistry);
        assert_eq!(kind(403, ""), Kind::AccessDenied);
        assert_eq!(kind(418, ""), Kind::UnexpectedStatus);
    }

    #[test]
    fn pages_are_not_quoted() {
        assert_eq!(words(br#"{"errors":[{"code":"DENIED","message":"no"},{"message":"x"}]}"#), "DENIED: no; x");
        assert_eq!(words(b" slow down\n"), "slow down");
        assert_eq!(words(b"<html>"), "");
        assert_eq!(words(b"\xff\xfe"), "");
    }
}
