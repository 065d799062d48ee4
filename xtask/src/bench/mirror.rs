//! `cargo xtask bench mirror`: what it costs the gateway to ask who is there.
//!
//! The real nginx with the configuration that is shipped, `collimate mirror auth` beside it and an export tree behind it. The same nginx
//! serves the same objects of its cache twice: as it is, and with the one line taken out that asks the verifier. Budgets are raised out of the
//! way, because they would be what is measured. For comparison: nginx that checks bcrypt itself.

use std::os::unix::net::UnixStream;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use testkit::{Exports, Nginx, Sandbox, Server, free_ports, tool};

use crate::arguments::Arguments;
use crate::terminal::{print, say};
use crate::{process, repository, results};

/// The part of the rate without authentication that must be left with it, for the mix.
const GATE: f64 = 0.60;

/// Clients at once: what a gateway sees when every tenant pulls at the full hour.
const CLIENTS: usize = 200;

/// Seconds of each measurement.
const SECONDS: usize = 10;

/// Both sides in turn so often; shown is the round with the middle ratio, because other programs come and go on a machine. Odd.
const ROUNDS: usize = 3;

/// Before each, so that connections and caches are warm.
const WARM_UP: usize = 1;

/// Of the bcrypt hash: the least that is accepted, which is what is fairest to nginx.
const COST: &str = "10";

/// The name in the certificate and in the requests: `wrk` sends the host of its URL as the server's name.
const HOST: &str = "localhost";

const TENANT: &str = "bench";

const INDEX: &str = "/concelier/exports/index.json";
const MANIFEST: &str = "/concelier/exports/mirror/primary/manifest.json";
const BUNDLE: &str = "/concelier/exports/mirror/primary/bundle.json";
const SIGNATURE: &str = "/concelier/exports/mirror/primary/bundle.json.jws";

/// Name, and what is asked for in turn.
const CASES: &[(&str, &[&str])] = &[
    ("1 KB", &[INDEX]),
    ("16 KB", &[MANIFEST]),
    ("256 KB", &[BUNDLE]),
    ("index, manifest, bundle, signature in turn", &[INDEX, MANIFEST, BUNDLE, SIGNATURE]),
];

/// The line that is taken out.
const ASK: &str = "auth_request /_verify;";

/// `cargo xtask bench mirror [--seconds N] [--clients N] [--rounds N] [--program FILE] [--write]`
pub(super) fn run(mut arguments: Arguments) -> Result<ExitCode> {
    let seconds = arguments.number("--seconds")?.unwrap_or(SECONDS).max(1);
    let clients = arguments.number("--clients")?.unwrap_or(CLIENTS).max(2);
    let rounds = arguments.number("--rounds")?.unwrap_or(ROUNDS).max(1);
    let write = arguments.switch("--write");
    let program = arguments.option("--program")?;
    arguments.done()?;
    let program = crate::parity::program(program)?;
    let mut gateway = Gateway::start(&program)?;
    let (report, passed) = gateway.measure(seconds, clients, rounds)?;
    print(&report);
    if write {
        results::replace("mirror", &report)?;
    }
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// How the gateway finds out who is there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asking {
    Nobody,
    Verifier,
    /// bcrypt for every request.
    Itself,
}

struct Gateway {
    // Ends first.
    nginx: Nginx,
    verifier: Server,
    _exports: Exports,
    sandbox: Sandbox,
    wrk: Utf8PathBuf,
    port: u16,
    authorization: String,
}

/// What `wrk` saw.
struct Rate {
    per_second: f64,
    requests: u64,
    /// Processor time of nginx, the verifier and `wrk` for each request, in microseconds: what other programs on the machine do changes it
    /// less than it changes rates.
    work: f64,
    /// Of the verifier alone.
    verifier: f64,
    /// 99 of 100 took no longer, in milliseconds.
    slowest: f64,
    /// Connections that failed, and answers that are neither 2xx nor 3xx.
    errors: Vec<String>,
}

