//! A release manifest with the place of every value.

mod canonical;

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::OnceLock;

use source::{FileId, Span};

use crate::belongs;
use crate::date::is_moment;
use crate::manifest::{Availability, DigestKind, Kind, Listed, Manifest, Only, Origin, SupportLine};
use crate::migration::{self, PlacedMigration};
use crate::{Date, Digest, ImageRef, Spanned, is_tag};
use yamlspan::strict::{Fields, Problem, Reader};

pub(crate) const RELEASE_KEYS: &[&str] = &[
    "schema",
    "version",
    "calendar",
    "channel",
    "support",
    "date",
    "promoted_from",
    "digests",
    "migrations",
    "components",
    "infrastructure",
];
pub(crate) const SUPPORT_KEYS: &[&str] = &["line", "until"];
pub(crate) const MIGRATION_KEYS: &[&str] = &["id", "reversible", "backup", "down"];
pub(crate) const ORIGIN_KEYS: &[&str] = &["version", "sha256"];
pub(crate) const COMPONENT_KEYS: &[&str] =
    &["image", "tag", "digest", "only_in", "platforms", "availability", "reason"];

/// A release manifest as it was read. What is damaged is left out and named by a [`Problem`], so that the rest can be
/// checked.
#[derive(Clone, Debug)]
pub struct Release {
    /// The whole document.
    pub span: Span,
    /// Empty where missing.
    pub version: Spanned<String>,
    pub calendar: Option<Spanned<String>>,
    /// Empty where missing.
    pub channel: Spanned<String>,
    pub support: Option<Support>,
    pub date: Option<Spanned<String>>,
    pub promoted_from: Option<PromotedFrom>,
    pub digests: Spanned<DigestKind>,
    /// What the data has gone through, in written order.
    pub migrations: Vec<PlacedMigration>,
    /// Services and infrastructure, in written order.
    pub components: Vec<Component>,
}

/// How long a release is supported.
#[derive(Clone, Debug)]
pub struct Support {
    pub line: Spanned<String>,
    pub until: Option<Spanned<Date>>,
}

/// The release that another one was promoted from.
#[derive(Clone, Debug)]
pub struct PromotedFrom {
    pub version: Spanned<String>,
    /// sha256 of its canonical manifest, 64 hexadecimal digits.
    pub sha256: Spanned<String>,
}

/// One image of a release.
#[derive(Clone, Debug)]
pub struct Component {
    pub name: Spanned<String>,
    pub group: Group,
    /// Without tag and digest.
    pub image: Spanned<ImageRef>,
    pub tag: Spanned<String>,
    pub digest: Spanned<ListedDigest>,
    /// Empty: every profile uses it.
    pub only_in: Vec<Spanned<Only>>,
    /// Digests of single platforms (`linux/amd64`).
    pub platforms: Vec<(Spanned<String>, Spanned<Digest>)>,
    pub availability: Option<Spanned<Availability>>,
    pub reason: Option<Spanned<String>>,
    /// What [`Self::is_sample`] says, once it was asked.
    sample: OnceLock<bool>,
    /// Of its image and its tag.
    fingerprint: u64,
}

/// Image and tag of a component, as a key. Years of releases list thousands: what tells most of them apart is compared first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tagged<'c> {
    fingerprint: u64,
    tag: &'c str,
    repository: &'c str,
    registry: &'c str,
}

fn fingerprint(image: &ImageRef, tag: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (image.registry(), image.repository(), tag).hash(&mut hasher);
    hasher.finish()
}

/// Which part of the manifest lists a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    Service,
    Infrastructure,
}

/// What a manifest says of a component's digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListedDigest {
    Digest(Digest),
    /// Not known yet: what `init` writes where nothing pins the image.
    Unresolved,
    /// What stands there is no digest; a [`Problem`] says so.
    Damaged,
}

impl ListedDigest {
    /// The digest, where one is listed.
    #[must_use]
    pub fn get(&self) -> Option<&Digest> {
        match self {
            Self::Digest(digest) => Some(digest),
            Self::Unresolved | Self::Damaged => None,
        }
    }
}

impl Component {
    /// Whether a profile of this kind and name is meant to use the component.
    #[must_use]
    pub fn is_for(&self, kind: Kind, profile: &str) -> bool {
        let covers = |only: &Only| match only {
            Only::Kind(of) => *of == kind,
            Only::Profile(name) => name == profile,
        };
        self.only_in.is_empty() || self.only_in.iter().any(|only| covers(only))
    }

