//! What may change a deployment without a word, and why. `docs/mutations.md` lists what of it there is.

use crate::mutant::Mutant;
use crate::operator::Operator;
use crate::place::What;
use crate::subject::{Role, Subject};

/// Why nothing need be said of a mutant that survived; none if it matters.
pub(crate) fn reason(subject: &Subject, mutant: &Mutant) -> Option<&'static str> {
    let role = subject.files.get(&mutant.place.file).map(|(role, _)| *role);
    let text = mutant.place.text(subject.text(&mutant.place.file));
    let operator = mutant.operator;
    match (mutant.what(), role) {
        (What::Image, _) if operator == Operator::DropRegistry && text.starts_with("docker.io/") => {
            Some("`docker.io` is what is meant where no registry stands: it is the same image")
        }
        (What::Tag, Some(Role::Release)) => Some(
            "profiles name the digest alone and no other manifest lists this version: the manifest is what says which tag it had",
        ),
        (What::Platform, Some(Role::Release)) => {
            Some("no other manifest lists the platforms of this index: only its registry knows them")
        }
        (What::Component, Some(Role::Release)) => {
            Some("profiles are held against images and digests; a component's name is for people and commands")
        }
        (What::Identity, _) => Some("a version, channel or date that no label, file or other manifest repeats"),
        (What::Value, _) => Some("a setting that nothing else in the workspace repeats or limits"),
        (What::Label | What::PodLabel, _) => Some("a label that no selector and no rule looks at"),
        (What::Port, _) => Some("another port that is free: which one is meant, the operator knows"),
        _ => None,
    }
}