impl Gateway {
    fn start(program: &Utf8Path) -> Result<Self> {
        let need = |name: &str| tool(name).with_context(|| format!("`{name}` is needed to measure"));
        let (wrk, _) = (need("wrk")?, need("nginx")?);
        let sandbox = Sandbox::new();
        let exports = exports();
        let [port, inside] = free_ports();
        settings(&sandbox, &exports.address(), port, inside)?;
        let collimate = |arguments: &[&str]| -> Result<String> {
            let captured = process::capture(
                Command::new(program).args(arguments).current_dir(sandbox.root()),
                Duration::from_secs(60),
            )?;
            if captured.code != Some(0) {
                let said = String::from_utf8_lossy(&captured.stderr).into_owned();
                bail!("`collimate {}` failed:\n{}", arguments.join(" "), said.trim_end());
            }
            Ok(String::from_utf8(captured.stdout)?.trim().to_owned())
        };
        collimate(&["mirror", "render", "--file", "mirror.yaml"])?;
        collimate(&["tls", "mirror", "tls", "--file", "mirror.yaml", "--authority", "certs"])?;
        std::fs::create_dir_all(sandbox.path("secrets"))?;
        let file = "secrets/mirror-primary.htpasswd";
        let password = collimate(&["mirror", "tenant", "add", "primary", TENANT, "--file", file, "--cost", COST])?;
        for folder in ["cache", "run"] {
            std::fs::create_dir_all(sandbox.path(folder))?;
        }
        unlimited(&sandbox)?;

        let socket = sandbox.path("run/verifier.sock");
        let mut command = Command::new(program);
        command.args([
            "mirror",
            "auth",
            "--config",
            "mirror.yaml",
            "--secrets",
            "secrets",
            "--socket",
            socket.as_str(),
        ]);
        let mut verifier = Server::start(command.current_dir(sandbox.root()), sandbox.path("verifier.log"));
        verifier.wait_until(Duration::from_secs(30), || UnixStream::connect(&socket).is_ok());
        let nginx = Nginx::start(&sandbox.path("conf"), &sandbox.path("nginx.log"), &[port])
            .context("`nginx` is needed to measure")?;
        let authorization = format!("Authorization: Basic {}", base64(format!("{TENANT}:{password}").as_bytes()));
        Ok(Self { nginx, verifier, _exports: exports, sandbox, wrk, port, authorization })
    }

    fn measure(&mut self, seconds: usize, clients: usize, rounds: usize) -> Result<(String, bool)> {
        let mut text = format!(
            "{}\n`wrk` on the same machine, TLS, {clients} clients, {seconds} s each, the round of {rounds} with the middle ratio. All objects are in nginx's \
             cache; the four of the mix have 1, 16, 256 and 1 KB. Where there are two numbers, the first is without authentication.\n\n\
             | objects | without authentication | with `collimate mirror auth` | ratio | 99 of 100 within | processor time a request, all of it | … \
             of the verifier |\n\
             |---|---|---|---|---|---|---|\n",
            results::machine()?
        );
        let (mut mixed, mut errors) = (0.0, Vec::new());
        for (name, paths) in CASES {
            let mut measured = Vec::new();
            for round in 1..=rounds {
                say(&format!("{name}: without authentication, then with it ({round} of {rounds})"));
                self.ask(Asking::Nobody)?;
                let without = self.rate(paths, seconds, clients)?;
                self.ask(Asking::Verifier)?;
                let with = self.rate(paths, seconds, clients)?;
                errors.extend(without.errors.iter().map(|error| format!("{name}, without: {error}")));
                errors.extend(with.errors.iter().map(|error| format!("{name}, with: {error}")));
                measured.push((without, with));
            }
            measured.sort_by(|(a, b), (c, d)| (b.per_second / a.per_second).total_cmp(&(d.per_second / c.per_second)));
            let (without, with) = measured.swap_remove(rounds / 2);
            let ratio = with.per_second / without.per_second;
            text.push_str(&format!(
                "| {name} | {}/s | {}/s | **{:.0} %** | {:.1} ms, {:.1} ms | {:.1} µs, {:.1} µs | {:.1} µs |\n",
                thousands(without.per_second),
                thousands(with.per_second),
                ratio * 100.0,
                without.slowest,
                with.slowest,
                without.work,
                with.work,
                with.verifier,
            ));
            if paths.len() > 1 {
                mixed = ratio;
            }
        }
        say("1 KB: nginx checks bcrypt itself");
        self.ask(Asking::Itself)?;
        // So few that none of them waits for longer than `wrk` does.
        let itself = self.rate(&[INDEX], seconds, 8)?;
        text.push_str(&format!(
            "\nOf the mix, **{:.0} %** are left (at least {:.0} % are required), with {}. nginx that checks bcrypt of cost {COST} itself \
             (`auth_basic`, 8 clients): {:.0}/s.\n",
            mixed * 100.0,
            GATE * 100.0,
            if errors.is_empty() { "no error".to_owned() } else { format!("errors: {}", errors.join("; ")) },
            itself.per_second,
        ));
        let passed = mixed >= GATE && errors.is_empty();
        if !passed {
            say(&format!("error: {:.0} % of the mix, {} errors", mixed * 100.0, errors.len()));
        }
        Ok((text, passed))
    }

