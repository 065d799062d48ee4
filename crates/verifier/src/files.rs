//! The htpasswd files of the domains: found, read whole, and judged.
//!
//! They are read again at every look, not only when their metadata has changed: a hundred tenants are ten kilobytes, and a change that keeps
//! size and time is seen too. They are found by their names in the folder each time, so that a rename and the links of a mounted Secret are seen.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::str::FromStr;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use mirror::htpasswd::{File, Form, Hash, MOST_COST, MOST_FILE_BYTES};
use source::system;

use crate::error::{Error, ErrorKind};

/// `htpasswd` writes into the file itself: what has changed is read again after this time, until it is the same twice.
const SETTLING: Duration = Duration::from_millis(50);

/// A file that changes for longer is judged as it is; the next look is a second away.
const MOST_SETTLING: u32 = 10;

/// The id of a domain, such as `primary`: letters, digits and `-`, as in `mirror.yaml`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Domain(String);

impl FromStr for Domain {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if text.is_empty()
            || text.len() > 63
            || !text.bytes().all(plain)
            || text.starts_with('-')
            || text.ends_with('-')
        {
            return Err("a domain is 1 to 63 lower-case letters, digits and `-`, with no `-` at its ends".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

impl Domain {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `mirror-<id>.htpasswd`
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("mirror-{}.htpasswd", self.0)
    }

    fn of_file_name(name: &str) -> Option<Self> {
        name.strip_prefix("mirror-")?.strip_suffix(".htpasswd")?.parse().ok()
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// So that rooms can be asked for by what stands in a request.
impl std::borrow::Borrow<str> for Domain {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Why nobody of a domain is let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) line: Option<usize>,
    pub(crate) reason: String,
}

impl Fault {
    fn whole(reason: impl Into<String>) -> Self {
        Self { line: None, reason: reason.into() }
    }
}

/// The folder, and which domains it is asked for.
pub(crate) struct Secrets {
    pub(crate) folder: Utf8PathBuf,
    /// Empty: those that have a file.
    pub(crate) domains: Vec<Domain>,
}

impl Secrets {
    /// The domains that have a file, or the named ones.
    pub(crate) fn domains(&self) -> Result<Vec<Domain>, Error> {
        let unreadable = |error: io::Error| {
            Error::new(ErrorKind::Folder { folder: self.folder.clone(), reason: system::reason(&error) })
        };
        let entries = self.folder.read_dir_utf8().map_err(unreadable)?;
        if !self.domains.is_empty() {
            return Ok(self.domains.clone());
        }
        let mut found = Vec::new();
        for entry in entries {
            found.extend(Domain::of_file_name(entry.map_err(unreadable)?.file_name()));
        }
        found.sort();
        Ok(found)
    }

    pub(crate) fn path(&self, domain: &Domain) -> Utf8PathBuf {
        self.folder.join(domain.file_name())
    }

    /// The bytes of a domain's file as they are now. Where they differ from `known`, they are waited for to be written whole.
    pub(crate) fn read(&self, domain: &Domain, known: Option<&[u8]>) -> Result<Vec<u8>, Fault> {
        let path = self.path(domain);
        settled(known, || read(&path), || std::thread::park_timeout(SETTLING))
    }
}

/// Reads, and waits and reads again what is not as it was known, until it is the same twice.
fn settled(known: Option<&[u8]>, read: impl Fn() -> Result<Vec<u8>, Fault>, wait: impl Fn()) -> Result<Vec<u8>, Fault> {
    let mut last = read();
    for _ in 0..MOST_SETTLING {
        if last.as_deref().ok() == known {
            break;
        }
        wait();
        let again = read();
        let is_settled = again == last;
        last = again;
        if is_settled {
            break;
        }
    }
    last
}

fn read(path: &Utf8Path) -> Result<Vec<u8>, Fault> {
    let fault = |error: io::Error| Fault::whole(format!("it cannot be read: {}", system::reason(&error)));
    // A pipe that nobody writes into must not keep us waiting.
    let file =
        OpenOptions::new().read(true).custom_flags(nix::fcntl::OFlag::O_NONBLOCK.bits()).open(path).map_err(fault)?;
    if !file.metadata().map_err(fault)?.is_file() {
        return Err(Fault::whole("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    file.take(MOST_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(fault)?;
    if bytes.len() as u64 > MOST_FILE_BYTES {
        return Err(Fault::whole("it is larger than 4 MiB"));
    }
    Ok(bytes)
}

/// Reads the text. One damaged line closes the domain: it may be what is left of a revocation.
pub(crate) fn parse(bytes: &[u8]) -> Result<File, Fault> {
    let file = File::parse(bytes);
    match file.problems().first() {
        None => Ok(file),
        Some(problem) => Err(Fault { line: Some(problem.line), reason: problem.to_string() }),
    }
}

/// Why a tenant with this hash can never be let in.
fn unusable(hash: &Hash) -> Option<String> {
    match (hash.form(), hash.cost()) {
        (Form::Bcrypt, Some(cost)) if cost <= MOST_COST => None,
        _ => hash.weakness().map(|weakness| weakness.to_string()),
    }
}

/// A tenant that can never be let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    pub name: String,
    /// Counted from 1.
    pub line: usize,
    pub why: String,
}

pub(crate) fn unusable_tenants(file: &File) -> Vec<Unusable> {
    let judged = |entry: &mirror::htpasswd::Entry| {
        let why = unusable(entry.hash())?;
        Some(Unusable { name: entry.name().to_owned(), line: entry.line(), why })
    };
    file.entries().iter().filter_map(judged).collect()
}

/// What stands in a domain's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surveyed {
    pub domain: Domain,
    pub file: Utf8PathBuf,
    pub tenants: usize,
    pub unusable: Vec<Unusable>,
    /// Why nobody of the domain would be let in, and the line if it is one.
    pub closed: Option<(Option<usize>, String)>,
}

/// Looks at all files as the server would, and ends. No domain named means: those that have a file.
///
/// # Errors
/// If the folder cannot be read, or no domain is found.
pub fn survey(folder: &Utf8Path, domains: &[Domain]) -> Result<Vec<Surveyed>, Error> {
    let secrets = Secrets { folder: folder.to_owned(), domains: domains.to_vec() };
    let domains = secrets.domains()?;
    if domains.is_empty() {
        return Err(Error::new(ErrorKind::NoDomain { folder: folder.to_owned() }));
    }
    let surveyed = domains.into_iter().map(|domain| {
        let file = secrets.path(&domain);
        match read(&file).and_then(|bytes| parse(&bytes)) {
            Ok(parsed) => Surveyed {
                domain,
                file,
                tenants: parsed.entries().len(),
                unusable: unusable_tenants(&parsed),
                closed: None,
            },
            Err(fault) => {
                Surveyed { domain, file, tenants: 0, unusable: vec![], closed: Some((fault.line, fault.reason)) }
            }
        }
    });
    Ok(surveyed.collect())
}

#[cfg(test)]
mod tests {
    use testkit::Sandbox;

    use super::*;

    #[test]
    fn a_domain_is_a_plain_word() {
        for text in ["primary", "a", "a-1", &"x".repeat(63)] {
            assert!(text.parse::<Domain>().is_ok(), "{text}");
        }
        for text in ["", "Primary", "a.b", "../x", "-a", "a-", "a b", "ä", &"x".repeat(64)] {
            assert!(text.parse::<Domain>().is_err(), "{text}");
        }
    }

    #[test]
    fn files_are_found_by_name() {
        let sandbox = Sandbox::new();
        sandbox.write("mirror-b.htpasswd", "").write("mirror-a.htpasswd", "").write("other", "");
        sandbox.write("mirror-a.htpasswd.old", "").write("mirror-.htpasswd", "").write("mirror-X.htpasswd", "");
        let secrets = Secrets { folder: sandbox.root().to_owned(), domains: vec![] };
        let found = secrets.domains().unwrap();
        assert_eq!(found.iter().map(Domain::as_str).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn a_file_that_changes_is_waited_for_but_not_for_ever() {
        // How often the contents differ from those before; how often they are read, and which count.
        for (changes, reads, last) in [(0, 2, 0), (1, 3, 1), (9, 11, 9), (10, 11, 10), (1_000, 11, 10)] {
            let (read, waits) = (std::cell::Cell::new(0_u32), std::cell::Cell::new(0));
            let contents = || {
                read.set(read.get() + 1);
                Ok(vec![u8::try_from((read.get() - 1).min(changes)).unwrap()])
            };
            let settled = settled(Some(b"known"), contents, || waits.set(waits.get() + 1));
            assert_eq!((settled, read.get(), waits.get()), (Ok(vec![last]), reads, reads - 1), "{changes} changes");
        }
        let read = std::cell::Cell::new(0);
        let known = || {
            read.set(read.get() + 1);
            Ok(b"known".to_vec())
        };
        assert!(settled(Some(b"known"), known, || panic!("there is nothing to wait for")).is_ok());
        assert_eq!(read.get(), 1);
    }

    #[test]
    fn what_is_no_file_is_said() {
        let sandbox = Sandbox::new();
        sandbox.write("mirror-dir.htpasswd/x", "").write("mirror-big.htpasswd", vec![b'#'; (4 << 20) + 1]);
        sandbox.write("mirror-full.htpasswd", vec![b'#'; 4 << 20]);
        let pipe = sandbox.path("mirror-pipe.htpasswd");
        nix::unistd::mkfifo(pipe.as_std_path(), nix::sys::stat::Mode::S_IRUSR).unwrap();
        let reason = |domain: &str| {
            let surveyed = survey(sandbox.root(), &[domain.parse().unwrap()]).unwrap().remove(0);
            surveyed.closed.map(|(_, reason)| reason).unwrap_or_default()
        };
        assert_eq!(reason("dir"), "it is not a regular file");
        assert_eq!(reason("pipe"), "it is not a regular file");
        assert_eq!(reason("full"), "");
        assert_eq!(reason("big"), "it is larger than 4 MiB");
        assert_eq!(reason("none"), "it cannot be read: it does not exist");
    }
}
