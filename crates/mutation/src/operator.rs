//! What can be done to a place.

use std::ops::Range;

use camino::Utf8Path;
use release::{ImageRef, ProfileSource, WORKSPACE_FILE};

use crate::mutant::Edit;
use crate::place::{Place, What};
use crate::subject::{Role, Subject};

/// What is done. The words are those of `docs/mutations.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operator {
    Digit,
    Truncate,
    Swap,
    Drop,
    Duplicate,
    Rename,
    OtherProfile,
    Unpin,
    Platform,
    DropRegistry,
    OtherRegistry,
    OlderTag,
    UpperCase,
    Empty,
    Break,
    Indent,
    Override,
    Comment,
    Quote,
    Reorder,
}

/// What an operator may look at.
pub(crate) struct Around<'s> {
    pub(crate) subject: &'s Subject,
    pub(crate) role: Role,
    pub(crate) text: &'s str,
    /// All places of the same file.
    pub(crate) places: &'s [Place],
    /// All places of other files that are read in the same way.
    pub(crate) others: &'s [&'s Place],
    /// Digest of an index → digest of one of its platforms.
    pub(crate) platforms: &'s [(String, String)],
}

impl Operator {
    pub const ALL: [Self; 20] = [
        Self::Digit,
        Self::Truncate,
        Self::Swap,
        Self::Drop,
        Self::Duplicate,
        Self::Rename,
        Self::OtherProfile,
        Self::Unpin,
        Self::Platform,
        Self::DropRegistry,
        Self::OtherRegistry,
        Self::OlderTag,
        Self::UpperCase,
        Self::Empty,
        Self::Break,
        Self::Indent,
        Self::Override,
        Self::Comment,
        Self::Quote,
        Self::Reorder,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Digit => "change a digit",
            Self::Truncate => "cut the end off",
            Self::Swap => "swap two",
            Self::Drop => "drop",
            Self::Duplicate => "duplicate",
            Self::Rename => "rename",
            Self::OtherProfile => "take another profile's",
            Self::Unpin => "unpin",
            Self::Platform => "platform digest",
            Self::DropRegistry => "drop the registry",
            Self::OtherRegistry => "another registry",
            Self::OlderTag => "older tag",
            Self::UpperCase => "upper case",
            Self::Empty => "empty value",
            Self::Break => "break the syntax",
            Self::Indent => "indent",
            Self::Override => "override by a later file",
            Self::Comment => "add a comment",
            Self::Quote => "quote",
            Self::Reorder => "reorder",
        }
    }

    /// Whether something goes away by it, so that nothing of it may be left to point at.
    pub(crate) fn removes(self) -> bool {
        matches!(self, Self::Drop | Self::Empty | Self::Unpin | Self::DropRegistry | Self::Rename | Self::Truncate)
    }

    /// Whether it is about how a file is written, so that a reader may notice it only behind the change.
    pub(crate) fn is_syntax(self) -> bool {
        matches!(self, Self::Break | Self::Indent | Self::Duplicate | Self::Comment)
    }

    /// The edits, if this can be done here. The first is the one that findings are expected at.
    pub(crate) fn edits(self, place: &Place, around: &Around<'_>) -> Option<Vec<Edit>> {
        let text = place.text(around.text);
        // What a variable or a template puts there is mutated where it comes from.
        let literal = !text.contains(['$', '{']);
        let edit = |range: Range<usize>, with: String| Some(vec![put(&place.file, around.text, range, &with)]);
        let span = place.span.clone();
        match self {
            Self::Digit => edit(span, digit(place.what, text).filter(|_| literal)?),
            Self::Truncate if matches!(place.what, What::Digest | What::Platform) => {
                edit(span.end - 1..span.end, String::new())
            }
            Self::Swap => swap(place, around),
            Self::Drop => edit(place.entry.clone()?, String::new()),
            Self::Duplicate => duplicate(place, around.text),
            Self::Rename => {
                let fits =
                    !matches!(place.what, What::Digest | What::Platform | What::Port | What::Image | What::Identity);
                let at = text.find(|character: char| character.is_ascii_alphanumeric())? + 1;
                (fits && literal).then(|| vec![Edit::new(&place.file, span.start + at..span.start + at, "x")])
            }
            Self::OtherProfile => {
                // A key and its value have one path.
                let same = |other: &&&Place| {
                    let key = other.scalar.is_none() == place.scalar.is_none();
                    other.what == place.what && other.path == place.path && key
                };
                let others =
                    around.others.iter().filter(same).map(|other| other.text(around.subject.text(&other.file)));
                let mut others = others.filter(|other| *other != text && !other.is_empty());
                edit(span, others.next()?.to_owned())
            }
            Self::Unpin if place.what == What::Image => {
                let digest = reference(text)?.ranges().digest.clone()?;
                edit(span.start + digest.start - 1..span.start + digest.end, String::new())
            }
            Self::Platform if place.what == What::Digest => {
                let (_, platform) = around.platforms.iter().find(|(index, _)| index == text)?;
                edit(span, platform.clone())
            }
            Self::DropRegistry if place.what == What::Image => {
                let registry = reference(text)?.ranges().registry.clone()?;
                edit(span.start + registry.start..span.start + registry.end + 1, String::new())
            }
            Self::OtherRegistry if place.what == What::Registry => edit(span, "mirror.example.org".to_owned()),
            Self::OlderTag if place.what == What::Tag => edit(span, "0.0.1".to_owned()),
            Self::OlderTag if place.what == What::Image => {
                let reference = reference(text).filter(|reference| reference.tag().is_none())?;
                let digest = span.start + reference.ranges().digest.clone()?.start - 1;
                edit(digest..digest, ":0.0.1".to_owned())
            }
            Self::UpperCase if matches!(place.what, What::Repository | What::Digest) => {
                edit(span, text.to_uppercase()).filter(|_| literal)
            }
            Self::Empty => empty(place, around),
            Self::Break => broken(place, around),
            Self::Indent if !matches!(around.role, Role::Env) => {
                let entry = place.entry.clone().filter(|entry| around.text[entry.clone()].ends_with('\n'))?;
                edit(entry.start..entry.start, " ".to_owned())
            }
            Self::Override => overridden(place, around),
            Self::Comment => {
                let entry = place.entry.clone().filter(|entry| around.text[entry.clone()].ends_with('\n'))?;
                edit(entry.start..entry.start, "# A word about the next line.\n".to_owned())
            }
            Self::Quote if around.role != Role::Template => {
                let scalar =
                    place.scalar.clone().filter(|scalar| *scalar == place.span && literal && !text.is_empty())?;
                edit(scalar, format!("\"{text}\""))
            }
            Self::Reorder => reordered(place, around),
            _ => None,
        }
    }
}

