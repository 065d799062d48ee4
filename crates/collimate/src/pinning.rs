//! Which bytes to write so that profiles use exactly what their releases list.
//!
//! Every use of a component gives wishes: this span shall hold that text. A span may be reached by several profiles, also of other
//! channels; it is edited only where all of them wish the same. What cannot be expressed as the bytes of one scalar is refused
//! with the lines to write by hand. Whether a plan works is proved afterwards by a check of its result.

use std::collections::{BTreeMap, BTreeSet};

use alignment::{LabelMeaning, Pin, Resolved, Survey};
use findings::{Finding, Location, Severity};
use source::{SourceMap, Span};
use yamlspan::edit::Splice;

/// Rule name under which refusals are printed.
const REFUSED: &str = "pin-refused";

/// What to write, and what cannot be.
#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) splices: Vec<Splice>,
    pub(crate) refusals: Vec<Finding<Location>>,
    /// The profiles that the splices are for.
    pub(crate) profiles: BTreeSet<String>,
}

/// One span that one use wishes to hold a text.
struct Wish {
    span: Span,
    text: String,
    /// Whether the span holds another text now.
    changes: bool,
}

/// All wishes of one use (tag and digest are written together or not at all), or why there can be none.
struct Use {
    profile: String,
    what: String,
    /// The reference or label value that the profile is meant to have.
    wanted: String,
    /// Whether the use belongs to a profile that is being pinned.
    selected: bool,
    place: Option<Span>,
    wishes: Result<Vec<Wish>, String>,
}

/// Plans the edits for the profiles in `selected`. `survey` must be over traced profiles.
pub(crate) fn plan(survey: &Survey<'_>, sources: &SourceMap, selected: &BTreeSet<&str>, tag_with_digest: bool) -> Plan {
    let traced =
        |name: &str| survey.profiles.iter().find(|profile| profile.name() == name).map(|profile| profile.profile);
    let pins = alignment::pins(survey, &traced);
    let mut uses: Vec<Use> =
        pins.iter().map(|pin| use_of_pin(pin, sources, selected.contains(pin.profile), tag_with_digest)).collect();
    uses.extend(labels(survey, selected));
    settle(uses, sources)
}

fn written(sources: &SourceMap, span: Span) -> &str {
    sources.file(span.file).and_then(|file| file.text().get(span.range())).unwrap_or_default()
}

fn exact(resolved: &Resolved) -> Option<Span> {
    resolved.primary.filter(|_| resolved.exact)
}

fn use_of_pin(pin: &Pin<'_>, sources: &SourceMap, selected: bool, tag_with_digest: bool) -> Use {
    let wishes = wishes_of_pin(pin, sources, tag_with_digest);
    let digest_place = pin.digest.as_ref().and_then(|digest| digest.primary);
    Use {
        profile: pin.profile.to_owned(),
        what: format!("`{}`", pin.component.name.value),
        wanted: pin.wanted.clone(),
        selected,
        place: digest_place.or(pin.whole.primary).or(pin.repository.primary),
        wishes,
    }
}

fn wishes_of_pin(pin: &Pin<'_>, sources: &SourceMap, tag_with_digest: bool) -> Result<Vec<Wish>, String> {
    let mut wishes = Vec::new();
    let (Ok(reference), Some(digest)) = (&pin.image.reference, pin.component.digest.get()) else {
        return Ok(wishes);
    };
    let tag = &pin.component.tag.value;
    if let (Some(now), Some(resolved)) = (reference.tag(), &pin.tag) {
        match exact(resolved) {
            Some(span) => wishes.push(Wish { span, text: tag.clone(), changes: now != tag }),
            None if now == tag => {}
            None => return Err("its tag is put together from several places".to_owned()),
        }
    }
    match (reference.digest(), &pin.digest) {
        (Some(now), Some(resolved)) => match exact(resolved) {
            Some(span) => {
                wishes.push(Wish { span, text: digest.to_string(), changes: now != digest });
            }
            None => match hex_only(resolved, now.hex(), digest, sources) {
                Some(span) => {
                    wishes.push(Wish { span, text: digest.hex().to_owned(), changes: now != digest });
                }
                None if now == digest => {}
                None => return Err("its digest is put together from several places".to_owned()),
            },
        },
        _ => {
            let after = |span: Span| Span { start: span.end, ..span };
            let tag_end = pin.tag.as_ref().and_then(exact).filter(|_| tag_with_digest);
            match exact(&pin.whole).or(tag_end) {
                Some(span) => {
                    wishes.push(Wish { span: after(span), text: format!("@{digest}"), changes: true });
                }
                None => {
                    return Err("it has no digest, and its reference is put together from several values".to_owned());
                }
            }
        }
    }
    Ok(wishes)
}

/// The bytes of the hexadecimal part, where a template writes `sha256:` itself.
fn hex_only(resolved: &Resolved, now: &str, wanted: &release::Digest, sources: &SourceMap) -> Option<Span> {
    let span = resolved.primary?;
    (written(sources, span) == now && wanted.algorithm() == "sha256").then_some(span)
}