    /// Makes nginx ask as it should from now on.
    fn ask(&mut self, asking: Asking) -> Result<()> {
        let path = self.sandbox.path("conf/domain-primary.conf");
        let known = self.sandbox.path("domain-primary.shipped");
        if !known.is_file() {
            std::fs::copy(&path, &known)?;
        }
        let shipped = std::fs::read_to_string(&known)?;
        if shipped.matches(ASK).count() != 1 {
            bail!("`{ASK}` does not stand once in `domain-primary.conf`");
        }
        let instead = match asking {
            Asking::Verifier => ASK.to_owned(),
            Asking::Nobody => String::new(),
            Asking::Itself => {
                let file = self.sandbox.path("secrets/mirror-primary.htpasswd");
                format!("auth_basic mirror; auth_basic_user_file {file};")
            }
        };
        std::fs::write(&path, shipped.replace(ASK, &instead))?;
        self.nginx.reload();
        // It must let nobody in who says nothing, or everybody.
        let expected = if asking == Asking::Nobody { "200" } else { "401" };
        let status = self.status("")?;
        if status != expected {
            bail!("without a credential the gateway answers {status} instead of {expected}:\n{}", self.nginx.log());
        }
        let status = self.status(&self.authorization)?;
        if status != "200" {
            bail!("with the tenant's credential the gateway answers {status}:\n{}", self.nginx.log());
        }
        Ok(())
    }

    fn status(&self, header: &str) -> Result<String> {
        let curl = tool("curl").context("`curl` is needed to measure")?;
        let mut command = Command::new(curl);
        command.args(["--silent", "--insecure", "--output", "/dev/null", "--write-out", "%{http_code}"]);
        if !header.is_empty() {
            command.args(["--header", header]);
        }
        let captured = process::capture(command.arg(self.url(INDEX)), Duration::from_secs(30))?;
        Ok(String::from_utf8_lossy(&captured.stdout).into_owned())
    }

    fn url(&self, path: &str) -> String {
        format!("https://{HOST}:{}{path}", self.port)
    }

    fn rate(&self, paths: &[&str], seconds: usize, clients: usize) -> Result<Rate> {
        let script = self.sandbox.path("paths.lua");
        let listed: Vec<String> = paths.iter().map(|path| format!("\"{path}\"")).collect();
        std::fs::write(
            &script,
            format!(
                "local paths = {{{}}}\nlocal next = 0\nrequest = function()\n  next = next % #paths + 1\n  return wrk.format(nil, paths[next])\nend\n",
                listed.join(", ")
            ),
        )?;
        let run = |seconds: usize| -> Result<String> {
            let mut command = Command::new(&self.wrk);
            command.args(["--threads", "2", "--connections", &clients.to_string(), "--timeout", "20s", "--latency"]);
            command.args(["--duration", &format!("{seconds}s"), "--header", &self.authorization]);
            if paths.len() > 1 {
                command.args(["--script", script.as_str()]);
            }
            let limit = Duration::from_secs(seconds as u64 + 60);
            let captured = process::capture(command.arg(self.url(paths[0])), limit)?;
            if captured.code != Some(0) {
                bail!("`wrk` failed:\n{}", String::from_utf8_lossy(&captured.stderr).trim_end());
            }
            Ok(String::from_utf8_lossy(&captured.stdout).into_owned())
        };
        run(WARM_UP)?;
        let before = self.processor_time()?;
        let mut rate = Rate::read(&run(seconds)?)?;
        let after = self.processor_time()?;
        let each = 1e6 / rate.requests.max(1) as f64;
        rate.verifier = (after.verifier - before.verifier) * each;
        rate.work = (after.total() - before.total()) * each;
        Ok(rate)
    }

