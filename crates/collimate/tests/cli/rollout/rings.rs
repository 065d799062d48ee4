//! The second ring, and the gates that a workspace names: commands and freezes.

use super::fixture::{Fixture, profile, release};

/// Stable was promoted, `stage` runs it and it was marked good there; `prod` has gates.
fn promoted(gates: &str) -> Fixture {
    let fixture = Fixture::new();
    fixture.run(&["mark-good", "stable", "--evidence", "smoke.json"], 0);
    fixture.run(&["promote", "edge", "stable"], 0);
    fixture.sandbox.replace(
        "collimate.yaml",
        "{name: prod, release: releases/archive/1.0.0.yaml}",
        &format!("{{name: prod, release: releases/archive/1.0.0.yaml, gates: {gates}}}"),
    );
    fixture.run(&["mark-good", "stable/stage", "--evidence", "smoke.json"], 0);
    fixture
}

#[test]
fn a_ring_takes_what_the_one_before_it_proved_good() {
    let fixture = promoted("{}");
    let plan = fixture.run(&["advance", "stable", "prod", "--dry-run"], 0);
    assert!(plan.stdout.contains("+++ b/compose/prod.yaml\n"), "{plan}");
    let advanced = fixture.run(&["advance", "stable", "prod"], 0);
    assert!(
        advanced.stdout.starts_with(
            "`stable/prod`: `1.0.0` → `1.1.0`\ngate ring-before       passed: good in `stable/stage` since "
        ),
        "{advanced}"
    );
    let new = release("1.1.0", [2, 1]);
    assert_eq!(fixture.sandbox.read("compose/prod.yaml"), profile("stable", &new, 0));
    assert!(fixture.sandbox.read("collimate.yaml").contains("rings: [stage, {name: prod, gates: {}}] # stage first"));
    fixture.is_sound();
    fixture
        .program(&["advance", "stable", "prod"])
        .stdout("`stable/prod` follows `stable` already and has `1.1.0`; nothing to do\n")
        .run();
    let held = fixture.run(&["history", "--at", "2999-01-01"], 0);
    assert!(held.stdout.contains("stable/prod   1.1.0"), "{held}");
    fixture.run(&["rollback", "stable/prod", "--reason", "only there"], 0);
    assert_eq!((fixture.version_in("stage"), fixture.version_in("prod")), ("1.1.0".to_owned(), "1.0.0".to_owned()));
    fixture.is_sound();
}

#[test]
fn a_ring_is_refused_what_is_not_proved() {
    let fixture = Fixture::new();
    let refused = |arguments: &[&str], exit: i32, expected: &str| {
        let output = fixture.run(arguments, exit);
        assert!(output.stderr.contains(expected), "{expected}\n{output}");
    };
    fixture.run(&["promote", "edge", "stable"], 0);
    let before = fixture.snapshot();
    refused(&["advance", "stable", "prod"], 1, "`1.1.0` is not marked good in `stable/stage`");
    refused(&["advance", "stable", "prod"], 1, "collimate mark-good stable/stage --evidence FILE");
    refused(&["advance", "stable", "prd"], 2, "did you mean `stable/prod`?");
    refused(&["advance", "edge", "prod"], 2, "there is no channel or ring `edge/prod`");
    assert_eq!(fixture.snapshot(), before);
    fixture.run(&["mark-good", "stable/stage", "--evidence", "smoke.json"], 0);
    fixture.run(&["hold", "set", "stable", "--reason", "audit"], 0);
    refused(&["advance", "stable", "prod"], 1, "`stable` is held: audit");
}

