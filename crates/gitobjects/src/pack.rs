//! Packs: many objects in one file, found through its index.

use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::Error;
use crate::id::Id;
use crate::object::{self, Kind, MOST_BYTES, Object, inflate};

/// The first bytes of an index of version 2, the only one that git has written since 2007.
const INDEX_START: [u8; 8] = [0xff, b't', b'O', b'c', 0, 0, 0, 2];
const FANOUT: u64 = 256 * 4;
/// From here on an offset stands in the table of long ones.
const LONG: u32 = 0x8000_0000;

/// Packs of one folder: each keeps its index open, and a process may have 1,024 files open by default. git packs anew from 50 on.
const MOST_PACKS: usize = 500;

/// An index and its pack.
#[derive(Debug)]
pub(crate) struct Pack {
    index: Utf8PathBuf,
    file: File,
    count: u32,
}

/// What stands at a place of a pack.
pub(crate) enum Stored {
    Whole(Object),
    /// A delta to the object at another place of the same pack.
    After {
        base: u64,
        delta: Vec<u8>,
    },
    /// A delta to the object of this name.
    From {
        base: Id,
        delta: Vec<u8>,
    },
}

impl Pack {
    /// All packs of a folder of objects.
    pub(crate) fn all(objects: &Utf8Path) -> Result<Vec<Self>, Error> {
        let folder = objects.join("pack");
        let entries = match folder.read_dir_utf8() {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::io(&folder, &error)),
        };
        let mut paths = Vec::new();
        for entry in entries {
            let path = entry.map_err(|error| Error::io(&folder, &error))?.into_path();
            if path.extension() == Some("idx") {
                paths.push(path);
            }
            if paths.len() > MOST_PACKS {
                let why = format!(
                    "it has more than the {MOST_PACKS} packs that are read; `git repack -a -d` makes one of them"
                );
                return Err(Error::Limit { path: folder, why });
            }
        }
        paths.sort();
        paths.into_iter().filter_map(|path| Self::open(path).transpose()).collect()
    }

    fn open(index: Utf8PathBuf) -> Result<Option<Self>, Error> {
        // Gone meanwhile: packed anew.
        let Some(file) = object::open(&index)? else { return Ok(None) };
        let mut start = [0; INDEX_START.len()];
        let read = file.read_exact_at(&mut start, 0);
        if read.is_err() || start != INDEX_START {
            return Err(Error::DamagedFile { path: index, why: "it is no index of version 2" });
        }
        let mut pack = Self { index, file, count: 0 };
        pack.count = pack.number(8 + FANOUT - 4)?;
        Ok(Some(pack))
    }

    /// The place of an object; `None` where it is in another pack, or nowhere.
    pub(crate) fn find(&self, id: Id) -> Result<Option<u64>, Error> {
        let first = u64::from(id.0[0]);
        let mut low = if first == 0 { 0 } else { self.number(8 + (first - 1) * 4)? };
        let mut high = self.number(8 + first * 4)?;
        if low > high || high > self.count {
            return Err(self.damaged("its table does not grow"));
        }
        let names = 8 + FANOUT;
        while low < high {
            let middle = low + (high - low) / 2;
            let mut name = [0; Id::LENGTH];
            self.read(&mut name, names + u64::from(middle) * 20)?;
            match Id(name).cmp(&id) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return self.place(middle).map(Some),
            }
        }
        Ok(None)
    }

    fn place(&self, at: u32) -> Result<u64, Error> {
        let count = u64::from(self.count);
        let offsets = 8 + FANOUT + count * 24;
        let short = self.number(offsets + u64::from(at) * 4)?;
        if short < LONG {
            return Ok(u64::from(short));
        }
        let mut bytes = [0; 8];
        self.read(&mut bytes, offsets + count * 4 + u64::from(short - LONG) * 8)?;
        Ok(u64::from_be_bytes(bytes))
    }

    /// Reads what stands at a place.
    pub(crate) fn read_at(&self, at: u64) -> Result<Stored, Error> {
        let path = self.index.with_extension("pack");
        let damaged = |why| Error::DamagedFile { path: path.clone(), why };
        let Some(mut file) = object::open(&path)? else { return Err(damaged("it is gone, and its index is not")) };
        file.seek(SeekFrom::Start(at)).map_err(|error| Error::io(&path, &error))?;
        let mut from = BufReader::new(file);
        let mut byte = || -> Result<u8, Error> {
            let mut one = [0];
            from.read_exact(&mut one).map_err(|_| damaged("it is cut off"))?;
            Ok(one[0])
        };
        let head = byte()?;
        let mut length = usize::from(head & 0x0f);
        let mut more = head & 0x80 != 0;
        let mut shift = 4;
        while more {
            if shift > 56 {
                return Err(damaged("an object has a length that none has"));
            }
            let next = byte()?;
            length |= usize::from(next & 0x7f) << shift;
            shift += 7;
            more = next & 0x80 != 0;
        }
        let kind = (head >> 4) & 7;
        let base = match kind {
            6 => {
                let mut next = byte()?;
                let mut back = u64::from(next & 0x7f);
                while next & 0x80 != 0 {
                    next = byte()?;
                    // Each byte counts from where the shorter ones end.
                    back = back
                        .checked_add(1)
                        .and_then(|back| back.checked_mul(128))
                        .map(|back| back | u64::from(next & 0x7f))
                        .ok_or_else(|| damaged("a delta points outside of it"))?;
                }
                let base = at.checked_sub(back).filter(|_| back > 0);
                Base::Place(base.ok_or_else(|| damaged("a delta points outside of it"))?)
            }
            7 => {
                let mut name = [0; Id::LENGTH];
                for part in &mut name {
                    *part = byte()?;
                }
                Base::Name(Id(name))
            }
            _ => Base::None,
        };
        if length > MOST_BYTES {
            return Err(damaged("an object in it has more than the 32 MiB that are read of one"));
        }
        let content = inflate(from, length).map_err(damaged)?;
        if content.len() != length {
            return Err(damaged("an object has another length than it says"));
        }
        let whole = match (kind, base) {
            (1, _) => Kind::Commit,
            (2, _) => Kind::Tree,
            (3, _) => Kind::Blob,
            (4, _) => Kind::Tag,
            (6, Base::Place(base)) => return Ok(Stored::After { base, delta: content }),
            (7, Base::Name(base)) => return Ok(Stored::From { base, delta: content }),
            _ => return Err(damaged("an object is of no kind that is known")),
        };
        Ok(Stored::Whole(Object { kind: whole, content }))
    }

    fn number(&self, at: u64) -> Result<u32, Error> {
        let mut bytes = [0; 4];
        self.read(&mut bytes, at)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn read(&self, bytes: &mut [u8], at: u64) -> Result<(), Error> {
        self.file.read_exact_at(bytes, at).map_err(|_| self.damaged("it is cut off"))
    }

    fn damaged(&self, why: &'static str) -> Error {
        Error::DamagedFile { path: self.index.clone(), why }
    }
}

enum Base {
    None,
    Place(u64),
    Name(Id),
}
