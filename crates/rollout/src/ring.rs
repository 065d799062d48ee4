//! Which archived release a ring names in `collimate.yaml`, changed byte for byte around it.

use camino::{Utf8Path, Utf8PathBuf};
use release::{Workspace, scalar};
use source::{FileId, Span};
use yamlspan::edit::{self, Splice};
use yamlspan::{Dialect, Kind, NodeRef, Style};

/// Why the workspace file was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RingError {
    #[error("channel `{channel}` has no ring `{ring}` written under it")]
    NotFound { channel: String, ring: String },
    #[error("the line of ring `{ring}` cannot be edited: {reason}")]
    NotEditable { ring: String, reason: String },
}

/// The workspace file with a ring that names `release`, or follows its channel where there is none. The result is read again and
/// proved to differ in nothing else.
///
/// # Errors
/// A ring that is not there, or is written in a way that a splice cannot change alone (an alias, for one).
pub fn set_ring(text: &str, channel: &str, ring: &str, release: Option<&Utf8Path>) -> Result<String, RingError> {
    let not_editable = |reason: &str| RingError::NotEditable { ring: ring.to_owned(), reason: reason.to_owned() };
    let file = FileId(0);
    let document =
        yamlspan::parse_first(text, file, Dialect::GoYamlV4).map_err(|error| not_editable(&error.to_string()))?;
    let not_found = || RingError::NotFound { channel: channel.to_owned(), ring: ring.to_owned() };
    let rings = document
        .as_ref()
        .and_then(|document| document.root().at(&["channels", channel, "rings"]))
        .ok_or_else(not_found)?;
    let item = rings.target().items().find(|item| name_of(*item) == Some(ring)).ok_or_else(not_found)?;
    if item.kind() == Kind::Alias || rings.kind() == Kind::Alias {
        return Err(not_editable("it is an alias"));
    }
    let written = item.get("release");
    let splice = match (written, release) {
        (None, None) => return Ok(text.to_owned()),
        (Some(node), Some(path)) => {
            edit::replace_scalar(node, path.as_str()).map_err(|error| not_editable(&error.to_string()))?
        }
        (None, Some(path)) if others(item).is_empty() => {
            // What `scalar` leaves plain can stand between braces and brackets too.
            let replacement = format!("{{name: {}, release: {}}}", scalar(ring), scalar(path.as_str()));
            Splice { span: item.span(), replacement }
        }
        (None, Some(path)) => add_release(item, path).ok_or_else(|| not_editable("it has no name"))?,
        (Some(_), None) if others(item).is_empty() => Splice { span: item.span(), replacement: scalar(ring) },
        (Some(_), None) => {
            remove_release(item).ok_or_else(|| not_editable("its key cannot be told from its neighbours"))?
        }
    };
    let edited = edit::apply(text, &[splice]).map_err(|error| not_editable(&error.to_string()))?;
    let expected = rings_of(text, file).map(|mut rings| {
        for entry in rings.iter_mut().filter(|entry| entry.0 == channel && entry.1.as_deref() == Some(ring)) {
            entry.2 = release.map(Utf8Path::to_owned);
        }
        rings
    });
    match (expected, rings_of(&edited, file)) {
        (Some(expected), Some(found)) if expected == found => Ok(edited),
        _ => Err(not_editable("the edit would change more than the ring")),
    }
}

