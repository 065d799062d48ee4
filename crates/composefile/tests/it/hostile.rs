//! Input made to exhaust us ends in an error, soon.

use composefile::{Options, load};
use source::MemoryFiles;

fn message<P: Into<camino::Utf8PathBuf>>(files: impl IntoIterator<Item = (P, String)>) -> String {
    let files = MemoryFiles::new(files);
    let mut options = Options { files: vec!["compose.yaml".into()], ..Options::default() };
    options.project_name = Some("hostile".to_owned());
    match load(&options, &files) {
        Ok(_) => "loaded".to_owned(),
        Err(error) => error.to_string(),
    }
}

fn compose(text: impl Into<String>) -> String {
    message([("compose.yaml", text.into())])
}

#[test]
fn alias_bombs() {
    let mut text = "x-a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]\n".to_owned();
    for level in 1..9 {
        let items = vec![format!("*a{}", level - 1); 9].join(", ");
        text.push_str(&format!("x-a{level}: &a{level} [{items}]\n"));
    }
    assert!(compose(text).contains("excessive aliasing"));
    assert!(compose("x-a: &a\n  b: *a\n").contains("cycle detected"));
}

/// Compose's own limit, at its own number.
#[test]
fn more_values_than_compose_looks_at() {
    // The document, the list, and three of `services`.
    let text = |items: usize| format!("x-a: [{}]\nservices: {{a: {{image: x}}}}\n", "1,".repeat(items));
    assert_eq!(compose(text(100_000 - 5)), "loaded");
    let said = compose(text(100_000 - 4));
    assert!(said.ends_with("compose file exceeds maximum node visit limit (100000)"), "{said}");
}

#[test]
fn deep_nesting() {
    let text = format!("x-a: {}{}\n", "[".repeat(5000), "]".repeat(5000));
    assert!(compose(text).contains("deep"));
}

#[test]
fn growing_variables() {
    let mut env = "V0=aaaaaaaaaaaaaaaa\n".to_owned();
    for level in 1..40 {
        let before = level - 1;
        env.push_str(&format!("V{level}=$V{before}$V{before}\n"));
    }
    let text = "services: {a: {image: x}}\n".to_owned();
    assert!(message([("compose.yaml", text), (".env", env)]).contains("longer than"));
    let nested = format!("services: {{a: {{image: \"{}x{}\"}}}}\n", "${A:-".repeat(2000), "}".repeat(2000));
    assert!(compose(nested).contains("nest"));
}

#[test]
fn wide_ports() {
    let ports: Vec<String> = (0..20).map(|number| format!("\"{number}.0.0.1::1-65535\"")).collect();
    assert!(compose(format!("services: {{a: {{image: x, ports: [{}]}}}}\n", ports.join(", "))).contains("ports"));
}

#[test]
fn circles_of_files() {
    let circle = "include: [compose.yaml]\nservices: {a: {image: x}}\n";
    assert!(compose(circle).contains("include cycle detected"));
    let two = [
        ("compose.yaml", "include: [other.yaml]\n".to_owned()),
        ("other.yaml", "include: [compose.yaml]\n".to_owned()),
    ];
    assert!(message(two).contains("include cycle detected"));
    let chain = (0..300).map(|number| {
        let name = if number == 0 { "compose.yaml".to_owned() } else { format!("f{number}.yaml") };
        (name, format!("include: [f{}.yaml]\nservices: {{s{number}: {{image: x}}}}\n", number + 1))
    });
    assert!(message(chain).contains("levels deep"));
}

#[test]
fn long_chains_of_services() {
    let services: Vec<String> =
        (0..5000).map(|number| format!("  s{number}: {{image: x, depends_on: [s{}]}}\n", number + 1)).collect();
    let text = format!("services:\n{}  s5000: {{image: x, depends_on: [s0]}}\n", services.concat());
    assert!(compose(text).starts_with("dependency cycle detected: s0 -> s1 -> "));
    let services: Vec<String> =
        (0..500).map(|number| format!("  s{number}: {{image: x, extends: s{}}}\n", number + 1)).collect();
    assert!(compose(format!("services:\n{}  s500: {{image: x}}\n", services.concat())).contains("levels deep"));
}

