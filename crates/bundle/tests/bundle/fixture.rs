//! A small bundle with everything that a large one has: scripts, nested folders, an empty file, one that fills its blocks.

use bundle::{About, Archive, Beside, Contents, File, Mode, ReleaseName};
use signing::PrivateKey;

pub(crate) const NAME: &str = "small-bundle";

pub(crate) fn key() -> PrivateKey {
    PrivateKey::from_seed(&[1; 32])
}

pub(crate) fn other_key() -> PrivateKey {
    PrivateKey::from_seed(&[2; 32])
}

pub(crate) fn about() -> About {
    let release =
        ReleaseName { version: "2025.09.2".to_owned(), channel: "airgap".to_owned(), sha256: "5a".repeat(32) };
    About { release, source_date: 1_758_672_000 }
}

pub(crate) fn plain(text: &str) -> File {
    File { bytes: text.as_bytes().to_vec(), mode: Mode::Plain }
}

pub(crate) fn contents() -> Contents {
    let mut contents = Contents::new(NAME).unwrap();
    let block = "0123456789abcde\n".repeat(32);
    for (path, text) in [
        ("deploy/a.yaml", "a: 1\n"),
        ("deploy/b.yaml", "b: 2\n"),
        ("deploy/deep/er/block.txt", block.as_str()),
        ("empty.txt", ""),
        ("INSTALL.md", "# Small\n"),
    ] {
        contents.add(path, plain(text)).unwrap();
    }
    let script = File { bytes: b"#!/bin/sh\necho small\n".to_vec(), mode: Mode::Executable };
    contents.add("ops/run.sh", script).unwrap();
    contents
}

pub(crate) fn archive() -> Archive {
    contents().screened(|_, _| None).unwrap().pack(&about()).unwrap()
}

pub(crate) fn signed() -> (Archive, Beside) {
    let archive = archive();
    let beside = archive.sign(&key());
    (archive, beside)
}
