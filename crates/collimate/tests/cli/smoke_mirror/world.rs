//! A good mirror, and the program pointed at it: each test breaks one thing.

use std::str::FromStr as _;

use certificates::{Algorithm, Authority, Issued, Leaf, San, Usage, Validity};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use testkit::{Asked, Cli, Exports, FrontAnswer, FrontDomain, MirrorFront, Output, Recipe, Sandbox};

pub(super) const PASSWORD: &str = "planted-pa55word";
pub(super) const USER: &str = "acme";

pub(super) const INDEX: &str = "/concelier/exports/index.json";
pub(super) const MANIFEST: &str = "/concelier/exports/mirror/primary/manifest.json";
pub(super) const BUNDLE: &str = "/concelier/exports/mirror/primary/bundle.json";
pub(super) const JWS: &str = "/concelier/exports/mirror/primary/bundle.json.jws";
pub(super) const VEX: &str = "/excititor/mirror/domains";
pub(super) const VEX_INDEX: &str = "/excititor/mirror/domains/primary/index";
pub(super) const VEX_EXPORT: &str = "/excititor/mirror/domains/primary/exports/openvex-1";

pub(super) struct World {
    pub(super) sandbox: Sandbox,
    pub(super) authority: Authority,
    pub(super) exports: Exports,
    pub(super) front: MirrorFront,
}

/// What a run said.
pub(super) struct Run {
    pub(super) output: Output,
    pub(super) json: Value,
}

pub(super) fn host(id: &str) -> String {
    format!("mirror-{id}.test")
}

/// Hours from now.
pub(super) fn hours(from: i64, until: i64) -> Validity {
    let at = |hours| Timestamp::now() + SignedDuration::from_hours(hours);
    Validity { not_before: at(from), not_after: at(until) }
}

pub(super) fn issue(authority: &Authority, name: &str, validity: Validity) -> Issued {
    let leaf = Leaf {
        common_name: name.to_owned(),
        sans: vec![San::from_str(name).unwrap()],
        usages: vec![Usage::Server],
        algorithm: Algorithm::P256,
        validity,
    };
    authority.issue(&leaf).unwrap()
}

pub(super) fn new_authority() -> Authority {
    Authority::new(Algorithm::P256, hours(-1000, 1000)).unwrap()
}

pub(super) fn domain(authority: &Authority, id: &str, password: &str) -> FrontDomain {
    let issued = issue(authority, &host(id), hours(-1, 24));
    FrontDomain {
        id: id.to_owned(),
        host: host(id),
        user: USER.to_owned(),
        password: password.to_owned(),
        certificate: issued.certificate_pem.clone(),
        key: issued.key.reveal().to_owned(),
    }
}

impl World {
    /// Two domains; the tenant belongs to the first, and somebody of the same name with another password to the second.
    pub(super) fn new() -> Self {
        Self::with(Recipe::default())
    }

    pub(super) fn with(recipe: Recipe) -> Self {
        let (sandbox, authority, exports) = (Sandbox::new(), new_authority(), Exports::start_with(recipe));
        let domains = vec![domain(&authority, "primary", PASSWORD), domain(&authority, "community", "another")];
        let front = MirrorFront::start(exports.port(), domains);
        sandbox.write("ca.crt", authority.certificate_pem()).write("password", format!("{PASSWORD}\n"));
        sandbox.write("key.pub", exports.public_key());
        Self { sandbox, authority, exports, front }
    }

    /// Everything named, everything right, but for key and format.
    pub(super) fn bare(&self) -> Cli {
        self.at("primary", self.front.port())
    }

    pub(super) fn at(&self, id: &str, port: u16) -> Cli {
        let (url, connect) = (format!("https://{}", host(id)), format!("127.0.0.1:{port}"));
        cli().folder(self.sandbox.root()).args(["--url", &url, "--connect", &connect, "--ca", "ca.crt"])
    }

    pub(super) fn cli(&self) -> Cli {
        self.waiting("30")
    }

    /// With so many seconds for what is put off.
    pub(super) fn waiting(&self, seconds: &str) -> Cli {
        let other = format!("https://{}", host("community"));
        let cli = self.bare().args(["--domain", "primary", "--user", USER, "--password-file", "password"]);
        cli.args(["--key", "key.pub", "--other-url", &other, "--wait", seconds])
    }

    /// Changes answers on their way out.
    pub(super) fn twist(&self, twist: impl Fn(&Asked, &str, &mut FrontAnswer) + Send + Sync + 'static) -> &Self {
        self.front.twist(twist);
        self
    }

    /// Changes answers to the tenant's own GET of a path.
    pub(super) fn twist_get(
        &self,
        path: &'static str,
        twist: impl Fn(&mut FrontAnswer) + Send + Sync + 'static,
    ) -> &Self {
        self.twist(move |asked, _, answer| {
            if asked.path == path && asked.method == "GET" && answer.status < 400 {
                twist(answer);
            }
        })
    }

    #[track_caller]
    pub(super) fn run(&self) -> Run {
        Run::of(&self.cli())
    }

    /// The whole run ends so, with exactly these findings, and everything is good again.
    #[track_caller]
    pub(super) fn check(&self, name: &str, exit: i32, kinds: &[&str]) -> Run {
        let run = self.run();
        run.is(name, exit, kinds);
        self.front.heal();
        self.exports.heal();
        run
    }
}

pub(super) fn cli() -> Cli {
    Cli::new(env!("CARGO_BIN_EXE_collimate")).args(["smoke", "mirror"])
}

impl Run {
    /// Runs it, and proves that the password is in nothing that it wrote.
    #[track_caller]
    pub(super) fn of(cli: &Cli) -> Self {
        let output = cli.clone().args(["--format", "json"]).output();
        // `acme:planted-pa55word`
        for secret in [PASSWORD, "YWNtZTpwbGFudGVkLXBhNTV3b3Jk"] {
            assert!(!output.stdout.contains(secret) && !output.stderr.contains(secret), "a secret is in:\n{output}");
        }
        let json = serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output}"));
        Self { output, json }
    }

    /// The names of all findings, sorted, each once.
    pub(super) fn kinds(&self) -> Vec<&str> {
        let findings = self.json["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut kinds: Vec<&str> = findings.iter().filter_map(|finding| finding["kind"].as_str()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    #[track_caller]
    pub(super) fn is(&self, name: &str, exit: i32, kinds: &[&str]) -> &Self {
        assert_eq!((self.output.exit, self.kinds()), (exit, kinds.to_vec()), "{name}:\n{}", self.output);
        for finding in self.json["findings"].as_array().unwrap() {
            assert!(finding["help"].as_str().is_some_and(|help| !help.is_empty()), "{name}: no way out");
        }
        self
    }

    /// A row's outcome and verdict.
    #[track_caller]
    pub(super) fn row(&self, name: &str) -> (&str, &str) {
        let rows = self.json["tables"]["checks"].as_array().unwrap();
        let row =
            rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("no `{name}`:\n{}", self.output));
        (row["outcome"].as_str().unwrap(), row["verdict"].as_str().unwrap())
    }

    /// The message of the only finding.
    #[track_caller]
    pub(super) fn says(&self, text: &str) -> &Self {
        let messages = self.json["findings"].to_string();
        assert!(messages.contains(text), "`{text}` is not in\n{}", self.output);
        self
    }
}
