//! The images that a profile uses, wherever its rendering names them.

use std::cmp::Reverse;
use std::ops::Range;
use std::sync::Arc;

use release::{ImageRef, ImageRefError};

use crate::Rendered;
use crate::place::{Object, Path};

/// One image that a profile uses, at one place of its rendering.
#[derive(Clone, Debug)]
pub struct Image {
    /// The reference as rendered.
    pub text: Arc<str>,
    pub reference: Result<ImageRef, ImageRefError>,
    /// Index into the profile's variants: the first one that uses it.
    pub variant: usize,
    pub object: Object,
    pub path: Path,
    /// Where the reference starts in the rendered scalar: 0 unless it is part of an argument.
    pub offset: usize,
    /// Who uses it, such as ``service `authority` ``.
    pub user: String,
    /// The name of the service or container that runs it; empty where it does not run.
    pub runs_as: String,
    pub role: ImageRole,
}

/// How an image is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageRole {
    /// Runs: a service or a container, hooks and init containers included.
    Runs,
    /// Is mounted as a volume or loaded as a model.
    Data,
    /// Is named in a variable, an argument or a custom resource, for something else to run.
    Named,
}

impl Image {
    /// The place of a byte range of the reference; of the whole reference if `None`.
    #[must_use]
    pub fn place(&self, range: Option<Range<usize>>) -> Rendered {
        let range = range.unwrap_or(0..self.text.len());
        let range = range.start + self.offset..range.end + self.offset;
        Rendered { variant: self.variant, object: self.object, path: self.path.clone(), range: Some(range) }
    }

    /// The place of the digest, or of the whole reference if it has none.
    #[must_use]
    pub fn digest_place(&self) -> Rendered {
        let digest = self.reference.as_ref().ok().and_then(|reference| reference.ranges().digest.clone());
        self.place(digest)
    }

    /// The place of the tag, or of the whole reference if it has none.
    #[must_use]
    pub fn tag_place(&self) -> Rendered {
        let tag = self.reference.as_ref().ok().and_then(|reference| reference.ranges().tag.clone());
        self.place(tag)
    }

    /// The place of those parts of the name that are not as in `meant`; of the repository where it shares none of them, or where it only has more.
    #[must_use]
    pub fn differing_place(&self, meant: &ImageRef) -> Rendered {
        let Ok(reference) = &self.reference else { return self.place(None) };
        let ranges = reference.ranges();
        let start = ranges.registry.as_ref().unwrap_or(&ranges.repository).start;
        let written: Vec<&str> = self.text[start..ranges.repository.end].split('/').collect();
        let meant = meant.name();
        let end = written.len() - shared(written.iter().rev(), meant.rsplit('/')).min(written.len());
        let first = shared(written.iter().take(end), meant.split('/'));
        if first == end || end - first == written.len() {
            return self.repository_place();
        }
        let offset = |parts: usize| written.iter().take(parts).map(|part| part.len() + 1).sum::<usize>();
        self.place(Some(start + offset(first)..start + offset(end) - 1))
    }

    /// The place of what makes the text no reference, where that is one part of it.
    #[must_use]
    pub fn damaged_place(&self) -> Rendered {
        use ImageRefError::{Digest, Repository, Tag, Uppercase};
        let range = match &self.reference {
            // The parts of a repository may come from different files: the one in capitals is meant.
            Err(Uppercase(repository)) => {
                let is_capital = |part: &&str| part.contains(|character: char| character.is_ascii_uppercase());
                self.find(repository.split('/').find(is_capital).unwrap_or(repository))
            }
            Err(Repository(part) | Tag(part)) => self.gap().or_else(|| self.find(part)),
            Err(Digest(_)) => self.text.find('@').map(|at| at + 1..self.text.len()),
            _ => None,
        };
        self.place(range)
    }

    /// The separator beside which a part is missing, such as the first byte of `/web:1.0`.
    fn gap(&self) -> Option<Range<usize>> {
        let is_separator = |at: usize| self.text.as_bytes().get(at).is_none_or(|byte| b"/:@".contains(byte));
        let gap = (0..self.text.len())
            .find(|at| is_separator(*at) && (*at == 0 || is_separator(at - 1) || is_separator(at + 1)));
        gap.map(|at| at..at + 1)
    }

    fn find(&self, part: &str) -> Option<Range<usize>> {
        self.text.find(part).map(|start| start..start + part.len())
    }

    /// The place of the repository, or of the whole text if it is no reference.
    #[must_use]
    pub fn repository_place(&self) -> Rendered {
        let repository = self.reference.as_ref().ok().map(|reference| reference.ranges().repository.clone());
        self.place(repository)
    }
}

/// The one of `known` that `reference` is meant to be: it has most of its last parts, or a last part that is spelled nearly the same. Names of one
/// registry are all near each other, so whole names tell nothing.
pub(crate) fn meant<'k>(
    reference: &ImageRef,
    known: impl Iterator<Item = &'k ImageRef> + Clone,
) -> Option<&'k ImageRef> {
    let name = reference.name();
    let alike = |known: &&ImageRef| shared(name.rsplit('/'), known.name().rsplit('/'));
    // Of equals the first.
    let best = known.clone().min_by_key(|known| Reverse(alike(known)));
    best.filter(|best| alike(best) > 0).or_else(|| {
        let near = release::nearest(reference.short_name(), known.clone().map(ImageRef::short_name))?;
        known.clone().find(|known| known.short_name() == near)
    })
}

