//! Folders of certificates as programs meet them: filled, renewed, rotated, judged, and used for TLS.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod examine;
mod generate;
mod handshake;
mod limits;
mod openssl;
mod rotate;

use camino::Utf8Path;
use certificates::{Component, Report, Request, generate};
use jiff::{SignedDuration, Timestamp};
use testkit::Sandbox;

/// Noon of a day on which all of these folders are made.
fn noon() -> Timestamp {
    "2025-09-20T12:00:00Z".parse().expect("it is a time")
}

/// So many days after it.
fn day(days: i64) -> Timestamp {
    noon() + SignedDuration::from_hours(24 * days)
}

/// Fills `certs` of a folder.
#[track_caller]
fn filled(sandbox: &Sandbox, request: &Request, now: Timestamp) -> Report {
    generate(request, &sandbox.path("certs"), now).unwrap_or_else(|error| panic!("{error}"))
}

/// All files of a component, as one text.
fn files(folder: &Utf8Path, component: Component) -> String {
    let read = |name: &str| {
        let path = folder.join(component.folder()).join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read `{path}`: {error}"))
    };
    ["tls.crt", "tls.key", "ca.crt"].map(read).concat()
}

/// Everything in a folder: what files hold and where links lead.
fn snapshot(sandbox: &Sandbox) -> Vec<(camino::Utf8PathBuf, String)> {
    let content = |path: &Utf8Path| match std::fs::read_link(path) {
        Ok(target) => target.display().to_string(),
        Err(_) => std::fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read `{path}`: {error}")),
    };
    sandbox.files().into_iter().map(|path| (path.clone(), content(&sandbox.path(path)))).collect()
}