    fn processor_time(&self) -> Result<Work> {
        let children = getrusage(UsageWho::RUSAGE_CHILDREN)?;
        let seconds = |time: TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
        let mut nginx = 0.0;
        for worker in self.nginx.workers() {
            nginx += processor_time(worker)?;
        }
        Ok(Work {
            nginx,
            verifier: processor_time(self.verifier.id())?,
            wrk: seconds(children.user_time()) + seconds(children.system_time()),
        })
    }
}

/// Seconds of processor time up to a moment.
struct Work {
    nginx: f64,
    verifier: f64,
    /// Of all children that have ended; while it is measured, that is `wrk`.
    wrk: f64,
}

impl Work {
    fn total(&self) -> f64 {
        self.nginx + self.verifier + self.wrk
    }
}

/// Seconds of processor time that the threads of a process have had.
fn processor_time(process: u32) -> Result<f64> {
    let mut total = 0.0;
    for task in std::fs::read_dir(format!("/proc/{process}/task"))? {
        let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
        let nanoseconds: f64 =
            text.split(' ').next().unwrap_or_default().parse().context("`schedstat` has no number")?;
        total += nanoseconds / 1e9;
    }
    Ok(total)
}

impl Rate {
    fn read(text: &str) -> Result<Self> {
        let lines = || text.lines().map(str::trim);
        let after = |prefix: &str| lines().find_map(|line| line.strip_prefix(prefix)).map(str::trim);
        let per_second = after("Requests/sec:").and_then(|rate| rate.parse().ok());
        let requests = lines().find_map(|line| line.split_once(" requests in ")?.0.parse().ok());
        let slowest = after("99%").and_then(milliseconds);
        let errors = lines().filter(|line| line.starts_with("Socket errors:") || line.starts_with("Non-2xx or 3xx"));
        let (Some(per_second), Some(requests), Some(slowest)) = (per_second, requests, slowest) else {
            bail!("`wrk` says something that is not understood:\n{text}");
        };
        Ok(Self {
            per_second,
            requests,
            slowest,
            work: 0.0,
            verifier: 0.0,
            errors: errors.map(str::to_owned).collect(),
        })
    }
}

/// `812.00us`, `3.41ms`, `1.20s`, in milliseconds.
fn milliseconds(text: &str) -> Option<f64> {
    let number = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let scale = match &text[number.len()..] {
        "us" => 0.001,
        "ms" => 1.0,
        "s" => 1000.0,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * scale)
}

/// `58210` as `58,210`.
fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Objects of the sizes that are measured; what stands in them does not matter to a gateway.
fn exports() -> Exports {
    let exports = Exports::start();
    for (path, kib) in [(INDEX, 1), (MANIFEST, 16), (BUNDLE, 256), (SIGNATURE, 1)] {
        exports.replace(path, vec![b'x'; kib << 10]);
    }
    exports
}

