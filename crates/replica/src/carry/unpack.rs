//! From one file of unknown origin to a generation. See the top of `carry` for the threats.

use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom, Write as _};

use camino::{Utf8Path, Utf8PathBuf};
use flate2::bufread::GzDecoder;
use sha2::{Digest as _, Sha256};
use signing::PublicKey;
use source::system;

use super::statement::{MOST_CARRIED_BYTES, MOST_ENVELOPE_BYTES, Statement, verify};
use super::tar::{BLOCK, Block, END, claimed_size, header, padding};
use super::{ARCHIVE, STATEMENT};
use crate::disk::{self, PRIVATE_FILE};
use crate::error::{Error, Result, disk as failed};
use crate::stage::Stage;

/// How much is read at a time.
const STEP: usize = 64 * 1024;

/// A carried file whose every byte the holder of the key vouches for.
pub(super) struct Carried {
    shown: Utf8PathBuf,
    file: File,
    /// Where the archive begins in it.
    archive_at: u64,
    statement: Statement,
}

/// Verifies a carried file to its end. Nothing is unpacked.
pub(super) fn open(path: &Utf8Path, key: &PublicKey) -> Result<Carried> {
    let unreadable = |why: &dyn std::fmt::Display| Error::input(format!("cannot read `{path}`")).because(why);
    // The file itself may be named by a link; what it leads to must be a regular file: it is read twice.
    let file = match path.metadata() {
        Ok(there) if !there.is_file() => return Err(unreadable(&"it is no regular file")),
        Ok(there) if there.len() > MOST_CARRIED_BYTES => {
            return Err(unreadable(&format!("it has {} bytes; at most {MOST_CARRIED_BYTES} are taken", there.len())));
        }
        Ok(_) => File::open(path).map_err(|error| unreadable(&system::reason(&error)))?,
        Err(error) => return Err(unreadable(&system::reason(&error))),
    };
    let mut walk = Walk { shown: path, reader: BufReader::with_capacity(STEP, &file) };
    let statement = walk.statement(key)?;
    let position = walk.reader.stream_position().map_err(|error| unreadable(&system::reason(&error)))?;
    let archive_at = position + BLOCK as u64;
    walk.archive(&statement)?;
    walk.end()?;
    Ok(Carried { shown: path.to_owned(), file, archive_at, statement })
}

fn malformed(shown: &Utf8Path, why: impl std::fmt::Display) -> Error {
    Error::input(format!("`{shown}` is no generation that was exported"))
        .because(why)
        .hint("copy it again and compare `sha256sum`; if it is the same there, ask its maker")
}

fn changed(shown: &Utf8Path, why: impl std::fmt::Display) -> Error {
    Error::untrusted(format!("`{shown}` is not what was signed"))
        .because(why)
        .hint("copy it again and compare `sha256sum`; if it is the same there, ask its maker")
}

/// The outer tar, from front to end.
struct Walk<'a> {
    shown: &'a Utf8Path,
    reader: BufReader<&'a File>,
}

impl Walk<'_> {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<()> {
        self.reader.read_exact(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => changed(self.shown, "it ends too early: it was cut"),
            _ => Error::input(format!("cannot read `{}`", self.shown)).because(system::reason(&error)),
        })
    }

    fn statement(&mut self, key: &PublicKey) -> Result<Statement> {
        let mut block: Block = [0; BLOCK];
        self.fill(&mut block).map_err(|error| {
            if error.class() == crate::Class::Untrusted { malformed(self.shown, "it is too short") } else { error }
        })?;
        let size = claimed_size(&block, STATEMENT)
            .ok_or_else(|| malformed(self.shown, format!("it does not begin with the header of `{STATEMENT}`")))?;
        if size > MOST_ENVELOPE_BYTES {
            return Err(malformed(
                self.shown,
                format!("its statement has {size} bytes; at most {MOST_ENVELOPE_BYTES} are read"),
            ));
        }
        // Grown as bytes arrive: a size alone takes no memory.
        let mut bytes = Vec::new();
        let read = (&mut self.reader).take(size).read_to_end(&mut bytes);
        if read.map_err(|error| malformed(self.shown, system::reason(&error)))? as u64 != size {
            return Err(changed(self.shown, "it ends too early: it was cut"));
        }
        let text = String::from_utf8(bytes).map_err(|_| changed(self.shown, "its statement is no text"))?;
        let statement = verify(&text, key)?;
        self.zeros(padding(size), "the padding of its statement")?;
        Ok(statement)
    }

    /// The archive, without looking into it.
    fn archive(&mut self, statement: &Statement) -> Result<()> {
        let mut block: Block = [0; BLOCK];
        self.fill(&mut block)?;
        let size = statement.archive.size;
        if block != header(ARCHIVE, size, 0) {
            return Err(changed(self.shown, format!("the header of `{ARCHIVE}` is another one")));
        }
        let mut sha256 = Sha256::new();
        let mut buffer = vec![0; STEP];
        let mut left = size;
        while left > 0 {
            let step = usize::try_from(left).unwrap_or(STEP).min(STEP);
            self.fill(&mut buffer[..step])?;
            sha256.update(&buffer[..step]);
            left -= step as u64;
        }
        if disk::hex(&sha256.finalize()) != statement.archive.sha256 {
            return Err(changed(self.shown, format!("`{ARCHIVE}` has another sha256")));
        }
        self.zeros(padding(size), "the padding of its archive")
    }

    fn zeros(&mut self, count: usize, what: &str) -> Result<()> {
        let mut buffer = vec![0; count];
        self.fill(&mut buffer)?;
        if buffer.iter().any(|byte| *byte != 0) {
            return Err(changed(self.shown, format!("something stands in {what}")));
        }
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        self.zeros(END, "its end")?;
        match self.reader.read(&mut [0]) {
            Ok(0) => Ok(()),
            _ => Err(changed(self.shown, "something stands after its end")),
        }
    }
}