fn reference(text: &str) -> Option<ImageRef> {
    text.parse().ok()
}

/// A value in the place of another. A key without a value ends with its colon, and a value stands apart from that.
fn put(file: &str, text: &str, range: Range<usize>, with: &str) -> Edit {
    let apart = range.is_empty() && text[..range.start].ends_with(':') && !with.is_empty();
    Edit::new(file, range, if apart { format!(" {with}") } else { with.to_owned() })
}

/// Another digit: in the middle of a digest, else the last one. Only where digits mean something.
fn digit(what: What, text: &str) -> Option<String> {
    let at = match what {
        What::Digest | What::Platform => text.find(':')? + 10,
        What::Image => return None,
        _ => text.rfind(|character: char| character.is_ascii_digit())?,
    };
    let old = text[at..].chars().next()?;
    let new = if matches!(what, What::Digest | What::Platform) {
        char::from_digit((old.to_digit(16)? + 1) % 16, 16)?
    } else {
        char::from_digit((old.to_digit(10)? + 1) % 10, 10)?
    };
    Some(format!("{}{new}{}", &text[..at], &text[at + 1..]))
}

/// With the next one of its kind in the file that says something else.
fn swap(place: &Place, around: &Around<'_>) -> Option<Vec<Edit>> {
    if matches!(place.what, What::Value | What::Kind | What::Identity) {
        return None;
    }
    let text = place.text(around.text);
    let key = place.scalar.is_none();
    let other = around.places.iter().find(|other| {
        let apart = other.span.start >= place.span.end;
        other.what == place.what && apart && other.text(around.text) != text && other.scalar.is_none() == key
    })?;
    Some(vec![
        put(&place.file, around.text, place.span.clone(), other.text(around.text)),
        put(&place.file, around.text, other.span.clone(), text),
    ])
}

