//! Charts in folders with more than files and folders in them: Helm and the program read the same, or both refuse.

use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use testkit::{Cli, Sandbox};

fn chart() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox
        .write("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 0.1.0\n")
        .write("c/values.yaml", "a: 1\n")
        .write("c/templates/a.yaml", "x: {{ .Values.a }}{{ .Files.Get \"LICENSE\" }}\n")
        .write("c/charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 0.1.0\n")
        .write("c/charts/sub/templates/y.yaml", "y: 1\n")
        .write("c/real", "hi\n");
    sandbox
}

/// What is printed, or why it is refused; Helm agrees, if it is there.
#[track_caller]
fn rendered(what: &str, make: &dyn Fn(&Sandbox)) -> Result<String, String> {
    let sandbox = chart();
    make(&sandbox);
    let ours = Cli::new(env!("CARGO_BIN_EXE_collimate"))
        .folder(sandbox.path("."))
        .args(["render", "--chart", "c", "--release-name", "r"])
        .output();
    assert!(matches!(ours.exit, 0 | 3), "{what}: {ours}");
    if let Some(helm) = testkit::peer("helm3") {
        let home = sandbox.path(".");
        let theirs = Cli::new(helm).folder(&home).args(["template", "r", "c"]).env("HOME", home.as_str()).output();
        assert_eq!((ours.exit == 0, &ours.stdout), (theirs.exit == 0, &theirs.stdout), "{what}: {ours}{theirs}");
    }
    if ours.exit == 0 { Ok(ours.stdout) } else { Err(ours.stderr) }
}

fn pipe(sandbox: &Sandbox, path: &str) {
    assert!(std::process::Command::new("mkfifo").arg(sandbox.path(path)).status().unwrap().success());
}

#[test]
fn a_link_that_leads_nowhere_is_refused_wherever_it_is() {
    for path in [
        "LICENSE",
        ".helmignore",
        "values.yaml",
        "values.schema.json",
        "templates/b.yaml",
        "charts/x",
        "charts/x.tgz",
        "charts/sub/README.md",
    ] {
        let path = format!("c/{path}");
        let dangling = |sandbox: &Sandbox| {
            let path = sandbox.path(&path);
            std::fs::remove_file(&path).ok();
            symlink("nowhere", path).unwrap();
        };
        let refused = rendered(&path, &dangling).unwrap_err();
        let reason = format!("`{path}` is a link that leads nowhere or in a circle");
        assert!(refused.contains(&reason), "{refused}");
    }
    // Links are followed before anybody asks what is ignored, but not in a folder that is.
    let ignored = |link: &'static str, rule: &'static str| {
        move |sandbox: &Sandbox| {
            std::fs::create_dir(sandbox.path("c/d")).unwrap();
            symlink("nowhere", sandbox.path(link)).unwrap();
            sandbox.write("c/.helmignore", rule);
        }
    };
    rendered("ignored", &ignored("c/l", "l\n")).unwrap_err();
    rendered("in an ignored folder", &ignored("c/d/l", "d/\n")).unwrap();
    for (link, target) in [("c/self", "."), ("c/a", "a"), ("c/charts/me", "../../c")] {
        rendered(link, &|sandbox| symlink(target, sandbox.path(link)).unwrap()).unwrap_err();
    }
    for (link, target) in [("c/LICENSE", "real"), ("c/d", "templates")] {
        rendered(link, &|sandbox| symlink(target, sandbox.path(link)).unwrap()).unwrap();
    }
}

#[test]
fn what_is_no_file_is_refused_and_never_opened() {
    for path in ["c/pipe", "c/templates/p.yaml", "c/charts/p"] {
        let refused = rendered(path, &|sandbox| pipe(sandbox, path)).unwrap_err();
        assert!(refused.contains(&format!("cannot load irregular file {path} ")), "{refused}");
    }
    let socket = |sandbox: &Sandbox| drop(UnixListener::bind(sandbox.path("c/socket")).unwrap());
    rendered("socket", &socket).unwrap_err();
    let linked = |sandbox: &Sandbox| {
        pipe(sandbox, "c/pipe");
        symlink("pipe", sandbox.path("c/link")).unwrap();
    };
    rendered("a link to a pipe", &linked).unwrap_err();
    let ignored = |sandbox: &Sandbox| {
        pipe(sandbox, "c/pipe");
        sandbox.write("c/.helmignore", "pipe\n");
    };
    rendered("an ignored pipe", &ignored).unwrap();
}

