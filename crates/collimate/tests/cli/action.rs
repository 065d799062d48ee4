//! The action for GitHub and Gitea: its scripts run as a runner runs them, against a server of releases that may be anything.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;

use signing::PrivateKey;
use testkit::{Cli, Output, Sandbox};

use crate::tree::{Tree, repository};

const VERSION: &str = "1.2.3";

/// What a server has: bytes, and how many it says there are.
type Shelf = BTreeMap<String, (Vec<u8>, usize)>;

/// A release, and where it lies.
struct Release {
    sandbox: Sandbox,
    key: PrivateKey,
    shelf: Shelf,
}

fn name() -> String {
    format!("collimate-{VERSION}-{}-linux", std::env::consts::ARCH)
}

impl Release {
    /// As `cargo xtask dist` lays it out; the program is a script that runs the real one.
    fn new() -> Self {
        let (sandbox, name) = (Sandbox::new(), name());
        sandbox.write(
            format!("{name}/collimate"),
            format!("#!/bin/sh\nexec '{}' \"$@\"\n", env!("CARGO_BIN_EXE_collimate")),
        );
        let run = |program: &str, arguments: &[&str]| {
            let output = Command::new(program).args(arguments).current_dir(sandbox.root()).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            output.stdout
        };
        run("chmod", &["755", &format!("{name}/collimate")]);
        let archive = format!("{name}.tar.gz");
        run("tar", &["czf", &archive, &name]);
        let sums = run("sha256sum", &[&archive]);
        let key = PrivateKey::from_seed(&[9; 32]);
        let mut release = Self { shelf: Shelf::new(), key, sandbox };
        let bytes = std::fs::read(release.sandbox.path(&archive)).unwrap();
        release.put(&archive, bytes);
        release.publish(sums);
        release
    }

    fn put(&mut self, file: &str, bytes: Vec<u8>) {
        let length = bytes.len();
        self.shelf.insert(format!("/v{VERSION}/{file}"), (bytes, length));
    }

    /// Signs and lays out these checksums.
    fn publish(&mut self, sums: Vec<u8>) {
        let signature = self.key.sign(&sums).0.to_vec();
        self.put("SHA256SUMS", sums);
        self.put("SHA256SUMS.sig", signature);
    }

    fn archive(&mut self) -> &mut (Vec<u8>, usize) {
        self.shelf.get_mut(&format!("/v{VERSION}/{}.tar.gz", name())).unwrap()
    }

    /// Runs `fetch.sh` against a server with this shelf.
    fn fetch(&self, change: &[(&str, &str)]) -> (Output, String) {
        let address = serve(self.shelf.clone());
        fetch(
            &self.sandbox,
            &[
                &[
                    ("INPUT_VERSION", VERSION),
                    ("INPUT_FROM", &address),
                    ("INPUT_PUBLIC_KEY", &self.key.public().to_pem()),
                ],
                change,
            ]
            .concat(),
        )
    }
}

/// Serves a shelf for as long as the test runs, and gives its address.
fn serve(shelf: Shelf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let shelf = Arc::new(shelf);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(mut stream), shelf) = (stream, Arc::clone(&shelf)) else { return };
            std::thread::spawn(move || {
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
                let request = lines.next().unwrap_or_default();
                // The client says nothing more than its head.
                let _ = lines.take_while(|line| !line.is_empty()).count();
                let path = request.split(' ').nth(1).unwrap_or_default();
                let (status, (bytes, length)) = match shelf.get(path) {
                    Some(found) => ("200 OK", found.clone()),
                    None => ("404 Not Found", (Vec::new(), 0)),
                };
                // A client that went away has what it wanted.
                let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
                let _ = stream.write_all(&bytes);
            });
        }
    });
    address
}

/// Runs `fetch.sh`; its output, and what it says to later steps.
fn fetch(sandbox: &Sandbox, inputs: &[(&str, &str)]) -> (Output, String) {
    let temporary = sandbox.path("runner");
    std::fs::create_dir_all(&temporary).unwrap();
    sandbox.write("outputs", "");
    let script = repository().join("action/fetch.sh");
    let mut cli = Cli::new("/bin/bash")
        .arg(script.as_str())
        .folder(sandbox.root())
        .env("RUNNER_TEMP", temporary.as_str())
        .env("GITHUB_OUTPUT", sandbox.path("outputs").as_str());
    for (name, value) in inputs {
        cli = cli.env(*name, *value);
    }
    (cli.output(), sandbox.read("outputs"))
}

