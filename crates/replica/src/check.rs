//! Whether the files of a generation belong together and are what somebody vouches for.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use mirror::exports::limits::{LARGEST_BUNDLE, LARGEST_INDEX, LARGEST_JWS, LARGEST_MANIFEST};
use mirror::exports::{self, Listed, Manifest, Reference, VexExport};
use mirror::jws::Jws;

use crate::disk;
use crate::error::{Error, Result, disk as failed, printable};
use crate::fetch::{Local, listed};
use crate::limits::{MOST_EXPORTS, MOST_GENERATION_BYTES, MOST_LIST_BYTES};
use crate::parts::{Parts, is_plain_name};
use crate::trust::JwsKey;

/// The files of a generation, by their path in it.
pub(crate) type Files = BTreeMap<String, Local>;

/// What the signature of the bundle says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signed {
    /// It is by the key that was given. With it comes the key's id that the signature claims.
    Verified { kid: Option<String> },
    /// There is one, and nobody gave a key.
    NotChecked,
    /// There is none.
    Absent,
}

/// What was found.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    pub(crate) created: Timestamp,
    pub(crate) advisories: u64,
    pub(crate) exports: usize,
    pub(crate) signed: Signed,
}

fn malformed(path: &str, why: impl std::fmt::Display) -> Error {
    Error::outside(format!("`{path}` is not what it should be"))
        .because(why)
        .hint("`collimate smoke mirror` looks closer at what the mirror serves")
        .or_switched()
}

fn wrong(path: &str, why: impl std::fmt::Display) -> Error {
    Error::untrusted(format!("`{path}` is not what was announced"))
        .because(why)
        .hint(
            "something on the way, or the mirror's disk, changes what is served: ask who runs it; nothing was switched",
        )
        .or_switched()
}

fn bytes(local: &Local, most: usize) -> Result<Vec<u8>> {
    disk::read(&local.file, most as u64).map_err(|error| failed("read", &local.file, &error))
}

/// Reads the index, which must list the domain.
pub(crate) fn index(local: &Local, domain: &str) -> Result<(Listed, Option<Timestamp>)> {
    let path = &local.record.path;
    let index = exports::index(&bytes(local, LARGEST_INDEX)?).map_err(|why| malformed(path, why))?;
    let names = listed(index.domains.iter().map(|entry| entry.id.as_str()));
    let created = index.created;
    index.domains.into_iter().find(|entry| entry.id == domain).map(|entry| (entry, created)).ok_or_else(|| {
        Error::outside(format!("the mirror has no domain `{domain}`"))
            .because(format!("its index lists {names}"))
            .hint("check `--domain`")
            .or_switched()
    })
}

/// Reads the manifest, which must be of the domain.
pub(crate) fn manifest(local: &Local, domain: &str) -> Result<Manifest> {
    let path = &local.record.path;
    let manifest = exports::manifest(&bytes(local, LARGEST_MANIFEST)?).map_err(|why| malformed(path, why))?;
    of_domain(path, "domainId", &manifest.domain, domain)?;
    if manifest.created.as_second() < 0 {
        return Err(malformed(path, "`created` lies before 1970"));
    }
    Ok(manifest)
}

/// Reads Excititor's list of a domain's exports.
pub(crate) fn vex_index(local: &Local, domain: &str) -> Result<Vec<VexExport>> {
    let path = &local.record.path;
    let index = exports::vex_index(&bytes(local, MOST_LIST_BYTES)?).map_err(|why| malformed(path, why))?;
    of_domain(path, "id", &index.domain, domain)?;
    if index.exports.len() > MOST_EXPORTS {
        return Err(malformed(
            path,
            format!("it lists {} exports; at most {MOST_EXPORTS} are taken", index.exports.len()),
        ));
    }
    let announced = index.exports.iter().filter_map(|export| export.reference.size);
    let total = announced.fold(0_u64, u64::saturating_add);
    if total > MOST_GENERATION_BYTES {
        return Err(malformed(
            path,
            format!("its exports have {total} bytes; at most {MOST_GENERATION_BYTES} are taken"),
        ));
    }
    let mut seen = BTreeSet::new();
    for export in &index.exports {
        if !is_plain_name(&export.key) {
            return Err(malformed(
                path,
                format!("the key `{}` has more bytes than can be carried in a file's name", printable(&export.key)),
            ));
        }
        if !seen.insert(export.key.to_ascii_lowercase()) {
            return Err(malformed(
                path,
                format!("the key `{}` is there twice where file names have no case", export.key),
            ));
        }
    }
    Ok(index.exports)
}

