//! Release manifests.

use super::yaml;
use crate::place::{Place, What};

pub(crate) fn places(file: &str, text: &str) -> Vec<Place> {
    let mut places = Vec::new();
    for item in yaml::items(text) {
        let group = matches!(item.path[0].as_str(), "components" | "infrastructure");
        if group && item.path.len() == 2 {
            places.extend(item.key_place(file, What::Component));
        }
        if !item.scalar {
            continue;
        }
        let what = match item.path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            [_, _, "image"] if group => What::Repository,
            [_, _, "tag"] if group => What::Tag,
            [_, _, "digest"] if group => What::Digest,
            [_, _, "platforms", _] if group => What::Platform,
            ["version" | "channel" | "date" | "calendar"] => What::Identity,
            _ => What::Value,
        };
        places.push(item.place(file, what));
    }
    places
}
