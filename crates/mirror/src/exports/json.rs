//! JSON with limits: the members of a document that are wanted, as values, and lists that are only counted.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::limits::{DEEPEST, MOST_ENTRIES, MOST_VALUES};
use super::{Error, Problem};

/// A value. Fractions and numbers that are negative or too large are no counts, and there are no other numbers here.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(Option<u64>),
    Text(String),
    List(Vec<Self>),
    Object(BTreeMap<String, Self>),
    /// A list of which only the length was wanted.
    Counted(usize),
}

impl Json {
    /// With its article.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) | Self::Counted(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

/// Reads a document. Of its members those in `kept` are values, a list that is one of `counted` is counted, all others are passed over.
pub(crate) fn read(bytes: &[u8], most: usize, kept: &[&str], counted: &[&str]) -> Result<Json, Error> {
    if bytes.len() > most {
        return Err(Error::new("", Problem::TooLarge { size: bytes.len(), most }));
    }
    let mut room = MOST_VALUES;
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Top { kept, counted, room: &mut room }.deserialize(&mut reader);
    value
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|error| Error::new("", Problem::NotJson(error.to_string())))
}

/// All of a small text.
pub(crate) fn read_whole(bytes: &[u8]) -> Result<Json, Error> {
    let mut room = MOST_VALUES;
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Keep { depth: 0, room: &mut room }.deserialize(&mut reader);
    value
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|error| Error::new("", Problem::NotJson(error.to_string())))
}

/// The document itself.
struct Top<'a> {
    kept: &'a [&'a str],
    counted: &'a [&'a str],
    room: &'a mut usize,
}

/// A value that is kept.
struct Keep<'a> {
    depth: usize,
    room: &'a mut usize,
}

/// A value that is passed over.
struct Skip {
    depth: usize,
}

/// A list that is counted; anything else is kept.
struct Count<'a> {
    room: &'a mut usize,
}

/// What every visitor takes alike: values without anything inside.
macro_rules! scalars {
    ($value:ident => $made:expr) => {
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            let $value = Json::Null;
            Ok($made)
        }

        fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
            let $value = Json::Bool(value);
            Ok($made)
        }

        fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
            let $value = Json::Number(Some(value));
            Ok($made)
        }

        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            let $value = Json::Number(None);
            Ok($made)
        }

        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            let $value = Json::Number(None);
            Ok($made)
        }
    };
}

fn expecting(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("a JSON value")
}

fn too_deep<E: serde::de::Error>() -> E {
    E::custom(format_args!("values are nested deeper than {DEEPEST}"))
}

fn too_many<E: serde::de::Error>() -> E {
    E::custom(format_args!("something has more than {MOST_ENTRIES} entries"))
}

impl Keep<'_> {
    /// One more value.
    fn take<E: serde::de::Error>(&mut self) -> Result<(), E> {
        *self.room = self
            .room
            .checked_sub(1)
            .ok_or_else(|| E::custom(format_args!("there are more than {MOST_VALUES} values")))?;
        Ok(())
    }

    fn inner(&mut self) -> Keep<'_> {
        Keep { depth: self.depth + 1, room: self.room }
    }
}

impl<'de> DeserializeSeed<'de> for Keep<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(mut self, deserializer: D) -> Result<Json, D::Error> {
        self.take()?;
        if self.depth > DEEPEST {
            return Err(too_deep());
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Keep<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expecting(f)
    }

    scalars!(value => value);

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Json, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(self.inner())? {
            values.push(value);
        }
        Ok(Json::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut object: A) -> Result<Json, A::Error> {
        let mut members = BTreeMap::new();
        while let Some(name) = object.next_key::<String>()? {
            let value = object.next_value_seed(self.inner())?;
            insert(&mut members, name, value)?;
        }
        Ok(Json::Object(members))
    }
}

impl<'de> DeserializeSeed<'de> for Skip {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.depth > DEEPEST {
            return Err(too_deep());
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Skip {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expecting(f)
    }

    scalars!(value => drop(value));

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<(), A::Error> {
        counted(list, self.depth).map(drop)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let mut count = 0;
        while object.next_key::<serde::de::IgnoredAny>()?.is_some() {
            object.next_value_seed(Self { depth: self.depth + 1 })?;
            count += 1;
            if count > MOST_ENTRIES {
                return Err(too_many());
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Count<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Count<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expecting(f)
    }

    scalars!(value => value);

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Json, A::Error> {
        counted(list, 1).map(Json::Counted)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Json, A::Error> {
        Keep { depth: 1, room: self.room }.visit_map(object)
    }
}

impl<'de> DeserializeSeed<'de> for Top<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Top<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expecting(f)
    }

    scalars!(value => value);

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Json, A::Error> {
        counted(list, 0).map(Json::Counted)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Json, A::Error> {
        let mut members = BTreeMap::new();
        while let Some(name) = object.next_key::<String>()? {
            let value = if self.counted.contains(&name.as_str()) {
                object.next_value_seed(Count { room: &mut *self.room })?
            } else if self.kept.contains(&name.as_str()) {
                object.next_value_seed(Keep { depth: 1, room: &mut *self.room })?
            } else {
                object.next_value_seed(Skip { depth: 1 })?;
                continue;
            };
            insert(&mut members, name, value)?;
        }
        Ok(Json::Object(members))
    }
}

fn counted<'de, A: SeqAccess<'de>>(mut list: A, depth: usize) -> Result<usize, A::Error> {
    let mut count = 0;
    while list.next_element_seed(Skip { depth: depth + 1 })?.is_some() {
        count += 1;
        if count > MOST_ENTRIES {
            return Err(too_many());
        }
    }
    Ok(count)
}

/// Parsers disagree on which of two members of one name counts, so that neither does.
fn insert<E: serde::de::Error>(members: &mut BTreeMap<String, Json>, name: String, value: Json) -> Result<(), E> {
    match members.insert(name.clone(), value) {
        None => Ok(()),
        // A name of the other side: only one that is plain is said.
        Some(_) if name.bytes().all(|byte| byte.is_ascii_graphic()) && name.len() < 64 => {
            Err(E::custom(format_args!("the member `{name}` is there twice")))
        }
        Some(_) => Err(E::custom("a member is there twice")),
    }
}