fn duplicate(place: &Place, text: &str) -> Option<Vec<Edit>> {
    let entry = place.entry.clone()?;
    let copy = &text[entry.clone()];
    let lines = copy.ends_with('\n');
    let alone = !lines && !copy.trim_end().ends_with(',') && !copy.starts_with(',');
    let copy = if alone { format!(", {copy}") } else { copy.to_owned() };
    Some(vec![Edit::new(&place.file, entry.end..entry.end, copy)])
}

fn empty(place: &Place, around: &Around<'_>) -> Option<Vec<Edit>> {
    let scalar = place.scalar.clone().filter(|_| !place.text(around.text).is_empty())?;
    let with = if around.role == Role::Env { "" } else { "\"\"" };
    Some(vec![Edit::new(&place.file, scalar, with)])
}

/// A quote that is not closed; in a template an action that is not.
fn broken(place: &Place, around: &Around<'_>) -> Option<Vec<Edit>> {
    let scalar = place.scalar.clone()?;
    let text = &around.text[scalar.clone()];
    let with = match around.role {
        Role::Template => format!("{{{{ {text}").replace("}}", ""),
        // Docker Compose takes a quote that is closed nowhere in an env file for a mistake only if it is the first one.
        Role::Env => format!("\"{}", text.trim_matches('"')),
        _ if text.starts_with(['"', '\'']) => text[..text.len() - 1].to_owned(),
        _ => format!("\"{text}"),
    };
    Some(vec![Edit::new(&place.file, scalar, with)])
}

/// The next entry of the same collection comes first.
fn reordered(place: &Place, around: &Around<'_>) -> Option<Vec<Edit>> {
    let entry = place.entry.clone().filter(|entry| around.text[entry.clone()].ends_with('\n'))?;
    let next = around.places.iter().filter_map(|other| other.entry.clone()).find(|other| other.start == entry.end)?;
    let same = around.places.iter().any(|other| other.entry.as_ref() == Some(&next) && other.parent == place.parent);
    let text = &around.text[next.clone()];
    (same && text.ends_with('\n'))
        .then(|| vec![Edit::new(&place.file, entry.start..entry.start, text), Edit::new(&place.file, next, "")])
}

/// A further file of the first profile that reads this one says another digest.
fn overridden(place: &Place, around: &Around<'_>) -> Option<Vec<Edit>> {
    if !matches!(place.what, What::Image | What::Digest) || place.path.contains(' ') || place.scalar.is_none() {
        return None;
    }
    let text = place.text(around.text);
    let wrong = match text.find("sha256:") {
        Some(at) if !text.contains('$') => format!("{}{}", &text[..at], digit(What::Digest, &text[at..])?),
        _ => return None,
    };
    let folder = Utf8Path::new(&place.file).parent().unwrap_or(Utf8Path::new(""));
    for profile in &around.subject.workspace.profiles {
        let (files, name, before) = match (&profile.source, around.role) {
            (ProfileSource::Compose(source), Role::Compose) => (&source.files, "later.yaml", nested(&place.path)),
            (ProfileSource::Compose(source), Role::Env) => (&source.env, "later.env", format!("{}=", place.path)),
            (ProfileSource::Helm(source), Role::Values) => (&source.values, "later.yaml", nested(&place.path)),
            _ => continue,
        };
        let Some(last) = files.last().filter(|_| files.iter().any(|file| file.value == place.file)) else { continue };
        let path = folder.join(name).into_string();
        let at = last.span.range().end;
        return Some(vec![
            Edit::new(&path, 0..0, before).frame(),
            Edit::new(&path, 0..0, wrong),
            Edit::new(&path, 0..0, "\n").frame(),
            Edit::new(WORKSPACE_FILE, at..at, format!(", {path}")).frame(),
        ]);
    }
    None
}

fn nested(path: &str) -> String {
    let steps: Vec<&str> = path.split('.').collect();
    let mut text = String::new();
    for (depth, step) in steps.iter().enumerate() {
        let end = if depth + 1 < steps.len() { "\n" } else { " " };
        text.push_str(&format!("{}{step}:{end}", "  ".repeat(depth)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::put;

    #[test]
    fn a_value_stands_apart_from_its_key() {
        let text = "registry:\ntag: a:b\n";
        assert_eq!(put("values.yaml", text, 9..9, "mirror.example.org").with, " mirror.example.org");
        assert_eq!(put("values.yaml", text, 15..18, "c").with, "c");
        assert_eq!(put("values.yaml", text, 9..9, "").with, "");
    }
}
