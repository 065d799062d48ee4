//! The client against a registry that misbehaves: right, or a fault with a name.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use std::time::{Duration, Instant};

use registry::{Kind, Mirrors, Shape};
use testkit::registry::{OCI_INDEX, Registry, Reply, index, platform_digest, sha256};

use crate::world::{config, image, resolve, resolved};

fn filled() -> (Registry, String) {
    let registry = Registry::start();
    let digest = registry.push_index("team/app", "1.0", "first");
    (registry, digest)
}

/// With the digest that the caller believes.
fn believed(registry: &Registry, name: &str, digest: &str) -> release::ImageRef {
    image(registry, &format!("{name}@{digest}"))
}

/// A registry that answers so from now on gives this fault. Gives the fault's message.
#[track_caller]
fn fails(reply: Reply, kind: Kind) -> String {
    let (registry, _) = filled();
    registry.then(reply);
    let fault = resolve(&config(), &image(&registry, "team/app:1.0")).unwrap_err();
    assert_eq!(fault.kind, kind, "{fault}");
    assert!(fault.message.starts_with(&format!("`{}`: ", registry.host())), "{fault}");
    fault.message
}

/// A registry that answers so at first, and then as it should, is understood.
#[track_caller]
fn recovers(replies: impl IntoIterator<Item = Reply>) {
    let (registry, digest) = filled();
    registry.next(replies);
    assert_eq!(resolved(&config(), &image(&registry, "team/app:1.0")).digest.as_str(), digest);
}

#[test]
fn a_tag_is_resolved_and_its_bytes_are_computed() {
    let (registry, digest) = filled();
    let found = resolved(&config(), &image(&registry, "team/app:1.0"));
    assert_eq!((found.digest.as_str(), found.shape), (digest.as_str(), Shape::Index));
    let methods: Vec<_> = registry.asked().into_iter().map(|asked| (asked.method, asked.path)).collect();
    let expected = [
        ("HEAD".to_owned(), "/v2/team/app/manifests/1.0".to_owned()),
        ("GET".to_owned(), format!("/v2/team/app/manifests/{digest}")),
    ];
    assert_eq!(methods, expected, "asked by digest, so that the tag cannot move between the two");
}

#[test]
fn what_was_believed_rightly_needs_one_small_question() {
    let (registry, digest) = filled();
    let found = resolved(&config(), &believed(&registry, "team/app:1.0", &digest));
    assert_eq!(found.digest.as_str(), digest);
    assert_eq!(registry.asked().len(), 1);
}

#[test]
fn a_platforms_digest_is_told_from_a_moved_tag() {
    let (registry, _) = filled();
    let arm = platform_digest("first", "arm64");
    let found = resolved(&config(), &believed(&registry, "team/app:1.0", &arm));
    assert_eq!(found.believed_platform.as_deref(), Some("linux/arm64"));
    let found = resolved(&config(), &believed(&registry, "team/app:1.0", &sha256(b"before")));
    assert_eq!(found.believed_platform, None);
}

#[test]
fn an_image_without_an_index_is_resolved_too() {
    let registry = Registry::start();
    let manifest = r#"{"schemaVersion":2,"config":{},"layers":[]}"#;
    let docker = "application/vnd.docker.distribution.manifest.v2+json";
    let digest = registry.push("app", "1", docker, manifest);
    let found = resolved(&config(), &image(&registry, "app:1"));
    assert_eq!((found.digest.as_str(), found.shape), (digest.as_str(), Shape::Image));
}

#[test]
fn absences_are_told_apart() {
    let (registry, _) = filled();
    let kind = |name: &str| resolve(&config(), &image(&registry, name)).unwrap_err().kind;
    assert_eq!(kind("team/app:2.0"), Kind::TagNotFound);
    assert_eq!(kind("team/other:1.0"), Kind::RepositoryNotFound);
    fails(Reply::Status(404, vec![], "<html>".to_owned()), Kind::NotARegistry);
}

#[test]
fn what_passes_is_waited_for() {
    let status = |status, headers| Reply::Status(status, headers, String::new());
    recovers([status(503, vec![]), status(500, vec![]), status(408, vec![])]);
    recovers([Reply::HangUp, Reply::HangUp]);
    recovers([Reply::Proper, Reply::Truncated, Reply::Truncated]);
    let start = Instant::now();
    recovers([status(429, vec![("retry-after", "1".to_owned())])]);
    assert!(start.elapsed() >= Duration::from_secs(1), "the second that it asked for was waited");
}

