//! A collector's configuration uses what it does not define, or defines what nothing uses.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use findings::{Finding, Severity};
use release::nearest;

use crate::collector::{Collector, Entry, Kind, Node, Pipeline, Pipelines, References, Spot, normal_id};
use crate::place::Place;
use crate::rules::Rule;
use crate::survey::{ProfileSurvey, Survey};

pub(super) struct CollectorPipelineDangling;

/// Every key that the collector takes at the top, in `service` and in a pipeline.
const TOP_KEYS: [&str; 6] = ["receivers", "processors", "exporters", "connectors", "extensions", "service"];
const SERVICE_KEYS: [&str; 3] = ["telemetry", "extensions", "pipelines"];
const PIPELINE_KEYS: [&str; 3] = ["receivers", "processors", "exporters"];

/// What pipelines can carry.
const SIGNALS: [&str; 4] = ["traces", "metrics", "logs", "profiles"];

/// Something wrong, before it has a place.
struct Wrong<'c> {
    severity: Severity,
    spot: &'c Spot,
    message: String,
    label: Option<String>,
    help: String,
}

impl Rule for CollectorPipelineDangling {
    fn id(&self) -> &'static str {
        "collector-pipeline-dangling"
    }

    fn summary(&self) -> &'static str {
        "a collector uses a component that is not defined, or defines one that is not used"
    }

    fn severities(&self) -> RangeInclusive<Severity> {
        Severity::Note..=Severity::Error
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        for (profile, collectors) in survey.collectors() {
            // What an overlay leaves as it was is said once.
            let mut said: BTreeSet<(Option<Spot>, String)> = BTreeSet::new();
            for collector in collectors {
                self.out_of_sight(profile, collector, &mut said, out);
                let Some(config) = &collector.config else { continue };
                let mut check = Check::new(config, collector);
                check.keys();
                check.pipelines();
                check.extensions();
                check.unused();
                for wrong in check.out {
                    if said.insert((Some(wrong.spot.in_any_variant()), wrong.message.clone())) {
                        out.push(self.finding(profile, collector, wrong));
                    }
                }
            }
        }
    }
}

impl CollectorPipelineDangling {
    /// Configurations that cannot be read or cannot be looked at.
    fn out_of_sight(
        &self,
        profile: &ProfileSurvey<'_>,
        collector: &Collector,
        said: &mut BTreeSet<(Option<Spot>, String)>,
        out: &mut Vec<Finding<Place>>,
    ) {
        for refused in &collector.refused {
            let message = format!("{} of profile `{}` cannot load its configuration: {}", collector.title, profile.name(), refused.message);
            if said.insert((Some(refused.spot.in_any_variant()), message.clone())) {
                let place = collector.place(profile, &refused.spot);
                out.push(Finding::new(self.id(), Severity::Error, place, message).help("mend this layer of the configuration"));
            }
        }
        for unseen in &collector.unseen {
            let message = format!("{} of profile `{}` {}", collector.title, profile.name(), unseen.message);
            if said.insert((None, message.clone())) {
                let place = profile.value(collector.variant, collector.object, unseen.path.clone());
                out.push(
                    Finding::new(self.id(), Severity::Note, place, message)
                        .label("this configuration is not checked")
                        .help("mount a file of the workspace, or a ConfigMap that the profile renders, to have it checked"),
                );
            }
        }
    }

    fn finding(&self, profile: &ProfileSurvey<'_>, collector: &Collector, wrong: Wrong<'_>) -> Finding<Place> {
        let message = format!("{} ({} of profile `{}`)", wrong.message, collector.title, profile.name());
        let finding = Finding::new(self.id(), wrong.severity, collector.place(profile, wrong.spot), message).help(wrong.help);
        match wrong.label {
            Some(label) => finding.label(label),
            None => finding,
        }
    }
}

/// One configuration that is being looked at.
struct Check<'c> {
    config: &'c Node,
    collector: &'c Collector,
    pipelines: Pipelines<'c>,
    out: Vec<Wrong<'c>>,
}

impl<'c> Check<'c> {
    fn new(config: &'c Node, collector: &'c Collector) -> Self {
        Self { config, collector, pipelines: Pipelines::of(config, &collector.variables), out: Vec::new() }
    }

    fn error(&mut self, spot: &'c Spot, message: String, help: String) {
        self.out.push(Wrong { severity: Severity::Error, spot, message, label: None, help });
    }

    /// Keys that the collector refuses.
    fn keys(&mut self) {
        self.only(self.config, "", &TOP_KEYS);
        if let Some(service) = self.config.get("service") {
            self.only(service, "service.", &SERVICE_KEYS);
        }
    }

