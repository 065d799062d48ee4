//! Walking through an archive of unknown origin, without unpacking it.
//!
//! The order of things is the defence: `manifest.json` comes first and is held to its one spelling; from then on every byte of
//! the tar is known or has a known digest, and is compared. Nothing is written to disk, here or anywhere in this crate.
//!
//! | threat | answer |
//! |---|---|
//! | path escape, absolute path, backslash, control characters | [`Claim::of`] takes plain relative paths below one folder only |
//! | links, devices, pipes, folders, sparse files | only type `0` is a file |
//! | pax, global pax and GNU long-name headers that rename or resize what follows | refused wherever they stand |
//! | two files of one name, or of one name but for case, or a file that is also a folder | refused, in the manifest already |
//! | sizes that lie, negative or base-256 numbers | a header must be byte for byte the one that the manifest's entry has |
//! | hidden bytes in headers, in padding, after the end of the tar | compared with what is written there |
//! | several gzip members, bytes after the end, names or times in the gzip header | one member with a fixed header, then the end |
//! | decompression bombs | ratio and sum are counted while unpacking; memory stays at one buffer and the manifest |
//! | endless or huge manifests | size, number of files, path length and sums have limits |
//! | missing, added, swapped files | exactly the manifest's files in the manifest's order |
//! | changed contents | sha256 of each file against the manifest, and the manifest against the signature |
//! | names that take over a terminal | whatever is printed is made printable first |
//!
//! What stays is the freedom of deflate to spell the same bytes in several ways; the signature covers those, because it is over
//! the `.tar.gz` itself.

use sha2::{Digest as _, Sha256};

use crate::error::ReadError;
use crate::gzip::Unpacking;
use crate::limits::{MOST_ARCHIVE_BYTES, MOST_MANIFEST_BYTES, MOST_UNPACKED_BYTES};
use crate::manifest::{Manifest, Mode, hex, sha256};
use crate::tar::{BLOCK, Block, Claim, END, Header, differing_field, padding};
use crate::{MANIFEST_PATH, SUMS_PATH};

/// How much is unpacked at a time.
const STEP: usize = 64 * 1024;

/// What a whole archive holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contained {
    pub manifest: Manifest,
    /// sha256 of the tar within.
    pub tar_sha256: String,
    /// Bytes of the tar within.
    pub unpacked: u64,
}

/// Reads an archive to its end and holds every byte of it against its manifest. No signature is looked at: whoever can write an
/// archive can write its manifest.
///
/// # Errors
/// The first thing that is not as it is written.
pub fn read(archive: &[u8]) -> Result<Contained, ReadError> {
    read_within(archive, MOST_UNPACKED_BYTES)
}

fn read_within(archive: &[u8], most_unpacked: u64) -> Result<Contained, ReadError> {
    let size = archive.len() as u64;
    if size > MOST_ARCHIVE_BYTES {
        return Err(ReadError::TooLarge { size, limit: MOST_ARCHIVE_BYTES });
    }
    let mut walk = Walk { unpacking: Unpacking::of(archive, most_unpacked)? };
    let manifest = walk.manifest()?;
    let sums = manifest.sums();
    let expected = Expected { path: SUMS_PATH, size: sums.len() as u64, mode: Mode::Plain, at: None };
    if walk.file(&manifest, expected)? != sha256(sums.as_bytes()) {
        return Err(ReadError::Sums);
    }
    for (at, entry) in manifest.files.iter().enumerate() {
        let expected = Expected { path: &entry.path, size: entry.size, mode: entry.mode, at: Some(at) };
        if walk.file(&manifest, expected)? != entry.sha256 {
            return Err(ReadError::Digest { path: entry.path.clone() });
        }
    }
    walk.end(&manifest)?;
    let (tar_sha256, unpacked) = walk.unpacking.finish()?;
    Ok(Contained { manifest, tar_sha256, unpacked })
}

