//! What a build says that it made: lines `image:tag@digest`, the metadata file of `docker buildx`, or a list in JSON.

use std::fmt;

use release::{Digest, ImageRef};
use serde_json::{Map, Value};

/// What some editors write before a text.
const BOM: char = '\u{feff}';

/// More images than any product has; what lists more is something else.
const MOST_IMAGES: usize = 10_000;

/// Where buildx puts the names of an image, separated by commas, and its digest.
const BUILDX_NAME: &str = "image.name";
const BUILDX_DIGEST: &str = "containerimage.digest";

/// An image that was built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Built {
    pub(super) image: ImageRef,
    pub(super) tag: String,
    pub(super) digest: Digest,
    /// For people: `line 3`, `target web`.
    pub(super) place: String,
}

/// Why a text names no images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BuiltError {
    place: Option<String>,
    why: String,
}

impl fmt::Display for BuiltError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(formatter, "{place}: {}", self.why),
            None => formatter.write_str(&self.why),
        }
    }
}

/// Reads what a build made. The kind of text is known by its first character.
pub(super) fn read(text: &str) -> Result<Vec<Built>, BuiltError> {
    let text = text.strip_prefix(BOM).unwrap_or(text);
    let built = match text.trim_start().chars().next() {
        Some('{' | '[') => json(text)?,
        _ => lines(text)?,
    };
    let whole = |why: String| BuiltError { place: None, why };
    match built.len() {
        0 => Err(whole("it names no image".to_owned())),
        many if many > MOST_IMAGES => Err(whole(format!("it names more than {MOST_IMAGES} images"))),
        _ => Ok(built),
    }
}

fn lines(text: &str) -> Result<Vec<Built>, BuiltError> {
    let mut built = Vec::new();
    for (index, line) in text.lines().enumerate() {
        // No reference holds a `#`.
        let reference = line.split_once('#').map_or(line, |(before, _)| before).trim();
        if !reference.is_empty() {
            built.push(one(reference, None, None, format!("line {}", index + 1))?);
        }
    }
    Ok(built)
}

fn json(text: &str) -> Result<Vec<Built>, BuiltError> {
    let value: Value = serde_json::from_str(text)
        .map_err(|error| BuiltError { place: None, why: format!("it begins as JSON and is none: {error}") })?;
    match &value {
        Value::Array(items) => {
            let numbered = items.iter().enumerate();
            numbered.map(|(index, item)| listed(item, format!("item {}", index + 1))).collect()
        }
        // Of `buildx build`, which makes one target, or of `buildx bake`.
        Value::Object(target) if target.contains_key(BUILDX_NAME) => target_of(target, "the target"),
        Value::Object(targets) => {
            let mut built = Vec::new();
            for (name, target) in targets {
                // Beside targets there are warnings and references of the builds; targets without a name are not pushed.
                if let Value::Object(target) = target
                    && target.contains_key(BUILDX_NAME)
                {
                    built.extend(target_of(target, &format!("target `{}`", shown(name)))?);
                }
            }
            Ok(built)
        }
        _ => Ok(Vec::new()),
    }
}

/// `{image, tag, digest}`, or an image that carries them.
fn listed(item: &Value, place: String) -> Result<Built, BuiltError> {
    let field = |key: &str| match item.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(BuiltError { place: Some(place.clone()), why: format!("its `{key}` is no text") }),
    };
    let (image, tag, digest) = (field("image")?, field("tag")?, field("digest")?);
    let Some(image) = image else {
        return Err(BuiltError { place: Some(place), why: "it has no `image`".to_owned() });
    };
    one(image, tag, digest, place)
}

fn target_of(target: &Map<String, Value>, place: &str) -> Result<Vec<Built>, BuiltError> {
    let text = |key: &str| match target.get(key) {
        Some(Value::String(text)) => Ok(text.as_str()),
        _ => Err(BuiltError { place: Some(place.to_owned()), why: format!("it has no text `{key}`") }),
    };
    let (names, digest) = (text(BUILDX_NAME)?, text(BUILDX_DIGEST)?);
    names.split(',').map(|name| one(name.trim(), None, Some(digest), place.to_owned())).collect()
}

fn one(reference: &str, tag: Option<&str>, digest: Option<&str>, place: String) -> Result<Built, BuiltError> {
    let wrong = |why: String| BuiltError { place: Some(place.clone()), why };
    let image: ImageRef =
        reference.parse().map_err(|error| wrong(format!("`{}` is no image: {error}", shown(reference))))?;
    let digest = match digest {
        Some(text) => Some(text.parse().map_err(|error| wrong(format!("`{}` is no digest: {error}", shown(text))))?),
        None => None,
    };
    if let (Some(own), Some(beside)) = (image.digest(), &digest)
        && own != beside
    {
        return Err(wrong(format!("`{}` is given with another digest too", shown(reference))));
    }
    let Some(digest) = digest.or_else(|| image.digest().cloned()) else {
        return Err(wrong(format!("`{}` has no digest", shown(reference))));
    };
    let Some(tag) = tag.or(image.tag()).map(str::to_owned) else {
        return Err(wrong(format!("`{}` has no tag", shown(reference))));
    };
    if !release::is_tag(&tag) || image.tag().is_some_and(|own| own != tag) {
        return Err(wrong(format!("`{}` is no tag of `{}`", shown(&tag), shown(reference))));
    }
    Ok(Built { image, tag, digest, place })
}