#[test]
fn what_does_not_pass_is_given_up_by_name() {
    let busy = r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}"#;
    let said = fails(Reply::Status(429, vec![], busy.to_owned()), Kind::Throttled);
    assert!(said.contains("too many requests (HTTP 429)") && said.ends_with("(4 tries)"), "{said}");
    let start = Instant::now();
    let said = fails(Reply::Status(429, vec![("retry-after", "3600".to_owned())], String::new()), Kind::Throttled);
    assert!(said.contains("asks to be left alone for 3600 s"), "{said}");
    assert!(start.elapsed() < Duration::from_secs(30), "nobody waits an hour");
    fails(Reply::Status(500, vec![], "<html>oops".to_owned()), Kind::ServerFailing);
    fails(Reply::HangUp, Kind::ConnectionClosed);
    fails(Reply::NotHttp, Kind::NotARegistry);
    fails(Reply::Status(403, vec![], busy.to_owned()), Kind::AccessDenied);
    fails(Reply::Status(418, vec![], String::new()), Kind::UnexpectedStatus);
    let (registry, _) = filled();
    registry.next([Reply::Proper]);
    registry.then(Reply::Truncated);
    let fault = resolve(&config(), &image(&registry, "team/app:1.0")).unwrap_err();
    assert_eq!(fault.kind, Kind::Truncated, "{fault}");
}

#[test]
fn nobody_is_waited_for_without_end() {
    let mut config = config();
    config.limits.request = Duration::from_secs(2);
    for reply in [Reply::Stall, Reply::Drip] {
        let (registry, _) = filled();
        registry.then(reply.clone());
        let fault = resolve(&config, &image(&registry, "team/app:1.0")).unwrap_err();
        assert_eq!(fault.kind, Kind::TimedOut, "{reply:?}: {fault}");
        assert!(fault.message.ends_with("within 2 s (2 tries)"), "{fault}");
    }
    config.limits.request = Duration::from_secs(60);
    config.limits.reference = Duration::from_secs(1);
    let (registry, _) = filled();
    registry.then(Reply::Stall);
    let fault = resolve(&config, &image(&registry, "team/app:1.0")).unwrap_err();
    assert!(fault.kind == Kind::TimedOut && fault.message.contains("not resolved within 1 s in all"), "{fault}");
}

#[test]
fn a_lie_about_a_digest_is_found() {
    let said = fails(Reply::WrongDigest, Kind::WrongDigest);
    assert!(said.contains(&sha256(b"another")[..15]), "{said}");

    // HEAD alone lies.
    let (registry, _) = filled();
    registry.next([Reply::WrongDigest]);
    let fault = resolve(&config(), &image(&registry, "team/app:1.0")).unwrap_err();
    assert_eq!(fault.kind, Kind::WrongDigest, "{fault}");
    assert!(fault.message.contains("when asked by HEAD"), "{fault}");

    let said = fails(Reply::OtherBytes, Kind::WrongDigest);
    assert!(said.contains("the manifest's bytes have another digest"), "{said}");
}

#[test]
fn without_a_digest_in_the_header_it_is_computed() {
    let (registry, digest) = filled();
    registry.then(Reply::NoDigest);
    assert_eq!(resolved(&config(), &image(&registry, "team/app:1.0")).digest.as_str(), digest);
    recovers([Reply::NoHead]);
    recovers([Reply::Status(404, vec![], String::new())]);
    let odd = vec![("docker-content-digest", "md5:1".to_owned()), ("content-type", OCI_INDEX.to_owned())];
    fails(Reply::Status(200, odd, index("first")), Kind::MalformedManifest);
}

