//! Against a registry that misbehaves: the right digest, or the name of the fault and the exit code that goes with it.

use testkit::registry::{Demand, Registry, Reply, Tokens, platform_digest};

use super::world::{MANIFEST, PASSWORD, USER, World, sample};

fn filled() -> (Registry, String) {
    let registry = Registry::start();
    let digest = registry.push_index("web", "1", "web");
    (registry, digest)
}

fn world(registry: &Registry) -> World {
    let host = registry.host();
    World::new(&host, &[("web", "web", "1", "unresolved")]).login(&host)
}

#[test]
fn every_fault_has_its_name_and_exit_code() {
    let status = |status: u16, body: &str| Reply::Status(status, vec![], body.to_owned());
    let wait = Reply::Status(429, vec![("retry-after", "86400".to_owned())], String::new());
    for (reply, exit, name) in [
        (wait, 4, "throttled"),
        (status(503, ""), 4, "server-failing"),
        (Reply::HangUp, 4, "connection-closed"),
        (Reply::NotHttp, 4, "not-a-registry"),
        (status(404, "<html>"), 4, "not-a-registry"),
        (status(404, r#"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#), 1, "tag-not-found"),
        (status(404, r#"{"errors":[{"code":"NAME_UNKNOWN"}]}"#), 1, "repository-not-found"),
        (status(403, ""), 5, "access-denied"),
        (Reply::WrongDigest, 5, "wrong-digest"),
        (Reply::OtherBytes, 5, "wrong-digest"),
        (Reply::Body("garbage".to_owned()), 4, "malformed-manifest"),
        (Reply::MediaType("text/html".to_owned()), 4, "wrong-media-type"),
        (Reply::Redirect("/v2/web/manifests/1".to_owned()), 4, "too-many-redirects"),
        (Reply::Redirect("http://elsewhere.invalid/".to_owned()), 4, "redirect-refused"),
        (Reply::Echo, 4, "unexpected-status"),
    ] {
        let (registry, _) = filled();
        registry.demand(Demand::Basic(USER.to_owned(), PASSWORD.to_owned()));
        registry.then(reply.clone());
        let world = world(&registry);
        let files = world.snapshot();
        let report = world.report(&[], exit);
        assert_eq!(report["components"][0]["state"], name, "{reply:?}: {report}");
        assert!(report["components"][0]["fault"]["help"].as_str().is_some_and(|help| !help.is_empty()), "{report}");
        assert_eq!(report["written"], false);
        world.is_untouched(&files);
    }
}

#[test]
fn what_stalls_drips_or_never_ends_is_given_up() {
    for (reply, name) in
        [(Reply::Stall, "timed-out"), (Reply::Drip, "timed-out"), (Reply::HugeUnannounced(8 << 20), "too-large")]
    {
        let (registry, _) = filled();
        registry.next([Reply::NoHead]);
        registry.then(reply);
        let world = world(&registry);
        let files = world.snapshot();
        // Large enough for a loaded machine where something comes, and waited out where nothing does.
        let limit = if name == "timed-out" { "1" } else { "60" };
        assert_eq!(world.states(&["--timeout", limit], 4)["web"], name);
        world.is_untouched(&files);
    }
}

#[test]
fn what_passes_is_waited_for() {
    let (registry, digest) = filled();
    let busy = Reply::Status(429, vec![("retry-after", "1".to_owned())], String::new());
    let failing = Reply::Status(500, vec![], String::new());
    registry.next([busy, failing, Reply::Proper, Reply::Truncated]);
    let world = world(&registry);
    world.run(&[], 0);
    assert!(world.sandbox.read(MANIFEST).contains(&format!("digest: {digest} # of web")));
}

#[test]
fn tokens_are_fetched_renewed_and_never_shown() {
    let (registry, digest) = filled();
    registry.demand(Demand::Token(registry.realm()));
    let login = Some((USER.to_owned(), PASSWORD.to_owned()));
    registry.tokens(Tokens { login: login.clone(), uses: Some(1), ..Tokens::default() });
    let world = world(&registry);
    assert_eq!(world.states(&["--dry-run"], 0)["web"], "resolved");

    let bad = Tokens { instead: Some((200, r#"{"token": 7}"#.to_owned())), ..Tokens::default() };
    registry.tokens(bad);
    assert_eq!(world.states(&["--dry-run"], 4)["web"], "token-server");
    registry.tokens(Tokens::default());
    assert_eq!(world.states(&["--dry-run"], 5)["web"], "credentials-refused");
    registry.demand(Demand::Token("http://tokens.invalid/".to_owned()));
    assert_eq!(world.states(&["--dry-run"], 5)["web"], "insecure-token-server");

    registry.demand(Demand::Token(registry.realm()));
    registry.tokens(Tokens { login, ..Tokens::default() });
    registry.then(Reply::Echo);
    let output = world.run(&["--dry-run"], 4);
    assert!(output.stderr.contains("you sent GET /v2/web/manifests/1 with Bearer ***"), "{output}");
    registry.then(Reply::Proper);
    world.run(&[], 0);
    assert!(world.sandbox.read(MANIFEST).contains(&digest));
}

#[test]
fn another_host_gets_no_login() {
    let (other, digest) = filled();
    let (registry, _) = filled();
    registry.demand(Demand::Basic(USER.to_owned(), PASSWORD.to_owned()));
    registry.next([
        Reply::Redirect(other.url("/v2/web/manifests/1")),
        Reply::Redirect(other.url(&format!("/v2/web/manifests/{digest}"))),
    ]);
    assert_eq!(world(&registry).states(&[], 0)["web"], "resolved");
    assert!(registry.asked().iter().any(|asked| asked.authorization.is_some()));
    assert_eq!(other.asked().len(), 2);
    assert!(other.asked().iter().all(|asked| asked.authorization.is_none()), "{:?}", other.asked());
}

#[test]
fn mirrors_come_first_and_the_registry_after_them() {
    let (registry, _) = filled();
    let mirror = Registry::start();
    let there = mirror.push_index("hub/web", "1", "there");
    let host = registry.host();
    let from_to = format!("{host}={}/hub", mirror.host());
    let world = world(&registry).flags(&["--mirror", &from_to, "--dry-run"]);
    let output = world.run(&[], 0);
    assert!(output.stdout.contains(&format!("none was listed (from `{}`)", mirror.host())), "{output}");
    assert!(output.stdout.contains(&there), "{output}");
    mirror.then(Reply::Status(404, vec![], r#"{"errors":[{"code":"NAME_UNKNOWN"}]}"#.to_owned()));
    let report = world.report(&[], 0);
    assert_eq!(report["components"][0]["answered_by"], host.as_str());
    assert_eq!(world.states(&["--mirror-only"], 1)["web"], "repository-not-found");
}

#[test]
fn one_image_in_two_components_is_asked_for_once() {
    let (registry, digest) = filled();
    let host = registry.host();
    let rows = [("web", "web", "1", "unresolved"), ("web-migrations", "web", "1", "unresolved")];
    let world = World::new(&host, &rows);
    world.run(&[], 0);
    assert_eq!(world.sandbox.read(MANIFEST).matches(&digest).count(), 2);
    assert_eq!(registry.asked().len(), 2);
}

#[test]
fn another_releases_digest_says_what_a_tag_was() {
    let (registry, now) = filled();
    let host = registry.host();
    let stand_in = sample(&host, "web", "1");
    let world = World::new(&host, &[("web", "web", "1", &stand_in)]);
    let before = platform_digest("before", "amd64");
    world.sandbox.write(
        "releases/stable.yaml",
        super::world::manifest("stable", "1.0.0", &host, &[("web", "web", "1", &before)]),
    );
    let files = world.snapshot();
    let output = world.run(&[], 1);
    let said =
        format!("the tag `1` was moved: `releases/stable.yaml` lists {}, and it is {} now", &before[..19], &now[..19]);
    assert!(output.stderr.replace('…', "").contains(&said), "{output}");
    world.is_untouched(&files);
}

#[test]
fn a_part_of_a_release_stays_a_sample() {
    let (registry, digest) = filled();
    let host = registry.host();
    registry.push_index("worker", "1", "worker");
    let world = World::new(&host, &[("web", "web", "1", "unresolved"), ("worker", "worker", "1", "unresolved")]);
    let output = world.run(&["web"], 0);
    assert!(output.stdout.contains("not resolved yet: worker\n"), "{output}");
    let text = world.sandbox.read(MANIFEST);
    assert!(text.contains("digests: sample # not yet") && text.contains(&digest), "{text}");
    world.run(&[], 0);
    assert!(world.sandbox.read(MANIFEST).contains("digests: resolved # not yet"));
}

#[test]
fn what_a_registry_serves_no_longer_keeps_its_digest() {
    let (registry, _) = filled();
    let host = registry.host();
    let kept = platform_digest("kept", "amd64");
    let rows = [("web", "web", "1", "unresolved"), ("old", "old", "1", kept.as_str())];
    let world = World::new(&host, &rows);
    let old = format!("digest: {kept} # of old\n");
    world.sandbox.replace(MANIFEST, &old, &format!("{old}    availability: private-mirror\n    reason: withdrawn\n"));
    let states = world.states(&["--dry-run"], 0);
    assert_eq!((states["web"].as_str(), states["old"].as_str()), ("resolved", "kept"));
    assert_eq!(world.states(&["--dry-run", "old"], 1)["old"], "repository-not-found", "named, it is asked for");
}

#[test]
fn a_body_that_says_another_format_than_its_header_is_refused() {
    let (registry, _) = filled();
    registry.then(Reply::MediaType("application/vnd.oci.image.manifest.v1+json".to_owned()));
    let world = world(&registry);
    assert_eq!(world.states(&[], 4)["web"], "wrong-media-type");
}
