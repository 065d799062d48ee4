//! What the sources export: each fault is made where it would be made, and must be named alone, with the right exit code.

use testkit::{Misbehaviour, Recipe, Signature};

use super::world::{BUNDLE, INDEX, JWS, MANIFEST, Run, USER, VEX, VEX_EXPORT, VEX_INDEX, World};

#[test]
fn a_good_mirror_has_no_finding() {
    let world = World::new();
    let run = world.check("nothing", 0, &[]);
    assert_eq!(run.json["verdict"], "passed");
    assert_eq!(run.row("primary: manifest"), ("made at 2025-10-01T06:00:00Z, 5 advisories", "passed"));
    assert_eq!(run.row("primary: cache"), ("MISS, then HIT, then HIT", "passed"));
    assert_eq!(run.row("community: kept apart"), ("not here", "passed"));
    assert_eq!(run.row("other address"), (format!("401 to `{INDEX}`").as_str(), "passed"));
    assert_eq!(run.row("primary: VEX exports"), ("2 of 2 read", "passed"));
    assert!(run.row("primary: signature").0.starts_with("verified with sha256:"));
    let rows = run.json["tables"]["checks"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["verdict"] == "passed"), "{}", run.output);
    // A tenant has a budget: what one run takes of it.
    let downloads = world.exports.asked().iter().filter(|asked| asked.path != INDEX).count();
    assert!(downloads <= 12, "{downloads}");
}

#[test]
fn every_form_of_signature_is_verified() {
    for eddsa in [false, true] {
        for signature in [
            Signature::Attached { eddsa },
            Signature::Detached { eddsa, b64: true },
            Signature::Detached { eddsa, b64: false },
        ] {
            let name = format!("{signature:?}");
            World::with(Recipe { signature, ..Recipe::default() }).check(&name, 0, &[]);
        }
    }
}

#[test]
fn without_a_domain_all_that_can_be_read_is_walked() {
    let world = World::new();
    let cli = || world.bare().args(["--user", USER, "--password-file", "password", "--key", "key.pub"]);
    let run = Run::of(&cli());
    run.is("no domain is named", 0, &[]);
    assert_eq!(run.row("community: kept apart").1, "passed");
    assert_eq!(run.row("other address").1, "not-tried");
    // The sources themselves know both.
    world.twist(|_, host, answer| {
        if host == "mirror-primary.test" && answer.status < 300 {
            answer.set("x-cache-status", "HIT");
        }
    });
    world.exports.edit(INDEX, |index| index["domains"] = serde_json::json!([{"id": "community"}]));
    Run::of(&cli()).is("none can be read", 1, &["domain-unreadable"]);
}

#[test]
fn a_signature_that_was_not_checked_is_said_loudly() {
    let world = World::new();
    let cli = world.bare().args(["--domain", "primary", "--user", USER, "--password-file", "password"]);
    let run = Run::of(&cli);
    run.is("no key", 0, &["signature-not-checked"]).says("was NOT CHECKED: no key was given");
    let text = cli.output().stdout;
    assert!(text.contains("warning[signature-not-checked]"), "{text}");
}

/// An answer that says of itself that it is larger is not read: the stand-in sends no byte more than usual.
#[test]
fn every_file_has_a_largest_size() {
    let world = World::new();
    for (path, megabytes) in
        [(INDEX, 4), (MANIFEST, 64), (BUNDLE, 512), (JWS, 768), (VEX, 16), (VEX_INDEX, 16), (VEX_EXPORT, 512)]
    {
        let length = ((megabytes << 20) + 1_u64).to_string();
        world.twist_get(path, move |answer| answer.set("content-length", &length));
        let run = world.run();
        assert!(run.kinds().contains(&"answer-too-large"), "{path}:\n{}", run.output);
        run.says(&format!("the answer is larger than {megabytes} MiB"));
        world.front.heal();
    }
}

#[test]
fn faults_of_the_index() {
    let world = World::new();
    world.exports.replace(INDEX, "<html>Please log in</html>");
    world.check("no JSON", 1, &["index-malformed"]).says("expected value at line 1 column 1");
    world.exports.edit(INDEX, |index| index["schemaVersion"] = 2.into());
    world.check("another schema", 1, &["schema-unknown"]).says("`/schemaVersion` is 2; this program knows 1");
    world.exports.edit(INDEX, |index| index["domains"][0]["id"] = "../primary".into());
    world.check("an id that is a path", 1, &["index-malformed"]).says("`/domains/0/id` must be");
    world.exports.edit(INDEX, |index| {
        index["domains"].as_array_mut().unwrap().remove(0);
    });
    world.check("the domain is not listed", 1, &["domain-not-listed"]);
    world.exports.remove(INDEX);
    world.check("no index", 1, &["file-missing"]);
    world.exports.replace(INDEX, vec![b' '; (4 << 20) + 1]);
    world.check("an endless index", 1, &["answer-too-large"]);
}

