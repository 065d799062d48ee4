//! Which bytes to write so that profiles use exactly what their releases list.
//!
//! Every use of a component gives wishes: this span shall hold that text. A span may be reached by several profiles, also of other
//! channels; it is edited only where all of them wish the same. What cannot be expressed as the bytes of one scalar is refused
//! with the lines to write by hand. Whether a plan works is proved afterwards: see [`trial`].

mod beyond;
mod by_hand;
mod empty;
mod packed;
pub(crate) mod trial;
mod wishes;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use alignment::{ProfileSurvey, Survey};
use camino::Utf8PathBuf;
use findings::{Finding, Location};
use release::HelmSource;
use source::{FileId, SourceMap, Span};
use yamlspan::edit::Splice;
use yamlspan::{Dialect, Scalar};

use crate::disk::DiskFiles;

/// What to write, and what cannot be.
#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) splices: Vec<Splice>,
    /// The same without the digests that they bring to where none was.
    bare: Vec<Splice>,
    refusals: Vec<(UseName, Finding<Location>)>,
    /// The profiles that the splices are for.
    pub(crate) profiles: BTreeSet<String>,
    /// Components that are used and whose digest no release knows, by manifest: nothing is written of them.
    pub(crate) unresolved: BTreeMap<Utf8PathBuf, BTreeSet<String>>,
    /// The uses that the splices are for.
    attempts: BTreeMap<UseName, Attempt>,
}

/// What is written for a use.
struct Attempt {
    is_reference: bool,
    /// What to say of it, should that not reach it.
    in_vain: Finding<Location>,
    /// What to say of it, should its digest change more than references.
    beyond: Finding<Location>,
    /// Where it brings a digest to where none was.
    brings: BTreeSet<Span>,
}

/// A profile, and what it uses there.
type UseName = (String, String);

const IN_VAIN: &str = "what would be written for it does not reach it";
const BEYOND: &str = "its digest would change more than the image";

/// One span that one use wishes to hold a text.
struct Wish {
    span: Span,
    text: String,
    /// Whether the span holds another text now.
    changes: bool,
    /// Where it brings a digest to where none was: what the span would hold without.
    bare: Option<String>,
}

impl Wish {
    fn new(span: Span, text: impl Into<String>, changes: bool) -> Self {
        Self { span, text: text.into(), changes, bare: None }
    }

    /// Of a digest where none is.
    fn bringing(span: Span, text: impl Into<String>, bare: impl Into<String>) -> Self {
        Self { bare: Some(bare.into()), ..Self::new(span, text, true) }
    }
}

/// Why a use can have no wishes.
struct Refused {
    reason: String,
    /// What else to look at.
    others: Vec<(Location, String)>,
    way_out: WayOut,
}

impl Refused {
    fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), others: Vec::new(), way_out: WayOut::ByHand }
    }
}

/// What to do where nothing can be written.
enum WayOut {
    /// To write the reference where it is made.
    ByHand,
    /// To set these values, as written on one line, for the chart around the one that has them.
    Values(String),
    /// Something else.
    Other(String),
}

/// All wishes of one use (tag and digest are written together or not at all), or why there can be none.
struct Use<'a> {
    profile: &'a release::Profile,
    /// All of the workspace.
    profiles: &'a [release::Profile],
    what: String,
    /// What the profile is meant to have.
    wanted: Wanted<'a>,
    /// Whether the use belongs to a profile that is being pinned.
    selected: bool,
    place: Option<Span>,
    /// Where the parts of the value come from, and where they are put together.
    parts: Vec<(Span, &'static str)>,
    wishes: Result<Vec<Wish>, Refused>,
}

impl Use<'_> {
    fn name(&self) -> UseName {
        (self.profile.name.value.clone(), self.what.clone())
    }

    /// Whether it does not hold what it is meant to.
    fn is_open(&self) -> bool {
        self.wishes.as_ref().map_or(true, |wishes| wishes.iter().any(|wish| wish.changes))
    }
}

/// What a use is meant to hold.
enum Wanted<'a> {
    Reference { text: String, component: &'a release::Component },
    Label(String),
}

impl Wanted<'_> {
    fn text(&self) -> &str {
        match self {
            Self::Reference { text, .. } | Self::Label(text) => text,
        }
    }
}

/// Where a digest may go that a reference has no place for.
#[derive(Default)]
struct Ways {
    /// Into the tag.
    tag_with_digest: bool,
    /// How many ways into empty values of a chart were tried in vain for a use.
    in_vain: BTreeMap<UseName, usize>,
    /// What to say of the uses whose digest would change more than references.
    beyond: BTreeMap<UseName, Finding<Location>>,
}

