//! How much of everything there may be. A bundle of all advisories that are known today has some tens of megabytes; each limit leaves
//! room for ten times that and still ends an endless answer. Sizes are in bytes.

/// The index: a few hundred bytes a domain.
pub const LARGEST_INDEX: usize = 4 << 20;

/// The manifest, which may list advisories by name.
pub const LARGEST_MANIFEST: usize = 64 << 20;

/// The bundle, which is held in memory while its signature is verified.
pub const LARGEST_BUNDLE: usize = 512 << 20;

/// A signature with the bundle inside is a third longer than the bundle.
pub const LARGEST_JWS: usize = 768 << 20;

/// Excititor's lists.
pub const LARGEST_VEX_LIST: usize = 16 << 20;

/// One export of Excititor.
pub const LARGEST_EXPORT: usize = 512 << 20;

/// How many domains an index may list.
pub const MOST_DOMAINS: usize = 1_000;

/// How many exports a domain may list: each is a request.
pub const MOST_EXPORTS: usize = 100_000;

/// How many entries any list or object may have: advisories of 250 bytes in a bundle as large as one may be.
pub const MOST_ENTRIES: usize = 2_000_000;

/// How many values are kept of one document.
pub const MOST_VALUES: usize = 1_000_000;

/// How deep values may be nested. An advisory needs less than ten levels.
pub const DEEPEST: usize = 64;

/// A domain's id, in bytes: it is a label of a host name too.
pub const LONGEST_ID: usize = 63;

/// An export's key, in bytes: with a suffix it is still a file name.
pub const LONGEST_KEY: usize = 200;
