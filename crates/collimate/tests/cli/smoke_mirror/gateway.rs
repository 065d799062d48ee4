//! What a gateway does wrongly.

use testkit::{Asked, FrontAnswer};

use super::world::{BUNDLE, INDEX, MANIFEST, PASSWORD, Run, USER, World};

fn is_stranger(asked: &Asked) -> bool {
    asked.header("authorization").is_none()
}

#[test]
fn faults_of_refusal() {
    let world = World::new();
    let ok = |answer: &mut FrontAnswer| *answer = FrontAnswer::json(200, "{}");
    world.twist(move |asked, _, answer| {
        if is_stranger(asked) {
            ok(answer);
        }
    });
    world.check("strangers are let in", 1, &["stranger-served"]).says("is served (200)");
    world.twist(move |asked, host, answer| {
        if !is_stranger(asked) && host == "mirror-primary.test" && answer.status == 401 {
            ok(answer);
        }
    });
    world.check("any password is good", 1, &["wrong-password-served"]);
    world.twist(|_, _, answer| answer.remove("www-authenticate"));
    world.check("no challenge", 1, &["challenge-missing"]);
    world.twist(|_, _, answer| {
        if answer.status == 401 {
            answer.set("www-authenticate", "Bearer");
        }
    });
    world.check("another challenge", 1, &["challenge-missing"]);
    world.twist(|_, _, answer| {
        if answer.status == 401 {
            answer.status = 403;
        }
    });
    world.check("another status", 1, &["refusal-unusual"]);
    world.twist(move |_, host, answer| {
        if host == "mirror-community.test" {
            ok(answer);
        }
    });
    world.check("the password is good elsewhere", 1, &["other-domain-served"]);
    world.twist(move |asked, _, answer| {
        if asked.path.contains("mirror/community/") && answer.status == 404 {
            ok(answer);
        }
    });
    world.check("another domain's files are here", 1, &["other-domain-served"]).says("mirror/community/manifest.json");
    world.twist(move |asked, _, answer| {
        if asked.path.contains("domains/community/index") && answer.status == 404 {
            ok(answer);
        }
    });
    world.check("another domain's VEX is here", 1, &["other-domain-served"]).says("domains/community/index");
}

#[test]
fn faults_of_the_tenant() {
    let world = World::new();
    world.sandbox.write("password", "planted-other");
    world.check("a wrong password", 5, &["credentials-refused"]).says("refuses user and password");
    world.sandbox.write("password", PASSWORD);
    world.check("no line end", 0, &[]);
    let unknown = world.bare().args(["--user", "nobody", "--password-file", "password"]);
    Run::of(&unknown).is("an unknown user", 5, &["credentials-refused"]);
    let variable = world.bare().args(["--user", USER, "--password-env", "MIRROR_PASSWORD", "--key", "key.pub"]);
    Run::of(&variable.env("MIRROR_PASSWORD", PASSWORD)).is("from a variable", 0, &[]);
    world.twist(|asked, _, answer| {
        if !is_stranger(asked) && answer.status == 200 {
            *answer = FrontAnswer::json(403, "{}");
        }
    });
    world.check("a tenant without rights", 5, &["access-denied"]);
}

#[test]
fn a_mirror_for_everybody_is_read_without_a_password() {
    let world = World::new();
    world.twist(|_, _, answer| {
        if answer.status == 401 {
            *answer = FrontAnswer::json(403, "{}");
        }
    });
    Run::of(&world.bare()).is("nobody may", 5, &["access-denied"]);
    let (url, exports) = (world.exports.url(), &world.exports);
    let cli = super::world::cli()
        .folder(world.sandbox.root())
        .args(["--url", &url, "--domain", "primary", "--key", "key.pub"]);
    // The sources behind a gateway: neither a cache nor domains kept apart.
    let run = Run::of(&cli);
    run.is("no gateway", 1, &["cache-status-missing", "other-domain-served"]);
    assert_eq!(run.row("without password").1, "not-tried");
    assert!(exports.asked().iter().all(|asked| asked.header("authorization").is_none()));
}

#[test]
fn faults_of_the_cache() {
    let world = World::new();
    world.twist(|_, _, answer| answer.remove("x-cache-status"));
    world.check("no word of it", 1, &["cache-status-missing"]);
    world.twist_get(BUNDLE, |answer| answer.set("x-cache-status", "MISS"));
    world.check("never a hit", 1, &["cache-miss"]).says("was read 3 times, and never from the cache");
    world.twist_get(BUNDLE, |answer| answer.set("x-cache-status", "STALE"));
    world.check("stale", 0, &["served-stale"]);
    world.twist_get(BUNDLE, |answer| answer.remove("etag"));
    world.check("no ETag", 1, &["etag-missing"]);
    let whole = world.exports.file(BUNDLE).to_vec();
    world.twist_get(BUNDLE, move |answer| {
        if answer.status == 304 {
            answer.status = 200;
            answer.body = whole.clone();
        }
    });
    world.check("transferred again", 1, &["not-modified-ignored"]);
    let whole = world.exports.file(BUNDLE).to_vec();
    world.twist_get(BUNDLE, move |answer| {
        if answer.status == 206 {
            answer.status = 200;
            answer.body = whole.clone();
        }
    });
    world.check("the whole for a part", 1, &["range-ignored"]);
    world.twist_get(BUNDLE, |answer| {
        if answer.status == 206 {
            answer.body[0] ^= 1;
        }
    });
    world.check("other bytes", 1, &["range-wrong"]).says("are other bytes than in the whole");
    world.twist_get(BUNDLE, |answer| {
        if answer.status == 206 {
            answer.set("content-range", "bytes 0-63/64");
        }
    });
    world.check("another place", 1, &["range-wrong"]).says("says that it is `bytes 0-63/64`");
    world.twist_get(BUNDLE, |answer| {
        if answer.status == 206 {
            *answer = FrontAnswer { status: 416, headers: answer.headers.clone(), ..FrontAnswer::default() };
        }
    });
    world.check("no part at all", 1, &["range-wrong"]).says("are refused (416)");
}

