//! What every use of a component, and every release label, wishes its source bytes to hold.

use std::collections::{BTreeMap, BTreeSet};

use alignment::{Acceptance, LabelMeaning, Object, Pin, ProfileSurvey, Rendered, Resolved, Step, Survey};
use findings::Location;
use release::Digest;
use source::{SourceMap, Span};

use super::packed::{Charts, Packed};
use super::{Refused, Use, Wanted, WayOut, Ways, Wish, beyond, by_hand, empty, written};
use crate::disk::DiskFiles;

/// Of all profiles: what one of them needs, another one may share.
pub(super) fn all<'a>(
    survey: &'a Survey<'_>,
    sources: &SourceMap,
    files: &DiskFiles,
    selected: &BTreeSet<&str>,
    ways: &Ways,
) -> Vec<Use<'a>> {
    let traced =
        |name: &str| survey.profiles.iter().find(|profile| profile.name() == name).map(|profile| profile.profile);
    let pins = alignment::pins(survey, &traced);
    let shared = shared_tags(&pins);
    let values = empty::Values::new(sources);
    let charts = Charts::new(files);
    let mut uses = Vec::new();
    for pin in pins {
        let Some(profile) = survey.inputs.workspace.profile(pin.profile) else { continue };
        let what = format!("`{}`", pin.component.name.value);
        let in_vain = ways.in_vain.get(&(pin.profile.to_owned(), what.clone())).copied().unwrap_or_default();
        let packed = survey.profile(pin.profile).and_then(|profile| charts.packed(&pin, profile));
        let value = |names: &[&'static str]| {
            let open = if names == [empty::TAG] { empty::WAYS } else { empty::FORMS };
            let packed = || values.at(&packed.as_ref()?.keys, names, profile);
            Some(names).filter(|_| in_vain < open).and_then(|names| values.beside(&pin, names, profile).or_else(packed))
        };
        let digest = |name: &str, digest: &Digest| empty::form(name, digest, in_vain > 0);
        let wishes = of_pin(&pin, survey, sources, ways.tag_with_digest, (&values, &shared), (&value, &digest));
        let wishes = wishes.map_err(|refused| match &packed {
            Some(packed) => in_archive(&pin, packed, refused, &digest),
            None => refused,
        });
        let digest_place = pin.digest.as_ref().and_then(|digest| digest.primary);
        uses.push(Use {
            profile,
            profiles: &survey.inputs.workspace.profiles,
            what,
            selected: selected.contains(pin.profile),
            place: digest_place.or(pin.whole.primary).or(pin.repository.primary),
            parts: parts(&pin),
            wishes,
            wanted: Wanted::Reference { text: pin.wanted, component: pin.component },
        });
    }
    uses.extend(labels(survey, sources, selected));
    uses
}

/// Where the parts of a reference come from, and where they are put together.
fn parts(pin: &Pin<'_>) -> Vec<(Span, &'static str)> {
    let mut parts = Vec::new();
    let named =
        [(Some(&pin.repository), "the repository"), (pin.tag.as_ref(), "the tag"), (pin.digest.as_ref(), "the digest")];
    for (resolved, label) in named {
        parts.extend(resolved.and_then(|resolved| resolved.primary).map(|span| (span, label)));
    }
    parts.extend(pin.whole.via.iter().map(|span| (*span, "put together here")));
    parts
}

fn exact(resolved: &Resolved) -> Option<Span> {
    resolved.primary.filter(|_| resolved.exact)
}

fn refused<T>(reason: &str) -> Result<T, Refused> {
    Err(Refused::new(reason))
}

/// What to set in place of values that lie in an archive.
fn in_archive(pin: &Pin<'_>, packed: &Packed, refused: Refused, form: &Form<'_>) -> Refused {
    let (Ok(reference), Some(digest)) = (&pin.image.reference, pin.component.digest.get()) else { return refused };
    let tag = &pin.component.tag.value;
    let text = packed.digest.and_then(|name| Some((name, form(name, digest)?)));
    let mut values: Vec<(&str, &str)> = Vec::new();
    values.extend(
        (packed.has_tag && (text.is_none() || reference.tag() != Some(tag))).then_some((empty::TAG, tag.as_str())),
    );
    values.extend(text.as_ref().map(|(name, text)| (*name, text.as_str())));
    if values.is_empty() {
        return refused;
    }
    let chart = &packed.chart;
    let reason = match text {
        Some(_) => format!("the values of its chart `{chart}` lie in an archive"),
        None => format!(
            "its chart `{chart}` lies in an archive and has no value for a digest; over a tag that is set outside of it, `--tag-with-digest` writes one"
        ),
    };
    Refused { way_out: WayOut::Values(by_hand::nested(&packed.keys, &values)), ..Refused::new(reason) }
}

