//! How much of everything there may be, beside what `mirror::exports::limits` says of the files of an export tree.

/// Exports of one domain: each is a request and a file.
pub(crate) const MOST_EXPORTS: usize = 10_000;

/// Excititor's lists, four hundred bytes an export. They are compared as JSON values, of which two bytes can be one.
pub(crate) const MOST_LIST_BYTES: usize = 4 * 1024 * 1024;

/// All files of a generation. An old tar header has room for twice that.
pub(crate) const MOST_GENERATION_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// A record has about 250 bytes a file, and a kilobyte where validators and names are as long as they may be.
pub(crate) const MOST_RECORD_BYTES: u64 = 16 * 1024 * 1024;

/// The state beside a download is a few hundred bytes.
pub(crate) const MOST_STATE_BYTES: u64 = 64 * 1024;

/// Tags are hashes or moments. A validator that is longer is not kept: the file is then transferred whole the next time.
pub(crate) const MOST_VALIDATOR_BYTES: usize = 200;
