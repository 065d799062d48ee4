//! What is not exported or not taken in, and what is said.

use std::fs;

use super::world::Gap;

const COPY_AGAIN: &str = "hint: copy it again and compare `sha256sum`; if it is the same there, ask its maker\n";

#[test]
fn files_that_are_not_what_was_signed() {
    let gap = Gap::new();
    gap.export("carried").any_stdout().run();
    let good = fs::read(gap.world.sandbox.path("carried")).unwrap();
    let changed = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    let archive_at = good.windows(17).rposition(|window| window == b"generation.tar.gz").unwrap();
    for (bytes, exit, expected) in [
        (
            Vec::new(),
            3,
            "error: `[DIR]/bad` is no generation that was exported\ncaused by: it is too short\n".to_owned(),
        ),
        (
            b"not a tar at all, but long enough to be looked at ".repeat(20),
            3,
            "error: `[DIR]/bad` is no generation that was exported\n\
             caused by: it does not begin with the header of `generation.dsse.json`\n"
                .to_owned(),
        ),
        (
            good[..good.len() / 2].to_vec(),
            5,
            "error: `[DIR]/bad` is not what was signed\ncaused by: it ends too early: it was cut\n".to_owned(),
        ),
        (
            [&good[..], b"x"].concat(),
            5,
            "error: `[DIR]/bad` is not what was signed\ncaused by: something stands after its end\n".to_owned(),
        ),
        (
            changed(archive_at),
            5,
            "error: `[DIR]/bad` is not what was signed\n\
             caused by: the header of `generation.tar.gz` is another one\n"
                .to_owned(),
        ),
        (
            changed(archive_at + 600),
            5,
            "error: `[DIR]/bad` is not what was signed\ncaused by: `generation.tar.gz` has another sha256\n".to_owned(),
        ),
    ] {
        gap.world.sandbox.write("bad", bytes);
        gap.import("bad").stderr(expected + COPY_AGAIN).exit(exit).run();
    }
    assert!(!gap.world.sandbox.path("inside").exists());
    for (arguments, exit, expected) in [
        (
            &["mirror", "import", "none", "inside", "--key", "carrier.pub"][..],
            3,
            "error: cannot read `[DIR]/none`\ncaused by: it does not exist\n",
        ),
        (
            &["mirror", "import", "copy", "inside", "--key", "carrier.pub"],
            3,
            "error: cannot read `[DIR]/copy`\ncaused by: it is no regular file\n",
        ),
    ] {
        gap.run(arguments).stderr(expected).exit(exit).run();
    }
}

#[test]
fn keys_that_are_not_the_right_ones() {
    let gap = Gap::new();
    gap.export("carried").any_stdout().run();
    let output = gap
        .run(&["mirror", "import", "carried", "inside", "--key", "stranger.pub"])
        .any_stderr()
        .stderr_has("error: the file is not trusted\ncaused by: it was signed with key ")
        .stderr_has("hint: do not use it unless its maker tells you, by another way, that the key was changed\n")
        .exit(5)
        .run();
    assert!(output.stderr.contains(", not with the trusted key "), "{output}");
    gap.run(&["mirror", "import", "carried", "inside", "--key", "jws.pem"])
        .any_stderr()
        .stderr_has("error: cannot use the key `jws.pem`\n")
        .exit(3)
        .run();
    gap.run(&["mirror", "export", "copy", "file", "--key", "carrier.pub"])
        .any_stderr()
        .stderr_has("error: cannot use the key `carrier.pub`\n")
        .exit(3)
        .run();
    // The mirror's own signature is by another key than the one that is trusted inside.
    gap.world.sandbox.write("other.pem", testkit::Exports::start().public_key());
    gap.import("carried")
        .args(["--jws-key", "other.pem"])
        .stderr(
            "error: `mirror/primary/bundle.json.jws` is not a signature of this bundle by the trusted key\n\
             caused by: the signature does not belong to these bytes and this key\n\
             hint: do not use it unless the mirror's owner tells you, by another way, that the key was changed\n",
        )
        .exit(5)
        .run();
    assert!(!gap.world.sandbox.path("inside/latest").exists());
}

#[test]
fn what_cannot_be_exported() {
    let gap = Gap::new();
    gap.run(&["mirror", "export", "none", "file", "--key", "carrier"])
        .stderr(
            "error: there is no copy at `[DIR]/none`\n\
             caused by: the folder does not exist\n\
             hint: `collimate mirror pull` or `collimate mirror import` makes one\n",
        )
        .exit(3)
        .run();
    fs::create_dir(gap.world.sandbox.path("empty")).unwrap();
    gap.run(&["mirror", "export", "empty", "file", "--key", "carrier"])
        .stderr(
            "error: `[DIR]/empty` is no copy of a mirror\n\
             caused by: there is no `.collimate-replica` in it\n\
             hint: name the folder that `collimate mirror pull` or `collimate mirror import` made\n",
        )
        .exit(3)
        .run();
    gap.export("file")
        .args(["--generation", "latest"])
        .stderr(
            "error: the value of `--generation` cannot be used\n\
             caused by: a generation is named like `20251001T060000Z-0123456789abcdef`\n",
        )
        .exit(2)
        .run();
    gap.export("file")
        .args(["--generation", "20250101T000000Z-0123456789abcdef"])
        .stderr(
            "error: the generation `20250101T000000Z-0123456789abcdef` of `[DIR]/copy` cannot be used\n\
             caused by: it does not exist\n",
        )
        .exit(3)
        .run();
    gap.world.sandbox.write("file", "precious");
    gap.export("file")
        .stderr(
            "error: `[DIR]/file` exists already\n\
             caused by: it is something else than this generation, signed with this key\n\
             hint: name another file, or remove it\n",
        )
        .exit(2)
        .run();
    assert_eq!(gap.world.sandbox.read("file"), "precious");
    gap.world.sandbox.write(format!("copy/{}/mirror/index.json", gap.world.latest()), "{}");
    gap.export("other")
        .stderr(format!(
            "error: the generation `{}` is not what was verified\n\
             caused by: `mirror/index.json` has another size or sha256 than when it came\n\
             hint: pull it again: what is damaged is transferred anew\n",
            gap.world.latest()
        ))
        .exit(5)
        .run();
    assert!(!gap.world.sandbox.path("other").exists());
}

#[test]
fn folders_that_are_something_else() {
    let gap = Gap::new();
    gap.export("carried").any_stdout().run();
    gap.world.sandbox.write("inside/precious", "1");
    gap.import("carried")
        .stderr(
            "error: `[DIR]/inside` is not empty, and is no copy of a mirror\n\
             caused by: `precious` is in it\n\
             hint: name a folder of its own; what is in this one was not touched\n",
        )
        .exit(2)
        .run();
    // The copy of another domain.
    let url = gap.world.exports.url();
    gap.run(&[
        "mirror",
        "pull",
        "other",
        "--url",
        &url,
        "--domain",
        "community",
        "--user",
        "a",
        "--password-file",
        "password",
    ])
    .any_stdout()
    .any_stderr()
    .run();
    gap.run(&["mirror", "import", "carried", "other", "--key", "carrier.pub"])
        .stderr(
            "error: `[DIR]/other` is a copy of the domain `community`, not of `primary`\n\
             hint: each domain has a folder of its own\n",
        )
        .exit(2)
        .run();
}
