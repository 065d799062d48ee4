//! What is said of a place that cannot be written: every place that has to do with it, and the lines to write instead.

use camino::{Utf8Path, Utf8PathBuf};
use findings::{Finding, Location, Severity};
use release::{HelmSource, Profile, ProfileSource, Spanned};
use source::{SourceMap, Span};
use yamlspan::edit::Splice;
use yamlspan::{Dialect, Kind, NodeRef};

use super::{Refused, Use, Wanted, WayOut, Wish, values_files};

/// Rule name under which refusals are printed.
const REFUSED: &str = "pin-refused";

/// Why `found` is not written. `others` are more places that have to do with it.
pub(super) fn refusal(
    found: &Use<'_>,
    reason: &str,
    others: &[(Location, String)],
    sources: &SourceMap,
) -> Finding<Location> {
    explained(found, reason, others, way_out(found, true, sources))
}

/// As [`refusal`], of a use that can have no wishes.
pub(super) fn refused(found: &Use<'_>, refused: &Refused, sources: &SourceMap) -> Finding<Location> {
    let Refused { reason, others, way_out } = refused;
    match (way_out, &found.profile.source) {
        (WayOut::Other(help), _) => explained(found, reason, others, help.clone()),
        (WayOut::Values(values), ProfileSource::Helm(source)) => {
            let of_chart = |profile: &&Profile| matches!(&profile.source, ProfileSource::Helm(other) if other.chart.value == source.chart.value);
            let own = source.values.last().map(|last| last.value.clone());
            let (place, file) = match (own, values_files(source).last()) {
                (None, Some(file))
                    if found.profiles.iter().filter(of_chart).count() < 2 && sources.id_of(file).is_some() =>
                {
                    (Location::File(file.clone()), format!("`{file}`"))
                }
                (own, _) => {
                    let place = own.map_or(Location::Span(source.chart.span), Location::File);
                    (place, own_file(found, source.values.last(), "values"))
                }
            };
            let help = format!("write `{values}` into {file}, so that the profile renders `{}`", found.wanted.text());
            Finding { place, ..explained(found, reason, others, help).label("its values can be set from here") }
        }
        _ => refusal(found, reason, others, sources),
    }
}

/// Values below these keys, as they are written on one line.
pub(super) fn nested(keys: &[String], values: &[(&str, &str)]) -> String {
    let mut below = Values::default();
    for (name, text) in values {
        let keys: Vec<String> = keys.iter().cloned().chain([(*name).to_owned()]).collect();
        below.set(&keys, (*text).to_owned());
    }
    below.entries()
}

/// Why `found` is not written though it would be reached: its digest would change more. A tag that holds one would do so in any file.
pub(super) fn beyond(found: &Use<'_>, reason: &str, sources: &SourceMap) -> Finding<Location> {
    let in_tag = |wish: &Wish| wish.bare.is_some() && wish.text.contains('@');
    let has_slot = !found.wishes.iter().flatten().any(in_tag);
    explained(found, reason, &[], way_out(found, has_slot, sources))
}

fn explained(found: &Use<'_>, reason: &str, others: &[(Location, String)], help: String) -> Finding<Location> {
    let place = found.place.map_or(Location::Nowhere, Location::Span);
    let message = format!("cannot write {} for profile `{}`: {reason}", found.what, found.profile.name.value);
    let mut finding = Finding::new(REFUSED, Severity::Error, place, message).label("reached here").help(help);
    let mut shown: Vec<(Location, String)> = Vec::new();
    let parts = found.parts.iter().filter(|(span, _)| found.place != Some(*span));
    let parts = parts.map(|(span, label)| (Location::Span(*span), (*label).to_owned()));
    for other in parts.chain(others.iter().cloned()) {
        if !shown.contains(&other) {
            finding = finding.related(other.0.clone(), other.1.clone());
            shown.push(other);
        }
    }
    finding
}

/// Who else reaches the place, and what they need there: with the line of the release that says so.
pub(super) fn competing(found: &Use<'_>, other: &Use<'_>, text: &str) -> (Location, String) {
    let name = &other.profile.name.value;
    let label = if *name == found.profile.name.value {
        format!("{} needs `{text}` there", other.what)
    } else {
        format!("profile `{name}` needs `{text}` there")
    };
    let place = match &other.wanted {
        Wanted::Reference { component, .. } if component.tag.value == text => Location::Span(component.tag.span),
        Wanted::Reference { component, .. } => Location::Span(component.digest.span),
        Wanted::Label(_) => Location::Nowhere,
    };
    (place, label)
}

