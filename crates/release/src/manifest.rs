//! A release manifest as plain data, and its one canonical spelling.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{Digest, Migration};

/// A release: which image digests belong together.
///
/// The file of a channel's current release; replaced at promotion, kept in the archive.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub schema: u32,
    /// Version of the release, such as `2025.09.2`.
    #[schemars(length(min = 1))]
    pub version: String,
    /// Calendar tag `YYYY.MM`, quoted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// The channel that this release is for.
    #[schemars(length(min = 1))]
    pub channel: String,
    /// How long the release is supported.
    pub support: Option<SupportLine>,
    /// When it was made, in UTC: `2025-09-20T00:00:00Z`.
    pub date: Option<String>,
    /// The release that it was promoted from; absent on a release made by hand.
    pub promoted_from: Option<Origin>,
    /// Whether the digests are real or stand-ins.
    pub digests: DigestKind,
    /// What the data has gone through once this release runs, in order; steps of the releases before it too.
    #[serde(default)]
    pub migrations: Vec<Migration>,
    /// Services of the product, by name.
    pub components: BTreeMap<String, Listed>,
    /// Images that others make, by name.
    #[serde(default)]
    pub infrastructure: BTreeMap<String, Listed>,
}

/// How long a release is supported.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SupportLine {
    /// Such as `lts`.
    pub line: String,
    /// The last day, such as `2026-09-30`.
    pub until: Option<String>,
}

/// The release that another one was promoted from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    pub version: String,
    /// sha256 of its canonical manifest, 64 hexadecimal digits.
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    pub sha256: String,
}

/// Whether a release's digests can be pulled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DigestKind {
    /// Some digests are not known yet (`unresolved`), or sample digests: the sha256 of `<image>:<tag>`. They cannot be pulled.
    Sample,
    /// All digests are those of a registry.
    Resolved,
}

/// One image of a release.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// Registry and repository, without tag and digest.
    pub image: String,
    pub tag: String,
    /// The digest of the multi-platform index, or `unresolved`.
    #[schemars(regex(pattern = r"^(unresolved|sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$"))]
    pub digest: String,
    /// Who uses this image: kinds (`compose`, `helm`, `manifests`) and names of profiles; all profiles if absent.
    #[serde(default)]
    #[schemars(inner(length(min = 1)))]
    pub only_in: Vec<String>,
    /// Digests of single platforms, such as `linux/amd64`, which profiles must not pin.
    #[serde(default)]
    pub platforms: BTreeMap<String, String>,
    /// Where the image can be had; `public` if absent.
    pub availability: Option<Availability>,
    /// Why something about this image is as it is.
    pub reason: Option<String>,
}

/// A kind of profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Compose,
    Helm,
    Manifests,
}

/// One word of `only_in`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Only {
    /// Every profile of this kind.
    Kind(Kind),
    /// The profile of this name. One that is named like a kind cannot be named here.
    Profile(String),
}

/// Where an image can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Availability {
    Public,
    /// Its registry serves it no longer: a private mirror must hold it.
    PrivateMirror,
}

impl Kind {
    /// The word in `only_in`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Compose => "compose",
            Self::Helm => "helm",
            Self::Manifests => "manifests",
        }
    }

    const ALL: [Self; 3] = [Self::Compose, Self::Helm, Self::Manifests];
}

impl Only {
    /// What a word of `only_in` means.
    #[must_use]
    pub fn new(word: &str) -> Self {
        let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == word);
        kind.map_or_else(|| Self::Profile(word.to_owned()), Self::Kind)
    }

    /// The word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Kind(kind) => kind.as_str(),
            Self::Profile(name) => name,
        }
    }
}

impl DigestKind {
    /// The word after `digests:`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sample => "sample",
            Self::Resolved => "resolved",
        }
    }
}

impl Availability {
    /// The word after `availability:`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::PrivateMirror => "private-mirror",
        }
    }
}

