//! What is refused before, or without, asking a registry.

use testkit::registry::{Demand, Registry};

use super::world::{MANIFEST, World, manifest, sample};

const AWAY: &str = "registry.invalid";

fn away() -> World {
    World::new(AWAY, &[("web", "web", "1", "unresolved")])
}

/// Refused with exactly this, with nothing changed.
#[track_caller]
fn refuses(world: &World, arguments: &[&str], exit: i32, said: &str) {
    let files = world.snapshot();
    world.resolve(arguments).any_stdout().stderr(said).exit(exit).run();
    world.is_untouched(&files);
}

#[test]
fn offline_nothing_changes_and_the_reason_is_clear() {
    refuses(
        &away(),
        &[],
        4,
        "error: `releases/edge.yaml` is left as it is: 1 component cannot be resolved\n\
         caused by: `web`: `registry.invalid`: its name cannot be resolved to an address (dns-failure)\n\
         hint: is this machine offline? check the registry's spelling and the resolver, or name a mirror that can be reached\n",
    );
    let names = ["a", "b", "c", "d", "e", "f", "g"];
    let rows: Vec<_> = names.iter().map(|name| (*name, "web", *name, "unresolved")).collect();
    let output = World::new(AWAY, &rows).run(&[], 4);
    assert!(
        output.stderr.contains("caused by: `a`, `b`, `c`, `d`, `e`, 2 more: `registry.invalid`: its name"),
        "{output}"
    );
    let [closed] = testkit::free_ports();
    let host = format!("localhost:{closed}");
    let world = World::new(&host, &[("web", "web", "1", "unresolved")]);
    assert_eq!(world.states(&[], 4)["web"], "connection-refused");
}

