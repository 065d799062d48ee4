//! A repository that was made to fill the memory or to keep us busy. Its objects are made here: git would not write them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write as _;

use camino::Utf8Path;
use gitobjects::Repository;
use sha1::{Digest as _, Sha1};
use testkit::Sandbox;

/// A repository without a commit.
fn repository() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(".git/HEAD", "ref: refs/heads/main\n").write(".git/config", "[core]\n");
    std::fs::create_dir_all(sandbox.path(".git/objects/pack")).unwrap();
    sandbox
}

fn id(kind: &str, content: &[u8]) -> [u8; 20] {
    let mut hash = Sha1::new();
    hash.update(format!("{kind} {}\0", content.len()));
    hash.update(content);
    hash.finalize().into()
}

fn hex(id: [u8; 20]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn packed(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// Writes an object into a file of its own; its id.
fn object(sandbox: &Sandbox, kind: &str, content: &[u8]) -> [u8; 20] {
    let id = id(kind, content);
    let name = hex(id);
    let bytes = [format!("{kind} {}\0", content.len()).as_bytes(), content].concat();
    sandbox.write(format!(".git/objects/{}/{}", &name[..2], &name[2..]), packed(&bytes));
    id
}

/// A commit whose tree has this file; the commit's id.
fn commit_of(sandbox: &Sandbox, file: [u8; 20]) -> String {
    let tree = object(sandbox, "tree", &[b"100644 f\0".as_slice(), &file].concat());
    hex(object(sandbox, "commit", format!("tree {}\n\n", hex(tree)).as_bytes()))
}

/// The file of a commit, or what is said instead of it, with the repository's own folder as `R`.
fn file(sandbox: &Sandbox, commit: &str) -> Result<Vec<u8>, String> {
    let read = || {
        let repository = Repository::of(sandbox.root())?;
        repository.file(repository.resolve(commit)?, Utf8Path::new("f"))
    };
    let root = sandbox.root().canonicalize_utf8().unwrap();
    read().map_err(|error: gitobjects::Error| {
        error.to_string().replace(root.as_str(), "R").replace(sandbox.root().as_str(), "R")
    })
}

#[track_caller]
fn refused(sandbox: &Sandbox, commit: &str, expected: &str) {
    let said = file(sandbox, commit).unwrap_err();
    assert!(said.contains(expected), "{said}");
}

/// What stands at one place of a pack: the head that says its kind and the length of its content, what a delta begins with, the
/// content.
fn entry(kind: u8, before: &[u8], length: usize, packed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut head = (kind << 4) | u8::try_from(length & 0x0f).unwrap();
    let mut rest = length >> 4;
    while rest > 0 {
        bytes.push(head | 0x80);
        head = u8::try_from(rest & 0x7f).unwrap();
        rest >>= 7;
    }
    bytes.push(head);
    [&bytes, before, packed].concat()
}

/// A pack of entries, with an index that finds the last of them under a name.
fn pack(sandbox: &Sandbox, entries: &[Vec<u8>], name: [u8; 20]) {
    let mut bytes = b"PACK\0\0\0\x02\0\0\0\0".to_vec();
    let mut last = 0;
    for entry in entries {
        last = bytes.len();
        bytes.extend(entry);
    }
    let mut index = vec![0xff, b't', b'O', b'c', 0, 0, 0, 2];
    for first in 0..=255 {
        index.extend(u32::from(first >= name[0]).to_be_bytes());
    }
    index.extend(name);
    index.extend([0; 4]);
    index.extend(u32::try_from(last).unwrap().to_be_bytes());
    sandbox.write(".git/objects/pack/p.pack", bytes).write(".git/objects/pack/p.idx", index);
}

/// A number of a delta: seven bits a byte.
fn number(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7f {
        bytes.push(u8::try_from(number & 0x7f).unwrap() | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap());
    bytes
}

/// How far back a delta's base lies: the highest bits first, and each byte counts from where the shorter ones end.
fn distance(mut distance: usize) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(distance & 0x7f).unwrap()];
    while distance > 0x7f {
        distance = (distance >> 7) - 1;
        bytes.insert(0, u8::try_from(distance & 0x7f).unwrap() | 0x80);
    }
    bytes
}

/// A delta that makes `after` zeros of `before`: copies of 65,536 bytes from the start, and one of the rest.
fn zeros(before: usize, after: usize) -> Vec<u8> {
    let mut delta = [number(before), number(after)].concat();
    delta.extend(std::iter::repeat_n(0x80, after / 0x10000));
    let rest = u16::try_from(after % 0x10000).unwrap().to_le_bytes();
    if rest != [0, 0] {
        delta.extend([0xb0, rest[0], rest[1]]);
    }
    delta
}

/// Deltas over an object, one after the other; a commit whose file is what the last of them makes, under this name.
fn stack<'a>(sandbox: &Sandbox, whole: &[u8], deltas: impl IntoIterator<Item = &'a [u8]>, name: [u8; 20]) -> String {
    let mut entries = vec![entry(3, &[], whole.len(), &packed(whole))];
    for delta in deltas {
        let back = distance(entries.last().unwrap().len());
        entries.push(entry(6, &back, delta.len(), &packed(delta)));
    }
    pack(sandbox, &entries, name);
    commit_of(sandbox, name)
}

