//! What a configuration defines, and what its `service` starts.

use std::collections::BTreeSet;

use crate::collector::environment::Variables;
use crate::collector::tree::{Entry, Node, Spot};

/// The kinds of components.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Receiver,
    Processor,
    Exporter,
    Connector,
    Extension,
}

/// Names in a list of `service`.
#[derive(Debug)]
pub(crate) enum References<'c> {
    Listed(Vec<Reference<'c>>),
    /// A variable that is not known, or another file.
    Unknown,
    /// Something that is no list.
    Malformed(&'c Spot),
}

/// One name in such a list.
#[derive(Debug)]
pub(crate) struct Reference<'c> {
    pub(crate) id: String,
    pub(crate) spot: &'c Spot,
}

/// One pipeline of `service.pipelines`.
#[derive(Debug)]
pub(crate) struct Pipeline<'c> {
    pub(crate) id: String,
    pub(crate) key: &'c Spot,
    pub(crate) node: &'c Node,
    pub(crate) receivers: References<'c>,
    pub(crate) processors: References<'c>,
    pub(crate) exporters: References<'c>,
}

/// Everything that `service` starts.
#[derive(Debug)]
pub(crate) struct Pipelines<'c> {
    pub(crate) pipelines: Vec<Pipeline<'c>>,
    pub(crate) extensions: References<'c>,
    /// Whether all of it is written down.
    complete: bool,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] =
        [Self::Receiver, Self::Processor, Self::Exporter, Self::Connector, Self::Extension];

    /// The top-level key under which such components are defined.
    pub(crate) fn section(self) -> &'static str {
        match self {
            Self::Receiver => "receivers",
            Self::Processor => "processors",
            Self::Exporter => "exporters",
            Self::Connector => "connectors",
            Self::Extension => "extensions",
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Receiver => "receiver",
            Self::Processor => "processor",
            Self::Exporter => "exporter",
            Self::Connector => "connector",
            Self::Extension => "extension",
        }
    }

    /// What a configuration defines of this kind; `None` where that is written elsewhere (`${file:…}`).
    pub(crate) fn defined(self, config: &Node) -> Option<Vec<(String, &Entry)>> {
        match config.get(self.section()) {
            Some(section) if is_elsewhere(section) => None,
            section => {
                let entries = section.and_then(Node::as_map).into_iter().flatten();
                Some(entries.map(|(key, entry)| (normal_id(key), &**entry)).collect())
            }
        }
    }
}

/// A component's id as the collector compares it: `otlp / tenant` is `otlp/tenant`.
pub(crate) fn normal_id(written: &str) -> String {
    match written.split_once('/') {
        Some((kind, name)) => format!("{}/{}", kind.trim(), name.trim()),
        None => written.trim().to_owned(),
    }
}

/// Whether a value is put in from somewhere else.
fn is_elsewhere(node: &Node) -> bool {
    node.as_text().is_some_and(|text| text.contains("${"))
}

impl<'c> References<'c> {
    fn of(list: Option<&'c Node>, variables: &Variables) -> Self {
        let Some(list) = list.filter(|list| !list.is_null()) else { return Self::Listed(Vec::new()) };
        let Some(items) = list.as_list() else {
            return if is_elsewhere(list) { Self::Unknown } else { Self::Malformed(&list.spot) };
        };
        let mut listed = Vec::new();
        for item in items {
            let Some(text) = item.as_text() else { return Self::Malformed(&item.spot) };
            let text = variables.expand(text);
            if !text.complete {
                return Self::Unknown;
            }
            listed.push(Reference { id: normal_id(&text.text), spot: &item.spot });
        }
        Self::Listed(listed)
    }

    /// The names, as far as they are known.
    pub(crate) fn listed(&self) -> &[Reference<'c>] {
        match self {
            Self::Listed(listed) => listed,
            Self::Unknown | Self::Malformed(_) => &[],
        }
    }

    fn names(&self, id: &str) -> bool {
        self.listed().iter().any(|reference| reference.id == id)
    }

    fn is_known(&self) -> bool {
        !matches!(self, Self::Unknown)
    }
}

impl<'c> Pipelines<'c> {
    pub(crate) fn of(config: &'c Node, variables: &Variables) -> Self {
        let pipelines = config.at(&["service", "pipelines"]);
        let elsewhere = config.get("service").is_some_and(is_elsewhere) || pipelines.is_some_and(is_elsewhere);
        let pipelines: Vec<Pipeline<'c>> = pipelines
            .and_then(Node::as_map)
            .into_iter()
            .flatten()
            .map(|(id, entry)| {
                let list = |key| References::of(entry.node.get(key), variables);
                Pipeline {
                    id: normal_id(id),
                    key: &entry.key,
                    node: &entry.node,
                    receivers: list("receivers"),
                    processors: list("processors"),
                    exporters: list("exporters"),
                }
            })
            .collect();
        let extensions = References::of(config.at(&["service", "extensions"]), variables);
        let lists = |pipeline: &Pipeline<'_>| {
            pipeline.receivers.is_known()
                && pipeline.processors.is_known()
                && pipeline.exporters.is_known()
                && !is_elsewhere(pipeline.node)
        };
        let complete = !elsewhere && extensions.is_known() && pipelines.iter().all(lists);
        Self { pipelines, extensions, complete }
    }

    /// Whether what is started is written down in full. Else nothing can be said to be unused.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    /// Whether a component is started. Where the lists are not known in full, it may be.
    pub(crate) fn starts(&self, kind: Kind, id: &str) -> bool {
        !self.complete
            || match kind {
                Kind::Receiver => self.pipelines.iter().any(|pipeline| pipeline.receivers.names(id)),
                Kind::Processor => self.pipelines.iter().any(|pipeline| pipeline.processors.names(id)),
                Kind::Exporter => self.pipelines.iter().any(|pipeline| pipeline.exporters.names(id)),
                Kind::Connector => {
                    let either = |pipeline: &Pipeline<'_>| pipeline.receivers.names(id) || pipeline.exporters.names(id);
                    self.pipelines.iter().any(either)
                }
                Kind::Extension => self.extensions.names(id),
            }
    }

    /// The pipelines that a connector ends, and those that it feeds.
    pub(crate) fn around(&self, connector: &str) -> (BTreeSet<&str>, BTreeSet<&str>) {
        let ends = self.pipelines.iter().filter(|pipeline| pipeline.exporters.names(connector));
        let feeds = self.pipelines.iter().filter(|pipeline| pipeline.receivers.names(connector));
        (ends.map(|pipeline| pipeline.id.as_str()).collect(), feeds.map(|pipeline| pipeline.id.as_str()).collect())
    }
}
