//! A repository: where its objects are, and what a revision holds.

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::Error;
use crate::id::Id;
use crate::object::{self, Kind, Object};
use crate::pack::{Pack, Stored};
use crate::{delta, refs, tree};

/// git makes chains of 50 by default and of 4095 at most.
const LONGEST_CHAIN: usize = 4095;
/// All deltas of a chain together: they are in memory until the object at its end is read.
const MOST_CHAIN_BYTES: usize = 64 * 1024 * 1024;
/// All objects that a chain makes on the way, half a second's work. A delta of a few bytes makes an object of many megabytes.
const MOST_MADE_BYTES: usize = 1024 * 1024 * 1024;
/// Tags of tags.
const MOST_TAGS: usize = 10;
/// Repositories that lend their objects.
const MOST_ALTERNATES: usize = 10;
/// A configuration has a few kilobytes.
const MOST_CONFIG_BYTES: usize = 4 * 1024 * 1024;

/// An opened repository.
#[derive(Debug)]
pub struct Repository {
    /// The work tree: the folder that holds `.git`.
    root: Utf8PathBuf,
    /// The folder of this work tree's own references.
    own: Utf8PathBuf,
    /// The folder of what all work trees share.
    common: Utf8PathBuf,
    objects: Vec<Utf8PathBuf>,
    packs: Vec<Pack>,
}

impl Repository {
    /// The repository that a folder lies in. No variable of the environment is looked at.
    ///
    /// # Errors
    /// There is none, or it is stored in a way that is not read.
    pub fn of(folder: &Utf8Path) -> Result<Self, Error> {
        let root = folder.ancestors().find(|folder| folder.join(".git").symlink_metadata().is_ok());
        let root = root.ok_or_else(|| Error::NoRepository(folder.to_owned()))?.to_owned();
        let own = own_folder(&root)?;
        let common = match refs::line(&own.join("commondir"))? {
            Some(common) => own.join(common),
            None => own.clone(),
        };
        check_format(&common)?;
        let objects = object_folders(&common)?;
        let mut packs = Vec::new();
        for folder in &objects {
            packs.extend(Pack::all(folder)?);
        }
        Ok(Self { root, own, common, objects, packs })
    }

    /// The folder that the repository's paths are relative to.
    #[must_use]
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// The commit that a branch, a tag (of whatever kind) or a full id names. A name that means several commits is refused.
    ///
    /// # Errors
    /// [`Error::Unknown`], [`Error::Name`], [`Error::Ambiguous`], or what is found is no commit.
    pub fn resolve(&self, name: &str) -> Result<Id, Error> {
        if let Ok(id) = name.parse() {
            return self.commit(id);
        }
        let found = refs::find(&self.own, &self.common, name)?;
        let mut commits: Vec<(String, Id)> = Vec::new();
        for (full, id) in found {
            let commit = self.commit(id)?;
            if commits.iter().all(|(_, known)| *known != commit) {
                commits.push((full, commit));
            }
        }
        match commits.as_slice() {
            [] => Err(Error::Unknown(name.to_owned())),
            [(_, id)] => Ok(*id),
            several => {
                let several: Vec<&str> = several.iter().map(|(full, _)| full.as_str()).collect();
                Err(Error::Ambiguous { name: name.to_owned(), several: several.join(", ") })
            }
        }
    }

    /// What a file held in a commit. `path` is relative to the repository's root and normal.
    ///
    /// # Errors
    /// [`Error::NoFile`], [`Error::NotFile`], or an object that cannot be read.
    pub fn file(&self, commit: Id, path: &Utf8Path) -> Result<Vec<u8>, Error> {
        let head = self.object(commit)?;
        let damaged = |id| move |why| Error::Damaged { id, why };
        let mut folder = field(&head, "tree").ok_or(damaged(commit)("it has no tree"))?;
        let not_file = |what| Error::NotFile { path: path.to_owned(), what };
        let mut parts = path.iter().peekable();
        while let Some(part) = parts.next() {
            let content = self.object(folder)?;
            if content.kind != Kind::Tree {
                return Err(damaged(folder)("it is no tree"));
            }
            match tree::find(&content.content, part).map_err(damaged(folder))? {
                None => return Err(Error::NoFile(path.to_owned())),
                Some(tree::Entry::Link) => return Err(not_file("or lies behind a link")),
                Some(tree::Entry::Submodule) => return Err(not_file("or lies in a submodule")),
                Some(tree::Entry::Folder(next)) => folder = next,
                Some(tree::Entry::File(id)) => {
                    if parts.peek().is_some() {
                        return Err(Error::NoFile(path.to_owned()));
                    }
                    let blob = self.object(id)?;
                    return if blob.kind == Kind::Blob { Ok(blob.content) } else { Err(damaged(id)("it is no blob")) };
                }
            }
        }
        Err(not_file("a folder"))
    }

    /// The commit that an object is, or that a tag leads to.
    fn commit(&self, id: Id) -> Result<Id, Error> {
        let mut id = id;
        for _ in 0..=MOST_TAGS {
            let object = self.object(id)?;
            match object.kind {
                Kind::Commit => return Ok(id),
                Kind::Tag => {
                    id = field(&object, "object").ok_or(Error::Damaged { id, why: "the tag is of nothing" })?;
                }
                Kind::Tree | Kind::Blob => return Err(Error::Damaged { id, why: "it is no commit" }),
            }
        }
        Err(Error::Damaged { id, why: "it is a tag of tags of tags: more than 10 are not followed" })
    }

