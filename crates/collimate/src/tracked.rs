//! Which files git tracks, read from git's own index.
//!
//! `git ls-files` is not called: a repository's configuration can make git run commands, and a check must not.
//! The format is documented in git's `index-format`: versions 2 to 4 are read, entries only.

use camino::{Utf8Path, Utf8PathBuf};

use crate::head::{git_folder, regular};

/// Bytes of an entry before its flags: times, device, inode, mode, owner, size and a SHA-1.
const FIXED: usize = 60;
/// The index of a repository of half a million files has about 50 MB; larger ones are not read.
const MOST_BYTES: u64 = 64 * 1024 * 1024;
/// All paths together, of those half a million. Version 4 tells a path of kilobytes in 64 bytes.
const MOST_PATH_BYTES: usize = 32 * 1024 * 1024;
const EXTENDED: u16 = 0x4000;

/// Paths of tracked files below `root`, relative to it, in the index's order (by bytes). `None` where there is no repository, or
/// one whose index cannot be read (SHA-256 repositories, split indexes, one that is no file or too large).
pub(crate) fn tracked_files(root: &Utf8Path) -> Option<Vec<Utf8PathBuf>> {
    let top = root.ancestors().find(|folder| folder.join(".git").exists())?;
    let below = root.strip_prefix(top).ok()?;
    let paths = parse(&regular(&index_of(top)?, MOST_BYTES)?)?;
    if below.as_str().is_empty() {
        return Some(paths);
    }
    Some(paths.into_iter().filter_map(|path| Some(path.strip_prefix(below).ok()?.to_owned())).collect())
}

/// The index of the repository that `root` is in.
pub(crate) fn index(root: &Utf8Path) -> Option<Utf8PathBuf> {
    root.ancestors().find(|folder| folder.join(".git").exists()).and_then(index_of)
}

fn index_of(top: &Utf8Path) -> Option<Utf8PathBuf> {
    Some(git_folder(top)?.join("index"))
}

fn parse(bytes: &[u8]) -> Option<Vec<Utf8PathBuf>> {
    let word = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let version = word(4)?;
    if bytes.get(..4)? != b"DIRC" || !(2..=4).contains(&version) {
        return None;
    }
    let count = word(8)?;
    let mut at = 12;
    let mut previous: Vec<u8> = Vec::new();
    let (mut paths, mut room) = (Vec::new(), MOST_PATH_BYTES);
    for _ in 0..count {
        let start = at;
        let flags = u16::from_be_bytes(bytes.get(at + FIXED..at + FIXED + 2)?.try_into().ok()?);
        at += FIXED + 2 + if flags & EXTENDED != 0 { 2 } else { 0 };
        if version == 4 {
            let strip = varint(bytes, &mut at)?;
            previous.truncate(previous.len().checked_sub(strip)?);
        } else {
            previous.clear();
        }
        let length = bytes.get(at..)?.iter().position(|byte| *byte == 0)?;
        previous.extend_from_slice(&bytes[at..at + length]);
        at += length + 1;
        room = room.checked_sub(previous.len())?;
        if version < 4 {
            // Entries are padded with 1 to 8 zero bytes to a multiple of 8.
            at = start + (at - start).next_multiple_of(8);
        }
        if let Ok(path) = std::str::from_utf8(&previous) {
            paths.push(Utf8PathBuf::from(path));
        }
    }
    Some(paths)
}

/// git's offset encoding: seven bits a byte, each continuation adds one.
fn varint(bytes: &[u8], at: &mut usize) -> Option<usize> {
    let mut byte = *bytes.get(*at)?;
    *at += 1;
    let mut value = usize::from(byte & 0x7f);
    while byte & 0x80 != 0 {
        byte = *bytes.get(*at)?;
        *at += 1;
        value = value.checked_add(1)?.checked_mul(128)? | usize::from(byte & 0x7f);
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn reads_what_git_writes() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        for path in ["b.txt", "a/long-name-of-a-file.yaml", "a/long-name-of-a-folder/x", "ü"] {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        let git = |arguments: &[&str]| {
            assert!(Command::new("git").args(arguments).current_dir(root).output().unwrap().status.success());
        };
        git(&["init", "-q"]);
        git(&["add", "."]);
        std::fs::write(root.join("untracked"), "x").unwrap();
        for version in ["2", "4"] {
            git(&["update-index", "--index-version", version]);
            let expected = ["a/long-name-of-a-file.yaml", "a/long-name-of-a-folder/x", "b.txt", "ü"];
            assert_eq!(tracked_files(root).unwrap(), expected, "version {version}");
        }
        assert_eq!(tracked_files(&root.join("a")).unwrap(), ["long-name-of-a-file.yaml", "long-name-of-a-folder/x"]);
    }

    /// An index of version 4 whose every entry but the first has the path of the one before.
    fn index(entries: u32, path: usize) -> Vec<u8> {
        let mut bytes = [b"DIRC".as_slice(), &[0, 0, 0, 4], &entries.to_be_bytes()].concat();
        for entry in 0..entries {
            bytes.resize(bytes.len() + FIXED + 2, 0);
            bytes.push(0);
            bytes.resize(bytes.len() + if entry == 0 { path } else { 0 }, b'x');
            bytes.push(0);
        }
        bytes
    }

    #[test]
    fn paths_that_are_larger_than_the_index_are_not_held() {
        let mebibyte = 1 << 20;
        assert_eq!(parse(&index(32, mebibyte)).unwrap().len(), 32);
        assert_eq!(parse(&index(33, mebibyte)), None);
    }

    #[test]
    fn only_a_file_of_some_size_is_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        let git = root.join(".git");
        let index = git.join("index");
        std::fs::create_dir(&git).unwrap();
        std::fs::write(&index, self::index(1, 5)).unwrap();
        assert_eq!(tracked_files(root).unwrap(), ["xxxxx"]);
        std::fs::OpenOptions::new().write(true).open(&index).unwrap().set_len(MOST_BYTES).unwrap();
        assert_eq!(tracked_files(root).unwrap(), ["xxxxx"]);
        std::fs::OpenOptions::new().write(true).open(&index).unwrap().set_len(MOST_BYTES + 1).unwrap();
        assert_eq!(tracked_files(root), None);
        std::fs::remove_file(&index).unwrap();
        // What never ends, and what nobody writes into; in place of the index, and of the folder.
        let pipe = |path: &Utf8Path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
        std::os::unix::fs::symlink("/dev/zero", &index).unwrap();
        assert_eq!(tracked_files(root), None);
        std::fs::remove_file(&index).unwrap();
        pipe(&index);
        assert_eq!(tracked_files(root), None);
        std::fs::remove_dir_all(&git).unwrap();
        pipe(&git);
        assert_eq!(tracked_files(root), None);
    }

    #[test]
    fn a_damaged_index_is_no_index() {
        assert!(parse(b"DIRC\0\0\0\x02\xff\xff\xff\xff").is_none());
        assert!(parse(b"").is_none());
    }
}
