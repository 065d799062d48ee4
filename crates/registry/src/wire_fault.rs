//! From an error of the HTTP library to the fault that it means: the cause lies at the end of a chain of errors.

use std::error::Error;
use std::io::{self, ErrorKind};

use source::system;

use crate::fault::{Fault, Kind};
use crate::limits::Limits;
use crate::tls_fault;

/// `is_somebody` where we have a certificate to show.
pub(crate) fn fault(error: &reqwest::Error, is_somebody: bool, limits: &Limits) -> Fault {
    if error.is_dns() {
        return Fault::new(Kind::DnsFailure, "its name cannot be resolved to an address");
    }
    if error.is_timeout() {
        let (kind, what, limit) = match error.is_connect() {
            true => (Kind::ConnectTimeout, "no connection came about", limits.connect.min(limits.request)),
            false => (Kind::TimedOut, "the answer was not complete", limits.request),
        };
        return Fault::new(kind, format!("{what} within {} s", limit.as_secs_f64()));
    }
    let mut last = None;
    let mut link: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = link {
        if let Some(fault) = named(error, is_somebody) {
            return fault;
        }
        last = Some(error);
        link = error.source();
    }
    let words = last.map(|error| error.downcast_ref().map_or_else(|| error.to_string(), system::reason));
    Fault::quoting(Kind::RequestFailed, "the request failed", &words.unwrap_or_default())
}

/// The fault of one link, where it says enough.
fn named(error: &(dyn Error + 'static), is_somebody: bool) -> Option<Fault> {
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return Some(tls_fault::fault(error, is_somebody));
    }
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return of_io(error, is_somebody);
    }
    let error = error.downcast_ref::<hyper::Error>()?;
    if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        return Some(closed());
    }
    if error.is_parse() {
        return Some(Fault::new(Kind::NotARegistry, "it answers with something that is not HTTP"));
    }
    None
}

fn of_io(error: &io::Error, is_somebody: bool) -> Option<Fault> {
    // An error inside is not its source: that would be the source of the one inside.
    if let Some(inner) = error.get_ref() {
        let mut link: Option<&(dyn Error + 'static)> = Some(inner);
        while let Some(error) = link {
            if let Some(fault) = named(error, is_somebody) {
                return Some(fault);
            }
            link = error.source();
        }
    }
    match error.kind() {
        ErrorKind::ConnectionRefused => Some(Fault::new(Kind::ConnectionRefused, "nothing listens there")),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
            Some(Fault::new(Kind::HostUnreachable, format!("it cannot be reached: {}", system::reason(error))))
        }
        ErrorKind::UnexpectedEof => Some(closed()),
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => Some(closed()),
        ErrorKind::TimedOut => Some(Fault::new(Kind::ConnectTimeout, "no connection came about in time")),
        _ => None,
    }
}

fn closed() -> Fault {
    Fault::new(Kind::ConnectionClosed, "the connection was closed before the answer was complete")
}