    /// Its image and its tag.
    #[must_use]
    pub fn tagged(&self) -> Tagged<'_> {
        let (repository, registry) = (self.image.repository(), self.image.registry());
        Tagged { fingerprint: self.fingerprint, tag: &self.tag, repository, registry }
    }

    /// Whether the digest is a stand-in: the sha256 of `<image>:<tag>`.
    #[must_use]
    pub fn is_sample(&self) -> bool {
        *self.sample.get_or_init(|| self.digest.get().is_some_and(|digest| digest.is_sample_of(&self.image, &self.tag)))
    }

    /// `<image>:<tag>@<digest>`, as a profile is meant to write it; without digest where none is known.
    #[must_use]
    pub fn reference(&self) -> String {
        let name = self.image.name();
        match self.digest.get() {
            Some(digest) => format!("{name}:{}@{digest}", self.tag.value),
            None => format!("{name}:{}", self.tag.value),
        }
    }
}

impl Release {
    /// Reads a manifest. All problems are collected; no release comes back only where nothing can be read.
    #[must_use]
    pub fn parse(text: &str, file: FileId) -> (Option<Self>, Vec<Problem>) {
        match canonical::read(text, file) {
            Some(release) => (Some(release), Vec::new()),
            None => strictly(text, file),
        }
    }

    /// The components that list this image, whatever its tag and digest.
    pub fn components_of<'a>(&'a self, image: &'a ImageRef) -> impl Iterator<Item = &'a Component> {
        self.components.iter().filter(|component| component.image.value.same_name(image))
    }

    /// The component of this name.
    #[must_use]
    pub fn component(&self, name: &str) -> Option<&Component> {
        self.components.iter().find(|component| component.name.value == name)
    }

    /// The release as plain data. Of components that stand twice the first one stays.
    #[must_use]
    pub fn manifest(&self) -> Manifest {
        let group = |group: Group| {
            let mut listed = std::collections::BTreeMap::new();
            for component in self.components.iter().filter(|component| component.group == group) {
                listed.entry(component.name.value.clone()).or_insert_with(|| plain(component));
            }
            listed
        };
        Manifest {
            schema: 1,
            version: self.version.value.clone(),
            calendar: self.calendar.as_ref().map(|calendar| calendar.value.clone()),
            channel: self.channel.value.clone(),
            support: self.support.as_ref().map(|support| SupportLine {
                line: support.line.value.clone(),
                until: support.until.as_ref().map(|until| until.value.to_string()),
            }),
            date: self.date.as_ref().map(|date| date.value.clone()),
            promoted_from: self
                .promoted_from
                .as_ref()
                .map(|origin| Origin { version: origin.version.value.clone(), sha256: origin.sha256.value.clone() }),
            digests: self.digests.value,
            migrations: self.migrations.iter().map(PlacedMigration::plain).collect(),
            components: group(Group::Service),
            infrastructure: group(Group::Infrastructure),
        }
    }

    /// The identity of the release: the sha256 of its canonical manifest.
    #[must_use]
    pub fn identity(&self) -> Digest {
        self.manifest().identity()
    }
}

fn plain(component: &Component) -> Listed {
    Listed {
        image: component.image.name(),
        tag: component.tag.value.clone(),
        digest: match &component.digest.value {
            ListedDigest::Digest(digest) => digest.to_string(),
            ListedDigest::Unresolved | ListedDigest::Damaged => UNRESOLVED.to_owned(),
        },
        // A set: in which order somebody wrote it makes no other release.
        only_in: component
            .only_in
            .iter()
            .map(|only| only.as_str().to_owned())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect(),
        platforms: component
            .platforms
            .iter()
            .map(|(platform, digest)| (platform.value.clone(), digest.value.to_string()))
            .collect(),
        availability: component.availability.as_ref().map(|availability| availability.value),
        reason: component.reason.as_ref().map(|reason| reason.value.clone()),
    }
}

/// What stands in place of a digest that is not known yet.
pub(crate) const UNRESOLVED: &str = "unresolved";

/// Any manifest, with all its problems.
fn strictly(text: &str, file: FileId) -> (Option<Release>, Vec<Problem>) {
    let mut reader = Reader::new(belongs::IN_A_MANIFEST);
    let release = read(text, file, &mut reader);
    (release, reader.problems)
}

