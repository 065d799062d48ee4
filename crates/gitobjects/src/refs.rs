//! Branches and tags: names that stand for objects.

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::Error;
use crate::id::Id;
use crate::object;

/// Symbolic references that lead to others; git allows five.
const LONGEST_CHAIN: usize = 5;
/// A reference is one line.
const MOST_BYTES: usize = 4096;
/// A million packed references.
const MOST_PACKED_BYTES: usize = 128 * 1024 * 1024;

/// Where a short name may stand, as git looks for it.
const PLACES: [&str; 5] = ["refs/{}", "refs/tags/{}", "refs/heads/{}", "refs/remotes/{}", "refs/remotes/{}/HEAD"];

/// All that a name may mean, each with its full name.
pub(crate) fn find(own: &Utf8Path, common: &Utf8Path, name: &str) -> Result<Vec<(String, Id)>, Error> {
    if !is_name(name) {
        return Err(Error::Name(name.to_owned()));
    }
    let full: Vec<String> = if name == "HEAD" || name.starts_with("refs/") {
        vec![name.to_owned()]
    } else {
        PLACES.iter().map(|place| place.replace("{}", name)).collect()
    };
    let mut found = Vec::new();
    for full in full {
        if let Some(id) = follow(own, common, &full)? {
            found.push((full, id));
        }
    }
    Ok(found)
}

/// What git allows of a name, and nothing that could lead out of the repository.
fn is_name(name: &str) -> bool {
    let plain =
        |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock") && !part.ends_with('.');
    name.len() <= 1024
        && !name.contains("..")
        && !name.contains("@{")
        && !name.starts_with('-')
        && !name.chars().any(|letter| letter.is_control() || " ~^:?*[\\".contains(letter))
        && name.split('/').all(plain)
}

fn follow(own: &Utf8Path, common: &Utf8Path, name: &str) -> Result<Option<Id>, Error> {
    let mut name = name.to_owned();
    for _ in 0..=LONGEST_CHAIN {
        // A work tree has its own HEAD; branches and tags are everybody's.
        let folder = if name == "HEAD" { own } else { common };
        let path = folder.join(&name);
        let Some(text) = line(&path)? else { return packed(common, &name) };
        if let Some(target) = text.strip_prefix("ref:") {
            let target = target.trim();
            if !is_name(target) || !target.starts_with("refs/") {
                return Err(damaged(path, "it leads to what cannot be a reference"));
            }
            name = target.to_owned();
            continue;
        }
        return text.parse().map(Some).map_err(|()| damaged(path, "it holds no id of an object"));
    }
    Err(damaged(common.join(name), "it leads from reference to reference without end"))
}

/// The text of a small file; `None` where there is none, or a folder of that name.
pub(crate) fn line(path: &Utf8Path) -> Result<Option<String>, Error> {
    if path.is_dir() {
        return Ok(None);
    }
    let Some(file) = object::open(path)? else { return Ok(None) };
    let text = String::from_utf8(object::whole(file, path, MOST_BYTES)?);
    let text = text.map_err(|_| damaged(path.to_owned(), "it is no text"))?;
    Ok(Some(text.trim().to_owned()))
}

fn packed(common: &Utf8Path, name: &str) -> Result<Option<Id>, Error> {
    let path = common.join("packed-refs");
    let Some(file) = object::open(&path)? else { return Ok(None) };
    let text = object::whole(file, &path, MOST_PACKED_BYTES)?;
    for line in text.split(|byte| *byte == b'\n').filter(|line| !matches!(line.first(), None | Some(b'#' | b'^'))) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some((id, known)) = line.split_at_checked(2 * Id::LENGTH) else { continue };
        if known.strip_prefix(b" ") == Some(name.as_bytes()) {
            let id = std::str::from_utf8(id).ok().and_then(|id| id.parse().ok());
            return id.map(Some).ok_or_else(|| damaged(path, "it holds no id of an object"));
        }
    }
    Ok(None)
}

fn damaged(path: Utf8PathBuf, why: &'static str) -> Error {
    Error::DamagedFile { path, why }
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_name_leads_out() {
        for good in ["main", "origin/main", "v1.0", "refs/heads/a-b", "HEAD", "feature/ä"] {
            assert!(super::is_name(good), "{good}");
        }
        for bad in [
            "",
            "../x",
            "a/../b",
            "/etc/passwd",
            "a//b",
            ".git",
            "a/.b",
            "main~1",
            "main^",
            "main@{1}",
            "a b",
            "a:b",
            "a.lock",
            "-x",
            "a\nb",
            "a\\b",
        ] {
            assert!(!super::is_name(bad), "{bad}");
        }
    }
}
