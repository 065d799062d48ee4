//! What loading saw on the way: variables, env files and warnings, for rules that judge them.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;
use source::{FileId, Span, Text};

/// One use of a variable in a Compose file or an env file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableUse {
    pub name: String,
    /// The variable's bytes (`${NAME:-x}`) in a traced load; else the scalar that holds it.
    pub span: Option<Span>,
    /// The text after `:-` or `-`, before its own variables are replaced.
    pub default: Option<String>,
    /// Written with `:?` or `?`.
    pub required: bool,
    /// Written with `:+` or `+`: the variable's own value is not used.
    pub presence: bool,
    pub from: VariableSource,
}

/// Where a variable's value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VariableSource {
    /// The value in an env file stands here.
    EnvFile(Span),
    /// The host's environment.
    HostEnvironment,
    /// Set by Compose itself (`COMPOSE_PROJECT_NAME`).
    Compose,
    /// The default after `:-` or `-`.
    Default,
    /// Nowhere: it became empty.
    Unset,
}

/// One `NAME=value` of an env file.
#[derive(Clone, Debug)]
pub struct EnvEntry {
    pub name: Text,
    pub value: Text,
    /// The name's bytes.
    pub name_span: Span,
    /// The value's bytes as written, quotes included; empty where the line has no value.
    pub value_span: Span,
    /// Whether anything read this entry: a variable, an `environment:` entry without value, or Compose itself.
    pub used: bool,
    /// Whether another value won over this one (a later entry or the host's environment).
    pub overridden: bool,
}

/// An env file that was read for variables (`--env-file`, `.env`, `include.env_file`).
#[derive(Clone, Debug)]
pub struct EnvFile {
    pub path: Utf8PathBuf,
    pub file: FileId,
    pub entries: Vec<EnvEntry>,
}

/// One `env_file:` or `label_file:` of a service.
#[derive(Clone, Debug)]
pub struct ServiceFile {
    pub service: String,
    /// `env_file` or `label_file`.
    pub key: &'static str,
    /// Absolute.
    pub path: Utf8PathBuf,
    /// Where the path is written.
    pub span: Option<Span>,
    pub required: bool,
    /// The file, if it was there.
    pub file: Option<FileId>,
    pub entries: Vec<EnvEntry>,
}

/// Something that Compose prints to stderr while it loads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// As Compose words it.
    pub message: String,
    pub span: Option<Span>,
}

/// Everything recorded so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    pub(crate) variables: Vec<VariableUse>,
    pub(crate) env_files: Vec<EnvFile>,
    pub(crate) service_files: Vec<ServiceFile>,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) compose_files: Vec<(Utf8PathBuf, FileId)>,
    seen_variables: BTreeSet<(String, Option<Span>)>,
    seen_warnings: BTreeSet<String>,
}

impl Record {
    /// Notes a variable once per place: a file reached twice (`extends`, `include`) is one place.
    pub(crate) fn variable(&mut self, variable: VariableUse) {
        if self.seen_variables.insert((variable.name.clone(), variable.span)) {
            self.variables.push(variable);
        }
    }

    /// Notes a warning once: Compose repeats itself when it reads a file twice.
    pub(crate) fn warn(&mut self, message: String, span: Option<Span>) {
        if self.seen_warnings.insert(message.clone()) {
            self.warnings.push(Warning { message, span });
        }
    }
}
