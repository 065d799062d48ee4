//! What an operator sees of a gateway that runs: the access log, health and status, a reload.

use testkit::Cli;

use super::stage::{ACME, BUNDLE, COMMUNITY, DELTA, INDEX, MANIFEST, PRIMARY, Stage};
use super::{check, ensure};

check! {
    /// The access log: one JSON object for each request, with tenant, cache state, bytes, times.
    the_access_log_tells_what_happened(stage) with |plan| plan => {
        let body = stage.get(MANIFEST).header("User-Agent: agent \"with\" \\ and \u{e4}").send().body;
        stage.get(MANIFEST).send();
        stage.anonymous(INDEX).user("acme:planted-wrong").send();
        stage.anonymous(INDEX).host(COMMUNITY).user(DELTA).from("127.0.0.7").send();
        let lines = stage.logged(4);
        let expected = [
            ("primary", "acme", "127.0.0.1", MANIFEST, 200, "MISS", ""),
            ("primary", "acme", "127.0.0.1", MANIFEST, 200, "HIT", ""),
            ("primary", "", "127.0.0.1", INDEX, 401, "", "credentials"),
            ("community", "delta", "127.0.0.7", INDEX, 200, "MISS", ""),
        ];
        let mut found = Vec::new();
        for (domain, tenant, address, path, status, cache, refusal) in expected {
            // A busy worker may write its line after that of the next answer.
            let is_it = |line: &&serde_json::Value| line["path"] == path && line["status"] == status && line["cache"] == cache;
            let Some(line) = lines.iter().find(is_it) else { return Err(format!("no line for {status} {cache} of `{path}`: {lines:?}")) };
            found.push(line.clone());
            let text = |name: &str| line[name].as_str().unwrap_or("not a text").to_owned();
            let said = [text("domain"), text("tenant"), text("address"), text("refusal"), text("method")];
            ensure!(said == [domain, tenant, address, refusal, "GET"], "{line}");
            ensure!(line["seconds"].is_f64() && text("time").len() == "2026-01-01T00:00:00+00:00".len(), "{line}");
            let names: Vec<&String> = line.as_object().map(|object| object.keys().collect()).unwrap_or_default();
            ensure!(names.len() == 13, "{names:?}");
        }
        let lines = found;
        ensure!(lines[0]["bytes"] == body.len() && lines[0]["agent"] == "agent \"with\" \\ and \u{e4}", "{}", lines[0]);
        ensure!(lines[0]["upstream_seconds"] != "" && lines[1]["upstream_seconds"] == "", "{} {}", lines[0], lines[1]);
        Ok(())
    }
}

check! {
    /// Never a password, in no spelling, and never a query string.
    the_logs_have_no_secret(stage) with |plan| plan.set("tenants: {burst: 20}", "tenants: {burst: 1}") => {
        let secret = "planted-pa55word";
        let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("acme:{secret}"));
        for _ in 0..5 {
            stage.anonymous(MANIFEST).user(&format!("acme:{secret}")).send();
        }
        let query = format!("{MANIFEST}?token={secret}");
        stage.get(&query).send();
        stage.get(&query).send();
        stage.anonymous("/nothing?token=planted-pa55word").header(&format!("Authorization: Bearer {secret}")).send();
        stage.anonymous(&query).user(&format!("acme:{secret}")).args(&["--request", "POST"]).send();
        stage.logged(9);
        for text in [stage.sandbox.read("access.log"), stage.nginx.log()] {
            ensure!(!text.contains(secret) && !text.contains(&encoded), "{text}");
        }
        ensure!(!stage.sandbox.read("access.log").contains("token="), "a query string is logged");
        Ok(())
    }
}

check! {
    /// Health says that the gateway runs, whatever is the matter with its sources; the port of tenants knows neither health nor status.
    health_is_for_the_inside(stage) with |plan| plan => {
        let inside = |stage: &Stage, path: &str| fetch(stage, path);
        ensure!(inside(&stage, "/health") == (200, "ok\n".to_owned()), "health");
        ensure!(inside(&stage, "/health/verifier").0 == 200, "the verifier's health");
        let status = inside(&stage, "/status");
        ensure!(status.0 == 200 && status.1.starts_with("Active connections: "), "{status:?}");
        ensure!(inside(&stage, MANIFEST).0 == 404, "no content inside");
        for path in ["/health", "/health/verifier", "/status"] {
            ensure!(stage.get(path).send().status == 404, "tenants see `{path}`");
        }
        stage.exports.down();
        ensure!(inside(&stage, "/health").0 == 200, "health without a source");
        ensure!(stage.log().iter().all(|line| line["path"] != "/health" || line["status"] == 404), "health fills the log");
        Ok(())
    }
}