/// The file that must come next.
#[derive(Clone, Copy)]
struct Expected<'a> {
    path: &'a str,
    size: u64,
    mode: Mode,
    /// Its place in the manifest.
    at: Option<usize>,
}

struct Walk<'a> {
    unpacking: Unpacking<'a>,
}

impl Walk<'_> {
    fn block(&mut self) -> Result<Block, ReadError> {
        let mut block = [0; BLOCK];
        match self.unpacking.fill(&mut block)? {
            BLOCK => Ok(block),
            _ => Err(ReadError::NotTar("it ends within a file or before its end")),
        }
    }

    /// The manifest: the one file whose size is not known beforehand.
    fn manifest(&mut self) -> Result<Manifest, ReadError> {
        let block = self.block()?;
        if block.iter().all(|byte| *byte == 0) {
            return Err(ReadError::NotTar("it is empty"));
        }
        let claim = Claim::of(&block)?;
        if claim.path != MANIFEST_PATH {
            return Err(ReadError::NoManifest { found: format!("{}/{}", claim.top, claim.path) });
        }
        let size = claim.size.filter(|size| *size <= MOST_MANIFEST_BYTES).ok_or_else(|| {
            ReadError::Manifest(format!(
                "says that it has `{}` (octal) bytes; at most {MOST_MANIFEST_BYTES} are read",
                claim.size_text
            ))
        })?;
        // Grown as bytes arrive: a size alone takes no memory.
        let mut bytes = Vec::new();
        self.content(MANIFEST_PATH, size, |part| bytes.extend_from_slice(part))?;
        let manifest = Manifest::parse(&bytes, &claim.top)?;
        let header =
            Header { top: &claim.top, path: MANIFEST_PATH, size, mode: Mode::Plain, time: manifest.source_date };
        same_header(&block, &header)?;
        Ok(manifest)
    }

    /// The next file, which must be the expected one; gives its sha256.
    fn file(&mut self, manifest: &Manifest, expected: Expected<'_>) -> Result<String, ReadError> {
        let block = self.block()?;
        if block.iter().all(|byte| *byte == 0) {
            return Err(ReadError::Missing { path: expected.path.to_owned() });
        }
        let header = Header {
            top: &manifest.name,
            path: expected.path,
            size: expected.size,
            mode: expected.mode,
            time: manifest.source_date,
        };
        if block != header.encode() {
            return Err(unexpected(&block, manifest, &header, expected.at));
        }
        let mut digest = Sha256::new();
        self.content(expected.path, expected.size, |part| digest.update(part))?;
        Ok(hex(&digest.finalize()))
    }

    /// A file's bytes and its padding.
    fn content(&mut self, path: &str, size: u64, mut take: impl FnMut(&[u8])) -> Result<(), ReadError> {
        let mut buffer = vec![0; STEP];
        let mut left = size;
        while left > 0 {
            let step = usize::try_from(left).unwrap_or(STEP).min(STEP);
            if self.unpacking.fill(&mut buffer[..step])? < step {
                return Err(ReadError::NotTar("it ends within a file or before its end"));
            }
            take(&buffer[..step]);
            left -= step as u64;
        }
        let padding = padding(size);
        if self.unpacking.fill(&mut buffer[..padding])? < padding {
            return Err(ReadError::NotTar("it ends within a file or before its end"));
        }
        if buffer[..padding].iter().any(|byte| *byte != 0) {
            return Err(ReadError::Padding { path: path.to_owned() });
        }
        Ok(())
    }

    /// Two blocks of zeros, and nothing after them.
    fn end(&mut self, manifest: &Manifest) -> Result<(), ReadError> {
        let mut end = [0; END];
        let filled = self.unpacking.fill(&mut end)?;
        let (first, second) = end.split_at(BLOCK);
        if filled >= BLOCK && first.iter().any(|byte| *byte != 0) {
            let mut block = [0; BLOCK];
            block.copy_from_slice(first);
            let claim = Claim::of(&block)?;
            return Err(added(&claim, manifest, manifest.files.len()));
        }
        if filled < END {
            return Err(ReadError::NotTar("it ends within a file or before its end"));
        }
        if second.iter().any(|byte| *byte != 0) {
            return Err(ReadError::AfterEnd);
        }
        Ok(())
    }
}

