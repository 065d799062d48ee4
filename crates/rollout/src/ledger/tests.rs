use super::*;
use crate::Since;
use crate::entry::{Approval, Deployed, Due, Evidence, Gate, Held, Kind, Source};

type Files = BTreeMap<String, Vec<u8>>;

fn held(version: &str) -> Held {
    Held { version: version.to_owned(), sha256: Hash::of(version.as_bytes()) }
}

fn draft(kind: Kind, rings: &[&str]) -> Draft {
    Draft::new(kind, "alice", "stable", rings.iter().map(|ring| (*ring).to_owned()).collect())
}

fn moved(kind: Kind, rings: &[&str], from: &str, to: &str) -> Draft {
    let source = (kind == Kind::Promotion).then(|| {
        let Held { version, sha256 } = held(to);
        Source { channel: "edge".to_owned(), version, sha256 }
    });
    let reason = (kind == Kind::Rollback).then(|| "it broke".to_owned());
    Draft { from: Some(held(from)), to: Some(held(to)), source, reason, ..draft(kind, rings) }
}

fn good(rings: &[&str], version: &str) -> Draft {
    let evidence = Evidence { name: "smoke.json".to_owned(), sha256: Hash::of(b"{}"), probe: None, verdict: None };
    Draft { to: Some(held(version)), evidence: vec![evidence], ..draft(Kind::MarkGood, rings) }
}

fn hold(reason: &str) -> Draft {
    Draft { reason: Some(reason.to_owned()), ..draft(Kind::Hold, &[]) }
}

fn read(files: &Files) -> (Ledger, Vec<Fault>) {
    Ledger::read(files.clone())
}

#[track_caller]
fn add(files: &mut Files, at: &str, drafts: Vec<Draft>) -> Vec<Hash> {
    let (ledger, faults) = read(files);
    assert_eq!(faults, []);
    let new = ledger.append(drafts, &at.parse().unwrap()).unwrap();
    let hashes = new.iter().map(|entry| entry.hash.clone()).collect();
    files.extend(new.into_iter().map(|entry| (entry.name, entry.text.into_bytes())));
    hashes
}

fn at(hour: u32) -> String {
    format!("2026-03-03T{hour:02}:00:00Z")
}

/// Five entries, one after the other.
fn story() -> Files {
    let mut files = Files::new();
    add(&mut files, &at(1), vec![good(&[], "1")]);
    add(&mut files, &at(2), vec![moved(Kind::Promotion, &[], "1", "2")]);
    add(&mut files, &at(3), vec![moved(Kind::Rollback, &[], "2", "1"), hold("it broke")]);
    let lifts = read(&files).0.holds("stable").iter().map(|hold| hold.hash.clone()).collect();
    add(&mut files, &at(4), vec![Draft { lifts, ..draft(Kind::HoldLift, &[]) }]);
    files
}

#[test]
fn a_ledger_that_was_written_is_consistent() {
    let (ledger, faults) = read(&story());
    assert_eq!(faults, []);
    let kinds: Vec<&str> = ledger.entries().iter().map(|recorded| recorded.entry.kind.as_str()).collect();
    assert_eq!(kinds, ["mark-good", "promotion", "rollback", "hold", "hold-lift"]);
    assert_eq!(ledger.heads().len(), 1);
    let first = &ledger.entries()[0];
    assert_eq!(first.entry.file_name(&first.hash), first.name);
    assert_eq!(ledger.after(&first.hash), 4);
    assert_eq!(ledger.find(&first.hash.as_str()[..6]), Some(first));
    assert_eq!(ledger.find(&first.hash.as_str()[..5]), None);
}

#[test]
fn a_release_that_was_made_for_a_channel_is_held_since() {
    let mut files = Files::new();
    let made =
        |from: &str, to: &str| Draft { from: Some(held(from)), to: Some(held(to)), ..draft(Kind::ReleaseNew, &[]) };
    add(&mut files, &at(1), vec![good(&[], "1")]);
    add(&mut files, &at(2), vec![Draft { evidence: good(&[], "1").evidence, ..made("1", "2") }]);
    let (ledger, faults) = read(&files);
    assert_eq!(faults, []);
    let now = ledger.held_at("stable", None, &at(3).parse().unwrap()).unwrap();
    assert_eq!((now.held.version.as_str(), matches!(now.since, Since::Entry(_))), ("2", true));
    assert_eq!(ledger.good("stable", None, None).len(), 1, "what was good stays so, what is new is not");
    let nowhere = Draft { from: None, ..made("1", "2") };
    assert!(ledger.append(vec![nowhere], &at(3).parse().unwrap()).is_err());
}

#[test]
fn every_changed_byte_is_found() {
    let files = story();
    for (name, bytes) in &files {
        for at in 0..bytes.len() {
            let mut changed = files.clone();
            changed.get_mut(name).unwrap()[at] ^= 1;
            let (_, faults) = read(&changed);
            assert!(faults.iter().any(|fault| fault.name == *name), "byte {at} of {name}: {faults:?}");
        }
    }
}

