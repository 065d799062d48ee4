//! The three phases: their order, what they change, and that nobody is cut off on the way.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use certificates::{Component, Done, Phase, Request, Rotated, Rotation, rotate};
use jiff::Timestamp;
use testkit::Sandbox;

use crate::handshake::{Loaded, handshake};
use crate::{day, filled, noon, snapshot};

fn rotation(phase: Phase) -> Rotation {
    Rotation { phase, algorithm: None, days: 90, ca_days: 365 }
}

#[track_caller]
fn run(sandbox: &Sandbox, phase: Phase, now: Timestamp) -> Rotated {
    rotate(&rotation(phase), &sandbox.path("certs"), now).unwrap_or_else(|error| panic!("{phase}: {error}"))
}

/// Checks that a phase is refused, and what is said.
#[track_caller]
fn refused(sandbox: &Sandbox, phase: Phase, message: &str, hint: &str) {
    let before = snapshot(sandbox);
    let error = rotate(&rotation(phase), &sandbox.path("certs"), noon()).unwrap_err();
    assert_eq!(error.to_string(), message);
    assert_eq!(error.hint().as_deref(), Some(hint));
    let after = snapshot(sandbox);
    assert!(before == after, "a refused phase changes nothing");
}

/// Every component as it would load its files now.
fn loaded(sandbox: &Sandbox) -> Vec<(Component, Loaded)> {
    let certs = sandbox.path("certs");
    Component::ALL.into_iter().map(|component| (component, Loaded::of(&certs, component))).collect()
}

/// How many of all pairs of a client and a server can talk, out of how many.
fn talk(clients: &[(Component, Loaded)], servers: &[(Component, Loaded)]) -> (usize, usize) {
    let mut counts = (0, 0);
    for (component, server) in servers.iter().filter(|(component, _)| component.is_server()) {
        for (_, client) in clients {
            counts.1 += 1;
            counts.0 += usize::from(handshake(client, server, component.common_name()).is_ok());
        }
    }
    counts
}

#[test]
fn nobody_is_cut_off_whoever_has_loaded_the_new_files_first() {
    let sandbox = Sandbox::new();
    let now = Timestamp::now();
    filled(&sandbox, &Request::default(), now);
    let mut states = vec![loaded(&sandbox)];
    for phase in Phase::ALL {
        run(&sandbox, phase, now);
        states.push(loaded(&sandbox));
    }
    for pair in states.windows(2) {
        let [before, after] = pair else { unreachable!("windows of two") };
        for (clients, servers) in [(before, before), (before, after), (after, before), (after, after)] {
            assert_eq!(talk(clients, servers), (20, 20));
        }
    }
    // A phase that was skipped is an outage, so the phases are needed and this test can tell.
    assert_eq!(talk(&states[0], &states[2]), (0, 20));
    assert_eq!(talk(&states[2], &states[0]), (0, 20));
    assert_eq!(talk(&states[1], &states[3]), (0, 20));
}

#[test]
fn phases_come_in_order() {
    let sandbox = Sandbox::new();
    filled(&sandbox, &Request::default(), noon());
    let not_begun = "no rotation is under way";
    let begin = "`--phase trust` begins a rotation";
    refused(&sandbox, Phase::Leaf, &format!("`leaf` is not what comes now: {not_begun}"), begin);
    refused(&sandbox, Phase::Retire, &format!("`retire` is not what comes now: {not_begun}"), begin);

    let first = run(&sandbox, Phase::Trust, noon());
    assert_eq!((first.changed.len(), first.next), (5, Some(Phase::Leaf)));
    let again = run(&sandbox, Phase::Trust, noon());
    assert_eq!((again.changed.len(), again.new), (0, first.new.clone()));
    refused(
        &sandbox,
        Phase::Retire,
        "`retire` is not what comes now: every certificate is still from the old CA",
        "`--phase leaf` comes now, once every component was reloaded or restarted as told",
    );

    assert_eq!(run(&sandbox, Phase::Leaf, noon()).changed.len(), 5);
    assert_eq!(run(&sandbox, Phase::Leaf, noon()).changed.len(), 0);
    refused(
        &sandbox,
        Phase::Trust,
        "`trust` is not what comes now: every certificate is from the new CA already",
        "`--phase retire` comes now, once every component was reloaded or restarted as told",
    );

    let last = run(&sandbox, Phase::Retire, noon());
    assert_eq!((last.changed.len(), last.old, &last.new, last.next), (5, first.old, &first.new, None));
    refused(&sandbox, Phase::Retire, &format!("`retire` is not what comes now: {not_begun}"), begin);
    assert!(!sandbox.path("certs/authority/next").exists());
    let settled = filled(&sandbox, &Request::default(), noon());
    assert!(!settled.changed() && settled.rotation.is_none() && settled.authority.name == first.new);
}