#[test]
fn commands_run_only_where_they_are_allowed_and_decide() {
    let fixture = promoted(
        "{commands: [{name: end-to-end, run: [sh, -c, 'echo \"$1\"; echo PASSWORD=hunter2', sh, 'a b;c']}, \
         {name: security, run: [sh, -c, 'pwd; test -f ready']}]}",
    );
    let before = fixture.snapshot();
    let refused = fixture.run(&["advance", "stable", "prod"], 1);
    assert!(refused.stderr.contains("the gate `end-to-end` was not run (`--run-gates` runs what"), "{refused}");
    let failed = fixture.run(&["advance", "stable", "prod", "--run-gates"], 1);
    assert!(failed.stderr.contains("the gate `security` ended with exit status: 1"), "{failed}");
    assert!(failed.stderr.contains("[DIR]\n"), "its output is shown\n{failed}");
    assert_eq!(fixture.snapshot(), before);

    fixture.sandbox.write("ready", "");
    let passed = fixture.run(&["advance", "stable", "prod", "--run-gates"], 0);
    assert!(passed.stdout.contains("gate end-to-end        passed in "), "{passed}");
    let outputs: Vec<_> =
        fixture.sandbox.files().into_iter().filter(|path| path.starts_with("releases/history/output")).collect();
    assert_eq!(outputs.len(), 2);
    let texts: Vec<String> = outputs.iter().map(|path| fixture.sandbox.read(path)).collect();
    assert!(texts.iter().any(|text| text.starts_with("a b;c\n")), "arguments are not read by a shell: {texts:?}");
    assert!(texts.iter().all(|text| !text.contains("hunter2")), "{texts:?}");
    let entry = fixture.run(&["history", "stable/prod", "--format", "json"], 0);
    assert!(outputs.iter().all(|path| entry.stdout.contains(path.file_stem().unwrap())), "{entry}");
    fixture.is_sound();
}

#[test]
fn a_command_that_is_not_there_or_leaves_others_behind_is_no_danger() {
    let fixture = promoted("{commands: [{name: none, run: [no-such-program]}]}");
    let missing = fixture.run(&["advance", "stable", "prod", "--run-gates"], 1);
    assert!(missing.stderr.contains("the gate `none` cannot run `no-such-program`: it does not exist"), "{missing}");
    // What it leaves running holds neither the command nor the lock.
    let fixture = promoted("{commands: [{name: late, run: [sh, -c, 'sleep 600 & echo $! > left']}]}");
    fixture.run(&["advance", "stable", "prod", "--run-gates"], 0);
    let left = fixture.sandbox.read("left");
    let process = camino::Utf8PathBuf::from(format!("/proc/{}/stat", left.trim()));
    let is_over = || std::fs::read_to_string(&process).map_or(true, |stat| stat.contains(") Z "));
    let start = std::time::Instant::now();
    while !is_over() {
        assert!(start.elapsed().as_secs() < 30, "process {left} goes on");
        std::thread::park_timeout(std::time::Duration::from_millis(20));
    }
}

#[test]
fn a_freeze_stops_a_move_but_what_somebody_takes_on_himself() {
    let frozen = "{freezes: [{from: 2000-01-01, until: 2999-12-31, reason: year end}], \
                  commands: [{name: tests, run: ['true']}]}";
    let fixture = promoted(frozen);
    let refused = fixture.run(&["advance", "stable", "prod", "--run-gates"], 1);
    assert!(refused.stderr.contains("nothing moves until 2999-12-31: year end"), "{refused}");
    // It passes the freeze, and nothing else.
    let refused = fixture.run(&["advance", "stable", "prod", "--break-glass", "CVE-2026-1"], 1);
    assert!(refused.stderr.contains("the gate `tests` was not run"), "{refused}");
    let broken = fixture.run(&["advance", "stable", "prod", "--run-gates", "--break-glass", "CVE-2026-1"], 0);
    assert!(broken.stdout.contains("BROKEN: CVE-2026-1 (frozen until 2999-12-31: year end)"), "{broken}");
    let entry = fixture.run(&["history", "stable/prod", "--format", "json"], 0);
    assert!(entry.stdout.contains("\"emergency\": \"CVE-2026-1\""), "{entry}");
    fixture.is_sound();
    let over = promoted("{freezes: [{from: 2000-01-01, until: 2000-01-02, reason: over}]}");
    let advanced = over.run(&["advance", "stable", "prod"], 0);
    assert!(advanced.stdout.contains("gate freeze            passed\n"), "{advanced}");
}
