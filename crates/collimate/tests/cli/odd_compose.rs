//! Compose projects whose files are not all UTF-8: Docker Compose and the program read the same, or both refuse.

use testkit::{Cli, Sandbox};

const COMPOSE: &str =
    "name: p\nservices:\n  a:\n    image: \"é:1\"\n    command: [\"${V:-x}\"]\n    env_file: [a.env]\n";

/// What is printed as YAML and as JSON, or why it is refused; Docker Compose agrees, if it is there.
#[track_caller]
fn rendered(files: &[(&str, &[u8])]) -> Result<[String; 2], String> {
    let sandbox = Sandbox::new();
    sandbox.write("compose.yaml", COMPOSE).write("a.env", "");
    for (path, bytes) in files {
        sandbox.write(path, bytes);
    }
    let mut printed = [String::new(), String::new()];
    for (format, printed) in ["yaml", "json"].into_iter().zip(&mut printed) {
        let ours = Cli::new(env!("CARGO_BIN_EXE_collimate"))
            .folder(sandbox.path("."))
            .args(["render", "--reveal", "--compose", "compose.yaml", "--format", format])
            .output();
        assert!(matches!(ours.exit, 0 | 3), "{files:?}: {ours}");
        if let Some(compose) = testkit::peer("compose") {
            let home = sandbox.path(".");
            let theirs = Cli::new(compose)
                .folder(&home)
                .args(["config", "--format", format])
                .env("HOME", home.as_str())
                .output();
            assert_eq!((ours.exit == 0, &ours.stdout), (theirs.exit == 0, &theirs.stdout), "{files:?}: {ours}{theirs}");
        }
        if ours.exit != 0 {
            return Err(ours.stderr);
        }
        *printed = ours.stdout;
    }
    Ok(printed)
}

#[test]
fn compose_files_in_utf_16_are_read() {
    let plain = rendered(&[]).unwrap();
    for order in [u16::to_le_bytes, u16::to_be_bytes] {
        for text in [COMPOSE.to_owned(), COMPOSE.replace('\n', "\r\n")] {
            let bytes: Vec<u8> = std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(order).collect();
            assert_eq!(rendered(&[("compose.yaml", &bytes)]).as_ref(), Ok(&plain));
            // Nobody reads env files so.
            rendered(&[("a.env", &bytes)]).unwrap_err();
            rendered(&[(".env", &bytes)]).unwrap_err();
        }
    }
    rendered(&[("compose.yaml", b"\xff\xfen\0a\0m\0e\0:\0x")]).unwrap_err();
    rendered(&[("compose.yaml", b"name: p # caf\xe9\n")]).unwrap_err();
}

#[test]
fn values_of_env_files_may_be_any_bytes() {
    let long = [b"V=".as_slice(), &[0xe9; 60], b"\n"].concat();
    let many = [b"V='".as_slice(), &[0xe9; 51], b"'\n"].concat();
    for env in [
        &b"# caf\xe9\nV=1 # caf\xe9\n"[..],
        b"V=caf\xe9\n",
        b"V=\"caf\xe9\\n\"\n",
        b"export V='a\xe2\x82'\n",
        b"W=\xff\nV=${W}x\n",
        &long,
        &many,
    ] {
        rendered(&[(".env", env)]).unwrap();
        rendered(&[("a.env", env)]).unwrap();
    }
    let [yaml, json] = rendered(&[(".env", b"V=caf\xe9\n")]).unwrap();
    assert!(yaml.contains("- !!binary Y2Fm6Q==\n"), "{yaml}");
    assert!(json.contains("\"caf\\ufffd\""), "{json}");
    for name in [&b"\xe9=1\n"[..], b"V\xff=1\n"] {
        let refused = rendered(&[("a.env", name)]).unwrap_err();
        assert!(refused.contains("unexpected character"), "{refused}");
    }
    let raw = COMPOSE.replace("[a.env]", "[{path: a.env, format: raw}]");
    let refused = rendered(&[("compose.yaml", raw.as_bytes()), ("a.env", b"A=1\n# \xe9\n")]).unwrap_err();
    assert!(refused.contains("invalid utf8 bytes at line 2: [35 32 233]"), "{refused}");
}
