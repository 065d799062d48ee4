//! A password that cannot be displayed.

use std::fmt;

use zeroize::Zeroizing;

/// A password. Its memory is overwritten when it is dropped.
pub struct Password(Zeroizing<String>);

/// More than bcrypt takes is refused by the mirror anyway.
const MOST_BYTES: usize = 72;

impl Password {
    /// Takes a password as a file or a variable holds it: one line end after it does not count.
    ///
    /// # Errors
    /// Why it cannot be one; the reason never repeats it.
    pub fn new(text: Zeroizing<String>) -> Result<Self, &'static str> {
        let line = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
        if line.is_empty() {
            return Err("it is empty");
        }
        if line.chars().any(char::is_control) {
            return Err("it has a line break or another control character in it");
        }
        if line.len() > MOST_BYTES {
            return Err("it has more than 72 bytes, which the mirror refuses");
        }
        Ok(Self(Zeroizing::new(line.to_owned())))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_one_line_and_never_shown() {
        let new = |text: &str| Password::new(Zeroizing::new(text.to_owned()));
        assert_eq!(new("geheim\n").unwrap().expose(), "geheim");
        assert_eq!(new("geheim\r\n").unwrap().expose(), "geheim");
        assert_eq!(new(" a:b ").unwrap().expose(), " a:b ");
        for bad in ["", "\n", "a\nb", "a\n\n", "a\u{0}b"] {
            assert!(new(bad).is_err());
        }
        assert!(new(&"x".repeat(72)).is_ok());
        assert_eq!(new(&"x".repeat(73)).err(), Some("it has more than 72 bytes, which the mirror refuses"));
        assert!(!format!("{:?}", new("geheim").unwrap()).contains("geheim"));
    }
}
