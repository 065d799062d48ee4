//! The files of a generation: where each is asked for, where each is kept, how large each may be.
//!
//! Concelier's lie as Concelier's own export tree has them, so that Concelier can serve a copy. Excititor's lie beside `mirror/`, at their
//! HTTP paths, so that a web server can serve them as they are.

use mirror::exports::is_export_key;
use mirror::exports::limits::{LARGEST_BUNDLE, LARGEST_EXPORT, LARGEST_INDEX, LARGEST_JWS, LARGEST_MANIFEST};

use crate::limits::MOST_LIST_BYTES;

/// One file of a generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Its path of HTTP.
    pub(crate) address: String,
    /// Its path below the generation.
    pub(crate) path: String,
    /// In bytes.
    pub(crate) most: u64,
}

/// The parts of one domain.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    domain: String,
}

impl Parts {
    pub(crate) fn of(domain: &str) -> Self {
        Self { domain: domain.to_owned() }
    }

    pub(crate) fn domain(&self) -> &str {
        &self.domain
    }

    pub(crate) fn index(&self) -> Part {
        part("/concelier/exports/index.json".to_owned(), "mirror/index.json".to_owned(), LARGEST_INDEX)
    }

    pub(crate) fn manifest(&self) -> Part {
        self.concelier("manifest.json", LARGEST_MANIFEST)
    }

    pub(crate) fn bundle(&self) -> Part {
        self.concelier("bundle.json", LARGEST_BUNDLE)
    }

    pub(crate) fn signature(&self) -> Part {
        self.concelier("bundle.json.jws", LARGEST_JWS)
    }

    pub(crate) fn vex_domain(&self) -> Part {
        let address = format!("/excititor/mirror/domains/{}", self.domain);
        part(address, self.vex("domain.json"), MOST_LIST_BYTES)
    }

    pub(crate) fn vex_index(&self) -> Part {
        let address = format!("/excititor/mirror/domains/{}/index", self.domain);
        part(address, self.vex("index.json"), MOST_LIST_BYTES)
    }

    /// An export by its key, which must be [plain](is_plain_name).
    pub(crate) fn vex_export(&self, key: &str) -> Part {
        let address = format!("/excititor/mirror/domains/{}/exports/{key}", self.domain);
        part(address, self.vex(&format!("exports/{key}")), LARGEST_EXPORT)
    }

    fn concelier(&self, name: &str, most: usize) -> Part {
        let Self { domain } = self;
        part(format!("/concelier/exports/mirror/{domain}/{name}"), format!("mirror/{domain}/{name}"), most)
    }

    fn vex(&self, name: &str) -> String {
        format!("excititor/mirror/domains/{}/{name}", self.domain)
    }
}

fn part(address: String, path: String, most: usize) -> Part {
    Part { address, path, most: most as u64 }
}

/// What an old tar header has room for.
const MOST_NAME: usize = 100;

/// Whether a name means itself alone in a URL and in a folder, and fits into a tar.
pub(crate) fn is_plain_name(name: &str) -> bool {
    is_export_key(name) && name.len() <= MOST_NAME
}

/// Whether a path is one of an export tree.
pub(crate) fn is_plain_path(path: &str) -> bool {
    path.len() <= 255
        && path.split('/').all(is_plain_name)
        && (path.starts_with("mirror/") || path.starts_with("excititor/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_nowhere() {
        for bad in ["", ".", "..", "a/b", "a b", ".x", "-x", "a%2f", "ä", "a\0", &"x".repeat(101)] {
            assert!(!is_plain_name(bad), "{bad}");
        }
        assert!(["openvex-1", "a.json", "A_b", &"x".repeat(100)].iter().all(|good| is_plain_name(good)));
        for bad in ["replica.json", "/mirror/x", "mirror/../x", "mirror//x", "mirror/", "other/x"] {
            assert!(!is_plain_path(bad), "{bad}");
        }
        assert!(is_plain_path("mirror/primary/bundle.json.jws"));
    }
}