fn left_behind(sandbox: &Sandbox) -> usize {
    sandbox.path("runner").read_dir_utf8().unwrap().count()
}

#[test]
fn a_signed_release_is_fetched_from_a_server_and_from_a_folder() {
    let Some(_) = testkit::tool("curl") else { return };
    let release = Release::new();
    let version = Command::new(env!("CARGO_BIN_EXE_collimate")).arg("--version").output().unwrap().stdout;
    let version = String::from_utf8(version).unwrap();
    let (output, said) = release.fetch(&[]);
    assert_eq!((output.exit, output.stdout.as_str(), output.stderr.as_str()), (0, version.as_str(), ""));
    let program = said.strip_prefix("program=").unwrap().trim_end();
    assert!(program.starts_with(release.sandbox.path("runner").as_str()) && program.ends_with("/collimate"), "{said}");

    // Behind an air gap: the same files in a folder.
    for (path, (bytes, _)) in &release.shelf {
        release.sandbox.write(format!("carried{path}"), bytes);
    }
    let (output, said) = release.fetch(&[("INPUT_FROM", release.sandbox.path("carried").as_str())]);
    assert_eq!(output.exit, 0, "{output}");
    assert!(said.contains("/collimate\n"), "{said}");

    // And without any: a program that is there already.
    let (output, said) = fetch(&release.sandbox, &[("INPUT_BINARY", env!("CARGO_BIN_EXE_collimate"))]);
    assert_eq!((output.exit, output.stdout), (0, version));
    assert!(said.contains("/collimate\n"), "{said}");
}

#[test]
fn what_is_not_as_it_was_signed_is_neither_unpacked_nor_run() {
    let Some(_) = testkit::tool("curl") else { return };
    let archive = format!("{}.tar.gz", name());
    let other = PrivateKey::from_seed(&[1; 32]).public().to_pem();
    let not_signed = format!(
        "the checksums of {VERSION} are not signed with the key of this workflow (check `public-key`, and do not use what lies there)"
    );
    let once = format!(
        "the checksums of {VERSION} do not list '{archive}' once (check `version`; for this platform there may be no release)"
    );
    let sums = |release: &Release| release.shelf[&format!("/v{VERSION}/SHA256SUMS")].0.clone();
    type Damage<'d> = Box<dyn Fn(&mut Release) + 'd>;
    /// Name, what is damaged, inputs, exit code, message.
    type Case<'d> = (&'d str, Damage<'d>, Vec<(&'d str, &'d str)>, i32, String);
    let cases: Vec<Case<'_>> = vec![
        (
            "another archive",
            Box::new(|release| *release.archive().0.last_mut().unwrap() ^= 1),
            vec![],
            5,
            format!("'{archive}' does not have the checksum that was signed (try again; if it stays so, somebody has changed it)"),
        ),
        (
            "other checksums",
            Box::new(|release| {
                let signed = release.shelf[&format!("/v{VERSION}/SHA256SUMS.sig")].0.clone();
                release.publish(b"0000\n".to_vec());
                release.put("SHA256SUMS.sig", signed);
            }),
            vec![],
            5,
            not_signed.clone(),
        ),
        ("another key", Box::new(|_| ()), vec![("INPUT_PUBLIC_KEY", &other)], 5, not_signed.clone()),
        ("no key at all", Box::new(|_| ()), vec![("INPUT_PUBLIC_KEY", "x")], 5, not_signed.clone()),
        ("an empty signature", Box::new(|release| release.put("SHA256SUMS.sig", vec![])), vec![], 5, not_signed.clone()),
        ("a release without this platform", Box::new(|release| release.publish(b"00  collimate-1.2.3-other.tar.gz\n".to_vec())), vec![], 5, once.clone()),
        (
            "two checksums",
            Box::new(move |release| {
                let twice = sums(release).repeat(2);
                release.publish(twice);
            }),
            vec![],
            5,
            once,
        ),
        (
            "cut off",
            Box::new(|release| {
                let (bytes, _) = release.archive();
                bytes.truncate(bytes.len() / 2);
            }),
            vec![],
            4,
            format!("'[FROM]/v{VERSION}/{archive}' broke off (try again)"),
        ),
        (
            "shorter",
            Box::new(|release| {
                let (bytes, length) = release.archive();
                *length = bytes.len() / 2;
                bytes.truncate(*length);
            }),
            vec![],
            5,
            format!("'{archive}' does not have the checksum that was signed (try again; if it stays so, somebody has changed it)"),
        ),
        ("another version", Box::new(|_| ()), vec![("INPUT_VERSION", "9.9.9")], 4, "the server has no '[FROM]/v9.9.9/SHA256SUMS' (check `from` and `version`)".to_owned()),
        ("nobody there", Box::new(|_| ()), vec![("INPUT_FROM", "/nowhere")], 4, format!("there is no '/nowhere/v{VERSION}/SHA256SUMS' (check `from` and `version`)")),
        ("a path", Box::new(|_| ()), vec![("INPUT_VERSION", "../1.2.3")], 2, "the input `version` is '../1.2.3' (name one release, such as 0.1.0)".to_owned()),
        ("a command", Box::new(|_| ()), vec![("INPUT_VERSION", "1\n::set-output name=a::b")], 2, "the input `version` is '1 ::set-output name=a::b' (name one release, such as 0.1.0)".to_owned()),
        ("in the clear", Box::new(|_| ()), vec![("INPUT_FROM", "http://example.org/x")], 2, "the input `from` is 'http://example.org/x' (give an address with https, or the absolute path of a folder)".to_owned()),
        ("without a key", Box::new(|_| ()), vec![("INPUT_PUBLIC_KEY", "")], 2, "the input `public-key` is empty (give the PEM of the key that releases are signed with; without it nothing that is fetched can be trusted)".to_owned()),
        ("no such program", Box::new(|_| ()), vec![("INPUT_BINARY", "/nowhere/collimate")], 2, "there is no program '/nowhere/collimate' on this runner (give `binary` a path, or leave it out and give `version`, `from` and `public-key`)".to_owned()),
    ];
    for (case, damage, inputs, exit, message) in cases {
        let mut release = Release::new();
        damage(&mut release);
        let (output, said) = release.fetch(&inputs);
        let lines: Vec<&str> = output.stdout.lines().filter(|line| line.starts_with("::")).collect();
        let from = output
            .stdout
            .split_once("'http://")
            .and_then(|(_, rest)| rest.split_once("/v"))
            .map_or("-", |(host, _)| host);
        let shown = lines.join("\n").replace(&format!("http://{from}/v"), "[FROM]/v");
        assert_eq!((output.exit, shown), (exit, format!("::error title=collimate::{message}")), "{case}: {output}");
        assert_eq!(said, "", "{case}");
        if exit != 2 {
            assert_eq!(left_behind(&release.sandbox), 0, "{case}");
        }
    }
}