/// What a foreign file holds, on one line of bearable length.
fn shown(text: &str) -> String {
    let cut: String = text.chars().take(LONGEST_SHOWN).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    source::redact(&cut)
}

const LONGEST_SHOWN: usize = 120;

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(digit: char) -> String {
        format!("sha256:{}", digit.to_string().repeat(64))
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let built = read(text).unwrap();
        let found: Vec<String> = built
            .iter()
            .map(|built| format!("{}:{} {} {}", built.image.name(), built.tag, &built.digest.hex()[..2], built.place))
            .collect();
        assert_eq!(found, expected);
    }

    #[track_caller]
    fn refuse(text: &str, expected: &str) {
        assert_eq!(read(text).unwrap_err().to_string(), expected, "{text}");
    }

    #[test]
    fn lines_with_comments() {
        let text = format!("\u{feff}# built today\r\nr.example/web:1@{}\r\n\r\n  db:2@{} # ours\n", hex('a'), hex('b'));
        check(&text, &["r.example/web:1 aa line 2", "docker.io/library/db:2 bb line 4"]);
    }

    #[test]
    fn metadata_of_buildx() {
        let bake = format!(
            r#"{{"buildx.build.warnings": [], "web": {{"containerimage.digest": "{a}", "image.name": "r.example/web:1,r.example/web:latest", "buildx.build.ref": "x"}},
                "test": {{"buildx.build.ref": "y"}}, "db": {{"image.name": "db:2", "containerimage.digest": "{b}", "containerimage.descriptor": {{}}}}}}"#,
            a = hex('a'),
            b = hex('b')
        );
        check(
            &bake,
            &[
                "docker.io/library/db:2 bb target `db`",
                "r.example/web:1 aa target `web`",
                "r.example/web:latest aa target `web`",
            ],
        );
        let build = format!(r#"{{"image.name": "r.example/web:1", "containerimage.digest": "{}"}}"#, hex('a'));
        check(&build, &["r.example/web:1 aa the target"]);
    }

    #[test]
    fn a_list() {
        let list = format!(
            r#"[{{"image": "r.example/web", "tag": "1", "digest": "{a}", "size": 1}}, {{"image": "r.example/db:2@{a}"}}]"#,
            a = hex('a')
        );
        check(&list, &["r.example/web:1 aa item 1", "r.example/db:2 aa item 2"]);
    }

    #[test]
    fn what_names_no_image_is_refused_with_its_place() {
        let a = hex('a');
        refuse("", "it names no image");
        refuse("# nothing\n", "it names no image");
        refuse("{}", "it names no image");
        refuse("{\"web\": 1", "it begins as JSON and is none: EOF while parsing an object at line 1 column 9");
        refuse("a:1\n", "line 1: `a:1` has no digest");
        let (long, cut) = ("a".repeat(200), "a".repeat(LONGEST_SHOWN));
        refuse(&format!("{long}:1\n"), &format!("line 1: `{cut}` has no digest"));
        refuse(&format!("\n\n\na:1@{a}\na@{a}\n"), &format!("line 5: `a@{a}` has no tag"));
        refuse(
            "a:1@sha256:00\n",
            "line 1: `a:1@sha256:00` is no image: a sha256 digest has 64 hexadecimal digits; this has 2",
        );
        refuse("[1]", "item 1: it has no `image`");
        refuse("[{\"image\": \"a\", \"tag\": 1}]", "item 1: its `tag` is no text");
        refuse(&format!(r#"[{{"image": "a:1", "tag": "2", "digest": "{a}"}}]"#), "item 1: `2` is no tag of `a:1`");
        let other = hex('b');
        refuse(
            &format!(r#"[{{"image": "a:1@{a}", "digest": "{other}"}}]"#),
            &format!("item 1: `a:1@{a}` is given with another digest too"),
        );
        refuse(r#"{"web": {"image.name": "a:1"}}"#, "target `web`: it has no text `containerimage.digest`");
        refuse(
            r#"{"web": {"image.name": "a:1", "containerimage.digest": "x"}}"#,
            "target `web`: `x` is no digest: a digest is written `sha256:` and 64 hexadecimal digits; this has no `:`",
        );
    }
}