    /// Reads an object and proves that it is the one of this name.
    fn object(&self, id: Id) -> Result<Object, Error> {
        for folder in &self.objects {
            if let Some(object) = object::loose(folder, id)? {
                return Ok(object);
            }
        }
        let damaged = |why| Error::Damaged { id, why };
        let mut deltas: Vec<Vec<u8>> = Vec::new();
        let mut bytes = 0;
        let (mut pack, mut at) = self.find(id)?.ok_or(Error::Missing(id))?;
        let base = loop {
            let delta = match pack.read_at(at)? {
                Stored::Whole(object) => break object,
                Stored::After { base, delta } => {
                    at = base;
                    delta
                }
                Stored::From { base, delta } => match self.find(base)? {
                    Some((next, place)) => {
                        (pack, at) = (next, place);
                        delta
                    }
                    None => {
                        deltas.push(delta);
                        let loose = self.objects.iter().find_map(|folder| object::loose(folder, base).transpose());
                        break loose.ok_or(Error::Missing(base))??;
                    }
                },
            };
            bytes += delta.len();
            deltas.push(delta);
            if deltas.len() > LONGEST_CHAIN || bytes > MOST_CHAIN_BYTES {
                return Err(damaged("it is at the end of more deltas than are read (4095, or 64 MiB)"));
            }
        };
        let mut content = base.content;
        let mut made = 0;
        for delta in deltas.iter().rev() {
            content = delta::apply(&content, delta).map_err(damaged)?;
            made += content.len();
            if made > MOST_MADE_BYTES {
                return Err(damaged("its deltas make more than the 1 GiB that is made for an object"));
            }
        }
        Object { kind: base.kind, content }.checked(id)
    }

    fn find(&self, id: Id) -> Result<Option<(&Pack, u64)>, Error> {
        for pack in &self.packs {
            if let Some(at) = pack.find(id)? {
                return Ok(Some((pack, at)));
            }
        }
        Ok(None)
    }
}

/// `.git`, or where a file of that name leads: the folder of a work tree or submodule.
fn own_folder(root: &Utf8Path) -> Result<Utf8PathBuf, Error> {
    let path = root.join(".git");
    if path.is_dir() {
        return Ok(path);
    }
    let text = refs::line(&path)?;
    let target = text.as_deref().and_then(|text| text.strip_prefix("gitdir:")).map(str::trim);
    match target {
        Some(target) if root.join(target).is_dir() => Ok(root.join(target)),
        _ => Err(Error::DamagedFile { path, why: "it does not say where the repository is" }),
    }
}

/// Only `sha1` objects and references in files are read.
fn check_format(common: &Utf8Path) -> Result<(), Error> {
    let path = common.join("config");
    let Some(file) = object::open(&path)? else { return Ok(()) };
    let text = object::whole(file, &path, MOST_CONFIG_BYTES)?;
    let text = String::from_utf8_lossy(&text).to_lowercase();
    let mut section = String::new();
    for line in text.lines() {
        let mut line = line.trim();
        if let Some((head, rest)) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            section = head.trim().to_owned();
            line = rest.trim();
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        // What follows the value is a comment.
        let value = value.split(['#', ';']).next().unwrap_or_default().trim().trim_matches('"');
        match (section.as_str(), key.trim()) {
            ("extensions", "objectformat") if value != "sha1" => return Err(Error::ObjectFormat(value.to_owned())),
            ("extensions", "refstorage") if value != "files" => return Err(Error::RefStorage(value.to_owned())),
            _ => {}
        }
    }
    Ok(())
}

/// The repository's own folder of objects, and those that it borrows from. Like git, it passes over those that are not there.
fn object_folders(common: &Utf8Path) -> Result<Vec<Utf8PathBuf>, Error> {
    let own = common.join("objects");
    let mut folders = vec![own.canonicalize_utf8().map_err(|error| Error::io(&own, &error))?];
    let mut next = 0;
    while let Some(folder) = folders.get(next).cloned() {
        next += 1;
        let list = folder.join("info/alternates");
        let alternates = refs::line(&list)?.unwrap_or_default();
        for path in alternates.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            // By its one name: a repository that lends to itself ends here.
            let Ok(path) = folder.join(path).canonicalize_utf8() else { continue };
            if folders.contains(&path) {
                continue;
            }
            if folders.len() > MOST_ALTERNATES {
                let why = format!("more than {MOST_ALTERNATES} repositories lend their objects, one to the other");
                return Err(Error::Limit { path: list, why });
            }
            folders.push(path);
        }
    }
    Ok(folders)
}

/// An id in the head of a commit or tag.
fn field(object: &Object, name: &str) -> Option<Id> {
    let head = object.content.split(|byte| *byte == b'\n').next()?;
    let value = head.strip_prefix(name.as_bytes())?.strip_prefix(b" ")?;
    std::str::from_utf8(value).ok()?.parse().ok()
}
