//! What a JUnit report says. That it is one is proved over whole checks, with a schema, by the program's tests.

use super::*;

#[test]
fn the_report_is_as_documented() {
    let sources = sources();
    let mut error = mismatch(&sources);
    error.profiles.extend(["dev".into(), "stage".into()]);
    let mut warning = Finding::new("env-unused", Severity::Warning, at(&sources, 2, "NAME"), "a < b & \"c\"");
    warning.profiles.insert("dev".into());
    let note = Finding::new("unmanaged-unused", Severity::Note, Location::Nowhere, "n\u{1}");
    let verdict =
        |name: &str, verdict| ProfileVerdict { name: name.into(), channel: "edge".into(), images: 1, verdict };
    let profiles = [
        verdict("dev", Verdict::Failed),
        verdict("stage", Verdict::Failed),
        verdict("prod", Verdict::Aligned),
        verdict("lost", Verdict::Failed),
    ];
    let expected = "\
<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<testsuites name=\"collimate check\" tests=\"5\" failures=\"3\" errors=\"0\">
  <testsuite name=\"dev\" tests=\"1\" failures=\"1\" errors=\"0\" skipped=\"0\">
    <properties>
      <property name=\"channel\" value=\"edge\"/>
    </properties>
    <testcase classname=\"dev\" name=\"digest-mismatch: compose/dev.yaml\">
      <failure type=\"digest-mismatch\" message=\"profile pins a digest that the release does not list\">compose/dev.yaml:3:43: profile `dev` pins this
releases/edge.yaml:4:13: release `2025.10.0-edge` lists this
help: run `collimate pin dev`</failure>
    </testcase>
    <system-out>warning[env-unused]: a b%,:x.env:2:1: a &lt; b &amp; \"c\"</system-out>
  </testsuite>
  <testsuite name=\"stage\" tests=\"1\" failures=\"1\" errors=\"0\" skipped=\"0\">
    <properties>
      <property name=\"channel\" value=\"edge\"/>
    </properties>
    <testcase classname=\"stage\" name=\"digest-mismatch: compose/dev.yaml\">
      <failure type=\"digest-mismatch\" message=\"profile pins a digest that the release does not list\">compose/dev.yaml:3:43: profile `dev` pins this
releases/edge.yaml:4:13: release `2025.10.0-edge` lists this
help: run `collimate pin dev`</failure>
    </testcase>
  </testsuite>
  <testsuite name=\"prod\" tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"0\">
    <properties>
      <property name=\"channel\" value=\"edge\"/>
    </properties>
    <testcase classname=\"prod\" name=\"aligned\"/>
  </testsuite>
  <testsuite name=\"lost\" tests=\"1\" failures=\"1\" errors=\"0\" skipped=\"0\">
    <properties>
      <property name=\"channel\" value=\"edge\"/>
    </properties>
    <testcase classname=\"lost\" name=\"aligned\">
      <failure type=\"not-aligned\" message=\"not aligned: see the suite of the workspace\"></failure>
    </testcase>
  </testsuite>
  <testsuite name=\"workspace\" tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"0\">
    <testcase classname=\"workspace\" name=\"aligned\"/>
    <system-out>note[unmanaged-unused]: n\u{fffd}</system-out>
  </testsuite>
</testsuites>
";
    let findings = [error, warning, note];
    assert_eq!(junit(&findings, &profiles, &sources, Severity::Error), expected);
    let strict = junit(&findings, &profiles, &sources, Severity::Warning);
    assert!(
        strict.contains("<testsuites name=\"collimate check\" tests=\"6\" failures=\"4\" errors=\"0\">"),
        "{strict}"
    );
    assert!(strict.contains("<failure type=\"env-unused\" message=\"a &lt; b &amp; &quot;c&quot;\">"), "{strict}");
}