/// `mirror.yaml` as it is shipped: only names, paths, ports and what limits a single client are this measurement's.
fn settings(sandbox: &Sandbox, source: &str, port: u16, inside: u16) -> Result<()> {
    let shipped = repository::root()?.join("deploy/mirror.yaml");
    let shipped = std::fs::read_to_string(&shipped).with_context(|| format!("cannot read `{shipped}`"))?;
    let (compose, _) = shipped.split_once("  helm:\n").context("`deploy/mirror.yaml` has no deployment `helm`")?;
    let place = |name: &str| sandbox.path(name);
    let gateway = format!(
        "gateway:\n  tls: {}\n  cache: {}\n  run: {}\n  access_log: {}\n  https_port: {port}\n  inside_port: {inside}\n",
        place("tls"),
        place("cache"),
        place("run"),
        place("access.log"),
    );
    sandbox.write("mirror.yaml", format!("{compose}{gateway}"));
    sandbox.replace("mirror.yaml", "host: mirror-primary.stella-ops.org", &format!("host: {HOST}"));
    sandbox.replace("mirror.yaml", "deploy/compose/mirror-gateway/conf", "conf");
    sandbox.replace("mirror.yaml", "deploy/compose/mirror-gateway/env", "env");
    for service in ["concelier", "excititor"] {
        let text = sandbox.read("mirror.yaml");
        let (_, rest) = text.split_once(&format!("{service}: \"")).context("`upstreams` is spelled differently")?;
        let address = rest.split('"').next().unwrap_or_default().to_owned();
        sandbox.replace("mirror.yaml", &format!("{service}: \"{address}\""), &format!("{service}: \"{source}\""));
    }
    // All clients come from one address and are one tenant.
    sandbox.replace("mirror.yaml", "connections: 64", "connections: 10000");
    sandbox.replace("mirror.yaml", "burst: 100,", "burst: 10000,");
    sandbox.replace("mirror.yaml", "tenants: {burst: 20}", "tenants: {burst: 10000}");
    // So that no object leaves the cache while it is measured.
    sandbox.replace("mirror.yaml", "index: 1m ", "index: 1h ");
    sandbox.replace("mirror.yaml", "bundle: 2m ", "bundle: 1h ");
    Ok(())
}

/// Rates beyond what `mirror.yaml` allows: one tenant at one address asks for what all together ask for. The limits stay and are looked at for
/// every request.
fn unlimited(sandbox: &Sandbox) -> Result<()> {
    let path = "conf/limits.conf";
    let mut text = String::new();
    for line in sandbox.read(path).lines() {
        match line.split_once(" rate=") {
            Some((before, _)) => text.push_str(&format!("{before} rate=1000000r/s;\n")),
            None => text.push_str(&format!("{line}\n")),
        }
    }
    if text.matches("rate=1000000r/s").count() < 3 {
        bail!("the limits of `limits.conf` are not where they are looked for");
    }
    sandbox.write(path, text);
    Ok(())
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for digit in 0..4 {
            let is_padding = digit > group.len();
            text.push(if is_padding { '=' } else { char::from(ALPHABET[(bits >> (18 - 6 * digit) & 63) as usize]) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrk_is_understood() {
        let text = "\
Running 10s test @ https://localhost:1/x
  2 threads and 200 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     4.79ms    1.02ms  31.23ms   90.55%
    Req/Sec    20.86k     1.68k   23.17k    85.50%
  Latency Distribution
     50%    4.65ms
     75%    5.03ms
     90%    5.54ms
     99%    8.84ms
  415113 requests in 10.01s, 511.01MB read
  Socket errors: connect 0, read 3, write 0, timeout 0
  Non-2xx or 3xx responses: 7
Requests/sec:  41479.12
Transfer/sec:     51.06MB
";
        let rate = Rate::read(text).unwrap();
        assert_eq!((rate.requests, thousands(rate.per_second).as_str(), rate.slowest), (415_113, "41,479", 8.84));
        assert_eq!(
            rate.errors,
            ["Socket errors: connect 0, read 3, write 0, timeout 0", "Non-2xx or 3xx responses: 7"]
        );
        assert!(Rate::read("unable to connect").is_err());
    }

    #[test]
    fn numbers_are_read_and_written() {
        assert_eq!(
            [milliseconds("812.00us"), milliseconds("1.20s"), milliseconds("3")],
            [Some(0.812), Some(1200.0), None]
        );
        assert_eq!([thousands(7.4), thousands(999.6), thousands(1_234_567.0)], ["7", "1,000", "1,234,567"]);
        assert_eq!([base64(b"a:b"), base64(b"a:bc"), base64(b"a:bcd")], ["YTpi", "YTpiYw==", "YTpiY2Q="]);
    }
}