/// How many parts of two names are the same before the first that differ.
fn shared<'a, A: AsRef<str>>(one: impl Iterator<Item = A>, other: impl Iterator<Item = &'a str>) -> usize {
    one.zip(other).take_while(|(one, other)| one.as_ref() == *other).count()
}

/// Whether a rendered value of a variable is an image: the name ends in `_IMAGE`, and the whole value is a reference that
/// says more than a bare word: `DEFAULT_IMAGE: logo` names a picture. What carries a digest is meant to be one, damaged or not, and so is what would
/// be one of some registry without its capitals.
#[must_use]
pub(crate) fn is_image_variable(name: &str, value: &str) -> bool {
    let says_more = |reference: ImageRef| {
        let ranges = reference.ranges();
        ranges.registry.is_some() || ranges.tag.is_some() || ranges.digest.is_some()
    };
    if !name.ends_with("_IMAGE") {
        return false;
    }
    let lower = value.to_ascii_lowercase();
    let is_of_registry = |reference: ImageRef| reference.ranges().registry.is_some();
    match value.parse::<ImageRef>() {
        Ok(reference) => says_more(reference),
        Err(_) => lower.contains("@sha256:") || lower.parse::<ImageRef>().is_ok_and(is_of_registry),
    }
}

/// Matches `text` against a pattern with one `*`; gives the range of what the `*` stands for.
pub(crate) fn match_argument(pattern: &str, text: &str) -> Option<Range<usize>> {
    let (before, after) = pattern.split_once('*')?;
    let rest = text.strip_prefix(before)?;
    let inner = rest.strip_suffix(after)?;
    (!inner.is_empty()).then(|| before.len()..before.len() + inner.len())
}

/// Matches `text` against a pattern in which each `*` stands for anything.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(first) = pieces.next() else { return false };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut last: Option<&str> = None;
    for piece in pieces {
        if let Some(middle) = last {
            let Some(at) = rest.find(middle) else { return false };
            rest = &rest[at + middle.len()..];
        }
        last = Some(piece);
    }
    match last {
        None => rest.is_empty(),
        Some(end) => rest.ends_with(end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_holds_an_image_is_known_by_name_and_value() {
        let digest = "3c".repeat(32);
        for (name, value, expected) in [
            ("JOB_IMAGE", "redis:7", true),
            ("JOB_IMAGE", "logo", false),
            ("JOB_IMAGE", &format!("redis@sha256:{digest}"), true),
            ("JOB_IMAGE", &format!("redis@SHA256:{digest}"), true),
            ("JOB_IMAGE", "redis@sha256:short", true),
            ("JOB", "redis:7", false),
        ] {
            assert_eq!(is_image_variable(name, value), expected, "{name} {value}");
        }
    }

    fn image(text: &str) -> Image {
        Image {
            text: text.into(),
            reference: text.parse(),
            variant: 0,
            object: Object::Compose,
            path: Path::default(),
            offset: 0,
            user: String::new(),
            runs_as: String::new(),
            role: ImageRole::Runs,
        }
    }

    #[test]
    fn what_differs_in_a_name_is_the_place() {
        let known =
            ["r.example/shop/web", "r.example/shop/eu/api", "nats"].map(|name| name.parse::<ImageRef>().unwrap());
        for (text, expected) in [
            ("r.exampel/shop/web:1.0", "r.exampel"),
            ("10/shop/web", "10"),
            ("r.example/shap/web", "shap"),
            ("r.example/shop/us/api:1", "us"),
            ("r.example/my/shop/eu/api", "my"),
            ("quay.io/nats", "quay.io"),
            ("shop/web", "shop/web"),
            ("r.example/web", "web"),
            ("r.example/eu/shop/api", "eu/shop"),
            ("r.example/shop/wep", "wep"),
            ("natz", "natz"),
            ("r.example/other/thing", "other/thing"),
            ("thing", "thing"),
        ] {
            let image = image(text);
            let meant = image.reference.as_ref().ok().and_then(|reference| meant(reference, known.iter()));
            let place = meant.map_or_else(|| image.repository_place(), |meant| image.differing_place(meant));
            assert_eq!(&text[place.range.unwrap()], expected, "{text}");
        }
    }

    #[test]
    fn where_a_part_is_missing_is_the_place() {
        for (text, expected) in [
            ("/shop/web:1.0", 0..1),
            ("r.example//web:1.0", 9..10),
            ("r.example/shop/:1.0", 14..15),
            ("r.example:5000/web:", 18..19),
            ("web:@sha256:1", 3..4),
            ("web:.1", 4..6),
            ("r.example/Web/a", 10..13),
        ] {
            assert_eq!(image(text).damaged_place().range, Some(expected), "{text}");
        }
    }

    #[test]
    fn patterns_match() {
        for (pattern, text, expected) in [
            ("2.10.*", "2.10.29-alpine", true),
            ("2.10.*", "2.1.0", false),
            ("*", "", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "ac", false),
            ("a*a", "a", false),
            ("exact", "exact", true),
            ("exact", "exactly", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
        assert_eq!(match_argument("--image=*", "--image=nats"), Some(8..12));
        assert_eq!(match_argument("--image=*", "--image="), None);
    }
}
