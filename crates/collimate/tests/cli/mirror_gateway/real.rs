//! The gateway with the real verifier: `collimate mirror auth` over htpasswd files that `collimate mirror tenant` wrote.

use std::process::Command;

use testkit::{Cli, Server};

use super::access::count;
use super::request::statuses;
use super::stage::{ACME, BETA, COMMUNITY, DELTA, MANIFEST, Plan, Stage};

/// A gateway whose verifier is the real one.
pub(crate) struct Real {
    // Ends before what it is asked by.
    pub(crate) verifier: Server,
    pub(crate) stage: Stage,
}

impl Real {
    /// With tenants as the stand-in has them. `None`, said loudly, where a tool is missing.
    #[track_caller]
    pub(crate) fn start(plan: Plan) -> Option<Self> {
        let stage = plan.without_verifier().start()?;
        std::fs::create_dir(stage.sandbox.path("secrets")).unwrap();
        for (domain, user) in [("primary", ACME), ("primary", BETA), ("community", DELTA)] {
            let (name, password) = user.split_once(':').unwrap();
            let file = format!("secrets/mirror-{domain}.htpasswd");
            // The least cost: a test waits for each of them.
            let arguments =
                ["mirror", "tenant", "add", domain, name, "--file", &file, "--password-file", "-", "--cost", "10"];
            program(&stage).args(arguments).stdin(password).any_stderr().run();
        }
        let verifier = verifier(&stage);
        let mut real = Self { verifier, stage };
        real.wait();
        Some(real)
    }

    /// Until it answers.
    #[track_caller]
    fn wait(&mut self) {
        let socket = self.stage.sandbox.path("run/verifier.sock");
        self.verifier.wait_until(std::time::Duration::from_secs(60), || {
            std::os::unix::net::UnixStream::connect(&socket).is_ok()
        });
    }
}

fn program(stage: &Stage) -> Cli {
    Cli::new(env!("CARGO_BIN_EXE_collimate")).folder(stage.sandbox.root())
}

fn verifier(stage: &Stage) -> Server {
    let mut command = Command::new(env!("CARGO_BIN_EXE_collimate"));
    command.args([
        "mirror",
        "auth",
        "--socket",
        "run/verifier.sock",
        "--secrets",
        "secrets",
        "--config",
        "mirror.yaml",
    ]);
    Server::start(command.current_dir(stage.sandbox.root()), stage.sandbox.path("verifier.log"))
}

#[test]
fn tenants_get_in_and_nobody_else() {
    let Some(Real { stage, verifier: _verifier }) = Real::start(Plan::new()) else { return };
    let answer = stage.get(MANIFEST).send();
    assert_eq!((answer.status, answer.cache()), (200, "MISS"), "{answer:?}");
    for (request, why) in [
        (stage.anonymous(MANIFEST), "nobody"),
        (stage.anonymous(MANIFEST).user("acme:wrong-password-acme"), "a wrong password"),
        (stage.anonymous(MANIFEST).user("nobody:wrong-password-acme"), "an unknown name"),
        (stage.anonymous(MANIFEST).user(DELTA), "a tenant of the other domain"),
        (stage.anonymous(&MANIFEST.replace("primary", "community")).host(COMMUNITY).user(ACME), "and the reverse"),
    ] {
        let answer = request.send();
        assert_eq!((answer.status, answer.error().as_str()), (401, "credentials"), "{why}: {answer:?}");
    }
    let other = stage.anonymous(&MANIFEST.replace("primary", "community")).host(COMMUNITY).user(DELTA).send();
    assert_eq!(other.status, 200, "{other:?}");
    let line = stage.line(&MANIFEST.replace("primary", "community"), 200);
    assert_eq!((line["tenant"].as_str(), line["domain"].as_str()), (Some("delta"), Some("community")), "{line}");
}

