use source::FileId;

use super::*;
use crate::{MARK, rendered};

const SETTINGS: &str = "schema: 1
domains:
  - {id: a, host: a.example, display_name: A, require_authentication: true, downloads_per_hour: 1200}
  - {id: b, host: b.example, display_name: B, require_authentication: false, downloads_per_hour: 600}
index_requests_per_hour: 600
replicas: 1
gateway: {https_port: 8443}
deployments:
  resolved:
    gateway: one/conf
    environment: one/env
    upstreams: {concelier: \"concelier:8080\", excititor: \"excititor:8080\"}
    resolver: \"fd00::53\"
  fixed:
    gateway: two/conf
    environment: two/env
    upstreams: {concelier: \"concelier:8080\", excititor: \"excititor:8080\"}
    proxies: [10.0.0.0/8]
";

fn file(settings: &str, path: &str) -> String {
    let mirror = Mirror::parse(settings, FileId(0)).unwrap();
    let files = rendered(&mirror, "mirror.yaml").into_iter().flat_map(|folder| folder.files);
    files.into_iter().find(|file| file.path == path).unwrap_or_else(|| panic!("no `{path}`")).text
}

#[test]
fn every_setting_is_filled_in_and_every_file_is_ours() {
    let mirror = Mirror::parse(SETTINGS, FileId(0)).unwrap();
    let folders = rendered(&mirror, "mirror.yaml");
    assert_eq!(folders, rendered(&mirror, "mirror.yaml"));
    assert_eq!(folders.len(), 4);
    for file in folders.iter().flat_map(|folder| &folder.files) {
        assert!(file.text.starts_with(MARK) && file.text.ends_with('\n'), "{}", file.path);
        for rest in ["{{", "}}", "\r", "\t", " \n"] {
            assert!(!file.text.contains(rest), "`{rest}` in {}:\n{}", file.path, file.text);
        }
        // A ConfigMap has no folders.
        assert!(file.path.parent().is_some_and(|folder| folders.iter().any(|known| known.path == folder)));
    }
}

#[test]
fn every_file_is_included_and_every_include_is_there() {
    let mirror = Mirror::parse(SETTINGS, FileId(0)).unwrap();
    let files = super::files(&mirror, &mirror.deployments[0]);
    let included: std::collections::BTreeSet<&str> = files
        .iter()
        .flat_map(|(_, text)| text.lines())
        .filter_map(|line| line.trim().strip_prefix("include ")?.strip_suffix(';'))
        .collect();
    let known: std::collections::BTreeSet<&str> =
        files.iter().map(|(name, _)| name.as_str()).filter(|name| *name != "nginx.conf").collect();
    assert_eq!(included, known);
}

#[test]
fn budgets_become_rates() {
    let limits = file(SETTINGS, "one/conf/limits.conf");
    assert!(limits.contains("limit_req_zone $credential zone=index_a:10m rate=10r/m;\n"), "{limits}");
    assert!(limits.contains("limit_req_zone $credential zone=downloads_a:10m rate=20r/m;\n"), "{limits}");
    assert!(limits.contains("limit_req_zone $binary_remote_addr zone=downloads_b:10m rate=10r/m;\n"), "{limits}");
    let divided = file(&SETTINGS.replace("replicas: 1", "replicas: 3"), "one/conf/limits.conf");
    assert!(divided.contains("zone=downloads_a:10m rate=7r/m;\n"), "{divided}");
    assert!(divided.contains("1200 for the rest, divided by 3 gateways.\n"), "{divided}");
    // The hour is Concelier's, whatever the gateways do.
    let environment = file(&SETTINGS.replace("replicas: 1", "replicas: 3"), "one/env/concelier.env");
    assert!(environment.contains("CONCELIER__MIRROR__DOMAINS__0__MAXDOWNLOADREQUESTSPERHOUR=1200\n"), "{environment}");
}

#[test]
fn a_domain_that_is_open_asks_nobody() {
    let (closed, open) = (file(SETTINGS, "one/conf/domain-a.conf"), file(SETTINGS, "one/conf/domain-b.conf"));
    assert!(closed.contains("auth_request /_verify;") && !open.contains("auth_request"), "{open}");
    assert!(!open.contains("/mirror/a/") && !closed.contains("/mirror/b/"));
    let environment = file(SETTINGS, "one/env/concelier.env");
    assert!(environment.contains("CONCELIER__MIRROR__REQUIREAUTHENTICATION=false\n"), "{environment}");
    assert!(environment.contains("CONCELIER__MIRROR__DOMAINS__0__REQUIREAUTHENTICATION=true\n"), "{environment}");
}

#[test]
fn deployments_differ_in_what_is_around_them() {
    let resolved = file(SETTINGS, "one/conf/upstreams.conf");
    assert!(
        resolved.contains("resolver [fd00::53] valid=10s;") && !resolved.contains("server concelier:8080;"),
        "{resolved}"
    );
    let fixed = file(SETTINGS, "two/conf/upstreams.conf");
    assert!(fixed.contains("server concelier:8080;") && !fixed.contains("resolver"), "{fixed}");
    let behind = file(SETTINGS, "two/conf/domain-a.conf");
    assert!(
        behind.contains("listen 8443 ssl proxy_protocol;\n") && behind.contains("set_real_ip_from 10.0.0.0/8;\n"),
        "{behind}"
    );
    assert!(!file(SETTINGS, "one/conf/domain-a.conf").contains("proxy_protocol"));
    let both = file(&SETTINGS.replace("https_port: 8443", "ipv6: true"), "one/conf/unknown.conf");
    assert!(both.contains("    listen 8443 ssl default_server;\n    listen [::]:8443 ssl default_server;\n"), "{both}");
}

#[test]
fn every_key_that_can_be_listed_can_be_read() {
    let marks = EXPORT_KEY.strip_prefix("[A-Za-z0-9][A-Za-z0-9").and_then(|rest| rest.strip_suffix("]*")).unwrap();
    let taken = (0..=u8::MAX).map(char::from).filter(|mark| crate::exports::is_export_key(&format!("a{mark}")));
    for mark in taken.filter(|mark| !mark.is_ascii_alphanumeric()) {
        assert!(marks.contains(mark), "`{mark}` in {EXPORT_KEY}");
    }
}
