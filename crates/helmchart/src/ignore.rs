//! `.helmignore`: which files of a chart folder are no part of the chart.

use crate::path_match::path_match;

/// The rules of one `.helmignore`, ending with Helm's own rule about dot files in `templates/`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ignore {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    pattern: String,
    negated: bool,
    directories_only: bool,
    scope: Scope,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Path,
    Name,
}

impl Ignore {
    /// Reads the rules. Errors are Helm's words.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        let mut ignore = Self::default();
        for line in text.trim_start_matches('\u{feff}').lines() {
            ignore.push(line)?;
        }
        ignore.push("templates/.?*")?;
        Ok(ignore)
    }

    fn push(&mut self, line: &str) -> Result<(), String> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if line.contains("**") {
            return Err("double-star (**) syntax is not supported".to_owned());
        }
        path_match(line, "abc").map_err(|_| "syntax error in pattern".to_owned())?;
        let (negated, pattern) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest));
        let (directories_only, pattern) = pattern.strip_suffix('/').map_or((false, pattern), |rest| (true, rest));
        let (scope, pattern) = match pattern.strip_prefix('/') {
            Some(rest) => (Scope::Path, rest),
            None if pattern.contains('/') => (Scope::Path, pattern),
            None => (Scope::Name, pattern),
        };
        self.rules.push(Rule { pattern: pattern.to_owned(), negated, directories_only, scope });
        Ok(())
    }

    /// Whether the file or directory at this path (relative to the chart, with `/`) is left out.
    pub(crate) fn ignores(&self, path: &str, directory: bool) -> bool {
        if path.is_empty() || path == "." || path == "./" {
            return false;
        }
        for rule in &self.rules {
            let subject = match rule.scope {
                Scope::Path => path,
                Scope::Name => path.rsplit('/').next().unwrap_or(path),
            };
            let matched = path_match(&rule.pattern, subject).unwrap_or(false);
            if rule.negated {
                // A negated rule drops everything that it does not match. Odd, but what Helm does.
                if (rule.directories_only && !directory) || !matched {
                    return true;
                }
                continue;
            }
            if rule.directories_only && !directory {
                continue;
            }
            if matched {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignores_as_helm_does() {
        for (rules, path, directory, expected) in [
            ("*.txt", "a/b.txt", false, true),
            ("/*.txt", "a/b.txt", false, false),
            ("a/*.txt", "a/b.txt", false, true),
            ("docs/", "docs", true, true),
            ("docs/", "docs", false, false),
            ("!keep", "other", false, true),
            ("!keep", "keep", false, false),
            ("", "templates/.hidden", false, true),
            ("", ".hidden", false, false),
            ("# *", "a", false, false),
            ("\u{feff}a", "a", false, true),
        ] {
            assert_eq!(Ignore::new(rules).unwrap().ignores(path, directory), expected, "{rules} {path}");
        }
        assert!(Ignore::new("a/**").is_err());
    }
}
