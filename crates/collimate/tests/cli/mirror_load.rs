//! The gateway as it is shipped, with the real nginx and the real verifier, when many come at once and when parts of it die. What it costs
//! is measured by `cargo xtask bench mirror`.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};

use mirror::htpasswd::{Hash, Password};
use testkit::{Exports, Misbehaviour, Recipe};

use crate::mirror_auth::world::{Verifier, basic, wait_until};
use crate::mirror_gateway::request::Request;
use crate::mirror_gateway::stage::{ACME, BUNDLE, MANIFEST, Plan, Stage};

/// A line for who is written as `name:password`, of the lowest cost there is.
fn line(user: &str) -> String {
    let (name, password) = user.split_once(':').unwrap();
    let password = Password::chosen(password.to_owned().into(), name).unwrap();
    format!("{name}:{}\n", Hash::bcrypt(&password, 4, [1; 16]).reveal())
}

/// A gateway that asks a real verifier.
fn staged(plan: Plan, exports: Exports) -> Option<(Stage, Verifier)> {
    let stage = plan.without_verifier().start_before(exports)?;
    stage.sandbox.write("secrets/mirror-primary.htpasswd", line(ACME));
    stage.sandbox.write("secrets/mirror-community.htpasswd", "");
    let verifier = Verifier::start_at(&stage.sandbox, "run/verifier.sock", &["--config", "mirror.yaml"]);
    Some((stage, verifier))
}

/// Nobody is refused for coming often: these tests come often.
fn without_budgets(plan: Plan) -> Plan {
    plan.set("connections: 64", "connections: 10000")
        .without("domain-primary.conf", "limit_req zone=addresses burst=100 nodelay;")
        .without("domain-primary.conf", "limit_req zone=downloads_primary burst=20 nodelay;")
}

fn bundle_of(bytes: usize) -> Exports {
    let mut recipe = Recipe::default();
    recipe.domain("primary").bundle_size = Some(bytes);
    Exports::start_with(recipe)
}

#[test]
fn two_hundred_clients_get_no_error() {
    let Some(wrk) = testkit::tool("wrk") else { return };
    // `wrk` looks the name up and tells the server the name in its URL.
    let plan = without_budgets(Plan::new()).set("host: mirror-primary.stella-ops.org", "host: localhost");
    let Some((stage, verifier)) = staged(plan, Exports::start()) else { return };
    let warm = stage.get(MANIFEST).host("localhost").send();
    assert_eq!((warm.status, warm.cache()), (200, "MISS"), "{warm:?}");
    let before = verifier.processor_time();
    let authorization = format!("Authorization: {}", basic("acme", &ACME[5..]));
    let run = |header: &str| {
        let mut command = Command::new(&wrk);
        command.args(["-t", "2", "-c", "200", "-d", "2s", "--timeout", "30s", "-H", header]);
        let output = command.arg(format!("https://localhost:{}{MANIFEST}", stage.https)).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let requests = text.lines().find_map(|line| line.trim().split_once(" requests in ")?.0.parse::<u64>().ok());
        (requests.unwrap_or(0), text)
    };
    let (requests, text) = run(&authorization);
    assert!(requests >= 200, "{text}");
    assert!(!text.contains("Socket errors") && !text.contains("Non-2xx"), "{text}\n{}", stage.nginx.log());
    let each = (verifier.processor_time() - before) / requests;
    // The verifier was asked, and not by bcrypt each time.
    assert!((1_000..500_000).contains(&each), "{each} ns of the verifier for each of {requests} requests");
    assert!(!verifier.log().contains("warning") && !verifier.log().contains("error"), "{}", verifier.log());
    assert_eq!(stage.exports.count(MANIFEST), 1);
    // And with a wrong password every single one is refused.
    let wrong = format!("Authorization: {}", basic("acme", "correct-horse-wrong"));
    let (requests, text) = run(&wrong);
    assert!(requests >= 200 && text.contains(&format!("Non-2xx or 3xx responses: {requests}")), "{text}");
}

/// Starts a request whose answer is read from a pipe.
fn begin(request: &Request<'_>) -> Child {
    request.clone().args(&["--no-include", "--fail"]).command().stdout(Stdio::piped()).spawn().unwrap()
}

/// Reads a body to its end: how many bytes of it were as expected, and whether it is all of it by `curl`'s word.
fn received(mut child: Child, expected: &[u8]) -> (usize, bool) {
    let mut stdout = child.stdout.take().unwrap();
    let (mut at, mut buffer) = (0, vec![0; 256 << 10]);
    loop {
        match stdout.read(&mut buffer).unwrap() {
            0 => break,
            read => {
                assert!(expected.get(at..at + read) == Some(&buffer[..read]), "other bytes after {at}");
                at += read;
            }
        }
    }
    (at, child.wait().unwrap().success())
}

