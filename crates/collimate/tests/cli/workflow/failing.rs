//! What stops the pipeline: a configuration that cannot work, before anything is built; and everything that is not known, without
//! going back.

use testkit::Cli;

use super::document::{GITEA, Workflow};
use super::running::{Run, run};
use super::staging::{OLD, World, deploy};

/// Runs the build job, which must stop at its first shell.
#[track_caller]
fn stops_at_once(world: &World) -> String {
    let workflow = Workflow::read(GITEA);
    let run = run(world, &workflow, workflow.job("build"), |_, _| {});
    let step = run.fails_at("Configuration", 2);
    assert_eq!(world.sandbox.read("calls"), "", "something was called");
    let shells: Vec<&str> = run
        .ran()
        .into_iter()
        .filter(|name| !["Check out", "Configuration", "Keep the reports"].contains(name))
        .collect();
    assert!(shells.is_empty(), "{shells:?}");
    step.text.clone()
}

fn set(world: &mut World, name: &str, value: &str) {
    let place = if world.secrets.contains_key(name) { &mut world.secrets } else { &mut world.vars };
    place.insert(name.to_owned(), value.to_owned());
}

const COMPOSE: [&str; 4] = ["STAGING_METHOD", "STAGING_SSH_HOST", "STAGING_SSH_KEY", "STAGING_SSH_KNOWN_HOSTS"];

#[test]
fn each_missing_secret_and_variable_stops_the_first_step_by_name() {
    let Some(mut world) = World::new() else { return };
    let required = smoke::notify::VARIABLES.iter().filter(|variable| variable.need == smoke::notify::Need::Required);
    let names: Vec<&str> = required.map(|variable| variable.name).chain(COMPOSE).collect();
    assert_eq!(names.len(), 10);
    // With the program on the runner, and without it: then a list in the script stands in for it.
    for has_program in [true, false] {
        if !has_program {
            world.sandbox.remove("bin/collimate");
        }
        for name in &names {
            let (vars, secrets) = (world.vars.clone(), world.secrets.clone());
            for empty in ["", "  \n"] {
                set(&mut world, name, empty);
                let text = stops_at_once(&world);
                assert!(text.contains(&format!("`{name}` is ")), "{name}, program: {has_program}\n{text}");
                let others =
                    names.iter().filter(|other| *other != name).find(|other| text.contains(&format!("`{other}` is ")));
                assert_eq!(others, None, "{name}\n{text}");
            }
            (world.vars, world.secrets) = (vars, secrets);
        }
    }
}

#[test]
fn all_that_is_missing_is_named_at_once() {
    let Some(mut world) = World::new() else { return };
    world.vars.clear();
    world.secrets.clear();
    let text = stops_at_once(&world);
    for variable in smoke::notify::VARIABLES.iter().filter(|variable| variable.need == smoke::notify::Need::Required) {
        assert!(
            text.contains(&format!("`{}` is missing", variable.name))
                || text.contains(&format!("`{}` is empty", variable.name)),
            "{text}"
        );
    }
    assert!(text.contains("`STAGING_METHOD` is missing or empty"), "{text}");
}

#[test]
fn each_malformed_value_stops_the_first_step_and_is_not_shown() {
    let cases = [
        ("NOTIFY_SMOKE_REDIS_DSN", "http://:planted-x@redis.test"),
        ("NOTIFY_SMOKE_NOTIFY_BASEURL", "notify.test"),
        ("NOTIFY_SMOKE_NOTIFY_TOKEN", "planted x"),
        ("NOTIFY_SMOKE_NOTIFY_TENANT", "two words"),
        ("NOTIFY_SMOKE_EXPECT_KINDS", "a.b,,c"),
        ("NOTIFY_SMOKE_LOOKBACK_MINUTES", "soon"),
        ("NOTIFY_SMOKE_ENABLED", "perhaps"),
        ("STAGING_METHOD", "ftp"),
        ("STAGING_SSH_HOST", "-oProxyCommand=evil"),
        ("STAGING_SSH_HOST", "stage.test; reboot"),
        ("STAGING_SSH_KEY", "planted-not-a-key"),
        ("STAGING_SSH_PORT", "ssh"),
        ("STAGING_FOLDER", "/opt/a b"),
        ("STAGING_FOLDER", "relative"),
        ("STAGING_OVERLAYS", "../x"),
        ("STAGING_LOCK_MINUTES", "1+1"),
        ("STAGING_DEPLOY_SECONDS", "$(reboot)"),
    ];
    let Some(mut world) = World::new() else { return };
    for (name, value) in cases {
        let (vars, secrets) = (world.vars.clone(), world.secrets.clone());
        set(&mut world, name, value);
        let text = stops_at_once(&world);
        assert!(text.contains(&format!("`{name}` is malformed")), "{name}={value}\n{text}");
        (world.vars, world.secrets) = (vars, secrets);
    }
}

