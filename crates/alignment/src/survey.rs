//! What every profile uses, held against its release: the common ground of the rules and of `show`, `why` and `pin`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use release::{Component, ImageRef, Release, Unmanaged};

use crate::collector::{self, Collector};
use crate::compose;
use crate::image::{Image, matches};
use crate::inputs::{Inputs, Profile, ReleaseInput, Rendering};
use crate::kubernetes;
use crate::place::{At, Object, Path, Place, Rendered};

/// All profiles with their images.
pub struct Survey<'a> {
    pub inputs: &'a Inputs<'a>,
    pub profiles: Vec<ProfileSurvey<'a>>,
    /// The collectors of each profile, read when the first rule asks.
    collectors: OnceLock<Vec<Vec<Collector>>>,
}

/// One profile with its images.
pub struct ProfileSurvey<'a> {
    pub profile: &'a Profile,
    /// The release that it is held to, where that could be read.
    pub release: Option<HeldTo<'a>>,
    /// Its images in rendered order; what an overlay repeats stands once.
    pub images: Vec<Used<'a>>,
}

/// A release with the file that it stands in.
#[derive(Clone, Copy)]
pub struct HeldTo<'a> {
    pub input: &'a ReleaseInput,
    pub release: &'a Release,
}

/// The tag that every tool takes where neither tag nor digest is written.
const DEFAULT_TAG: &str = "latest";

/// One image with what the release says of it.
pub struct Used<'a> {
    pub image: Image,
    pub standing: Standing<'a>,
}

/// What an image is to the release.
#[derive(Clone, Copy)]
pub enum Standing<'a> {
    /// The release lists it.
    Component(&'a Component),
    /// The workspace allows it without a release.
    Unmanaged(&'a Unmanaged),
    /// The workspace allows its name, but not this tag.
    OtherTag(&'a Unmanaged),
    /// The release lists the image with several tags, but with none that says which component is meant; the first of them.
    Ambiguous(&'a Component),
    /// Nothing owns it.
    Unlisted,
    /// It is no image reference.
    Damaged,
    /// There is no release to hold it against.
    Unjudged,
}

impl<'a> Survey<'a> {
    /// Collects the images of all profiles.
    #[must_use]
    pub fn new(inputs: &'a Inputs<'a>) -> Self {
        Self::by(inputs, |profiles, survey| profiles.iter().map(survey).collect())
    }

    /// The same with the caller's way to go through the profiles, which may be by several threads.
    #[must_use]
    pub fn by(
        inputs: &'a Inputs<'a>,
        map: impl FnOnce(&'a [Profile], &(dyn Fn(&'a Profile) -> ProfileSurvey<'a> + Sync)) -> Vec<ProfileSurvey<'a>>,
    ) -> Self {
        let mut listed: BTreeMap<usize, Listed<'a>> = BTreeMap::new();
        for (index, release) in
            inputs.profiles.iter().filter_map(|profile| Some((profile.release?, inputs.release_of(profile)?)))
        {
            listed.entry(index).or_insert_with(|| self::listed(release));
        }
        let profiles = map(inputs.profiles, &|profile| survey(inputs, profile, &listed));
        Self { inputs, profiles, collectors: OnceLock::new() }
    }

    /// Every profile with its collectors.
    pub(crate) fn collectors(&self) -> impl Iterator<Item = (&ProfileSurvey<'a>, &[Collector])> {
        let all = self.collectors.get_or_init(|| {
            let mut parsed = collector::Parsed::new();
            let profiles = self.profiles.iter();
            profiles.map(|profile| collector::find(self.inputs, profile.profile, &mut parsed)).collect()
        });
        self.profiles.iter().zip(all.iter().map(Vec::as_slice))
    }

    /// The profile of this name, if it is checked.
    #[must_use]
    pub fn profile(&self, name: &str) -> Option<&ProfileSurvey<'a>> {
        self.profiles.iter().find(|profile| profile.name() == name)
    }

    /// Whether every profile of the workspace for which `wanted` holds is checked and rendered: only then can
    /// something be said to be used by none.
    #[must_use]
    pub fn is_complete(&self, wanted: impl Fn(&release::Profile) -> bool) -> bool {
        self.inputs
            .workspace
            .profiles
            .iter()
            .filter(|declared| wanted(declared))
            .all(|declared| self.profile(&declared.name.value).is_some_and(ProfileSurvey::is_rendered))
    }

    /// The source text at a span.
    #[must_use]
    pub fn written(&self, span: source::Span) -> Option<&'a str> {
        self.inputs.sources.file(span.file)?.text().get(span.range())
    }

    /// The name of a source file, for messages.
    #[must_use]
    pub fn path_of(&self, span: source::Span) -> &'a str {
        self.inputs.sources.path(span.file).as_str()
    }
}

impl<'a> ProfileSurvey<'a> {
    /// The profile's name.
    #[must_use]
    pub fn name(&self) -> &'a str {
        &self.profile.declared.name.value
    }

    /// The profile's channel.
    #[must_use]
    pub fn channel(&self) -> &'a str {
        &self.profile.declared.channel.value
    }

    /// A place of this profile's rendering.
    #[must_use]
    pub fn at(&self, rendered: Rendered) -> Place {
        Place { profile: None, at: At::Rendered(rendered) }.of(self.name())
    }

    /// A value of this profile's rendering.
    #[must_use]
    pub fn value(&self, variant: usize, object: Object, path: Path) -> Place {
        self.at(Rendered { variant, object, path, range: None })
    }

    /// Whether every variant rendered.
    #[must_use]
    pub fn is_rendered(&self) -> bool {
        self.profile.is_rendered()
    }

    /// Whether nothing outside may be reached: the profile says what counts as local, or follows the channel `airgap`.
    #[must_use]
    pub fn is_airgap(&self) -> bool {
        self.profile.declared.hosts.is_some() || self.channel() == "airgap"
    }

    /// The images that the release lists, with their components.
    pub fn components(&self) -> impl Iterator<Item = (&Used<'a>, &'a Component)> {
        self.images.iter().filter_map(|used| match used.standing {
            Standing::Component(component) => Some((used, component)),
            _ => None,
        })
    }

    /// The number of different images.
    #[must_use]
    pub fn image_count(&self) -> usize {
        self.images.iter().map(|used| &used.image.text).collect::<BTreeSet<_>>().len()
    }

    /// The command that writes the release's references into this profile.
    #[must_use]
    pub fn pin_command(&self) -> String {
        format!("`collimate pin {}`", self.channel())
    }
}

