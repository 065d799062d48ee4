//! Images of a generated workspace: what the release lists, and what a profile holds of it.

use rollout::Hash;

use super::slots::slot;
use crate::rollout::model::Chance;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Component {
    pub(crate) name: String,
    pub(crate) tag: String,
    pub(crate) digest: Hash,
}

/// Tags that are no numbers: a template can print them unquoted, and a trace leads through them.
const WORDS: [&str; 5] = ["1.4.2", "v2", "2025.10.1", "1.0.0-rc.1", "7.0.x"];
/// Tags that YAML without quotes takes for something else.
const NUMBERS: [&str; 3] = ["1.10", "7", "2025.10"];

impl Component {
    pub(crate) fn any(chance: &mut Chance, name: &str) -> Self {
        let tag = if chance.one_in(3) { chance.of(&NUMBERS) } else { chance.of(&WORDS) };
        Self {
            name: name.to_owned(),
            tag: tag.to_owned(),
            digest: Hash::of(format!("{name} {}", chance.below(1 << 40)).as_bytes()),
        }
    }

    pub(crate) fn repository(&self) -> String {
        format!("team/{}", self.name)
    }

    pub(crate) fn reference(&self) -> String {
        format!("{REGISTRY}/{}:{}@sha256:{}", self.repository(), self.tag, self.digest)
    }
}

pub(crate) const REGISTRY: &str = "registry.example.org:5000";

/// What a profile holds of a component, beside what it must hold.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) component: Component,
    /// Never a number: see [`WORDS`].
    pub(crate) tag: String,
    /// `None`: none yet.
    pub(crate) digest: Option<Hash>,
}

impl Held {
    pub(crate) fn any(chance: &mut Chance, component: &Component) -> Self {
        let mut held =
            Self { component: component.clone(), tag: component.tag.clone(), digest: Some(component.digest.clone()) };
        match chance.below(5) {
            0 => {}
            1 => held.digest = Some(Hash::of(b"of another day")),
            2 => held.tag = chance.of(&WORDS).to_owned(),
            3 => {
                held.tag = chance.of(&WORDS).to_owned();
                held.digest = Some(Hash::of(b"of another day"));
            }
            _ => held.digest = None,
        }
        // A release that lists a number for a tag is reached from a word, or the profile has it in quotes.
        held
    }

    /// With some digest.
    pub(crate) fn with_digest(mut self) -> Self {
        self.digest.get_or_insert_with(|| Hash::of(b"of another day"));
        self
    }

    pub(crate) fn tag(&self) -> String {
        slot(&self.tag, &self.component.tag)
    }

    /// The tag as a whole YAML value without quotes, where it can be one.
    pub(crate) fn plain_tag(&self) -> String {
        let quoted = |tag: &str| format!("\"{tag}\"");
        match (NUMBERS.contains(&self.tag.as_str()), NUMBERS.contains(&self.component.tag.as_str())) {
            (true, _) => quoted(&self.tag()),
            (false, true) => slot(&self.tag, &quoted(&self.component.tag)),
            (false, false) => self.tag(),
        }
    }

    pub(crate) fn hex(&self) -> String {
        let now = self.digest.as_ref().map(ToString::to_string).unwrap_or_default();
        slot(&now, &self.component.digest.to_string())
    }

    /// `sha256:…`
    pub(crate) fn digest(&self) -> String {
        let digest = |hash: &Hash| format!("sha256:{hash}");
        slot(&self.digest.as_ref().map(digest).unwrap_or_default(), &digest(&self.component.digest))
    }

    /// `:tag@digest`; a missing digest is put in.
    pub(crate) fn end(&self) -> String {
        let digest = match &self.digest {
            Some(_) => format!("@{}", self.digest()),
            None => slot("", &format!("@sha256:{}", self.component.digest)),
        };
        format!(":{}{digest}", self.tag())
    }

    pub(crate) fn reference(&self) -> String {
        format!("{REGISTRY}/{}{}", self.component.repository(), self.end())
    }
}