/// The job stopped with this code and left everything as it was: nothing marked, nothing gone back from, staging given back.
#[track_caller]
fn is_not_known(world: &World, run: &Run, step: &str, exit: i32) {
    let text = &run.fails_at(step, exit).text;
    if step == "notify-smoke" {
        assert!(text.contains("not known (exit code"), "{text}");
        assert_eq!(world.calls("docker compose"), 1);
    }
    for step in ["mark-good", "rollback", "redeploy", "notify-smoke-again", "publish"] {
        assert_eq!(run.step(step).outcome, "skipped", "{step}");
    }
    assert_eq!(world.ledger("main").len(), 2, "the ledger was touched");
    assert!(world.sandbox.read("runner/summary.md").starts_with("## Staging: Not known: nothing was rolled back"));
    assert!(!world.sandbox.path("host/stellaops/.pipeline-lock").exists());
}

#[test]
fn a_configuration_that_is_wrong_only_then_is_not_known() {
    let Some(mut world) = World::promoted() else { return };
    // It may page real people, so the program refuses it for a tenant that is not this one.
    set(&mut world, "NOTIFY_SMOKE_EMIT_TENANTS", "somebody-else");
    is_not_known(&world, &deploy(&world, |_, _| {}), "notify-smoke", 2);
}

#[test]
fn what_cannot_be_reached_is_not_known() {
    let Some(world) = World::promoted() else { return };
    let run = deploy(&world, |world, step| {
        if step == "deploy" {
            world.traffic(false);
            world.notify.answer(testkit::Answer::HangUp);
        }
    });
    is_not_known(&world, &run, "notify-smoke", 4);
}

#[test]
fn a_refused_token_is_not_known() {
    let Some(mut world) = World::promoted() else { return };
    set(&mut world, "NOTIFY_SMOKE_NOTIFY_TOKEN", "planted-another-token");
    let run = deploy(&world, |world, step| {
        if step == "deploy" {
            world.traffic(false);
        }
    });
    is_not_known(&world, &run, "notify-smoke", 5);
}

#[test]
fn a_bug_of_the_program_is_not_known() {
    let Some(world) = World::promoted() else { return };
    world.package(&format!("case \"$*\" in *--wait*) exit 70 ;; esac\n{}", World::hands_over()));
    is_not_known(&world, &deploy(&world, |_, _| {}), "notify-smoke", 70);
}

#[test]
fn a_program_that_is_killed_is_not_known() {
    let Some(world) = World::promoted() else { return };
    world.package(&format!("case \"$*\" in *--wait*) kill -KILL $$ ;; esac\n{}", World::hands_over()));
    is_not_known(&world, &deploy(&world, |_, _| {}), "notify-smoke", 137);
}

#[test]
fn a_clock_that_cannot_be_read_stops_before_the_deployment() {
    let Some(mut world) = World::promoted() else { return };
    let wrong = world.secrets["NOTIFY_SMOKE_REDIS_DSN"].replace("redis-password", "other-password");
    set(&mut world, "NOTIFY_SMOKE_REDIS_DSN", &wrong);
    is_not_known(&world, &deploy(&world, |_, _| {}), "Moment before the deployment", 5);
    assert_eq!(world.calls("docker compose"), 0);
}

#[test]
fn a_deployment_that_does_not_come_up_is_not_known() {
    let Some(world) = World::promoted() else { return };
    world.sandbox.write("docker-fails", "");
    is_not_known(&world, &deploy(&world, |_, _| {}), "Deploy", 4);
}

#[test]
fn a_host_that_is_away_is_not_known() {
    let Some(world) = World::promoted() else { return };
    world.sandbox.write("host-is-down", "");
    is_not_known(&world, &deploy(&world, |_, _| {}), "Take staging", 4);
}

