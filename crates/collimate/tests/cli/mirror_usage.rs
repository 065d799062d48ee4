//! `collimate mirror usage`: what it counts, what it finds, and what it cannot read.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use testkit::{Cli, Sandbox};

use super::mirror_tenant::{MIRROR, PRIMARY, program, workspace};

fn line(time: &str, tenant: &str, address: &str, path: &str, cache: &str, refusal: &str) -> String {
    format!(
        "{{\"time\":\"{time}+00:00\",\"domain\":\"primary\",\"tenant\":\"{tenant}\",\"address\":\"{address}\",\
         \"method\":\"GET\",\"path\":\"{path}\",\"status\":200,\"bytes\":1500,\"seconds\":0.001,\
         \"upstream_seconds\":\"\",\"cache\":\"{cache}\",\"refusal\":\"{refusal}\",\"agent\":\"curl\"}}\n"
    )
}

const BUNDLE: &str = "/concelier/exports/mirror/primary/bundle.json";
const INDEX: &str = "/concelier/exports/index.json";

/// Two days of two tenants, one of them over its budget, and of some who are refused.
fn log() -> String {
    let mut text = String::new();
    for second in 0..60 {
        for minute in [0, 20] {
            text += &line(&format!("2026-01-31T10:{minute:02}:{second:02}"), "acme", "192.0.2.1", BUNDLE, "HIT", "");
        }
        text += &line(&format!("2026-01-31T11:00:{second:02}"), "acme", "192.0.2.1", BUNDLE, "MISS", "");
    }
    for number in 0..601 {
        let time = format!("2026-02-01T23:{:02}:{:02}", number / 60, number % 60);
        text += &line(&time, "eager", "192.0.2.2", INDEX, "HIT", "");
    }
    for second in 0..3 {
        text += &line(&format!("2026-01-31T12:00:0{second}"), "", "198.51.100.7", BUNDLE, "", "credentials");
    }
    text += &line("2026-01-31T12:00:09", "", "198.51.100.8", BUNDLE, "", "credentials");
    text += &line("2026-01-31T12:00:09", "", "192.0.2.1", BUNDLE, "", "tenant-limit");
    text
}

fn usage(sandbox: &Sandbox, arguments: &[&str]) -> Cli {
    program(sandbox, &["mirror", "usage"]).args(arguments.iter().copied())
}

#[test]
fn tenants_and_days_are_shown_against_their_budgets() {
    let sandbox = workspace();
    sandbox.write(PRIMARY, "acme:x\n").write("log", log());
    usage(&sandbox, &["log"])
        .stdout(format!(
            "day         domain   tenant  requests  bytes      hits     index, busiest hour             downloads, busiest hour        refused\n\
             2026-01-31  primary  -       5         7.3 KiB    -        -                               -                              credentials 4, tenant-limit 1\n\
             2026-01-31  primary  acme    180       263.6 KiB  66.6 %   -                               120 of 300 at 10:00, 180 left  -\n\
             2026-02-01  primary  eager   601       880.3 KiB  100.0 %  601 of 600 at 23:00, OVER by 1  -                              -\n\
             \n\
             over budget: tenant `eager` of domain `primary` made 601 index requests in the hour from 2026-02-01 23:00 UTC; its \
             budget is 600\n\
             \n\
             unknown: tenant `eager` of domain `primary` is not in `{PRIMARY}`\n\
             \n\
             day         address       without right credentials\n\
             2026-01-31  198.51.100.7  3\n\
             2026-01-31  198.51.100.8  1\n\
             \n\
             786 requests\n"
        ))
        .exit(1)
        .run();
    usage(&sandbox, &["log", "--day", "2026-01-31"]).stdout_has("\n185 requests on 2026-01-31\n").run();
    usage(&sandbox, &["log", "--day", "2026-03-01"]).stdout("0 requests on 2026-03-01\n").run();
}

