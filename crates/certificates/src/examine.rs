//! Judging certificates and keys, wherever they come from.

mod chain;
mod judge;
mod pairs;
mod private;
mod walk;

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use zeroize::Zeroizing;

pub use chain::Chain;

use crate::certificate::Certificate;
use crate::error::{Error, ErrorKind};
use crate::pem;
use private::Public;
use walk::{Found, Walk};

/// What to examine, and by which measure.
#[derive(Clone, Debug)]
pub struct Question<'q> {
    /// Files and folders. Folders are looked through to the bottom.
    pub paths: &'q [Utf8PathBuf],
    /// Whom to trust; `None`: the `ca.crt` beside a certificate.
    pub trusted: Option<&'q Utf8Path>,
    /// A certificate that ends within so many days is a finding.
    pub warn: u32,
    /// The moment to judge at.
    pub now: Timestamp,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Examination {
    /// In the order of their files.
    pub certificates: Vec<ExaminedCertificate>,
    pub keys: Vec<ExaminedKey>,
    /// In the order of their files.
    pub findings: Vec<Finding>,
}

/// A certificate that could be read.
#[derive(Clone, Debug)]
pub struct ExaminedCertificate {
    pub file: Utf8PathBuf,
    /// Which certificate of its file, from 1.
    pub position: usize,
    pub subject: String,
    pub issuer: String,
    /// Names and addresses.
    pub names: Vec<String>,
    /// `server`, `client`, `ca`.
    pub usages: Vec<&'static str>,
    pub algorithm: String,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    pub days_left: i64,
    pub chain: Chain,
    pub key: KeyMatch,
}

/// Whether the key of a certificate is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyMatch {
    /// A key in the same folder belongs to it.
    Matches,
    /// The key that lies where its key should be is another's.
    Differs,
    /// There is none.
    Absent,
}

/// A private key.
#[derive(Clone, Debug)]
pub struct ExaminedKey {
    pub file: Utf8PathBuf,
    /// Its kind; `None` where that cannot be told.
    pub algorithm: Option<String>,
    /// Permission bits of its file.
    pub mode: u32,
    /// The file of the certificate that it belongs to.
    pub belongs_to: Option<Utf8PathBuf>,
}

/// Something wrong, or worth knowing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub rule: &'static str,
    /// Whether it is only worth knowing.
    pub is_note: bool,
    pub file: Utf8PathBuf,
    pub message: String,
    pub help: String,
}

/// A file after it was read.
struct Read {
    file: Utf8PathBuf,
    mode: u32,
    certificates: Vec<Certificate>,
    /// The public halves of its keys, or why they cannot be told.
    keys: Vec<Result<Public, &'static str>>,
    /// What could not be read in it.
    problems: Vec<String>,
}

impl Examination {
    /// Whether something is wrong.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        self.findings.iter().any(|finding| !finding.is_note)
    }
}

/// Examines files and folders. What is wrong with them is a finding, not an error.
///
/// # Errors
/// If a path that was named is not there.
pub fn examine(question: &Question<'_>) -> Result<Examination, Error> {
    let mut walk = Walk::default();
    question.paths.iter().try_for_each(|path| walk.add(path))?;
    let files: Vec<Read> = walk.files.into_iter().map(read).collect();
    let trusted = Trusted::of(question, &files)?;
    let mut signatures = chain::Signatures::new();
    let mut chains = |file: &Read| -> Vec<Chain> {
        // Certificates behind the first one of a file are there to lead to the trusted one.
        let between: Vec<&Certificate> = file.certificates.iter().skip(1).take(MOST_BETWEEN).collect();
        let trusted = trusted.of_file(file);
        let trusted: Option<Vec<&Certificate>> = trusted.map(|trusted| trusted.iter().collect());
        let follow = |certificate| {
            let chain = chain::follow(certificate, &between, trusted.as_deref(), question.now, &mut signatures);
            match chain {
                Chain::Broken(reason) if file.certificates.len() > 1 + MOST_BETWEEN => Chain::Broken(format!(
                    "{reason} (of the certificates behind the first one only {MOST_BETWEEN} are looked at)"
                )),
                other => other,
            }
        };
        file.certificates.iter().map(follow).collect()
    };
    let chains: Vec<Vec<Chain>> = files.iter().map(&mut chains).collect();
    let pairs = pairs::pair(&files);

    let mut examination = Examination::default();
    for ((file, chains), pair) in files.iter().zip(&chains).zip(&pairs) {
        for ((index, certificate), chain) in file.certificates.iter().enumerate().zip(chains) {
            let key = if index == 0 { pair.key } else { KeyMatch::Absent };
            examination.certificates.push(examined(file, index, certificate, chain.clone(), key, question.now));
        }
        for (key, belongs_to) in file.keys.iter().zip(&pair.belongs_to) {
            examination.keys.push(ExaminedKey {
                file: file.file.clone(),
                algorithm: key.as_ref().ok().map(|key| key.kind.describe()),
                mode: file.mode,
                belongs_to: belongs_to.map(|index| files[index].file.clone()),
            });
        }
    }
    examination.findings = judge::judge(question, &files, &chains, &pairs, walk.stopped);
    examination.findings.extend(absent(question, &files));
    Ok(examination)
}

