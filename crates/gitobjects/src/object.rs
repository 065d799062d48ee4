//! One object, from a file of its own or out of a pack.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};

use camino::Utf8Path;
use flate2::bufread::ZlibDecoder;

use crate::error::Error;
use crate::id::Id;

/// The largest object that is read: a workspace file and the trees above it never come near.
pub(crate) const MOST_BYTES: usize = 32 * 1024 * 1024;
/// What is said of a larger one.
pub(crate) const TOO_LARGE: &str = "it has more than the 32 MiB that are read of an object";

/// `commit 12345678` and its zero byte; a longer head is none.
const LONGEST_HEAD: usize = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Commit,
    Tree,
    Blob,
    Tag,
}

/// What an object holds.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) kind: Kind,
    pub(crate) content: Vec<u8>,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Tree => "tree",
            Self::Blob => "blob",
            Self::Tag => "tag",
        }
    }

    fn named(name: &[u8]) -> Option<Self> {
        [Self::Commit, Self::Tree, Self::Blob, Self::Tag].into_iter().find(|kind| kind.as_str().as_bytes() == name)
    }
}

impl Object {
    /// Checks that it is the one of this name.
    pub(crate) fn checked(self, id: Id) -> Result<Self, Error> {
        if Id::of(self.kind.as_str(), &self.content) == id {
            return Ok(self);
        }
        Err(Error::Damaged { id, why: "its content has another hash" })
    }
}

/// The object in a file of its own; `None` where there is none.
pub(crate) fn loose(folder: &Utf8Path, id: Id) -> Result<Option<Object>, Error> {
    let name = id.to_string();
    let (start, rest) = name.split_at(2);
    let Some(file) = open(&folder.join(start).join(rest))? else { return Ok(None) };
    let damaged = |why| Error::Damaged { id, why };
    let mut content = inflate(BufReader::new(file), MOST_BYTES + LONGEST_HEAD).map_err(damaged)?;
    let end = content.iter().take(LONGEST_HEAD).position(|byte| *byte == 0).ok_or(damaged("it has no head"))?;
    // Not copied: it may be large.
    let head: Vec<u8> = content.drain(..=end).take(end).collect();
    let mut words = head.splitn(2, |byte| *byte == b' ');
    let kind = words.next().and_then(Kind::named).ok_or(damaged("it is of no kind that is known"))?;
    let length = words.next().and_then(|text| std::str::from_utf8(text).ok()?.parse::<usize>().ok());
    if length != Some(content.len()) {
        return Err(damaged("its length is not the one in its head"));
    }
    if content.len() > MOST_BYTES {
        return Err(damaged(TOO_LARGE));
    }
    Object { kind, content }.checked(id).map(Some)
}

/// Opens a regular file; `None` where there is none.
pub(crate) fn open(path: &Utf8Path) -> Result<Option<File>, Error> {
    match path.metadata() {
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(Error::io(path, &error)),
        // Opening a pipe would wait for whoever writes into it.
        Ok(metadata) if !metadata.is_file() => {
            return Err(Error::DamagedFile { path: path.to_owned(), why: "it is not a regular file" });
        }
        Ok(_) => {}
    }
    File::open(path).map(Some).map_err(|error| Error::io(path, &error))
}

/// All bytes of an opened file, which must not have more.
pub(crate) fn whole(file: File, path: &Utf8Path, most: usize) -> Result<Vec<u8>, Error> {
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let length = file.metadata().map_err(|error| Error::io(path, &error))?.len().min(limit);
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(most));
    file.take(limit).read_to_end(&mut bytes).map_err(|error| Error::io(path, &error))?;
    if bytes.len() <= most {
        return Ok(bytes);
    }
    Err(Error::Limit { path: path.to_owned(), why: format!("it has more than the {most} bytes that are read") })
}

/// Decompresses one stream, which must not be longer.
pub(crate) fn inflate(from: impl BufRead, most: usize) -> Result<Vec<u8>, &'static str> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    ZlibDecoder::new(from).take(limit).read_to_end(&mut bytes).map_err(|_| "it cannot be decompressed")?;
    if bytes.len() > most { Err(TOO_LARGE) } else { Ok(bytes) }
}