#[test]
fn the_json_report_has_everything() {
    let sandbox = workspace();
    sandbox.write("log", log());
    let output = usage(&sandbox, &["log", "--format", "json"]).any_stdout().exit(1).run();
    let report: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(report["schema"], 1);
    assert_eq!(report["requests"], 786);
    assert_eq!(report["usage"].as_array().unwrap().len(), 3);
    let acme = &report["usage"][1];
    assert_eq!((&acme["tenant"], &acme["hits"], &acme["cacheable"]), (&"acme".into(), &120.into(), &180.into()));
    assert_eq!(acme["downloads"], serde_json::json!({"hour": 10, "requests": 120, "budget": 300, "left": 180}));
    assert_eq!(report["usage"][0]["refused"], serde_json::json!({"credentials": 4, "tenant-limit": 1}));
    assert_eq!(report["over"][0]["kind"], "index");
    assert_eq!(report["usage"][2]["index"]["left"], -1);
    assert_eq!(report["unknown"], serde_json::json!([]), "without a file of tenants nothing is said of them");
    assert_eq!(report["wrong_credentials"]["attempts"], 4);
}

#[test]
fn without_a_workspace_there_is_no_budget_and_a_file_can_name_one() {
    let sandbox = Sandbox::new();
    sandbox.write("log", log()).write("m.yaml", MIRROR);
    usage(&sandbox, &["log"])
        .stdout_has("  601 at 23:00 ")
        .stderr("note: no budget is known here; run this in the workspace, or name its `mirror.yaml` with `--budget`\n")
        .run();
    usage(&sandbox, &["log", "--budget", "m.yaml"]).stdout_has("  601 of 600 at 23:00, OVER by 1 ").exit(1).run();
    sandbox.replace("m.yaml", "id: primary", "id: other");
    usage(&sandbox, &["log", "--budget", "m.yaml", "--day", "2026-01-31"])
        .stdout_has("\nunknown: domain `primary` is not in `m.yaml`\n")
        .run();
}

#[test]
fn shuffled_split_packed_and_piped_lines_give_the_same_report() {
    let sandbox = workspace();
    let text = log() + "damaged\n";
    sandbox.write("log", &text);
    let expected = usage(&sandbox, &["log"]).any_stdout().any_stderr().exit(1).run().stdout;
    assert!(expected.ends_with("\n786 requests, 1 damaged line\n"), "{expected}");
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    // 787 is a prime: every 13th place, again and again, meets each line once.
    assert_eq!(lines.len(), 787);
    for round in 0..4 {
        lines = (0..lines.len()).map(|at| lines[at * 13 % 787]).collect();
        let cut = 100 + round * 150;
        sandbox.write("a", lines[..cut].concat()).write("b", lines[cut..].concat());
        assert_eq!(usage(&sandbox, &["b", "a"]).any_stdout().any_stderr().exit(1).run().stdout, expected);
        assert_eq!(
            usage(&sandbox, &["a", "-"]).stdin(sandbox.read("b")).any_stdout().any_stderr().exit(1).run().stdout,
            expected
        );
    }
    let Some(gzip) = testkit::tool("gzip") else { return };
    // Two members in one file, as `cat a.gz b.gz` and logrotate make it; the name does not matter.
    let packed: Vec<u8> = ["a", "b"]
        .iter()
        .flat_map(|name| Command::new(&gzip).arg("-c").arg(sandbox.path(name)).output().unwrap().stdout)
        .collect();
    sandbox.write("packed", &packed);
    assert_eq!(usage(&sandbox, &["packed"]).any_stdout().any_stderr().exit(1).run().stdout, expected);
    assert_eq!(usage(&sandbox, &["-"]).stdin(packed.clone()).any_stdout().any_stderr().exit(1).run().stdout, expected);
    sandbox.write("cut.gz", &packed[..packed.len() - 20]);
    usage(&sandbox, &["cut.gz"])
        .any_stdout()
        .stderr_has("error: cannot read `cut.gz`\ncaused by: its gzip data is cut off or damaged after line ")
        .exit(3)
        .run();
}

#[test]
fn damaged_lines_are_named_and_do_not_stop_the_report() {
    let sandbox = workspace();
    let good = line("2026-01-31T10:00:00", "acme", "::1", BUNDLE, "HIT", "");
    let mut text = good.clone() + "\n" + &good[..40] + "\n";
    writeln!(text, "{{\"time\":\"2026-01-31T00:00:00Z\"}}").unwrap();
    text += &good.replace("2026-01-31T10", "yesterday");
    text += &good.replace("\"bytes\":1500", "\"bytes\":-1");
    writeln!(text, "{}", "x".repeat(70_000)).unwrap();
    for _ in 0..8 {
        text += "secret password=hunter2\n";
    }
    // The last line of a log that is being written.
    text += &good[..100];
    sandbox.write("log", text);
    let no_json = |number: usize, column: usize| {
        format!("warning: `log`, line {number}: it is no JSON object (column {column})\n")
    };
    usage(&sandbox, &["log"])
        .stdout_has("\n1 request, 14 damaged lines\n")
        .stderr(
            no_json(3, 40)
                + "warning: `log`, line 4: it has no `domain`\n\
                   warning: `log`, line 5: `time` is not a moment such as 2026-01-31T12:00:00+00:00\n\
                   warning: `log`, line 6: a field has another type than the gateway writes (column 180)\n\
                   warning: `log`, line 7: it has more than 64 KiB\n"
                + &(8..13).map(|number| no_json(number, 1)).collect::<String>()
                + "warning: and 4 more damaged lines\n",
        )
        .run();
}

