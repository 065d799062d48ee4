//! What a secret looks like in a file.

use std::ops::Range;

/// How a secret is spelled in an example: `change-me:<name>`.
pub(crate) const PLACEHOLDER: &str = "change-me:";

/// The placeholder as the start of base64, for the `data` of a Secret.
const PLACEHOLDER_BASE64: &str = "Y2hhbmdlLW1l";

/// Whether a value is, or holds, a placeholder.
pub(crate) fn is_placeholder(value: &str) -> bool {
    value.contains(PLACEHOLDER) || value.starts_with(PLACEHOLDER_BASE64)
}

/// Whether the value of a secret-named key is a secret that should not stand in a file: not empty, no placeholder, no
/// variable, and not a mere switch or number.
#[must_use]
pub fn is_secret_value(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']);
    // Of a connection string only the password is secret.
    if value.contains("://") {
        return password_in_url(value).is_some();
    }
    let harmless = value.is_empty()
        || is_placeholder(value)
        || value.contains("${")
        || value.contains("$(")
        || value.starts_with('$')
        || value.starts_with('/')
        || matches!(value, "true" | "false" | "yes" | "no" | "on" | "off" | "null" | "~")
        || value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    !harmless
}

/// The password within a URL of the value, if it stands there as such.
#[must_use]
pub fn password_in_url(value: &str) -> Option<Range<usize>> {
    let (at, _) = value.match_indices("://").find(|(at, _)| userinfo(value, *at).is_some())?;
    userinfo(value, at)
}

fn userinfo(value: &str, at: usize) -> Option<Range<usize>> {
    let start = at + "://".len();
    let end = value[start..].find(['/', ' ', '"', '\'', '?', '#']).map_or(value.len(), |end| start + end);
    // A placeholder holds a colon of its own; a `/` or `@` in a password must be escaped in a URL.
    let sign = start + value[start..end].rfind('@')?;
    let colon = start + value[start..sign].find(':')?;
    let password = &value[colon + 1..sign];
    (!password.contains("://") && is_secret_value(password)).then_some(colon + 1..sign)
}

/// The first private key of a text: where its first line stands, and what it is. For tracked files, text or not.
#[must_use]
pub fn private_key(text: &str) -> Option<(Range<usize>, String)> {
    for (at, _) in text.match_indices("-----BEGIN ") {
        let line_end = text[at..].find(['\n', '\r']).map_or(text.len(), |end| at + end);
        let line = &text[at..line_end];
        let Some(what) = line.strip_prefix("-----BEGIN ").and_then(|rest| rest.trim_end().strip_suffix("-----")) else {
            continue;
        };
        let what = what.strip_suffix(" BLOCK").unwrap_or(what);
        let Some(kind) = what.strip_suffix("PRIVATE KEY") else { continue };
        // Code and prose name the line too; a key has a body of base64 after it.
        let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
        let body = text[line_end..].lines().map(str::trim).filter(|line| !line.is_empty());
        let has_body = body.take(6).any(|line| line.len() >= 32 && line.bytes().all(is_base64));
        if has_body && !kind.contains(|character: char| !character.is_ascii_uppercase() && character != ' ') {
            let kind = kind.trim();
            let what = if kind.is_empty() { "private key".to_owned() } else { format!("{kind} private key") };
            return Some((at..line_end, what));
        }
    }
    const AGE: &str = "AGE-SECRET-KEY-1";
    let at = text.find(AGE)?;
    let end = text[at..].find(|character: char| !character.is_ascii_alphanumeric() && character != '-');
    let end = end.map_or(text.len(), |end| at + end);
    // The Bech32 form of a 32-byte key.
    (end - at >= 74).then(|| (at..end, "age private key".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_told_from_what_stands_for_them() {
        for (value, expected) in [
            ("hunter2", true),
            ("change-me:redis-password", false),
            ("\"\"", false),
            ("${REDIS_PASSWORD:?}", false),
            ("/run/secrets/redis", false),
            ("true", false),
            ("yes", false),
            ("redis://:$(REDIS_PASSWORD)@redis:6379/0", false),
            ("redis://redis:6379/0", false),
            ("redis://:hunter2@redis:6379/0", true),
            ("3600", false),
            ("Y2hhbmdlLW1lOng=", false),
        ] {
            assert_eq!(is_secret_value(value), expected, "{value}");
        }
        assert_eq!(password_in_url("redis://u:hunter2@h/0"), Some(10..17));
        for value in ["redis://u:change-me:x@h", "redis://u:${P}@h", "redis://h:6379", "http://a@b", "x"] {
            assert_eq!(password_in_url(value), None, "{value}");
        }
    }

    #[test]
    fn private_keys_are_told_from_text_about_them() {
        let body = "MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF";
        let marker = |kind: &str, end: &str| format!("-----BEGIN {kind}PRIVATE KEY-----{end}");
        for (text, expected) in [
            (format!("{}\n{body}\n", marker("", "")), Some("private key")),
            (format!("# x\r\n{}\r\n{body}\r\n", marker("RSA ", "")), Some("RSA private key")),
            (format!("{}\nProc-Type: 4,ENCRYPTED\n\n{body}", marker("EC ", "")), Some("EC private key")),
            (marker("", "\\n"), None),
            (format!("look for {}\n", marker("", "")), None),
            (format!("-----BEGIN PUBLIC KEY-----\n{body}\n"), None),
        ] {
            assert_eq!(private_key(&text).map(|(_, what)| what).as_deref(), expected, "{text}");
        }
    }
}
