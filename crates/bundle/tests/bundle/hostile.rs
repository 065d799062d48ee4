//! Archives that are made to do harm, each refused with its reason.

use bundle::{Entry, Mode, read};

use crate::fixture::archive;
use crate::forging::{Part, gzipped, gzipped_best, packed, parts, tarred, untarred, with_manifest};

#[track_caller]
fn check(archive: &[u8], expected: &str) {
    match read(archive) {
        Ok(_) => panic!("was read, instead of: {expected}"),
        Err(error) => assert_eq!(error.to_string(), expected),
    }
}

/// A good archive with one part changed; 2 is the first file of the manifest.
#[track_caller]
fn check_part(at: usize, change: impl FnOnce(&mut Part), expected: &str) {
    let mut parts = parts();
    change(&mut parts[at]);
    check(&packed(&parts), expected);
}

fn entry(path: &str) -> Entry {
    Entry { path: path.to_owned(), size: 0, sha256: "0".repeat(64), mode: Mode::Plain }
}

#[test]
fn forging_itself_changes_nothing() {
    assert_eq!(read(&packed(&parts())), read(&archive().bytes));
    assert_eq!(read(&packed(&with_manifest(|_| {}))), read(&archive().bytes));
    let order: Vec<String> = parts().iter().map(|part| part.header.path().unwrap().display().to_string()).collect();
    assert_eq!(order[2], "small-bundle/INSTALL.md");
    assert_eq!(order[3], "small-bundle/deploy/a.yaml");
}

#[test]
fn paths_that_escape() {
    for (name, expected) in [
        ("small-bundle/../../etc/passwd", "`small-bundle/../../etc/passwd` leads out of the bundle"),
        ("../etc/passwd", "`../etc/passwd` leads out of the bundle"),
        ("/etc/passwd", "`/etc/passwd` is an absolute path"),
        ("small-bundle//etc/passwd", "`small-bundle//etc/passwd` is an absolute path"),
        ("small-bundle\\..\\x", "`small-bundle\\..\\x` has a backslash, which is a separator elsewhere"),
        ("small-bundle/./x", "`small-bundle/./x` is not written in its shortest form"),
        (
            "small-bundle/\u{1b}[2J",
            "`small-bundle/\u{fffd}[2J` has a character other than letters, digits and `._-+@=,`",
        ),
        ("x", "`x` does not lie in the bundle's folder"),
        ("other-bundle/INSTALL.md", "`other-bundle/INSTALL.md` does not lie in the bundle's folder"),
    ] {
        check_part(2, |part| part.name(name), expected);
    }
    let listed = with_manifest(|manifest| manifest.files[0].path = "../x".to_owned());
    check(&packed(&listed), "its `manifest.json` lists `../x`, which leads out of the bundle");
    let top = with_manifest(|manifest| manifest.name = "..".to_owned());
    check(&packed(&top), "its `manifest.json` is of `..`, but lies in `small-bundle`");
}

#[test]
fn what_is_no_regular_file() {
    for (kind, expected) in [
        (b'1', "`small-bundle/INSTALL.md` is a hard link; a bundle holds regular files only"),
        (b'2', "`small-bundle/INSTALL.md` is a symbolic link; a bundle holds regular files only"),
        (b'3', "`small-bundle/INSTALL.md` is a character device; a bundle holds regular files only"),
        (b'4', "`small-bundle/INSTALL.md` is a block device; a bundle holds regular files only"),
        (b'5', "`small-bundle/INSTALL.md` is a folder; a bundle holds regular files only"),
        (b'6', "`small-bundle/INSTALL.md` is a named pipe; a bundle holds regular files only"),
        (b'S', "`small-bundle/INSTALL.md` is a sparse file; a bundle holds regular files only"),
        (b'7', "`small-bundle/INSTALL.md` is of type 55; a bundle holds regular files only"),
        (b'x', "a tar header is a pax header, which could rename or resize what follows; a bundle has none"),
        (b'g', "a tar header is a global pax header, which could rename or resize what follows; a bundle has none"),
        (b'L', "a tar header is a GNU long name, which could rename or resize what follows; a bundle has none"),
    ] {
        check_part(2, |part| part.edit(|header| header.set_entry_type(tar::EntryType::new(kind))), expected);
    }
    // An old spelling of a regular file is a regular file, but not the one that is written.
    let old = "the header of `INSTALL.md` is not the one that is written: type";
    check_part(2, |part| part.edit(|header| header.as_mut_bytes()[156] = 0), old);
    let first = "a tar header is a global pax header, which could rename or resize what follows; a bundle has none";
    check_part(0, |part| part.edit(|header| header.set_entry_type(tar::EntryType::XGlobalHeader)), first);
}

