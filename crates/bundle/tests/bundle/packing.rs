//! What is packed, byte for byte, and what cannot be.

use bundle::{About, Contents, ContentsError, MOST_SOURCE_DATE, Mode};

use crate::fixture::{NAME, about, archive, contents, key, plain};

/// Changes with the format, and then its number does too; with `verify.sh`, which is part of it; with the library that packs, and
/// then only the first of the two does.
#[test]
fn the_bytes_are_those_of_every_other_machine() {
    let archive = archive();
    assert_eq!(archive.sha256, "ac2680d05bc90a61d46b295e5e03872b78406c67caccf224f0687c8fcffc220a");
    assert_eq!(archive.tar_sha256, "fe2545073b2903b1e8568efe3f5de0b113cd58d5f4e6bf3f309696cab1d626e7");
}

#[test]
fn the_order_in_which_files_come_does_not_matter() {
    let files = [("b", "2"), ("a/z", "1"), ("a.yaml", "3"), ("a-b", "4")];
    let pack = |files: &[(&str, &str)]| {
        let mut contents = Contents::new(NAME).unwrap();
        files.iter().for_each(|(path, text)| contents.add(path, plain(text)).unwrap());
        contents.screened(|_, _| None).unwrap().pack(&about()).unwrap()
    };
    let mut reversed = files;
    reversed.reverse();
    let archive = pack(&files);
    assert_eq!(archive.bytes, pack(&reversed).bytes);
    let paths: Vec<&str> = archive.manifest.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["a-b", "a.yaml", "a/z", "b", "verify.sh"], "sorted by bytes, as `LC_ALL=C sort` does");
}

#[test]
fn what_is_packed_is_read_back() {
    let archive = archive();
    let contained = bundle::read(&archive.bytes).unwrap();
    assert_eq!(contained.manifest, archive.manifest);
    assert_eq!(contained.tar_sha256, archive.tar_sha256);
    let run = contained.manifest.files.iter().find(|file| file.path == "ops/run.sh").unwrap();
    assert_eq!((run.mode, run.size), (Mode::Executable, 21));
}

#[test]
fn signatures_do_not_vary() {
    assert_eq!(archive().sign(&key()), archive().sign(&key()));
}

#[test]
fn long_paths_use_the_prefix() {
    let mut contents = Contents::new(NAME).unwrap();
    for length in [80, 86, 87, 88, 100, 101, 150, 186] {
        // Cut into folders of 9 characters.
        let path: String = (0..length).map(|at| if at % 10 == 9 && at + 1 < length { '/' } else { 'x' }).collect();
        contents.add(&format!("{}{}", &path[..length - 3], length), plain("x")).unwrap();
    }
    let archive = contents.screened(|_, _| None).unwrap().pack(&about()).unwrap();
    let read = bundle::read(&archive.bytes).unwrap();
    // The tar crate, which knows nothing of ours, sees the same names.
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(archive.bytes.as_slice()));
    let names: Vec<String> =
        tar.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string()).collect();
    let expected: Vec<String> = read.manifest.files.iter().map(|file| format!("{NAME}/{}", file.path)).collect();
    assert_eq!(names[2..], expected);
}

#[test]
fn what_cannot_be_packed_is_refused_by_name() {
    let refused = |paths: &[&str]| {
        let mut contents = contents();
        paths.iter().find_map(|path| contents.add(path, plain("x")).err()).map(|error| error.to_string())
    };
    for (paths, expected) in [
        (&["../x"][..], "`../x` leads out of the bundle"),
        (&["/x"], "`/x` is an absolute path"),
        (&["a b"], "`a b` has a character other than letters, digits and `._-+@=,`"),
        (&["a\u{1b}b"], "`a\u{fffd}b` has a character other than letters, digits and `._-+@=,`"),
        (&["empty.txt"], "`empty.txt` is there twice"),
        (&["Empty.txt"], "`Empty.txt` and `empty.txt` are one file where file names have no case"),
        (&["DEPLOY/c"], "`DEPLOY/c` and `deploy` are one file where file names have no case"),
        (&["empty.txt/x"], "`empty.txt` is a file, and `empty.txt/x` makes it a folder"),
        (&["deploy"], "`deploy` is a file, and `deploy/…` makes it a folder"),
        (&["manifest.json"], "`manifest.json` is a file that every bundle has"),
        (&["SHA256SUMS"], "`SHA256SUMS` is a file that every bundle has"),
        (&["verify.sh"], "`verify.sh` is there twice"),
    ] {
        assert_eq!(refused(paths).as_deref(), Some(expected));
    }
    assert!(matches!(Contents::new("Small"), Err(ContentsError::Name(_))));
    let mut bomb = contents();
    bomb.add("zeros", plain(&"0".repeat(4 * 1024 * 1024))).unwrap();
    assert_eq!(bomb.screened(|_, _| None).unwrap().pack(&about()).unwrap_err(), ContentsError::Bomb { ratio: 200 });
    let screened = contents().screened(|_, _| None).unwrap();
    // So many files of this content until one is refused.
    let limit = |text: &str| {
        let mut contents = Contents::new(NAME).unwrap();
        (0..).find_map(|number| contents.add(&format!("f/{number}"), plain(text)).err()).unwrap().to_string()
    };
    let large = "x".repeat(32 * 1024 * 1024 + 1);
    assert_eq!(limit(&large), "`f/0` has 33554433 bytes; at most 33554432 are packed");
    assert_eq!(limit(""), "a bundle cannot have 10001 files; at most 10000");
    let said = limit(&large[1..]);
    assert!(said.starts_with("a bundle cannot have ") && said.ends_with(" bytes; at most 134217728"), "{said}");
    let late = About { source_date: MOST_SOURCE_DATE + 1, ..about() };
    assert!(matches!(screened.pack(&late), Err(ContentsError::TooMuch { what: "seconds since 1970", .. })));
}
