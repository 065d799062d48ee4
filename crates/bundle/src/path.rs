//! Paths that mean the same on every file system, in every shell and in every checksum file.

use std::collections::BTreeMap;

use crate::limits::MOST_PATH_BYTES;

/// Why `path`, relative to the bundle's folder, cannot be a path of a bundle whose folder has a name of `top` bytes.
pub(crate) fn refused(path: &str, top: usize) -> Option<&'static str> {
    if path.is_empty() {
        return Some("is an empty path");
    }
    if path.starts_with('/') {
        return Some("is an absolute path");
    }
    if path.contains('\\') {
        return Some("has a backslash, which is a separator elsewhere");
    }
    for part in path.split('/') {
        match part {
            ".." => return Some("leads out of the bundle"),
            "" | "." => return Some("is not written in its shortest form"),
            _ if part.ends_with('.') => return Some("has a name that ends in a dot, which some systems drop"),
            _ => {}
        }
    }
    // `sha256sum` escapes, shells split and terminals obey what is left out here.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+@=,".contains(&byte);
    if !path.bytes().all(plain) {
        return Some("has a character other than letters, digits and `._-+@=,`");
    }
    if path.split('/').any(|part| part.starts_with('-')) {
        return Some("has a name that begins with a dash, which commands take for an option");
    }
    (top + 1 + path.len() > MOST_PATH_BYTES || crate::tar::split(top, path).is_none()).then_some("is too long")
}

/// Whether a text can name a bundle, its archive and its folder.
pub(crate) fn is_bundle_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=64).contains(&name.len()) && name.bytes().all(plain) && !name.starts_with('-')
}

/// Bytes that somebody else chose, so that they can be printed: no control characters, no half characters, not too long.
pub(crate) fn printable(bytes: &[u8]) -> String {
    const MOST: usize = 120;
    let text = String::from_utf8_lossy(bytes);
    let mut shown: String = text.chars().take(MOST).map(|c| if is_shown(c) { c } else { '\u{fffd}' }).collect();
    if text.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    shown
}

fn is_shown(character: char) -> bool {
    // Beside control characters: those that change the direction of text, and those that are nothing.
    let odd = matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '`');
    !character.is_control() && !odd
}

/// The names that are taken, without regard to case; folders of files are taken too.
#[derive(Default)]
pub(crate) struct Names(BTreeMap<String, (String, bool)>);

/// What a new path collides with.
pub(crate) enum Collision {
    Same,
    Case(String),
    /// One of the two is a folder of the other.
    Folder {
        file: String,
        below: String,
    },
}

impl Names {
    /// Takes a file's name.
    pub(crate) fn take(&mut self, path: &str) -> Result<(), Collision> {
        for (at, _) in path.match_indices('/') {
            let folder = &path[..at];
            match self.0.get(&folder.to_ascii_lowercase()) {
                Some((other, true)) => {
                    return Err(Collision::Folder { file: other.clone(), below: path.to_owned() });
                }
                Some((other, false)) if other != folder => return Err(Collision::Case(other.clone())),
                Some(_) => {}
                None => {
                    self.0.insert(folder.to_ascii_lowercase(), (folder.to_owned(), false));
                }
            }
        }
        match self.0.get(&path.to_ascii_lowercase()) {
            Some((other, true)) if other == path => Err(Collision::Same),
            Some((other, false)) if other == path => {
                Err(Collision::Folder { file: path.to_owned(), below: format!("{path}/…") })
            }
            Some((other, _)) => Err(Collision::Case(other.clone())),
            None => {
                self.0.insert(path.to_ascii_lowercase(), (path.to_owned(), true));
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_plain() {
        for good in ["a", "a/b.yaml", ".helmignore", "templates/_pod.tpl", "a..b", "env/x.env.example"] {
            assert_eq!(refused(good, 24), None, "{good}");
        }
        for (bad, reason) in [
            ("/etc/passwd", "absolute"),
            ("../x", "leads out"),
            ("a/../../x", "leads out"),
            ("a\\..\\x", "backslash"),
            ("a//b", "shortest"),
            ("./a", "shortest"),
            ("a/", "shortest"),
            ("C:x", "character"),
            ("a b", "character"),
            ("a\nb", "character"),
            ("ä", "character"),
            ("-rf", "dash"),
            ("a./b", "dot"),
        ] {
            assert!(refused(bad, 24).is_some_and(|found| found.contains(reason)), "{bad}: {:?}", refused(bad, 24));
        }
        assert_eq!(refused(&"x".repeat(101), 24), Some("is too long"), "a name of its own has 100 bytes");
        assert_eq!(refused(&format!("{}/{}", "x".repeat(70), "y".repeat(100)), 24), None);
        assert_eq!(refused(&format!("{}/{}", "x".repeat(75), "y".repeat(100)), 24), Some("is too long"));
    }

    #[test]
    fn what_is_printed_obeys_nobody() {
        assert_eq!(printable(b"a\x1b[31m\n"), "a\u{fffd}[31m\u{fffd}");
        assert_eq!(printable("x\u{202e}y`".as_bytes()), "x\u{fffd}y\u{fffd}");
        assert!(printable(&[b'x'; 500]).chars().count() == 121);
    }
}
