//! What is wrong before anything is connected to: all of it at once, exit 2.

use testkit::{Cli, Sandbox};

use super::world::{PASSWORD, TOKEN, cli, environment};

/// Nothing listens there; nothing is asked either.
fn configured() -> Cli {
    environment(1, "https://notify.test").into_iter().fold(cli(), |cli, (name, value)| cli.env(name, value))
}

#[test]
fn all_that_is_missing_is_listed_at_once_with_its_purpose_and_its_place() {
    let expected = "\
error: `smoke notify` is not configured: 6 problems
caused by: `NOTIFY_SMOKE_REDIS_DSN` is missing: connection string of the Redis with the events, `redis://user:pass@host:port/db`; set it as a repository secret, or use `--redis-dsn-file`
caused by: `NOTIFY_SMOKE_NOTIFY_BASEURL` is missing: base URL of Notify, such as `https://notify.example.internal`; set it as a repository variable or secret, or use `--notify-url`
caused by: `NOTIFY_SMOKE_NOTIFY_TOKEN` is empty: bearer token of a service account that may read deliveries; set it as a repository secret, or use `--token-file`
caused by: `NOTIFY_SMOKE_NOTIFY_TENANT` is missing: tenant whose events and deliveries are looked at; set it as a repository variable or secret, or use `--tenant`
caused by: `NOTIFY_SMOKE_EXPECT_KINDS` is empty: event kinds that must be seen, such as `scanner.report.ready,scanner.scan.completed`; set it as a repository variable or secret, or use `--expect-kinds`
caused by: `NOTIFY_SMOKE_LOOKBACK_MINUTES` is missing: minutes of the stream that are looked at, such as 30; set it as a repository variable or secret, or use `--lookback-minutes`
hint: `collimate smoke notify --help` names every variable, `--check-config` checks them without connecting
";
    let half = || cli().env("NOTIFY_SMOKE_NOTIFY_TOKEN", "").env("NOTIFY_SMOKE_EXPECT_KINDS", " \n");
    half().stderr(mask_example(expected)).exit(2).run();
    half().arg("--check-config").stderr(mask_example(expected)).exit(2).run();
}

/// The example of a connection string looks like one with a password, and is masked like one.
fn mask_example(text: &str) -> String {
    text.replace("redis://user:pass@host", "redis://•••@host")
}

#[test]
fn each_malformed_value_is_named_and_none_is_quoted() {
    let cases: &[(&str, &str, &str)] = &[
        ("REDIS_DSN", "http://ci:planted-x@redis.test", "must begin with `redis://`"),
        ("REDIS_DSN", "redis://ci:planted/x@redis.test", "percent-encoded"),
        ("REDIS_DSN", "redis://ci:planted-x@redis.test:99999", "port"),
        ("REDIS_DSN", "redis://ci:planted-x@a.test,b.test", "several hosts"),
        ("REDIS_DSN", "redis://ci:planted-x@redis.test/zero", "database"),
        ("REDIS_DSN", "redis://ci:planted-x@redis.test/0?tls=1", "options"),
        ("NOTIFY_BASEURL", "notify.test", "https://"),
        ("NOTIFY_BASEURL", "https://u:planted-x@notify.test", "user name or password"),
        ("NOTIFY_BASEURL", "http://notify.test", "read the token"),
        ("NOTIFY_BASEURL", "https://notify.test/api/v1/notify/deliveries", "must end before"),
        ("NOTIFY_TOKEN", "Bearer planted-x", "leave out the word"),
        ("NOTIFY_TOKEN", "planted x", "space"),
        ("NOTIFY_TOKEN", "planted\nx", "line end"),
        ("NOTIFY_TENANT", "two words", "one word"),
        ("NOTIFY_TENANT_HEADER", "X Tenant", "no name of a header"),
        ("NOTIFY_TENANT_HEADER", "Authorization", "needed for something else"),
        ("REDIS_STREAM", "events\u{1b}[31m", "control character"),
        ("REDIS_FIELD", "a\nb", "control character"),
        ("EXPECT_KINDS", "a.b,,c.d", "between two commas"),
        ("EXPECT_KINDS", "a.b,", "at an end"),
        ("EXPECT_KINDS", "a b", "a kind is words"),
        ("EXPECT_KINDS", "Scanner.Report", "lower-case"),
        ("EXPECT_KINDS", "a.b,a.b", "twice"),
        ("LOOKBACK_MINUTES", "half an hour", "whole number"),
        ("LOOKBACK_MINUTES", "0", "from 1 to 10080"),
        ("LOOKBACK_MINUTES", "-5", "from 1 to 10080"),
        ("LOOKBACK_MINUTES", "99999", "from 1 to 10080"),
        ("REDIS_CERT", "tls.crt", "NOTIFY_SMOKE_REDIS_KEY"),
        ("REDIS_KEY", "tls.key", "NOTIFY_SMOKE_REDIS_CERT"),
        ("REDIS_CA", "ca.crt", "write `rediss://`"),
        ("NOTIFY_CA", "no-such-file.crt", "cannot read `no-such-file.crt`"),
        ("ENABLED", "perhaps", "`true` or `false`"),
    ];
    for (name, value, reason) in cases {
        let name = format!("NOTIFY_SMOKE_{name}");
        let output = configured().env(&name, *value).output();
        assert_eq!((output.exit, output.stdout.as_str()), (2, ""), "{name}={value}\n{output}");
        assert!(output.stderr.contains(reason), "{name}={value}\n{output}");
        assert!(output.stderr.contains("1 problem\n"), "{name}={value}\n{output}");
        assert!(!output.stderr.contains("planted"), "{name}={value}\n{output}");
    }
}

