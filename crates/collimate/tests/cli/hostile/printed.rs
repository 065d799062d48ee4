//! What terminals, log viewers and runners of pipelines obey, and secrets, planted wherever a tree can hold text: no command prints it in
//! any format.

use std::fmt::Write as _;

use crate::tree::{RELEASE, Tree};

/// Colour, a link, the clipboard, a bell, C1; two directions, a mark, a line end of its own, a letter that nobody sees; old and new
/// commands of runners.
const PLANTED: &str = "\u{1b}[31m\u{1b}]8;;http://e\u{7}\u{1b}]52;c;eA==\u{7}\u{9b}31m\u{202e}\u{2066}\u{200f}\u{61c}\u{2028}\u{200b}\u{e0041}##[error]x\r\n::add-mask::x\n::set-output name=a::b\n%0A::error::c";

const SECRET: &str = "hunter2hunter2";

/// A double-quoted YAML scalar.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => write!(out, "\\{character}").unwrap(),
            ' '..='~' => out.push(character),
            _ => write!(out, "\\U{:08X}", u32::from(character)).unwrap(),
        }
    }
    out.push('"');
    out
}

/// Fails if anything printed is obeyed or secret.
#[track_caller]
fn harmless(what: &str, format: &str, printed: &str) {
    let obeyed = printed.chars().find(|character| {
        character.is_control() && *character != '\n'
            || matches!(
                character,
                '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{e0000}'..='\u{e007f}'
            )
    });
    assert!(obeyed.is_none(), "{what} prints {obeyed:?}:\n{printed}");
    assert!(!printed.contains(SECRET), "{what} prints a secret:\n{printed}");
    assert!(!printed.contains("##["), "{what} prints a command:\n{printed}");
    for line in printed.lines().map(str::trim_start).filter(|line| line.starts_with("::")) {
        let own = ["::error ", "::warning ", "::notice "].iter().any(|command| line.starts_with(command));
        // Three colons are how an excerpt of another file begins.
        assert!(line.starts_with(":::") || format == "github" && own, "{what} prints a command: {line}");
        assert!(!own || line.matches("::").count() == 2, "{what} prints a command in another: {line}");
    }
}

/// The formats that a command says it has.
fn formats(command: &str) -> Vec<String> {
    let (_, help, _) = Tree::of(&[]).run_text(&[command, "--help"]);
    let listed = help.split("--format <").nth(1).unwrap_or_else(|| panic!("`{command}` has no `--format`:\n{help}"));
    // `[possible values: text, json]`, or one a line: `- text: For people`.
    let listed = listed.split("\n      --").next().unwrap_or_default();
    if let Some((_, values)) = listed.split_once("[possible values: ") {
        return values.split(']').next().unwrap_or_default().split(',').map(|name| name.trim().to_owned()).collect();
    }
    let items = listed.lines().filter_map(|line| line.trim().strip_prefix("- "));
    items.filter_map(|item| item.split_once(':').map(|(name, _)| name.to_owned())).collect()
}

fn every_format(command: &str, least: &[&str]) -> Vec<String> {
    let formats = formats(command);
    for format in least {
        assert!(formats.iter().any(|known| known == format), "`{command}` has {formats:?}");
    }
    formats
}

