//! Tags and digests of a manifest, changed byte for byte around them: comments, order and quotes of whoever wrote it stay.

use source::{FileId, Span};
use yamlspan::edit::{self, Splice};
use yamlspan::{Dialect, NodeRef};

use crate::manifest::{DigestKind, Listed, Manifest};
use crate::release::Release;
use crate::{Digest, nearest};

/// What a component shall list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The component's name.
    pub component: String,
    /// Its tag; as it is where there is none.
    pub tag: Option<String>,
    pub digest: Digest,
}

/// Why a manifest was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    #[error("it lists no component `{name}`")]
    Unknown { name: String, near: Option<String> },
    #[error("`{component}` cannot be edited: {reason}")]
    NotEditable { component: String, reason: String },
    #[error("it is no release manifest: {0}")]
    Damaged(String),
}

/// The manifest with these tags and digests. `digests:` becomes `resolved` once no stand-in is left, and `sample` where one
/// comes in; digests of single platforms go where they belong to another image than the new one. The result is read again and
/// proved to differ in nothing else.
///
/// # Errors
/// A component that is not there, or is written in a way that a splice cannot change alone (an alias, for one).
pub fn assign(text: &str, assignments: &[Assignment]) -> Result<String, EditError> {
    let file = FileId(0);
    let before = read(text, file)?;
    let mut expected = before.clone();
    let damaged = |error: yamlspan::Error| EditError::Damaged(error.to_string());
    let document = yamlspan::parse_first(text, file, Dialect::GoYamlV4)
        .map_err(damaged)?
        .ok_or_else(|| EditError::Damaged("it is empty".to_owned()))?;
    let root = document.root();
    let mut splices: Vec<Splice> = Vec::new();
    for wanted in assignments {
        let name = wanted.component.as_str();
        let not_editable =
            |reason: &str| EditError::NotEditable { component: name.to_owned(), reason: reason.to_owned() };
        let (key, listed) = find(&mut expected, name).ok_or_else(|| unknown(&before, name))?;
        let node = root.at(&[key]).and_then(|group| group.get(name)).ok_or_else(|| not_editable("it has no place"))?;
        let mut write = |key: &str, value: &str, now: &mut String| -> Result<(), EditError> {
            if now != value {
                let scalar = node.get(key).ok_or_else(|| not_editable(&format!("it has no `{key}`")))?;
                splices.push(edit::replace_scalar(scalar, value).map_err(|error| not_editable(&error.to_string()))?);
                value.clone_into(now);
            }
            Ok(())
        };
        if let Some(tag) = &wanted.tag {
            write("tag", tag, &mut listed.tag)?;
        }
        let is_other = listed.digest != wanted.digest.as_str();
        write("digest", wanted.digest.as_str(), &mut listed.digest)?;
        if is_other && !listed.platforms.is_empty() {
            listed.platforms.clear();
            splices
                .push(remove(node, "platforms").ok_or_else(|| not_editable("its `platforms` are not written alone"))?);
        }
    }
    let kind = kind_after(&expected);
    if kind != expected.digests {
        let node = root.get("digests").ok_or_else(|| EditError::Damaged("it has no `digests`".to_owned()))?;
        let splice = edit::replace_scalar(node, kind.as_str()).map_err(damaged)?;
        splices.push(splice);
        expected.digests = kind;
    }
    let edited = edit::apply(text, &splices).map_err(damaged)?;
    if read(&edited, file).as_ref() == Ok(&expected) {
        return Ok(edited);
    }
    let component = assignments.first().map_or_else(String::new, |first| first.component.clone());
    Err(EditError::NotEditable { component, reason: "the edit would change more than tags and digests".to_owned() })
}

/// What `digests:` has to say of a manifest: where some are not known yet, what it said.
fn kind_after(manifest: &Manifest) -> DigestKind {
    let mut listed = manifest.listed();
    let unknown_only = !listed.clone().any(Listed::is_sample) && listed.any(|listed| !listed.is_resolved());
    if unknown_only { manifest.digests } else { manifest.fitting_digests() }
}

fn read(text: &str, file: FileId) -> Result<Manifest, EditError> {
    match Release::parse(text, file) {
        (Some(release), problems) if problems.is_empty() => Ok(release.manifest()),
        (_, problems) => {
            let first = problems.into_iter().next().map_or_else(|| "it is empty".to_owned(), |problem| problem.message);
            Err(EditError::Damaged(first))
        }
    }
}

/// The group of a component, as its key in the manifest, and what it lists.
fn find<'m>(manifest: &'m mut Manifest, name: &str) -> Option<(&'static str, &'m mut Listed)> {
    if let Some(listed) = manifest.components.get_mut(name) {
        return Some(("components", listed));
    }
    manifest.infrastructure.get_mut(name).map(|listed| ("infrastructure", listed))
}

