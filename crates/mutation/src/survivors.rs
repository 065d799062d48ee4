//! What may change a deployment without a word, and why. `docs/mutations.md` lists what of it there is.
//!
//! Nothing here is about an image, a digest or a reference that is wrong where it runs: such a survivor has no reason and fails the run.

use release::{Component, Profile, Release};
use source::FileId;

use crate::mutant::Mutant;
use crate::operator::Operator;
use crate::place::What;
use crate::subject::{Role, Subject};

/// Why nothing need be said of a mutant that survived; none if it matters.
pub(crate) fn reason(subject: &Subject, mutant: &Mutant) -> Option<&'static str> {
    use Operator as By;
    let role = subject.files.get(&mutant.place.file).map(|(role, _)| *role)?;
    let by = mutant.operator;
    let path = mutant.place.path.as_str();
    match mutant.what() {
        What::Image if by == By::DropRegistry && text(subject, mutant).starts_with("docker.io/") => {
            Some("`docker.io` is what is meant where no registry stands: it is the same image")
        }
        What::Image if path.contains(".env.") || path.contains(".args.") => Some(
            "a variable or an argument without an image: whether one is needed, only the program that reads it knows",
        ),
        What::Tag if role == Role::Release => Some(
            "profiles name the digest alone, and no other manifest lists this version: the manifest is what says which tag it had",
        ),
        What::Repository | What::Digest if role == Role::Release && runs_nowhere(subject, mutant) => Some(
            "no profile of the channel runs the component, and nothing else in the workspace says which image it is: its registry knows, and who signs",
        ),
        What::Tag if is_unmanaged(subject, mutant) => Some("`unmanaged` allows these tags"),
        What::Platform => Some("no other manifest lists the platforms of this index: only its registry knows them"),
        What::Component if role == Role::Release => {
            Some("profiles are held against images and digests; a component's name is for people and commands")
        }
        What::Component => {
            Some("the component still runs elsewhere in the channel, and a profile need not run all of them")
        }
        What::Follows if by == By::Swap && path.contains(".overlays.") => {
            Some("both overlays are read: which of them wins is for the operator to say")
        }
        What::Reference if by == By::Swap && path.contains(".envFrom.") => {
            Some("both are read: which of them wins is for the operator to say")
        }
        What::Include if by == By::Swap => Some(
            "Kubernetes takes what either prints in the other's place: which belongs where is written down nowhere",
        ),
        What::Selector if by == By::Drop => Some("a selector that says less still selects its pods"),
        What::Selector if by == By::Swap && path.contains("namespaceSelector") => Some(
            "a policy names both namespaces, and both are there: which of them may connect is for the operator to say",
        ),
        What::Selector if by == By::Empty => Some("a Service that selects nothing gets its endpoints elsewhere"),
        What::Reference if by == By::Empty && is_optional(subject, mutant) => {
            Some("`optional: true` says that nothing need be there")
        }
        What::Reference if by == By::Swap && role != Role::Values => {
            Some("both objects are there: which of them a program finds where, only the program knows")
        }
        What::Reference if by == By::Drop => Some("what is not referred to is not needed"),
        What::Reference if role == Role::Values => {
            Some("the object and what refers to it take the name from this one value")
        }
        What::Name if matches!(by, By::Rename | By::Swap | By::OtherProfile | By::Digit) => {
            Some("nothing refers to the object by this name")
        }
        What::Identity => Some("a version, channel or date that no label, file or other manifest repeats"),
        What::ReleaseLabel if matches!(by, By::Drop | By::Rename) => {
            Some("the label need not be there; where it is, it is held against the release")
        }
        What::Setting if by != By::Break => Some(
            "Helm takes a key that no template reads, and then the chart's default; a `values.schema.json` forbids it, as in this tree",
        ),
        What::Variable if role == Role::Template => {
            Some("a template that asks for a value that nobody sets gets none, and charts rely on it")
        }
        What::Variable if role == Role::Compose && by == By::Swap => {
            Some("both variables are set and used: which of them a setting takes, only the program that reads it knows")
        }
        What::Environment => Some("what a program reads of its environment, only it knows"),
        What::Volume if matches!(by, By::Drop | By::Swap | By::Reorder) => {
            Some("a volume need not be mounted, and may be mounted elsewhere")
        }
        What::Network if matches!(by, By::Drop | By::Swap | By::OtherProfile) => {
            Some("which networks a service joins is for the operator to say")
        }
        What::Dependency | What::Alias if matches!(by, By::Drop | By::Swap) => {
            Some("what a service waits for is for the operator to say")
        }
        What::Healthcheck if by == By::Drop => Some("nothing waits until this service is healthy"),
        What::Source if by == By::Drop => Some("a profile of fewer files is a profile, too"),
        What::Kind | What::Port | What::Reference if is_custom(subject, mutant) => {
            Some("a custom resource: what its API takes, only the cluster knows")
        }
        What::Kind if by == By::OtherProfile => Some("another kind that exists, and that runs the same pods"),
        What::Volume if by == By::OtherProfile => {
            Some("another volume that is there: which one a program finds where, only the program knows")
        }
        What::Source if by == By::Swap && matches!(role, Role::Compose | Role::Workspace) => {
            Some("both files are there and are read: which of them wins is for the operator to say")
        }
        What::Selector if by == By::Swap && [".from.", ".to."].iter().any(|side| path.contains(side)) => {
            Some("whom a policy lets in may be made elsewhere: which pods are meant is written down nowhere")
        }
        What::Volume if role == Role::Compose && by == By::Empty => {
            Some("Compose takes it for a volume without a name")
        }
        What::Port if by == By::Empty && path.ends_with("name") => {
            Some("the only port of a Service needs no name, and nothing leads to it by name")
        }
        What::Port if !matches!(by, By::Empty | By::Quote | By::Break) => {
            Some("another port that is free: which one is meant, the operator knows")
        }
        What::Label | What::PodLabel => Some("a label that no selector and no rule looks at"),
        What::Value | What::RegistryMap => Some("a setting that nothing else in the workspace repeats or limits"),
        _ => None,
    }
}