/// One profile for each place that text can stand in.
fn tree() -> Tree {
    let planted = quoted(PLANTED);
    let raw = PLANTED.replace(['\r', '\n'], " ");
    let profiles = ["key", "value", "image", "syntax", "comment", "env", "odd-env", "cast"];
    let mut workspace = "schema: 1\nchannels: {edge: {release: edge.yaml}}\nprofiles:\n".to_owned();
    for name in profiles {
        let env = if name.ends_with("env") { format!(", env: [{name}.env]") } else { String::new() };
        writeln!(workspace, "  compose/{name}: {{channel: edge, compose: [{name}.yaml]{env}}}").unwrap();
    }
    for name in ["fail", "output", "file"] {
        writeln!(workspace, "  helm/{name}: {{channel: edge, chart: {name}}}").unwrap();
    }
    let tree = Tree::of(&[("collimate.yaml", workspace.as_str()), ("edge.yaml", RELEASE)]);
    let files = [
        ("key.yaml", format!("services: {{{planted}: {{image: x, environment: {{PASSWORD: {SECRET}}}}}}}\n")),
        (
            "value.yaml",
            format!(
                "services:\n  web:\n    image: nginx:1.27\n    hostname: {planted}\n    command: [--password={SECRET}, {planted}]\n    \
                 environment: {{DB_PASSWORD: {SECRET}, A: {planted}, URL: \"http://u:{SECRET}@h/\"}}\n    labels: {{{planted}: {planted}}}\n    \
                 volumes: [{}]\n",
                quoted(&format!("./{PLANTED}:/x"))
            ),
        ),
        ("image.yaml", format!("services: {{a: {{image: {planted}}}}}\n")),
        ("syntax.yaml", format!("password: {SECRET}\na: {planted}\n\tb: c\n")),
        ("comment.yaml", format!("services: {{a: {{image: nginx:1.27}}}} # token={SECRET} {raw}\n")),
        ("env.yaml", "services: {a: {image: nginx:1.27, hostname: \"$A$NONE\"}}\n".to_owned()),
        ("env.env", format!("A=\"{}\nTOKEN={SECRET}\"\nUNUSED={raw}\n", raw.replace('"', ""))),
        ("odd-env.yaml", "services: {a: {image: nginx:1.27}}\n".to_owned()),
        ("odd-env.env", format!("API_KEY=\"{SECRET} {raw}\n")),
        ("cast.yaml", format!("services: {{a: {{image: nginx:1.27, cpus: {planted}, ports: [{planted}]}}}}\n")),
        ("fail/Chart.yaml", "apiVersion: v2\nname: c\nversion: 0.1.0\n".to_owned()),
        ("fail/values.yaml", format!("x: {planted}\npassword: {SECRET}\n")),
        ("fail/templates/t.yaml", "{{ fail .Values.x }}".to_owned()),
        ("output/Chart.yaml", "apiVersion: v2\nname: c\nversion: 0.1.0\n".to_owned()),
        ("output/values.yaml", format!("x: {planted}\npassword: {SECRET}\n")),
        (
            "output/templates/t.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {a: {{ .Values.x | quote }}}}\ndata:\n  password: {{ .Values.password }}\n  a: |\n{{ .Values.x | indent 4 }}\n".to_owned(),
        ),
        ("output/templates/NOTES.txt", "{{ .Values.x }} {{ .Values.password }}\n".to_owned()),
        ("file/Chart.yaml", "apiVersion: v2\nname: c\nversion: 0.1.0\n".to_owned()),
    ];
    for (path, content) in files {
        tree.write(path, &content);
    }
    let name = PLANTED.replace('/', "");
    tree.write(&format!("file/templates/{name}.yaml"), "{{ .Values.a.b }}");
    tree
}

#[test]
fn nothing_that_is_planted_is_printed() {
    let tree = tree();
    let mut commands: Vec<Vec<String>> = Vec::new();
    let mut with_formats = |words: &[&str], formats: Vec<String>| {
        for format in formats {
            let words = words.iter().map(|word| (*word).to_owned());
            commands.push(words.chain(["--format".to_owned(), format]).collect());
        }
    };
    with_formats(
        &["check", "--notes"],
        every_format("check", &["text", "json", "sarif", "github", "markdown", "junit"]),
    );
    with_formats(&["show"], every_format("show", &["text", "json"]));
    with_formats(&["why", "nginx"], every_format("why", &["text", "json"]));
    for profile in ["key", "value", "image", "syntax", "comment", "env", "odd-env", "cast"] {
        with_formats(&["render", &format!("compose/{profile}")], every_format("render", &["yaml", "json"]));
    }
    for profile in ["fail", "output", "file"] {
        with_formats(&["render", &format!("helm/{profile}")], vec!["yaml".to_owned()]);
    }
    commands.push(vec!["pin".to_owned(), "--dry-run".to_owned()]);
    for command in commands {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let (code, stdout, stderr) = tree.run_text(&words);
        assert!(matches!(code, 0 | 1 | 3), "`{words:?}` ends with {code}: {stderr}");
        assert!(!stdout.is_empty() || !stderr.is_empty());
        let format = words.last().copied().unwrap_or_default();
        harmless(&format!("`{words:?}`"), format, &stdout);
        harmless(&format!("`{words:?}`"), "text", &stderr);
    }
    std::fs::remove_file(tree.path("collimate.yaml")).unwrap();
    let (_, stdout, stderr) = tree.run_text(&["init"]);
    harmless("`init`", "text", &format!("{stdout}{stderr}"));
}

