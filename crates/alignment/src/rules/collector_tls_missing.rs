//! A collector listens or sends without mutual TLS.

use std::collections::BTreeSet;

use findings::{Finding, Severity};

use crate::collector::{
    Collector, Entry, Host, Kind, Listener, Node, Pipelines, Spot, Value, is_dialled_url, listeners,
};
use crate::place::{At, Place, Rendered};
use crate::rules::Rule;
use crate::survey::{ProfileSurvey, Survey};

pub(super) struct CollectorTlsMissing;

/// Versions of TLS that are broken, in the spellings of the collector and of Prometheus.
const OLD_VERSIONS: [&str; 4] = ["1.0", "1.1", "TLS10", "TLS11"];

/// What a finding says, and where.
struct Wrong {
    spot: Spot,
    message: String,
    label: String,
    help: &'static str,
    /// The port of the container that this is about.
    port: Option<u16>,
}

impl Rule for CollectorTlsMissing {
    fn id(&self) -> &'static str {
        "collector-tls-missing"
    }

    fn summary(&self) -> &'static str {
        "a collector listens or sends without mutual TLS"
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        for (profile, collectors) in survey.collectors() {
            // What an overlay leaves as it was is said once.
            let mut said: BTreeSet<(Spot, String)> = BTreeSet::new();
            for collector in collectors {
                let Some(config) = &collector.config else { continue };
                let pipelines = Pipelines::of(config, &collector.variables);
                let mut wrong = Vec::new();
                for listener in listeners(config, &pipelines, &collector.variables) {
                    wrong.extend(not_mutual(&listener, collector));
                }
                for kind in Kind::ALL {
                    for (id, entry) in kind.defined(config).unwrap_or_default() {
                        if pipelines.starts(kind, &id) {
                            let what = format!("{} `{id}`", kind.word());
                            let sends = matches!(kind, Kind::Exporter | Kind::Extension);
                            let mut walk = Walk { collector, what: &what, sends, out: &mut wrong };
                            walk.node(&entry.node, Host::Other);
                        }
                    }
                }
                own_telemetry(config, collector, &mut wrong);
                for wrong in wrong {
                    if said.insert((wrong.spot.in_any_variant(), wrong.message.clone())) {
                        out.push(self.finding(profile, collector, wrong));
                    }
                }
            }
        }
    }
}

impl CollectorTlsMissing {
    fn finding(&self, profile: &ProfileSurvey<'_>, collector: &Collector, wrong: Wrong) -> Finding<Place> {
        let message = format!("{} ({} of profile `{}`)", wrong.message, collector.title, profile.name());
        let place = collector.place(profile, &wrong.spot);
        let mut finding =
            Finding::new(self.id(), Severity::Error, place, message).label(wrong.label).help(wrong.help);
        let published = collector.published.iter().find(|published| Some(published.port) == wrong.port);
        if let Some(published) = published {
            let rendered = Rendered {
                variant: collector.variant,
                object: published.object,
                path: published.path.clone(),
                range: None,
            };
            let place = Place { profile: None, at: At::Rendered(rendered) }.of(profile.name());
            finding = finding.related(place, published.label.clone());
        }
        finding
    }
}

/// What is wrong with an address that others can reach.
fn not_mutual(listener: &Listener<'_>, collector: &Collector) -> Option<Wrong> {
    if listener.host == Host::Local {
        return None;
    }
    let Listener { kind, id, at, address, port, .. } = listener;
    let what = format!("{} `{id}` listens on `{address}`", kind.word());
    let truth = |node: &Node| node.as_text().map(|text| collector.variables.expand(text).text);
    let tls = listener.beside.entry("tls").filter(|tls| {
        let off = tls.node.get("enabled").is_some_and(|enabled| truth(enabled).as_deref() == Some("false"));
        !tls.node.is_null() && !off
    });
    let Some(tls) = tls else {
        return Some(Wrong {
            spot: listener.spot.clone(),
            message: format!("{what} without TLS"),
            label: if listener.has_tls { format!("there is no `tls` in `{at}`") } else { format!("`{at}` cannot do TLS") },
            help: if listener.has_tls {
                "give it `tls` with `cert_file`, `key_file` and `client_ca_file`, or let it listen on `127.0.0.1` only"
            } else {
                "let it listen on `127.0.0.1` only"
            },
            port: *port,
        });
    };
    // A block from elsewhere cannot be judged.
    if !matches!(tls.node.value, Value::Map(_)) {
        return None;
    }
    // No client CA, or an empty path: whoever calls is let in.
    let asks = tls.node.get("client_ca_file").and_then(truth).is_some_and(|file| !file.is_empty());
    (!asks).then(|| Wrong {
        spot: tls.node.entry("client_ca_file").map_or_else(|| tls.key.clone(), Entry::shown),
        message: format!("{what} and takes connections without a client certificate"),
        label: format!("there is no `client_ca_file` in `{at}.tls`"),
        help: "name the CA of the clients' certificates in `client_ca_file`: the collector then asks for one",
        port: *port,
    })
}

