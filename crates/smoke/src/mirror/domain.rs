//! One domain of Concelier: manifest, bundle and signature, all of one generation.

use std::time::Duration;

use ::mirror::exports::limits::{LARGEST_BUNDLE, LARGEST_INDEX, LARGEST_JWS, LARGEST_MANIFEST};
use ::mirror::exports::{self, Index, Manifest};
use bytes::Bytes;
use http::StatusCode;
use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::Request;
use super::checks::Checks;
use super::fault::Kind;
use super::judge::{self, Announced, Names};
use super::reader::{Reader, expect_ok, value};
use crate::report::{Class, Finding};
use crate::wire::Reply;

pub(super) const INDEX: &str = "/concelier/exports/index.json";

/// How often a domain is read before a generation that switches all the time, or does not fit together, is a finding. Each time takes
/// four downloads of the tenant's budget.
const MOST_LOOKS: u32 = 3;

/// Before the next look, where something was switched in between: a switch is one rename.
const PAUSE: Duration = Duration::from_millis(500);

/// Where a file of a domain is.
pub(super) fn path(domain: &str, file: &str) -> String {
    format!("/concelier/exports/mirror/{domain}/{file}")
}

/// The bundle, for what is looked at after it.
pub(super) struct Walked {
    pub(super) bundle: Bytes,
    pub(super) reply: Reply,
    /// Its bytes are what was announced.
    pub(super) is_sound: bool,
}

/// What one look gave.
#[derive(Default)]
struct Look {
    checks: Checks,
    walked: Option<Walked>,
    /// The manifest was another one at the end.
    switched: bool,
}

/// Reads a domain until all of it is of one generation. The index may be of an older one by then, so it is read anew too.
pub(super) async fn walk(
    reader: &mut Reader<'_>,
    request: &Request,
    index: &mut Index,
    domain: &str,
    checks: &mut Checks,
) -> Option<Walked> {
    let mut looks = 0;
    let last = loop {
        let look = look(reader, request, index, domain).await;
        looks += 1;
        let now = Instant::now();
        let is_fine = !look.switched && !look.checks.findings.iter().any(is_of_two_generations);
        if is_fine || looks == MOST_LOOKS || now + PAUSE > reader.deadline {
            break look;
        }
        let is_mixed = look.checks.findings.iter().any(|finding| finding.kind == Kind::GenerationMixed.entry().0);
        // The gateway's cache may hold a file of the generation before, which takes its time to be over.
        let pause = if is_mixed { (reader.deadline - now) / (MOST_LOOKS - looks) } else { PAUSE };
        sleep(pause.max(PAUSE)).await;
        let anew = reader.file(&format!("{domain}: generation"), INDEX, LARGEST_INDEX).await;
        match anew.map(|reply| exports::index(&reply.body)) {
            Ok(Ok(anew)) => *index = anew,
            // It was readable before; what was seen then is what is known.
            Ok(Err(_)) | Err(_) => break look,
        }
    };
    checks.extend(last.checks);
    last.walked
}

/// What a switch between two answers makes, and what is a fault where it stays.
fn is_of_two_generations(finding: &Finding) -> bool {
    [
        Kind::SizeDiffers,
        Kind::DigestDiffers,
        Kind::SignatureInvalid,
        Kind::SignatureMissing,
        Kind::CountDiffers,
        Kind::GenerationMixed,
    ]
    .iter()
    .any(|kind| kind.entry().0 == finding.kind)
}

