//! The real nginx with the shipped configuration, and the real verifier over files that `collimate mirror tenant` wrote.

use testkit::{Cli, Misbehaviour};

use super::world::{BUNDLE, Run, USER, cli};
use crate::mirror_gateway::real::Real as Gateway;
use crate::mirror_gateway::stage::{ACME, COMMUNITY, MANIFEST, PRIMARY, Plan, Stage};

/// A gateway, and what a tenant needs to read it.
struct Real {
    gateway: Gateway,
}

impl Real {
    /// `None`, said loudly, where a tool is missing.
    #[track_caller]
    fn start(plan: Plan) -> Option<Self> {
        let gateway = Gateway::start(plan)?;
        let stage = &gateway.stage;
        stage.sandbox.write("password", ACME.split_once(':').unwrap().1);
        stage.sandbox.write("key.pub", stage.exports.public_key());
        Some(Self { gateway })
    }

    fn stage(&self) -> &Stage {
        &self.gateway.stage
    }

    fn smoke(&self) -> Cli {
        let connect = format!("127.0.0.1:{}", self.stage().https);
        let (url, other) = (format!("https://{PRIMARY}"), format!("https://{COMMUNITY}"));
        let cli = cli().folder(self.stage().sandbox.root()).args([
            "--url",
            &url,
            "--other-url",
            &other,
            "--connect",
            &connect,
        ]);
        let cli = cli.args(["--ca", "certs/authority/ca.crt", "--domain", "primary", "--user", USER]);
        cli.args(["--password-file", "password", "--key", "key.pub"])
    }

    fn run(&self) -> Run {
        let run = Run::of(&self.smoke());
        let (_, password) = ACME.split_once(':').unwrap();
        assert!(!run.output.stdout.contains(password), "{}", run.output);
        run
    }
}

#[test]
fn the_shipped_gateway_passes_within_one_tenant_s_budget() {
    let Some(real) = Real::start(Plan::new()) else { return };
    // The limits are those that are shipped, and nothing is waited for.
    let run = real.run();
    run.is("the shipped gateway", 0, &[]);
    let rows = run.json["tables"]["checks"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["verdict"] == "passed"), "{}", run.output);
    assert_eq!(run.row("primary: cache"), ("MISS, then HIT, then HIT", "passed"));
    assert!(real.stage().log().iter().all(|line| line["status"] != 429), "{:?}", real.stage().log());
    // By another way: what the sources were asked for, once each.
    let mut asked: Vec<String> = real.stage().exports.asked().into_iter().map(|asked| asked.path).collect();
    asked.sort();
    let count = asked.len();
    asked.dedup();
    assert_eq!(asked.len(), count, "{asked:?}");
}

#[test]
fn what_happens_behind_the_shipped_gateway_is_seen_through_it() {
    let Some(mut real) = Real::start(Plan::new().short_lives()) else { return };
    let exports = &real.stage().exports;
    // Nothing cached yet, so that a cut transfer cannot be hidden.
    exports.misbehave(BUNDLE, Misbehaviour::Cut(100));
    real.run().is("a source that dies in the middle", 4, &["connection-closed"]);
    exports.heal();
    exports.misbehave(BUNDLE, Misbehaviour::Flip(900));
    real.run().is("a flipped bit", 5, &["digest-differs", "signature-invalid"]);
    exports.heal();
    exports.next_generation();
    // What the cache still has of the damaged bundle is over within a second.
    crate::mirror_gateway::wait_until("the mirror is good", || real.run().output.exit == 0);
    real.stage().exports.down();
    crate::mirror_gateway::wait_until("it is stale", || real.run().kinds() == ["served-stale"]);
    real.stage().exports.up();
    crate::mirror_gateway::wait_until("it is fresh", || real.run().kinds().is_empty());
    std::fs::write(real.stage().sandbox.path("password"), "wrong").unwrap();
    real.run().is("a wrong password", 5, &["credentials-refused"]);
    real.stage().sandbox.write("password", ACME.split_once(':').unwrap().1);
    real.gateway.verifier.kill();
    real.run().is("no verifier", 4, &["gateway-failing"]).says("verifier");
    assert_eq!(real.stage().get(MANIFEST).send().status, 503);
}

#[test]
fn a_gateway_without_its_directives_is_found() {
    let paths = "\"~^[^?]*(?:[%\\\\#]|//|/\\.)\"    1;";
    for (file, line, kinds) in [
        ("domain-primary.conf", "auth_request /_verify;", &["stranger-served", "wrong-password-served"][..]),
        ("domain-community.conf", "auth_request /_verify;", &["other-domain-served"]),
        ("answers.conf", "add_header WWW-Authenticate $challenge always;", &["challenge-missing"]),
        ("headers-content.conf", "add_header X-Cache-Status $upstream_cache_status;", &["cache-status-missing"]),
        ("domain-primary.conf", "proxy_cache_valid 200 2m;", &["cache-miss"]),
        ("limits.conf", paths, &["traversal-served"]),
        ("nginx.conf", "include unknown.conf;", &["unknown-name-served"]),
    ] {
        let Some(real) = Real::start(Plan::new().without(file, line)) else { return };
        let run = real.run();
        assert_eq!(run.kinds(), kinds, "without `{line}`:\n{}", run.output);
    }
}