/// Labels that name another release or channel, as the rule `release-label-differs` finds them.
fn labels(survey: &Survey<'_>, selected: &BTreeSet<&str>) -> Vec<Use> {
    let mut uses = Vec::new();
    for profile in &survey.profiles {
        let Some(held) = profile.release else { continue };
        for label in alignment::release_labels(profile) {
            let resolved = alignment::resolve(profile.profile, &label.place);
            let changes = label.value != label.expected;
            // It may name an image or the release; where one value serves a label of the release too, that one decides.
            let is_free = label.meaning == LabelMeaning::Application && !changes;
            let wishes = match exact(&resolved) {
                _ if is_free => Ok(Vec::new()),
                Some(span) => Ok(vec![Wish { span, text: label.expected.clone(), changes }]),
                None if !changes => Ok(Vec::new()),
                None => Err("its value is put together from several places".to_owned()),
            };
            uses.push(Use {
                profile: profile.name().to_owned(),
                what: format!("the label `{}`", label.key),
                wanted: label.expected.clone(),
                selected: selected.contains(profile.name()) && !held.release.version.is_empty(),
                place: resolved.primary,
                wishes,
            });
        }
    }
    uses
}

/// Turns wishes into splices where all agree.
fn settle(uses: Vec<Use>, sources: &SourceMap) -> Plan {
    // Per span: every text that somebody wishes it to hold.
    let mut wished: BTreeMap<Span, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for found in &uses {
        for wish in found.wishes.iter().flatten() {
            wished.entry(wish.span).or_default().entry(wish.text.clone()).or_default().push(found.profile.clone());
        }
    }
    let overlaps = |span: Span| {
        wished
            .keys()
            .any(|other| *other != span && other.file == span.file && other.start < span.end && span.start < other.end)
    };
    let mut plan = Plan::default();
    let mut chosen: BTreeMap<Span, String> = BTreeMap::new();
    for found in &uses {
        let wishes = match &found.wishes {
            Ok(wishes) if !found.selected || wishes.iter().all(|wish| !wish.changes) => continue,
            Ok(wishes) => wishes,
            Err(_) if !found.selected => continue,
            Err(reason) => {
                plan.refusals.push(refusal(found, reason, Vec::new()));
                continue;
            }
        };
        let disputed = wishes.iter().find(|wish| wished.get(&wish.span).is_some_and(|texts| texts.len() > 1));
        if let Some(wish) = disputed {
            let others: Vec<String> = wished[&wish.span]
                .iter()
                .filter(|(text, _)| **text != wish.text)
                .flat_map(|(text, profiles)| {
                    profiles.iter().map(move |profile| format!("profile `{profile}` needs `{text}` there"))
                })
                .collect();
            plan.refusals.push(refusal(found, "the place is shared with profiles that need something else", others));
            continue;
        }
        if wishes.iter().any(|wish| overlaps(wish.span)) {
            plan.refusals.push(refusal(found, "the place is part of another value that is written too", Vec::new()));
            continue;
        }
        for wish in wishes.iter().filter(|wish| wish.changes && written(sources, wish.span) != wish.text) {
            chosen.insert(wish.span, wish.text.clone());
            plan.profiles.insert(found.profile.clone());
        }
    }
    plan.splices = chosen.into_iter().map(|(span, replacement)| Splice { span, replacement }).collect();
    plan
}

fn refusal(found: &Use, reason: &str, mut others: Vec<String>) -> Finding<Location> {
    let place = found.place.map_or(Location::Nowhere, Location::Span);
    let message = format!("cannot write {} for profile `{}`: {reason}", found.what, found.profile);
    others.sort();
    others.dedup();
    let mut help = format!("write by hand, so that the profile renders `{}`", found.wanted);
    if let Some((_, digest)) = found.wanted.split_once('@') {
        help.push_str(&format!(
            "; a chart can take it as a value of its own: `digest: {digest}`, joined in the template as \
             `{{{{ .repository }}}}:{{{{ .tag }}}}@{{{{ .digest }}}}`"
        ));
    }
    let mut finding = Finding::new(REFUSED, Severity::Error, place, message).label("reached here").help(help);
    for other in others {
        finding = finding.related(Location::Nowhere, other);
    }
    finding
}

/// The files that splices touch, edited: path and new text, in path order.
pub(crate) fn apply(splices: &[Splice], sources: &SourceMap) -> Result<BTreeMap<camino::Utf8PathBuf, String>, String> {
    let mut by_file: BTreeMap<source::FileId, Vec<Splice>> = BTreeMap::new();
    for splice in splices {
        by_file.entry(splice.span.file).or_default().push(splice.clone());
    }
    let mut edited = BTreeMap::new();
    for (file, splices) in by_file {
        let Some(source) = sources.file(file) else { continue };
        let text = yamlspan::edit::apply(source.text(), &splices).map_err(|error| error.to_string())?;
        edited.insert(source.path().to_owned(), text);
    }
    Ok(edited)
}
