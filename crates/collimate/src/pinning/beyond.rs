//! What a digest changes beside the references that it is written into.
//!
//! A template can look at a tag, or at whether there is a digest, and print something else by it; no trace tells. So what a plan makes of profiles is
//! held against what it makes of them without the digests that it brings to where none was. A reference may carry its digest wherever it stands, and a
//! hash of what holds one may be another. Everything else is the same, or the digest is not written. What a template makes of another tag, or
//! of another digest in the place of one, is what the release means.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use alignment::{Image, Object, Path, Profile, Rendered, Rendering};
use composefile::{Node, Value};
use release::ImagesAt;
use source::{Segment, Span, Text, is_secret_name};
use yamlspan::{Kind, NodeRef};

/// Hashes are often cut, where they are part of a name; shorter words of hexadecimal digits are words.
const SHORTEST_HASH: usize = 8;

/// Longer values tell nothing in a line; a tag with a digest is as long as this.
const LONGEST_SHOWN: usize = 120;

/// References with their digests, each with the same without.
struct References(Vec<(String, String)>);

impl References {
    /// Without their registries, which are not always there where a reference is said again.
    fn of(profile: &Profile, images_at: &[ImagesAt]) -> Self {
        let pair = |image: Image| {
            let ranges = image.reference.as_ref().ok()?.ranges();
            let end = ranges.digest.as_ref()?.end;
            let bare = ranges.tag.as_ref().unwrap_or(&ranges.repository).end;
            let text = |end| image.text.get(ranges.repository.start..end).map(str::to_owned);
            Some((text(end)?, text(bare)?))
        };
        let renderings = profile.variants.iter().filter_map(|variant| variant.rendering.as_ref().ok());
        let images = renderings.flat_map(|rendering| alignment::images(rendering, images_at));
        let pairs: BTreeSet<(String, String)> = images.filter_map(pair).collect();
        Self(pairs.into_iter().collect())
    }

    fn bare<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut out = Cow::Borrowed(text);
        for (with, bare) in &self.0 {
            if out.contains(with) {
                out = Cow::Owned(out.replace(with, bare));
            }
        }
        out
    }

    /// Whether two texts differ in nothing but whether references carry their digests, and in hashes.
    fn alike(&self, one: &str, other: &str) -> bool {
        one == other || are_alike(&self.bare(one), &self.bare(other))
    }
}

/// Whether two texts are the same but for words that are hashes in both.
fn are_alike(one: &str, other: &str) -> bool {
    let mut others = words(other);
    words(one).all(|word| others.next().is_some_and(|other| word == other || are_hashes(word, other)))
        && others.next().is_none()
}

/// Words and what is between them, in turn.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    let mut in_word = false;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        in_word = !in_word;
        let end = rest.find(|letter: char| letter.is_alphanumeric() != in_word).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        rest = after;
        Some(word)
    })
}

fn are_hashes(one: &str, other: &str) -> bool {
    let is_hexadecimal = |word: &str| word.bytes().all(|byte| byte.is_ascii_hexdigit());
    // Numbers of many digits, such as dates, are no hashes.
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let is_long = one.len() == other.len() && one.len() >= SHORTEST_HASH;
    is_long && is_hexadecimal(one) && is_hexadecimal(other) && !(is_number(one) && is_number(other))
}

/// Whether all that a text has of `span` are hashes.
pub(super) fn is_hashed(text: &Text, span: Span) -> bool {
    let touches = |from: &Span| from.file == span.file && from.start < span.end && span.start < from.end;
    let touched = |segment: &&Segment| segment.origin.spans().iter().any(touches);
    let mut end = 0;
    let words = words(text.as_str()).map(|word| {
        end += word.len();
        (word, end - word.len()..end)
    });
    let of_span = |range: &Range<usize>| text.segments_in(range.clone()).any(|segment| touched(&segment));
    words.filter(|(_, range)| of_span(range)).all(|(word, _)| are_hashes(word, word))
}

/// Something else than a reference that a digest would change.
#[derive(Clone)]
pub(super) struct Change {
    /// Absent where nothing renders any more.
    pub(super) place: Option<Rendered>,
    pub(super) what: String,
}