fn text<'s>(subject: &'s Subject, mutant: &Mutant) -> &'s str {
    mutant.place.text(subject.text(&mutant.place.file))
}

/// Whether the collection that holds the place says that what it refers to need not be there.
fn is_optional(subject: &Subject, mutant: &Mutant) -> bool {
    let parent = subject.text(&mutant.place.file).get(mutant.place.parent.clone());
    parent.is_some_and(|parent| parent.contains("optional: true"))
}

/// Whether the place is in an object of an API that is not Kubernetes' own: its group is a domain.
fn is_custom(subject: &Subject, mutant: &Mutant) -> bool {
    let file = subject.text(&mutant.place.file);
    let before = file.get(..mutant.place.span.end).unwrap_or_default();
    let group =
        before.rsplit("apiVersion: ").next().and_then(|rest| rest.split_once('/')).map_or("", |(group, _)| group);
    group.contains('.') && !group.ends_with("k8s.io")
}

/// Whether the place is in a component that a channel's manifest lists for profiles of other channels alone.
fn runs_nowhere(subject: &Subject, mutant: &Mutant) -> bool {
    let file = mutant.place.file.as_str();
    let Some(channel) = subject.workspace.channels.iter().find(|channel| channel.release.value == file) else {
        return false;
    };
    let (release, _) = Release::parse(subject.text(file), FileId(0));
    let components = release.map(|release| release.components).unwrap_or_default();
    let is_meant = |component: &&Component| mutant.place.path.contains(&format!(".{}.", component.name.value));
    components.iter().find(is_meant).is_some_and(|component| {
        let of_channel = |profile: &&Profile| profile.channel.value == channel.name.value;
        let mut profiles = subject.workspace.profiles.iter().filter(of_channel);
        profiles.all(|profile| !component.is_for(profile.kind(), &profile.name.value))
    })
}

/// Whether the place is in a reference to an image that no release owns.
fn is_unmanaged(subject: &Subject, mutant: &Mutant) -> bool {
    let file = subject.text(&mutant.place.file);
    let before = &file[..mutant.place.span.start];
    let line = before.rsplit('\n').next().unwrap_or_default();
    subject.workspace.unmanaged.iter().any(|entry| line.contains(entry.image.repository()))
}
