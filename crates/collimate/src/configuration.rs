//! What else changed since a release was last held, and what whoever goes back to it wants of that.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use findings::plural;
use rollout::{Gate, Held, Moment};

use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
use crate::inputs::{self, Inputs};
use crate::records::Records;

/// More arguments than this are a folder that somebody knows by name.
const MOST_SHOWN: usize = 30;

#[derive(Debug, clap::Args)]
pub(crate) struct ConfigurationArgs {
    /// Go back only if the configuration is that which the release had: restore it first; the refusal prints how
    #[arg(long, conflicts_with = "keep_config")]
    with_config: bool,

    /// Go back with the configuration of today
    #[arg(long)]
    keep_config: bool,
}

/// A profile that is rendered from something else than it was.
struct Changed {
    inputs: Inputs,
    since: Moment,
    commit: Option<String>,
}

/// How the configuration stands.
pub(crate) struct Configuration {
    changed: Vec<Changed>,
    /// Profiles of which nothing was recorded.
    unknown: Vec<String>,
    release: String,
}

impl Configuration {
    /// Compares what profiles will be rendered from, with `texts` written, with what they were rendered from when `to` was last left.
    pub(crate) fn compare(
        ctx: &Ctx,
        records: &Records,
        texts: &BTreeMap<Utf8PathBuf, String>,
        profiles: &BTreeSet<String>,
        to: &Held,
    ) -> Result<Self> {
        let next = records.session.with(ctx, texts)?;
        let (mut changed, mut unknown) = (Vec::new(), Vec::new());
        for inputs in inputs::of(&next, profiles) {
            match records.ledger.inputs_with(&to.sha256, &inputs.profile) {
                None => unknown.push(inputs.profile),
                Some((_, recorded)) if recorded.sha256 == inputs.sha256() => {}
                Some((left, _)) => {
                    let (since, commit) = (left.entry.at.clone(), left.entry.commit.clone());
                    changed.push(Changed { inputs, since, commit });
                }
            }
        }
        Ok(Self { changed, unknown, release: to.version.clone() })
    }

    /// What the plan says of it; empty where nothing changed.
    pub(crate) fn told(&self) -> String {
        let mut text = String::new();
        for Changed { inputs, since, commit } in &self.changed {
            let profile = &inputs.profile;
            text.push_str(&format!(
                "configuration of `{profile}`: not what it was when `{}` was left at {since}\n",
                self.release
            ));
            if let Some(commit) = commit {
                text.push_str(&format!("    git diff {commit} -- {}\n", arguments(inputs)));
            }
        }
        if !self.unknown.is_empty() {
            let names = self.unknown.join(", ");
            text.push_str(&format!(
                "configuration of {names}: not known; no move away from `{}` recorded it\n",
                self.release
            ));
        }
        text
    }

    /// Why nobody goes back yet; `None` where the configuration is the same, not known, or decided.
    pub(crate) fn refusal(&self, args: &ConfigurationArgs) -> Option<Failure> {
        if args.keep_config || self.changed.is_empty() {
            return None;
        }
        let profiles: Vec<&str> = self.changed.iter().map(|changed| changed.inputs.profile.as_str()).collect();
        let message = if args.with_config {
            format!("the configuration of {} is not the one that `{}` had", profiles.join(", "), self.release)
        } else {
            format!("the configuration of {} changed since `{}` was last held", profiles.join(", "), self.release)
        };
        let mut failure = Failure::new(Exit::Findings, message);
        for command in self.restoring() {
            failure = failure.because(command);
        }
        Some(failure.hint(if args.with_config {
            "restore it with these commands, then run this again: files that were not committed then are in no commit; nothing was written"
        } else {
            "`--keep-config` goes back with the configuration of today; to take it back too, run these commands and then this with \
             `--with-config`; nothing was written"
        }))
    }

    /// The commands that restore the configuration, one per commit.
    pub(crate) fn restoring(&self) -> Vec<String> {
        let mut by_commit: BTreeMap<&str, BTreeSet<Utf8PathBuf>> = BTreeMap::new();
        let mut commands = Vec::new();
        for Changed { inputs, since, commit } in &self.changed {
            match commit {
                Some(commit) => by_commit.entry(commit).or_default().extend(inputs.arguments()),
                None => commands.push(format!(
                    "the files of `{}` as they were at {since}; which commit has them is not recorded",
                    inputs.profile
                )),
            }
        }
        let command = |(commit, files): (&str, BTreeSet<Utf8PathBuf>)| {
            format!("git restore --source={commit} -- {}", shown(&files))
        };
        commands.extend(by_commit.into_iter().map(command));
        commands
    }

    /// How the ledger tells it.
    pub(crate) fn gate(&self) -> Gate {
        let result = match (self.changed.len(), self.unknown.len()) {
            (0, 0) => "passed".to_owned(),
            (0, _) => "not known".to_owned(),
            (changed, _) => format!("kept as it is: changed for {}", plural(changed, "profile")),
        };
        Gate { gate: "configuration".to_owned(), result, output: None }
    }
}

fn arguments(inputs: &Inputs) -> String {
    shown(&inputs.arguments())
}

/// Paths for a shell.
fn shown(files: &BTreeSet<Utf8PathBuf>) -> String {
    let plain = |path: &str| path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/+@".contains(&byte));
    let word = |path: &str| if plain(path) { path.to_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) };
    let mut words: Vec<String> = files.iter().map(|path| word(path.as_str())).collect();
    if words.len() > MOST_SHOWN {
        // Whole folders: what a profile is rendered from lies together.
        let folders: BTreeSet<&str> = files
            .iter()
            .map(|path| {
                path.parent().map_or(".", |folder| if folder.as_str().is_empty() { "." } else { folder.as_str() })
            })
            .collect();
        words = folders.into_iter().map(word).collect();
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_files_are_shown_as_their_folders() {
        let shown = |count: usize| {
            let files = (0..count).map(|number| Utf8PathBuf::from(format!("deploy/f{number}")));
            shown(&files.chain(["it's".into()]).collect())
        };
        assert_eq!(shown(1), r"deploy/f0 'it'\''s'");
        assert_eq!(shown(29).split(' ').count(), 30);
        assert_eq!(shown(30), ". deploy");
    }
}