#[test]
fn a_phase_that_was_killed_is_finished_by_running_it_again() {
    let sandbox = Sandbox::new();
    filled(&sandbox, &Request::default(), noon());
    let backup = |name: &str| {
        let copy = Sandbox::new();
        copy.copy(sandbox.path("certs").join(name), name);
        copy
    };
    let restore = |name: &str, copy: &Sandbox| {
        sandbox.remove(format!("certs/{name}"));
        sandbox.copy(copy.path(name), format!("certs/{name}"));
    };
    // After each phase one component is put back to where it was before: as if the run had ended before it.
    let loki = backup("loki");
    let new = run(&sandbox, Phase::Trust, noon()).new;
    restore("loki", &loki);
    refused(
        &sandbox,
        Phase::Leaf,
        "`leaf` is not what comes now: not every component trusts the new CA yet",
        "`--phase trust` finishes what was begun",
    );
    let trust = run(&sandbox, Phase::Trust, noon());
    assert_eq!((trust.changed, trust.new), (vec![Component::Loki], new.clone()));

    let tempo = backup("tempo");
    run(&sandbox, Phase::Leaf, noon());
    restore("tempo", &tempo);
    refused(
        &sandbox,
        Phase::Retire,
        "`retire` is not what comes now: not every certificate is from the new CA yet",
        "`--phase leaf` finishes what was begun",
    );
    assert_eq!(run(&sandbox, Phase::Leaf, noon()).changed, [Component::Tempo]);

    let (collector, next) = (backup("collector"), backup("authority/next"));
    run(&sandbox, Phase::Retire, noon());
    restore("collector", &collector);
    sandbox.copy(next.path("authority/next"), "certs/authority/next");
    refused(
        &sandbox,
        Phase::Trust,
        "`trust` is not what comes now: the old CA is being retired",
        "`--phase retire` finishes what was begun",
    );
    // Renewing does not get into its way.
    let renewed = filled(&sandbox, &Request::default(), noon());
    assert_eq!((renewed.changed(), renewed.rotation), (false, Some(Phase::Retire)));
    let retired = run(&sandbox, Phase::Retire, noon());
    assert_eq!((retired.changed, retired.old, retired.new), (vec![Component::Collector], None, new));
}

#[test]
fn renewing_during_a_rotation_keeps_to_its_phase() {
    let sandbox = Sandbox::new();
    let now = Timestamp::now();
    let renew = Request { renew: true, ..Request::default() };
    filled(&sandbox, &Request::default(), now);
    let before = loaded(&sandbox);
    run(&sandbox, Phase::Trust, now);
    let report = filled(&sandbox, &renew, now);
    assert_eq!(report.rotation, Some(Phase::Leaf));
    // From the old authority still: who trusts only that one must accept it.
    assert_eq!(talk(&loaded(&sandbox), &before), (20, 20));
    run(&sandbox, Phase::Leaf, now);
    fs::remove_dir_all(sandbox.path("certs/loki")).unwrap();
    let report = filled(&sandbox, &Request::default(), now);
    assert_eq!(report.rotation, Some(Phase::Retire));
    let made: Vec<_> = report.components.iter().filter(|report| report.done == Done::Made).collect();
    assert_eq!(made.len(), 1);
    let with_both = loaded(&sandbox);
    run(&sandbox, Phase::Retire, now);
    assert_eq!(talk(&with_both, &loaded(&sandbox)), (20, 20));
}

#[test]
fn names_kinds_and_rights_are_kept() {
    let sandbox = Sandbox::new();
    let request = Request {
        sans: vec!["telemetry.example".parse().unwrap()],
        algorithm: Some(certificates::Algorithm::Ed25519),
        group_readable: true,
        ..Request::default()
    };
    filled(&sandbox, &request, noon());
    for phase in Phase::ALL {
        run(&sandbox, phase, day(1));
    }
    let report = filled(&sandbox, &request, day(1));
    assert!(!report.changed(), "all that was asked for is still so");
    let mode = fs::metadata(sandbox.path("certs/loki/tls.key")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o640);
}

#[test]
fn an_authority_that_expires_during_a_rotation_is_retired() {
    let sandbox = Sandbox::new();
    filled(&sandbox, &Request { ca_days: 40, days: 40, ..Request::default() }, noon());
    run(&sandbox, Phase::Trust, day(30));
    // The old one is over: what is renewed now is from the new one.
    let report = filled(&sandbox, &Request::default(), day(41));
    assert_eq!(report.authority.done, Done::Kept);
    assert!(report.components.iter().all(|report| report.done == Done::Renewed("it had expired".to_owned())));
    assert_eq!(report.rotation, Some(Phase::Retire));
    run(&sandbox, Phase::Retire, day(41));
    assert!(!filled(&sandbox, &Request::default(), day(41)).changed());
}

#[test]
fn without_an_authority_there_is_nothing_to_rotate() {
    let sandbox = Sandbox::new();
    let error = rotate(&rotation(Phase::Trust), &sandbox.path("certs"), noon()).unwrap_err();
    assert_eq!(error.to_string(), format!("there is no CA in `{}`", sandbox.path("certs")));
    assert!(!sandbox.path("certs").exists(), "looking makes nothing");
}
