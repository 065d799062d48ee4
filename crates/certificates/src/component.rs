use crate::authority::Usage;
use crate::rotate::Phase;
use crate::san::San;

/// Who gets a certificate: a service of the telemetry overlays, or the client that tests them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Component {
    Collector,
    Client,
    Prometheus,
    Tempo,
    Loki,
}

impl Component {
    /// All, in the order in which they are made and shown.
    pub const ALL: [Self; 5] = [Self::Collector, Self::Client, Self::Prometheus, Self::Tempo, Self::Loki];

    /// Its folder. A container is given this folder and no other.
    #[must_use]
    pub fn folder(self) -> &'static str {
        match self {
            Self::Collector => "collector",
            Self::Client => "client",
            Self::Prometheus => "prometheus",
            Self::Tempo => "tempo",
            Self::Loki => "loki",
        }
    }

    /// The common name of its certificate; for a server the name of its service in the overlays too.
    #[must_use]
    pub fn common_name(self) -> &'static str {
        match self {
            Self::Collector => "otel-collector",
            Self::Client => "collimate-client",
            Self::Prometheus => "prometheus",
            Self::Tempo => "tempo",
            Self::Loki => "loki",
        }
    }

    /// Whether others connect to it.
    #[must_use]
    pub fn is_server(self) -> bool {
        self != Self::Client
    }

    /// A server is a client too: the collector writes to Tempo and Loki, Prometheus scrapes the collector.
    #[must_use]
    pub fn usages(self) -> &'static [Usage] {
        if self.is_server() { &[Usage::Server, Usage::Client] } else { &[Usage::Client] }
    }

    /// The names of its certificate: its own, for a server this machine's, and those that were asked for.
    pub(crate) fn names(self, asked: &[San]) -> Vec<San> {
        let mut names = vec![San::known(self.common_name())];
        if self.is_server() {
            names.push(San::known("localhost"));
            names.extend([std::net::Ipv4Addr::LOCALHOST.into(), std::net::Ipv6Addr::LOCALHOST.into()].map(San::Ip));
            names.extend(asked.iter().cloned());
        }
        let mut seen = std::collections::BTreeSet::new();
        names.retain(|name| seen.insert(name.clone()));
        names
    }

    /// What has to be done to it after a phase of a rotation, and why. Read in the sources of the collector 0.155 (`configtls`),
    /// Prometheus (`exporter-toolkit`, `common/config`) and Loki (`dskit`, the server of Tempo as well).
    #[must_use]
    pub fn after(self, phase: Phase) -> &'static str {
        match (self, phase) {
            (Self::Collector, Phase::Trust) => {
                "reload (SIGHUP): its exporters read `ca.crt` at start only; its receivers have read it again already"
            }
            (Self::Collector, Phase::Leaf) => "nothing: it reads certificate and key again within `reload_interval`",
            (Self::Collector, Phase::Retire) => {
                "reload (SIGHUP), or its exporters trust the old CA until the next start; its receivers do not any more"
            }
            (Self::Client, _) => "nothing: every run reads its files",
            (Self::Prometheus, _) => "nothing: it reads its files again for each connection and scrape",
            (Self::Tempo | Self::Loki, Phase::Trust) => "restart: it reads the CA of its clients at start only",
            // Go's `http.Server.ServeTLS` was given the files, too: those are shown where a client says no name.
            (Self::Tempo | Self::Loki, Phase::Leaf) => {
                "restart where clients connect by address; by name it reads certificate and key for each connection"
            }
            (Self::Tempo | Self::Loki, Phase::Retire) => "restart, or it lets in clients of the old CA until then",
        }
    }
}
