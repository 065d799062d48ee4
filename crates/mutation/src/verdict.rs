//! Whether what was said fits what was done. `docs/mutations.md` has the same in words.

use std::collections::BTreeMap;
use std::ops::Range;

use release::{Release, WORKSPACE_FILE};
use source::FileId;

use crate::made::Made;
use crate::missed;
use crate::mutant::{Changed, Mutant};
use crate::operator::Operator;
use crate::place::What;
use crate::subject::{Role, Subject};
use crate::told::{Spot, Told};

/// What became of a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It changes what is deployed, and a finding points at the change.
    At,
    /// Something went away, and a finding points into the collection that held it.
    Around,
    /// A finding points at what the change contradicts.
    Counterpart,
    /// Nothing is deployed otherwise, and nothing is said.
    Silent,
    /// Nothing is deployed otherwise, and a finding is right to say that the file is wrong.
    Told,
    /// It changes what is deployed, and nothing is said.
    Survived,
    /// It changes what is deployed, and all that is said points to somewhere else.
    Elsewhere,
    /// Nothing is deployed otherwise, and something is said that does not point at the change.
    FalseAlarm,
}

impl Verdict {
    pub fn name(self) -> &'static str {
        match self {
            Self::At => "found at the place",
            Self::Around => "found around it",
            Self::Counterpart => "found at its counterpart",
            Self::Silent => "silent and equal",
            Self::Told => "told and equal",
            Self::Survived => "survived",
            Self::Elsewhere => "found elsewhere",
            Self::FalseAlarm => "false alarm",
        }
    }
}

/// Two places of equal rank contradict each other; either may come first, the other one is related.
const BETWEEN_EQUALS: &[&str] = &[
    "collector-config-differs",
    "duplicate-object",
    "env-unused",
    "object-invalid",
    "port-collision",
    "profiles-differ",
    "release-tag-moved",
    "release-duplicate-component",
    "selector-mismatch",
    "shared-pin-conflict",
    "tag-digest-conflict",
];

/// A reader stops where it misses something that was defined elsewhere.
const READERS: &[&str] = &["compose-invalid", "env-undefined", "helm-render", "helm-lint"];

/// What is said of a reference that lacks a part, or that is gone from where the workspace says it is.
const IMAGES: &[&str] = &["image-unlisted", "image-unpinned", "images-at-unused"];

/// The shortest word by which something that went away is recognised.
const SHORTEST_WORD: usize = 3;

pub(crate) fn judge(subject: &Subject, made: &Made, mutant: &Mutant, told: &[Told], same: bool) -> Verdict {
    let changed = mutant.applied(subject);
    let case = Case { subject, made, mutant, changed: &changed, words: words(subject, mutant, &changed) };
    let found = told.iter().filter_map(|told| case.found(told)).min();
    match (found, told.is_empty(), same) {
        (None, true, true) => Verdict::Silent,
        (None, true, false) => Verdict::Survived,
        (Some(_), _, true) => Verdict::Told,
        (Some(verdict), _, false) => verdict,
        (None, false, true) => Verdict::FalseAlarm,
        (None, false, false) => Verdict::Elsewhere,
    }
}

struct Case<'c> {
    subject: &'c Subject,
    made: &'c Made,
    mutant: &'c Mutant,
    changed: &'c BTreeMap<String, Changed>,
    words: Vec<String>,
}