/// Whether files together have no more bytes than a generation may have: the sizes of exports need not be announced.
pub(crate) fn fits(files: &Files, domain: &str) -> Result<()> {
    let total = files.values().map(|local| local.record.size).fold(0_u64, u64::saturating_add);
    if total <= MOST_GENERATION_BYTES {
        return Ok(());
    }
    Err(Error::outside(format!("the domain `{domain}` is too large for a copy"))
        .because(format!("its files have more than {MOST_GENERATION_BYTES} bytes"))
        .hint("the advisories alone are copied with `--no-vex`"))
}

/// What a list of Excititor says, but for the moment that it was written at.
pub(crate) fn meaning(list: &Local) -> Option<serde_json::Value> {
    let mut value: serde_json::Value = serde_json::from_slice(&bytes(list, MOST_LIST_BYTES).ok()?).ok()?;
    value.as_object_mut()?.retain(|name, _| name != "created" && name != "generatedAt");
    Some(value)
}

fn of_domain(path: &str, member: &str, found: &str, domain: &str) -> Result<()> {
    if found == domain {
        return Ok(());
    }
    Err(wrong(path, format!("its `{member}` is `{}`, not `{domain}`", printable(found))))
}

/// Holds all files of a generation against each other and, where there is a key, against the signature.
pub(crate) fn check(parts: &Parts, files: &Files, key: Option<&JwsKey>, may_be_unverified: bool) -> Result<Checked> {
    let domain = parts.domain();
    let mut expected: BTreeSet<String> = BTreeSet::new();
    let mut find = |path: &str| {
        expected.insert(path.to_owned());
        files.get(path).ok_or_else(|| malformed(path, "it is missing"))
    };
    let (index_entry, index_created) = index(find(&parts.index().path)?, domain)?;
    let manifest_file = find(&parts.manifest().path)?;
    let bundle_file = find(&parts.bundle().path)?;
    let manifest = manifest(manifest_file, domain)?;
    let bundle_bytes = bytes(bundle_file, LARGEST_BUNDLE)?;
    let index_path = parts.index().path;
    refers(&index_path, index_entry.manifest.as_ref(), manifest_file)
        .map_err(|error| behind(&parts.manifest().path, manifest.created, &index_path, index_created, error))?;
    let bundle_created = exports::bundle(&bundle_bytes).ok().and_then(|bundle| bundle.created);
    let of_manifest =
        |error| behind(&bundle_file.record.path, manifest.created, &parts.manifest().path, bundle_created, error);
    refers(&index_path, index_entry.bundle.as_ref(), bundle_file).map_err(of_manifest)?;
    refers(&parts.manifest().path, manifest.bundle.as_ref(), bundle_file).map_err(of_manifest)?;
    let signed = signed(parts, files, &bundle_bytes, key)?;
    let has_digest =
        [&index_entry.bundle, &manifest.bundle].into_iter().flatten().any(|reference| reference.digest.is_some());
    if !has_digest && !matches!(signed, Signed::Verified { .. }) && !may_be_unverified {
        return Err(unverified(
            &parts.bundle().path,
            "neither index nor manifest announce its sha256, and no key was given for its signature",
        ));
    }
    let advisories = bundle(bundle_file, &bundle_bytes, domain, &manifest)?;
    expected.insert(parts.signature().path);
    let exports = vex(parts, files, &mut expected, may_be_unverified)?;
    if let Some(extra) = files.keys().find(|path| !expected.contains(*path)) {
        return Err(malformed(extra, "nothing names it"));
    }
    Ok(Checked { created: manifest.created, advisories, exports, signed })
}

fn unverified(path: &str, why: &str) -> Error {
    Error::untrusted(format!("nothing vouches for `{path}`"))
        .because(why)
        .hint("give the mirror's key with `--key`; `--allow-unverified` takes it as it comes")
}

