//! A workspace that asks for approvals and signatures, and people with keys.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use rollout::{Approval, Hash, Moment, Plan, Statement};
use signing::PrivateKey;
use testkit::Output;

use crate::rollout::fixture::Fixture;

pub(super) const TRUST: &str = "trust.yaml";

/// Name, seed of the key, roles, and what else `trust.yaml` says.
pub(super) type Person<'a> = (&'a str, u8, &'a str, &'a str);

pub(super) const PEOPLE: [Person<'static>; 4] = [
    ("alice", 1, "[lead, releaser]", ""),
    ("bob", 2, "[lead]", ""),
    ("carol", 3, "[security]", ""),
    ("dave", 4, "[releaser]", ""),
];

pub(super) fn key(seed: u8) -> PrivateKey {
    PrivateKey::from_seed(&[seed; 32])
}

pub(super) fn trust(people: &[Person<'_>]) -> String {
    let mut text = "schema: 1\nkeys:\n".to_owned();
    for (name, seed, roles, more) in people {
        let pem = key(*seed).public().to_pem();
        let line = pem.lines().nth(1).unwrap();
        let days = if more.contains("until:") { "" } else { ", from: 2020-01-01, until: 2999-12-31" };
        text.push_str(&format!("  - {{name: {name}, roles: {roles}, key: \"{line}\"{days}{more}}}\n"));
    }
    text
}

pub(super) struct World {
    pub(super) fixture: Fixture,
}

impl World {
    /// `stable` has these gates; alice runs the program.
    pub(super) fn new(gates: &str) -> Self {
        let fixture = Fixture::new();
        fixture.sandbox.replace("collimate.yaml", "    rings:", &format!("    gates: {gates}\n    rings:"));
        fixture.sandbox.replace("collimate.yaml", "schema: 1\n", "schema: 1\ntrust: trust.yaml\n");
        fixture.sandbox.write(TRUST, trust(&PEOPLE));
        for (name, seed, ..) in PEOPLE {
            fixture.sandbox.write(format!("{name}.key"), key(seed).to_pem().as_str());
        }
        fixture.sandbox.write("mallory.key", key(9).to_pem().as_str());
        Self { fixture }
    }

    pub(super) fn run(&self, arguments: &[&str], exit: i32) -> Output {
        self.fixture.run(arguments, exit)
    }

    /// Writes the plan of the promotion.
    pub(super) fn plan(&self) -> Plan {
        self.run(&["promote", "edge", "stable", "--dry-run", "--plan", "plan.json"], 0);
        Plan::parse(self.fixture.sandbox.read("plan.json").as_bytes()).unwrap()
    }

    /// Lets somebody approve it; gives the file.
    #[track_caller]
    pub(super) fn approve(&self, name: &str) -> String {
        self.run(&["approve", "plan.json", "--key", &format!("{name}.key")], 0);
        format!("plan.json.{name}.approval")
    }

    /// Writes an approval that this program would not make.
    pub(super) fn forge(&self, file: &str, approval: &Approval) {
        self.fixture.sandbox.write(file, approval.to_json());
    }

    /// Tries the promotion with these approvals.
    pub(super) fn promote(&self, approvals: &[&str], exit: i32) -> Output {
        let mut arguments = vec!["promote", "edge", "stable"];
        arguments.extend(approvals.iter().flat_map(|file| ["--approval", file]));
        self.run(&arguments, exit)
    }

    /// Nothing was written, and the reason is given.
    #[track_caller]
    pub(super) fn refuses(&self, approvals: &[&str], exit: i32, expected: &str) {
        let before = self.snapshot();
        let output = self.promote(approvals, exit);
        assert!(output.stderr.contains(expected), "{expected}\n{output}");
        assert!(self.snapshot() == before, "something was written\n{output}");
    }

    /// Every file with its bytes.
    pub(super) fn snapshot(&self) -> BTreeMap<Utf8PathBuf, Vec<u8>> {
        let files = self.fixture.sandbox.files();
        files.into_iter().map(|path| (path.clone(), std::fs::read(self.fixture.sandbox.path(&path)).unwrap())).collect()
    }
}

pub(super) fn statement(plan: &Plan, by: &str, role: &str) -> Statement {
    let until: Moment = "2999-01-01T00:00:00Z".parse().unwrap();
    Statement::new(plan.hash(), plan.base.sha256.clone(), by, role, until)
}

pub(super) fn other() -> Hash {
    Hash::of(b"something else")
}
