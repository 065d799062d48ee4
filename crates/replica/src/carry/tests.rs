use std::fs;
use std::io::Write as _;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use signing::PrivateKey;
use tempfile::TempDir;

use super::statement::{Archive, sign};
use super::tar::{END, header, padding};
use super::*;
use crate::Class;
use crate::record::{FileRecord, Validators};

/// A file of a generation: path and content.
type File = (String, Vec<u8>);

type Tree = Vec<File>;

/// A folder that is gone with this.
struct Room(TempDir);

impl Room {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, path: &str) -> Utf8PathBuf {
        Utf8Path::from_path(self.0.path()).unwrap().join(path)
    }
}

fn now() -> Timestamp {
    "2025-11-01T00:00:00Z".parse().unwrap()
}

fn key() -> PrivateKey {
    PrivateKey::from_seed(&[7; 32])
}

fn files(created: &str) -> Tree {
    let bundle = format!(r#"{{"schemaVersion":1,"domainId":"a","generatedAt":"{created}","advisories":[{{}},{{}}]}}"#);
    let manifest = format!(r#"{{"schemaVersion":1,"domainId":"a","created":"{created}","advisories":2}}"#);
    [
        ("mirror/index.json", r#"{"schemaVersion":1,"domains":[{"id":"a"}]}"#.to_owned()),
        ("mirror/a/manifest.json", manifest),
        ("mirror/a/bundle.json", bundle),
    ]
    .map(|(path, text)| (path.to_owned(), text.into_bytes()))
    .to_vec()
}

fn record_of(files: &[File], created: &str) -> (Record, Name) {
    let record = |(path, bytes): &File| FileRecord {
        path: path.clone(),
        size: bytes.len() as u64,
        sha256: disk::hex(&Sha256::digest(bytes)),
        validators: Validators { etag: Some("\"x\"".to_owned()), last_modified: None },
    };
    let created: Timestamp = created.parse().unwrap();
    let record = Record::new("a", created, None, files.iter().map(record).collect());
    let name = Name::of(created, &record.files);
    (record, name)
}

/// A copy with one generation.
fn copy(room: &Room, folder: &str, created: &str) -> Name {
    let folder = Folder::open_or_make(&room.path(folder)).unwrap();
    let files = files(created);
    let (record, name) = record_of(&files, created);
    let stage = Stage::new(&folder).unwrap();
    for (path, bytes) in &files {
        fs::write(stage.place(path).unwrap(), bytes).unwrap();
    }
    stage.publish(&record, &name).unwrap();
    name
}

fn exported(room: &Room, created: &str) -> Vec<u8> {
    copy(room, "copy", created);
    let file = room.path(&format!("{}.mirror", created.replace(':', "")));
    export(&ExportRequest { folder: &room.path("copy"), file: &file, name: None, key: &key() }).unwrap();
    fs::read(&file).unwrap()
}

fn import_with(room: &Room, bytes: &[u8], acceptance: Acceptance) -> Result<Imported> {
    let file = room.path("carried");
    fs::write(&file, bytes).unwrap();
    import(
        &ImportRequest {
            file: &file,
            folder: &room.path("target"),
            key: &key().public(),
            jws_key: None,
            acceptance,
            keep: 3,
            wait: Duration::ZERO,
            now: now(),
        },
        &mut |_| {},
    )
}

fn import_bytes(room: &Room, bytes: &[u8]) -> Result<Imported> {
    import_with(room, bytes, Acceptance::default())
}

const CREATED: &str = "2025-10-01T06:00:00Z";

#[test]
fn what_was_exported_comes_back_whole() {
    let room = Room::new();
    let bytes = exported(&room, CREATED);
    let imported = import_bytes(&room, &bytes).unwrap();
    assert!(imported.is_new && imported.advisories == 2 && imported.signed == Signed::Absent);
    let folder = Folder::open(&room.path("target")).unwrap();
    let generation = folder.generation(None).unwrap();
    assert_eq!(generation.name, imported.name);
    for (path, bytes) in files(CREATED) {
        assert_eq!(fs::read(generation.path.join(path)).unwrap(), bytes);
    }
    assert!(generation.record.files.iter().all(|file| file.validators == Validators::default()));
    assert!(!import_bytes(&room, &bytes).unwrap().is_new, "a second time nothing changes");
}

#[test]
fn the_same_generation_and_key_give_the_same_bytes() {
    let (one, other) = (Room::new(), Room::new());
    let bytes = exported(&one, CREATED);
    assert_eq!(bytes, exported(&other, CREATED));
    // A change of the format is a change of its schema.
    assert_eq!(disk::hex(&Sha256::digest(&bytes)), GOLDEN);
}

const GOLDEN: &str = "dc3bcd58e466e7d4ec975fa2db50246294c61312c3ae852ddb5c36dc351ec48c";

#[test]
fn every_changed_byte_is_refused() {
    let room = Room::new();
    let bytes = exported(&room, CREATED);
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        let error = import_bytes(&room, &changed).expect_err(&format!("byte {at}"));
        assert!(matches!(error.class(), Class::Input | Class::Untrusted), "byte {at}: {error}");
    }
    assert!(!room.path("target").exists(), "nothing was made for what is not trusted");
}

#[test]
fn every_cut_and_whatever_is_appended_is_refused() {
    let room = Room::new();
    let bytes = exported(&room, CREATED);
    for end in (0..bytes.len()).step_by(17).chain([bytes.len() - 1]) {
        assert!(import_bytes(&room, &bytes[..end]).is_err(), "cut at {end}");
    }
    for tail in [&[0][..], &[0; 512], b"x", &bytes] {
        assert!(import_bytes(&room, &[&bytes, tail].concat()).is_err());
    }
    assert!(!room.path("target").exists());
}

#[test]
fn another_key_is_named() {
    let room = Room::new();
    copy(&room, "copy", CREATED);
    let (file, stranger) = (room.path("file"), PrivateKey::from_seed(&[8; 32]));
    export(&ExportRequest { folder: &room.path("copy"), file: &file, name: None, key: &stranger }).unwrap();
    let error = import_bytes(&room, &fs::read(&file).unwrap()).unwrap_err();
    assert_eq!(error.class(), Class::Untrusted);
    let expected =
        format!("it was signed with key {}, not with the trusted key {}", stranger.public().id(), key().public().id());
    assert_eq!(error.causes(), [expected]);
}

#[test]
fn nothing_goes_back_or_comes_from_the_future() {
    let room = Room::new();
    let (old, new) = (exported(&room, CREATED), exported(&room, "2025-10-02T06:00:00Z"));
    let name = import_bytes(&room, &new).unwrap().name;
    let error = import_bytes(&room, &old).unwrap_err();
    assert_eq!(
        (error.class(), error.message()),
        (Class::Untrusted, "this generation is older than the one that is here")
    );
    assert_eq!(Folder::open(&room.path("target")).unwrap().latest().unwrap(), Some(name));
    assert!(import_with(&room, &old, Acceptance { older: true, ..Acceptance::default() }).unwrap().is_new);
    let future = exported(&room, "2025-11-02T06:00:00Z");
    let error = import_bytes(&room, &future).unwrap_err();
    assert_eq!((error.class(), error.message()), (Class::Untrusted, "this generation is from the future"));
    assert!(import_with(&room, &future, Acceptance { future: true, ..Acceptance::default() }).unwrap().is_new);
}

#[test]
fn what_changed_on_disk_is_not_exported() {
    let room = Room::new();
    let name = copy(&room, "copy", CREATED);
    fs::write(room.path("copy").join(name.as_str()).join("mirror/a/bundle.json"), "{}").unwrap();
    let file = room.path("file");
    let error =
        export(&ExportRequest { folder: &room.path("copy"), file: &file, name: None, key: &key() }).unwrap_err();
    assert_eq!(error.class(), Class::Untrusted);
    assert!(!file.exists());
}

#[test]
fn an_existing_file_is_only_the_same_or_in_the_way() {
    let room = Room::new();
    copy(&room, "copy", CREATED);
    let file = room.path("file");
    let run = || export(&ExportRequest { folder: &room.path("copy"), file: &file, name: None, key: &key() });
    assert!(run().unwrap().is_new);
    assert!(!run().unwrap().is_new);
    fs::write(&file, "precious").unwrap();
    assert_eq!(run().unwrap_err().class(), Class::Usage);
    assert_eq!(fs::read(&file).unwrap(), b"precious");
    let left: Vec<_> = fs::read_dir(room.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

/// A carried file with a good signature and whatever else somebody with the key may think of.
fn hostile(record: &Record, name: &Name, archive: &[u8]) -> Vec<u8> {
    let generation = Generation { name: name.clone(), path: Utf8PathBuf::new(), record: record.clone() };
    let said = Archive { size: archive.len() as u64, sha256: disk::hex(&Sha256::digest(archive)) };
    let statement = sign(&generation, said, &key());
    let mut out = Vec::new();
    for (path, bytes) in [(STATEMENT, statement.as_bytes()), (ARCHIVE, archive)] {
        out.extend(header(path, bytes.len() as u64, 0));
        out.extend(bytes);
        out.extend(vec![0; padding(bytes.len() as u64)]);
    }
    out.extend([0; END]);
    out
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

fn tar(entries: &[File], end: usize) -> Vec<u8> {
    let time = u64::try_from(CREATED.parse::<Timestamp>().unwrap().as_second()).unwrap();
    let mut tar = Vec::new();
    for (path, bytes) in entries {
        tar.extend(header(path, bytes.len() as u64, time));
        tar.extend(bytes);
        tar.extend(vec![0; padding(bytes.len() as u64)]);
    }
    tar.extend(vec![0; end]);
    tar
}

fn sorted() -> Tree {
    let mut files = files(CREATED);
    files.sort();
    files
}

#[test]
fn what_stands_in_an_archive_is_what_was_signed() {
    let (record, name) = record_of(&sorted(), CREATED);
    let check = |archive: Vec<u8>, expected: &str| {
        let room = Room::new();
        let error = import_bytes(&room, &hostile(&record, &name, &archive)).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        let names: Vec<_> =
            fs::read_dir(room.path("target")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, [".collimate-replica"], "nothing was left");
        assert!(!room.path("target/.collimate-replica/staging").exists());
    };
    let good = tar(&sorted(), END);
    let with = |change: &dyn Fn(&mut Tree)| {
        let mut files = sorted();
        change(&mut files);
        gzip(&tar(&files, END))
    };
    let other_header = "the header of `mirror/a/bundle.json` is not the one that is written";
    check(with(&|files| files[0].0 = "../../x".to_owned()), other_header);
    check(with(&|files| files[0].0 = "/etc/x".to_owned()), other_header);
    check(with(&|files| drop(files.remove(0))), other_header);
    check(with(&|files| files.insert(0, ("mirror/a/a.json".to_owned(), Vec::new()))), other_header);
    check(with(&|files| files[0].1.push(b' ')), other_header);
    check(with(&|files| files[0].1[0] = b'['), "`mirror/a/bundle.json` has another sha256");
    check(with(&|files| files.push(files[2].clone())), "something stands in the padding of `generation.tar.gz`");
    let mut link = good.clone();
    link[156] = b'2';
    check(gzip(&link), other_header);
    let mut padded = good.clone();
    padded[511 + sorted()[0].1.len() + 2] = 1;
    check(gzip(&padded), "something stands in the padding of `generation.tar.gz`");
    check(gzip(&tar(&sorted(), 512)), "`generation.tar.gz` cannot be unpacked");
    check(gzip(&tar(&sorted(), END + 512)), "something stands after the end of `generation.tar.gz`");
    check([gzip(&good), gzip(b"x")].concat(), "something stands after the end of `generation.tar.gz`");
    check(gzip(&vec![0; 50_000_000]), other_header);
    check(b"no gzip".to_vec(), "`generation.tar.gz` cannot be unpacked");
}

#[test]
fn a_statement_is_held_to_its_one_form() {
    let room = Room::new();
    let check = |change: &dyn Fn(&mut Record, &mut Name), expected: &str| {
        let (mut record, mut name) = record_of(&sorted(), CREATED);
        change(&mut record, &mut name);
        let error = import_bytes(&room, &hostile(&record, &name, &gzip(&tar(&sorted(), END)))).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    };
    check(&|_, name| *name = record_of(&[], CREATED).1, "has a name that is not that of its files");
    check(&|record, _| record.created = "yesterday".to_owned(), "has a `created` that is no moment");
    check(&|record, _| record.domain = "../x".to_owned(), "has a domain or an archive that cannot be");
    check(&|record, _| record.files[0].path = "../x".to_owned(), "it lists `../x`, which is no path of an export tree");
    check(&|record, _| record.files[0].path = "replica.json".to_owned(), "which is no path of an export tree");
    check(&|record, _| record.files[0].path = "mirror/x".to_owned(), "twice or out of order");
    check(&|record, _| record.files[1].path = record.files[0].path.clone(), "twice or out of order");
    check(
        &|record, _| record.files[1].path = format!("{}/x", record.files[0].path),
        "lists `mirror/a/bundle.json` as a file and as a folder",
    );
    check(&|record, _| record.files[0].size = 1 << 40, "bytes; at most 4294967296 are taken");
    check(&|record, _| record.files[0].sha256 = "x".to_owned(), "says of `mirror/a/bundle.json` what is no sha256");
    assert!(!room.path("target").exists());
}

#[test]
fn what_fits_its_digests_must_still_fit_together() {
    let room = Room::new();
    let mut files = sorted();
    let manifest = files.iter_mut().find(|(path, _)| path.ends_with("manifest.json")).unwrap();
    manifest.1 =
        String::from_utf8(manifest.1.clone()).unwrap().replace("\"advisories\":2", "\"advisories\":3").into_bytes();
    let (record, name) = record_of(&files, CREATED);
    let error = import_bytes(&room, &hostile(&record, &name, &gzip(&tar(&files, END)))).unwrap_err();
    assert!(error.to_string().contains("it has 2 advisories; the manifest announces 3"), "{error}");
    assert_eq!(Folder::open(&room.path("target")).unwrap().latest().unwrap(), None);
    let (record, name) = record_of(&sorted(), "2025-10-05T00:00:00Z");
    let time = Generation { name: name.clone(), path: Utf8PathBuf::new(), record: record.clone() }.created().unwrap();
    let mut tar = Vec::new();
    for (path, bytes) in sorted() {
        tar.extend(header(&path, bytes.len() as u64, u64::try_from(time.as_second()).unwrap()));
        tar.extend(&bytes);
        tar.extend(vec![0; padding(bytes.len() as u64)]);
    }
    tar.extend([0; END]);
    let error = import_bytes(&room, &hostile(&record, &name, &gzip(&tar))).unwrap_err();
    assert!(error.to_string().contains("its manifest was created at 2025-10-01T06:00:00Z"), "{error}");
}

#[test]
fn what_is_carried_has_a_largest_size() {
    let room = Room::new();
    let import_file = |file: &Utf8Path| {
        let (key, target) = (key().public(), room.path("target"));
        let request = ImportRequest {
            file,
            folder: &target,
            key: &key,
            jws_key: None,
            acceptance: Acceptance::default(),
            keep: 3,
            wait: Duration::ZERO,
            now: now(),
        };
        import(&request, &mut |_| {}).unwrap_err()
    };
    // Of nothing but a size.
    let huge = room.path("huge");
    fs::File::create(&huge).unwrap().set_len(MOST_CARRIED_BYTES + 1).unwrap();
    let error = import_file(&huge);
    assert_eq!(error.causes(), [format!("it has {} bytes; at most 4332816695 are taken", MOST_CARRIED_BYTES + 1)]);

    let statement = room.path("statement");
    fs::write(&statement, header(STATEMENT, 16 * 1024 * 1024 + 1, 0)).unwrap();
    let error = import_file(&statement);
    assert_eq!(error.causes(), ["its statement has 16777217 bytes; at most 16777216 are read"]);
    // What is signed has an archive of a size that a carried file can have.
    let (record, name) = record_of(&sorted(), CREATED);
    let generation = Generation { name, path: Utf8PathBuf::new(), record };
    let signed = |size: u64| {
        let text = sign(&generation, Archive { size, sha256: "0".repeat(64) }, &key());
        statement::verify(&text, &key().public())
    };
    assert!(signed(4_332_816_695).is_ok());
    let error = signed(4_332_816_696).unwrap_err();
    assert_eq!(error.causes(), ["its statement has a domain or an archive that cannot be"]);
    // A size alone takes no memory, and is not believed.
    fs::write(&statement, header(STATEMENT, 16 * 1024 * 1024, 0)).unwrap();
    assert_eq!(import_file(&statement).causes(), ["it ends too early: it was cut"]);
    assert!(!room.path("target").exists());
}
