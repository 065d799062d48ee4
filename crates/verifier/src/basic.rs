//! The header `Authorization` of scheme Basic, in the one spelling that is accepted.
//!
//! Threats: one credential in many spellings would cost bcrypt and a place in memory for each, and the gateway could count them as
//! different tenants. So after the scheme (in any case, with one or more blanks, as RFC 7235 allows) only canonical Base64 is read: with
//! padding, without blanks, no stray bits. bcrypt looks at 72 bytes and stops at a NUL, so that other passwords would open the same
//! door; they are refused, as are control characters, which RFC 7617 does not allow.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mirror::htpasswd::{MOST_PASSWORD_BYTES, check_name};
use zeroize::Zeroizing;

/// The Base64 of the longest name (128 bytes), the colon and the longest password, a little rounded up. What is longer is not looked at.
const MOST_TOKEN_BYTES: usize = 280;

/// Name and password, overwritten when dropped. It cannot be displayed.
pub(crate) struct Credential {
    bytes: Zeroizing<Vec<u8>>,
    colon: usize,
}

impl Credential {
    /// In order, by [`check_name`].
    pub(crate) fn name(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.colon]).unwrap_or_default()
    }

    pub(crate) fn password(&self) -> &[u8] {
        &self.bytes[self.colon + 1..]
    }
}

/// What follows the scheme, if the scheme is Basic. It is not looked into.
pub(crate) fn token(header: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = header.split_at_checked(5)?;
    if !scheme.eq_ignore_ascii_case(b"basic") || rest.first() != Some(&b' ') {
        return None;
    }
    let token = rest.trim_ascii_start();
    (!token.is_empty() && token.len() <= MOST_TOKEN_BYTES).then_some(token)
}

/// Reads a token. `None` for whatever is not the one spelling of a credential that can be right.
pub(crate) fn decode(token: &[u8]) -> Option<Credential> {
    if token.len() > MOST_TOKEN_BYTES {
        return None;
    }
    // Of its final size from the start: a vector that grows leaves its old bytes behind.
    let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(token.len())]);
    let length = STANDARD.decode_slice(token, &mut bytes).ok()?;
    bytes.truncate(length);
    let colon = bytes.iter().position(|byte| *byte == b':')?;
    let credential = Credential { bytes, colon };
    let name = std::str::from_utf8(&credential.bytes[..colon]).ok()?;
    let password = credential.password();
    let fits = !password.is_empty() && password.len() <= MOST_PASSWORD_BYTES;
    (check_name(name).is_ok() && fits && !password.iter().any(u8::is_ascii_control)).then_some(credential)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(header: &str) -> Option<(String, Vec<u8>)> {
        let credential = decode(token(header.as_bytes())?)?;
        Some((credential.name().to_owned(), credential.password().to_owned()))
    }

    fn written(name: &str, password: &[u8]) -> String {
        STANDARD.encode([name.as_bytes(), b":", password].concat())
    }

    #[test]
    fn a_token_has_a_longest_length_and_every_credential_fits() {
        let (name, password) = ("n".repeat(128), vec![b'p'; MOST_PASSWORD_BYTES]);
        assert_eq!(read(&format!("Basic {}", written(&name, &password))), Some((name, password)));
        let header = |length: usize| format!("Basic {}", "A".repeat(length)).into_bytes();
        assert_eq!(token(&header(280)).map(<[u8]>::len), Some(280));
        assert_eq!(token(&header(281)), None);
    }

    #[test]
    fn the_scheme_has_several_spellings() {
        let expected = Some(("Aladdin".to_owned(), b"open sesame".to_vec()));
        for header in [
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
            "basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
            "BASIC   QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        ] {
            assert_eq!(read(header), expected, "{header}");
        }
    }

    #[test]
    fn the_credential_has_one() {
        for header in [
            "",
            "Basic",
            "Basic ",
            "Basic\tQWxhZGRpbjpvcGVuIHNlc2FtZQ==",
            "Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
            "BasicQWxhZGRpbjpvcGVuIHNlc2FtZQ==",
            // Without padding, with too much of it, with stray bits, of the alphabet for URLs, with a blank within, with a second part.
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ",
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=",
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ===",
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZR==",
            "Basic QTpf_-0=",
            "Basic QWxhZGRpbjpvcGVu IHNlc2FtZQ==",
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==, Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
            // `acme` without a colon, `:secret`, `acme:`.
            "Basic YWNtZQ==",
            "Basic OnNlY3JldA==",
            "Basic YWNtZTo=",
        ] {
            assert_eq!(read(header), None, "{header}");
        }
    }

    #[test]
    fn what_bcrypt_would_cut_is_refused() {
        let longest = [b'x'; 72];
        assert!(decode(written("acme", &longest).as_bytes()).is_some());
        for password in [&[b'x'; 73][..], b"secret\0", b"sec\nret", b"\x7f"] {
            assert!(decode(written("acme", password).as_bytes()).is_none());
        }
        for name in [" acme", "ac\tme", "#acme", &"x".repeat(129), "\u{85}"] {
            assert!(decode(written(name, b"secret").as_bytes()).is_none(), "{name}");
        }
        let most = "x".repeat(128);
        assert_eq!(decode(written(&most, &longest).as_bytes()).map(|credential| credential.name().len()), Some(128));
        assert!(decode(written(&"x".repeat(20_000), b"secret").as_bytes()).is_none());
    }

    proptest! {
        #[test]
        fn a_colon_ends_the_name(name in "[a-zA-Z0-9._ä-]{1,30}", password in "[ -~äöü]{1,20}") {
            let credential = decode(written(&name, password.as_bytes()).as_bytes()).unwrap();
            prop_assert_eq!(credential.name(), name.as_str());
            prop_assert_eq!(credential.password(), password.as_bytes());
        }

        /// Two texts that are read as the same credential are the same text.
        #[test]
        fn no_two_spellings(text in "[A-Za-z0-9+/=]{4,24}") {
            if let Some(credential) = decode(text.as_bytes()) {
                prop_assert_eq!(written(credential.name(), credential.password()), text);
            }
        }

        #[test]
        fn any_bytes_are_safe(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Some(token) = token(&bytes) {
                let _ = decode(token);
            }
        }
    }
}
