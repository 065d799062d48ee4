//! One line of the access log.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;

/// nginx takes request lines up to 8 KiB, and escaping at most makes six bytes of one.
pub const MOST_LINE_BYTES: usize = 64 * 1024;

/// What is read of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// In UTC.
    pub day: Date,
    /// In UTC, 0 to 23.
    pub hour: usize,
    pub domain: Cow<'a, str>,
    pub tenant: Cow<'a, str>,
    pub address: Cow<'a, str>,
    pub kind: Kind,
    pub bytes: u64,
    pub is_hit: bool,
    pub is_cacheable: bool,
    pub refusal: Option<Refusal>,
}

/// Which budget a request counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Lists of what there is.
    Index,
    /// What belongs to a domain.
    Download,
    /// Neither: what Concelier and Excititor do not serve.
    Other,
}

/// Why the gateway refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Credentials,
    AddressLimit,
    TenantLimit,
    Method,
    Body,
    Path,
    Upstream,
    Verifier,
    /// A reason that a newer gateway may have.
    Other,
}

/// Every refusal by its word in the log, in the order of [`Refusal`].
pub const REFUSALS: [&str; 9] =
    ["credentials", "address-limit", "tenant-limit", "method", "body", "path", "upstream", "verifier", "other"];

impl Refusal {
    const ALL: [Self; REFUSALS.len()] = [
        Self::Credentials,
        Self::AddressLimit,
        Self::TenantLimit,
        Self::Method,
        Self::Body,
        Self::Path,
        Self::Upstream,
        Self::Verifier,
        Self::Other,
    ];

    fn of(word: &str) -> Option<Self> {
        if word.is_empty() {
            return None;
        }
        let known = REFUSALS.iter().position(|known| *known == word);
        Some(known.and_then(|index| Self::ALL.get(index).copied()).unwrap_or(Self::Other))
    }
}

/// The longest domain, tenant or address. A tenant has 128 bytes, the name of a host 253; each is kept with its counts.
const MOST_WORD_BYTES: usize = 256;

/// Why a line cannot be read. Nothing of it is repeated but the name of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineError {
    NotJson {
        column: usize,
    },
    /// JSON, but a field is missing or of another type.
    Field(String),
    Time,
    TooLong,
    LongWord(&'static str),
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson { column } => write!(f, "it is no JSON object (column {column})"),
            Self::Field(what) => f.write_str(what),
            Self::Time => f.write_str("`time` is not a moment such as 2026-01-31T12:00:00+00:00"),
            Self::TooLong => write!(f, "it has more than {} KiB", MOST_LINE_BYTES >> 10),
            Self::LongWord(field) => write!(f, "`{field}` has more than {MOST_WORD_BYTES} bytes"),
        }
    }
}

/// As the gateway writes it, without what nobody asks here.
#[derive(Deserialize)]
struct Written<'a> {
    #[serde(borrow)]
    time: Cow<'a, str>,
    #[serde(borrow)]
    domain: Cow<'a, str>,
    #[serde(borrow)]
    tenant: Cow<'a, str>,
    #[serde(borrow)]
    address: Cow<'a, str>,
    #[serde(borrow)]
    path: Cow<'a, str>,
    bytes: u64,
    #[serde(borrow, default)]
    cache: Cow<'a, str>,
    #[serde(borrow, default)]
    refusal: Cow<'a, str>,
}

impl<'a> Line<'a> {
    /// Reads a line, without its end.
    ///
    /// # Errors
    /// With the first reason why it is none of ours.
    pub fn parse(line: &'a [u8]) -> Result<Self, LineError> {
        if line.len() > MOST_LINE_BYTES {
            return Err(LineError::TooLong);
        }
        // A list of values in the right order would pass for an object.
        if !line.trim_ascii_start().starts_with(b"{") {
            return Err(LineError::NotJson { column: 1 });
        }
        let written: Written<'a> = serde_json::from_slice(line).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => LineError::Field(data_error(&error)),
            _ => LineError::NotJson { column: error.column() },
        })?;
        let words = [("domain", &written.domain), ("tenant", &written.tenant), ("address", &written.address)];
        if let Some((field, _)) = words.into_iter().find(|(_, word)| word.len() > MOST_WORD_BYTES) {
            return Err(LineError::LongWord(field));
        }
        let time: Timestamp = written.time.parse().map_err(|_| LineError::Time)?;
        let time = TimeZone::UTC.to_datetime(time);
        let (is_hit, is_cacheable) = match &*written.cache {
            // With a stale or revalidated object the client waits for no content from upstream.
            "HIT" | "STALE" | "UPDATING" | "REVALIDATED" => (true, true),
            "MISS" | "EXPIRED" => (false, true),
            _ => (false, false),
        };
        Ok(Self {
            day: time.date(),
            hour: usize::try_from(time.hour()).unwrap_or(0),
            kind: Kind::of(&written.path),
            refusal: Refusal::of(&written.refusal),
            domain: written.domain,
            tenant: written.tenant,
            address: written.address,
            bytes: written.bytes,
            is_hit,
            is_cacheable,
        })
    }
}

/// Serde's words name the field, and may repeat a value after it.
fn data_error(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let missing = text.strip_prefix("missing field `").and_then(|rest| rest.split_once('`'));
    match missing {
        Some((field, _)) => format!("it has no `{field}`"),
        None => format!("a field has another type than the gateway writes (column {})", error.column()),
    }
}

impl Kind {
    /// Which budget a path counts against.
    #[must_use]
    pub fn of(path: &str) -> Self {
        if path == "/concelier/exports/index.json" || path == "/excititor/mirror/domains" {
            return Self::Index;
        }
        if path.starts_with("/concelier/exports/mirror/") {
            return Self::Download;
        }
        match path.strip_prefix("/excititor/mirror/domains/").and_then(|rest| rest.split_once('/')) {
            Some((_, rest)) if rest.starts_with("exports/") => Self::Download,
            Some((_, "index" | "")) => Self::Index,
            None if path.starts_with("/excititor/mirror/domains/") => Self::Index,
            _ => Self::Other,
        }
    }
}
