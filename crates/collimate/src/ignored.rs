//! What git is told to ignore, read from the files that say so.
//!
//! `git check-ignore` is not called: a repository's configuration can make git run commands. What a user's own configuration ignores
//! everywhere is not looked at. Order of precedence: git's `gitignore`.

use camino::{Utf8Path, Utf8PathBuf};
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::head::{git_folder, regular};

const FILE: &str = ".gitignore";

/// A larger file is not read: long ones have some thousand lines.
const MOST_BYTES: u64 = 1024 * 1024;

/// Why git would not take a new file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ignored {
    /// The file with the pattern, relative to the repository.
    pub(crate) file: Utf8PathBuf,
    pub(crate) pattern: String,
}

/// Of a file below `root`. `None` where nothing ignores it, or there is no repository.
pub(crate) fn ignored(root: &Utf8Path, path: &Utf8Path) -> Option<Ignored> {
    let top = root.ancestors().find(|folder| folder.join(".git").exists())?;
    let below = root.strip_prefix(top).ok()?.join(path);
    let of_repository = git_folder(top)?.join("info/exclude");
    // The last one that has a word on it decides.
    let mut lists: Vec<(Utf8PathBuf, Gitignore)> =
        list(top, &of_repository).map(|list| (of_repository, list)).into_iter().collect();
    let mut folders: Vec<&Utf8Path> = below.ancestors().collect();
    folders.reverse();
    for pair in folders.windows(2) {
        let (folder, inner) = (top.join(pair[0]), pair[1]);
        let file = folder.join(FILE);
        lists.extend(list(&folder, &file).map(|list| (file, list)));
        let is_folder = inner != below;
        let word = lists.iter().rev().find_map(|(file, list)| match list.matched(top.join(inner), is_folder) {
            Match::None => None,
            Match::Whitelist(_) => Some(None),
            Match::Ignore(glob) => Some(Some((file, glob.original()))),
        });
        // What lies in a folder that is ignored cannot be taken in again.
        if let Some(Some((file, pattern))) = word {
            let file = file.strip_prefix(top).unwrap_or(file).to_owned();
            return Some(Ignored { file, pattern: pattern.to_owned() });
        }
    }
    None
}

/// Patterns that `file` has for what lies in `folder`. A line that is none says nothing, as for git.
fn list(folder: &Utf8Path, file: &Utf8Path) -> Option<Gitignore> {
    let bytes = regular(file, MOST_BYTES)?;
    let mut builder = GitignoreBuilder::new(folder);
    for line in String::from_utf8_lossy(&bytes).lines() {
        let _ = builder.add_line(None, line);
    }
    builder.build().ok()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Held against `git check-ignore`.
    #[test]
    fn what_git_ignores_is_known() {
        let Some(_) = testkit::tool("git") else { return };
        let folder = tempfile::tempdir().unwrap();
        let top = Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
        assert!(Command::new("git").args(["init", "-q"]).current_dir(&top).output().unwrap().status.success());
        std::fs::create_dir_all(top.join("deploy/releases")).unwrap();
        let write = |path: &str, text: &str| std::fs::write(top.join(path), text).unwrap();
        let mut answers = Vec::new();
        for (exclude, outer, inner, innermost) in [
            ("", "", "", ""),
            ("", "releases/\n", "", ""),
            ("", "/releases/\n", "", ""),
            ("", "releases\n", "!releases/\n", ""),
            ("", "releases/\n", "", "!current.yaml\n"),
            ("", "# releases\n[\n*.yaml\n", "", "!current.yaml\n"),
            ("current.yaml\n", "", "", ""),
            ("current.yaml\n", "!current.yaml\n", "", ""),
            ("", "", "releases/*\n!releases/current.yaml\n", ""),
            ("", "deploy\n", "!releases\n", ""),
            ("", "", "/*\n", ""),
            ("", "deploy/**/current.*\r\n", "", ""),
            ("", "current.yaml/\n", "", ""),
        ] {
            write(".git/info/exclude", exclude);
            write(".gitignore", outer);
            write("deploy/.gitignore", inner);
            write("deploy/releases/.gitignore", innermost);
            let ours = ignored(&top.join("deploy"), Utf8Path::new("releases/current.yaml"));
            let asked = ["check-ignore", "-v", "--no-index", "deploy/releases/current.yaml"];
            let git = Command::new("git").arg("-C").arg(&top).args(asked).output().unwrap();
            let said = String::from_utf8(git.stdout).unwrap();
            let said = said.split_once('\t').and_then(|(said, _)| {
                let (file, rest) = said.split_once(':')?;
                let (_, pattern) = rest.split_once(':')?;
                let pattern = pattern.trim_end().to_owned();
                (!pattern.starts_with('!')).then(|| Ignored { file: file.into(), pattern })
            });
            assert_eq!(ours, said, "{:?}", (exclude, outer, inner, innermost));
            answers.push(ours.is_some());
        }
        assert_eq!(answers.iter().filter(|is_ignored| **is_ignored).count(), 6, "{answers:?}");
    }
}