fn unknown(manifest: &Manifest, name: &str) -> EditError {
    let known = manifest.components.keys().chain(manifest.infrastructure.keys()).map(String::as_str);
    EditError::Unknown { name: name.to_owned(), near: nearest(name, known).map(str::to_owned) }
}

/// A key and its value, with what parts them from their neighbours.
fn remove(node: NodeRef<'_>, key: &str) -> Option<Splice> {
    let entries: Vec<_> = node.target().entries().collect();
    let index = entries.iter().position(|(name, _)| name.raw() == key)?;
    let (name, value) = entries.get(index)?;
    let (start, end) = match (index.checked_sub(1).and_then(|before| entries.get(before)), entries.get(index + 1)) {
        (_, Some((next, _))) => (name.full_span().start, next.full_span().start),
        (Some((_, before)), None) => (before.span().end, value.span().end),
        (None, None) => return None,
    };
    Some(Splice { span: Span { start, end, ..name.span() }, replacement: String::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# what edge has
schema: 1
version: 1.1.0 # next week 1.2.0
channel: edge
digests: sample
components:
  web: # the front
    image: r.example/web
    tag: '1.0' # quoted
    digest: unresolved
  worker: {image: r.example/worker, tag: \"1.0\", digest: unresolved}
infrastructure:
  db:
    image: docker.io/library/db
    tag: \"7\"
    digest: sha256:0000000000000000000000000000000000000000000000000000000000000000
    platforms: # of the image before
      linux/amd64: sha256:1111111111111111111111111111111111111111111111111111111111111111
    reason: slow to move # really
";

    fn assignment(component: &str, tag: Option<&str>, content: &str) -> Assignment {
        let tag = tag.map(str::to_owned);
        Assignment { component: component.to_owned(), tag, digest: Digest::sha256(content.as_bytes()) }
    }

    #[test]
    fn comments_order_and_quotes_stay() {
        let edited = assign(TEXT, &[assignment("web", Some("1.1"), "a"), assignment("worker", None, "b")]).unwrap();
        let expected = TEXT
            .replace(
                "tag: '1.0' # quoted\n    digest: unresolved",
                &format!("tag: '1.1' # quoted\n    digest: {}", Digest::sha256(b"a")),
            )
            .replace("digest: unresolved}", &format!("digest: \"{}\"}}", Digest::sha256(b"b")))
            .replace("digests: sample", "digests: resolved");
        // In a flow mapping the plain spelling would do as well; both are the same release.
        assert_eq!(edited.replace('"', ""), expected.replace('"', ""));
    }

    #[test]
    fn digests_of_platforms_go_with_the_image_that_they_were_of() {
        let edited = assign(TEXT, &[assignment("db", None, "new")]).unwrap();
        let (before, rest) = TEXT.split_once("    platforms:").unwrap();
        let after = rest.split_once("    reason:").unwrap().1;
        let zeros = format!("sha256:{}", "0".repeat(64));
        let expected = format!("{before}    reason:{after}").replace(&zeros, Digest::sha256(b"new").as_str());
        assert_eq!(edited, expected);
        assert_eq!(assign(&edited, &[assignment("db", None, "new")]).unwrap(), edited, "twice is once");
    }

    #[test]
    fn a_stand_in_makes_the_release_a_sample_and_the_last_digest_resolves_it() {
        let sample = Assignment {
            component: "web".to_owned(),
            tag: Some("2".to_owned()),
            digest: Digest::sample("r.example/web", "2"),
        };
        let edited = assign(&TEXT.replace("digests: sample", "digests: resolved"), &[sample]).unwrap();
        assert!(edited.contains("digests: sample\n"), "{edited}");
        // The other service is not known yet: nobody says that all are.
        let edited = assign(TEXT, &[assignment("web", None, "a")]).unwrap();
        assert!(edited.contains("digests: sample\n"), "{edited}");
    }

    #[test]
    fn what_a_splice_cannot_change_alone_is_refused() {
        let unknown = assign(TEXT, &[assignment("wbe", None, "a")]).unwrap_err();
        assert_eq!(unknown, EditError::Unknown { name: "wbe".to_owned(), near: Some("web".to_owned()) });
        let shared = TEXT
            .replace("digest: unresolved\n", "digest: &none unresolved\n")
            .replace("digest: unresolved}", "digest: *none}");
        for component in ["web", "worker"] {
            let error = assign(&shared, &[assignment(component, None, "a")]).unwrap_err();
            assert!(matches!(error, EditError::NotEditable { .. }), "{component}: {error}");
        }
        let error = assign("schema: 2\n", &[]).unwrap_err();
        assert!(matches!(error, EditError::Damaged(_)), "{error}");
    }
}