#[test]
fn a_folder_in_the_place_of_a_file_is_none() {
    let folder = |path: &'static str| {
        move |sandbox: &Sandbox| {
            std::fs::remove_file(sandbox.path(path)).ok();
            sandbox.write(format!("{path}/x"), "x\n");
        }
    };
    for path in ["c/values.yaml", "c/values.schema.json", "c/LICENSE"] {
        rendered(path, &folder(path)).unwrap();
    }
    for path in ["c/Chart.yaml", "c/.helmignore"] {
        rendered(path, &folder(path)).unwrap_err();
    }
}

fn written(path: &'static str, bytes: &'static [u8]) -> impl Fn(&Sandbox) {
    move |sandbox| std::fs::write(sandbox.path(path), bytes).unwrap()
}

/// Bytes that are no UTF-8 may stand where nobody reads them as YAML.
#[test]
fn what_is_no_utf_8_is_refused_where_yaml_is_read() {
    let refused = [
        ("c/templates/a.yaml", &b"x: caf\xe9\n"[..], "incomplete UTF-8 octet sequence"),
        ("c/templates/a.yaml", b"# caf\xe9\nx: 1\n", "invalid trailing UTF-8 octet"),
        ("c/templates/a.yaml", b"x: \xff # y\n", "invalid leading UTF-8 octet"),
        ("c/templates/a.yaml", b"x: \xed\xa0\x80\n", "invalid Unicode character"),
        ("c/templates/a.yaml", b"x: \xc0\x80\n", "invalid length of a UTF-8 sequence"),
        ("c/templates/a.yaml", b"x: {{ \"/w==\" | b64dec }}\n", "invalid leading UTF-8 octet"),
        ("c/templates/a.yaml", b"x: {{ printf \"%s\" (b64dec \"/w==\") }}\n", "invalid leading UTF-8 octet"),
        ("c/values.yaml", b"a: 1 # caf\xe9 b\n", "invalid trailing UTF-8 octet"),
        ("c/Chart.yaml", b"apiVersion: v2\nname: c\nversion: 0.1.0\n# caf\xe9 b\n", "invalid trailing UTF-8 octet"),
    ];
    for (path, bytes, reason) in refused {
        let message = rendered(path, &written(path, bytes)).unwrap_err();
        assert!(message.contains(reason), "{message}");
    }
    let printed = [
        ("c/templates/a.yaml", &b"{{/* caf\xe9 */}}\nx: {{ \"caf\xe9\" | quote }}{{ if false }}\xff{{ end }}\n"[..]),
        ("c/templates/_a.tpl", b"{{ define \"a\" }}caf\xe9{{ end }}"),
        ("c/templates/NOTES.txt", b"caf\xe9\n"),
        ("c/README.md", b"caf\xe9\n"),
        ("c/.helmignore", b"# caf\xe9\n"),
        ("c/values.schema.json", b"{\"title\": \"caf\xe9\"}"),
    ];
    for (path, bytes) in printed {
        rendered(path, &written(path, bytes)).unwrap();
    }
    // What a template includes are bytes again.
    let included = |sandbox: &Sandbox| {
        written("c/templates/_a.tpl", b"{{ define \"a\" }}caf\xe9{{ end }}")(sandbox);
        sandbox.write(
            "c/templates/a.yaml",
            "x: {{ include \"a\" . | b64enc }} {{ include \"a\" . | len }} {{ include \"a\" . | sha256sum }}\n",
        );
    };
    assert!(rendered("include", &included).unwrap().contains("x: Y2Fm6Q== 4 "));
}
