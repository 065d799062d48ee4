//! What a move would do, as people consent to it: the same bytes today and tomorrow, and other bytes as soon as anything about it is another.

use std::collections::BTreeMap;
use std::fmt;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::Hash;
use crate::canonical::{self, CanonicalError};
use crate::entry::{Held, Kind, Source};

/// The only version of the format so far. Raised when a field is added or changes.
const SCHEMA: u32 = 1;

/// A plan names every file that changes; what is larger than this is something else.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    ReleaseNew,
    Promotion,
    Advance,
    Rollback,
}

/// A plan. The order of fields is the order in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    schema: u32,
    pub action: Action,
    pub channel: String,
    /// The rings that move; empty in a channel without rings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rings: Vec<String>,
    /// What the target holds now. Another base makes another plan.
    pub base: Held,
    /// The release that is taken, on a promotion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// What the release is called that the target shall hold.
    pub version: String,
    /// The sha256 of its canonical manifest without its date, so that the plan is the same tomorrow.
    pub release: Hash,
    /// Components that the target got by itself: kept, and given up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keep: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub take: Vec<String>,
    /// The sha256 of what every other file shall hold that changes.
    pub files: BTreeMap<Utf8PathBuf, Hash>,
}

/// What a plan is about, before its files are known.
#[derive(Clone, Debug)]
pub struct Intent {
    pub action: Action,
    pub channel: String,
    pub rings: Vec<String>,
    pub base: Held,
    pub source: Option<Source>,
    pub keep: Vec<String>,
    pub take: Vec<String>,
}

impl Plan {
    /// The plan to let a target hold `manifest`. `files` are all that change; of a manifest that was made for this move the date does not count.
    #[must_use]
    pub fn new(intent: Intent, manifest: &release::Manifest, files: &BTreeMap<Utf8PathBuf, String>) -> Self {
        let Intent { action, channel, rings, base, source, mut keep, mut take } = intent;
        keep.sort();
        take.sort();
        let dateless =
            |manifest: &release::Manifest| Hash::from(&release::Manifest { date: None, ..manifest.clone() }.identity());
        let own = dateless(manifest);
        let is_it = |text: &str| {
            let parsed = release::Release::parse(text, source::FileId(0)).0;
            // What people wrote has comments and is taken byte for byte.
            parsed
                .map(|release| release.manifest())
                .is_some_and(|own_text| own_text.to_yaml() == text && dateless(&own_text) == own)
        };
        let files = files
            .iter()
            .map(|(path, text)| (path.clone(), if is_it(text) { own.clone() } else { Hash::of(text.as_bytes()) }))
            .collect();
        Self {
            schema: SCHEMA,
            action,
            channel,
            rings,
            base,
            source,
            version: manifest.version.clone(),
            release: own,
            keep,
            take,
            files,
        }
    }

    /// Reads a plan.
    ///
    /// # Errors
    /// Whatever is not byte for byte what [`Plan::to_json`] writes.
    pub fn parse(bytes: &[u8]) -> Result<Self, CanonicalError> {
        let plan: Self = canonical::read(bytes, SCHEMA, MOST_BYTES)?;
        let texts = std::iter::once(("channel", plan.channel.as_str()))
            .chain(plan.rings.iter().map(|ring| ("rings", ring.as_str())))
            .chain([("base", plan.base.version.as_str()), ("version", plan.version.as_str())])
            .chain(
                plan.source
                    .iter()
                    .flat_map(|source| [source.channel.as_str(), &source.version])
                    .map(|text| ("source", text)),
            )
            .chain(plan.keep.iter().map(|name| ("keep", name.as_str())))
            .chain(plan.take.iter().map(|name| ("take", name.as_str())))
            .chain(plan.files.keys().map(|path| ("files", path.as_str())));
        canonical::printable(texts)?;
        Ok(plan)
    }

    /// The canonical JSON, with a line end. Equal plans give equal bytes.
    #[must_use]
    pub fn to_json(&self) -> String {
        canonical::write(self)
    }

    /// What people sign.
    #[must_use]
    pub fn hash(&self) -> Hash {
        Hash::of(self.to_json().as_bytes())
    }
}

impl From<Action> for Kind {
    fn from(action: Action) -> Self {
        match action {
            Action::ReleaseNew => Self::ReleaseNew,
            Action::Promotion => Self::Promotion,
            Action::Advance => Self::Advance,
            Action::Rollback => Self::Rollback,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Kind::from(*self).fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "schema: 1\nversion: 1.1.0\nchannel: stable\ndate: 2026-01-01T00:00:00Z\ndigests: resolved\ncomponents:\n  web:\n    \
                            image: r.example.org/web\n    tag: \"1\"\n    digest: sha256:\
                            0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n";

    fn plan(manifest: &str, profile: &str) -> Plan {
        let release = release::Release::parse(manifest, source::FileId(0)).0.unwrap();
        let manifest = release.manifest().to_yaml();
        let base = Held { version: "1.0.0".to_owned(), sha256: Hash::of(b"base") };
        let intent = Intent {
            action: Action::Promotion,
            channel: "stable".to_owned(),
            rings: vec!["stage".to_owned()],
            base,
            source: None,
            keep: vec!["b".to_owned(), "a".to_owned()],
            take: Vec::new(),
        };
        let files = BTreeMap::from([
            (Utf8PathBuf::from("r/stable.yaml"), manifest),
            (Utf8PathBuf::from("p.yaml"), profile.to_owned()),
        ]);
        Plan::new(intent, &release.manifest(), &files)
    }

    #[test]
    fn a_plan_is_the_same_tomorrow_and_another_one_if_anything_else_is() {
        let first = plan(MANIFEST, "a: 1\n");
        assert_eq!(plan(&MANIFEST.replace("2026-01-01", "2026-01-02"), "a: 1\n").hash(), first.hash());
        assert_ne!(plan(&MANIFEST.replace("tag: \"1\"", "tag: \"2\""), "a: 1\n").hash(), first.hash());
        assert_ne!(plan(MANIFEST, "a: 2\n").hash(), first.hash());
        let other = Plan { base: Held { sha256: Hash::of(b"other"), ..first.base.clone() }, ..first.clone() };
        assert_ne!(other.hash(), first.hash());
    }

    #[test]
    fn only_the_one_spelling_is_read() {
        let plan = plan(MANIFEST, "a: 1\n");
        let text = plan.to_json();
        assert_eq!(Plan::parse(text.as_bytes()).unwrap(), plan);
        for (from, to) in [
            ("\"schema\": 1", "\"schema\": 2"),
            ("\"stable\"", "\"stable\\n\""),
            ("\n", "\r\n"),
            ("\"action\"", "\"acton\""),
            ("{\n", "{\n  \"more\": 1,\n"),
        ] {
            assert!(Plan::parse(text.replacen(from, to, 1).as_bytes()).is_err(), "{from} → {to}");
        }
        for end in 0..text.len() {
            assert!(Plan::parse(&text.as_bytes()[..end]).is_err(), "{end}");
        }
        let error = Plan::parse(&vec![b'['; (4 << 20) + 1]).unwrap_err().to_string();
        assert_eq!(error, "it has 4194305 bytes; one has at most 4194304");
    }
}
