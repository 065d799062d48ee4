//! What is sent, and how.

/// A kind of telemetry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    Traces,
    Metrics,
    Logs,
}

/// A way of sending it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transport {
    Grpc,
    Http,
}

impl Signal {
    pub const ALL: [Self; 3] = [Self::Traces, Self::Metrics, Self::Logs];

    /// `traces`: also the collector's word in `data_type` labels.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Metrics => "metrics",
            Self::Logs => "logs",
        }
    }

    /// One of it.
    pub(crate) fn item(self) -> &'static str {
        match self {
            Self::Traces => "span",
            Self::Metrics => "metric point",
            Self::Logs => "log record",
        }
    }

    /// The word in the names of the collector's counters.
    pub(crate) fn counted(self) -> &'static str {
        match self {
            Self::Traces => "spans",
            Self::Metrics => "metric_points",
            Self::Logs => "log_records",
        }
    }

    /// Path of OTLP over HTTP.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Traces => "/v1/traces",
            Self::Metrics => "/v1/metrics",
            Self::Logs => "/v1/logs",
        }
    }
}

impl Transport {
    pub const ALL: [Self; 2] = [Self::Grpc, Self::Http];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Grpc => "gRPC",
            Self::Http => "HTTP",
        }
    }

    /// The word in labels: the collector's `transport`, and our own attribute.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::Http => "http",
        }
    }
}

/// `traces over gRPC`: the name of a row.
pub(crate) fn row_name(signal: Signal, transport: Transport) -> String {
    format!("{} over {}", signal.as_str(), transport.as_str())
}
