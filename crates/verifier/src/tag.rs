//! Under what a header is remembered.

use ring::hmac;
use ring::rand::SystemRandom;

use crate::error::{Error, ErrorKind};

/// HMAC-SHA256 of the token. As long as the hash: a tag that is cut would let more than one header in.
pub(crate) type Tag = [u8; 32];

/// The key of all tags, made at the start and never written anywhere: tags of another run, or guessed ones, are worth nothing.
pub(crate) struct TagKey(hmac::Key);

impl TagKey {
    pub(crate) fn random() -> Result<Self, Error> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new());
        key.map(Self).map_err(|_| Error::new(ErrorKind::Random))
    }

    pub(crate) fn tag(&self, token: &[u8]) -> Tag {
        let mut tag = Tag::default();
        let signed = hmac::sign(&self.0, token);
        tag.copy_from_slice(signed.as_ref());
        tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_belongs_to_one_key_and_one_token() {
        let (one, two) = (TagKey::random().unwrap(), TagKey::random().unwrap());
        assert_eq!(one.tag(b"QTpi"), one.tag(b"QTpi"));
        assert_ne!(one.tag(b"QTpi"), one.tag(b"QTpj"));
        assert_ne!(one.tag(b"QTpi"), two.tag(b"QTpi"));
    }
}