const WRONG: &[(&str, &str)] = &[
    (
        "collimate.yaml",
        "schema: 1\nchannels: {edge: {release: edge.yaml}}\nprofiles:\n  compose/dev: {channel: edge, compose: [compose.yaml]}\n",
    ),
    ("compose.yaml", "services: {web: {image: nginx:1.27}}\n"),
    (
        "edge.yaml",
        "schema: 1\nversion: 1.0.0\nchannel: edge\ndigests: sample\ncomponents:\n  nginx: {image: docker.io/library/nginx, tag: \"1.27\", digest: \
         \"sha256:2d715950d83061ff2fbc910d12d3703212538cacf6b3003e3736fa5c7f51a2e1\"}\n",
    ),
];

/// Runs `check.sh` in a tree.
fn check(tree: &Tree, inputs: &[(&str, &str)]) -> Output {
    tree.write("outputs", "");
    tree.write("summary.md", "");
    let script = repository().join("action/check.sh");
    let mut cli = Cli::new("/bin/bash")
        .arg(script.as_str())
        .folder(tree.path("."))
        .env("PROGRAM", env!("CARGO_BIN_EXE_collimate"))
        .env("GITHUB_OUTPUT", tree.path("outputs").as_str())
        .env("GITHUB_STEP_SUMMARY", tree.path("summary.md").as_str());
    for (name, value) in inputs {
        cli = cli.env(*name, *value);
    }
    cli.output()
}

