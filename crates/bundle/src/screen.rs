//! What must not leave the house, told by what a file holds.
//!
//! A bundle is text. What is not text cannot be looked into and is refused, so that no archive, key store or image hides a key
//! from the rest of this. Base64 is decoded first, wherever it stands: a Kubernetes Secret, a PEM block without its first
//! line, a key on one line with `\n` in it. This is one of two nets; the program adds what it knows of settings and YAML.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::der::{key_at_start, key_in};

/// The end of a base64 text may have been cut off, and nobody promises to pad.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Base64 texts shorter than this hold no key: 24 characters are 18 bytes.
const LEAST_BASE64: usize = 24;

/// A decoded text that is decoded once more: a Secret's value may be a Secret's value.
const DEEPEST: usize = 2;

/// A secret that was found, and where. The secret itself is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leak {
    pub path: String,
    /// Such as `an RSA or DSA private key`.
    pub what: String,
}

/// What a file holds that must not be in a bundle, whatever its name is.
#[must_use]
pub fn secret_in(bytes: &[u8]) -> Option<String> {
    look(bytes, 0).map(str::to_owned)
}

fn look(bytes: &[u8], depth: usize) -> Option<&'static str> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => text,
        _ => {
            let what = key_in(bytes);
            return if depth == 0 { what.or(Some("binary data, which nobody can look into")) } else { what };
        }
    };
    pem(text)
        .or_else(|| text.lines().find_map(password_hash))
        .or_else(|| words(text).find_map(token))
        .or_else(|| json_web_key(text))
        .or_else(|| base64_texts(text).find_map(|text| decoded(text, depth)))
}

/// A PEM block of a private key, also one whose lines were joined; a block needs a body, since prose names the line too.
fn pem(text: &str) -> Option<&'static str> {
    let is_key = |rest: &str| {
        let Some((label, body)) = rest.split_once("-----") else { return false };
        let Some(label) = label.strip_suffix("PRIVATE KEY").or(label.strip_suffix("PRIVATE KEY BLOCK")) else {
            return false;
        };
        let body = body.split("-----END").next().unwrap_or_default();
        label.len() < 40 && base64_texts(body).next().is_some()
    };
    text.split("-----BEGIN ").skip(1).any(is_key).then_some("a private key")
}

/// A line of a password file, or a bcrypt hash in any other.
fn password_hash(line: &str) -> Option<&'static str> {
    let is_salted = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'/';
    let bcrypt = line.match_indices("$2").any(|(at, _)| {
        let hash = line.as_bytes().get(at..at + 60).unwrap_or_default();
        hash.len() == 60
            && matches!(hash[2], b'a' | b'b' | b'x' | b'y')
            && hash[3] == b'$'
            && hash[4..6].iter().all(u8::is_ascii_digit)
            && hash[6] == b'$'
            && hash[7..].iter().copied().all(is_salted)
    });
    if bcrypt {
        return Some("a bcrypt password hash");
    }
    let (user, hash) = line.trim().split_once(':')?;
    let plain = !user.is_empty() && !user.contains(char::is_whitespace) && !hash.contains(char::is_whitespace);
    let known = ["$apr1$", "$1$", "$5$", "$6$", "$y$", "$argon2", "{SHA}", "{SSHA}"];
    let hashed = known.iter().any(|prefix| hash.strip_prefix(prefix).is_some_and(|hash| hash.len() >= 20));
    (plain && hashed).then_some("a line of a password file")
}

/// Words of what tokens are made of.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let inside = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.');
    text.split(move |character| !inside(character)).filter(|word| word.len() >= 20)
}

/// Tokens that say themselves what they are.
fn token(word: &str) -> Option<&'static str> {
    const KNOWN: [(&str, usize, &str); 11] = [
        ("ghp_", 36, "a GitHub token"),
        ("gho_", 36, "a GitHub token"),
        ("ghs_", 36, "a GitHub token"),
        ("github_pat_", 60, "a GitHub token"),
        ("glpat-", 20, "a GitLab token"),
        ("xoxb-", 20, "a Slack token"),
        ("xoxp-", 20, "a Slack token"),
        ("AKIA", 16, "an AWS access key"),
        ("hvs.", 24, "a Vault token"),
        ("sk_live_", 24, "a Stripe key"),
        ("AGE-SECRET-KEY-1", 58, "an age private key"),
    ];
    let known = KNOWN.iter().find(|(prefix, least, _)| {
        word.strip_prefix(prefix).is_some_and(|rest| {
            rest.len() >= *least
                && (*prefix != "AKIA" || (rest.len() == *least && !rest.contains(|c: char| c.is_ascii_lowercase())))
        })
    });
    if let Some((.., what)) = known {
        return Some(what);
    }
    let mut parts = word.split('.');
    let token = parts.next()?.starts_with("eyJ") && parts.next()?.starts_with("eyJ") && parts.next()?.len() >= 20;
    token.then_some("a signed token")
}

/// JSON with the private part of a key.
fn json_web_key(text: &str) -> Option<&'static str> {
    let compact: String = text.chars().filter(|character| !character.is_whitespace()).collect();
    let private = compact.contains("\"kty\":\"") && (compact.contains("\"d\":\"") || compact.contains("\"k\":\""));
    private.then_some("a private JSON Web Key")
}

/// The longest stretches of base64 characters.
fn base64_texts(text: &str) -> impl Iterator<Item = &str> {
    let inside = |character: char| character.is_ascii_alphanumeric() || matches!(character, '+' | '/' | '=');
    text.split(move |character| !inside(character)).filter(|text| text.len() >= LEAST_BASE64)
}

fn decoded(text: &str, depth: usize) -> Option<&'static str> {
    let text = text.trim_end_matches('=');
    // The `n` of a `\n` and the like before the first character: each way to cut the text into fours is tried.
    (0..4).find_map(|skip| {
        let text = text.get(skip..)?;
        // One character alone in its four is nothing.
        let text = if text.len() % 4 == 1 { &text[..text.len() - 1] } else { text };
        let bytes = LENIENT.decode(text).ok()?;
        let nested = || (skip == 0 && depth < DEEPEST).then(|| look(&bytes, depth + 1)).flatten();
        key_at_start(&bytes).or_else(nested)
    })
}
