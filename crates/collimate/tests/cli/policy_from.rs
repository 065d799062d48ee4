//! `check --policy-from`: a red change that an edit of the workspace file makes green is red by the protected revision.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;
use serde_json::Value;
use testkit::{Cli, Sandbox};

mod cases;

use cases::{CASES, Case, FILES, IRRELEVANT, LISTED, OTHER};

fn text(text: &str) -> String {
    let key = signing::PrivateKey::from_seed(&[9; 32]).public().to_pem();
    text.replace("<A>", LISTED).replace("<B>", OTHER).replace("$KEY", key.lines().nth(1).unwrap())
}

/// A repository with a workspace that `main` protects.
struct Protected {
    sandbox: Sandbox,
    git: Utf8PathBuf,
}

impl Protected {
    fn new(git: Utf8PathBuf, workspace: &str) -> Self {
        let sandbox = Sandbox::new();
        for (path, content) in FILES {
            sandbox.write(path, text(content));
        }
        sandbox.write("collimate.yaml", text(workspace));
        let protected = Self { sandbox, git };
        protected.git(&["init", "-q", "-b", "main"]);
        protected.git(&["add", "-A"]);
        protected.git(&["commit", "-q", "-m", "rules"]);
        protected
    }

    #[track_caller]
    fn git(&self, arguments: &[&str]) -> String {
        let output = Cli::new(&self.git)
            .folder(self.sandbox.root())
            .env("HOME", self.sandbox.root().as_str())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .args(["-c", "user.name=a", "-c", "user.email=a@example.org"])
            .args(arguments.iter().copied())
            .output();
        assert_eq!(output.exit, 0, "{output}");
        output.stdout.trim().to_owned()
    }

    fn check(&self, more: &[&str]) -> Cli {
        Cli::new(env!("CARGO_BIN_EXE_collimate"))
            .folder(self.sandbox.root())
            .args([&["check"], more].concat().into_iter().map(str::to_owned))
    }

    /// The exit code and the report.
    #[track_caller]
    fn json(&self, more: &[&str]) -> (i32, Value) {
        let output = self.check(&[&["--format", "json"], more].concat()).output();
        let report = serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output}"));
        (output.exit, report)
    }
}

/// What is wrong with a case, if something is.
fn judge(case: &Case, git: &Utf8PathBuf) -> Option<String> {
    let protected = Protected::new(git.clone(), case.workspace);
    let wrong = |what: &str, report: &Value| Some(format!("{:?}: {what}\n{report:#}", case.keys));
    let (green, report) = protected.json(&["--policy-from", "main"]);
    if green != 0 {
        return wrong("what is protected is not green", &report);
    }
    for (path, content) in case.red {
        protected.sandbox.write(path, text(content));
    }
    let (red, report) = protected.json(&[]);
    // A change of keys or gates fails no check by itself: it opens the way for a move.
    let is_check = !case.red.is_empty() && case.keys != ["trust"];
    if (red == 1) != is_check {
        return wrong("the change is not red", &report);
    }
    let (from, to) = (text(case.edit.0), text(case.edit.1));
    protected.sandbox.replace("collimate.yaml", &from, &to);
    let (edited, report) = protected.json(&[]);
    if edited != 0 {
        return wrong("the edit does not make it green", &report);
    }
    let (held, report) = protected.json(&["--policy-from", "main"]);
    let findings = report["findings"].as_array().unwrap();
    let errors: Vec<&Value> = findings.iter().filter(|finding| finding["severity"] == "error").collect();
    let said = errors.iter().find(|finding| finding["message"].as_str().unwrap().ends_with(case.says));
    let Some(said) = said.filter(|said| held == 1 && said["rule"] == "policy-weakened") else {
        return wrong("the edit goes unnoticed", &report);
    };
    if errors.len() != case.says.lines().count() {
        return wrong("more is said than there is", &report);
    }
    let place = &said["place"];
    let pointed = pointed(&protected, place);
    (pointed != text(case.at)).then(|| format!("{:?}: points at `{pointed}`, not at `{}`", case.keys, case.at))
}

