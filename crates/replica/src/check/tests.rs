use camino::{Utf8Path, Utf8PathBuf};

use super::*;
use crate::record::{FileRecord, Validators};

fn local(file: Utf8PathBuf, size: u64) -> Local {
    let record = FileRecord {
        path: "excititor/mirror/domains/a/index.json".to_owned(),
        size,
        sha256: "0".repeat(64),
        validators: Validators::default(),
    };
    Local { file, record, is_fresh: true }
}

/// What is said of a list of exports.
fn listed(exports: &str) -> Result<Vec<VexExport>> {
    let folder = tempfile::tempdir().unwrap();
    let file = Utf8Path::from_path(folder.path()).unwrap().join("index.json");
    std::fs::write(&file, format!(r#"{{"id":"a","exports":[{exports}]}}"#)).unwrap();
    vex_index(&local(file, 1), "a")
}

#[test]
fn exports_and_their_bytes_are_counted() {
    let keys = |count: usize| (0..count).map(|key| format!(r#"{{"key":"k{key}"}}"#)).collect::<Vec<_>>().join(",");
    assert_eq!(listed(&keys(10_000)).unwrap().len(), 10_000);
    let error = listed(&keys(10_001)).unwrap_err();
    assert_eq!(error.message(), "`excititor/mirror/domains/a/index.json` is not what it should be");
    assert_eq!(error.causes(), ["it lists 10001 exports; at most 10000 are taken"]);

    let sizes = |sizes: &[u64]| {
        let entry = |(key, size): (usize, &u64)| format!(r#"{{"key":"k{key}","sizeBytes":{size}}}"#);
        sizes.iter().enumerate().map(entry).collect::<Vec<_>>().join(",")
    };
    assert!(listed(&sizes(&[1 << 31, 1 << 31])).is_ok());
    let error = listed(&sizes(&[1 << 31, 1 << 31, 1])).unwrap_err();
    assert_eq!(error.causes(), ["its exports have 4294967297 bytes; at most 4294967296 are taken"]);
    assert!(listed(&sizes(&[u64::MAX, u64::MAX])).is_err());
}

/// A list is of fewer bytes here than `mirror` itself would read.
#[test]
fn lists_and_keys_have_a_longest_length() {
    let entry = |key: &str| format!(r#"{{"key":"{key}"}}"#);
    assert_eq!(listed(&entry(&"k".repeat(100))).unwrap().len(), 1);
    let long = "k".repeat(101);
    let expected = format!("the key `{long}` has more bytes than can be carried in a file's name");
    assert_eq!(listed(&entry(&long)).unwrap_err().causes(), [expected]);

    let folder = tempfile::tempdir().unwrap();
    let file = Utf8Path::from_path(folder.path()).unwrap().join("index.json");
    let of = |length: usize| {
        let mut bytes = br#"{"id":"a","exports":[]}"#.to_vec();
        bytes.resize(length, b' ');
        std::fs::write(&file, bytes).unwrap();
        local(file.clone(), length as u64)
    };
    assert_eq!(vex_index(&of(4 << 20), "a").unwrap(), []);
    assert!(meaning(&of(4 << 20)).is_some());
    let long = of((4 << 20) + 1);
    assert_eq!(meaning(&long), None);
    let error = vex_index(&long, "a").unwrap_err();
    assert_eq!(error.message(), format!("cannot read `{file}`"));
    assert_eq!(error.causes(), ["it has more than the 4194304 bytes that are read"]);
}

#[test]
fn files_of_no_announced_size_are_counted_as_they_come() {
    let files = |sizes: &[u64]| -> Files {
        let file = |(number, size): (usize, &u64)| (number.to_string(), local(Utf8PathBuf::new(), *size));
        sizes.iter().enumerate().map(file).collect()
    };
    fits(&files(&[1 << 31, 1 << 31]), "a").unwrap();
    let error = fits(&files(&[1 << 31, 1 << 31, 1]), "a").unwrap_err();
    assert_eq!(error.message(), "the domain `a` is too large for a copy");
    assert_eq!(error.causes(), ["its files have more than 4294967296 bytes"]);
}