#[test]
fn three_and_three_hundred_wrong_passwords_lock_nobody_out() {
    let plan = Plan::new().set("requests_per_minute: 600, burst: 100", "requests_per_minute: 60, burst: 20");
    let Some(Real { stage, verifier: _verifier }) = Real::start(plan) else { return };
    assert_eq!(stage.anonymous(MANIFEST).user("acme:wrong").repeat(3), [401, 401, 401]);
    assert_eq!(stage.get(MANIFEST).send().status, 200);
    let guess = |number: usize| stage.anonymous(MANIFEST).user(&format!("acme:guess-{number}")).from("127.0.0.9");
    let all = statuses(&(0..300).map(guess).collect::<Vec<_>>());
    assert!(count(&all, 401) > 10 && count(&all, 401) + count(&all, 429) == 300 && count(&all, 429) > 200, "{all:?}");
    assert_eq!(stage.get(MANIFEST).send().status, 200);
}

#[test]
fn spellings_are_one_budget_or_no_credential() {
    let Some(Real { stage, verifier: _verifier }) =
        Real::start(Plan::new().set("tenants: {burst: 20}", "tenants: {burst: 5}"))
    else {
        return;
    };
    let right = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, ACME);
    let spelled = ["Basic ", "basic ", "BASIC   "].map(|scheme| format!("Authorization: {scheme}{right}"));
    let all: Vec<_> = spelled.iter().cycle().take(15).map(|header| stage.anonymous(MANIFEST).header(header)).collect();
    let all = statuses(&all);
    assert!((6..=13).contains(&count(&all, 200)) && count(&all, 200) + count(&all, 429) == 15, "{all:?}");
    for other in
        [format!("Basic {}", right.trim_end_matches('=')), format!("Basic\t{right}"), format!("Basic {right},x")]
    {
        let answer = stage.anonymous(MANIFEST).header(&format!("Authorization: {other}")).send();
        assert_eq!(answer.status, 401, "`{other}`: {answer:?}");
    }
}

#[test]
fn a_removed_tenant_is_out_within_the_lifetime_and_without_a_reload() {
    let Some(Real { stage, verifier: _verifier }) =
        Real::start(Plan::new().generous().set("verified: 30s", "verified: 5s"))
    else {
        return;
    };
    assert_eq!(stage.get(MANIFEST).send().status, 200);
    let file = "secrets/mirror-primary.htpasswd";
    program(&stage)
        .args(["mirror", "tenant", "remove", "primary", "acme", "--file", file])
        .any_stdout()
        .any_stderr()
        .run();
    super::wait_until("acme is out", || stage.get(MANIFEST).send().status == 401);
    assert_eq!(stage.anonymous(MANIFEST).user(BETA).send().status, 200, "others stay");
}

#[test]
fn a_killed_verifier_lets_nobody_in_and_comes_back() {
    let Some(mut real) = Real::start(Plan::new().generous()) else { return };
    assert_eq!(real.stage.get(MANIFEST).send().status, 200);
    real.verifier.kill();
    let answer = real.stage.get(MANIFEST).send();
    assert_eq!((answer.status, answer.error().as_str()), (503, "verifier"), "{answer:?}");
    real.verifier = verifier(&real.stage);
    real.wait();
    super::wait_until("acme is let in again", || real.stage.get(MANIFEST).send().status == 200);
}

#[test]
fn a_damaged_file_closes_its_domain_and_no_other() {
    let Some(Real { stage, verifier: _verifier }) = Real::start(Plan::new().generous()) else { return };
    let other = MANIFEST.replace("primary", "community");
    let delta = || stage.anonymous(&other).host(COMMUNITY).user(DELTA).send().status;
    assert_eq!((stage.get(MANIFEST).send().status, delta()), (200, 200));
    stage.sandbox.remove("secrets/mirror-primary.htpasswd");
    super::wait_until("the domain is closed", || stage.get(MANIFEST).send().status == 503);
    assert_eq!(delta(), 200);
    assert_eq!(super::running::fetch(&stage, "/health").0, 200, "the gateway itself is well");
    assert_ne!(super::running::fetch(&stage, "/health/verifier").0, 200, "the verifier says that it cannot judge");
}
