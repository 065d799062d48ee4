//! Texts that are never shown, and the sieve that holds them back where somebody else says them.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands where a secret stood.
const MASK: &str = "***";

/// Shorter ones are not looked for in texts of the other side: they would be found in every second word.
const SHORTEST_FOUND: usize = 4;

/// A text that cannot be displayed: a password, a token, the body of an answer that holds one.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// For the wire only.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// Takes secrets out of texts. We never write one; a proxy that answers with the request it got does.
#[derive(Debug, Default)]
pub(crate) struct Sieve(Mutex<Vec<Secret>>);

impl Sieve {
    /// From now on, this one is held back.
    pub(crate) fn learn(&self, secret: &Secret) {
        if secret.0.chars().count() < SHORTEST_FOUND {
            return;
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let encoded = Secret(encoded(&secret.0));
        for form in [secret.clone(), encoded] {
            if !known.contains(&form) {
                known.push(form);
            }
        }
        // The longest first: a secret may be a part of another one.
        known.sort_by_key(|secret| std::cmp::Reverse(secret.0.len()));
    }

    /// User and password as they travel: an echo shows them in this form.
    pub(crate) fn learn_login(&self, user: &str, password: &Secret) {
        self.learn(password);
        let both = format!("{user}:{}", password.0);
        for form in [STANDARD.encode(&both), STANDARD_NO_PAD.encode(&both)] {
            self.learn(&Secret(form));
        }
    }

    pub(crate) fn clean(&self, text: &str) -> String {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().fold(
            text.to_owned(),
            |text, secret| {
                if text.contains(&secret.0) { text.replace(&secret.0, MASK) } else { text }
            },
        )
    }
}

/// All but what RFC 3986 calls unreserved.
const UNSAFE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text as one value of a form or a query.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, UNSAFE).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_held_back_in_every_form_that_travels() {
        let sieve = Sieve::default();
        sieve.learn_login("alice", &Secret::new("hunter2!"));
        sieve.learn(&Secret::new("hunter2!-longer"));
        sieve.learn(&Secret::new("abc"));
        let basic = STANDARD.encode("alice:hunter2!");
        let said = format!("you sent xhunter2!-longerx, Basic {basic}, password=hunter2%21 and abc");
        assert_eq!(sieve.clean(&said), "you sent x***x, Basic ***, password=*** and abc");
        assert!(!format!("{sieve:?}").contains("hunter"));
    }
}