check! {
    /// Others than the inside do not see the status.
    status_is_for_these_networks(stage) with |plan| plan.gateway("inside: [127.0.0.1]") => {
        ensure!(fetch(&stage, "/status").0 == 200, "one of the inside");
        let other = curl(&stage, "/status", &["--interface", "127.0.0.5"]);
        ensure!(other.0 == 403 && !other.1.contains("Active"), "{other:?}");
        ensure!(curl(&stage, "/health/verifier", &["--interface", "127.0.0.5"]).0 == 403, "the verifier's health");
        Ok(())
    }
}

check! {
    /// Nobody says by a header from where they come.
    addresses_are_not_believed(stage) with |plan| plan => {
        stage.get(MANIFEST).header("X-Forwarded-For: 192.0.2.1").header("X-Real-IP: 192.0.2.1").header("Forwarded: for=192.0.2.1").send();
        let line = stage.line(MANIFEST, 200);
        ensure!(line["address"] == "127.0.0.1", "{line}");
        Ok(())
    }
}

check! {
    /// Behind load balancers that speak the PROXY protocol, it is they who say it, and who does not speak it gets no answer.
    load_balancers_say_who_asks(stage) with |plan| plan.set("resolver: 127.0.0.11", "proxies: [127.0.0.1]\n    resolver: 127.0.0.11") => {
        let plain = stage.get(MANIFEST).send();
        ensure!(plain.status == 0 && plain.exit != 0, "{plain:?}");
        let answer = stage.get(MANIFEST).args(&["--haproxy-protocol"]).send();
        ensure!(answer.status == 200, "{answer:?}");
        // Of another one nothing is believed: its own address counts.
        ensure!(stage.get(INDEX).args(&["--haproxy-protocol"]).from("127.0.0.8").send().status == 200, "another one");
        let line = stage.line(INDEX, 200);
        ensure!(line["address"] == "127.0.0.8", "{line}");
        Ok(())
    }
}

check! {
    /// New certificates are read at a reload, and no request is lost by it; old workers end.
    a_reload_takes_new_certificates(stage) with |plan| plan => {
        let mut stage = stage;
        let serial = |stage: &Stage| {
            let said = stage.handshake(&["-servername", PRIMARY]);
            said.split("-----BEGIN CERTIFICATE-----").nth(1).unwrap_or_default().get(..500).unwrap_or_default().to_owned()
        };
        let before = serial(&stage);
        ensure!(stage.get(MANIFEST).send().status == 200, "before");
        let arguments = ["tls", "mirror", "tls", "--file", "mirror.yaml", "--authority", "certs", "--renew"];
        Cli::new(env!("CARGO_BIN_EXE_collimate")).folder(stage.sandbox.root()).args(arguments).any_stdout().any_stderr().run();
        ensure!(serial(&stage) == before, "without a reload nothing changes");
        stage.nginx.reload();
        ensure!(serial(&stage) != before && !before.is_empty(), "after a reload it is another one");
        let answer = stage.get(MANIFEST).send();
        ensure!(answer.status == 200 && answer.cache() == "HIT", "the cache is there still: {answer:?}");
        Ok(())
    }
}

check! {
    /// What is in the cache is there after a restart too.
    the_cache_outlives_the_process(stage) with |plan| plan => {
        let stage = stage;
        let first = stage.get(BUNDLE).send();
        let Stage { nginx, door, exports, sandbox, https, inside, curl } = stage;
        drop(nginx);
        let nginx = testkit::Nginx::start(&sandbox.path("conf"), &sandbox.path("nginx.log"), &[https, inside]);
        let Some(nginx) = nginx else { return Ok(()) };
        let stage = Stage { nginx, door, exports, sandbox, https, inside, curl };
        // The cache is read in the background; until then nginx looks on disk.
        let second = stage.anonymous(BUNDLE).user(ACME).send();
        ensure!(second.cache() == "HIT" && second.body == first.body, "{second:?}");
        Ok(())
    }
}

/// An answer of the inside port: status and body.
pub(super) fn fetch(stage: &Stage, path: &str) -> (u16, String) {
    curl(stage, path, &[])
}

fn curl(stage: &Stage, path: &str, arguments: &[&str]) -> (u16, String) {
    let url = format!("http://127.0.0.1:{}{path}", stage.inside);
    let mut command = std::process::Command::new(&stage.curl);
    command.args(["--silent", "--max-time", "30", "--write-out", "\n%{http_code}"]).args(arguments).arg(url);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (body, status) = text.rsplit_once('\n').unwrap_or(("", "0"));
    (status.parse().unwrap_or(0), body.to_owned())
}