#[test]
fn what_is_archived_or_was_promoted_never_changes() {
    let registry = Registry::start();
    let host = registry.host();
    let stand_in = sample(&host, "web", "1");
    registry.push_index("web", "1", "web");
    let world = World::new(&host, &[("web", "web", "1", &stand_in)]);
    world.sandbox.write("smoke.json", r#"{"schema": 1, "probe": "otel", "verdict": "passed", "facts": {}}"#);
    world.program(&["mark-good", "edge", "--evidence", "smoke.json"]).any_stdout().run();
    refuses(
        &world,
        &[],
        1,
        "error: release `1.1.0` never changes any more\n\
         caused by: it is in the archive: `releases/archive/1.1.0.yaml`\n\
         hint: make the next one: `collimate release new VERSION --from 1.1.0`\n",
    );
    let archived = world.program(&["release", "resolve", "releases/archive/1.1.0.yaml"]);
    archived.stderr_has("it is in the archive").exit(1).run();
    // Also where the archive was lost: the ledger knows it.
    world.sandbox.remove("releases/archive");
    world.resolve(&[]).stderr_has("the ledger has it since").exit(1).run();
    assert!(registry.asked().is_empty());
}

#[test]
fn a_file_that_no_channel_has_yet_can_be_resolved() {
    let registry = Registry::start();
    let host = registry.host();
    let digest = registry.push_index("web", "1", "web");
    let world = World::new(&host, &[("web", "web", "1", "unresolved")]);
    world.sandbox.write("next.yaml", manifest("edge", "1.2.0", &host, &[("web", "web", "1", "unresolved")]));
    let files = world.snapshot();
    world.program(&["release", "resolve", "next.yaml"]).stdout_has("wrote `next.yaml`\n").run();
    assert!(world.sandbox.read("next.yaml").contains(&digest));
    world.is_untouched(&files);
}

#[test]
fn a_command_line_that_is_wrong_is_explained() {
    let world = away();
    refuses(&world, &["wbe"], 2, "error: there is no component `wbe`\nhint: did you mean `web`?\n");
    refuses(
        &world,
        &["--mirror", "docker.io=m.example", "--mirror-only"],
        2,
        "error: no component comes from `docker.io`, so its mirror is of no use\nhint: they come from: registry.invalid\n",
    );
    let clap = |arguments: &[&str], said: &str| {
        world.resolve(arguments).stderr_has(said).exit(2).run();
    };
    clap(&["--mirror", "docker.io"], "write `REGISTRY=HOST[:PORT][/PATH]`");
    clap(&["--mirror", "docker.io=https://m.example"], "a mirror is written `HOST[:PORT][/PATH]`, without `https://`");
    clap(&["--mirror", "https://docker.io=m.example"], "a registry is written `HOST[:PORT]`");
    clap(&["--mirror-only"], "--mirror <FROM=TO>");
    clap(&["--cert", "x"], "--cert-key <FILE>");
    clap(&["--timeout", "0"], "it must be a number above 0 and up to 3600");
    clap(&["--insecure-http", "http://r.example"], "a registry is written `HOST[:PORT]`");
    world.program(&["release", "resolve", "edgy"]).stderr_has("there is no release `edgy`").exit(2).run();
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let world = away();
    refuses(
        &world,
        &["--auth-file", "none.json"],
        3,
        "error: no registry can be asked\n\
         caused by: cannot read `[DIR]/none.json`: there is no such file (file-unreadable)\n\
         hint: check the path and its permissions\n",
    );
    world.sandbox.write("damaged.json", "{\"auths\": {\"r\": {\"auth\": \"planted-secret\"}");
    let damaged = world.run(&["--auth-file", "damaged.json"], 3);
    assert!(damaged.stderr.contains("is no credentials file: line 1, column"), "{damaged}");
    world.resolve(&["--certs-dir", "none"]).stderr_has("cannot read `none`").exit(3).run();
    world.sandbox.write("ca.crt", "no certificate");
    assert_eq!(world.states(&["--ca", "ca.crt"], 3)["web"], "file-malformed");
}

#[test]
fn what_somebody_wrote_meanwhile_is_not_overwritten() {
    let registry = Registry::start();
    let host = registry.host();
    registry.push_index("web", "1", "web");
    registry.demand(Demand::Basic("a".to_owned(), "b".to_owned()));
    let mut world = World::new(&host, &[("web", "web", "1", "unresolved")]);
    // The helper for the login is somebody who writes while the registry is asked.
    let manifest = world.sandbox.path(MANIFEST);
    let script =
        format!("#!/bin/sh\necho '# meanwhile' >> {manifest}\necho '{{\"Username\": \"a\", \"Secret\": \"b\"}}'\n");
    world.sandbox.write("bin/docker-credential-test", script).write("docker/config.json", r#"{"credsStore": "test"}"#);
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(world.sandbox.path("bin/docker-credential-test"), mode).unwrap();
    world.env.insert("PATH".to_owned(), format!("{}:/usr/bin:/bin", world.sandbox.path("bin")));
    world.env.insert("DOCKER_CONFIG".to_owned(), world.sandbox.path("docker").to_string());
    let before = world.sandbox.read(MANIFEST);
    let output = world.run(&[], 4);
    let said = "error: `releases/edge.yaml` was changed while the registries were asked\nhint: nothing was written; run the command again\n";
    assert_eq!(output.stderr, said);
    assert_eq!(world.sandbox.read(MANIFEST), format!("{before}# meanwhile\n"));
}

#[test]
fn a_signature_of_the_old_text_goes() {
    let registry = Registry::start();
    let host = registry.host();
    registry.push_index("web", "1", "web");
    let world = World::new(&host, &[("web", "web", "1", "unresolved")]);
    world.program(&["key", "new", "key"]).any_stdout().any_stderr().run();
    world.program(&["release", "sign", "edge", "--key", "key"]).any_stdout().any_stderr().run();
    let output = world.run(&[], 0);
    assert!(output.stdout.ends_with("sign the new one with `collimate release sign`\n"), "{output}");
    let verified = world.program(&["release", "verify", "edge", "--key", "key.pub"]);
    verified.any_stdout().stderr_has("it is not signed").exit(5).run();
}

#[test]
fn a_digest_that_cannot_be_spliced_is_refused() {
    let registry = Registry::start();
    let host = registry.host();
    registry.push_index("web", "1", "web");
    let world = World::new(&host, &[("web", "web", "1", "unresolved")]);
    world.sandbox.replace(MANIFEST, "digest: unresolved # of web", "digest: >-\n      unresolved");
    let files = world.snapshot();
    let output = world.run(&[], 1);
    assert!(output.stderr.starts_with("error: `releases/edge.yaml` cannot be edited\n"), "{output}");
    world.is_untouched(&files);
}

#[test]
fn a_manifest_with_a_problem_is_not_gone_on_from() {
    let world = away();
    world.sandbox.replace(MANIFEST, "schema: 1", "schema: 7");
    world.resolve(&[]).stderr_has("the release manifest `releases/edge.yaml` cannot be used").exit(1).run();
}
