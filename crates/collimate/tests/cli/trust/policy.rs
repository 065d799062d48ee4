//! Rules from a protected revision: what the working tree says of gates and keys does not count.

use camino::Utf8PathBuf;
use testkit::Cli;

use super::world::{PEOPLE, TRUST, World, trust};

struct Protected {
    world: World,
    git: Utf8PathBuf,
}

/// The rules of `main` are committed.
fn protected(gates: &str) -> Option<Protected> {
    let git = testkit::tool("git")?;
    let protected = Protected { world: World::new(gates), git };
    protected.git(&["init", "-q", "-b", "main"]);
    protected.git(&["add", "-A"]);
    protected.git(&["commit", "-q", "-m", "rules"]);
    protected.git(&["checkout", "-q", "-b", "change"]);
    Some(protected)
}

impl Protected {
    #[track_caller]
    fn git(&self, arguments: &[&str]) -> String {
        let output = Cli::new(&self.git)
            .folder(self.world.fixture.sandbox.root())
            .env("HOME", self.world.fixture.sandbox.root().as_str())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("PATH", "/usr/bin:/bin")
            .args(["-c", "user.name=a", "-c", "user.email=a@example.org"])
            .args(arguments.iter().copied())
            .any_stdout()
            .any_stderr()
            .output();
        assert_eq!(output.exit, 0, "{output}");
        output.stdout.trim().to_owned()
    }

    #[track_caller]
    fn refuses(&self, more: &[&str], exit: i32, expected: &[&str]) {
        let before = self.world.snapshot();
        let output = self.world.run(&[&["promote", "edge", "stable"], more].concat(), exit);
        for expected in expected {
            assert!(output.stderr.contains(expected), "{expected}\n{output}");
        }
        assert!(self.world.snapshot() == before, "{output}");
    }
}

const FROM: &str = "--policy-from";
const GATES: &str = "{signed_by: releaser, approvals: [{role: lead, count: 2}], commands: [{name: tests, run: ['true']}], \
                     freezes: [{from: 2000-01-01, until: 2000-01-02, reason: over}]}";

#[test]
fn what_the_working_tree_makes_easier_is_named_and_does_not_count() {
    let Some(protected) = protected(GATES) else { return };
    let sandbox = &protected.world.fixture.sandbox;
    sandbox.replace("collimate.yaml", GATES, "{approvals: [{role: lead}]}");
    let more = [&PEOPLE[..3], &[("dave", 4, "[releaser, lead]", ""), ("mallory", 9, "[lead]", "")]].concat();
    sandbox.write(TRUST, trust(&more));
    protected.refuses(
        &[FROM, "main"],
        1,
        &[
            "note: the working tree asks for less than `main`, which counts: `stable`: `signed_by: releaser`\n",
            "`stable`: 2 approvals by `lead`, not 1\n",
            "`stable`: the command `tests`\n",
            "`stable`: the freeze from 2000-01-01 until 2000-01-02\n",
            "`dave` may be `lead`\n",
            "of `mallory` is trusted\n",
            "`releases/edge.yaml` is not signed, and `releaser` must have signed it",
        ],
    );
    // The new key is trusted by the working tree alone.
    protected.world.run(&["release", "sign", "edge", "--key", "dave.key"], 0);
    protected.world.plan();
    let (bob, mallory) = (protected.world.approve("bob"), protected.world.approve("mallory"));
    protected.refuses(
        &[FROM, "main", "--run-gates", "--approval", &bob, "--approval", &mallory],
        5,
        &["nobody called `mallory` is trusted", "1 approval by `lead` missing"],
    );
    let refused = protected.world.run(&["approve", "plan.json", "--key", "mallory.key", FROM, "main"], 5);
    assert!(refused.stderr.contains("is not among the trusted ones"), "{refused}");
}