#[test]
fn files_that_are_there_twice() {
    let mut twice = parts();
    twice.insert(4, twice[3].clone());
    check(&packed(&twice), "`deploy/a.yaml` is there twice");
    let mut at_the_end = parts();
    at_the_end.push(at_the_end[0].clone());
    check(&packed(&at_the_end), "`manifest.json` is there twice");
    let listed = with_manifest(|manifest| manifest.files.insert(1, manifest.files[0].clone()));
    check(&packed(&listed), "`INSTALL.md` is there twice");
    let case = with_manifest(|manifest| manifest.files.push(entry("Verify.sh")));
    check(&packed(&case), "`Verify.sh` and `verify.sh` are one file where file names have no case");
    let mut case = parts();
    case.push(Part::new("install.MD", b""));
    check(&packed(&case), "`install.MD` and `INSTALL.md` are one file where file names have no case");
    let folder = with_manifest(|manifest| manifest.files.push(entry("verify.sh/x")));
    check(&packed(&folder), "its `manifest.json` lists `verify.sh` as a file and as the folder of `verify.sh/x`");
    let own = with_manifest(|manifest| manifest.files.push(entry("SHA256SUMS")));
    check(&packed(&own), "its `manifest.json` lists `SHA256SUMS`, which every bundle has");
}

#[test]
fn files_added_left_out_or_moved() {
    let mut extra = parts();
    extra.push(Part::new("zz.sh", b"#!/bin/sh\n"));
    check(&packed(&extra), "`zz.sh` is there, but not in the manifest");
    let mut extra = parts();
    extra.insert(3, Part::new("aa.sh", b"#!/bin/sh\n"));
    check(&packed(&extra), "`aa.sh` is there, but not in the manifest");
    let mut missing = parts();
    missing.remove(4);
    check(&packed(&missing), "`deploy/b.yaml` is missing");
    let mut missing = parts();
    missing.pop();
    check(&packed(&missing), "`verify.sh` is missing");
    let mut missing = parts();
    missing.remove(1);
    check(&packed(&missing), "`SHA256SUMS` is missing");
    let mut swapped = parts();
    swapped.swap(3, 5);
    check(&packed(&swapped), "`deploy/deep/er/block.txt` stands where `deploy/a.yaml` belongs: the order was changed");
    let mut first = parts();
    first.swap(0, 2);
    check(&packed(&first), "it does not begin with `manifest.json`, but with `small-bundle/INSTALL.md`");
    let unsorted = with_manifest(|manifest| manifest.files.swap(0, 1));
    check(&packed(&unsorted), "its `manifest.json` is not sorted: `INSTALL.md` comes after `deploy/a.yaml`");
    // The contents of two files, exchanged under their headers.
    let mut exchanged = parts();
    let body = exchanged[3].body.clone();
    exchanged[3].body = std::mem::replace(&mut exchanged[4].body, body);
    check(&packed(&exchanged), "`deploy/a.yaml` has another sha256 than the manifest says: it was changed");
    assert!(read(&packed(&exchanged)).unwrap_err().is_distrust());
}

