//! What can be wrong with contents, archives and what lies beside them. Texts are fragments; paths in them are safe to print.

use signing::{FormatError, KeyId, VerifyError};

/// Why a file cannot be part of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContentsError {
    #[error("`{path}` {reason}")]
    Path { path: String, reason: &'static str },
    #[error("`{path}` is there twice")]
    Duplicate { path: String },
    #[error("`{path}` and `{other}` are one file where file names have no case")]
    CaseDuplicate { path: String, other: String },
    #[error("`{path}` is a file, and `{below}` makes it a folder")]
    FileAndFolder { path: String, below: String },
    #[error("`{path}` is a file that every bundle has")]
    Reserved { path: String },
    #[error("`{path}` has {size} bytes; at most {limit} are packed")]
    TooLarge { path: String, size: u64, limit: u64 },
    #[error("a bundle cannot have {found} {what}; at most {limit}")]
    TooMuch { what: &'static str, found: u64, limit: u64 },
    #[error("the files pack to less than 1 / {ratio} of their size: every reader takes that for a decompression bomb")]
    Bomb { ratio: u64 },
    #[error("the bundle's name `{0}` is not made of lower-case letters, digits and dashes")]
    Name(String),
}

/// Why an archive is no bundle, or none that is whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    #[error("it has {size} bytes; at most {limit} are read")]
    TooLarge { size: u64, limit: u64 },
    #[error("it is not a gzip file")]
    NotGzip,
    #[error("it was not packed by this program: its gzip header has another {field}")]
    GzipHeader { field: &'static str },
    #[error("it ends in the middle: the file was cut")]
    Cut,
    #[error("its compressed data are damaged")]
    Deflate,
    #[error("its unpacked bytes do not have the {what} that the gzip file ends with")]
    GzipTrailer { what: &'static str },
    #[error("several gzip members stand one after the other")]
    Members,
    #[error("{0} bytes stand after the end of the gzip file")]
    Trailing(usize),
    #[error("it unpacks to more than {limit} bytes")]
    Unpacked { limit: u64 },
    #[error("it unpacks to more than {ratio} times its size: it is a decompression bomb")]
    Bomb { ratio: u64 },
    #[error("it is not a tar file: {0}")]
    NotTar(&'static str),
    #[error("`{path}` {reason}")]
    Path { path: String, reason: &'static str },
    #[error("`{path}` is {kind}; a bundle holds regular files only")]
    Kind { path: String, kind: String },
    #[error("a tar header is {kind}, which could rename or resize what follows; a bundle has none")]
    Extension { kind: &'static str },
    #[error("it does not begin with `manifest.json`, but with `{found}`")]
    NoManifest { found: String },
    #[error("its `manifest.json` {0}")]
    Manifest(String),
    #[error("its `SHA256SUMS` is not that of its manifest")]
    Sums,
    #[error("`{path}` is there twice")]
    Duplicate { path: String },
    #[error("`{path}` and `{other}` are one file where file names have no case")]
    CaseDuplicate { path: String, other: String },
    #[error("`{path}` is there, but not in the manifest")]
    Extra { path: String },
    #[error("`{path}` is missing")]
    Missing { path: String },
    #[error("`{found}` stands where `{expected}` belongs: the order was changed")]
    Order { found: String, expected: String },
    #[error("`{path}` has {header} bytes by its header and {manifest} by the manifest")]
    Size { path: String, header: String, manifest: u64 },
    #[error("the header of `{path}` is not the one that is written: {field}")]
    Field { path: String, field: &'static str },
    #[error("`{path}` has another sha256 than the manifest says: it was changed")]
    Digest { path: String },
    #[error("bytes stand in the padding after `{path}`")]
    Padding { path: String },
    #[error("something stands after the end of the tar file")]
    AfterEnd,
}

impl ReadError {
    /// Whether a digest was refused, rather than the archive malformed.
    #[must_use]
    pub fn is_distrust(&self) -> bool {
        matches!(self, Self::Digest { .. } | Self::Sums)
    }
}

/// Why a bundle is not trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    #[error("it is unsigned: there is no `.sig` beside it")]
    Unsigned,
    #[error("there is no `{0}` beside it")]
    Missing(&'static str),
    #[error("it was signed with key {found}, not with the trusted key {trusted}")]
    OtherKey { trusted: KeyId, found: KeyId },
    #[error("it was cut: {found} bytes of the {signed} that were signed")]
    Cut { found: u64, signed: u64 },
    #[error("it was appended to: {found} bytes instead of the {signed} that were signed")]
    Appended { found: u64, signed: u64 },
    #[error("it was changed after it was signed, or it was signed with another key")]
    Changed,
    #[error("its `.sig` has {0} bytes instead of 64: it was cut, or is another kind of signature")]
    SignatureLength(usize),
    #[error("its `.sig` was changed: the other signatures still fit")]
    SignatureChanged,
    #[error("its `{file}` is damaged")]
    Format { file: &'static str, source: FormatError },
    #[error("its `{file}` is not trusted")]
    Signature { file: &'static str, source: VerifyError },
    #[error("its `.sha256` is not that of the file: {0}")]
    Checksum(&'static str),
    #[error("its statement is about something else: {0}")]
    Statement(String),
    #[error("its comment in `.minisig` is about something else")]
    Comment,
    #[error("its contents are refused")]
    Contents(#[from] ReadError),
}

impl Refusal {
    /// Whether the archive is malformed, rather than not trusted.
    #[must_use]
    pub fn is_malformed(&self) -> bool {
        matches!(self, Self::Contents(error) if !error.is_distrust())
    }
}
