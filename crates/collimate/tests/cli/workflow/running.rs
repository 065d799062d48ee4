//! Runs the steps of a job as a runner does: one shell each, conditions, outputs, artefacts, and what a later step may see.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use testkit::Cli;

use super::document::{Job, Step, Workflow};
use super::expression::{holds, interpolate};
use super::staging::World;

/// No step of ours takes longer; one that hangs must not hang the test.
const SECONDS: &str = "50";

/// Run number of all runs: part of names of branches and locks.
pub(super) const RUN: &str = "4711";

/// How a job went.
pub(super) struct Run {
    pub(super) steps: Vec<Done>,
}

/// How a step went.
#[derive(Clone, Debug)]
pub(super) struct Done {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) outcome: &'static str,
    pub(super) exit: i32,
    pub(super) text: String,
    outputs: BTreeMap<String, String>,
}

impl Run {
    pub(super) fn has_failed(&self) -> bool {
        self.steps.iter().any(|step| step.outcome == "failure")
    }

    #[track_caller]
    pub(super) fn step(&self, name: &str) -> &Done {
        self.steps.iter().find(|step| step.name == name || step.id == name).unwrap_or_else(|| panic!("no `{name}`"))
    }

    /// The names of the steps that ran a shell, in order.
    pub(super) fn ran(&self) -> Vec<&str> {
        self.steps.iter().filter(|step| step.outcome != "skipped").map(|step| step.name.as_str()).collect()
    }

    /// All that its steps said.
    pub(super) fn log(&self) -> String {
        self.steps
            .iter()
            .map(|step| format!("== {}: {}, {}\n{}", step.name, step.outcome, step.exit, step.text))
            .collect()
    }

    /// This step failed with this code, and no step failed before it.
    #[track_caller]
    pub(super) fn fails_at(&self, name: &str, exit: i32) -> &Done {
        let failed = self.steps.iter().find(|step| step.outcome == "failure");
        let failed = failed.unwrap_or_else(|| panic!("nothing failed:\n{}", self.log()));
        assert_eq!((failed.name.as_str(), failed.exit), (name, exit), "{}", self.log());
        failed
    }

    #[track_caller]
    pub(super) fn is_green(&self) -> &Self {
        assert!(!self.has_failed(), "{}", self.log());
        self
    }
}

/// Runs a job in a fresh checkout. `after` is called with the id of every step that ended.
pub(super) fn run(world: &World, workflow: &Workflow, job: &Job, mut after: impl FnMut(&World, &str)) -> Run {
    let checkout = world.check_out(&job.id);
    let mut run = Run { steps: Vec::new() };
    let condition = job.condition.as_deref();
    if !holds(condition, false, &|name| look_up(world, &run, name)) {
        return run;
    }
    let mut path = vec![world.sandbox.path("bin"), "/usr/local/bin".into(), "/usr/bin".into(), "/bin".into()];
    let mut env = BTreeMap::new();
    for (name, value) in workflow.env.iter().chain(&job.env) {
        env.insert(name.clone(), interpolate(value, &|name| look_up(world, &run, name)));
    }
    for step in &job.steps {
        let done = if !holds(step.condition.as_deref(), run.has_failed(), &|name| look_up(world, &run, name)) {
            Done::new(step, "skipped", 0, String::new())
        } else if let Some(uses) = &step.uses {
            world.action(uses, step, &checkout);
            Done::new(step, "success", 0, String::new())
        } else {
            let mut env = env.clone();
            for (name, value) in &step.env {
                env.insert(name.clone(), interpolate(value, &|name| look_up(world, &run, name)));
            }
            shell(world, step, &checkout, &env, &mut path)
        };
        let id = done.id.clone();
        run.steps.push(done);
        after(world, &id);
    }
    world.holds_its_tongue(&run.log());
    run
}

impl Done {
    fn new(step: &Step, outcome: &'static str, exit: i32, text: String) -> Self {
        let id = step.id.clone().unwrap_or_default();
        Self { name: step.name.clone(), id, outcome, exit, text, outputs: BTreeMap::new() }
    }
}

fn shell(
    world: &World,
    step: &Step,
    checkout: &Utf8PathBuf,
    env: &BTreeMap<String, String>,
    path: &mut Vec<Utf8PathBuf>,
) -> Done {
    for (file, text) in [
        ("output", ""),
        ("path", ""),
        ("step.sh", step.run.as_deref().unwrap_or_else(|| panic!("`{}` does nothing", step.name))),
    ] {
        world.sandbox.write(format!("runner/{file}"), text);
    }
    let folders: Vec<&str> = path.iter().map(|folder| folder.as_str()).collect();
    let runner = |name: &str| world.sandbox.path(format!("runner/{name}")).into_string();
    let mut cli = Cli::new("/usr/bin/timeout")
        // As hosts run `shell: bash`.
        .args([SECONDS, "bash", "--noprofile", "--norc", "-eo", "pipefail", &runner("step.sh")])
        .folder(checkout)
        .env("PATH", folders.join(":"))
        .env("HOME", runner("home"))
        .env("TMPDIR", runner("tmp"))
        .env("GITHUB_OUTPUT", runner("output"))
        .env("GITHUB_PATH", runner("path"))
        .env("GITHUB_STEP_SUMMARY", runner("summary.md"))
        .env("GITHUB_REPOSITORY", "example/deploy")
        .env("GITHUB_REF_NAME", "main")
        .env("GITHUB_RUN_ID", RUN)
        .env("GITHUB_RUN_ATTEMPT", "1")
        .env("GITHUB_EVENT_NAME", &world.event)
        .env("GITHUB_API_URL", "https://git.test/api/v1");
    for (name, value) in env {
        cli = cli.env(name, value);
    }
    let output = cli.output();
    path.splice(0..0, world.sandbox.read("runner/path").lines().map(Utf8PathBuf::from));
    let outcome = if output.exit == 0 { "success" } else { "failure" };
    let mut done = Done::new(step, outcome, output.exit, output.stdout + &output.stderr);
    let outputs = world.sandbox.read("runner/output");
    done.outputs =
        outputs.lines().filter_map(|line| line.split_once('=')).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    done
}

/// What `${{ name }}` is. What is not set is empty, as on a host.
fn look_up(world: &World, run: &Run, name: &str) -> Option<String> {
    let parts: Vec<&str> = name.split('.').collect();
    Some(match parts.as_slice() {
        ["vars", name] => world.vars.get(*name).cloned().unwrap_or_default(),
        ["secrets", name] => world.secrets.get(*name).cloned().unwrap_or_default(),
        ["github", "event_name"] => world.event.clone(),
        ["github", "actor"] => "alice".to_owned(),
        ["github", "run_id"] => RUN.to_owned(),
        ["steps", id, "outcome"] => {
            run.steps.iter().find(|step| step.id == *id).map_or("", |step| step.outcome).to_owned()
        }
        ["steps", id, "outputs", output] => {
            let step = run.steps.iter().find(|step| step.id == *id);
            step.and_then(|step| step.outputs.get(*output)).cloned().unwrap_or_default()
        }
        _ => return None,
    })
}