/// What one file announces of another.
fn refers(by: &str, reference: Option<&Reference>, file: &Local) -> Result<()> {
    let Some(reference) = reference else { return Ok(()) };
    let record = &file.record;
    if let Some(size) = reference.size
        && size != record.size
    {
        return Err(wrong(&record.path, format!("it has {} bytes; `{by}` announces {size}", record.size)));
    }
    if let Some(digest) = &reference.digest
        && digest.hex() != record.sha256
    {
        let (found, announced) = (&record.sha256, digest.hex());
        return Err(wrong(&record.path, format!("its sha256 is {found}; `{by}` announces {announced}")));
    }
    Ok(())
}

/// What does not fit because two files are of different moments is no forgery: a cache on the way is behind.
fn behind(path: &str, one: Timestamp, of: &str, other: Option<Timestamp>, error: Error) -> Error {
    match other.filter(|other| *other != one) {
        Some(other) => Error::outside(format!("`{path}` is of another generation than `{of}`"))
            .because(format!("one was made at {one}, the other at {other}"))
            .hint("a cache on the way is behind for some minutes after a switch: run it again then, or wait longer with `--patience`")
            .or_behind(),
        None => error,
    }
}

fn bundle(file: &Local, bytes: &[u8], domain: &str, manifest: &Manifest) -> Result<u64> {
    let path = &file.record.path;
    let bundle = exports::bundle(bytes).map_err(|why| malformed(path, why))?;
    of_domain(path, "domainId", &bundle.domain, domain)?;
    if bundle.advisories != manifest.advisories {
        let (found, announced) = (bundle.advisories, manifest.advisories);
        return Err(wrong(path, format!("it has {found} advisories; the manifest announces {announced}")));
    }
    Ok(bundle.advisories)
}

fn signed(parts: &Parts, files: &Files, bundle: &[u8], key: Option<&JwsKey>) -> Result<Signed> {
    let path = parts.signature().path;
    match (files.get(&path), key) {
        (None, None) => Ok(Signed::Absent),
        (Some(file), None) => {
            // What a signature that cannot be read would say is for those who have its key.
            let jws = bytes(file, LARGEST_JWS)?;
            match Jws::parse(&jws).map(|jws| jws.is_of(bundle)) {
                Ok(Err(why)) => Err(wrong(&path, why)),
                _ => Ok(Signed::NotChecked),
            }
        }
        (None, Some(_)) => Err(Error::untrusted("the bundle is not signed")
            .because(format!("there is no `{path}`"))
            .hint("a bundle without a signature is only taken without its key")
            .or_switched()),
        (Some(file), Some(key)) => {
            let jws = bytes(file, LARGEST_JWS)?;
            let kid = key.verify(&jws, bundle).map_err(|why| {
                Error::untrusted(format!("`{path}` is not a signature of this bundle by the trusted key"))
                    .because(why)
                    .hint("do not use it unless the mirror's owner tells you, by another way, that the key was changed")
                    .or_switched()
            })?;
            Ok(Signed::Verified { kid })
        }
    }
}

/// Excititor's files, if they belong to the copy.
fn vex(parts: &Parts, files: &Files, expected: &mut BTreeSet<String>, may_be_unverified: bool) -> Result<usize> {
    let (domain_part, index_part) = (parts.vex_domain(), parts.vex_index());
    let Some(index_file) = files.get(&index_part.path) else { return Ok(0) };
    expected.extend([domain_part.path.clone(), index_part.path.clone()]);
    let Some(domain_file) = files.get(&domain_part.path) else {
        return Err(malformed(&domain_part.path, "it is missing"));
    };
    let description = bytes(domain_file, MOST_LIST_BYTES)?;
    let described = exports::vex_domain(&description).map_err(|why| malformed(&domain_part.path, why))?;
    of_domain(&domain_part.path, "id", &described.id, parts.domain())?;
    let exports = vex_index(index_file, parts.domain())?;
    for export in &exports {
        let path = parts.vex_export(&export.key).path;
        let file = files.get(&path).ok_or_else(|| malformed(&path, "it is missing"))?;
        refers(&index_part.path, Some(&export.reference), file)?;
        if export.reference.digest.is_none() && !may_be_unverified {
            return Err(unverified(&path, "the index does not announce its sha256"));
        }
        expected.insert(path);
    }
    Ok(exports.len())
}

#[cfg(test)]
mod tests;
