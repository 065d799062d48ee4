//! Which commit is checked out, read from git's own files.
//!
//! `git rev-parse` is not called: a repository's configuration can make git run commands. Threats, and the answer to each: a `.git` that leads
//! elsewhere gives nothing but 40 or 64 hexadecimal digits from there; names of refs have no `..` and stay below `refs/`; only regular files
//! are read, and no more than [`MOST_BYTES`] of them. Formats: git's `gitrepository-layout`.

use std::fs::File;
use std::io::Read as _;

use camino::{Utf8Path, Utf8PathBuf};

/// Packed refs of a repository with a hundred thousand tags have about 8 MB. A larger file is not read.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// A ref may name another one; git itself follows five.
const MOST_STEPS: usize = 5;

/// The commit of the checkout that `folder` lies in. `None` where there is no repository, no commit yet, or a way of keeping refs that is not
/// read here (reftable).
pub(crate) fn commit(folder: &Utf8Path) -> Option<String> {
    let top = folder.ancestors().find(|folder| folder.join(".git").exists())?;
    let own = git_folder(top)?;
    let common = match text(&own.join("commondir")) {
        // A worktree: branches lie in the repository that it belongs to.
        Some(named) => own.join(named.trim()),
        None => own.clone(),
    };
    let mut value = text(&own.join("HEAD"))?;
    for _ in 0..MOST_STEPS {
        let Some(name) = value.trim().strip_prefix("ref:").map(str::trim) else {
            return object_id(value.trim());
        };
        if !is_ref(name) {
            return None;
        }
        value = text(&own.join(name)).or_else(|| text(&common.join(name))).or_else(|| packed(&common, name))?;
    }
    None
}

/// `.git`; in a worktree or a submodule it is a file that names the folder.
pub(crate) fn git_folder(top: &Utf8Path) -> Option<Utf8PathBuf> {
    let git = top.join(".git");
    if git.is_dir() {
        return Some(git);
    }
    let named = text(&git)?;
    Some(top.join(named.strip_prefix("gitdir:")?.trim()))
}

fn is_ref(name: &str) -> bool {
    name.starts_with("refs/") && name.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}

fn object_id(text: &str) -> Option<String> {
    let good = matches!(text.len(), 40 | 64) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    good.then(|| text.to_owned())
}

fn packed(common: &Utf8Path, name: &str) -> Option<String> {
    let packed = text(&common.join("packed-refs"))?;
    // `<id> <name>`; `^<id>` below it is what a tag leads to.
    packed
        .lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(_, found)| *found == name)
        .map(|(id, _)| id.to_owned())
}

fn text(path: &Utf8Path) -> Option<String> {
    String::from_utf8(regular(path, MOST_BYTES)?).ok()
}

/// All of a regular file of git's that has at most so many bytes.
pub(crate) fn regular(path: &Utf8Path, most: u64) -> Option<Vec<u8>> {
    // Before it is opened: opening a pipe waits for whoever writes into it, and a device never ends.
    let metadata = path.metadata().ok()?;
    if !metadata.is_file() || metadata.len() > most {
        return None;
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).ok()?);
    File::open(path).ok()?.take(most).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn git(folder: &Utf8Path, arguments: &[&str]) -> String {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"];
        let output = Command::new("git").args(identity).args(arguments).current_dir(folder).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    #[test]
    fn the_commit_is_the_one_that_git_says() {
        let sandbox = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(sandbox.path()).unwrap();
        assert_eq!(commit(root), None, "no repository");
        let main = root.join("main");
        std::fs::create_dir_all(main.join("deploy")).unwrap();
        git(&main, &["init", "-q", "-b", "trunk"]);
        assert_eq!(commit(&main), None, "no commit");
        let check = |folder: &Utf8Path, what: &str| {
            assert_eq!(commit(folder), Some(git(folder, &["rev-parse", "HEAD"])), "{what}");
        };
        git(&main, &["commit", "-q", "--allow-empty", "-m", "one"]);
        check(&main, "a loose ref");
        check(&main.join("deploy"), "from a folder below");
        git(&main, &["pack-refs", "--all"]);
        check(&main, "a packed ref");
        git(&main, &["commit", "-q", "--allow-empty", "-m", "two"]);
        check(&main, "a loose ref over a packed one");
        let worktree = root.join("worktree");
        git(&main, &["worktree", "add", "-q", "-b", "feature/x", worktree.as_str()]);
        git(&worktree, &["commit", "-q", "--allow-empty", "-m", "three"]);
        check(&worktree, "a worktree");
        git(&main, &["pack-refs", "--all"]);
        check(&worktree, "a worktree with packed refs");
        assert_ne!(commit(&worktree), commit(&main));
        git(&main, &["checkout", "-q", "--detach"]);
        check(&main, "detached");
    }

    /// As git: `HEAD` and four more may name others.
    #[test]
    fn references_are_followed_as_far_as_git_follows_them() {
        let sandbox = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(sandbox.path()).unwrap();
        git(root, &["init", "-q", "-b", "r0"]);
        git(root, &["commit", "-q", "--allow-empty", "-m", "one"]);
        let id = git(root, &["rev-parse", "HEAD"]);
        for number in 1..=4 {
            std::fs::write(
                root.join(format!(".git/refs/heads/r{number}")),
                format!("ref: refs/heads/r{}\n", number - 1),
            )
            .unwrap();
        }
        let head = |number: usize| {
            std::fs::write(root.join(".git/HEAD"), format!("ref: refs/heads/r{number}\n")).unwrap();
            let asked =
                Command::new("git").args(["rev-parse", "-q", "--verify", "HEAD"]).current_dir(root).output().unwrap();
            assert_eq!(commit(root).is_some(), asked.status.success(), "r{number}");
            commit(root)
        };
        assert_eq!((head(3), head(4)), (Some(id), None));
    }

    #[test]
    fn what_is_planted_gives_nothing() {
        let sandbox = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(sandbox.path()).unwrap();
        let git = root.join(".git");
        std::fs::create_dir(&git).unwrap();
        std::fs::write(root.join("id"), "a".repeat(40)).unwrap();
        for head in
            ["", "ref: refs/../../id", "ref: ../id", "ref: /etc/hostname", "ref: HEAD", "xyz", "ref: refs/heads/none"]
        {
            std::fs::write(git.join("HEAD"), head).unwrap();
            assert_eq!(commit(root), None, "{head}");
        }
        std::fs::create_dir_all(git.join("refs/heads")).unwrap();
        std::fs::write(git.join("HEAD"), "ref: refs/heads/a").unwrap();
        std::fs::write(git.join("refs/heads/a"), "ref: refs/heads/a").unwrap();
        assert_eq!(commit(root), None, "round and round");
        std::fs::write(git.join("refs/heads/a"), "password=x").unwrap();
        assert_eq!(commit(root), None, "something else");
    }
}
