//! Kubernetes objects: what a path in one is. Shared by plain manifests and templates.

use super::image;
use super::yaml::{self, Item};
use crate::place::{Place, What};

pub(crate) fn places(file: &str, text: &str) -> Vec<Place> {
    let items = yaml::items(text);
    let mut places = Vec::new();
    for item in items.iter().filter(|item| item.scalar) {
        let path: Vec<&str> = item.path.iter().map(String::as_str).collect();
        let place = item.place(file, what(&path));
        match reference(&place, item) {
            Some(parts) => places.extend(parts),
            None => places.push(place),
        }
        if path.contains(&"labels") || path.contains(&"matchLabels") || path.contains(&"selector") {
            places.extend(item.key_place(file, what(&path)));
        }
    }
    places
}

/// A reference as the whole value, or after the `=` of an argument.
fn reference(place: &Place, item: &Item) -> Option<Vec<Place>> {
    let start = item.text.rfind('=').map_or(0, |at| at + 1);
    let reference = image::parse(&item.text[start..])?;
    let place = Place { span: place.span.start + start..place.span.end, ..place.clone() };
    Some(image::parts(&place, &reference))
}

/// What stands at a path of an object, or of a part of one.
pub(crate) fn what(path: &[&str]) -> What {
    let last = path.last().copied().unwrap_or_default();
    let before = path.iter().rev().nth(1).copied().unwrap_or_default();
    let has = |name: &str| path.contains(&name);
    match last {
        _ if last.ends_with("release.version") || last.ends_with("release.channel") => What::ReleaseLabel,
        _ if has("matchLabels") || has("selector") => What::Selector,
        _ if has("labels") && has("template") => What::PodLabel,
        _ if has("labels") => What::Label,
        "image" => What::Image,
        "name" if matches!(before, "configMapRef" | "secretRef" | "secretKeyRef" | "configMapKeyRef" | "configMap") => {
            What::Reference
        }
        "secretName" | "claimName" | "serviceAccountName" | "serviceName" => What::Reference,
        "name" if has("imagePullSecrets") => What::Reference,
        "name" if has("volumes") || has("volumeMounts") => What::Volume,
        "name" if has("env") => What::Environment,
        // The metadata of a template names nothing, and what it claims to be nobody reads.
        "name" if before == "metadata" && has("template") => What::Value,
        "apiVersion" | "kind" if has("volumeClaimTemplates") => What::Value,
        "name" if before == "metadata" => What::Name,
        "port" | "containerPort" | "targetPort" => What::Port,
        "name" if has("ports") => What::Port,
        "apiVersion" | "kind" => What::Kind,
        _ => What::Value,
    }
}