#[test]
fn faults_of_the_manifest() {
    let world = World::new();
    world.exports.remove(MANIFEST);
    world.check("none", 1, &["file-missing"]);
    world.exports.edit(MANIFEST, |manifest| manifest["created"] = "yesterday".into());
    world.check("no moment", 1, &["manifest-malformed"]).says("`/created` must be a moment");
    world.exports.edit(MANIFEST, |manifest| manifest["schemaVersion"] = 7.into());
    world.check("another schema", 1, &["schema-unknown"]);
    world.exports.edit(MANIFEST, |manifest| manifest["domainId"] = "community".into());
    world.check("of another domain", 1, &["domain-differs"]).says("is of the domain `community`");
    world.exports.edit(MANIFEST, |manifest| manifest["advisories"] = 6.into());
    world.check("another count", 1, &["count-differs"]).says("has 5 advisories; the manifest announces 6");
    world.exports.edit(MANIFEST, |manifest| manifest["bundle"]["sizeBytes"] = 1.into());
    world.check("another size", 5, &["size-differs"]).says("the manifest announces 1");
    let other = format!("sha256:{}", "0".repeat(64));
    world.exports.edit(MANIFEST, move |manifest| manifest["bundle"]["digest"] = other.clone().into());
    world.check("another digest", 5, &["digest-differs"]).says("the manifest announces sha256:0000");
    // Changed after the index named its digest.
    let text = String::from_utf8(world.exports.file(MANIFEST).to_vec()).unwrap();
    world.exports.replace(MANIFEST, text.replace("Primary", "primary"));
    world.check("changed", 5, &["digest-differs"]).says("the index announces");
    world.exports.edit(MANIFEST, |manifest| manifest["created"] = "2099-01-01T00:00:00Z".into());
    world.exports.edit(BUNDLE, |bundle| bundle["generatedAt"] = "2099-01-01T00:00:00Z".into());
    world.check("of tomorrow", 1, &["created-in-future"]);
}

#[test]
fn faults_of_the_bundle() {
    let world = World::new();
    world.exports.remove(BUNDLE);
    world.check("none", 1, &["file-missing"]);
    world.exports.edit(BUNDLE, |bundle| bundle["advisories"] = 5.into());
    world.check("no list", 1, &["bundle-malformed"]).says("`/advisories` is a number, not a list");
    world.exports.edit(BUNDLE, |bundle| bundle["domainId"] = "community".into());
    world.check("of another domain", 1, &["domain-differs"]);
    world.exports.edit(BUNDLE, |bundle| {
        bundle["advisories"].as_array_mut().unwrap().pop();
    });
    world.check("one advisory less", 1, &["count-differs"]).says("has 4 advisories; the manifest announces 5");
    // One bit of a title.
    let at = String::from_utf8(world.exports.file(BUNDLE).to_vec()).unwrap().find("Advisory").unwrap();
    world.exports.misbehave(BUNDLE, Misbehaviour::Flip(at * 8));
    world.check("a flipped bit", 5, &["digest-differs", "signature-invalid"]);
    world.exports.misbehave(BUNDLE, Misbehaviour::Cut(100));
    // The stand-in of the gateway passes on what it got as if it were whole.
    world.check("cut off", 5, &["signature-invalid", "size-differs"]).says("has 100 bytes; the manifest announces");
    world.exports.replace(BUNDLE, "");
    world.check("empty", 5, &["signature-invalid", "size-differs"]);
}

#[test]
fn faults_of_the_signature() {
    let world = World::new();
    world.exports.remove(JWS);
    world.check("none", 5, &["signature-missing"]);
    world.exports.replace(JWS, "no.signature");
    world.check("no signature", 5, &["signature-malformed"]).says("it has 2 parts instead of 3");
    world.exports.replace(JWS, "eyJhbGciOiJub25lIn0..");
    world.check("the algorithm none", 5, &["signature-malformed"]).says("the algorithm `none`");
    world.exports.replace(JWS, world.exports.sign(b"{}"));
    world.check("of something else", 5, &["signature-invalid"]).says("does not belong to these bytes and this key");
    world.sandbox.write("key.pub", World::new().exports.public_key());
    world.check("by another key", 5, &["signature-invalid"]);
    let eddsa = World::with(Recipe { signature: Signature::Attached { eddsa: true }, ..Recipe::default() });
    world.sandbox.write("key.pub", eddsa.exports.public_key());
    world
        .check("by a key of another kind", 5, &["signature-invalid"])
        .says("made with ES256, and the key is one for EdDSA");
    world.sandbox.write("key.pub", world.exports.public_key());
    world.check("the right key", 0, &[]);
}

