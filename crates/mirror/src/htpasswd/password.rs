//! A new password: what is refused, and what is generated.

use std::fmt;

use zeroize::Zeroizing;

use super::MOST_PASSWORD_BYTES;

/// Shorter ones are guessed from a stolen file, at any cost.
pub const LEAST_CHARACTERS: usize = 12;

/// 160 bits: 32 characters of five bits each, without padding.
pub const RANDOM_BYTES: usize = 20;

/// What people leave as it came, worst first. Compared without regard to case; the tenant's own name and `change-me…` are refused too.
pub const KNOWN_PASSWORDS: &[&str] = &[
    "changeme",
    "password",
    "mirror",
    "admin",
    "secret",
    "stellaops",
    "stella-ops",
    "community",
    "primary",
    "change-me",
    "changeit",
    "test",
    "guest",
    "letmein",
    "123456",
    "12345678",
    "123456789",
    "123456789012",
    "qwerty",
    "default",
    "passw0rd",
    "mirrormirror",
    "passwordpassword",
    "changemechangeme",
    "correcthorsebatterystaple",
    "correct horse battery staple",
];

/// Whether everybody knows this password. `tenant` is who would use it.
#[must_use]
pub fn is_known(password: &str, tenant: &str) -> bool {
    let password = password.trim().to_lowercase();
    let tenant = tenant.to_lowercase();
    KNOWN_PASSWORDS.contains(&password.as_str())
        // How a secret is spelled in an example of this system.
        || password.starts_with("change-me:")
        || password.starts_with("changeme:")
        || (!tenant.is_empty() && (password == tenant || password == format!("{tenant}{tenant}")))
        // `aaaaaaaaaaaa`.
        || password.chars().next().is_some_and(|first| password.chars().all(|character| character == first))
}

/// A password that may be used. Overwritten when it is dropped, and never displayed but by [`reveal`](Self::reveal).
pub struct Password(Zeroizing<String>);

impl Password {
    /// The password that someone chose for this tenant.
    ///
    /// # Errors
    /// With the first reason why it must not be used. No error repeats it.
    pub fn chosen(text: Zeroizing<String>, tenant: &str) -> Result<Self, PasswordError> {
        if text.is_empty() {
            return Err(PasswordError::Empty);
        }
        if text.contains('\0') {
            return Err(PasswordError::Nul);
        }
        if text.contains(['\n', '\r']) {
            return Err(PasswordError::Lines);
        }
        if text.contains(char::is_control) {
            return Err(PasswordError::Control);
        }
        if text.len() > MOST_PASSWORD_BYTES {
            return Err(PasswordError::TooLong { bytes: text.len() });
        }
        if is_known(&text, tenant) {
            return Err(PasswordError::Known);
        }
        let characters = text.chars().count();
        if characters < LEAST_CHARACTERS {
            return Err(PasswordError::TooShort { characters });
        }
        Ok(Self(text))
    }

    /// The password of these random bytes: lower-case letters and digits that are not mistaken for each other, so that a double click
    /// takes all of it and a telephone call carries it.
    #[must_use]
    pub fn generated(random: &[u8; RANDOM_BYTES]) -> Self {
        // Without `i`, `l`, `o` and `u` (Crockford).
        const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        let mut text = Zeroizing::new(String::with_capacity(RANDOM_BYTES * 8 / 5));
        for group in random.chunks(5) {
            let bits = group.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
            for digit in (0..8).rev() {
                text.push(char::from(ALPHABET[(bits >> (digit * 5) & 31) as usize]));
            }
        }
        Self(text)
    }

    /// The password itself: to hash it, and to print it once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Why a password must not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordError {
    Empty,
    Nul,
    Lines,
    Control,
    /// bcrypt would not look at the rest, so that every password that begins so would be right.
    TooLong {
        bytes: usize,
    },
    TooShort {
        characters: usize,
    },
    Known,
}

impl fmt::Display for PasswordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::Nul => f.write_str("it has a NUL, where bcrypt stops reading"),
            Self::Lines => f.write_str("it has more than one line"),
            Self::Control => f.write_str("it has a control character"),
            Self::TooLong { bytes } => {
                write!(f, "it has {bytes} bytes, and bcrypt does not look beyond {MOST_PASSWORD_BYTES}")
            }
            Self::TooShort { characters } => {
                write!(f, "it has {characters} characters, fewer than {LEAST_CHARACTERS}")
            }
            Self::Known => f.write_str("it is a password that everybody knows, or the tenant's own name"),
        }
    }
}
