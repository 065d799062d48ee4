//! Hostile arguments end with an error, quickly.

use gotemplate::Limits;

use super::super::der;
use super::super::keys::PrivateKey;
use super::Render;

/// The template fails, and with these words somewhere.
fn refused(template: &str, words: &str) {
    let render = Render { limits: Limits { output: 8 << 20, ..Limits::default() }, ..Render::new() };
    let error = render.outcome(template).unwrap_err();
    assert!(error.contains(words), "{template}: {error}");
}

#[test]
fn what_grows_is_bounded() {
    let output = "the templates make more than";
    refused("{{ repeat 1000000000 \"x\" }}", output);
    refused("{{ repeat 9223372036854775807 \"xy\" }}", "output length overflow");
    refused("{{ indent 1000000000 \"x\" }}", output);
    refused("{{ \"x\" | repeat 1000000 | replace \"x\" \"0123456789\" }}", output);
    refused("{{ $x := \"0123456789\" }}{{ range until 64 }}{{ $x = cat $x $x }}{{ end }}", output);
    refused("{{ $l := list 1 2 }}{{ range until 64 }}{{ $l = concat $l $l }}{{ end }}", output);
    refused("{{ $x := \"xx\" }}{{ range until 64 }}{{ $x = regexReplaceAll \"x\" $x \"yxxy\" }}{{ end }}", output);
    refused("{{ repeat 1000000 \"x\" | splitList \"\" | len }}", output);
    refused("{{ regexFindAll \".\" (repeat 1000000 \"x\") -1 | len }}", output);
    refused("{{ join (repeat 1000 \"-\") (until 100000) }}", output);
}

#[test]
fn counts_are_bounded() {
    refused("{{ until 2000000 }}", "at most");
    refused("{{ untilStep 0 9223372036854775807 1 }}", "at most");
    refused("{{ seq 5000000 }}", "at most");
    refused("{{ randAlphaNum 2000000 }}", "at most 1048576 characters");
    refused("{{ randBytes 2000000 }}", "at most 1048576 random bytes");
}

#[test]
fn versions_and_numbers_are_bounded() {
    refused("{{ semver (repeat 300 \"1\") }}", "version string is too long (max 256 bytes)");
    refused("{{ semverCompare (repeat 600 \">\") \"1.0.0\" }}", "512");
    refused("{{ semverCompare (repeat 33 \"1||\") \"1.0.0\" }}", "too many constraint groups (max 32)");
    refused(&format!("{{{{ mulf {} }}}}", "1e-300 ".repeat(70)), "exponent -20100 overflows an int32");
}

#[test]
fn keys_that_are_read_are_bounded() {
    let number = |bytes: usize| der::unsigned(&vec![0xff; bytes]);
    let key = |bytes: usize| der::sequence(&[&der::unsigned(&[]), &number(bytes)]);
    let said = |bytes: usize| PrivateKey::parse(&der::Pem::write("RSA PRIVATE KEY", &key(bytes))).err().unwrap();
    assert_eq!(said(1_025), "parsing RSA private key from PEM: crypto/rsa: 8200-bit keys are too large");
    assert!(!said(1_024).contains("too large"));
}

#[test]
fn patterns_are_bounded() {
    refused("{{ regexFind \"(a{1000}){1000}\" \"a\" }}", "expression too large");
    refused("{{ regexFind (repeat 2000 \"(\") \"a\" }}", "error parsing regexp");
}

#[test]
fn values_that_contain_themselves_are_refused_or_left_out() {
    let cyclic = "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}";
    assert_eq!(
        Render::new().outcome(&format!("{cyclic}[{{{{ toJson $d }}}}{{{{ toYaml $d }}}}]")).as_deref(),
        Ok("[]")
    );
    gotemplate::on_large_stack(|| {
        refused(&format!("{cyclic}{{{{ deepCopy $d }}}}"), "nested more than");
        refused(
            &format!(
                "{cyclic}{{{{ $e := dict \"d\" (dict) }}}}{{{{ $_ := set $e.d \"d\" $e }}}}{{{{ merge $d $e | len }}}}"
            ),
            "nested more than",
        );
    });
}

/// Charts collect what they make in `.Values`, so that a value holds itself; merges look into what both sides have, not below.
#[test]
fn values_that_contain_themselves_are_merged() {
    let collected = "{{ $v := dict \"l\" (list) \"m\" (dict) }}{{ $n := dict \"v\" $v }}{{ range until 30 }}{{ $_ := set $v \"l\" (append $v.l $n) }}{{ end }}";
    for (call, expected) in [
        ("mergeOverwrite (dict \"v\" 1 \"a\" 2) $n", "[a v] 30"),
        ("merge (dict \"a\" 2) $n", "[a v] 30"),
        ("mustMergeOverwrite (dict \"a\" 2 \"v\" (dict \"m\" (dict \"x\" 1))) $n (dict \"b\" $v)", "[a b v] 30"),
    ] {
        let template = format!("{collected}{{{{ $r := {call} }}}}{{{{ keys $r | sortAlpha }}}} {{{{ len $r.v.l }}}}");
        assert_eq!(Render::new().outcome(&template).as_deref(), Ok(expected), "{call}");
    }
}