impl Manifest {
    /// The canonical YAML: fixed key order, components by name, one spelling per value. Equal manifests give equal bytes.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        let mut out = format!("schema: {}\n", self.schema);
        let mut pair = |key: &str, value: &str| {
            // Writing to a string cannot fail, here and below.
            let _ = writeln!(out, "{key}: {}", scalar(value));
        };
        pair("version", &self.version);
        if let Some(calendar) = &self.calendar {
            pair("calendar", calendar);
        }
        pair("channel", &self.channel);
        if let Some(support) = &self.support {
            let _ = writeln!(out, "support:\n  line: {}", scalar(&support.line));
            if let Some(until) = &support.until {
                let _ = writeln!(out, "  until: {}", scalar(until));
            }
        }
        if let Some(date) = &self.date {
            let _ = writeln!(out, "date: {}", scalar(date));
        }
        if let Some(origin) = &self.promoted_from {
            let (version, sha256) = (scalar(&origin.version), scalar(&origin.sha256));
            let _ = writeln!(out, "promoted_from:\n  version: {version}\n  sha256: {sha256}");
        }
        let _ = writeln!(out, "digests: {}", self.digests.as_str());
        write_migrations(&mut out, &self.migrations);
        write_group(&mut out, "components", &self.components);
        if !self.infrastructure.is_empty() {
            write_group(&mut out, "infrastructure", &self.infrastructure);
        }
        out
    }

    /// The identity of the release: the sha256 of its canonical manifest.
    #[must_use]
    pub fn identity(&self) -> Digest {
        Digest::sha256(self.to_yaml().as_bytes())
    }
}

/// Their order is the order in which they happen, so it stays.
fn write_migrations(out: &mut String, migrations: &[Migration]) {
    if !migrations.is_empty() {
        let _ = writeln!(out, "migrations:");
    }
    for migration in migrations {
        let _ = writeln!(out, "  - id: {}\n    reversible: {}", scalar(&migration.id), migration.reversible);
        for (key, text) in [("backup", &migration.backup), ("down", &migration.down)] {
            if let Some(text) = text {
                let _ = writeln!(out, "    {key}: {}", scalar(text));
            }
        }
    }
}

fn write_group(out: &mut String, name: &str, group: &BTreeMap<String, Listed>) {
    if group.is_empty() {
        let _ = writeln!(out, "{name}: {{}}");
        return;
    }
    let _ = writeln!(out, "{name}:");
    for (name, listed) in group {
        let _ = writeln!(out, "  {}:", scalar(name));
        for (key, value) in [("image", &listed.image), ("tag", &listed.tag), ("digest", &listed.digest)] {
            let _ = writeln!(out, "    {key}: {}", scalar(value));
        }
        if !listed.only_in.is_empty() {
            let words: BTreeSet<String> = listed.only_in.iter().map(|word| scalar(word)).collect();
            let words: Vec<String> = words.into_iter().collect();
            let _ = writeln!(out, "    only_in: [{}]", words.join(", "));
        }
        if !listed.platforms.is_empty() {
            let _ = writeln!(out, "    platforms:");
            for (platform, digest) in &listed.platforms {
                let _ = writeln!(out, "      {}: {}", scalar(platform), scalar(digest));
            }
        }
        if let Some(availability) = listed.availability {
            let _ = writeln!(out, "    availability: {}", availability.as_str());
        }
        if let Some(reason) = &listed.reason {
            let _ = writeln!(out, "    reason: {}", scalar(reason));
        }
    }
}

/// A text as a YAML scalar: plain where every YAML version reads it as that text (or, for dates, prints it the same),
/// else in double quotes.
#[must_use]
pub fn scalar(text: &str) -> String {
    let plain_characters = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'/' | b':' | b'@' | b'+'));
    let starts_plain = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if plain_characters && starts_plain && !text.ends_with(':') && !reads_otherwise(text) {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            other if other.is_control() || matches!(other, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(other));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// Whether a plain scalar could be read as a number, a boolean, null or a sexagesimal. Errs towards quoting; dates and
/// moments (which our reader takes as written) stay plain.
pub(crate) fn reads_otherwise(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    if ["null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf"].contains(&lower.as_str()) {
        return true;
    }
    if text.parse::<crate::Date>().is_ok() || crate::date::is_moment(text) {
        return false;
    }
    // `1.2.3` is no number, nor is a text that starts with digits and goes on with letters other than exponent or base.
    let numeric = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'_' | b'-' | b'+' | b'.' | b':');
    let dots = text.bytes().filter(|byte| *byte == b'.').count();
    let only_numeric = text.bytes().all(numeric) && dots <= 1;
    let based = ["0x", "0o", "0b"].iter().any(|base| lower.starts_with(base));
    let exponent = lower.bytes().next().is_some_and(|byte| byte.is_ascii_digit())
        && lower.bytes().all(|byte| numeric(byte) || byte == b'e')
        && dots <= 1;
    only_numeric || based || exponent
}

#[cfg(test)]
mod tests;