/// The components of a release by registry and repository.
type Listed<'a> = BTreeMap<(&'a str, &'a str), Vec<&'a Component>>;

fn listed(release: &Release) -> Listed<'_> {
    let mut out: Listed<'_> = BTreeMap::new();
    for component in &release.components {
        out.entry((component.image.registry(), component.image.repository())).or_default().push(component);
    }
    out
}

fn survey<'a>(inputs: &'a Inputs<'a>, profile: &'a Profile, listed: &BTreeMap<usize, Listed<'a>>) -> ProfileSurvey<'a> {
    let release = profile.release.and_then(|index| {
        let input = inputs.releases.get(index)?;
        Some(HeldTo { input, release: input.release()? })
    });
    let mut images: Vec<Used<'a>> = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, variant) in profile.variants.iter().enumerate() {
        let Ok(rendering) = &variant.rendering else { continue };
        for image in images_of(rendering, index, &inputs.workspace.images_at) {
            // Kubernetes profiles have one variant; in Compose the same path with the same text is the same use.
            let key = (image.object, image.path.clone(), image.offset, image.text.clone());
            if seen.insert(key) {
                let listed = profile.release.and_then(|index| listed.get(&index));
                let standing = standing(inputs, profile, listed, &image);
                images.push(Used { image, standing });
            }
        }
    }
    ProfileSurvey { profile, release, images }
}

fn standing<'a>(inputs: &'a Inputs<'a>, profile: &Profile, listed: Option<&Listed<'a>>, image: &Image) -> Standing<'a> {
    let Ok(reference) = &image.reference else { return Standing::Damaged };
    let spellings = profile.declared.listed_spellings(reference);
    let among = listed.and_then(|listed| among_components(listed, profile, &spellings, reference));
    if let Some(standing @ Standing::Component(_)) = among {
        return standing;
    }
    let mut other_tag = None;
    for spelling in &spellings {
        for unmanaged in inputs.workspace.unmanaged.iter().filter(|entry| entry.image.same_name(spelling)) {
            let allowed = unmanaged.tags.is_empty()
                || match reference.tag() {
                    Some(tag) => unmanaged.tags.iter().any(|pattern| matches(pattern, tag)),
                    // A digest alone says more than a tag could.
                    None => reference.digest().is_some(),
                };
            if allowed {
                return Standing::Unmanaged(unmanaged);
            }
            other_tag = Some(unmanaged);
        }
    }
    match (among, other_tag) {
        (Some(standing), _) => standing,
        (None, Some(unmanaged)) => Standing::OtherTag(unmanaged),
        (None, None) if listed.is_none() => Standing::Unjudged,
        (None, None) => Standing::Unlisted,
    }
}

/// The component that an image is. Several may list one image, under tags of their own; then the digest says which is meant, else
/// the tag. A component that is meant for other profiles counts only where no other one lists the image.
fn among_components<'a>(
    listed: &Listed<'a>,
    profile: &Profile,
    spellings: &[ImageRef],
    reference: &ImageRef,
) -> Option<Standing<'a>> {
    let keys = spellings.iter().map(|spelling| (spelling.registry(), spelling.repository()));
    let all: Vec<&Component> = keys.filter_map(|key| listed.get(&key)).flatten().copied().collect();
    let declared = &profile.declared;
    let is_meant = |component: &&&Component| component.is_for(declared.kind(), &declared.name.value);
    let meant: Vec<&Component> = all.iter().filter(is_meant).copied().collect();
    let candidates = if meant.is_empty() { all } else { meant };
    let first = candidates.first().copied()?;
    let by_digest = reference.digest().and_then(|digest| {
        // Of one digest under several tags the tag that is written is meant.
        let same = candidates.iter().filter(|component| component.digest.get() == Some(digest));
        same.min_by_key(|component| reference.tag() != Some(component.tag.value.as_str()))
    });
    let tag = reference.tag().or(reference.digest().is_none().then_some(DEFAULT_TAG));
    let by_tag = || candidates.iter().find(|component| tag == Some(component.tag.value.as_str()));
    let found = by_digest.or_else(by_tag).copied();
    // Under one tag alone there is no doubt which one is meant, whatever the profile says.
    let is_one = candidates.iter().all(|component| component.tag.value == first.tag.value);
    Some(match found.or(is_one.then_some(first)) {
        Some(component) => Standing::Component(component),
        None => Standing::Ambiguous(first),
    })
}

/// The images of one rendering. `images_at` says where custom resources hold theirs.
#[must_use]
pub fn images(rendering: &Rendering, images_at: &[release::ImagesAt]) -> Vec<Image> {
    images_of(rendering, 0, images_at)
}

fn images_of(rendering: &Rendering, variant: usize, images_at: &[release::ImagesAt]) -> Vec<Image> {
    match rendering {
        Rendering::Compose(rendering) => compose::images(&rendering.all, variant),
        Rendering::Kubernetes(rendering) => kubernetes::images(rendering, variant, images_at),
    }
}
