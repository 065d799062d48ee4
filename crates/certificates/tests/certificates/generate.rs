//! What is made, what is renewed, and what stays.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use camino::Utf8Path;
use certificates::{Algorithm, Component, Done, ErrorKind, Phase, Report, Request, Rotation, San, generate, rotate};
use testkit::Sandbox;

use crate::{day, files, filled, noon, snapshot};

/// What was done about a component.
fn done(report: &Report, component: Component) -> &Done {
    &report.components.iter().find(|report| report.component == component).expect("all are reported").done
}

fn renewed(reason: &str) -> Done {
    Done::Renewed(reason.to_owned())
}

/// Checks that all components were treated the same.
#[track_caller]
fn all(report: &Report, authority: &Done, components: &Done) {
    assert_eq!(&report.authority.done, authority);
    for component in Component::ALL {
        assert_eq!(done(report, component), components, "{}", component.folder());
    }
}

fn mode(path: impl AsRef<Utf8Path>) -> u32 {
    fs::metadata(path.as_ref()).unwrap_or_else(|error| panic!("{}: {error}", path.as_ref())).permissions().mode()
        & 0o7777
}

#[test]
fn a_second_run_changes_nothing() {
    let sandbox = Sandbox::new();
    all(&filled(&sandbox, &Request::default(), noon()), &Done::Made, &Done::Made);
    let before = snapshot(&sandbox);
    let again = filled(&sandbox, &Request::default(), day(1));
    all(&again, &Done::Kept, &Done::Kept);
    assert!(!again.changed());
    let after = snapshot(&sandbox);
    assert_eq!(before, after);
}

#[test]
fn names_are_those_of_the_services_and_those_asked_for() {
    let sandbox = Sandbox::new();
    let sans = vec!["telemetry.example".parse().unwrap(), "10.1.2.3".parse().unwrap()];
    let report = filled(&sandbox, &Request { sans, ..Request::default() }, noon());
    let names = |component| {
        let report = report.components.iter().find(|report| report.component == component).unwrap();
        report.names.iter().map(San::to_string).collect::<Vec<_>>().join(" ")
    };
    let asked = "localhost 127.0.0.1 ::1 telemetry.example 10.1.2.3";
    assert_eq!(names(Component::Collector), format!("otel-collector {asked}"));
    assert_eq!(names(Component::Prometheus), format!("prometheus {asked}"));
    assert_eq!(names(Component::Tempo), format!("tempo {asked}"));
    assert_eq!(names(Component::Loki), format!("loki {asked}"));
    assert_eq!(names(Component::Client), "collimate-client");

    // Without the flag they stay; with another one it is added.
    all(&filled(&sandbox, &Request::default(), noon()), &Done::Kept, &Done::Kept);
    let more = Request { sans: vec!["other.example".parse().unwrap()], ..Request::default() };
    let report = filled(&sandbox, &more, noon());
    assert_eq!(done(&report, Component::Loki), &renewed("it lacks `other.example`"));
    assert_eq!(done(&report, Component::Client), &Done::Kept);
    let loki = report.components.iter().find(|report| report.component == Component::Loki).unwrap();
    assert!(loki.names.contains(&"telemetry.example".parse().unwrap()), "a renewed certificate keeps its names");
}

#[test]
fn only_what_is_about_to_expire_is_renewed_and_the_authority_stays() {
    let sandbox = Sandbox::new();
    filled(&sandbox, &Request::default(), noon());
    let certs = sandbox.path("certs");
    let authority = fs::read(certs.join("authority/ca.crt")).unwrap();
    // The collector's is younger than the others.
    fs::remove_dir_all(certs.join("collector")).unwrap();
    let report = filled(&sandbox, &Request::default(), day(30));
    assert_eq!(done(&report, Component::Collector), &Done::Made);
    assert_eq!(done(&report, Component::Loki), &Done::Kept);
    let collector = files(&certs, Component::Collector);

    // The last moment at which 30 days and a second are left, and the first at which they are not.
    let last = day(60) - jiff::SignedDuration::from_secs(1);
    all(&filled(&sandbox, &Request::default(), last), &Done::Kept, &Done::Kept);
    let report = filled(&sandbox, &Request::default(), day(60));
    assert_eq!(done(&report, Component::Loki), &renewed("30 days were left"));
    assert_eq!(done(&report, Component::Collector), &Done::Kept);
    assert_eq!(report.authority.done, Done::Kept);
    assert_eq!(files(&certs, Component::Collector), collector);
    assert_eq!(fs::read(certs.join("authority/ca.crt")).unwrap(), authority);

    let sooner = Request { renew_before: Some(10), ..Request::default() };
    assert!(!filled(&sandbox, &sooner, day(109)).changed());
    assert_eq!(done(&filled(&sandbox, &sooner, day(110)), Component::Collector), &renewed("10 days were left"));
}

