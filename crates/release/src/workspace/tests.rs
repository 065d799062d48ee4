use super::*;

const EXAMPLE: &str = include_str!("example.yaml");

fn check(from: &str, to: &str, at: &str, message: &str, help: Option<&str>) {
    let text = EXAMPLE.replacen(from, to, 1);
    assert_ne!(text, EXAMPLE, "{from}");
    let problems = Workspace::parse(&text, FileId(0)).unwrap_err();
    let [problem] = problems.as_slice() else { panic!("{to}: {problems:#?}") };
    assert_eq!(text[problem.span.unwrap().range()].lines().next().unwrap_or_default(), at, "{to}");
    assert_eq!(problem.message, message, "{to}");
    assert_eq!(problem.help.as_deref(), help, "{to}");
}

#[test]
fn the_example_reads() {
    let workspace = Workspace::parse(EXAMPLE, FileId(0)).unwrap();
    let stage = workspace.profile("compose/stage").unwrap();
    assert_eq!(workspace.release_path(stage).unwrap().as_str(), "deploy/releases/2025.09-stable.yaml");
    let prod = workspace.profile("compose/prod").unwrap();
    assert_eq!(workspace.release_path(prod).unwrap().as_str(), "deploy/releases/archive/2025.09.1.yaml");
    assert_eq!(workspace.level("env-unused"), Some(Level::Off));
    assert_eq!(workspace.ignore[0].until.as_ref().unwrap().to_string(), "2026-03-01");
    let airgap = workspace.profile("compose/airgap").unwrap();
    let here: ImageRef = "registry.airgap.internal/stellaops/a".parse().unwrap();
    let there: ImageRef = "registry.stella-ops.org/stellaops/a".parse().unwrap();
    assert!(airgap.listed_spellings(&here).iter().any(|image| image.same_name(&there)));
    assert!(airgap.profile_spelling(&there).same_name(&here));
}

#[test]
fn problems_name_place_reason_and_way_out() {
    check("rules:", "rule:", "rule", "unknown key `rule`", Some("did you mean `rules`?"));
    check(
        "    twin: helm/stage",
        "    twin: helm/stge",
        "helm/stge",
        "there is no other profile `helm/stge`",
        Some("did you mean `helm/stage`?"),
    );
    check("ring: prod", "ring: prd", "prd", "there is no ring `prd`", Some("did you mean `prod`?"));
    check(
        "overlays: [telemetry]",
        "overlays: [mirror]",
        "mirror",
        "there is no overlay `mirror`",
        Some("defined here: `telemetry`"),
    );
    check(
        "promote_from: edge",
        "promote_from: stable",
        "stable",
        "channel `stable` is promoted from itself",
        Some("name the channel before it"),
    );
    check(
        "namespace: stellaops",
        "env: [a]",
        "[a]",
        "`profiles.helm/stage.env` means nothing beside `chart`",
        Some("remove it"),
    );
    check(
        "[Namespace/observability]",
        "[observability]",
        "observability",
        "`profiles.helm/stage.external.objects` must name kind and object",
        Some("write `Kind/name`, such as `Service/gateway`"),
    );
    check(
        "[out/legacy.yaml]",
        "[]",
        "[]",
        "`profiles.rendered/legacy.manifests` is empty: there is nothing to render",
        Some("name files with manifests of Kubernetes, at least one"),
    );
    check(
        "[out/legacy.yaml]",
        "[../legacy.yaml]",
        "../legacy.yaml",
        "`profiles.rendered/legacy.manifests` leads out of the workspace: `../legacy.yaml`",
        Some("write it relative to the folder of `collimate.yaml`"),
    );
}

/// What is missing because it is misspelt, and what refers to it, has no fault of its own.
#[test]
fn a_misspelt_key_is_one_problem() {
    for (from, to, key, near) in [
        ("channels:\n", "chanels:\n", "chanels", "channels"),
        ("profiles:\n", "profile:\n", "profile", "profiles"),
        ("overlays:\n", "overlay:\n", "overlay", "overlays"),
        ("edge: {release:", "edge: {releas:", "channels.edge.releas", "release"),
        ("rings:\n", "ring:\n", "channels.stable.ring", "rings"),
        ("- name: prod", "- nmae: prod", "channels.stable.rings[1].nmae", "name"),
        ("run: [make, security]", "rum: [make, security]", "channels.stable.rings[1].gates.commands[0].rum", "run"),
        ("channel: airgap", "chanel: airgap", "profiles.compose/airgap.chanel", "channel"),
        ("chart: deploy", "chrt: deploy", "profiles.helm/stage.chrt", "chart"),
        ("manifests: [out", "manifest: [out", "profiles.rendered/legacy.manifest", "manifests"),
        ("telemetry: {compose:", "telemetry: {compos:", "overlays.telemetry.compos", "compose"),
        ("{args:", "{arg:", "images_at[1].arg", "args"),
        ("reason: Tempo", "reaon: Tempo", "ignore[0].reaon", "reason"),
    ] {
        let at = key.rsplit('.').next().unwrap();
        check(from, to, at, &format!("unknown key `{key}`"), Some(&format!("did you mean `{near}`?")));
    }
}

/// A key that is near none is not what is missing.
#[test]
fn what_is_missing_beside_another_unknown_key_is_named() {
    let text = EXAMPLE.replacen("rule: profiles-differ", "about: profiles-differ", 1);
    let problems = Workspace::parse(&text, FileId(0)).unwrap_err();
    let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(messages, ["unknown key `ignore[0].about`", "`ignore[0]` has no `rule`"]);
}

#[test]
fn damaged_files_do_not_panic() {
    for cut in (0..EXAMPLE.len()).filter(|cut| EXAMPLE.is_char_boundary(*cut)) {
        let _ = Workspace::parse(&EXAMPLE[..cut], FileId(0));
    }
}

#[test]
fn lists_and_numbers_have_a_limit() {
    let problems = |gates: &str, rings: &str| {
        let text = format!(
            "schema: 1\nchannels: {{edge: {{release: e.yaml, rings: [{rings}], gates: {{{gates}}}}}}}\nprofiles:\n  p: {{channel: edge, compose: [c.yaml]}}\n"
        );
        let problems = Workspace::parse(&text, FileId(0)).err().unwrap_or_default();
        problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>()
    };
    let minutes = |minutes: u32| problems(&format!("commands: [{{name: t, run: [make], minutes: {minutes}}}]"), "");
    assert_eq!(minutes(1440), [""; 0]);
    assert_eq!(minutes(1441), ["`channels.edge.gates.commands[0].minutes` cannot be `1441`"]);
    let approvals = |count: u32| problems(&format!("approvals: [{{role: lead, count: {count}}}]"), "");
    assert_eq!(approvals(20), [""; 0]);
    assert_eq!(approvals(21), ["`channels.edge.gates.approvals[0].count` cannot be `21`"]);
    let rings = |count: usize| (0..count).map(|ring| format!("r{ring}, ")).collect::<String>();
    assert_eq!(problems("", &rings(20_000)), [""; 0]);
    let expected = "`channels.edge.rings` has 20001 entries; at most 20000 are read";
    assert_eq!(problems("", &rings(20_001)), [expected]);
    let commands = |count: usize| (0..count).map(|at| format!("{{name: c{at}, run: [a]}}, ")).collect::<String>();
    assert_eq!(problems(&format!("commands: [{}]", commands(20_000)), ""), [""; 0]);
}
