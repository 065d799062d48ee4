//! `collimate.yaml`.

use super::yaml;
use crate::place::{Place, What};

pub(crate) fn places(file: &str, text: &str) -> Vec<Place> {
    let mut places = Vec::new();
    for item in yaml::items(text) {
        if item.is("profiles *") || item.is("channels *") || item.is("overlays *") {
            places.extend(item.key_place(file, What::Component));
        }
        if item.is("profiles * registry_map *") {
            places.extend(item.key_place(file, What::RegistryMap));
        }
        if !item.scalar {
            continue;
        }
        let steps: Vec<&str> = item.path.iter().map(String::as_str).collect();
        let what = match steps.as_slice() {
            ["channels", _, "release"] | ["channels", _, "rings", _, "release"] | ["overlays", ..] => What::Source,
            ["profiles", _, "chart"] | ["profiles", _, "compose" | "env" | "values" | "manifests", _] => What::Source,
            ["channels", _, "promote_from" | "rings", ..] => What::Follows,
            ["profiles", _, "channel" | "ring" | "twin"] | ["profiles", _, "overlays", _] => What::Follows,
            ["profiles", _, "external", ..] => What::External,
            ["profiles", _, "registry_map", _] => What::RegistryMap,
            ["unmanaged", ..] => What::Unmanaged,
            ["mirror"] => What::Source,
            _ => What::Value,
        };
        places.push(item.place(file, what));
    }
    places
}
