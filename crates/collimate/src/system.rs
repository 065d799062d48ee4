//! What the system says of a file that it did not give, in words that say what is the matter with that file.

use std::io::ErrorKind;

/// A fragment, after the message that names the path. Rust's own words for some kinds speak of an *entity*.
pub(crate) fn reason(kind: ErrorKind) -> String {
    let words = match kind {
        ErrorKind::NotFound => "it does not exist",
        ErrorKind::AlreadyExists => "something else is there already",
        ErrorKind::IsADirectory => "it is a folder",
        ErrorKind::NotADirectory => "a part of its path is no folder",
        ErrorKind::DirectoryNotEmpty => "it is a folder with something in it",
        ErrorKind::InvalidFilename => "the system takes no such name",
        other => return other.to_string(),
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_called_an_entity() {
        assert_eq!(reason(ErrorKind::NotFound), "it does not exist");
        assert_eq!(reason(ErrorKind::PermissionDenied), "permission denied");
        for kind in [ErrorKind::NotFound, ErrorKind::AlreadyExists, ErrorKind::IsADirectory, ErrorKind::NotADirectory] {
            assert!(!reason(kind).contains("entity"), "{kind}");
        }
    }
}