impl Carried {
    pub(super) fn statement(&self) -> &Statement {
        &self.statement
    }

    /// Unpacks into a stage. Every file has the size and sha256 that were signed, or nothing becomes of the stage.
    pub(super) fn unpack(&mut self, stage: &Stage<'_>) -> Result<()> {
        let shown = self.shown.clone();
        let seek = self.file.seek(SeekFrom::Start(self.archive_at));
        seek.map_err(|error| Error::input(format!("cannot read `{shown}`")).because(system::reason(&error)))?;
        let packed = BufReader::with_capacity(STEP, (&self.file).take(self.statement.archive.size));
        let mut tar = Tar { shown: &shown, gzip: GzDecoder::new(packed) };
        let time = u64::try_from(self.statement.created.as_second()).unwrap_or(0);
        for record in &self.statement.files {
            let mut block: Block = [0; BLOCK];
            tar.fill(&mut block)?;
            if block != header(&record.path, record.size, time) {
                return Err(malformed(
                    &shown,
                    format!("the header of `{}` is not the one that is written", record.path),
                ));
            }
            let path = stage.place(&record.path)?;
            let mut file = disk::new_file(&path, PRIVATE_FILE).map_err(|error| failed("write", &path, &error))?;
            let mut sha256 = Sha256::new();
            tar.content(record.size, |bytes| {
                sha256.update(bytes);
                file.write_all(bytes).map_err(|error| failed("write", &path, &error))
            })?;
            if disk::hex(&sha256.finalize()) != record.sha256 {
                return Err(changed(&shown, format!("`{}` has another sha256", record.path)));
            }
        }
        tar.end()
    }
}

/// The inner tar, as it unpacks.
struct Tar<'a, R> {
    shown: &'a Utf8Path,
    gzip: GzDecoder<R>,
}

impl<R: io::BufRead> Tar<'_, R> {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<()> {
        self.gzip.read_exact(buffer).map_err(|_| malformed(self.shown, format!("`{ARCHIVE}` cannot be unpacked")))
    }

    fn content(&mut self, size: u64, mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut buffer = vec![0; STEP];
        let mut left = size;
        while left > 0 {
            let step = usize::try_from(left).unwrap_or(STEP).min(STEP);
            self.fill(&mut buffer[..step])?;
            take(&buffer[..step])?;
            left -= step as u64;
        }
        let padding = padding(size);
        self.zeros(padding)
    }

    fn zeros(&mut self, count: usize) -> Result<()> {
        let mut buffer = vec![0; count];
        self.fill(&mut buffer)?;
        if buffer.iter().any(|byte| *byte != 0) {
            return Err(malformed(self.shown, format!("something stands in the padding of `{ARCHIVE}`")));
        }
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        self.zeros(END)?;
        let after = self.gzip.read(&mut [0]).ok().filter(|read| *read == 0);
        let rest = self.gzip.get_mut().fill_buf().is_ok_and(<[u8]>::is_empty);
        if after.is_none() || !rest {
            return Err(malformed(self.shown, format!("something stands after the end of `{ARCHIVE}`")));
        }
        Ok(())
    }
}
