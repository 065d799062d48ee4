use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use super::*;

const AT: &str = "d/.journal";

/// Files in memory that are written as a disk is: piece by piece into a temporary file, then renamed. After `left` steps every
/// further one fails, as for a process that was killed; what was done stays.
#[derive(Clone)]
struct Disk {
    files: RefCell<BTreeMap<Utf8PathBuf, Vec<u8>>>,
    left: Cell<usize>,
    steps: Cell<usize>,
    /// A disk that is full: temporary files fail, renames do not.
    full: Cell<bool>,
    /// What somebody else writes to while the next files are prepared.
    edit: RefCell<Option<Utf8PathBuf>>,
    /// Which process writes: each has temporary files of its own.
    process: Cell<usize>,
}

impl Disk {
    fn step(&self) -> io::Result<()> {
        let left = self.left.get().checked_sub(1).ok_or_else(|| io::Error::other("killed"))?;
        self.left.set(left);
        self.steps.set(self.steps.get() + 1);
        Ok(())
    }

    fn write(&self, path: &Utf8Path, content: &[u8]) -> io::Result<()> {
        self.step()?;
        self.files.borrow_mut().insert(path.to_owned(), content.to_vec());
        Ok(())
    }

    /// Temporary files, but for those of the journal: who takes the lock removes them.
    fn leftovers(&self) -> Vec<Utf8PathBuf> {
        let files = self.files.borrow();
        files.keys().filter(|path| path.as_str().contains('~') && !path.as_str().starts_with(AT)).cloned().collect()
    }

    fn temporary(&self, path: &Utf8Path) -> Utf8PathBuf {
        Utf8PathBuf::from(format!("{path}~{}", self.process.get()))
    }

    /// Everything but temporary files.
    fn lasting(&self) -> BTreeMap<Utf8PathBuf, Vec<u8>> {
        let files = self.files.borrow();
        files.iter().filter(|(path, _)| !path.as_str().contains('~')).map(|(p, c)| (p.clone(), c.clone())).collect()
    }
}

impl Storage for Disk {
    fn read(&self, path: &Utf8Path) -> io::Result<Option<Vec<u8>>> {
        Ok(self.files.borrow().get(path).cloned())
    }