/// What `init` leaves out it names, with the words of the engines: names of folders and messages of templates.
#[test]
fn nothing_that_is_planted_is_printed_of_what_is_in_no_profile() {
    let name = PLANTED.replace('/', "");
    let chart = "apiVersion: v2\nname: c\nversion: 0.1.0\n";
    let tree = Tree::of(&[("compose.yaml", "services: {a: {image: nginx:1.27}}\n"), ("fail/Chart.yaml", chart)]);
    tree.write("fail/values.yaml", &format!("x: {}\npassword: {SECRET}\n", quoted(PLANTED)));
    tree.write("fail/templates/t.yaml", "{{ fail .Values.x }}");
    tree.write(&format!("{name}/Chart.yaml"), chart);
    tree.write(&format!("{name}/templates/{name}.yaml"), "{{ nope }}");
    let (_, stdout, stderr) = tree.run_text(&["init"]);
    let (_, left_out) = stdout.split_once("in no profile:").unwrap_or_else(|| panic!("all loads: {stdout}{stderr}"));
    assert_eq!(left_out.matches("\n  `").count(), 2, "{left_out}");
    harmless("`init`", "text", &format!("{stdout}{stderr}"));
}

/// The lines around a change are those of a file that anybody may have written.
#[test]
fn a_diff_holds_no_command() {
    let compose = format!(
        "x-a: |\n  ::error::x\n  ##[error]x\n  password={SECRET}\nservices: {{web: {{image: \"nginx:1.27\"}}}}\nx-b: |\n  ::add-mask::x\n"
    );
    let workspace =
        "schema: 1\nchannels: {edge: {release: edge.yaml}}\nprofiles: {p: {channel: edge, compose: [compose.yaml]}}\n";
    let tree = Tree::of(&[("collimate.yaml", workspace), ("edge.yaml", RELEASE), ("compose.yaml", compose.as_str())]);
    let (code, stdout, stderr) = tree.run_text(&["pin", "--dry-run"]);
    assert!(code == 0 && stdout.contains("add-mask"), "{stdout}{stderr}");
    harmless("`pin --dry-run`", "text", &stdout);
}

/// Our own files are refused where they hold it, by name and place.
#[test]
fn our_own_files_hold_none_of_it() {
    let planted = quoted(PLANTED);
    let release = RELEASE.replace("1.0.0", &planted);
    let component = RELEASE.replace("nginx:", &format!("{planted}:"));
    let workspace = |profile: &str, reason: &str| {
        format!(
            "schema: 1\nchannels: {{edge: {{release: edge.yaml}}}}\nprofiles:\n  {profile}: {{channel: edge, compose: [compose.yaml]}}\nunmanaged: [{{image: x, reason: {reason}}}]\n"
        )
    };
    let compose = "services: {a: {image: nginx:1.27}}\n";
    for (workspace, release) in [
        (workspace(&planted, "x"), RELEASE.to_owned()),
        (workspace("p", &planted), RELEASE.to_owned()),
        (workspace("p", "x"), release),
        (workspace("p", "x"), component),
    ] {
        let tree = Tree::of(&[
            ("collimate.yaml", workspace.as_str()),
            ("edge.yaml", release.as_str()),
            ("compose.yaml", compose),
        ]);
        for format in every_format("check", &["text"]) {
            let (code, stdout, stderr) = tree.run_text(&["check", "--format", &format]);
            assert!(matches!(code, 1 | 3), "{code}: {stdout}{stderr}");
            let said = format!("{stdout}{stderr}");
            assert!(said.contains("that must not be printed") || code == 1 && said.contains("edge.yaml"), "{said}");
            harmless(&format!("`check --format {format}`"), &format, &stdout);
            harmless(&format!("`check --format {format}`"), "text", &stderr);
        }
        for command in [&["show"][..], &["why", "nginx"], &["pin", "--dry-run"]] {
            let (_, stdout, stderr) = tree.run_text(command);
            harmless(&format!("{command:?}"), "text", &format!("{stdout}{stderr}"));
        }
    }
}
