use super::*;
use crate::{Digest, Release};
use source::FileId;

fn digest(of: &str) -> Digest {
    Digest::sha256(of.as_bytes())
}

fn manifest(head: &str, components: &str) -> Manifest {
    let text = format!("schema: 1\nversion: \"1\"\nchannel: edge\n{head}\ncomponents:\n{components}");
    let (release, problems) = Release::parse(&text, FileId(0));
    assert_eq!(problems, []);
    release.unwrap().manifest()
}

fn line(name: &str, image: &str, tag: &str, digest: &str) -> String {
    format!("  {name}: {{image: r.example/{image}, tag: v{tag}, digest: \"{digest}\"}}\n")
}

#[test]
fn every_kind_of_change_is_told_apart() {
    let (a, b) = (digest("a"), digest("b"));
    let sample = |image: &str| Digest::sample(&format!("r.example/{image}"), "v1").to_string();
    let before = manifest(
        "digests: sample",
        &[
            line("same", "same", "1", a.as_str()),
            line("gone", "gone", "1", a.as_str()),
            line("moved", "moved", "1", a.as_str()),
            line("image", "image", "1", a.as_str()),
            line("tag", "tag", "1", a.as_str()),
            line("filled", "filled", "1", "unresolved"),
            line("real", "real", "1", &sample("real")),
            line("lost", "lost", "1", a.as_str()),
            line("old-name", "named", "1", a.as_str()),
            line("said", "said", "1", a.as_str()),
            line("shifted", "shifted", "1", a.as_str()),
        ]
        .concat(),
    );
    let after = manifest(
        "digests: resolved",
        &[
            line("same", "same", "1", a.as_str()),
            line("new", "new", "1", a.as_str()),
            line("moved", "moved", "1", b.as_str()),
            line("image", "other", "1", a.as_str()),
            line("tag", "tag", "2", b.as_str()),
            line("filled", "filled", "1", a.as_str()),
            line("real", "real", "1", b.as_str()),
            line("lost", "lost", "1", &sample("lost")),
            line("new-name", "named", "1", a.as_str()),
            line("said", "said", "1", a.as_str()).replace('}', ", reason: x}"),
        ]
        .concat(),
    );
    let mut after = after;
    let shifted = before.components["shifted"].clone();
    after.infrastructure.insert("shifted".to_owned(), shifted);
    let difference = Difference::between(&before, &after);
    let found: Vec<String> = difference
        .components
        .iter()
        .map(|found| match &found.former_name {
            Some(former) => format!("{} {} (was {former})", found.name, found.change.as_str()),
            None => format!("{} {}", found.name, found.change.as_str()),
        })
        .collect();
    assert_eq!(
        found,
        [
            "filled resolved",
            "gone removed",
            "image image",
            "lost unresolved",
            "moved moved",
            "new added",
            "new-name renamed (was old-name)",
            "real resolved",
            "said described",
            "shifted described",
            "tag changed",
        ]
    );
    let about: Vec<_> = difference.about.iter().map(|about| (about.key, about.after.as_deref())).collect();
    assert_eq!(about, [("digests", Some("resolved"))]);
    let back = Difference::between(&after, &before);
    assert_eq!(back.components.len(), difference.components.len(), "a difference can be looked at from both sides");
}

#[test]
fn what_is_equal_has_no_difference_and_a_renamed_component_may_have_moved() {
    let (a, b) = (digest("a"), digest("b"));
    let one = manifest("digests: resolved", &line("web", "web", "1", a.as_str()));
    assert!(Difference::between(&one, &one).is_empty());
    let other = manifest("digests: resolved", &line("ui", "web", "1", b.as_str()));
    let found = Difference::between(&one, &other).components;
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].change, found[0].former_name.as_deref()), (Change::Moved, Some("web")));
}