fn read(text: &str, file: FileId, reader: &mut Reader) -> Option<Release> {
    let document = reader.document(text, file)?;
    let fields = reader.fields(document.root(), "", RELEASE_KEYS)?;
    reader.schema(&fields);
    let nothing = || Spanned::new(String::new(), fields.span);
    let version = read_name(reader, &fields, "version", "give the release a version, such as `2025.09.2`");
    let version = version.unwrap_or_else(nothing);
    let channel = read_name(reader, &fields, "channel", "name the channel of the workspace that this release is for");
    let channel = channel.unwrap_or_else(nothing);
    let calendar = reader.optional_text(&fields, "calendar").filter(|calendar| {
        let good = is_calendar(calendar);
        if !good {
            let help = "write year and month, quoted: `\"2025.09\"`".to_owned();
            reader.problem(
                calendar.span,
                format!("`calendar` must be `YYYY.MM`, not `{}`", calendar.value),
                Some(help),
            );
        }
        good
    });
    let date = reader.optional_text(&fields, "date").filter(|date| {
        let good = is_moment(date);
        if !good {
            let help = "write it in UTC, such as `2025-09-20T00:00:00Z`".to_owned();
            reader.problem(date.span, format!("`date` is no moment: `{}`", date.value), Some(help));
        }
        good
    });
    let support = read_support(reader, &fields);
    let promoted_from = read_origin(reader, &fields);
    let digests = read_digest_kind(reader, &fields);
    let migrations = migration::read(reader, &fields);
    let mut components = Vec::new();
    if reader.required(&fields, "components").is_some() {
        read_group(reader, &fields, "components", Group::Service, &mut components);
    }
    read_group(reader, &fields, "infrastructure", Group::Infrastructure, &mut components);
    Some(Release {
        span: fields.span,
        version,
        calendar,
        channel,
        support,
        date,
        promoted_from,
        digests,
        migrations,
        components,
    })
}

/// A text that other things are found by.
fn read_name(reader: &mut Reader, fields: &Fields<'_>, key: &'static str, help: &str) -> Option<Spanned<String>> {
    let text = reader.required_text(fields, key)?;
    if text.trim().is_empty() {
        reader.problem(text.span, format!("`{key}` is empty"), Some(help.to_owned()));
    }
    Some(text)
}

fn read_support(reader: &mut Reader, fields: &Fields<'_>) -> Option<Support> {
    let fields = reader.fields(fields.get("support")?, "support", SUPPORT_KEYS)?;
    let line = reader.required_text(&fields, "line")?;
    let until = reader.optional_text(&fields, "until").and_then(|until| read_date(reader, until, "support.until"));
    Some(Support { line, until })
}

/// A day; a problem where it is none.
pub(crate) fn read_date(reader: &mut Reader, text: Spanned<String>, path: &str) -> Option<Spanned<Date>> {
    match text.value.parse() {
        Ok(date) => Some(Spanned::new(date, text.span)),
        Err(error) => {
            reader.problem(text.span, format!("`{path}` is no day: `{}`", text.value), Some(format!("{error}")));
            None
        }
    }
}

fn read_origin(reader: &mut Reader, fields: &Fields<'_>) -> Option<PromotedFrom> {
    let fields = reader.fields(fields.get("promoted_from")?, "promoted_from", ORIGIN_KEYS)?;
    let version = reader.required_text(&fields, "version");
    let sha256 = reader.required(&fields, "sha256")?;
    let sha256 = reader.any_text(sha256, "promoted_from.sha256")?;
    if sha256.len() != 64 || !sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        let help = "it is the identity of the promoted release: 64 lower-case hexadecimal digits".to_owned();
        reader.problem(sha256.span, "`promoted_from.sha256` is no sha256".to_owned(), Some(help));
        return None;
    }
    Some(PromotedFrom { version: version?, sha256 })
}

fn read_digest_kind(reader: &mut Reader, fields: &Fields<'_>) -> Spanned<DigestKind> {
    let fallback = Spanned::new(DigestKind::Resolved, fields.span);
    let Some(text) = reader.required_text(fields, "digests") else { return fallback };
    match text.value.as_str() {
        "sample" => text.map(|_| DigestKind::Sample),
        "resolved" => text.map(|_| DigestKind::Resolved),
        other => {
            let help = "write `sample` or `resolved`".to_owned();
            reader.problem(text.span, format!("`digests` cannot be `{other}`"), Some(help));
            fallback
        }
    }
}

fn is_calendar(text: &str) -> bool {
    text.split_once('.').is_some_and(|(year, month)| format!("{year}-{month}-01").parse::<Date>().is_ok())
}

fn read_group(
    reader: &mut Reader,
    fields: &Fields<'_>,
    key: &'static str,
    group: Group,
    components: &mut Vec<Component>,
) {
    let Some(node) = fields.get(key) else { return };
    // A component that stands twice is kept: `release-duplicate-component` reports it, and its image stays known.
    for entry in reader.all_entries(node, key).unwrap_or_default() {
        let Some(fields) = reader.fields_of(&entry, COMPONENT_KEYS) else { continue };
        if let Some(component) = read_component(reader, &fields, entry.name, group) {
            components.push(component);
        }
    }
}

