//! Certificates of servers that are no component of the telemetry overlays, such as the gateway of a mirror.

use camino::Utf8Path;
use jiff::Timestamp;

use crate::access::Access;
use crate::authority::{Leaf, Usage};
use crate::error::{Error, ErrorKind};
use crate::folder::Folder;
use crate::generate::{self, Done, Request, Signers};
use crate::key::PrivateKey;
use crate::san::San;
use crate::slot::{NewFile, Slot};
use crate::state::{self, Present, State};
use crate::validity::Validity;

/// A server and the names of its certificate.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its files are `<file>.crt` and `<file>.key`.
    pub file: String,
    /// The first one is its common name.
    pub names: Vec<San>,
}

/// What was done.
#[derive(Clone, Debug)]
pub struct ServersReport {
    /// What was done about the authority.
    pub authority: Done,
    /// In the order in which they were asked for.
    pub servers: Vec<ServerReport>,
}

/// What was done about a server.
#[derive(Clone, Debug)]
pub struct ServerReport {
    pub file: String,
    pub names: Vec<San>,
    pub validity: Validity,
    pub done: Done,
}

/// Makes certificates of servers in the folder `into`, signed by the authority of the folder `root`, and renews what has to be renewed.
///
/// All files of `into` change at once, as those of a component do. What is there and was not asked for stays.
///
/// # Errors
/// As [`generate()`](crate::generate()); also where `into` is not a folder of ours, or a certificate there is somebody else's.
pub fn generate_servers(
    request: &Request,
    root: &Utf8Path,
    into: &Utf8Path,
    servers: &[Server],
    now: Timestamp,
) -> Result<ServersReport, Error> {
    let folder = Folder::open(root)?;
    let mut state = State::read(&folder)?;
    state::refuse_early_clock(&folder, &state, now)?;
    if into.metadata().is_ok_and(|there| !there.is_dir()) {
        return Err(Error::new(ErrorKind::NoFolder { path: into.to_owned() }));
    }
    let (authority, authority_done) = generate::authority(request, &folder, &mut state, now)?;
    let signers = Signers::of(&state, &authority, now);
    let slot = Slot::shared(into.to_owned());
    let mut files: Vec<(String, String, bool)> = Vec::new();
    let mut reports = Vec::new();
    let mut access = None;
    for server in servers {
        let (certificate_name, key_name) = (format!("{}.crt", server.file), format!("{}.key", server.file));
        let present = Present::named(&slot, &certificate_name, &key_name)?;
        access = access.or(present.access);
        let leaf = Leaf {
            common_name: server.names.first().map(ToString::to_string).unwrap_or_default(),
            sans: server.names.clone(),
            usages: vec![Usage::Server],
            algorithm: request.algorithm.or_else(|| present.algorithm()).unwrap_or_default(),
            validity: Validity::days(now, request.days).within(signers.signer.validity()),
        };
        let reason = generate::reason_to_renew(request, &signers, &leaf, &present, now);
        let (done, certificate, key, validity) = match (reason, present.certificate, present.key) {
            (None, Some((certificate, text)), Some(key)) => (Done::Kept, text, key, certificate.validity),
            (reason, _, _) => {
                let issued = state::issue(signers.signer, &leaf)?;
                let done = reason.filter(|_| present.exists).map_or(Done::Made, Done::Renewed);
                (done, issued.certificate_pem, issued.key, leaf.validity)
            }
        };
        files.push((certificate_name, certificate, false));
        files.push((key_name, key.reveal().to_owned(), true));
        reports.push(ServerReport { file: server.file.clone(), names: leaf.sans, validity, done });
    }
    let wanted = Access::asked_or(request.owner, request.group_readable, access);
    let keys = files.iter().filter(|(_, _, secret)| *secret);
    let is_given = keys.filter_map(|(name, _, _)| slot.metadata(name)).all(|key| wanted.is_of(&key));
    if reports.iter().any(|report| report.done != Done::Kept) || !is_given {
        carry_over(&slot, &mut files)?;
        let new = files.iter().map(|(name, content, secret)| NewFile { name, content, secret: *secret });
        slot.publish(&new.collect::<Vec<_>>(), wanted)?;
        for report in reports.iter_mut().filter(|report| !is_given && report.done == Done::Kept) {
            report.done = Done::Mended("who may read its key was put right".to_owned());
        }
    }
    Ok(ServersReport { authority: authority_done, servers: reports })
}

/// Adds what is there and was not asked for.
fn carry_over(slot: &Slot, files: &mut Vec<(String, String, bool)>) -> Result<(), Error> {
    for name in slot.names() {
        if files.iter().any(|(known, _, _)| *known == name) {
            continue;
        }
        if let Some(content) = slot.read(&name)? {
            let is_secret = name.ends_with(".key");
            let content = if is_secret { PrivateKey::new(content).reveal().to_owned() } else { content };
            files.push((name, content, is_secret));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(file: &str, name: &str) -> Server {
        Server { file: file.to_owned(), names: vec![name.parse().unwrap()] }
    }

    fn done(report: &ServersReport) -> Vec<Done> {
        report.servers.iter().map(|server| server.done.clone()).collect()
    }

    #[test]
    fn certificates_are_made_kept_and_renewed() {
        let sandbox = testkit::Sandbox::new();
        sandbox.write("tls/README.md", "mine");
        let (root, into) = (sandbox.path("certs"), sandbox.path("tls"));
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let request = Request::default();
        let make = |servers: &[Server], now| generate_servers(&request, &root, &into, servers, now).unwrap();

        let first = make(&[server("mirror-a", "a.example"), server("mirror-b", "b.example")], now);
        assert_eq!((&first.authority, done(&first)), (&Done::Made, vec![Done::Made, Done::Made]));
        let b = sandbox.read("tls/mirror-b.key");
        let again = make(&[server("mirror-a", "a.example"), server("mirror-b", "b.example")], now);
        assert_eq!((&again.authority, done(&again)), (&Done::Kept, vec![Done::Kept, Done::Kept]));

        // What was not asked for stays, and so does what is not ours.
        let renamed = make(&[server("mirror-a", "c.example")], now);
        assert_eq!(done(&renamed), [Done::Renewed("it lacks `c.example`".to_owned())]);
        assert_eq!(sandbox.read("tls/mirror-b.key"), b);
        assert_eq!(sandbox.read("tls/README.md"), "mine");

        let later = "2026-03-15T00:00:00Z".parse().unwrap();
        let late = make(&[server("mirror-b", "b.example")], later);
        assert_eq!(done(&late), [Done::Renewed("17 days were left".to_owned())]);
        assert_ne!(sandbox.read("tls/mirror-b.key"), b);
        let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(sandbox.path("tls/mirror-b.key")).unwrap());
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn somebody_elses_certificate_stays() {
        let sandbox = testkit::Sandbox::new();
        sandbox.write("tls/mirror-a.crt", "theirs").write("tls/mirror-a.key", "theirs");
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let servers = [server("mirror-a", "a.example")];
        let error = generate_servers(&Request::default(), &sandbox.path("certs"), &sandbox.path("tls"), &servers, now)
            .unwrap_err();
        let path = sandbox.path("tls/mirror-a.crt");
        assert_eq!(error.to_string(), format!("`{path}` was not made by this program"));
        assert_eq!(sandbox.read("tls/mirror-a.key"), "theirs");
    }
}