#[test]
fn sizes_and_headers_that_lie() {
    let size = |size: u64| move |part: &mut Part| part.edit(|header| header.set_size(size));
    check_part(3, size(6), "`deploy/a.yaml` has 6 bytes by its header and 5 by the manifest");
    check_part(3, size(1 << 33), "`deploy/a.yaml` has `�` bytes by its header and 5 by the manifest");
    let many = "its `manifest.json` says that it has `77777777777` (octal) bytes; at most 4194304 are read";
    check_part(0, size(0o77_777_777_777), many);
    let negative =
        |part: &mut Part| part.edit(|header| header.as_mut_bytes()[124..136].copy_from_slice(b"-0000000005\0"));
    check_part(3, negative, "`deploy/a.yaml` has `-0000000005` bytes by its header and 5 by the manifest");
    let field = |field: &str| format!("the header of `deploy/a.yaml` is not the one that is written: {field}");
    check_part(3, |part| part.edit(|header| header.set_mode(0o4755)), &field("mode"));
    check_part(3, |part| part.edit(|header| header.set_uid(1000)), &field("owner"));
    check_part(3, |part| part.edit(|header| header.set_mtime(1)), &field("time"));
    check_part(3, |part| part.edit(|header| header.set_username("me").unwrap()), &field("owner's name"));
    check_part(3, |part| part.edit(|header| header.set_link_name("x").unwrap()), &field("link target"));
    check_part(3, |part| part.edit(|header| header.as_mut_bytes()[511] = 1), &field("unused bytes"));
    check_part(3, |part| part.edit(|header| header.as_mut_bytes()[99] = b'x'), &field("name"));
    check_part(
        3,
        |part| part.header.as_mut_bytes()[148] = b'7',
        "it is not a tar file: the checksum of a header is wrong",
    );
    let larger = with_manifest(|manifest| manifest.files[0].size = 33 * 1024 * 1024);
    let words = "its `manifest.json` says that `INSTALL.md` has 34603008 bytes; at most 33554432 are read";
    check(&packed(&larger), words);
    let all = with_manifest(|manifest| manifest.files.iter_mut().for_each(|file| file.size = u64::MAX / 2));
    check(&packed(&all), "its `manifest.json` lists 18446744073709551615 bytes; at most 268435456 are read");
    let many = with_manifest(|manifest| {
        manifest.files.extend((0..10_000).map(|number| entry(&format!("x/{number:05}"))));
    });
    check(&packed(&many), "its `manifest.json` lists 10007 files; at most 10000 are read");
}

#[test]
fn bytes_where_nobody_looks() {
    let mut tar = untarred();
    // The manifest's own padding: its file ends before the next header.
    let after = 512 + parts()[0].body.len();
    assert_eq!(tar[after], 0);
    tar[after] = b'x';
    check(&gzipped(&tar), "bytes stand in the padding after `manifest.json`");
    let mut tar = untarred();
    let last = tar.len() - 1;
    tar[last] = 1;
    check(&gzipped(&tar), "something stands after the end of the tar file");
    check(&gzipped(&[untarred(), vec![0; 512]].concat()), "something stands after the end of the tar file");
    check(&gzipped(&[untarred(), tarred(&parts())].concat()), "something stands after the end of the tar file");
    let short = untarred();
    check(&gzipped(&short[..short.len() - 512]), "it is not a tar file: it ends within a file or before its end");
    check(&gzipped(&[]), "it is not a tar file: it ends within a file or before its end");
    check(&gzipped(&[0; 1024]), "it is not a tar file: it is empty");
    check(&gzipped(&[b'x'; 2048]), "it is not a tar file: there is no `ustar` where a header belongs");
}

