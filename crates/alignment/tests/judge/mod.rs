//! The real collector judges our verdicts on configurations.
//!
//! `otelcol validate` stops at its first problem and says nothing of what is merely unused, so what is compared is: does it refuse
//! to start because of how components are connected, and do we report an error.

use std::path::Path;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use findings::{Finding, Location, Severity};
use testkit::Sandbox;

const DANGLING: &str = "collector-pipeline-dangling";
const DIFFERS: &str = "collector-config-differs";

/// What the collector says where the connections of a configuration are at fault, and not a setting of one component.
const OF_CONNECTIONS: [&str; 12] = [
    "which is not configured",
    "'otelcol.configSettings' has invalid keys",
    "'service' has invalid keys",
    "'service.pipelines[",
    "must have at least one",
    "configuration specified in config",
    "multiple times",
    "unknown pipeline signal",
    "cannot be used as a Conf",
    "ambiguous ID",
    "source data must be an array",
    "unknown flag",
];

/// Uses every kind of component that the judge has. Each of its lines, and each name in its `service`, is damaged in turn.
const CONFIGURATION: &str = "\
extensions:
  health_check:
    endpoint: 127.0.0.1:13133
  pprof:
receivers:
  otlp:
    protocols:
      grpc:
      http:
  prometheus/own:
    config:
      scrape_configs: [{job_name: own, static_configs: [{targets: ['127.0.0.1:8888']}]}]
processors:
  memory_limiter:
    check_interval: 1s
    limit_mib: 100
  batch:
exporters:
  debug:
  otlp_grpc/tempo:
    endpoint: tempo:4317
service:
  extensions: [health_check, pprof]
  telemetry:
    logs:
      encoding: json
  pipelines:
    traces:
      receivers: [otlp]
      processors: [memory_limiter, batch]
      exporters: [otlp_grpc/tempo]
    metrics/own:
      receivers: [otlp, prometheus/own]
      exporters: [debug]
";

#[test]
fn what_the_collector_refuses_in_a_fixture_is_an_error() {
    let Some(collector) = testkit::peer("otelcol") else { return };
    let mut judged = 0;
    for rule in [DANGLING, "collector-tls-missing"] {
        let mut cases: Vec<_> =
            std::fs::read_dir(super::rules_folder().join(rule)).unwrap().map(Result::unwrap).collect();
        cases.sort_by_key(std::fs::DirEntry::file_name);
        for case in cases.iter().map(std::fs::DirEntry::path) {
            // Its lines are the arguments; a fixture with components that the judge does not have has none.
            let Ok(arguments) = std::fs::read_to_string(case.join("judge.txt")) else { continue };
            let (findings, report) = super::check(&case);
            let verdict = validate(&collector, &case, &arguments.lines().collect::<Vec<_>>());
            assert_eq!(verdict.is_err(), has_error(&findings, DANGLING), "{case:?}: {verdict:?}\n{report}");
            judged += 1;
        }
    }
    assert!(judged >= 9, "{judged} fixtures were judged");
}