    fn replace_all(&self, files: &[Write<'_>]) -> io::Result<()> {
        for file in files {
            for end in [0, file.content.len() / 2, file.content.len()] {
                if self.full.get() && file.path != AT && end > 0 {
                    return Err(io::ErrorKind::StorageFull.into());
                }
                self.write(&self.temporary(file.path), &file.content[..end])?;
            }
        }
        if let Some(edit) = self.edit.take() {
            self.files.borrow_mut().insert(edit, b"theirs".to_vec());
        }
        for file in files {
            let files = self.files.borrow();
            if !file.old.is(files.get(file.path).map(Vec::as_slice)) {
                return Err(io::Error::other("it was changed meanwhile"));
            }
        }
        for file in files {
            self.step()?;
            let content = self.files.borrow_mut().remove(&self.temporary(file.path)).unwrap();
            self.files.borrow_mut().insert(file.path.to_owned(), content);
        }
        Ok(())
    }

    fn remove(&self, path: &Utf8Path) -> io::Result<()> {
        self.step()?;
        self.files.borrow_mut().remove(path);
        Ok(())
    }

    fn remove_leftovers(&self, path: &Utf8Path) -> io::Result<usize> {
        self.step()?;
        let mut files = self.files.borrow_mut();
        let before = files.len();
        files.retain(|known, _| !known.as_str().starts_with(&format!("{path}~")));
        Ok(before - files.len())
    }
}

fn disk(files: usize) -> Disk {
    let files = (0..files).map(|index| (path(index), format!("old {index}").into_bytes())).collect();
    Disk {
        files: RefCell::new(files),
        left: Cell::new(usize::MAX),
        steps: Cell::new(0),
        full: Cell::new(false),
        edit: RefCell::new(None),
        process: Cell::new(0),
    }
}

fn path(index: usize) -> Utf8PathBuf {
    Utf8PathBuf::from(format!("d/file-{index}{}", if index == 0 { ".sig" } else { "" }))
}

/// Changes all files, removes the first one, which is a signature, and makes two new ones.
fn change(files: usize) -> Journal {
    let old = |index: usize| (index < files).then(|| Hash::of(format!("old {index}").as_bytes()));
    let changes =
        (0..files + 2).map(|index| Change { path: path(index), old: old(index), new: new(index, files) }).collect();
    Journal::new("test".to_owned(), "me".to_owned(), "2026-01-01T00:00:00Z".parse().unwrap(), changes)
}

fn new(index: usize, files: usize) -> Content {
    match index {
        0 if files > 0 => Content::Nothing,
        1 => Content::Bytes(vec![0xff, 0, 1]),
        _ => Content::Text(format!("new text {index}")),
    }
}

#[test]
fn killed_at_any_step_of_change_and_recovery_it_is_old_or_new() {
    let files = 9;
    let (journal, old) = (change(files), disk(files).lasting());
    let whole = disk(files);
    commit(&whole, Utf8Path::new(AT), &journal).unwrap();
    let new = whole.lasting();
    let steps = whole.steps.get();
    let (mut points, mut finished, mut undone) = (0, 0, 0);
    for at in 0..steps {
        let killed = disk(files);
        killed.left.set(at);
        assert!(commit(&killed, Utf8Path::new(AT), &journal).is_err());
        // The recovery is killed too, at each of its own steps, until it comes through.
        for again in 0.. {
            points += 1;
            let next = killed.clone();
            next.left.set(again);
            next.process.set(1);
            let through = recover(&next, Utf8Path::new(AT)).is_ok();
            next.left.set(usize::MAX);
            next.process.set(2);
            let recovered = recover(&next, Utf8Path::new(AT)).unwrap();
            let state = next.lasting();
            assert!(state == old || state == new, "killed at {at}, then at {again}");
            assert_eq!(next.leftovers(), [""; 0], "killed at {at}, then at {again}");
            if through {
                assert_eq!(recovered, None, "a recovery leaves nothing to do");
                finished += usize::from(state == new);
                undone += usize::from(state == old);
                break;
            }
        }
    }
    assert!(points >= 200 && finished > 0 && undone > 0, "{points} points, {finished} finished, {undone} undone");
}

#[test]
fn a_full_disk_leaves_everything_as_it_was() {
    let disk = disk(3);
    disk.full.set(true);
    let before = disk.lasting();
    let error = commit(&disk, Utf8Path::new(AT), &change(3)).unwrap_err();
    assert!(matches!(error, CommitError::Unchanged(_)), "{error}");
    assert_eq!(disk.lasting(), before);
}

#[test]
fn what_somebody_else_wrote_is_not_lost() {
    let meanwhile = disk(3);
    meanwhile.write(&path(1), b"theirs").unwrap();
    let error = commit(&meanwhile, Utf8Path::new(AT), &change(3)).unwrap_err();
    assert_eq!(error.to_string(), "`d/file-1` was changed meanwhile");

    let interrupted = disk(3);
    interrupted.write(Utf8Path::new(AT), change(3).to_json().as_bytes()).unwrap();
    interrupted.write(&path(2), b"theirs").unwrap();
    let before = interrupted.lasting();
    let error = recover(&interrupted, Utf8Path::new(AT)).unwrap_err();
    assert_eq!(error.to_string(), "`d/file-2` was changed since by somebody else");
    assert_eq!(interrupted.lasting(), before, "nothing was written");
}

/// After the journal stands, and before the first file is renamed.
#[test]
fn what_somebody_else_writes_while_files_are_prepared_is_not_lost() {
    let interrupted = disk(3);
    interrupted.write(Utf8Path::new(AT), change(3).to_json().as_bytes()).unwrap();
    let before = interrupted.lasting();
    *interrupted.edit.borrow_mut() = Some(path(2));
    let error = recover(&interrupted, Utf8Path::new(AT)).unwrap_err();
    assert_eq!(error.to_string(), "it was changed meanwhile");
    let edited = |mut files: BTreeMap<Utf8PathBuf, Vec<u8>>| {
        files.insert(path(2), b"theirs".to_vec());
        files
    };
    assert_eq!(interrupted.lasting(), edited(before), "nothing was written");
}

#[test]
fn hidden_files_are_edited_and_not_made() {
    let edit = |at: &str, path: &str, old: Option<Hash>| {
        let disk = disk(0);
        disk.write(Utf8Path::new(path), b"old").unwrap();
        let mut journal = change(0);
        journal.changes = vec![Change { path: path.into(), old, new: Content::Text("new".to_owned()) }];
        let committed = commit(&disk, Utf8Path::new(at), &journal).is_ok();
        disk.write(Utf8Path::new(path), b"old").unwrap();
        disk.write(Utf8Path::new(at), journal.to_json().as_bytes()).unwrap();
        assert_eq!(recover(&disk, Utf8Path::new(at)).is_ok(), committed, "{path}: what is begun can be finished");
        committed
    };
    let old = || Some(Hash::of(b"old"));
    for path in [".env", ".deploy/values.yaml", "d/.env.prod"] {
        assert!(edit(AT, path, old()), "{path}");
    }
    for path in [".git/config", "a/.GIT/hooks/x", "d/.collimate-lock", "../x"] {
        assert!(!edit(AT, path, old()), "{path}");
    }
    assert!(!edit(AT, "d/.new", None));
}

#[test]
fn a_planted_journal_writes_nowhere_else() {
    let disk = disk(1);
    for path in ["../x", "/etc/x", ".git/hooks/pre-commit", "a/../../x", "d/.x", "elsewhere/new", ""] {
        let mut journal = change(0);
        journal.changes = vec![Change { path: path.into(), old: None, new: Content::Text("x".to_owned()) }];
        disk.write(Utf8Path::new(AT), journal.to_json().as_bytes()).unwrap();
        let error = recover(&disk, Utf8Path::new(AT)).unwrap_err();
        assert!(matches!(error, JournalError::Outside(_)), "{path}: {error}");
    }
    for path in ["d/file-1", "elsewhere/x.sig", "d/.x.sig", "d/x.sig.yaml"] {
        let mut journal = change(0);
        journal.changes = vec![Change { path: path.into(), old: Some(Hash::of(b"old 1")), new: Content::Nothing }];
        disk.write(Utf8Path::new(AT), journal.to_json().as_bytes()).unwrap();
        let error = recover(&disk, Utf8Path::new(AT)).unwrap_err();
        assert!(matches!(error, JournalError::Outside(_)), "{path}: {error}");
    }
    for text in ["", "{}", "[]", &change(1).to_json().replace("\"schema\": 1", "\"schema\": 2")] {
        disk.write(Utf8Path::new(AT), text.as_bytes()).unwrap();
        assert!(matches!(recover(&disk, Utf8Path::new(AT)), Err(JournalError::Damaged(_))), "{text}");
    }
}

/// What could not be finished is not begun, and what is planted takes no more memory than it has bytes.
#[test]
fn a_change_of_more_than_a_journal_holds_is_not_begun() {
    let of = |count: usize, text: &str| {
        let mut journal = change(0);
        let one = |index| Change { path: path(index + 1), old: None, new: Content::Text(text.to_owned()) };
        journal.changes = (0..count).map(one).collect();
        journal
    };
    let written = of(10_000, "x");
    let written_disk = disk(0);
    commit(&written_disk, Utf8Path::new(AT), &written).unwrap();
    assert_eq!(written_disk.lasting().len(), 10_000);
    for (journal, expected) in [
        (of(10_001, "x"), "it is a change of 10001 files and "),
        (of(3, &"x".repeat(22 << 20)), "it is a change of 3 files and "),
    ] {
        let refused = disk(0);
        let error = commit(&refused, Utf8Path::new(AT), &journal).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
        assert!(error.ends_with(" bytes; one has at most 10000 and 67108864"), "{error}");
        assert_eq!(refused.lasting().len(), 0);
    }
    let planted = disk(0);
    planted.write(Utf8Path::new(AT), of(10_001, "x").to_json().as_bytes()).unwrap();
    let error = recover(&planted, Utf8Path::new(AT)).unwrap_err().to_string();
    assert!(error.starts_with("it is no journal of this program: it has more than 10000 changes at line "), "{error}");
}
