//! What to say to version control of a change that was made: ready to use, after everything else on stdout.

use release::{Difference, Manifest};
use rollout::Hash;

use crate::differing;

/// The longest first line that `git log --oneline` shows whole in most terminals.
const LONGEST_SUBJECT: usize = 72;

/// A release that took the place of another one.
pub(crate) fn moved(label: &str, (was, new): (&Manifest, &Manifest), identity: &Hash, told: &str) -> String {
    let lines = differing::lines(&Difference::between(was, new));
    let changes = if lines.is_empty() { "The images are the same.\n".to_owned() } else { lines };
    block(
        &format!("{label}: release {}", new.version),
        &format!("{told}\n\n{changes}\nRelease-Identity: sha256:{identity}\n"),
    )
}

/// Profiles that were pinned: channels with their versions, and how many places changed in which file.
pub(crate) fn pinned(channels: &[(String, String)], files: &[(String, usize)]) -> String {
    let both = |(channel, version): &(String, String)| {
        // The first release of a workspace may have no other name than its channel.
        if channel == version { channel.clone() } else { format!("{channel} {version}") }
    };
    let named: Vec<String> = channels.iter().map(both).collect();
    let rows: Vec<Vec<String>> =
        files.iter().map(|(path, count)| vec![path.clone(), findings::plural(*count, "place")]).collect();
    block(&format!("pin: {}", named.join(", ")), &crate::columns::align(&rows))
}

fn block(subject: &str, body: &str) -> String {
    let mut out = "commit message:\n\n".to_owned();
    let short: String = if subject.chars().count() > LONGEST_SUBJECT {
        let cut: String = subject.chars().take(LONGEST_SUBJECT - 1).collect();
        format!("{}…", cut.trim_end())
    } else {
        subject.to_owned()
    };
    for line in std::iter::once(short.as_str()).chain(std::iter::once("")).chain(body.trim_end().lines()) {
        // As `git log` indents it; nothing trails on empty lines.
        out.push_str(&if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") });
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn one_name_is_said_once() {
        let subject = |channel: &str, version: &str| {
            let text = super::pinned(&[(channel.to_owned(), version.to_owned())], &[("a.yaml".to_owned(), 1)]);
            text.lines().nth(2).unwrap().trim().to_owned()
        };
        assert_eq!(subject("current", "current"), "pin: current");
        assert_eq!(subject("current", "1.2.3"), "pin: current 1.2.3");
    }

    #[test]
    fn a_subject_fits_on_one_line() {
        let channels: Vec<(String, String)> =
            (0..9).map(|n| (format!("channel-{n}"), "2025.10.0".to_owned())).collect();
        let text = super::pinned(&channels, &[("a.yaml".to_owned(), 1)]);
        let subject = text.lines().nth(2).unwrap().trim();
        assert!(subject.starts_with("pin: channel-0 2025.10.0, ") && subject.ends_with('…'), "{subject}");
        assert_eq!(subject.chars().count(), 72);
        assert!(text.ends_with("\n\n    a.yaml  1 place\n"), "{text}");
    }
}
