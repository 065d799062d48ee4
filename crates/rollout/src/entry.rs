//! One entry of the ledger, and its one canonical spelling.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Hash, Moment};

/// The only version of the format so far. Raised when a field is added or changes.
const SCHEMA: u32 = 1;

/// An entry has a few kilobytes; what is larger is something else.
const MOST_BYTES: usize = 1024 * 1024;

/// Names, versions and reasons are printed in tables: longer ones are a mistake or an attack.
const LONGEST_TEXT: usize = 2_000;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A new release in a channel, made for it.
    ReleaseNew,
    /// From one channel into the next.
    Promotion,
    /// From one ring of a channel to the next.
    Advance,
    Rollback,
    Hold,
    HoldLift,
    MarkGood,
    /// What was seen to run at a site.
    Deployment,
    /// Consent to a move that was made without it, in an emergency.
    Approval,
}

/// A release, by version and identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    pub version: String,
    /// The sha256 of its canonical manifest.
    pub sha256: Hash,
}

/// The release that was promoted, and its channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    pub channel: String,
    pub version: String,
    /// The sha256 of its canonical manifest.
    pub sha256: Hash,
}

/// A condition, and how it stood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    pub gate: String,
    /// `passed`, or how it was passed by.
    pub result: String,
    /// The sha256 of what its command printed; the text lies in the ledger's folder under that name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Hash>,
}

/// A file that proves something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The file's name, without its folders.
    pub name: String,
    pub sha256: Hash,
    /// The probe and its verdict, where the file is a report of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
}

/// Somebody's signed consent to a plan, as it was checked. What was signed can be built again from these fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// The name under which the key is trusted.
    pub by: String,
    pub role: String,
    /// The hash of the plan.
    pub plan: Hash,
    /// The release that the target held when it was signed.
    pub base: Hash,
    pub until: Moment,
    /// The Ed25519 signature, in base64.
    pub signature: String,
}

/// Consent that was not there when something moved in an emergency, and is owed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Due {
    pub role: String,
    /// How many are missing.
    pub count: u32,
}

/// What a profile was rendered from when something moved: manifests apart, which an entry names by themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inputs {
    pub profile: String,
    /// One hash over the names and contents of all files that the render read.
    pub sha256: Hash,
}

/// What was seen to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployed {
    pub site: String,
    pub profile: String,
    /// When it was seen.
    pub seen: Moment,
    /// Digests of the images that ran, sorted: `sha256:…`.
    pub images: Vec<String>,
    /// A hash of the configuration that ran, where whoever looked gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<Hash>,
}

/// What happened, before it has a time and a place in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    pub kind: Kind,
    pub by: String,
    pub channel: String,
    /// The rings that it is about; empty: the whole channel.
    pub rings: Vec<String>,
    pub from: Option<Held>,
    pub to: Option<Held>,
    pub source: Option<Source>,
    pub reason: Option<String>,
    /// The holds that a lift ends.
    pub lifts: Vec<Hash>,
    pub gates: Vec<Gate>,
    pub evidence: Vec<Evidence>,
    /// The hash of the plan that was carried out.
    pub plan: Option<Hash>,
    pub approvals: Vec<Approval>,
    pub due: Vec<Due>,
    /// The entry whose plan is approved afterwards.
    pub approves: Option<Hash>,
    /// Why a freeze was passed by.
    pub emergency: Option<String>,
    /// Why data may be lost: the rollback crosses a step that cannot be taken back.
    pub data_loss: Option<String>,
    /// The commit that was checked out.
    pub commit: Option<String>,
    pub inputs: Vec<Inputs>,
    pub deployed: Option<Deployed>,
}

impl Draft {
    /// An entry about a channel or some rings of it, everything else empty.
    #[must_use]
    pub fn new(kind: Kind, by: &str, channel: &str, rings: Vec<String>) -> Self {
        Self {
            kind,
            by: by.to_owned(),
            channel: channel.to_owned(),
            rings,
            from: None,
            to: None,
            source: None,
            reason: None,
            lifts: Vec::new(),
            gates: Vec::new(),
            evidence: Vec::new(),
            plan: None,
            approvals: Vec::new(),
            due: Vec::new(),
            approves: None,
            emergency: None,
            data_loss: None,
            commit: None,
            inputs: Vec::new(),
            deployed: None,
        }
    }
}

