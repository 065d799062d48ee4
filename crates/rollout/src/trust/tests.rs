use signing::PrivateKey;

use super::*;

fn key(seed: u8) -> PublicKey {
    PrivateKey::from_seed(&[seed; 32]).public()
}

fn line(seed: u8) -> String {
    key(seed).to_pem().lines().nth(1).unwrap().to_owned()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn file(entries: &str) -> String {
    format!("schema: 1\nkeys:\n{entries}")
}

fn entry(name: &str, seed: u8, more: &str) -> String {
    format!("  - {{name: {name}, roles: [lead], key: \"{}\", from: 2026-01-01, until: 2026-12-31{more}}}\n", line(seed))
}

#[track_caller]
fn parse(text: &str) -> Trust {
    Trust::parse(text, FileId(0)).unwrap()
}

#[track_caller]
fn refuses(text: &str, expected: &str) {
    let problems = Trust::parse(text, FileId(0)).unwrap_err();
    let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
    assert!(messages.iter().any(|message| message.contains(expected)), "{expected}: {messages:?}");
}

#[test]
fn a_key_is_judged_by_day_and_role() {
    let trust = parse(&file(&(entry("alice", 1, "") + &entry("bob", 2, ", revoked: 2026-06-01"))));
    let judge = |seed: u8, role: &str, on: &str| {
        trust.judge(&key(seed), role, day(on)).map(|known| known.name.value.clone()).map_err(|fault| fault.to_string())
    };
    assert_eq!(judge(1, "lead", "2026-01-01"), Ok("alice".to_owned()));
    assert_eq!(judge(1, "lead", "2026-12-31"), Ok("alice".to_owned()));
    assert_eq!(judge(1, "lead", "2025-12-31"), Err("the key of `alice` is trusted from 2026-01-01 on".to_owned()));
    assert_eq!(judge(1, "lead", "2027-01-01"), Err("the key of `alice` was trusted until 2026-12-31".to_owned()));
    assert_eq!(judge(1, "security", "2026-01-01"), Err("`alice` has not the role `security`, but `lead`".to_owned()));
    assert_eq!(judge(2, "lead", "2026-05-31"), Ok("bob".to_owned()));
    assert_eq!(judge(2, "lead", "2026-06-01"), Err("the key of `bob` was revoked on 2026-06-01".to_owned()));
    assert_eq!(judge(2, "lead", "2028-06-01"), Err("the key of `bob` was revoked on 2026-06-01".to_owned()));
    assert_eq!(judge(3, "lead", "2026-05-31"), Err(format!("key {} is not among the trusted ones", key(3).id())));
}

#[test]
fn every_spelling_of_a_key_is_read() {
    let pem = key(1).to_pem().lines().map(|line| format!("      {line}\n")).collect::<String>();
    let block = file(&format!(
        "  - name: a\n    roles: [lead]\n    from: 2026-01-01\n    until: 2026-12-31\n    key: |\n{pem}"
    ));
    let minisign = file(&entry("a", 1, "").replace(&line(1), &key(1).to_minisign()));
    for text in [block, minisign, file(&entry("a", 1, ""))] {
        assert_eq!(parse(&text).keys[0].key, key(1));
    }
}

#[test]
fn what_cannot_be_trusted_is_refused() {
    refuses(&file(&(entry("alice", 1, "") + &entry("bob", 1, ""))), "this key stands twice: `alice` has it already");
    refuses(&file(&entry("alice", 1, ", revoked: soon")), "`keys[0].revoked` is no day: `soon`");
    refuses(&file(&entry("alice", 1, ", revoked:")), "`keys[0].revoked` is empty");
    refuses(&file(&entry("alice", 1, ", role: lead")), "unknown key `keys[0].role`");
    refuses(&file(&entry("alice", 1, "").replace("[lead]", "[]")), "`keys[0].roles` is empty");
    refuses(&file(&entry("alice", 1, "").replace("2026-12-31", "2025-12-31")), "`keys[0]` ends before it begins");
    refuses(&file(&entry("alice", 1, "").replace(&line(1), "AAAA")), "is no Ed25519 public key");
    refuses(&file(&entry("alice", 1, "").replace("name: alice, ", "")), "has no `name`");
    refuses(&file(&entry("\"a\\nb\"", 1, "")), "`keys[0].name` cannot be shown");
    refuses(&file(&entry("alice", 1, "")).replace("schema: 1", "schema: 2"), "`schema` must be 1");
    refuses("schema: 1\n", "has no `keys`");
}

#[test]
fn the_reader_and_the_schema_know_the_same_keys() {
    let schema: serde_json::Value = serde_json::from_str(&trust_schema()).unwrap();
    let names = |value: &serde_json::Value| -> Vec<String> {
        value["properties"].as_object().unwrap().keys().cloned().collect()
    };
    let sorted = |keys: &[&str]| {
        let mut keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        keys.sort();
        keys
    };
    assert_eq!(names(&schema), sorted(TRUST_KEYS));
    assert_eq!(names(&schema["$defs"]["KeyEntry"]), sorted(KEY_KEYS));
}