#[test]
fn sizes_are_bounded() {
    for reply in [Reply::Huge(5 * 1024 * 1024), Reply::HugeUnannounced(5 * 1024 * 1024)] {
        let (registry, _) = filled();
        // HEAD has no body: let GET be the large one.
        registry.next([Reply::NoHead]);
        registry.then(reply);
        let fault = resolve(&config(), &image(&registry, "team/app:1.0")).unwrap_err();
        assert_eq!(fault.kind, Kind::TooLarge, "{fault}");
        assert!(fault.message.contains("more than 4096 KiB"), "{fault}");
    }
    // Of an error only the beginning is read, and of what it quotes a line is shown.
    let said = fails(Reply::Status(418, vec![], "x".repeat(1024 * 1024)), Kind::UnexpectedStatus);
    assert!(said.contains("the answer is HTTP 418") && said.len() < 400, "{said}");
    let said = |length: usize| {
        let errors = r#"{"errors":[{"code":"DENIED","message":"no"}]}"#;
        let padding = " ".repeat(length - errors.len());
        fails(Reply::Status(403, vec![], padding + errors), Kind::AccessDenied)
    };
    assert!(said(16 * 1024).ends_with("DENIED: no"), "{}", said(16 * 1024));
    assert!(!said(16 * 1024 + 1).contains("DENIED"), "{}", said(16 * 1024 + 1));
    let errors = vec![r#"{"code":"DENIED","message":"no"}"#; 100].join(",");
    let said = fails(Reply::Status(403, vec![], format!("{{\"errors\":[{errors}]}}")), Kind::AccessDenied);
    assert_eq!(said.matches("DENIED: no").count(), 3, "{said}");
}

#[test]
fn what_is_no_manifest_is_not_taken_for_one() {
    let said = fails(Reply::MediaType("text/html".to_owned()), Kind::WrongMediaType);
    assert!(said.contains("media type is `text/html`"), "{said}");
    for body in ["{\"schemaVersion\": 2", "garbage", "[]", "{}"] {
        fails(Reply::Body(body.to_owned()), Kind::MalformedManifest);
    }
}

#[test]
fn redirects_are_followed_within_reason() {
    let (other, digest) = filled();
    let (registry, _) = filled();
    registry.next([
        Reply::Redirect(other.url("/v2/team/app/manifests/1.0")),
        Reply::Redirect(other.url(&format!("/v2/team/app/manifests/{digest}"))),
    ]);
    assert_eq!(resolved(&config(), &image(&registry, "team/app:1.0")).digest.as_str(), digest);

    // Five in a row are followed, by the first question.
    recovers(vec![Reply::Redirect("/v2/team/app/manifests/1.0".to_owned()); 5]);
    let (registry, _) = filled();
    registry.then(Reply::Redirect("/v2/team/app/manifests/1.0".to_owned()));
    let fault = resolve(&config(), &image(&registry, "team/app:1.0")).unwrap_err();
    assert_eq!(fault.kind, Kind::TooManyRedirects, "{fault}");
    assert!(fault.message.ends_with("more than 5 redirects in a row"), "{fault}");

    let said = fails(Reply::Redirect("http://registry.invalid/x".to_owned()), Kind::RedirectRefused);
    assert!(said.contains("it leads out of TLS, to `registry.invalid`"), "{said}");
    fails(Reply::Redirect("file:///etc/passwd".to_owned()), Kind::RedirectRefused);
}

#[test]
fn mirrors_are_asked_before_the_registry() {
    let (mirror, upstream) = (Registry::start(), Registry::start());
    let mut config = config();
    let mirrors = |only| Mirrors { at: vec![format!("{}/hub", mirror.host()).parse().unwrap()], only };
    config.mirrors.insert(upstream.host(), mirrors(false));
    let of_upstream = upstream.push_index("app", "1", "here");

    // Not there, or broken: the registry itself.
    assert_eq!(resolved(&config, &image(&upstream, "app:1")).answered_by, upstream.host());
    let of_mirror = mirror.push_index("hub/app", "1", "there");
    let found = resolved(&config, &image(&upstream, "app:1"));
    assert_eq!((found.digest.as_str(), found.answered_by), (of_mirror.as_str(), mirror.host()));
    mirror.then(Reply::HangUp);
    assert_eq!(resolved(&config, &image(&upstream, "app:1")).digest.as_str(), of_upstream);

    // One that lies is not passed over in silence.
    mirror.then(Reply::OtherBytes);
    assert_eq!(resolve(&config, &image(&upstream, "app:1")).unwrap_err().kind, Kind::WrongDigest);

    config.mirrors.insert(upstream.host(), mirrors(true));
    mirror.then(Reply::Status(403, vec![], String::new()));
    let before = upstream.asked().len();
    let fault = resolve(&config, &image(&upstream, "app:1")).unwrap_err();
    assert_eq!((fault.kind, upstream.asked().len()), (Kind::AccessDenied, before));

    config.mirrors.insert(upstream.host(), mirrors(false));
    upstream.then(Reply::Status(403, vec![], String::new()));
    let fault = resolve(&config, &image(&upstream, "app:1")).unwrap_err();
    assert!(fault.message.contains(&mirror.host()) && fault.message.contains(&upstream.host()), "{fault}");
}

#[test]
fn hosts_that_cannot_be_reached_have_names_for_that() {
    let [closed] = testkit::free_ports();
    let kind = |text: &str| resolve(&config(), &text.parse().unwrap()).unwrap_err();
    let fault = kind(&format!("localhost:{closed}/app:1"));
    assert_eq!(fault.kind, Kind::ConnectionRefused, "{fault}");
    let fault = kind("registry.invalid/app:1");
    assert_eq!(fault.kind, Kind::DnsFailure, "{fault}");
    let fault = kind("my_host.example/app:1");
    assert_eq!(fault.kind, Kind::ReferenceUnusable, "{fault}");
}

#[test]
fn answers_come_in_the_order_of_the_questions() {
    let registry = Registry::start();
    let digests: Vec<String> =
        (0..40).map(|number| registry.push_index(&format!("app{number}"), "1", &number.to_string())).collect();
    let mut questions: Vec<_> = (0..40).map(|number| image(&registry, &format!("app{number}:1"))).collect();
    questions.push(image(&registry, "app7:1"));
    let client = registry::Client::new(config()).unwrap();
    let found: Vec<String> =
        client.resolve(&questions).into_iter().map(|found| found.unwrap().digest.to_string()).collect();
    assert_eq!(found[..40], digests);
    assert_eq!(found[40], digests[7]);
    assert_eq!(registry.asked().len(), 80, "the same question is asked once");
}