/// One entry of the ledger. The order of fields is the order in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    schema: u32,
    pub kind: Kind,
    pub at: Moment,
    /// Who says so. Nobody has proved it.
    pub by: String,
    pub channel: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rings: Vec<String>,
    /// What the channel or ring held before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Held>,
    /// What it holds since; on `mark-good`, the release that is good; on a deployment, the one that should have run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Held>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lifts: Vec<Hash>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<Gate>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Hash>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub due: Vec<Due>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approves: Option<Hash>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emergency: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_loss: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Inputs>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployed: Option<Deployed>,
    /// The newest entries before this one, sorted: none on the first, several where branches were merged.
    pub before: Vec<Hash>,
}

/// Why bytes are no entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    #[error("it has {0} bytes; an entry has at most {MOST_BYTES}")]
    TooLarge(usize),
    #[error("it is no JSON of an entry: {0}")]
    Malformed(String),
    #[error("it has schema {0}; this program reads schema {SCHEMA}")]
    Schema(u64),
    #[error("a `{kind}` has no `{field}`, or one too many")]
    Shape { kind: Kind, field: &'static str },
    #[error("`{0}` must be one line of 1 to {LONGEST_TEXT} bytes without control characters")]
    Text(&'static str),
    #[error("it is not spelled as an entry is written: one field per line, in order, with nothing else")]
    NotCanonical,
}

impl Entry {
    pub(crate) fn of(draft: Draft, at: Moment, mut before: Vec<Hash>) -> Self {
        before.sort();
        let Draft { kind, by, channel, rings, from, to, source, reason, lifts, gates, evidence, .. } = draft;
        let Draft { plan, approvals, due, approves, emergency, data_loss, commit, inputs, deployed, .. } = draft;
        Self {
            schema: SCHEMA,
            kind,
            at,
            by,
            channel,
            rings,
            from,
            to,
            source,
            reason,
            lifts,
            gates,
            evidence,
            plan,
            approvals,
            due,
            approves,
            emergency,
            data_loss,
            commit,
            inputs,
            deployed,
            before,
        }
    }

    /// Reads an entry.
    ///
    /// # Errors
    /// Whatever is not byte for byte what [`Entry::to_json`] writes.
    pub fn parse(bytes: &[u8]) -> Result<Self, EntryError> {
        fits(bytes)?;
        let malformed = |error: serde_json::Error| EntryError::Malformed(error.to_string());
        let entry: Self = serde_json::from_slice(bytes).map_err(|error| match later_schema(bytes) {
            Some(schema) => EntryError::Schema(schema),
            None => malformed(error),
        })?;
        if entry.schema != SCHEMA {
            return Err(EntryError::Schema(entry.schema.into()));
        }
        entry.check()?;
        if entry.to_json().as_bytes() == bytes { Ok(entry) } else { Err(EntryError::NotCanonical) }
    }

    /// The canonical JSON, with a line end. Equal entries give equal bytes.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Texts, numbers and lists of them: nothing that JSON cannot hold.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// The name of its file, by the hash of its bytes.
    #[must_use]
    pub fn file_name(&self, hash: &Hash) -> String {
        format!("{}-{}.json", self.at.basic(), hash.short())
    }

    /// Whether it is about this ring; without one, about the channel as a whole or any ring of it.
    #[must_use]
    pub fn is_about(&self, channel: &str, ring: Option<&str>) -> bool {
        self.channel == channel
            && (self.rings.is_empty() || ring.is_none_or(|ring| self.rings.iter().any(|own| own == ring)))
    }

    /// Every kind has its fields, and texts can be printed.
    pub(crate) fn check(&self) -> Result<(), EntryError> {
        let kind = self.kind;
        let moves = kind.moves();
        let proves = matches!(kind, Kind::MarkGood | Kind::Deployment);
        let fields = [
            ("from", self.from.is_some(), moves, moves),
            ("to", self.to.is_some(), moves || proves, moves || proves),
            ("source", self.source.is_some(), kind == Kind::Promotion, kind == Kind::Promotion),
            ("reason", self.reason.is_some(), matches!(kind, Kind::Rollback | Kind::Hold), true),
            ("lifts", !self.lifts.is_empty(), kind == Kind::HoldLift, kind == Kind::HoldLift),
            ("gates", !self.gates.is_empty(), kind == Kind::Deployment, moves || kind == Kind::Deployment),
            ("evidence", !self.evidence.is_empty(), proves, proves || kind == Kind::ReleaseNew),
            ("plan", self.plan.is_some(), !self.due.is_empty(), moves),
            ("approvals", !self.approvals.is_empty(), kind == Kind::Approval, moves || kind == Kind::Approval),
            ("due", !self.due.is_empty(), false, moves),
            ("approves", self.approves.is_some(), kind == Kind::Approval, kind == Kind::Approval),
            ("emergency", self.emergency.is_some(), false, moves),
            ("data_loss", self.data_loss.is_some(), false, kind == Kind::Rollback),
            ("commit", self.commit.is_some(), false, moves || proves),
            ("inputs", !self.inputs.is_empty(), false, moves),
            ("deployed", self.deployed.is_some(), kind == Kind::Deployment, kind == Kind::Deployment),
        ];
        for (field, is_there, needed, allowed) in fields {
            if (needed && !is_there) || (is_there && !allowed) {
                return Err(EntryError::Shape { kind, field });
            }
        }
        let held = self.from.iter().chain(&self.to).map(|held| ("version", held.version.as_str()));
        let source =
            self.source.iter().flat_map(|source| [("source", source.channel.as_str()), ("source", &source.version)]);
        let gates = self.gates.iter().flat_map(|gate| [("gates", gate.gate.as_str()), ("gates", &gate.result)]);
        let evidence = self.evidence.iter().flat_map(|evidence| {
            let optional = evidence.probe.iter().chain(&evidence.verdict).map(String::as_str);
            std::iter::once(evidence.name.as_str()).chain(optional).map(|text| ("evidence", text))
        });
        let approvals = self.approvals.iter().flat_map(|approval| {
            [approval.by.as_str(), &approval.role, &approval.signature].map(|text| ("approvals", text))
        });
        let due = self.due.iter().map(|due| ("due", due.role.as_str()));
        let inputs = self.inputs.iter().map(|inputs| ("inputs", inputs.profile.as_str()));
        let deployed = self.deployed.iter().flat_map(|deployed| {
            let images = deployed.images.iter().map(String::as_str);
            [deployed.site.as_str(), &deployed.profile].into_iter().chain(images).map(|text| ("deployed", text))
        });
        let single = [("emergency", &self.emergency), ("data_loss", &self.data_loss), ("commit", &self.commit)]
            .into_iter()
            .filter_map(|(field, text)| Some((field, text.as_deref()?)));
        let texts = [("by", self.by.as_str()), ("channel", &self.channel)]
            .into_iter()
            .chain(self.rings.iter().map(|ring| ("rings", ring.as_str())))
            .chain(self.reason.iter().map(|reason| ("reason", reason.as_str())));
        let wrong = texts
            .chain(held)
            .chain(source)
            .chain(gates)
            .chain(evidence)
            .chain(approvals)
            .chain(due)
            .chain(inputs)
            .chain(deployed)
            .chain(single)
            .find(|(_, text)| !is_printable(text));
        match wrong {
            Some((field, _)) => Err(EntryError::Text(field)),
            None => Ok(()),
        }
    }
}

/// Whether an entry of these bytes is read back.
pub(crate) fn fits(bytes: impl AsRef<[u8]>) -> Result<(), EntryError> {
    let found = bytes.as_ref().len();
    if found > MOST_BYTES { Err(EntryError::TooLarge(found)) } else { Ok(()) }
}

/// Whether a text can stand in an entry: something, on one line, and not without end.
pub(crate) fn is_printable(text: &str) -> bool {
    let hidden = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{feff}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    !text.trim().is_empty() && text.len() <= LONGEST_TEXT && !text.chars().any(hidden)
}

/// Whether a file of the ledger's folder claims to be an entry. Hidden files and notes of people are none.
#[must_use]
pub fn is_entry_name(name: &str) -> bool {
    !name.starts_with('.') && name.ends_with(".json")
}

impl Kind {
    /// Whether something holds another release since.
    #[must_use]
    pub fn moves(self) -> bool {
        matches!(self, Self::ReleaseNew | Self::Promotion | Self::Advance | Self::Rollback)
    }

    /// The word in the file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReleaseNew => "release-new",
            Self::Promotion => "promotion",
            Self::Advance => "advance",
            Self::Rollback => "rollback",
            Self::Hold => "hold",
            Self::HoldLift => "hold-lift",
            Self::MarkGood => "mark-good",
            Self::Deployment => "deployment",
            Self::Approval => "approval",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The schema of an entry that has another one: it has fields that this program does not know.
fn later_schema(bytes: &[u8]) -> Option<u64> {
    let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    value.get("schema")?.as_u64().filter(|schema| *schema != u64::from(SCHEMA))
}