/// The text that a place points at; nothing where it is a whole file.
fn pointed(protected: &Protected, place: &Value) -> String {
    let number = |key: &str| usize::try_from(place[key].as_u64().unwrap_or(0)).unwrap();
    let (line, from, to) = (number("line"), number("column"), number("end_column"));
    if line == 0 {
        return String::new();
    }
    assert_eq!(line, number("end_line"));
    let file = protected.sandbox.read(place["file"].as_str().unwrap());
    file.lines().nth(line - 1).unwrap().chars().skip(from - 1).take(to - from).collect()
}

#[test]
fn every_edit_that_makes_a_red_change_green_is_red_again() {
    let Some(git) = testkit::tool("git") else { return };
    let wrong: Vec<String> = CASES.iter().filter_map(|case| judge(case, &git)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// The edit the other way round asks for more.
#[test]
fn what_asks_for_more_is_silent() {
    let Some(git) = testkit::tool("git") else { return };
    let mut silent = 0;
    for case in CASES {
        // Where one thing takes the place of another, neither is more.
        let is_replaced = |keys: &[&str]| {
            ["kind", "path", "args", "rule", "run", "role", "signed_by", "name", "trust", "at", "gates", "registry_map"]
                .iter()
                .any(|end| keys.iter().any(|key| key.rsplit('.').next() == Some(end)))
        };
        let is_source =
            case.says.contains("rendered") || case.says.contains("held to") || case.says.contains("follows");
        if is_source || case.says.contains("in ring") || case.says.contains("wait") || is_replaced(case.keys) {
            continue;
        }
        let stricter = text(case.workspace);
        let weaker = stricter.replacen(&text(case.edit.0), &text(case.edit.1), 1);
        let protected = Protected::new(git.clone(), &weaker);
        protected.sandbox.write("collimate.yaml", &stricter);
        let (_, report) = protected.json(&["--policy-from", "main"]);
        assert!(!report.to_string().contains("policy-weakened"), "{:?}: {report:#}", case.keys);
        silent += 1;
    }
    assert!(silent > 20, "only {silent} were looked at");
}

#[test]
fn every_key_of_the_schema_has_its_case() {
    let output = Cli::new(env!("CARGO_BIN_EXE_collimate")).args(["schema", "workspace"]).output();
    let schema: Value = serde_json::from_str(&output.stdout).unwrap();
    let mut known = BTreeSet::new();
    let mut add = |definition: &str, object: &Value| {
        for key in object["properties"].as_object().into_iter().flat_map(|properties| properties.keys()) {
            known.insert(if definition.is_empty() { key.clone() } else { format!("{definition}.{key}") });
        }
    };
    add("", &schema);
    for (definition, object) in schema["$defs"].as_object().unwrap() {
        add(definition, object);
    }
    let classified: BTreeSet<String> = CASES
        .iter()
        .flat_map(|case| case.keys.iter().copied())
        .chain(IRRELEVANT.iter().map(|(key, _)| *key))
        .map(str::to_owned)
        .collect();
    assert_eq!(classified, known);
}

const COMPOSE: &str =
    "schema: 1\nchannels: {c: {release: release.yaml}}\nprofiles:\n  p: {channel: c, compose: [web.yaml]}\n";

#[test]
fn revisions_that_cannot_be_asked_are_refused() {
    let Some(git) = testkit::tool("git") else { return };
    let protected = Protected::new(git, COMPOSE);
    let from = |name: &str| protected.check(&["--policy-from", name]).any_stdout();
    from("nowhere")
        .exit(2)
        .stderr_has("`nowhere` is no branch, tag or full commit id")
        .stderr_has("git fetch origin NAME")
        .run();
    from("6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f")
        .exit(4)
        .stderr_has(
            "is not in this repository: it was not fetched, or is lost\nhint: `git fetch` brings what is missing\n",
        )
        .run();
    // A shallow clone has the newest commit, and no other.
    let first = protected.git(&["rev-parse", "HEAD"]);
    protected.sandbox.write("collimate.yaml", "schema: 1\nchannels: [\n");
    protected.git(&["commit", "-qam", "broken"]);
    let shallow = Sandbox::new();
    let url = format!("file://{}", protected.sandbox.root());
    protected.git(&["clone", "-q", "--depth", "1", &url, shallow.path("clone").as_str()]);
    shallow.write("clone/collimate.yaml", COMPOSE);
    let in_clone = |name: &str| {
        Cli::new(env!("CARGO_BIN_EXE_collimate")).folder(shallow.path("clone")).args(["check", "--policy-from", name])
    };
    in_clone(&first).exit(4).any_stdout().stderr_has("was not fetched, or is lost").run();
    in_clone("HEAD").exit(3).any_stdout().stderr_has("error: `HEAD:collimate.yaml` has 1 problem\n").run();
    // Outside of a repository nobody knows what is protected.
    let alone = Sandbox::new();
    for (path, content) in FILES {
        alone.write(path, text(content));
    }
    alone.write("collimate.yaml", COMPOSE);
    Cli::new(env!("CARGO_BIN_EXE_collimate"))
        .folder(alone.root())
        .args(["check", "--policy-from", "main"])
        .exit(4)
        .any_stdout()
        .stderr_has("lies in no git repository")
        .run();
}

#[test]
fn a_revision_without_a_workspace_protects_nothing_and_says_so() {
    let Some(git) = testkit::tool("git") else { return };
    let protected = Protected::new(git, COMPOSE);
    protected.git(&["rm", "-q", "--cached", "collimate.yaml"]);
    protected.git(&["commit", "-q", "-m", "before"]);
    protected
        .check(&["--policy-from", "main"])
        .stdout_has("`main` has no `collimate.yaml`: all that it says is new, and nothing is held against it\n")
        .run();
}

#[test]
fn the_file_cannot_speak_of_its_own_policy() {
    let Some(git) = testkit::tool("git") else { return };
    let protected = Protected::new(git, COMPOSE);
    for edit in ["rules: {policy-weakened: off}\n", "ignore: [{rule: policy-weakened, reason: x}]\n"] {
        protected.sandbox.write("collimate.yaml", format!("{COMPOSE}{edit}"));
        protected
            .check(&["--policy-from", "main"])
            .exit(3)
            .stderr_has("`policy-weakened` cannot be set or ignored here")
            .run();
    }
}

#[test]
fn a_baseline_accepts_no_more_than_the_protected_one() {
    let Some(git) = testkit::tool("git") else { return };
    let protected = Protected::new(git, COMPOSE);
    let with = |more: &[&str]| protected.check(&[&["--baseline", "baseline.yaml"], more].concat());
    protected.check(&["--write-baseline", "baseline.yaml"]).stderr("wrote `baseline.yaml`: 0 findings\n").run();
    // A baseline that is not protected yet accepts nothing that nobody has seen.
    with(&["--policy-from", "main"]).any_stdout().run();
    protected.git(&["add", "-A"]);
    protected.git(&["commit", "-q", "-m", "baseline"]);
    protected.sandbox.write("web.yaml", text("services: {web: {image: \"r.example.org/web:1.0.0@<B>\"}}\n"));
    protected.check(&["--write-baseline", "baseline.yaml"]).stderr("wrote `baseline.yaml`: 1 finding\n").run();
    with(&[]).any_stdout().run();
    with(&["--policy-from", "main"])
        .exit(1)
        .stdout_has("error[policy-weakened]: `baseline.yaml` asks for less than that of `main`: 1 finding of `digest-mismatch` accepted, not 0\n")
        .stdout_has("--> baseline.yaml:5:")
        .run();
    // One that the command line takes from elsewhere was not proposed with the change.
    let elsewhere = Sandbox::new();
    elsewhere.write("b.yaml", protected.sandbox.read("baseline.yaml"));
    let path = elsewhere.path("b.yaml");
    protected.check(&["--baseline", path.as_str(), "--policy-from", "main"]).any_stdout().run();
}
