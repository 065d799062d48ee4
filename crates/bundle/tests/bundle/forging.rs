//! Archives as an attacker would write them: gzip and headers are right, only one thing is not.

use std::io::{Read as _, Write as _};

use bundle::Manifest;
use flate2::read::GzDecoder;
use flate2::{Compression, Crc, write::DeflateEncoder};

use crate::fixture::{NAME, archive};

/// A file within a tar: its header and its bytes.
#[derive(Clone)]
pub(crate) struct Part {
    pub(crate) header: tar::Header,
    pub(crate) body: Vec<u8>,
}

/// The tar of a good archive.
pub(crate) fn untarred() -> Vec<u8> {
    let mut tar = Vec::new();
    GzDecoder::new(archive().bytes.as_slice()).read_to_end(&mut tar).unwrap();
    tar
}

/// The files of a good archive.
pub(crate) fn parts() -> Vec<Part> {
    let tar = untarred();
    let mut parts = Vec::new();
    let mut at = 0;
    while tar[at] != 0 {
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes().copy_from_slice(&tar[at..at + 512]);
        let size = usize::try_from(header.size().unwrap()).unwrap();
        parts.push(Part { header, body: tar[at + 512..at + 512 + size].to_vec() });
        at += 512 + size.next_multiple_of(512);
    }
    parts
}

impl Part {
    /// A file with the header that it should have.
    pub(crate) fn new(path: &str, body: &[u8]) -> Self {
        let mut part = parts()[0].clone();
        part.body = body.to_vec();
        part.name(&format!("{NAME}/{path}"));
        part.edit(|header| header.set_size(body.len() as u64));
        part
    }

    pub(crate) fn edit(&mut self, change: impl FnOnce(&mut tar::Header)) {
        change(&mut self.header);
        // Written as ours is: the tar crate has another spelling of the same number.
        let bytes = self.header.as_mut_bytes();
        bytes[148..156].fill(b' ');
        let sum: u32 = bytes.iter().map(|byte| u32::from(*byte)).sum();
        bytes[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }

    /// Any name, also one that the tar crate would refuse to write.
    pub(crate) fn name(&mut self, name: &str) {
        self.edit(|header| {
            header.as_mut_bytes()[..100].fill(0);
            header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        });
    }
}

/// A tar of these files, with its end.
pub(crate) fn tarred(parts: &[Part]) -> Vec<u8> {
    let mut tar = Vec::new();
    for part in parts {
        tar.extend(part.header.as_bytes());
        tar.extend(&part.body);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    tar
}

/// gzip with the one header that a bundle has.
pub(crate) fn gzipped(tar: &[u8]) -> Vec<u8> {
    gzipped_at(tar, Compression::fast())
}

/// The same, as small as can be.
pub(crate) fn gzipped_best(tar: &[u8]) -> Vec<u8> {
    gzipped_at(tar, Compression::best())
}

fn gzipped_at(tar: &[u8], level: Compression) -> Vec<u8> {
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255];
    let mut deflate = DeflateEncoder::new(&mut packed, level);
    deflate.write_all(tar).unwrap();
    deflate.finish().unwrap();
    let mut crc = Crc::new();
    crc.update(tar);
    packed.extend(crc.sum().to_le_bytes());
    packed.extend(crc.amount().to_le_bytes());
    packed
}

pub(crate) fn packed(parts: &[Part]) -> Vec<u8> {
    gzipped(&tarred(parts))
}

/// A good archive with another manifest, and checksums to match.
pub(crate) fn with_manifest(change: impl FnOnce(&mut Manifest)) -> Vec<Part> {
    let mut parts = parts();
    let mut manifest = archive().manifest;
    change(&mut manifest);
    parts[0] = Part::new("manifest.json", manifest.to_json().as_bytes());
    parts[1] = Part::new("SHA256SUMS", manifest.sums().as_bytes());
    parts
}
