//! Which archived releases can matter to those that run.
//!
//! A finding about an archived manifest and one that runs is about a version, a tag or a digest that both have. So a manifest in which none
//! of those words stands has no part in it, and need not be taken apart.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use release::Release;

use crate::{ReleaseInput, Role};

/// What releases that run have in common with an archived one, if there is anything between them.
pub struct Words {
    texts: BTreeSet<String>,
    /// `None`: they cannot be looked for.
    finder: Option<AhoCorasick>,
}

impl Words {
    /// The versions, tags and digests of all manifests that are not of the archive.
    pub fn of<'r>(releases: impl Iterator<Item = &'r ReleaseInput>) -> Self {
        let running = releases.filter(|input| input.role != Role::Archive).filter_map(ReleaseInput::release);
        Self::new(running.flat_map(words_of))
    }

    /// These words. Empty ones stand nowhere.
    pub fn new<'w>(words: impl IntoIterator<Item = &'w str>) -> Self {
        Self::of_texts(words.into_iter().filter(|word| !word.is_empty()).map(str::to_owned).collect())
    }

    fn of_texts(texts: BTreeSet<String>) -> Self {
        // YAML may break a text where it has a space, and doubles a quote.
        let is_apart = |letter: char| letter.is_whitespace() || letter == '\'';
        let is_in_one_piece = !texts.iter().any(|word| word.contains(is_apart));
        // Digits and letters that many words start with are everywhere: looking for them first takes longer. One word is looked for whole.
        let mut builder = AhoCorasick::builder();
        builder.prefilter(texts.len() == 1).kind(Some(AhoCorasickKind::DFA));
        let finder = || builder.build(&texts).ok();
        let finder = is_in_one_piece.then(finder).flatten();
        Self { texts, finder }
    }

    /// Those of `more` that are not among these; `None` if all are.
    #[must_use]
    pub fn beyond(&self, more: &Self) -> Option<Self> {
        let texts: BTreeSet<String> = more.texts.difference(&self.texts).cloned().collect();
        (!texts.is_empty()).then(|| Self::of_texts(texts))
    }

    /// Whether one of them may be a value of this manifest. A text with escapes may say anything.
    #[must_use]
    pub fn may_stand_in(&self, input: &ReleaseInput) -> bool {
        let Some(finder) = &self.finder else { return true };
        memchr::memchr(b'\\', input.text().as_bytes()).is_some() || finder.is_match(input.text())
    }
}

fn words_of(release: &Release) -> impl Iterator<Item = &str> {
    let of_components = release.components.iter().flat_map(|component| {
        let platforms = component.platforms.iter().map(|(_, digest)| digest.value.as_str());
        let digest = component.digest.get().map(release::Digest::as_str);
        std::iter::once(component.tag.value.as_str()).chain(digest).chain(platforms)
    });
    std::iter::once(release.version.value.as_str()).chain(of_components)
}

#[cfg(test)]
mod tests;