fn same_header(found: &Block, header: &Header<'_>) -> Result<(), ReadError> {
    let expected = header.encode();
    if *found == expected {
        return Ok(());
    }
    Err(ReadError::Field { path: header.path.to_owned(), field: differing_field(found, &expected) })
}

/// Why a header is not the expected one, in the words that help most.
fn unexpected(found: &Block, manifest: &Manifest, header: &Header<'_>, at: Option<usize>) -> ReadError {
    let claim = match Claim::of(found) {
        Ok(claim) => claim,
        Err(error) => return error,
    };
    if claim.top != manifest.name {
        let path = format!("{}/{}", claim.top, claim.path);
        return ReadError::Path { path, reason: "does not lie in the bundle's folder" };
    }
    if claim.path != header.path {
        return match added(&claim, manifest, at.unwrap_or(0)) {
            // A file that belongs further back: either others were moved, or the expected one is gone.
            ReadError::Order { found, .. } => {
                let next =
                    at.and_then(|at| manifest.files.get(at + 1)).or(manifest.files.first().filter(|_| at.is_none()));
                if next.is_some_and(|next| next.path == claim.path) {
                    ReadError::Missing { path: header.path.to_owned() }
                } else {
                    ReadError::Order { found, expected: header.path.to_owned() }
                }
            }
            other => other,
        };
    }
    if claim.size != Some(header.size) {
        let (path, manifest) = (header.path.to_owned(), header.size);
        let header = claim.size.map_or_else(|| format!("`{}`", claim.size_text), |size| size.to_string());
        return ReadError::Size { path, header, manifest };
    }
    ReadError::Field { path: header.path.to_owned(), field: differing_field(found, &header.encode()) }
}

/// What a file is that stands where it does not belong; `at` files of the manifest have been read.
fn added(claim: &Claim, manifest: &Manifest, at: usize) -> ReadError {
    let path = claim.path.clone();
    if path == MANIFEST_PATH || path == SUMS_PATH {
        return ReadError::Duplicate { path };
    }
    match manifest.files.iter().position(|file| file.path == path) {
        Some(place) if place < at => ReadError::Duplicate { path },
        Some(_) => ReadError::Order { found: path, expected: String::new() },
        None => {
            let twin = manifest.files.iter().find(|file| file.path.eq_ignore_ascii_case(&path));
            match twin {
                Some(twin) => ReadError::CaseDuplicate { path, other: twin.path.clone() },
                None => ReadError::Extra { path },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{About, Contents, File, ReleaseName};

    /// Two hundred megabytes more would take longer: the bound is what differs.
    #[test]
    fn what_unpacks_to_too_much_is_refused_where_it_passes_the_bound() {
        let release = ReleaseName { version: "1.0.0".to_owned(), channel: "c".to_owned(), sha256: "5a".repeat(32) };
        let mut contents = Contents::new("small").unwrap();
        for number in 0..20 {
            let bytes = format!("{number}\n").repeat(10_000).into_bytes();
            contents.add(&format!("f/{number}"), File { bytes, mode: Mode::Plain }).unwrap();
        }
        let about = About { release, source_date: 0 };
        let archive = contents.screened(|_, _| None).unwrap().pack(&about).unwrap();
        let whole = read(&archive.bytes).unwrap();
        assert_eq!(read_within(&archive.bytes, whole.unpacked).unwrap(), whole);
        // In the end of the tar, in a file's contents, in its header, in the manifest.
        for most in [whole.unpacked - 1, whole.unpacked / 2, 20_000, 100] {
            let refused = read_within(&archive.bytes, most).unwrap_err();
            assert_eq!(refused.to_string(), format!("it unpacks to more than {most} bytes"));
        }
    }
}
