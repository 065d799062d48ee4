//! Held against git: what it wrote is read as it would read it, however it is stored.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::os::unix::fs::PermissionsExt as _;

use camino::{Utf8Path, Utf8PathBuf};
use gitobjects::{Error, Repository};
use testkit::{Cli, Sandbox};

struct Repo {
    git: Utf8PathBuf,
    sandbox: Sandbox,
}

const FILE: &str = "deploy/policy.yaml";

impl Repo {
    fn empty() -> Option<Self> {
        let git = testkit::tool("git")?;
        Some(Self { git, sandbox: Sandbox::new() })
    }

    /// Six revisions of a file, in branches, tags and a folder.
    fn new(arguments: &[&str]) -> Option<Self> {
        let repo = Self::empty()?;
        repo.git(&[&["init", "-q", "-b", "main"], arguments].concat());
        for revision in 0..6 {
            repo.sandbox.write(FILE, text(revision)).write("other.txt", format!("{revision}\n"));
            repo.commit(&format!("{revision}"));
            repo.git(&["tag", &format!("light-{revision}")]);
        }
        repo.git(&["tag", "-a", "-m", "signed off", "v1", "light-3"]);
        repo.git(&["tag", "-a", "-m", "again", "v1-again", "v1"]);
        repo.git(&["branch", "protected", "light-2"]);
        repo.git(&["update-ref", "refs/remotes/origin/main", "light-4"]);
        repo.git(&["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main"]);
        Some(repo)
    }

    fn run(&self, arguments: &[&str]) -> testkit::Output {
        Cli::new(&self.git)
            .folder(self.sandbox.root())
            .env("HOME", self.sandbox.root().as_str())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("PATH", "/usr/bin:/bin")
            .args(["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "gc.auto=0"])
            .args(arguments.iter().copied())
            .any_stdout()
            .any_stderr()
            .output()
    }

    #[track_caller]
    fn git(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.exit, 0, "{output}");
        output.stdout.trim().to_owned()
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
    }

    fn open(&self) -> Repository {
        Repository::of(&self.sandbox.path("deploy")).unwrap()
    }

    /// Every name and revision is read as git reads it.
    #[track_caller]
    fn agrees(&self) {
        let repository = self.open();
        let ids: Vec<String> = (0..6).map(|n| self.git(&["rev-parse", &format!("light-{n}")])).collect();
        let names = ["HEAD", "main", "protected", "v1", "v1-again", "light-0", "origin/main", "origin", "refs/tags/v1"];
        for name in names.iter().copied().chain(ids.iter().map(String::as_str)) {
            let commit = repository.resolve(name).unwrap();
            assert_eq!(commit.to_string(), self.git(&["rev-parse", &format!("{name}^{{commit}}")]), "{name}");
            for path in [FILE, "other.txt"] {
                let ours = repository.file(commit, Utf8Path::new(path)).unwrap();
                assert_eq!(
                    String::from_utf8(ours).unwrap().trim(),
                    self.git(&["show", &format!("{name}:{path}")]),
                    "{name}"
                );
            }
        }
    }
}

/// Long enough to be told by deltas.
fn text(revision: usize) -> String {
    (0..400).map(|line| format!("line {line} of {}\n", if line % 97 == revision { revision } else { 0 })).collect()
}

#[test]
fn objects_are_read_however_they_are_stored() {
    let Some(repo) = Repo::new(&[]) else { return };
    repo.agrees();
    repo.git(&["pack-refs", "--all"]);
    repo.agrees();
    repo.git(&["repack", "-q", "-a", "-d", "-f", "--depth=50", "--window=50"]);
    let verified = repo.git(&["verify-pack", "-v", &pack(&repo, "idx")]);
    assert!(verified.contains("chain length"), "the pack has deltas: {verified}");
    repo.agrees();
    repo.git(&["-c", "repack.useDeltaBaseOffset=false", "repack", "-q", "-a", "-d", "-f", "--depth=50", "--window=50"]);
    repo.agrees();
    // A branch that moved since is written beside the packed one.
    repo.git(&["update-ref", "refs/heads/main", "light-1"]);
    repo.agrees();
    // Offsets beyond 2 GiB are written otherwise.
    let indexed = repo.run(&["index-pack", "--index-version=2,0x40", &pack(&repo, "pack")]);
    assert_eq!(indexed.exit, 0, "{indexed}");
    repo.agrees();
}

fn pack(repo: &Repo, extension: &str) -> String {
    let folder = repo.sandbox.path(".git/objects/pack");
    let mut entries = folder.read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path());
    entries.find(|path| path.extension() == Some(extension)).unwrap().to_string()
}

#[test]
fn work_trees_and_borrowed_objects_are_read() {
    let Some(repo) = Repo::new(&[]) else { return };
    repo.git(&["worktree", "add", "-q", "tree", "light-5"]);
    repo.git(&["clone", "-q", "--shared", ".", "clone"]);
    repo.git(&["update-ref", "refs/heads/main", "light-0"]);
    let read = |folder: &str, name: &str| {
        let repository = Repository::of(&repo.sandbox.path(folder)).unwrap();
        assert_eq!(repository.root(), repo.sandbox.path(folder));
        let commit = repository.resolve(name).unwrap();
        String::from_utf8(repository.file(commit, Utf8Path::new(FILE)).unwrap()).unwrap()
    };
    assert_eq!(read("tree", "HEAD"), text(5));
    assert_eq!(read("tree", "main"), text(0));
    assert_eq!(read("clone", "origin/main"), text(5));
}

