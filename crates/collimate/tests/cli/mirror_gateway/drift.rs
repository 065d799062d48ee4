//! The rule `mirror-domains-differ` over the shipped tree: what somebody edits by hand is found where they edited it.

use crate::tree::Tree;

/// Edits a file and expects the rule to point at the edited line of it, in each of these files.
#[track_caller]
fn drifts(file: &str, from: &str, to: &str, places: &[(&str, &str)]) {
    let tree = Tree::copy();
    tree.replace(file, from, to);
    let report = tree.check_json();
    let findings = report["findings"].as_array().unwrap();
    let mut found: Vec<String> = findings
        .iter()
        .filter(|finding| finding["severity"] == "error")
        .map(|finding| {
            let place = &finding["place"];
            format!("{} {}:{}", finding["rule"].as_str().unwrap(), place["file"].as_str().unwrap(), place["line"])
        })
        .collect();
    let mut wanted: Vec<String> = places
        .iter()
        .map(|(file, text)| {
            let content = tree.read(file);
            let line = content[..content.find(text).unwrap()].matches('\n').count() + 1;
            format!("mirror-domains-differ {file}:{line}")
        })
        .collect();
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted, "{report:#}");
}

#[test]
fn a_budget_of_the_gateway() {
    let file = "deploy/compose/mirror-gateway/conf/limits.conf";
    let line = "limit_req_zone $credential zone=downloads_primary:10m rate=10r/m;";
    let edited = "limit_req_zone $credential zone=downloads_primary:10m rate=90r/m;";
    drifts(file, line, edited, &[(file, edited)]);
}

#[test]
fn a_directive_in_the_chart() {
    let file = "deploy/helm/stellaops/files/mirror-gateway/cache.conf";
    drifts(file, "proxy_cache_lock on;", "proxy_cache_lock off;", &[(file, "proxy_cache_lock off;")]);
}

#[test]
fn a_budget_of_concelier() {
    let file = "deploy/compose/mirror-gateway/env/concelier.env";
    let line = "CONCELIER__MIRROR__DOMAINS__1__MAXDOWNLOADREQUESTSPERHOUR=240";
    let edited = "CONCELIER__MIRROR__DOMAINS__1__MAXDOWNLOADREQUESTSPERHOUR=2400";
    drifts(file, line, edited, &[(file, edited)]);
}

#[test]
fn a_domain_of_excititor_in_the_chart() {
    let file = "deploy/helm/stellaops/files/mirror-env/excititor.env";
    let line = "EXCITITOR__MIRROR__DOMAINS__0__ID=primary";
    let edited = "EXCITITOR__MIRROR__DOMAINS__0__ID=public";
    drifts(file, line, edited, &[(file, edited)]);
}

/// `mirror.yaml` is changed and nobody renders: everything that follows from the line is found, each at its own place.
#[test]
fn settings_that_nobody_rendered() {
    let (gateway, chart) = ("deploy/compose/mirror-gateway", "deploy/helm/stellaops/files");
    let budget = "CONCELIER__MIRROR__DOMAINS__1__MAXDOWNLOADREQUESTSPERHOUR=240";
    let vex = "EXCITITOR__MIRROR__DOMAINS__1__MAXDOWNLOADREQUESTSPERHOUR=240";
    let comment = "# `community`: 600 requests an hour for the index and 240 for the rest.";
    let wait = "        set $tenant_wait 15;";
    let all = [
        (format!("{gateway}/env/concelier.env"), budget),
        (format!("{gateway}/env/excititor.env"), vex),
        (format!("{gateway}/conf/limits.conf"), comment),
        (format!("{gateway}/conf/domain-community.conf"), wait),
        (format!("{chart}/mirror-env/concelier.env"), budget),
        (format!("{chart}/mirror-env/excititor.env"), vex),
        (format!("{chart}/mirror-gateway/limits.conf"), comment),
        (format!("{chart}/mirror-gateway/domain-community.conf"), wait),
    ];
    let places: Vec<(&str, &str)> = all.iter().map(|(file, text)| (file.as_str(), *text)).collect();
    drifts("deploy/mirror.yaml", "downloads_per_hour: 240 ", "downloads_per_hour: 900 ", &places);
}