#[test]
fn a_key_that_was_revoked_in_the_protected_branch_stays_revoked() {
    let Some(protected) = protected("{approvals: [{role: lead}]}") else { return };
    let sandbox = &protected.world.fixture.sandbox;
    protected.world.plan();
    let bob = protected.world.approve("bob");
    let good = sandbox.read(TRUST);
    sandbox.write(TRUST, trust(&[PEOPLE[0], ("bob", 2, "[lead]", ", revoked: 2020-01-01")]));
    protected.git(&["add", "-A"]);
    protected.git(&["commit", "-q", "-m", "stolen"]);
    protected.git(&["tag", "-a", "-m", "rules", "rules-2"]);
    protected.git(&["gc", "-q"]);
    sandbox.write(TRUST, good);
    protected.refuses(
        &[FROM, "rules-2", "--approval", &bob],
        5,
        &["of `bob` is not revoked on 2020-01-01\n", "the key of `bob` was revoked on 2020-01-01"],
    );
    // By the rules of main it is good, in whatever way main is named.
    let main = protected.git(&["rev-parse", "main"]);
    for name in ["main", "refs/heads/main", &main] {
        protected.world.run(&["promote", "edge", "stable", "--dry-run", FROM, name, "--approval", &bob], 0);
    }
    protected.world.run(&["promote", "edge", "stable", FROM, "main", "--approval", &bob], 0);
}

#[test]
fn nothing_slips_under_the_gates_of_another_ring() {
    let Some(protected) = protected("{}") else { return };
    let sandbox = &protected.world.fixture.sandbox;
    let good = sandbox.read("collimate.yaml");
    for (from, to, expected) in [
        ("prod: {channel: stable, ring: prod,", "prod: {channel: stable, ring: stage,", "the profile `prod` in ring `"),
        ("rings: [stage, prod]", "rings: [prod, stage]", "its rings are stage, prod, not prod, stage"),
        (
            "profiles:\n",
            "profiles:\n  more: {channel: stable, ring: stage, compose: [compose/prod.yaml]}\n",
            "only the working tree has the profile `more` in ring `stage`",
        ),
    ] {
        sandbox.replace("collimate.yaml", from, to);
        protected.refuses(&[FROM, "main"], 5, &["`stable` is not the channel that `main` knows", expected]);
        sandbox.write("collimate.yaml", &good);
    }
    protected.world.run(&["promote", "edge", "stable", FROM, "main"], 0);
}

#[test]
fn a_revision_that_cannot_say_the_rules_is_refused() {
    let Some(protected) = protected("{approvals: [{role: lead}]}") else { return };
    let sandbox = &protected.world.fixture.sandbox;
    protected.refuses(&[FROM, "nowhere"], 2, &["`nowhere` is no branch, tag or full commit id"]);
    protected.refuses(&[FROM, "main~1"], 2, &["cannot be the name of a branch or tag"]);
    protected.git(&["tag", "main", "main"]);
    protected.git(&["rm", "-q", "--cached", TRUST]);
    protected.git(&["commit", "-q", "-m", "no trust"]);
    protected.git(&["tag", "-f", "main"]);
    protected.refuses(&[FROM, "main"], 2, &["`main` means several commits: refs/tags/main, refs/heads/main"]);
    protected.refuses(&[FROM, "refs/tags/main"], 3, &["there is no `trust.yaml` in that revision"]);
    protected.git(&["rm", "-q", "--cached", "collimate.yaml"]);
    protected.git(&["commit", "-q", "-m", "no workspace"]);
    protected.refuses(&[FROM, "change"], 3, &["there is no `collimate.yaml` in that revision"]);
    // A channel that the protected revision does not know has no gates there.
    sandbox.replace("collimate.yaml", "  stable:\n", "  steady:\n");
    let text = sandbox.read("collimate.yaml").replace("channel: stable", "channel: steady");
    sandbox.write("collimate.yaml", text);
    sandbox.replace("releases/stable.yaml", "channel: stable", "channel: steady");
    let unknown = protected.world.run(&["promote", "edge", "steady", FROM, "refs/heads/main"], 5);
    assert!(unknown.stderr.contains("`refs/heads/main` knows no channel `steady`"), "{unknown}");
    let bare = World::new("{}");
    let outside = bare.run(&["promote", "edge", "stable", FROM, "main"], 4);
    assert!(outside.stderr.contains("lies in no git repository"), "{outside}");
}

/// What a promotion writes into the workspace file asks for no less; the same written by hand does.
#[test]
fn a_move_that_the_ledger_knows_is_no_weakening() {
    let Some(protected) = protected("{}") else { return };
    let sandbox = &protected.world.fixture.sandbox;
    protected.world.run(&["promote", "edge", "stable"], 0);
    let lagging = "and no move brought it there";
    let check = || protected.world.fixture.program(&["check", FROM, "main"]).output().stdout;
    let told = check();
    assert!(!told.contains("policy-weakened"), "{told}");
    sandbox.remove("releases/history");
    let told = check();
    assert!(told.contains("error[policy-weakened]") && told.contains(lagging), "{told}");
}