/// Plans the edits for the profiles in `selected`. `survey` must be over traced profiles.
fn plan(survey: &Survey<'_>, sources: &SourceMap, files: &DiskFiles, selected: &BTreeSet<&str>, ways: &Ways) -> Plan {
    let mut uses = wishes::all(survey, sources, files, selected, ways);
    let same = same_files(sources, files);
    for wish in uses.iter_mut().filter_map(|found| found.wishes.as_mut().ok()).flatten() {
        wish.span.file = same.get(&wish.span.file).copied().unwrap_or(wish.span.file);
    }
    Plan { unresolved: unresolved(survey, selected), ..settle(&uses, sources) }
}

fn unresolved(survey: &Survey<'_>, selected: &BTreeSet<&str>) -> BTreeMap<Utf8PathBuf, BTreeSet<String>> {
    let mut found: BTreeMap<Utf8PathBuf, BTreeSet<String>> = BTreeMap::new();
    for profile in survey.profiles.iter().filter(|profile| selected.contains(profile.name())) {
        let Some(held) = profile.release else { continue };
        let open = profile.components().filter(|(_, component)| component.digest.get().is_none());
        for (_, component) in open {
            found.entry(held.input.path.clone()).or_default().insert(component.name.value.clone());
        }
    }
    found
}

/// Uses of the profiles in `selected` that do not hold what they are meant to; and those that something was written for and that are none any more, though their
/// profiles render: what became of them is no reference, or that of another image.
fn unmet(
    survey: &Survey<'_>,
    sources: &SourceMap,
    files: &DiskFiles,
    selected: &BTreeSet<&str>,
    plan: &Plan,
) -> BTreeSet<UseName> {
    let uses = wishes::all(survey, sources, files, selected, &Ways::default());
    let known: BTreeSet<UseName> = uses.iter().map(Use::name).collect();
    let is_rendered = |name: &str| survey.profile(name).is_some_and(ProfileSurvey::is_rendered);
    let lost = plan
        .attempts
        .iter()
        .filter(|(name, attempt)| attempt.is_reference && !known.contains(*name) && is_rendered(&name.0));
    let open = uses.iter().filter(|found| found.selected && found.is_open()).map(Use::name);
    open.chain(lost.map(|(name, _)| name.clone())).collect()
}

/// Files that are one and the same through links, each with the one of them that stands for all: what is written to one of them, all have.
fn same_files(sources: &SourceMap, files: &DiskFiles) -> BTreeMap<FileId, FileId> {
    if !files.has_links() {
        return BTreeMap::new();
    }
    let mut first: HashMap<String, FileId> = HashMap::new();
    let mut same = BTreeMap::new();
    for (path, file) in sources.latest() {
        let own = *first.entry(files.real(path).into_string()).or_insert(file);
        if own != file {
            same.insert(file, own);
        }
    }
    same
}

/// The values files of a chart's profile, the last word first: its own, and then that of the chart, which may be the workspace itself (`chart: .`).
fn values_files(source: &HelmSource) -> Vec<Utf8PathBuf> {
    let given = source.values.iter().rev().map(|values| values.value.clone());
    given.chain([source::normalize(&source.chart.join("values.yaml"))]).collect()
}

fn written(sources: &SourceMap, span: Span) -> &str {
    sources.file(span.file).and_then(|file| file.text().get(span.range())).unwrap_or_default()
}

