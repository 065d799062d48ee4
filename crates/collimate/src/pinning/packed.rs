//! Images of charts that lie in archives: nobody can edit the values there, but those of the chart around it, or of the profile, have the last word.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use alignment::{Object, Pin, ProfileSurvey};
use camino::{Utf8Path, Utf8PathBuf};
use helmchart::Chart;
use release::ProfileSource;
use yamlspan::{Dialect, Kind, NodeRef, Scalar};

use super::empty;
use crate::disk::DiskFiles;

/// What charts call the value of a repository.
const REPOSITORY: [&str; 2] = ["repository", "image"];

/// An image whose chart lies in an archive.
pub(super) struct Packed {
    /// The chart, as the ones around it call it.
    pub(super) chart: String,
    /// The keys that lead to the values of the image, from those of the outermost chart.
    pub(super) keys: Vec<String>,
    /// What the chart calls the value of the digest, if it has one.
    pub(super) digest: Option<&'static str>,
    /// Whether it has one of the tag.
    pub(super) has_tag: bool,
}

/// The charts that have such images, each loaded once.
pub(super) struct Charts<'f> {
    files: &'f DiskFiles,
    loaded: RefCell<HashMap<Utf8PathBuf, Option<Rc<Chart>>>>,
}

impl<'f> Charts<'f> {
    pub(super) fn new(files: &'f DiskFiles) -> Self {
        Self { files, loaded: RefCell::default() }
    }

    fn load(&self, path: &Utf8Path) -> Option<Rc<Chart>> {
        let load = || Chart::load(path, self.files).ok().map(Rc::new);
        self.loaded.borrow_mut().entry(path.to_owned()).or_insert_with(load).clone()
    }

    /// Where nothing of an image is found in a file, and its chart has values for it.
    pub(super) fn packed(&self, pin: &Pin<'_>, survey: &ProfileSurvey<'_>) -> Option<Packed> {
        let ProfileSource::Helm(source) = &survey.profile.declared.source else { return None };
        let parts = [Some(&pin.repository), pin.digest.as_ref()];
        if parts.into_iter().flatten().any(|part| part.primary.is_some()) {
            return None;
        }
        let Object::Document(index) = pin.image.object else { return None };
        let rendering = survey.profile.variants.get(pin.image.variant)?.kubernetes()?;
        let names = charts(&rendering.documents.get(index)?.template);
        let text = self.load(&source.chart)?.packed_values(&names)?;
        let file = survey.profile.declared.name.span.file;
        let values = yamlspan::parse_first(text, file, Dialect::GoYamlV2).ok()??;
        let mut found = Vec::new();
        find(values.root(), pin, &mut Vec::new(), &mut found);
        // Of several with one repository the tag tells.
        let exact: Vec<&Image<'_>> = found.iter().filter(|image| image.has_same_tag(pin)).collect();
        let image = match (found.as_slice(), exact.as_slice()) {
            ([image], _) => image,
            (_, [image]) => *image,
            _ => return None,
        };
        let keys = names.iter().map(|name| (*name).to_owned()).chain(image.keys.iter().cloned());
        let chart = names.last().copied().unwrap_or_else(|| source.chart.file_name().unwrap_or_default());
        let has = |name: &&&str| image.mapping.get(name).is_some();
        Some(Packed {
            chart: chart.to_owned(),
            keys: keys.collect(),
            digest: empty::DIGEST.iter().find(has).copied(),
            has_tag: image.mapping.get(empty::TAG).is_some(),
        })
    }
}

/// The charts below the outermost one that lead to a template: `app/charts/sub/templates/pod.yaml` gives `sub`.
fn charts(template: &str) -> Vec<&str> {
    let folders = template.split_once("/templates/").map_or("", |(folders, _)| folders);
    folders.split('/').skip(1).collect::<Vec<_>>().chunks(2).filter_map(|pair| pair.get(1).copied()).collect()
}

/// The values of an image.
struct Image<'v> {
    keys: Vec<String>,
    mapping: NodeRef<'v>,
}

impl Image<'_> {
    fn has_same_tag(&self, pin: &Pin<'_>) -> bool {
        let tag = self.mapping.get(empty::TAG).filter(|tag| tag.value() != Scalar::Null).map(NodeRef::raw);
        tag.is_some() && tag == pin.image.reference.as_ref().ok().and_then(|reference| reference.tag())
    }
}

fn find<'v>(node: NodeRef<'v>, pin: &Pin<'_>, keys: &mut Vec<String>, found: &mut Vec<Image<'v>>) {
    if node.kind() != Kind::Mapping {
        return;
    }
    let is_named = |value: NodeRef<'_>| value.kind() == Kind::Scalar && names(pin, value.raw());
    if REPOSITORY.iter().filter_map(|key| node.get(key)).any(is_named) {
        found.push(Image { keys: keys.clone(), mapping: node });
    }
    for (key, value) in node.entries() {
        keys.push(key.raw().to_owned());
        find(value, pin, keys, found);
        keys.pop();
    }
}

/// Whether a repository, with its registry or without, is that of the image.
fn names(pin: &Pin<'_>, repository: &str) -> bool {
    let Ok(reference) = &pin.image.reference else { return false };
    let name = pin.image.text.get(..reference.ranges().repository.end).unwrap_or_default();
    !repository.is_empty() && Utf8Path::new(name).ends_with(repository)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_says_which_chart_it_is_of() {
        for (template, expected) in [
            ("app/templates/pod.yaml", &[][..]),
            ("app/charts/sub/templates/pod.yaml", &["sub"]),
            ("app/charts/sub/charts/deep/templates/a/templates/pod.yaml", &["sub", "deep"]),
        ] {
            assert_eq!(charts(template), expected);
        }
    }
}