async fn look(reader: &mut Reader<'_>, request: &Request, index: &Index, domain: &str) -> Look {
    let mut look = Look::default();
    let row = |what: &str| format!("{domain}: {what}");
    let listed = index.domains.iter().find(|listed| listed.id == domain);

    let at = path(domain, "manifest.json");
    let found = manifest(reader, domain, &at, &row("manifest"), &mut look.checks).await;
    let Some((manifest, first)) = found else { return look };
    let names = Names { size: Kind::SizeDiffers, digest: Kind::DigestDiffers, absent: None };
    let of_another = index.created.filter(|created| *created != manifest.created);
    if let Some(reference) = listed.and_then(|listed| listed.manifest.as_ref()) {
        let about = row("manifest digest");
        let (outcome, mut found) = judge::integrity(&about, &at, &first.body, &[("the index", Some(reference))], names);
        if let (Some(created), false) = (of_another, found.is_empty()) {
            found = vec![mixed(&about, INDEX, created, &manifest)];
        }
        look.checks.judged(about, outcome, found);
    }
    let (outcome, found) = judge::age(&row("age"), manifest.created, request.settings.max_age, request.settings.now);
    look.checks.judged(row("age"), outcome, found);

    let at = path(domain, "bundle.json");
    let about = row("bundle");
    let reply = match reader.file(&about, &at, LARGEST_BUNDLE).await {
        Ok(reply) => reply,
        Err(finding) => {
            look.checks.failed(about, "not read", finding);
            return look;
        }
    };
    let mut signed = Checks::default();
    let is_signed = signature(reader, request, domain, &reply.body, &mut signed).await;
    let announced = [
        ("the manifest", manifest.bundle.as_ref()),
        // An index of another generation announces another bundle.
        ("the index", listed.filter(|_| of_another.is_none()).and_then(|listed| listed.bundle.as_ref())),
    ];
    // A signature that was verified vouches for more than a digest does.
    let absent = (!is_signed).then_some(Kind::DigestAbsent);
    let names = Names { absent, ..names };
    let is_sound = bundle(&manifest, domain, &at, &reply.body, &announced, names, &mut look.checks);
    look.checks.extend(signed);
    look.switched = generation(reader, domain, &manifest, &first, &mut look.checks).await;
    look.walked = Some(Walked { bundle: reply.body.clone(), reply, is_sound });
    look
}

async fn manifest(
    reader: &mut Reader<'_>,
    domain: &str,
    at: &str,
    about: &str,
    checks: &mut Checks,
) -> Option<(Manifest, Reply)> {
    let reply = match reader.file(about, at, LARGEST_MANIFEST).await {
        Ok(reply) => reply,
        Err(finding) => {
            checks.failed(about, "not read", finding);
            return None;
        }
    };
    let manifest = match exports::manifest(&reply.body) {
        Ok(manifest) => manifest,
        Err(error) => {
            checks.failed(about, "cannot be used", judge::unreadable(about, at, Kind::ManifestMalformed, &error));
            return None;
        }
    };
    if manifest.domain != domain {
        let message = format!("`{at}` is of the domain `{}`", manifest.domain);
        checks.failed(about, format!("of `{}`", manifest.domain), Kind::DomainDiffers.find(about, message));
        return None;
    }
    checks.passed(about, format!("made at {}, {} advisories", manifest.created, manifest.advisories));
    Some((manifest, reply))
}

