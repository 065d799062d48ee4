//! Release manifests: what is read is written so that it reads the same, and an edit of one digest changes nothing else.

use ::release::{Assignment, Digest, Release, assign};
use source::FileId;

const FILE: FileId = FileId(0);

pub(crate) fn check(bytes: &[u8]) {
    let text = crate::text_of(bytes);
    let (release, problems) = Release::parse(&text, FILE);
    for problem in &problems {
        assert!(problem.span.is_none_or(|span| text.get(span.range()).is_some()), "{}", problem.message);
    }
    let Some(release) = release else {
        assert!(!problems.is_empty(), "it is refused without a reason");
        return;
    };
    if !problems.is_empty() {
        return;
    }
    let manifest = release.manifest();
    let written = manifest.to_yaml();
    let (again, problems) = Release::parse(&written, FILE);
    assert!(problems.is_empty(), "`{}` in {written}", problems[0].message);
    assert_eq!(again.map(|again| again.manifest()), Some(manifest.clone()), "{written}");
    let Some(component) = release.components.first().map(|component| component.name.value.clone()) else { return };
    let digest = Digest::sha256(b"fuzzed");
    let assignments = [Assignment { component: component.clone(), tag: None, digest: digest.clone() }];
    let Ok(edited) = assign(&text, &assignments) else { return };
    let (edited, problems) = Release::parse(&edited, FILE);
    assert!(problems.is_empty());
    let found = edited.and_then(|edited| edited.component(&component).and_then(|found| found.digest.get().cloned()));
    assert_eq!(found, Some(digest));
}
