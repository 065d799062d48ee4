//! Reading a journal that somebody else may have planted, in no more memory than its own size.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

use super::{Change, Content, MOST_CHANGES};

/// By hand: what serde derives for a value without a tag keeps every byte of a list as a value of its own, thirty times as large.
impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfContent;

        impl<'de> Visitor<'de> for OfContent {
            type Value = Content;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a text, a list of bytes or null")
            }

            fn visit_unit<E: Error>(self) -> Result<Content, E> {
                Ok(Content::Nothing)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Content, E> {
                Ok(Content::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut bytes: A) -> Result<Content, A::Error> {
                let mut read = Vec::new();
                while let Some(byte) = bytes.next_element()? {
                    read.push(byte);
                }
                Ok(Content::Bytes(read))
            }
        }

        deserializer.deserialize_any(OfContent)
    }
}

/// The changes, which are not more than we make: a few bytes can be one.
pub(super) fn changes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Change>, D::Error> {
    struct OfChanges;

    impl<'de> Visitor<'de> for OfChanges {
        type Value = Vec<Change>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a list of changes")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut changes: A) -> Result<Vec<Change>, A::Error> {
            let mut read = Vec::new();
            while let Some(change) = changes.next_element()? {
                if read.len() == MOST_CHANGES {
                    return Err(A::Error::custom(format!("it has more than {MOST_CHANGES} changes")));
                }
                read.push(change);
            }
            Ok(read)
        }
    }

    deserializer.deserialize_seq(OfChanges)
}
