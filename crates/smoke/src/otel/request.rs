//! What to probe.

use std::time::Duration;

use camino::Utf8PathBuf;

use super::load::LoadRequest;
use super::{Signal, Transport};
use crate::IdentityFiles;
use crate::wire::{Target, Url};

/// A checked request.
#[derive(Clone, Debug)]
pub struct Request {
    pub host: String,
    pub ports: Ports,
    /// The name that the collector's certificate must have; the host by default.
    pub server_name: Option<String>,
    /// Those to use, in this order.
    pub transports: Vec<Transport>,
    pub identity: IdentityFiles,
    /// Folder with `ca.crt` and `ca.key`, for the probe with an expired certificate.
    pub authority: Option<Utf8PathBuf>,
    /// Items of each signal over each transport.
    pub count: u64,
    /// How long to wait for all that takes its time behind the collector's yes. Must outlast a tail sampler's decision wait.
    pub wait: Duration,
    /// For each connection and each call.
    pub timeout: Duration,
    /// Others send to this collector too, so its counters may rise by more.
    pub shared: bool,
    /// Sent to Loki as `X-Scope-OrgID`.
    pub tenant: String,
    /// Files of the collector's file exporter to find the run in.
    pub files: Vec<FileTarget>,
    pub loki: Option<String>,
    pub prometheus: Option<String>,
    /// Instead of a handful of each signal: many.
    pub load: Option<LoadRequest>,
}

/// The collector's ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    pub grpc: u16,
    pub http: u16,
    pub metrics: u16,
    pub health: u16,
}

/// A file that a file exporter writes, with the signal that it holds; all signals if none is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileTarget {
    pub signal: Option<Signal>,
    pub path: Utf8PathBuf,
}

impl Request {
    /// Why a URL cannot be used, or `None`. For the command line, so that it is a usage error and not a finding.
    #[must_use]
    pub fn url_problem(url: &str) -> Option<&'static str> {
        Url::parse(url).err()
    }

    pub(crate) fn target(&self, port: u16) -> Target {
        Target { host: self.host.clone(), port, server_name: self.server_name.clone() }
    }

    pub(crate) fn port(&self, transport: Transport) -> u16 {
        match transport {
            Transport::Grpc => self.ports.grpc,
            Transport::Http => self.ports.http,
        }
    }

    /// `gRPC at host:4317`.
    pub(crate) fn endpoint(&self, transport: Transport) -> String {
        format!("{} at {}", transport.as_str(), self.target(self.port(transport)).shown())
    }
}