#[test]
fn an_environment_of_the_host_that_names_images_is_refused() {
    let Some(world) = World::promoted() else { return };
    world.sandbox.write("host/stellaops/stage.env", "REDIS_PASSWORD=x\nOTEL_COLLECTOR_IMAGE=old\n");
    let run = deploy(&world, |_, _| {});
    is_not_known(&world, &run, "Deploy", 2);
    assert_eq!(world.calls("docker compose"), 0);
    assert!(!world.sandbox.path("host/stellaops/tree").exists());
}

#[test]
fn several_releases_at_once_are_no_evidence() {
    let Some(world) = World::new() else { return };
    world.sandbox.write("left-over", "");
    let run = deploy(&world, |world, step| {
        if step == "deploy" {
            world.traffic(true);
        }
    });
    let text = &run.fails_at("Mark the release good", 4).text;
    assert!(text.contains("several releases run at once"), "{text}");
    assert_eq!(world.ledger("main").len(), 0);
    assert!(world.sandbox.read("runner/summary.md").contains("could not be marked good"));
}

#[test]
fn another_runs_lock_is_respected_until_it_is_stale() {
    let Some(world) = World::new() else { return };
    let lock = "host/stellaops/.pipeline-lock";
    let now = jiff::Timestamp::now().as_second();
    let other = format!("{} example/deploy/run-1.1\n", now - 60);
    world.sandbox.write(lock, &other);
    let run = deploy(&world, |_, _| {});
    let text = &run.fails_at("Take staging", 4).text;
    assert!(text.contains("staging is taken by `example/deploy/run-1.1` for 1 minutes"), "{text}");
    // Not ours to give back.
    assert_eq!(world.sandbox.read(lock), other);
    assert_eq!(world.calls("docker"), 0);

    world.sandbox.write(lock, format!("{} example/deploy/run-1.1\n", now - 121 * 60));
    let run = deploy(&world, |world, step| {
        if step == "deploy" {
            world.traffic(true);
        }
    });
    run.is_green();
    assert!(run.step("Take staging").text.contains("its lock is stale"), "{}", run.log());
    assert!(!world.sandbox.path(lock).exists());
    assert_eq!(world.running(), OLD);
}

#[test]
fn a_lock_that_was_lost_stops_the_deployment() {
    let Some(world) = World::new() else { return };
    let lock = "host/stellaops/.pipeline-lock";
    let run = deploy(&world, |world, step| {
        if step == "clock" {
            world.sandbox.write(lock, "1 example/deploy/run-9.1\n");
        }
    });
    run.fails_at("Deploy", 4);
    assert_eq!((world.calls("docker compose"), world.sandbox.read(lock).as_str()), (0, "1 example/deploy/run-9.1\n"));
}

#[test]
fn of_many_runs_at_once_one_has_staging() {
    let Some(world) = World::new() else { return };
    let checkout = world.check_out("many");
    // The clock is asked between looking and taking: two that ask it at once would both find staging free. It counts for a while,
    // so that they would meet.
    let clock = "mkdir @S/inside 2>/dev/null || echo met >>@S/met
i=0; while [ $i -lt 30000 ]; do i=$((i + 1)); done
rmdir @S/inside 2>/dev/null; exec /bin/date \"$@\"";
    world.program("bin/date", &clock.replace("@S", world.sandbox.root().as_str()));
    let threads: Vec<_> = (0..8)
        .map(|number| {
            let mut cli = Cli::new(checkout.join("deploy/tools/pipeline/staging.sh")).arg("lock").folder(&checkout);
            for (name, value) in world.vars.iter().chain(&world.secrets) {
                cli = cli.env(name, value);
            }
            let path = format!("{}:/usr/bin:/bin", world.sandbox.path("bin"));
            let cli = cli.env("GITHUB_RUN_ID", number.to_string()).env("PATH", path);
            std::thread::spawn(move || cli.output().exit)
        })
        .collect();
    let mut codes: Vec<i32> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    codes.sort_unstable();
    assert_eq!(codes, [0, 4, 4, 4, 4, 4, 4, 4]);
    assert!(!world.sandbox.path("met").exists(), "two looked at the lock at once");
}
