//! What happens, for whoever runs the verifier. Nothing that a client sent is ever part of it.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;

use crate::files::Domain;

/// Lines that wait for a slow reader.
const MOST_EVENTS: usize = 1024;

/// Of what requests cause, one line of a kind and domain in this time: a log must not become the flood that it tells of.
const QUIET: Duration = Duration::from_secs(10);

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub level: Level,
    pub kind: Kind,
    pub domain: Option<Domain>,
    pub file: Option<Utf8PathBuf>,
    /// Counted from 1.
    pub line: Option<usize>,
    /// A fragment without full stop. It repeats neither domain nor file.
    pub message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Info,
    Warning,
    Error,
}

impl Level {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What happened, for programs that watch the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Requests are answered from now on.
    Listening,
    /// A domain's file was read, for the first time or after it was closed.
    Opened,
    /// A domain's file changed and was read.
    Changed,
    /// A domain's file cannot be used; nobody of the domain is let in.
    Closed,
    /// A tenant whose hash cannot be checked, and who is therefore never let in.
    TenantUnusable,
    /// Files could not be looked at for so long that nothing is answered from them.
    Stale,
    /// More credentials wait to be checked than can be in reasonable time.
    Busy,
    /// The gateway asks for a domain that has no file here.
    UnknownDomain,
    /// What came is not what the gateway sends.
    BadRequest,
    /// No more connections can be taken.
    ConnectionsExhausted,
    /// A signal asked us to end.
    Ending,
}

impl Kind {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Listening => "listening",
            Self::Opened => "opened",
            Self::Changed => "changed",
            Self::Closed => "closed",
            Self::TenantUnusable => "tenant-unusable",
            Self::Stale => "stale",
            Self::Busy => "busy",
            Self::UnknownDomain => "unknown-domain",
            Self::BadRequest => "bad-request",
            Self::ConnectionsExhausted => "connections-exhausted",
            Self::Ending => "ending",
        }
    }
}

impl Event {
    pub(crate) fn new(level: Level, kind: Kind, message: impl Into<String>) -> Self {
        Self { level, kind, domain: None, file: None, line: None, message: message.into() }
    }

    pub(crate) fn of(mut self, domain: &Domain) -> Self {
        self.domain = Some(domain.clone());
        self
    }

    pub(crate) fn at(mut self, file: Utf8PathBuf, line: Option<usize>) -> Self {
        (self.file, self.line) = (Some(file), line);
        self
    }
}

/// The way of events to whoever writes them down. Never waits: a reader of our log that sleeps must not stop the gateway.
pub(crate) struct Log {
    /// `None` when the end has come: then whoever writes the lines down knows that there will be no more.
    writer: Mutex<Option<SyncSender<Event>>>,
    quiet: Mutex<BTreeMap<(Kind, Option<Domain>), Silence>>,
}

struct Silence {
    since: Instant,
    swallowed: u64,
}

impl Log {
    /// It, and the end at which events come out.
    pub(crate) fn new() -> (Self, Receiver<Event>) {
        let (writer, reader) = sync_channel(MOST_EVENTS);
        (Self { writer: Mutex::new(Some(writer)), quiet: Mutex::default() }, reader)
    }

    pub(crate) fn tell(&self, event: Event) {
        if let Some(writer) = &*self.writer.lock().unwrap_or_else(PoisonError::into_inner) {
            match writer.try_send(event) {
                // Nobody reads, or not fast enough: a line is lost, and the answer is not.
                Ok(()) | Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
            }
        }
    }

    /// Nothing is told any more.
    pub(crate) fn close(&self) {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// For what a request causes: told once in a while, with how many were like it.
    pub(crate) fn tell_seldom(&self, level: Level, kind: Kind, domain: Option<&Domain>, message: &str) {
        let now = Instant::now();
        let mut quiet = self.quiet.lock().unwrap_or_else(PoisonError::into_inner);
        let silence = quiet.get_mut(&(kind, domain.cloned()));
        let swallowed = match silence {
            Some(silence) if now.duration_since(silence.since) < QUIET => {
                silence.swallowed += 1;
                return;
            }
            Some(silence) => {
                silence.since = now;
                std::mem::take(&mut silence.swallowed)
            }
            None => {
                quiet.insert((kind, domain.cloned()), Silence { since: now, swallowed: 0 });
                0
            }
        };
        drop(quiet);
        let more =
            if swallowed == 0 { String::new() } else { format!(" (and {swallowed} times since this was last said)") };
        let mut event = Event::new(level, kind, format!("{message}{more}"));
        event.domain = domain.cloned();
        self.tell(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_one_line() {
        let (log, reader) = Log::new();
        let domain: Domain = "primary".parse().unwrap();
        for _ in 0..1000 {
            log.tell_seldom(Level::Warning, Kind::Busy, Some(&domain), "too much");
            log.tell_seldom(Level::Warning, Kind::BadRequest, None, "not HTTP");
        }
        assert_eq!(reader.try_iter().map(|event| event.kind).collect::<Vec<_>>(), [Kind::Busy, Kind::BadRequest]);
        for silence in log.quiet.lock().unwrap().values_mut() {
            silence.since -= QUIET;
        }
        log.tell_seldom(Level::Warning, Kind::Busy, Some(&domain), "too much");
        assert_eq!(reader.try_recv().unwrap().message, "too much (and 999 times since this was last said)");
    }

    #[test]
    fn a_log_that_nobody_reads_loses_lines() {
        let (log, reader) = Log::new();
        for _ in 0..2000 {
            log.tell(Event::new(Level::Info, Kind::Ending, "the end"));
        }
        assert_eq!(reader.try_iter().count(), 1024);
        drop(reader);
        log.tell(Event::new(Level::Info, Kind::Ending, "the end"));
    }
}
