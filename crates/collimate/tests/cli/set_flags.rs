//! `render --chart` with values files, `--set` and its relatives: Helm is given the same flags, and prints the same or refuses in the same words.

use testkit::{Cli, Sandbox};

fn folder() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox
        .write("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 0.1.0\n")
        .write("c/values.yaml", "a: chart\nm: {x: 1}\n")
        .write(
            "c/templates/a.yaml",
            "v: {{ toJson .Values }}\nb:\n{{- range $k, $x := .Values }}{{ if kindIs \"string\" $x }}\n  {{ $k }}: {{ b64enc $x }}{{ end }}{{ end }}\n",
        )
        .write("c/values.schema.json", r#"{"properties": {"s": {"type": "string", "maxLength": 7}}}"#)
        .write("text", "one\n\"two\": {three}\n")
        .write("bytes", b"caf\xe9 \xff\x00")
        .write("utf16", b"\xff\xfea\x00")
        .write("empty", "")
        .write("a:b", "colon")
        .write("100%.yaml", "a: 1\n")
        .write("values.yaml", "a: values\n");
    sandbox
}

/// What is printed below the line that names the template, or why it is refused; Helm 3 and 4 agree, where they are there.
#[track_caller]
fn rendered(helm: &str, args: &[&str], stdin: &str) -> Result<String, String> {
    let sandbox = folder();
    let home = sandbox.path(".");
    let ours = Cli::new(env!("CARGO_BIN_EXE_collimate"))
        .folder(&home)
        .args(["render", "--chart", "c", "--release-name", "r", "--helm", helm, "--reveal"])
        .args(args)
        .stdin(stdin)
        .output();
    assert!(matches!(ours.exit, 0 | 3), "{args:?}: {ours}");
    let refused = ours.stderr.strip_prefix("error: cannot render `c`\ncaused by: ").unwrap_or_default().to_owned();
    if let Some(program) = testkit::peer(&format!("helm{helm}")) {
        let theirs = Cli::new(program)
            .folder(&home)
            .args(["template", "r", "c"])
            .args(args)
            .env("HOME", home.as_str())
            .stdin(stdin)
            .output();
        assert_eq!((ours.exit == 0, &ours.stdout), (theirs.exit == 0, &theirs.stdout), "{args:?}: {ours}{theirs}");
        let is_ours = refused.contains("is not fetched");
        assert!(ours.exit == 0 || is_ours || theirs.stderr == format!("Error: {refused}"), "{args:?}: {ours}{theirs}");
    }
    match ours.exit {
        0 => Ok(ours.stdout.split_once("templates/a.yaml\n").unwrap().1.to_owned()),
        _ => Err(refused),
    }
}

#[track_caller]
fn check(args: &[&str], values: &str) {
    for helm in ["3", "4"] {
        let printed = rendered(helm, args, "").unwrap();
        assert_eq!(printed.lines().next().unwrap(), format!("v: {values}"), "Helm {helm}, {args:?}");
    }
}

#[track_caller]
fn refuses(args: &[&str], why: &str) {
    for helm in ["3", "4"] {
        assert_eq!(rendered(helm, args, "").unwrap_err(), format!("{why}\n"), "Helm {helm}, {args:?}");
    }
}