/// What differs between two renderings of one profile: without digests, and with them.
pub(super) fn changes(without: &Profile, with: &Profile, images_at: &[ImagesAt]) -> Vec<Change> {
    let mut found = Comparison {
        references: &References::of(with, images_at),
        variant: 0,
        object: Object::Compose,
        owner: String::new(),
        is_secret: false,
        changes: Vec::new(),
    };
    for (variant, (before, after)) in without.variants.iter().zip(&with.variants).enumerate() {
        found.variant = variant;
        match (&before.rendering, &after.rendering) {
            (Ok(Rendering::Compose(before)), Ok(Rendering::Compose(after))) => {
                found.object = Object::Compose;
                found.compose(&before.all.root, &after.all.root, &Path::default());
            }
            (Ok(Rendering::Kubernetes(before)), Ok(Rendering::Kubernetes(after))) => {
                found.documents(&before.documents, &after.documents);
            }
            (Ok(_), Err(failure)) => {
                found.changes.push(Change { place: None, what: format!("it would not render: {}", failure.message) });
            }
            _ => {}
        }
    }
    found.changes
}

struct Comparison<'r> {
    references: &'r References,
    variant: usize,
    object: Object,
    /// Such as `` of Pod `web` ``.
    owner: String,
    /// Whether what is compared is part of a Secret, or called like a secret.
    is_secret: bool,
    changes: Vec<Change>,
}