#[test]
fn nobody_vouches_for_a_bundle_without_digest_and_signature() {
    let world = World::with(Recipe { references: false, ..Recipe::default() });
    world.exports.edit(MANIFEST, |manifest| {
        manifest.as_object_mut().unwrap().remove("bundle");
    });
    let cli = world.bare().args(["--domain", "primary", "--user", USER, "--password-file", "password"]);
    Run::of(&cli).is("neither", 0, &["digest-absent", "signature-not-checked"]);
    world.run().is("a signature is enough", 0, &[]);
}

#[test]
fn a_generation_may_be_too_old() {
    let world = World::new();
    let old = Run::of(&world.cli().args(["--max-age", "1d"]));
    old.is("old", 1, &["too-old"]).says("and may be 1 d (`--max-age`)");
    Run::of(&world.cli().args(["--max-age", "3650d"])).is("not that old", 0, &[]);
}

#[test]
fn a_switch_between_two_answers_is_read_again() {
    let world = World::new();
    world.exports.misbehave_next(MANIFEST, 1, Misbehaviour::Switch);
    let run = world.check("once", 0, &[]);
    assert_eq!(run.row("primary: manifest").0, "made at 2025-10-01T07:00:00Z, 6 advisories");
    world.exports.misbehave_next(BUNDLE, 1, Misbehaviour::Switch);
    world.check("after the bundle", 0, &[]);
    world.exports.misbehave_next(JWS, 1, Misbehaviour::Switch);
    world.check("after the signature", 0, &[]);
    // Every first manifest of a walk is of a generation that is over when its bundle is asked for.
    world.exports.misbehave(JWS, Misbehaviour::Switch);
    world.exports.forget();
    world.check("again and again", 1, &["generation-restless"]);
    assert_eq!(world.exports.count(JWS), 3);
}

/// What a cache does that holds some files longer than others.
#[test]
fn files_of_two_generations_are_told_from_changed_ones() {
    let world = World::new();
    let old = [INDEX, BUNDLE, JWS].map(|path| (path, world.exports.file(path).to_vec()));
    world.exports.next_generation();
    let run = |name: &str, paths: &[&str], exit, kinds: &[&str]| {
        for (path, bytes) in old.iter().filter(|(path, _)| paths.contains(path)) {
            world.exports.replace(path, bytes.clone());
        }
        let run = Run::of(&world.waiting("2"));
        run.is(name, exit, kinds);
        world.exports.heal();
        run
    };
    let bundle = run("bundle and signature of before", &[BUNDLE, JWS], 1, &["generation-mixed"]);
    bundle.says("was made at 2025-10-01T06:00:00Z, and the manifest is of 2025-10-01T07:00:00Z");
    assert_eq!(bundle.row("primary: digest").1, "not-tried");
    run("an index of before", &[INDEX], 1, &["generation-mixed"]).says("index.json` was made at");
    // Whoever changes a bundle may change its moment too: the signature does not forgive that.
    run("a bundle of before", &[BUNDLE], 5, &["generation-mixed", "signature-invalid"]);
    run("all of one generation", &[], 0, &[]);
    // It is over while it is waited for.
    world.twist(move |asked, _, answer| {
        let is_first = answer.header("x-cache-status") == Some("MISS");
        if asked.path == BUNDLE && asked.method == "GET" && is_first {
            answer.body.clone_from(&old[1].1);
        }
    });
    Run::of(&world.waiting("2")).is("over at the second look", 0, &[]);
}

#[test]
fn faults_of_excititor() {
    let world = World::new();
    world.exports.edit(VEX, |domains| domains["domains"] = serde_json::json!([{"id": "community"}]));
    world.check("not listed", 1, &["vex-not-listed"]);
    world.exports.replace(VEX, "[");
    world.check("no JSON", 1, &["vex-malformed"]);
    world.exports.remove(VEX);
    world.check("no list", 1, &["file-missing"]);
    world.exports.edit(VEX_INDEX, |index| index["id"] = "community".into());
    world.check("of another domain", 1, &["vex-domain-differs"]);
    world.exports.edit(VEX_INDEX, |index| index["exports"][0]["exportKey"] = "../../x".into());
    world.check("a key that is a path", 1, &["vex-malformed"]).says("`/exports/0/exportKey` must be");
    world.exports.edit(VEX_INDEX, |index| index["exports"][1]["sizeBytes"] = 1.into());
    world.check("another size", 5, &["vex-size-differs"]);
    world.exports.misbehave(VEX_EXPORT, Misbehaviour::Flip(8));
    world.check("a flipped bit", 5, &["vex-digest-differs"]);
    world.exports.remove(VEX_EXPORT);
    world.check("an export that is not there", 1, &["file-missing"]);
    world.exports.edit(VEX_INDEX, |index| {
        index["exports"][0].as_object_mut().unwrap().remove("digest");
    });
    world.check("no digest", 0, &["vex-digest-absent"]);
    world.exports.remove(VEX);
    let run = Run::of(&world.cli().arg("--no-vex"));
    run.is("not wanted", 0, &[]);
    assert_eq!(run.row("VEX domains").1, "not-tried");
}