#[test]
fn findings_fail_the_step_and_are_in_every_report() {
    let tree = Tree::of(WRONG);
    let output = check(
        &tree,
        &[
            ("INPUT_SARIF", "out/check.sarif"),
            ("INPUT_JUNIT", "out/check.xml"),
            ("INPUT_MARKDOWN", "out/check.md"),
            ("INPUT_NOTES", "true"),
            ("INPUT_NAMES", " edge  compose/dev "),
        ],
    );
    assert_eq!((output.exit, output.stderr.as_str()), (1, ""), "{output}");
    assert!(output.stdout.starts_with("::error file=compose.yaml,line=1,"), "{output}");
    assert_eq!(tree.read("outputs"), "exit-code=1\n");
    assert!(tree.read("out/check.sarif").contains("\"ruleId\": \"image-unpinned\""));
    assert!(tree.read("out/check.xml").contains("<failure type=\"image-unpinned\""));
    let comment = tree.read("out/check.md");
    assert!(comment.contains("`image-unpinned`") && comment.contains("`release-sample-digests`"), "{comment}");
    assert_eq!(tree.read("summary.md"), comment);
    assert!(!tree.path("out/check.md.new").exists());

    tree.write("compose.yaml", "services: {web: {image: nginx:1.27@sha256:2d715950d83061ff2fbc910d12d3703212538cacf6b3003e3736fa5c7f51a2e1}}\n");
    let output = check(&tree, &[("INPUT_JUNIT", "out/check.xml"), ("INPUT_DENY_WARNINGS", "true")]);
    assert_eq!(output.exit, 0, "{output}");
    assert!(tree.read("out/check.xml").contains("failures=\"0\""));
}

#[test]
fn what_could_not_be_looked_at_leaves_no_report() {
    let tree = Tree::of(WRONG);
    tree.write("collimate.yaml", "schema: [\n");
    let output = check(&tree, &[("INPUT_SARIF", "check.sarif")]);
    assert_eq!(output.exit, 3, "{output}");
    assert_eq!(tree.read("outputs"), "exit-code=3\n");
    assert!(!tree.path("check.sarif").exists());
    // Names are names, whatever they look like.
    let output = check(&Tree::of(WRONG), &[("INPUT_NAMES", "--peers=require")]);
    assert_eq!(output.exit, 2, "{output}");
    assert!(output.stderr.contains("there is no channel or profile `--peers=require`"), "{output}");
}

/// The example of the documentation, before a real linter that knows the action's inputs.
#[test]
fn the_documented_workflow_uses_it_right() {
    let docs = std::fs::read_to_string(repository().join("docs/ci.md")).unwrap();
    let (_, rest) = docs.split_once("```yaml\n# .github/workflows/collimate.yml\n").unwrap();
    let (example, _) = rest.split_once("```\n").unwrap();
    let action = std::fs::read_to_string(repository().join("action/action.yml")).unwrap();
    let scripts =
        ["fetch.sh", "check.sh"].map(|name| std::fs::read_to_string(repository().join("action").join(name)).unwrap());
    // Every input reaches a script, and no script reads one that is not there.
    let used: Vec<&str> =
        action.lines().filter_map(|line| line.trim().split_once(": ${{ inputs.").map(|(name, _)| name)).collect();
    for name in used.iter().filter(|name| name.starts_with("INPUT_")) {
        assert!(scripts.iter().any(|script| script.contains(&format!("${{{name}:-"))), "{name}");
    }
    for word in scripts.iter().flat_map(|script| script.split(|char: char| !char.is_ascii_uppercase() && char != '_')) {
        assert!(!word.starts_with("INPUT_") || used.contains(&word), "{word}");
    }
    assert!(!action.lines().any(|line| line.trim_start().starts_with("run:") && line.contains("${{")), "{action}");

    let Some(actionlint) = testkit::peer("actionlint") else { return };
    let sandbox = Sandbox::new();
    sandbox.copy(repository().join("action"), "action").write(".git/HEAD", "ref: refs/heads/main\n");
    let example = example.replace("OWNER/REPOSITORY/action@REF", "./action");
    let lint = |text: &str| {
        sandbox.write(".github/workflows/collimate.yml", text);
        Cli::new(&actionlint)
            .args(["-no-color", "-shellcheck=", "-pyflakes=", ".github/workflows/collimate.yml"])
            .folder(sandbox.root())
            .output()
    };
    let output = lint(&example);
    assert_eq!((output.exit, output.stdout.as_str()), (0, ""), "{output}");
    let output = lint(&example.replace("public-key:", "publickey:"));
    assert!(output.exit == 1 && output.stdout.contains("publickey"), "{output}");
}
