//! What a promoted release is called.

/// Why a text cannot be the version of a release that is archived.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` cannot be a version: it names a file and a label, so it has 1 to 63 letters, digits, `.`, `_` and `-`, and starts and ends with a letter or digit"
)]
pub struct VersionError(pub String);

/// The longest value of a Kubernetes label.
const LONGEST: usize = 63;

/// Whether a version can be a file name and the value of a label, which every release's version becomes.
#[must_use]
pub fn is_version(text: &str) -> bool {
    let alphanumeric = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
    text.len() <= LONGEST
        && alphanumeric(text.chars().next())
        && alphanumeric(text.chars().next_back())
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-'))
}

/// The version under which a channel takes a release, in the spelling that the channels already use: without `-<from>` at its end, and
/// with `-<to>` where the target's versions end so.
///
/// # Errors
/// What comes out cannot be a version.
pub fn next_version(version: &str, from: &str, to: &str, current: &str) -> Result<String, VersionError> {
    let base = version.strip_suffix(&format!("-{from}")).unwrap_or(version);
    let suffix = format!("-{to}");
    let next = if current.ends_with(&suffix) && !base.ends_with(&suffix) {
        format!("{base}{suffix}")
    } else {
        base.to_owned()
    };
    if is_version(&next) { Ok(next) } else { Err(VersionError(next)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_channels_own_spelling_is_kept() {
        let next =
            |version: &str, from: &str, to: &str, current: &str| next_version(version, from, to, current).unwrap();
        assert_eq!(next("2025.10.0-edge", "edge", "stable", "2025.09.2"), "2025.10.0");
        assert_eq!(next("2025.10.0", "stable", "airgap", "2025.09.2-airgap"), "2025.10.0-airgap");
        assert_eq!(next("2025.10.0", "stable", "airgap", "2025.09.2"), "2025.10.0");
        assert_eq!(next_version("-edge", "edge", "stable", "1"), Err(VersionError(String::new())));
    }

    #[test]
    fn a_version_is_a_file_name_and_a_label() {
        for good in ["1", "2025.10.0-edge", "v1_2", &"x".repeat(63)] {
            assert!(is_version(good), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "../x", "-a", "a-", "a b", "ä", &"x".repeat(64)] {
            assert!(!is_version(bad), "{bad}");
        }
    }
}