/// The empty value of the first of these names that the image has.
type Empty<'e> = dyn Fn(&[&'static str]) -> Option<(&'static str, Span)> + 'e;

/// A digest as it stands in a value of this name.
type Form<'f> = dyn Fn(&str, &Digest) -> Option<String> + 'f;

fn of_pin(
    pin: &Pin<'_>,
    survey: &Survey<'_>,
    sources: &SourceMap,
    tag_with_digest: bool,
    (values, shared): (&empty::Values<'_>, &BTreeSet<Span>),
    (value, form): (&Empty<'_>, &Form<'_>),
) -> Result<Vec<Wish>, Refused> {
    let mut wishes = Vec::new();
    let (Ok(reference), Some(digest)) = (&pin.image.reference, pin.component.digest.get()) else {
        return Ok(wishes);
    };
    let tag = &pin.component.tag.value;
    let tag_at = pin.tag.as_ref().and_then(exact);
    // What `Chart.yaml` says of the application is the default of a tag; where values have one of their own, that is the place to set it.
    let is_default = |span: &Span| is_in_chart_file(*span, sources);
    let empty_tag = || {
        let wanted = pin.tag.is_some() && tag_at.as_ref().is_none_or(is_default);
        wanted.then(|| value(&[empty::TAG])).flatten().map(|(_, span)| span)
    };
    if let Some(now) = reference.tag() {
        if now == tag {
            wishes.extend(tag_at.map(|span| Wish::new(span, tag, false)));
        } else if pin.tag.is_some() {
            match empty_tag().or(tag_at) {
                Some(span) => wishes.push(Wish::new(span, tag, true)),
                None => return refused("its tag is put together from several places"),
            }
        }
    }
    if let (Some(now), Some(resolved)) = (reference.digest(), &pin.digest) {
        match exact(resolved) {
            Some(span) => wishes.push(Wish::new(span, digest.to_string(), now != digest)),
            None => match hex_only(resolved, now.hex(), digest, sources) {
                Some(span) => wishes.push(Wish::new(span, digest.hex(), now != digest)),
                None if now == digest => {}
                None => return refused("its digest is put together from several places"),
            },
        }
        return Ok(wishes);
    }
    let used_by = survey.profile(pin.profile);
    if let Some(held) =
        used_by.filter(|profile| alignment::is_built(profile.profile, pin.image)).and_then(|profile| profile.release)
    {
        let way_out = WayOut::Other(alignment::built_way_out(pin.component, &held.input.path));
        return Err(Refused {
            way_out,
            ..Refused::new("a service builds it, and no builder takes a name with a digest")
        });
    }
    let whole = exact(&pin.whole);
    if let Some(end) = whole.is_none().then(|| end_of_scalar(pin, survey, sources, (values, shared))).flatten() {
        wishes.push(Wish::bringing(end, format!("@{digest}"), ""));
        return Ok(wishes);
    }
    if let Some((name, span)) = whole.is_none().then(|| value(&empty::DIGEST)).flatten()
        && let Some(text) = form(name, digest)
    {
        wishes.push(Wish::bringing(span, text, written(sources, span)));
        return Ok(wishes);
    }
    if let Some(span) = (tag_with_digest && whole.is_none()).then(empty_tag).flatten() {
        let is_set = wishes.iter().any(|wish| wish.span == span && wish.changes);
        wishes.retain(|wish| wish.span != span);
        let bare = if is_set { tag } else { written(sources, span) };
        wishes.push(Wish::bringing(span, format!("{tag}@{digest}"), bare));
        return Ok(wishes);
    }
    let span = match (whole, tag_at) {
        (Some(whole), _) => whole,
        (None, Some(tag)) if is_version_of_chart(tag, sources, values) => {
            return refused("it has no digest, and its tag is the version of the chart, which cannot hold one");
        }
        (None, Some(tag)) if tag_with_digest => {
            only_in_images(survey, tag)?;
            tag
        }
        (None, tag) if tag.is_some() || empty_tag().is_some() => {
            return refused(
                "it has no digest, and its reference is put together from several values; `--tag-with-digest` writes it into the tag",
            );
        }
        (None, _) => return refused("it has no digest, and its reference is put together from several values"),
    };
    wishes.push(Wish::bringing(Span { start: span.end, ..span }, format!("@{digest}"), ""));
    Ok(wishes)
}

/// The bytes of the hexadecimal part, where a template writes `sha256:` itself.
fn hex_only(resolved: &Resolved, now: &str, wanted: &Digest, sources: &SourceMap) -> Option<Span> {
    let span = resolved.primary?;
    (written(sources, span) == now && wanted.algorithm() == "sha256").then_some(span)
}

/// Values that are the tag of several components: none of their digests can go there.
fn shared_tags(pins: &[Pin<'_>]) -> BTreeSet<Span> {
    let mut names: BTreeMap<Span, BTreeSet<&str>> = BTreeMap::new();
    for pin in pins {
        if let Some(tag) = pin.tag.as_ref().and_then(exact) {
            names.entry(tag).or_default().insert(&pin.component.name.value);
        }
    }
    names.into_iter().filter(|(_, names)| names.len() > 1).map(|(tag, _)| tag).collect()
}

/// The end of the image's scalar in a Compose file, where a digest can stand behind what is put together there: the last words are its own, or no value is for
/// the tag of this image alone.
fn end_of_scalar(
    pin: &Pin<'_>,
    survey: &Survey<'_>,
    sources: &SourceMap,
    (values, shared): (&empty::Values<'_>, &BTreeSet<Span>),
) -> Option<Span> {
    let scalar = alignment::scalar_of(survey.profile(pin.profile)?.profile, &pin.image.place(None))?;
    let end = values.end_of_line(scalar)?;
    let before = sources.file(end.file)?.text().get(..end.range().start)?;
    let name = before.trim_end_matches(|letter: char| letter.is_ascii_alphanumeric() || letter == '_');
    let is_own = !before.ends_with('}') && !name.ends_with('$');
    let has_value = pin.tag.as_ref().and_then(exact).is_some_and(|tag| !shared.contains(&tag));
    (is_own || !has_value).then_some(end)
}

/// Whether it is the version of a chart, which holds no digest.
fn is_version_of_chart(tag: Span, sources: &SourceMap, values: &empty::Values<'_>) -> bool {
    is_in_chart_file(tag, sources) && values.keys_of(tag).is_some_and(|keys| keys == ["version"])
}

fn is_in_chart_file(span: Span, sources: &SourceMap) -> bool {
    sources.path(span.file).file_name() == Some("Chart.yaml")
}

/// A tag that is also a label, or a value of something else, cannot take a digest: a label may not even hold its characters. A hash may be another.
fn only_in_images(survey: &Survey<'_>, tag: Span) -> Result<(), Refused> {
    let mut others: Vec<(Location, String)> = Vec::new();
    let mut entries: Vec<Option<String>> = Vec::new();
    for profile in &survey.profiles {
        let scalars: BTreeSet<Option<Span>> =
            profile.images.iter().map(|used| alignment::scalar_of(profile.profile, &used.image.place(None))).collect();
        for (place, text) in alignment::made_from(profile.profile, tag) {
            let is_image = profile.images.iter().any(|used| {
                (used.image.variant, used.image.object, &used.image.path) == (place.variant, place.object, &place.path)
            });
            // An anchor, whose image services have by `<<`, is no other one.
            let scalar = alignment::scalar_of(profile.profile, &place);
            let is_merged = scalar.is_some() && scalars.contains(&scalar);
            // An overlay renders the same again.
            let is_repeated = place.variant > 0 && matches!(place.object, alignment::Object::Compose);
            if is_image || is_merged || is_repeated || beyond::is_hashed(&text, tag) {
                continue;
            }
            entries.push(images_at(profile, &place, text.as_str()));
            let resolved = alignment::resolve(profile.profile, &place);
            let at = resolved.via.first().copied().or(resolved.primary).map_or(Location::Nowhere, Location::Span);
            // A helper's line that prints many labels is one place.
            if !others.iter().any(|(known, _)| *known == at) {
                others.push((at, format!("profile `{}` uses the tag for `{}`", profile.name(), place.path)));
            }
        }
    }
    if others.is_empty() {
        return Ok(());
    }
    let entries: Option<BTreeSet<String>> = entries.into_iter().collect();
    let Some(entries) = entries else {
        let reason = "it has no digest, and its tag is not for images alone, so that none can be written into it";
        return Err(Refused { others, ..Refused::new(reason) });
    };
    let entries = entries.into_iter().collect::<Vec<_>>().join(", ");
    let way_out = WayOut::Other(format!(
        "say that these are images, and pin again: `images_at: [{entries}]` in `collimate.yaml`"
    ));
    let reason = "it has no digest, and its tag is part of an argument or a value too that nobody says is an image";
    Err(Refused { others, way_out, ..Refused::new(reason) })
}

/// The entry of `images_at` for a value that is an image of the profile, or an argument that ends in one.
fn images_at(profile: &ProfileSurvey<'_>, place: &Rendered, text: &str) -> Option<String> {
    let Object::Document(index) = place.object else { return None };
    let images = || profile.images.iter().map(|used| &*used.image.text);
    if images().any(|image| image == text) {
        let document = profile.profile.variants.get(place.variant)?.kubernetes()?.documents.get(index)?;
        let kind = document.document.root().at(&["kind"])?.raw().to_owned();
        let step = |step: &Step| match step {
            Step::Key(key) => (!key.contains(['.', '*'])).then(|| key.to_string()),
            Step::Index(index) => Some(index.to_string()),
            Step::Name(_) => None,
        };
        let path: Option<Vec<String>> = place.path.0.iter().map(step).collect();
        let is_list = kind == "List";
        return Some(format!("{{kind: {kind}, path: {}}}", path?.join("."))).filter(|_| !is_list);
    }
    let before = images().find_map(|image| text.strip_suffix(image))?;
    let is_argument =
        place.path.0.iter().any(|step| matches!(step, Step::Key(key) if key == "args" || key == "command"));
    (is_argument && before.starts_with('-') && before.ends_with('=')).then(|| format!("{{args: \"{before}*\"}}"))
}

/// Labels that name another release or channel, as the rule `release-label-differs` finds them: what the workspace accepts stays as it is.
fn labels<'a>(survey: &'a Survey<'_>, sources: &SourceMap, selected: &BTreeSet<&str>) -> Vec<Use<'a>> {
    let (workspace, today) = (survey.inputs.workspace, survey.inputs.facts.today());
    let acceptance = Acceptance { workspace, sources, today, complete: false };
    let mut uses = Vec::new();
    for profile in &survey.profiles {
        let Some(held) = profile.release else { continue };
        let Some(declared) = survey.inputs.workspace.profile(profile.name()) else { continue };
        for label in alignment::release_labels(profile, acceptance) {
            let resolved = alignment::resolve(profile.profile, &label.place);
            let changes = label.value != label.expected;
            // It may name an image or the release; where one value serves a label of the release too, that one decides.
            let is_free = label.meaning == LabelMeaning::Application && !changes;
            let wishes = match exact(&resolved) {
                _ if is_free => Ok(Vec::new()),
                Some(span) => Ok(vec![Wish::new(span, &label.expected, changes)]),
                None if !changes => Ok(Vec::new()),
                None => refused("its value is put together from several places"),
            };
            uses.push(Use {
                profile: declared,
                profiles: &survey.inputs.workspace.profiles,
                what: format!("the label `{}`", label.key),
                wanted: Wanted::Label(label.expected),
                selected: selected.contains(profile.name()) && !held.release.version.is_empty(),
                place: resolved.primary,
                parts: resolved.via.iter().map(|span| (*span, "printed here")).collect(),
                wishes,
            });
        }
    }
    uses
}
