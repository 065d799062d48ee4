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
    rendered_by("3", &[], what, make)
}

#[track_caller]
fn rendered_by(helm: &str, args: &[&str], what: &str, make: &dyn Fn(&Sandbox)) -> Result<String, String> {
    let sandbox = chart();
    make(&sandbox);
    let ours = Cli::new(env!("CARGO_BIN_EXE_collimate"))
        .folder(sandbox.path("."))
        .args(["render", "--chart", "c", "--release-name", "r", "--helm", helm, "--reveal"])
        .args(args)
        .output();
    assert!(matches!(ours.exit, 0 | 3), "{what}: {ours}");
    if let Some(helm) = testkit::peer(&format!("helm{helm}")) {
        let home = sandbox.path(".");
        let theirs =
            Cli::new(helm).folder(&home).args(["template", "r", "c"]).args(args).env("HOME", home.as_str()).output();
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

/// A file in UTF-16 with its byte order mark.
fn utf_16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(order).collect()
}

#[test]
fn utf_16_is_read_where_it_is_yaml() {
    let template = "x: {{ .Values.a | quote }}\n";
    for order in [u16::to_le_bytes, u16::to_be_bytes] {
        let of = |path: &'static str, text: &'static str| {
            move |sandbox: &Sandbox| {
                sandbox.write("c/templates/a.yaml", template);
                std::fs::write(sandbox.path(path), utf_16(text, order)).unwrap();
            }
        };
        for text in ["a: \"é😀\"\n", "# é\r\na: \"é😀\"\r\n", "a: \"é😀\"\n---\na: 2\n"] {
            for (path, args) in [("c/values.yaml", &[][..]), ("v.yaml", &["--values", "v.yaml"])] {
                let printed = rendered_by("3", args, path, &of(path, text)).unwrap();
                assert!(printed.contains("x: \"é😀\"\n"), "{printed}");
                // Helm 4 ends every last line with a byte, which is half a character.
                rendered_by("4", args, path, &of(path, text)).ok();
            }
        }
        let metadata = "apiVersion: v2\nname: c\nversion: 0.1.0\ndescription: é\n";
        rendered("metadata", &of("c/Chart.yaml", metadata)).unwrap();
        rendered("a lock", &of("c/Chart.lock", "dependencies: []\n")).unwrap();
        rendered("a schema is no YAML", &of("c/values.schema.json", "{}")).unwrap_err();
        let from_yaml = |sandbox: &Sandbox| {
            of("c/f", "a: é")(sandbox);
            sandbox.write("c/templates/a.yaml", "x: {{ .Files.Get \"f\" | fromYaml | toJson }}\n");
        };
        assert!(rendered("fromYaml", &from_yaml).unwrap().contains("x: {\"a\":\"é\"}"));
    }
    let broken: [(&[u8], &str); 4] = [
        (b"\xff\xfea\0:\0 \x001\0\n\0x", "incomplete UTF-16 character"),
        (b"\xff\xfea\0:\0 \0\x00\xdc1\0", "unexpected low surrogate area"),
        (b"\xff\xfea\0:\0 \0\x00\xd8", "incomplete UTF-16 surrogate pair"),
        (b"\xff\xfea\0:\0 \0\x00\xd81\0", "expected low surrogate area"),
    ];
    for (bytes, reason) in broken {
        let message = rendered(reason, &written("c/values.yaml", bytes)).unwrap_err();
        assert!(message.contains(reason), "{message}");
    }
}

#[test]
fn bytes_that_are_no_utf_8_go_through_files_and_functions() {
    for bytes in [&b"caf\xe9"[..], b"ok \xe2\x82", b"\xed\xa0\x80", "a\u{10ffe9}b".as_bytes()] {
        let with = |template: &'static str| {
            move |sandbox: &Sandbox| {
                std::fs::write(sandbox.path("c/f"), bytes).unwrap();
                sandbox.write("c/templates/a.yaml", template);
            }
        };
        for template in [
            "x: {{ .Files.Get \"f\" | b64enc }} {{ tpl (.Files.Get \"f\") . | b64enc }}\n",
            "{{ (.Files.Glob \"f\").AsConfig }}\n{{ (.Files.Glob \"f\").AsSecrets }}\n",
            "x: {{ .Files.Lines \"f\" | toJson }}\ny: {{ .Files.Get \"f\" | quote }}\n",
            "x: {{ printf \"a: %s\" (.Files.Get \"f\") | fromYaml | toJson }}\n",
            "x: {{ printf \"{%q: %q}\" \"a\" (.Files.Get \"f\") | b64enc }}\n",
        ] {
            // Characters that stand for bytes in our texts are refused where they would be shown; what is printed is Helm's in any case.
            if bytes.starts_with(b"a") && !template.contains("b64enc") {
                continue;
            }
            rendered(template, &with(template)).unwrap();
        }
    }
    let printed = |sandbox: &Sandbox| {
        sandbox.write("c/crds/a.yaml", "");
        std::fs::write(sandbox.path("c/crds/a.yaml"), b"x: caf\xe9\n").unwrap();
    };
    // `Cli` shows bytes as text, on both sides.
    rendered_by("3", &["--include-crds"], "crds", &printed).unwrap();
}

#[test]
fn a_link_out_of_the_folder_is_refused_in_words_that_fit() {
    let sandbox = chart();
    sandbox.write("o.txt", "x\n").write("d/x", "x\n");
    symlink("../o.txt", sandbox.path("c/LICENSE")).unwrap();
    let ours = Cli::new(env!("CARGO_BIN_EXE_collimate"))
        .folder(sandbox.path("d"))
        .args(["render", "--chart", "../c", "--release-name", "r"])
        .output();
    assert_eq!(ours.exit, 3, "{ours}");
    let reason = "`../c/LICENSE` leads out of the current folder and of what the command line names; \
                  run this in a folder that holds both ends";
    assert!(ours.stderr.contains(reason), "{ours}");
}
