//! Values files of charts. What a value is, its key tells, as it tells people.

use super::image;
use super::yaml::{self, Item};
use crate::place::{Place, What};

pub(crate) fn places(file: &str, text: &str) -> Vec<Place> {
    let mut places = Vec::new();
    for item in yaml::items(text) {
        if !item.scalar {
            // A mapping whose name templates may ask for.
            if item.text.is_empty() && item.path.len() <= 2 {
                places.extend(item.key_place(file, What::Setting));
            }
            continue;
        }
        let place = item.place(file, what(&item));
        match image::parse(&item.text) {
            Some(reference) => places.extend(image::parts(&place, &reference)),
            None => places.push(place),
        }
        places.extend(item.key_place(file, What::Setting));
    }
    places
}

fn what(item: &Item) -> What {
    let key = item.last().to_lowercase();
    let parent = item.path.iter().rev().nth(1).map_or("", String::as_str);
    let has = |words: &[&str]| words.iter().any(|word| key.contains(word));
    if item.text.starts_with("sha256:") {
        What::Digest
    } else if matches!(key.as_str(), "tag" | "reference") || (key == "version" && parent == "image") {
        What::Tag
    } else if key == "registry" {
        What::Registry
    } else if key == "repository" || (key == "name" && parent == "image") {
        What::Repository
    } else if matches!(key.as_str(), "version" | "channel" | "release") && matches!(parent, "" | "release" | "global") {
        What::ReleaseLabel
    } else if key.ends_with("port") {
        What::Port
    } else if has(&["secret", "claim", "serviceaccount", "credentials"]) || (has(&["config", "settings"])) {
        What::Reference
    } else {
        What::Value
    }
}
