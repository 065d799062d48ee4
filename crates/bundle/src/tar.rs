//! The one tar header that a file of a bundle has (POSIX ustar), and what is said of any other.
//!
//! Fixed: owner and group are 0 and `root`, the mode is 0644 or 0755, the time is that of the bundle, the type is `0`. ustar
//! needs no extension headers, because paths are short and sizes small; so whatever carries one was not made here.

use crate::error::ReadError;
use crate::manifest::Mode;
use crate::path::{printable, refused};

/// Headers, and what files are padded to.
pub(crate) const BLOCK: usize = 512;

/// Two blocks of zeros end a tar.
pub(crate) const END: usize = 2 * BLOCK;

pub(crate) type Block = [u8; BLOCK];

/// Fields of a header: where, and what to call them.
const NAME: std::ops::Range<usize> = 0..100;
const MODE: std::ops::Range<usize> = 100..108;
const SIZE: std::ops::Range<usize> = 124..136;
const CHECKSUM: std::ops::Range<usize> = 148..156;
const KIND: usize = 156;
const MAGIC: std::ops::Range<usize> = 257..265;
const PREFIX: std::ops::Range<usize> = 345..500;
const FIELDS: [(std::ops::Range<usize>, &str); 16] = [
    (NAME, "name"),
    (MODE, "mode"),
    (108..116, "owner"),
    (116..124, "group"),
    (SIZE, "size"),
    (136..148, "time"),
    (CHECKSUM, "checksum"),
    (KIND..157, "type"),
    (157..257, "link target"),
    (MAGIC, "format"),
    (265..297, "owner's name"),
    (297..329, "group's name"),
    (329..337, "device"),
    (337..345, "device"),
    (PREFIX, "prefix"),
    (500..512, "unused bytes"),
];

/// What a header is made from. `top` is the bundle's folder.
#[derive(Clone, Copy)]
pub(crate) struct Header<'a> {
    pub(crate) top: &'a str,
    pub(crate) path: &'a str,
    pub(crate) size: u64,
    pub(crate) mode: Mode,
    /// Seconds since 1970, at most [`crate::MOST_SOURCE_DATE`].
    pub(crate) time: u64,
}

/// Where `top/path` is cut into prefix and name: at the first slash after which at most 100 bytes are left; 0 if no cut is needed.
pub(crate) fn split(top: usize, path: &str) -> Option<usize> {
    let length = top + 1 + path.len();
    if length <= NAME.len() {
        return Some(0);
    }
    let slashes = std::iter::once(top).chain(path.match_indices('/').map(|(at, _)| top + 1 + at));
    slashes.into_iter().find(|at| length - at - 1 <= NAME.len() && *at <= PREFIX.len())
}

impl Header<'_> {
    pub(crate) fn encode(&self) -> Block {
        let mut block = [0; BLOCK];
        let full = format!("{}/{}", self.top, self.path);
        // Paths were checked for fitting when they came in.
        let cut = split(self.top.len(), self.path).unwrap_or(0);
        let (prefix, name) = if cut == 0 { ("", full.as_str()) } else { (&full[..cut], &full[cut + 1..]) };
        put(&mut block, NAME.start, name.as_bytes());
        put(&mut block, PREFIX.start, prefix.as_bytes());
        put(&mut block, MODE.start, format!("{:07o}", self.mode.bits()).as_bytes());
        put(&mut block, 108, b"0000000");
        put(&mut block, 116, b"0000000");
        put(&mut block, SIZE.start, format!("{:011o}", self.size).as_bytes());
        put(&mut block, 136, format!("{:011o}", self.time).as_bytes());
        put(&mut block, CHECKSUM.start, b"        ");
        block[KIND] = b'0';
        put(&mut block, MAGIC.start, b"ustar\x0000");
        put(&mut block, 265, b"root");
        put(&mut block, 297, b"root");
        put(&mut block, 329, b"0000000");
        put(&mut block, 337, b"0000000");
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        put(&mut block, CHECKSUM.start, format!("{sum:06o}\0 ").as_bytes());
        block
    }
}

