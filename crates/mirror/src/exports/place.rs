//! A value together with where it is, so that whatever is wrong with it can be said with its place.

use jiff::Timestamp;

use super::json::Json;
use super::{Digest, Error, Problem};

#[derive(Clone, Debug)]
pub(super) struct Place<'a> {
    value: &'a Json,
    pointer: String,
}

impl<'a> Place<'a> {
    pub(super) fn whole(value: &'a Json) -> Self {
        Self { value, pointer: String::new() }
    }

    pub(super) fn error(&self, problem: Problem) -> Error {
        Error::new(self.pointer.clone(), problem)
    }

    fn other_than(&self, expected: &'static str) -> Error {
        self.error(Problem::WrongType { expected, found: self.value.kind() })
    }

    /// The first of these members that is there; null is as good as nothing.
    pub(super) fn optional(&self, names: &[&str]) -> Result<Option<Self>, Error> {
        let Json::Object(members) = self.value else { return Err(self.other_than("an object")) };
        let found = names.iter().find_map(|name| Some((name, members.get(*name)?)));
        let found = found.filter(|(_, value)| **value != Json::Null);
        Ok(found.map(|(name, value)| Self { value, pointer: format!("{}/{name}", self.pointer) }))
    }

    /// The same, where there must be one. Its first name is the documented one.
    pub(super) fn member(&self, names: &[&str]) -> Result<Self, Error> {
        let missing = || Error::new(format!("{}/{}", self.pointer, names.first().unwrap_or(&"")), Problem::Missing);
        self.optional(names)?.ok_or_else(missing)
    }

    pub(super) fn list(&self, most: usize) -> Result<Vec<Self>, Error> {
        let Json::List(values) = self.value else { return Err(self.other_than("a list")) };
        if values.len() > most {
            return Err(self.error(Problem::TooMany { count: values.len(), most }));
        }
        let place = |(number, value)| Self { value, pointer: format!("{}/{number}", self.pointer) };
        Ok(values.iter().enumerate().map(place).collect())
    }

    pub(super) fn text(&self) -> Result<&'a str, Error> {
        match self.value {
            Json::Text(text) => Ok(text),
            _ => Err(self.other_than("a text")),
        }
    }

    /// A text that must be of a form.
    pub(super) fn name(&self, is_one: impl Fn(&str) -> bool, expected: &'static str) -> Result<String, Error> {
        let text = self.text()?;
        if is_one(text) { Ok(text.to_owned()) } else { Err(self.error(Problem::Invalid(expected))) }
    }

    /// A whole number that is not negative.
    pub(super) fn number(&self) -> Result<u64, Error> {
        match self.value {
            Json::Number(number) => {
                number.ok_or_else(|| self.error(Problem::Invalid("a whole number that is not negative")))
            }
            _ => Err(self.other_than("a number")),
        }
    }

    /// A number, or the length of a list.
    pub(super) fn count(&self) -> Result<u64, Error> {
        match self.value {
            Json::Counted(count) => Ok(*count as u64),
            Json::Number(_) => self.number(),
            _ => Err(self.other_than("a number or a list")),
        }
    }

    /// The length of a list.
    pub(super) fn length(&self) -> Result<u64, Error> {
        match self.value {
            Json::Counted(count) => Ok(*count as u64),
            _ => Err(self.other_than("a list")),
        }
    }

    pub(super) fn moment(&self) -> Result<Timestamp, Error> {
        let moment = self.text()?.parse();
        moment.map_err(|_| self.error(Problem::Invalid("a moment such as `2026-01-31T12:00:00Z`")))
    }

    pub(super) fn digest(&self) -> Result<Digest, Error> {
        Digest::parse(self.text()?).ok_or_else(|| self.error(Problem::Invalid("`sha256:` and 64 hexadecimal digits")))
    }
}
