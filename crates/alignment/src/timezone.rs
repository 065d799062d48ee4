//! Time zones of CronJobs: names of IANA's database, as the API server looks them up.

use release::nearest;

/// All names of the database as of 2025c, those that only lead to others too. Sorted, one a line.
const NAMES: &str = include_str!("../data/timezones.txt");

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
    let is_known = NAMES.lines().any(|known| known == plain);
    (!is_known).then(|| Problem::Unknown { near: nearest(plain, NAMES.lines()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_database() {
        assert!(NAMES.lines().is_sorted());
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