#[test]
fn logs_that_do_not_fit() {
    let sandbox = workspace();
    sandbox.write("error.log", "2026/01/31 10:00:00 [notice] 1#1: start\n\n").write("folder/x", "").write("log", "");
    for (arguments, exit, stderr) in [
        (
            vec!["error.log"],
            3,
            "warning: `error.log`, line 1: it is no JSON object (column 1)\n\
             error: there is no line of the gateway's access log\n\
             caused by: `error.log`, line 1: it is no JSON object (column 1)\n\
             hint: the gateway writes one JSON object a line; name its access log, not its error log\n",
        ),
        (vec!["none"], 3, "error: cannot read `none`\ncaused by: it does not exist\n"),
        (vec!["folder"], 3, "error: cannot read `folder`\ncaused by: it is a folder\nhint: name the files in it\n"),
        (vec!["log", "./log"], 2, "error: `./log` is named twice\nhint: it would be counted twice\n"),
        (vec!["-", "-"], 2, "error: `-` is named twice\nhint: it would be counted twice\n"),
        (
            vec!["log", "--budget", "none.yaml"],
            3,
            "error: cannot read `none.yaml`\ncaused by: `none.yaml` does not exist\n",
        ),
    ] {
        usage(&sandbox, &arguments).exit(exit).stderr(stderr).run();
    }
    for day in ["31.01.2026", "2026-1-31", "2026-02-30", "2026-01-31T10:00:00"] {
        usage(&sandbox, &["log", "--day", day])
            .exit(2)
            .stderr_has(format!("invalid value '{day}' for '--day <DAY>': a day is needed, such as 2026-01-31\n"))
            .run();
    }
    usage(&sandbox, &[]).exit(2).any_stderr().run();
    usage(&sandbox, &["log"]).stdout("0 requests\n").run();
}

#[test]
fn names_in_a_log_cannot_play_on_the_terminal() {
    let sandbox = workspace();
    sandbox.write("log", line("2026-01-31T10:00:00", "a\\u001b[31mb\\nc", "\\u202e1", BUNDLE, "HIT", "credentials"));
    let output = usage(&sandbox, &["log"]).any_stdout().run();
    assert!(!output.stdout.contains(['\u{1b}', '\u{202e}']), "{output}");
    assert!(output.stdout.contains("a\u{fffd}[31mb c"), "{output}");
}

#[test]
fn memory_does_not_grow_with_the_log() {
    let sandbox = workspace();
    let mut child = Command::new(env!("CARGO_BIN_EXE_collimate"))
        .args(["mirror", "usage", "-", "--format", "json"])
        .current_dir(sandbox.root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let status = format!("/proc/{}/status", child.id());
    // Kilobytes in memory, as the kernel counts them.
    let resident = || -> u64 {
        let text = std::fs::read_to_string(&status).unwrap();
        let line = text.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let mut block = String::new();
    for number in 0..5000_u32 {
        let refusal = if number % 4 == 0 { "credentials" } else { "" };
        let time = format!("2026-01-31T{:02}:00:00", number % 24);
        block += &line(&time, "acme", &format!("10.0.{}.{}", number / 250, number % 250), BUNDLE, "HIT", refusal);
    }
    // A pipe holds 64 KiB: when the last byte of a block is written, all but that has been read.
    let mut write = |blocks: u32| (0..blocks).for_each(|_| stdin.write_all(block.as_bytes()).unwrap());
    write(2);
    let before = resident();
    write(18);
    let grown = resident().saturating_sub(before);
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["requests"], 100_000);
    assert_eq!(report["wrong_credentials"]["addresses"].as_array().unwrap().len(), 1250);
    let written = 18 * block.len() as u64 / 1024;
    assert!(grown < written / 10, "{grown} KiB more after {written} KiB of lines");
}