#[test]
fn manifests_that_are_not_as_they_are_written() {
    let with_text = |change: &dyn Fn(&str) -> String| {
        let mut parts = parts();
        let text = change(std::str::from_utf8(&parts[0].body).unwrap());
        parts[0] = Part::new("manifest.json", text.as_bytes());
        packed(&parts)
    };
    check(&with_text(&|text| text.replace("\": ", "\" :")), "its `manifest.json` is not spelled as it is written");
    check(&with_text(&|text| format!("{text} ")), "its `manifest.json` is not spelled as it is written");
    check(
        &with_text(&|text| text.replacen("\"schema\": 1", "\"schema\": 2", 1)),
        "its `manifest.json` has schema 2; this program knows 1",
    );
    check(&with_text(&|_| "{}".to_owned()), "its `manifest.json` cannot be read: line 1, column 2");
    check(
        &with_text(&|text| text.replacen("\"name\"", "\"evil\": 1, \"name\"", 1)),
        "its `manifest.json` cannot be read: line 3, column 8",
    );
    check(
        &with_text(&|text| text.replacen("5a5a", "5A5A", 1)),
        "its `manifest.json` has a release whose sha256 is none",
    );
    check(
        &with_text(&|text| text.replacen("2025.09.2", "2025.09.3", 1)),
        "its `SHA256SUMS` is not that of its manifest",
    );
    let of = |source_date: u64| packed(&with_manifest(|manifest| manifest.source_date = source_date));
    check(&of(0o77_777_777_777), "the header of `manifest.json` is not the one that is written: time");
    check(&of(0o100_000_000_000), "its `manifest.json` has a time that no tar can hold");
    let deep = "[".repeat(100_000);
    check(&with_text(&|_| deep.clone()), "its `manifest.json` cannot be read: line 1, column 1");
}

#[test]
fn gzip_files_that_are_more_than_one() {
    let good = archive().bytes;
    check(&[good.clone(), good.clone()].concat(), "several gzip members stand one after the other");
    check(&[good.clone(), vec![0; 7]].concat(), "7 bytes stand after the end of the gzip file");
    check(b"", "it is not a gzip file");
    check(b"PK\x03\x04 a zip archive", "it is not a gzip file");
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        bytes
    };
    check(&with(3, 8), "it was not packed by this program: its gzip header has another flags");
    check(&with(4, 1), "it was not packed by this program: its gzip header has another time");
    check(&with(8, 4), "it was not packed by this program: its gzip header has another level");
    check(&with(9, 3), "it was not packed by this program: its gzip header has another system");
    let end = good.len();
    check(
        &with(end - 8, good[end - 8] ^ 1),
        "its unpacked bytes do not have the checksum that the gzip file ends with",
    );
    check(&with(end - 1, 1), "its unpacked bytes do not have the length that the gzip file ends with");
    check(&good[..end - 1], "it ends in the middle: the file was cut");
}

#[test]
fn bombs_end_early() {
    // 30 MiB of zeros in one file, in 30 KiB.
    let size = 30 * 1024 * 1024;
    let mut bomb = with_manifest(|manifest| {
        manifest.files[0].size = size as u64;
    });
    bomb[2] = Part::new("INSTALL.md", &vec![0; size]);
    check(&gzipped_best(&tarred(&bomb)), "it unpacks to more than 200 times its size: it is a decompression bomb");
    // A manifest that never ends.
    let mut endless = parts();
    endless[0] = Part::new("manifest.json", &vec![b' '; 4 * 1024 * 1024]);
    check(&gzipped_best(&tarred(&endless)), "it unpacks to more than 200 times its size: it is a decompression bomb");
    let large = vec![0x1f; 64 * 1024 * 1024 + 1];
    check(&large, "it has 67108865 bytes; at most 67108864 are read");
}

/// Bytes by chance, and good archives with a few of them: whatever happens, it is an answer.
#[test]
fn noise_is_refused_in_words() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 1).unwrap()
    };
    let good = untarred();
    for round in 0..3_000 {
        let noise: Vec<u8> = (0..next() % 2048).map(|_| next().to_le_bytes()[0]).collect();
        assert!(read(&noise).is_err());
        assert!(read(&gzipped(&noise)).is_err());
        let _ = bundle::secret_in(&noise);
        let _ = bundle::secret_in(String::from_utf8_lossy(&noise).as_bytes());
        let mut tar = good.clone();
        for _ in 0..=round % 8 {
            let at = next() % tar.len();
            tar[at] = tar[at].wrapping_add(1 + next().to_le_bytes()[0] % 255);
        }
        // Two changes of one byte may cancel out.
        assert!(tar == good || read(&gzipped(&tar)).is_err());
    }
}
