//! Texts that are never shown, and the sieve that holds them back where somebody else says them.

use std::fmt;

use crate::report::{Cell, Report, Verdict};

/// What stands where a secret stood.
const MASK: &str = "***";

/// Shorter ones are not looked for in texts of the other side: they would be found in every second word.
const SHORTEST_FOUND: usize = 4;

/// A text that cannot be displayed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    #[must_use]
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
#[derive(Clone, Debug)]
pub(crate) struct Sieve(Vec<Secret>);

impl Sieve {
    pub(crate) fn new(secrets: impl IntoIterator<Item = Secret>) -> Self {
        let mut secrets: Vec<Secret> =
            secrets.into_iter().filter(|secret| secret.0.chars().count() >= SHORTEST_FOUND).collect();
        // The longest first: a secret may be a part of another one.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.0.len()));
        Self(secrets)
    }

    pub(crate) fn text(&self, text: &mut String) {
        for secret in &self.0 {
            if text.contains(&secret.0) {
                *text = text.replace(&secret.0, MASK);
            }
        }
    }

    /// Every text of a report. The last step before it leaves this crate.
    pub(crate) fn report(&self, report: &mut Report) {
        self.text(&mut report.subject);
        for (_, value) in &mut report.facts {
            self.text(value);
        }
        for row in report.tables.iter_mut().flat_map(|table| &mut table.rows) {
            self.text(&mut row.name);
            if let Verdict::NotTried(reason) = &mut row.verdict {
                self.text(reason);
            }
            for cell in &mut row.cells {
                if let Cell::Text(text) = cell {
                    self.text(text);
                }
            }
        }
        for finding in &mut report.findings {
            finding.about.iter_mut().for_each(|about| self.text(about));
            self.text(&mut finding.message);
            if let Some(help) = &mut finding.help {
                self.text(help);
            }
        }
        if let Some(conclusion) = &mut report.conclusion {
            self.text(conclusion);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_held_back_also_inside_of_words() {
        let sieve = Sieve::new(["hunter2!", "hunter2!-longer", "abc"].map(Secret::new));
        let mut text = "you sent xhunter2!-longerx and hunter2!, abc".to_owned();
        sieve.text(&mut text);
        assert_eq!(text, "you sent x***x and ***, abc");
        assert_eq!(format!("{sieve:?}"), "Sieve([***, ***])");
    }
}
