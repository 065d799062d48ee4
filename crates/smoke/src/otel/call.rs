//! One call to a receiver, over either transport.

use super::grpc::Grpc;
use super::http::Http;
use super::payload::Payload;
use super::{Request, Transport};
use crate::wire::{Dialer, Fault, Kind};

/// An open connection to a receiver.
pub(crate) enum Link {
    Grpc(Grpc),
    Http(Http),
}

/// A receiver's yes. It may be a partial one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// How many items it did not take.
    pub(crate) rejected: u64,
    /// What it said; a message without rejected items is a warning.
    pub(crate) message: String,
}

/// A call that did not get a yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) fault: Fault,
    /// The other side said no. Otherwise the call broke, and nobody knows whether the data was taken.
    pub(crate) answered: bool,
    /// The same call may be tried again.
    pub(crate) again: bool,
}

impl Refusal {
    /// No answer came.
    pub(crate) fn broken(fault: Fault) -> Self {
        Self { fault, answered: false, again: false }
    }
}

impl Link {
    pub(crate) async fn open(dialer: &Dialer, request: &Request, transport: Transport) -> Result<Self, Fault> {
        let target = request.target(request.port(transport));
        match transport {
            Transport::Grpc => Grpc::open(dialer, &target).await.map(Self::Grpc),
            Transport::Http => Http::open(dialer, &target).await.map(Self::Http),
        }
    }

    /// The other side has hung up, as servers do with old connections; nothing is lost by opening another one.
    pub(crate) fn is_closed(&self) -> bool {
        match self {
            Self::Grpc(link) => link.is_closed(),
            Self::Http(link) => link.is_closed(),
        }
    }

    pub(crate) async fn send(&mut self, payload: Payload) -> Result<Answer, Refusal> {
        match self {
            Self::Grpc(link) => link.send(payload).await,
            Self::Http(link) => link.send(payload).await,
        }
    }
}

/// A partial success as OTLP writes it: negative counts are nonsense of the other side and count as none.
pub(crate) fn answer(rejected: i64, message: String) -> Answer {
    Answer { rejected: u64::try_from(rejected).unwrap_or(0), message }
}

/// What a refusal means by its text, which the collector passes on from the component that refused.
pub(crate) fn refusal_kind(message: &str) -> Option<Kind> {
    let message = message.to_ascii_lowercase();
    let has = |needle: &str| message.contains(needle);
    if has("high memory usage") || has("memory usage is over") || has("memory limit") {
        Some(Kind::MemoryLimiter)
    } else if has("queue is full") {
        Some(Kind::QueueFull)
    } else if has("larger than max") || has("request body too large") || has("message larger than") {
        Some(Kind::MessageTooLarge)
    } else if has("connection refused") || has("exporter") || has("no such host") || has("not retryable error") {
        // Without a queue an exporter's own error travels back to the sender.
        Some(Kind::ExporterFailing)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_known_by_their_text() {
        let cases = [
            ("data refused due to high memory usage", Some(Kind::MemoryLimiter)),
            ("sending queue is full", Some(Kind::QueueFull)),
            ("grpc: received message after decompression larger than max 10 vs. 5", Some(Kind::MessageTooLarge)),
            ("http: request body too large", Some(Kind::MessageTooLarge)),
            ("dial tcp 127.0.0.1:1: connect: connection refused", Some(Kind::ExporterFailing)),
            ("something else", None),
        ];
        for (message, kind) in cases {
            assert_eq!(refusal_kind(message), kind, "{message}");
        }
    }
}
