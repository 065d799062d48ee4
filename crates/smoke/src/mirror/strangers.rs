//! Those who must get nothing: nobody, a wrong password, a tenant of another domain, an unknown server name.

use http::{Method, StatusCode};

use super::Request;
use super::checks::Checks;
use super::domain::{INDEX, path};
use super::fault::{Kind, connection};
use super::reader::{Ask, Reader, SMALL, expect_ok, target, value};
use crate::report::Finding;
use crate::wire::{Dialer, Kind as Wire, Protocol, Reply};

/// Without credentials, and with a password that nobody has.
pub(super) async fn without_right(
    reader: &mut Reader<'_>,
    request: &Request,
    domain: Option<&str>,
    checks: &mut Checks,
) {
    let (without, wrong) = ("without password", "wrong password");
    let Some(credentials) = &request.settings.credentials else {
        checks.not_tried(without, "no tenant is named (`--user`): what is read here is read by everybody");
        return checks.not_tried(wrong, "no tenant is named (`--user`)");
    };
    // What a domain must keep for itself; the index has no more than names.
    let at = domain.map_or_else(|| INDEX.to_owned(), |domain| path(domain, "bundle.json"));
    for (about, authorization, kind) in [
        (without, None, Kind::StrangerServed),
        (wrong, Some(super::request::basic(&credentials.user, &nobody_s_password())), Kind::WrongPasswordServed),
    ] {
        let authorization = authorization.as_ref().map(|value| value.reveal());
        let ask = Ask { about, method: Method::HEAD, path: &at, authorization, headers: &[], largest: SMALL };
        let reply = match reader.ask(&ask).await {
            Ok(reply) => reply,
            Err(finding) => {
                checks.failed(about, "no answer", finding);
                continue;
            }
        };
        let (outcome, found) = refused(about, &at, &reply, kind);
        checks.judged(about, outcome, found);
    }
}

/// A 401 that says what to send.
fn refused(about: &str, at: &str, reply: &Reply, served: Kind) -> (String, Vec<Finding>) {
    let status = reply.status.as_u16();
    let outcome = format!("{status} to `{at}`");
    let found = match reply.status {
        StatusCode::UNAUTHORIZED => {
            let challenge = value(reply, "www-authenticate").unwrap_or_default();
            let is_basic = challenge.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case("basic"));
            let message = format!("`{at}` is refused (401) without `WWW-Authenticate: Basic`");
            (!is_basic).then(|| Kind::ChallengeMissing.find(about, message))
        }
        code if code.is_success() || code == StatusCode::NOT_MODIFIED => {
            Some(served.find(about, format!("`{at}` is served ({status})")))
        }
        code if code.is_server_error() => expect_ok(reply, about, at).err(),
        _ => Some(Kind::RefusalUnusual.find(about, format!("`{at}` is refused with {status}, not with 401"))),
    };
    (outcome, found.into_iter().collect())
}

/// Our password at the address of another domain.
pub(super) async fn elsewhere(reader: Option<&mut Reader<'_>>, request: &Request, checks: &mut Checks) {
    let about = "other address";
    let Some(reader) = reader else {
        return checks.not_tried(about, "name the address of another domain with `--other-url`");
    };
    if request.authorization.is_none() {
        return checks.not_tried(about, "no tenant is named (`--user`)");
    }
    let authorization = request.authorization.as_ref().map(|secret| secret.reveal());
    let ask = Ask { about, method: Method::HEAD, path: INDEX, authorization, headers: &[], largest: SMALL };
    match reader.ask(&ask).await {
        Ok(reply) => {
            let (outcome, found) = refused(about, INDEX, &reply, Kind::OtherDomainServed);
            checks.judged(about, outcome, found);
        }
        Err(finding) => checks.failed(about, "no answer", finding),
    }
}

/// Another domain's files at our address, read with the right of ours.
pub(super) async fn other_domain(reader: &mut Reader<'_>, domain: &str, checks: &mut Checks) {
    let about = format!("{domain}: kept apart");
    for at in [path(domain, "manifest.json"), format!("/excititor/mirror/domains/{domain}/index")] {
        let reply = match reader.get(&about, &at, &[], SMALL).await {
            Ok(reply) => reply,
            // It is served, and too large to be looked at.
            Err(finding) if finding.kind == Kind::AnswerTooLarge.entry().0 => {
                let message = format!("`{at}` of another domain is served here");
                return checks.failed(&about, "served", Kind::OtherDomainServed.find(&about, message));
            }
            Err(finding) => return checks.failed(about, "no answer", finding),
        };
        match reply.status {
            StatusCode::NOT_FOUND | StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => {}
            code if code.is_success() => {
                let message = format!("`{at}` of another domain is served here ({})", code.as_u16());
                return checks.failed(&about, "served", Kind::OtherDomainServed.find(&about, message));
            }
            _ => {
                if let Err(finding) = expect_ok(&reply, &about, &at) {
                    return checks.failed(about, "no answer", finding);
                }
            }
        }
    }
    checks.passed(about, "not here");
}

/// A server name that nobody has.
pub(super) async fn unknown_name(request: &Request, dialer: &Dialer, checks: &mut Checks) {
    let about = "unknown name";
    if !request.url.tls {
        return checks.not_tried(about, "there is no TLS");
    }
    let name = format!("{}.invalid", nobody_s_password());
    match dialer.open(&target(request, &request.url, Some(name)), Protocol::Http1).await {
        // A certificate was shown: it fits no name like this, or was not even looked at.
        Ok(_) => checks.judged(about, "a certificate", vec![served(about)]),
        Err(fault) => match fault.kind {
            // By alerts of several names.
            Wire::TlsFailed | Wire::ConnectionClosed | Wire::TlsVersion | Wire::ClientCertificateMissing => {
                checks.passed(about, "the handshake is refused");
            }
            Wire::NameNotInCertificate
            | Wire::WrongCa
            | Wire::ServerCertificateExpired
            | Wire::ServerCertificateNotYetValid
            | Wire::ServerCertificateInvalid => checks.judged(about, "a certificate", vec![served(about)]),
            _ => checks.failed(about, "no answer", connection(fault, about)),
        },
    }
}

fn served(about: &str) -> Finding {
    Kind::UnknownNameServed.find(about, "somebody who asks for an unknown server name is shown a certificate")
}

/// A word that nobody has chosen: 128 random bits.
fn nobody_s_password() -> String {
    let mut bytes = [0; 16];
    // Where there is no chance, a fixed word that no generator of passwords gives is as good.
    if getrandom::fill(&mut bytes).is_err() {
        return "no-such-password".to_owned();
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
