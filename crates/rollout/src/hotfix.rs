//! Components that a channel got by itself since its last promotion: the next one must not lose them unseen.

use release::{Listed, Manifest};

/// The names of components that `current` has otherwise than its promotion brought them (`base`), and that `source` would replace by
/// something else again. Sorted.
#[must_use]
pub fn hotfixes(base: &Manifest, current: &Manifest, source: &Manifest) -> Vec<String> {
    let same = |a: Option<&Listed>, b: Option<&Listed>| match (a, b) {
        (Some(a), Some(b)) => (&a.image, &a.tag, &a.digest) == (&b.image, &b.tag, &b.digest),
        (None, None) => true,
        _ => false,
    };
    let mut names: Vec<String> = current
        .components
        .iter()
        .chain(&current.infrastructure)
        .filter(|(name, own)| !same(Some(own), component(base, name)) && !same(Some(own), component(source, name)))
        .map(|(name, _)| name.clone())
        .collect();
    names.sort();
    names
}

/// Puts what `current` lists under these names into `manifest`.
pub fn keep(manifest: &mut Manifest, current: &Manifest, names: &[String]) {
    for name in names {
        if let Some(listed) = current.components.get(name) {
            manifest.components.insert(name.clone(), listed.clone());
        }
        if let Some(listed) = current.infrastructure.get(name) {
            manifest.infrastructure.insert(name.clone(), listed.clone());
        }
    }
}

fn component<'m>(manifest: &'m Manifest, name: &str) -> Option<&'m Listed> {
    manifest.components.get(name).or_else(|| manifest.infrastructure.get(name))
}

#[cfg(test)]
mod tests {
    use release::Release;
    use source::FileId;

    use super::*;

    fn manifest(tags: &[(&str, &str)]) -> Manifest {
        let mut text = "schema: 1\nversion: \"1\"\nchannel: a\ndigests: sample\ncomponents:\n".to_owned();
        for (name, tag) in tags {
            text.push_str(&format!("  {name}: {{image: r.example/{name}, tag: v{tag}, digest: unresolved}}\n"));
        }
        let (release, problems) = Release::parse(&text, FileId(0));
        assert_eq!(problems, []);
        release.unwrap().manifest()
    }

    #[test]
    fn only_what_would_be_lost_is_named() {
        let base = manifest(&[("same", "1"), ("fixed", "1"), ("fixed-upstream-too", "1"), ("moved", "1")]);
        let current =
            manifest(&[("same", "1"), ("fixed", "2"), ("fixed-upstream-too", "2"), ("moved", "1"), ("added", "1")]);
        let source = manifest(&[("same", "1"), ("fixed", "1"), ("fixed-upstream-too", "2"), ("moved", "3")]);
        assert_eq!(hotfixes(&base, &current, &source), ["added", "fixed"]);
        let mut kept = source;
        keep(&mut kept, &current, &["added".to_owned(), "fixed".to_owned()]);
        assert_eq!(hotfixes(&base, &current, &kept), Vec::<String>::new());
        assert_eq!(kept.components["moved"].tag, "v3");
    }
}