#[test]
fn every_removed_or_renamed_entry_is_found_but_the_last() {
    let files = story();
    let last = read(&files).0.heads()[0].name.clone();
    for name in files.keys() {
        let mut fewer = files.clone();
        let bytes = fewer.remove(name).unwrap();
        assert_eq!(read(&fewer).1.is_empty(), *name == last, "{name}");
        // As if it had happened at another time.
        fewer.insert(name.replacen("2026", "2025", 1), bytes);
        assert!(read(&fewer).1.iter().any(|fault| fault.message.starts_with("it should be named")), "{name}");
    }
}

#[test]
fn an_entry_that_is_spelled_otherwise_is_none() {
    let files = story();
    let (name, bytes) = files.iter().next().unwrap();
    let text = String::from_utf8(bytes.clone()).unwrap();
    for (from, to) in [
        ("{\n", "{ \n"),
        ("\"schema\": 1", "\"schema\": 2"),
        ("\"by\"", "\"extra\": 1,\n  \"by\""),
        ("alice", "al\\u0069ce"),
        ("alice", "al\\nice"),
        ("alice", ""),
        ("mark-good", "promotion"),
        ("mark-good", "unknown"),
        ("stable", "\\u202estable"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        assert!(Entry::parse(changed.as_bytes()).is_err(), "{from} → {to}");
    }
    assert!(Entry::parse(&vec![b' '; 2_000_000]).is_err());
    assert!(Entry::parse(text.as_bytes()).unwrap().file_name(&Hash::of(bytes)) == *name);
}

#[test]
fn branches_are_merged_and_joined_by_the_next_entry() {
    let base = story();
    let (mut ours, mut theirs) = (base.clone(), base);
    add(&mut ours, &at(5), vec![hold("ours")]);
    add(&mut theirs, &at(6), vec![hold("theirs")]);
    let mut merged = ours;
    merged.extend(theirs);
    let (ledger, faults) = read(&merged);
    assert_eq!((faults, ledger.heads().len(), ledger.holds("stable").len()), (vec![], 2, 2));
    add(&mut merged, &at(7), vec![good(&[], "1")]);
    let (ledger, faults) = read(&merged);
    assert_eq!((faults, ledger.heads().len()), (vec![], 1));
}

#[test]
fn a_lift_in_one_branch_does_not_end_a_hold_of_another() {
    let mut base = Files::new();
    let [first] = &add(&mut base, &at(1), vec![hold("first")])[..] else { panic!() };
    let (mut ours, mut theirs) = (base.clone(), base);
    add(&mut ours, &at(2), vec![Draft { lifts: vec![first.clone()], ..draft(Kind::HoldLift, &[]) }]);
    add(&mut theirs, &at(3), vec![hold("second")]);
    ours.extend(theirs);
    let (ledger, _) = read(&ours);
    let reasons: Vec<_> = ledger.holds("stable").iter().filter_map(|hold| hold.entry.reason.clone()).collect();
    assert_eq!(reasons, ["second"]);
    assert!(ledger.holds("edge").is_empty());
}

#[test]
fn a_clock_that_is_behind_is_not_believed() {
    let mut files = story();
    add(&mut files, "2020-01-01T00:00:00Z", vec![good(&[], "1")]);
    let (ledger, faults) = read(&files);
    assert_eq!(faults, []);
    assert_eq!(ledger.entries().last().unwrap().entry.at.as_str(), at(4));
}

#[test]
fn good_is_what_was_marked_and_not_gone_back_from() {
    let mut files = Files::new();
    let known = |files: &Files, ring: Option<&str>| -> Vec<String> {
        let (ledger, _) = read(files);
        ledger
            .good("stable", ring, None)
            .iter()
            .map(|recorded| recorded.entry.to.as_ref().unwrap().version.clone())
            .collect()
    };
    add(&mut files, &at(1), vec![good(&[], "1")]);
    add(&mut files, &at(2), vec![moved(Kind::Promotion, &["stage"], "1", "2")]);
    add(&mut files, &at(3), vec![good(&["stage"], "2")]);
    assert_eq!(known(&files, Some("stage")), ["1", "2"]);
    assert_eq!(known(&files, Some("prod")), ["1"]);
    add(&mut files, &at(4), vec![moved(Kind::Rollback, &["stage"], "2", "1")]);
    assert_eq!(known(&files, Some("stage")), ["1"]);
    add(&mut files, &at(5), vec![good(&["stage"], "2")]);
    add(&mut files, &at(6), vec![good(&["stage"], "1")]);
    assert_eq!(known(&files, Some("stage")), ["2", "1"]);
    assert_eq!(known(&files, Some("prod")), ["1"]);
}

#[test]
fn an_auditor_learns_what_was_held_when() {
    let mut files = Files::new();
    add(&mut files, &at(2), vec![moved(Kind::Promotion, &["stage"], "1", "2")]);
    add(&mut files, &at(4), vec![moved(Kind::Rollback, &["stage"], "2", "1")]);
    let (ledger, _) = read(&files);
    let version = |ring: Option<&str>, hour: u32| {
        let held = ledger.held_at("stable", ring, &at(hour).parse().unwrap())?;
        Some((held.held.version.clone(), matches!(held.since, Since::Entry(_))))
    };
    assert_eq!(version(Some("stage"), 1), Some(("1".to_owned(), false)));
    assert_eq!(version(Some("stage"), 2), Some(("2".to_owned(), true)));
    assert_eq!(version(Some("stage"), 3), Some(("2".to_owned(), true)));
    assert_eq!(version(Some("stage"), 5), Some(("1".to_owned(), true)));
    assert_eq!(version(Some("prod"), 5), None);
    add(&mut files, &at(6), vec![good(&["prod"], "1")]);
    let (ledger, _) = read(&files);
    let seen = |hour: u32| ledger.held_at("stable", Some("prod"), &at(hour).parse().unwrap());
    assert_eq!(seen(5), None);
    assert!(matches!(seen(6).unwrap().since, Since::Seen(_)));
}

#[test]
fn what_is_due_is_due_until_enough_others_approved_that_very_plan() {
    let mut files = Files::new();
    let plan = Hash::of(b"plan");
    let due = vec![Due { role: "lead".to_owned(), count: 2 }, Due { role: "security".to_owned(), count: 1 }];
    let emergency = Some("CVE".to_owned());
    let draft = Draft { plan: Some(plan.clone()), due, emergency, ..moved(Kind::Promotion, &[], "1", "2") };
    let without = Draft { plan: None, ..draft.clone() };
    assert!(Ledger::default().append(vec![without], &at(1).parse().unwrap()).is_err(), "due for no plan");
    let entry = add(&mut files, &at(1), vec![draft]).remove(0);
    let mut approve = |by: &str, role: &str, plan: &Hash, base: &str| {
        let until = at(9).parse().unwrap();
        let base = held(base).sha256;
        let (by, role) = (by.to_owned(), role.to_owned());
        let approval = Approval { by, role, plan: plan.clone(), base, until, signature: "c2ln".to_owned() };
        let draft = Draft {
            approvals: vec![approval],
            approves: Some(entry.clone()),
            ..Draft::new(Kind::Approval, "x", "stable", Vec::new())
        };
        add(&mut files, &at(2), vec![draft]);
        let (ledger, _) = read(&files);
        let left = ledger.due("stable", |_, approval| approval.by != "mallory");
        assert_eq!(ledger.due("edge", |_, _| true), []);
        left.iter().map(|debt| format!("{} {}", debt.count, debt.role)).collect::<Vec<_>>().join(", ")
    };
    let all = "2 lead, 1 security";
    assert_eq!(approve("bob", "lead", &Hash::of(b"other"), "1"), all, "another plan");
    assert_eq!(approve("bob", "lead", &plan, "2"), all, "another base");
    assert_eq!(approve("alice", "lead", &plan, "1"), all, "who moved it");
    assert_eq!(approve("mallory", "lead", &plan, "1"), all, "not trusted");
    assert_eq!(approve("bob", "lead", &plan, "1"), "1 lead, 1 security");
    assert_eq!(approve("bob", "lead", &plan, "1"), "1 lead, 1 security", "twice");
    assert_eq!(approve("bob", "security", &plan, "1"), "1 lead, 1 security", "in two roles");
    assert_eq!(approve("carol", "security", &plan, "1"), "1 lead");
    assert_eq!(approve("dave", "lead", &plan, "1"), "");
}

#[test]
fn an_entry_has_a_megabyte_at_most() {
    let (ledger, _) = read(&Files::new());
    let deployment = |images: usize| {
        let deployed = Deployed {
            site: "a".to_owned(),
            profile: "p".to_owned(),
            seen: at(1).parse().unwrap(),
            images: vec![format!("sha256:{}", "0".repeat(64)); images],
            configuration: None,
        };
        let gate = Gate { gate: "running".to_owned(), result: "passed".to_owned(), output: None };
        Draft { gates: vec![gate], deployed: Some(deployed), ..Draft { kind: Kind::Deployment, ..good(&[], "1") } }
    };
    let append = |images| ledger.append(vec![deployment(images)], &at(1).parse().unwrap());
    let new = append(12_000).unwrap();
    Recorded::read(&new[0].name, new[0].text.as_bytes()).unwrap();
    let error = append(14_000).unwrap_err().to_string();
    assert!(error.ends_with(" bytes; an entry has at most 1048576"), "what is written is read back: {error}");
    let fault = Recorded::read("x.json", &vec![b'['; (1 << 20) + 1]).unwrap_err();
    assert_eq!(fault.message, "it has 1048577 bytes; an entry has at most 1048576");
}

#[test]
fn texts_of_an_entry_are_one_line_of_some_length() {
    let (ledger, _) = read(&Files::new());
    let append = |length: usize| ledger.append(vec![hold(&"x".repeat(length))], &at(1).parse().unwrap());
    append(2_000).unwrap();
    let error = append(2_001).unwrap_err().to_string();
    assert_eq!(error, "`reason` must be one line of 1 to 2000 bytes without control characters");
}