impl Case<'_> {
    fn found(&self, told: &Told) -> Option<Verdict> {
        let place = told.place.as_ref()?;
        if self.touches(place) || self.noticed_behind(place) {
            return Some(Verdict::At);
        }
        if self.mutant.operator.removes() && self.is_around(place) {
            return Some(Verdict::Around);
        }
        self.is_counterpart(told, place).then_some(Verdict::Counterpart)
    }

    fn touches(&self, spot: &Spot) -> bool {
        let Some(changed) = self.changed.get(&spot.file) else { return false };
        let range = spot.range(&changed.after);
        // A place that is only a file says nothing about a line of it.
        if range == (0..changed.after.len()) {
            return false;
        }
        changed.spans().iter().any(|span| span.start <= range.end && range.start <= span.end)
    }

    /// Broken syntax is noticed at the change or behind it; `helm lint` names the file only.
    fn noticed_behind(&self, spot: &Spot) -> bool {
        let file = &self.mutant.place.file;
        let Some(changed) = self.changed.get(file).filter(|_| spot.file == *file) else { return false };
        let first = changed.spans().first().map_or(0, |span| span.start);
        let range = spot.range(&changed.after);
        self.mutant.operator.is_syntax() && (range.start >= first || range == (0..changed.after.len()))
    }

    /// Within the collection that held what went away, unless that is the whole file.
    fn is_around(&self, spot: &Spot) -> bool {
        let place = &self.mutant.place;
        let Some(changed) = self.changed.get(&place.file).filter(|_| spot.file == place.file) else { return false };
        let whole = place.parent.start == 0 || place.parent.len() + 2 >= changed.before.len();
        let parent = changed.moved(place.parent.start)..changed.moved(place.parent.end);
        !whole && within(&spot.range(&changed.after), &parent)
    }

    /// At what the change contradicts: the change itself is related, or named, or the reader missed what went away.
    fn is_counterpart(&self, told: &Told, place: &Spot) -> bool {
        let operator = self.mutant.operator;
        let role = self.subject.files.get(&self.mutant.place.file).map(|(role, _)| *role);
        // Profiles are held against manifests and the workspace, so the profile comes first.
        let yardstick = matches!(role, Some(Role::Release | Role::Workspace));
        let equals = BETWEEN_EQUALS.contains(&told.rule.as_str());
        // With another digit the name of a variable is another name.
        let renamed = operator == Operator::Digit && matches!(self.mutant.what(), What::Variable | What::Setting);
        let gone = renamed || operator.removes() || matches!(operator, Operator::Swap | Operator::OtherProfile);
        // Two keys of one name: the reader stops at the later one.
        let twice = told.rule == "compose-invalid";
        if (yardstick || equals || gone || twice) && told.related.iter().any(|related| self.touches(related)) {
            return true;
        }
        let text = self.changed.get(&place.file).map_or_else(|| self.subject.text(&place.file), |file| &file.after);
        let names = |word: &String| {
            told.message.contains(word.as_str()) || place.file == *word || place.lines(text).contains(word.as_str())
        };
        (gone || yardstick || equals) && self.words.iter().any(names)
            || (gone || operator.is_syntax()) && self.is_missed_by_its_reader(told, place)
            || gone && (self.is_missed_by_what_needs_it(told) || missed::is_listed(self.subject, self.mutant, told))
            || missed::is_switched(self.subject, self.mutant, told)
            || missed::is_printed(self.subject, self.mutant, told)
            || role == Some(Role::Workspace) && operator.removes()
    }

    /// An object that is not made any more is missed where something refers to it or selects its pods: the changed file makes objects of that kind.
    fn is_missed_by_what_needs_it(&self, told: &Told) -> bool {
        let file = &self.mutant.place.file;
        let kind = told.message.split_once(" needs ").and_then(|(_, rest)| rest.split(' ').next());
        let makes = |kind: &str| {
            let line = format!("kind: {kind}");
            self.made.makes(file, kind) || self.subject.text(file).lines().any(|text| text.trim() == line)
        };
        match told.rule.as_str() {
            "dangling-reference" => kind.is_some_and(makes),
            // Pods that are still made would be the ones that are shown.
            "selector-mismatch" => {
                let shown = told.related.iter().any(|related| related.file == *file);
                told.message.contains(" selects no pod ") && self.made.makes_pods(file) && !shown
            }
            _ => false,
        }
    }

    /// A Compose file or a template that stops at what is not there any more, or the rest of an image reference that is not whole.
    fn is_missed_by_its_reader(&self, told: &Told, place: &Spot) -> bool {
        let part =
            matches!(self.mutant.what(), What::Image | What::Registry | What::Repository | What::Tag | What::Digest);
        (part || missed::is_part_of_image(self.subject, self.mutant)) && IMAGES.contains(&told.rule.as_str())
            || READERS.contains(&told.rule.as_str()) && place.file != WORKSPACE_FILE
    }
}

fn within(inner: &Range<usize>, outer: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// The names that the change touches, as they were and as they are: words, the keys above them, and the component whose digest it was.
fn words(subject: &Subject, mutant: &Mutant, changed: &BTreeMap<String, Changed>) -> Vec<String> {
    let mut words: Vec<String> = changed.values().flat_map(Changed::words).collect();
    // Messages name a release, not the path of its manifest, and a repository without its registry.
    let split = |word: &String| word.split('/').chain(word.split('.')).map(str::to_owned).collect::<Vec<_>>();
    let parts: Vec<String> = words.iter().map(|word| word.trim_end_matches(".yaml").to_owned()).collect();
    let parts: Vec<String> = parts.iter().chain(&words).flat_map(split).collect();
    words.extend(parts);
    let steps =
        mutant.place.path.split(|character: char| !character.is_ascii_alphanumeric() && !"_-".contains(character));
    words.extend(steps.map(str::to_owned));
    let releases = subject.files.values().filter(|(role, _)| *role == Role::Release);
    let components: Vec<String> = releases.flat_map(|(_, text)| components_of(text, &words)).collect();
    words.extend(components);
    words.retain(|word| word.len() >= SHORTEST_WORD);
    words.sort();
    words.dedup();
    words
}

/// The components of a manifest that list one of these digests.
fn components_of(manifest: &str, digests: &[String]) -> Vec<String> {
    let (Some(release), _) = Release::parse(manifest, FileId(0)) else { return Vec::new() };
    let listed = |component: &&release::Component| {
        component.digest.get().is_some_and(|digest| {
            digests.iter().any(|word| digest.as_str().ends_with(word.as_str()) && word.len() == 64)
        })
    };
    release.components.iter().filter(listed).map(|component| component.name.value.clone()).collect()
}
