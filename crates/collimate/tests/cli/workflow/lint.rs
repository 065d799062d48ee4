//! What holds for the text of both workflows.

use std::collections::BTreeSet;
use std::process::Command;

use super::document::{GITEA, GITHUB, Step, Workflow};
use crate::tree::repository;

/// Steps that may see a secret, by what they run.
const MAY_SEE: &[(&str, &[&str])] = &[
    ("config.sh", &["NOTIFY_SMOKE_REDIS_DSN", "NOTIFY_SMOKE_NOTIFY_TOKEN", "STAGING_SSH_KEY", "STAGING_KUBECONFIG"]),
    ("staging.sh", &["STAGING_SSH_KEY", "STAGING_KUBECONFIG"]),
    ("notify-smoke.sh", &["NOTIFY_SMOKE_REDIS_DSN", "NOTIFY_SMOKE_NOTIFY_TOKEN"]),
    ("--print-clock", &["NOTIFY_SMOKE_REDIS_DSN", "NOTIFY_SMOKE_NOTIFY_TOKEN"]),
    ("package_offline_bundle.py", &["BUNDLE_SIGNING_KEY"]),
    ("record.sh publish", &["GITHUB_TOKEN"]),
];

fn workflows() -> [Workflow; 2] {
    [GITEA, GITHUB].map(Workflow::read)
}

/// The names after `context.` in a text.
fn names<'t>(text: &'t str, context: &str) -> BTreeSet<&'t str> {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let context = format!("{context}.");
    let found = text.split(&context).skip(1);
    found.map(|rest| rest.split(|letter| !is_name(letter)).next().unwrap_or_default()).collect()
}

#[test]
fn a_real_linter_accepts_both() {
    let Some(actionlint) = testkit::peer("actionlint") else { return };
    for path in [GITEA, GITHUB] {
        let path = repository().join(path);
        let output = Command::new(&actionlint)
            .args(["-no-color", "-shellcheck=", "-pyflakes=", path.as_str()])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && text.is_empty(), "{path}:\n{text}");
    }
}

#[test]
fn the_linter_would_see_a_slip() {
    let Some(actionlint) = testkit::peer("actionlint") else { return };
    let sandbox = testkit::Sandbox::new();
    let text = Workflow::read(GITEA).text;
    for (from, to) in [
        ("steps.clock.outputs.start", "steps.klock.outputs.start"),
        ("needs: build", "needs: biuld"),
        ("if: always()", "if: allways()"),
    ] {
        sandbox.write("slip.yml", text.replacen(from, to, 1));
        let output =
            Command::new(&actionlint).args(["-shellcheck=", "-pyflakes=", sandbox.path("slip.yml").as_str()]).output();
        assert!(!output.unwrap().status.success(), "{to}");
    }
}

#[test]
fn both_hosts_get_the_same_pipeline() {
    let [gitea, github] = workflows();
    let same = |workflow: &Workflow| -> Vec<String> {
        let (_, body) = workflow.text.split_once("\nname: build-test-deploy\n").unwrap();
        let lines =
            body.lines().filter(|line| !line.trim_start().starts_with('#') && !line.contains("environment: staging"));
        // The artefact actions differ in their version alone.
        lines.map(|line| line.split_once("-artifact@").map_or(line, |(before, _)| before).to_owned()).collect()
    };
    assert_eq!(same(&gitea), same(&github));
}

#[test]
fn the_second_one_does_not_run_by_accident() {
    let tracked = |path: &str| repository().join(path).exists();
    assert!(tracked(GITEA) && tracked(GITHUB) && !tracked(".github/workflows"));
}

#[test]
fn the_configuration_is_the_first_thing_that_runs() {
    for workflow in workflows() {
        let first = workflow.steps().find(|step| step.run.is_some()).unwrap();
        assert_eq!(first.run.as_deref(), Some("deploy/tools/pipeline/config.sh"));
    }
}

#[test]
fn actions_are_named_by_commit_and_say_their_version() {
    for workflow in workflows() {
        let lines: Vec<&str> = workflow.text.lines().filter(|line| line.trim_start().starts_with("uses:")).collect();
        assert_eq!(lines.len(), workflow.steps().filter(|step| step.uses.is_some()).count());
        for line in lines {
            let (_, rest) = line.split_once('@').unwrap_or_else(|| panic!("{line}"));
            let (commit, version) = rest.split_once(" # v").unwrap_or_else(|| panic!("{line}"));
            assert!(commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()), "{line}");
            assert!(version.split('.').count() == 3, "{line}");
            assert!(line.contains("uses: actions/"), "{line}");
        }
    }
}

#[test]
fn no_shell_text_holds_an_expression() {
    for workflow in workflows() {
        for step in workflow.steps() {
            let run = step.run.as_deref().unwrap_or_default();
            assert!(!run.contains("${{"), "{}", step.name);
        }
    }
}

#[test]
fn a_step_sees_the_secrets_that_it_needs_and_no_other() {
    let allowed = |step: &Step| -> BTreeSet<&str> {
        let run = step.run.as_deref().unwrap_or_default();
        MAY_SEE.iter().filter(|(what, _)| run.contains(what)).flat_map(|(_, names)| names.iter().copied()).collect()
    };
    let mut seen = BTreeSet::new();
    let workflow = Workflow::read(GITEA);
    for step in workflow.steps() {
        let env: String = step.env.iter().map(|(_, value)| format!("{value}\n")).collect();
        let secrets = names(&env, "secrets");
        assert_eq!(secrets.iter().copied().collect::<BTreeSet<_>>(), allowed(step), "{}", step.name);
        seen.extend(secrets.into_iter().map(str::to_owned));
    }
    // For everybody there is only what may as well be a variable.
    for (name, value) in workflow.env.iter().chain(workflow.jobs.iter().flat_map(|job| &job.env)) {
        let secrets = names(value, "secrets");
        assert!(secrets.is_empty() || value == &format!("${{{{ vars.{name} || secrets.{name} }}}}"), "{name}: {value}");
    }
    assert_eq!(seen.len(), 6);
}

#[test]
fn every_documented_variable_reaches_the_program() {
    let workflow = Workflow::read(GITEA);
    let names: BTreeSet<&str> =
        workflow.env.iter().chain(workflow.steps().flat_map(|step| &step.env)).map(|(name, _)| name.as_str()).collect();
    for variable in &smoke::notify::VARIABLES {
        assert!(names.contains(variable.name), "{}", variable.name);
    }
}

#[test]
fn rights_and_times_are_limited() {
    for workflow in workflows() {
        assert_eq!(workflow.permissions, [("contents".to_owned(), "read".to_owned())]);
        for job in &workflow.jobs {
            let minutes = job.minutes.unwrap_or_else(|| panic!("`{}` has no limit", job.id));
            // A run that still works is not taken for dead: the lock is stale after 120 minutes.
            assert!(minutes < 120, "{}", job.id);
            let writes: Vec<&str> = job.permissions.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(writes, if job.id == "staging" { vec!["contents", "pull-requests"] } else { vec![] });
        }
    }
    let script = std::fs::read_to_string(repository().join("deploy/tools/pipeline/staging.sh")).unwrap();
    assert!(script.contains("\"${STAGING_LOCK_MINUTES:=120}\""));
}

#[test]
fn the_documentation_explains_every_name() {
    let text = std::fs::read_to_string(repository().join("docs/ci.md")).unwrap();
    for workflow in workflows() {
        for name in names(&workflow.text, "secrets").into_iter().chain(names(&workflow.text, "vars")) {
            assert!(text.contains(&format!("| `{name}`")), "docs/ci.md has no row for `{name}`");
        }
    }
}