#[test]
fn whatever_is_damaged_the_collector_and_we_agree() {
    let Some(collector) = testkit::peer("otelcol") else { return };
    let mut damaged: Vec<(String, String)> = vec![("as it is".to_owned(), CONFIGURATION.to_owned())];
    let lines: Vec<&str> = CONFIGURATION.lines().collect();
    let join = |lines: &[&str]| format!("{}\n", lines.join("\n"));
    let mut service = false;
    for (index, line) in lines.iter().enumerate() {
        service |= line.starts_with("service:");
        let mut without = lines.clone();
        without.remove(index);
        damaged.push((format!("without line {}: {line}", index + 1), join(&without)));
        let mut renamed = lines.clone();
        let other = line.replacen("e", "3", 1);
        renamed[index] = &other;
        damaged.push((format!("line {} as {other}", index + 1), join(&renamed)));
        if let Some((before, list)) = line.split_once('[').filter(|_| service) {
            for list in ["]", "other]", "debug, debug]", "otlp, otlp]", "batch, batch]"] {
                let other = format!("{before}[{list}");
                let mut replaced = lines.clone();
                replaced[index] = &other;
                damaged.push((format!("line {} as {other}, not {list}", index + 1), join(&replaced)));
            }
            let scalar = format!("{before}{}", list.split([',', ']']).next().unwrap());
            let mut replaced = lines.clone();
            replaced[index] = &scalar;
            damaged.push((format!("line {} as {scalar}", index + 1), join(&replaced)));
        }
    }
    let sandbox = Sandbox::new();
    let (mut refused, mut accepted) = (0, 0);
    let mut wrong = Vec::new();
    for (what, text) in &damaged {
        sandbox.write("collector.yaml", text);
        let verdict = validate(&collector, sandbox.root().as_std_path(), &["--config=collector.yaml"]);
        let (findings, report) = super::check_files(workspace(text), what);
        let ours = has_error(&findings, DANGLING);
        let theirs = verdict.as_ref().err().is_some_and(|said| OF_CONNECTIONS.iter().any(|words| said.contains(words)));
        match &verdict {
            Ok(()) => accepted += 1,
            Err(_) => refused += 1,
        }
        // It may refuse for a setting that is none of our business; but what we call an error, it must refuse.
        if (ours && verdict.is_ok()) || (theirs && !ours) {
            wrong.push(format!("{what}: the collector: {verdict:?}\n{report}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ\n{}", wrong.len(), damaged.len(), wrong.join("\n"));
    assert!(refused > 40 && accepted > 10, "{refused} refused, {accepted} accepted");
}

/// Two layers and a `--set` against one file: where we say that they are the same, the collector loads the same.
#[test]
fn layers_merge_as_the_collector_merges_them() {
    let Some(collector) = testkit::peer("otelcol") else { return };
    let layer = "\
exporters::otlp_grpc/tempo::endpoint: other:4317
processors:
  memory_limiter: {limit_mib: 200}
service:
  extensions: [pprof]
  telemetry: {logs: null}
  pipelines:
    traces: {processors: [batch]}
    logs: {receivers: [otlp], exporters: [debug]}
";
    let whole = "\
extensions:
  health_check: {endpoint: '127.0.0.1:13133'}
  pprof:
receivers:
  otlp: {protocols: {grpc: , http: }}
  prometheus/own:
    config:
      scrape_configs: [{job_name: own, static_configs: [{targets: ['127.0.0.1:8888']}]}]
processors:
  memory_limiter: {check_interval: 1s, limit_mib: 200}
  batch: {timeout: 2s}
exporters:
  debug:
  otlp_grpc/tempo: {endpoint: 'other:4317'}
service:
  extensions: [pprof]
  telemetry: {logs: null}
  pipelines:
    traces: {receivers: [otlp], processors: [batch], exporters: [otlp_grpc/tempo]}
    metrics/own: {receivers: [otlp, prometheus/own], exporters: [debug]}
    logs: {receivers: [otlp], exporters: [debug]}
";
    let sandbox = Sandbox::new();
    sandbox.write("base.yaml", CONFIGURATION).write("layer.yaml", layer);
    let arguments = ["--config=base.yaml", "--config=layer.yaml", "--set=processors.batch.timeout=2s"];
    let loaded = |arguments: &[&str]| {
        let mut all = vec!["print-config", "--mode=unredacted"];
        all.extend(arguments);
        run(&collector, sandbox.root().as_std_path(), &all).unwrap()
    };
    let layered = loaded(&arguments);
    // What a wrong merge would give: each is told apart by both of us.
    let wrong = [
        ("limit_mib: 200", "limit_mib: 100"),
        ("other:4317", "tempo:4317"),
        ("extensions: [pprof]", "extensions: [health_check, pprof]"),
        ("processors: [batch]", "processors: [memory_limiter, batch]"),
        ("timeout: 2s", "timeout: 3s"),
        ("logs: null", "logs: {encoding: json}"),
        ("check_interval: 1s, ", "check_interval: 2s, "),
        ("    logs: {receivers: [otlp], exporters: [debug]}\n", ""),
    ];
    for (old, new) in [("", "")].into_iter().chain(wrong) {
        let single = whole.replacen(old, new, 1);
        sandbox.write("single.yaml", &single);
        let differs = loaded(&["--config=single.yaml"]) != layered;
        assert_eq!(differs, !old.is_empty(), "the judge, with `{new}` for `{old}`");
        let command: Vec<String> =
            arguments.iter().map(|argument| argument.replace("--config=", "--config=/etc/otelcol/")).collect();
        let files = twins(&command, &[("base.yaml", CONFIGURATION), ("layer.yaml", layer), ("single.yaml", &single)]);
        let (findings, report) = super::check_files(files, old);
        assert_eq!(has_error(&findings, DIFFERS), differs, "with `{new}` for `{old}`:\n{report}");
    }
}

fn has_error(findings: &[Finding<Location>], rule: &str) -> bool {
    findings.iter().any(|finding| finding.rule == rule && finding.severity == Severity::Error)
}

/// What `otelcol validate` says.
fn validate(collector: &Utf8Path, folder: &Path, arguments: &[&str]) -> Result<(), String> {
    let mut all = vec!["validate"];
    all.extend(arguments);
    run(collector, folder, &all).map(drop)
}

fn run(collector: &Utf8Path, folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(collector).args(arguments).current_dir(folder).env_clear().output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

const RELEASE: &str = "\
schema: 1
version: 1.4.0
channel: stable
digests: resolved
components:
  otel-collector:
    image: docker.io/otel/opentelemetry-collector
    tag: 0.155.0
    digest: sha256:5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e
";

/// A service that runs a collector with these arguments, the folder `telemetry` mounted.
fn service(arguments: &[String]) -> String {
    let image =
        "otel/opentelemetry-collector:0.155.0@sha256:5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e";
    let words: String = arguments.iter().map(|argument| format!("      - {argument}\n")).collect();
    format!(
        "services:\n  collector:\n    image: {image}\n    command:\n{words}    volumes: [\"./telemetry:/etc/otelcol:ro\"]\n"
    )
}

fn files(all: &[(&str, &str)]) -> Vec<(Utf8PathBuf, Vec<u8>)> {
    all.iter().map(|(path, text)| (Utf8PathBuf::from(*path), text.as_bytes().to_vec())).collect()
}

/// A workspace with one profile that runs this configuration.
fn workspace(configuration: &str) -> Vec<(Utf8PathBuf, Vec<u8>)> {
    let workspace = "schema: 1\nchannels: {stable: {release: release.yaml}}\nprofiles:\n  shop: {channel: stable, compose: [compose.yaml]}\n";
    files(&[
        ("collimate.yaml", workspace),
        ("release.yaml", RELEASE),
        ("compose.yaml", &service(&["--config=/etc/otelcol/collector.yaml".to_owned()])),
        ("telemetry/collector.yaml", configuration),
    ])
}

/// Twins: one collector with these arguments, one with `single.yaml`.
fn twins(arguments: &[String], telemetry: &[(&str, &str)]) -> Vec<(Utf8PathBuf, Vec<u8>)> {
    let workspace = "schema: 1\nchannels: {stable: {release: release.yaml}}\nprofiles:\n  \
                     layers: {channel: stable, compose: [layers.yaml], twin: single}\n  \
                     single: {channel: stable, compose: [single.yaml], twin: layers}\n";
    let mut all = files(&[
        ("collimate.yaml", workspace),
        ("release.yaml", RELEASE),
        ("layers.yaml", &service(arguments)),
        ("single.yaml", &service(&["--config=/etc/otelcol/single.yaml".to_owned()])),
    ]);
    let telemetry =
        telemetry.iter().map(|(path, text)| (Utf8Path::new("telemetry").join(path), text.as_bytes().to_vec()));
    all.extend(telemetry);
    all
}
