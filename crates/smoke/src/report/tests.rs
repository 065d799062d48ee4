use super::*;

fn report() -> Report {
    let finding = |kind, class, about: &str, message: &str| Finding {
        kind,
        class,
        about: vec![about.to_owned()],
        message: message.to_owned(),
        help: Some("start it".to_owned()),
    };
    let mut report = Report {
        probe: "otel",
        subject: "collector.test".to_owned(),
        facts: vec![("run", "cafe".to_owned())],
        tables: vec![Table {
            name: "signals",
            columns: &["signal", "sent"],
            rows: vec![
                Row {
                    name: "traces over gRPC".to_owned(),
                    cells: vec![Cell::Text("traces".to_owned()), Cell::Number(10)],
                    verdict: Verdict::Passed,
                },
                Row {
                    name: "logs over gRPC".to_owned(),
                    cells: vec![Cell::Text("logs".to_owned()), Cell::Nothing],
                    verdict: Verdict::Failed,
                },
                Row {
                    name: "expired".to_owned(),
                    cells: vec![Cell::Text("-".to_owned()), Cell::Nothing],
                    verdict: Verdict::NotTried("no key".to_owned()),
                },
            ],
        }],
        findings: Vec::new(),
        conclusion: None,
    };
    report.find(finding("lost", Class::Wrong, "logs over gRPC", "1 < 2 & \"so\""));
    report.find(finding("dns-failure", Class::Unreachable, "health", "no address"));
    report.find(finding("dns-failure", Class::Unreachable, "counters", "no address"));
    report
}

#[test]
fn text_is_aligned_and_findings_follow() {
    let expected = "\
smoke otel: collector.test
run: cafe

signal  sent  verdict
traces    10  ok
logs    -     FAILED
-       -     not tried: no key

error[lost]: 1 < 2 & \"so\"
  = at: logs over gRPC
  = help: start it

error[dns-failure]: no address
  = at: health, counters
  = help: start it

2 findings, 1 check not tried
";
    assert_eq!(text(&report()), expected);
}

#[test]
fn json_has_a_schema_and_typed_cells() {
    let json: serde_json::Value = serde_json::from_str(&json(&report())).unwrap();
    assert_eq!(json["schema"], 1);
    assert_eq!(json["verdict"], "unreachable");
    assert_eq!(json["tables"]["signals"][0]["sent"], 10);
    assert_eq!(json["tables"]["signals"][1]["sent"], serde_json::Value::Null);
    assert_eq!(json["tables"]["signals"][2]["reason"], "no key");
    assert_eq!(json["findings"][1]["about"], serde_json::json!(["health", "counters"]));
}

#[test]
fn junit_counts_failures_and_skips_and_escapes() {
    let xml = junit(&report());
    assert!(
        xml.contains("<testsuite name=\"smoke otel signals\" tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\">")
    );
    assert!(xml.contains("<failure type=\"lost\" message=\"1 &lt; 2 &amp; &quot;so&quot;; start it\"/>"), "{xml}");
    assert!(xml.contains("<testsuite name=\"smoke otel reach\" tests=\"1\" failures=\"1\""), "{xml}");
}