#[test]
fn everything_is_renewed_when_asked_for() {
    let sandbox = Sandbox::new();
    filled(&sandbox, &Request::default(), noon());
    let certs = sandbox.path("certs");
    let before = Component::ALL.map(|component| files(&certs, component));
    let report = filled(&sandbox, &Request { renew: true, ..Request::default() }, noon());
    all(&report, &Done::Kept, &renewed("you asked for it"));
    let after = Component::ALL.map(|component| files(&certs, component));
    assert!(before.iter().zip(&after).all(|(before, after)| before != after));
}

#[test]
fn a_certificate_never_outlives_its_authority() {
    let sandbox = Sandbox::new();
    let short = Request { ca_days: 100, ..Request::default() };
    let report = filled(&sandbox, &short, noon());
    assert!(!report.authority.ends_soon);
    // 90 more days would be day 155; the authority ends on day 100.
    let report = filled(&sandbox, &short, day(65));
    for component in &report.components {
        assert_eq!(component.done, renewed("25 days were left"));
        assert_eq!(component.validity.not_after, day(100));
    }
    assert!(!report.authority.ends_soon);
    // What ends with its authority gains nothing from being renewed, so it is left alone, and the authority is named.
    let report = filled(&sandbox, &short, day(80));
    all(&report, &Done::Kept, &Done::Kept);
    assert!(report.authority.ends_soon);
}

#[test]
fn an_expired_authority_is_made_anew_with_everything() {
    let sandbox = Sandbox::new();
    filled(&sandbox, &Request::default(), noon());
    let report = filled(&sandbox, &Request::default(), day(365));
    all(&report, &renewed("it had expired"), &renewed("it is from another CA"));
    assert!(!filled(&sandbox, &Request::default(), day(365)).changed());
}