#[test]
fn faults_of_methods_and_paths() {
    let world = World::new();
    world.twist(|asked, _, answer| {
        if asked.method == "DELETE" {
            // What has this status has no body: the next answer would begin with it.
            *answer = FrontAnswer { status: 204, ..FrontAnswer::default() };
        }
    });
    world.check("DELETE", 1, &["method-accepted"]).says("DELETE is answered with 204");
    world.twist(|asked, _, answer| {
        if asked.method == "POST" {
            *answer = FrontAnswer::json(404, "{}");
        }
    });
    world.check("POST", 1, &["method-accepted"]);
    world.twist(|asked, _, answer| {
        if asked.path.contains("%2e%2e") {
            *answer = FrontAnswer::json(200, "{}");
        }
    });
    world.check("escaped steps up", 1, &["traversal-served"]).says("%2e%2e");
    world.twist(|asked, _, answer| {
        if asked.path.ends_with("/.git/config") {
            *answer = FrontAnswer::json(200, "[core]");
        }
    });
    world.check("dot files", 1, &["traversal-served"]).says(".git/config");
    world.twist(|asked, _, answer| {
        if asked.path.starts_with("/../") {
            *answer = FrontAnswer::json(302, "");
        }
    });
    world.check("steps up are resolved", 1, &["traversal-served"]);
    world.twist(|asked, _, answer| {
        if asked.method == "HEAD" && answer.status == 200 {
            answer.set("content-length", "7");
        }
    });
    world.check("HEAD with another length", 1, &["head-differs"]).says("says that its length is 7");
    world.twist(|asked, _, answer| {
        if asked.method == "HEAD" && answer.status == 200 {
            answer.status = 405;
        }
    });
    world.check("no HEAD", 1, &["head-differs"]);
}

#[test]
fn a_gateway_that_fails_is_not_known_to_be_wrong() {
    let world = World::new();
    let tenant = |status: u16, body: &'static str| {
        move |asked: &Asked, _: &str, answer: &mut FrontAnswer| {
            if !is_stranger(asked) && answer.status == 200 {
                *answer = FrontAnswer::json(status, body);
            }
        }
    };
    world.twist(tenant(503, r#"{"error":"verifier"}"#));
    world.check("503", 4, &["gateway-failing"]).says("the gateway answers 503").says("verifier");
    world.twist(tenant(500, "\u{1b}[31m"));
    world.check("control characters", 4, &["gateway-failing"]);
    world.twist(tenant(418, ""));
    world.check("another status", 4, &["unexpected-status"]);
    world.twist(|asked, _, answer| {
        if !is_stranger(asked) && answer.status == 200 {
            *answer = FrontAnswer::json(302, "");
            answer.set("location", &format!("https://login.test/?password={PASSWORD}"));
        }
    });
    world.check("a login page", 4, &["redirects"]).says("https://login.test/");
    assert!(world.front.asked().iter().all(|asked| !asked.path.contains("login")));
    // It says what it got, as some proxies do.
    world.twist(|asked, _, answer| {
        if answer.status == 200 {
            *answer = FrontAnswer::json(500, &format!("you sent {asked:?} {PASSWORD}"));
        }
    });
    world.check("an echo", 4, &["gateway-failing"]).says("***");
    let instead = |bytes: &'static [u8]| {
        move |asked: &Asked, _: &str, answer: &mut FrontAnswer| {
            answer.instead = (asked.path == MANIFEST).then(|| bytes.to_vec());
        }
    };
    world.twist(instead(b""));
    world.check("it hangs up", 4, &["connection-closed"]);
    world.twist(instead(b"220 mail.test ESMTP\r\n"));
    world.check("another protocol", 4, &["not-mirror"]);
    world.twist_get(BUNDLE, |answer| answer.cut = Some(50));
    world.check("a cut transfer", 4, &["connection-closed"]);
}

#[test]
fn a_used_up_budget_is_waited_for_within_the_limit() {
    let world = World::new();
    // Every path is put off once.
    let seen = std::sync::Mutex::new(std::collections::BTreeSet::new());
    world.twist(move |asked, _, answer| {
        let first = seen.lock().unwrap().insert(asked.path.clone());
        if first && [INDEX, MANIFEST, BUNDLE].contains(&asked.path.as_str()) {
            *answer = FrontAnswer::json(429, "{}");
            answer.set("retry-after", "1");
        }
    });
    world.check("a second each", 0, &[]);
    world.twist_get(MANIFEST, |answer| {
        *answer = FrontAnswer::json(429, r#"{"error":"tenant-limit"}"#);
        answer.set("retry-after", "3600");
    });
    world.check("an hour", 4, &["throttled"]).says("wants 3600 s of patience").says("tenant-limit");
}