impl Comparison<'_> {
    fn documents(&mut self, before: &[alignment::KubeDocument], after: &[alignment::KubeDocument]) {
        for (index, (before, after)) in before.iter().zip(after).enumerate() {
            if self.references.alike(before.text.as_str(), after.text.as_str()) {
                continue;
            }
            let (root, other) = (before.document.root(), after.document.root());
            self.object = Object::Document(index);
            let text = |keys: &[&str]| root.at(keys).map(|node| node.raw().to_owned()).unwrap_or_default();
            let kind = text(&["kind"]);
            self.owner = format!(" of {kind} `{}`", text(&["metadata", "name"]));
            self.is_secret = kind == "Secret";
            self.kubernetes(root, other, &Path::default());
        }
        if before.len() != after.len() {
            self.object = Object::Document(before.len().min(after.len()));
            self.owner.clear();
            let what = format!("there would be {} objects in place of {}", after.len(), before.len());
            self.changes.push(Change { place: Some(self.place(&Path::default())), what });
        }
    }

    fn kubernetes(&mut self, before: NodeRef<'_>, after: NodeRef<'_>, path: &Path) {
        match (before.kind(), after.kind()) {
            (Kind::Mapping, Kind::Mapping) => {
                let (values, others) = (self.values(before), self.values(after));
                // A variable has its name beside its value.
                let is_named = values.get("name").is_some_and(|name| is_secret_name(name.raw()));
                for (key, value) in &values {
                    match others.get(key) {
                        Some(other) => self.within(is_named || is_secret_name(key), |found| {
                            found.kubernetes(*value, *other, &path.key(key));
                        }),
                        None => self.push(&path.key(key), "would be gone"),
                    }
                }
                for key in others.keys().filter(|key| !values.contains_key(*key)) {
                    self.push(&path.key(key), "would be added");
                }
            }
            (Kind::Sequence, Kind::Sequence) => {
                if before.items().count() == after.items().count() {
                    for (index, (item, other)) in before.items().zip(after.items()).enumerate() {
                        self.kubernetes(item, other, &path.index(index));
                    }
                } else {
                    self.counted(path, before.items().count(), after.items().count());
                }
            }
            (Kind::Scalar, Kind::Scalar) => {
                // `1` and `"1"` are not the same.
                let means_other =
                    before.raw() == after.raw() && before.style() != after.style() && before.value() != after.value();
                if means_other || !self.references.alike(before.raw(), after.raw()) {
                    self.differ(path, before.raw(), after.raw());
                }
            }
            // What it stands for is compared where it stands.
            (Kind::Alias, Kind::Alias) => {}
            _ => self.push(path, "would be something else"),
        }
    }

    /// The values of a mapping by their keys.
    fn values<'n>(&self, mapping: NodeRef<'n>) -> BTreeMap<String, NodeRef<'n>> {
        mapping.entries().map(|(key, value)| (self.references.bare(key.raw()).into_owned(), value)).collect()
    }

    fn compose(&mut self, before: &Node, after: &Node, path: &Path) {
        match (&before.value, &after.value) {
            (Value::Map(map), Value::Map(other)) => {
                if map.is_same(other) {
                    return;
                }
                for (key, node) in map.iter() {
                    match other.get(key.as_str()) {
                        Some(other) => self.within(is_secret_name(key.as_str()), |found| {
                            found.compose(node, other, &path.key(key.as_str()));
                        }),
                        None => self.push(&path.key(key.as_str()), "would be gone"),
                    }
                }
                for key in other.keys().filter(|key| !map.contains(key.as_str())) {
                    self.push(&path.key(key.as_str()), "would be added");
                }
            }
            (Value::Seq(items), Value::Seq(others)) if items.len() == others.len() => {
                for (index, (item, other)) in items.iter().zip(others).enumerate() {
                    self.compose(item, other, &path.index(index));
                }
            }
            (Value::Seq(items), Value::Seq(others)) => self.counted(path, items.len(), others.len()),
            _ => match (before.as_text(), after.as_text()) {
                (Some(text), Some(other)) if self.references.alike(text.as_str(), other.as_str()) => {}
                (Some(text), Some(other)) => self.differ(path, text.as_str(), other.as_str()),
                _ if before.same(after) => {}
                _ => self.push(path, "would be something else"),
            },
        }
    }

    fn within(&mut self, is_secret: bool, compare: impl FnOnce(&mut Self)) {
        let outside = self.is_secret;
        self.is_secret |= is_secret;
        compare(self);
        self.is_secret = outside;
    }

    fn differ(&mut self, path: &Path, before: &str, after: &str) {
        let is_shown = |text: &str| !self.is_secret && text.len() <= LONGEST_SHOWN && !text.contains('\n');
        if is_shown(before) && is_shown(after) {
            self.push(path, &format!("would be `{}` in place of `{}`", source::redact(after), source::redact(before)));
        } else {
            self.push(path, "would be something else");
        }
    }

    fn counted(&mut self, path: &Path, before: usize, after: usize) {
        self.push(path, &format!("would have {after} items in place of {before}"));
    }

    fn push(&mut self, path: &Path, what: &str) {
        let what = format!("`{path}`{} {what}", self.owner);
        self.changes.push(Change { place: Some(self.place(path)), what });
    }

    fn place(&self, path: &Path) -> Rendered {
        Rendered { variant: self.variant, object: self.object, path: path.clone(), range: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c";

    #[test]
    fn a_reference_may_carry_its_digest_and_a_hash_be_another() {
        let references = References(vec![(format!("e/a:1.0@{DIGEST}"), "e/a:1.0".to_owned())]);
        for (one, other, expected) in [
            ("e/a:1.0", &*format!("e/a:1.0@{DIGEST}"), true),
            ("run r.example/e/a:1.0 now", &*format!("run r.example/e/a:1.0@{DIGEST} now"), true),
            ("e/a:1.0 e/a:1.0.1", &*format!("e/a:1.0@{DIGEST} e/a:1.0.1"), true),
            ("1.0", &*format!("1.0@{DIGEST}"), false),
            ("e/a:1.0", &*format!("e/a:1.1@{DIGEST}"), false),
            ("Always", "IfNotPresent", false),
            ("job-0a1b2c3d", "job-9f8e7d6c", true),
            ("job-0a1b2c3", "job-9f8e7d6", false),
            ("0a1b2c3d", "9f8e7d6c55", false),
            ("20250101", "20250102", false),
            ("deadbeef x", "deadbeef", false),
        ] {
            assert_eq!(references.alike(one, other), expected, "{one} {other}");
        }
    }
}