/// Whatever their order on the command line.
#[test]
fn each_flag_counts_over_those_before_it() {
    let flags = [
        ("--values", "values.yaml", "values"),
        ("--set-json", "a=\"json\"", "json"),
        ("--set", "a=set", "set"),
        ("--set-string", "a=string", "string"),
        ("--set-file", "a=a:b", "colon"),
        ("--set-literal", "a=literal", "literal"),
    ];
    for (at, (weak, weaker, _)) in flags.iter().enumerate() {
        for (strong, stronger, value) in &flags[at + 1..] {
            let expected = format!("{{\"a\":\"{value}\",\"m\":{{\"x\":1}}}}");
            check(&[weak, weaker, strong, stronger], &expected);
            check(&[strong, stronger, weak, weaker], &expected);
        }
    }
    check(&["--set-file", "a=text", "--set-file", "a=empty"], r#"{"a":"","m":{"x":1}}"#);
}

#[test]
fn set_file_takes_any_bytes() {
    check(&["--set-file", "a=text"], r#"{"a":"one\n\"two\": {three}\n","m":{"x":1}}"#);
    check(&["--set-file", "s=bytes"], r#"{"a":"chart","m":{"x":1},"s":"caf\ufffd \ufffd\u0000"}"#);
    for (file, base64) in [("bytes", "Y2Fm6SD/AA=="), ("utf16", "//5hAA==")] {
        for helm in ["3", "4"] {
            let printed = rendered(helm, &["--set-file", &format!("a={file}")], "").unwrap();
            assert!(printed.ends_with(&format!("\nb:\n  a: {base64}\n")), "{file}: {printed}");
        }
    }
}

#[test]
fn set_file_names_files_as_helm_does() {
    let both = r#"{"a":["colon",""],"m":{"x":1,"y":[null,"colon"]}}"#;
    check(&["--set-file", "a={a:b,empty},m.y[1]=./c/../a:b"], both);
    check(&["--set-file", r"a\.b=a\:b,a="], r#"{"a":"","a.b":"colon","m":{"x":1}}"#);
    check(&["--set-file", ""], r#"{"a":"chart","m":{"x":1}}"#);
    for (flag, why) in [
        ("a=none", "open none: no such file or directory"),
        ("a={}", "open : no such file or directory"),
        ("a=c", "read c: is a directory"),
        ("a=100%.yaml", r#"parse "100%.yaml": invalid URL escape "%.y""#),
        ("a=1:b", r#"parse "1:b": first path segment in URL cannot contain colon"#),
        ("a", r#"key "a" has no value"#),
        ("a,", r#"key "a" has no value (cannot end with ,)"#),
        ("a={text", "list must terminate with '}'"),
    ] {
        refuses(&["--set-file", flag], &format!("failed parsing --set-file data: {why}"));
    }
    refuses(&["--values", "100%.yaml"], r#"parse "100%.yaml": invalid URL escape "%.y""#);
    // A file beside the folder, which the command line names.
    let outside = Sandbox::new();
    outside.write("f", "outside");
    check(&["--set-file", &format!("a={}", outside.path("f"))], r#"{"a":"outside","m":{"x":1}}"#);
}

/// Nothing is fetched, as everywhere.
#[test]
fn addresses_are_refused() {
    for address in ["http://127.0.0.1:1/f", "https://127.0.0.1:1/f", "oci://127.0.0.1:1/f"] {
        let why = format!("{address} is not fetched: nothing is; download it, and name the file");
        refuses(&["--set-file", &format!("a={address}")], &format!("failed parsing --set-file data: {why}"));
        refuses(&["--values", address], &why);
    }
}

/// Who asks second finds nothing.
#[test]
fn a_dash_is_stdin() {
    for helm in ["3", "4"] {
        let of = |args: &[&str], stdin: &str| rendered(helm, args, stdin).unwrap().lines().next().unwrap().to_owned();
        assert_eq!(of(&["--set-file", "a= - ,b=-"], "x\n"), r#"v: {"a":"x\n","b":"","m":{"x":1}}"#);
        assert_eq!(of(&["--values", "-"], "m: {x: 2}\n"), r#"v: {"a":"chart","m":{"x":2}}"#);
        assert_eq!(of(&["--values", "-", "--set-file", "b=-"], "a: 5\n"), r#"v: {"a":5,"b":"","m":{"x":1}}"#);
    }
}

#[test]
fn set_literal_takes_everything() {
    check(&["--set-literal", r"a=x,y={z}\,\"], r#"{"a":"x,y={z}\\,\\","m":{"x":1}}"#);
    check(&["--set-literal", "m.y[1]=,"], r#"{"a":"chart","m":{"x":1,"y":[null,","]}}"#);
    check(&["--set-literal", "a="], r#"{"a":"","m":{"x":1}}"#);
    check(&["--set-literal", "=x"], r#"{"a":"chart","m":{"x":1}}"#);
    refuses(&["--set-literal", "a"], r#"failed parsing --set-literal data: key "a" has no value"#);
}

/// An object of values is Helm 4's.
#[test]
fn set_json() {
    check(&["--set-json", r#"a={"b":1},m=[1,2]"#], r#"{"a":{"b":1},"m":[1,2]}"#);
    check(&["--set-json", "[1]"], r#"{"a":"chart","m":{"x":1}}"#);
    refuses(&["--set-json", "a={"], "failed parsing --set-json data a={");
    let object = ["--set-json", r#" {"a":[1],"m":{"y":"z"}} "#];
    assert_eq!(rendered("3", &object, "").unwrap_err(), format!("failed parsing --set-json data {}\n", object[1]));
    assert!(rendered("4", &object, "").unwrap().starts_with(r#"v: {"a":[1],"m":{"x":1,"y":"z"}}"#));
    let refused = rendered("4", &["--set-json", r#"{"a":1} x"#], "").unwrap_err();
    assert_eq!(refused, "failed parsing --set-json data JSON: {\"a\":1} x\n");
}

/// What is read has a size.
#[test]
fn large_files_are_refused() {
    let sandbox = folder();
    sandbox.write("large", vec![b'x'; (32 << 20) + 1]).write("full", vec![b'x'; 32 << 20]);
    let render = |flag: &str| {
        Cli::new(env!("CARGO_BIN_EXE_collimate"))
            .folder(sandbox.path("."))
            .args(["render", "--chart", "c", "--set-file", flag])
            .output()
    };
    let large = render("a=large");
    let why = "`large` has 33554433 bytes; at most 33554432 are read";
    let expected = format!("error: cannot render `c`\ncaused by: failed parsing --set-file data: {why}\n");
    assert_eq!((large.exit, large.stderr.as_str()), (3, expected.as_str()));
    let several = render("a={full,full,full}");
    let expected = "error: cannot render `c`\ncaused by: failed parsing --set-file data: full: what files give as values may have 64 MiB in all\n";
    assert_eq!((several.exit, several.stderr.as_str()), (3, expected));
}

/// Who applies the output gets certificates that hold: Helm has no other time to give either.
#[test]
fn charts_see_the_time_of_day_or_the_one_given() {
    let sandbox = folder();
    sandbox.write("c/templates/a.yaml", "t: {{ now | unixEpoch }}\n");
    let render =
        || Cli::new(env!("CARGO_BIN_EXE_collimate")).folder(sandbox.path(".")).args(["render", "--chart", "c"]);
    let head = "---\n# Source: c/templates/a.yaml\n";
    render().env("SOURCE_DATE_EPOCH", "1700000000").stdout(format!("{head}t: 1700000000\n")).run();
    render().env("SOURCE_DATE_EPOCH", "soon").stderr_has("error: `SOURCE_DATE_EPOCH` is no time").exit(2).run();
    let seconds = || std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let (before, printed, after) = (seconds(), render().output().stdout, seconds());
    let seen: u64 = printed.strip_prefix(head).unwrap().trim_start_matches("t: ").trim().parse().unwrap();
    assert!((before..=after).contains(&seen), "{before} {seen} {after}");
}
