//! What the system says of a file that it did not give, in words that say what is the matter with that file.

use std::io::{self, ErrorKind};

use camino::FromPathBufError;

/// A fragment, after the message that names the path. Rust's own words for some kinds speak of an *entity*, and its words for an error
/// of the system end with a number.
#[must_use]
pub fn reason(error: &io::Error) -> String {
    match error.get_ref() {
        Some(inner) if inner.is::<FromPathBufError>() => return "its path is not UTF-8".to_owned(),
        // One that was wrapped, or somebody's own words.
        Some(inner) => return inner.downcast_ref().map_or_else(|| error.to_string(), reason),
        None => {}
    }
    let words = match error.kind() {
        ErrorKind::NotFound => "it does not exist",
        ErrorKind::AlreadyExists => "something else is there already",
        ErrorKind::IsADirectory => "it is a folder",
        ErrorKind::NotADirectory => "a part of its path is no folder",
        ErrorKind::DirectoryNotEmpty => "it is a folder with something in it",
        ErrorKind::StorageFull => "no space is left on the disk",
        ErrorKind::InvalidFilename => "the system takes no such name",
        other => return of_kind(other, error),
    };
    words.to_owned()
}

/// The same of what was to be written or made: there it is the folder that does not exist.
#[must_use]
pub fn reason_unwritten(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound if error.get_ref().is_none() => "its folder does not exist".to_owned(),
        _ => reason(error),
    }
}

/// Rust's words, but for what it has no kind for (too many open files, a broken disk): those are the system's.
fn of_kind(kind: ErrorKind, error: &io::Error) -> String {
    // The kind itself cannot be named: it is not stable.
    if error.raw_os_error().is_none() || kind.to_string() != "uncategorized error" {
        return kind.to_string();
    }
    let text = error.to_string();
    let words = text.split_once(" (os error").map_or(text.as_str(), |(words, _)| words);
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_called_an_entity() {
        assert_eq!(reason(&ErrorKind::NotFound.into()), "it does not exist");
        assert_eq!(reason(&ErrorKind::PermissionDenied.into()), "permission denied");
        for kind in [ErrorKind::NotFound, ErrorKind::AlreadyExists, ErrorKind::IsADirectory, ErrorKind::NotADirectory] {
            assert!(!reason(&kind.into()).contains("entity"), "{kind}");
        }
    }

    #[test]
    fn an_error_of_the_system_is_shown_without_its_number() {
        let of = |number| reason(&io::Error::from_raw_os_error(number));
        assert_eq!((of(2), of(13)), ("it does not exist".to_owned(), "permission denied".to_owned()));
        assert_eq!(of(28), "no space is left on the disk");
        // EIO and EMFILE, whose words are those of the C library: they need not be the same everywhere.
        for shown in [of(5), of(24)] {
            assert!(!shown.contains("os error") && !shown.contains("uncategorized"), "{shown}");
        }
    }

    #[test]
    fn what_cannot_be_made_lacks_its_folder() {
        assert_eq!(reason_unwritten(&io::Error::from_raw_os_error(2)), "its folder does not exist");
        assert_eq!(reason_unwritten(&ErrorKind::PermissionDenied.into()), "permission denied");
    }

    #[test]
    fn own_words_are_kept() {
        let error = io::Error::new(ErrorKind::NotFound, "it was changed meanwhile");
        assert_eq!((reason(&error), reason_unwritten(&error)), (error.to_string(), error.to_string()));
        let wrapped = io::Error::other(io::Error::from_raw_os_error(13));
        assert_eq!(reason(&wrapped), "permission denied");
    }
}