/// What the bundle says, and whether its bytes are what was announced. Of causes and what follows from them only causes are said: a
/// bundle of another generation has another digest, and one that was cut or changed is often no JSON either. Whether its bytes are
/// what they should be.
fn bundle(
    manifest: &Manifest,
    domain: &str,
    at: &str,
    bytes: &[u8],
    announced: &[Announced<'_>],
    names: Names,
    checks: &mut Checks,
) -> bool {
    let (about, integrity) = (format!("{domain}: bundle"), format!("{domain}: digest"));
    let content = exports::bundle(bytes);
    let (outcome, wrong) = judge::integrity(&integrity, at, bytes, announced, names);
    let is_sound = !wrong.iter().any(|finding| finding.class > Class::Doubtful);
    if let Ok(bundle) = &content
        && let Some(created) = bundle.created.filter(|created| *created != manifest.created)
        && (!is_sound || bundle.advisories != manifest.advisories)
    {
        checks.failed(&about, format!("made at {created}"), mixed(&about, at, created, manifest));
        checks.not_tried(integrity, "the bundle is of another generation than its manifest");
        return false;
    }
    match content {
        _ if !is_sound => checks.not_tried(about, "its bytes are not what was announced"),
        Err(error) => {
            let finding = judge::unreadable(&about, at, Kind::BundleMalformed, &error);
            checks.failed(about, "cannot be used", finding);
        }
        Ok(bundle) => {
            let mut found = Vec::new();
            if bundle.domain != domain {
                found.push(Kind::DomainDiffers.find(&about, format!("`{at}` is of the domain `{}`", bundle.domain)));
            }
            if bundle.advisories != manifest.advisories {
                let (has, said) = (bundle.advisories, manifest.advisories);
                let message = format!("`{at}` has {has} advisories; the manifest announces {said}");
                found.push(Kind::CountDiffers.find(&about, message));
            }
            checks.judged(about, format!("{} bytes, {} advisories", bytes.len(), bundle.advisories), found);
        }
    }
    checks.judged(integrity, outcome, wrong);
    is_sound
}

/// A file that does not fit its manifest, and says why itself.
fn mixed(about: &str, at: &str, created: Timestamp, manifest: &Manifest) -> Finding {
    let message = format!("`{at}` was made at {created}, and the manifest is of {}", manifest.created);
    Kind::GenerationMixed.find(about, message)
}

/// Whether the signature was verified.
async fn signature(
    reader: &mut Reader<'_>,
    request: &Request,
    domain: &str,
    bundle: &[u8],
    checks: &mut Checks,
) -> bool {
    let (about, at) = (format!("{domain}: signature"), path(domain, "bundle.json.jws"));
    let key = request.settings.key.as_ref();
    let reply = match reader.get(&about, &at, &[], LARGEST_JWS).await {
        Ok(reply) if reply.status == StatusCode::NOT_FOUND => {
            checks.failed(&about, "none", Kind::SignatureMissing.find(&about, format!("there is no `{at}` (404)")));
            return false;
        }
        Ok(reply) => match expect_ok(&reply, &about, &at) {
            Ok(()) => reply,
            Err(finding) => {
                checks.failed(about, "not read", finding);
                return false;
            }
        },
        Err(finding) => {
            checks.failed(about, "not read", finding);
            return false;
        }
    };
    let (outcome, found) = judge::signature(&about, &at, &reply.body, bundle, key);
    let verified = found.is_empty() && key.is_some();
    checks.judged(about, outcome, found);
    verified
}

/// Reads the manifest again, at the price of a few bytes. Whether it is another one now.
async fn generation(
    reader: &mut Reader<'_>,
    domain: &str,
    manifest: &Manifest,
    first: &Reply,
    checks: &mut Checks,
) -> bool {
    let (about, at) = (format!("{domain}: generation"), path(domain, "manifest.json"));
    let condition = value(first, "etag").map(|etag| ("if-none-match", etag));
    let again = reader.get(&about, &at, condition.as_slice(), LARGEST_MANIFEST).await;
    let again = again.and_then(|reply| match reply.status {
        StatusCode::NOT_MODIFIED => Ok(reply),
        _ => expect_ok(&reply, &about, &at).map(|()| reply),
    });
    match again {
        Ok(reply) if reply.status == StatusCode::NOT_MODIFIED || reply.body == first.body => {
            checks.passed(about, "the manifest stayed the same while all of it was read");
            false
        }
        Ok(_) => {
            let message = format!(
                "the mirror switched its generation while `{domain}` was read, again and again; the manifest was of {}",
                manifest.created
            );
            checks.failed(&about, "switched", Kind::GenerationRestless.find(&about, message));
            true
        }
        Err(finding) => {
            checks.failed(about, "not read", finding);
            false
        }
    }
}
