//! The environment that variables are looked up in: the host's, then env files.

use std::collections::BTreeMap;

use source::{Span, Text};

use crate::dotenv;
use crate::interpolate::TreeVariables;
use crate::interpolate::template::{Found, Operator, Use, Variables};
use crate::record::Record;
use crate::{VariableSource, VariableUse};

/// Values by name, each with where it came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Environment {
    values: BTreeMap<String, EnvValue>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EnvValue {
    pub(crate) text: Text,
    pub(crate) source: VariableSource,
    /// Which env file of the record, and which of its entries.
    pub(crate) entry: Option<(usize, usize)>,
}

impl Environment {
    pub(crate) fn of_host(host: &BTreeMap<String, String>) -> Self {
        let value = |text: &String| EnvValue {
            text: Text::new(text.as_str()),
            source: VariableSource::HostEnvironment,
            entry: None,
        };
        Self { values: host.iter().map(|(name, text)| (name.clone(), value(text))).collect() }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&EnvValue> {
        self.values.get(name)
    }

    /// The value's text, noting that its entry is used.
    pub(crate) fn read(&self, name: &str, record: &mut Record) -> Option<&Text> {
        let value = self.values.get(name)?;
        note_use(value, record);
        Some(&value.text)
    }

    pub(crate) fn set(&mut self, name: &str, value: EnvValue) {
        self.values.insert(name.to_owned(), value);
    }

    /// Adds what is not set yet.
    pub(crate) fn complete(&mut self, other: Self, record: &mut Record) {
        for (name, value) in other.values {
            if self.values.contains_key(&name) {
                if let Some(entry) = entry_of(&value, record) {
                    entry.overridden = true;
                }
                continue;
            }
            self.values.insert(name, value);
        }
    }

    pub(crate) fn into_texts(self) -> BTreeMap<String, Text> {
        self.values.into_iter().map(|(name, value)| (name, value.text)).collect()
    }
}

fn entry_of<'r>(value: &EnvValue, record: &'r mut Record) -> Option<&'r mut crate::EnvEntry> {
    let (file, entry) = value.entry?;
    record.env_files.get_mut(file)?.entries.get_mut(entry)
}

fn note_use(value: &EnvValue, record: &mut Record) {
    if let Some(entry) = entry_of(value, record) {
        entry.used = true;
    }
}

/// Looks variables of a Compose file up and records their use.
pub(crate) struct Lookup<'l> {
    pub(crate) environment: &'l Environment,
    pub(crate) record: &'l mut Record,
    pub(crate) span: Option<Span>,
}

impl Variables for Lookup<'_> {
    fn lookup(&mut self, name: &str) -> Option<Found> {
        let value = self.environment.get(name)?;
        note_use(value, self.record);
        Some(Found { text: value.text.clone(), source: value.source })
    }

    fn used(&mut self, variable: Use<'_>) {
        record_use(self.record, &variable, self.span);
    }

    fn unset(&mut self, name: &str) {
        warn_unset(self.record, name, self.span);
    }
}

impl TreeVariables for Lookup<'_> {
    fn enter(&mut self, span: Option<Span>) {
        self.span = span;
    }

    fn warn(&mut self, message: String) {
        self.record.warn(message, self.span);
    }
}

fn record_use(record: &mut Record, variable: &Use<'_>, fallback: Option<Span>) {
    let span = variable.template.exact_span(variable.place.clone()).or(fallback);
    record.variable(VariableUse {
        name: variable.name.to_owned(),
        span,
        default: matches!(variable.operator, Some(Operator::Default { .. })).then(|| variable.operand.to_owned()),
        required: matches!(variable.operator, Some(Operator::Required { .. })),
        presence: matches!(variable.operator, Some(Operator::Presence { .. })),
        from: variable.source,
    });
}

fn warn_unset(record: &mut Record, name: &str, span: Option<Span>) {
    record.warn(format!("The \"{name}\" variable is not set. Defaulting to a blank string."), span);
}

/// Looks variables of an env file up: first here, then among values read before.
pub(crate) struct EnvFileScope<'l> {
    pub(crate) outer: &'l Environment,
    pub(crate) earlier: &'l Environment,
    pub(crate) record: &'l mut Record,
}

impl dotenv::Scope for EnvFileScope<'_> {
    fn lookup(&mut self, name: &str) -> Option<Found> {
        let value = self.outer.get(name).or_else(|| self.earlier.get(name))?;
        note_use(value, self.record);
        Some(Found { text: value.text.clone(), source: value.source })
    }

    fn used(&mut self, variable: &Use<'_>, fallback: Span) {
        record_use(self.record, variable, Some(fallback));
    }

    fn unset(&mut self, name: &str, span: Span) {
        warn_unset(self.record, name, Some(span));
    }
}