/// What a ring says beside its name and release.
fn others(item: NodeRef<'_>) -> Vec<NodeRef<'_>> {
    if item.kind() != Kind::Mapping {
        return Vec::new();
    }
    item.entries().filter(|(key, _)| !matches!(key.raw(), "name" | "release")).map(|(key, _)| key).collect()
}

/// The release, written after the name.
fn add_release(item: NodeRef<'_>, path: &Utf8Path) -> Option<Splice> {
    let (key, name) = item.entries().find(|(key, _)| key.raw() == "name")?;
    let end = name.span().end;
    let between = match item.style() {
        Style::Flow => ", ".to_owned(),
        _ => {
            let (_, column) = key.line_and_column();
            format!("\n{}", " ".repeat(column.saturating_sub(1) as usize))
        }
    };
    let span = Span { start: end, ..name.span() };
    Some(Splice { span, replacement: format!("{between}release: {}", scalar(path.as_str())) })
}

/// The key `release` and its value, with what parts them from their neighbours.
fn remove_release(item: NodeRef<'_>) -> Option<Splice> {
    let entries: Vec<_> = item.entries().collect();
    let index = entries.iter().position(|(key, _)| key.raw() == "release")?;
    let (key, value) = entries.get(index)?;
    let (start, end) = match (index.checked_sub(1).and_then(|before| entries.get(before)), entries.get(index + 1)) {
        (_, Some((next, _))) => (key.span().start, next.full_span().start),
        (Some((_, before)), None) => (before.span().end, value.span().end),
        (None, None) => return None,
    };
    Some(Splice { span: Span { start, end, ..key.span() }, replacement: String::new() })
}

fn name_of(item: NodeRef<'_>) -> Option<&str> {
    match item.target().kind() {
        Kind::Scalar => Some(item.target().raw()),
        Kind::Mapping => item.target().get("name").map(|name| name.target().raw()),
        Kind::Sequence | Kind::Alias => None,
    }
}

/// Channel, ring and release of all rings, with one line for each channel's own manifest, and the profiles' names.
type Line = (String, Option<String>, Option<Utf8PathBuf>);

fn rings_of(text: &str, file: FileId) -> Option<Vec<Line>> {
    let workspace = Workspace::parse(text, file).ok()?;
    let mut lines: Vec<Line> = Vec::new();
    for channel in &workspace.channels {
        lines.push((channel.name.value.clone(), None, Some(channel.release.value.clone())));
        for ring in &channel.rings {
            let release = ring.release.as_ref().map(|release| release.value.clone());
            lines.push((channel.name.value.clone(), Some(ring.name.value.clone()), release));
        }
    }
    lines.extend(workspace.profiles.iter().map(|profile| (profile.name.value.clone(), None, None)));
    Some(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(rings: &str) -> String {
        format!(
            "# ours\nschema: 1\nchannels:\n  stable:\n    release: r/s.yaml # current\n    rings: {rings}\n\
             profiles:\n  a: {{channel: stable, manifests: [a.yaml]}}\n"
        )
    }

    #[track_caller]
    fn check(rings: &str, release: Option<&str>, expected: &str) {
        let edited = set_ring(&file(rings), "stable", "prod", release.map(Utf8Path::new)).unwrap();
        assert_eq!(edited, file(expected));
    }

    #[test]
    fn every_spelling_of_a_ring_can_be_changed() {
        let archived = Some("r/archive/1.yaml");
        check("[stage, prod] # two", archived, "[stage, {name: prod, release: r/archive/1.yaml}] # two");
        check("[stage, {name: prod}]", archived, "[stage, {name: prod, release: r/archive/1.yaml}]");
        check(
            "[stage, {name: prod, release: \"r/archive/0.yaml\"}]",
            archived,
            "[stage, {name: prod, release: \"r/archive/1.yaml\"}]",
        );
        check("[stage, {name: prod, release: r/archive/0.yaml}]", None, "[stage, prod]");
        check("[stage, prod]", None, "[stage, prod]");
        check(
            "\n      - stage # first\n      - prod",
            archived,
            "\n      - stage # first\n      - {name: prod, release: r/archive/1.yaml}",
        );
        check(
            "\n      - stage\n      - name: prod\n        release: r/archive/0.yaml # old\n",
            archived,
            "\n      - stage\n      - name: prod\n        release: r/archive/1.yaml # old\n",
        );
        check(
            "\n      - name: prod\n        release: r/archive/0.yaml\n      - stage",
            None,
            "\n      - prod\n      - stage",
        );
    }

    #[test]
    fn what_else_a_ring_says_stays() {
        let archived = Some("r/archive/1.yaml");
        let gates = "gates: {signed_by: lead}";
        check(
            &format!("[stage, {{name: prod, {gates}}}]"),
            archived,
            &format!("[stage, {{name: prod, release: r/archive/1.yaml, {gates}}}]"),
        );
        check(
            &format!("[stage, {{name: prod, release: r/archive/1.yaml, {gates}}}]"),
            None,
            &format!("[stage, {{name: prod, {gates}}}]"),
        );
        check(
            &format!("\n      - stage\n      - name: prod # last\n        {gates}\n"),
            archived,
            &format!(
                "\n      - stage\n      - name: prod\n        release: r/archive/1.yaml # last\n        {gates}\n"
            ),
        );
        check(
            &format!("\n      - stage\n      - name: prod\n        release: r/archive/1.yaml\n        {gates}\n"),
            None,
            &format!("\n      - stage\n      - name: prod\n        {gates}\n"),
        );
        check(
            &format!("\n      - stage\n      - name: prod\n        {gates}\n        release: r/archive/1.yaml\n"),
            None,
            &format!("\n      - stage\n      - name: prod\n        {gates}\n"),
        );
    }

    #[test]
    fn what_is_not_there_is_not_written() {
        assert!(matches!(set_ring(&file("[stage]"), "stable", "prod", None), Err(RingError::NotFound { .. })));
        assert!(matches!(set_ring(&file("[stage]"), "edge", "stage", None), Err(RingError::NotFound { .. })));
        let aliased = file("[&p stage, prod]").replace("manifests: [a.yaml]", "ring: *p, manifests: [a.yaml]");
        let edited = set_ring(&aliased, "stable", "prod", Some(Utf8Path::new("r/archive/1.yaml"))).unwrap();
        assert!(edited.contains("ring: *p"));
        let broken = set_ring(&aliased, "stable", "stage", Some(Utf8Path::new("r/archive/1.yaml")));
        assert!(matches!(broken, Err(RingError::NotEditable { .. })), "{broken:?}");
    }
}
