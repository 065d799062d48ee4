//! Compose files, those that others include or extend too.

use std::ops::Range;

use camino::{Utf8Path, Utf8PathBuf};

use super::image;
use super::yaml::{self, Item};
use crate::place::{Place, What};
use crate::subject::Role;

pub(crate) fn places(file: &str, text: &str) -> Vec<Place> {
    let mut places = Vec::new();
    for item in yaml::items(text) {
        if item.alias && item.last() != "<<" {
            places.push(item.place(file, What::Alias));
        }
        places.extend(key_of(&item).and_then(|what| item.key_place(file, what)));
        if item.is("services * healthcheck") {
            places.extend(item.key_place(file, What::Healthcheck));
        }
        if !item.scalar || item.alias {
            continue;
        }
        let place = item.place(file, what(&item));
        let reference = (place.what == What::Image).then(|| image::parse(&item.text)).flatten();
        match reference {
            Some(reference) => places.extend(image::parts(&place, &reference)),
            None => places.push(place.clone()),
        }
        for (name, default) in variables(text, &item.whole) {
            let path = format!("{} (${{{}}})", place.path, &text[name.clone()]);
            let inner = |what, span: &Range<usize>| Place {
                what,
                path: path.clone(),
                span: span.clone(),
                entry: None,
                scalar: None,
                ..place.clone()
            };
            places.push(inner(What::Variable, &name));
            let Some(default) = default else { continue };
            match image::parse(&text[default.clone()]) {
                Some(reference) => places.extend(image::parts(&inner(What::Image, &default), &reference)),
                None if text[default.clone()].starts_with("sha256:") => places.push(inner(What::Digest, &default)),
                None if text[name.clone()].ends_with("TAG") => places.push(inner(What::Tag, &default)),
                None if text[name].ends_with("PORT") => places.push(inner(What::Port, &default)),
                None => places.push(inner(What::Value, &default)),
            }
        }
        // A literal digest after a variable: no reference as a whole.
        if place.what == What::Image
            && image::parse(&item.text).is_none()
            && let Some(at) = text[item.content.clone()].find("@sha256:")
        {
            let start = item.content.start + at + 1;
            places.push(Place { what: What::Digest, span: start..start + 71, entry: None, scalar: None, ..place });
        }
    }
    places
}

/// What an entry is by its key.
fn key_of(item: &Item) -> Option<What> {
    let steps: Vec<&str> = item.path.iter().map(String::as_str).collect();
    match steps.as_slice() {
        ["services", _] => Some(What::Component),
        ["services", _, "networks", _] | ["networks", _] => Some(What::Network),
        ["volumes", _] => Some(What::Volume),
        ["secrets" | "configs", _] => Some(What::Name),
        ["services", _, "depends_on", _] => Some(What::Dependency),
        ["services", _, "environment", _] => Some(What::Environment),
        _ => None,
    }
    .filter(|_| item.key.is_some())
}

fn what(item: &Item) -> What {
    let steps: Vec<&str> = item.path.iter().map(String::as_str).collect();
    match steps.as_slice() {
        ["services", _, "image"] => What::Image,
        ["services", _, "ports", ..] => What::Port,
        ["services", _, "volumes", _] | ["services", _, "volumes", _, "source"] => What::Volume,
        ["services", _, "networks", _] => What::Network,
        ["services", _, "depends_on", _] => What::Dependency,
        ["services", _, "secrets" | "configs", ..] => What::Reference,
        ["services", _, "extends", ..] | ["include", ..] | ["services", _, "env_file", ..] => What::Source,
        [.., key] if key.ends_with("release.version") || key.ends_with("release.channel") => What::ReleaseLabel,
        ["services", _, "labels", _] => What::Label,
        _ => What::Value,
    }
}

/// The names of `${NAME…}` in a range, each with the default of `:-` or `-`.
fn variables(text: &str, range: &Range<usize>) -> Vec<(Range<usize>, Option<Range<usize>>)> {
    let mut found = Vec::new();
    let mut at = range.start;
    while let Some(start) = text[at..range.end].find("${").map(|start| at + start + 2) {
        let length = text[start..range.end]
            .find(|character: char| !character.is_ascii_alphanumeric() && character != '_')
            .unwrap_or(0);
        let name = start..start + length;
        let rest = &text[name.end..range.end];
        let operator = if rest.starts_with(":-") { 2 } else { usize::from(rest.starts_with('-')) };
        let default =
            rest.find('}').filter(|&end| operator > 0 && end > operator).map(|end| name.end + operator..name.end + end);
        // `$${` is a dollar sign, not a variable.
        if length > 0 && !text[..start - 2].ends_with('$') {
            found.push((name.clone(), default));
        }
        at = name.end;
    }
    found
}

/// The files that a Compose file names: what it extends or includes, and env files.
pub(crate) fn included(path: &Utf8Path, text: &str) -> Vec<(Utf8PathBuf, Role)> {
    let folder = path.parent().unwrap_or(Utf8Path::new(""));
    yaml::items(text)
        .iter()
        .filter(|item| item.scalar && !item.text.contains('$'))
        .filter_map(|item| {
            let role = match () {
                () if item.is("services * extends file") || item.is("include *") => Role::Compose,
                () if item.is("include * path") || item.is("include * path *") => Role::Compose,
                () if item.is("include * env_file") || item.is("include * env_file *") => Role::Env,
                () if item.is("services * env_file") || item.is("services * env_file *") => Role::Env,
                () if item.is("services * env_file * path") => Role::Env,
                () => return None,
            };
            let file = folder.join(&item.text);
            let parts: Vec<&str> = file.as_str().split('/').filter(|part| *part != ".").collect();
            Some((parts.join("/").into(), role))
        })
        .collect()
}
