//! The plainest manifests, as [`Manifest::to_yaml`](crate::Manifest::to_yaml) writes them, read without a tree.
//!
//! Commands that move a release read every one there was. This makes of a text what the strict reader makes of it, or nothing: what it
//! does not know, every problem among it, is left to that one. A test holds it to this.

use std::sync::OnceLock;

use source::{FileId, Span};

use super::{Component, Group, ListedDigest, PromotedFrom, Release, UNRESOLVED, fingerprint, is_calendar};
use crate::date::is_moment;
use crate::manifest::{DigestKind, reads_otherwise};
use crate::{ImageRef, Spanned, is_tag};

pub(super) fn read(text: &str, file: FileId) -> Option<Release> {
    let mut lines = Lines { text, file, at: 0 };
    lines.line("schema: 1\n")?;
    let version = lines.pair("version: ")?.map(str::to_owned);
    let calendar = lines.pair("calendar: ");
    let channel = lines.pair("channel: ")?.map(str::to_owned);
    let date = lines.pair("date: ");
    let promoted_from = match lines.line("promoted_from:\n") {
        Some(()) => Some(lines.origin()?),
        None => None,
    };
    if !calendar.as_ref().is_none_or(|calendar| is_calendar(calendar))
        || !date.as_ref().is_none_or(|date| is_moment(date))
    {
        return None;
    }
    let digests = lines.pair("digests: ")?;
    let digests = match digests.value {
        "sample" => digests.map(|_| DigestKind::Sample),
        "resolved" => digests.map(|_| DigestKind::Resolved),
        _ => return None,
    };
    // A component takes some 130 bytes of text.
    let mut components = Vec::with_capacity(text.len() / 128);
    for (title, group) in [("components:\n", Group::Service), ("infrastructure:\n", Group::Infrastructure)] {
        if lines.line(title).is_some() {
            components.push(lines.component(group)?);
            while lines.text.get(lines.at..)?.starts_with("  ") {
                components.push(lines.component(group)?);
            }
        } else if group == Group::Service {
            return None;
        }
    }
    if lines.at != text.len() {
        return None;
    }
    Some(Release {
        span: Span::new(file, 0..text.trim_end_matches('\n').len()),
        version,
        calendar: calendar.map(|calendar| calendar.map(str::to_owned)),
        channel,
        support: None,
        date: date.map(|date| date.map(str::to_owned)),
        promoted_from,
        digests,
        migrations: Vec::new(),
        components,
    })
}

/// A text, and how far it is read.
struct Lines<'t> {
    text: &'t str,
    file: FileId,
    at: usize,
}

impl<'t> Lines<'t> {
    /// Steps over a whole line.
    fn line(&mut self, line: &str) -> Option<()> {
        self.text.get(self.at..)?.starts_with(line).then(|| self.at += line.len())
    }

    /// A key and its text, if the key is next and its text is as plain as can be.
    fn pair(&mut self, key: &str) -> Option<Spanned<&'t str>> {
        let rest = self.text.get(self.at..)?.strip_prefix(key)?;
        let (value, _) = rest.split_once('\n')?;
        let word = self.word(self.at + key.len(), value)?;
        self.at += key.len() + value.len() + 1;
        Some(word)
    }

    /// The word that is written at `start`, with quotes or without.
    fn word(&self, start: usize, written: &'t str) -> Option<Spanned<&'t str>> {
        let quoted = written.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let start = start + usize::from(quoted.is_some());
        let text = quoted.unwrap_or(written);
        let is_text = is_simple(text) && (quoted.is_some() || !means_another(text));
        is_text.then(|| Spanned::new(text, Span::new(self.file, start..start + text.len())))
    }

    fn origin(&mut self) -> Option<PromotedFrom> {
        let version = self.pair("  version: ")?.map(str::to_owned);
        let sha256 = self.pair("  sha256: ")?.map(str::to_owned);
        let is_sha256 = sha256.len() == 64 && sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        is_sha256.then_some(PromotedFrom { version, sha256 })
    }

    fn component(&mut self, group: Group) -> Option<Component> {
        let written = self.text.get(self.at..)?.strip_prefix("  ")?.split_once(":\n")?.0;
        let name = self.word(self.at + 2, written).filter(|name| !name.contains(':'))?.map(str::to_owned);
        self.at += 2 + written.len() + 2;
        let image = self.pair("    image: ")?;
        let reference: ImageRef = image.parse().ok()?;
        let tag = self.pair("    tag: ").filter(|tag| is_tag(tag))?.map(str::to_owned);
        let digest = self.pair("    digest: ")?;
        let listed = match digest.value {
            UNRESOLVED => ListedDigest::Unresolved,
            digest => ListedDigest::Digest(digest.parse().ok()?),
        };
        let fingerprint = fingerprint(&reference, &tag);
        (reference.tag().is_none() && reference.digest().is_none()).then(|| Component {
            name,
            group,
            image: image.map(|_| reference),
            tag,
            digest: digest.map(|_| listed),
            only_in: Vec::new(),
            platforms: Vec::new(),
            availability: None,
            reason: None,
            sample: OnceLock::new(),
            fingerprint,
        })
    }
}

/// Whether a text is one plain word, which neither YAML nor a terminal takes for anything but text.
fn is_simple(text: &str) -> bool {
    text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
        && text.bytes().all(|byte| IS_OF_WORDS[usize::from(byte)])
        && !text.ends_with(':')
}

const IS_OF_WORDS: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] =
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'/' | b':' | b'@' | b'+');
        byte += 1;
    }
    table
};

/// Whether such a word, without quotes, may mean a number or the like.
fn means_another(text: &str) -> bool {
    let is_reference =
        text.starts_with("sha256:") || (text.contains('/') && text.bytes().any(|byte| byte.is_ascii_lowercase()));
    !is_reference && reads_otherwise(text)
}

#[cfg(test)]
mod tests;
