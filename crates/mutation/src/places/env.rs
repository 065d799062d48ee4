//! Env files: names and values.

use super::image;
use crate::place::{Place, What};

pub(crate) fn places(file: &str, text: &str) -> Vec<Place> {
    let mut places = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let entry = start..start + line.len();
        start = entry.end;
        let Some((name, value)) = line.trim_end().split_once('=') else { continue };
        if name.starts_with('#') {
            continue;
        }
        let at = entry.start + name.len() + 1;
        let whole = at..at + value.len();
        let inner = value.trim_matches('"');
        let from = at + value.find(inner).unwrap_or(0);
        let place = |what: What, span| Place {
            file: file.to_owned(),
            what,
            path: name.to_owned(),
            span,
            entry: Some(entry.clone()),
            scalar: None,
            parent: entry.clone(),
        };
        places.push(place(What::Setting, entry.start..entry.start + name.len()));
        let span = from..from + inner.len();
        let what = match inner {
            _ if inner.starts_with("sha256:") => What::Digest,
            _ if name.ends_with("PORT") => What::Port,
            _ if name.ends_with("REGISTRY") => What::Registry,
            _ => What::Value,
        };
        let value = Place { scalar: Some(whole), ..place(what, span) };
        match image::parse(inner) {
            Some(reference) => places.extend(image::parts(&value, &reference)),
            None => places.push(value),
        }
    }
    places
}