#[test]
fn what_is_not_there_or_means_two_things_has_its_words() {
    let Some(repo) = Repo::new(&[]) else { return };
    let refused = |name: &str| repo.open().resolve(name).unwrap_err().to_string();
    assert_eq!(refused("nowhere"), "`nowhere` is no branch, tag or full commit id of this repository");
    assert!(refused("main~1").starts_with("`main~1` cannot be the name of a branch or tag"));
    let missing = "0123456789012345678901234567890123456789";
    assert!(refused(missing).starts_with(&format!("the object {missing} is not in this repository")));
    let tree = repo.git(&["rev-parse", "main^{tree}"]);
    assert!(refused(&tree).ends_with("it is no commit"));
    // git itself would take the tag, and warn.
    repo.git(&["tag", "protected", "light-0"]);
    assert_eq!(refused("protected"), "`protected` means several commits: refs/tags/protected, refs/heads/protected");
    repo.open().resolve("refs/heads/protected").unwrap();

    std::os::unix::fs::symlink("deploy/policy.yaml", repo.sandbox.path("link")).unwrap();
    repo.commit("link");
    let repository = repo.open();
    let head = repository.resolve("HEAD").unwrap();
    let file = |path: &str| repository.file(head, Utf8Path::new(path)).unwrap_err().to_string();
    assert_eq!(file("none.yaml"), "there is no `none.yaml` in that revision");
    assert_eq!(file("other.txt/x"), "there is no `other.txt/x` in that revision");
    assert_eq!(file("deploy"), "`deploy` is a folder in that revision, not a file");
    assert_eq!(file("link"), "`link` is or lies behind a link in that revision, not a file");
    let outside = Sandbox::new();
    assert!(matches!(Repository::of(outside.root()), Err(Error::NoRepository(_))));
}

#[test]
fn other_formats_are_refused_by_name() {
    let Some(repo) = Repo::new(&["--object-format=sha256"]) else { return };
    let refused = Repository::of(repo.sandbox.root()).unwrap_err().to_string();
    assert_eq!(refused, "the repository stores its objects under `sha256` hashes, and only `sha1` is read");
    let Some(repo) = Repo::new(&[]) else { return };
    let config = repo.sandbox.read(".git/config");
    for (spelled, expected) in [
        ("[extensions]\n\trefStorage = reftable\n", "the repository stores its references as `reftable`"),
        ("[Extensions] objectFormat=SHA256 # new\n", "under `sha256` hashes"),
    ] {
        repo.sandbox.write(".git/config", config.clone() + spelled);
        let refused = Repository::of(repo.sandbox.root()).unwrap_err().to_string();
        assert!(refused.contains(expected), "{refused}");
    }
}

#[test]
fn a_replaced_commit_is_not_believed() {
    let Some(repo) = Repo::new(&[]) else { return };
    repo.git(&["replace", "light-5", "light-0"]);
    assert_eq!(repo.git(&["show", &format!("light-5:{FILE}")]), text(0).trim());
    let repository = repo.open();
    let commit = repository.resolve("light-5").unwrap();
    assert_eq!(repository.file(commit, Utf8Path::new(FILE)).unwrap(), text(5).into_bytes());
}

#[test]
fn damage_never_changes_what_is_read() {
    let Some(repo) = Repo::new(&[]) else { return };
    let read = || -> Option<Vec<u8>> {
        let repository = Repository::of(repo.sandbox.root()).ok()?;
        let commit = repository.resolve("light-0").ok()?;
        repository.file(commit, Utf8Path::new(FILE)).ok()
    };
    let good = read().unwrap();
    assert_eq!(good, text(0).into_bytes());
    let blob = repo.git(&["rev-parse", &format!("light-0:{FILE}")]);
    let path = repo.sandbox.path(format!(".git/objects/{}/{}", &blob[..2], &blob[2..]));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        std::fs::write(&path, &changed).unwrap();
        assert!(read().is_none_or(|found| found == good), "byte {at} of the object");
        std::fs::write(&path, &bytes[..at]).unwrap();
        assert!(read().is_none_or(|found| found == good), "{at} bytes of the object");
    }
    std::fs::write(&path, &bytes).unwrap();
    repo.git(&["repack", "-q", "-a", "-d", "-f", "--depth=50", "--window=50"]);
    repo.git(&["prune-packed"]);
    let mut seen = 0;
    for extension in ["pack", "idx"] {
        let path = Utf8PathBuf::from(pack(&repo, extension));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        for at in (0..bytes.len()).step_by(5) {
            let mut changed = bytes.clone();
            changed[at] ^= 0x41;
            std::fs::write(&path, &changed).unwrap();
            match read() {
                Some(found) => assert_eq!(found, good, "byte {at} of the {extension}"),
                None => seen += 1,
            }
        }
        for end in (0..bytes.len()).step_by(23) {
            std::fs::write(&path, &bytes[..end]).unwrap();
            assert!(read().is_none_or(|found| found == good), "{end} bytes of the {extension}");
        }
        std::fs::write(&path, &bytes).unwrap();
    }
    assert!(seen > 50, "{seen}");
    assert_eq!(read().unwrap(), good);
}

#[test]
fn a_loop_of_references_ends() {
    let Some(repo) = Repo::new(&[]) else { return };
    repo.sandbox.write(".git/refs/heads/a", "ref: refs/heads/b\n").write(".git/refs/heads/b", "ref: refs/heads/a\n");
    let refused = repo.open().resolve("a").unwrap_err().to_string();
    assert!(refused.ends_with("it leads from reference to reference without end"), "{refused}");
    repo.sandbox.write(".git/refs/heads/a", "ref: ../../../../etc/passwd\n");
    assert!(repo.open().resolve("a").is_err());
    repo.sandbox.write(".git/objects/info/alternates", ".\n../objects\n/nowhere\n");
    repo.open().resolve("main").unwrap();
}