#[test]
fn a_hundred_clients_fetch_a_cold_bundle_once() {
    const SIZE: usize = 50 << 20;
    let Some((stage, _verifier)) = staged(without_budgets(Plan::new()), bundle_of(SIZE)) else { return };
    let expected = stage.exports.file(BUNDLE);
    assert_eq!(expected.len(), SIZE);
    let requests: Vec<Child> = (0..100).map(|_| begin(&stage.get(BUNDLE))).collect();
    std::thread::scope(|scope| {
        for child in requests {
            scope.spawn(|| assert_eq!(received(child, &expected), (SIZE, true)));
        }
    });
    assert_eq!(stage.exports.count(BUNDLE), 1, "requests to the source");
    assert_eq!(stage.exports.bytes(BUNDLE), SIZE, "bytes from the source");
}

#[test]
fn nobody_takes_a_cut_bundle_for_whole() {
    const SIZE: usize = 16 << 20;
    let Some((stage, _verifier)) = staged(without_budgets(Plan::new()), bundle_of(SIZE)) else { return };
    let expected = stage.exports.file(BUNDLE);
    // So slow that it is still under way when the first bytes have arrived.
    stage.exports.misbehave(BUNDLE, Misbehaviour::Slow(2 << 20));
    let mut first = begin(&stage.get(BUNDLE));
    let mut begun = vec![0; 64 << 10];
    first.stdout.as_mut().unwrap().read_exact(&mut begun).unwrap();
    assert!(begun == expected[..begun.len()]);
    let others: Vec<Child> = (0..20).map(|_| begin(&stage.get(BUNDLE))).collect();
    stage.exports.down();
    let (more, is_whole) = received(first, &expected[begun.len()..]);
    assert!(!is_whole && begun.len() + more < SIZE, "{more} more bytes, taken for whole: {is_whole}");
    for other in others {
        let (bytes, is_whole) = received(other, &expected);
        assert!(!is_whole, "{bytes} bytes are taken for whole");
    }
    stage.exports.heal();
    stage.exports.up();
    wait_until("the source is asked again", || received(begin(&stage.get(BUNDLE)), &expected) == (SIZE, true));
}

#[test]
fn a_killed_verifier_closes_the_gateway() {
    let Some((stage, mut verifier)) = staged(without_budgets(Plan::new()), Exports::start()) else { return };
    let good = stage.get(MANIFEST).send();
    assert_eq!(good.status, 200, "{good:?}");
    assert_eq!(stage.anonymous(MANIFEST).user("acme:correct-horse-wrong").send().status, 401);
    verifier.server.kill();
    for request in [stage.get(MANIFEST), stage.get(BUNDLE), stage.anonymous(MANIFEST)] {
        for _ in 0..3 {
            let answer = request.send();
            assert_eq!((answer.status, answer.error().as_str()), (503, "verifier"), "{answer:?}");
            assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
        }
    }
    // nginx is not told: it finds the new one at the socket's path.
    let verifier = Verifier::start_at(&stage.sandbox, "run/verifier.sock", &["--config", "mirror.yaml"]);
    wait_until("the new verifier is asked", || stage.get(MANIFEST).send().status == 200);
    let again = stage.get(MANIFEST).send();
    assert_eq!((again.status, again.cache(), &again.body), (200, "HIT", &good.body));
    // Ended as it should be, it leaves connections behind that nginx must not trip over.
    verifier.signal("TERM");
    wait_until("the socket is gone", || !stage.sandbox.path("run/verifier.sock").exists());
    let _verifier = Verifier::start_at(&stage.sandbox, "run/verifier.sock", &["--config", "mirror.yaml"]);
    wait_until("the third verifier is asked", || stage.get(MANIFEST).send().status == 200);
}

#[test]
fn tenants_come_and_go_behind_the_gateway() {
    let Some((stage, _verifier)) = staged(without_budgets(Plan::new()), Exports::start()) else { return };
    let file = "secrets/mirror-primary.htpasswd";
    let gamma = "gamma:correct-horse-gamma";
    assert_eq!(stage.get(MANIFEST).send().status, 200);
    assert_eq!(stage.anonymous(MANIFEST).user(gamma).send().status, 401);
    stage.sandbox.write(file, line(ACME) + &line(gamma));
    wait_until("the new tenant is let in", || stage.anonymous(MANIFEST).user(gamma).send().status == 200);
    stage.sandbox.write(file, line(gamma));
    wait_until("the old tenant is out", || stage.get(MANIFEST).send().status == 401);
    stage.sandbox.write(file, line(gamma) + "damaged\n");
    wait_until("the domain is closed", || stage.anonymous(MANIFEST).user(gamma).send().status == 503);
    stage.sandbox.write(file, line(gamma));
    wait_until("the domain is open", || stage.anonymous(MANIFEST).user(gamma).send().status == 200);
    let tenants: Vec<String> = stage.log().iter().map(|line| line["tenant"].as_str().unwrap().to_owned()).collect();
    assert!(tenants.contains(&"acme".to_owned()) && tenants.contains(&"gamma".to_owned()), "{tenants:?}");
}