/// Turns wishes into splices where all agree.
fn settle(uses: &[Use<'_>], sources: &SourceMap) -> Plan {
    // Per span: every text that somebody wishes it to hold.
    let mut wished: BTreeMap<Span, BTreeMap<&str, Vec<&Use<'_>>>> = BTreeMap::new();
    for found in uses {
        for wish in found.wishes.iter().flatten() {
            wished.entry(wish.span).or_default().entry(&wish.text).or_default().push(found);
        }
    }
    let overlapping = |span: Span| {
        wished.keys().find(|other| {
            **other != span && other.file == span.file && other.start < span.end && span.start < other.end
        })
    };
    let mut plan = Plan::default();
    let mut chosen: BTreeMap<Span, Splice> = BTreeMap::new();
    let mut bare: BTreeMap<Span, Splice> = BTreeMap::new();
    for found in uses {
        if !found.selected || !found.is_open() {
            continue;
        }
        let wishes = match &found.wishes {
            Ok(wishes) => wishes,
            Err(refused) => {
                plan.refusals.push((found.name(), by_hand::refused(found, refused, sources)));
                continue;
            }
        };
        let disputed: Vec<&Wish> =
            wishes.iter().filter(|wish| wished.get(&wish.span).is_some_and(|texts| texts.len() > 1)).collect();
        if !disputed.is_empty() {
            let competing = disputed.iter().flat_map(|wish| {
                let others = wished[&wish.span].iter().filter(|(text, _)| **text != wish.text);
                others.flat_map(|(text, uses)| uses.iter().map(move |other| (*other, *text)))
            });
            let competing: Vec<(&Use<'_>, &str)> = competing.collect();
            let is_own = competing.iter().all(|(other, _)| other.profile.name.value == found.profile.name.value);
            let reason = if is_own {
                "the place is shared with another image of the profile that needs something else"
            } else {
                "the place is shared with profiles that need something else"
            };
            let others = competing.iter().map(|(other, text)| by_hand::competing(found, other, text));
            plan.refuse(found, reason, &others.collect::<Vec<_>>(), sources);
            continue;
        }
        if let Some(other) = wishes.iter().find_map(|wish| overlapping(wish.span)) {
            let reason = "the place is part of another value that is written too";
            let others = [(Location::Span(*other), "the other value".to_owned())];
            plan.refuse(found, reason, &others, sources);
            continue;
        }
        // Its text stands for bytes, which would not be written back.
        let is_foreign = |wish: &&Wish| sources.file(wish.span.file).is_some_and(|file| !file.is_as_written());
        if wishes.iter().filter(|wish| wish.changes).any(|wish| is_foreign(&wish)) {
            let reason = "the file is not UTF-8: save it in that encoding first";
            plan.refuse(found, reason, &[], sources);
            continue;
        }
        for wish in wishes.iter().filter(|wish| wish.changes) {
            let splice = chosen.entry(wish.span).or_insert_with(|| as_written(sources, wish.span, wish.text.clone()));
            if written(sources, wish.span) != splice.replacement {
                plan.profiles.insert(found.profile.name.value.clone());
            }
            bare.entry(wish.span).or_insert_with(|| match &wish.bare {
                Some(bare) if *bare == written(sources, wish.span) => {
                    Splice { span: wish.span, replacement: bare.clone() }
                }
                Some(bare) => as_written(sources, wish.span, bare.clone()),
                None => splice.clone(),
            });
        }
        let attempt = plan.attempts.entry(found.name()).or_insert_with(|| Attempt {
            is_reference: matches!(found.wanted, Wanted::Reference { .. }),
            in_vain: by_hand::refusal(found, IN_VAIN, &[], sources),
            beyond: by_hand::beyond(found, BEYOND, sources),
            brings: BTreeSet::new(),
        });
        attempt.brings.extend(wishes.iter().filter(|wish| wish.bare.is_some()).map(|wish| wish.span));
    }
    let changing = |chosen: BTreeMap<Span, Splice>| -> Vec<Splice> {
        chosen.into_values().filter(|splice| written(sources, splice.span) != splice.replacement).collect()
    };
    plan.bare = changing(bare);
    plan.splices = changing(chosen);
    // The numbers of files are in the order in which they were read, which is another from run to run.
    plan.splices.sort_by_key(|splice| (sources.path(splice.span.file), splice.span.start));
    plan
}

impl Plan {
    fn refuse(&mut self, found: &Use<'_>, reason: &str, others: &[(Location, String)], sources: &SourceMap) {
        self.refusals.push((found.name(), by_hand::refusal(found, reason, others, sources)));
    }
}

/// The splice that puts `text` there: in quotes where a whole value without them would be no string, as `2025.10` is none.
fn as_written(sources: &SourceMap, span: Span, text: String) -> Splice {
    let whole = sources.file(span.file).and_then(|file| yamlspan::edit::replace_at(file.text(), span, &text));
    match whole {
        // In the place of a number a number could stand: not here.
        Some(splice) if splice.replacement == text && !is_string(&text, span) => {
            Splice { replacement: format!("\"{text}\""), ..splice }
        }
        Some(splice) => splice,
        None => Splice { span, replacement: text },
    }
}

fn is_string(text: &str, span: Span) -> bool {
    let documents = yamlspan::parse(text, span.file, Dialect::GoYamlV2).unwrap_or_default();
    documents.first().is_some_and(|document| document.root().value() == Scalar::Str)
}

/// The files that splices touch, edited: path and new text, in path order.
pub(crate) fn apply(splices: &[Splice], sources: &SourceMap) -> Result<BTreeMap<Utf8PathBuf, String>, String> {
    let mut by_file: BTreeMap<FileId, Vec<Splice>> = BTreeMap::new();
    for splice in splices {
        by_file.entry(splice.span.file).or_default().push(splice.clone());
    }
    let mut edited = BTreeMap::new();
    for (file, splices) in by_file {
        let Some(source) = sources.file(file) else { continue };
        if !source.is_as_written() {
            return Err(format!("`{}` is not UTF-8", source.path()));
        }
        let text = yamlspan::edit::apply(source.text(), &splices).map_err(|error| error.to_string())?;
        edited.insert(source.path().to_owned(), text);
    }
    Ok(edited)
}