/// A walk over one component, or over the settings of the collector's own telemetry.
struct Walk<'w> {
    collector: &'w Collector,
    what: &'w str,
    /// Whether it calls others.
    sends: bool,
    out: &'w mut Vec<Wrong>,
}

impl Walk<'_> {
    /// `calls` is whom the nearest endpoint above reaches.
    fn node(&mut self, node: &Node, calls: Host) {
        let map = match &node.value {
            Value::Map(map) => map,
            Value::List(items) => {
                for item in items {
                    self.node(item, calls);
                }
                return;
            }
            Value::Scalar { .. } => return,
        };
        let own = map.iter().filter(|(key, _)| is_dialled_url(key)).find_map(|(_, entry)| entry.node.as_text());
        let calls = own.map_or(calls, |address| Host::of(&self.expand(address)));
        for (key, entry) in map {
            match &**key {
                "min_version" | "max_version" => self.version(entry),
                "insecure" if self.sends && calls != Host::Local => {
                    self.flag(entry, "sends without TLS", "remove `insecure`, and name the server's CA in `ca_file`");
                }
                "insecure_skip_verify" if self.sends && calls != Host::Local => self.flag(
                    entry,
                    "does not verify whom it sends to",
                    "remove `insecure_skip_verify`, and name the server's CA in `ca_file`",
                ),
                key if self.sends && is_dialled_url(key) => self.urls(&entry.node),
                _ => {}
            }
            self.node(&entry.node, calls);
        }
    }

    fn expand(&self, written: &str) -> String {
        self.collector.variables.expand(written).text
    }

    fn version(&mut self, entry: &Entry) {
        let Some(version) = entry.node.as_text().map(|version| self.expand(version)) else { return };
        if OLD_VERSIONS.contains(&version.as_str()) {
            self.out.push(Wrong {
                spot: entry.shown(),
                message: format!("{} speaks TLS {version}", self.what),
                label: "broken since 2011, and refused by today's clients".to_owned(),
                help: "use `1.2` or `1.3`",
                port: None,
            });
        }
    }

    fn flag(&mut self, entry: &Entry, does: &str, help: &'static str) {
        if entry.node.as_text().is_some_and(|value| self.expand(value) == "true") {
            self.out.push(Wrong {
                spot: entry.shown(),
                message: format!("{} {does}", self.what),
                label: "turns protection off".to_owned(),
                help,
                port: None,
            });
        }
    }

    fn urls(&mut self, node: &Node) {
        if let Value::List(items) = &node.value {
            for item in items {
                self.urls(item);
            }
            return;
        }
        let Some(url) = node.as_text().map(|url| self.expand(url)) else { return };
        if url.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://")) && Host::of(&url) != Host::Local {
            self.out.push(Wrong {
                spot: node.spot.clone(),
                message: format!("{} sends to a plain `http://` address", self.what),
                label: "what is sent here can be read on the way".to_owned(),
                help: "use `https://`, and name the server's CA in `tls.ca_file`",
                port: None,
            });
        }
    }
}

/// The collector's own metrics, logs and traces: their exporters have no mutual TLS to be turned on where they listen.
fn own_telemetry(config: &Node, collector: &Collector, out: &mut Vec<Wrong>) {
    let Some(telemetry) = config.at(&["service", "telemetry"]) else { return };
    Walk { collector, what: "the collector's own telemetry", sends: true, out }.node(telemetry, Host::Other);
    let Some(metrics) = telemetry.get("metrics") else { return };
    let mut listens = |node: &Node, host: Host, port: Option<u16>| {
        if host != Host::Local {
            out.push(Wrong {
                spot: node.spot.clone(),
                message: "the collector shows its own metrics without TLS".to_owned(),
                label: "reaches further than the container".to_owned(),
                help: "let it listen on `127.0.0.1` only; a `prometheus` receiver can take the metrics from there and an \
                       exporter with TLS show them",
                port,
            });
        }
    };
    let readers = metrics.get("readers").and_then(Node::as_list).unwrap_or_default();
    for exporter in readers.iter().filter_map(|reader| reader.at(&["pull", "exporter", "prometheus"])) {
        let port = exporter.get("port").and_then(Node::as_text).map(|port| collector.variables.expand(port).text);
        if let Some(host) = exporter.get("host")
            && let Some(written) = host.as_text()
        {
            let of = Host::of_host(&collector.variables.expand(written).text);
            listens(host, of, port.and_then(|port| port.parse().ok()));
        }
    }
    // As collectors before 0.123 have it.
    if let Some(address) = metrics.get("address")
        && let Some(written) = address.as_text()
    {
        let written = collector.variables.expand(written).text;
        let port = written.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        listens(address, Host::of(&written), port);
    }
}
