//! How long and how much: every bound of this crate, with its reason.

use std::time::Duration;

/// What OCI's distribution specification says registries must take; real indexes have a few KiB.
pub(crate) const LARGEST_MANIFEST: usize = 4 * 1024 * 1024;

/// A token with hundreds of scopes has a few KiB.
pub(crate) const LARGEST_TOKEN_ANSWER: usize = 256 * 1024;

/// Of an error's body that much is read; the rest would not be shown either.
pub(crate) const LARGEST_ERROR: usize = 16 * 1024;

/// Registries redirect once, to where the content lies.
pub(crate) const MOST_REDIRECTS: usize = 5;

/// A credentials file of a hundred registries is far smaller.
pub(crate) const LARGEST_FILE: u64 = 1024 * 1024;

/// What a credential helper may print: one name and one token.
pub(crate) const LARGEST_HELPER_ANSWER: u64 = 64 * 1024;

/// A token that says nothing of its end is good for this long: the token specification's own default.
pub(crate) const TOKEN_LIFE: Duration = Duration::from_secs(60);

/// A token is not used in its last seconds: it would end on the way.
pub(crate) const TOKEN_MARGIN: Duration = Duration::from_secs(5);

/// Words of the other side that are shown.
pub(crate) const LONGEST_QUOTE: usize = 200;

/// The bounds that a caller can choose.
#[derive(Clone, Debug)]
pub struct Limits {
    /// For one connection to come about.
    pub connect: Duration,
    /// For one request, from the connection to the last byte.
    pub request: Duration,
    /// For one reference, all retries, tokens and mirrors together.
    pub reference: Duration,
    /// How often one request is sent.
    pub attempts: u32,
    /// The pause before the second try; it doubles from try to try.
    pub pause: Duration,
    /// The longest pause, also where the registry asks for a longer one: then it is not tried again.
    pub longest_pause: Duration,
    /// For one run of a credential helper.
    pub helper: Duration,
    /// References that are asked for at once.
    pub parallel: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            request: Duration::from_secs(30),
            reference: Duration::from_secs(180),
            attempts: 4,
            pause: Duration::from_millis(250),
            longest_pause: Duration::from_secs(30),
            helper: Duration::from_secs(15),
            parallel: 8,
        }
    }
}