const MIB: usize = 1024 * 1024;

#[test]
fn an_object_that_unpacks_to_more_than_is_read() {
    let sandbox = repository();
    let blob = object(&sandbox, "blob", &vec![0; 32 * MIB]);
    assert_eq!(file(&sandbox, &commit_of(&sandbox, blob)).unwrap().len(), 32 * MIB);
    let blob = object(&sandbox, "blob", &vec![0; 32 * MIB + 1]);
    let expected =
        format!("cannot read the object {}: it has more than the 32 MiB that are read of an object", hex(blob));
    refused(&sandbox, &commit_of(&sandbox, blob), &expected);
    let zeros = vec![0; 32 * MIB + 1];
    pack(&sandbox, &[entry(3, &[], zeros.len(), &packed(&zeros))], [7; 20]);
    let expected =
        "cannot read `R/.git/objects/pack/p.pack`: an object in it has more than the 32 MiB that are read of one";
    refused(&sandbox, &commit_of(&sandbox, [7; 20]), expected);
}

#[test]
fn a_chain_of_deltas_without_end() {
    let sandbox = repository();
    let chain = |deltas| {
        let delta = zeros(10, 10);
        stack(&sandbox, &[0; 10], std::iter::repeat_n(delta.as_slice(), deltas), id("blob", &[0; 10]))
    };
    assert_eq!(file(&sandbox, &chain(4095)).unwrap(), [0; 10]);
    let expected = "it is at the end of more deltas than are read (4095, or 64 MiB)";
    refused(&sandbox, &chain(4096), expected);
    let large = vec![0; 30 * MIB];
    refused(&sandbox, &stack(&sandbox, &[0], std::iter::repeat_n(large.as_slice(), 3), [7; 20]), expected);
}

/// A few kilobytes on disk, which would be copied for minutes if there were more of them.
#[test]
fn a_chain_of_deltas_that_makes_gigabytes() {
    let sandbox = repository();
    let whole = 32 * MIB;
    // Thirty-one times the whole, nearly all of it, and one byte.
    let chain = |nearly: usize| {
        let (again, last) = (zeros(whole, whole), [zeros(whole, nearly), zeros(nearly, 1)]);
        let deltas = std::iter::repeat_n(&again, 31).chain(&last).map(Vec::as_slice);
        stack(&sandbox, &vec![0; whole], deltas, id("blob", &[0]))
    };
    assert_eq!(file(&sandbox, &chain(whole - 1)).unwrap(), [0]);
    refused(&sandbox, &chain(whole), "its deltas make more than the 1 GiB that is made for an object");
}