#[test]
fn the_configuration_can_be_checked_without_a_connection() {
    let output = configured().arg("--check-config").any_stdout().run();
    assert!(!output.stdout.contains(TOKEN) && output.stdout.contains("set, secret"), "{output}");
    assert!(output.stdout.contains("X-StellaOps-Tenant (default)"), "{output}");
    // As `${{ vars.X || secrets.X }}` gives it where neither is set.
    let empty = configured().env("NOTIFY_SMOKE_NOTIFY_TENANT_HEADER", "").arg("--check-config").any_stdout().run();
    assert_eq!(empty, output);
    configured().args(["--check-config", "--format", "json"]).stdout_has("\"NOTIFY_SMOKE_REDIS_DSN\"").run();
}

#[test]
fn a_token_that_has_expired_is_found_before_anything_is_built() {
    // {"exp":1700000000}
    let token = "eyJhbGciOiJub25lIn0.eyJleHAiOjE3MDAwMDAwMDB9.cGxhbnRlZA";
    let output = configured().env("NOTIFY_SMOKE_NOTIFY_TOKEN", token).arg("--check-config").output();
    assert_eq!(output.exit, 2);
    assert!(
        output.stderr.contains("the token expired at 2023-11-14T22:13:20Z") && !output.stderr.contains(token),
        "{output}"
    );
}

#[test]
fn secrets_come_from_files_too_and_never_from_flags() {
    let sandbox = Sandbox::new();
    sandbox.write("dsn", format!("redis://ci:{PASSWORD}@redis.test\n")).write("token", format!("{TOKEN}\n"));
    let bare = || {
        let environment = environment(1, "https://notify.test").into_iter();
        let without = environment.filter(|(name, _)| !name.contains("DSN") && !name.contains("TOKEN"));
        without.fold(cli(), |cli, (name, value)| cli.env(name, value)).folder(sandbox.root()).arg("--check-config")
    };
    bare().args(["--redis-dsn-file", "dsn", "--token-file", "token"]).any_stdout().run();
    let output = bare().args(["--redis-dsn-file", "none", "--token-file", "."]).output();
    assert_eq!(output.exit, 2);
    for text in [
        "`NOTIFY_SMOKE_REDIS_DSN` cannot be read from `none`",
        "`NOTIFY_SMOKE_NOTIFY_TOKEN` cannot be read from `.`",
        "2 problems",
    ] {
        assert!(output.stderr.contains(text), "{output}");
    }
    for flag in ["--redis-dsn", "--token"] {
        assert_eq!(bare().args([flag, "x"]).output().exit, 2, "{flag}");
    }
}

#[test]
fn a_pipe_that_nobody_writes_into_is_given_up() {
    let sandbox = Sandbox::new();
    let pipe = sandbox.path("pipe");
    assert!(std::process::Command::new("/usr/bin/mkfifo").arg(&pipe).status().unwrap().success());
    for flag in ["--token-file", "--redis-dsn-file"] {
        let output = configured().args(["--check-config", "--timeout", "0.1", flag, pipe.as_str()]).output();
        assert_eq!(output.exit, 2, "{output}");
        assert!(output.stderr.contains("nothing came out of it within 0.1 s"), "{output}");
    }
}

#[test]
fn one_file_is_not_named_for_two_reports_and_a_device_stays_one() {
    let sandbox = Sandbox::new();
    let at = |name: &str| sandbox.path(name).to_string();
    for pair in [["--json", "--junit"], ["--json", "--output"], ["--junit", "--output"]] {
        let output = configured().args(["--check-config", pair[0], &at("same"), pair[1], &at("same")]).output();
        assert_eq!(output.exit, 2, "{output}");
        assert!(output.stderr.contains("is named for two reports"), "{output}");
    }
    std::os::unix::fs::symlink("/dev/null", sandbox.path("null")).unwrap();
    let output = configured().args(["--check-config", "--json", &at("null")]).output();
    assert_eq!(output.exit, 4, "{output}");
    assert!(output.stderr.contains("it is a device or a pipe"), "{output}");
}

#[test]
fn synthetic_events_need_the_tenants_name_twice() {
    let output = configured().args(["--emit", "--emit-tenants", "staging,other"]).output();
    assert_eq!(output.exit, 2);
    assert!(output.stderr.contains("`--emit` is refused for the tenant `acme`"), "{output}");
    assert_eq!(configured().arg("--emit").output().exit, 2);
}

#[test]
fn switched_off_is_skipped_loudly_and_is_no_pass() {
    let sandbox = Sandbox::new();
    let off = || cli().folder(sandbox.root()).env("NOTIFY_SMOKE_ENABLED", "False");
    let warning = "warning: `smoke notify` is skipped: `NOTIFY_SMOKE_ENABLED` switches it off\n";
    let output = off().args(["--format", "json", "--junit", "out.xml"]).any_stdout().stderr(warning).run();
    let json: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(json["verdict"], "not-tried");
    assert!(sandbox.read("out.xml").contains("<skipped "), "{}", sandbox.read("out.xml"));
    off().arg("--check-config").any_stdout().stderr(warning).run();
}

#[test]
fn the_help_names_every_variable_and_its_flag() {
    let help = cli().arg("--help").any_stdout().run().stdout;
    for variable in &smoke::notify::VARIABLES[..14] {
        assert!(help.contains(variable.flag) && help.contains(variable.name), "{}", variable.name);
    }
}