fn read_component(reader: &mut Reader, fields: &Fields<'_>, name: Spanned<String>, group: Group) -> Option<Component> {
    let image = reader.required_text(fields, "image");
    let tag = reader.required_text(fields, "tag");
    let digest = reader.required_text(fields, "digest");
    let image = read_image(reader, fields, image?);
    // Without its tag nothing can be held to a component: it is left out, and said here once.
    let tag = tag.and_then(|tag| read_tag(reader, fields, tag));
    let digest = match digest {
        Some(text) => read_digest(reader, &text, || fields.path_of("digest")),
        None => Spanned::new(ListedDigest::Damaged, fields.span),
    };
    let only_in = reader.texts(fields, "only_in");
    let only_in = only_in.into_iter().filter_map(|text| read_only(reader, fields, text)).collect();
    let platforms = read_platforms(reader, fields);
    let availability = reader.optional_text(fields, "availability").and_then(|text| match text.value.as_str() {
        "public" => Some(text.map(|_| Availability::Public)),
        "private-mirror" => Some(text.map(|_| Availability::PrivateMirror)),
        other => {
            let message = format!("`{}` cannot be `{other}`", fields.path_of("availability"));
            reader.problem(text.span, message, Some("write `public` or `private-mirror`".to_owned()));
            None
        }
    });
    let reason = reader.optional_text(fields, "reason");
    let (image, tag) = (image?, tag?);
    let (sample, fingerprint) = (OnceLock::new(), fingerprint(&image, &tag));
    Some(Component { name, group, image, tag, digest, only_in, platforms, availability, reason, sample, fingerprint })
}

fn read_tag(reader: &mut Reader, fields: &Fields<'_>, tag: Spanned<String>) -> Option<Spanned<String>> {
    if is_tag(&tag) {
        return Some(tag);
    }
    let path = fields.path_of("tag");
    let (message, help) = if tag.is_empty() {
        (format!("`{path}` is empty"), "write the tag that the image has, such as `\"1.27\"`")
    } else {
        (format!("`{path}` is no tag: `{}`", tag.value), "write the tag only, without `:`")
    };
    reader.problem(tag.span, message, Some(help.to_owned()));
    None
}

fn read_image(reader: &mut Reader, fields: &Fields<'_>, text: Spanned<String>) -> Option<Spanned<ImageRef>> {
    let path = || fields.path_of("image");
    match text.value.parse::<ImageRef>() {
        Ok(image) => {
            if image.tag().is_some() || image.digest().is_some() {
                let help = format!("write `{}` here; tag and digest have keys of their own", image.name());
                reader.problem(text.span, format!("`{}` carries a tag or a digest", path()), Some(help));
            }
            Some(Spanned::new(image, text.span))
        }
        Err(error) => {
            reader.problem(text.span, format!("`{}` is no image: {error}", path()), None);
            None
        }
    }
}

fn read_digest(reader: &mut Reader, text: &Spanned<String>, path: impl Fn() -> String) -> Spanned<ListedDigest> {
    if text.value == UNRESOLVED {
        return Spanned::new(ListedDigest::Unresolved, text.span);
    }
    match text.value.parse() {
        Ok(digest) => Spanned::new(ListedDigest::Digest(digest), text.span),
        Err(error) => {
            let help = "write the digest of the image's index, or `unresolved`".to_owned();
            reader.problem(text.span, format!("`{}` is no digest: {error}", path()), Some(help));
            Spanned::new(ListedDigest::Damaged, text.span)
        }
    }
}

fn read_only(reader: &mut Reader, fields: &Fields<'_>, text: Spanned<String>) -> Option<Spanned<Only>> {
    if text.is_empty() {
        let message = format!("`{}` has an empty name", fields.path_of("only_in"));
        let help = "write `compose`, `helm`, `manifests` or the name of a profile".to_owned();
        reader.problem(text.span, message, Some(help));
        return None;
    }
    Some(text.map(|word| Only::new(&word)))
}

fn read_platforms(reader: &mut Reader, fields: &Fields<'_>) -> Vec<(Spanned<String>, Spanned<Digest>)> {
    let Some(node) = fields.get("platforms") else { return Vec::new() };
    let entries = reader.entries(node, &fields.path_of("platforms")).unwrap_or_default();
    let mut platforms = Vec::new();
    for entry in entries {
        let Some(text) = reader.text_of(&entry) else { continue };
        match text.value.parse() {
            Ok(digest) => platforms.push((entry.name, Spanned::new(digest, text.span))),
            Err(error) => reader.problem(text.span, format!("`{}` is no digest: {error}", entry.path), None),
        }
    }
    platforms
}

#[cfg(test)]
mod tests;