/// One that git would not write: its length begins with zeros.
#[test]
fn a_head_that_is_longer_than_any() {
    let sandbox = repository();
    let headed = |length: usize| {
        let head = [b"blob ", "0".repeat(length - 6).as_bytes(), b"\0"].concat();
        sandbox.write(format!(".git/objects/07/{}", "07".repeat(19)), packed(&head));
        commit_of(&sandbox, [7; 20])
    };
    refused(&sandbox, &headed(32), "its content has another hash");
    refused(&sandbox, &headed(33), "it has no head");
}

#[test]
fn tags_of_tags() {
    let sandbox = repository();
    let blob = object(&sandbox, "blob", b"x");
    let mut of = commit_of(&sandbox, blob);
    for _ in 0..10 {
        of = hex(object(&sandbox, "tag", format!("object {of}\n").as_bytes()));
    }
    assert_eq!(file(&sandbox, &of).unwrap(), b"x");
    of = hex(object(&sandbox, "tag", format!("object {of}\n").as_bytes()));
    refused(&sandbox, &of, "it is a tag of tags of tags: more than 10 are not followed");
}

#[test]
fn references_lead_to_five_others_at_most() {
    let sandbox = repository();
    let blob = object(&sandbox, "blob", b"x");
    sandbox.write(".git/refs/heads/r0", commit_of(&sandbox, blob));
    for number in 1..=6 {
        sandbox.write(format!(".git/refs/heads/r{number}"), format!("ref: refs/heads/r{}\n", number - 1));
    }
    assert_eq!(file(&sandbox, "r5").unwrap(), b"x");
    refused(&sandbox, "r6", "it leads from reference to reference without end");
}

/// What is cut off at a limit is another file: a name further below would not be found, or not be ambiguous.
#[test]
fn files_that_are_larger_than_what_is_read() {
    let sandbox = repository();
    let blob = object(&sandbox, "blob", b"x");
    let commit = commit_of(&sandbox, blob);
    sandbox.write(".git/refs/heads/main", format!("{commit}{}", "\n".repeat(4096 - 40)));
    assert_eq!(file(&sandbox, "main").unwrap(), b"x");
    sandbox.write(".git/refs/heads/main", format!("{commit}{}", "\n".repeat(4097 - 40)));
    refused(&sandbox, "main", "cannot read `R/.git/refs/heads/main`: it has more than the 4096 bytes that are read");
    for (name, most) in [("packed-refs", 128 * MIB), ("config", 4 * MIB)] {
        let large = sandbox.path(format!(".git/{name}"));
        std::fs::File::create(&large).unwrap().set_len(u64::try_from(most).unwrap() + 1).unwrap();
        let expected = format!("cannot read `R/.git/{name}`: it has more than the {most} bytes that are read");
        refused(&sandbox, "nowhere", &expected);
        std::fs::write(&large, "").unwrap();
    }
}

#[test]
fn lenders_and_packs_are_counted() {
    let sandbox = repository();
    let blob = object(&sandbox, "blob", b"x");
    let commit = commit_of(&sandbox, blob);
    let lend = |count: usize| {
        let mut lines = String::new();
        for number in 0..count {
            std::fs::create_dir_all(sandbox.path(format!("lender{number}"))).unwrap();
            lines.push_str(&format!("../../lender{number}\n../../lender{number}/.\n"));
        }
        sandbox.write(".git/objects/info/alternates", lines);
    };
    lend(10);
    assert_eq!(file(&sandbox, &commit).unwrap(), b"x");
    lend(11);
    let expected =
        "cannot read `R/.git/objects/info/alternates`: more than 10 repositories lend their objects, one to the other";
    refused(&sandbox, &commit, expected);
    lend(0);
    for number in 0..=500 {
        sandbox.write(format!(".git/objects/pack/{number}.idx"), "");
    }
    let expected = "cannot read `R/.git/objects/pack`: it has more than the 500 packs that are read; `git repack -a -d` makes one of them";
    refused(&sandbox, &commit, expected);
}