/// What was named and holds neither certificate nor key: whoever names it believes that it does.
fn absent(question: &Question<'_>, files: &[Read]) -> Vec<Finding> {
    let is_empty = |path: &&Utf8PathBuf| {
        let path = path.strip_prefix(".").unwrap_or(path);
        !files.iter().any(|file| file.file.starts_with(path))
    };
    question
        .paths
        .iter()
        .filter(is_empty)
        .map(|path| Finding {
            rule: "absent",
            is_note: false,
            file: path.clone(),
            message: "holds neither a certificate nor a key".to_owned(),
            help: "name the folder that holds them, or make them with `collimate tls generate`".to_owned(),
        })
        .collect()
}

/// Certificates of a file that are taken for authorities between: a chain has two or three.
const MOST_BETWEEN: usize = 16;

/// Whom a certificate is held against.
enum Trusted {
    /// The same for all.
    Named(Vec<Certificate>),
    /// By folder: what its `ca.crt` holds.
    Beside(BTreeMap<Utf8PathBuf, Vec<Certificate>>),
}

impl Trusted {
    fn of(question: &Question<'_>, files: &[Read]) -> Result<Self, Error> {
        if let Some(path) = question.trusted {
            let mut walk = Walk::default();
            walk.add(path)?;
            let files: Vec<Read> = walk.files.into_iter().map(read).collect();
            let problem = files.iter().find_map(|file| file.problems.first().cloned());
            let certificates: Vec<Certificate> = files.into_iter().flat_map(|file| file.certificates).collect();
            if certificates.is_empty() {
                let reason = problem.unwrap_or_else(|| "it holds no certificate".to_owned());
                return Err(Error::new(ErrorKind::Unreadable { path: path.to_owned(), reason }));
            }
            return Ok(Self::Named(certificates));
        }
        let mut beside = BTreeMap::new();
        for file in files {
            let folder = folder_of(&file.file);
            if beside.contains_key(&folder) {
                continue;
            }
            let bundle = folder.join(BUNDLE);
            let mut walk = Walk::default();
            // A file that was named alone is held against the bundle beside it, too.
            if bundle.is_file() && walk.add(&bundle).is_ok() {
                let certificates = walk.files.into_iter().flat_map(|found| read(found).certificates).collect();
                beside.insert(folder, certificates);
            }
        }
        Ok(Self::Beside(beside))
    }

    fn of_file(&self, file: &Read) -> Option<&[Certificate]> {
        match self {
            Self::Named(certificates) => Some(certificates),
            Self::Beside(folders) => folders.get(&folder_of(&file.file)).map(Vec::as_slice),
        }
    }
}

/// The name of the file that says whom to trust.
const BUNDLE: &str = "ca.crt";

fn folder_of(file: &Utf8Path) -> Utf8PathBuf {
    match file.parent() {
        Some(folder) if folder != "" => folder.to_owned(),
        _ => Utf8PathBuf::from("."),
    }
}

fn read(found: Found) -> Read {
    let mut read =
        Read { file: found.path, mode: found.mode, certificates: Vec::new(), keys: Vec::new(), problems: Vec::new() };
    let content = match found.content {
        Ok(content) => Zeroizing::new(content),
        Err(reason) => {
            read.problems.push(reason);
            return read;
        }
    };
    // A certificate without PEM around it.
    if content.first() == Some(&crate::der::SEQUENCE) {
        match Certificate::parse(&content) {
            Ok(certificate) => read.certificates.push(certificate),
            Err(reason) => read.problems.push(reason.to_owned()),
        }
        return read;
    }
    let text = Zeroizing::new(String::from_utf8_lossy(&content).into_owned());
    let blocks = pem::blocks(&text);
    if blocks.is_empty() {
        read.problems.push("it holds no PEM block".to_owned());
    }
    for block in blocks {
        if block.is_private_key() {
            match &block.content {
                Ok(content) => read.keys.push(private::public_half(&block.label, content)),
                Err(reason) => read.keys.push(Err(reason)),
            }
        } else if block.is_certificate() {
            match block.content.and_then(|content| Certificate::parse(&content)) {
                Ok(certificate) => read.certificates.push(certificate),
                Err(reason) => read.problems.push(format!("the block of line {}: {reason}", block.line)),
            }
        } else if let Err(reason) = block.content {
            read.problems.push(format!("the block of line {}: {reason}", block.line));
        }
    }
    read
}

fn examined(
    file: &Read,
    index: usize,
    certificate: &Certificate,
    chain: Chain,
    key: KeyMatch,
    now: Timestamp,
) -> ExaminedCertificate {
    let ca = certificate.is_ca.then_some("ca");
    ExaminedCertificate {
        file: file.file.clone(),
        position: index + 1,
        subject: certificate.short_subject().to_owned(),
        issuer: certificate.short_issuer().to_owned(),
        names: certificate.sans.iter().map(ToString::to_string).collect(),
        usages: certificate.usages.iter().map(|usage| usage.as_str()).chain(ca).collect(),
        algorithm: certificate.key_kind.describe(),
        not_before: certificate.validity.not_before,
        not_after: certificate.validity.not_after,
        days_left: certificate.validity.days_left(now),
        chain,
        key,
    }
}
