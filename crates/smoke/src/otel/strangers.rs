//! Calls that must be refused: without a client certificate, with a foreign one, with an expired one.

use std::time::Duration;

use super::Request;
use super::call::Link;
use super::payload::Payload;
use super::signal::Transport;
use crate::report::{Cell, Row, Verdict};
use crate::wire::{Dialer, Fault, Identity, Kind, expired, foreign};

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stranger {
    WithoutCertificate,
    Foreign,
    Expired,
}

impl Stranger {
    const ALL: [Self; 3] = [Self::WithoutCertificate, Self::Foreign, Self::Expired];

    fn name(self) -> &'static str {
        match self {
            Self::WithoutCertificate => "no client certificate",
            Self::Foreign => "foreign client certificate",
            Self::Expired => "expired client certificate",
        }
    }
}

/// Tries all of them over one transport. Only sensible where our own certificate was taken: a dead port refuses everybody.
pub(crate) async fn rows(
    request: &Request,
    identity: &Identity,
    transport: Transport,
    works: bool,
) -> Vec<(Row, Option<Fault>)> {
    let mut rows = Vec::new();
    for stranger in Stranger::ALL {
        let name = format!("{} over {}", stranger.name(), transport.as_str());
        let caller = if works {
            caller(request, identity, stranger)
        } else {
            Err("the right certificate was not taken either".to_owned())
        };
        let (outcome, verdict, fault) = match caller {
            Err(reason) => (Cell::Nothing, Verdict::NotTried(reason), None),
            Ok(caller) => judged(stranger, call(request, &caller, transport, request.timeout).await),
        };
        rows.push((Row { name: name.clone(), cells: vec![Cell::Text(name), outcome], verdict }, fault));
    }
    rows
}

/// `Err` says why this stranger cannot be played.
fn caller(request: &Request, identity: &Identity, stranger: Stranger) -> Result<Identity, String> {
    match stranger {
        Stranger::WithoutCertificate => Ok(identity.with_leaf(None)),
        Stranger::Foreign => foreign(identity).map_err(|fault| fault.message),
        Stranger::Expired => match &request.authority {
            Some(authority) => expired(identity, authority),
            None => Err("needs the authority's key (`--authority DIR`)".to_owned()),
        },
    }
}

/// An empty call: where a stranger is let in, no counter moves.
async fn call(request: &Request, identity: &Identity, transport: Transport, timeout: Duration) -> Result<(), Fault> {
    let dialer = Dialer::new(identity, timeout)?;
    let mut link = Link::open(&dialer, request, transport).await?;
    match link.send(Payload::empty()).await {
        Ok(_) => Ok(()),
        // A server that answers, whatever it says, has let the caller in.
        Err(refusal) if refusal.answered => Ok(()),
        Err(refusal) => Err(refusal.fault),
    }
}

fn judged(stranger: Stranger, result: Result<(), Fault>) -> (Cell, Verdict, Option<Fault>) {
    match result {
        Ok(()) => {
            let message = format!("a call with {} was answered", with(stranger));
            let fault = Fault::new(Kind::StrangerAccepted, message);
            (Cell::Text("let in".to_owned()), Verdict::Failed, Some(fault))
        }
        Err(fault) if is_refusal(fault.kind) => (Cell::Text("refused".to_owned()), Verdict::Passed, None),
        // A timeout or a reset is no proof of a lock.
        Err(fault) => (Cell::Text(fault.message.clone()), Verdict::Failed, Some(fault)),
    }
}

fn with(stranger: Stranger) -> &'static str {
    match stranger {
        Stranger::WithoutCertificate => "no client certificate",
        Stranger::Foreign => "a client certificate of a foreign authority",
        Stranger::Expired => "a client certificate that expired in 2001",
    }
}

fn is_refusal(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::ClientCertificateMissing
            | Kind::ClientCertificateForeign
            | Kind::ClientCertificateExpired
            | Kind::ClientCertificateRefused
    )
}