/// `in_values`: whether values of the profile's own would do.
fn way_out(found: &Use<'_>, in_values: bool, sources: &SourceMap) -> String {
    let (text, component) = match &found.wanted {
        Wanted::Label(text) => return format!("write by hand, so that the profile renders `{text}`"),
        Wanted::Reference { text, component } => (text, component),
    };
    let mut help = format!("write by hand, so that the profile renders `{text}`");
    match &found.profile.source {
        ProfileSource::Compose(source) => {
            let name = variable(&component.name.value);
            let file = own_file(found, source.env.last(), "env");
            help.push_str(&format!(
                "; a profile can have it of its own: `image: ${{{name}:?}}` in the Compose file, and `{name}={text}` in {file}"
            ));
        }
        ProfileSource::Helm(source) => match own_values(found, source, sources).filter(|_| in_values) {
            Some(values) => {
                let file = own_file(found, source.values.last(), "values");
                help.push_str(&format!("; a profile can have it of its own: `{values}` in {file}"));
            }
            None => {
                if let Some((_, digest)) = text.split_once('@') {
                    help.push_str(&format!(
                        "; a chart can take it as a value of its own: `digest: {digest}`, joined in the template as \
                         `{{{{ .repository }}}}:{{{{ .tag }}}}@{{{{ .digest }}}}`"
                    ));
                }
            }
        },
        ProfileSource::Manifests(_) => {}
    }
    help
}

/// The profile's last env or values file, unless others use it too.
fn own_file(found: &Use<'_>, last: Option<&Spanned<Utf8PathBuf>>, kind: &str) -> String {
    let uses = |profile: &&Profile, path: &Utf8Path| match &profile.source {
        ProfileSource::Compose(source) => source.env.iter().any(|env| env.value == path),
        ProfileSource::Helm(source) => source.values.iter().any(|values| values.value == path),
        ProfileSource::Manifests(_) => false,
    };
    match last {
        Some(last) if found.profiles.iter().filter(|profile| uses(profile, &last.value)).count() < 2 => {
            format!("`{}`", last.value)
        }
        _ => {
            let article = if kind == "env" { "an" } else { "a" };
            let name = &found.profile.name.value;
            format!("{article} {kind} file of `{name}` alone, the last one under `{kind}:` of the profile")
        }
    }
}

/// `otel-collector` → `OTEL_COLLECTOR_IMAGE`.
fn variable(component: &str) -> String {
    let letter = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' };
    let name: String = component.chars().map(letter).collect();
    let start = if name.starts_with(|first: char| first.is_ascii_digit()) { "_" } else { "" };
    format!("{start}{name}_IMAGE")
}

/// The values that a values file of the profile would have to hold, if all that is wished stands in the chart's values or in such a file.
fn own_values(found: &Use<'_>, source: &HelmSource, sources: &SourceMap) -> Option<String> {
    let wishes = found.wishes.as_ref().ok()?;
    let changing: Vec<&Wish> = wishes.iter().filter(|wish| wish.changes).collect();
    let files = values_files(source);
    let mut values = Values::default();
    for wish in &changing {
        let file = sources.file(wish.span.file)?;
        let is_values = files.iter().any(|path| path == file.path());
        if !is_values {
            return None;
        }
        let in_file = changing.iter().filter(|other| other.span.file == wish.span.file);
        let splices: Vec<Splice> =
            in_file.map(|wish| Splice { span: wish.span, replacement: wish.text.clone() }).collect();
        let keys = keys_of(file.text(), wish.span)?;
        let edited = yamlspan::edit::apply(file.text(), &splices).ok()?;
        values.set(&keys, value_at(&edited, wish.span, &keys)?);
    }
    (!values.below.is_empty()).then(|| values.entries())
}

/// Values as they are written on one line.
#[derive(Default)]
struct Values {
    text: Option<String>,
    /// In the order in which they were found.
    below: Vec<(String, Self)>,
}

impl Values {
    fn set(&mut self, keys: &[String], text: String) {
        let Some((first, rest)) = keys.split_first() else {
            self.text = Some(text);
            return;
        };
        let at = self.below.iter().position(|(key, _)| key == first).unwrap_or_else(|| {
            self.below.push((first.clone(), Self::default()));
            self.below.len() - 1
        });
        self.below[at].1.set(rest, text);
    }

    fn entries(&self) -> String {
        let entry = |(key, value): &(String, Self)| match &value.text {
            Some(text) => format!("{key}: \"{text}\""),
            None => format!("{key}: {{{}}}", value.entries()),
        };
        self.below.iter().map(entry).collect::<Vec<_>>().join(", ")
    }
}

/// The keys of mappings that lead to the scalar at a span. `None` where a list is on the way: values files cannot change one item of it.
fn keys_of(text: &str, span: Span) -> Option<Vec<String>> {
    let documents = yamlspan::parse(text, span.file, Dialect::GoYamlV2).ok()?;
    keys_in(documents.first()?.root(), span)
}

pub(super) fn keys_in(root: NodeRef<'_>, span: Span) -> Option<Vec<String>> {
    let mut keys = Vec::new();
    find(root, span, &mut keys).then_some(keys)
}

fn find(node: NodeRef<'_>, span: Span, keys: &mut Vec<String>) -> bool {
    match node.kind() {
        Kind::Scalar => node.content_span().contains(span),
        Kind::Mapping => node.entries().any(|(key, value)| {
            keys.push(key.raw().to_owned());
            let found = value.span().contains(span) && find(value, span, keys);
            if !found {
                keys.pop();
            }
            found
        }),
        Kind::Sequence | Kind::Alias => false,
    }
}

fn value_at(text: &str, span: Span, keys: &[String]) -> Option<String> {
    let documents = yamlspan::parse(text, span.file, Dialect::GoYamlV2).ok()?;
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    documents.first()?.root().at(&keys).map(|node| node.raw().to_owned())
}