    fn only(&mut self, node: &'c Node, at: &str, known: &[&str]) {
        for (key, entry) in node.as_map().into_iter().flatten() {
            if !known.contains(&&**key) {
                let help = match nearest(key, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("the collector takes {}", known.join(", ")),
                };
                self.error(&entry.key, format!("the collector knows no `{at}{key}`"), help);
            }
        }
    }

    fn pipelines(&mut self) {
        let pipelines = std::mem::take(&mut self.pipelines.pipelines);
        for pipeline in &pipelines {
            self.pipeline(pipeline);
        }
        let none = pipelines.is_empty() && self.pipelines.is_complete();
        self.pipelines.pipelines = pipelines;
        if none {
            let service = self.config.entry("service").and_then(|service| service.node.entry("pipelines").or(Some(service)));
            let spot = service.map_or(&self.config.spot, |entry| &entry.key);
            let help = "connect receivers to exporters under `service.pipelines`".to_owned();
            self.error(spot, "there is no pipeline: the collector would not start".to_owned(), help);
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline<'c>) {
        let id = &pipeline.id;
        self.only(pipeline.node, &format!("service.pipelines.{id}."), &PIPELINE_KEYS);
        let signal = id.split('/').next().unwrap_or(id);
        if !SIGNALS.contains(&signal) {
            let help = format!("the first part is one of {}", SIGNALS.join(", "));
            self.error(pipeline.key, format!("pipeline `{id}` carries no known signal"), help);
        }
        for (list, kind) in [
            (&pipeline.receivers, Kind::Receiver),
            (&pipeline.processors, Kind::Processor),
            (&pipeline.exporters, Kind::Exporter),
        ] {
            match list {
                References::Listed(listed) if listed.is_empty() && kind != Kind::Processor => {
                    let help = format!("name at least one {}, or remove the pipeline", kind.word());
                    let spot = pipeline.node.entry(kind.section()).map_or(pipeline.key, |entry| &entry.key);
                    self.error(spot, format!("pipeline `{id}` has no {}", kind.word()), help);
                }
                References::Malformed(spot) => {
                    let help = format!("write the names as a list: `{}: [a, b]`", kind.section());
                    self.error(spot, format!("`{}` of pipeline `{id}` is no list of names", kind.section()), help);
                }
                References::Listed(_) | References::Unknown => {}
            }
            for reference in list.listed() {
                self.defined(kind, &reference.id, reference.spot, &format!("pipeline `{id}`"));
            }
        }
        let mut seen = BTreeSet::new();
        for reference in pipeline.processors.listed() {
            if !seen.insert(&reference.id) {
                let help = "remove one of them: a pipeline runs each processor once".to_owned();
                self.error(reference.spot, format!("pipeline `{id}` uses processor `{}` twice", reference.id), help);
            }
        }
    }

    /// The ids of a kind; of receivers and exporters with the connectors, which stand for both.
    fn ids(&self, kind: Kind) -> Option<BTreeSet<String>> {
        let mut ids: BTreeSet<String> = kind.defined(self.config)?.into_iter().map(|(id, _)| id).collect();
        if matches!(kind, Kind::Receiver | Kind::Exporter) {
            ids.extend(Kind::Connector.defined(self.config)?.into_iter().map(|(id, _)| id));
        }
        Some(ids)
    }

    fn defined(&mut self, kind: Kind, id: &str, spot: &'c Spot, user: &str) {
        let Some(ids) = self.ids(kind) else { return };
        if ids.contains(id) {
            return;
        }
        let help = match nearest(id, ids.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`? Else define `{id}` under `{}`", kind.section()),
            None => format!("define `{id}` under `{}`, or remove it here", kind.section()),
        };
        self.error(spot, format!("{user} uses {} `{id}`, which is not defined", kind.word()), help);
    }

    /// Extensions that `service` starts, and those that components lean on.
    fn extensions(&mut self) {
        let extensions = std::mem::replace(&mut self.pipelines.extensions, References::Unknown);
        if let References::Malformed(spot) = extensions {
            let help = "write the names as a list: `extensions: [a, b]`".to_owned();
            self.error(spot, "`service.extensions` is no list of names".to_owned(), help);
        }
        for reference in extensions.listed() {
            self.defined(Kind::Extension, &reference.id, reference.spot, "`service.extensions`");
        }
        let known = matches!(extensions, References::Listed(_));
        self.pipelines.extensions = extensions;
        if !known {
            return;
        }
        let mut leaning = Vec::new();
        for kind in Kind::ALL {
            for (id, entry) in kind.defined(self.config).unwrap_or_default() {
                if self.pipelines.starts(kind, &id) {
                    let user = format!("{} `{id}`", kind.word());
                    lean(&entry.node, kind, &user, 0, &mut leaning);
                }
            }
        }
        for Leaning { user, node } in leaning {
            let Some(written) = node.as_text() else { continue };
            let written = self.collector.variables.expand(written);
            let id = normal_id(&written.text);
            if !written.complete || self.pipelines.starts(Kind::Extension, &id) {
                continue;
            }
            let is_defined = self.ids(Kind::Extension).is_none_or(|ids| ids.contains(&id));
            if is_defined {
                let help = format!("add `{id}` to `service.extensions`");
                self.error(&node.spot, format!("{user} leans on extension `{id}`, which is not started"), help);
            } else {
                self.defined(Kind::Extension, &id, &node.spot, &user);
            }
        }
    }

    /// What is defined and not started, and connectors that connect nothing.
    fn unused(&mut self) {
        for kind in Kind::ALL {
            let Some(defined) = kind.defined(self.config) else { continue };
            for (id, entry) in defined {
                if kind == Kind::Connector {
                    self.connector(&id, entry);
                }
                if self.pipelines.starts(kind, &id) {
                    continue;
                }
                let (message, place) = match kind {
                    Kind::Exporter => (format!("no pipeline reaches exporter `{id}`"), "a pipeline"),
                    Kind::Extension => (format!("extension `{id}` is not started"), "`service.extensions`"),
                    _ => (format!("no pipeline uses {} `{id}`", kind.word()), "a pipeline"),
                };
                self.out.push(Wrong {
                    severity: Severity::Warning,
                    spot: &entry.key,
                    message,
                    label: Some("defined, and never started".to_owned()),
                    help: format!("add it to {place}, or remove it"),
                });
            }
        }
        for kind in [Kind::Receiver, Kind::Exporter] {
            let empty = kind.defined(self.config).is_some_and(|defined| defined.is_empty());
            if empty {
                let spot = self.config.entry(kind.section()).map_or(&self.config.spot, |entry| &entry.key);
                let help = format!("define at least one under `{}`", kind.section());
                self.error(spot, format!("there is no {}: the collector would not start", kind.word()), help);
            }
        }
    }

    fn connector(&mut self, id: &str, entry: &'c Entry) {
        for kind in [Kind::Receiver, Kind::Exporter] {
            let both = kind.defined(self.config).into_iter().flatten().any(|(other, _)| other == id);
            if both {
                let help = format!("call one of them `{id}/connector`");
                self.error(&entry.key, format!("`{id}` is both a connector and {}", with_article(kind)), help);
            }
        }
        if !self.pipelines.is_complete() {
            return;
        }
        let (ends, feeds) = self.pipelines.around(id);
        let (missing, list) = match (ends.is_empty(), feeds.is_empty()) {
            (false, true) => ("starts none", "receivers"),
            (true, false) => ("ends none", "exporters"),
            _ => return,
        };
        let has = if ends.is_empty() { format!("starts {}", names(&feeds)) } else { format!("ends {}", names(&ends)) };
        let help = format!("add `{id}` to the `{list}` of another pipeline");
        self.error(&entry.key, format!("connector `{id}` {has} but {missing}"), help);
    }
}

fn with_article(kind: Kind) -> String {
    let article = if kind == Kind::Exporter { "an" } else { "a" };
    format!("{article} {}", kind.word())
}

fn names(pipelines: &BTreeSet<&str>) -> String {
    let all: Vec<String> = pipelines.iter().map(|id| format!("`{id}`")).collect();
    let word = if all.len() == 1 { "pipeline" } else { "pipelines" };
    format!("{word} {}", all.join(", "))
}

/// A component that needs an extension.
struct Leaning<'c> {
    user: String,
    /// The extension's id.
    node: &'c Node,
}

/// Where components name extensions: `auth.authenticator`, `middlewares[].id`, and `storage` (of a receiver, and of any sending
/// queue).
fn lean<'c>(node: &'c Node, kind: Kind, user: &str, depth: usize, out: &mut Vec<Leaning<'c>>) {
    for item in node.as_list().unwrap_or_default() {
        lean(item, kind, user, depth + 1, out);
    }
    for (key, entry) in node.as_map().into_iter().flatten() {
        let mut push = |node: Option<&'c Node>| {
            out.extend(node.map(|node| Leaning { user: user.to_owned(), node }));
        };
        match &**key {
            "auth" => push(entry.node.get("authenticator")),
            "sending_queue" => push(entry.node.get("storage")),
            "storage" if kind == Kind::Receiver && depth == 0 => push(Some(&entry.node)),
            "middlewares" => {
                for item in entry.node.as_list().unwrap_or_default() {
                    push(item.get("id"));
                }
            }
            _ => {}
        }
        lean(&entry.node, kind, user, depth + 1, out);
    }
}
