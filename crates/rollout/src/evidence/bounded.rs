//! Reading a file that may be anything, and large: what is not asked for is passed over, so that it takes no memory.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

/// What a JSON object says of what a report says. Of a key that is there twice, the last counts.
#[derive(Default)]
pub(super) struct Said {
    pub(super) schema: Option<Word>,
    pub(super) probe: Option<Word>,
    pub(super) verdict: Option<Word>,
    pub(super) release: Option<Word>,
    /// `facts.release`
    pub(super) fact: Option<Word>,
}

/// A value, as far as it matters.
pub(super) enum Word {
    Text(String),
    Number(Number),
    /// An object, with what it calls its release.
    Object(Option<Box<Self>>),
    Other,
}

impl Word {
    pub(super) fn into_text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(_) | Self::Object(_) | Self::Other => None,
        }
    }
}

impl<'de> Deserialize<'de> for Said {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfSaid;

        impl<'de> Visitor<'de> for OfSaid {
            type Value = Said;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Said, A::Error> {
                let mut said = Said::default();
                while let Some(key) = object.next_key::<String>()? {
                    match key.as_str() {
                        "schema" => said.schema = Some(object.next_value()?),
                        "probe" => said.probe = Some(object.next_value()?),
                        "verdict" => said.verdict = Some(object.next_value()?),
                        "release" => said.release = Some(object.next_value()?),
                        "facts" => {
                            said.fact = match object.next_value()? {
                                Word::Object(release) => release.map(|release| *release),
                                Word::Text(_) | Word::Number(_) | Word::Other => None,
                            }
                        }
                        _ => drop(object.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(said)
            }
        }

        deserializer.deserialize_map(OfSaid)
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfWord;

        impl<'de> Visitor<'de> for OfWord {
            type Value = Word;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("any value")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Word, E> {
                Ok(Word::Text(text.to_owned()))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Word, E> {
                Ok(Word::Number(number.into()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Word, E> {
                Ok(Word::Number(number.into()))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Word, E> {
                Ok(Number::from_f64(number).map_or(Word::Other, Word::Number))
            }

            fn visit_bool<E: Error>(self, _: bool) -> Result<Word, E> {
                Ok(Word::Other)
            }

            fn visit_unit<E: Error>(self) -> Result<Word, E> {
                Ok(Word::Other)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Word, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Word::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Word, A::Error> {
                let mut release = None;
                while let Some(key) = object.next_key::<String>()? {
                    if key == "release" {
                        release = Some(Box::new(object.next_value()?));
                    } else {
                        object.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(Word::Object(release))
            }
        }

        deserializer.deserialize_any(OfWord)
    }
}
