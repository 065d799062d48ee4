//! What is written for a bundle rather than taken from the workspace: the first page to read, and the list of images.

use std::collections::BTreeSet;

use release::{ImageRef, ProfileSource, Release};

use crate::exit::{Failure, Result};
use crate::rendering;
use crate::session::Session;

/// The page's template; words in `[[…]]` are replaced.
const PAGE: &str = include_str!("INSTALL.md");

/// The line that the page has for a release whose digests are stand-ins.
const SAMPLES: &str = "\n> The digests of this release are samples: they can be checked, but the images cannot be pulled. Ask for a bundle of a\n\
    > release with `digests: resolved`.\n";

/// The page for one bundle.
pub(super) fn page(release: &Release, manifest: &str, archive: &str) -> String {
    let samples = if release.digests.value == release::DigestKind::Sample { SAMPLES } else { "" };
    [
        ("[[version]]", release.version.value.as_str()),
        ("[[channel]]", release.channel.value.as_str()),
        ("[[manifest]]", manifest),
        ("[[archive]]", archive),
        ("[[samples]]\n", samples),
    ]
    .into_iter()
    .fold(PAGE.to_owned(), |page, (word, value)| page.replace(word, value))
}

/// Every image that the profiles of a channel run with all their overlays, one a line, sorted, as the release lists it.
///
/// Found by rendering, since a manifest does not list what no release owns. A site's own registry is taken off again: these are the
/// names under which the images can be had outside.
pub(super) fn images(session: &Session, channel: &str, release: &Release) -> Result<String> {
    let mut images = BTreeSet::new();
    for profile in session.workspace.profiles.iter().filter(|profile| profile.channel.value == channel) {
        let overlay = match &profile.source {
            ProfileSource::Compose(source) => source.overlays.last().map(|overlay| overlay.value.as_str()),
            ProfileSource::Helm(_) | ProfileSource::Manifests(_) => None,
        };
        let cannot = |cause: &dyn std::fmt::Display| {
            Failure::input(format!("cannot tell the images of `{}`", profile.name.value)).because(cause)
        };
        let rendered = rendering::output(session, profile, overlay, None)?.images().map_err(|error| cannot(&error))?;
        for text in rendered.lines() {
            let image: ImageRef = text.parse().map_err(|error| cannot(&error))?;
            images.insert(outside(session, profile, &image, release));
        }
    }
    Ok(images.into_iter().map(|image| image + "\n").collect())
}

/// An image as the release lists it; else as the workspace names what no release owns; else as the profile does.
fn outside(session: &Session, profile: &release::Profile, image: &ImageRef, release: &Release) -> String {
    let spellings = profile.listed_spellings(image);
    let listed = release.components.iter().find(|component| {
        spellings.iter().any(|spelling| spelling.name() == component.image.name())
            && image.digest().is_none_or(|digest| component.digest.get() == Some(digest))
    });
    match listed {
        Some(component) => component.reference(),
        None => {
            let unmanaged = |spelling: &&ImageRef| {
                session.workspace.unmanaged.iter().any(|unmanaged| unmanaged.image.value.name() == spelling.name())
            };
            spellings.iter().find(unmanaged).unwrap_or(image).to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use source::FileId;

    use super::*;

    #[test]
    fn the_page_has_no_holes() {
        let manifest = "schema: 1\nversion: 1.2.3\nchannel: airgap\ndigests: sample\ncomponents: {}\n";
        let (release, _) = Release::parse(manifest, FileId(0));
        let page = page(&release.unwrap(), "deploy/releases/x.yaml", "telemetry-offline-bundle.tar.gz");
        assert!(!page.contains("[[") && !page.contains("]]"), "{page}");
        assert!(page.contains("1.2.3") && page.contains("are samples"), "{page}");
    }
}