fn put(block: &mut Block, at: usize, bytes: &[u8]) {
    block[at..at + bytes.len()].copy_from_slice(bytes);
}

/// Bytes of zeros after a file of this size.
pub(crate) fn padding(size: u64) -> usize {
    let over = usize::try_from(size % BLOCK as u64).unwrap_or(0);
    (BLOCK - over) % BLOCK
}

/// What a header of unknown origin claims, as far as it may be a file of a bundle at all.
#[derive(Debug)]
pub(crate) struct Claim {
    /// The bundle's folder.
    pub(crate) top: String,
    /// Below it.
    pub(crate) path: String,
    /// `None` if it is no octal number.
    pub(crate) size: Option<u64>,
    pub(crate) size_text: String,
}

impl Claim {
    /// Reads a header that stands where a file's should, with the reason why it cannot be one.
    pub(crate) fn of(block: &Block) -> Result<Self, ReadError> {
        let sum: u32 = block
            .iter()
            .enumerate()
            .map(|(at, byte)| u32::from(if CHECKSUM.contains(&at) { b' ' } else { *byte }))
            .sum();
        let magic = &block[MAGIC];
        if !magic.starts_with(b"ustar") {
            return Err(ReadError::NotTar("there is no `ustar` where a header belongs"));
        }
        if octal(&block[CHECKSUM]) != Some(u64::from(sum)) {
            return Err(ReadError::NotTar("the checksum of a header is wrong"));
        }
        let (prefix, name) = (text(&block[PREFIX]), text(&block[NAME]));
        let full = if prefix.is_empty() { name.to_vec() } else { [prefix, b"/", name].concat() };
        let shown = printable(&full);
        let kind = match block[KIND] {
            b'0' | 0 => None,
            b'1' => Some("a hard link".to_owned()),
            b'2' => Some("a symbolic link".to_owned()),
            b'3' => Some("a character device".to_owned()),
            b'4' => Some("a block device".to_owned()),
            b'5' => Some("a folder".to_owned()),
            b'6' => Some("a named pipe".to_owned()),
            b'S' => Some("a sparse file".to_owned()),
            b'x' => return Err(ReadError::Extension { kind: "a pax header" }),
            b'g' => return Err(ReadError::Extension { kind: "a global pax header" }),
            b'L' | b'K' => return Err(ReadError::Extension { kind: "a GNU long name" }),
            other => Some(format!("of type {other}")),
        };
        if let Some(kind) = kind {
            return Err(ReadError::Kind { path: shown, kind });
        }
        let bad = |reason| ReadError::Path { path: shown.clone(), reason };
        let full = std::str::from_utf8(&full).map_err(|_| bad("is not UTF-8"))?;
        let (top, path) = match full.split_once('/') {
            Some((top, path)) if crate::path::is_bundle_name(top) => (top, path),
            _ => return Err(bad(refused(full, 0).unwrap_or("does not lie in the bundle's folder"))),
        };
        if let Some(reason) = refused(path, top.len()) {
            return Err(bad(reason));
        }
        Ok(Self {
            top: top.to_owned(),
            path: path.to_owned(),
            size: octal(&block[SIZE]),
            size_text: printable(text(&block[SIZE])),
        })
    }
}

/// The first field in which a header is not the expected one.
pub(crate) fn differing_field(found: &Block, expected: &Block) -> &'static str {
    let differs =
        |(range, _): &&(std::ops::Range<usize>, &'static str)| found[range.clone()] != expected[range.clone()];
    // The checksum follows from the others; it is named only when nothing else is wrong.
    let other = FIELDS.iter().filter(|(_, name)| *name != "checksum").find(differs);
    other.map_or("checksum", |(_, name)| name)
}

/// A field up to its first zero byte.
fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or(field)
}

/// An octal number with zeros or spaces around it, as any tar writes it.
fn octal(field: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(text(field)).ok()?.trim_matches(' ');
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| u64::from_str_radix(digits, 8).ok())?
}
