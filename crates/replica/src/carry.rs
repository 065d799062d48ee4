//! One generation as one signed file, to be carried where no network goes.
//!
//! The file is a tar with exactly two entries: `generation.dsse.json`, a DSSE envelope whose payload says what is in the generation, and
//! `generation.tar.gz`, the generation itself. The envelope comes first, so that nothing that is not signed is parsed: when the signature
//! holds, the second entry must have the size and sha256 that were signed; when it has, it is unpacked, and every header in it must be the
//! one that the signed list gives. There is exactly one such file for a generation and a key, and no byte of it that does not count.
//!
//! | threat | answer |
//! |---|---|
//! | a changed, cut or lengthened file | signature, size and sha256 before anything is unpacked; headers, padding and end are compared |
//! | a file of somebody else, or for something else | one key is trusted; the signature covers its type |
//! | path escape, links, devices, duplicates, wrong sizes | paths are plain, sorted and unique; a header is byte for byte the one of a regular file |
//! | decompression bombs | what is unpacked is counted against the signed sizes, which have limits |
//! | an older file, replayed | the same rule as for a pull |
//! | a crash in the middle | a generation is built aside and becomes visible by one rename |
//! | the file changes while it is read | what is unpacked is measured again against what was signed |

mod pack;
mod statement;
mod tar;
#[cfg(test)]
mod tests;
mod unpack;

use std::time::Duration;

use camino::Utf8Path;
use jiff::Timestamp;
use signing::{KeyId, PrivateKey, PublicKey};

use crate::check::{self, Files, Signed};
use crate::disk;
use crate::error::{Error, Result, disk as failed};
use crate::fetch::Local;
use crate::folder::{Folder, Pruned, oddities};
use crate::generation::{Generation, Name};
use crate::parts::Parts;
use crate::record::Record;
use crate::stage::{Acceptance, Stage, admit, reuse};
use crate::trust::JwsKey;

pub use pack::Exported;
pub use statement::MOST_CARRIED_BYTES;

/// The two entries of a carried file.
const STATEMENT: &str = "generation.dsse.json";
const ARCHIVE: &str = "generation.tar.gz";

/// What to export, and where to.
pub struct ExportRequest<'a> {
    pub folder: &'a Utf8Path,
    pub file: &'a Utf8Path,
    /// By default what `latest` names.
    pub name: Option<&'a Name>,
    pub key: &'a PrivateKey,
}

/// What to import, and whom to trust.
pub struct ImportRequest<'a> {
    pub file: &'a Utf8Path,
    pub folder: &'a Utf8Path,
    /// Who may have carried it.
    pub key: &'a PublicKey,
    /// The key of the bundle's own signature.
    pub jws_key: Option<&'a JwsKey>,
    pub acceptance: Acceptance,
    /// How many generations are kept, with the one that counts.
    pub keep: usize,
    /// How long another run is waited for.
    pub wait: Duration,
    /// This moment.
    pub now: Timestamp,
}

/// What an import did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    pub name: Name,
    /// Whether `latest` names another generation than before.
    pub is_new: bool,
    pub domain: String,
    pub created: Timestamp,
    pub advisories: u64,
    /// Exports of Excititor.
    pub exports: usize,
    pub files: usize,
    pub signed: Signed,
    /// Who carried it.
    pub key: KeyId,
    pub pruned: Pruned,
}

/// Writes one generation as one signed file. The same generation and key always give the same bytes.
///
/// # Errors
/// With no file left behind.
pub fn export(request: &ExportRequest<'_>) -> Result<Exported> {
    let folder = Folder::open(request.folder)?;
    let generation = folder.generation(request.name)?;
    let _held = generation.hold().map_err(|error| failed("read", &generation.path, &error))?;
    if let Some(damaged) = generation.damaged() {
        return Err(Error::untrusted(format!("the generation `{}` is not what was verified", generation.name))
            .because(format!("`{}` has another size or sha256 than when it came", damaged.path))
            .hint("pull it again: what is damaged is transferred anew"));
    }
    pack::write(&generation, request.file, request.key)
}

/// Takes in what an export wrote, and switches to it when all of it has been verified.
///
/// # Errors
/// With nothing switched.
pub fn import(request: &ImportRequest<'_>, say: &mut dyn FnMut(&str)) -> Result<Imported> {
    let mut carried = unpack::open(request.file, request.key)?;
    let statement = carried.statement().clone();
    let (name, created) = (statement.name.clone(), statement.created);
    let folder = Folder::open_or_make(request.folder)?;
    let _lock = folder.lock("import", request.now, request.wait, say)?;
    for oddity in oddities(&folder)? {
        say(&oddity);
    }
    admit(&folder, folder.current()?.as_ref(), &statement.domain, created, request.now, request.acceptance)?;
    let (is_new, checked) = match reuse_checked(&folder, &name, &statement.domain, request.jws_key)? {
        Some(done) => done,
        None => {
            let stage = Stage::new(&folder)?;
            carried.unpack(&stage)?;
            let record = Record::new(&statement.domain, created, None, statement.files.clone());
            let staged = Generation { name: name.clone(), path: stage.path().to_owned(), record };
            let checked = checked(&staged, request.jws_key)?;
            stage.publish(&staged.record, &name)?;
            (true, checked)
        }
    };
    let pruned = folder.prune(request.keep)?;
    Ok(Imported {
        name,
        is_new,
        domain: statement.domain,
        created,
        advisories: checked.advisories,
        exports: checked.exports,
        files: statement.files.len(),
        signed: checked.signed,
        key: request.key.id(),
        pruned,
    })
}

/// The generation, if it is here already: checked as one that has just come, before the link moves.
fn reuse_checked(
    folder: &Folder,
    name: &Name,
    domain: &str,
    key: Option<&JwsKey>,
) -> Result<Option<(bool, check::Checked)>> {
    let Ok(generation) = folder.generation(Some(name)) else { return Ok(None) };
    if generation.damaged().is_some() || generation.record.domain != domain {
        return Ok(None);
    }
    let checked = checked(&generation, key)?;
    Ok(reuse(folder, name)?.map(|switched| (switched, checked)))
}

/// Holds the files of a generation against each other. Who carried it vouches for their digests.
fn checked(generation: &Generation, key: Option<&JwsKey>) -> Result<check::Checked> {
    let mut files = Files::new();
    for record in &generation.record.files {
        let file =
            disk::below(&generation.path, &record.path).map_err(|error| failed("read", &generation.path, &error))?;
        files.insert(record.path.clone(), Local { file, record: record.clone(), is_fresh: false });
    }
    let checked = check::check(&Parts::of(&generation.record.domain), &files, key, true)?;
    if checked.created != generation.created()? {
        return Err(Error::untrusted(format!("the generation `{}` is not what its name says", generation.name))
            .because(format!("its manifest was created at {}", checked.created)));
    }
    Ok(checked)
}
