//! What a component of a plain manifest lists, and what the manifest says of all of them.

use crate::manifest::{DigestKind, Listed, Manifest};
use crate::release::UNRESOLVED;
use crate::{Digest, ImageRef};

impl Listed {
    /// Whether its digest is one of a registry: neither absent nor the documented stand-in.
    #[must_use]
    pub fn is_resolved(&self) -> bool {
        self.has_digest() && !self.is_sample()
    }

    /// Whether it has a digest, be it a stand-in.
    #[must_use]
    pub fn has_digest(&self) -> bool {
        self.digest != UNRESOLVED
    }

    /// Whether its digest is the documented stand-in.
    #[must_use]
    pub fn is_sample(&self) -> bool {
        self.digest == Digest::sample(&self.image, &self.tag).as_str()
    }

    /// `<image>:<tag>@<digest>`; without digest where none is known.
    #[must_use]
    pub fn reference(&self) -> String {
        if self.has_digest() {
            format!("{}:{}@{}", self.image, self.tag, self.digest)
        } else {
            format!("{}:{}", self.image, self.tag)
        }
    }

    /// Whether it lists this image, whatever its tag and digest.
    #[must_use]
    pub fn is_of(&self, image: &ImageRef) -> bool {
        self.image == image.name()
    }

    /// Takes another tag and digest. Digests of single platforms belong to what was there before.
    pub fn take(&mut self, tag: &str, digest: &Digest) {
        if self.tag != tag || self.digest != digest.as_str() {
            self.platforms.clear();
        }
        tag.clone_into(&mut self.tag);
        digest.as_str().clone_into(&mut self.digest);
    }

    /// Takes another tag whose digest nobody has said yet: a stand-in stays one, any other digest is `unresolved` then.
    pub fn retag(&mut self, tag: &str) {
        if self.tag == tag {
            return;
        }
        let digest =
            if self.is_sample() { Digest::sample(&self.image, tag).to_string() } else { UNRESOLVED.to_owned() };
        self.platforms.clear();
        self.digest = digest;
        tag.clone_into(&mut self.tag);
    }
}

impl Manifest {
    /// Everything that it lists, services first.
    pub fn listed(&self) -> impl Iterator<Item = &Listed> + Clone {
        self.components.values().chain(self.infrastructure.values())
    }

    /// What `digests:` has to say of what is listed.
    #[must_use]
    pub fn fitting_digests(&self) -> DigestKind {
        if self.listed().all(Listed::is_resolved) { DigestKind::Resolved } else { DigestKind::Sample }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(digest: &str) -> Listed {
        Listed {
            image: "r.example/web".to_owned(),
            tag: "1".to_owned(),
            digest: digest.to_owned(),
            only_in: Vec::new(),
            platforms: [("linux/amd64".to_owned(), Digest::sha256(b"p").to_string())].into(),
            availability: None,
            reason: None,
        }
    }

    #[test]
    fn a_new_tag_keeps_no_digest_of_the_old_one() {
        let mut sample = listed(Digest::sample("r.example/web", "1").as_str());
        sample.retag("2");
        assert!(sample.is_sample() && sample.platforms.is_empty() && !sample.is_resolved());
        let mut real = listed(Digest::sha256(b"web").as_str());
        let before = real.clone();
        real.retag("1");
        assert_eq!(real, before);
        real.retag("2");
        assert_eq!(real.reference(), "r.example/web:2");
        real.take("2", &Digest::sha256(b"new"));
        assert!(real.is_resolved());
        let mut same = before.clone();
        same.take("1", &Digest::sha256(b"web"));
        assert_eq!(same, before);
    }
}