#[test]
fn odd_bytes() {
    for text in [
        "\u{0}",
        "services: {a: {image: \"\\u0000\"}}",
        "services:\n\t- x",
        "%",
        "&a",
        "*a",
        "? ",
        "!!binary x",
        "--- !reset\na: b",
    ] {
        let _ = compose(text);
    }
    for text in ["${", "$", "${}", "${A", "${A:-${B:-}", "$${A}", "${A:?${", "}${A-}{", "${é}", "${A:-é}é"] {
        let _ = compose(format!("services: {{a: {{image: '{text}'}}}}"));
        let _ = message([
            ("compose.yaml", "services: {a: {image: x}}".to_owned()),
            (".env", format!("A=\"{text}\nB='{text}\nC={text}")),
        ]);
    }
}

#[test]
fn many_uses_of_a_long_value() {
    let env = format!("V={}\n", "a".repeat(1_000_000));
    let services: String = (0..30).map(|number| format!("  s{number}: {{image: x, hostname: $V}}\n")).collect();
    let said = message([("compose.yaml", format!("services:\n{services}")), (".env", env)]);
    assert!(said.contains("all interpolated values are longer than 16777216 bytes"), "{said}");
}

#[test]
fn many_variables() {
    let env: String = (0..200_001).map(|number| format!("V{number}=x\n")).collect();
    let text = "services: {a: {image: x}}\n".to_owned();
    let said = message([("compose.yaml", text), (".env", env.clone())]);
    assert!(said.contains("env files set more than 200000 variables"), "{said}");
    let text = "services: {a: {image: x, env_file: [{path: a.env, format: raw}]}}\n".to_owned();
    let said = message([("compose.yaml", text), ("a.env", env)]);
    assert!(said.contains("env files set more than 200000 variables"), "{said}");
}

#[test]
fn many_services_that_extend_one() {
    let variables: Vec<String> = (0..1_000).map(|number| format!("K{number}: v")).collect();
    let services: String = (0..400).map(|number| format!("  s{number}: {{image: x, extends: big}}\n")).collect();
    let big = format!("  big: {{image: x, environment: {{{}}}}}\n", variables.join(", "));
    let said = compose(format!("services:\n{services}{big}"));
    assert!(said.contains("take over more than 300000 values"), "{said}");
}

#[test]
fn many_variables_that_do_not_end() {
    let said = compose(format!("services: {{a: {{image: \"{}\"}}}}\n", "${A:-".repeat(100_000)));
    assert!(said.contains("too many variables in texts that are too long"), "{said}");
}

#[test]
fn many_address_pools_in_two_files() {
    let file = |pools: usize| {
        let pools: String = (0..pools).map(|pool| format!("{{subnet: 10.0.{pool}.0/24}}, ")).collect();
        format!("services: {{a: {{image: x}}}}\nnetworks: {{n: {{ipam: {{config: [{pools}]}}}}}}\n")
    };
    let both = |base: usize, over: usize| {
        let files = MemoryFiles::new([("a.yaml", file(base)), ("b.yaml", file(over))]);
        let mut options = Options { files: vec!["a.yaml".into(), "b.yaml".into()], ..Options::default() };
        options.project_name = Some("hostile".to_owned());
        load(&options, &files).map(|_| ()).map_err(|error| (error.to_string(), error.span().map(|span| span.file.0)))
    };
    assert_eq!(both(100, 100), Ok(()));
    let said = "networks.n.ipam.config: 101 address pools are more than the 100 that are merged".to_owned();
    assert_eq!(both(100, 101), Err((said.clone(), Some(1))));
    assert_eq!(both(101, 1), Err((said, Some(0))));
    // One file alone is not compared with anything.
    assert_eq!(compose(file(101)), "loaded");
}