#[test]
fn what_is_damaged_is_made_anew() {
    let sandbox = Sandbox::new();
    filled(&sandbox, &Request::default(), noon());
    let certs = sandbox.path("certs");
    let data = |component: Component| certs.join(component.folder()).join("..data");
    fs::write(data(Component::Collector).join("tls.crt"), "-----BEGIN CERTIFICATE-----\nhalf").unwrap();
    fs::copy(data(Component::Tempo).join("tls.key"), data(Component::Loki).join("tls.key")).unwrap();
    fs::write(data(Component::Prometheus).join("ca.crt"), "").unwrap();
    fs::set_permissions(data(Component::Tempo).join("tls.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let report = filled(&sandbox, &Request::default(), noon());
    assert_eq!(done(&report, Component::Collector), &renewed("it could not be read"));
    assert_eq!(done(&report, Component::Loki), &renewed("its key does not belong to it"));
    let mended = |what: &str| Done::Mended(what.to_owned());
    assert_eq!(done(&report, Component::Prometheus), &mended("whom it trusts was put right"));
    // What the group could read it may go on reading; everyone else may not.
    assert_eq!(done(&report, Component::Tempo), &mended("who may read its key was put right"));
    assert_eq!(mode(certs.join("tempo/tls.key")), 0o640);
    assert_eq!(done(&report, Component::Client), &Done::Kept);
    assert!(!filled(&sandbox, &Request::default(), noon()).changed());
}

#[test]
fn a_damaged_authority_is_not_replaced() {
    let sandbox = Sandbox::new();
    filled(&sandbox, &Request::default(), noon());
    let certs = sandbox.path("certs");
    fs::write(certs.join("authority/..data/ca.key"), "").unwrap();
    let error = generate(&Request::default(), &certs, noon()).unwrap_err();
    let folder = certs.join("authority");
    assert_eq!(error.to_string(), format!("the CA in `{folder}` cannot be used: its key cannot be read"));
    assert!(matches!(error.kind(), ErrorKind::Authority { .. }));
    fs::remove_file(certs.join("authority/..data/ca.key")).unwrap();
    let error = generate(&Request::default(), &certs, noon()).unwrap_err();
    assert_eq!(error.to_string(), format!("the CA in `{folder}` cannot be used: it has no `ca.key`"));
}

#[test]
fn the_kind_of_keys_stays_unless_another_is_asked_for() {
    let sandbox = Sandbox::new();
    let ed25519 = Request { algorithm: Some(Algorithm::Ed25519), ..Request::default() };
    filled(&sandbox, &ed25519, noon());
    all(&filled(&sandbox, &Request::default(), noon()), &Done::Kept, &Done::Kept);
    let report = filled(&sandbox, &Request::default(), day(80));
    assert_eq!(done(&report, Component::Loki), &renewed("10 days were left"));
    all(&filled(&sandbox, &ed25519, day(80)), &Done::Kept, &Done::Kept);
    let p256 = Request { algorithm: Some(Algorithm::P256), ..Request::default() };
    all(&filled(&sandbox, &p256, day(80)), &Done::Kept, &renewed("its key is not p256"));
}

#[test]
fn only_the_owner_reads_keys_unless_the_group_may() {
    let sandbox = Sandbox::new();
    filled(&sandbox, &Request::default(), noon());
    let certs = sandbox.path("certs");
    for (path, expected) in [
        ("authority", 0o700),
        ("authority/ca.key", 0o600),
        ("authority/ca.crt", 0o644),
        ("collector", 0o755),
        ("collector/..data", 0o755),
        ("collector/tls.key", 0o600),
        ("collector/tls.crt", 0o644),
        ("collector/ca.crt", 0o644),
    ] {
        assert_eq!(mode(certs.join(path)), expected, "{path}");
    }
    let before = files(&certs, Component::Collector);
    let group = Request { group_readable: true, ..Request::default() };
    all(&filled(&sandbox, &group, noon()), &Done::Kept, &Done::Mended("who may read its key was put right".to_owned()));
    assert_eq!(mode(certs.join("collector/tls.key")), 0o640);
    assert_eq!(mode(certs.join("authority/ca.key")), 0o600, "the authority's key is for nobody else");
    assert_eq!(files(&certs, Component::Collector), before, "the certificate stays");
    // It stays so without the flag, and when a certificate is renewed.
    assert!(!filled(&sandbox, &Request::default(), noon()).changed());
    filled(&sandbox, &Request { renew: true, ..Request::default() }, noon());
    assert_eq!(mode(certs.join("collector/tls.key")), 0o640);
}

#[test]
fn files_of_somebody_else_are_not_overwritten() {
    let sandbox = Sandbox::new();
    sandbox.write("certs/loki/tls.key", "theirs");
    let error = generate(&Request::default(), &sandbox.path("certs"), noon()).unwrap_err();
    assert_eq!(error.to_string(), format!("`{}` was not made by this program", sandbox.path("certs/loki/tls.key")));
    assert_eq!(sandbox.read("certs/loki/tls.key"), "theirs");
}

#[test]
fn a_key_never_shows_in_a_debug_text() {
    let authority = certificates::Authority::new(Algorithm::P256, certificates::Validity::days(noon(), 1)).unwrap();
    let shown = format!("{authority:?} {:?}", authority.key());
    let secret: String = authority.key().reveal().lines().nth(1).unwrap().to_owned();
    assert!(!shown.contains(&secret) && shown.contains("PrivateKey(…)"), "{shown}");
}

#[test]
fn a_clock_that_is_before_the_authority_changes_nothing() {
    let sandbox = Sandbox::new();
    filled(&sandbox, &Request::default(), noon());
    let before = snapshot(&sandbox);
    for request in [Request::default(), Request { renew: true, ..Request::default() }] {
        let error = generate(&request, &sandbox.path("certs"), day(-1)).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Clock { .. }), "{error}");
        let said = error.to_string();
        assert!(said.starts_with("by this machine's clock it is 2025-09-19T12:00:00Z, and the CA in `"), "{said}");
        assert!(said.ends_with("` is valid only from 2025-09-20T11:00:00Z on"), "{said}");
    }
    let rotation = Rotation { phase: Phase::Trust, algorithm: None, days: 90, ca_days: 365 };
    let error = rotate(&rotation, &sandbox.path("certs"), day(-1)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Clock { .. }), "{error}");
    assert_eq!(snapshot(&sandbox), before);
}

#[test]
fn an_encrypted_key_of_the_authority_is_called_so() {
    let sandbox = Sandbox::new();
    filled(&sandbox, &Request::default(), noon());
    let key = sandbox.path("certs/authority/..data/ca.key");
    let block = |edge: &str| format!("-----{edge} ENCRYPTED PRIVATE KEY-----\n");
    fs::write(key, block("BEGIN") + "MIGjMF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAk\n" + &block("END")).unwrap();
    let error = generate(&Request::default(), &sandbox.path("certs"), noon()).unwrap_err();
    assert!(error.to_string().ends_with("its key is encrypted with a passphrase"), "{error}");
}
